"""The schemas of a document as it was written: values of them, and whether jsonschema admits one.

Nothing here knows the rewritten document, so that a mistake of a rewrite cannot hide.
"""

import contextlib
import json
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
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

HIDDEN = {"sent": "readOnly", "received": "writeOnly"}
KINDS = {"object", "array", "string", "integer", "number", "boolean"}
UNIONS = ("oneOf", "anyOf")
MOST_WIDE = 64
"""The alternatives of a schema."""
MOST_LEVELS = 5
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

    place: str
    schema: Tree
    """The schema, or the member of its union that was chosen."""
    declared: frozenset[str]
    """The members that the chosen alternative declares."""
    names: set[str]
    """The members that any alternative declares."""
    others: tuple[tuple[Tree, set[str]], ...] = ()
    """The other members of the union, each with the members of an object that is one."""
    is_loose: bool = False
    """Whether it is in a list that is a member of a union: as which one it is read, nobody says."""


class Flat:
    """One alternative of a schema: the schema with its parts, and with a member of each union."""

    def __init__(self, number, wholes):
        self.number = number
        """What chooses the members of the unions that are yet to come."""
        self._wholes = wholes
        """One schema of several definitions of a member, by their ids."""
        self.trees = []
        self.tags = {}
        """By the name of a discriminator, the words that select the alternative."""
        self.chosen = {}
        """The last member of a union that was taken."""
        self.others = []
        """The members of unions that were not taken."""
        self.width = 1
        """How many alternatives its unions have."""
        self.nullable = False
        self.seen = set()

    def last(self, key):
        """What the last one says that has a key."""
        return next((each[key] for each in reversed(self.trees) if each.get(key)), None)

    @cached_property
    def types(self):
        """The types that all admit; none where none says one."""
        known = KINDS
        for tree in self.trees:
            own = KINDS & {*types_of(tree)}
            own |= {"integer"} if "number" in own else set()
            known = known & own if own else known
        if len(known) == len(KINDS):
            has_members = bool(self.properties or self.last("additionalProperties"))
            return ["object"] * has_members or ["array"] * bool(self.last("items"))
        return sorted(known - {"integer"} if "number" in known else known)

    @cached_property
    def words(self):
        """The values of all enums, without null."""
        enums = [enum for enum in map(enum_of, self.trees) if enum is not None]
        first, *more = enums or [[]]
        return [word for word in first if word is not None and all(word in each for each in more)]

    @property
    def named_words(self):
        """The values of an enum that has members in Python."""
        is_constant = any("const" in tree for tree in self.trees)
        is_enum = {*map(type, self.words)} in ({str}, {int}) and not is_constant
        return self.words if is_enum else []

    @cached_property
    def properties(self):
        """The schema of each member, of all that define it."""
        found = {}
        for tree in self.trees:
            for name, child in mapping_at(tree, "properties").items():
                known = found.setdefault(name, [])
                known += [child] if child not in known else []
        return {
            name: parts[0]
            if len(parts) == 1
            else self._wholes.setdefault((*map(id, parts),), {"allOf": parts})
            for name, parts in found.items()
            if False not in parts
        }

    @cached_property
    def required(self):
        return {str(name) for tree in self.trees for name in list_at(tree, "required")}

    @property
    def is_closed(self):
        return any(tree.get("additionalProperties") is False for tree in self.trees)

    @cached_property
    def is_file(self):
        is_medium = self.last("contentMediaType") and not self.last("contentEncoding")
        is_text = not self.words and self.types in ([], ["string"])
        return self.last("format") == "binary" or bool(is_medium and is_text)


