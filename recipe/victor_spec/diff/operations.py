"""What differs between the operations of two documents: parameters, bodies and responses."""

from __future__ import annotations

from fnmatch import fnmatch
from functools import partial
from typing import NamedTuple

from victor_spec.components import Operation
from victor_spec.tree import (
    DEFAULT_STYLES,
    EXPLODED_STYLES,
    Tree,
    bare_type,
    list_at,
    mapping_at,
    mappings_at,
    schema_at,
)

from .access import compare_access
from .changes import BOTH, RECEIVED, RULES, SENT
from .facts import PROPERTY, Version, is_incoming
from .moves import moves_of, renamed_parameters, same_operations, wire_name
from .pairs import Edge, Pair
from .schemas import SchemaComparison, Use

FORM = "application/x-www-form-urlencoded"


class Part(NamedTuple):
    """A parameter, a body, a response, a header, a content type, or an operation of a callback."""

    kind: str
    """What its rules are called by."""
    place: str
    """In the names of the old document."""
    tree: Tree
    directions: int = BOTH


Parts = dict[str, Part]
"""The parts of one thing, by what is the same in both documents: `headers.x-key`."""


class OperationComparison(SchemaComparison):
    """Compares the operations of both documents, and the schemas that they lead to."""

    def __init__(self, old: Version, new: Version) -> None:
        self.same_operations = same_operations(old, new)
        """The operations of the new document that are in the old one too, by their old names."""
        super().__init__(old, new, moves_of(old, self.same_operations))
        known = [operation.name for operation in self.same_operations.values()]
        self.added = [name for name in new.operations if name not in known]
        self._pairs_of_parts: dict[tuple[int, int], Pair] = {}
        """By the ids of both."""

    def operations(self) -> dict[str, Pair]:
        """The operations of both documents by their names; of one that moved, the old one."""
        pairs: dict[str, Pair] = {}
        for name, old in self.old.operations.items():
            pairs[name] = pair = Pair(old.place, partial(self._operation, name=name))
            if name not in self.same_operations:
                pair.say("operation-removed")
        for name in self.added:
            new = self.new.operations[name]
            pairs[name] = pair = Pair(new.place, partial(self._operation, name=name))
            pair.say("webhook-added" if new.incoming else "operation-added")
        return pairs

    def _operation(self, pair: Pair, *, name: str) -> None:
        """Compare an operation, if both documents have it."""
        new = self.same_operations.get(name)
        if new is None:
            return
        old = self.old.operations[name]
        if wire_name(old) != wire_name(new):
            pair.say("operation-moved", old.name, new.name)
        before = str(old.tree.get("operationId", "missing"))
        after = str(new.tree.get("operationId", "missing"))
        pair.differ("operation-id", before, after, at=f"{old.place}.operationId")
        pair.differ("tags", _tags(old), _tags(new), at=f"{old.place}.tags")
        self._parameters(pair, old, new)
        self._compare_parts(pair, kind="operation", old=old.tree, new=new.tree)
        if not old.incoming:
            compare_access(self, pair, old, new)

    def _parameters(self, pair: Pair, old: Operation, new: Operation) -> None:
        """Compare the parameters of an operation: those in the path by position, others by name."""
        request = RECEIVED if old.incoming else SENT
        former: Parts = {}
        latter: Parts = {}
        for key, tree in self.new.parameters(new).items():
            place = self.moves.before(self.new.place(tree, new.place))
            latter[key] = Part("parameter", place, tree, request)
        renamed = renamed_parameters(old, new)
        for key, tree in self.old.parameters(old).items():
            location, _, name = key.partition(":")
            now = renamed.get(name, name) if location == "path" else name
            place = self.old.place(tree, old.place)
            former[f"{location}:{now}"] = Part("parameter", place, tree, request)
            if now != name and f"{location}:{now}" in latter:
                pair.say("path-parameter-renamed", name, now, at=place)
        self._lead(pair, former, latter)

    # ---- Parts of operations, and their own parts ----

    def _lead(self, pair: Pair, old: Parts, new: Parts) -> None:
        """Lead to the parts that both documents have, and say which are gone, or new.

        A response that is gone, or new, is compared with the range, or the default, that stands for
        its status in the other document.
        """
        after = _aligned(old, new)
        for key, part in (after | old).items():
            if key in old and key in after:
                pair.edges.append(self._edge(part, part.tree, after[key].tree))
                continue
            version = self.old if key in old else self.new
            kind = f"{part.kind}-removed" if key in old else f"{part.kind}-added"
            if f"required-{kind}" in RULES and _is_required(version, part.tree):
                kind = f"required-{kind}"
            pair.say(kind, at=part.place, directions=part.directions)
            other = _covering(key, new if key in old else old)
            if other is not None and key in old:
                pair.edges.append(self._edge(part, part.tree, other.tree))
            elif other is not None:
                pair.edges.append(self._edge(part, other.tree, part.tree))

    def _edge(self, part: Part, old: Tree, new: Tree) -> Edge:
        """The way to two parts, at the place of `part`, or of what both refer to."""
        before = self.old.resolve(old)
        after = self.new.resolve(new)
        place = part.place
        named = self.old.place(before, place)
        is_same_name = "$ref" in new and named == self.new.place(after, "")
        if "$ref" in old and (is_same_name or named not in self.new.by_place):
            place = named
        key = id(before), id(after)
        if key not in self._pairs_of_parts:
            compare = partial(self._compare_parts, kind=part.kind, old=before, new=after)
            self._pairs_of_parts[key] = Pair(place, compare)
        return Edge(self._pairs_of_parts[key], part.directions)

    def _compare_parts(self, pair: Pair, *, kind: str, old: Tree, new: Tree) -> None:
        """Compare two parts of a kind, and lead to their own parts."""
        was_required = _is_required(self.old, old)
        is_required = _is_required(self.new, new)
        if was_required != is_required:
            pair.say("became-required" if is_required else "became-optional")
        if kind in ("parameter", "header"):
            self._written(pair, old, new, is_header=kind == "header")
        if kind in ("parameter", "header", "operation"):
            _switch(pair, old, new, "deprecated", ("deprecated", "undeprecated"))
        if kind == "content-type":
            fields = self._encoded_otherwise(old, new)
            if fields:
                pair.say("encoding", "", ", ".join(fields))
        self._lead(
            pair, self._parts(self.old, pair.place, old), self._parts(self.new, pair.place, new)
        )
        before = schema_at(old, "schema")
        after = schema_at(new, "schema")
        place = pair.place if kind in ("parameter", "header") else f"{pair.place}.schema"
        is_text = kind == "parameter" or pair.place.endswith(FORM)
        use: Use = "text" if is_text else "value"
        if before is not None and after is not None:
            pair.edges.append(self.schema(before, after, place, use=use))
        elif before is not None or after is not None:
            pair.say("schema-added" if before is None else "schema-lost", at=place)

    def _parts(self, version: Version, place: str, tree: Tree) -> Parts:
        """The parts of an operation, or of one of its parts."""
        request, answer = (RECEIVED, SENT) if is_incoming(place) else (SENT, RECEIVED)
        parts: Parts = {}
        body = mapping_at(tree, "requestBody")
        if body:
            parts["requestBody"] = Part("body", f"{place}.requestBody", body, request)
        for status, each in mappings_at(tree, "responses"):
            at = f"{place}.responses.{status}"
            parts[f"responses.{status.upper()}"] = Part(_class_of(status), at, each, answer)
        for name, each in mappings_at(tree, "headers"):
            parts[f"headers.{name.lower()}"] = Part("header", f"{place}.headers.{name}", each)
        for name, each in mappings_at(tree, "content"):
            parts[f"content.{name}"] = Part("content-type", f"{place}.content.{name}", each)
        for step, each in version.callbacks(tree).items():
            parts[f"callbacks.{step}"] = Part("operation", f"{place}.callbacks.{step}", each)
        return parts

    def _written(self, pair: Pair, old: Tree, new: Tree, *, is_header: bool) -> None:
        """Compare how a parameter or a header is written."""
        is_plain = _is_plain(self.old, old) and _is_plain(self.new, new)
        before = _serialisation(old, is_header=is_header, is_plain=is_plain)
        after = _serialisation(new, is_header=is_header, is_plain=is_plain)
        pair.differ("serialisation", before, after)
        kinds = ("empty-value-allowed", "empty-value-refused")
        _switch(pair, old, new, "allowEmptyValue", kinds)

    def _encoded_otherwise(self, old: Tree, new: Tree) -> list[str]:
        """The fields of a form whose `encoding` differs.

        One that only one document has is a change of its schema.
        """
        before = mapping_at(old, "encoding")
        after = mapping_at(new, "encoding")
        former = self.old.facts(mapping_at(old, "schema")).children
        latter = self.new.facts(mapping_at(new, "schema")).children
        fields: list[str] = []
        for name in sorted({*before, *after}):
            is_in_both = PROPERTY + name in former.keys() & latter.keys()
            if is_in_both and before.get(name, {}) != after.get(name, {}):
                fields.append(name)
        return fields


