"""The table of a system: what each of its operations is, by the document, with rows by hand on top.

`Operations` is the table, which the attempt loop asks. After it come the names of rows, and how a
request made by hand finds its own.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Self
from urllib.parse import unquote

import httpx

from victor_ext.errors import ConfigurationError
from victor_ext.runtime.core.response import OPERATION

from .evidence import READER, SAFE_METHODS, Declared, Problems, Reader, lists_declared_errors
from .idempotency_keys import MADE, NO_KEY, TAKEN, HeaderKey, KeyPlace, KeyRule
from .operations import (
    Effect,
    Follow,
    Operation,
    Proof,
    Shown,
    Whether,
    complaint_without_row,
    declares_key,
    id_in,
    name_of,
    path_of,
    rule_at,
    state_in,
)
from .proven_work import proves_declared_work

_STATES = ("status", "state")
"""The names of members that usually have a state."""


class Operations:
    """The table of a system for one client: the rows of its document, with those by hand on top.

    A row by hand is whole: nothing of the document's is added to it. An operation without one is
    what the document says. A read is safe. A write is sent again only with the key that the
    document declares for it at `place`; without one, it is sent once.

    Rows are named by method and path template with unnamed placeholders:
    `"POST /v3/payouts/{}"`. One that has several templates names all of them, and is that of any of
    these: `"GET /v3/payees/{} /v4/payees/{}"`.

    Args:
        document: All operations of the generated package.
        base_url: What requests made by hand have before the path.
        place: Where writes take the key.
        rows: By hand, of operations of the document.
        elsewhere: By hand, of operations that this document does not have.
        results: Of an operation without a row by hand.

    Raises:
        ConfigurationError: One of `rows` leads to no operation of the document.
    """

    def __init__(
        self,
        document: Sequence[Declared],
        base_url: httpx.URL,
        place: KeyPlace,
        rows: Mapping[str, Operation] | None = None,
        *,
        elsewhere: Mapping[str, Operation] | None = None,
        results: Whether | None = None,
    ) -> None:
        rows = rows or {}
        self._by_name = {name_of(declared): declared for declared in document}
        for names in rows:
            if self._by_name.keys().isdisjoint(_names_in(names)):
                raise no_operation(names, self._by_name)
        self._rows: dict[str, Operation] = {}
        for names, row in {**rows, **(elsewhere or {})}.items():
            self._rows |= dict.fromkeys(_names_in(names), row)
        self._names = self._rows.keys() | self._by_name.keys()
        self._document = document
        self._base_url = base_url
        self._base = path_of(base_url).rstrip("/")
        self._place = place
        self._results = results
        self._bound: dict[int, Self] = {}
        """The tables of other packages whose operations go through the client, by the identity of
        their documents.
        """

    def of_attempt(self, request: httpx.Request) -> Operation:
        """The row of a request that is sent: the one that its call has found, once."""
        row: Operation | None = request.extensions.get(OPERATION)
        return self.of(request) if row is None else row

    def of(self, request: httpx.Request) -> Operation:
        """The row of a request. The attempt loop asks once for each call, and keeps it as an
        extension.
        """
        reader: Reader | None = request.extensions.get(READER)
        name = self._name_below(request) if reader is None else name_of(reader.declared)
        row = self._rows.get(name)
        if row is not None:
            return row
        if reader is None:
            return self.row_of_document(request, self._by_name.get(name))
        return self._table_for(reader.document).row_of_document(request, reader.declared)

    def _table_for(self, document: Sequence[Declared]) -> Self:
        """The table with the rows of a document: this one, or that of another package."""
        if document is self._document:
            return self
        number = id(document)
        if number not in self._bound:
            self._bound[number] = self._of_other_package(document)
        return self._bound[number]

    def _of_other_package(self, document: Sequence[Declared]) -> Self:
        return type(self)(document, self._base_url, self._place, results=self._results)

    def row_of_document(self, request: httpx.Request, declared: Declared | None) -> Operation:
        """The row of an operation without one by hand. None: the document does not have it."""
        name = "" if declared is None else name_of(declared)
        reads = request.method in SAFE_METHODS
        key = NO_KEY if reads else self._key(request, declared)
        if reads:
            effect = Effect.READS
        elif name and self._makes(name):
            effect = Effect.MAKES
        else:  # a write of which little is known may move money
            effect = Effect.MOVES_MONEY
        return Operation(
            effect=effect,
            key=key,
            evidence=self._complaint,
            look_up=lambda _request: self._hint(declared, key),
            made=lambda response: self._id_in(response, declared),
            said=lambda response: state_in(response, self._state_places(name)),
            proof=self.proof_of(name),
            follow=self.follow_of(name),
            proves_work=partial(
                proves_declared_work, declared=declared, place=self._id_place_by_hand(name)
            ),
            results=self._results,
            may_list_errors=lists_declared_errors,
            untaken_key=self._untaken_key(declared),
            shown=self._shown(declared),
        )

    # The columns of a row of the document. `connect` adds what its caller says.

    def _complaint(self, response: httpx.Response, problems: Problems) -> str | None:
        return complaint_without_row(response, problems)

    def _shown(self, declared: Declared | None) -> Shown:  # noqa: ARG002 - `connect` looks at it
        return Shown.UNSENT

    def _key(self, request: httpx.Request, declared: Declared | None) -> KeyRule | None:  # noqa: ARG002 - as above
        """Whether a write takes the key, and in what form; None: its place says it."""
        if declared is None or not self._takes(declared):
            return NO_KEY
        rule = MADE if isinstance(self._place, HeaderKey) else TAKEN
        return rule_at(declared, self._place, rule)

    def _takes(self, declared: Declared) -> bool:
        """Whether an operation takes the key by the document."""
        return declares_key(declared, self._place)

    def _untaken_key(self, declared: Declared | None) -> str:  # noqa: ARG002 - as above
        """A key that an operation takes by the document, and that is not the client's."""
        return ""

    def _hint(self, declared: Declared | None, key: KeyRule | None) -> str:  # noqa: ARG002 - as above
        """Where a person looks for what a write may have done."""
        look_up = self._look_up(declared)
        if look_up is None:
            return "at the provider"
        return f"with {look_up}, if that shows it, or at the provider"

    def _id_place_by_hand(self, name: str) -> str:  # noqa: ARG002 - as above
        """Where a response has its id, by a person's word; empty: the document decides."""
        return ""

    def _look_up(self, declared: Declared | None) -> str | None:
        """The function that reads the object that the path of a write begins with; None: there is
        no such read, or the write makes an object of its own.
        """
        if declared is None:
            return None
        name = name_of(declared)
        path = "" if self._makes(name) else self._read_above(name)
        return self._by_name[f"GET {path}"].name if path else None

    def _id_in(self, response: httpx.Response, declared: Declared | None) -> str:
        """The id of what was made, from the place that a person or the document names.

        Without such a place, it is `id`, or the end of a `Location` (RFC 9110, 10.2.2) that is the
        address of the read of what was made.
        """
        name = "" if declared is None else name_of(declared)
        place = self._place_of_id(name, declared)
        if place:
            return id_in(response, place)
        return id_in(response, "id") or self._id_in_location(response, name)

    def _place_of_id(self, name: str, declared: Declared | None) -> str:
        """Where a response has its id; empty: neither a person nor the document says it."""
        by_document = "" if declared is None else declared.result_id
        return self._id_place_by_hand(name) or by_document

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
        if self._id_place_by_hand(name):  # a person's word is before the document's
            return [*beside_id, *by_document]
        return [*by_document, *beside_id]

    def _makes(self, name: str) -> bool:
        """Whether a write makes an object: the document has a read of it below the same path."""
        return f"GET {name.partition(' ')[2]}/{{}}" in self._by_name

    def _read_above(self, name: str) -> str:
        """The path of the read of the object that the path of a write begins with; empty: there is
        no such read.
        """
        path = name.partition(" ")[2]
        while path and f"GET {path}" not in self._by_name:
            path = path.rpartition("/")[0]
        return path if path.endswith("{}") else ""

    # What a client asks of the table as a whole.

    def name(self, request: httpx.Request) -> str:
        """The name of the operation of a request: of its row, or as the document declares it."""
        reader: Reader | None = request.extensions.get(READER)
        name = self._name_below(request) if reader is None else name_of(reader.declared)
        return name or f"{request.method} {path_of(request.url)}"

    def reads(self) -> list[str]:
        """The names of the operations that only read, with GET."""
        by_hand = [name for name, row in self._rows.items() if row.reads]
        by_document = [name for name in self._by_name if name not in self._rows]
        return [name for name in (*by_hand, *by_document) if name.startswith("GET ")]

    def proof_of(self, name: str) -> Proof | None:
        """The reads that show that the write with this name was done, if there are any."""
        row = self._rows.get(name)
        return None if row is None else row.proof

    def follow_of(self, name: str) -> Follow | None:
        """How what the write with this name made is read later, if it is."""
        row = self._rows.get(name)
        return None if row is None else row.follow

    def final_words(self) -> set[str]:
        """The words for the states in which what the writes make ends."""
        follows = (row.follow for row in self._rows.values())
        return {word for follow in follows if follow is not None for word in follow.final}

    def _name_below(self, request: httpx.Request) -> str:
        """The name of the operation of a request that was made by hand; empty if none fits."""
        path = path_of(request.url)
        if not path.startswith(f"{self._base}/"):
            return ""
        return _fitting(self._names, request.method, path[len(self._base) :])


