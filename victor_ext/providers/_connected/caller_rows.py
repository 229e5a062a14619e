"""What the caller of `connect` says of operations on top of the document: `key=` and `rows=`.

Here they are checked, by their types and against the document; `table_of` makes the table with
them.
"""

import inspect
import logging
import operator
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, cast

import httpx

from victor_ext._runtime.core.validation import shown
from victor_ext._runtime.loop.evidence import SAFE_METHODS, Declared, Tables
from victor_ext._runtime.loop.idempotency_keys import KeyPlace, NamedPlace, NoKeys
from victor_ext._runtime.loop.operations import Proof, name_of, no_operation, unnamed
from victor_ext.errors import ConfigurationError

from .declared_keys import declares, documented_key, says_key
from .operations import UNDECLARED, DocumentOperations, OperationRow
from .places import is_model, kinds_at, same_name

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
    place: Any = NoKeys() if key is None else key
    if not isinstance(place, KeyPlace):
        raise ConfigurationError(
            f"key must be HeaderKey('Idempotency-Key') or BodyKey('...'), not {shown(key)}."
        )
    by_name = _rows_by_name(rows, document)
    table = DocumentOperations(document, url, place, by_name, members=members)
    declared = {name_of(each): each for each in document}
    for name, row in by_name.items():
        read = declared.get(f"GET {name.partition(' ')[2]}/{{}}")
        problem = problem_of(row, declared[name], read, members) or _misfit(row, name, table)
        if problem is not None:
            raise ConfigurationError(f"rows: {name}: {problem}.")
        _warn_of_words(row, name, table.state_words(name, members))
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
    """The name of the row of an operation: of its method and path, or of the generated function."""
    if isinstance(operation, str):
        return unnamed(operation)
    module = sys.modules[operation.__module__] if inspect.isfunction(operation) else operation
    declared: Declared | None = getattr(module, "OPERATION", None)
    if declared is None:
        raise ConfigurationError(
            f"rows: {shown(operation)} names no operation: write 'POST /v1/payouts', or the module "
            "of its generated function."
        )
    return name_of(declared)


def _misfit(row: OperationRow, name: str, table: DocumentOperations) -> str | None:
    """What in a row needs something that the client or the document does not have, or None."""
    if row.takes_key and not isinstance(table.place, NamedPlace):
        return "takes_key=True needs the place of the key: pass key=HeaderKey('Idempotency-Key')"
    if row.final and table.follow_of(name) is None:
        return "no read of the document shows what it made: leave final out"
    return None


def _warn_of_words(row: OperationRow, name: str, states: Collection[str]) -> None:
    """Warn of a final state that is none of those that the document declares; of none, where it
    leaves them open.
    """
    for word in sorted(row.final) if states else ():
        if word not in states:
            near = get_close_matches(word, states, n=1)
            known = ", ".join(sorted(states))
            advice = f"did you mean {near[0]!r}" if near else f"is it one of {known}"
            _logger.warning(
                "unknown-final: rows: %s: final has %r, which is no state that the document "
                "declares: %s?",
                name,
                word,
                advice,
            )


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
    if isinstance(documented, NoKeys):
        if not table.names_takers:
            _logger.warning(
                "undeclared-key: no operation of the document declares %r. %s", place, UNDECLARED
            )
        return
    if documented is place:
        if not table.names_takers and not says_key(document, place):
            _logger.warning(
                "undeclared-key: the document declares %r, and does not say that it is a key. %s",
                place,
                UNDECLARED,
            )
        return
    decided = {name for name, row in rows.items() if row.takes_key is not None}
    undecided = [name for name in _names_of_keyed(document) if name not in decided]
    if table.names_takers and not undecided:
        return
    if declares(document, place):
        why = f"the document does not say that {place!r} is a key; it says so of"
    else:
        why = f"no operation of the document declares {place!r}; it declares"
    instead = "Write that" if isinstance(documented, NamedPlace) else "Leave key out"
    message = (
        f"key: {why} {documented!r}. {instead}, or say with takes_key in rows which operations "
        "take yours."
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


def problem_of(
    row: OperationRow, declared: Declared, read: Declared | None, tables: Tables
) -> str | None:
    """What a column of a row cannot have, and what to write instead; None: all is well.

    Args:
        row: The row.
        declared: What the document declares of its operation.
        read: The same of the read of what that makes, if the document has one.
        tables: The members of the document's models.
    """
    takes_key: object = row.takes_key
    if takes_key is not None and not isinstance(takes_key, bool):
        return f"takes_key must be True or False, not {shown(takes_key)}"
    why = None if row.proof is None else _problem_of_proof(row.proof)
    if why is not None:
        return why
    if not _are_words(row.final):
        return f"final must be a set of words, such as {{'paid', 'failed'}}, not {shown(row.final)}"
    return None if row.made == "" else _problem_of_made(row.made, declared, read, tables)


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
    return all(map(_is_word, values))  # pyright: ignore[reportUnknownArgumentType] - of any type


def _is_word(value: object) -> bool:
    return isinstance(value, str) and value != "" and value == value.strip()


def _problem_of_made(
    place: object, declared: Declared, read: Declared | None, tables: Tables
) -> str | None:
    if not isinstance(place, str) or not all(map(_is_word, place.split("."))):
        return f"made must be the place of an id, such as 'data.id', not {shown(place)}"
    models: list[Any] = [*declared.results.values()]
    kinds = kinds_at(models, place, tables, operator.eq)
    if not models or kinds is None:  # nothing is known of the place
        return None
    # A number that was sent comes back as an amount or the like, unless the caller chooses the id:
    # the path of the read names it then.
    placeholder = "" if read is None else read.path.rpartition("{")[2].rstrip("}")
    sent = [member for member in declared.members if not same_name(member, placeholder)]
    reasons = [_no_id_because(place, kind, declared, sent) for kind in kinds]
    if None in reasons:
        return None
    why = reasons[0] if reasons else "is not in the good response that the document declares"
    places = dict.fromkeys(
        each
        for model in models
        for each, kind in _scalars_of(model, tables)
        if _no_id_because(each, kind, declared, sent) is None
    )
    instead = f"write one of {', '.join(map(repr, places))}" if places else "leave made out"
    return f"made={place!r} {why}: {instead}"


_MOST_LEVELS = 3
"""How deep in a response an id is looked for, to name it in a message."""
_MAY_BE_IDS = ("text", "uuid", "whole", "any", None)
"""The kinds of a generated table of members that an id may have. None: the document leaves it
open.
"""


def _no_id_because(place: str, kind: Any, declared: Declared, sent: Collection[str]) -> str | None:
    """Why what the document has at a place is no id; None: it may be one.

    `sent` are the members of the request whose numbers are no ids of what it makes.
    """
    if kind not in _MAY_BE_IDS:
        return f"is declared as {shown(kind)}, and is no id"
    if place == declared.result_status:
        return "is the state, and no id"
    if kind == "whole" and place.rpartition(".")[2] in sent:
        return "is a number that was sent, such as an amount, and no id"
    return None


def _scalars_of(
    model: str, tables: Tables, levels: int = _MOST_LEVELS
) -> Iterator[tuple[str, Any]]:
    """The places of a model, and of the models in it, that have no object; each with its kind."""
    for name, kind in tables.get(model, {}).items():
        if not is_model(kind, tables):
            yield name, kind
        elif levels > 1:
            for inner, kind_inside in _scalars_of(kind, tables, levels - 1):
                yield f"{name}.{inner}", kind_inside