def _tags(operation: Operation) -> str:
    """The tags of an operation in words."""
    return ", ".join(map(str, list_at(operation.tree, "tags"))) or "none"


def _switch(pair: Pair, old: Tree, new: Tree, key: str, kinds: tuple[str, str]) -> None:
    """Say of a flag that it is set now, or no longer."""
    was_set = old.get(key) is True
    is_set = new.get(key) is True
    if was_set != is_set:
        pair.say(kinds[0] if is_set else kinds[1])


def _is_required(version: Version, tree: Tree) -> bool:
    """Whether a parameter, a header or a body has to be there."""
    resolved = version.resolve(tree)
    return resolved.get("required") is True or resolved.get("in") == "path"


def _is_plain(version: Version, parameter: Tree) -> bool:
    """Whether a parameter can be neither a list nor an object."""
    types = version.facts(mapping_at(parameter, "schema")).value("type")
    return bool(types) and not types & {"array", "object"}


def _serialisation(tree: Tree, *, is_header: bool, is_plain: bool) -> str:
    """How a parameter is written; `explode` makes no difference to a plain value."""
    content = mapping_at(tree, "content")
    if content:
        return ", ".join(sorted(content))
    location = "header" if is_header else str(tree.get("in"))
    style = tree.get("style") or DEFAULT_STYLES.get(location, "form")
    is_exploded = tree.get("explode")
    if not isinstance(is_exploded, bool):
        is_exploded = style in EXPLODED_STYLES
    words = f"style {style}"
    if is_exploded and not is_plain:
        words += ", exploded"
    if tree.get("allowReserved") is True:
        words += " with reserved characters"
    return words


