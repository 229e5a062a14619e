"""The operations of a document: parameters, bodies, answers and servers, with every reference followed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import httpx

from victor_ext.spec.tree import METHODS, is_list, is_mapping

from .views import Document, Node

IGNORED_HEADERS = ("accept", "content-type", "authorization", "content-length", "transfer-encoding", "connection")
"""Parameters of the first three "shall be ignored" (OpenAPI, Parameter Object); HTTP clients compute the others."""
SOMEWHERE = "https://server.example"
"""The server of a document that names none, or only a path."""


@dataclass
class Parameter:
    """A parameter; `style` and `explode` with the defaults of the specification."""

    place: str
    location: str
    name: str
    schema: Node
    style: str
    explode: bool = False
    required: bool = False
    content_type: str | None = None
    """A value in this content type, instead of a style."""
    examples: list[Any] = field(default_factory=list[Any])


@dataclass
class Medium:
    """A body in one content type."""

    content_type: str
    schema: Node
    has_schema: bool
    encoding: dict[str, Node]
    place: str
    examples: list[Any]

    @property
    def bare(self) -> str:
        """The content type in lower case, without parameters."""
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def is_json(self) -> bool:
        return self.bare in ("application/json", "text/json") or self.bare.endswith("+json")


@dataclass
class Answer:
    """A documented answer; `media` is empty when it has no body."""

    status: str
    place: str
    media: list[Medium]


@dataclass
class Operation:
    """One method of one path."""

    method: str
    path: str
    place: str
    identity: str | None
    """Its `operationId`."""
    parameters: list[Parameter]
    bodies: list[Medium]
    body_required: bool
    answers: list[Answer]
    server: str

    @property
    def segments(self) -> str:
        """The path without a query or a fragment, which some documents use to tell operations apart."""
        return self.path.partition("#")[0].partition("?")[0]

    @property
    def fixed_query(self) -> str:
        """The query that is a part of the path."""
        return self.path.partition("#")[0].partition("?")[2]

    @property
    def title(self) -> str:
        """`GET /path`, as it stands in what is left out."""
        return f"{self.method.upper()} {self.path}"


@dataclass
class Hook:
    """A request of the provider: a method of a webhook or of a callback."""

    name: str
    title: str
    """`POST webhooks.paid`, as it stands in what is left out."""
    place: str
    media: list[Medium]


def base_url(document: Document) -> str:
    """The document's first server."""
    return _server([document.root], SOMEWHERE)


def operations(document: Document) -> list[Operation]:
    """All operations, in document order."""
    return [
        _operation(document, method, path, item, whole)
        for path, item in document.root.mapping("paths").items()
        if path.startswith("/")
        for whole in [document.follow(item)]
        for method in METHODS
        if is_mapping(whole.tree.get(method))
    ]


def _operation(document: Document, method: str, path: str, item: Node, whole: Node) -> Operation:
    node = Node(whole.child(method).tree, f"{item.place.lstrip('.')}.{method}")
    body = document.follow(node.child("requestBody"))
    identity = node.tree.get("operationId")
    return Operation(
        method,
        path,
        node.place,
        identity if isinstance(identity, str) else None,
        _parameters(document, path, whole, node),
        list(_media(document, body, f"{node.place}.requestBody")),
        body_required=bool(body.tree.get("required")),
        answers=[
            Answer(status, answer.place, list(_media(document, document.follow(answer), answer.place)))
            for status, answer in node.mapping("responses").items()
            if re.fullmatch(r"[1-5]\d\d|[1-5][xX][xX]|default", status)
        ],
        server=_server(_owners(document, node, whole), SOMEWHERE),
    )


def hooks(document: Document) -> Iterator[Hook]:
    """The requests of the provider: those of webhooks, and those of the callbacks of operations."""
    for name, item in document.root.mapping("webhooks").items():
        yield from _hooks_of(document, name, f"webhooks.{name}", item)
    for operation in operations(document):
        node = document.follow(document.root.child("paths", operation.path)).child(operation.method)
        base = operation.identity or f"{operation.method}_{operation.path}"
        for called, callback in node.mapping("callbacks").items():
            whole = document.follow(callback)
            for number, expression in enumerate(whole.tree):
                name = f"{base}.{called}" + (f".{number + 1}" if number else "")
                yield from _hooks_of(document, name, f"callbacks.{name}", whole.child(expression))


