"""Corrections of a document: the OpenAPI Overlay beside it (https://spec.openapis.org/overlay).

A target is an exact path (`$.paths['/cards'].get`): what a wildcard or a filter finds could change
with the document, and nobody would see it. It leads through references to other files, as if these
parts were written there: it is the same for a document in one file and in several.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from .enforced import has_mark, why_no_mark
from .tree import DocumentError, Tree, is_list, is_mapping, target

_STEP = re.compile(
    r"""\.(?P<name>[^\W\d]\w*)"""
    r"""|\[(?P<index>0|[1-9][0-9]*)\]"""
    r"""|\['(?P<single>(?:[^'\\]|\\['\\])*)'\]"""
    r"""|\["(?P<double>(?:[^"\\]|\\["\\])*)"\]"""
)
"""One step of a path: `.get`, `[0]`, `['/cards']` or `["/cards"]`."""
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line of YAML."""
_KEYS = ("target", "update", "remove", "description", "copy")
_OF_NAMES = frozenset(
    {
        *("properties", "patternProperties", "schemas", "paths", "responses", "content", "headers"),
        *("examples", "links", "callbacks", "securitySchemes", "scopes", "variables", "mapping"),
        *("parameters", "requestBodies", "pathItems", "webhooks", "encoding", "$defs"),
        *("definitions", "dependentRequired", "dependentSchemas", "example", "default", "const"),
    }
)
"""Parts of a document whose keys are names, or that are values."""
_KEYWORDS = (
    *("title", "description", "summary", "type", "format", "enum", "const", "default", "example"),
    *("minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "multipleOf"),
    *("exclusiveMaximum", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
    *("properties", "required", "additionalProperties", "items", "allOf", "anyOf", "oneOf", "not"),
    *("nullable", "readOnly", "writeOnly", "deprecated", "discriminator", "externalDocs", "schema"),
    *("parameters", "requestBody", "responses", "content", "operationId", "security", "servers"),
    *("allowEmptyValue", "explode", "style", "examples", "headers", "callbacks", "tags", "url"),
)
"""The other keys, without those of which no misspelling is known by its letters."""


_ABSENT = object()


class _Misfit(Exception):
    """An action cannot be done; the message says why, without a full stop."""


class _Action(NamedTuple):
    """One action of an overlay."""

    place: str
    """What to call it: `action 2`, and its target."""
    steps: list[str | int]
    removes: bool
    update: Any


Steps = tuple[str | int, ...]


@dataclass
class _Effect:
    """What an action did to a document."""

    number: int
    action: _Action
    changes: int = 0
    same: list[Steps] = field(default_factory=list[Steps])
    """The places within `update` of what the document says itself."""
    items: list[str] = field(default_factory=list[str])
    """What the items of lists are called that the target leads through."""
    nearest: str = ""
    """What may be meant by the target of a removal that is not there."""
    removed: str = ""
    """What it removed, as JSON."""
    undone_by: "tuple[_Effect, Steps] | None" = None
    """The later action that writes again what it removed, as it was, and the place within that
    update; an empty one for all of it.
    """


class Corrections:
    """The actions of an overlay, and what they did to a document."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.text = ""
        """What stands in the file; empty without one."""
        self._extends = ""
        self._effects: list[_Effect] = []
        self.parts: Mapping[str, str] = {}
        """Where parts of other files stand, by the references to them."""

    def apply(
        self, document: Tree, overlay: Any, parts: Mapping[str, str], *, lenient: bool = False
    ) -> None:
        """Do the actions to a document. `parts` has where parts of other files stand, by the
        references to them.

        Raises DocumentError for an overlay that has another form, and for an action that leads
        nowhere or does not fit. If `lenient`, these actions are passed over.
        """
        try:
            actions = list(_actions(overlay))
        except _Misfit as error:
            raise DocumentError(f"{self.file}: {error}.") from None
        self.parts = parts
        self._extends = str(overlay.get("extends", ""))
        self.require_document(self.file.name.partition(".overlay.")[0])
        misfits: list[str] = []
        for number, action in enumerate(actions):
            effect = _Effect(number, action)
            try:
                _Doing(document, parts, effect).run()
                self._effects.append(effect)
            except _Misfit as error:
                misfits.append(f"{self.file}: {action.place}: {error}.")
        if misfits and not lenient:
            raise DocumentError("\n".join(misfits))
        for effect in self._effects:
            later = self._writer_of(effect) if effect.removed else None
            if later and _Doing(document, parts, effect).json_now() == effect.removed:
                effect.undone_by = later

    def _writer_of(self, removal: _Effect) -> tuple[_Effect, Steps] | None:
        """The first action after a removal that writes at its place, and the place within that
        update; an empty one where it writes nothing else.
        """
        steps = removal.action.steps
        for later in self._effects[self._effects.index(removal) + 1 :]:
            above = later.action.steps
            place = tuple(steps[len(above) :])
            if later.action.removes or not place or steps[: len(above)] != above:
                continue
            value = later.action.update
            writes_more = False
            for step in place:
                writes_more |= is_mapping(value) and len(value) > 1
                value = value.get(str(step), _ABSENT) if is_mapping(value) else _ABSENT
            if value is not _ABSENT:
                return later, place if writes_more else ()
        return None

    def require_document(self, own: str) -> None:
        """Raise DocumentError for an overlay that says that it is one of another document than of
        `own`.
        """
        named = self._extends
        if named and "://" not in named and Path(named).stem != own:
            raise DocumentError(
                f"{self.file}: `extends` is {named}, and the file corrects {own}: write "
                f"`extends: {own}{Path(named).suffix}`, or leave it out."
            )

    def idle(self) -> list[str]:
        """The actions that change nothing, as the document says so itself: with what to delete."""
        idle = [effect for effect in self._effects if not effect.changes]
        useless = {effect.number for effect in idle}
        undone: list[str] = []
        for effect in self._effects:
            if effect.undone_by is not None:
                later, place = effect.undone_by
                useless |= {effect.number} if place else {effect.number, later.number}
                why = self._undone(effect, later, place)
                undone.append(f"{self.file}: {effect.action.place}: {why}")
        if useless and len(useless) == len(_nodes(self.text)):
            return [f"{self.file}: none of its actions changes anything: delete the file"]
        lines: list[str] = []
        for effect in idle:
            why = "it changes nothing, as the document says so itself"
            if effect.action.removes:
                why = f"it removes what is not there{effect.nearest}"
            where = _lines(self.text, effect.number, ())
            lines.append(f"{self.file}: {effect.action.place}: {why}: delete {where}")
        return [*lines, *undone]

    def _undone(self, removal: _Effect, later: _Effect, place: Steps) -> str:
        """What is said of a removal that a later action undoes: with what to delete of both."""
        first = _lines(self.text, removal.number, ())
        second = _lines(self.text, later.number, place)
        return (
            f"action {later.number + 1} writes again what it removes, as the document has it: "
            f"delete {first}, and {second}"
        )

    def half_taken_over(self, before: "Corrections") -> list[str]:
        """The actions of which this document says a part itself that the one before did not say:
        with what to delete.
        """
        lines: list[str] = []
        for effect in self._effects:
            earlier = before.same_as(effect)
            if earlier is None or not effect.changes:
                continue
            same = [place for place in effect.same if place not in earlier.same]
            news = _said(effect.action.update, same)
            if news:
                names = ", ".join(f"`{'.'.join(map(str, place))}`" for place in news)
                where = ", ".join(_lines(self.text, effect.number, place) for place in news)
                lines.append(
                    f"{self.file}: {effect.action.place}: the document says {names} itself now: "
                    f"delete {where}, and keep the rest"
                )
        return lines

    def require_same_items(self, before: "Corrections", newer: Path) -> None:
        """Raise DocumentError for an action that leads to another item of a list than before, or to
        a part of another file while the earlier part is still there.
        """
        for effect in self._effects:
            earlier = before.same_as(effect)
            if earlier is None or not effect.changes:
                continue
            leads = [*zip(earlier.items, effect.items, strict=False)]
            steps = effect.action.steps[:3]
            reference = "#/" + "/".join(map(str, steps))
            was, now = before.parts.get(reference, ""), self.parts.get(reference, "")
            if now and was in self.parts.values():
                leads.append((was.removesuffix("#"), now.removesuffix("#")))
            for item, other in leads:
                if item != other:
                    raise DocumentError(
                        f"{self.file}: {effect.action.place}: it leads to {item} in the document "
                        f"and to {other} in the newer one: write the overlay of the newer one as "
                        f"{newer.parent / newer.stem}.overlay.yaml."
                    )

    def same_as(self, effect: _Effect) -> _Effect | None:
        """What the same action did here."""
        action = effect.action
        for own in self._effects:
            if own.action[1:] == action[1:]:
                return own
        return None


def _nodes(text: str) -> list[yaml.Node]:
    """The actions of an overlay as they are written."""
    actions = _member(yaml.compose(text, yaml.CSafeLoader) if text else None, "actions")
    return actions[1].value if actions is not None else []


def _member(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """Where a member of a mapping or of a list begins, and the member."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return key, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        item = node.value[step]
        return item, item
    return None


def _lines(text: str, number: int, place: Steps) -> str:
    """What to delete for an action, or for a place within its update: `lines 4 to 6`, or `it from
    line 4` where something else stands there, too.
    """
    action = _nodes(text)[number]
    first, last = action, action
    for step in ("update", *place) if place else ():
        member = _member(last, step)
        if member is None:
            break  # a value that an anchor or a merge key has written
        first, last = member
    lines = _BREAK.split(text)
    start, end = first.start_mark, _end(last)
    above = lines[start.line][: start.column]
    below = lines[end.line][end.column :].strip() if end.line < len(lines) and end.column else ""
    begin, until = start.line + 1, end.line + (1 if end.column else 0)
    if above.strip() not in ("", "-") or (below and not below.startswith("#")):
        return f"it from line {begin}"
    if place and above.strip():
        return f"it from line {begin}"
    if not above.strip() and not place and lines[begin - 2].strip() == "-":
        begin -= 1
    return f"line {begin}" if begin == until else f"lines {begin} to {until}"


def _end(node: yaml.Node) -> yaml.Mark:
    """Where a value ends; a mapping or a list that is written in lines ends with its last one."""
    is_in_lines = isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value
    if is_in_lines and isinstance(node, yaml.MappingNode):
        return _end(node.value[-1][1])
    if is_in_lines and isinstance(node, yaml.SequenceNode):
        return _end(node.value[-1])
    return node.end_mark


def _said(update: Any, same: Collection[Steps], place: Steps = ()) -> list[Steps]:
    """The places of an update that a document says itself: those of whole objects and lists, where
    it says all of these.
    """
    if place in same:
        return [place]
    if is_mapping(update):
        inner = [(*place, key) for key in update]
        values = [*update.values()]
    else:
        values = update if is_list(update) else []
        inner = [(*place, number) for number in range(len(values))]
    said = [_said(value, same, below) for value, below in zip(values, inner, strict=True)]
    if inner and said == [[below] for below in inner]:
        return [place]
    return [each for places in said for each in places]


def _nearest(key: str, known: Iterable[str]) -> str:
    """What may be meant by an unknown key, for the end of a sentence."""
    close = get_close_matches(key, [*known], n=1, cutoff=0)
    return f": the nearest key is {close[0]!r}" if close else ""


def _actions(overlay: Any) -> Iterator[_Action]:
    if not is_mapping(overlay) or not re.match(r"1\.[01]\.", str(overlay.get("overlay", ""))):
        raise _Misfit("it is no overlay: write `overlay: 1.0.0` at its top")
    written = overlay.get("actions")
    if not is_list(written) or not written:
        raise _Misfit("it has no actions: write `actions:`, or remove the file")
    for number, action in enumerate(written, 1):
        yield _action(f"action {number}", action)


def _action(place: str, action: Any) -> _Action:
    if not is_mapping(action) or not isinstance(action.get("target"), str):
        raise _Misfit(f"{place} has no `target`: write a path, such as $.paths['/cards'].get")
    place = f"{place} ({action['target']})"
    for key in action:
        if key not in _KEYS and not key.startswith("x-"):
            raise _Misfit(f"{place}: {key} is no part of an action{_nearest(key, _KEYS)}")
    removes = action.get("remove", False)
    if "copy" in action:
        raise _Misfit(f"{place}: `copy` is not read: write what it copies into `update`")
    if not isinstance(removes, bool):
        raise _Misfit(f"{place}: `remove` is true or false")
    if removes == ("update" in action):
        raise _Misfit(f"{place}: write `update`, or `remove: true`, and not both")
    try:
        steps = _steps(action["target"])
    except _Misfit as error:
        raise _Misfit(f"{place}: {error}") from None
    return _Action(place, steps, removes, action.get("update"))


def _steps(target: str) -> list[str | int]:
    """The keys and indices of an exact path."""
    if not target.startswith("$"):
        name = target if target.startswith((".", "[")) else f".{target}"
        raise _Misfit(f"a path begins at the top of the document: write ${name}")
    steps: list[str | int] = []
    position = 1
    while position < len(target):
        step = _STEP.match(target, position)
        if step is None:
            break
        kind = str(step.lastgroup)
        text = step[kind]
        steps.append(int(text) if kind == "index" else re.sub(r"\\(.)", r"\1", text))
        position = step.end()
    if position != len(target):
        raise _Misfit(
            f"it is no exact path from {target[position:]!r} on: write one without wildcards and "
            "filters, such as $.paths['/cards'].get"
        )
    return steps


class _Doing:
    """One action, and the document that it is done to."""

    def __init__(self, document: Tree, parts: Collection[str], effect: _Effect) -> None:
        self._document = document
        self._parts = parts
        self._effect = effect

    def run(self) -> None:
        """Do it. Raises _Misfit."""
        action = self._effect.action
        holder: Any = self._document
        path = "$"
        for step in action.steps[:-1]:
            holder = self._at(self._whole(holder, step), step, path)
            path = f"{path}{_written(step)}"
        if not action.steps:
            if action.removes:
                raise _Misfit("the whole document cannot be removed")
            self._update(holder, holder, "", action.update)
            self._require_marks(holder, action.update)
            return
        last = action.steps[-1]
        holder = self._whole(holder, last)
        if action.removes:
            self._remove(holder, last, path)
            return
        value = self._at(holder, last, path)
        value = self._whole(value, *(action.update if is_mapping(action.update) else ()))
        self._update(holder, value, last, action.update)
        self._require_marks(value, action.update)

    def json_now(self) -> str:
        """What stands at the target now, as JSON; empty for nothing."""
        value: Any = self._document
        for step in self._effect.action.steps:
            holder = self._whole(value, step)
            if _is_absent(holder, step):
                return ""
            value = holder[step]
        return _json(value)

    def _whole(self, value: Any, *steps: str | int) -> Any:
        """A value, or the part of another file that it refers to, unless it has one of these keys
        itself.
        """
        seen: set[str] = set()
        while is_mapping(value) and value.keys().isdisjoint({*steps}):
            reference = value.get("$ref")
            is_part = isinstance(reference, str) and reference in self._parts
            if "$ref" in steps or not is_part or reference in seen:
                break
            seen.add(str(reference))
            value = target(self._document, str(reference))
        return value

    def _at(self, holder: Any, step: str | int, path: str) -> Any:
        """What a step leads to. `path` is that of the holder."""
        if isinstance(step, int):
            if is_list(holder) and step < len(holder):
                self._effect.items.append(_called(self._whole(holder[step])))
                return holder[step]
            items = f"it has {len(holder)} items" if is_list(holder) else "it is no list"
            raise _Misfit(f"it leads nowhere: {path} has no {_written(step)}: {items}")
        if is_mapping(holder) and step in holder:
            return holder[step]
        keys = list(holder) if is_mapping(holder) else []
        raise _Misfit(f"it leads nowhere: {path} has no {step!r}{_nearest(step, keys)}")

    def _remove(self, holder: Any, step: str | int, path: str) -> None:
        """Remove what a step leads to; nothing where the document has it no more."""
        if _is_absent(holder, step):
            self._effect.nearest = _nearest(step, holder) if isinstance(step, str) else ""
            return
        value = self._at(holder, step, path)
        if isinstance(step, str):
            self._effect.removed = _json(value)
        del holder[step]
        self._effect.changes += 1

    def _require_marks(self, value: Any, update: Any) -> None:
        """Raise a _Misfit for a mark (`enforced.MARK`) of an update that is none in the document,
        such as one without a limit beside it. `value` is what the update has changed.
        """
        if is_list(update) or is_list(value):
            for each in update if is_list(update) else [update]:
                self._require_marks(each, each)
            return
        if not is_mapping(update) or not is_mapping(value):
            return
        why = why_no_mark(value) if has_mark(update) else ""
        if why:
            raise _Misfit(why)
        for key, inner in update.items():
            self._require_marks(self._whole(value.get(key), *_keys(inner)), inner)

    def _update(self, holder: Any, value: Any, key: str | int, update: Any) -> None:
        """Change what stands in a holder at a key."""
        if is_list(value):
            self._add(value, update, _properties_for(key, holder), ())
            return
        if not is_mapping(value):
            raise _Misfit("it is no object and no list: name what it stands in")
        if not is_mapping(update):
            raise _Misfit("`update` must be an object, as what it changes is one")
        self._merge(value, update, key, ())

    def _add(
        self, before: list[Any], update: Any, known: Collection[str] | None, place: Steps
    ) -> None:
        """Add to a list what it has not. `known` are the only ones that it may have, if there are
        any.
        """
        added: list[Any] = []
        for number, each in enumerate(update if is_list(update) else [update]):
            if each in before:
                self._effect.same.append((*place, number) if is_list(update) else place)
                continue
            _require_properties([each], known)
            added.append(each)
        before.extend(added)
        self._effect.changes += len(added)

    def _merge(self, value: Tree, update: Tree, at: str | int, place: Steps) -> None:
        """Put the values of an update into a mapping. `at` is the key of the mapping."""
        for key, new in update.items():
            before = self._whole(value.get(key), *_keys(new))
            known = _properties_for(key, value, update)
            inner = (*place, key)
            if key not in value:
                if at not in _OF_NAMES:
                    _require_keyword(key)
                _require_properties(new, known)
                value[key] = new
                self._effect.changes += 1
            elif is_mapping(before) and is_mapping(new):
                self._merge(before, new, key, inner)
            elif is_list(before) and is_list(new):
                self._add(before, new, known, inner)
            elif type(before) in (dict, list) or type(new) in (dict, list):
                raise _Misfit(f"`update` has {key!r}, which is of another type in the document")
            elif before == new and type(before) is type(new):
                self._effect.same.append(inner)
            else:
                value[key] = new
                self._effect.changes += 1


def _is_absent(holder: Any, step: str | int) -> bool:
    """Whether a mapping or a list has no such member."""
    if isinstance(step, int):
        return is_list(holder) and step >= len(holder)
    return is_mapping(holder) and step not in holder


def _json(value: Any) -> str:
    """A value as JSON, whatever the order of its members."""
    return json.dumps(value, sort_keys=True)


def _keys(value: Any) -> Iterable[str]:
    """The keys of a mapping; none of anything else."""
    return value.keys() if is_mapping(value) else ()


def _called(item: Any) -> str:
    """What an item of a list is called, where it has a name; it is one of several otherwise."""
    if not is_mapping(item):
        return repr(item) if isinstance(item, str) else "an item"
    if "in" in item and "name" in item:
        return f"{item['in']}:{item['name']}"
    names = [str(item[key]) for key in ("$ref", "name", "url", "operationId") if key in item]
    return names[0] if names else "an item"


def _written(step: str | int) -> str:
    """A step as it stands in a path."""
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if re.fullmatch(r"[^\W\d]\w*", step) else f"[{step!r}]"


def _properties_for(key: str | int, *holders: Any) -> Collection[str] | None:
    """The properties that a list of required ones may name; None for any other list, and where the
    holders do not have them all.
    """
    if key != "required" or any("allOf" in each for each in holders):
        return None
    found = [each["properties"] for each in holders if is_mapping(each.get("properties"))]
    return {name for each in found for name in each} if found else None


def _require_properties(required: Any, known: Collection[str] | None) -> None:
    """Raise a _Misfit for a required name that is none of the properties `known`, if these are."""
    if known is None:
        return
    for each in required if is_list(required) else [required]:
        if str(each) not in known:
            raise _Misfit(f"{each!r} is required, and no property{_nearest(str(each), known)}")


def _require_keyword(key: str) -> None:
    """Raise a _Misfit for a key that is a misspelling of one that documents have."""
    close = get_close_matches(key, _KEYWORDS, n=1, cutoff=0.85)
    if key not in _KEYWORDS and not key.startswith("x-") and close:
        raise _Misfit(
            f"`update` has {key!r}, which no document has: the nearest key is {close[0]!r}"
        )
