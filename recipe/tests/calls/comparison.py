"""What a value is in the classes of a package, and what the calls of the package have shown."""

import re
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import Literal, NamedTuple

import attrs

from victor_spec.tree import is_list

from .expected import difference
from .package import Package, is_model, misread
from .schemas import Direction, Made, Maker, Node, NoValueError, Number, Schemas, Word, bare

MOST_VALUES = 8
"""Of one schema, whose unions take their members in turn."""


class Fault(NamedTuple):
    """What a package does otherwise than its document says, or what it lacks."""

    kind: Literal["missing", "wrong"]
    place: str
    """The dotted path in the document: `paths./x.get.responses.200`."""
    what: str
    words: tuple[str, ...] = ()
    """What a line about something left out contains when it is about the same thing."""

    def line(self):
        return f"{self.kind}: {self.place}: {self.what}"

    def is_in(self, left_out):
        """Whether a line is about this fault: it has each word, and not as a part of another."""
        words = [rf"(?<![\w-]){re.escape(word)}(?![\w/{{-])" for word in self.words]
        return bool(words) and all(re.search(word, left_out, re.IGNORECASE) for word in words)


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
    """The places of which no value was made that jsonschema admits."""

    def missing(self, place, what, *words):
        """Add a part of the document that the package lacks."""
        self.faults.setdefault((place, what), Fault("missing", place, what, words))

    def wrong(self, place, what, *words):
        """Add what the package does otherwise than the document says; once, where two values are
        sent wrong in the same way.
        """
        first_words = " ".join(what.split()[:3])
        self.faults.setdefault((place, first_words), Fault("wrong", place, what, words))

    def beside(self, left_out) -> list[Fault]:
        """The faults that no line about something left out is about."""
        return [each for each in self.faults.values() if not any(map(each.is_in, left_out))]

    def lines(self):
        return [each.line() for each in self.faults.values()]


class Comparison:
    """Of values of a document with what one package makes of them."""

    def __init__(self, schemas: Schemas, package: Package, verdict: Verdict):
        self.schemas = schemas
        self.package = package
        self.verdict = verdict
        self._tried = set()
        self._queue = []

    def maker(self, direction: Direction, *seed, **options) -> Maker:
        """Values of a seed: the same in every run."""
        return Maker(self.schemas, direction, Random(repr(seed)), **options)

    def values(self, node: Node, direction: Direction, **options):
        """Values of a schema: each alternative, more than one of each, and what is required."""
        for number in range(min(max(len(self.schemas.alternatives(node.tree)), 2), MOST_VALUES)):
            maker = self.maker(direction, node.place, number, **options)
            try:
                yield maker.of(node, number)
                if number == 0 and maker.as_json:  # a form without fields has no content type
                    yield maker.of(node, number, full=False)
            except NoValueError:
                self.verdict.unjudged.add(node.place)

    def compare(self, node: Node, value, decoded):
        """Compare a value with what it is read as; and then each class in it on its own, with
        values of its schema that are read, written, and built by the constructor.
        """
        self._compare(node.place, value, decoded)
        while self._queue:
            made, model, is_in_union = self._queue.pop()
            for again in self.values(Node(made.schema, made.place), "received"):
                if not isinstance(again, Made):
                    continue
                why = _difference_of_class(model, bare(again))
                if why:
                    self.verdict.wrong(made.place, f"{model.__name__} {why}")
                elif not made.others and not made.is_loose:
                    decoded_again = model.from_dict(bare(again))
                    self._compare_model(again, decoded_again, is_in_union=is_in_union)

    def lose_words(self, place, words, known):
        """Report the words of an enum that the package does not have."""
        lost = [repr(word) for word in words if word not in known]
        if lost:
            self.verdict.plain.add(f"{place}: no enum value {', '.join(lost)}")

    def _compare(
        self,
        place,
        value,
        decoded,
        *,
        is_in_union=False,
        is_loose=False,
    ):
        """Compare a value with what it is read as. In a union, a class may be that of another
        alternative; it is `is_loose` where that admits the value, too: then its members, and what
        is below them, may have no attributes.
        """
        where = {"is_in_union": is_in_union, "is_loose": is_loose}
        if is_list(value) and is_list(decoded) and len(value) == len(decoded):
            for item, own in zip(value, decoded, strict=True):
                self._compare(f"{place}[]", item, own, **where)
        elif isinstance(value, Made) and is_model(decoded):
            self._compare_model(value, decoded, **where)
        elif is_loose or getattr(value, "is_loose", False):
            return
        elif isinstance(value, Word | Number):
            known = [member.value for member in type(decoded)] if isinstance(decoded, Enum) else []
            self.lose_words(place, value.words, known)
        elif isinstance(value, Made) and value.keys() & value.declared:
            kind = type(decoded).__name__
            self.verdict.plain.add(f"{value.place}: its fields are not attributes, but a {kind}")

    def _compare_model(self, value: Made, decoded, *, is_in_union=False, is_loose=False):
        model = type(decoded)
        attributes = self.package.attributes(model)
        is_loose |= value.is_loose or self._is_another(value, attributes)
        is_in_union |= is_loose
        admitted = self.schemas.all_names if is_in_union else value.declared | value.names
        where = {"is_in_union": is_in_union or bool(value.others), "is_loose": is_loose}
        for name in attributes.keys() - admitted:
            what = f"{model.__name__} writes {name}, which the document does not declare"
            self.verdict.wrong(f"{value.place}.{name}", what)
        free = decoded.additional_properties
        lost = misread(decoded)
        for name, child in value.items():
            attribute = attributes.get(name)
            inner = f"{value.place}.{name}"
            if attribute is not None and attribute not in lost and name not in free:
                self._compare(inner, child, getattr(decoded, attribute), **where)
            elif not is_loose and name in value.declared and child is not None:
                self.verdict.plain.add(f"{inner}: no attribute of {model.__name__} holds it")
            elif name in free:
                self._compare(inner, child, free[name], **where)
        if not is_loose and (id(value.schema), model) not in self._tried:
            self._tried.add((id(value.schema), model))
            self._queue.append((value, model, is_in_union))

    def _is_another(self, value: Made, attributes):
        """Whether the class may be that of another alternative, which admits the value, too."""
        own = len(value.declared ^ attributes.keys())
        return any(
            len(names ^ attributes.keys()) <= own
            and self.schemas.is_valid(other, value, "received")
            for other, names in value.others
        )


def _difference_of_class(model, value):
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
