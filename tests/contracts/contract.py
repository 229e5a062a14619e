"""What a client sends and reads, found by using it, held against what the provider's document
declares.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from victor_ext import RetryPolicy, VictorError

from .arguments import Path as ArgumentPath
from .arguments import with_value
from .calling import Answers, Call, Crash, Exchange, Filled, Samples, answers_of
from .document import Document, Operation
from .samples import text_of_length

ONCE = RetryPolicy(max_attempts=1)
REFUSED = "(refused)"
LIMITS = {"minLength", "maxLength", "minimum", "maximum"}


@dataclass(frozen=True)
class Statuses:
    """The words for a status, of which the client says what they mean.

    Attributes:
        member: Where the document lists them, as `Schema.member`.
        known: Those that the client knows.
        files: Where a person writes what a word means.
    """

    member: str
    known: frozenset[str]
    files: str

    def unknown(self, document: Document):
        """The words of which nobody has said what they mean; and those that are gone."""
        schema, _, member = self.member.partition(".")
        listed = {*document.tree["components"]["schemas"][schema]["properties"][member]["enum"]}
        for word in listed - self.known:
            yield f"{word} is a new status: is it final, is it paid? Say so in {self.files}."
        for word in self.known - listed:
            yield (
                f"{word} is no status of the document any more: which word says it now, is that "
                f"final, is it paid? Say so in {self.files}."
            )


@dataclass(frozen=True)
class Contract:
    """A client and its document. Each exception says why.

    Attributes:
        name: The document's name.
        client: Makes a client over a transport.
        calls: How each operation is called, by operation id.
        samples: The values of arguments of any call, by their names, where the document does not
            tell them.
        not_called: Operations without a method.
        not_read: Members of answers that no record has, as `Schema.member`.
        unlimited: Places whose limits the client does not check, as `operation: place`.
        unrelated: Members of records that read no one member of an answer: all of them, or the
            clock.
        statuses: The words for a status, where the document lists them.
    """

    name: str
    client: Callable[[httpx.MockTransport], Any]
    calls: Mapping[str, Call]
    samples: Samples = field(default_factory=dict)
    not_called: Mapping[str, str] = field(default_factory=dict)
    not_read: Mapping[str, str] = field(default_factory=dict)
    unlimited: Mapping[str, str] = field(default_factory=dict)
    unrelated: frozenset[str] = frozenset()
    statuses: Statuses | None = None

    @property
    def file(self):
        """Where the contract is written."""
        return f"tests/contracts/{self.name}.py"

    def differences(self, document: Document):
        """Where client and document part, one sentence each, in the order of the alphabet."""
        statuses = () if self.statuses is None else self.statuses.unknown(document)
        return sorted({*statuses, *self._crashes(), *self.gone(document), *self._answers(document)})

    def _crashes(self):
        """The calls that the test cannot make. Of these, nothing else is said."""
        for name, filled in [
            (name, filled) for name, several in self.filled.items() for filled in several
        ]:
            call = filled.call
            for argument in sorted(filled.stale):
                yield (
                    f"{name}: {self.file} gives {argument} to {call.name}, which has no such "
                    "argument. Write its new name there, or remove it."
                )
            for argument in sorted(filled.missing):
                yield (
                    f"{name}: {call.name} needs {argument}, and no place of the document has its "
                    f"name. Give a value in the entry {name} of `calls` in {self.file}."
                )
            if filled.missing:
                continue
            for exchange in filled.exchanges:
                if not exchange.is_made:
                    yield (
                        f"{name}: {call.name} refuses the values that the test gives: "
                        f"{exchange.result} Give others in the entry {name} of `calls` in "
                        f"{self.file}."
                    )

    def gone(self, document: Document):
        """The differences without new members of answers, which take the longest to find."""
        parts = (self._operations, self._sent, self._gone_from_answers)
        return sorted({line for part in parts for line in part(document)})

    def _operations(self, document: Document):
        declared = {operation.id for operation in document.operations}
        for operation in document.operations:
            if operation.id not in self.calls and operation.id not in self.not_called:
                yield (
                    f"{operation.method} {operation.path}: the document has {operation.id}, which "
                    "no method calls. Add one (CONTRIBUTING.md, Add an operation), or name it in "
                    f"`not_called` of {self.file} with the reason; `api` reaches it."
                )
        for name, call in self.calls.items():
            if name not in declared:
                yield (
                    f"{call.name}: the document has no operation {name} any more. If it has "
                    f"another id now, write that in `calls` of {self.file} and where victor_ext "
                    "calls it; else remove the method."
                )
        yield from self._stale("not_called", self.not_called, declared)

    def _sent(self, document: Document):
        for operation, call in self._called(document):
            exchanges = [
                exchange
                for filled in self.filled.get(operation.id, [])
                for exchange in filled.exchanges
            ]
            if any(not exchange.is_made for exchange in exchanges):
                continue  # told by `_crashes`
            refused = {
                place: why
                for filled in self.filled.get(operation.id, [])
                for place, why in filled.refused.items()
            }
            sent = {place for exchange in exchanges for place in exchange.sent}
            for place in operation.sent.keys() - sent:
                if place in refused:
                    yield (
                        f"{operation.id}: {call.name} refuses each value that the test has for "
                        f"{place}: {refused[place]} Give one in the entry {operation.id} of "
                        f"`calls` in {self.file}."
                    )
                else:
                    yield (
                        f"{operation.id}: the document declares {place}, and {call.name} has no "
                        "argument for it. Add one: `make generate` writes those of generated "
                        "arguments."
                    )
            for place in sent - operation.sent.keys():
                yield (
                    f"{operation.id}: {call.name} sends {place}, which the document declares no "
                    "more. Remove it where victor_ext sends it."
                )

    @cached_property
    def filled(self) -> dict[str, list[Filled]]:
        """By operation id, the calls that the client makes, with each argument that it has."""
        document = Document.of(self.name)
        return {
            operation.id: [
                Filled(self, document, operation, each, self._answers_now)
                for each in (call, call.also)
                if each is not None
            ]
            for operation, call in self._called(document)
        }

    def making(self, operation_id):
        """What makes an operation with a client, with all arguments that the method has."""
        call = self.calls[operation_id]
        arguments = self.filled[operation_id][0].exchanges[0].arguments
        return lambda client: call.on(client)(**arguments)

    @cached_property
    def _answers_now(self) -> Answers:
        return answers_of(self, Document.of(self.name))

    def _answers(self, document: Document):
        reading = self.reading(document)
        for name, places in reading.items():
            if REFUSED in places:
                yield (
                    f"{name}: it refuses the answer that the document declares: "
                    f"{places.pop(REFUSED)[0]} Read it in victor_ext, or give the value that a "
                    f"good answer needs in `answer` of the call in {self.file}."
                )
        read = {place for call in reading.values() for place, members in call.items() if members}
        declared = {
            leaf.place
            for operation, _ in self._called(document)
            for leaf in document.leaves(operation.answer[1] or {})
        }
        for name, places in reading.items():
            for place in places.keys() - read - self.not_read.keys():
                yield (
                    f"{place}: the document declares it in an answer, and no member of the record "
                    f"of {name} reads it. Add one, or name it in `not_read` of {self.file} "
                    "with the reason; `raw` has it."
                )
        yield from self._stale("not_read", self.not_read, declared - read)

    def _gone_from_answers(self, document: Document):
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
                    "Decide what these are now; then run python -m tests.contracts.record, which "
                    f"writes tests/contracts/{self.record.name}."
                )

    @cached_property
    def recorded(self):
        """What `record_of` said when it was last recorded."""
        return json.loads(self.record.read_text(encoding="utf-8"))

    @property
    def record(self) -> Path:
        """The file with what each call reads."""
        return Path(__file__).with_name(f"{self.name}.json")

    def reading(self, document: Document):
        """By method, each member of its answer with the members of the record that change without
        it.
        """
        by_name = {}
        answers = answers_of(self, document)
        for operation, call in self._called(document):
            schema = operation.answer[1]
            if schema and call.has_record:
                arguments = self.filled[operation.id][0].exchanges[0].arguments
                exchange = Exchange(self, document, operation, call, arguments, answers)
                if not exchange.is_made:
                    continue  # told by `_crashes`
                if isinstance(exchange.result, VictorError | Crash):
                    by_name[call.name] = {REFUSED: [str(exchange.result)]}
                    continue
                by_name[call.name] = {
                    leaf.place: sorted(exchange.readers(leaf)) for leaf in document.leaves(schema)
                }
        return by_name

    def limits(self, document: Document):
        """Where the client takes what the document forbids, or refuses what it allows, one sentence
        each.
        """
        items = []
        limited = set()
        for operation, call in self._called(document):
            calls = [
                (filled, exchange)
                for filled in self.filled[operation.id]
                for exchange in filled.exchanges
            ]
            for place, schema in operation.sent.items():
                name = f"{operation.id}: {place}"
                values = [*_around_all(schema)]
                limited |= {name} if values else set()
                of_place = [
                    (filled, exchange) for filled, exchange in calls if place in exchange.sent
                ]
                if not values or not of_place or name in self.unlimited:
                    continue  # what is not sent is told by `_sent`
                trial = _trial(place, of_place, values)
                if trial is None:
                    limits = ", ".join(sorted(LIMITS & schema.keys()))
                    items.append(
                        f"{name}: the document limits it ({limits}), and no argument of "
                        f"{call.name} is sent there alone. Check it in the client, and "
                        f"name it in `unlimited` of {self.file} with the reason."
                    )
                else:
                    items += trial.problems(name, call, self.file)
        return sorted([*items, *self._stale("unlimited", self.unlimited, limited)])

    def _stale(self, kind, reasons, known):
        for name in reasons.keys() - known:
            yield (
                f"{name}: `{kind}` of {self.file} names it, and it needs no exception any more. "
                "Remove it there."
            )

    def _called(self, document: Document) -> Iterator[tuple[Operation, Call]]:
        for operation in document.operations:
            if operation.id in self.calls:
                yield operation, self.calls[operation.id]


def _around_all(schema):
    for limit in sorted(LIMITS & schema.keys()):
        yield from around(limit, schema)


def around(limit, schema):
    """The last value that a limit allows and the first that it forbids, each with whether it is
    allowed.

    A length of which the pattern has no text is not allowed anyway: it is left out.
    """
    at, step = schema[limit], 1 if limit.startswith("max") else -1
    values = [(at, True), (at + step, False)]
    if limit in ("minimum", "maximum"):
        return values
    texts = []
    for length, allowed in values:
        text = text_of_length(schema, length) if length > 0 else None
        if text is not None:
            texts.append((text, allowed))
        elif length > 0 and not allowed:
            texts.append(("1" * length, False))
    return texts


class Trial:
    """What a client does with values of one argument.

    Attributes:
        is_of_place: Whether one of the values was sent at the place.
        is_elsewhere: Whether one of them was sent, and not at the place.
    """

    def __init__(
        self,
        filled: Filled,
        place,
        exchange: Exchange,
        path: ArgumentPath,
        values,
    ):
        self._filled, self._place = filled, place
        self._arguments, self._path = exchange.arguments, path
        self._usual = [*map(str, exchange.sent[place])]
        self.is_of_place = self.is_elsewhere = False
        self._results = [(value, allowed, self._taken(value)) for value, allowed in values]

    def _taken(self, value):
        """Whether a value is sent.

        A second call has no other arguments than those that are needed: one of them may refuse the
        value, as the other end of a range does.
        """
        changed = with_value(self._arguments, self._path, value)
        for arguments in (changed, self._filled.bare(changed, self._path)):
            exchange = self._filled.exchange(arguments)
            sent = [*map(str, exchange.sent.get(self._place, []))]
            if str(value) in sent:
                self.is_of_place |= sent != self._usual
                return True
            self.is_elsewhere |= exchange.is_made
        return False

    def problems(self, name, call: Call, file):
        """Where the client does something else than the document says, one sentence each."""
        for value, allowed, taken in self._results:
            if taken != allowed:
                theirs, ours = ("allows", "refuses") if allowed else ("forbids", "takes")
                yield (
                    f"{name}: the document {theirs} {_counted(value)}, and {call.name} {ours} it. "
                    f"Change the check, or name the place in `unlimited` of {file} with the reason."
                )


def _trial(place, calls: list[tuple[Filled, Exchange]], values) -> Trial | None:
    """The values, each tried as the argument that is sent at a place; None: no argument is."""
    first = None
    for filled, exchange in calls:
        for path in filled.paths_of(place, exchange):
            trial = Trial(filled, place, exchange, path, values)
            if trial.is_of_place:
                return trial
            first = first if trial.is_elsewhere else first or trial
    return first


def _counted(value):
    """A value in a message: of a text, how long it is."""
    if not isinstance(value, str):
        return f"{value}"
    return f"{len(value)} character{'s' if len(value) != 1 else ''}"
