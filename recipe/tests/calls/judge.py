"""Call all that a package has, with values of the document as it was written, and compare."""

import gc
import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from random import Random
from typing import Any

import attrs

from victor_spec.checking.answers import OperationAnswers, plain
from victor_spec.checking.arguments import CallValues, Probe
from victor_spec.checking.check import check_base_url, probe_of
from victor_spec.checking.expected import difference
from victor_spec.checking.operations import (
    Medium,
    Operation,
    Parameter,
    base_url,
    bodies,
    operations,
)
from victor_spec.checking.package import Caller, Package, PackageError, is_model, misread
from victor_spec.checking.problems import Findings
from victor_spec.checking.requests import TEXTS, is_sent_as_json
from victor_spec.tree import Tree, hooks, is_list
from victor_spec.views import Node

from .schemas import BYTES, Direction, Made, Maker, NoValueError, Number, Schemas, Word, bare

MOST_VALUES = 8
"""Of one schema, whose unions take their members in turn."""


@dataclass
class Verdict:
    """What the calls of one package have shown."""

    findings: Findings = field(default_factory=Findings)
    """What is sent or read otherwise than the document says, and what cannot be called."""
    plain: set[str] = field(default_factory=set[str])
    """The places that have no attribute or no enum in Python, and are read and sent as they are."""
    unjudged: set[str] = field(default_factory=set[str])
    """The places of which no value was made that jsonschema admits."""


class Union(Enum):
    """Whether a value is in a union, and as which of the alternatives it is read."""

    NONE = auto()
    OWN = auto()
    """As the one that it was made of. But a class within it may be that of another one."""
    OTHER = auto()
    """As another one, which may be right: its members may have no attributes."""


class Judge:
    """What is compared with the schemas of a document, of one package."""

    def __init__(self, document: Any, package: Package, verdict: Verdict) -> None:
        self.document = document
        self.package = package
        self.verdict = verdict
        self.findings = verdict.findings
        self._tried: set[tuple[int, Any]] = set()
        self._queue: list[tuple[Made, Any, Union]] = []

    def maker(self, direction: Direction, *seed: object, **options: Any) -> Maker:
        """Values of a seed: the same in every run."""
        return Maker(self.document, direction, Random(repr(seed)), **options)

    def values(
        self, node: Node, direction: Direction, most: int = MOST_VALUES, **options: Any
    ) -> Iterator[Any]:
        """Values of a schema: each alternative, more than one of each, and what is required."""
        least = 2
        numbers = range(min(max(len(self.document.shapes(node.tree)), least), most))
        for number in numbers:
            maker = self.maker(direction, node.place, number, **options)
            try:
                yield maker.of(node, number)
                if number == 0 and maker.as_json:  # a form without fields has no content type
                    yield maker.of(node, number, full=False)
            except NoValueError:
                self.verdict.unjudged.add(node.place)

    def compare(self, node: Node, value: Any, decoded: Any) -> None:
        """Compare a value with what it is read as, and then each class in it on its own."""
        self._compare(node.place, value, decoded)
        while self._queue:
            self._try(*self._queue.pop())

    def _compare(self, place: str, value: Any, decoded: Any, union: Union = Union.NONE) -> None:
        """Compare a value with what it is read as, in a place that is in no union, or in one."""
        if is_list(value) and is_list(decoded) and len(value) == len(decoded):
            for item, own in zip(value, decoded, strict=True):
                self._compare(f"{place}[]", item, own, union)
        elif isinstance(value, Made) and is_model(decoded):
            self._compare_model(value, decoded, union)
        elif union is Union.OTHER:
            return
        elif isinstance(value, Word | Number):
            known = [member.value for member in type(decoded)] if isinstance(decoded, Enum) else []
            lost = [repr(word) for word in value.words if word not in known]
            if lost:
                self.verdict.plain.add(f"{place}: no enum value {', '.join(lost)}")
        elif isinstance(value, Made) and value.keys() & value.declared:
            kind = type(decoded).__name__
            self.verdict.plain.add(f"{value.place}: its fields are not attributes, but a {kind}")

    def _compare_model(self, value: Made, decoded: Any, union: Union) -> None:
        model: Any = type(decoded)
        attributes: dict[str, str] = self.package.attributes(model)
        admitted = value.names if union is Union.NONE else self.document.all_names
        for name in attributes.keys() - admitted:
            what = f"{model.__name__} writes {name}, which the document does not declare"
            self.findings.wrong(f"{value.place}.{name}", what)
        if value.others and union is not Union.OTHER:
            union = Union.OTHER if self._is_another(value, attributes) else Union.OWN
        free: dict[str, Any] = decoded.additional_properties
        lost = misread(decoded)
        for name, child in value.items():
            attribute = attributes.get(name)
            inner = f"{value.place}.{name}"
            if attribute is not None and attribute not in lost and name not in free:
                self._compare(inner, child, getattr(decoded, attribute), union)
            elif union is not Union.OTHER and name in value.declared and child is not None:
                self.verdict.plain.add(f"{inner}: no attribute of {model.__name__} holds it")
            elif name in free:
                self._compare(inner, child, free[name], union)
        if union is not Union.OTHER and (id(value.schema), model) not in self._tried:
            self._tried.add((id(value.schema), model))
            self._queue.append((value, model, union))

    def _is_another(self, value: Made, attributes: dict[str, str]) -> bool:
        """Whether the class may be that of another alternative, which admits the value, too."""
        own = len(value.declared ^ attributes.keys())
        return any(
            len(names ^ attributes.keys()) <= own
            and self.document.is_valid(schema, value, "received")
            for schema, names in value.others
        )

    def _try(self, made: Made, model: Any, union: Union) -> None:
        """Read values of a schema by a class, write them, and build the same by the constructor."""
        for value in self.values(Node(made.schema, made.place), "received"):
            if not isinstance(value, Made):
                continue
            value.names |= made.names
            why = _difference_of_class(model, bare(value))
            if why:
                self.findings.wrong(made.place, f"{model.__name__} {why}")
            else:
                value.others += made.others
                self._compare_model(value, model.from_dict(bare(value)), union)


