"""Random documents whose schemas refer to each other, and to themselves, wherever a schema can stand."""

from __future__ import annotations

from random import Random

from .wire import TEXT, Tree, an_object, answering, document, listed, ref, taking

NAMES = ("a", "b", "c")
"""Few, so that several members of `allOf` have the same property."""
SCALARS: tuple[Tree, ...] = (
    *(TEXT, {"type": "integer"}, {"type": "number"}, {"type": "boolean"}, {}),
    *({"type": "string", "enum": ["x", "y"]}, {"type": "string", "format": "date"}, {"const": "x"}),
)


def recursive_document(seed: int) -> Tree:
    """The document of a seed: two to six named schemas, each one answered and sent."""
    random = Random(seed)
    named = [f"S{number}" for number in range(random.randint(2, 6))]
    schemas = {
        name: _schema(random, named, random.randint(1, 3), named if random.random() < 0.02 else named[:number])
        for number, name in enumerate(named)
    }
    paths = {
        f"/{name}": {"post": answering(ref(name), operationId=f"post{name}", requestBody=taking(ref(name)))}
        for name in named
    }
    return document(paths, schemas, random.choice(("3.0.3", "3.1.0")))


def _schema(random: Random, named: list[str], levels: int, parts: list[str]) -> Tree:
    """A schema of some levels; `parts` are what its `allOf` may refer to: nothing is a part of itself."""

    def inner(parts: list[str] = named) -> Tree:
        if levels and random.random() < 0.6:
            return _schema(random, named, levels - 1, parts)
        return ref(random.choice(parts)) if parts else dict(TEXT)

    kind = random.choice(("object", "object", "allOf", "allOf", "oneOf", "anyOf", "list", "map", "scalar"))
    if kind == "scalar":
        return dict(random.choice(SCALARS))
    if kind == "list":
        return listed(inner())
    if kind == "map":
        return {"type": "object", "additionalProperties": inner()}
    schema: Tree = {}
    if kind == "object" or random.random() < 0.4:
        properties: Tree = {name: inner() for name in random.sample(NAMES, random.randint(1, 3))}
        schema |= an_object(**properties)
    if kind != "object":
        schema[kind] = [inner(parts if kind == "allOf" else named) for _ in range(random.randint(1, 3))]
    if kind != "allOf" and random.random() < 0.2:
        schema["discriminator"] = {"propertyName": random.choice(NAMES)}
    if random.random() < 0.1:
        schema["nullable"] = True
    return schema
