"""What differs between the paths of two documents: operations, parameters, bodies and answers."""

from fnmatch import fnmatch

from victor_spec.components import Component, Components, Operation
from victor_spec.requests import DEFAULT_STYLES
from victor_spec.tree import (
    Tree,
    bare_type,
    list_at,
    mapping_at,
    mappings_at,
    members,
    schema_at,
)

from .changes import Reach, renamed_parameters, wire_name
from .keywords import deprecation
from .schemas import SchemaComparison
from .shape import Part, is_text


class OperationComparison(SchemaComparison):
    """Compares the operations of both documents, too, and what they refer to by name."""

    def run(self) -> None:
        """Compare everything below `paths`, `webhooks`, and the named parameters, headers, bodies
        and answers.
        """
        for name, operation in self.old.operations.items():
            if name not in self.same_operations:
                self.add("operation-removed", operation.place, _both(name))
        for name in self.added:
            added = self.new.operations[name]
            self.add(
                "webhook-added" if added.incoming else "operation-added", added.place, _both(name)
            )
        for name, new in self.same_operations.items():
            old = self.old.operations[name]
            if wire_name(old) != wire_name(new):
                self.add("operation-moved", old.place, _both(name), name, new.name)
            self._attributes(old, new)
            self._parameters(old, new)
            self._calls(old.tree, new.tree, old.place, name, incoming=old.incoming)
        for key in ("parameters", "headers", "requestBodies", "responses"):
            for name, tree in mappings_at(mapping_at(self.old.document, "components"), key):
                place = f"components.{key}.{name}"
                if place in self.old.by_place and place in self.new.by_place:
                    self._pair(tree, self.new.by_place[place].tree, place)

    def _calls(self, old: Tree, new: Tree, place: str, name: str, *, incoming: bool) -> None:
        request, answer = _directions(name, incoming=incoming)
        self._body(old, new, f"{place}.requestBody", request)
        self._responses(
            mapping_at(old, "responses"), mapping_at(new, "responses"), f"{place}.responses", answer
        )
        ours, theirs = self.old.callbacks(old), self.new.callbacks(new)
        for step in {**ours, **theirs}:
            here = f"{place}.callbacks.{step}"
            if step in ours and step in theirs:
                self._calls(ours[step], theirs[step], here, name, incoming=not incoming)
            else:
                self.add(
                    "operation-removed" if step in ours else "operation-added", here, _both(name)
                )

    def _parameters(self, old: Operation, new: Operation) -> None:
        before, after = self.old.parameters(old), self.new.parameters(new)
        renamed = renamed_parameters(old, new)
        request, _ = _directions(old.name, incoming=old.incoming)
        for key, tree in before.items():
            where, _, name = key.partition(":")
            place = self.old.place(tree, old.place)
            match = after.pop(f"path:{renamed.get(name, name)}" if where == "path" else key, None)
            if match is None:
                self.add("parameter-removed", place, request)
                continue
            if where == "path" and renamed.get(name, name) != name:
                self.add("path-parameter-renamed", place, _both(old.name), name, renamed[name])
            self._pair(tree, match, place)
        for tree in after.values():
            kind = (
                "required-parameter-added"
                if _is_required(self.new, tree)
                else "optional-parameter-added"
            )
            place = self.moves.before(self.new.place(tree, new.place))
            self.add(kind, place, request)

    def _body(self, old: Tree, new: Tree, place: str, reach: Reach) -> None:
        before, after = mapping_at(old, "requestBody"), mapping_at(new, "requestBody")
        if before and after:
            self._pair(before, after, place)
        elif before:
            self.add("body-removed", place, reach)
        elif after:
            kind = "required-body-added" if _is_required(self.new, after) else "optional-body-added"
            self.add(kind, place, reach)

    def _responses(self, old: Tree, new: Tree, place: str, reach: Reach) -> None:
        before, after = (
            {status.upper(): tree for status, tree in members(each)} for each in (old, new)
        )
        spelled = {status.upper(): status for status in [*new, *old]}
        for status, tree in before.items():
            here = f"{place}.{spelled[status]}"
            ranged = [
                each
                for each in after
                if each[:1] == status[:1] and "XX" in each + status and each not in before
            ]
            match = after.pop(status if status in after else ranged[0] if ranged else "", None)
            if match is None:
                self.add(f"{_class_of(status)}-removed", here, reach)
                match = _covering(status, new)
            if match is not None:
                self._pair(tree, match, here)
        for status, tree in after.items():
            here = f"{place}.{spelled[status]}"
            self.add(
                "success-added" if _class_of(status) == "success" else "answer-added", here, reach
            )
            if (earlier := _covering(status, old)) is not None:
                self._pair(earlier, tree, here)

    def _pair(self, old: Tree, new: Tree, place: str) -> None:
        """Compare two parameters, headers, bodies or answers, once."""
        before, after = self.old.resolve(old), self.new.resolve(new)
        first, second = self.old.of(before), self.new.of(after)
        if first is None or second is None:
            return
        if "$ref" in old:
            if "$ref" in new and first.place == second.place:
                return  # compared by name
            if first.place in self.new.by_place:
                first, second = self.old.of(old) or first, self.new.of(new) or second
            else:
                place = first.place
        if not self._is_new(before, after) and "$ref" not in old:
            return
        reach = self.reach(first, second)
        required = [_is_required(self.old, before), _is_required(self.new, after)]
        if required[0] != required[1]:
            self.add("became-required" if required[1] else "became-optional", place, reach)
        if first.kind in ("parameter", "header"):
            self._parameter(before, after, place, reach, header=first.kind == "header")
        self._headers(before, after, place, reach)
        self._schema(before, after, place, first, second)
        self._content(before, after, place, reach, first, second)

    def _parameter(self, old: Tree, new: Tree, place: str, reach: Reach, *, header: bool) -> None:
        shapes = [
            side.shape(mapping_at(each, "schema"))
            for side, each in ((self.old, old), (self.new, new))
        ]
        plain = all(
            (types := each.value("type")) and not types & {"array", "object"} for each in shapes
        )
        styles = [_serialisation(each, header=header, plain=plain) for each in (old, new)]
        self.differ("serialisation", place, reach, *styles)
        empty = [each.get("allowEmptyValue") is True for each in (old, new)]
        if empty[0] != empty[1]:
            self.add("empty-value-allowed" if empty[1] else "empty-value-refused", place, reach)
        self.differ_in(deprecation(old), deprecation(new), place, reach)

    def _headers(self, old: Tree, new: Tree, place: str, reach: Reach) -> None:
        before, after = (
            {name.lower(): (name, each) for name, each in mappings_at(tree, "headers")}
            for tree in (old, new)
        )
        for key, (name, tree) in {**after, **before}.items():
            here = f"{place}.headers.{name}"
            if key in before and key in after:
                self._pair(tree, after[key][1], here)
                continue
            side, change = (self.old, "removed") if key in before else (self.new, "added")
            self.add(
                f"{'required-' if _is_required(side, tree) else ''}header-{change}", here, reach
            )

    def _content(
        self, old: Tree, new: Tree, place: str, reach: Reach, first: Component, second: Component
    ) -> None:
        after = mapping_at(new, "content")
        pairs = _media(mapping_at(old, "content"), after)
        for content_type, match in pairs.items():
            here = f"{place}.content.{content_type}"
            if match is None:
                self.add("content-type-removed", here, reach)
                continue
            before = mapping_at(old, "content")[content_type]
            fields = self._encoded_otherwise(before, after[match])
            if fields:
                self.add("encoding", here, reach, "", ", ".join(fields))
            self._schema(before, after[match], f"{here}.schema", first, second)
        for content_type, _ in members(after):
            if content_type not in pairs.values():
                self.add("content-type-added", f"{place}.content.{content_type}", reach)

    def _encoded_otherwise(self, old: Tree, new: Tree) -> list[str]:
        """The fields of a form whose `encoding` differs.

        One that only one document has is a change of its schema.
        """
        before, after = mapping_at(old, "encoding"), mapping_at(new, "encoding")
        former = self.old.shape(mapping_at(old, "schema")).children
        latter = self.new.shape(mapping_at(new, "schema")).children
        both = (
            name
            for name in {*before, *after}
            if f".properties.{name}" in former.keys() & latter.keys()
        )
        return sorted(name for name in both if before.get(name, {}) != after.get(name, {}))

    def _schema(
        self, old: Tree, new: Tree, place: str, first: Component, second: Component
    ) -> None:
        before, after = schema_at(old, "schema"), schema_at(new, "schema")
        if before is None or after is None:
            if before is not after:
                kind = "schema-added" if before is None else "schema-lost"
                self.add(kind, place, self.reach(first, second))
            return
        below = place if place.endswith(".schema") else f"{place}.schema"
        as_text = is_text(self.old.of(old) or first)
        old_part = Part(before, place, below, self.old.of(before) or first, as_text=as_text)
        self.compare(old_part, Part(after, place, below, self.new.of(after) or second))

    def _attributes(self, old: Operation, new: Operation) -> None:
        reach = _both(old.name)
        ids = [str(each.tree.get("operationId", "missing")) for each in (old, new)]
        tags = [", ".join(map(str, list_at(each.tree, "tags"))) or "none" for each in (old, new)]
        self.differ("operation-id", f"{old.place}.operationId", reach, *ids)
        self.differ("tags", f"{old.place}.tags", reach, *tags)
        self.differ_in(deprecation(old.tree), deprecation(new.tree), old.place, reach)


