"""What each operation is of an API of which only the document is known: the table made from it; and
its errors.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx

from victor_ext.runtime.loop.behaviour import Behaviour
from victor_ext.runtime.loop.evidence import (
    READER,
    SAFE_METHODS,
    Declared,
    Reader,
    lists_declared_errors,
)
from victor_ext.runtime.loop.idempotency_keys import (
    MADE,
    NO_KEY,
    TAKEN,
    KeyPlace,
    KeyRule,
    NamedPlace,
    NoKey,
)
from victor_ext.runtime.loop.operations import (
    Effect,
    Follow,
    Operation,
    Operations,
    Proof,
    Shown,
    declares_key,
    id_in,
    key_of,
    name_of,
    rule_at,
    state_in,
)
from victor_ext.runtime.loop.proven_work import proves_declared_work

from .declared_keys import declared_place, key_place, said_key
from .problems import read_problems

UNDECLARED = "A repeat with a key that the provider ignores does it twice: is the name right?"
"""The advice of the warning `undeclared-key`."""


class Row(NamedTuple):
    """A row of the table in words: see `victor operations`."""

    operation: str
    """`POST /v1/payments/{}/refunds`."""
    function: str
    reads: bool
    repeated: bool
    """Whether it is sent again after a lost response."""
    declared: bool
    """Whether the document declares the key for it."""
    why: str
    look_up: str | None
    """The function that reads the object of a write."""
    key: str | None
    """Where the document says that it takes a key: `HeaderKey('Idempotency-Key')`."""
    id: str | None
    """Where a good response has the id of what was made or read: `data.id`."""


class DocumentOperations(Operations):
    """The table of an API by its document, with what the caller's `HeaderKey` or `BodyKey` says on
    top.

    A key is taken where the document declares it, or `takes_key` names the request. A random key
    elsewhere, or a caller's own, would make a repeat look safe that is done twice. Where the
    document declares no key at all, the caller's word counts: for each POST, or what `takes_key`
    names.
    """

    def __init__(
        self,
        document: Sequence[Declared],
        base_url: httpx.URL,
        place: KeyPlace,
        proofs: Mapping[str, Proof] | None = None,
        final: Mapping[str, Collection[str]] | None = None,
        made: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__({}, base_url, place)
        self._proofs = proofs or {}
        self._final = final or {}
        self._ids = made or {}
        self.place = place
        self.declared_key = declared_place(document, place)
        self.said_key = key_place(document, None)
        self._document = document
        self._by_name = {name_of(declared): declared for declared in document}
        self._named = self._by_name
        self._bound: dict[int, DocumentOperations] = {}
        """The tables of other packages whose operations go through the client, by the identity of
        their documents.
        """

    def of(self, request: httpx.Request) -> Operation:
        reader: Reader | None = request.extensions.get(READER)
        if reader is None:
            return self._row(request, self._by_name.get(self._name_below(request)))
        if reader.document is self._document:
            return self._row(request, reader.declared)
        number = id(reader.document)
        bound = self._bound.get(number)
        if bound is None:
            bound = DocumentOperations(reader.document, httpx.URL(""), self._place)
            self._bound[number] = bound
        return bound._row(request, reader.declared)

    def _row(self, request: httpx.Request, declared: Declared | None) -> Operation:
        reads = request.method in SAFE_METHODS
        key = NO_KEY if reads else self._key(request, declared)
        name = "" if declared is None else name_of(declared)
        effect = Effect.MAKES if name and self._makes(name) else Effect.MOVES_MONEY
        proves_work = partial(
            proves_declared_work, declared=declared, place=self._ids.get(name, "")
        )
        return Operation(
            effect=Effect.READS if reads else effect,
            key=key,
            look_up=lambda _request: self._hint(declared, key),
            made=lambda response: self._id_in(response, declared),
            said=lambda response: state_in(response, self._state_places(name)),
            proof=self._proofs.get(name),
            follow=self.follow_of(name) if name else None,
            untaken_key=self._untaken_key(declared),
            may_list_errors=lists_declared_errors,
            proves_work=proves_work,
            shown=Shown.UNSENT if declared is None else Shown.EVERYTHING,
        )

    def _untaken_key(self, declared: Declared | None) -> str:
        """The key that the document says the operation takes, where this client sends another one
        or none; else empty.
        """
        if declared is None or not isinstance(self._place, NoKey | NamedPlace):
            return ""
        key = said_key(declared)
        return "" if key is None or self._takes(declared) else repr(key)

    def _id_in(self, response: httpx.Response, declared: Declared | None) -> str:
        """The id of what was made: where the caller or the document says it is; else `id`, or the
        end of a `Location` that is the address of its read.
        """
        name = "" if declared is None else name_of(declared)
        place = self._place_of_id(name, declared)
        if place:
            return id_in(response, place)
        return id_in(response, "id") or self._id_in_location(response, name)

    def _id_in_location(self, response: httpx.Response, name: str) -> str:
        if not self._makes(name):
            return ""
        try:
            path = httpx.URL(response.headers.get("location", "")).path.rstrip("/")
        except httpx.InvalidURL:
            return ""
        above, _, id = path.rpartition("/")
        parts = map(re.escape, name.partition(" ")[2].split("{}"))
        own_path = re.escape(self._base) + "[^/]+".join(parts)
        return id if re.fullmatch(own_path, above) else ""

    def _state_places(self, name: str) -> list[str]:
        """Where a response may have the state of what it is about."""
        declared = self._by_name.get(name)
        above = self._place_of_id(name, declared).rpartition(".")[0]
        beside_id = [f"{above}.{word}" if above else word for word in _STATES]
        by_document: list[str] = []
        if declared is not None and declared.result_status:
            by_document.append(declared.result_status)
        if name in self._ids:
            return [*beside_id, *by_document]
        return [*by_document, *beside_id]

    def _place_of_id(self, name: str, declared: Declared | None) -> str:
        """Where the caller or the document says that a response has its id; empty: neither does."""
        by_document = "" if declared is None else declared.result_id
        return self._ids.get(name) or by_document

    def proof_of(self, name: str) -> Proof | None:
        return self._proofs.get(name)

    def final_words(self) -> set[str]:
        return {word for words in self._final.values() for word in words}

    def follow_of(self, name: str) -> Follow | None:
        """The document's read of what a write made, or else of the object that its path begins
        with.
        """
        words = self._final.get(name)
        path = self._path_of_read(name)
        if words is None or not path:
            return None
        makes = self._makes(name)

        def read(client: Any, call: Any, id: str) -> Any:
            ids = (*call.ids, id) if makes else call.ids
            return client.http.get(_filled(path, ids))

        places = self._state_places(f"GET {path}")
        declared = self._by_name[f"GET {path}"]
        is_declared = bool(declared.result_id or declared.result_status)
        if name in self._ids or not is_declared:  # it is wrapped as what was made
            places = [*self._state_places(name), *places]
        return Follow(read, words, lambda response: state_in(response, places))

    def _path_of_read(self, name: str) -> str:
        """The path of the read of what a write made, or else of the object that its own path begins
        with; empty without one.
        """
        if self._makes(name):
            return f"{name.partition(' ')[2]}/{{}}"
        return self._read_above(name)

    def _makes(self, name: str) -> bool:
        """Whether a write makes an object, which the document has a read of."""
        return f"GET {name.partition(' ')[2]}/{{}}" in self._by_name

    def reads(self) -> list[str]:
        return [name_of(each) for each in self._document if each.method.upper() == "GET"]

    def rows(self) -> Iterator[Row]:
        """The rows of the document's operations, in its order."""
        return map(self._in_words, self._document)

    def _in_words(self, declared: Declared) -> Row:
        name = getattr(self._place, "name", "")
        takes_key = self._takes(declared)
        if declared.method in SAFE_METHODS:
            repeated, why = True, "reads"
            look_up = own = None
        else:
            key = self._key(httpx.Request(declared.method, ""), declared)
            repeated = key is not NO_KEY and bool(name)
            look_up = self._look_up(declared)
            own = said_key(declared)
            if takes_key:
                why = f"declares {name}"
            elif repeated:
                why = f"takes {name}, as every POST" if key is MADE else f"if you give {name}"
            else:
                why = "sent once" if own is None else f"sent once, its key is {own!r}"
        return Row(
            operation=name_of(declared),
            function=declared.name,
            reads=declared.method in SAFE_METHODS,
            repeated=repeated,
            declared=takes_key,
            why=why,
            look_up=look_up,
            key=None if own is None else repr(own),
            id=declared.result_id or None,
        )

    def _look_up(self, declared: Declared | None) -> str | None:
        """The read of the object whose path is the beginning of a write's own, unless the write
        makes another one.
        """
        if declared is None:
            return None
        name = name_of(declared)
        path = "" if self._makes(name) else self._read_above(name)
        return self._by_name[f"GET {path}"].name if path else None

    def _read_above(self, name: str) -> str:
        """The path of the read of the object that a write's own path begins with; empty without
        one.
        """
        path = name.partition(" ")[2]
        while path and f"GET {path}" not in self._by_name:
            path = path.rpartition("/")[0]
        return path if path.endswith("{}") else ""

    def _hint(self, declared: Declared | None, key: KeyRule | None) -> str:
        where = "at the provider"
        look_up = self._look_up(declared)
        if look_up is not None:
            where = f"with {look_up}, if that shows it, or at the provider"
        place, other = self._place, self._untaken_key(declared)
        if isinstance(place, NamedPlace) and key is NO_KEY:
            advice = f"its key is {other}" if other else "see takes_key"
            return f"{where} ({place.name!r} is no key of this operation: {advice})"
        if other and not isinstance(place, NamedPlace):
            return f"{where} (the document has a key for it: pass key={other} to connect)"
        return where

    def _key(self, request: httpx.Request, declared: Declared | None) -> KeyRule | None:
        place = self._place
        if not isinstance(place, NamedPlace):
            return None  # a place of the caller's own says it
        if place.ignores_key(request):
            return NO_KEY
        rule = self._rule(place, request, declared)
        return rule if declared is None or not rule.is_taken else rule_at(declared, place, rule)

    def _rule(self, place: Any, request: httpx.Request, declared: Declared | None) -> KeyRule:
        if place.takes_key is not None and place.takes_key(request):
            return MADE
        if place.takes_key is not None or not isinstance(self.declared_key, NoKey):
            return MADE if declared is not None and self._takes(declared) else NO_KEY
        return MADE if request.method == "POST" else TAKEN

    def _takes(self, declared: Declared) -> bool:
        """Whether the operation takes the client's key: where the document says of some operation
        that it is a key, it has to say it of this one.

        Where it says it of nothing, the caller's word counts for what is declared.
        """
        if not isinstance(self.said_key, NoKey):
            key = key_of(declared, self._place)
            return key is not None and bool(key.is_key)
        return declares_key(declared, self._place)


_STATES = ("status", "state")


def _filled(path: str, ids: Sequence[str]) -> str:
    """A path with ids in place of its placeholders; those that are left over are of parts below."""
    for id in ids[: path.count("{}")]:
        path = path.replace("{}", quote(id, safe=""), 1)
    return path


def rows_of(document: Sequence[Declared], place: KeyPlace) -> list[Row]:
    """The rows of the table that `connect` makes of a document."""
    return [*DocumentOperations(document, httpx.URL(""), place).rows()]


def behaviour_of(name: str, base_url: httpx.URL, operations: DocumentOperations) -> Behaviour:
    return Behaviour(
        name=name,
        environment=str(base_url),
        base_url=base_url,
        key_place=operations.place,
        operations=operations,
        problems=read_problems,
        authentication_hint="Check the credentials, and that they are for {host}.",
    )
