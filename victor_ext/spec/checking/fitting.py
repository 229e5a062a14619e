"""Whether a value is one that a schema allows: by types, enums, required properties and formats that are Python types.

Limits and patterns do not count: nothing in a generated package looks at them.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

from victor_ext.spec.tree import is_list, is_mapping

from .views import Document, Node, View


def mismatch(document: Document, node: Node, value: Any) -> str | None:
    """Why a value is not one of the schema, by types, enums, required properties and formats; None when it is."""
    reasons = [_reason(document, view, value, 12) for view in document.views(node)]
    return None if None in reasons else reasons[0]


def fits(document: Document, view: View, value: Any) -> bool:
    """Whether a value is one of this alternative, looking at what distinguishes alternatives."""
    return _reason(document, view, value, 3) is None


def _reason(document: Document, view: View, value: Any, depth: int) -> str | None:
    if value is None:
        return None if view.nullable or not view.types else "null is not declared"
    if view.only_null:
        return f"{type(value).__name__} where null is declared"
    if why := _scalar_reason(view, value):
        return why
    if is_mapping(value):
        return _object_reason(document, view, value, depth)
    if is_list(value) and view.items is not None and depth:
        return next((why for item in value if (why := _of(document, view.items, item, depth - 1))), None)
    return None


def _scalar_reason(view: View, value: Any) -> str | None:
    if view.enum is not None and value not in view.enum:
        return f"{value!r} is not in the enum"
    if view.types and not any(_is(kind, value) for kind in view.types):
        return f"{type(value).__name__} where {' or '.join(view.types)} is declared"
    if isinstance(value, str) and view.format in FORMATS and not FORMATS[view.format](value):
        return f"{value!r} is no {view.format}"
    return None


def _object_reason(document: Document, view: View, value: dict[str, Any], depth: int) -> str | None:
    for tag, words in view.tags.items():
        if isinstance(value.get(tag), str) and value[tag] not in words:
            return f"{tag} is {value[tag]!r}"
    for name in view.required:
        if name not in value and name in view.properties:
            hidden = document.follow(view.properties[name]).tree
            if not (hidden.get("readOnly") or hidden.get("writeOnly")):
                return f"{name} is required and not there"
    if view.closed and not value.keys() <= view.properties.keys():
        return "a property is not declared"
    for name, each in value.items() if depth else ():
        child = view.properties.get(name, view.additional)
        if child is not None and each is not None and (why := _of(document, child, each, depth - 1)):
            return f"{name}: {why}"
    return None


def _of(document: Document, node: Node, value: Any, depth: int) -> str | None:
    reasons = [_reason(document, view, value, depth) for view in document.views(node)]
    return None if None in reasons else reasons[0]


def _is(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    types: dict[str, tuple[type, ...]] = {
        "object": (dict,), "array": (list,), "string": (str, bytes), "number": (int, float), "boolean": (bool,),
    }  # fmt: skip
    return isinstance(value, types[kind])


def _date_time(text: str) -> bool:
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        return False
    return len(text) >= len("2026-03-04T05:06")


def _date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2026-03-04")


def _uuid(text: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) is not None


FORMATS = {"date-time": _date_time, "date": _date, "uuid": _uuid}
"""The formats that have a type in Python."""
