"""The reader of a document: typed access, references, operations, places, and the errors of what
cannot be read.

The rewrites, the check, the comparison and the warnings read a document by these functions. What
has the wrong form is passed over: `shape` has refused it, or completed it, before a package is
made.
"""

import json
import re
from collections.abc import Callable, Collection, Container, Iterable, Iterator
from typing import Any, NamedTuple, TypeGuard
from urllib.parse import unquote, urljoin

import httpx

Tree = dict[str, Any]
"""A mapping of the document."""

SCHEMAS = "#/components/schemas/"
"""What a reference to a named schema begins with."""

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


def reason_of(error: Exception) -> str:
    """What a parser says, in one line and without its name for the text."""
    lines = re.sub(r"\s+in \"<[a-z ]+>\", ", " at ", str(error)).splitlines()
    return ", ".join(line.strip() for line in lines)


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
    candidate = name
    number = 1
    while spelled(candidate) in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def is_among(kind: str, kinds: Collection[str]) -> bool:
    """Whether values of a type are values of one of these types: an integer is a number."""
    return kind in kinds or (kind == "integer" and "number" in kinds)


def words_as(words: Iterable[str], kinds: Collection[str]) -> list[str | int]:
    """The words of a discriminator as a property of these types has them; those that it cannot have
    are left out.
    """
    if not kinds or "string" in kinds:
        return [*words]
    typed = [_word_as(word, kinds) for word in words]
    return [word for word in typed if word is not None]


def _word_as(word: str, kinds: Collection[str]) -> int | None:
    """A word as the number or the flag that it is in JSON; None where no type admits it."""
    is_number = "integer" in kinds or "number" in kinds
    if is_number and re.fullmatch("-?[0-9]+", word):
        return int(word)
    if "boolean" in kinds:
        return {"true": True, "false": False}.get(word)
    return None


# ---- Schemas: a boolean one becomes a mapping ----


def schema_at(tree: Tree, key: str) -> Tree | None:
    """The schema under a key; None when there is none.

    `additionalProperties` stays boolean: it is the usual form.
    """
    if isinstance(tree.get(key), bool) and key != "additionalProperties":
        tree[key] = boolean_schema(tree[key])
    schema = tree.get(key)
    return schema if is_mapping(schema) else None


def schemas_at(tree: Tree, key: str) -> list[tuple[str, Tree]]:
    """The members of the mapping under a key that are schemas."""
    schemas = mapping_at(tree, key)
    for name, schema in schemas.items():
        if isinstance(schema, bool):
            schemas[name] = boolean_schema(schema)
    return members(schemas)


def schema_list_at(tree: Tree, key: str) -> list[Tree]:
    """The members of the list under a key that are schemas."""
    schemas = list_at(tree, key)
    for number, schema in enumerate(schemas):
        if isinstance(schema, bool):
            schemas[number] = boolean_schema(schema)
    return trees_at(tree, key)


def named_schemas(document: Tree) -> Tree:
    return mapping_at(mapping_at(document, "components"), "schemas")


def descendants(named: Tree, parent: str) -> list[str]:
    """The named schemas that have a schema in their `allOf`, and those that have one of these."""
    reached: dict[str, None] = {}
    pending = [parent]
    while pending:
        own = _extending(named, pending.pop())
        new = [name for name in own if name != parent and name not in reached]
        reached |= dict.fromkeys(new)
        pending += new
    return [*reached]


def _extending(named: Tree, parent: str) -> list[str]:
    """The named schemas that have a schema in their own `allOf`."""
    reference = SCHEMAS + parent
    return [
        name
        for name, schema in members(named)
        if any(part.get("$ref") == reference for part in trees_at(schema, "allOf"))
    ]


class Family(NamedTuple):
    """A schema whose discriminator tells apart the schemas below it, and these."""

    root: str
    """The name of the schema with the discriminator."""
    below: dict[str, list[str]]
    """The names of the schemas below the root, and below each of these, by the upper one's."""


def families(named: Tree) -> list[Family]:
    """The families of the named schemas.

    Below a schema are those that have it in their `allOf`; below the root those, too, that the
    mapping of its discriminator names. A union with a discriminator lists its members by itself,
    and is no family.
    """
    return [
        Family(name, _below(named, name))
        for name, schema in members(named)
        if _tells_apart_what_is_below(schema)
    ]


