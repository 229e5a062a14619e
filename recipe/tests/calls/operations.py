"""The operations of a document: parameters, bodies, answers and servers, with every reference
followed.
"""

import re
from typing import NamedTuple
from urllib.parse import urljoin

import httpx

from victor_spec import tree
from victor_spec.tree import DEFAULT_STYLES, EXPLODED_STYLES, list_at

from .schemas import Node, Schemas

IGNORED_HEADERS = (
    "accept",
    "content-type",
    "authorization",
    "content-length",
    "transfer-encoding",
    "connection",
)
"""Parameters of the first three "shall be ignored" (OpenAPI, Parameter Object); HTTP clients
compute the others.
"""
SOMEWHERE = "https://server.example"
"""The server of a document that names none, or only a path."""


class Style(NamedTuple):
    """How a value is sent."""

    name: str
    location: str
    name_of: str
    """The name of the style."""
    explode: bool
    content_type: str | None = None
    """A value in this content type, instead of a style."""

    @property
    def is_flat(self):
        """Whether the properties of an object are fields by themselves."""
        return self.name_of == "deepObject" or (self.name_of in EXPLODED_STYLES and self.explode)


class Parameter:
    def __init__(self, schemas: Schemas, place, whole: Node):
        declared = whole.tree
        self.place = place
        self.location = str(declared["in"])
        self.name = str(declared["name"])
        self.required = self.location == "path" or bool(declared.get("required"))
        style = str(declared.get("style") or DEFAULT_STYLES[self.location])
        explode = bool(declared.get("explode", style in EXPLODED_STYLES))
        content = schemas.follow(whole).mapping("content")
        self.style = Style(self.name, self.location, style, explode, next(iter(content), None))
        schema = next(iter(content.values()), whole).child("schema")
        self.schema = Node(schema.tree, place)


class Medium:
    """A body in one content type."""

    def __init__(self, schemas: Schemas, place, content_type, whole: Node):
        self.place = place
        self.content_type = content_type
        self.bare = tree.bare_type(content_type)
        self.is_json = tree.is_json(content_type)
        self.schema = Node(whole.child("schema").tree, f"{place}.schema")
        self.encoding = whole.mapping("encoding")


class Answer(NamedTuple):
    """A documented answer; `media` is empty when it has no body."""

    status: str
    place: str
    media: list[Medium]


class Operation:
    def __init__(self, schemas: Schemas, declared: tree.Operation):
        item = Node(declared.item, f"paths.{declared.path}")
        node = item
        for step in declared.step.split(".", 1):
            node = node.child(step)
        self.method = declared.method
        self.path = declared.path
        self.place = node.place
        self.title = declared.where
        """`GET /path`, as it stands in what is left out."""
        self.identity = str(node.tree.get("operationId") or "")
        self.parameters = _parameters(schemas, self.path, item, node)
        self.bodies = bodies(schemas, node)
        self.body_required = bool(schemas.follow(node.child("requestBody")).tree.get("required"))
        self.answers = [
            Answer(status, answer.place, _media(schemas, schemas.follow(answer), answer.place))
            for status, answer in node.mapping("responses").items()
            if re.fullmatch(r"[1-5]\d\d|[1-5][xX][xX]|default", status)
        ]
        shared = base_url(schemas)
        servers = list_at(node.tree, "servers") or list_at(item.tree, "servers")
        own = [_address(each, shared) for each in servers]
        self.server = shared if not own or shared in own else own[0]


def base_url(schemas: Schemas):
    """The first server of a document."""
    for server in list_at(schemas.root.tree, "servers"):
        return _address(server, SOMEWHERE)
    return SOMEWHERE


def operations(schemas: Schemas) -> list[Operation]:
    """The operations of a document whose path can be called."""
    known = tree.operations(schemas.root.tree)
    return [Operation(schemas, each) for each in known if each.path.startswith("/")]


def bodies(schemas: Schemas, node: Node) -> list[Medium]:
    """The bodies of an operation, a webhook or a callback."""
    return _media(schemas, schemas.follow(node.child("requestBody")), f"{node.place}.requestBody")


def _address(server, shared):
    """The URL of a server, with the defaults of its variables; it may be relative to the shared
    one.
    """
    url = str(server.get("url", ""))
    for name, variable in tree.mappings_at(server, "variables"):
        url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
    whole = urljoin(f"{shared}/", url) if url and tree.is_callable_url(url) else shared
    return (whole if httpx.URL(whole).host else SOMEWHERE).rstrip("/")


def _parameters(schemas: Schemas, path, item: Node, node: Node) -> list[Parameter]:
    """The parameters of an operation, those of its path included, and those that the path alone
    names.
    """
    names = re.findall(r"{([^}]+)}", path)
    parameters = {}
    for key, declared in tree.parameters(schemas.root.tree, item.tree, node.tree).items():
        whole = schemas.follow(Node(declared, node.place))
        location = whole.tree.get("in")
        name = whole.tree.get("name")
        is_ignored = location == "header" and name.lower() in IGNORED_HEADERS
        if not is_ignored and (location != "path" or name in names):
            place = f"{node.place}.parameters.{location}:{name}"
            parameters[key] = Parameter(schemas, place, whole)
    for name in names:
        place = f"{node.place}.parameters.path:{name}"
        implied = Node({"in": "path", "name": name, "schema": {"type": "string"}}, place)
        parameters.setdefault(f"path:{name}", Parameter(schemas, place, implied))
    return list(parameters.values())


def _media(schemas: Schemas, owner: Node, place) -> list[Medium]:
    """The content types of a body or of a response."""
    return [
        Medium(schemas, f"{place}.content.{content_type}", content_type, medium)
        for content_type, medium in owner.mapping("content").items()
        if "/" in content_type  # not `examples` that stands a level too high
    ]
