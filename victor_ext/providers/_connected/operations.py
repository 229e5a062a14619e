"""What each operation is, of an API of which only the document is known.

`DocumentOperations` is the table: the document's rows, with what the caller says of some writes
(`OperationRow`) on top. A `DescribedOperation` says in words what a row of it is, for people;
`behaviour_of` has the table.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, cast
from urllib.parse import quote

import httpx

from victor_ext._runtime.loop.evidence import (
    SAFE_METHODS,
    Declared,
    Problems,
    Tables,
    document_complaint,
)
from victor_ext._runtime.loop.idempotency_keys import (
    MADE,
    NO_KEY,
    REQUIRED,
    TAKEN,
    KeyPlace,
    KeyRule,
    NamedPlace,
    NoKeys,
)
from victor_ext._runtime.loop.operations import (
    Behaviour,
    Follow,
    Operations,
    Proof,
    Shown,
    declares_at,
    key_of,
    name_of,
    rule_at,
    state_in,
)

from .declared_keys import declared_place, documented_key, key_place, require_current
from .places import kinds_at
from .problems import read_problems

UNDECLARED = "A repeat with a key that the provider ignores does it twice: is the name right?"
"""The advice of the warning `undeclared-key`."""


class DescribedOperation(NamedTuple):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRow:
    """What a caller of `connect` knows of a write beyond the document: its `rows` have one for each
    such write.

    Args:
        takes_key: Whether the provider takes the client's `key` for this write, so that a repeat
            with the same key does nothing twice. A call without the key is refused, unless the key
            is a header, which the client sets. If some row has True, no other write takes the
            key, unless the document or the `takes_key` of the key says so. A row speaks for its
            own write: another key than the document's is refused unless the rows decide about each
            write that takes that one. None: no row decides.
        proof: Reads that show that the write was done. `look_up` and the outbox make them after a
            lost response. None: no read does.
        final: The words for states that the write leads no further from: `{"paid", "failed"}`. The
            outbox reads what was made until then. Empty: it does not.
        made: Where a good response has the id of what was made: `"data.reference"`, a text or a
            whole number by the document. Empty: where the document tells it, or else in `id`.
    """

    takes_key: bool | None = None
    proof: Proof | None = None
    final: Collection[str] = ()
    made: str = ""


_NOTHING = OperationRow()


class DocumentOperations(Operations):
    """The table of an API by its document, with what the caller of `connect` says on top.

    An operation takes the client's key where the document declares the key, or the caller says so:
    in its row, or with `takes_key`, which names requests. A key elsewhere, random or the caller's
    own, would make a repeat look safe that is done twice. Where the document declares no key at
    all, and the caller names no operation and no request, each POST takes it.

    The arguments are those of `connect`, checked; `place` is its `key`.

    Raises:
        ConfigurationError: An older generator has made the package.
    """

    def __init__(
        self,
        document: Sequence[Declared],
        base_url: httpx.URL,
        place: KeyPlace,
        rows: Mapping[str, OperationRow] | None = None,
        *,
        members: Tables | None = None,
    ) -> None:
        require_current(document)
        super().__init__(document, base_url, place, members=members)
        self._by_caller = rows or {}
        self.names_takers = getattr(place, "takes_key", None) is not None or any(
            row.takes_key for row in self._by_caller.values()
        )
        """Whether the caller says which writes take the key."""
        self.place = place
        self.declared_key = declared_place(document, place)
        self.documented_key = key_place(document, None)

    def _said(self, name: str) -> OperationRow:
        """What the caller says of an operation."""
        return self._by_caller.get(name, _NOTHING)

    def complaint(self, response: httpx.Response, problems: Problems) -> str | None:
        return document_complaint(response, problems)

    def _shown(self, declared: Declared | None) -> Shown:
        # What the document does not have may be anything, and repeat what was sent.
        return Shown.UNSENT if declared is None else Shown.EVERYTHING

    def _id_place_by_hand(self, name: str) -> str:
        """The place of the id of what a write made, where the caller says it (`made=`)."""
        return self._said(name).made

    def proof_of(self, name: str) -> Proof | None:
        return self._said(name).proof

    def final_words(self) -> set[str]:
        return {word for row in self._by_caller.values() for word in row.final}

    def follow_of(self, name: str) -> Follow | None:
        """How to follow what a write made, or else the object that the path of the write begins
        with: by the document's read of it. None: the caller names no final states, or there is no
        such read.
        """
        words = self._said(name).final
        makes = self._makes(name)
        path = self._path_of_read(name)
        if not words or not path:
            return None

        def read(client: Any, call: Any, id: str) -> Any:
            ids = (*call.ids, id) if makes else call.ids
            return client.http.get(_filled(path, ids))

        places = self._state_places(f"GET {path}")
        declared = self._by_name[f"GET {path}"]
        is_declared = bool(declared.result_id or declared.result_status)
        # A read of which the document declares no place is wrapped as the response to the write.
        if self._id_place_by_hand(name) or not is_declared:
            places = [*self._state_places(name), *places]
        return Follow(read, words, lambda response: state_in(response, places))

    def state_words(self, name: str, members: Tables) -> set[str]:
        """The words that the document declares for the state of what a write made or changed; empty
        where it does not say all of them. `members` are those of its models.
        """
        read = f"GET {self._path_of_read(name)}"
        declared = self._by_name.get(read)
        models = [] if declared is None else [*declared.results.values()]
        words: set[str] = set()
        for place in self._state_places(read):
            for kind in kinds_at(models, place, members) or ():
                if not isinstance(kind, tuple):
                    return set()
                words.update(map(str, cast("tuple[object, ...]", kind)))
        return words

    def _path_of_read(self, name: str) -> str:
        """The path of the read of what a write made or changed; empty without one."""
        if self._makes(name):
            return f"{name.partition(' ')[2]}/{{}}"
        return self._read_above(name)

    def rows(self) -> Iterator[DescribedOperation]:
        """The rows of the document's operations, in its order."""
        return map(self._in_words, self._document)

    def _in_words(self, declared: Declared) -> DescribedOperation:
        reads = declared.method in SAFE_METHODS
        takes_key = self._takes(declared)
        own_key = None if reads else documented_key(declared)
        name = getattr(self._place, "name", "")
        rule = NO_KEY if reads else self._key(httpx.Request(declared.method, ""), declared)
        repeated = rule is not NO_KEY and bool(name)
        if reads:
            why = "reads"
        elif takes_key:
            why = f"declares {name}"
        elif repeated:
            why = (
                f"takes {name}, as every POST"
                if rule in (MADE, REQUIRED)
                else f"if you give {name}"
            )
        elif own_key is None:
            why = "sent once"
        else:
            why = f"sent once, its key is {own_key!r}"
        return DescribedOperation(
            operation=name_of(declared),
            function=declared.name,
            reads=reads,
            repeated=reads or repeated,
            declared=takes_key,
            why=why,
            look_up=None if reads else self._look_up(declared),
            key=None if own_key is None else repr(own_key),
            id=declared.result_id or None,
        )

    def _untaken_key(self, declared: Declared | None) -> str:
        if declared is None or not isinstance(self._place, NoKeys | NamedPlace):
            return ""
        key = documented_key(declared)
        if key is None or self._takes(declared):
            return ""
        return repr(key)

    def _hint(self, declared: Declared | None, key: KeyRule | None) -> str:
        """Where a person looks for what a write may have done, and how it would take a key."""
        where = super()._hint(declared, key)
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
        rule = self._rule(place, request, declared)
        if declared is None or not rule.is_taken:
            return rule
        return rule_at(declared, place, rule)

    def _rule(
        self, place: NamedPlace, request: httpx.Request, declared: Declared | None
    ) -> KeyRule:
        """Whether a write takes the key at `place`: the caller's row counts first, then the
        functions of the place, then the document, and without all of them the method.
        """
        by_row = None if declared is None else self._said(name_of(declared)).takes_key
        if by_row is not None:
            return REQUIRED if by_row else NO_KEY
        if place.ignores_key(request):
            return NO_KEY
        if place.takes_key is not None and place.takes_key(request):
            return MADE
        if self.names_takers or not isinstance(self.declared_key, NoKeys):
            return MADE if declared is not None and self._takes(declared) else NO_KEY
        return MADE if request.method == "POST" else TAKEN

    def _takes(self, declared: Declared) -> bool:
        """Whether an operation takes the client's key.

        If the document says of some parameter that it is a key, it has to say it of this
        operation's. If it says it of none, what the operation declares at the caller's place is a
        key, by the caller's word.
        """
        if not isinstance(self.documented_key, NoKeys):
            key = key_of(declared, self._place)
            return key is not None and bool(key.is_key)
        return declares_at(declared, self._place)


def _filled(path: str, ids: Sequence[str]) -> str:
    """A path with ids in place of its placeholders. Ids that are left over belong to parts of a
    longer path.
    """
    for id in ids[: path.count("{}")]:
        path = path.replace("{}", quote(id, safe=""), 1)
    return path


def rows_of(document: Sequence[Declared], place: KeyPlace) -> list[DescribedOperation]:
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
        problems=partial(read_problems, operations),
        authentication_hint="Check the credentials, and that they are for {host}.",
    )
