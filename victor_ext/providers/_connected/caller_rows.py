"""What the caller of `connect` says of operations on top of the document: `key=` and `rows=`.

Here they are checked, by their types and against the document; `table_of` makes the table with
them.
"""

import inspect
import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import cast

import httpx

from victor_ext._runtime.core.validation import shown
from victor_ext._runtime.loop.evidence import SAFE_METHODS, Declared, Tables
from victor_ext._runtime.loop.idempotency_keys import KeyPlace, NamedPlace, NoKeys
from victor_ext._runtime.loop.operations import Proof, name_of, no_operation, unnamed
from victor_ext.errors import ConfigurationError

from .declared_keys import documented_key, says_key
from .operations import UNDECLARED, DocumentOperations, OperationRow

_logger = logging.getLogger("victor_ext.client")


def table_of(
    key: object,
    rows: object,
    document: Sequence[Declared],
    members: Tables,
    url: httpx.URL,
) -> DocumentOperations:
    """The table of a client.

    Args:
        key, rows: Those of `connect`.
        document: The operations of the generated package.
        members: The members of its models.
        url: The URL that is called.

    Raises:
        ConfigurationError: `key` is no place of a key, or the document contradicts it; or a row
            cannot work.
    """
    place = NoKeys() if key is None else key
    if not isinstance(place, KeyPlace):
        raise ConfigurationError(
            f"key must be HeaderKey('Idempotency-Key') or BodyKey('...'), not {shown(key)}."
        )
    by_name = _rows_by_name(rows, document)
    table = DocumentOperations(document, url, place, by_name, members=members)
    for name, row in by_name.items():
        problem = _problem_of(row) or _misfit(row, name, table)
        if problem is not None:
            raise ConfigurationError(f"rows: {name}: {problem}.")
    if isinstance(place, NamedPlace):
        _check_key(place, table, by_name, document)
    return table


def _rows_by_name(rows: object, document: Sequence[Declared]) -> dict[str, OperationRow]:
    """The rows of the caller, by names such as `POST /v1/payouts/{}/cancel`.

    Raises `ConfigurationError`: one is no row, or leads to no write of the document, or to that of
    another one.
    """
    if not isinstance(rows, Mapping):
        raise ConfigurationError(f"rows must be {_EXAMPLE}, not {shown(rows)}.")
    known = {name_of(declared): declared.method for declared in document}
    by_name: dict[str, OperationRow] = {}
    for operation, row in cast("Mapping[object, object]", rows).items():
        name = _name_in(operation)
        if name not in known:
            raise no_operation(name, known)
        if known[name] in SAFE_METHODS:
            raise ConfigurationError(
                f"rows: {name} only reads: leave its row out, since rows are for writes."
            )
        if name in by_name:
            raise ConfigurationError(f"rows: {name} has two rows: write one.")
        if not isinstance(row, OperationRow):
            raise ConfigurationError(f"rows must be {_EXAMPLE}: {name} has {shown(row)}.")
        by_name[name] = row
    return by_name


_EXAMPLE = "{'POST /v1/payouts': OperationRow(final={'paid', 'failed'})}, or the like"


def _name_in(operation: object) -> str:
    """The name of the row of an operation, by its method and path, or by the module of its
    generated function.
    """
    if isinstance(operation, str):
        return unnamed(operation)
    declared: Declared | None = getattr(operation, "OPERATION", None)
    if declared is None:
        raise ConfigurationError(
            f"rows: {shown(operation)} names no operation: write 'POST /v1/payouts', or the module "
            "of its generated function."
        )
    return name_of(declared)


def _misfit(row: OperationRow, name: str, table: DocumentOperations) -> str | None:
    """What in a row needs something that the client or the document does not have, or None."""
    if row.takes_key and isinstance(table.place, NoKeys):
        return "takes_key=True needs the place of the key: pass key=HeaderKey('Idempotency-Key')"
    if row.final and table.follow_of(name) is None:
        return "no read of the document shows what it made: leave final out"
    return None


def _check_key(
    place: NamedPlace,
    table: DocumentOperations,
    rows: Mapping[str, OperationRow],
    document: Sequence[Declared],
) -> None:
    """Compare the caller's key with what the document says of keys; warn if it says nothing.

    A key of another name than the document has is taken only if the rows decide about each
    operation that takes the document's own. With a key that the provider ignores, a repeat would
    look safe, and be done twice; and without its own key, a payment would be sent once that the
    document lets be repeated.

    Raises `ConfigurationError`: the document contradicts the caller.
    """
    documented = table.declared_key
    if documented is place or isinstance(documented, NoKeys):
        if not table.names_takers and not says_key(document, place):
            _logger.warning(
                "undeclared-key: the document does not say that %r is a key. %s", place, UNDECLARED
            )
        return
    decided = {name for name, row in rows.items() if row.takes_key is not None}
    undecided = [name for name in _names_of_keyed(document) if name not in decided]
    if table.names_takers and not undecided:
        return
    instead = "Write that" if isinstance(documented, NamedPlace) else "Leave key out"
    message = (
        f"key: the document does not say that {place!r} is a key; it says so of {documented!r}. "
        f"{instead}, or say with takes_key in rows which operations take yours."
    )
    if table.names_takers:
        message += f" No row says it of {undecided[0]}."
    raise ConfigurationError(message)


def _names_of_keyed(document: Sequence[Declared]) -> list[str]:
    """The names of the writes of which the document says that they take a key."""
    return [
        name_of(declared)
        for declared in document
        if declared.method not in SAFE_METHODS and documented_key(declared) is not None
    ]


# ---- What the columns of a row can have ----


def _problem_of(row: OperationRow) -> str | None:
    """What a column of a row cannot have, and what to write instead; None: all is well."""
    takes_key: object = row.takes_key
    if takes_key is not None and not isinstance(takes_key, bool):
        return f"takes_key must be True or False, not {shown(takes_key)}"
    why = None if row.proof is None else _problem_of_proof(row.proof)
    if why is not None:
        return why
    if not _are_words(row.final):
        return f"final must be a set of words, such as {{'paid', 'failed'}}, not {shown(row.final)}"
    if not _is_place(row.made):
        return f"made must be the place of an id, such as 'data.id', not {shown(row.made)}"
    if not _is_place(row.reference):
        return (
            "reference must be the place of your reference in a request, such as 'meta.orderId', "
            f"not {shown(row.reference)}"
        )
    return None


def _is_place(place: object) -> bool:
    """Whether it is a path of names, or empty."""
    return place == "" or (isinstance(place, str) and _are_words(place.split(".")))


def _problem_of_proof(proof: object) -> str | None:
    if not isinstance(proof, Proof) or not inspect.isgeneratorfunction(proof.find):
        return "proof must be Proof(find), where find is a function that makes its reads with yield"
    if not _are_words(proof.needs):
        return f"proof.needs must be names, such as ('payor_id',), not {shown(proof.needs)}"
    subject: object = proof.subject
    if subject is not None and not callable(subject):
        return f"proof.subject must be a function of the request, or None, not {shown(subject)}"
    differ: object = proof.times_differ
    if not isinstance(differ, timedelta) or differ < timedelta():
        wanted = "a timedelta of 0 or more, such as timedelta(seconds=10)"
        return f"proof.times_differ must be {wanted}, not {shown(differ)}"
    return None


def _are_words(values: object) -> bool:
    """Whether it is a collection of texts, none of them empty or with blanks around it."""
    if isinstance(values, str | Mapping) or not isinstance(values, Collection):
        return False
    words = cast("Collection[object]", values)
    return all(isinstance(word, str) and word != "" and word == word.strip() for word in words)
