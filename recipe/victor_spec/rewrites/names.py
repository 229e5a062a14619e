"""Rewrites of names: unique names for operations, classes and enum members."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator
from copy import copy
from functools import cache
from itertools import chain, islice
from typing import NamedTuple

from openapi_python_client import strings

from victor_spec.requests import PREFIX
from victor_spec.tree import (
    SCHEMAS,
    Operation,
    Tree,
    bare_type,
    list_at,
    mapping_at,
    mappings_at,
    members,
    operations,
    unused,
)

from .base import Log, components, drop, media, replace, schemas
from .classes import is_class, is_enum
from .merged_schemas import TYPED

_RESERVED = """
ANYTHING AmbiguousWebhook Any Array AuthenticatedClient BLOB BytesIO Callable ClassVar Client
Constant DAY DECIMAL Decimal DeclaredWebhook Digits Either FLAG File HTTPStatus Headers INSTANT
LEVELS Literal MEMBER MISMATCH Mapping NOTHING NUMBER NamedTuple NoReturn Nullable Object Reader
Required Response Self TEXT Tag UNSET UNTOLD UUID UnknownVariant UnknownWebhook UnreadableWebhook
Unset Verify WEBHOOKS WHOLE Word
"""
RESERVED = frozenset(_RESERVED.split())
"""Names that the generated modules use themselves."""

MAX_NAME = 120
"""Bytes of a name that becomes the name of a file, or a part of it."""
_UNSAFE = re.compile(r"[/%~]")
"""What has a meaning in a reference."""
_QUOTES = frozenset('"\\')
STAND_IN = "x-name-"
"""The begin of a name that stands for another one."""
IN_PATH = r"[a-zA-Z_-][a-zA-Z0-9_-]*"
"""What the generator takes for the name of a parameter in a path."""
BODY_KINDS = {"multipart/form-data": "files", "application/x-www-form-urlencoded": "data"}
KEPT_IN_SCHEMA = {
    *(*TYPED, "nullable", "description", "example", "title"),
    *("x-enum-varnames", "x-one-of", "x-words", "x-in-answers", "x-write-only"),
}
KEPT_IN_OPERATION = {
    *("operationId", "tags", "summary", "description", "parameters", "requestBody", "responses"),
}


@cache
def class_name(name: str) -> str:
    """The name that the generator gives to the class of a schema, or of a place."""
    return str(strings.ClassName(name, PREFIX))


@cache
def module_name(name: str, prefix: str = PREFIX) -> str:
    """The name that the generator gives to the module of a class or of an operation, or to the
    folder of a tag.
    """
    return str(strings.PythonIdentifier(name, prefix))


def free_name(named: Tree, name: str) -> str:
    """The name for a new schema, longer when its class would have the name of another one."""
    taken = {module_name(class_name(each)) for each in (*RESERVED, *named)}
    while module_name(class_name(name)) in taken:
        name += "_inner"
    return name


def give_name(document: Tree, schema: Tree, name: str) -> str:
    """Move a schema to the named ones, where its name is free, and refer to it in its place; the
    name.
    """
    named = components(document)
    name = free_name(named, _short(name))
    named[name] = copy(schema)
    replace(schema, {"$ref": SCHEMAS + name})
    return name


def drop_title(document: Tree, log: Log) -> None:
    """Move a title into the description: the generator would name the class after it."""
    for where, schema in schemas(document):
        title = schema.pop("title", None) if "$ref" not in schema else None
        if isinstance(title, str):
            schema.setdefault("description", title)
            log("drop-title", where)


def rename_schema(document: Tree, log: Log) -> None:
    """Rename a schema whose class, or module, would have the name of another, or one that the
    generated code uses.
    """
    named = components(document)
    names = _distinct_names(named)
    for name, new in names.items():
        if new != name:
            log.renamed[new] = name
            log("rename-schema", f"{name} is now {new}")
    document["components"]["schemas"] = {names[name]: schema for name, schema in named.items()}
    for _, schema in schemas(document):
        _refer_to(schema, names)


def _distinct_names(named: Tree) -> dict[str, str]:
    """A name for each named schema, whose class and module have names of their own."""
    names: dict[str, str] = {}
    modules: set[str] = set()
    for name in named:
        new = _short(_UNSAFE.sub("_", name)) or "unnamed"
        while class_name(new) in RESERVED or module_name(class_name(new)) in modules:
            new += "Model" if class_name(new) in RESERVED else "Other"
        modules.add(module_name(class_name(new)))
        names[name] = new
    return names


def _refer_to(schema: Tree, names: dict[str, str]) -> None:
    """Write the new names into a reference and into a discriminator."""
    # No reference is none to the schema of the name "", which a document may have.
    name = str(schema["$ref"]).removeprefix(SCHEMAS) if "$ref" in schema else None
    if name in names:
        schema["$ref"] = SCHEMAS + names[name]
    discriminator = mapping_at(schema, "discriminator")
    mapping = mapping_at(discriminator, "mapping")
    for word in mapping:
        mapping[word] = _reference_to_new_name(mapping[word], names)
    if "defaultMapping" in discriminator:
        discriminator["defaultMapping"] = _reference_to_new_name(
            discriminator["defaultMapping"], names
        )


def _reference_to_new_name(target_: object, names: dict[str, str]) -> str:
    """What a discriminator leads to, as a reference to the new name."""
    name = str(target_).removeprefix(SCHEMAS)
    return SCHEMAS + names.get(name, name)


def _short(name: str) -> str:
    """The name, NFKC as Python reads it; a part of it with a hash when no file could have it."""
    name = unicodedata.normalize("NFKC", name)
    if len(name.encode()) <= MAX_NAME:
        return name
    return f"{name[: MAX_NAME // 4]}_{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def unique_operation_id(document: Tree, log: Log) -> None:
    """Give each operation of a tag its own id: it is the name of a module in the tag's folder."""
    by_tag: dict[str, set[str]] = {}
    for operation in operations(document):
        tags = [_short(tag) for tag in operation.tree.get("tags") or ["default"]]
        taken = by_tag.setdefault(module_name(tags[0], "tag"), set())
        operation.tree["tags"] = tags
        # `cards:list`
        own = re.sub(r"[:/{}]+", "_", operation.tree.get("operationId") or "").strip("_")
        name = own or f"{operation.method}_{letters_and_digits(operation.path)}"
        if module_name(_short(name)) in taken:
            name = f"{name}_{operation.method}_{letters_and_digits(operation.path)}"
        name = unused(_short(name), taken, module_name)
        if name != operation.tree.get("operationId"):
            log("unique-operation-id", f"{operation.where} is now {name}")
        operation.tree["operationId"] = name
        taken.add(module_name(name))


