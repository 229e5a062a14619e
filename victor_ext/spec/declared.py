"""What a document declares of an operation, as the generated package has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import AnyProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.strings import PythonIdentifier

from .requests import PREFIX, Requests


class Declared(NamedTuple):
    """The members of a generated `Operation`: its function, and what its requests may have."""

    name: str
    method: str
    path: str
    headers: tuple[str, ...]
    members: tuple[str, ...]


def declared(requests: Requests, endpoint: Endpoint) -> Declared:
    """What is declared of an operation that was parsed."""
    names = [parameter.name.get_untrusted_value() for parameter in endpoint.header_parameters]
    request = requests.request_of(endpoint)
    return Declared(
        str(PythonIdentifier(endpoint.name, PREFIX)),
        endpoint.method.upper(),
        endpoint.path.get_untrusted_value().partition("#")[0],
        tuple(name for name in names if request.style("header", name).location == "header"),
        tuple(dict.fromkeys(name for body in endpoint.bodies for name in members(body.prop))),
    )


def arguments(requests: Requests, endpoint: Endpoint) -> str:
    """What is declared of an operation, as arguments of a call in Python."""
    return ", ".join(f"{name}={value!r}" for name, value in declared(requests, endpoint)._asdict().items())


def good_answers(endpoint: Endpoint) -> list[Any]:
    """The documented answers to a call that succeeds."""
    good = [each for each in endpoint.responses if (each.status_code.range or (0,))[0] // 100 == 2]
    return good or [each for each in endpoint.responses if each.is_default()]


def evidence(endpoint: Endpoint) -> dict[str, str]:
    """What a good response has, by its status: the members of an object (one of them is enough), or another body."""
    return {each.status_code.pattern: _body(each) for each in good_answers(endpoint)}


def _body(answer: Any) -> str:
    if answer.source["attribute"] == "None":
        return "no body"
    if names := dict.fromkeys(members(answer.prop)):
        return ", ".join(names)
    if isinstance(answer.prop, AnyProperty):
        return "any JSON"
    kind: str = answer.prop.get_type_string().as_unembedded_code()
    return "a list" if isinstance(answer.prop, ListProperty) else f"a {kind}"


def members(body: Any, levels: int = 1) -> Iterator[str]:
    """The names of the members of a body, on the wire, and of the objects in it; those of each of its kinds."""
    for inner in getattr(body, "inner_properties", ()):
        yield from members(inner, levels)
    for kind in ("required_properties", "optional_properties") if levels else ():
        for each in getattr(body, kind, None) or ():
            yield each.name.get_untrusted_value()
            yield from members(each, levels - 1)