def _tells_apart_what_is_below(schema: Tree) -> bool:
    is_union = schema.get("oneOf") or schema.get("anyOf")
    return not is_union and "propertyName" in mapping_at(schema, "discriminator")


def _below(named: Tree, root: str) -> dict[str, list[str]]:
    mapping = mapping_at(mapping_at(named[root], "discriminator"), "mapping")
    mapped = [str(reference).removeprefix(SCHEMAS) for reference in mapping.values()]
    children = [*descendants(named, root), *(name for name in mapped if name in named)]
    below = {root: [*dict.fromkeys(children)]}
    for child in below[root]:
        if child != root:
            below[child] = descendants(named, child)
    return below


def union_members(schema: Tree) -> list[Any]:
    """The members of the unions of a schema."""
    return [*list_at(schema, "oneOf"), *list_at(schema, "anyOf")]


def types_of(schema: Tree) -> list[Any]:
    """The declared types of a schema, which it has as a list or as one."""
    kind = schema.get("type")
    if is_list(kind):
        return kind
    return [] if kind is None else [kind]


_NULLS: tuple[tuple[str, Any], ...] = (
    ("type", "null"),
    ("type", ["null"]),
    ("enum", [None]),
    ("const", None),
)
"""The ways to say that null is the only value."""


def is_null(schema: Tree) -> bool:
    """Whether null is the only value of a schema."""
    return any(key in schema and schema[key] == value for key, value in _NULLS)


def boolean_schema(schema: bool) -> Tree:  # noqa: FBT001 - it is a schema
    """The mapping that says the same as `true` or `false`."""
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
        value = _member(_holder(document, value, unescaped(step_), followed), step_)
    return value


def unescaped(step_: str) -> str:
    """A step of a reference as a key: `~1` is a slash, and `~0` a tilde."""
    return step_.replace("~1", "/").replace("~0", "~")


def _holder(document: Tree, value: Any, name: str, followed: frozenset[str]) -> Any:
    """What has the member of a name: the value, or what it refers to; None in a circle."""
    while is_mapping(value) and name not in value and isinstance(value.get("$ref"), str):
        reference = value["$ref"]
        if reference in followed:
            return None
        followed |= {reference}
        value = target(document, reference, followed)
    return value


def _member(value: Any, step_: str) -> Any:
    """The member that a step of a reference names, percent-encoded or not; None without one."""
    if is_mapping(value):
        plain = value.get(unescaped(unquote(step_)))
        return value.get(unescaped(step_), plain)
    if is_list(value) and step_.isdecimal() and int(step_) < len(value):
        return value[int(step_)]
    return None


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
        """The method and the path: `GET /path`."""
        return f"{self.method.upper()} {self.path}"


def operations(document: Tree) -> list[Operation]:
    """Every operation below `paths`, in the order of the document."""
    found: list[Operation] = []
    for path, written in mappings_at(document, "paths"):
        item = path_item(document, written)
        for method, step_, tree in methods(item):
            found.append(Operation(method, path, item, tree, step_))
    return found


def methods(item: Tree) -> list[tuple[str, str, Tree]]:
    """The operations of a path item: the method in lower case, its place below the item, and the
    operation.
    """
    known = [(method, method, item[method]) for method in METHODS if is_mapping(item.get(method))]
    for name, tree in mappings_at(item, "additionalOperations"):
        if is_method(item, name):
            known.append((name.lower(), f"additionalOperations.{name}", tree))
    return known


def is_method(item: Tree, name: str) -> bool:
    """Whether a key of `additionalOperations` is a method that can be sent, and that the item has
    not itself.
    """
    return METHOD.fullmatch(name) is not None and name.lower() not in item


