"""What each operation is, of an API of which only the document is known.

`DocumentOperations` is the table, made from the document; a `Row` says in words what a row of it
is, for people; `behaviour_of` has the table.
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

from .declared_keys import declared_place, documented_key, key_place
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
    """Whether the operation is sent again after a lost response."""
    declared: bool
    """Whether the document declares the client's key for the operation."""
    why: str
    """Why the operation is repeated, or why not."""
    look_up: str | None
    """The function that reads the object that a write changes."""
    key: str | None
    """Where the document says that a write takes a key: `HeaderKey('Idempotency-Key')`."""
    id: str | None
    """Where a good response has the id of what was made or read: `data.id`."""


class DocumentOperations(Operations):
    """The table of an API by its document, with what the caller of `connect` says on top.

    An operation takes the client's key where the document declares the key, or `takes_key` names
    the request. A key elsewhere, random or the caller's own, would make a repeat look safe that is
    done twice. Where the document declares no key at all, the caller's word counts: for each POST,
    or for the requests that `takes_key` names.

    The arguments are those of `connect`, checked; `place` is its `key`.
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
        self._final_states = final or {}
        self._id_places = made or {}
        self.place = place
        self.declared_key = declared_place(document, place)
        self.documented_key = key_place(document, None)
        self._document = document
        self._by_name = {name_of(declared): declared for declared in document}
        self._named = self._by_name
        self._bound: dict[int, DocumentOperations] = {}
        """The tables of other packages whose operations go through the client, by the identity of
        their documents.
        """

    def of(self, request: httpx.Request) -> Operation:
        """The row of a request: see `Operations.of`."""
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
        if reads:
            effect = Effect.READS
        elif name and self._makes(name):
            effect = Effect.MAKES
        else:  # a write of which little is known may move money
            effect = Effect.MOVES_MONEY
        proves_work = partial(
            proves_declared_work, declared=declared, place=self._id_places.get(name, "")
        )
        return Operation(
            effect=effect,
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
        """The key that an operation takes by the document, if this client sends another key or
        none; else empty.
        """
        if declared is None or not isinstance(self._place, NoKey | NamedPlace):
            return ""
        key = documented_key(declared)
        if key is None or self._takes(declared):
            return ""
        return repr(key)

    def _id_in(self, response: httpx.Response, declared: Declared | None) -> str:
        """The id of what was made, from the place that the caller or the document names.

        Without such a place, it is `id`, or the end of a `Location` (RFC 9110, 10.2.2) that is the
        address of the read of what was made.
        """
        name = "" if declared is None else name_of(declared)
        place = self._place_of_id(name, declared)
        if place:
            return id_in(response, place)
        return id_in(response, "id") or self._id_in_location(response, name)

    def _id_in_location(self, response: httpx.Response, name: str) -> str:
        """The id at the end of the `Location`, if that is the path of the write with the id after
        it; else empty.
        """
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
        """Where a response may have the state of what it is about; the first place counts that has
        one.
        """
        declared = self._by_name.get(name)
        above = self._place_of_id(name, declared).rpartition(".")[0]
        beside_id = [f"{above}.{word}" if above else word for word in _STATES]
        by_document: list[str] = []
        if declared is not None and declared.result_status:
            by_document.append(declared.result_status)
        if name in self._id_places:  # the caller's word is before the document's
            return [*beside_id, *by_document]
        return [*by_document, *beside_id]

    def _place_of_id(self, name: str, declared: Declared | None) -> str:
        """Where a response has its id, by the caller or else by the document; empty: neither says
        it.
        """
        by_document = "" if declared is None else declared.result_id
        return self._id_places.get(name) or by_document

    def proof_of(self, name: str) -> Proof | None:
        return self._proofs.get(name)

    def final_words(self) -> set[str]:
        """All words of the caller for states that a write leads no further from."""
        return {word for words in self._final_states.values() for word in words}

    def follow_of(self, name: str) -> Follow | None:
        """How to follow what a write made, or else the object that the path of the write begins
        with: by the document's read of it. None: the caller names no final states, or there is no
        such read.
        """
        words = self._final_states.get(name)
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
        # A read of which the document declares no place is wrapped as the response to the write.
        if name in self._id_places or not is_declared:
            places = [*self._state_places(name), *places]
        return Follow(read, words, lambda response: state_in(response, places))

    def _path_of_read(self, name: str) -> str:
        """The path of the read of what a write made, or else of the object that the path of the
        write begins with; empty: there is no such read.
        """
        if self._makes(name):
            return f"{name.partition(' ')[2]}/{{}}"
        return self._read_above(name)

    def _makes(self, name: str) -> bool:
        """Whether a write makes an object: the document has a read of it below the same path."""
        return f"GET {name.partition(' ')[2]}/{{}}" in self._by_name

    def reads(self) -> list[str]:
        """The names of the document's reads."""
        return [
            name_of(declared) for declared in self._document if declared.method.upper() == "GET"
        ]

    def rows(self) -> Iterator[Row]:
        """The rows of the document's operations, in its order."""
        return map(self._in_words, self._document)

    def _in_words(self, declared: Declared) -> Row:
        takes_key = self._takes(declared)
        if declared.method in SAFE_METHODS:
            return Row(
                operation=name_of(declared),
                function=declared.name,
                reads=True,
                repeated=True,
                declared=takes_key,
                why="reads",
                look_up=None,
                key=None,
                id=declared.result_id or None,
            )
        name = getattr(self._place, "name", "")
        rule = self._key(httpx.Request(declared.method, ""), declared)
        repeated = rule is not NO_KEY and bool(name)
        own_key = documented_key(declared)
        if takes_key:
            why = f"declares {name}"
        elif repeated:
            why = f"takes {name}, as every POST" if rule is MADE else f"if you give {name}"
        elif own_key is None:
            why = "sent once"
        else:
            why = f"sent once, its key is {own_key!r}"
        return Row(
            operation=name_of(declared),
            function=declared.name,
            reads=False,
            repeated=repeated,
            declared=takes_key,
            why=why,
            look_up=self._look_up(declared),
            key=None if own_key is None else repr(own_key),
            id=declared.result_id or None,
        )

    def _look_up(self, declared: Declared | None) -> str | None:
        """The function that reads the object that the path of a write begins with; None: there is
        no such read, or the write makes an object of its own.
        """
        if declared is None:
            return None
        name = name_of(declared)
        path = "" if self._makes(name) else self._read_above(name)
        return self._by_name[f"GET {path}"].name if path else None

    def _read_above(self, name: str) -> str:
        """The path of the read of the object that the path of a write begins with; empty: there is
        no such read.
        """
        path = name.partition(" ")[2]
        while path and f"GET {path}" not in self._by_name:
            path = path.rpartition("/")[0]
        return path if path.endswith("{}") else ""

    def _hint(self, declared: Declared | None, key: KeyRule | None) -> str:
        """Where a person looks for what a write may have done, and how it would take a key."""
        where = "at the provider"
        look_up = self._look_up(declared)
        if look_up is not None:
            where = f"with {look_up}, if that shows it, or at the provider"
        place = self._place
        other_key = self._untaken_key(declared)
        if isinstance(place, NamedPlace) and key is NO_KEY:
            advice = f"its key is {other_key}" if other_key else "see takes_key"
            return f"{where} ({place.name!r} is no key of this operation: {advice})"
        if other_key and not isinstance(place, NamedPlace):
            return f"{where} (the document has a key for it: pass key={other_key} to connect)"
        return where

    def _key(self, request: httpx.Request, declared: Declared | None) -> KeyRule | None:
        """Whether a write takes the client's key, and in what form; None: its place says it."""
        place = self._place
        if not isinstance(place, NamedPlace):
            return None  # a place that the caller has written knows it itself
        if place.ignores_key(request):
            return NO_KEY
        rule = self._rule(place, request, declared)
        if declared is None or not rule.is_taken:
            return rule
        return rule_at(declared, place, rule)

    def _rule(self, place: Any, request: httpx.Request, declared: Declared | None) -> KeyRule:
        """Whether a write takes the key at `place`: the caller's `takes_key` counts first, then the
        document, and without both the method.
        """
        if place.takes_key is not None and place.takes_key(request):
            return MADE
        if place.takes_key is not None or not isinstance(self.declared_key, NoKey):
            return MADE if declared is not None and self._takes(declared) else NO_KEY
        return MADE if request.method == "POST" else TAKEN

    def _takes(self, declared: Declared) -> bool:
        """Whether an operation takes the client's key.

        If the document says of some parameter that it is a key, it has to say it of this
        operation's. If it says it of none, what the operation declares at the caller's place is a
        key, by the caller's word.
        """
        if not isinstance(self.documented_key, NoKey):
            key = key_of(declared, self._place)
            return key is not None and bool(key.is_key)
        return declares_key(declared, self._place)


_STATES = ("status", "state")
"""The names of members that usually have a state."""


def _filled(path: str, ids: Sequence[str]) -> str:
    """A path with ids in place of its placeholders. Ids that are left over belong to parts of a
    longer path.
    """
    for id in ids[: path.count("{}")]:
        path = path.replace("{}", quote(id, safe=""), 1)
    return path


def rows_of(document: Sequence[Declared], place: KeyPlace) -> list[Row]:
    """The rows of the table that `connect` makes of a document."""
    return [*DocumentOperations(document, httpx.URL(""), place).rows()]


def behaviour_of(name: str, base_url: httpx.URL, operations: DocumentOperations) -> Behaviour:
    """The behaviour of an API of which nothing more than the table is known."""
    return Behaviour(
        name=name,
        environment=str(base_url),
        base_url=base_url,
        key_place=operations.place,
        operations=operations,
        problems=read_problems,
        authentication_hint="Check the credentials, and that they are for {host}.",
    )
