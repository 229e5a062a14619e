"""The schemas of a document as it was written: what a value may be, values of it, and whether
jsonschema admits one.

Nothing here knows the rewritten document, so that a mistake of a rewrite cannot hide.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote

import jsonschema_rs

from victor_spec.tree import (
    SCHEMAS,
    Tree,
    descendants,
    followed,
    is_list,
    is_mapping,
    is_null,
    list_at,
    mapping_at,
    members,
    named_schemas,
    resolve,
    types_of,
    unescaped,
    words_as,
)

Direction = Literal["sent", "received"]

KINDS = ("object", "array", "string", "integer", "number", "boolean")
UNIONS = ("oneOf", "anyOf")
MOST_SHAPES = 64
MOST_LEVELS = 5
MOST_PARTS = 400
"""The objects of one value that have optional members."""
MOST_NESTED = 40
BYTES = b"\x00\xffbytes\r\n"
"""The content of every file."""
TEXTS = ("text é", "0", "null", "a b/c?d=e&f+g%h;é", "\u2028 'x' \"y\" \\ {z}", "")
FORMATS = {
    "date": "2026-03-04",
    "date-time": "2026-03-04T05:06:07Z",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
}
ADDITIONAL = "x-additional"
"""A name that no schema declares."""


class Node(NamedTuple):
    tree: Tree
    place: str

    def child(self, key: str) -> "Node":
        """The part under a key; an empty mapping when it is no mapping."""
        return Node(mapping_at(self.tree, key), f"{self.place}.{key}")

    def mapping(self, key: str) -> dict[str, "Node"]:
        """The members of the mapping under a key, each with its place."""
        inner = self.child(key)
        return {name: inner.child(name) for name in inner.tree}

    def items(self, key: str) -> list["Node"]:
        """The items of the list under a key, each with its place."""
        nodes: list[Node] = []
        for number, item in enumerate(list_at(self.tree, key)):
            tree = item if is_mapping(item) else {}
            nodes.append(Node(tree, f"{self.place}.{key}.{number}"))
        return nodes


class Word(str):
    """A value of an enum of texts."""

    __slots__ = ("words",)

    words: list[Any]
    """All values of the enum."""


class Number(int):
    """A value of an enum of whole numbers."""

    words: list[Any]


class Made(dict[str, Any]):
    """An object that was made of a schema, and what the schema says of it."""

    __slots__ = ("declared", "names", "others", "place", "schema")

    place: str
    schema: Tree
    """The schema, or the member of the union that was chosen."""
    declared: frozenset[str]
    """The members that the chosen alternative declares."""
    others: tuple[tuple[Tree, frozenset[str]], ...]
    """The others, each with the members that it declares."""
    names: frozenset[str]
    """All members that an object may have in this place, in any alternative."""


@dataclass(frozen=True)
class Shape:
    """One alternative of a schema: references followed, `allOf` put together."""

    schema: Tree
    types: tuple[str, ...] = ()
    """Without null; none where it is not said."""
    nullable: bool = False
    only_null: bool = False
    enum: tuple[Any, ...] | None = None
    is_constant: bool = False
    format: str = ""
    is_medium: bool = False
    """Whether it is the content of a media type, as it is."""
    properties: dict[str, tuple[Tree, ...]] = field(default_factory=dict[str, tuple[Tree, ...]])
    required: frozenset[str] = frozenset()
    items: Tree | None = None
    prefix: tuple[Tree, ...] = ()
    least: int = 0
    """Items."""
    additional: Tree | None = None
    closed: bool = False
    tags: dict[str, Any] = field(default_factory=dict[str, Any])
    """The words of discriminators that select it."""

    @property
    def binary(self) -> bool:
        is_text = self.types in ((), ("string",)) and not self.enum
        return self.format == "binary" or (self.is_medium and is_text)

    def words(self) -> list[Any]:
        """The values of an enum that has members in Python."""
        kinds = set(map(type, self.enum or ()))
        return [*(self.enum or ())] if kinds in ({str}, {int}) and not self.is_constant else []


class Schemas:
    def __init__(self, tree: Tree) -> None:
        self.root = Node(tree, "")
        self._is_3_0 = str(tree["openapi"]).startswith("3.0")
        self._shapes: dict[int, tuple[Tree, list[Shape]]] = {}
        self._names: dict[int, frozenset[str]] = {}
        self.all_names = frozenset(_member_names(tree))
        """Of all objects of the document."""
        self._wholes: dict[tuple[int, ...], Tree] = {}
        self._validators: dict[tuple[int, Direction], Any] = {}
        self._references: dict[str, str] = {}
        self._registries: dict[Direction, Any] = {}
        self._hidden: dict[Direction, set[str]] = {}
        named = named_schemas(tree)
        self._children: dict[int, list[str]] = {}
        self._owners: dict[int, dict[str, Tree]] = {}
        """By the id of a named schema: those whose discriminator names it, by what leads to it."""
        self._read: dict[int, list[Shape]] = {}
        for name, schema in members(named):
            tells = "propertyName" in mapping_at(schema, "discriminator")
            if tells and not any(schema.get(key) for key in UNIONS):
                mapping = mapping_at(mapping_at(schema, "discriminator"), "mapping")
                mapped = [str(each).removeprefix(SCHEMAS) for each in mapping.values()]
                below = [*descendants(named, name), *(each for each in mapped if each in named)]
                self._children[id(schema)] = [*dict.fromkeys([*below, name])]
                for child in below:
                    self._owners.setdefault(id(named[child]), {})[SCHEMAS + child] = schema

    def follow(self, node: Node) -> Node:
        tree, reference = followed(self.root.tree, node.tree)
        place = unescaped(unquote(reference[2:]).replace("/", ".")) if reference else node.place
        return Node({} if "$ref" in tree else tree, place)

    def whole(self, parts: tuple[Tree, ...]) -> Tree:
        """One schema of all definitions of a member."""
        if len(parts) == 1:
            return parts[0]
        return self._wholes.setdefault(tuple(map(id, parts)), {"allOf": [*parts]})

    def shapes(self, schema: Any) -> list[Shape]:
        """The alternatives of a schema; none where each contradicts itself."""
        if not is_mapping(schema):
            return [] if schema is False else [Shape({})]
        target = self._target(schema)
        if id(target) not in self._read:
            own = self._own_shapes(target)
            self._read[id(target)] = own
            self._read[id(target)] = self._with_children(target, own)
        return self._read[id(target)]

    def _with_children(self, schema: Tree, own: list[Shape]) -> list[Shape]:
        """The alternatives of a schema, and those of what extends it; with the word of the
        discriminator that names it.
        """
        shapes: list[Shape] = []
        for name in self._children.get(id(schema), ()):
            reference = {"$ref": SCHEMAS + name}
            child = self._own_shapes(resolve(self.root.tree, reference))
            shapes += self._tagged(schema, reference, child)
        if shapes:
            return shapes[:MOST_SHAPES]
        for path, owner in self._owners.get(id(schema), {}).items():
            own = self._tagged(owner, {"$ref": path}, own)
        return own

    def _target(self, schema: Tree) -> Tree:
        """What a reference leads to, with what counts beside it."""
        if "$ref" not in schema:
            return schema
        beside = {} if self._is_3_0 else {key: schema[key] for key in schema if key != "$ref"}
        said = {key: value for key, value in beside.items() if key not in _WORDS}
        if not said:
            return resolve(self.root.tree, schema)
        key = (id(schema),)
        return self._wholes.setdefault(key, {"allOf": [{"$ref": schema["$ref"]}, beside]})

    def _own_shapes(self, schema: Tree) -> list[Shape]:
        """The alternatives of a schema, without those that extend it."""
        if id(schema) not in self._shapes:
            self._shapes[id(schema)] = schema, [Shape(schema)]  # a part of itself adds nothing
            self._shapes[id(schema)] = schema, self._alternatives(schema)
        return self._shapes[id(schema)][1]

    def _alternatives(self, schema: Tree) -> list[Shape]:
        shapes = [_shape_of_keys(schema)]
        parts = list_at(schema, "allOf")
        for part in parts:
            # with words beside it, it is another name of the same schema
            is_alias = len(parts) == 1 and not {*schema} - _WORDS - {"allOf", "nullable"}
            read = self.shapes if is_alias else self._shapes_of_part
            merged = [_both(one, other) for one in shapes for other in read(part)]
            shapes = [shape for shape in merged if shape is not None][:MOST_SHAPES]
        for key in UNIONS:
            shapes = self._with_union(schema, key, shapes)
        return shapes

    def _shapes_of_part(self, part: Any) -> list[Shape]:
        return self._own_shapes(self._target(part)) if is_mapping(part) else self.shapes(part)

    def _with_union(self, schema: Tree, key: str, shapes: list[Shape]) -> list[Shape]:
        """Each alternative with each member of a union."""
        parts = list_at(schema, key)
        if not parts:
            return shapes
        found: list[Shape] = []
        for part in parts:
            found += self._tagged(schema, part, self.shapes(part))
        valued = [shape for shape in found if not shape.only_null]
        if len(valued) < len(found):
            shapes = [replace(shape, nullable=True) for shape in shapes]
        if not valued:
            return [replace(shape, only_null=True) for shape in shapes]
        is_alone = not {*schema} - {key} - _WORDS - {"discriminator", "type", "nullable"}
        united: list[Shape] = []
        for one in shapes:
            for other in valued:
                both = _both(one, other)
                if both is not None:
                    united.append(replace(both, schema=other.schema) if is_alone else both)
        return united[:MOST_SHAPES]

    def _tagged(self, owner: Tree, part: Any, shapes: list[Shape]) -> list[Shape]:
        """The shapes of a member, with the word of its discriminator."""
        discriminator = mapping_at(owner, "discriminator")
        name = discriminator.get("propertyName")
        reference = part.get("$ref") if is_mapping(part) else None
        if not isinstance(name, str) or not isinstance(reference, str):
            return shapes
        last = reference.rpartition("/")[2]
        mapping = mapping_at(discriminator, "mapping")
        words = [word for word, target in mapping.items() if target in (reference, last)] or [last]
        return [self._with_word(shape, name, words) for shape in shapes]

    def _with_word(self, shape: Shape, name: str, words: list[str]) -> Shape:
        kinds: set[str] = set()
        admitted: list[Any] = []
        for alternative in self.shapes(self.whole(shape.properties.get(name, ({},)))):
            kinds.update(alternative.types)
            admitted += alternative.enum or ()
        typed = words_as(words, kinds)
        tags = [word for word in typed if word in admitted] or admitted or typed
        return replace(shape, tags={**shape.tags, name: tags[0]}) if tags else shape

    def names(self, schema: Any) -> frozenset[str]:
        """The members that an object may have in a place, in any alternative."""
        if not is_mapping(schema):
            return frozenset()
        key = id(schema)
        if key not in self._names:
            names: set[str] = set()
            self._collect(schema, names, set())
            self._names[key] = frozenset(names)
        return self._names[key]

    def _collect(self, schema: Any, names: set[str], seen: set[int]) -> None:
        if not is_mapping(schema) or id(schema) in seen:
            return
        seen.add(id(schema))
        names.update(mapping_at(schema, "properties"))
        discriminator = mapping_at(schema, "discriminator").get("propertyName")
        names.update([discriminator] if isinstance(discriminator, str) else [])
        for key in ("allOf", *UNIONS):
            for part in list_at(schema, key):
                self._collect(part, names, seen)
        for key in ("if", "then", "else"):
            self._collect(schema.get(key), names, seen)
        for part in mapping_at(schema, "dependentSchemas").values():
            self._collect(part, names, seen)
        if "$ref" in schema:
            self._collect(resolve(self.root.tree, schema), names, seen)
        for name in self._children.get(id(schema), ()):
            self._collect(named_schemas(self.root.tree).get(name), names, seen)

    # ---- Whether a value is one of a schema: jsonschema says it ----

    def is_valid(self, schema: Tree, value: Any, direction: Direction) -> bool:
        """Whether jsonschema admits a value, by its types, words and members."""
        key = id(schema), direction
        if key not in self._validators:
            if direction not in self._registries:
                self._references = {}
                self._number_references(self.root.tree)
                resources = [
                    (uri, self._judged(resolve(self.root.tree, {"$ref": reference}), direction))
                    for reference, uri in self._references.items()
                ]
                self._registries[direction] = jsonschema_rs.Registry(
                    resources, draft=jsonschema_rs.Draft202012
                )
            self._validators[key] = jsonschema_rs.Draft202012Validator(
                self._judged(schema, direction),
                registry=self._registries[direction],
                validate_formats=True,
            )
        text = json.dumps(value, default=lambda each: each.decode("latin-1"))
        return bool(self._validators[key].is_valid(json.loads(text)))

    def _number_references(self, value: Any) -> None:
        pending = [value]
        for each in pending:  # it grows
            if is_mapping(each):
                reference = each.get("$ref")
                if isinstance(reference, str):
                    self._references.setdefault(reference, f"schema:/{len(self._references)}")
                pending += each.values()
            elif is_list(each):
                pending += each

    def _judged(self, schema: Any, direction: Direction) -> Any:
        """A schema in the words of JSON Schema, without what no package looks at: limits, forms,
        that only one member of a union may fit, that no other members are admitted.
        """
        if not is_mapping(schema):
            return schema if isinstance(schema, bool) else True

        def read(child: Any) -> Any:
            return self._judged(child, direction)

        judged: Tree = {}
        if isinstance(schema.get("$ref"), str):
            judged["$ref"] = self._references[schema["$ref"]]
            if self._is_3_0:
                return judged
        kinds = [kind for kind in types_of(schema) if kind in (*KINDS, "null")]
        if kinds and len(kinds) == len(types_of(schema)):
            judged["type"] = kinds
        for key in ("properties", "dependentSchemas", "patternProperties"):
            if is_mapping(schema.get(key)):
                judged[key] = {name: read(child) for name, child in schema[key].items()}
        for key in ("items", "additionalProperties", "not", "if", "then", "else"):
            if is_mapping(schema.get(key)):
                judged[key] = read(schema[key])
        if schema.get("prefixItems"):
            judged["prefixItems"] = [read(child) for child in schema["prefixItems"]]
        parts = [read(part) for part in list_at(schema, "allOf")]
        parts += [
            {"anyOf": [read(part) for part in schema[key]]} for key in UNIONS if schema.get(key)
        ]
        if parts:
            judged["allOf"] = parts
        enum = _enum(schema)
        if enum is not None:
            judged["enum"] = enum
        if schema.get("format") in FORMATS:
            judged["format"] = schema["format"]
        hidden = self._hidden_names(direction)
        required = map(str, list_at(schema, "required"))
        judged["required"] = [name for name in required if name not in hidden]
        if schema.get("nullable") is True:
            return {"anyOf": [{"type": "null"}, judged]}
        return judged

    def _hidden_names(self, direction: Direction) -> set[str]:
        """The members that a schema of the document does not have in a direction: no value needs
        them, since another part may say so than the one that requires them.
        """
        if direction not in self._hidden:
            key = "readOnly" if direction == "sent" else "writeOnly"
            names: set[str] = set()
            pending: list[Any] = [self.root.tree]
            for each in pending:  # it grows
                if is_mapping(each):
                    for name, child in mapping_at(each, "properties").items():
                        names.update([name] if self.is_hidden(child, key) else [])
                    pending += each.values()
                elif is_list(each):
                    pending += each
            self._hidden[direction] = names
        return self._hidden[direction]

    def is_hidden(self, schema: Any, key: str) -> bool:
        """Whether a member is `readOnly`, or `writeOnly`."""
        if not is_mapping(schema):
            return False
        return bool(schema.get(key) or resolve(self.root.tree, schema).get(key))


_WORDS = {
    *("description", "title", "example", "examples", "deprecated", "readOnly", "writeOnly"),
    *("default", "externalDocs", "xml", "summary"),
}


def _member_names(tree: Tree) -> Iterator[str]:
    """The names under `properties`, and those of discriminators, anywhere in a document."""
    pending: list[Any] = [tree]
    for each in pending:  # it grows
        if is_mapping(each):
            yield from mapping_at(each, "properties")
            yield str(mapping_at(each, "discriminator").get("propertyName"))
            pending += each.values()
        elif is_list(each):
            pending += each


def _enum(schema: Tree) -> list[Any] | None:
    """The values that a schema is restricted to. YAML reads `737` and `true` as no texts."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if not is_list(values):
        return None
    if schema.get("type") == "string":
        return [each if isinstance(each, str | None) else json.dumps(each) for each in values]
    return values


