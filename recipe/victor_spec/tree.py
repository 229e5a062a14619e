"""The reader of a document: typed access, references, operations, places, and the errors of what
cannot be read.

The rewrites, the check, the comparison and the warnings read a document by these functions. What
has the wrong form is passed over: `shape` has refused it, or completed it, before a package is
made.
"""

import json
import re
from collections.abc import Callable, Collection, Container, Iterable, Iterator
from copy import copy
from itertools import chain, count
from typing import Any, NamedTuple, TypeGuard
from urllib.parse import unquote, urljoin

import httpx

Tree = dict[str, Any]
"""A mapping of the document."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
"""The keys of a path item that hold operations; its `additionalOperations` has those of other
methods.
"""
METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Z-]+")
"""The name of another method.

One with a small letter is another method still, and httpx sends none.
"""


class DocumentError(Exception):
    """The file is not an OpenAPI 3 document; the message says why and what to do."""


class PlaceError(DocumentError):
    """A part of a document is wrong; the message begins with its place in the document, and does
    not name the file.
    """


# ---- Values ----


def copied(tree: Tree) -> Tree:
    """A copy of a loaded document that shares nothing with it."""
    fresh: Tree = json.loads(json.dumps(tree))
    return fresh


def is_mapping(value: Any) -> TypeGuard[Tree]:
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def mapping_at(tree: Tree, key: str) -> Tree:
    """The mapping under a key; {} when there is none."""
    value = tree.get(key)
    return value if is_mapping(value) else {}


def list_at(tree: Tree, key: str) -> list[Any]:
    """The list under a key; [] when there is none."""
    value = tree.get(key)
    return value if is_list(value) else []


def members(mapping: Tree) -> list[tuple[str, Tree]]:
    """The members of a mapping that are mappings themselves."""
    return [(name, each) for name, each in mapping.items() if is_mapping(each)]


def mappings_at(tree: Tree, key: str) -> list[tuple[str, Tree]]:
    """The members of the mapping under a key that are mappings themselves."""
    return members(mapping_at(tree, key))


def trees_at(tree: Tree, key: str) -> list[Tree]:
    """The members of the list under a key that are mappings."""
    return [each for each in list_at(tree, key) if is_mapping(each)]


def unused(name: str, taken: Container[str], spelled: Callable[[str], str] = str) -> str:
    """The name, or `name_2`, `name_3` and so on where it is taken.

    `spelled` makes of a name what is taken.
    """
    names = chain([name], (f"{name}_{number}" for number in count(2)))
    return next(each for each in names if spelled(each) not in taken)


def is_among(kind: str, kinds: Collection[str]) -> bool:
    """Whether values of a type are values of one of these types: an integer is a number."""
    return kind in kinds or (kind == "integer" and "number" in kinds)


def words_as(words: Iterable[str], kinds: Collection[str]) -> list[str | int]:
    """The words of a discriminator as a property of these types has them; those that it cannot have
    are left out.
    """
    if not kinds or "string" in kinds:
        return [*words]
    flags: dict[str, str | int] = {"true": True, "false": False} if "boolean" in kinds else {}
    is_number = bool({"integer", "number"} & {*kinds})
    typed = (
        int(word) if is_number and re.fullmatch("-?[0-9]+", word) else flags.get(word)
        for word in words
    )
    return [word for word in typed if word is not None]


# ---- Schemas: a boolean one becomes a mapping ----


def schema_at(tree: Tree, key: str) -> Tree | None:
    """The schema under a key; None when there is none.

    `additionalProperties` stays boolean: it is the usual form.
    """
    if isinstance(tree.get(key), bool) and key != "additionalProperties":
        tree[key] = _as_mapping(tree[key])
    schema = tree.get(key)
    return schema if is_mapping(schema) else None


def schemas_at(tree: Tree, key: str) -> list[tuple[str, Tree]]:
    schemas = mapping_at(tree, key)
    schemas.update(
        {name: _as_mapping(each) for name, each in schemas.items() if isinstance(each, bool)}
    )
    return members(schemas)


def schema_list_at(tree: Tree, key: str) -> list[Tree]:
    schemas = list_at(tree, key)
    schemas[:] = [_as_mapping(each) if isinstance(each, bool) else each for each in schemas]
    return trees_at(tree, key)


def named_schemas(document: Tree) -> Tree:
    return mapping_at(mapping_at(document, "components"), "schemas")


def descendants(named: Tree, parent: str) -> list[str]:
    """The named schemas that have a schema in their `allOf`, and those that have one of these."""
    reached, pending = dict[str, None](), [parent]
    while pending:
        reference = f"#/components/schemas/{pending.pop()}"
        own = [
            name
            for name, each in members(named)
            if name not in (parent, *reached)
            and any(part.get("$ref") == reference for part in trees_at(each, "allOf"))
        ]
        reached.update(dict.fromkeys(own))
        pending += own
    return [*reached]


def families(named: Tree) -> dict[str, dict[str, list[str]]]:
    """By each schema whose discriminator tells apart those below it: what is below it, and below
    each of these.

    Below a schema are those that have it in their `allOf`, and those that the mapping of its own
    discriminator names.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for root, schema in members(named):
        discriminator = mapping_at(schema, "discriminator")
        if "propertyName" in discriminator and not schema.get("oneOf") and not schema.get("anyOf"):
            references = map(str, mapping_at(discriminator, "mapping").values())
            mapped = (each.removeprefix("#/components/schemas/") for each in references)
            below = [
                *dict.fromkeys(
                    [*descendants(named, root), *(each for each in mapped if each in named)]
                )
            ]
            found[root] = {
                root: below,
                **{each: descendants(named, each) for each in below if each != root},
            }
    return found


