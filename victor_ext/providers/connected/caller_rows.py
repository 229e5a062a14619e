"""What the caller of `connect` says of operations on top of the document: `key=` and `rows=`.

Here they are checked against the document; `table_of` makes the table with them.
"""

import inspect
import logging
import sys
from collections.abc import Mapping, Sequence
from typing import Any, cast

import httpx

from victor_ext.errors import ConfigurationError
from victor_ext.runtime.core.validation import shown
from victor_ext.runtime.loop.evidence import SAFE_METHODS, Declared, Tables
from victor_ext.runtime.loop.idempotency_keys import NamedPlace, NoKey
from victor_ext.runtime.loop.operations import name_of, unnamed
from victor_ext.runtime.loop.table import no_operation

from .declared_keys import declares, documented_key, says_key
from .operations import UNDECLARED, DocumentOperations, OperationRow
from .row_columns import problem_of

_logger = logging.getLogger(__name__)


def table_of(
    key: object,
    rows: object,
    document: Sequence[Declared],
    members: Tables,
    url: httpx.URL,
    package: str,
) -> DocumentOperations:
    """The table of a client.

    Args:
        key, rows: Those of `connect`.
        document: The operations of the generated package.
        members: The members of its models.
        url: The URL that is called.
        package: The name of the package.

    Raises:
        ConfigurationError: `key` is no place of a key, or the document contradicts it; or a row
            cannot work.
    """
    place: Any = NoKey() if key is None else key
    is_place = callable(getattr(place, "prepare", None)) and callable(getattr(place, "read", None))
    if isinstance(key, type) or not is_place:
        raise ConfigurationError(
            f"key must be HeaderKey('Idempotency-Key') or BodyKey('...'), not {shown(key)}."
        )
    by_name = _rows_by_name(rows, document)
    table = DocumentOperations(document, url, place, by_name)
    declared = {name_of(each): each for each in document}
    for name, row in by_name.items():
        read = declared.get(f"GET {name.partition(' ')[2]}/{{}}")
        problem = problem_of(row, declared[name], read, members) or _misfit(row, name, table)
        if problem is not None:
            raise ConfigurationError(f"rows: {name}: {problem}.")
    if isinstance(place, NamedPlace):
        _check_key(place, table, by_name, document, package)
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


def _check_key(
    place: NamedPlace,
    table: DocumentOperations,
    rows: Mapping[str, OperationRow],
    document: Sequence[Declared],
    package: str,
) -> None:
    """Compare the caller's key with what the document says of keys; warn if it says nothing.

    Raises `ConfigurationError`: the document contradicts the caller, or is of an old package.
    """
    if not document:
        raise ConfigurationError(
            f"{package} does not say which operations take a key: generate it again."
        )
    if place.takes_key is not None:  # the caller says it of each request
        return
    if not isinstance(table.declared_key, NoKey) and table.declared_key is not place:
        _refuse_other_key(place, table, rows, document)
    elif table.names_takers:
        return
    elif isinstance(table.declared_key, NoKey):
        _logger.warning(
            "undeclared-key: no operation of the document declares %r. %s", place, UNDECLARED
        )
    elif not says_key(document, place):
        _logger.warning(
            "undeclared-key: the document declares %r, and does not say that it is a key. %s",
            place,
            UNDECLARED,
        )


def _refuse_other_key(
    place: NamedPlace,
    table: DocumentOperations,
    rows: Mapping[str, OperationRow],
    document: Sequence[Declared],
) -> None:
    """Raise `ConfigurationError` for a key of another name than the document has, unless rows
    decide about each operation that takes the document's own key.

    With a key that the provider ignores, a repeat would look safe, and be done twice. Without its
    own key, a payment would be sent once that the document lets be repeated.
    """
    untold = [name for name in _names_of_keyed(document) if not _decides(rows.get(name))]
    if table.names_takers and not untold:
        return
    if declares(document, place):
        why = f"the document does not say that {place!r} is a key; it says so of"
    else:
        why = f"no operation of the document declares {place!r}; it declares"
    message = (
        f"key: {why} {table.declared_key!r}. Write that, or say with takes_key which requests "
        "take yours."
    )
    if table.names_takers:
        message += f" No row says it of {untold[0]}."
    raise ConfigurationError(message)


def _names_of_keyed(document: Sequence[Declared]) -> list[str]:
    """The names of the writes of which the document says that they take a key."""
    return [
        name_of(declared)
        for declared in document
        if declared.method not in SAFE_METHODS and documented_key(declared) is not None
    ]


def _decides(row: OperationRow | None) -> bool:
    """Whether a row says whether its operation takes the key of the client."""
    return row is not None and row.takes_key is not None