def path_item(document: Tree, item: Tree) -> Tree:
    """A path item, with what its reference leads to; of an operation that both have, its own."""
    if "$ref" not in item:
        return item
    whole = resolve(document, item)
    own = {key: value for key, value in item.items() if key != "$ref"}
    if not own:
        return whole
    for key in ("parameters", "additionalOperations"):
        if is_list(own.get(key)) and is_list(whole.get(key)):
            own[key] = [*own[key], *whole[key]]
        elif is_mapping(own.get(key)) and is_mapping(whole.get(key)):
            own[key] = {**whole[key], **own[key]}
    return {**whole, **own}


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
        place = f"webhooks.{name}"
        yield from _methods(document, Hook(name, place, f"{name}_webhook", place, item))
    for operation in operations(document):
        for called, callback in mappings_at(operation.tree, "callbacks"):
            items = members(resolve(document, callback))
            for number, (expression, item) in enumerate(items, 1):
                hook = _callback(operation, called, expression, number)
                yield from _methods(document, hook._replace(tree=item))


def _callback(operation: Operation, called: str, expression: str, number: int) -> Hook:
    """The hook of an expression of a callback, without its tree; the first one has no number."""
    base = operation.tree.get("operationId") or f"{operation.method}_{operation.path}"
    name = f"{base}.{called}"
    schema = f"{base}_{called}_callback"
    if number > 1:
        name = f"{name}.{number}"
        schema = f"{schema}_{number}"
    place = f"paths.{operation.path}.{operation.method}.callbacks.{called}.{expression}"
    return Hook(name, f"callbacks.{name}", schema.replace("/", "_"), place, {})


def _methods(document: Tree, hook: Hook) -> Iterator[Hook]:
    """The hook of each method; names of the second method and later ones end with it."""
    for number, (method, step_, tree) in enumerate(methods(path_item(document, hook.tree))):
        end = method if number else ""
        yield Hook(
            name=f"{hook.name}.{end}" if end else hook.name,
            where=f"{method.upper()} {hook.where}",
            schema=f"{hook.schema}_{end}" if end else hook.schema,
            place=f"{hook.place}.{step_}",
            tree=tree,
        )


# ---- Parameters ----


def parameters(document: Tree, item: Tree, operation: Tree) -> dict[str, Tree]:
    """The parameters of an operation, and those of its path item that it does not replace.

    Each has its key, with the name of a header in small letters; a reference that leads to no
    parameter is its own key. Of several with one key, the first counts.
    """
    merged: dict[str, Tree] = {}
    for parameter in (*trees_at(operation, "parameters"), *trees_at(item, "parameters")):
        key = parameter_key(document, parameter) or f"$ref:{parameter.get('$ref')}"
        if key.startswith("header:"):
            key = key.lower()
        merged.setdefault(key, parameter)
    return merged


def parameter_key(document: Tree, parameter: Tree) -> str:
    """How a place names a parameter: `query:limit`; an empty text for what is none."""
    whole = resolve(document, parameter)
    if "in" not in whole or "name" not in whole:
        return ""
    return f"{whole['in']}:{whole['name']}"


STYLES = {
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "cookie": ("form", "cookie"),
    "path": ("simple", "label", "matrix"),
    "header": ("simple",),
}
DEFAULT_STYLES = {location: styles[0] for location, styles in STYLES.items()}
EXPLODED = {location: style == "form" for location, style in DEFAULT_STYLES.items()}
"""The defaults of the functions in `serializing`."""
EXPLODED_STYLES = ("form", "cookie")
"""The styles in which a list has a field for each item, unless `explode` says otherwise."""


# ---- Content types ----


def has_no_body(method: str, status: str) -> bool:
    """Whether HTTP has no body for an answer: to HEAD, and with the status 1xx, 204, 205 or 304."""
    return method == "head" or status.startswith("1") or status in ("204", "205", "304")


def bare_type(content_type: str) -> str:
    """A content type without parameters such as `charset`."""
    return content_type.partition(";")[0].strip().lower()


def is_json(content_type: str) -> bool:
    return bare_type(content_type).endswith(("/json", "+json"))


# ---- Servers ----


def is_callable_url(text: str) -> bool:
    """Whether the URL of a server can be called as it is.

    `https://host:<port>` and a URL with a `{variable}` cannot.
    """
    try:
        httpx.URL(urljoin("https://server.example", text))
    except (httpx.InvalidURL, ValueError):
        return False
    return not re.search(r"{[^{}]+}", text)


def step(place: str, key: str | int) -> str:
    """The place of a member of a mapping, or of an item of a list."""
    if isinstance(key, int):
        return f"{place}[{key}]"
    return f"{place}.{key}" if place else key
