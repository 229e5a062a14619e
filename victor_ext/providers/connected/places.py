"""Places in a page, an item or a body: dotted paths of names, as on the wire or in the generated model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from victor_ext.errors import ConfigurationError

Place = str | Callable[[Any], Any]


def value_at(value: Any, place: Place) -> Any:
    """What is at a place of a page or an item, or None."""
    if not isinstance(place, str):
        return place(value)
    for name in place.split("."):
        value = _member(value, name)
    return value


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, Mapping):
        for attribute in (field.name for field in getattr(value, "__attrs_attrs__", ()) if same_name(field.name, name)):
            member = getattr(value, attribute, None)
            # The marker of an unset value is falsy. Each generated package has its own.
            if member is not None and type(member).__name__ != "Unset":
                return member
        value = getattr(value, "additional_properties", {})
    members = cast("Mapping[str, Any]", value)
    if name in members:
        return members[name]
    return next((member for key, member in members.items() if same_name(key, name)), None)


def same_name(one: str, other: str) -> bool:
    """Whether two names are one member's, on the wire and in Python: `nextCursor` and `next_cursor`, for one."""
    return _bare(one) == _bare(other)


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower().removeprefix("field_"))


def fields_of(body: Any, path: str) -> Mapping[str, Any]:
    """The fields of a body, one of which is to be set. Raises `ConfigurationError` if it is not an object."""
    fields: Any = body.to_dict() if hasattr(body, "to_dict") else body
    if not isinstance(fields, Mapping):
        raise ConfigurationError(
            f"paged: in_body=True sets the field {path!r} of the body, which must be an object: pass body=... to it."
        )
    return cast("Mapping[str, Any]", fields)


def with_field(fields: Mapping[str, Any], path: str, value: object) -> Mapping[str, Any]:
    """A copy of the fields of a body, with another value at one path. Raises `ConfigurationError`."""
    name, _, rest = path.partition(".")
    if rest:
        inner = fields.get(name)
        value = with_field(fields_of({} if inner is None else inner, rest), rest, value)
    return {**fields, name: value}