# ---- Parts that stand for each other ----


def _class_of(status: str) -> str:
    """What a change of a response is called by its status."""
    if status.startswith("2"):
        return "success"
    return "default-answer" if status.upper() == "DEFAULT" else "answer"


def _aligned(old: Parts, new: Parts) -> Parts:
    """The new parts, by the keys of the old ones that they stand for."""
    aligned: Parts = {}
    left = {**new}
    for key in old:
        other = key if key in new else _stand_in(key, old, new, left)
        if other in new:
            aligned[key] = new[other]
            left.pop(other, None)
    return left | aligned


def _stand_in(key: str, old: Parts, new: Parts, left: Parts) -> str:
    """The key of the new part that stands for an old one: of a status that became a range, or was
    one; of a content type without its parameters, or with others, or of a range that has it.
    """
    kind, _, name = key.partition(".")
    if kind == "responses":
        for other in left:
            _, _, status = other.partition(".")
            is_range = name.endswith("XX") or status.endswith("XX")
            if is_range and other not in old and other.startswith(key[: len("responses.2")]):
                return other
    if kind == "content":
        by_bare_type = {bare_type(other): other for other in reversed(new)}
        for bare, other in by_bare_type.items():
            if bare == bare_type(key):
                return other
        for bare, other in by_bare_type.items():
            if fnmatch(bare_type(key), bare):
                return other
    return ""


def _covering(key: str, parts: Parts) -> Part | None:
    """The response that stands for a status without one of its own: of its range, or for an error
    the default.
    """
    kind, _, status = key.partition(".")
    if kind != "responses":
        return None
    default = parts.get("responses.DEFAULT") if _class_of(status) == "answer" else None
    return parts.get(f"responses.{status[:1]}XX", default)
