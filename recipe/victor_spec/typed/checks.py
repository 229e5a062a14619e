"""How a value is checked: which keywords of a document become which limits of a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from victor_spec.rewrites.merged_schemas import merged_schema
from victor_spec.tree import Tree, list_at, resolve, types_of, unused

from .settings import Settings, SettingsError, why_unread

KINDS = {
    ("string", "date"): "day",
    ("string", "date-time"): "moment",
    ("string", ""): "text",
    ("integer", ""): "integer",
    ("number", ""): "number",
    ("boolean", ""): "flag",
}
"""How a value is checked, by the type and the format of its schema."""
ANNOTATIONS = {
    "text": "str",
    "reference": "str",
    "flag": "bool",
    "integer": "int",
    "number": "float",
    "day": "date | str",
    "moment": "datetime",
    "stamp": "datetime",
    "second": "datetime",
    "zulu": "datetime",
    "dollars": "Amount",
}
"""The types in Python, by how a value is checked."""
OF_TEXT = {"maxLength": "longest", "minLength": "shortest"}
OF_NUMBER = {"minimum": "least", "maximum": "most"}
OF_LIST = {"minItems": "fewest", "maxItems": "most"}
LIMITS: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys(("integer", "number", "numbers", "money"), OF_NUMBER),
    "parts": OF_LIST,
    "part": {},
    "flag": {},
    "moment": {},
}
"""The limits of a check, by the keywords of a document. What is sent as a text has those of text.
Limits by other keywords are the provider's to check.
"""
WITHOUT_A_WORD = {
    "int32": {"minimum": -(2**31), "maximum": 2**31 - 1},
    "money": {"minimum": 1},
}
"""The limits of a format and of a check, where the document has none."""


def given(document: Tree, tree: Tree) -> Tree:
    """The schema of a value that is given: null gives none, and what a union says counts for
    nothing.
    """
    whole = resolve(document, tree)
    alone = {key: value for key, value in whole.items() if key not in ("oneOf", "anyOf")}
    schema = merged_schema(document, alone)
    types = [each for each in types_of(schema) if each != "null"]
    return {**schema, "type": types[0]} if len(types) == 1 else schema


def kind_of(schema: Tree) -> str | None:
    """How a value of a schema is checked; None: no check knows its type."""
    type_ = str(schema.get("type"))
    return KINDS.get((type_, str(schema.get("format")))) or KINDS.get((type_, ""))


def words_in(schema: Tree) -> tuple[str, ...]:
    """The words of the enum of a text, in the order of the generated enum; none without one."""
    words = (word for word in list_at(schema, "enum") if isinstance(word, str))
    return tuple(sorted(words))


def limits_of(kind: str, schema: Tree) -> dict[str, Any]:
    """The limits of a value that a document declares."""
    usual = {**WITHOUT_A_WORD.get(kind, {}), **WITHOUT_A_WORD.get(str(schema.get("format")), {})}
    declared = {**usual, **schema}
    columns = LIMITS.get(kind, OF_TEXT)
    return {
        column: declared[keyword]
        for keyword, column in columns.items()
        if type(declared.get(keyword)) in (int, float)
    }


def limits_of_text(
    kind: str, schema: Tree, form: str | None, *, may_be_empty: bool
) -> dict[str, Any]:
    """The limits of what is sent as a text. No characters are refused of a text, unless that is
    allowed here, and not refused by the document.
    """
    limits: dict[str, Any] = {} if form is None else {"form": form}
    limits |= limits_of(kind, schema)
    is_text = kind == "text"
    least = 1 if is_text and not may_be_empty else 0
    shortest = max(limits.pop("shortest", 0), least)
    usual = 1 if is_text and form is None else 0
    return limits if shortest == usual else {**limits, "shortest": shortest}


def sentence_of_limits(schema: Tree, limits: dict[str, Any]) -> str:
    """The limits of an argument in words; empty where it has none to name."""
    if "longest" in limits:
        shortest, longest = limits.get("shortest", 1), limits["longest"]
        start = "Up to" if shortest <= 1 else f"{shortest} to"
        return f"{start} {longest} characters."
    if "part" in limits and "most" in limits:
        return f"{limits.get('fewest', 0)} to {limits['most']}."
    if {"minimum", "maximum"} <= schema.keys() and "least" in limits:
        return f"{schema['minimum']} to {schema['maximum']}."
    return ""


class Forms:
    """The forms that texts have as a whole: those of the settings, and patterns of the document."""

    def __init__(self, settings: Settings) -> None:
        self._named = settings.forms
        self.table = {
            name: (form.whole, form.wanted)
            for name, form in settings.forms.items()
            if form.whole is not None
        }
        """The regular expression of each form, with the words for a message."""

    def decides(self, name: str | None) -> bool:
        """Whether a form of the settings is the whole rule of a text."""
        return name in self._named and self._named[name].whole is not None

    def of_text(self, place: str, name: str | None, schema: Tree, usual_name: str) -> str | None:
        """The form of a text, by its pattern; None without one. `name` is that in the settings, if
        they have one. Raises SettingsError for a form without a rule.
        """
        pattern = schema.get("pattern")
        if pattern is None and name is None:
            return None
        why = "the document has none" if pattern is None else why_unread(str(pattern))
        if why:
            raise SettingsError(
                f"{place}: its pattern cannot be checked ({why}): write a form with `whole`."
            )
        wanted = f"text of the form {pattern}" if name is None else self._named[name].wanted
        form = (str(pattern), wanted)
        for known, other in self.table.items():
            if other == form:
                return known
        free = unused(name or usual_name, self.table)
        self.table[free] = form
        return free
