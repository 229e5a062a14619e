"""Values that a schema allows, made without chance: the same ones in every run.

A value is numbered: the numbers 0, 1, 2, ... choose the members of unions, the values of enums and
the types of a list of types in turn. Patterns, limits and most formats are not obeyed: nothing in a
generated package looks at them.
"""

import datetime
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Literal
from uuid import UUID

from victor_spec.tree import is_list, is_mapping

from .views import Document, Node, View

Direction = Literal["sent", "received"]

BYTES = b"\x00\xffbytes\r\n"
"""The content of every file."""
TEXTS = {
    "date": "2026-03-04",
    "date-time": "2026-03-04T05:06:07Z",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
}
FREE = {"any": "thing"}
"""A value where any is allowed."""
MOST_ITEMS = 10
MAX_ALTERNATIVES = 12
MAX_DEPTH = 24
MAX_PARTS = 5_000
"""Of the objects and lists of one value: those in each other, and all. The next one is empty."""
PLAIN = "text é"
TRICKY = "a b/c?d=e&f+g%h;é"


@dataclass(frozen=True)
class Synthesis:
    """Values of the schemas of one document, with the optional properties of the outer `full`
    levels.

    As JSON, a binary is a text, and what may be anything is an object; elsewhere, where an object
    may have no form, it is a text.
    """

    document: Document
    direction: Direction
    number: int = 0
    text: str = PLAIN
    as_json: bool = False
    parts: Iterator[int] = field(default_factory=count)
    """Counts the objects and lists."""

    def of(self, node: Node, full: int = 2, within: tuple[int, ...] = ()) -> Any:
        """A value of a schema, in the alternative that the number chooses.

        The optional properties of `full` levels are there; `within` has the ids of the views that
        are being written around it.
        """
        views = self.document.views(node)
        outside = [view for view in views if id(view) not in within] or views
        view = outside[self.number % len(outside)]
        return self.of_view(view, full, within)

    def of_view(self, view: View, full: int = 2, within: tuple[int, ...] = ()) -> Any:
        """A value of one alternative. The arguments are those of `of`."""
        words = [value for value in view.enum or [] if value is not None]
        if words:
            return words[self.number % len(words)]
        if view.only_null:
            return None
        if view.binary:
            return self.text if self.as_json else BYTES
        kind = self._kind(view)
        # A schema that requires itself has no value at all.
        is_over = id(view) in within or len(within) > MAX_DEPTH or next(self.parts) > MAX_PARTS
        if kind not in ("object", "array"):
            return self._scalar(kind, view)
        inner = (*within, id(view))
        if kind == "object":
            return {} if is_over else self._object(view, full, inner)
        return [] if is_over else self._array(view, full, inner)

    def _kind(self, view: View) -> str:
        """The type of the value; of a schema without types an object, if it has properties."""
        if view.types:
            return view.types[self.number % len(view.types)]
        has_members = bool(view.properties) or view.additional is not None
        return "object" if has_members else ""

    def _object(self, view: View, full: int, within: tuple[int, ...]) -> dict[str, Any]:
        """An object: required properties, those of discriminators, optional ones where `full`."""
        members: dict[str, Any] = {}
        for name, child in view.properties.items():
            if name in view.tags:
                members[name] = view.tags[name][0]
            elif self._is_hidden(child):
                continue
            elif name in view.required or self._is_filled(child, full, within):
                members[name] = self.of(child, full - 1, within)
        for name, words in view.tags.items():
            members.setdefault(name, words[0])
        if view.additional is not None:
            if self._is_filled(view.additional, full, within):
                members["additional-key"] = self.of(view.additional, full - 1, within)
        elif full > 0 and not members and not view.closed and not view.properties:
            return dict(FREE)
        return members

    def _is_hidden(self, node: Node) -> bool:
        """Whether a property is not there in this direction."""
        key = "readOnly" if self.direction == "sent" else "writeOnly"
        return bool(node.tree.get(key) or self.document.follow(node).tree.get(key))

    def _is_filled(self, node: Node, full: int, within: tuple[int, ...]) -> bool:
        """Whether an optional property has a value, which does not contain itself."""
        return full > 0 and not self._only_contains_itself(node, within)

    def _only_contains_itself(self, node: Node, within: tuple[int, ...]) -> bool:
        """Whether each alternative of a schema is one that is being written around it.

        `within` has the ids of the views that are being written.
        """
        return all(id(view) in within for view in self.document.views(node))

    def _array(self, view: View, full: int, within: tuple[int, ...]) -> list[Any]:
        """A list: two items where `full`, and as many as are required."""
        if view.prefix:
            return [self.of(node, full - 1, within) for node in view.prefix]
        length = _length(view, 2 if full > 0 else 0)
        if view.items is None:
            return [self.text] * length
        if self._only_contains_itself(view.items, within):
            return []
        items: list[Any] = []
        levels = full - 1
        for offset in range(length):
            maker = replace(self, number=self.number + offset)  # of each alternative in turn
            items.append(maker.of(view.items, levels, within))
            levels = min(levels, 0)
        return items

    def _scalar(self, kind: str, view: View) -> Any:
        """A text, a number or a flag; where no type is declared, what may be anything."""
        if kind == "boolean":
            return self.number % 2 == 0
        if kind == "integer":
            return self.number + 1
        if kind == "number":
            return self.number + 1.5
        if kind == "string":
            plain = f"text{self.number}" if self.number else self.text
            return TEXTS.get(str(view.format), plain)
        return dict(FREE) if self.as_json else self.text


