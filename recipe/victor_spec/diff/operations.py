"""What differs between the operations of two documents: parameters, bodies and responses."""

from __future__ import annotations

from fnmatch import fnmatch
from functools import partial

from victor_spec.components import Operation
from victor_spec.tree import (
    DEFAULT_STYLES,
    EXPLODED_STYLES,
    Tree,
    bare_type,
    is_mapping,
    list_at,
    mapping_at,
    mappings_at,
    members,
    schema_at,
)

from .access import compare_access
from .facts import PROPERTY, Version
from .moves import moves_of, renamed_parameters, same_operations, wire_name
from .pairs import BOTH, RECEIVED, SENT, Edge, Pair, nothing
from .schemas import SchemaComparison, Use

FORM = "application/x-www-form-urlencoded"


class OperationComparison(SchemaComparison):
    """Compares the operations of both documents, and the schemas that they lead to."""

    def __init__(self, old: Version, new: Version) -> None:
        self.same_operations = same_operations(old, new)
        """The operations of the new document that are in the old one too, by their old names."""
        super().__init__(old, new, moves_of(old, self.same_operations))
        known = [operation.name for operation in self.same_operations.values()]
        self.added = [name for name in new.operations if name not in known]
        self._parts: dict[tuple[int, int], Pair] = {}
        """Parameters, headers, bodies and responses, by the ids of both."""

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
        _compare_deprecation(pair, old.tree, new.tree)
        self._parameters(pair, old, new)
        self._calls(pair, old.tree, new.tree, incoming=old.incoming)
        if not old.incoming:
            compare_access(self, pair, old, new)

    def _calls(self, pair: Pair, old: Tree, new: Tree, *, incoming: bool) -> None:
        """Compare bodies, responses and callbacks."""
        request = RECEIVED if incoming else SENT
        bodies = mapping_at(old, "requestBody") or None, mapping_at(new, "requestBody") or None
        self._pair_of_parts(pair, "body", bodies, f"{pair.place}.requestBody", request)
        self._responses(pair, old, new, BOTH - request)
        former = self.old.callbacks(old)
        latter = self.new.callbacks(new)
        for step in {**former, **latter}:
            called = Pair(f"{pair.place}.callbacks.{step}", nothing)
            pair.edges.append(Edge(called))
            if step not in latter:
                called.say("operation-removed")
            elif step not in former:
                called.say("operation-added")
            else:
                self._calls(called, former[step], latter[step], incoming=not incoming)

    def _parameters(self, pair: Pair, old: Operation, new: Operation) -> None:
        """Compare the parameters of an operation: those in the path by position, others by name."""
        request = RECEIVED if old.incoming else SENT
        renamed = renamed_parameters(old, new)
        fresh = self.new.parameters(new)
        for key, tree in self.old.parameters(old).items():
            location, _, name = key.partition(":")
            place = self.old.place(tree, old.place)
            now = renamed.get(name, name) if location == "path" else name
            match = fresh.pop(f"{location}:{now}", None)
            self._pair_of_parts(pair, "parameter", (tree, match), place, request)
            if match is not None and now != name:
                pair.say("path-parameter-renamed", name, now, at=place)
        for tree in fresh.values():
            place = self.moves.before(self.new.place(tree, new.place))
            self._pair_of_parts(pair, "parameter", (None, tree), place, request)

    def _pair_of_parts(
        self,
        pair: Pair,
        kind: str,
        parts: tuple[Tree | None, Tree | None],
        place: str,
        directions: int,
    ) -> None:
        """Lead to a part that both documents have; say of one that one of them has, that it is gone
        or new. `kind` is what its rules are called by.
        """
        old, new = parts
        if old is not None and new is not None:
            pair.edges.append(self._part(old, new, place, directions))
        elif old is not None:
            pair.say(f"{kind}-removed", at=place, directions=directions)
        elif new is not None:
            which = "required" if _is_required(self.new, new) else "optional"
            pair.say(f"{which}-{kind}-added", at=place, directions=directions)

    def _responses(self, pair: Pair, old: Tree, new: Tree, response: int) -> None:
        """Compare responses by status. One that is gone, or new, is compared with the range, or the
        default, that stands for its status in the other document.
        """
        before = _by_status(old)
        after = _by_status(new)
        left = {**after}
        for status, (spelled, tree) in before.items():
            place = f"{pair.place}.responses.{spelled}"
            match = left.pop(_same_status(status, before, left), None)
            if match is None:
                pair.say(f"{_class_of(status)}-removed", at=place, directions=response)
                match = _covering(status, after)
            if match is not None:
                pair.edges.append(self._part(tree, match[1], place, response))
        for status, (spelled, tree) in left.items():
            place = f"{pair.place}.responses.{spelled}"
            kind = "success-added" if _class_of(status) == "success" else "answer-added"
            pair.say(kind, at=place, directions=response)
            earlier = _covering(status, before)
            if earlier is not None:
                pair.edges.append(self._part(earlier[1], tree, place, response))

    # ---- Parameters, headers, bodies and responses ----

    def _part(self, old: Tree, new: Tree, place: str, directions: int = BOTH) -> Edge:
        """The way to two parameters, headers, bodies or responses."""
        before = self.old.resolve(old)
        after = self.new.resolve(new)
        named = self.old.place(before, place)
        is_same_name = "$ref" in new and named == self.new.place(after, "")
        if "$ref" in old and (is_same_name or named not in self.new.by_place):
            place = named
        key = id(before), id(after)
        if key not in self._parts:
            self._parts[key] = Pair(place, partial(self._compare_part, old=before, new=after))
        return Edge(self._parts[key], directions)

    def _compare_part(self, pair: Pair, *, old: Tree, new: Tree) -> None:
        """Compare two parameters, headers, bodies or responses."""
        was_required = _is_required(self.old, old)
        is_required = _is_required(self.new, new)
        if was_required != is_required:
            pair.say("became-required" if is_required else "became-optional")
        component = self.old.of(old)
        kind = "response" if component is None else component.kind
        if kind in ("parameter", "header"):
            self._written(pair, old, new, is_header=kind == "header")
        self._headers(pair, old, new)
        use: Use = "text" if kind == "parameter" else "value"
        self._schema(pair, old, new, pair.place, use)
        self._content(pair, old, new)

    def _written(self, pair: Pair, old: Tree, new: Tree, *, is_header: bool) -> None:
        """Compare how a parameter or a header is written."""
        is_plain = _is_plain(self.old, old) and _is_plain(self.new, new)
        before = _serialisation(old, is_header=is_header, is_plain=is_plain)
        after = _serialisation(new, is_header=is_header, is_plain=is_plain)
        pair.differ("serialisation", before, after)
        was_empty = old.get("allowEmptyValue") is True
        is_empty = new.get("allowEmptyValue") is True
        if was_empty != is_empty:
            pair.say("empty-value-allowed" if is_empty else "empty-value-refused")
        _compare_deprecation(pair, old, new)

    def _headers(self, pair: Pair, old: Tree, new: Tree) -> None:
        """Compare the headers of a response, in any letter case."""
        before = _headers_by_name(old)
        after = _headers_by_name(new)
        for key, (name, tree) in (after | before).items():
            place = f"{pair.place}.headers.{name}"
            if key in before and key in after:
                _, match = after[key]
                pair.edges.append(self._part(tree, match, place))
                continue
            kind = "header-removed" if key in before else "header-added"
            if _is_required(self.old if key in before else self.new, tree):
                kind = f"required-{kind}"
            pair.say(kind, at=place)

    def _content(self, pair: Pair, old: Tree, new: Tree) -> None:
        """Compare the content types of a body, a response or a parameter, with their schemas."""
        before = mapping_at(old, "content")
        after = mapping_at(new, "content")
        matches = _media(before, after)
        for content_type, match in matches.items():
            place = f"{pair.place}.content.{content_type}"
            if match is None:
                pair.say("content-type-removed", at=place)
                continue
            former = before[content_type]
            latter = after[match]
            fields = self._encoded_otherwise(former, latter)
            if fields:
                pair.say("encoding", "", ", ".join(fields), at=place)
            use: Use = "text" if content_type == FORM else "value"
            self._schema(pair, former, latter, f"{place}.schema", use)
        for content_type, _ in members(after):
            if content_type not in matches.values():
                pair.say("content-type-added", at=f"{pair.place}.content.{content_type}")

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
            step = PROPERTY + name
            is_in_both = step in former and step in latter
            if is_in_both and before.get(name, {}) != after.get(name, {}):
                fields.append(name)
        return fields

    def _schema(self, pair: Pair, old: Tree, new: Tree, place: str, use: Use) -> None:
        """Compare the schemas of two parameters, headers or media types; `place` is theirs."""
        before = schema_at(old, "schema")
        after = schema_at(new, "schema")
        if before is not None and after is not None:
            pair.edges.append(self.schema(before, after, place, use=use))
        elif before is not None:
            pair.say("schema-lost", at=place)
        elif after is not None:
            pair.say("schema-added", at=place)


