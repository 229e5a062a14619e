"""What a package offers its user: each public name, with its type, and with the places of the
document that it comes from.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import EnumProperty
from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.union import UnionProperty

from victor_spec.components import Components
from victor_spec.generate import Parsed, operation_module
from victor_spec.hooks import constant_of
from victor_spec.members import members_of
from victor_spec.requests import key
from victor_spec.rewrites.names import classes
from victor_spec.tree import Tree, hooks, list_at, mapping_at, operations, place_of, resolve

from .facts import SCHEMAS

Type = frozenset[str]
"""The members of a union: `Card`, `list[str | None]`, `Unset`."""
Kind = Literal["function", "model", "enum", "argument", "result", "attribute", "member"]

ANY = "Any"
UNSET = "Unset"
"""The type of what is absent."""
_WIDER = {"bool": "int", "int": "float", "datetime.datetime": "datetime.date"}
"""What type checkers accept in the place of what."""


@dataclass(frozen=True)
class Name:
    """A public name. A function stands for its forms, which wait or return more."""

    kind: Kind
    name: str
    """Of a function with its module."""
    title: str
    """What a sentence calls it: `the argument limit of list_cards`."""
    places: Sequence[str]
    """In the document, the most exact first. What has none comes from where the whole does."""
    type: Type = frozenset()
    """Of an argument what it may be if it is there; of a member its value; of an enum what its
    members are, too.
    """
    is_required: bool = False
    """Of a result: whether there is a function that returns it alone."""
    owner: str = ""
    """The name of what it is a part of."""


class Surface:
    """All names of a package; none, where there is no package."""

    def __init__(self, made: Parsed, document: Tree, components: Components) -> None:
        """`made` is of a loaded document, with its places, and `components` are those that
        `compare` made of the document.
        """
        self.components = components
        self._exact: dict[str, str] = {}
        """By the place of a part, that of its component: members of `allOf` have the place of their
        schema.
        """
        for part in components.by_id.values():
            for place in place_of(part.tree):
                self._exact[place] = part.place
        self.names: dict[str, Name] = {}
        """By what a report calls them, each after what it is a part of:
        `api.cards.list_cards(limit)`, `models.Card.price`. A result has `()`, or the name of a
        webhook, behind its function.
        """
        self.by_position: dict[str, list[str]] = {}
        """The arguments by position of each function."""
        self.passed: set[str] = set()
        """What a user passes: arguments, and the classes that these are made of, with their parts.
        """
        self.read: set[str] = set()
        """What a user reads: results, and the classes of answers and webhooks, with their parts."""
        self._wire_names = made.log.requests.names
        data = made.data
        if data is None:
            return
        trees = {key(each.tree): each.tree for each in operations(made.document)}
        for tag, collection in data.endpoint_collections_by_tag.items():
            for endpoint in collection.endpoints:
                self._function(operation_module(tag, endpoint), endpoint, trees[tag, endpoint.name])
        by_class = defaultdict[str, list[Tree]](list)
        for name, schema in classes(made.document):
            by_class[name].append(schema)
        made_classes: list[Any] = [*data.models, *data.enums]
        for class_ in sorted(made_classes, key=lambda each: each.class_info.module_name):
            self._class(class_, by_class[class_.class_info.name], made.document)
        if made.log.requests.hook_endpoints:
            self._webhooks(made, document)
        self.passed = self._reached("argument")
        self.read = self._reached("result")

    def _places(self, trees: Iterable[Tree | None]) -> list[str]:
        """The places of some parts, as `components` writes them, each once."""
        places = [place for tree in trees for place in place_of(tree)]
        return [*dict.fromkeys(self._exact.get(place, place) for place in places)]

    def _part(
        self,
        owner: str,
        kind: Kind,
        name: str,
        type_: Type,
        places: Sequence[str] = (),
        *,
        is_required: bool = False,
    ) -> str:
        """Add a part of a function or a class, and return its whole name."""
        leaf = self.names[owner].name.rpartition(".")[2]
        shown = f"{owner}({name})"
        title = f"the argument {name} of {leaf}"
        if kind == "result":
            title = f"{leaf}({name})" if name else leaf
        elif kind != "argument":
            shown = f"{owner}.{name}"
            title = f"{leaf}.{name}"
        self.names[shown] = Name(kind, name, title, places, type_, is_required, owner)
        return shown

    def _on_the_wire(self, name: str) -> str:
        """The name that the document has, of one that the generator reads."""
        return self._wire_names.get(name, name)

    # ---- Functions ----

    def _function(self, module: str, endpoint: Endpoint, tree: Tree) -> None:
        """Add the function of an operation, which has one place."""
        [place] = self._places([tree]) or [f"paths.{module}"]
        title = f"the function {module.rpartition('.')[2]}"
        self.names[module] = Name("function", module, title, [place])
        self.by_position[module] = []
        parameters = list_at(tree, "parameters")
        nodes = {(each["in"], self._on_the_wire(each["name"])): each for each in parameters}
        for location, made in endpoint.iter_all_parameters():
            node = nodes[str(location), made.name.get_untrusted_value()]
            places = self._places_of_parameter(place, node)
            type_ = type_of(made) - {UNSET}
            name = str(made.python_name)
            required = made.required and made.default is None
            shown = self._part(module, "argument", name, type_, places, is_required=required)
            if str(location) == "path":
                self.by_position[module].append(shown)
        if endpoint.bodies:
            type_ = _joined(map(_type_of_body, endpoint.bodies)) - {UNSET}
            places = [f"{place}.requestBody"]
            required = endpoint.bodies[0].prop.required
            self._part(module, "argument", "body", type_, places, is_required=required)
        if len(endpoint.bodies) > 1:
            is_taken = f"{module}(content_type)" in self.names
            media = [body.content_type.get_untrusted_value() for body in endpoint.bodies]
            words = [f"Literal[{each!r}]" for each in media]
            name = "body_content_type" if is_taken else "content_type"
            self._part(module, "argument", name, frozenset(["None", *words]))
        is_parsed = any(each.source["attribute"] != "None" for each in endpoint.responses)
        type_ = _type_of_result(endpoint) - {"None"}
        self._part(module, "result", "", type_, [f"{place}.responses"], is_required=is_parsed)

    def _places_of_parameter(self, operation: str, node: Tree) -> list[str]:
        """The places of a parameter, with those where the operation, or its path, may list it."""
        parts = [node["schema"], node]
        schemas, own = map(place_of, parts)
        if any(schema.startswith(f"{place}.") for schema in schemas for place in own):
            del parts[0]  # one that is not written in its parameter is a property of an object
        path = operation.rpartition(".")[0]
        listed = f"parameters.{node['in']}:{node['name']}"
        places = [*self._places(parts), f"{operation}.{listed}", f"{path}.{listed}"]
        return [*dict.fromkeys(places)]

    # ---- Classes ----

    def _class(self, made: Any, schemas: list[Tree], document: Tree) -> None:
        """Add a model with its attributes, or an enum with its members; equal enums share a
        class.
        """
        name = str(made.class_info.name)
        owner = f"models.{name}"
        places = self._places(schemas) or [f"{SCHEMAS}{name}"]
        title = f"the class {name}"
        if isinstance(made, EnumProperty):
            base = frozenset([made.value_type.__name__])
            self.names[owner] = Name("enum", name, title, places, base)
            for word, value in made.values.items():
                self._part(owner, "member", word, frozenset([repr(value)]))
            return
        self.names[owner] = Name("model", name, title, places)
        properties = _properties(document, schemas)
        sources = {self._on_the_wire(name): schema for name, schema in properties}
        may_lack_any = "x-in-answers" in (made.data.model_extra or {})
        for each in members_of(made):
            type_ = type_of(each)
            if may_lack_any and type_ != frozenset([ANY]):
                type_ |= {UNSET}
            places = self._places([sources.get(each.name.get_untrusted_value())])
            required = each.required and constant_of(made, each) is None
            name = str(each.python_name)
            self._part(owner, "attribute", name, type_, places, is_required=required)
        rest = made.additional_properties
        value = ANY if isinstance(rest, bool | None) else text_of(type_of(rest))
        type_ = frozenset([f"dict[str, {value}]"])
        self._part(owner, "attribute", "additional_properties", type_)

    # ---- Webhooks ----

    def _webhooks(self, made: Parsed, document: Tree) -> None:
        """Add what `read_webhook` returns for each name, and without one."""
        requests = made.log.requests
        places = {hook.name: hook.place for hook in hooks(document)}
        every = [*places.values()]
        reader = "webhooks.read_webhook"
        self.names[reader] = Name("function", reader, "the function read_webhook", every)
        types: list[Type] = []
        for endpoint in requests.hook_endpoints:
            name = requests.hook_of(endpoint).name
            types.append(_type_of_result(endpoint))
            self._part(reader, "result", name, types[-1], [places.get(name, reader)])
        type_ = _joined(types) - {"UnknownVariant"}
        self._part(reader, "result", "", frozenset([ANY]) if ANY in type_ else type_, every)

    # ---- What is sent, and what is received ----

    def _reached(self, kind: Kind) -> set[str]:
        """The names of a kind, with the classes in their types, and so on."""
        parts = defaultdict[str, list[str]](list)
        for shown, name in self.names.items():
            parts[name.owner].append(shown)
        reached = [shown for shown, name in self.names.items() if name.kind == kind]
        seen: set[str] = set()
        for shown in reached:  # it grows
            for word in _words(self.names[shown].type):
                class_ = f"models.{word}"
                if class_ in self.names and class_ not in seen:
                    seen.add(class_)
                    reached += [class_, *parts[class_]]
        return {*reached}


def _properties(document: Tree, schemas: Iterable[Tree]) -> Iterator[tuple[str, Tree]]:
    """The properties of a class, those of `allOf` included; later ones replace earlier ones."""
    for schema in schemas:
        parts = [resolve(document, part) for part in list_at(schema, "allOf")]
        yield from _properties(document, parts)
        yield from mapping_at(schema, "properties").items()


# ---- Types ----


def type_of(made: Any) -> Type:
    """The type that is declared of a property."""
    type_: Type = frozenset()
    if isinstance(made, UnionProperty):
        for inner in made.inner_properties:
            discriminator = getattr(inner, "discriminator", None)
            if discriminator is None or not discriminator.has_default:
                type_ |= type_of(inner) - {UNSET}
    elif isinstance(made, ListProperty):
        type_ = frozenset([f"list[{text_of(type_of(made.inner_property))}]"])
    elif isinstance(made, ConstProperty):
        type_ = frozenset([f"Literal[{made.value.raw_value!r}]"])
    else:
        type_ = frozenset([made.get_base_type_string().as_unembedded_code()])
    return type_ if made.required else type_ | {UNSET}


def _joined(types: Iterable[Type]) -> Type:
    """The union of some types."""
    return frozenset[str]().union(*types)


def _type_of_body(body: Any) -> Type:
    """What is accepted as a body of one content type."""
    type_ = type_of(body.prop)
    if body.body_type != "content":
        return type_
    return frozenset(["bytes", "File"] if "File" in type_ else ["bytes", "File", "str"])


def _type_of_result(endpoint: Endpoint) -> Type:
    """What the answers to an operation are parsed into."""
    parsed = [each.prop for each in endpoint.responses if each.source["attribute"] != "None"]
    return _joined(map(type_of, parsed)) or frozenset([ANY])


def text_of(type_: Type) -> str:
    """A type as one would write it, Unset and None last."""
    return " | ".join(sorted(type_, key=lambda member: (member in ("None", UNSET), member)))


_WORD = re.compile(r"'[^']*'|\w+")
"""A name in a type, or the value of a constant."""


def _words(type_: Type) -> set[str]:
    """The names in a type."""
    return {*_WORD.findall(text_of(type_))}


def renamed(type_: Type, names: Mapping[str, str]) -> Type:
    """A type with other names of classes."""
    return frozenset(_WORD.sub(lambda word: names.get(word[0], word[0]), each) for each in type_)


def is_untyped(type_: Type, before: Type) -> bool:
    """Whether a type is Any, or has it within, and the one before did not: no type checker sees
    what code makes of such a value.
    """
    return ANY in _words(type_) - _words(before)


def fits(value: Type, declared: Type, bases: Mapping[str, str]) -> bool:
    """Whether `mypy --strict` accepts a value of one type where another is declared. `bases` has
    the plain type of each enum.
    """
    for member in value:
        wider = member
        while wider and not any(_is_same(wider, other) for other in declared):
            base = "str" if wider.startswith("Literal['") else _WIDER.get(wider, "")
            wider = bases.get(wider, base)
        if not wider:
            return False
    return True


def _is_same(one: str, other: str) -> bool:
    """Whether two members of types are the same, where Any may be anything."""
    for first, second in ((one, other), (other, one)):
        if re.fullmatch(re.sub(r"\bAny\b", ".+", re.escape(first)), second):
            return True
    return False