def _difference_of_class(model: Any, value: Tree) -> str:
    """How a class gives back another value than it has read; "" where it does not."""
    try:
        decoded = model.from_dict(value)
        why = difference(value, decoded.to_dict())
        if why is not None:
            return f"gives back another value than it read: {why}"
        fields = [each for each in attrs.fields(model) if each.init]
        built = model(**{each.alias: getattr(decoded, each.name) for each in fields})
        built.additional_properties = decoded.additional_properties
        if built.to_dict() != decoded.to_dict():
            return "built by its constructor is another value"
    except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
        return f"raises {type(error).__name__}: {error}"
    return ""


class OperationCalls(OperationAnswers):
    """The calls of one operation."""

    document: Any
    models: Any

    def _calls(self) -> Iterator[CallValues]:
        media: list[Medium | None] = [*self.operation.bodies] or [None]
        for number in range(2):
            every = [(each, self._value(each, number)) for each in self.operation.parameters]
            for medium in media:
                for body in self._bodies_of(medium):
                    yield CallValues(every, medium, body)
        required = self._required()
        yield required
        yield from self._examples_of_parameters(required)
        yield from self._examples_of_bodies(required)

    def _bodies_of(self, medium: Medium | None) -> Iterator[Any]:
        if medium is None or not _has_values(medium, self.document):
            yield self._body(medium, 0)
            return
        options: dict[str, Any] = {} if medium.is_json else {"as_json": False, "levels": 2}
        yield from self.models.values(medium.schema, "sent", **options)

    def _bodies(self, medium: Medium, body: Any) -> list[Any]:
        return super()._bodies(medium, bare(body))

    def _is_valid(self, schema: Node, value: Any) -> bool:
        return bool(self.document.is_valid(schema.tree, value, "sent"))

    def _value(self, parameter: Parameter, number: int) -> Any:
        text = TEXTS[parameter.location] if parameter.content_type is None else "text"
        position = self.operation.parameters.index(parameter)
        maker = self.models.maker(
            "sent",
            *(parameter.place, number),
            text=f"{text}{position}",
            as_json=False,
            levels=1,
        )
        return bare(maker.of(parameter.schema, number))

    def _body(self, medium: Medium | None, number: int, full: int = 2) -> Any:
        if medium is None:
            return None
        if medium.bare.startswith("text/") and not medium.is_json:
            return "text"
        if not _has_values(medium, self.document):
            return BYTES
        options: dict[str, Any] = {} if medium.is_json else {"as_json": False, "levels": 2}
        maker = self.models.maker("sent", medium.place, number, **options)
        return maker.of(medium.schema, number, full=full > 0)

    def _values(self, medium: Medium) -> Iterator[Any]:
        yield from self.models.values(medium.schema, "received")
        for example in medium.examples[:5]:
            if self.document.is_valid(medium.schema.tree, example, "received"):
                yield example


def _has_values(medium: Medium, document: Any) -> bool:
    """Whether a body is made of a value, and is no text or file."""
    return "form" in medium.bare or medium.bare == "*/*" or is_sent_as_json(medium, document)


def judged(tree: Tree, folder: Path) -> Verdict:
    """What the package in a folder does otherwise than its document says."""
    verdict = Verdict()
    gc.collect()
    document: Any = Schemas(tree)
    declared = operations(document)
    servers = {each.server for each in declared}
    base = servers.pop() if len(servers) == 1 else base_url(document)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of httpx, about cookies in a request
        try:
            with Package(folder) as package, Caller(package, base) as caller:
                judge: Any = Judge(document, package, verdict)
                check_base_url(judge)
                probes = [Probe(function, caller) for function in package.functions]
                for operation in declared:
                    _call(operation, probes, caller, judge)
                _receive(judge)
                verdict.findings.calls = caller.calls
        except PackageError as error:
            verdict.findings.wrong("the package", str(error))
    return verdict


def _call(operation: Operation, probes: list[Probe], caller: Caller, judge: Any) -> None:
    """Call the function of an operation."""
    probe = probe_of(operation, probes)
    if probe is None:
        what = "the package has no function for it"
        judge.findings.missing(operation.place, what, operation.title)
        return
    try:
        calls = OperationCalls(operation, probe, caller, judge)
        calls.check_requests()
        calls.check_answers()
    except NoValueError as error:
        judge.verdict.unjudged.add(str(error))


def _receive(judge: Any) -> None:
    """Read bodies of each webhook."""
    for hook in hooks(judge.document.root.tree):
        media = [
            each for each in bodies(judge.document, Node(hook.tree, hook.place)) if each.is_json
        ]
        for medium in media[:1]:
            for value in judge.values(medium.schema, "received"):
                if isinstance(value, Made) and not value.keys() & value.declared:
                    continue  # what no member tells is refused
                try:
                    webhooks = judge.package.load("webhooks")
                    decoded = webhooks.read_webhook(json.dumps(value), name=hook.name)
                except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
                    what = f"read_webhook raises {type(error).__name__}: {error}"
                    judge.findings.missing(hook.place, what)
                    break
                why = difference(value, plain(decoded))
                if why is not None:
                    judge.findings.wrong(hook.place, why)
                judge.compare(medium.schema, value, decoded)
