"""What differs between the packages of two documents: the names and types that Python code uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import EnumProperty

from victor_spec.generate import Parsed, operation_module
from victor_spec.members import members_of

from .compare import Level


@dataclass(frozen=True)
class PythonChange:
    """What happened to one name."""

    name: str
    """`api.cards.list_cards(limit)`, `models.Card.price`."""
    what: str
    level: Level


class Name(NamedTuple):
    """What is declared of a public name."""

    type: str
    is_required: bool = False


def python_changes(old: Parsed, new: Parsed) -> list[PythonChange]:
    """What differs in Python, by name. A name that is another one now is gone, and new."""
    return [*_changes(names_of(old), names_of(new))]


def _changes(before: Mapping[str, Name], after: Mapping[str, Name]) -> Iterator[PythonChange]:
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        holder = _holder(name)
        if new is None:
            if not holder or holder in after:  # else it is gone with what it is a part of
                yield PythonChange(name, "is gone", "breaks")
        elif old is None:
            if not holder or holder in before:
                yield _new(name, new)
        elif old.type != new.type:
            is_lost = "Any" in new.type and "Any" not in old.type
            what = f"is {new.type}, not {old.type}"
            yield PythonChange(name, what, "breaks" if is_lost or not holder else "look")
        elif new.is_required and not old.is_required:
            yield PythonChange(name, "is required now", "breaks" if name.endswith(")") else "look")


def _new(name: str, declared: Name) -> PythonChange:
    """The change by which a name is new."""
    if not declared.is_required:
        return PythonChange(name, "is new", "fine")
    return PythonChange(name, "is new and required", "breaks" if name.endswith(")") else "look")


def _holder(name: str) -> str:
    """What a name is a part of; empty for a function or a class."""
    if name.endswith(")"):
        return name.partition("(")[0]
    return name.rpartition(".")[0] if name.count(".") > 1 and name.startswith("models.") else ""


def names_of(made: Parsed) -> dict[str, Name]:
    """The public names of a package; none where there is no package."""
    names: dict[str, Name] = {}
    data = made.data
    if data is None:
        return names
    for tag, collection in data.endpoint_collections_by_tag.items():
        for endpoint in collection.endpoints:
            names |= _of_function(operation_module(tag, endpoint), endpoint)
    for model in data.models:
        owner = f"models.{model.class_info.name}"
        names[owner] = Name("a class")
        for each in members_of(model):
            names[f"{owner}.{each.python_name}"] = Name(_type(each), each.required)
    for enum in data.enums:
        owner = f"models.{enum.class_info.name}"
        names[owner] = Name("an enum")
        if isinstance(enum, EnumProperty):
            names |= {f"{owner}.{word}": Name(repr(value)) for word, value in enum.values.items()}
    return names


def _of_function(module: str, endpoint: Endpoint) -> Iterator[tuple[str, Name]]:
    """A function, its arguments and its result. Arguments of the path may be given by position."""
    positional = [str(each.python_name) for each in endpoint.path_parameters]
    yield module, Name(f"a function of {', '.join(positional)}" if positional else "a function")
    for _, each in endpoint.iter_all_parameters():
        is_required = each.required and each.default is None
        yield f"{module}({each.python_name})", Name(_type(each), is_required)
    if endpoint.bodies:
        types = dict.fromkeys(_type(body.prop) for body in endpoint.bodies)
        yield f"{module}(body)", Name(" | ".join(types), endpoint.bodies[0].prop.required)
    answers = [each for each in endpoint.responses if each.source["attribute"] != "None"]
    yield f"{module}()", Name(" | ".join(sorted({_type(each.prop) for each in answers})) or "Any")


def _type(prop: Any) -> str:
    return str(prop.get_type_string(no_optional=True).as_unembedded_code())
