"""What the caller of `connect` says of operations, in place of the document: `key=`, `proofs=`,
`final=` and `made=`.

Here they are checked against the document; `table_of` makes the table with them.
"""

import inspect
import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import httpx

from victor_ext.errors import ConfigurationError
from victor_ext.runtime.core.validation import shown
from victor_ext.runtime.loop.evidence import SAFE_METHODS, Declared
from victor_ext.runtime.loop.idempotency_keys import NamedPlace, NoKey
from victor_ext.runtime.loop.operations import Proof, name_of, unnamed

from .declared_keys import declares, says_key
from .operations import UNDECLARED, DocumentOperations

_logger = logging.getLogger(__name__)


def proofs_by_write(
    proofs_of_caller: Mapping[str, Proof], document: Sequence[Declared]
) -> dict[str, Proof]:
    """The checked `proofs=` of `connect`: the proof of each write, by the name of its row, such as
    `POST /v1/payouts`.

    Raises `ConfigurationError`: a name is that of no write, or a proof has no function that reads.
    """
    writes = _writes(document)
    proofs = {unnamed(name): proof for name, proof in proofs_of_caller.items()}
    for name in proofs:
        if name not in writes:
            raise ConfigurationError(
                f"proofs: {shown(name)} is no write of the document, as 'POST /v1/payouts' may be."
            )
    for name, proof in proofs.items():
        if not inspect.isgeneratorfunction(getattr(proof, "find", None)):
            raise ConfigurationError(
                f"proofs: {name} must have Proof(find), where find is a function that makes its "
                "reads with `yield`."
            )
    return proofs


def _writes(document: Sequence[Declared]) -> set[str]:
    """The names of the rows of a document's writes."""
    return {name_of(declared) for declared in document if declared.method not in SAFE_METHODS}


def id_places(made: Mapping[str, str] | None, document: Sequence[Declared]) -> dict[str, str]:
    """The checked `made=` of `connect`: for each write, such as `POST /v1/payouts`, the place of
    the id in its response, such as `data.id`.

    Raises `ConfigurationError`: a name is that of no write, or a value is no place.
    """
    places = {unnamed(name): place for name, place in (made or {}).items()}
    writes = _writes(document)
    for name, place in places.items():
        if name not in writes:
            raise ConfigurationError(
                f"made: {shown(name)} is no write of the document, as 'POST /v1/payouts' may be."
            )
        if not isinstance(place, str) or not all(place.split(".")):
            raise ConfigurationError(
                f"made: {name} must have the place of an id, such as 'data.id', not {shown(place)}."
            )
    return places


def table_of(
    key: object,
    document: Sequence[Declared],
    url: httpx.URL,
    package: str,
    proofs: Mapping[str, Proof],
    final: Mapping[str, Collection[str]],
    made: Mapping[str, str],
) -> DocumentOperations:
    """The table of a client. `package` is the name of the generated package; the other arguments
    are those of `connect`, of which `proofs` and `made` are checked.

    Raises `ConfigurationError`: `key` is no place of a key, or the document contradicts it; or no
    read of the document shows what a write of `final` made.
    """
    place: Any = NoKey() if key is None else key
    is_place = callable(getattr(place, "prepare", None)) and callable(getattr(place, "read", None))
    if isinstance(key, type) or not is_place:
        raise ConfigurationError(
            f"key must be HeaderKey('Idempotency-Key') or BodyKey('...'), not {shown(key)}."
        )
    final_states = {unnamed(operation): states for operation, states in final.items()}
    table = DocumentOperations(document, url, place, proofs, final_states, made)
    if isinstance(place, NamedPlace):
        _check_key(place, table, document, package)
    for operation in final_states:
        if table.follow_of(operation) is None:
            raise ConfigurationError(
                f"final: no read of the document shows what {shown(operation)} made."
            )
    return table


def _check_key(
    place: NamedPlace, table: DocumentOperations, document: Sequence[Declared], package: str
) -> None:
    """Compare the caller's key with what the document says of keys; warn if it says nothing.

    Raises `ConfigurationError`: the document contradicts the caller, or is of an old package.
    """
    if not document:
        raise ConfigurationError(
            f"{package} does not say which operations take a key: generate it again."
        )
    if place.takes_key is not None:  # the caller says which requests take it
        return
    if isinstance(table.declared_key, NoKey):
        _logger.warning(
            "undeclared-key: no operation of the document declares %r. %s", place, UNDECLARED
        )
    elif table.declared_key is not place:
        # With a key that the provider ignores, a repeat would look safe, and be done twice.
        if declares(document, place):
            why = f"the document does not say that {place!r} is a key; it says so of"
        else:
            why = f"no operation of the document declares {place!r}; it declares"
        raise ConfigurationError(
            f"key: {why} {table.declared_key!r}. Write that, or say with takes_key which requests "
            "take yours."
        )
    elif not says_key(document, place):
        _logger.warning(
            "undeclared-key: the document declares %r, and does not say that it is a key. %s",
            place,
            UNDECLARED,
        )