def letters_and_digits(path: str) -> str:
    """The letters and digits of a text, with `_` for all between them."""
    return "_".join("".join(c if c.isalnum() else " " for c in path).split())


def name_enum_members(document: Tree, log: Log) -> None:
    """Name the members of an enum whose values differ only in case or punctuation."""
    for where, schema in schemas(document):
        values = [value for value in list_at(schema, "enum") if isinstance(value, str)]
        given = [str(name) for name in list_at(schema, "x-enum-varnames")]
        schema.pop("x-enum-varnames", None)
        names = given if len(given) == len(values) else []
        usual = [strings.snake_case(name).upper() for name in names or _usual_names(values)]
        is_clear = len({*usual}) == len(values) and all(map(str.isidentifier, usual))
        if not is_clear:
            names = _distinct_members(usual)
            log("name-enum-members", where)
        if names:
            schema["x-enum-varnames"] = names


def _usual_names(values: list[str]) -> list[str]:
    """The names that the generator gives to the members of an enum."""
    return [
        value if value[:1].isalpha() else f"VALUE_{number}" for number, value in enumerate(values)
    ]


def _distinct_members(names: list[str]) -> list[str]:
    """Names of enum members that differ, and that Python allows."""
    numbered: list[str] = []
    for number, name in enumerate(names):
        own = f"{name}_{number}" if names.count(name) > 1 else name
        numbered.append(own if own.isidentifier() else f"VALUE_{number}")
    return numbered


def rename_inline_schema(document: Tree, log: Log) -> None:
    """Rename an inline schema whose class, named after its place, would have the name or the module
    of another.

    One that is so deep that no file could have the name of its class gets a name of its own.
    """
    _name_long_classes(document, log)
    known: dict[str, object] = {}
    """The class of each module, with what it is made of."""
    for name in (*RESERVED, *map(class_name, components(document))):
        known[module_name(name)] = name
    for place in places(document):
        schema = place.schema
        gist: object = object()
        if is_enum(schema):
            # equal enums share a class
            gist = json.dumps([schema["enum"], schema.get("x-enum-varnames")])
        elif not is_class(document, schema):
            continue
        while known.get(module_name(place.class_name)) not in (None, (place.class_name, gist)):
            schema["title"] = schema.get("title", place.name) + "_inner"
            log("rename-inline-schema", f"{place.where} is now {place.class_name}")
        known[module_name(place.class_name)] = (place.class_name, gist)


