"""What changed of an argument or member that two documents have, by the rules of the comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from victor_spec.diff.changes import RULES
from victor_spec.diff.keywords import (
    LOWER_LIMITS,
    UPPER_LIMITS,
    Difference,
    Limit,
    keyword_changes,
    keywords,
)
from victor_spec.enforced import split
from victor_spec.tree import Tree, mapping_at
from victor_spec.typed.limits import count_at, fewest, given

TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "flag",
    "array": "list",
    "object": "object",
}
"""What the types of schemas are called."""
FORMATS = {"date": "day", "date-time": "time"}
KINDS = {"whole": "whole number", "moment": "time", "any": "value"}
"""What the kinds of members of an answer are called, if not by their own name."""
OF_TYPE = ("type", "format")
_LIMITS = (*LOWER_LIMITS, *UPPER_LIMITS, "multipleOf", "pattern", "uniqueItems", "enum")
LIMITS = (*_LIMITS, *(f"items.{each}" for each in _LIMITS))
"""The keywords that something may decide in place of."""
_COMPARED = {*OF_TYPE, *_LIMITS, "default", "deprecated"}
HAND = "code by hand decides"
PRIVATE = "in no repr; undecided"
FEWEST = {"string": "minLength", "array": "minItems"}
"""The limits that hold without a word of the document: a text or a list is not empty."""


class Declared(NamedTuple):
    """What a document says of one argument."""

    type: str
    location: str
    """Where it is sent: `path`, `query`."""
    is_required: bool
    keywords: Mapping[str, Any]
    """As the comparison has them, without those that nobody keeps; of the items of a list, as
    `items.maxLength`.
    """
    not_enforced: Tree
    """The limits that nobody keeps."""

    def text(self) -> str:
        """Its type and its limits: `text, maxLength 12`."""
        limits = [self.type]
        for key in LIMITS:
            value = self.keywords.get(key)
            if value != _fewest_of(key, 1):
                changes = (change_of(each, key) for each in _differences(key, None, value))
                limits += [change.words.removesuffix(" added") for change in changes]
        return ", ".join(limits)


class Change(NamedTuple):
    """One change of a member that both documents have."""

    words: str
    breaks: bool = False
    keyword: str = ""

    def line(self, place: str, decided: Mapping[str, str]) -> str:
        """`decided` has what decides in place of limits, which nothing checks then."""
        said = f"changed: {place}: {self.words}"
        if not self.breaks:
            return said
        who = decided.get("enum" if self.keyword == "items.enum" else self.keyword)
        return f"{said}: breaking" if who is None else f"{said}: not checked: {who}"


Signature = Mapping[str, Declared]
"""What a document says of the arguments of an operation, by their names on the wire."""


def declared_of(document: Tree, parameter: Tree, *, may_be_empty: bool | None = None) -> Declared:
    """`may_be_empty` is what the settings say; None: `minLength: 0` allows an empty text."""
    schema, not_enforced = split(given(document, mapping_at(parameter, "schema")))
    items = split(given(document, mapping_at(schema, "items")))[0]
    type_ = _type(schema)
    if may_be_empty is None:
        may_be_empty = type_ == TYPES["string"] and count_at(schema, "minLength") == 0
    # A list of request objects may be empty.
    said = _said(schema, may_be_empty=may_be_empty or "properties" in items)
    if schema.get("type") == "array":
        of_items = _said(items, may_be_empty=False)
        said |= {f"items.{key}": value for key, value in of_items.items()}
        type_ = f"list of {_type(items)}" if items else type_
    return Declared(
        type=type_,
        location=str(parameter.get("in")),
        is_required=parameter.get("required") is True,
        keywords=said,
        not_enforced=not_enforced,
    )


def _type(schema: Tree) -> str:
    """What the type of a schema is called."""
    type_ = "object" if "properties" in schema else str(schema.get("type"))
    return FORMATS.get(str(schema.get("format"))) or TYPES.get(type_, "value")


def _said(schema: Tree, *, may_be_empty: bool) -> dict[str, Any]:
    """The keywords of a schema that are compared, with the fewest characters or items that are
    taken.
    """
    said = {key: value for key, value in keywords(schema).items() if key in _COMPARED}
    key = FEWEST.get(str(schema.get("type")))
    if key is not None:
        said[key] = _fewest_of(key, fewest(count_at(schema, key), may_be_empty=may_be_empty))
    return said


def _fewest_of(key: str, count: int) -> Limit | None:
    name = key.removeprefix("items.")
    return Limit(count, is_exclusive=False, text=f"{name} {count}") if count else None


def changes_of(before: Declared, after: Declared, *, may_be_left_out: bool) -> Iterator[Change]:
    """What changed of an argument; `may_be_left_out` says that the settings do not require it."""
    if before.location != after.location:
        yield Change(f"moved from the {before.location} to the {after.location}", breaks=True)
    if after.is_required and not before.is_required and may_be_left_out:
        yield change_of(("became-required", "", ""))
    if before.is_required and not after.is_required:
        change = change_of(("became-optional", "", ""))
        still = "" if may_be_left_out else "; the settings require it still"
        yield change._replace(words=change.words + still)
    for key, limit in after.not_enforced.items():
        if before.not_enforced.get(key) != limit:
            yield Change(f"not enforced: {key} {limit}")
    if before.type != after.type:
        yield from _changed(before, after, [*OF_TYPE, *(f"items.{each}" for each in OF_TYPE)])
        return
    compared = {*before.keywords, *after.keywords} - after.not_enforced.keys()
    yield from _changed(before, after, sorted(compared))


def _changed(before: Declared, after: Declared, compared: list[str]) -> Iterator[Change]:
    for key in compared:
        for difference in _differences(key, before.keywords.get(key), after.keywords.get(key)):
            yield change_of(difference, key)


def _differences(key: str, old: Any, new: Any) -> Iterator[Difference]:
    if old != new:
        yield from keyword_changes(key.removeprefix("items."), old, new)


def change_of(difference: Difference, keyword: str = "") -> Change:
    """A difference of what is sent."""
    kind, old, new = difference
    rule = RULES[kind]
    of_items = "items: " if keyword.startswith("items.") else ""
    words = of_items + rule.words.replace("{old}", old).replace("{new}", new)
    return Change(words, rule.sent == "breaks", keyword)


def gone(name: str, wire: str, where: str) -> str:
    """`name` is what a caller knows, where the settings had no other name for it."""
    on_the_wire = "" if name == wire else f" (`{wire}` on the wire)"
    return f"gone: `{name}` in `{where}`{on_the_wire}: breaking"
