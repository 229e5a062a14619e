"""Where each name of a generated package comes from in the document.

Before the rewrites, every mapping of the document becomes a `Placed`, which knows its place and keeps it when it is
copied. After the generator has parsed the rewritten document, `origins` joins its names with those places: no name is
guessed from its spelling.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint

from .requests import key
from .rewrites.base import operations
from .rewrites.names import classes
from .tree import Tree, list_at, mapping_at, place_of, resolve, step


@dataclass
class Origins:
    """The places of the names of one package, the most exact place first."""

    functions: dict[str, str] = field(default_factory=dict[str, str])
    """The operation of each module of functions: `api.cards.list_cards` -> `paths./v1/cards.get`."""
    arguments: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict[tuple[str, str], tuple[str, ...]])
    """The parameter, or the body, of each argument: (`api.cards.list_cards`, `limit`)."""
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The schemas of each class; equal enums share a class."""
    attributes: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict[tuple[str, str], tuple[str, ...]])
    """The property of each attribute: (`Card`, `price`)."""


def origins(document: Tree, data: GeneratorData) -> Origins:
    """The origins of all names. `document` is rewritten, and made by `placed`; `data` is what the generator parsed."""
    found = Origins()
    known = {key(each.tree): each.tree for each in operations(document)}
    for tag, collection in data.endpoint_collections_by_tag.items():
        for endpoint in collection.endpoints:
            _endpoint(found, f"api.{tag}.{endpoint.name}", endpoint, known[tag, endpoint.name])
    by_class: dict[str, list[Tree]] = {}
    for name, schema in classes(document):
        by_class.setdefault(name, []).append(schema)
    for made in [*data.models, *data.enums]:
        places = [place for schema in by_class.get(made.class_info.name, []) for place in place_of(schema)]
        found.classes[str(made.class_info.name)] = tuple(dict.fromkeys(places))
    for model in data.models:
        sources = dict(_properties(document, by_class.get(model.class_info.name, [])))
        for each in [*(model.required_properties or []), *(model.optional_properties or [])]:
            source = sources.get(each.name.get_untrusted_value())
            found.attributes[str(model.class_info.name), str(each.python_name)] = place_of(source)
    return found


def _endpoint(found: Origins, module: str, endpoint: Endpoint, tree: Tree) -> None:
    found.functions[module] = next(iter(place_of(tree)), "")
    nodes = {(each["in"], each["name"]): each for each in list_at(tree, "parameters")}
    for location, made in endpoint.iter_all_parameters():
        node = nodes[str(location), made.name.get_untrusted_value()]
        exact = () if place_of(node) and _is_below(node["schema"], node) else place_of(node["schema"])
        found.arguments[module, str(made.python_name)] = (*exact, *place_of(node))
    if endpoint.bodies:
        found.arguments[module, "body"] = (step(found.functions[module], "requestBody"),)


def _is_below(schema: Any, node: Any) -> bool:
    """Whether a schema is written inside its parameter, and not the property of a flattened object."""
    return any(place.startswith(f"{around}.") for place in place_of(schema) for around in place_of(node))


def _properties(document: Tree, schemas: list[Tree]) -> Iterator[tuple[str, Tree]]:
    """The properties of a class, those of `allOf` included; later ones replace earlier ones."""
    for schema in schemas:
        for part in list_at(schema, "allOf"):
            yield from _properties(document, [resolve(document, part)])
        yield from mapping_at(schema, "properties").items()