class Schemas:
    def __init__(self, tree):
        self.root = Node(tree, "")
        self.is_3_0 = str(tree["openapi"]).startswith("3.0")
        self._wholes = {}
        self._names = {}
        self._flats = {}
        self._validators = {}
        """Each with the schema, whose id stays its own; names and alternatives, too."""
        self._references = {}
        self._registries = {}
        self.hidden = {"sent": set(), "received": set()}
        """The members that some schema does not have in a direction: no value needs them, since
        another part may say so than the one that requires them.
        """
        self.all_names = set()
        """The members of all objects of the document."""
        for each in _mappings(tree):
            for name, child in members(mapping_at(each, "properties")):
                self.all_names.add(name)
                for direction in HIDDEN:
                    if self.is_hidden(child, direction):
                        self.hidden[direction].add(name)
            if isinstance(each.get("$ref"), str):
                self._references.setdefault(each["$ref"], f"schema:/{len(self._references)}")
        self._children = {}
        self._owners = {}
        """By the id of a named schema: those whose discriminator names it, by what leads to it."""
        named = named_schemas(tree)
        for name, schema in members(named):
            tells = "propertyName" in mapping_at(schema, "discriminator")
            if tells and not any(schema.get(key) for key in UNIONS):
                below = descendants(named, name)
                self._children[id(schema)] = [{"$ref": SCHEMAS + heir} for heir in [*below, name]]
                for heir in below:
                    self._owners.setdefault(id(named[heir]), {})[SCHEMAS + heir] = schema

    def follow(self, node: Node) -> Node:
        tree, reference = followed(self.root.tree, node.tree)
        place = unescaped(unquote(reference[2:]).replace("/", ".")) if reference else node.place
        return Node({} if "$ref" in tree else tree, place)

    def is_hidden(self, schema, direction: Direction):
        """Whether a member, by one of its definitions, is not there in a direction."""
        if not is_mapping(schema):  # true, which admits everything
            return False
        parts = [schema, *list_at(schema, "allOf")]
        parts += map(self.target, [*parts])
        return any(is_mapping(part) and part.get(HIDDEN[direction]) for part in parts)

    def target(self, schema):
        return resolve(self.root.tree, schema) if is_mapping(schema) else schema

    def flat(self, schema, number=0, above=()) -> Flat:
        """The alternative of a number. Members of unions that are being made are taken last."""
        key = id(schema), number
        if key not in self._flats:
            self._flats[key] = schema, self._added(schema, number, ())
        known = self._flats[key][1]
        return known if known.seen.isdisjoint(above) else self._added(schema, number, above)

    def alternatives(self, schema) -> list[Flat]:
        """The alternatives of a schema."""
        first = self.flat(schema)
        return [
            first,
            *(self.flat(schema, number) for number in range(1, min(first.width, MOST_WIDE))),
        ]

    def _added(self, schema, number, above) -> Flat:
        flat = Flat(number, self._wholes)
        self._add(flat, schema, above)
        return flat

    def _add(self, flat: Flat, schema, above, *, is_part=False):
        """Add a schema, and what it is made of; a part of another without what extends it."""
        if not is_mapping(schema) or id(schema) in flat.seen:
            return
        flat.seen.add(id(schema))
        if "$ref" in schema:
            target = self.target(schema)
            children = () if is_part else self._children.get(id(target), ())
            for owner in () if is_part else self._owners.get(id(target), {}).values():
                _tag(flat, owner, schema)
            if children:
                self._take(flat, target, children, above)
            else:
                self._add(flat, target, above, is_part=is_part)
            if self.is_3_0:
                return
        flat.trees.append(schema)
        flat.nullable |= schema.get("nullable") is True or "null" in types_of(schema)
        parts = list_at(schema, "allOf")
        for part in parts:
            # with words beside it, it is another name of the same schema
            is_alias = len(parts) == 1 and not {*schema} - _WORDS - {"allOf", "nullable"}
            self._add(flat, part, above, is_part=is_part or not is_alias)
        for key in UNIONS:
            options = [each for each in list_at(schema, key) if not self._is_null(each)]
            flat.nullable |= len(options) < len(list_at(schema, key))
            if options:
                self._take(flat, schema, options, above)

    def _is_null(self, schema):
        return is_mapping(schema) and is_null(self.target(schema))

    def _take(self, flat: Flat, owner, options, above):
        """Add a member of a union, among those that end if any does."""
        ending = [each for each in options if id(self.target(each)) not in above] or options
        flat.number, index = divmod(flat.number, len(ending))
        flat.width *= len(ending)
        member = ending[index]
        flat.others += [each for each in options if each is not member]
        flat.chosen = member if is_mapping(member) else {}
        _tag(flat, owner, flat.chosen)
        is_of_family = options is self._children.get(id(owner))
        self._add(flat, member, above, is_part=is_of_family)

    def names(self, schema):
        """The members that an object may have in a place, in any alternative."""
        if id(schema) in self._names:
            return self._names[id(schema)][1]
        names = set()
        if is_mapping(schema):
            self._names[id(schema)] = schema, names
        seen = set()
        pending = [schema]
        for each in pending:  # it grows
            if not is_mapping(each) or id(each) in seen:
                continue
            seen.add(id(each))
            names.update(mapping_at(each, "properties"))
            names.update(filter(None, [mapping_at(each, "discriminator").get("propertyName")]))
            for key in ("allOf", *UNIONS):
                pending += list_at(each, key)
            pending += [each.get(key) for key in ("if", "then", "else")]
            pending += mapping_at(each, "dependentSchemas").values()
            pending += self._children.get(id(each), ())
            if "$ref" in each:
                pending.append(self.target(each))
        return names

    # ---- Whether a value is one of a schema: jsonschema says it ----

    def is_valid(self, schema, value, direction: Direction):
        """Whether jsonschema admits a value, by its types, words and members."""
        if direction not in self._registries:
            resources = [
                (uri, self._judged(self.target({"$ref": reference}), direction))
                for reference, uri in self._references.items()
            ]
            draft = jsonschema_rs.Draft202012
            self._registries[direction] = jsonschema_rs.Registry(resources, draft=draft)
        key = id(schema), direction
        if key not in self._validators:
            validator = jsonschema_rs.Draft202012Validator(
                self._judged(schema, direction),
                registry=self._registries[direction],
                validate_formats=True,
            )
            self._validators[key] = validator, schema
        text = json.dumps(value, default=lambda each: each.decode("latin-1"))
        return bool(self._validators[key][0].is_valid(json.loads(text)))

    def _judged(self, schema, direction: Direction):
        """A schema in the words of JSON Schema, without what no package looks at: limits, forms,
        that only one member of a union may fit, that no other members are admitted.
        """
        if not is_mapping(schema):
            return schema if isinstance(schema, bool) else True
        judged = {}
        if isinstance(schema.get("$ref"), str):
            if schema["$ref"] not in self._references:
                return self._judged(self.target(schema), direction)
            judged["$ref"] = self._references[schema["$ref"]]
            if self.is_3_0:
                return judged
        for key in ("properties", "dependentSchemas", "patternProperties"):
            children = mapping_at(schema, key).items()
            judged[key] = {name: self._judged(child, direction) for name, child in children}
        for key in ("items", "additionalProperties", "not", "if", "then", "else"):
            if is_mapping(schema.get(key)):
                judged[key] = self._judged(schema[key], direction)
        for key in ("allOf", "prefixItems", *UNIONS):
            if schema.get(key):
                judged[key] = [self._judged(part, direction) for part in schema[key]]
        if "oneOf" in judged:
            judged["allOf"] = [*judged.get("allOf", []), {"anyOf": judged.pop("oneOf")}]
        kinds = [kind for kind in types_of(schema) if kind in KINDS or kind == "null"]
        if kinds and len(kinds) == len(types_of(schema)):
            judged["type"] = kinds
        enum = enum_of(schema)
        if enum is not None:
            judged["enum"] = enum
        if schema.get("format") in FORMATS:
            judged["format"] = schema["format"]
        judged["required"] = sorted(
            {*map(str, list_at(schema, "required"))} - self.hidden[direction]
        )
        return {"anyOf": [{"type": "null"}, judged]} if schema.get("nullable") is True else judged