def types_of(schema: Tree) -> list[Any]:
    """The declared types of a schema, which it has as a list or as one."""
    kind = schema.get("type")
    return kind if is_list(kind) else [] if kind is None else [kind]


def is_null(schema: Tree) -> bool:
    only = {"type": "null"}, {"type": ["null"]}, {"enum": [None]}, {"const": None}
    return any(
        key in schema and schema[key] == value for each in only for key, value in each.items()
    )


def _as_mapping(schema: bool) -> Tree:  # noqa: FBT001 - it is a schema
    return {} if schema else {"not": {}}


# ---- References ----


def target(document: Tree, reference: str, followed: frozenset[str] = frozenset()) -> Any:
    """The target of a reference, perhaps through others than were `followed`; None when this
    document has none.
    """
    if not reference.startswith("#/"):
        return None
    value: Any = document
    for step_ in reference[2:].split("/"):
        name = step_.replace("~1", "/").replace("~0", "~")
        seen = followed
        while (
            is_mapping(value) and name not in value and isinstance(other := value.get("$ref"), str)
        ):
            if other in seen:
                return None
            seen |= {other}
            value = target(document, other, seen)
        if is_mapping(value) and name not in value:
            name = unquote(step_).replace("~1", "/").replace("~0", "~")
        if is_list(value) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        elif is_mapping(value) and name in value:
            value = value[name]
        else:
            return None
    return value


def followed(document: Tree, tree: Tree) -> tuple[Tree, str]:
    """What a part refers to, after all references that have a target, and the last of these; ""
    when it has none.
    """
    seen, last = set[str](), ""
    while isinstance(reference := tree.get("$ref"), str) and reference not in seen:
        seen.add(reference)
        whole = target(document, reference)
        if not is_mapping(whole):
            break
        tree, last = whole, reference
    return tree, last


def resolve(document: Tree, tree: Tree) -> Tree:
    """The schema, parameter or answer after following all references; {} when one of them has no
    target.
    """
    whole, _ = followed(document, tree)
    return {} if "$ref" in whole else whole


# ---- Operations, webhooks and callbacks ----


class Operation(NamedTuple):
    """One method of one path; a path item that is a reference is followed."""

    method: str
    """In lower case."""
    path: str
    item: Tree
    tree: Tree
    step: str
    """Its place below the path: `get`, or `additionalOperations.COPY`."""

    @property
    def where(self) -> str:
        """`GET /path`."""
        return f"{self.method.upper()} {self.path}"


def operations(document: Tree) -> list[Operation]:
    return [
        Operation(method, path, whole, tree, step)
        for path, item in mappings_at(document, "paths")
        for whole in [path_item(document, item)]
        for method, step, tree in methods(whole)
    ]


def methods(item: Tree) -> list[tuple[str, str, Tree]]:
    """The operations of a path item: the method in lower case, its place below the item, and the
    operation.
    """
    others = mappings_at(item, "additionalOperations")
    return [(each, each, item[each]) for each in METHODS if is_mapping(item.get(each))] + [
        (name.lower(), f"additionalOperations.{name}", tree)
        for name, tree in others
        if is_method(item, name)
    ]


def is_method(item: Tree, name: str) -> bool:
    """Whether a key of `additionalOperations` is a method that can be sent, and that the item has
    not itself.
    """
    return METHOD.fullmatch(name) is not None and name.lower() not in item


