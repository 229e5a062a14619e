"""What each operation of an API is of which only the document is known: the table that is made from it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import httpx

from victor_ext.errors import ConfigurationError
from victor_ext.runtime.loop.evidence import READER, SAFE_METHODS, Declared, Reader, lists_declared_errors
from victor_ext.runtime.loop.idempotency_keys import MADE, NO_KEY, TAKEN, BodyKey, HeaderKey, KeyPlace, KeyRule
from victor_ext.runtime.loop.operations import Effect, Matcher, Operation, Operations, Shown, declares_key, name_of


class _Document:
    """The operations of a document, by the names of their rows."""

    def __init__(self, operations: Sequence[Declared], place: KeyPlace) -> None:
        self.operations = operations  # kept: it is found by its identity
        self.by_name = {name_of(each): each for each in operations}
        self.declares_keys = any(declares_key(each, place) for each in operations)

    @cached_property
    def matcher(self) -> Matcher:
        """Finds the operation of a request that was made by hand."""
        return Matcher(self.by_name)

    def look_up(self, declared: Declared | None) -> str:
        """How to find out what a write did: by the read of the object whose path is the beginning of its own."""
        path = "" if declared is None else name_of(declared).partition(" ")[2]
        while path and f"GET {path}" not in self.by_name:
            path = path.rpartition("/")[0]
        return (
            f"with {self.by_name[f'GET {path}'].name} or at the provider" if path.endswith("{}") else "at the provider"
        )


class DocumentOperations(Operations):
    """The table of an API by its document, with what the caller's `HeaderKey` or `BodyKey` says on top.

    A key is taken where the document declares it, or `takes_key` names the request. A random key elsewhere, or a
    caller's own, would make a repeat look safe that is done twice. Where the document declares the key on no operation,
    the caller's word counts: for each POST, or what `takes_key` names.
    """

    def __init__(self, document: Sequence[Declared], base_url: httpx.URL, place: KeyPlace, package: str) -> None:
        if isinstance(place, HeaderKey | BodyKey) and not document:
            raise ConfigurationError(f"{package} does not say which operations take a key: generate it again.")
        super().__init__({}, base_url, place)
        self._document = document
        self._documents: dict[int, _Document] = {}

    def of(self, request: httpx.Request) -> Operation:
        reader: Reader | None = request.extensions.get(READER)
        operations = self._document if reader is None else reader.document
        document = self._documents.get(id(operations))
        if document is None:
            document = self._documents[id(operations)] = _Document(operations, self._place)
        declared = (
            document.by_name.get(self._name_below(request, document.matcher)) if reader is None else reader.declared
        )
        key = self._key(request, declared, document)
        return Operation(
            effect=Effect.READS if request.method in SAFE_METHODS else Effect.MOVES_MONEY,
            key=key,
            look_up=lambda _request: f"{document.look_up(declared)}{self._no_key(key)}",
            may_list_errors=lists_declared_errors,
            shown=Shown.UNSENT if declared is None else Shown.EVERYTHING,
        )

    def _no_key(self, key: KeyRule | None) -> str:
        if key is not NO_KEY or not isinstance(self._place, HeaderKey | BodyKey):
            return ""
        return f" ({self._place.name!r} is no key of this operation: see takes_key)"

    def _key(self, request: httpx.Request, declared: Declared | None, document: _Document) -> KeyRule | None:
        place = self._place
        if not isinstance(place, HeaderKey | BodyKey):
            return None  # a place of the caller's own says it
        if place.ignores_key(request):
            return NO_KEY
        if place.takes_key is not None and place.takes_key(request):
            return MADE
        if document.declares_keys:
            return MADE if declared is not None and declares_key(declared, place) else NO_KEY
        return MADE if request.method == "POST" and place.takes_key is None else TAKEN
