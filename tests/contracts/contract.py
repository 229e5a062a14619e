"""What a client sends and reads, found by using it, held against what the provider's document
declares.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any

import httpx

from victor_ext import InvalidRequest, RetryPolicy, VictorError
from victor_ext.runtime.client.records import Record

from .document import Document, Leaf, Operation

ONCE = RetryPolicy(max_attempts=1)
REFUSED = "(refused)"
LIMITS = {"minLength", "maxLength", "minimum", "maximum"}


@dataclass(frozen=True)
class Call:
    """How a client makes one operation.

    Attributes:
        name: The method, such as `payees.list`.
        make: Calls it with every argument that it has. Several functions, where arguments exclude
            each other.
        answer: Members that a good answer needs, over what the document's schema gives: the id that
            was asked for.
        has_record: False for an answer that callers do not see, such as a token.
        add: What a new argument of the method needs.
    """

    name: str
    make: tuple[Callable[[Any], Any], ...]
    answer: Mapping[str, Any] = field(default_factory=dict)
    has_record: bool = True
    add: str = "one"

    @classmethod
    def of(
        cls,
        name: str,
        /,
        *args: Any,
        answer: Mapping[str, Any] | None = None,
        has_record: bool = True,
        **named: Any,
    ) -> Call:
        """A call of the method with these arguments."""
        make = (lambda client: attrgetter(name)(client)(*args, **named),)
        return cls(name, make, answer or {}, has_record)


@dataclass(frozen=True)
class Contract:
    """A client and its document. Each exception says why.

    Attributes:
        name: The document's name.
        client: Makes a client over a transport.
        calls: How each operation is called, by operation id.
        not_called: Operations without a method.
        not_sent: Places of requests without an argument, as `operation: place`.
        not_read: Members of answers that no record has, as `Schema.member`.
        limited: How a value is sent at a place that the document limits, as `operation: place`.
        unlimited: Places whose limits the client does not check.
        unrelated: Members of records that read no one member of an answer: all of them, or the
            clock.
    """

    name: str
    client: Callable[[httpx.MockTransport], Any]
    calls: Mapping[str, Call]
    not_called: Mapping[str, str] = field(default_factory=dict)
    not_sent: Mapping[str, str] = field(default_factory=dict)
    not_read: Mapping[str, str] = field(default_factory=dict)
    limited: Mapping[str, Callable[[Any, Any], Any]] = field(default_factory=dict)
    unlimited: Mapping[str, str] = field(default_factory=dict)
    unrelated: frozenset[str] = frozenset()

    def differences(self, document: Document) -> list[str]:
        """Where client and document part, one sentence each, in the order of the alphabet."""
        return sorted({*self._crashes(), *self.gone(document), *self._answers(document)})

    def _crashes(self) -> Iterator[str]:
        for name, exchanges in self.exchanges.items():
            for crash in [
                exchange.result for exchange in exchanges if isinstance(exchange.result, Crash)
            ]:
                yield (
                    f"{name}: {self.calls[name].name} cannot be called with the generated "
                    f"package: {crash}. "
                    "Change what victor_ext makes of its arguments, or the names that it uses."
                )

    def gone(self, document: Document) -> list[str]:
        """The differences without new members of answers, which take the longest to find."""
        parts = (self._operations, self._sent, self._gone_from_answers)
        return sorted({line for part in parts for line in part(document)})

    def _operations(self, document: Document) -> Iterator[str]:
        declared = {operation.id for operation in document.operations}
        for operation in document.operations:
            if operation.id not in self.calls and operation.id not in self.not_called:
                yield (
                    f"{operation.method} {operation.path}: the document has {operation.id}, which "
                    "no method calls. Add one, or name it in `not_called` of tests/contracts with "
                    "the reason; `bind` and `api` reach it."
                )
        for name, call in self.calls.items():
            if name not in declared:
                yield (
                    f"{call.name}: the document has no operation {name} any more. If it has "
                    "another id now, write that in `calls` of tests/contracts and where victor_ext "
                    "calls it; else remove the method."
                )
        yield from _stale("not_called", self.not_called, declared)

    def _sent(self, document: Document) -> Iterator[str]:
        known: set[str] = set()
        for operation, call in self._called(document):
            exchanges = self.exchanges.get(operation.id, [])
            known |= {f"{operation.id}: {place}" for place in operation.sent}
            if any(isinstance(exchange.result, Crash) for exchange in exchanges):
                continue
            sent = {place for exchange in exchanges for place in exchange.sent}
            for place in operation.sent.keys() - sent:
                if f"{operation.id}: {place}" not in self.not_sent:
                    yield (
                        f"{operation.id}: the document declares {place}, and {call.name} has no "
                        f"argument for it. Add {call.add}, or name it in `not_sent` of "
                        "tests/contracts with the reason."
                    )
            for place in sent - operation.sent.keys():
                yield (
                    f"{operation.id}: {call.name} sends {place}, which the document declares no "
                    "more. Remove it."
                )
        yield from _stale("not_sent", self.not_sent, known)

    @cached_property
    def exchanges(self) -> dict[str, list[Exchange]]:
        """By operation id, the calls that the client makes, answered as the committed document
        says.
        """
        document = Document.of(self.name)
        return {
            operation.id: [Exchange(self, document, operation, make) for make in call.make]
            for operation, call in self._called(document)
        }

    def _answers(self, document: Document) -> Iterator[str]:
        reading = self.reading(document)
        for name, places in reading.items():
            if REFUSED in places:
                yield (
                    f"{name}: it refuses the answer that the document declares: "
                    f"{places.pop(REFUSED)[0]}"
                )
        read = {place for call in reading.values() for place, members in call.items() if members}
        for name, places in reading.items():
            for place in places.keys() - read - self.not_read.keys():
                yield (
                    f"{place}: the document declares it in an answer, and no member of the record "
                    f"of {name} reads it. Add one, or name it in `not_read` of tests/contracts "
                    "with the reason; `raw` has it."
                )
        yield from _stale(
            "not_read", self.not_read, {place for call in reading.values() for place in call} - read
        )

    def _gone_from_answers(self, document: Document) -> Iterator[str]:
        declared = {
            call.name: {leaf.place for leaf in document.leaves(operation.answer[1] or {})}
            for operation, call in self._called(document)
        }
        gone = {
            call.name for call in self.calls.values()
        } - declared.keys()  # told once, by `_operations`
        kept = {name: places for name, places in self.recorded.items() if name not in gone}
        for name, places in kept.items():
            for place in places.keys() - declared.get(name, set()):
                yield (
                    f"{place}: the document declares it no more, and {name} reads it: "
                    f"{places[place]}. "
                    "Decide what these are now; then run python -m tests.contracts.record."
                )

    @cached_property
    def recorded(self) -> dict[str, dict[str, str]]:
        """What `reading` found when it was last recorded, the members of a place as one text."""
        record = json.loads(self.record.read_text(encoding="utf-8"))
        return {
            call: dict(_places_of(record[lines] if isinstance(lines, str) else lines))
            for call, lines in record.items()
        }

    @property
    def record(self) -> Path:
        """The file with what each call reads."""
        return Path(__file__).with_name(f"{self.name}.json")

    def reading(self, document: Document) -> dict[str, dict[str, list[str]]]:
        """By method, each member of its answer with the members of the record that change without
        it.
        """
        by_name: dict[str, dict[str, list[str]]] = {}
        for operation, call in self._called(document):
            schema = operation.answer[1]
            if schema and call.has_record:
                exchange = Exchange(self, document, operation, call.make[0])
                if isinstance(exchange.result, Crash):
                    continue
                if isinstance(exchange.result, VictorError):
                    by_name[call.name] = {REFUSED: [str(exchange.result)]}
                    continue
                by_name[call.name] = {
                    leaf.place: sorted(exchange.readers(leaf)) for leaf in document.leaves(schema)
                }
        return by_name

    def limits(self, document: Document) -> list[str]:
        """Where the client takes what the document forbids, or refuses what it allows, one sentence
        each.
        """
        items: list[str] = []
        known: set[str] = set()
        for operation, call in self._called(document):
            for place, schema in operation.sent.items():
                name = f"{operation.id}: {place}"
                limits = LIMITS & schema.keys()
                known |= {name} if limits else set()
                if name in self.limited:
                    for value, allowed in [
                        pair for limit in sorted(limits) for pair in around(limit, schema)
                    ]:
                        if self._takes(name, value) != allowed:
                            what = (
                                f"{len(value)} characters" if isinstance(value, str) else f"{value}"
                            )
                            theirs, ours = (
                                ("allows", "refuses") if allowed else ("forbids", "takes")
                            )
                            items.append(
                                f"{name}: the document {theirs} {what}, and {call.name} {ours} it."
                            )
                elif limits and name not in self.unlimited:
                    items.append(
                        f"{name}: the document limits it ({', '.join(sorted(limits))}): check it "
                        "in the client, "
                        f"and add the call to `limited` in tests/contracts/{self.name}.py."
                    )
        return sorted(
            [
                *items,
                *_stale("limited", self.limited, known),
                *_stale("unlimited", self.unlimited, known),
            ]
        )

    def _takes(self, name: str, value: Any) -> bool:
        document = Document.of(self.name)
        operation = next(each for each in document.operations if name.startswith(f"{each.id}: "))
        exchange = Exchange(
            self, document, operation, lambda client: self.limited[name](client, value)
        )
        return not isinstance(exchange.result, InvalidRequest)

    def _called(self, document: Document) -> Iterator[tuple[Operation, Call]]:
        for operation in document.operations:
            if operation.id in self.calls:
                yield operation, self.calls[operation.id]


def snake_case(member: str) -> str:
    """The attribute that a member has by default: `payee_id` of `payeeId`."""
    return re.sub("(?<=[a-z0-9])[A-Z]", lambda capital: f"_{capital[0]}", member).lower()


def _places_of(lines: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The places in the lines of a record, each with what reads it."""
    for line, members in lines.items():
        schema, _, kind = line.partition(" in ")
        for said in members.split("; "):
            member, _, attribute = said.partition(": ")
            is_read = not kind.startswith("refused")
            yield (
                f"{schema}.{member}",
                f"{kind}.{attribute or snake_case(member)}" if is_read else kind,
            )


