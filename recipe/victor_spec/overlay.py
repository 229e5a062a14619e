"""Corrections of a document: the OpenAPI Overlay beside it (https://spec.openapis.org/overlay).

A target is an exact path, such as `$.paths['/cards'].get.parameters[?@.name=='since']`: what a
wildcard or an index finds could change with the document, and nobody would see it.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, NamedTuple

from .tree import Tree, is_list, is_mapping

_STEP = re.compile(
    r"""\.(?P<name>[^\W\d]\w*)"""
    r"""|\[(?P<key>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]"""
    r"""|\[\?@(?:\.(?P<member>\w+))?\s*==\s*(?P<value>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]"""
)
"""One step of a path: `.get`, `['/cards']`, `[?@.name=='since']`."""


class Misfit(ValueError):
    """An overlay, or an action of it, cannot be used; the message says why."""


class _Item(NamedTuple):
    """A step to the one item of a list that has a member of this value, or that is it."""

    member: str
    value: str

    def is_(self, item: Any) -> bool:
        return (item.get(self.member) if is_mapping(item) and self.member else item) == self.value


_Step = str | _Item


def correct(document: Tree, overlay: Any) -> list[str]:
    """Do the actions of an overlay to a document; returns those that change nothing, as the
    document says so itself.

    Raises Misfit for an overlay of another form, and for all actions that lead nowhere.
    """
    if not is_mapping(overlay) or not str(overlay.get("overlay", "")).startswith("1."):
        raise Misfit("it is no overlay: write `overlay: 1.0.0` at its top")
    actions = overlay.get("actions")
    if not is_list(actions) or not actions:
        raise Misfit("it has no actions: write `actions:`, or remove the file")
    idle: list[str] = []
    misfits: list[str] = []
    for number, action in enumerate(actions, 1):
        place = f"action {number} ({action.get('target') if is_mapping(action) else action})"
        try:
            if not _does_something(document, action):
                idle.append(place)
        except Misfit as error:
            misfits.append(f"{place}: {error}")
    if misfits:
        raise Misfit("; ".join(misfits))
    return idle


def _does_something(document: Tree, action: Any) -> bool:
    """Do one action; whether it changed the document."""
    if not is_mapping(action) or ("update" in action) == bool(action.get("remove")):
        raise Misfit("write `target`, and either `update` or `remove: true`")
    steps = _steps(str(action.get("target")))
    above, last = steps[:-1], steps[-1] if steps else None
    holder: Any = document
    for step in above:
        holder = _at(holder, step)
    if action.get("remove"):
        return last is not None and _removed(holder, last)
    value = holder if last is None else _at(holder, last)
    if not is_mapping(value) and not is_list(value):
        raise Misfit("it leads to no object and no list: name what it stands in")
    return _merged(value, action["update"])


def _steps(target: str) -> list[_Step]:
    steps: list[_Step] = []
    position = 1
    while position < len(target):
        step = _STEP.match(target, position)
        if step is None or not target.startswith("$"):
            raise Misfit(
                "it is no exact path: write one such as $.paths['/cards'].get, or [?@.name=='x'] "
                "for an item"
            )
        text = step["key"] or step["value"]
        text = re.sub(r"\\(.)", r"\1", text[1:-1]) if text else str(step["name"])
        steps.append(_Item(step["member"] or "", text) if step["value"] else text)
        position = step.end()
    return steps


def _at(holder: Any, step: _Step) -> Any:
    if isinstance(step, _Item):
        found = [each for each in holder if step.is_(each)] if is_list(holder) else []
        if len(found) != 1:
            raise Misfit(f"{len(found)} items are {step.value!r}, where one must be")
        return found[0]
    if not is_mapping(holder) or step not in holder:
        raise Misfit(f"it leads nowhere: there is no {step!r}{_nearest(step, holder)}")
    return holder[step]


def _removed(holder: Any, step: _Step) -> bool:
    """Remove what a step leads to; whether it was there."""
    if isinstance(step, str):
        if not is_mapping(holder):
            raise Misfit(f"it leads nowhere: there is no {step!r}")
        return holder.pop(step, holder) is not holder
    kept = [each for each in holder if not step.is_(each)]
    is_there = len(kept) < len(holder)
    holder[:] = kept
    return is_there


def _merged(value: Any, update: Any) -> bool:
    """Merge an object, or add to a list what it has not; whether anything changed."""
    if is_list(value):
        added = [each for each in (update if is_list(update) else [update]) if each not in value]
        value += added
        return bool(added)
    if not is_mapping(update):
        raise Misfit("`update` must be an object, as what it changes is one")
    is_changed = False
    for key, new in update.items():
        before = value.get(key)
        if (is_mapping(before) and is_mapping(new)) or (is_list(before) and is_list(new)):
            is_changed |= _merged(before, new)
        elif key not in value or before != new or type(before) is not type(new):
            value[key] = new
            is_changed = True
    return is_changed


def _nearest(step: str, holder: Any) -> str:
    known: Iterable[str] = holder if is_mapping(holder) else ()
    close = get_close_matches(step, list(known), n=1, cutoff=0)
    return f": the nearest key is {close[0]!r}" if close else ""
