"""Places in what a provider sends: what is there, or what the document declares there."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from victor_ext._runtime.core.json_values import is_object
from victor_ext._runtime.loop.evidence import Tables, fields_of
from victor_ext._runtime.loop.refusals import is_open


def value_at(value: Any, place: str) -> Any:
    """What is at a place of a page or an item, or None. A place is a path of names
    (`meta.next_cursor`), as on the wire or in the generated model.
    """
    for name in place.split("."):
        value = member_of(value, name)
    return value


def is_absent_at(value: Any, place: str) -> bool:
    """Whether an object has null or nothing at a place, or at a name on the way to it."""
    for name in place.split("."):
        if value is None:
            return True
        if not is_object(value):
            return False
        value = member_of(value, name)
    return value is None


def member_of(value: Any, name: str) -> Any:
    """A member of an object or a model, by its name on the wire or in Python; None: it has none."""
    if isinstance(value, Mapping):
        return _member_of_object(cast("Mapping[str, Any]", value), name)
    for field in fields_of(value):
        if same_name(field.name, name):
            member = getattr(value, field.name, None)
            # Each generated package has a marker of its own for an unset value.
            if member is not None and type(member).__name__ != "Unset":
                return member
    return _member_of_object(getattr(value, "additional_properties", {}), name)


def _member_of_object(members: Mapping[str, Any], name: str) -> Any:
    if name in members:
        return members[name]
    for key, member in members.items():
        if same_name(key, name):
            return member
    return None


def same_name(first: str, second: str) -> bool:
    """Whether two names are of the same member, as `nextCursor` on the wire and `next_cursor` in
    Python are.
    """
    return _comparable(first) == _comparable(second)


def _comparable(name: str) -> str:
    # The generator writes `field_1` for a member whose name no attribute can have, such as `1`.
    return re.sub(r"[^a-z0-9]", "", name.lower().removeprefix("field_"))


def kinds_at(kinds: Sequence[Any], place: str, tables: Tables) -> list[Any] | None:
    """The kinds that the document declares at a place of these, by the tables of its members.

    An empty list: it declares no such place. None: something on the way has members that it does
    not declare.
    """
    whole = [tables[kind][place] for kind in kinds if place in tables.get(kind, ())]
    if whole:  # a name with a dot in it
        return whole
    found = [*kinds]
    for name in place.split("."):
        if any(is_open(kind, tables) for kind in found):
            return None
        models = [tables[kind] for kind in found if is_model(kind, tables)]
        found = [kind for model in models for own, kind in model.items() if same_name(own, name)]
    return found


def is_model(kind: Any, tables: Tables) -> bool:
    """Whether a kind is an object of a model, whose members the tables have."""
    return isinstance(kind, str) and kind in tables
