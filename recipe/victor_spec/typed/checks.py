"""How an argument is checked: its type in Python, and the call that checks it and returns what is
sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from victor_spec.tree import Tree, unused

from .choices import WordsType, default_name, words_in
from .settings import (
    ArgumentSettings,
    FormSettings,
    Settings,
    SettingsError,
    nearest,
    require_known,
    why_unread,
)

LEAST_WHOLE, MOST_WHOLE = -(2**63), 2**63 - 1
"""The limits of a whole number of which the document has none."""
LIMITS = {"int32": (-(2**31), 2**31 - 1)}
"""Those of a format."""
READERS = {
    ("string", None): "text",
    ("string", "date"): "day",
    ("string", "date-time"): "moment",
    ("integer", None): "whole",
    ("number", None): "number",
    ("boolean", None): "flag",
}
"""How a value is checked, by the type and the format of its schema."""
ANNOTATIONS = {
    "text": "str",
    "flag": "bool",
    "whole": "int",
    "number": "float",
    "day": "date | str",
    "birthday": "date | str",
    "moment": "datetime",
    "second": "datetime",
    "zulu": "datetime",
    "dollars": "Amount",
}
"""The types in Python, by how a value is checked."""
METHODS = {"whole": "integer"}
"""The methods of a check that have another name than what they read."""


def reader_of(schema: Tree) -> str | None:
    """How a value of a schema is checked; None: no check knows its type."""
    type_ = str(schema.get("type"))
    return READERS.get((type_, str(schema.get("format")))) or READERS.get((type_, None))


def form_name(name: str) -> str:
    """The constant of a form: `ID_FORM`."""
    return f"{re.sub(r'[^A-Za-z0-9]', '_', name).upper()}_FORM"


def form_call(form: FormSettings) -> str:
    """The call that makes a form."""
    return f"_typed.Form({form.whole!r}, {form.wanted!r})"


class UnreadPattern(NamedTuple):
    """A pattern of the document that Python cannot read: nothing checks it."""

    place: str
    """Of its member: `bodies.takeOrder.details.reference`."""
    pattern: str
    why: str

    def line(self) -> str:
        return (
            f"{self.place}: the pattern {self.pattern} is left out: Python cannot read it: "
            f"{self.why}"
        )


@dataclass(slots=True)
class Patterns:
    """The patterns of the document that texts must match, and no form of the settings says."""

    forms: dict[str, FormSettings] = field(default_factory=dict[str, FormSettings])
    """By the names of their forms."""
    taken: frozenset[str] = frozenset()
    """The constants of the forms that the settings have with `whole`."""
    unread: list[UnreadPattern] = field(default_factory=list[UnreadPattern])

    @classmethod
    def beside(cls, settings: Settings) -> Self:
        """No patterns yet; their forms will have other constants than those of the settings."""
        whole = (name for name, form in settings.forms.items() if form.whole is not None)
        return cls(taken=frozenset(map(form_name, whole)))

    def form_of(self, place: str, name: str, pattern: str, wanted: str = "") -> str | None:
        """The name of the form of a pattern; None where Python cannot read it.

        `wanted` are the words for a message, if the settings have any.
        """
        why = why_unread(pattern)
        if why:
            self.unread.append(UnreadPattern(place, pattern, why))
            return None
        form = FormSettings(whole=pattern, wanted=wanted or f"text of the form {pattern}")
        for known, other in self.forms.items():
            if other == form:
                return known
        free = unused(name, {*self.taken, *map(form_name, self.forms)}, form_name)
        self.forms[free] = form
        return free


@dataclass(frozen=True, slots=True)
class Checks:
    """Makes the calls that check the arguments of one entry of the settings."""

    place: str
    """The entry: `lists.listPayouts`."""
    own: ArgumentSettings
    settings: Settings
    patterns: Patterns

    def misfit(self, entry: str, name: str, why: str) -> SettingsError:
        """The error of an entry that does not fit what it names."""
        return SettingsError(f"{self.place}.{entry}: {name}: {why}.")

    def require_entries(self, what: str, known: Mapping[str, Tree]) -> None:
        """Raise SettingsError for an entry that leads nowhere.

        `known` has the schemas of the parameters or members.
        """
        for entry, name in self.own.members():
            require_known(f"{self.place}.{entry}", name, what, known)
        for kind in ("forms", "words", "choices"):
            names: Mapping[str, object] = getattr(self.settings, kind)
            for wire, name in getattr(self.own, kind, {}).items():
                is_enum = kind == "words" and words_in(known[wire])
                if name not in names and not is_enum:
                    raise SettingsError(
                        f"{self.place}.{kind}.{wire}: {name} is not in `{kind}`"
                        f"{nearest(name, names)}"
                    )

    def require_left_out(self, is_required: Mapping[str, bool]) -> None:
        """Raise SettingsError for what is left out and named elsewhere."""
        for entry, name in self.own.members():
            if name in self.own.leave_out and entry != "leave_out":
                raise self.misfit(entry, name, "it is left out")
        for name in self.own.leave_out:
            if is_required[name]:
                raise self.misfit("leave_out", name, "the document requires it")

    def require_text(self, wire: str, reader: str) -> None:
        """Raise SettingsError where a form, or words, are those of a value that is no text.

        The texts of a list may have words.
        """
        for entry, readers in (("forms", ("text",)), ("words", ("text", "texts"))):
            if wire in getattr(self.own, entry) and reader not in readers:
                raise self.misfit(entry, wire, f"it is read as {reader}, not as text")

    def words(
        self, wire: str, reader: str, schema: Tree, function: str, name: str
    ) -> WordsType | None:
        """The words of the enum of a text. Words, a form or a type of the settings stand in place
        of them. Without a name in the settings, they have that of the function and the argument.
        """
        words = words_in(schema)
        named = self.own.words.get(wire)
        read_as: Mapping[str, str] = getattr(self.own, "read_as", {})
        is_decided = wire in self.own.forms or wire in read_as or named in self.settings.words
        if reader != "text" or not words or is_decided:
            return None
        return WordsType(named or default_name(function, name), tuple(words), is_enum=True)

    def annotation(self, wire: str, reader: str, words: WordsType | None) -> str:
        """The type of an argument in Python."""
        if words is not None:
            return words.name
        return self.own.words.get(wire) or ANNOTATIONS[reader]

    def call(
        self, label: str, value: str, wire: str, reader: str, schema: Tree, words: WordsType | None
    ) -> str:
        """The call that checks a value, an expression, which messages call `label`."""
        if wire in self.own.forms:
            return f"check.form({label}, {value}, {form_name(self._whole_form(wire))})"
        if words is not None:
            return f"check.choice({label}, {value}, {words.words!r})"
        arguments = [label, value]
        if reader in ("text", "texts"):
            longest = schema.get("maxLength")
            arguments += [] if longest is None else [repr(longest)]
            arguments += ["shortest=0"] if schema.get("minLength") == 0 else []
        elif reader in ("whole", "number"):
            arguments += limits_of(schema)
        method = METHODS.get(reader, reader)
        return f"check.{method}({', '.join(arguments)})"

    def _whole_form(self, wire: str) -> str:
        """The name of the form of an argument of a list, which says the whole rule.

        Raises SettingsError for one that leaves the rule to the document.
        """
        name = self.own.forms[wire]
        if self.settings.forms[name].whole is None:
            why = f"a list checks no pattern of the document: write `whole` of the form {name}"
            raise self.misfit("forms", wire, why)
        return name


def limits_of(schema: Tree) -> Sequence[str]:
    """The least and the greatest number, as code."""
    least, most = LIMITS.get(str(schema.get("format")), (LEAST_WHOLE, MOST_WHOLE))
    return [repr(schema.get("minimum", least)), repr(schema.get("maximum", most))]
