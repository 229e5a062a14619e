"""What each operation is of an API of which only the document is known: the table made from it; and
its errors.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx

from victor_ext.errors import Problem
from victor_ext.privacy import is_code, mask_digits, redact_code, redact_excerpt
from victor_ext.runtime.core.json_values import (
    is_list,
    is_object,
    object_of,
    object_or_empty,
    text_or_empty,
)
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
    PLACES,
    TAKEN,
    HeaderKey,
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
    is_at,
    key_of,
    name_of,
    rule_at,
    state_in,
)
from victor_ext.runtime.loop.proven_work import proves_declared_work

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
        self._proofs, self._final, self._ids = proofs or {}, final or {}, made or {}
        self.place, self.declared_key = place, declared_place(document, place)
        self.said_key = key_place(document, None)
        self._document = document
        self._named = self._by_name = {name_of(each): each for each in document}
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
        bound = self._bound.get(id(reader.document))
        if bound is None:
            bound = self._bound[id(reader.document)] = DocumentOperations(
                reader.document, httpx.URL(""), self._place
            )
        return bound._row(request, reader.declared)

    def _row(self, request: httpx.Request, declared: Declared | None) -> Operation:
        key = NO_KEY if request.method in SAFE_METHODS else self._key(request, declared)
        effect = (
            Effect.MAKES
            if declared is not None and self._makes(name_of(declared))
            else Effect.MOVES_MONEY
        )
        name = "" if declared is None else name_of(declared)
        return Operation(
            effect=Effect.READS if request.method in SAFE_METHODS else effect,
            key=key,
            look_up=lambda _request: self._hint(declared, key),
            made=lambda response: self._id_in(response, declared),
            said=lambda response: state_in(response, self._state_places(name)),
            proof=self._proofs.get(name),
            follow=self.follow_of(name) if name else None,
            untaken_key=self._untaken_key(declared),
            may_list_errors=lists_declared_errors,
            proves_work=partial(
                proves_declared_work, declared=declared, place=self._ids.get(name, "")
            ),
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
        place = self._ids.get(name) or ("" if declared is None else declared.result_id)
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
        parts = [re.escape(part) for part in name.partition(" ")[2].split("{}")]
        is_of_read = re.fullmatch(re.escape(self._base) + "[^/]+".join(parts), above) is not None
        return id if is_of_read else ""

    def _state_places(self, name: str) -> list[str]:
        """Where a response may have the state of what it is about."""
        declared = self._by_name.get(name)
        id = self._ids.get(name) or ("" if declared is None else declared.result_id)
        above = id.rpartition(".")[0]
        beside = [f"{above}.{word}" if above else word for word in _STATES]
        told = [] if declared is None or not declared.result_status else [declared.result_status]
        return [*beside, *told] if name in self._ids else [*told, *beside]

    def proof_of(self, name: str) -> Proof | None:
        return self._proofs.get(name)

    def final_words(self) -> set[str]:
        return {word for words in self._final.values() for word in words}

    def follow_of(self, name: str) -> Follow | None:
        """The document's read of what a write made, or else of the object that its path begins
        with.
        """
        words, makes = self._final.get(name), self._makes(name)
        path = f"{name.partition(' ')[2]}/{{}}" if makes else self._read_above(name)
        if words is None or not path:
            return None

        def read(client: Any, call: Any, id: str) -> Any:
            ids = [quote(each, safe="") for each in ((*call.ids, id) if makes else call.ids)]
            return client.http.get(path.replace("{}", "%s") % tuple(ids[: path.count("{}")]))

        places = self._state_places(f"GET {path}")
        declared = self._by_name[f"GET {path}"]
        is_told = bool(declared.result_id or declared.result_status)
        if name in self._ids or not is_told:  # it is wrapped as what was made
            places = [*self._state_places(name), *places]
        return Follow(read, words, lambda response: state_in(response, places))

    def _makes(self, name: str) -> bool:
        """Whether a write makes an object, which the document has a read of."""
        return f"GET {name.partition(' ')[2]}/{{}}" in self._by_name

    def reads(self) -> list[str]:
        return [name_of(each) for each in self._document if each.method.upper() == "GET"]

    def rows(self) -> Iterator[Row]:
        """The rows of the document's operations, in its order."""
        name = getattr(self._place, "name", "")
        for each in self._document:
            reads, key = (
                each.method in SAFE_METHODS,
                self._key(httpx.Request(each.method, ""), each),
            )
            repeated = reads or (key is not NO_KEY and bool(name))
            declared = self._takes(each)
            own = None if reads else said_key(each)
            if reads:
                why = "reads"
            elif declared:
                why = f"declares {name}"
            elif repeated:
                why = f"takes {name}, as every POST" if key is MADE else f"if you give {name}"
            else:
                why = "sent once" if own is None else f"sent once, its key is {own!r}"
            yield Row(
                name_of(each),
                each.name,
                reads,
                repeated,
                declared,
                why,
                None if reads else self._look_up(each),
                None if own is None else repr(own),
                each.result_id or None,
            )

    def _look_up(self, declared: Declared | None) -> str | None:
        """The read of the object whose path is the beginning of a write's own, unless the write
        makes another one.
        """
        path = (
            ""
            if declared is None or self._makes(name_of(declared))
            else self._read_above(name_of(declared))
        )
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
        look_up = self._look_up(declared)
        where = (
            "at the provider"
            if look_up is None
            else f"with {look_up}, if that shows it, or at the provider"
        )
        place, other = self._place, self._untaken_key(declared)
        if isinstance(place, NamedPlace):
            if key is not NO_KEY:
                return where
            advice = f"its key is {other}" if other else "see takes_key"
            return f"{where} ({place.name!r} is no key of this operation: {advice})"
        if other:
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