def _length(view: View, wanted: int) -> int:
    """How many items a list has: as many as it needs, or as are wanted."""
    least = view.limits.get("minItems", 0)
    needed = least if isinstance(least, int) else 0
    return min(max(needed, wanted), MOST_ITEMS)


def received(document: Document, node: Node) -> Iterator[Any]:
    """JSON values of a schema, with each alternative of a union in turn; models try all of
    theirs.
    """
    alternatives = len(document.views(node))
    for number in range(min(alternatives, MAX_ALTERNATIVES)):
        yield Synthesis(document, "received", number, as_json=True).of(node)


Known = dict[tuple[int, int, int], bool]
"""Whether a value is one of a schema, by the ids of its alternatives and of the value, and by the
depth.

Without it, nested unions try a value once for each way to it.
"""


def is_valid(
    document: Document, node: Node, value: Any, depth: int = 12, known: Known | None = None
) -> bool:
    """Whether a value is one of the schema, by types, enums, required properties and formats."""
    known = {} if known is None else known
    views = document.views(node)
    key = id(views), id(value), depth
    if key not in known:
        known[key] = any(fits(document, view, value, known, depth) for view in views)
    return known[key]


def fits(document: Document, view: View, value: Any, known: Known, depth: int = 3) -> bool:
    """Whether a value is one of this alternative; of the objects in it, `depth` levels count."""
    if value is None or view.only_null:
        return value is None and (view.nullable or not view.types)
    is_word = view.enum is None or value in view.enum
    is_typed = not view.types or any(_is(kind, value) for kind in view.types)
    if not is_word or not is_typed:
        return False
    if is_mapping(value):
        return _fits_object(document, view, value, known, depth)
    if isinstance(value, str) and view.format in FORMATS:
        return FORMATS[view.format](value) is not None
    if view.items is None or not is_list(value) or not depth:
        return True
    return all(is_valid(document, view.items, item, depth - 1, known) for item in value)


def _fits_object(
    document: Document, view: View, value: dict[str, Any], known: Known, depth: int
) -> bool:
    """Whether an object has the members that an alternative declares and requires."""
    for tag, words in view.tags.items():
        word = value.get(tag)
        if isinstance(word, str | int) and word not in words:
            return False
    for name in (view.required & view.properties.keys()) - value.keys():
        declared = document.follow(view.properties[name]).tree
        if not (declared.get("readOnly") or declared.get("writeOnly")):
            return False
    if view.closed and not value.keys() <= view.properties.keys():
        return False
    if not depth:
        return True
    for name, member in value.items():
        child = view.properties.get(name, view.additional)
        if child is None or member is None:
            continue
        if not is_valid(document, child, member, depth - 1, known):
            return False
    return True


def _is(kind: str, value: Any) -> bool:
    """Whether a JSON value is of a type; a flag is no number."""
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, _TYPES[kind])


_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": (str, bytes),
    "number": (int, float),
    "boolean": bool,
}


def _of_form(form: str, parse: Callable[[str], object]) -> Callable[[str], object]:
    """A parser of texts of one form; None for any other text."""
    pattern = re.compile(form, re.ASCII | re.IGNORECASE)

    def parsed(text: str) -> object:
        if not pattern.fullmatch(text):
            return None
        try:
            return parse(text.upper())
        except ValueError:
            return None

    return parsed


FORMATS: dict[str, Callable[[str], object]] = {
    "date-time": _of_form(
        r"[\d-]{10}T[\d:]{8}(\.\d+)?(Z|[+-]\d\d:\d\d)", datetime.datetime.fromisoformat
    ),  # RFC 3339: a time has a zone
    "date": _of_form(r"\d{4}-\d\d-\d\d", datetime.date.fromisoformat),
    "uuid": _of_form(r"[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}", UUID),
}
"""The formats that have a type in Python."""
