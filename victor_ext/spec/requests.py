"""What the templates must know of a request, and the generator drops: styles, encodings, content types, servers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from openapi_python_client import strings
from openapi_python_client.parser.openapi import Endpoint

from .tree import Tree

PREFIX = "field_"
"""What the generator puts before a name that does not begin with a letter."""

Key = tuple[str, str]
"""The tag and the name of an operation, as the generator writes them."""


class Style(NamedTuple):
    """How a parameter is sent."""

    location: str
    style: str
    explode: bool
    reserved: bool
    json: bool
    """Whether its value is sent as JSON text."""

    def call(self, name: str, value: str) -> str:
        """The arguments of the function in `serializing` that writes the parameter; both are Python expressions."""
        value = f"_as_json({name}, {value})" if self.json else value
        style = "" if self.style == DEFAULT_STYLES[self.location] else f', "{self.style}"'
        explode = f", explode={self.explode}" if self.explode != EXPLODED[self.location] else ""
        return f"{name}, {value}{style}{explode}{', reserved=True' if self.reserved else ''}"


STYLES = {
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "cookie": ("form",),
    "path": ("simple", "label", "matrix"),
    "header": ("simple",),
}
DEFAULT_STYLES = {location: styles[0] for location, styles in STYLES.items()}
EXPLODED = {location: style == "form" for location, style in DEFAULT_STYLES.items()}
"""The defaults of the functions in `serializing`."""


class Offered(NamedTuple):
    """The content types of an answer besides JSON, which are ranges (`image/*`), too."""

    text: tuple[str, ...]
    """Those that are read as text."""
    file: tuple[str, ...]
    """Those that are read as bytes."""
    json: bool
    """Whether it is offered as JSON, too."""
    json_text: bool
    """Whether the JSON can be a text."""


@dataclass
class Request:
    """One operation."""

    server: str | None = None
    """The URL of its own server, without a slash at its end; None when it has the server of the document."""
    parameters: dict[tuple[str, str], Style] = field(default_factory=dict[tuple[str, str], Style])
    """By the location in the prepared document, and the name."""
    encodings: dict[str, dict[str, list[str]]] = field(default_factory=dict[str, dict[str, list[str]]])
    """By content type: the arguments of each `Encoding`, with the fields that have it."""
    answers: dict[str, Offered] = field(default_factory=dict[str, Offered])
    """By status: the answers that come as JSON or as something else."""

    def style(self, location: str, name: str) -> Style:
        """How a parameter is sent; `location` is the one in the prepared document."""
        style = DEFAULT_STYLES[location]
        usual = Style(location, style, explode=EXPLODED[location], reserved=False, json=False)
        return self.parameters.get((location, name), usual)

    def has(self, location: str) -> bool:
        """Whether a parameter is sent in a location."""
        return any(style.location == location for style in self.parameters.values())


class Hook(NamedTuple):
    """A request of the provider: a webhook or a callback."""

    name: str
    headers: tuple[str, ...]
    """The headers that the document declares."""
    security: tuple[str, ...]
    """What the document requires of it, in words, one text for each alternative."""


HOOKS = "x hooks"
"""The tag of the operations that stand for webhooks and callbacks."""


@dataclass
class Requests:
    """All operations, and the servers of the document."""

    servers: list[str] = field(default_factory=list[str])
    """The absolute URLs of its servers."""
    decimals: bool = False
    """Whether a number is read as a Decimal: then all are read with their digits."""
    base_path: str | None = None
    """The path of its server, when that is a relative URL."""
    hooks: dict[str, Hook] = field(default_factory=dict[str, Hook])
    """By the path that stands for each."""
    hook_endpoints: list[Endpoint] = field(default_factory=list[Endpoint])
    """What the generator made of these paths."""
    of: dict[Key, Request] = field(default_factory=dict[Key, Request])

    def request(self, operation: Tree) -> Request:
        """What is known of an operation of the prepared document."""
        return self.of.setdefault(key(operation), Request())

    def request_of(self, endpoint: Endpoint) -> Request:
        """What is known of a parsed operation."""
        return self.of.get((str(endpoint.tags[0]), str(endpoint.name)), Request())


def key(operation: Tree) -> Key:
    """The key of an operation, whose id is unique in its tag."""
    tag = (operation.get("tags") or ["default"])[0]
    return str(strings.PythonIdentifier(tag, "tag")), str(strings.PythonIdentifier(operation["operationId"], PREFIX))