def _directions(name: str, *, incoming: bool) -> tuple[Reach, Reach]:
    """The reach of an operation's request, and of its answers."""
    sent, received = Reach(frozenset({name})), Reach(received=frozenset({name}))
    return (received, sent) if incoming else (sent, received)


def _both(name: str) -> Reach:
    return Reach(frozenset({name}), frozenset({name}))


def _is_required(components: Components, tree: Tree) -> bool:
    resolved = components.resolve(tree)
    return resolved.get("required") is True or resolved.get("in") == "path"


def _serialisation(tree: Tree, *, header: bool, plain: bool) -> str:
    """How a parameter is written; `explode` makes no difference to a plain value."""
    if mapping_at(tree, "content"):
        return ", ".join(sorted(mapping_at(tree, "content")))
    style = tree.get("style") or (
        "simple" if header else DEFAULT_STYLES.get(str(tree.get("in")), "form")
    )
    explode = (
        tree["explode"] if isinstance(tree.get("explode"), bool) else style in ("form", "cookie")
    )
    reserved = " with reserved characters" if tree.get("allowReserved") is True else ""
    return f"style {style}{', exploded' if explode and not plain else ''}{reserved}"


def _class_of(status: str) -> str:
    return (
        "success"
        if status.startswith("2")
        else "default-answer"
        if status == "DEFAULT"
        else "answer"
    )


def _covering(status: str, answers: Tree) -> Tree | None:
    """The answer that stands for a status without one of its own: of its range, or for an error the
    default.
    """
    written = {each.upper(): tree for each, tree in members(answers)}
    default = written.get("DEFAULT") if _class_of(status) == "answer" else None
    return written.get(f"{status[:1]}XX", default)


def _media(old: Tree, new: Tree) -> dict[str, str | None]:
    """The content types of the old document, each with the one that stands for it in the new
    document.
    """
    names = [name for name, _ in reversed(members(new))]
    theirs = {bare_type(each): each for each in names}
    pairs: dict[str, str | None] = {}
    for content_type, _ in members(old):
        bare = bare_type(content_type)
        covering = next((each for pattern, each in theirs.items() if fnmatch(bare, pattern)), None)
        pairs[content_type] = content_type if content_type in names else theirs.get(bare, covering)
    return pairs
