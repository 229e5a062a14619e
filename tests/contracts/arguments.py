"""The arguments of a call, as samples that a test can change one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from inspect import Parameter
from typing import Any, NamedTuple

from victor_ext.providers import Money
from victor_ext.typed import Part

Path = tuple[str | int, ...]
"""The argument, and the fields and items in it that lead to a value."""


class Open(NamedTuple):
    """An argument, or a field of a request object, that nobody has given a value."""

    path: Path
    annotation: str

    @property
    def name(self):
        """Its name, without what leads to it."""
        return str(self.path[-1])


def steps(sample):
    """The fields of a request object, the members of an object, or the items of a list."""
    if isinstance(sample, Part):
        yield from ((each.name, getattr(sample, each.name)) for each in open_fields(type(sample)))
    elif isinstance(sample, Mapping):
        yield from sample.items()
    elif isinstance(sample, list):
        yield from enumerate(sample)


def open_fields(kind: type[Part]) -> list[Open]:
    """The fields of a class of request objects."""
    known = kind
    return [Open((each.name,), str(each.type)) for each in fields(known) if each.init]


def with_value(whole, path: Path, value):
    """A sample with another value at the end of a path."""
    if not path:
        return value
    step, *rest = path
    if isinstance(whole, Money):
        return Money(value, whole.currency)
    changed = with_value(dict(steps(whole)).get(step), tuple(rest), value)
    if isinstance(whole, list):
        return [changed if place == step else each for place, each in enumerate(whole)]
    if isinstance(whole, Part):
        part = whole
        return replace(part, **{str(step): changed})
    return {**whole, step: changed}


def values_in(sample, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The values of a sample that hold no others, each as it is sent."""
    for step, each in steps(sample):
        yield from values_in(each, (*path, step))
    if isinstance(sample, list) and sample and not isinstance(sample[0], Part):
        yield path, sample
    elif isinstance(sample, Money):
        yield (*path, "minor_units"), sample.minor_units
    elif isinstance(sample, date):
        yield path, sample.isoformat()
    elif isinstance(sample, str | int | float | Decimal):
        yield path, sample


def open_in(sample, path: Path = ()) -> Iterator[Open]:
    """The fields of the request objects in a sample that have no value."""
    if isinstance(sample, Part):
        for each in open_fields(type(sample)):
            if getattr(sample, each.name) is None:
                yield Open((*path, each.name), each.annotation)
    if isinstance(sample, Part | list):
        for step, each in steps(sample):
            yield from open_in(each, (*path, step))


def open_arguments(parameters: Mapping[str, Parameter], samples) -> Iterator[Open]:
    """The arguments without a value, and the fields in the others."""
    for name, parameter in parameters.items():
        if name in samples:
            yield from open_in(samples[name], (name,))
        else:
            yield Open((name,), str(parameter.annotation))


def classes_in(annotation, modules) -> Iterator[type[Part]]:
    """The classes of request objects that the type of an argument names."""
    for word in annotation.replace("[", " ").replace("]", " ").replace("|", " ").split():
        for module in modules:
            kind = getattr(module, word.rpartition(".")[2], None)
            if isinstance(kind, type) and issubclass(kind, Part):
                yield kind
                break