def _tags(operation: Operation) -> str:
    """The tags of an operation in words."""
    return ", ".join(map(str, list_at(operation.tree, "tags"))) or "none"


def _compare_deprecation(pair: Pair, old: Tree, new: Tree) -> None:
    """Compare whether an operation, or a parameter, is going to be removed."""
    was_deprecated = old.get("deprecated") is True
    is_deprecated = new.get("deprecated") is True
    if was_deprecated != is_deprecated:
        pair.say("deprecated" if is_deprecated else "undeprecated")


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


def _headers_by_name(tree: Tree) -> dict[str, tuple[str, Tree]]:
    """The headers of a response by their names in lower case."""
    return {name.lower(): (name, header) for name, header in mappings_at(tree, "headers")}


def _class_of(status: str) -> str:
    """What a change of a response is called by its status, which is in capitals."""
    if status.startswith("2"):
        return "success"
    return "default-answer" if status == "DEFAULT" else "answer"


Responses = dict[str, tuple[str, Tree]]
"""Responses, with their statuses as they are spelled, by their statuses in capitals."""


def _by_status(operation: Tree) -> Responses:
    return {status.upper(): (status, tree) for status, tree in mappings_at(operation, "responses")}


def _same_status(status: str, before: Responses, after: Responses) -> str:
    """The new status of a response: its own, or one that became a range, or was one; else ""."""
    if status in after:
        return status
    for other in after:
        is_range = status.endswith("XX") or other.endswith("XX")
        if is_range and other[:1] == status[:1] and other not in before:
            return other
    return ""


def _covering(status: str, responses: Responses) -> tuple[str, Tree] | None:
    """The response that stands for a status without one of its own: of its range, or for an error
    the default.
    """
    default = responses.get("DEFAULT") if _class_of(status) == "answer" else None
    return responses.get(f"{status[:1]}XX", default)


def _media(old: Tree, new: Tree) -> dict[str, str | None]:
    """The content types of the old document, each with the one that stands for it in the new
    document: its own, or one without its parameters, or a range that has it.
    """
    by_bare_type: dict[str, str] = {}
    for name, _ in reversed(members(new)):
        by_bare_type[bare_type(name)] = name
    pairs: dict[str, str | None] = {}
    for content_type, _ in members(old):
        bare = bare_type(content_type)
        patterns = [pattern for pattern in by_bare_type if fnmatch(bare, pattern)]
        match = bare if bare in by_bare_type else next(iter(patterns), None)
        pairs[content_type] = None if match is None else by_bare_type[match]
        if is_mapping(new.get(content_type)):
            pairs[content_type] = content_type
    return pairs
