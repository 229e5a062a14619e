"""Bodies of webhooks and callbacks, with which their receiver can be tried: those that the document
shows, or else what its schemas allow.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from .hooks import NAMES
from .tree import Tree, hooks, is_json, is_mapping, list_at
from .values import MAX_ALTERNATIVES, Synthesis, is_valid
from .views import Document, Node

_UNNAMED = "example"
_TEXT = "text"
"""Every text without a format."""

Example = tuple[str, Any]
"""A name, which may be empty, and a body."""


def webhook_examples(tree: Tree, names: Collection[str]) -> dict[str, dict[str, Any]]:
    """The bodies of the webhooks and callbacks with these names: by name of the webhook, and of the
    example.

    One that its schema does not allow is left out. A webhook that is left with none gets one for
    each alternative of its schema.
    """
    document = Document(tree)
    examples: dict[str, dict[str, Any]] = {}
    for hook in hooks(tree):
        if hook.name not in names:
            continue
        medium = _json_medium(document, Node(hook.tree, hook.place))
        schema = medium.child("schema")
        shown = [
            (name, value)
            for name, value in _shown(document, medium)
            if not schema.tree or is_valid(document, schema, value)
        ]
        examples[hook.name] = _named(shown or _made(document, schema))
    return examples


def _json_medium(document: Document, hook: Node) -> Node:
    """A body as JSON, in the first content type that is JSON."""
    body = document.follow(hook.child("requestBody"))
    media = body.mapping("content")
    return next((medium for kind, medium in media.items() if is_json(kind)), Node({}, body.place))


def _shown(document: Document, medium: Node) -> Iterator[Example]:
    """The examples that the document has, of the body and of its schema."""
    schema = document.follow(medium.child("schema")).tree
    for name, example in medium.mapping("examples").items():
        named = document.follow(example).tree
        if "value" in named:
            yield name, named["value"]
    values = [medium.tree.get("example"), *list_at(schema, "examples"), schema.get("example")]
    for value in values:
        if value is not None:
            yield "", value


def _made(document: Document, schema: Node) -> Iterator[Example]:
    """A body for each alternative of a schema."""
    alternatives = len(document.views(schema))
    for number in range(min(alternatives, MAX_ALTERNATIVES)):
        yield "", Synthesis(document, "received", number, _TEXT, as_json=True).of(schema)


def _named(examples: Iterable[Example]) -> dict[str, Any]:
    """Each different body under a name of its own: the document's, or that of its event."""
    named: dict[str, Any] = {}
    for given, value in examples:
        body = json.loads(json.dumps(value))
        if body in named.values():
            continue
        name = first = given or _event_of(body)
        number = 1
        while name in named:
            number += 1
            name = f"{first}-{number}"
        named[name] = body
    return named


def _event_of(body: Any) -> str:
    """The name of the event that a body has in a usual place."""
    if is_mapping(body):
        for member in sorted(NAMES):
            if isinstance(body.get(member), str) and body[member] != _TEXT:
                return str(body[member])
    return _UNNAMED
