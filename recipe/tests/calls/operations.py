"""The operations of a document: parameters, bodies and answers, with every reference followed."""

import re
from typing import NamedTuple

from victor_spec import tree
from victor_spec.tree import DEFAULT_STYLES, EXPLODED_STYLES

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


class Parameter(NamedTuple):
    """A parameter, or a field of a form that is sent as one of a query is."""

    name: str
    location: str
    style: str
    explode: bool
    required: bool = False
    schema: Node = Node({}, "")


class Medium(NamedTuple):
    """A body in one content type."""

    content_type: str
    schema: Node
    encoding: dict[str, Node]

    @property
    def bare(self):
        return tree.bare_type(self.content_type)

    @property
    def is_json(self):
        return tree.is_json(self.content_type)


class Answer(NamedTuple):
    """A documented answer; `media` is empty when it has no body."""

    status: str
    place: str
    media: list[Medium]


class Operation:
    def __init__(self, schemas: Schemas, declared: tree.Operation):
        node = Node(declared.item, f"paths.{declared.path}")
        for step in declared.step.split(".", 1):
            node = node.child(step)
        self.method = declared.method
        self.path = declared.path
        self.place = node.place
        self.title = declared.where
        """`GET /path`, as it stands in what is left out."""
        self.identity = str(node.tree.get("operationId") or "")
        self.unjudged = []
        """The parameters that are written by a content type, which have no style."""
        self.parameters = self._parameters(schemas, declared)
        body = node.child("requestBody")
        self.bodies = media_of(schemas, body)
        self.body_required = bool(schemas.follow(body).tree.get("required"))
        self.answers = [
            Answer(status, answer.place, media_of(schemas, answer))
            for status, answer in node.mapping("responses").items()
            if re.fullmatch(r"[1-5]\d\d|[1-5][xX][xX]|default", status)
        ]

    def _parameters(self, schemas: Schemas, declared: tree.Operation):
        """The parameters, those of the path included, and those that the path alone names."""
        names = re.findall(r"{([^}]+)}", self.path)
        wholes = [
            schemas.target(each)
            for each in tree.parameters(schemas.root.tree, declared.item, declared.tree).values()
        ]
        known = {each["name"] for each in wholes if each.get("in") == "path"}
        implied = [name for name in names if name not in known]
        wholes += [{"in": "path", "name": name, "schema": {"type": "string"}} for name in implied]
        parameters = []
        for whole in wholes:
            location, name = str(whole.get("in")), str(whole.get("name"))
            is_ignored = location == "header" and name.lower() in IGNORED_HEADERS
            if is_ignored or (location == "path" and name not in names):
                continue
            place = f"{self.place}.parameters.{location}:{name}"
            if "schema" not in whole:
                self.unjudged.append(place)
                continue
            style = str(whole.get("style") or DEFAULT_STYLES[location])
            explode = bool(whole.get("explode", style in EXPLODED_STYLES))
            required = location == "path" or bool(whole.get("required"))
            schema = Node(whole["schema"], place)
            parameters.append(Parameter(name, location, style, explode, required, schema))
        return parameters


def operations(schemas: Schemas) -> list[Operation]:
    """The operations of a document whose path can be called."""
    known = tree.operations(schemas.root.tree)
    return [Operation(schemas, each) for each in known if each.path.startswith("/")]


def media_of(schemas: Schemas, owner: Node) -> list[Medium]:
    """The content types of a body or of a response."""
    content = schemas.follow(owner).mapping("content")
    return [
        Medium(kind, Node(whole.child("schema").tree, place), whole.mapping("encoding"))
        for kind, whole in content.items()
        for place in [f"{owner.place}.content.{kind}"]
        if "/" in kind  # not `examples` that stands a level too high
    ]
