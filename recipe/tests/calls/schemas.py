"""The schemas of a document as it was written, and values of them.

Nothing here knows the rewritten document, so that a mistake of a rewrite cannot hide.
"""

import contextlib
import datetime
import json
from collections import defaultdict
from functools import cached_property
from itertools import zip_longest
from random import Random
from typing import Any, NamedTuple
from urllib.parse import unquote
from uuid import UUID

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
)

KINDS = {"object", "array", "string", "integer", "number", "boolean"}
UNIONS = ("oneOf", "anyOf")
MOST_WIDE = 64
"""The alternatives of a schema."""
MOST_LEVELS = 5
"""Levels of objects and lists with optional members; what is below has what is required."""
MOST_PARTS = 400
"""The objects of one value that have optional members."""
BYTES = b"\x00\xffbytes\r\n"
"""The content of every file."""
TEXTS = ("text é", "0", "null", "a b/c?d=e&f+g%h;é", "\u2028 'x' \"y\" \\ {z}", "")
FORMATS = {
    "date": "2026-03-04",
    "date-time": "2026-03-04T05:06:07Z",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
}
TYPED = {
    FORMATS["date"]: datetime.date(2026, 3, 4),
    FORMATS["date-time"]: datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.UTC),
    FORMATS["uuid"]: UUID(FORMATS["uuid"]),
}
"""What these texts are in Python."""
SCALARS = {
    "boolean": (True, False),
    "integer": (1, 2, 7, 40),
    "number": (1.5, 0.25, 12.34, 3),
}
ANYTHING = ({"any": "thing"}, "text", 1.5, [1, {"a": None}], True)
ADDITIONAL = "x-additional"
"""A name that no schema declares."""


class Node(NamedTuple):
    tree: Tree
    place: str

    def child(self, key) -> "Node":
        """The part under a key; an empty mapping when it is no mapping."""
        return Node(mapping_at(self.tree, key), f"{self.place}.{key}")

    def mapping(self, key):
        """The members of the mapping under a key, each with its place."""
        inner = self.child(key)
        return {name: inner.child(name) for name in inner.tree}


class Alternative:
    """A schema with its parts, and with one member of each union."""

    def __init__(self, trees):
        self.trees = trees
        self.is_nullable = any(
            tree.get("nullable") is True or "null" in types_of(tree) for tree in trees
        )

    def last(self, key):
        """What the last one says that has a key."""
        return next((each[key] for each in reversed(self.trees) if each.get(key)), None)

    @cached_property
    def kinds(self):
        """The types that all admit; none when no value is of all."""
        known = KINDS
        for tree in self.trees:
            own = KINDS & {*types_of(tree)}
            own |= {"integer"} if "number" in own else set()
            known = known & own if own else known
        return known

    @cached_property
    def types(self):
        """The types in which values are made; none where none says one."""
        if self.kinds == KINDS:
            has_members = self.properties or self.last("additionalProperties")
            return ["object"] if has_members else ["array"] if self.last("items") else []
        return sorted(self.kinds - {"integer"} if "number" in self.kinds else self.kinds)

    @cached_property
    def words(self):
        """The values of all enums, without null."""
        enums = [enum for enum in map(enum_of, self.trees) if enum]
        first, *more = enums or [[]]
        words = [word for word in first if word is not None]
        return [word for word in words if all(word in each for each in more)] or words

    @cached_property
    def properties(self):
        """The schema of each member, of all that define it."""
        found = defaultdict[str, list[Any]](list)
        for tree in self.trees:
            for name, child in mapping_at(tree, "properties").items():
                found[name] += [child] if child not in found[name] else []
        return {
            name: parts[0] if len(parts) == 1 else {"allOf": parts}
            for name, parts in found.items()
            if False not in parts
        }

    @cached_property
    def required(self):
        return {str(name) for tree in self.trees for name in list_at(tree, "required")}

    @cached_property
    def is_file(self):
        is_medium = self.last("contentMediaType") and not self.last("contentEncoding")
        is_text = not self.words and self.types in ([], ["string"])
        return self.last("format") == "binary" or bool(is_medium and is_text)


class Word(str):
    """A value of an enum of texts that has members in Python."""

    __slots__ = ("words",)

    words: list[Any]
    """All values of the enum."""


