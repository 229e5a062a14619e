"""What each operation is, of an API of which only the document is known.

`DocumentOperations` is the table: the document's rows, with what the caller says of some writes
(`OperationRow`) on top. A `DescribedOperation` says in words what a row of it is, for people;
`behaviour_of` has the table.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
from msgspec.structs import replace

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
    Operation,
    Operations,
    Proof,
    Shown,
    declares_at,
    id_in,
    key_of,
    name_of,
    rule_at,
    state_in,
)

from .declared_keys import DocumentedKey, declared_place, documented_key, key_place
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
    why: str
    """Why the operation is repeated, or why not."""
    look_up: str | None
    """The function that reads the object that a write changes."""
    key: str | None
    """Where the document says that a write takes a key: `HeaderKey('Idempotency-Key')`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRow:
    """What a caller of `connect` knows of a write beyond the document: its `rows` have one for each
    such write.

    Args:
        takes_key: Whether the provider takes the client's `key` for this write, so that a repeat
            with the same key does nothing twice. A call without the key is refused, unless the key
            is a header, which the client sets. If some row has True, no other write takes the
            key, unless the document says so. A row speaks for its own write: another key than the
            document's is refused unless the rows decide about each write that takes that one. None:
            no row decides.
        proof: Reads that show that the write was done. `look_up` and the outbox make them after a
            lost response. None: no read does.
        final: The words for states that the write leads no further from: `{"paid", "failed"}`. The
            outbox reads what was made until then. Empty: it does not.
        made: Where a good response has the id of what was made: `"data.reference"`, a text or a
            whole number. A response without it is no success. Empty: where the document tells it,
            or else in `id`.
        reference: Where the JSON of a request has your reference of what it makes: `"reference"`,
            `"meta.orderId"`. Entries of the outbox are called by it, too, and a `proof` compares
            it. Empty: they are called by their key alone.
    """

    takes_key: bool | None = None
    proof: Proof | None = None
    final: Collection[str] = ()
    made: str = ""
    reference: str = ""


_NOTHING = OperationRow()


class DocumentOperations(Operations):
    """The table of an API by its document, with what the caller of `connect` says on top.

    An operation takes the client's key where the document declares the key, or its row says so. A
    key elsewhere, random or the caller's own, would make a repeat look safe that is done twice.
    Where the document declares no key at all, and no row takes it, each POST does.

    The arguments are those of `connect`, checked; `place` is its `key`.
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
        super().__init__(document, base_url, place, members=members)
        self._by_caller = rows or {}
        self.names_takers = any(row.takes_key for row in self._by_caller.values())
        """Whether the caller says which writes take the key."""
        self.place = place
        self.declared_key = declared_place(document, place)
        self.documented_key = key_place(document)

    def _said(self, name: str) -> OperationRow:
        """What the caller says of an operation."""
        return self._by_caller.get(name, _NOTHING)

    def row_of_document(self, request: httpx.Request, declared: Declared | None) -> Operation:
        row = super().row_of_document(request, declared)
        name = "" if declared is None else name_of(declared)
        return replace(row, reference=self._said(name).reference)

    def _complaint(self, response: httpx.Response, problems: Problems) -> str | None:
        complaint = document_complaint(response, problems)
        place = self._said(self.name(response.request)).made
        if complaint is None and place and not id_in(response, place):
            return f"its body has no id at {place!r}, where `made` of its row says that it is"
        return complaint

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
        path = f"{name.partition(' ')[2]}/{{}}" if makes else self._read_above(name)
        if not words or not path:
            return None
        places = self._state_places(f"GET {path}")
        declared = self._by_name[f"GET {path}"]
        key_header = getattr(self._place, "name", "").lower()

        def read(client: Any, call: Any, id: str) -> Any:
            ids = [*call.ids, id] if makes else call.ids
            url = path.format(*(quote(part, safe="") for part in ids))
            # What the read takes, too, such as the version of the API, it gets as the write did.
            names = {name.lower() for name in declared.headers} - {key_header}
            headers = {name: value for name, value in call.headers.items() if name in names}
            return client.http.get(url, headers=headers)

        is_declared = bool(declared.result_id or declared.result_status)
        # A read of which the document declares no place is wrapped as the response to the write.
        if self._id_place_by_hand(name) or not is_declared:
            places = [*self._state_places(name), *places]
        return Follow(read, words, lambda response: state_in(response, places))

    def in_words(self, declared: Declared) -> DescribedOperation:
        """What an operation of the document is, for people."""
        reads = declared.method in SAFE_METHODS
        own_key = None if reads else documented_key(declared)
        rule = NO_KEY if reads else self._key(httpx.Request(declared.method, ""), declared)
        name = getattr(self.place, "name", "")
        if reads:
            why = "reads"
        elif rule is NO_KEY:
            why = "sent once" if own_key is None else f"sent once, its key is {own_key!r}"
        elif self._takes(declared):
            why = f"declares {name}"
        else:
            why = f"takes {name}, as every POST" if rule.is_made else f"if you give {name}"
        return DescribedOperation(
            operation=name_of(declared),
            function=declared.name,
            reads=reads,
            repeated=reads or rule is not NO_KEY,
            why=why,
            look_up=None if reads else self._look_up(declared),
            key=None if own_key is None else repr(own_key),
        )

    def _untaken_key(self, declared: Declared | None) -> str:
        key = None if declared is None else documented_key(declared)
        if not isinstance(key, NamedPlace) or self._takes(declared):
            return ""
        return repr(key)

    def _hint(self, declared: Declared | None, key: KeyRule | None) -> str:
        """Where a person looks for what a write may have done, and how it would take a key."""
        where = super()._hint(declared, key)
        other_key = self._untaken_key(declared)
        if isinstance(self.place, NoKeys):
            why = f"the document has a key for it: pass key={other_key} to connect"
            return f"{where} ({why})" if other_key else where
        if key is not NO_KEY:
            return where
        advice = f"its key is {other_key}" if other_key else "see takes_key"
        return f"{where} ({self.place.name!r} is no key of this operation: {advice})"

    def _key(self, request: httpx.Request, declared: Declared | None) -> KeyRule:
        """Whether a write takes the client's key, and in what form."""
        rule = self._rule(request, declared)
        is_declared = declared is not None and rule.is_taken
        return rule_at(declared, self.place, rule) if is_declared else rule

    def _rule(self, request: httpx.Request, declared: Declared | None) -> KeyRule:
        """Whether a write takes the client's key: its row counts first, then the document, and
        without both the method.
        """
        if isinstance(self.place, NoKeys):
            return NO_KEY
        by_row = None if declared is None else self._said(name_of(declared)).takes_key
        if by_row is not None:
            return REQUIRED if by_row else NO_KEY
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


def rows_of(document: Sequence[Declared], place: DocumentedKey) -> list[DescribedOperation]:
    """The rows of the table that `connect` makes of a document, where it takes keys at `place`, in
    words.
    """
    key = place if isinstance(place, NamedPlace) else NoKeys()
    table = DocumentOperations(document, httpx.URL(""), key)
    return [*map(table.in_words, document)]


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
