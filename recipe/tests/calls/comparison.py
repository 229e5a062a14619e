"""What a value is in the classes of a package, and what the calls of the package have shown."""

from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import NamedTuple

import attrs

from victor_spec.tree import is_list

from .package import Package, is_model
from .schemas import TYPED, Made, Maker, Node, Schemas, Word

MOST_VALUES = 8
"""Of one schema, whose unions take their members in turn."""


class Fault(NamedTuple):
    """What a package does otherwise than its document says, or what it lacks."""

    kind: str
    """`missing` or `wrong`."""
    place: str
    """The dotted path in the document: `paths./x.get.responses.200`."""
    what: str
    title: str
    """What a line about a part of the same operation that is left out begins with."""

    def line(self):
        return f"{self.kind}: {self.place}: {self.what}"


@dataclass
class Verdict:
    """What the calls of one package have shown."""

    calls: int = 0
    decoded: int = 0
    """Answers that were read."""
    faults: dict[tuple[str, str], Fault] = field(default_factory=dict)
    """What is sent or read otherwise than the document says, and what cannot be called."""
    plain: set[str] = field(default_factory=set)
    """The places that have no attribute or no enum in Python, and are read and sent as they are."""
    unjudged: set[str] = field(default_factory=set)
    """The places that are too rare to be judged."""

    def add(self, kind, place, what, title=""):
        """Add a fault; once, where two values are sent wrong in the same way."""
        first_words = " ".join(what.split()[:3])
        self.faults.setdefault((place, first_words), Fault(kind, place, what, title))

    def beside(self, left_out) -> list[Fault]:
        """The faults in operations of which no part is left out."""
        lossy = {line.partition(": ")[0] for line in left_out}
        return [each for each in self.faults.values() if each.title not in lossy]

    def lines(self):
        return [each.line() for each in self.faults.values()]


class Comparison:
    """Of values of a document with what one package makes of them."""

    def __init__(self, schemas: Schemas, package: Package, verdict: Verdict):
        self.schemas = schemas
        self.package = package
        self.verdict = verdict
        self._built = set()

    def maker(self, *seed, **options) -> Maker:
        """Values of a seed: the same in every run."""
        return Maker(self.schemas, Random(repr(seed)), **options)

    def values(self, node: Node, **options):
        """Values of a schema: each alternative, more than one of each, and what is required. Raises
        NoValueError.
        """
        for number in range(min(max(len(self.schemas.alternatives(node.tree)), 2), MOST_VALUES)):
            maker = self.maker(node.place, number, **options)
            yield maker.of(node, number)
            if number == 0 and maker.as_json:  # a form without fields has no content type
                yield maker.of(node, number, full=False)

    def compare(self, place, value, decoded):
        """Compare the classes of a value with what it is in Python."""
        if is_list(value) and is_list(decoded) and len(value) == len(decoded):
            for item, own in zip(value, decoded, strict=True):
                self.compare(f"{place}[]", item, own)
        elif isinstance(value, Made):
            self._compare_object(place, value, decoded)
        elif isinstance(value, Word):
            known = [member.value for member in type(decoded)] if isinstance(decoded, Enum) else []
            lost = [repr(word) for word in value.words if word not in known]
            if lost:
                self.verdict.plain.add(f"{place}: no enum value {', '.join(lost)}")
        elif isinstance(value, str) and value in TYPED and isinstance(decoded, str):
            self.verdict.plain.add(f"{place}: {value} is a text")

    def _compare_object(self, place, value: Made, decoded):
        declared = value.way.properties.keys()
        if not is_model(decoded):
            if value.keys() & declared:
                kind = type(decoded).__name__
                self.verdict.plain.add(f"{place}: its fields are not attributes, but a {kind}")
            return
        model = type(decoded)
        self._build(place, decoded)
        attributes = self.package.attributes(model)
        if self._is_another(value, attributes):
            return
        free = decoded.additional_properties
        for name, child in value.items():
            if name in attributes and name not in free:
                self.compare(f"{place}.{name}", child, getattr(decoded, attributes[name]))
            elif name in declared and child is not None:
                self.verdict.plain.add(f"{place}.{name}: no attribute of {model.__name__} holds it")
            elif name in free:
                self.compare(f"{place}.{name}", child, free[name])

    def _is_another(self, value: Made, attributes):
        """Whether the class may be that of another alternative, which admits the value, too."""
        own = len(value.way.properties.keys() ^ attributes.keys())
        return any(
            each.required <= value.keys() and len(each.properties.keys() ^ attributes.keys()) <= own
            for each in value.others
        )

    def _build(self, place, decoded):
        """Compare a model with one of the same values that its constructor makes; once of a
        class.
        """
        model = type(decoded)
        if model in self._built:
            return
        self._built.add(model)
        built = attrs.evolve(decoded)
        built.additional_properties = decoded.additional_properties
        if built.to_dict() != decoded.to_dict():
            what = f"{model.__name__} built by its constructor is another value"
            self.verdict.add("wrong", place, what)