class Made(dict[str, Any]):
    """An object that was made of a schema, in one of its alternatives."""

    way: Alternative
    others: list[Alternative]


class NoValueError(Exception):
    """No value is of all types that a schema says."""


class Schemas:
    def __init__(self, tree):
        self.root = Node(tree, "")
        self._known = {}
        """The alternatives by the id of a schema, with the schema: so its id stays its own."""
        self._children = {}
        self._owners = defaultdict[str, list[Tree]](list)
        """By what leads to a named schema: those whose discriminator names it."""
        named = named_schemas(tree)
        for name, schema in members(named):
            tells = "propertyName" in mapping_at(schema, "discriminator")
            if tells and not any(schema.get(key) for key in UNIONS):
                below = [SCHEMAS + heir for heir in descendants(named, name)]
                references = [*below, SCHEMAS + name]
                self._children[id(schema)] = [{"$ref": each} for each in references]
                for each in below:
                    self._owners[each].append(schema)

    def follow(self, node: Node) -> Node:
        tree, reference = followed(self.root.tree, node.tree)
        place = unescaped(unquote(reference[2:]).replace("/", ".")) if reference else node.place
        return Node({} if "$ref" in tree else tree, place)

    def target(self, schema):
        return resolve(self.root.tree, schema) if is_mapping(schema) else schema

    def alternatives(self, schema) -> list[Alternative]:
        """The alternatives of a schema; its first union changes from one to the next. Raises
        NoValueError when it has none.
        """
        if id(schema) not in self._known:
            ways = [Alternative(way) for way in self._ways(schema, ())]
            self._known[id(schema)] = schema, [way for way in ways if way.kinds]
        ways = self._known[id(schema)][1]
        if not ways:
            raise NoValueError
        return ways

    def _ways(self, schema, above, *, is_part=False) -> list[list[Tree]]:
        """The schemas of each alternative; of a part of another, without what extends it."""
        if not is_mapping(schema) or id(schema) in above:
            return [[]]
        own = [schema]
        # each group gives one of its members, which the discriminator of the first may select
        groups = []
        if "$ref" in schema:
            target = self.target(schema)
            children = () if is_part else self._children.get(id(target), ())
            owners = () if is_part else self._owners[str(schema["$ref"])]
            own += [self._tag(owner, schema) for owner in owners]
            groups.append((target, children or [target], is_part or bool(children)))
        parts = list_at(schema, "allOf")
        # alone, it is another name of the same schema
        is_alias = len(parts) == 1 and schema.keys().isdisjoint(("properties", "required"))
        groups += [({}, [part], is_part or not is_alias) for part in parts]
        for key in UNIONS:
            options = [each for each in list_at(schema, key) if not self._is_null(each)]
            if len(options) < len(list_at(schema, key)):
                own.append({"nullable": True})
            groups += [(schema, options, False)] if options else []
        ways = [own]
        for owner, options, is_inner in groups:
            each = [
                [
                    [*way, self._tag(owner, option)]
                    for way in self._ways(option, (*above, id(schema)), is_part=is_inner)
                ]
                for option in options
            ]
            # by turns, so that the first ones have each member
            turns = [way for row in zip_longest(*each) for way in row if way]
            ways = [[*one, *other] for other in turns for one in ways][:MOST_WIDE]
        return ways

    def _is_null(self, schema):
        return is_mapping(schema) and is_null(self.target(schema))

    def _tag(self, owner, member) -> Tree:
        """What the discriminator of a union says of a member: the word that selects it."""
        discriminator = mapping_at(owner, "discriminator")
        name = discriminator.get("propertyName")
        reference = member.get("$ref") if is_mapping(member) else None
        if not isinstance(name, str) or not isinstance(reference, str):
            return {}
        last = reference.rpartition("/")[2]
        mapping = mapping_at(discriminator, "mapping")
        words = [word for word, target in mapping.items() if target in (reference, last)] or [last]
        return {"properties": {name: {"const": words[0]}}, "required": [name]}


