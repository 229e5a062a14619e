"""What differs between the paths of two documents: operations, parameters, bodies and answers."""

from fnmatch import fnmatch

from victor_spec.components import Component, Components, Operation
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

from .changes import Reach, renamed_parameters, wire_name
from .keywords import deprecation
from .schemas import SchemaComparison
from .shape import PROPERTY, Part, Shapes, is_text


class OperationComparison(SchemaComparison):
    """Compares the operations of both documents, too, and what they refer to by name."""

    def run(self) -> None:
        """Compare everything below `paths`, `webhooks`, and the named parameters, headers, bodies
        and answers.
        """
        for name, old in self.old.operations.items():
            if name not in self.same_operations:
                self.add("operation-removed", old.place, _both_directions(name))
        for name in self.added:
            new = self.new.operations[name]
            kind = "webhook-added" if new.incoming else "operation-added"
            self.add(kind, new.place, _both_directions(name))
        for name, new in self.same_operations.items():
            self._operation(self.old.operations[name], new)
        components = mapping_at(self.old.document, "components")
        for key in ("parameters", "headers", "requestBodies", "responses"):
            for name, tree in mappings_at(components, key):
                place = f"components.{key}.{name}"
                match = self.new.by_place.get(place)
                if match is not None and place in self.old.by_place:
                    self._pair(tree, match.tree, place)

    def _operation(self, old: Operation, new: Operation) -> None:
        """Compare an operation of both documents."""
        reach = _both_directions(old.name)
        if wire_name(old) != wire_name(new):
            self.add("operation-moved", old.place, reach, old.name, new.name)
        before = str(old.tree.get("operationId", "missing"))
        after = str(new.tree.get("operationId", "missing"))
        self.differ("operation-id", f"{old.place}.operationId", reach, before, after)
        self.differ("tags", f"{old.place}.tags", reach, _tags(old), _tags(new))
        self.differ_in(deprecation(old.tree), deprecation(new.tree), old.place, reach)
        self._parameters(old, new)
        self._calls(old.tree, new.tree, old.place, old.name, incoming=old.incoming)

    def _calls(self, old: Tree, new: Tree, place: str, name: str, *, incoming: bool) -> None:
        """Compare bodies, responses and callbacks."""
        request, response = _directions(name, incoming=incoming)
        self._body(old, new, f"{place}.requestBody", request)
        before = mapping_at(old, "responses")
        after = mapping_at(new, "responses")
        self._responses(before, after, f"{place}.responses", response)
        former = self.old.callbacks(old)
        latter = self.new.callbacks(new)
        for step in {**former, **latter}:
            here = f"{place}.callbacks.{step}"
            if step not in latter:
                self.add("operation-removed", here, _both_directions(name))
            elif step not in former:
                self.add("operation-added", here, _both_directions(name))
            else:
                self._calls(former[step], latter[step], here, name, incoming=not incoming)

    def _parameters(self, old: Operation, new: Operation) -> None:
        """Compare the parameters of an operation: those in the path by position, others by name."""
        renamed = renamed_parameters(old, new)
        fresh = self.new.parameters(new)
        request, _ = _directions(old.name, incoming=old.incoming)
        for key, tree in self.old.parameters(old).items():
            location, _, name = key.partition(":")
            place = self.old.place(tree, old.place)
            now = renamed.get(name, name) if location == "path" else name
            match = fresh.pop(f"{location}:{now}", None)
            if match is None:
                self.add("parameter-removed", place, request)
                continue
            if now != name:
                self.add("path-parameter-renamed", place, _both_directions(old.name), name, now)
            self._pair(tree, match, place)
        for tree in fresh.values():
            kind = "required" if _is_required(self.new, tree) else "optional"
            place = self.moves.before(self.new.place(tree, new.place))
            self.add(f"{kind}-parameter-added", place, request)

    def _body(self, old: Tree, new: Tree, place: str, reach: Reach) -> None:
        """Compare the bodies of a request."""
        before = mapping_at(old, "requestBody")
        after = mapping_at(new, "requestBody")
        if before and after:
            self._pair(before, after, place)
        elif before:
            self.add("body-removed", place, reach)
        elif after:
            kind = "required-body-added" if _is_required(self.new, after) else "optional-body-added"
            self.add(kind, place, reach)

    def _responses(self, old: Tree, new: Tree, place: str, reach: Reach) -> None:
        """Compare responses by status. One that is gone, or new, is compared with the range, or the
        default, that stands for its status in the other document.
        """
        before = _by_status(old)
        after = _by_status(new)
        spelled = {status.upper(): status for status in [*new, *old]}
        left = {**after}
        for status, tree in before.items():
            here = f"{place}.{spelled[status]}"
            match = left.pop(_same_status(status, before, left), None)
            if match is None:
                self.add(f"{_class_of(status)}-removed", here, reach)
                match = _covering(status, after)
            if match is not None:
                self._pair(tree, match, here)
        for status, tree in left.items():
            here = f"{place}.{spelled[status]}"
            is_success = _class_of(status) == "success"
            self.add("success-added" if is_success else "answer-added", here, reach)
            earlier = _covering(status, before)
            if earlier is not None:
                self._pair(earlier, tree, here)

    def _pair(self, old: Tree, new: Tree, place: str) -> None:
        """Compare two parameters, headers, bodies or answers, once."""
        before = self.old.resolve(old)
        after = self.new.resolve(new)
        first = self.old.of(before)
        second = self.new.of(after)
        if first is None or second is None:
            return
        if "$ref" in old:
            if "$ref" in new and first.place == second.place:
                return  # compared by name
            if first.place in self.new.by_place:
                first = self.old.of(old) or first
                second = self.new.of(new) or second
            else:
                place = first.place
        if not self._is_new(before, after) and "$ref" not in old:
            return
        self._requirement(before, after, place, self.reach(first, second))
        if first.kind in ("parameter", "header"):
            is_header = first.kind == "header"
            self._parameter(before, after, place, self.reach(first, second), header=is_header)
        self._headers(before, after, place, self.reach(first, second))
        self._schema(before, after, place, first, second)
        self._content(before, after, place, first, second)

    def _requirement(self, old: Tree, new: Tree, place: str, reach: Reach) -> None:
        """Compare whether something has to be there."""
        was_required = _is_required(self.old, old)
        is_required = _is_required(self.new, new)
        if is_required and not was_required:
            self.add("became-required", place, reach)
        elif was_required and not is_required:
            self.add("became-optional", place, reach)

    def _parameter(self, old: Tree, new: Tree, place: str, reach: Reach, *, header: bool) -> None:
        """Compare how a parameter or a header is written."""
        is_plain = _is_plain(self.old, old) and _is_plain(self.new, new)
        before = _serialisation(old, header=header, plain=is_plain)
        after = _serialisation(new, header=header, plain=is_plain)
        self.differ("serialisation", place, reach, before, after)
        was_empty = old.get("allowEmptyValue") is True
        is_empty = new.get("allowEmptyValue") is True
        if was_empty != is_empty:
            kind = "allowed" if is_empty else "refused"
            self.add(f"empty-value-{kind}", place, reach)
        self.differ_in(deprecation(old), deprecation(new), place, reach)

    def _headers(self, old: Tree, new: Tree, place: str, reach: Reach) -> None:
        """Compare the headers of a response, in any letter case."""
        before = _headers_by_name(old)
        after = _headers_by_name(new)
        for key, (name, tree) in (after | before).items():
            here = f"{place}.headers.{name}"
            if key in before and key in after:
                _, match = after[key]
                self._pair(tree, match, here)
                continue
            kind = "header-removed" if key in before else "header-added"
            if _is_required(self.old if key in before else self.new, tree):
                kind = f"required-{kind}"
            self.add(kind, here, reach)

    def _content(
        self, old: Tree, new: Tree, place: str, first: Component, second: Component
    ) -> None:
        """Compare the content types of a body, a response or a parameter, with their schemas."""
        reach = self.reach(first, second)
        before = mapping_at(old, "content")
        after = mapping_at(new, "content")
        pairs = _media(before, after)
        for content_type, match in pairs.items():
            here = f"{place}.content.{content_type}"
            if match is None:
                self.add("content-type-removed", here, reach)
                continue
            former = before[content_type]
            latter = after[match]
            fields = self._encoded_otherwise(former, latter)
            if fields:
                self.add("encoding", here, reach, "", ", ".join(fields))
            self._schema(former, latter, f"{here}.schema", first, second)
        for content_type, _ in members(after):
            if content_type not in pairs.values():
                self.add("content-type-added", f"{place}.content.{content_type}", reach)

    def _encoded_otherwise(self, old: Tree, new: Tree) -> list[str]:
        """The fields of a form whose `encoding` differs.

        One that only one document has is a change of its schema.
        """
        before = mapping_at(old, "encoding")
        after = mapping_at(new, "encoding")
        former = self.old.shape(mapping_at(old, "schema")).children
        latter = self.new.shape(mapping_at(new, "schema")).children
        fields: list[str] = []
        for name in sorted({*before, *after}):
            step = PROPERTY + name
            is_in_both = step in former and step in latter
            if is_in_both and before.get(name, {}) != after.get(name, {}):
                fields.append(name)
        return fields

    def _schema(
        self, old: Tree, new: Tree, place: str, first: Component, second: Component
    ) -> None:
        """Compare the schemas of two parameters, headers or media types.

        `place` is that of these, or of the schema itself. `first` and `second` know the operations
        that reach both.
        """
        before = schema_at(old, "schema")
        after = schema_at(new, "schema")
        if before is not None and after is not None:
            below = place if place.endswith(".schema") else f"{place}.schema"
            as_text = is_text(self.old.of(old) or first)
            old_component = self.old.of(before) or first
            new_component = self.new.of(after) or second
            old_part = Part(before, place, below, old_component, as_text=as_text)
            new_part = Part(after, place, below, new_component)
            self.compare(old_part, new_part)
        elif before is not None:
            self.add("schema-lost", place, self.reach(first, second))
        elif after is not None:
            self.add("schema-added", place, self.reach(first, second))