def path_item(document: Tree, item: Tree) -> Tree:
    """A path item, with what its reference leads to; of an operation that both have, its own."""
    if "$ref" not in item:
        return item
    whole, own = (
        resolve(document, item),
        {key: value for key, value in item.items() if key != "$ref"},
    )
    for key in ("parameters", "additionalOperations"):
        ours, theirs = own.get(key), whole.get(key)
        if is_list(ours) and is_list(theirs):
            own[key] = [*ours, *theirs]
        elif is_mapping(ours) and is_mapping(theirs):
            own[key] = {**theirs, **ours}
    return in_place_of(item, {**whole, **own}) if own else whole


class Hook(NamedTuple):
    """A request of the provider: a method of a webhook or of a callback."""

    name: str
    """`paid`; `createPayment.onPaid` of a callback."""
    where: str
    """`POST webhooks.paid`."""
    schema: str
    """A name for the schema of its body."""
    place: str
    tree: Tree


def hooks(document: Tree) -> Iterator[Hook]:
    """The webhooks of the document, and the callbacks of its operations."""
    for name, item in mappings_at(document, "webhooks"):
        yield from _methods(
            document, Hook(name, f"webhooks.{name}", f"{name}_webhook", f"webhooks.{name}", item)
        )
    for operation in operations(document):
        base = operation.tree.get("operationId") or f"{operation.method}_{operation.path}"
        for called, callback in mappings_at(operation.tree, "callbacks"):
            for number, (expression, item) in enumerate(members(resolve(document, callback)), 1):
                name = f"{base}.{called}" + (f".{number}" if number > 1 else "")
                schema = f"{base}_{called}_callback{f'_{number}' if number > 1 else ''}".replace(
                    "/", "_"
                )
                place = f"paths.{operation.path}.{operation.method}.callbacks.{called}.{expression}"
                yield from _methods(document, Hook(name, f"callbacks.{name}", schema, place, item))


def _methods(document: Tree, hook: Hook) -> Iterator[Hook]:
    for number, (method, step, tree) in enumerate(methods(path_item(document, hook.tree))):
        name, schema = (
            (f"{hook.name}.{method}", f"{hook.schema}_{method}")
            if number
            else (hook.name, hook.schema)
        )
        yield Hook(name, f"{method.upper()} {hook.where}", schema, f"{hook.place}.{step}", tree)


# ---- Content types ----


def bare_type(content_type: str) -> str:
    """A content type without parameters such as `charset`."""
    return content_type.partition(";")[0].strip().lower()


def is_json(content_type: str) -> bool:
    return bare_type(content_type).endswith(("/json", "+json"))


# ---- Servers ----


def is_url(text: str) -> bool:
    """Whether a server can be called: `https://host:<port>` cannot, nor a URL with a variable in
    it.
    """
    try:
        httpx.URL(urljoin("https://server.example", text))
    except (httpx.InvalidURL, ValueError):
        return False
    return not re.search(r"{[^{}]+}", text)


# ---- Places: `components.schemas.Card.properties.price`, `servers[0].url` ----


class Placed(dict[str, Any]):
    """A mapping that knows its place in the document; copies of it keep the place.

    See `Origins`.
    """

    __slots__ = ("place",)

    place: str


def place_of(value: Any) -> tuple[str, ...]:
    """The place of a mapping, as a tuple; empty for one that has none."""
    return (value.place,) if isinstance(value, Placed) else ()


def in_place_of(tree: Tree, new: Tree) -> Tree:
    """The mapping `new`, with the place of `tree`."""
    replacement = copy(tree)
    replacement.clear()
    replacement.update(new)
    return replacement


def step(place: str, key: str | int) -> str:
    """The place of a member of a mapping, or of an item of a list."""
    if isinstance(key, int):
        return f"{place}[{key}]"
    return f"{place}.{key}" if place else key


def around(place: str) -> list[str]:
    """The places around a place, the outermost first, and the place itself."""
    return [place[: mark.start()] for mark in re.finditer(r"[.\[]|$", place)]


def placed(tree: Any, document: Tree, place: str = "") -> Any:
    """A copy of a document's values, with a `Placed` for each mapping.

    `document` resolves references to parameters.
    """
    if is_mapping(tree):
        mapping = Placed(
            {key: placed(value, document, step(place, key)) for key, value in tree.items()}
        )
        mapping.place = place
        return mapping
    if is_list(tree):
        keys = [_parameter_key(document, each) or number for number, each in enumerate(tree)]
        return [
            placed(each, document, step(place, key)) for key, each in zip(keys, tree, strict=True)
        ]
    return tree


def _parameter_key(document: Tree, item: Any) -> str:
    """The key of a parameter in a list: `query:limit`; an empty text for an item that is no
    parameter.
    """
    parameter = resolve(document, item) if is_mapping(item) else {}
    return (
        f"{parameter['in']}:{parameter['name']}"
        if "in" in parameter and "name" in parameter
        else ""
    )