def _shape_of_keys(schema: Tree) -> Shape:
    """What the keys of a schema say, without its parts and unions."""
    declared = types_of(schema)
    types = tuple(kind for kind in declared if kind in KINDS)
    nullable = schema.get("nullable") is True or "null" in declared
    if not types and not nullable:
        if is_mapping(schema.get("properties")):
            types = ("object",)
        elif "items" in schema:
            types = ("array",)
    enum = _enum(schema)
    additional = schema.get("additionalProperties")
    least = schema.get("minItems", 0)
    return Shape(
        schema,
        types,
        nullable=nullable,
        only_null=is_null(schema),
        enum=None if enum is None else tuple(value for value in enum if value is not None),
        is_constant="const" in schema,
        format=str(schema.get("format") or ""),
        is_medium="contentMediaType" in schema and "contentEncoding" not in schema,
        properties={
            name: (child,)
            for name, child in mapping_at(schema, "properties").items()
            if child is not False
        },
        required=frozenset(map(str, list_at(schema, "required"))),
        items=schema["items"] if is_mapping(schema.get("items")) else None,
        prefix=tuple(list_at(schema, "prefixItems")),
        least=least if isinstance(least, int) else 0,
        additional=additional if is_mapping(additional) and additional else None,
        closed=additional is False,
    )