def _tags(operation: Operation) -> str:
    """The tags of an operation in words."""
    return ", ".join(map(str, list_at(operation.tree, "tags"))) or "none"


def _directions(name: str, *, incoming: bool) -> tuple[Reach, Reach]:
    """The reach of an operation's request, and of its answers."""
    sent = Reach(frozenset({name}))
    received = Reach(received=frozenset({name}))
    return (received, sent) if incoming else (sent, received)


def _both_directions(name: str) -> Reach:
    """The reach of all that an operation sends and receives."""
    return Reach(frozenset({name}), frozenset({name}))


def _is_required(components: Components, tree: Tree) -> bool:
    """Whether a parameter, a header or a body has to be there."""
    resolved = components.resolve(tree)
    return resolved.get("required") is True or resolved.get("in") == "path"


def _is_plain(shapes: Shapes, parameter: Tree) -> bool:
    """Whether a parameter can be neither a list nor an object."""
    types = shapes.shape(mapping_at(parameter, "schema")).value("type")
    return bool(types) and not types & {"array", "object"}


def _serialisation(tree: Tree, *, header: bool, plain: bool) -> str:
    """How a parameter is written; `explode` makes no difference to a plain value."""
    content = mapping_at(tree, "content")
    if content:
        return ", ".join(sorted(content))
    location = "header" if header else str(tree.get("in"))
    style = tree.get("style") or DEFAULT_STYLES.get(location, "form")
    is_exploded = tree.get("explode")
    if not isinstance(is_exploded, bool):
        is_exploded = style in EXPLODED_STYLES
    words = f"style {style}"
    if is_exploded and not plain:
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


def _by_status(responses: Tree) -> dict[str, Tree]:
    """Responses by their statuses in capitals."""
    return {status.upper(): tree for status, tree in members(responses)}


def _same_status(status: str, before: Tree, after: Tree) -> str:
    """The new status of a response: its own, or one that became a range, or was one; else ""."""
    if status in after:
        return status
    for other in after:
        is_range = status.endswith("XX") or other.endswith("XX")
        if is_range and other[:1] == status[:1] and other not in before:
            return other
    return ""


def _covering(status: str, responses: Tree) -> Tree | None:
    """The answer that stands for a status without one of its own: of its range, or for an error the
    default. `responses` have statuses in capitals.
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