def around(limit: str, schema: Mapping[str, Any]) -> list[tuple[Any, bool]]:
    """The last value that a limit allows and the first that it forbids, each with whether it is
    allowed.
    """
    at, step = schema[limit], 1 if limit.startswith("max") else -1
    values = [(at, True), (at + step, False)]
    if limit in ("minimum", "maximum"):
        return values
    return [("1" * length, allowed) for length, allowed in values if length > 0]


class Crash(str):
    """What a call raised because the generated package is not the one that the client was written
    for.
    """

    __slots__ = ()


class Exchange:
    """One call, answered with all that the document declares."""

    def __init__(
        self,
        contract: Contract,
        document: Document,
        operation: Operation,
        make: Callable[[Any], Any],
    ) -> None:
        self._contract, self._document, self._operation, self._make = (
            contract,
            document,
            operation,
            make,
        )
        self._answers: dict[str, Any] = {}
        for each in document.operations:
            schema = each.answer[1]
            body = None if schema is None else document.value(schema)
            known = contract.calls.get(each.id)
            self._answers[each.id] = _with(body, known.answer if known else {})
        self.sent: set[str] = set()
        self.result = self._run(self._answers)

    def readers(self, leaf: Leaf) -> set[str]:
        """The members of the result that change when an answer lacks this value."""
        body = _without(self._answers[self._operation.id], leaf.path)
        result = self._run({**self._answers, self._operation.id: body})
        if isinstance(result, VictorError | Crash):
            return {f"refused ({type(result).__name__})"}
        return {
            name for name, _ in set(_members(result)) ^ set(_members(self.result))
        } - self._contract.unrelated

    def _run(self, answers: dict[str, Any]) -> Any:
        def answer(request: httpx.Request) -> httpx.Response:
            operation = self._document.operation_of(request)
            assert operation is not None
            body = answers[operation.id]
            if operation is self._operation:
                self.sent |= operation.places_in(request)
            headers = (
                {"Location": f"{request.url}/made-1", "Retry-After": "1"}
                if operation.answer[1] is None
                else {}
            )
            given = {} if body is None else {"json": body}
            return httpx.Response(operation.answer[0], headers=headers, **given)

        with self._contract.client(httpx.MockTransport(answer)) as client:
            try:
                result = self._make(client)
                return (
                    next((page.items for page in result.pages()), ())
                    if hasattr(result, "pages")
                    else result
                )
            except VictorError as error:
                return error
            except Exception as error:  # noqa: BLE001 - the package is not the one that the client was written for
                return Crash(f"{type(error).__name__}: {error}")