def _both(one: Shape, other: Shape) -> Shape | None:
    """What two shapes say together; None where no value is both."""
    types = _common(one.types, other.types)
    if types is None:
        return None
    enum = one.enum if other.enum is None else other.enum
    if one.enum is not None and other.enum is not None:
        enum = tuple(value for value in one.enum if value in other.enum)
        if not enum:
            return None
    properties = {**one.properties}
    for name, parts in other.properties.items():
        known = properties.get(name, ())
        properties[name] = (*known, *(part for part in parts if all(part is not k for k in known)))
    return Shape(
        one.schema,
        types,
        nullable=one.nullable or other.nullable,
        only_null=one.only_null or other.only_null,
        enum=enum,
        is_constant=one.is_constant or other.is_constant,
        format=other.format or one.format,
        is_medium=one.is_medium or other.is_medium,
        properties=properties,
        required=one.required | other.required,
        items=other.items or one.items,
        prefix=other.prefix or one.prefix,
        least=max(one.least, other.least),
        additional=other.additional or one.additional,
        closed=one.closed or other.closed,
        tags={**one.tags, **other.tags},
    )


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...] | None:
    """The types of both; None where they have none in common."""
    if not one or not other:
        return one or other
    both = [kind for kind in one if kind in other]
    if "integer" in one + other and "integer" not in both and "number" in one + other:
        both.append("integer")
    return tuple(both) or None