_WORDS = {
    *("description", "title", "example", "examples", "deprecated", "readOnly", "writeOnly"),
    *("default", "externalDocs", "xml", "summary"),
}


def _mappings(tree):
    """All mappings of a document."""
    pending = [tree]
    for each in pending:  # it grows
        if is_mapping(each):
            yield each
            pending += each.values()
        elif is_list(each):
            pending += each


def enum_of(schema):
    """The values that a schema is restricted to. YAML reads `737` and `true` as no texts."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if not is_list(values):
        return None
    if schema.get("type") == "string":
        return [each if isinstance(each, str | None) else json.dumps(each) for each in values]
    return values


def _tag(flat: Flat, owner, member):
    """Note the words by which the discriminator of a union selects a member."""
    discriminator = mapping_at(owner, "discriminator")
    name, reference = discriminator.get("propertyName"), member.get("$ref")
    if isinstance(name, str) and isinstance(reference, str):
        last = reference.rpartition("/")[2]
        mapping = mapping_at(discriminator, "mapping")
        words = [word for word, target in mapping.items() if target in (reference, last)]
        flat.tags[name] = words or [last]


def bare(value):
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
    """Values of schemas, which jsonschema admits. `random` chooses what is not required; unions
    take their members in turn.
    """

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

    def of(self, node: Node, number=0, *, full=True):
        """A value of a schema, in the alternative of a number; of a form one with fields, if it has
        any: one without has no content type. Raises NoValueError.
        """
        self._turns = defaultdict[int, int](lambda: number)
        value = {}
        for attempt in range(6):
            self._is_strict = attempt > 0
            self._parts = MOST_PARTS if full else 0
            self._texts = 0
            with contextlib.suppress(NoValueError):
                value = self._value(node.tree, node.place, 0, ())
                if self.as_json or value != {}:
                    return value
        if self.as_json or not self.schemas.is_valid(node.tree, value, self.direction):
            raise NoValueError(node.place)
        return value

    def _value(self, schema, place, level, above):
        """A value of a schema; where jsonschema refuses it, one of another alternative."""
        inner = (*above, id(self.schemas.target(schema)))
        for _ in range(min(self.schemas.flat(schema).width, MOST_WIDE) + 1):
            number = self._turns[id(schema)] % MOST_WIDE
            self._turns[id(schema)] += 1
            flat = self.schemas.flat(schema, number, above)
            with contextlib.suppress(NoValueError):
                value = self._of_flat(flat, schema, place, level, inner)
                is_judged = self._is_strict or flat.others or level == 0
                if not is_judged or self.schemas.is_valid(schema, value, self.direction):
                    return value
        raise NoValueError(place)

    def _of_flat(self, flat: Flat, schema, place, level, above):
        if all(map(is_null, flat.trees)) and flat.trees:
            return None
        is_again = above[-1] in above[:-1]
        is_null_value = level and flat.nullable and self.as_json
        if is_null_value and (is_again or self.random.random() < 0.1):
            return None
        if flat.words:
            return self._word(flat)
        if flat.is_file:
            return "text" if self.as_json else BYTES
        kind = self.random.choice(flat.types) if flat.types else ""
        if kind == "object":
            return self._object(flat, schema, place, level, above)
        if kind == "array":
            return self._list(flat, place, level, above)
        return self._scalar(kind, flat)

    def _word(self, flat: Flat):
        value = self.random.choice(flat.words)
        if not flat.named_words:
            return value
        word = Word(value) if isinstance(value, str) else Number(value)
        word.words = flat.words
        return word

    def _object(self, flat: Flat, schema, place, level, above) -> Made:
        value = Made()
        value.place = place
        value.schema = flat.chosen if flat.chosen and len(flat.trees) == 1 else schema
        value.declared = frozenset(flat.properties)
        value.names = self.schemas.names(schema)
        beside = value.declared - self.schemas.names(flat.chosen)
        value.others = tuple((each, self.schemas.names(each) | beside) for each in flat.others)
        self._parts -= 1
        is_open = level < self.levels and self._parts > 0
        for name, child in flat.properties.items():
            inner = f"{place}.{name}"
            if name in flat.tags or self.schemas.is_hidden(child, self.direction):
                continue
            if name in flat.required:
                value[name] = self._value(child, inner, level + 1, above)
            elif is_open and not self._is_made(child, above) and self._is_chosen(level):
                with contextlib.suppress(NoValueError):
                    value[name] = self._value(child, inner, level + 1, above)
        for name, words in flat.tags.items():
            value[name] = self._tag(flat.properties.get(name, {}), words)
        if is_open:
            self._add_undeclared(value, flat, level, above)
        return value

    def _tag(self, schema, words):
        """The word of a discriminator, as its member has it."""
        known = self.schemas.alternatives(schema)
        typed = words_as(words, {kind for each in known for kind in each.types})
        admitted = [word for each in known for word in each.words]
        return [*(word for word in typed if word in admitted), *admitted, *typed, *words][0]

    def _is_chosen(self, level):
        """Whether an optional member is there."""
        return self.random.random() > (0.3 if level else 0.1)

    def _is_made(self, schema, above):
        """Whether a schema is being made: it would be made without an end."""
        return id(self.schemas.target(schema)) in above

    def _add_undeclared(self, value: Made, flat: Flat, level, above):
        """Add a member that the schema does not name."""
        additional = flat.last("additionalProperties")
        if is_mapping(additional):
            if not self._is_made(additional, above):
                place = f"{value.place}.*"
                value[ADDITIONAL] = self._value(additional, place, level + 1, above)
        elif self.as_json and not flat.is_closed and (not value or self._is_chosen(level)):
            value[ADDITIONAL] = self.random.choice([1, "text", None, [{"a": None}], {"b": []}])

    def _list(self, flat: Flat, place, level, above):
        place = f"{place}[]"
        if flat.last("prefixItems"):
            return [self._value(each, place, level + 1, above) for each in flat.last("prefixItems")]
        is_open = level < self.levels and self._parts > 0
        items = flat.last("items") or {}
        least = max(each.get("minItems", 0) for each in flat.trees)
        wanted = self.random.choice([1, 2]) if self.as_json else 2
        length = min(max(least, wanted if is_open else 0), 10)
        if self._is_made(items, above) and not least:
            length = 0
        made = [self._value(items, place, level + 1, above) for _ in range(length)]
        for each in made:
            if isinstance(each, Made) and flat.others:
                each.is_loose = True
        return made

    def _text(self):
        if not self.text:
            return self.random.choice(TEXTS)
        self._texts += 1
        return self.text if self._texts == 1 else f"text{self._texts - 1}"

    def _scalar(self, kind, flat: Flat):
        if kind == "boolean":
            return self.random.random() < 0.5
        if kind == "integer":
            return self.random.choice([1, 2, 7, 40])
        if kind == "number":
            return self.random.choice([1.5, 0.25, 12.34, 3])
        if kind == "string":
            return FORMATS.get(flat.last("format"), self._text())
        if self.as_json:
            return self.random.choice([{"any": "thing"}, "text", 1.5, [1, {"a": None}], True])
        return self._text()