def enum_of(schema):
    """The values that a schema is restricted to. YAML reads `737` and `true` as no texts."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if not is_list(values):
        return None
    if schema.get("type") == "string":
        return [each if isinstance(each, str | None) else json.dumps(each) for each in values]
    return values


def bare(value):
    """A value as plain dicts, lists and texts."""
    if is_mapping(value):
        return {name: bare(member) for name, member in value.items()}
    if is_list(value):
        return [bare(item) for item in value]
    return str(value) if isinstance(value, Word) else value


class Maker:
    """Values of schemas, the same ones of a seed. Unions take their members in turn."""

    def __init__(
        self, schemas: Schemas, random: Random, *, text="", levels=MOST_LEVELS, as_json=True
    ):
        self._schemas = schemas
        self._random = random
        self._text = text
        """The text of all texts; "" takes odd ones."""
        self._levels = levels
        self.as_json = as_json
        """Whether the value is in JSON, where no value is bytes and objects may have further
        members.
        """

    def of(self, node: Node, number=0, *, full=True):
        """A value of a schema, in the alternative of a number."""
        self._turns = defaultdict[int, int](lambda: number)
        self._parts = MOST_PARTS if full else 0
        self._texts = 0
        return self._value(node.tree, 0, ())

    def _value(self, schema, level, above):
        ways = self._schemas.alternatives(schema)
        # what is being made is made again last, so that there is an end
        ending = [way for way in ways if {*map(id, way.trees)}.isdisjoint(above)] or ways
        way = ending[self._turns[id(schema)] % len(ending)]
        self._turns[id(schema)] += 1
        if any(map(is_null, way.trees)):
            return None
        can_be_null = way.is_nullable and level and self.as_json and not self._text
        if can_be_null and (self._is_made(schema, above) or self._random.random() < 0.25):
            return None
        if way.words:
            return self._word(way)
        if way.is_file:
            return "text" if self.as_json else BYTES
        kind = self._random.choice(way.types) if way.types else ""
        inner = (*above, id(self._schemas.target(schema)))
        if kind == "object":
            others = [each for each in ways if each is not way]
            return self._object(way, others, level, inner)
        if kind == "array":
            return self._list(way, level, inner)
        return self._scalar(kind, way)

    def _is_made(self, schema, above):
        """Whether a schema is being made: it would be made without an end."""
        return id(self._schemas.target(schema)) in above

    def _word(self, way: Alternative):
        value = self._random.choice(way.words)
        is_constant = any("const" in tree for tree in way.trees)
        if is_constant or {*map(type, way.words)} != {str}:
            return value
        word = Word(value)
        word.words = way.words
        return word

    def _object(self, way: Alternative, others, level, above) -> Made:
        value = Made()
        value.way = way
        value.others = others
        self._parts -= 1
        is_open = level < self._levels and self._parts > 0
        for name, child in way.properties.items():
            is_wanted = is_open and not self._is_made(child, above) and self._is_chosen(level)
            is_required = name in way.required
            with contextlib.suppress(*[] if is_required else [NoValueError]):
                is_read = self._schemas.alternatives(child)[0].last("readOnly")
                if (is_required or is_wanted) and (self.as_json or not is_read):
                    value[name] = self._value(child, level + 1, above)
        additional = way.last("additionalProperties")
        if is_open and is_mapping(additional) and not self._is_made(additional, above):
            value[ADDITIONAL] = self._value(additional, level + 1, above)
        elif (
            is_open
            and self.as_json
            and not any(tree.get("additionalProperties") is False for tree in way.trees)
        ):
            value[ADDITIONAL] = self._random.choice(ANYTHING)
        return value

    def _is_chosen(self, level):
        """Whether an optional member is there; a form without fields has no content type."""
        return self._random.random() > (0.3 if level else 0.1 * self.as_json)

    def _list(self, way: Alternative, level, above):
        items = way.last("items") or {}
        length = max(each.get("minItems", 0) for each in way.trees)
        if level < self._levels and self._parts > 0 and not self._is_made(items, above):
            length = max(length, self._random.choice([1, 2]) if self.as_json else 2)
        return [self._value(items, level + 1, above) for _ in range(min(length, 10))]

    def _scalar(self, kind, way: Alternative):
        if kind in SCALARS:
            return self._random.choice(SCALARS[kind])
        if kind == "string" and way.last("format") in FORMATS:
            return FORMATS[way.last("format")]
        if not self._text:
            return self._random.choice(TEXTS if kind == "string" or not self.as_json else ANYTHING)
        self._texts += 1
        return self._text if self._texts == 1 else f"text{self._texts - 1}"
