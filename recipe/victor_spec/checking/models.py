"""Whether the models of a package hold what the schemas declare.

A decoded value is compared with its schema field by field. Each pair of a schema and a class that
this finds is then tried on its own, with every member of its unions, so that nested schemas need no
deep values.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, cast

import attrs

from victor_spec.tree import is_list, is_mapping
from victor_spec.values import Known, Synthesis, fits
from victor_spec.views import Document, Node, View

from .expected import difference
from .package import Package, is_model, misread
from .problems import Findings, Problem

MAX_TRIALS = 12
"""Values of one schema that are tried, whose unions take their members in turn; and alternatives of
one place.
"""


@dataclass
class _Outcome:
    """A comparison: what is wrong, by place and words, and the classes of its values."""

    losses: dict[tuple[str, str], Problem] = field(default_factory=dict[tuple[str, str], Problem])
    classes: list[tuple[View, Any]] = field(default_factory=list[tuple[View, Any]])
    """The classes that values were read as, each with the alternative of its schema."""
    without_attribute: int = 0
    """Properties of the schema that the class does not have, whether the value has them or not."""
    words: dict[str, bool] = field(default_factory=dict[str, bool])
    """The enum values of the schema, and whether the enum in Python has them."""

    def add(self, other: _Outcome) -> None:
        """Add what is wrong, and the classes, of a value inside the compared one."""
        self.losses |= other.losses
        self.classes += other.classes
        self.without_attribute += other.without_attribute
        self.words |= other.words


class Models:
    def __init__(self, document: Document, package: Package, findings: Findings) -> None:
        self.document = document
        self.package = package
        self.findings = findings
        self._tried = defaultdict[tuple[str, Any], set[int]](set)
        """The alternatives of one place that were tried with a class: nested unions have more than
        anyone can tell.
        """
        self._counted: set[tuple[str, str]] = set()
        self._queue: list[tuple[View, Any]] = []
        self._compared: dict[tuple[int, int, int], _Outcome] = {}
        """The comparisons within one value, by the ids of the alternatives, of the value and of
        what it is read as.
        """
        self._fitting: Known = {}
        """The same for the alternatives that a value fits."""

    def compare(self, node: Node, value: Any, decoded: Any) -> None:
        """Report the declared fields and enum values of a JSON value that its decoded form does not
        have.
        """
        self._report(self._outcome(node, value, decoded))
        while self._queue:
            view, model = self._queue.pop()
            self._try(view, model)

    def _report(self, outcome: _Outcome) -> None:
        """Report an outcome, and queue the classes in it that were not tried yet."""
        self._compared.clear()
        self._fitting.clear()
        for problem in outcome.losses.values():
            if problem.kind == "plain":
                self.findings.add_plain(problem.place, problem.what)
            else:
                self.findings.add(problem)
        for word, present in outcome.words.items():
            self._count("enum values", word, present=present)
        for view, model in outcome.classes:
            tried = self._tried[view.place, model]
            if id(view) not in tried and len(tried) < MAX_TRIALS:
                tried.add(id(view))
                self._queue.append((view, model))

    def _outcome(self, node: Node, value: Any, decoded: Any) -> _Outcome:
        """With the alternative of the schema that the decoded value fits best."""
        if value is None:
            return _Outcome()
        views = self.document.views(node)
        key = id(views), id(value), id(decoded)
        if key not in self._compared:
            self._compared[key] = self._outcome_of_views(views, value, decoded)
        return self._compared[key]

    def _outcome_of_views(self, views: list[View], value: Any, decoded: Any) -> _Outcome:
        """The outcome with the alternative that loses least of the value."""
        if len(views) == 1:
            return self._outcome_of_view(views[0], value, decoded)
        fitting = [view for view in views if fits(self.document, view, value, self._fitting)]
        names: set[str] = {*value} if is_mapping(value) else set()
        tried = fitting or views[:1]
        outcomes = [(view, self._outcome_of_view(view, value, decoded)) for view in tried]

        def misfit(comparison: tuple[View, _Outcome]) -> tuple[int, int, int]:
            view, outcome = comparison
            unknown = names - view.properties.keys()
            return len(outcome.losses), outcome.without_attribute, len(unknown)

        view, best = min(outcomes, key=misfit)
        own = [other for other in views if _is_named(other, decoded)]
        # It is read as the class of another member, which may have all that the value has.
        if own and view not in own:
            best.classes = []
        elif best.without_attribute:
            best.classes = [(other, model) for other, model in best.classes if other is not view]
        return best

    def _outcome_of_view(self, view: View, value: Any, decoded: Any) -> _Outcome:
        """The outcome with one alternative."""
        if is_list(value):
            return self._outcome_of_list(view, value, decoded)
        if not is_mapping(value):
            return self._outcome_of_word(view, value, decoded)
        if is_model(decoded):
            return self._outcome_of_model(view, value, decoded)
        if not value.keys() & view.properties.keys():
            return _Outcome()
        kind = type(decoded).__name__
        return _missing(view.place, f"its fields are not attributes, but a {kind}")

    def _outcome_of_list(self, view: View, value: list[Any], decoded: Any) -> _Outcome:
        """The outcome of a list: those of its items."""
        if not is_list(decoded) or len(decoded) != len(value):
            return _wrong(view.place, f"a list of {len(value)} is read as {type(decoded).__name__}")
        outcome = _Outcome()
        for number, (item, own) in enumerate(zip(value, decoded, strict=True)):
            node = view.prefix[number] if number < len(view.prefix) else view.items
            if node is not None:
                outcome.add(self._outcome(node, item, own))
        return outcome

    def _outcome_of_word(self, view: View, value: Any, decoded: Any) -> _Outcome:
        """The outcome of a text or a number, which may be a value of an enum."""
        words = view.words()
        if value not in words:
            return _Outcome()
        if not isinstance(decoded, Enum):
            return _missing(view.place, f"its {len(words)} enum values have no enum in Python")
        known = [member.value for member in type(decoded)]
        lost = [repr(word) for word in words if word not in known]
        outcome = _Outcome()
        if lost:
            outcome = _missing(view.place, f"no enum value {', '.join(lost)}")
        outcome.words = {f"{view.place}={word!r}": word in known for word in words}
        return outcome

    def _outcome_of_model(self, view: View, value: dict[str, Any], decoded: Any) -> _Outcome:
        """The outcome of an object that is read as a model: what has no attribute is lost."""
        model = cast("Any", type(decoded))
        attributes = self.package.attributes(model)
        outcome = _Outcome(without_attribute=len(view.properties.keys() - attributes.keys()))
        is_telling = not outcome.without_attribute or value.keys() & view.properties.keys()
        if view.properties and is_telling:
            # An empty object tells no class: see `_is_ambiguous`.
            outcome.classes.append((view, model))
        free: dict[str, Any] = decoded.additional_properties
        lost = misread(decoded)
        for name, child in value.items():
            attribute = attributes.get(name)
            is_declared = name in view.properties and child is not None
            if is_declared and (attribute is None or attribute in lost or name in free):
                place = f"{view.place}.properties.{name}"
                outcome.add(_missing(place, f"no attribute of {model.__name__} holds it"))
            elif is_declared and attribute is not None:
                own = getattr(decoded, attribute)
                outcome.add(self._outcome(view.properties[name], child, own))
            elif view.additional is not None and name in free:
                outcome.add(self._outcome(view.additional, child, free[name]))
        return outcome

    def _try(self, view: View, model: Any) -> None:
        """Decode values of a schema by its class, compare them, and build an equal object by the
        constructor.
        """
        lost: set[str] = set()
        tried: set[str] = set()
        for value in self._trials(view):
            if repr(value) in tried:
                continue
            tried.add(repr(value))
            outcome = self._decode(view, model, value)
            start = f"{view.place}.properties."
            lost |= {place.removeprefix(start) for place, _ in outcome.losses}
            self._report(outcome)
        for name in view.properties:
            self._count("properties", f"{view.place}.properties.{name}", present=name not in lost)
        self._count("schemas", view.place, present=True)

    def _trials(self, view: View) -> Iterator[dict[str, Any]]:
        """Values of an object: of each alternative of its properties, which are empty and full."""
        children = view.properties.values()
        most = max([2, *(len(self.document.views(child)) for child in children)])
        unions = {name for name, child in view.properties.items() if self._is_ambiguous(child)}
        an_object = replace(view, types=("object",))  # it may be a text, too
        for number in range(min(most, MAX_TRIALS)):
            for full in (0, 1) if unions else (0,):
                synthesis = Synthesis(self.document, "received", number, as_json=True)
                value = synthesis.of_view(an_object, full=1)
                for name, child in view.properties.items():
                    if name in unions:
                        value[name] = synthesis.of(child, full)
                    elif name not in value:
                        value[name] = synthesis.of(child, 0)
                yield value

    def _is_ambiguous(self, node: Node) -> bool:
        """Whether it is a union, a list of one, or an object that may be empty, which another class
        may read.
        """
        [view, *others] = self.document.views(node)
        if others:
            return True
        if view.items is not None and len(self.document.views(view.items)) > 1:
            return True
        return bool(view.properties) and not view.required

    def _decode(self, view: View, model: Any, value: dict[str, Any]) -> _Outcome:
        """Read a value by a class, write it, and build the same by the constructor; compare all of
        them.
        """
        name = model.__name__
        try:
            decoded = model.from_dict(value)
            why = difference(value, decoded.to_dict())
            if why is not None:
                return _wrong(view.place, f"{name} gives back another value than it read: {why}")
            fields = [field for field in attrs.fields(model) if field.init]
            built = model(**{field.alias: getattr(decoded, field.name) for field in fields})
            built.additional_properties = decoded.additional_properties
            if built.to_dict() != decoded.to_dict():
                return _wrong(view.place, f"{name} built by its constructor is another value")
        except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
            return _wrong(view.place, f"{name} raises {type(error).__name__}: {error}")
        return self._outcome_of_model(view, value, decoded)

    def _count(self, kind: str, place: str, *, present: bool) -> None:
        """Count a part of the document once."""
        if (kind, place) not in self._counted:
            self._counted.add((kind, place))
            self.findings.count(kind, present=present)


def _is_named(view: View, decoded: Any) -> bool:
    """Whether the class of a value has the name of the schema, which is then what it is made of."""
    name = view.place.rpartition(".")[2].lower()
    return type(decoded).__name__.lower() == re.sub(r"[^a-z0-9]", "", name)


def _missing(place: str, what: str) -> _Outcome:
    """The outcome of a part that is read as plain JSON."""
    return _Outcome({(place, what): Problem("plain", place, what)})


def _wrong(place: str, what: str) -> _Outcome:
    """The outcome of a part that the package has otherwise."""
    return _Outcome({(place, what): Problem("wrong", place, what)})
