"""What a document says, as one flat table: operations, and parts with a name, each with what it
says at each step.

A part that is referred to is an owner of its own, so that its change is one entry, whatever refers
to it. An inline part belongs to what it stands in.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from victor_spec.tree import (
    DEFAULT_STYLES,
    EXPLODED_STYLES,
    Tree,
    bare_type,
    families,
    hooks,
    is_list,
    is_mapping,
    is_null,
    list_at,
    mapping_at,
    mappings_at,
    named_schemas,
    operations,
    parameters,
    resolve,
    schema_at,
    schema_list_at,
    schemas_at,
    target,
    trees_at,
    types_of,
    unescaped,
    union_members,
)

SENT, RECEIVED = 1, 2
BOTH = SENT | RECEIVED
SCHEMAS = "components.schemas."
DOCUMENTATION = frozenset(
    {"description", "title", "summary", "example", "examples", "externalDocs", "$comment"}
)
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_AS_IT_IS = ("format", "pattern", "default", "multipleOf", "uniqueItems", "deprecated")
_READ = DOCUMENTATION | {
    *(*LOWER, *UPPER, *_AS_IT_IS, "type", "nullable", "enum", "const", "properties", "required"),
    *("items", "additionalProperties", "allOf", "oneOf", "anyOf", "discriminator", "readOnly"),
    *("writeOnly", "$ref", "$schema", "$id", "$defs", "definitions"),
}
"""The keywords that are compared by a rule of their own, or that say nothing of values."""


class Part(NamedTuple):
    """What is said at one step."""

    ways: int
    """Whether it is sent, received, or both."""
    says: dict[str, Any]


@dataclass
class Owner:
    """An operation, a part with a name, or the document itself, with its place."""

    place: str
    parts: dict[str, Part] = field(default_factory=dict[str, Part])
    """By step: `.requestBody`, `.properties.price`."""
    refers: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    """The places of the owners that it refers to, and the ways."""
    asks: int = 0
    """The way of the requests of an operation: those of a webhook are received."""

    def at(self, step: str, ways: int) -> dict[str, Any]:
        """What is said at a step, to add to."""
        known = self.parts.get(step)
        says = {} if known is None else known.says
        self.parts[step] = Part(ways | (0 if known is None else known.ways), says)
        return says


class Table:
    """All that a document says."""

    def __init__(self, document: Tree) -> None:
        self.document = document
        self.owners: dict[str, Owner] = {}
        self.operations: dict[str, str] = {}
        """The places of operations by their names: `get /v1/cards`."""
        self.ids: dict[str, str] = {}
        """The names of operations by their operationId, if it is theirs alone."""
        for name, schema in schemas_at(mapping_at(document, "components"), "schemas"):
            self._owner(SCHEMAS + name, "schema", schema)
        every = [
            (each.method, each.path, f"paths.{each.path}.{each.step}", each.item, each.tree)
            for each in operations(document)
        ]
        for method, path, place, item, tree in every:
            self._operation(f"{method} {path}", place, item, tree, SENT)
        for hook in hooks(document):
            self._operation(
                hook.where.replace("POST ", "post "), hook.place, {}, hook.tree, RECEIVED
            )
        for family in families(named_schemas(document)):
            for parent, below in family.below.items():
                heirs = [(SCHEMAS + name, BOTH) for name in below]
                self.owners[SCHEMAS + parent].refers += heirs
        self.reach = self._reach()

    # ---- Operations ----

    def _operation(self, name: str, place: str, item: Tree, tree: Tree, asks: int) -> None:
        self.operations[name] = place
        own_id = tree.get("operationId")
        if isinstance(own_id, str):
            self.ids[own_id] = "" if own_id in self.ids else name
        owner = self.owners[place] = Owner(place, asks=asks)
        answers = BOTH - asks
        says = owner.at("", BOTH)
        says["deprecated"] = tree.get("deprecated") is True or None
        says["security"] = self._alternatives(tree if "security" in tree else self.document)
        own_servers = _urls(tree) or _urls(item)
        says["servers"] = own_servers or _urls(self.document)
        says["inherits"] = {"security"} - tree.keys() | (set() if own_servers else {"servers"})
        in_path = 0
        for key, parameter in parameters(self.document, item, tree).items():
            name = key
            if key.startswith("path:"):
                name, in_path = f"path[{in_path}]", in_path + 1
            self._enter(owner, f".parameters.{name}", "parameter", parameter, asks)
        if body := mapping_at(tree, "requestBody"):
            self._enter(owner, ".requestBody", "body", body, asks)
        for status, answer in mappings_at(tree, "responses"):
            self._enter(owner, f".responses.{status.upper()}", _answer(status), answer, answers)

    def _alternatives(self, tree: Tree) -> tuple[str, ...]:
        """The ways to be admitted, in words that do not have the names of schemes; none for an open
        operation.
        """
        schemes = mapping_at(mapping_at(self.document, "components"), "securitySchemes")
        words: list[str] = []
        for alternative in trees_at(tree, "security"):
            needed: list[str] = []
            for name, scopes in alternative.items():
                scheme = resolve(self.document, mapping_at(schemes, name))
                own = _credentials(scheme) or [name]
                needed.append(" ".join([*own, *map(str, scopes or ())]))
            words.append(" and ".join(sorted(needed)) or "none")
        return tuple(sorted(words))

    # ---- Parts ----

    def _owner(self, place: str, kind: str, tree: Tree) -> None:
        if place not in self.owners:
            owner = self.owners[place] = Owner(place)
            owner.at("", BOTH)
            self._walk(owner, "", kind, tree, BOTH)

    def _enter(self, owner: Owner, step: str, kind: str, tree: Tree, ways: int) -> None:
        """Add what comes or goes as a whole, by its kind."""
        owner.at(step, ways)["is"] = kind
        whole = resolve(self.document, tree)
        if kind in ("parameter", "body", "header") and whole.get("required") is True:
            owner.at(step, ways)["required"] = True
        self._walk(owner, step, kind, tree, ways)

    def _walk(self, owner: Owner, step: str, kind: str, tree: Tree, ways: int) -> None:
        """Add what a part says: by its reference, or itself."""
        reference = tree.get("$ref")
        if isinstance(reference, str) and is_mapping(whole := target(self.document, reference)):
            place = unescaped(reference.removeprefix("#/").replace("/", "."))
            owner.at(step, ways)["$ref"] = place
            owner.refers.append((place, ways))
            self._owner(place, kind, whole)
            tree = {key: value for key, value in tree.items() if key != "$ref"}
            if kind != "schema" or str(self.document.get("openapi")).startswith("3.0"):
                return
        if kind == "schema":
            self._schema(owner, step, tree, ways)
            return
        if kind in ("parameter", "header"):
            owner.at(step, ways)["written"] = _style(self.document, tree, kind)
        if (schema := schema_at(tree, "schema")) is not None:
            inner = step if kind in ("parameter", "header") else f"{step}.schema"
            owner.at(inner, ways)
            self._walk(owner, inner, "schema", schema, ways)
        for name, medium in mappings_at(tree, "content"):
            inner = f"{step}.content.{bare_type(name)}"
            self._enter(owner, inner, "content-type", medium, ways)
            if "encoding" in medium:
                owner.at(inner, ways)["encoding"] = _json(medium["encoding"])
        for name, header in mappings_at(tree, "headers"):
            self._enter(owner, f"{step}.headers.{name.lower()}", "header", header, ways)

    def _schema(self, owner: Owner, step: str, tree: Tree, ways: int) -> None:
        says = owner.at(step, ways)
        kinds = frozenset(map(str, types_of(tree)))
        words = [tree["const"]] if "const" in tree else tree.get("enum")
        inferred = [
            kind for key, kind in (("properties", "object"), ("items", "array")) if key in tree
        ]
        if kinds - {"null"} or inferred:
            says["type"] = (kinds - {"null"}) or frozenset(inferred)
        if tree.get("nullable") is True or "null" in kinds or (is_list(words) and None in words):
            says["null"] = True
        if is_list(words):
            own = {f"word {_json(word)}" for word in words if word is not None}
            says |= dict.fromkeys(own, True) | {"enum": True}
        tree = _without_flags(tree)
        for key in (*LOWER, *UPPER, *_AS_IT_IS):
            says_nothing = tree.get(key) == 0 and key in ("minLength", "minItems", "minProperties")
            if key in tree and tree[key] is not False and not says_nothing:
                known = says.get(key, tree[key])  # by another part of an `allOf`
                says[key] = tree[key] if known == tree[key] else f"{known} and {tree[key]}"
        for key in sorted(tree.keys() - _READ):
            if not key.startswith("x-"):
                says[f"other {key}"] = _json(tree[key])
        if tree.get("additionalProperties") is False:
            says["closed"] = True
        self._children(owner, step, tree, ways)
        self._composed(owner, step, tree, ways)

    def _children(self, owner: Owner, step: str, tree: Tree, ways: int) -> None:
        for name, child in schemas_at(tree, "properties"):
            whole = resolve(self.document, child)
            own = ways
            if whole.get("readOnly") is True:
                own &= RECEIVED
            if whole.get("writeOnly") is True:
                own &= SENT
            inner = f"{step}.properties.{name}"
            owner.at(inner, own)["is"] = "property"
            self._walk(owner, inner, "schema", child, own)
        for name in list_at(tree, "required"):
            inner = f"{step}.properties.{name}"
            own = 0 if inner in owner.parts else ways  # else a part that this extends may have it
            owner.at(inner, own)["required"] = True
        for key in ("items", "additionalProperties"):
            if held := schema_at(tree, key):
                owner.at(f"{step}.{key}", ways)["is"] = "items"
                self._walk(owner, f"{step}.{key}", "schema", held, ways)

    def _composed(self, owner: Owner, step: str, tree: Tree, ways: int) -> None:
        """Add the parts of an `allOf` to the schema itself, and the members of a union."""
        says = owner.at(step, ways)
        for number, part in enumerate(schema_list_at(tree, "allOf")):
            reference = str(part.get("$ref", ""))
            if reference:
                inner: dict[str, Any] = {}
                holder = Owner("")
                self._walk(holder, "", "schema", part, ways)
                inner = holder.at("", ways)
                says[f"base {inner.get('$ref', number)}"] = True
                owner.refers += holder.refers
            else:
                self._schema(owner, step, part, ways)
        members = [each for each in union_members(tree) if not is_null(each)]
        if len(members) < len(union_members(tree)):
            says["null"] = True
        if len(members) == 1:
            self._walk(owner, step, "schema", members[0], ways)
        elif members:
            says["union"] = True
            kind = "variant" if "discriminator" in tree else "member"
            for member in members:
                self._member(owner, step, member, ways, kind)
        discriminator = mapping_at(tree, "discriminator")
        if discriminator:
            says["discriminator"] = discriminator.get("propertyName")
            for word, leads_to in mapping_at(discriminator, "mapping").items():
                says[f"selects {word}"] = str(leads_to).rpartition("/")[2]

    def _member(self, owner: Owner, step: str, member: Tree, ways: int, kind: str) -> None:
        """Add a member of a union: by its name, or by all that it says."""
        reference = str(member.get("$ref", ""))
        label = reference.rpartition("/")[2] or _json(_without_words(member))
        inner = f"{step}({label})"
        owner.at(inner, ways)["is"] = kind
        owner.at(inner, ways)["label"] = label
        self._walk(owner, inner, "schema", member, ways)

    # ---- Reach ----

    def _reach(self) -> dict[str, dict[str, int]]:
        """The operations that lead to each owner, and the ways."""
        reach: dict[str, dict[str, int]] = {place: {} for place in self.owners}
        for name, place in self.operations.items():
            pending = [(place, BOTH)]
            while pending:
                here, ways = pending.pop()
                known = reach[here].get(name, 0)
                if ways | known != known:
                    reach[here][name] = ways | known
                    pending += [
                        (to, own & ways) for to, own in self.owners[here].refers if own & ways
                    ]
        return reach


def bases(says: dict[str, Any]) -> Collection[str]:
    """The places of the owners that a schema is composed of."""
    return [key.removeprefix("base ") for key in says if key.startswith("base ")]


def _credentials(scheme: Tree) -> list[str]:
    """What a scheme of credentials is, and where its tokens are had."""
    words = [str(scheme[key]).lower() for key in ("type", "in") if key in scheme]
    name = str(scheme.get("name", ""))
    words.append(name.lower() if scheme.get("in") == "header" else name)
    words += [str(scheme[key]).lower() for key in ("scheme", "openIdConnectUrl") if key in scheme]
    for kind, flow in mappings_at(scheme, "flows"):
        words += [kind, str(flow.get("tokenUrl") or flow.get("authorizationUrl") or "")]
    return [word for word in words if word]


def _urls(tree: Tree) -> tuple[str, ...]:
    return tuple(str(each.get("url", "/")).rstrip("/") for each in trees_at(tree, "servers"))


def _answer(status: str) -> str:
    if status.startswith("2"):
        return "success"
    return "default-answer" if status.lower() == "default" else "answer"


def _style(document: Tree, tree: Tree, kind: str) -> str:
    """How a parameter or a header is written."""
    if content := mapping_at(tree, "content"):
        return ", ".join(sorted(content))
    location = "header" if kind == "header" else str(tree.get("in"))
    style = str(tree.get("style") or DEFAULT_STYLES.get(location, "form"))
    schema = resolve(document, mapping_at(tree, "schema"))
    is_many = bool({"array", "object"} & {*map(str, types_of(schema))})
    is_exploded = tree.get("explode", style in EXPLODED_STYLES)
    words = f"style {style}, exploded" if is_many and is_exploded else f"style {style}"
    return f"{words}, with reserved characters" if tree.get("allowReserved") is True else words


def _without_flags(tree: Tree) -> Tree:
    """A schema whose exclusive limits are numbers, as from OpenAPI 3.1 on."""
    plain = {**tree}
    for limit, flag in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if tree.get(flag) is True and limit in tree:
            plain[flag] = plain.pop(limit)
    return plain


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _without_words(value: Any) -> Any:
    """A schema without documentation, at any depth."""
    if is_list(value):
        return [_without_words(each) for each in value]
    if not is_mapping(value):
        return value
    return {
        key: _without_words(each)
        for key, each in value.items()
        if key not in DOCUMENTATION or is_mapping(each)
    }


def texts(value: Any) -> Iterator[tuple[str, Any]]:
    """The documentation of a document, at any depth."""
    pending = [("", value)]
    for place, each in pending:  # it grows
        if is_mapping(each):
            for key, inner in each.items():
                if key in DOCUMENTATION and not is_mapping(inner):
                    yield f"{place}.{key}", inner
                else:
                    pending.append((f"{place}.{key}", inner))
        elif is_list(each):
            pending += [(f"{place}[{number}]", inner) for number, inner in enumerate(each)]
