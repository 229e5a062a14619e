"""How an argument is checked: its type in Python, and the call that checks it and returns what is
sent.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from victor_spec.tree import Tree, unused

from .choices import WordsType, default_name, words_in
from .dialects import why_other
from .fitting import READ_AS, why_no_default, why_not_read_as, why_unfit
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
    """A pattern of the document that Python cannot read as it is meant: nothing checks it."""

    place: str
    """Of its member: `bodies.takeOrder.details.reference`."""
    pattern: str
    why: str

    def line(self) -> str:
        return (
            f"{self.place}: the pattern {self.pattern} is left out: Python cannot read it as it is "
            f"meant: {self.why}"
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
        """The name of the form of a pattern; None where Python cannot read it as it is meant.

        `wanted` are the words for a message, if the settings have any.
        """
        why = why_unread(pattern) or why_other(pattern)
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

    def read_as(self, wire: str, schema: Tree) -> str | None:
        """How the settings say that a value is checked; None where they do not.

        Raises SettingsError where the document says that it is something else.
        """
        named: Mapping[str, str] = getattr(self.own, "read_as", {})
        wanted = named.get(wire)
        if wanted is None:
            return None
        kind = "word" if words_in(schema) else reader_of(schema)
        if kind is None and (schema.get("type") in ("array", "object") or "properties" in schema):
            kind = str(schema.get("type", "object"))
        why = why_not_read_as(wanted, kind, READ_AS)
        if why:
            raise self.misfit("read_as", wire, why)
        return wanted

    def kind(self, wire: str, reader: str, schema: Tree, words: WordsType | None) -> str:
        """What a value is to the entries of the settings: its reader, and of a text what else is
        checked.
        """
        if reader != "text":
            return reader
        if words is not None:
            return "word"
        if self.whole_of(wire) is not None:
            return "form"
        return "limited" if "pattern" in schema or schema.get("minLength", 0) > 1 else "text"

    def require_fit(self, wire: str, kind: str) -> None:
        """Raise SettingsError for an entry that is not for values of this kind."""
        is_reference = wire in getattr(self.own, "references", ())
        for entry, name in self.own.members():
            if name != wire:
                continue
            why = why_unfit(entry, "reference" if is_reference and entry != "references" else kind)
            if why:
                raise self.misfit(entry, wire, why)

    def default(self, wire: str, kind: str, schema: Tree, words: Collection[object]) -> str | None:
        """What is sent where a caller leaves an argument out, as code; None: nothing.

        `words` are the only ones that it may be, if there are any. Raises SettingsError for what
        the check of the argument would refuse.
        """
        defaults: Mapping[str, object] = getattr(self.own, "defaults", {})
        if wire not in defaults:
            return None
        may_be_empty = wire in getattr(self.own, "empty", ())
        limits = {**schema, "minLength": 0} if may_be_empty else {"minLength": 1, **schema}
        value = defaults[wire]
        why = why_no_default(kind, value, limits, words, self.whole_of(wire))
        if why:
            raise self.misfit("defaults", wire, why)
        return repr(value)

    def whole_of(self, wire: str) -> str | None:
        """The regular expression of the form of a text; None without one in the settings."""
        form = self.own.forms.get(wire)
        return None if form is None else self.settings.forms[form].whole

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