def said_key(declared: Declared) -> KeyPlace | None:
    """The first place of which the document says that the operation takes a key there."""
    return next((_place(key.place, key.name) for key in declared.keys if key.is_key), None)


def says_key(document: Sequence[Declared], place: KeyPlace) -> bool:
    """Whether the document says of some operation that this is a key."""
    return any(key.is_key and is_at(place, key) for each in document for key in each.keys)


def key_place(document: Sequence[Declared], name: str | None) -> KeyPlace:
    """Where the writes of a document take the key: a header, a parameter of the query, a cookie, or
    a member that it declares for their bodies.

    Args:
        document: The operations.
        name: The name. None: the place that the document says is one for most writes; headers are
            before others.
    """
    writes = [each for each in document if each.method not in SAFE_METHODS]
    if name is None:
        said = Counter((key.place, key.name) for each in writes for key in each.keys if key.is_key)
        most_first = [place for place, _ in said.most_common()]
        for kind in PLACES:
            own = next((place for place in most_first if place[0] == kind), None)
            if own is not None:
                return _place(*own)
        return NoKey()
    places: list[KeyPlace] = [PLACES[kind](name) for kind in PLACES]
    named = (place for place in places if any(declares_key(each, place) for each in writes))
    return next(named, HeaderKey(name))


def _place(kind: str, name: str) -> KeyPlace:
    place: KeyPlace = PLACES[kind](name)
    return place


def declared_place(document: Sequence[Declared], place: KeyPlace) -> KeyPlace:
    """The key that writes have: this one, if the document says that it is one; else the one of
    which it says so; else this one, if it is declared.
    """
    said = key_place(document, None)
    if says_key(document, place) or (isinstance(said, NoKey) and declares(document, place)):
        return place
    return said


def declares(document: Sequence[Declared], place: KeyPlace) -> bool:
    """Whether some operation declares what is at this place, key or not."""
    return any(declares_key(each, place) for each in document)


def rows_of(document: Sequence[Declared], place: KeyPlace) -> list[Row]:
    """The rows of the table that `connect` makes of a document."""
    return [*DocumentOperations(document, httpx.URL(""), place).rows()]


_MOST_PROBLEMS = 100
_MESSAGES = (
    "message",
    "detail",
    "description",
    "error_description",
    "error_message",
    "reason",
    "title",
)
_CODES = ("code", "error_code", "errorCode")
_KINDS = ("type", "error")
"""Fields whose text serves as the code if no other field does."""
_FIELDS = ("field", "param", "parameter", "path", "pointer", "location")


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


def read_problems(response: httpx.Response) -> Sequence[Problem]:
    """The problems in a body of one of the usual shapes. In a response with a good status only
    `error` and `errors`.

    The shapes: RFC 9457 (`title`, `detail`, `errors`), RFC 6749 (`error`, `error_description`), an
    object or a text in `error`, a list or an object of fields in `errors`, and `message` or `code`
    at the top.
    """
    body = object_of(response)
    problems = [*_within(body.get("error")), *_within(body.get("errors"))][:_MOST_PROBLEMS]
    if response.status_code < 400:
        return problems
    whole = [] if problems and not isinstance(body.get("error"), str) else list(_within(body))
    return whole or problems


def _within(value: object, field: str = "") -> Iterator[Problem]:
    if is_code(value) and field in ("", *_CODES):
        yield _problem("", redact_code(value), "")
    elif isinstance(value, str) and value.strip():
        yield _problem(field, "", value)
    elif is_list(value):
        for item in value[:_MOST_PROBLEMS]:
            yield from _within(item, field)
    elif is_object(value):
        message = _first(value, _MESSAGES)
        codes = (redact_code(value.get(name) or "") for name in _CODES)
        code = next(filter(None, codes), "") or redact_code(_first(value, _KINDS))
        if message or code:
            source = object_or_empty(value.get("source"))  # JSON:API
            yield _problem(
                _first(value, _FIELDS) or _first(source, _FIELDS) or field, code, message
            )
        if not message:
            for name, item in list(value.items())[:_MOST_PROBLEMS]:
                if (is_list(item) and name not in _CODES) or (isinstance(item, str) and not code):
                    yield from _within(item, name)


def _first(body: dict[str, Any], names: Sequence[str]) -> str:
    return next(filter(None, (text_or_empty(body.get(name)).strip() for name in names)), "")


def _problem(field: str, code: str, message: str) -> Problem:
    theirs = mask_digits(field)
    return Problem(theirs, code, redact_excerpt(message) or code, provider_field=theirs or None)