def _members(result: Any) -> Iterator[tuple[str, str]]:
    """The values that a caller can read of a result, by the record's class and the member's
    name.
    """
    for item in result[:1] if isinstance(result, list | tuple) else [result]:
        for member in dir(item) if _is_record(item) else ():
            value = None if member.startswith("_") or member == "raw" else getattr(item, member)
            if callable(value) or member.startswith("_") or member == "raw":
                continue
            inner = list(_members(value))
            yield f"{type(item).__name__}.{member}", repr(value)
            yield from inner


def _is_record(value: Any) -> bool:
    """Whether a value is a record, or another class of a provider with members to read."""
    if isinstance(value, Record):
        return True
    is_of_provider = type(value).__module__.startswith("victor_ext.providers")
    return is_of_provider and not isinstance(value, str | int)


def _parent(body: Any, path: Iterable[str]) -> Any:
    """The object at the end of a path, such as `content.*`; an empty one where the body has
    none.
    """
    for step in path:
        body = body[0] if step == "*" else body.get(step, {})
    return body


def _with(body: Any, members: Mapping[str, Any]) -> Any:
    """A body with other values at some paths, such as `content.*.payeeId`."""
    body = copy.deepcopy(body)
    for path, value in members.items():
        *way, last = path.split(".")
        if last in (parent := _parent(body, way)):
            parent[last] = value
    return body


def _without(body: Any, path: tuple[str, ...]) -> Any:
    body = copy.deepcopy(body)
    del _parent(body, path[:-1])[path[-1]]
    return body


def _stale(kind: str, reasons: Mapping[str, str], known: set[str]) -> Iterator[str]:
    for name in reasons.keys() - known:
        yield f"{name}: `{kind}` names it, and it needs no exception any more. Remove it there."