def name_apart(document: Tree, log: Log) -> None:
    """Give a parameter, a property or a word of an enum another name for the generator, where it
    makes one name in Python of two, knows no such name in a path, or drops characters of a word.
    `Requests.names` has those of the wire.
    """
    names = log.requests.names
    parameters = [(each, _stand_in(each["name"], names)) for each in _unclear_parameters(document)]
    properties = {name: _stand_in(name, names) for name in _unclear_properties(document)}
    words = {word: _stand_in(word, names) for word in _unclear_words(document)}
    if not names:
        return
    usual = [(place.name, place.class_name) for place in places(document)]
    for parameter, name in parameters:
        parameter["name"] = name
    for _, schema in schemas(document):
        _rename_properties(schema, properties)
        _rename_words(schema, words)
    for (name, class_name_), place in zip(usual, places(document), strict=True):
        if place.class_name != class_name_ and "$ref" not in place.schema:
            place.schema["title"] = name  # its class keeps its name
    for name in names.values():
        log("name-apart", name)


def _stand_in(name: str, names: dict[str, str]) -> str:
    """A name for the generator in place of one on the wire."""
    stand_in = f"{STAND_IN}{len(names)}"
    names[stand_in] = name
    return stand_in


def _unclear_parameters(document: Tree) -> Iterator[Tree]:
    """The parameters that need another name for the generator."""
    for operation in operations(document):
        used = {"client", "url"}
        for parameter in operation.tree["parameters"]:
            name = parameter["name"]
            is_unknown = parameter["in"] == "path" and not re.fullmatch(IN_PATH, name)
            if is_unknown or module_name(name) in used or name.startswith(STAND_IN):
                yield parameter
            used.add(module_name(name))


def _unclear_properties(document: Tree) -> list[str]:
    """The names of properties that need another one for the generator, each once."""
    used: set[str] = set()
    """The names that the generator makes of those before, such as `card_id` of `cardId`."""
    unclear: list[str] = []
    every = [mapping_at(schema, "properties") for _, schema in schemas(document)]
    for name in dict.fromkeys(chain.from_iterable(every)):
        attribute = module_name(name)
        if attribute in used or name.startswith(STAND_IN):
            unclear.append(name)
        used.add(attribute)
    return unclear


def _unclear_words(document: Tree) -> list[str]:
    """The words of enums that the generator would escape or change, each once."""
    every = [list_at(schema, "enum") for _, schema in schemas(document)]
    unclear: list[str] = []
    for word in dict.fromkeys(chain.from_iterable(every)):
        if not isinstance(word, str):
            continue
        is_changed = not word.isprintable() or not _QUOTES.isdisjoint(word)
        if is_changed or word.startswith(STAND_IN):
            unclear.append(word)
    return unclear


def _rename_words(schema: Tree, words: dict[str, str]) -> None:
    """Write the new words into an enum, whose members keep their names."""
    values = list_at(schema, "enum")
    if not words.keys().isdisjoint(values):
        usual = [name.upper() for name in _usual_names(values)]
        schema.setdefault("x-enum-varnames", usual)
        schema["enum"] = [words.get(value, value) for value in values]


def _rename_properties(schema: Tree, names: dict[str, str]) -> None:
    """Write the new names of properties into a schema."""
    properties = mapping_at(schema, "properties")
    if not names.keys().isdisjoint(properties):
        schema["properties"] = {names.get(name, name): each for name, each in properties.items()}
    if not names.keys().isdisjoint(list_at(schema, "required")):
        schema["required"] = [names.get(name, name) for name in schema["required"]]


def _name_long_classes(document: Tree, log: Log) -> None:
    """Give a name to each inline schema whose class would have a name of too many bytes."""
    for place in [*places(document)]:
        long = place.class_name
        has_class = is_enum(place.schema) or is_class(document, place.schema)
        if len(long.encode()) > MAX_NAME and has_class:
            drop(place.schema, "title")
            name = give_name(document, place.schema, _short(long))
            log("rename-inline-schema", f"{place.where} is now {name}")