def bare(value: Any) -> Any:
    """A value as plain dicts, lists, texts and numbers."""
    if is_mapping(value):
        return {name: bare(member) for name, member in value.items()}
    if is_list(value):
        return [bare(item) for item in value]
    if isinstance(value, Word):
        return str(value)
    return int(value) if isinstance(value, Number) else value


class NoValueError(Exception):
    """No value is one of the schema."""


@dataclass
class Maker:
    """Values of schemas, which jsonschema admits. `random` chooses what is not required."""

    schemas: Schemas
    direction: Direction
    random: Random
    text: str = ""
    """The text of all texts; "" takes odd ones."""
    levels: int = MOST_LEVELS
    """Levels of objects and lists with optional members; what is below has what is required."""
    as_json: bool = True
    """Whether the value is in JSON, where no value is bytes and objects may have further members.
    """

    def of(self, node: Node, number: int = 0, *, full: bool = True) -> Any:
        """A value of a schema, in the alternative of a number; of a form one with fields, if it has
        any: one without has no content type. Raises NoValueError.
        """
        known: list[Any] = []
        for _ in range(6):
            value = self._made(node, number, full=full)
            if self._is_one(node.tree, value):
                known.append(value)
                if self.as_json or value != {}:
                    break
        if known:
            return known[-1]
        raise NoValueError(node.place)

    def _is_one(self, schema: Tree, value: Any) -> bool:
        return self.schemas.is_valid(schema, value, self.direction)

    def _made(self, node: Node, number: int, *, full: bool) -> Any:
        self._parts = MOST_PARTS if full else 0
        self._texts = 0
        return self._value(node.tree, node.place, 0, (), number)

    def _value(
        self,
        schema: Tree,
        place: str,
        level: int,
        above: tuple[int, ...],
        number: int | None = None,
    ) -> Any:
        shapes = self.schemas.shapes(schema)
        outside = [shape for shape in shapes if id(shape) not in above] or shapes
        if not outside:
            raise NoValueError(place)
        if number is None:
            number = self.random.randrange(len(outside)) if level < MOST_NESTED else 0
            nullable = any(shape.nullable for shape in outside)
            if nullable and self.as_json and self.random.random() < 0.1:
                return None
        shape = outside[number % len(outside)]
        if shape.only_null:
            return None
        if shape.enum:
            return self._word(shape)
        if shape.binary:
            return "text" if self.as_json else BYTES
        kind = self._kind(shape)
        above = (*above, id(shape))
        if kind == "object":
            value = self._object(shape, place, level, above)
            value.names = self.schemas.names(schema)
            value.others = tuple(
                (other.schema, frozenset(other.properties))
                for other in shapes
                if other is not shape
            )
            return value
        if kind == "array":
            return self._list(shape, place, level, above)
        return self._scalar(kind, shape)

    def _word(self, shape: Shape) -> Any:
        assert shape.enum is not None
        value = self.random.choice(shape.enum)
        words = shape.words()
        if not words:
            return value
        word = Word(value) if isinstance(value, str) else Number(value)
        word.words = words
        return word

    def _kind(self, shape: Shape) -> str:
        if shape.types:
            return self.random.choice(shape.types)
        return "object" if shape.properties or shape.additional is not None else ""

    def _object(self, shape: Shape, place: str, level: int, above: tuple[int, ...]) -> Made:
        value = Made()
        value.schema = shape.schema
        value.declared = frozenset(shape.properties)
        value.place = place
        self._parts -= 1
        is_open = level < self.levels and self._parts > 0
        for name, parts in shape.properties.items():
            child = self.schemas.whole(parts)
            if name in shape.tags or self._is_hidden(parts):
                continue
            if name in shape.required:
                if len(above) > MOST_NESTED:
                    raise NoValueError(place)
                value[name] = self._value(child, f"{place}.{name}", level + 1, above)
            elif is_open and not self._is_within_itself(child, above) and self._is_chosen(level):
                with contextlib.suppress(NoValueError):
                    value[name] = self._value(child, f"{place}.{name}", level + 1, above)
        value.update(shape.tags)
        for name in sorted(shape.required - shape.properties.keys() - value.keys()):
            value[name] = self._text()
        if is_open:
            self._add_undeclared(value, shape, level, above)
        return value

    def _is_hidden(self, parts: tuple[Tree, ...]) -> bool:
        """Whether a member is not there in this direction."""
        key = "readOnly" if self.direction == "sent" else "writeOnly"
        return any(self.schemas.is_hidden(part, key) for part in parts)

    def _is_chosen(self, level: int) -> bool:
        """Whether an optional member is there."""
        return self.random.random() > (0.3 if level else 0.1)

    def _add_undeclared(
        self, value: Made, shape: Shape, level: int, above: tuple[int, ...]
    ) -> None:
        """Add a member that the schema does not name."""
        if shape.additional is not None:
            if not self._is_within_itself(shape.additional, above):
                inner = self._value(shape.additional, f"{value.place}.*", level + 1, above)
                value[ADDITIONAL] = inner
        elif self.as_json and not shape.closed and (not value or self._is_chosen(level)):
            value[ADDITIONAL] = self.random.choice([1, "text", None, [{"a": None}], {"b": []}])

    def _is_within_itself(self, schema: Tree, above: tuple[int, ...]) -> bool:
        return all(id(shape) in above for shape in self.schemas.shapes(schema))

    def _list(self, shape: Shape, place: str, level: int, above: tuple[int, ...]) -> list[Any]:
        is_open = level < self.levels and self._parts > 0
        if shape.prefix:
            return [self._value(item, f"{place}[]", level + 1, above) for item in shape.prefix]
        wanted = self.random.choice([1, 2]) if self.as_json else 2
        length = min(max(shape.least, wanted if is_open else 0), 10)
        if shape.items is None:
            return [self._text()] * length
        if self._is_within_itself(shape.items, above) and not shape.least:
            return []
        if len(above) > MOST_NESTED:
            raise NoValueError(place)
        return [self._value(shape.items, f"{place}[]", level + 1, above) for _ in range(length)]

    def _text(self) -> str:
        if not self.text:
            return self.random.choice(TEXTS)
        self._texts += 1
        return self.text if self._texts == 1 else f"text{self._texts - 1}"

    def _scalar(self, kind: str, shape: Shape) -> Any:
        if kind == "boolean":
            return self.random.random() < 0.5
        if kind == "integer":
            return self.random.choice([1, 2, 7, 40])
        if kind == "number":
            return self.random.choice([1.5, 0.25, 12.34, 3])
        if kind == "string":
            return FORMATS.get(shape.format, self._text())
        if self.as_json:
            return self.random.choice([{"any": "thing"}, "text", 1.5, [1, {"a": None}], True])
        return self._text()
