"""The operations of a document: parameters, bodies, answers and servers, with every reference followed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import httpx

from victor_ext.spec import tree
from victor_ext.spec.tree import is_list

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
    explode: bool
    required: bool
    content_type: str | None
    """A value in this content type, instead of a style."""
    examples: list[Any]


@dataclass
class Medium:
    """A body in one content type."""

    content_type: str
    schema: Node
    encoding: dict[str, Node]
    place: str
    examples: list[Any]

    @property
    def bare(self) -> str:
        return tree.bare_type(self.content_type)

    @property
    def is_json(self) -> bool:
        return tree.is_json(self.content_type)


@dataclass
class Answer:
    """A documented answer; `media` is empty when it has no body."""

    status: str
    place: str
    media: list[Medium]


@dataclass
class Operation:
    method: str
    path: str
    place: str
    identity: str | None
    parameters: list[Parameter]
    bodies: list[Medium]
    body_required: bool
    answers: list[Answer]
    server: str

    @property
    def title(self) -> str:
        """`GET /path`, as it stands in what is left out."""
        return f"{self.method.upper()} {self.path}"


def base_url(document: Document) -> str:
    return _server([document.root])


def operations(document: Document) -> list[Operation]:
    return [
        _operation(document, each.method, each.path, Node(each.item, f"paths.{each.path}"))
        for each in tree.operations(document.root.tree)
        if each.path.startswith("/")
    ]


def _operation(document: Document, method: str, path: str, item: Node) -> Operation:
    node = item.child(method)
    identity = node.tree.get("operationId")
    return Operation(
        method,
        path,
        node.place,
        identity if isinstance(identity, str) else None,
        _parameters(document, path, item, node),
        bodies(document, node),
        body_required=bool(document.follow(node.child("requestBody")).tree.get("required")),
        answers=[
            Answer(status, answer.place, list(_media(document, document.follow(answer), answer.place)))
            for status, answer in node.mapping("responses").items()
            if re.fullmatch(r"[1-5]\d\d|[1-5][xX][xX]|default", status)
        ],
        server=_server([node, item, document.root] if _has_own_server(document, node, item) else [document.root]),
    )


def bodies(document: Document, node: Node) -> list[Medium]:
    """The bodies of an operation, a webhook or a callback."""
    return list(_media(document, document.follow(node.child("requestBody")), f"{node.place}.requestBody"))


def _has_own_server(document: Document, node: Node, item: Node) -> bool:
    """Whether an operation or its path says more than the document: not the same servers in another order."""
    shared, of_operation, of_path = (
        {str(server.tree.get("url")) for server in owner.items("servers")} for owner in (document.root, node, item)
    )
    own = of_operation or of_path
    return len(own) <= 1 or own != shared


def _server(owners: list[Node]) -> str:
    """The first server of the first owner that has any; one of an operation may be relative to the document's."""
    for number, owner in enumerate(owners):
        for server in owner.items("servers")[:1]:
            url = str(server.tree.get("url", ""))
            for name, variable in server.mapping("variables").items():
                url = url.replace(f"{{{name}}}", str(variable.tree.get("default", "")))
            within = _server(owners[number + 1 :])
            whole = urljoin(f"{within}/", url) if url and tree.is_url(url) else within
            return (whole if httpx.URL(whole).host else SOMEWHERE).rstrip("/")
    return SOMEWHERE


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
            parameters[location, key] = _parameter(document, f"{node.place}.parameters.{location}:{name}", whole)
    for name in names:
        place = f"{node.place}.parameters.path:{name}"
        implied = Node({"in": "path", "name": name, "schema": {"type": "string"}}, place)
        parameters.setdefault(("path", name), _parameter(document, place, implied))
    return list(parameters.values())


def _parameter(document: Document, place: str, whole: Node) -> Parameter:
    location, given = str(whole.tree["in"]), whole.tree
    style = str(given.get("style") or ("form" if location in ("query", "cookie") else "simple"))
    content = document.follow(whole).mapping("content")
    medium = next(iter(content.values()), None)
    schema = medium.child("schema") if medium is not None else whole.child("schema")
    return Parameter(
        place,
        location,
        str(given["name"]),
        Node(schema.tree, place),
        style,
        required=location == "path" or bool(given.get("required")),
        explode=bool(given["explode"]) if "explode" in given else style == "form",
        content_type=next(iter(content), None),
        examples=examples(document, whole, schema),
    )


def _media(document: Document, owner: Node, place: str) -> Iterator[Medium]:
    for content_type, medium in owner.mapping("content").items():
        if "/" not in content_type:  # `examples` that stands a level too high
            continue
        where = f"{place}.content.{content_type}"
        schema = Node(medium.child("schema").tree, f"{where}.schema")
        yield Medium(content_type, schema, medium.mapping("encoding"), where, examples(document, medium, schema))


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