def no_operation(row: str, known: Iterable[str]) -> ConfigurationError:
    """The error of a row that leads to no operation; it names those known."""
    names = ", ".join(known) or "none"
    return ConfigurationError(f"rows: {row!r} is no operation of the document. It has: {names}.")


def _names_in(row: str) -> list[str]:
    """The names of a row: one for each of its templates."""
    method, _, templates = row.partition(" ")
    return [f"{method} {template}" for template in templates.split()]


def _fitting(names: Collection[str], method: str, path: str) -> str:
    """The name of the row with the most literal segments; empty if none fits the path, or if
    several fit as well.
    """
    # Percent-encoded: an encoded slash is a part of an id.
    parts = [unquote(part) for part in _parts(path)]
    ranks: dict[str, int] = {}
    for name in names:
        own_method, _, template = name.partition(" ")
        own = _parts(template)
        if own_method == method and len(own) == len(parts) and all(map(_fits, own, parts)):
            ranks[name] = sum(map(_rank, own))
    highest = max(ranks.values(), default=0)
    best = [name for name, rank in ranks.items() if rank == highest]
    return best[0] if len(best) == 1 else ""


def _rank(segment: str) -> int:
    """How much of a segment of a template is literal: all, a part, nothing."""
    if "{}" not in segment:
        return 3
    return 0 if segment == "{}" else 1


def _fits(template: str, part: str) -> bool:
    if "{}" not in template:
        return template == part
    literals = map(re.escape, template.split("{}"))
    return re.fullmatch(".+".join(literals), part, re.DOTALL) is not None


def _parts(path: str) -> list[str]:
    return path.removeprefix("/").removesuffix("/").split("/")
