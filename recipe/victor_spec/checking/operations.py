"""The operations of a document: parameters, bodies, answers and servers, with every reference
followed.
"""

import re
from typing import Any, NamedTuple
from urllib.parse import urljoin

import httpx

from victor_spec import tree
from victor_spec.tree import is_list

from .views import Document, Node

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


class Parameter:
    """A parameter; `style` and `explode` with the defaults of the specification."""

    def __init__(self, document: Document, place: str, whole: Node) -> None:
        given = whole.tree
        self.place, self.location, self.name = place, str(given["in"]), str(given["name"])
        self.required = self.location == "path" or bool(given.get("required"))
        self.style = str(
            given.get("style") or ("form" if self.location in ("query", "cookie") else "simple")
        )
        self.explode = (
            bool(given["explode"]) if "explode" in given else self.style in ("form", "cookie")
        )
        content = document.follow(whole).mapping("content")
        self.content_type = next(iter(content), None)
        """A value in this content type, instead of a style."""
        schema = next(iter(content.values()), whole).child("schema")
        self.schema = Node(schema.tree, place)
        self.examples = examples(document, whole, schema)


class Medium:
    """A body in one content type."""

    def __init__(self, document: Document, place: str, content_type: str, whole: Node) -> None:
        self.place, self.content_type = place, content_type
        self.bare, self.is_json = tree.bare_type(content_type), tree.is_json(content_type)
        self.schema = Node(whole.child("schema").tree, f"{place}.schema")
        self.encoding = whole.mapping("encoding")
        self.examples = examples(document, whole, self.schema)


class Answer(NamedTuple):
    """A documented answer; `media` is empty when it has no body."""

    status: str
    place: str
    media: list[Medium]


class Operation:
    def __init__(self, document: Document, given: tree.Operation) -> None:
        item = Node(given.item, f"paths.{given.path}")
        node = item
        for step in given.step.split(".", 1):
            node = node.child(step)
        self.method, self.path, self.place = given.method, given.path, node.place
        self.title = given.where
        """`GET /path`, as it stands in what is left out."""
        self.identity = str(node.tree.get("operationId") or "")
        self.parameters = _parameters(document, self.path, item, node)
        self.bodies = bodies(document, node)
        self.body_required = bool(document.follow(node.child("requestBody")).tree.get("required"))
        self.answers = [
            Answer(status, answer.place, _media(document, document.follow(answer), answer.place))
            for status, answer in node.mapping("responses").items()
            if re.fullmatch(r"[1-5]\d\d|[1-5][xX][xX]|default", status)
        ]
        shared = base_url(document)
        own = [_address(each, shared) for each in node.items("servers") or item.items("servers")]
        self.server = shared if not own or shared in own else own[0]


def base_url(document: Document) -> str:
    return next((_address(each, SOMEWHERE) for each in document.root.items("servers")), SOMEWHERE)


def operations(document: Document) -> list[Operation]:
    known = tree.operations(document.root.tree)
    return [Operation(document, each) for each in known if each.path.startswith("/")]


def bodies(document: Document, node: Node) -> list[Medium]:
    """The bodies of an operation, a webhook or a callback."""
    return _media(document, document.follow(node.child("requestBody")), f"{node.place}.requestBody")


def _address(server: Node, shared: str) -> str:
    """The URL of a server, with the defaults of its variables; it may be relative to the shared
    one.
    """
    url = str(server.tree.get("url", ""))
    for name, variable in server.mapping("variables").items():
        url = url.replace(f"{{{name}}}", str(variable.tree.get("default", "")))
    whole = urljoin(f"{shared}/", url) if url and tree.is_url(url) else shared
    return (whole if httpx.URL(whole).host else SOMEWHERE).rstrip("/")


def _parameters(document: Document, path: str, item: Node, node: Node) -> list[Parameter]:
    names = re.findall(r"{([^}]+)}", path)
    parameters: dict[tuple[str, str], Parameter] = {}
    for given in [*item.items("parameters"), *node.items("parameters")]:
        whole = document.follow(given)
        location, name = whole.tree.get("in"), whole.tree.get("name")
        if location not in ("path", "query", "header", "cookie") or not isinstance(name, str):
            continue
        ignored = location == "header" and name.lower() in IGNORED_HEADERS
        if not ignored and (location != "path" or name in names):
            key = name.lower() if location == "header" else name  # headers ignore case
            parameters[location, key] = Parameter(
                document, f"{node.place}.parameters.{location}:{name}", whole
            )
    for name in names:
        place = f"{node.place}.parameters.path:{name}"
        implied = Node({"in": "path", "name": name, "schema": {"type": "string"}}, place)
        parameters.setdefault(("path", name), Parameter(document, place, implied))
    return list(parameters.values())


def _media(document: Document, owner: Node, place: str) -> list[Medium]:
    return [
        Medium(document, f"{place}.content.{content_type}", content_type, medium)
        for content_type, medium in owner.mapping("content").items()
        if "/" in content_type  # not `examples` that stands a level too high
    ]


def examples(document: Document, owner: Node, schema: Node) -> list[Any]:
    """The values of `example` and `examples`, here and in the schema."""
    values = [owner.tree["example"]] if owner.tree.get("example") is not None else []
    for example in owner.mapping("examples").values():
        whole = document.follow(example).tree
        if "value" in whole:
            values.append(whole["value"])
    whole = document.follow(schema).tree
    if whole.get("example") is not None:
        values.append(whole["example"])
    if is_list(whole.get("examples")):
        values += whole["examples"]
    return values
