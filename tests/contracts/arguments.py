"""The arguments of a call, as samples that a test can change one by one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from inspect import Parameter
from typing import Any

from victor_ext.providers import Money

Path = tuple[str | int, ...]
"""The argument, and the fields and items in it that lead to a value."""


class Part:
    """A request object that is made when it is needed: its class may have other fields in a newer
    package.
    """

    def __init__(self, kind: type[Any], /, **values: Any) -> None:
        self.kind, self.values = kind, values

    def names(self) -> list[str]:
        """The fields of its class."""
        return [each.name for each in fields(self.kind) if each.init]

    def needs(self, name: str) -> bool:
        """Whether a field has no default."""
        (field,) = (each for each in fields(self.kind) if each.name == name)
        missing = dataclasses.MISSING
        return field.default is missing and field.default_factory is missing

    def annotation(self, name: str) -> str:
        """The type of a field, as it is written."""
        (field,) = (each for each in fields(self.kind) if each.name == name)
        return str(field.type)


def made(sample: Any) -> Any:
    """What a sample stands for, with the fields that its classes have."""
    if isinstance(sample, Part):
        known = sample.names()
        return sample.kind(
            **{name: made(each) for name, each in sample.values.items() if name in known}
        )
    return [made(each) for each in sample] if isinstance(sample, list) else sample


def with_value(whole: Any, path: Path, value: Any) -> Any:
    """A sample with another value at the end of a path."""
    if not path:
        return value
    step, *rest = path
    if isinstance(whole, Part):
        changed = with_value(whole.values.get(str(step)), tuple(rest), value)
        return Part(whole.kind, **{**whole.values, str(step): changed})
    if isinstance(whole, list):
        return [
            with_value(each, tuple(rest), value) if place == step else each
            for place, each in enumerate(whole)
        ]
    if isinstance(whole, Money):
        return Money(value, whole.currency)
    return {**whole, step: with_value(whole.get(step), tuple(rest), value)}


def values_in(sample: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The values of a sample that hold no others, each as it is sent."""
    if isinstance(sample, Part):
        sample = sample.values
    if isinstance(sample, Mapping):
        for name, each in sample.items():
            yield from values_in(each, (*path, name))
    elif isinstance(sample, list):
        for place, each in enumerate(sample):
            yield from values_in(each, (*path, place))
        if sample and not isinstance(sample[0], Part):
            yield path, sample
    elif isinstance(sample, Money):
        yield (*path, "minor_units"), sample.minor_units
    elif isinstance(sample, date):
        yield path, sample.isoformat()
    elif isinstance(sample, str | int | float | Decimal):
        yield path, sample


@dataclass(frozen=True)
class Open:
    """An argument, or a field of a request object, that nobody has given a value."""

    path: Path
    annotation: str
    is_needed: bool

    @property
    def name(self) -> str:
        """Its name, without what leads to it."""
        return str(self.path[-1])

    def __str__(self) -> str:
        return ".".join(step for step in self.path if isinstance(step, str))


def open_in(sample: Any, path: Path = ()) -> Iterator[Open]:
    """The fields of the request objects in a sample that have no value."""
    if isinstance(sample, Part):
        for name in sample.names():
            if name not in sample.values:
                yield Open((*path, name), sample.annotation(name), sample.needs(name))
            yield from open_in(sample.values.get(name), (*path, name))
    elif isinstance(sample, list):
        for place, each in enumerate(sample):
            yield from open_in(each, (*path, place))


def open_arguments(
    parameters: Mapping[str, Parameter], samples: Mapping[str, Any]
) -> Iterator[Open]:
    """The arguments without a value, and the fields in the others."""
    for name, parameter in parameters.items():
        if name in samples:
            yield from open_in(samples[name], (name,))
        else:
            is_needed = parameter.default is Parameter.empty
            yield Open((name,), str(parameter.annotation), is_needed)


def unknown_in(sample: Any, name: str) -> Iterator[str]:
    """The fields that a sample has and its class has not, with what leads to them."""
    if isinstance(sample, Part):
        known = sample.names()
        for field, each in sample.values.items():
            if field not in known:
                yield f"{name}.{field}"
            yield from unknown_in(each, f"{name}.{field}")
    elif isinstance(sample, list):
        for each in sample:
            yield from unknown_in(each, name)


def classes_in(annotation: str, modules: list[Any]) -> Iterator[type[Any]]:
    """The classes of request objects that the type of an argument names."""
    for word in annotation.replace("[", " ").replace("]", " ").replace("|", " ").split():
        for module in modules:
            kind = getattr(module, word.rpartition(".")[2], None)
            if isinstance(kind, type) and is_dataclass(kind) and kind is not Money:
                yield kind
                break