class Place(NamedTuple):
    """The place of an inline schema; the generator names its class after owner and name."""

    where: str
    schema: Tree
    owner: str
    name: str

    @property
    def class_name(self) -> str:
        return _class_within(self.owner, self.schema.get("title", self.name))


@cache
def _class_within(owner: str, name: str) -> str:
    return class_name(strings.pascal_case(owner) + strings.pascal_case(name))


def places(document: Tree) -> Iterator[Place]:
    """Every inline schema with its place; needs the final names of operations."""
    for name, schema in components(document).items():
        yield from islice(_places_within(Place(name, schema, "", name)), 1, None)
    for operation in operations(document):
        module = module_name(operation.tree["operationId"])
        for parameter in operation.tree["parameters"]:
            yield from _places_within(
                Place(operation.where, parameter["schema"], module, parameter["name"])
            )
        bodies = mapping_at(mapping_at(operation.tree, "requestBody"), "content")
        for kind, content_type, medium in media(operation):
            owner, name = module, f"response_{kind}"
            if kind == "body":
                name = "body"
                if len(bodies) > 1:
                    owner = f"{module}_{_form_of(content_type)}"
            yield from _places_within(
                Place(f"{operation.where} {kind}", medium["schema"], owner, name)
            )


def _form_of(content_type: str) -> str:
    """What the generator calls one of several bodies."""
    usual = "json" if "json" in content_type else "content"
    return BODY_KINDS.get(bare_type(content_type), usual)


def _places_within(place: Place) -> Iterator[Place]:
    """A schema and those inside it: properties are named after its class, items and members after
    its owner.
    """
    yield place
    where, schema, owner, name = place
    for part in [schema, *(each for each in list_at(schema, "allOf") if "$ref" not in each)]:
        for child, tree in mapping_at(part, "properties").items():
            yield from _places_within(Place(f"{where}.{child}", tree, place.class_name, child))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _places_within(
            Place(
                f"{where}.*", schema["additionalProperties"], place.class_name, "AdditionalProperty"
            )
        )
    if isinstance(schema.get("items"), dict):
        yield from _places_within(
            Place(f"{where}[]", schema["items"], owner, f"{name}{_suffix_in_union(schema)}_item")
        )
    for number, member in enumerate([*list_at(schema, "anyOf"), *list_at(schema, "oneOf")]):
        yield from _places_within(
            Place(f"{where} ({number + 1})", member, owner, f"{name}_type_{number}")
        )


def _suffix_in_union(schema: Tree) -> str:
    """What the generator adds to the name of a list that is one of several types: the list is a
    member of a union.
    """
    kinds = list_at(schema, "type")
    if "array" in kinds:
        return f"_type_{kinds.index('array')}"
    return "_type_0" if schema.get("nullable") and schema.get("type") == "array" else ""


def drop_unused_keys(document: Tree, log: Log) -> None:
    """Drop limits, examples, security and extensions: they do not change the code, and can stop the
    generator.
    """
    for operation in operations(document):
        _keep_of_operation(operation)
    for _, schema in schemas(document):
        _keep(schema, KEPT_IN_SCHEMA)
    info = mapping_at(document, "info")
    paths = {path: dict(members(item)) for path, item in mappings_at(document, "paths")}
    is_3_0 = str(document["openapi"]).startswith("3.0")
    kept = {
        "openapi": "3.0.3" if is_3_0 else "3.1.0",
        "info": {"title": str(info.get("title", "API")), "version": str(info.get("version", "0"))},
        "paths": paths,
        "components": {"schemas": components(document)},
    }
    replace(document, kept)
    log("drop-unused-keys", "the whole document")


def _keep_of_operation(operation: Operation) -> None:
    """Drop what an operation says that does not change the code."""
    _keep(operation.tree, KEPT_IN_OPERATION)
    for _, _, medium in media(operation):
        _keep(medium, {"schema"})
    for answer in operation.tree["responses"].values():
        _keep(answer, {"description", "content"})
        answer.setdefault("description", "")
    for parameter in operation.tree["parameters"]:
        _keep(parameter, {"name", "in", "required", "description", "schema"})


def _keep(tree: Tree, keys: set[str]) -> None:
    """Drop all other keys."""
    drop(tree, *(tree.keys() - keys))
