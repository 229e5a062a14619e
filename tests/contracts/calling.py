"""The calls of a client: each is made with every argument that it has, and answered with all that
the document declares.
"""

from __future__ import annotations

import copy
import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from inspect import Parameter, signature
from operator import attrgetter
from typing import Any

import httpx

from victor_ext import VictorError
from victor_ext._runtime.client.records import Record
from victor_ext.providers import Money
from victor_ext.typed import Part

from .arguments import Open, Path, classes_in, open_arguments, open_fields, values_in, with_value
from .document import Document, Leaf, Operation
from .samples import argument_for

Samples = Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """How a client makes one operation.

    Attributes:
        name: The method, such as `payees.list`; or the class that makes the call by itself.
        given: The arguments whose values the document does not tell. Several, where arguments
            exclude each other. The other arguments have values of the document.
        answer: Members that a good answer needs, over what the document's schema gives: the id that
            was asked for.
        has_record: False for an answer that callers do not see, such as a token.
        method: The method, where `name` is none.
        also: Another method that makes the operation.
    """

    name: str
    given: tuple[Samples, ...] = ({},)
    answer: Mapping[str, Any] = field(default_factory=dict)
    has_record: bool = True
    method: str = ""
    also: Call | None = None

    @classmethod
    def of(
        cls,
        name,
        /,
        answer=None,
        *,
        has_record=True,
        **given,
    ) -> Call:
        """A call of the method with these arguments."""
        return cls(name, (given,), answer or {}, has_record)

    def on(self, client):
        """The method of a client."""
        return attrgetter(self.method or self.name)(client)


def snake_case(member):
    """The attribute that a member has by default: `payee_id` of `payeeId`."""
    return re.sub("(?<=[a-z0-9])[A-Z]", lambda capital: f"_{capital[0]}", member).lower()


class Crash(str):
    """What a call raised that is no error of this package: a value of a wrong type was tried."""

    __slots__ = ()


Answers = Mapping[str, Any]


def answers_of(contract, document: Document) -> Answers:
    """By operation id, the bodies of good answers, with all that the document declares."""
    answers = {}
    for each in document.operations:
        schema = each.answer[1]
        body = None if schema is None else document.value(schema)
        known = contract.calls.get(each.id)
        answers[each.id] = with_members(body, known.answer if known else {})
    return answers


class Exchange:
    """One call, answered with all that the document declares."""

    def __init__(
        self,
        contract,
        document: Document,
        operation: Operation,
        call: Call,
        arguments: Samples,
        answers: Answers,
    ):
        self._contract, self._document, self._operation = contract, document, operation
        self._call = call
        self.arguments = arguments
        self._answers = answers
        self.sent = {}
        """The values of the request, by their places."""
        self.is_made = False
        """Whether the operation was called at all."""
        self.result = self._run(self._answers)

    def readers(self, leaf: Leaf):
        """The members of the result that change when an answer lacks this value."""
        body = _without(self._answers[self._operation.id], leaf.path)
        result = self._run({**self._answers, self._operation.id: body})
        if isinstance(result, VictorError | Crash):
            return {f"refused ({type(result).__name__})"}
        return {
            name for name, _ in set(_members(result)) ^ set(_members(self.result))
        } - self._contract.unrelated

    def _run(self, answers: Answers):
        def answer(request: httpx.Request) -> httpx.Response:
            operation = self._document.operation_of(request)
            assert operation is not None
            body = answers[operation.id]
            if operation is self._operation:
                self.is_made = True
                for place, values in operation.values_in(request).items():
                    self.sent.setdefault(place, []).extend(values)
            headers = (
                {"Location": f"{request.url}/made-1", "Retry-After": "1"}
                if operation.answer[1] is None
                else {}
            )
            given = {} if body is None else {"json": body}
            return httpx.Response(operation.answer[0], headers=headers, **given)

        with self._contract.client(httpx.MockTransport(answer)) as client:
            try:
                result = self._call.on(client)(**self.arguments)
                return (
                    next((page.items for page in result.pages()), ())
                    if hasattr(result, "pages")
                    else result
                )
            except VictorError as error:
                return error
            except Exception as error:  # noqa: BLE001 - the package is not the one that the client was written for
                return Crash(f"{type(error).__name__}: {error}")