def _hooks_of(document: Document, name: str, title: str, item: Node) -> Iterator[Hook]:
    whole = document.follow(item)
    for number, method in enumerate(each for each in METHODS if is_mapping(whole.tree.get(each))):
        node = Node(whole.child(method).tree, f"{item.place.lstrip('.')}.{method}")
        body = document.follow(node.child("requestBody"))
        own = f"{name}.{method}" if number else name
        yield Hook(
            own, f"{method.upper()} {title}", node.place, list(_media(document, body, f"{node.place}.requestBody"))
        )


def _owners(document: Document, node: Node, item: Node) -> list[Node]:
    """Who says where an operation is sent; all servers of the document, in another order, say no more than it does."""
    shared, of_operation, of_path = (
        {str(each.tree.get("url")) for each in owner.items("servers")} for owner in (document.root, node, item)
    )
    own = of_operation or of_path
    return [document.root] if len(own) > 1 and own == shared else [node, item, document.root]


def _server(owners: list[Node], base: str) -> str:
    """The first server of the first owner that has any; one of an operation may be relative to the document's."""
    for number, owner in enumerate(owners):
        for server in owner.items("servers")[:1]:
            url = str(server.tree.get("url", ""))
            for name, variable in server.mapping("variables").items():
                url = url.replace(f"{{{name}}}", str(variable.tree.get("default", "")))
            within = _server(owners[number + 1 :], base) if number + 1 < len(owners) else base
            found = urljoin(f"{within}/", url) if url and _is_url(url) else within
            return (found if httpx.URL(found).host else base).rstrip("/")
    return base


def _is_url(text: str) -> bool:
    """Whether a server can be called; if not (`https://{tenant}.example`, `https://host:<port>`), the client's is."""
    try:
        httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return "{" not in text


def _parameters(document: Document, path: str, item: Node, node: Node) -> list[Parameter]:
    names = re.findall(r"{([^}]+)}", path)
    found: dict[tuple[str, str], Parameter] = {}
    for given in [*item.items("parameters"), *node.items("parameters")]:
        whole = document.follow(given)
        location, name = whole.tree.get("in"), whole.tree.get("name")
        if location not in ("path", "query", "header", "cookie") or not isinstance(name, str):
            continue
        ignored = location == "header" and name.lower() in IGNORED_HEADERS
        if not ignored and (location != "path" or name in names):
            key = name.lower() if location == "header" else name  # headers ignore case
            found[location, key] = _parameter(document, f"{node.place}.parameters.{location}:{name}", whole)
    for name in names:
        place = f"{node.place}.parameters.path:{name}"
        found.setdefault(
            ("path", name), Parameter(place, "path", name, Node({"type": "string"}, place), "simple", required=True)
        )
    return list(found.values())


def _parameter(document: Document, place: str, whole: Node) -> Parameter:
    location, tree = str(whole.tree["in"]), whole.tree
    style = str(tree.get("style") or ("form" if location in ("query", "cookie") else "simple"))
    content = document.follow(whole).mapping("content")
    medium = next(iter(content.values()), None)
    schema = medium.child("schema") if medium is not None else whole.child("schema")
    return Parameter(
        place,
        location,
        str(tree["name"]),
        Node(schema.tree, place),
        style,
        required=location == "path" or bool(tree.get("required")),
        explode=bool(tree["explode"]) if "explode" in tree else style == "form",
        content_type=next(iter(content), None),
        examples=examples(document, whole, schema),
    )


def _media(document: Document, owner: Node, place: str) -> Iterator[Medium]:
    for content_type, medium in owner.mapping("content").items():
        if "/" not in content_type:  # `examples` that stands a level too high
            continue
        where = f"{place}.content.{content_type}"
        schema = Node(medium.child("schema").tree, f"{where}.schema")
        yield Medium(
            content_type,
            schema,
            bool(schema.tree),
            medium.mapping("encoding"),
            where,
            examples(document, medium, schema),
        )


def examples(document: Document, owner: Node, schema: Node) -> list[Any]:
    """The values of `example` and `examples`, here and in the schema."""
    found = [owner.tree["example"]] if owner.tree.get("example") is not None else []
    for example in owner.mapping("examples").values():
        whole = document.follow(example).tree
        if "value" in whole:
            found.append(whole["value"])
    whole = document.follow(schema).tree
    if whole.get("example") is not None:
        found.append(whole["example"])
    if is_list(whole.get("examples")):
        found += whole["examples"]
    return found
