"""Corrections of a document: the OpenAPI Overlay beside it (https://spec.openapis.org/overlay).

A target is an exact path (`$.paths['/cards'].get`): what a wildcard or a filter finds could change
with the document, and nobody would see it.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from .enforced import has_mark, why_no_mark
from .tree import DocumentError, Tree, is_list, is_mapping

_STEP = re.compile(
    r"""\.(?P<name>[^\W\d]\w*)"""
    r"""|\[(?P<index>0|[1-9][0-9]*)\]"""
    r"""|\['(?P<single>(?:[^'\\]|\\['\\])*)'\]"""
    r"""|\["(?P<double>(?:[^"\\]|\\["\\])*)"\]"""
)
"""One step of a path: `.get`, `[0]`, `['/cards']` or `["/cards"]`."""
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


class _Misfit(Exception):
    """An action cannot be done; the message says why, without a full stop."""


class _Action(NamedTuple):
    """One action of an overlay."""

    place: str
    """What to call it: `action 2`, and its target."""
    steps: list[str | int]
    removes: bool
    update: Any


def apply_overlay(document: Tree, overlay: Any, file: Path, *, lenient: bool = False) -> None:
    """Do the actions of an overlay, which was read from a file, to a document.

    Raises DocumentError for an overlay that has another form, and for an action that leads nowhere,
    does not fit, or changes nothing. If `lenient`, these actions are passed over.
    """
    try:
        actions = list(_actions(overlay))
    except _Misfit as error:
        raise DocumentError(f"{file}: {error}.") from None
    _require_document(overlay, file)
    misfits: list[str] = []
    for action in actions:
        try:
            _do(document, action)
        except _Misfit as error:
            misfits.append(f"{file}: {action.place}: {error}.")
    if misfits and not lenient:
        raise DocumentError("\n".join(misfits))


def _require_document(overlay: Tree, file: Path) -> None:
    """Raise DocumentError for an overlay that says that it is one of another document."""
    named, own = str(overlay.get("extends", "")), file.name.partition(".overlay.")[0]
    if named and "://" not in named and Path(named).stem != own:
        raise DocumentError(
            f"{file}: `extends` is {named}, and the file corrects {own}: write "
            f"`extends: {own}{Path(named).suffix}`, or leave it out."
        )


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


def _do(document: Tree, action: _Action) -> None:
    holder: Any = document
    path = "$"
    for step in action.steps[:-1]:
        holder = _at(holder, step, path)
        path = f"{path}{_written(step)}"
    if not action.steps:
        if action.removes:
            raise _Misfit("the whole document cannot be removed")
        _update(document, document, "", action.update)
        _require_marks(document, action.update)
        return
    last = action.steps[-1]
    target = _at(holder, last, path)
    if action.removes:
        del holder[last]
    else:
        _update(holder, target, last, action.update)
        _require_marks(target, action.update)


def _require_marks(target: Any, update: Any) -> None:
    """Raise a _Misfit for a mark (`enforced.MARK`) of an update that is none in the document, such
    as one without a limit beside it. `target` is what the update has changed.
    """
    if is_list(update) or is_list(target):
        for each in update if is_list(update) else [update]:
            _require_marks(each, each)
        return
    if not is_mapping(update) or not is_mapping(target):
        return
    why = why_no_mark(target) if has_mark(update) else ""
    if why:
        raise _Misfit(why)
    for key, inner in update.items():
        _require_marks(target.get(key), inner)


def _at(holder: Any, step: str | int, path: str) -> Any:
    """What a step leads to. `path` is that of the holder."""
    if isinstance(step, int):
        if is_list(holder) and step < len(holder):
            return holder[step]
        items = f"it has {len(holder)} items" if is_list(holder) else "it is no list"
        raise _Misfit(f"it leads nowhere: {path} has no {_written(step)}: {items}")
    if is_mapping(holder) and step in holder:
        return holder[step]
    keys = list(holder) if is_mapping(holder) else []
    raise _Misfit(f"it leads nowhere: {path} has no {step!r}{_nearest(step, keys)}")


def _written(step: str | int) -> str:
    """A step as it stands in a path."""
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if re.fullmatch(r"[^\W\d]\w*", step) else f"[{step!r}]"


def _update(holder: Any, target: Any, key: str | int, update: Any) -> None:
    """Change what stands in a holder at a key."""
    if is_list(target):
        _add(target, update, _properties_for(key, holder))
        return
    if not is_mapping(target):
        raise _Misfit("it is no object and no list: name what it stands in")
    if not is_mapping(update):
        raise _Misfit("`update` must be an object, as what it changes is one")
    if not _merge(target, update, key):
        raise _Misfit("it changes nothing, as the document says so itself: remove the action")


def _properties_for(key: str | int, *holders: Any) -> Collection[str] | None:
    """The properties that a list of required ones may name; None for any other list, and where the
    holders do not have them all.
    """
    if key != "required" or any("allOf" in each for each in holders):
        return None
    found = [each["properties"] for each in holders if is_mapping(each.get("properties"))]
    return {name for each in found for name in each} if found else None


def _add(before: list[Any], update: Any, known: Collection[str] | None) -> None:
    """Add to a list. `known` are the only ones that it may have, if there are any."""
    added: list[Any] = update if is_list(update) else [update]
    for each in added:
        if each in before:
            raise _Misfit(f"{each!r} stands there already: leave it out")
        _require_properties([each], known)
    before.extend(added)


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


def _merge(target: Tree, update: Tree, at: str | int) -> bool:
    """Put the values of an update into a mapping, and say whether they change it.

    `at` is the key of the mapping.
    """
    is_changed = False
    for key, value in update.items():
        before = target.get(key)
        known = _properties_for(key, target, update)
        if key not in target:
            if at not in _OF_NAMES:
                _require_keyword(key)
            _require_properties(value, known)
            target[key] = value
            is_changed = True
        elif is_mapping(before) and is_mapping(value):
            is_changed |= _merge(before, value, key)
        elif is_list(before) and is_list(value):
            _add(before, value, known)
            is_changed |= bool(value)
        elif type(before) in (dict, list) or type(value) in (dict, list):
            raise _Misfit(f"`update` has {key!r}, which is of another type in the document")
        else:
            target[key] = value
            is_changed |= before != value
    return is_changed