class Filled:
    """The calls of one operation with every argument that the method has: the values that the
    contract gives, and values of the document for the others.

    Attributes:
        exchanges: The calls.
        refused: By place, what a call said of the values that were tried for an argument of the
            place's name.
        missing: The arguments that the method needs, and for which no value is known.
    """

    def __init__(
        self,
        contract,
        document: Document,
        operation: Operation,
        call: Call,
        answers: Answers,
    ):
        self._contract, self._document, self._operation = contract, document, operation
        self._answers = answers
        self.call = call
        self.refused = {}
        self.missing = set()
        self.exchanges = [self._started(given) for given in call.given]
        for place in operation.sent:
            if not any(place in each.sent for each in self.exchanges):
                self._reach(place)

    def exchange(self, arguments: Samples) -> Exchange:
        """The call with these arguments."""
        return Exchange(
            self._contract, self._document, self._operation, self.call, arguments, self._answers
        )

    @cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters of the method."""
        with self._contract.client(httpx.MockTransport(lambda _: httpx.Response(500))) as client:
            try:
                return signature(self.call.on(client)).parameters
            except AttributeError:
                return {}

    @property
    def stale(self):
        """The arguments that the contract gives and the method has not."""
        return {name for given in self.call.given for name in given} - self.parameters.keys()

    def bare(self, arguments: Samples, path: Path) -> Samples:
        """The call with the arguments that it needs, and the one that a path begins with."""
        return {
            name: each
            for name, each in arguments.items()
            if name == path[0] or self.parameters[name].default is Parameter.empty
        }

    def paths_of(self, place, exchange: Exchange) -> list[Path]:
        """The arguments that may be sent at a place, the likeliest first: those with its value, and
        those without a value that have its name.
        """
        sent = [*map(str, exchange.sent.get(place, []))]
        arguments = exchange.arguments
        equal = [path for path, value in values_in(arguments) if str(value) in sent]
        named = [
            each.path
            for each in self._open(arguments)
            if fit(place, each.name) and "." not in place
        ]
        return sorted([*equal, *named], key=lambda path: -fit(place, _name_in(path)))

    def _started(self, given: Samples) -> Exchange:
        """The call with the values that the contract gives, and those that it needs."""
        known = {**self._contract.samples, **given}
        arguments = {name: known[name] for name in self.parameters if name in known}
        return self.exchange(self._with_needed(arguments))

    def _with_needed(self, arguments: Samples) -> Samples:
        """The arguments with a value for each that the method, or a request object, needs."""
        for name, parameter in self.parameters.items():
            if parameter.default is Parameter.empty and name not in arguments:
                value = next(self._options(Open((name,), str(parameter.annotation))), None)
                if value is None:
                    self.missing.add(name)
                else:
                    arguments = {**arguments, name: value}
        return arguments

    def _open(self, arguments: Samples) -> list[Open]:
        return [*open_arguments(self.parameters, arguments)]

    def _options(self, each: Open):
        """The values for an argument: of the places with its name, then of those with a name that
        no argument has.
        """
        taken = {*self.parameters} - {each.name}
        places = sorted(self._operation.sent, key=lambda place: -fit(place, each.name))
        for place in places:
            if fit(place, each.name) == _SAME or _last(place) not in taken:
                yield from self._values(place, each)

    def _values(self, place, each: Open):
        """The values for an argument that may be sent at a place."""
        kinds = [*classes_in(each.annotation, self._modules)]
        if kinds:
            part = self._part(kinds[0], place)
            yield [part] if "Sequence" in each.annotation else part
            return
        value = self._document.value(self._operation.sent[place], _last(place))
        if "Mapping" in each.annotation:
            yield {"a-name": "a-value"}
        if "Money" in each.annotation and type(value) is int:
            yield Money(value, "USD")
        yield argument_for(value, each.annotation)

    def _part(self, kind: type[Part], place) -> Part:
        """A request object whose fields have the values of the places beside a place."""
        around = place.rpartition(".")[0]
        beside = [each for each in self._operation.sent if each.startswith(around)]
        values = {}
        for each in open_fields(kind):
            named = next((other for other in beside if fit(other, each.name) == _SAME), None)
            values[each.name] = next(self._values(named, each), None) if named else None
        return kind(**values)

    @property
    def _modules(self):
        """Where the classes of request objects are."""
        names = (
            f"victor_ext.providers.{self._contract.name}",
            f"{self._contract.name}_api.typed.parts",
        )
        return [module for name in names if (module := _module(name)) is not None]

    def _reach(self, place):
        """Give a value to the argument that is sent at a place, if there is one."""
        for index, exchange in enumerate(self.exchanges):
            for changed in self._with_more(place, exchange):
                self.exchanges[index] = changed
                if place in changed.sent:
                    self.refused.pop(place, None)
                    return

    def _with_more(self, place, exchange: Exchange) -> Iterator[Exchange]:
        """The call with a value for one more argument: one that is sent at a place; before, a new
        request object that may have a field for it.
        """
        before = exchange
        by_fit = sorted(self._open(exchange.arguments), key=lambda each: -fit(place, each.name))
        for each in by_fit:
            for value in self._values(place, each):
                changed = self.exchange(with_value(before.arguments, each.path, value))
                if place in changed.sent:
                    yield changed
                    return
                if isinstance(value, Part) and changed.sent.keys() > before.sent.keys():
                    before = changed
                    yield changed
                elif fit(place, each.name) == _SAME and not changed.is_made:
                    self.refused.setdefault(place, f"{each.name}: {changed.result}")


_SAME = 3


def fit(place, name):
    """How well the name of an argument fits that of a place."""
    last = _last(place)
    if last == name:
        return _SAME
    if last.endswith(name) or name.endswith(last):
        return 2
    return 1 if name in last or last in name else 0


def _last(place):
    """The name of a place as that of an argument."""
    name = re.split("[:.]", place.removesuffix("[]"))[-1]
    return snake_case(name.replace("-", "_").replace("[]", ""))


def _name_in(path: Path):
    """The name of the argument or field at the end of a path."""
    names = [step for step in path if isinstance(step, str) and step != "minor_units"]
    return names[-1]


def _module(name):
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None


def _members(result):
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


def _is_record(value):
    """Whether a value is a record, or another class of a provider with members to read."""
    if isinstance(value, Record):
        return True
    is_of_provider = type(value).__module__.startswith("victor_ext.providers")
    return is_of_provider and not isinstance(value, str | int)


def _parent(body, path):
    """The object at the end of a path, such as `content.*`; an empty one where the body has
    none.
    """
    for step in path:
        body = body[0] if step == "*" else body.get(step, {})
    return body


def with_members(body, members):
    """A body with other values at some paths, such as `content.*.payeeId`."""
    body = copy.deepcopy(body)
    for path, value in members.items():
        *way, last = path.split(".")
        if last in (parent := _parent(body, way)):
            parent[last] = value
    return body


def _without(body, path):
    body = copy.deepcopy(body)
    del _parent(body, path[:-1])[path[-1]]
    return body
