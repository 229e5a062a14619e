"""How an argument is checked: its type in Python, and the row that says it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from openapi_python_client.strings import PythonIdentifier

from victor_spec.requests import PREFIX
from victor_spec.rewrites.schemas import default_text, with_default
from victor_spec.tree import Tree, mapping_at, unused

from .choices import WordsType, default_name, words_in
from .limits import OF_TEXT, allowed, count_at, ends_of, fewest, given
from .settings import (
    ArgumentSettings,
    FormSettings,
    ListSettings,
    Settings,
    SettingsError,
    is_name,
    require_known,
    sentence,
    why_unread,
)

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
    "decimal": "Decimal | int",
}
"""The types in Python, by how a value is checked."""
KINDS = {"whole": "integer"}
"""The kinds of rows that have another name than what they read."""
GROUPS = ("forms", "words", "choices")
"""What the settings have at the top, by names that arguments have."""
NO_ARGUMENTS = ("leave_out", "set_by_hand", "lift", "money")
"""The entries that say what becomes of a member that is no argument itself."""
NUMBERS = ("whole", "number", "decimal")
"""The readers of numbers, which have the limits of numbers."""
UNLESS_SAID = frozenset(
    {"kind", "place", "required", "leaves", "compared", "compared_as", "counts_if_left_out"}
    | {"said_limits", "server_default"}
)
"""The columns that say nothing where they are empty."""
IN_LISTS = frozenset({"text", "whole", "number", "flag", "day"})
"""How the items of a list may be checked."""
AS_TEXT = frozenset({"day", "birthday", "stamp", "second", "zulu", "dollars"})
"""The kinds of values that are sent as a text which the caller does not write."""
LOCALS = frozenset(
    {"by_hand", "check", "constant", "locals", "now", "part", "path", "place", "self", "sent"}
    | {"bool", "date", "datetime", "float", "int", "str"}
)
"""Names that the generated functions and classes use themselves, types included, and those that
methods and checks with these arguments have beside them.
"""


def own_name(name: str) -> str:
    """The name that an argument has without a setting: a name that is taken gets an underscore."""
    return f"{name}_" if name in LOCALS or not is_name(name) else name


def described(wire: str, description: Any, schema: Tree) -> str:
    """What a document says of an argument, with the server's default, which is not sent."""
    if "default" not in schema:
        return sentence(description)
    return sentence(with_default(str(description or f"`{wire}`."), schema["default"]))


def server_default(schema: Tree) -> str:
    """What the server takes for a value that is left out, as text; empty if it is not said."""
    return default_text(schema["default"]) if "default" in schema else ""


def reader_of(schema: Tree) -> str | None:
    """How a value of a schema is checked; None: no check knows its type."""
    type_ = str(schema.get("type"))
    return READERS.get((type_, str(schema.get("format")))) or READERS.get((type_, None))


Row = dict[str, Any]
"""What is checked of a value, and what is sent. `victor_ext.typed` has the columns."""


def row_of(limits: Row, name: str, place: str | tuple[str, str], **columns: Any) -> Row:
    """The row of an argument: where it is sent, its limits, and further columns, without those that
    say nothing.
    """
    first = {"kind": limits.get("kind", ""), "place": "" if place == name else place}
    row = {**first, **columns, **{key: limit for key, limit in limits.items() if key != "kind"}}
    return {key: value for key, value in row.items() if key not in UNLESS_SAID or value}


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
    """The names of the forms that the settings have with `whole`."""
    unread: list[UnreadPattern] = field(default_factory=list[UnreadPattern])

    @classmethod
    def beside(cls, settings: Settings) -> Self:
        """No patterns yet; their forms will have other names than those of the settings."""
        whole = (name for name, form in settings.forms.items() if form.whole is not None)
        return cls(taken=frozenset(whole))

    def form_of(self, place: str, name: str, pattern: str, wanted: str = "") -> str | None:
        """The name of the form of a pattern; None where Python cannot read it as it is meant.

        `wanted` are the words for a message, if the settings have any.
        """
        why = why_unread(pattern)
        if why:
            unread = UnreadPattern(place, pattern, why)
            self.unread += [] if unread in self.unread else [unread]
            return None
        form = FormSettings(whole=pattern, wanted=wanted or f"text of the form {pattern}")
        for known, other in self.forms.items():
            if other == form:
                return known
        free = unused(name, {*self.taken, *self.forms})
        self.forms[free] = form
        return free


class Spot(NamedTuple):
    """One argument, as the generated code has it."""

    wire: str
    """In the settings."""
    called: str
    """The generated function or class."""
    name: str
    """In Python."""
    is_end: bool = False
    """Whether it ends a range."""


class Checked(NamedTuple):
    """How an argument is checked."""

    reader: str
    annotation: str
    row: Row
    words: WordsType | None = None
    decided: Mapping[str, str] = MappingProxyType({})
    """What decides in place of limits of the document, by their keywords."""


@dataclass(frozen=True, slots=True)
class Checks:
    """Makes the rows that check the arguments of one entry of the settings."""

    document: Tree
    place: str
    """The entry: `lists.listPayouts`."""
    own: ArgumentSettings
    settings: Settings
    patterns: Patterns
    in_body: bool = False
    """Whether it is a JSON object that is sent."""

    def require_entries(self, what: str, known: Mapping[str, Tree]) -> None:
        """Raise SettingsError for an entry that leads nowhere.

        `known` has the schemas of the parameters or members.
        """
        for entry, name in self.own.members():
            require_known(f"{self.place}.{entry}", name, what, known)
        for group in GROUPS:
            names: Collection[str] = getattr(self.settings, group)
            for wire, name in self.own.entry(group).items():
                if group != "words" or not words_in(known[wire]):
                    require_known(
                        f"{self.place}.{group}.{wire}", name, f"entry of `{group}`", names
                    )

    def require_arguments(self, places: Collection[str]) -> None:
        """Raise SettingsError for an entry that names what is no argument."""
        for entry, name in self.own.members():
            if entry not in NO_ARGUMENTS:
                require_known(f"{self.place}.{entry}", name, "argument", places)

    def default(self, wire: str) -> str | None:
        """What is sent where a caller leaves an argument out, as code; None: nothing."""
        defaults: Mapping[str, object] = self.own.entry("defaults")
        return repr(defaults[wire]) if wire in defaults else None

    def may_be_empty(self, wire: str, schema: Tree) -> bool:
        """Whether a text of no characters is taken, or a list of no items, where no limit refuses
        it: the settings say it of a body, and `minLength: 0` of a parameter.
        """
        if self.in_body:
            return wire in self.own.entry("empty")
        return reader_of(schema) is not None and count_at(schema, "minLength") == 0

    def checked(self, spot: Spot, reader: str, schema: Tree) -> Checked:
        """How an argument is checked that is a scalar, or a list of scalars."""
        may_be_empty = self.may_be_empty(spot.wire, schema)
        is_list = reader == "items"
        items = self.items(schema)
        inner, scalar = (str(reader_of(items)), items) if is_list else (reader, schema)
        words = self._words(spot, inner, scalar)
        annotation = self._annotation(spot.wire, inner, words)
        if not is_list:
            row = self._row(spot, reader, schema, words, may_be_empty=may_be_empty)
            return Checked(reader, annotation, row, words, self._unchecked(spot.wire, inner))
        row = {"kind": "each", "items": self._row(spot, inner, items, words)}
        least = fewest(count_at(schema, "minItems"), may_be_empty=may_be_empty)
        row |= counts_of(schema, least, usual=1)
        found = self._unchecked(spot.wire, inner).items()
        decided = {key if key == "enum" else f"items.{key}": who for key, who in found}
        return Checked(reader, f"Sequence[{annotation}]", row, words, decided)

    def _words(self, spot: Spot, reader: str, schema: Tree) -> WordsType | None:
        """The words of the enum of a text. Words, a form or a type of the settings stand in place
        of them. Without a name in the settings, they have that of the function and the argument.
        """
        wire = spot.wire
        words = words_in(schema)
        named = self.own.words.get(wire)
        is_read = wire in self.own.entry("read_as")
        is_decided = wire in self.own.forms or is_read or named in self.settings.words
        if reader != "text" or not words or is_decided:
            return None
        name = named or default_name(spot.called, spot.name)
        return WordsType(name, tuple(words), is_enum=True)

    def _annotation(self, wire: str, reader: str, words: WordsType | None) -> str:
        """The type of an argument in Python."""
        if words is not None:
            return words.name
        return self.own.words.get(wire) or ANNOTATIONS[reader]

    def reader_of(self, schema: Tree) -> str | None:
        """How a value is checked: `items` is a list of such values. None: no check knows it."""
        if schema.get("type") != "array":
            return reader_of(schema)
        return "items" if reader_of(self.items(schema)) in IN_LISTS else None

    def items(self, schema: Tree) -> Tree:
        """The schema of the items of a list; empty without one."""
        return given(self.document, mapping_at(schema, "items"))

    def require_known_type(self, wire: str, schema: Tree, *, is_required: bool) -> None:
        """Raise SettingsError for what no check knows, and a call needs."""
        if is_required:
            entry = "leave_out" if isinstance(self.own, ListSettings) else "set_by_hand"
            why = f"no check knows the type {schema.get('type')!r}: name it here, or in `read_as`"
            raise SettingsError(f"{self.place}.{entry}: {wire}: {why}.")

    def _row(
        self,
        spot: Spot,
        reader: str,
        schema: Tree,
        words: WordsType | None,
        *,
        may_be_empty: bool = False,
    ) -> Row:
        """What is checked of a scalar."""
        if words is not None:
            return {"kind": "choice", "words": tuple(words.words)}
        if reader == "text":
            return self._of_text(spot.wire, schema, may_be_empty=may_be_empty)
        kind = KINDS.get(reader, reader)
        if reader == "moment" and self.in_body:
            kind = "stamp"
        row: Row = {"kind": kind}
        if reader in NUMBERS:
            row |= numbers_of(schema)
        if spot.is_end and reader == "zulu":
            row["is_end"] = True
        if kind in AS_TEXT:
            row |= self.as_text(spot.wire, schema)
        return row

    def _of_text(self, wire: str, schema: Tree, *, may_be_empty: bool) -> Row:
        form = self.own.forms.get(wire)
        if form is not None and self.settings.forms[form].whole is not None:
            return {"form": form}
        pattern = self._pattern_of(wire, schema, form)
        shortest = fewest(count_at(schema, "minLength"), may_be_empty=may_be_empty)
        return _of_length(schema, shortest, pattern, usual=1 if pattern is None else 0)

    def as_text(self, wire: str, schema: Tree) -> Row:
        """The limits of the document for the text that is sent of a value."""
        shortest = count_at(schema, "minLength") or 0
        pattern = self._pattern_of(wire, schema, None)
        return _of_length(schema, shortest, pattern, usual=min(shortest, 1))

    def _pattern_of(self, wire: str, schema: Tree, form: str | None) -> str | None:
        """The name of the form of the document's pattern; `form` of the settings has its words."""
        pattern = schema.get("pattern")
        if pattern is not None:
            wanted = "" if form is None else self.settings.forms[form].wanted
            name = form or f"{snake(wire.rpartition('.')[2])}_pattern"
            return self.patterns.form_of(f"{self.place}.{wire}", name, str(pattern), wanted)
        if form is not None:
            why = f"the document has no pattern: write `whole` of the form {form}"
            raise SettingsError(f"{self.place}.forms: {wire}: {why}.")
        return None

    def _unchecked(self, wire: str, reader: str) -> Mapping[str, str]:
        """The keywords of limits of the document that nothing checks, each with what decides in its
        place.
        """
        form = self.own.forms.get(wire)
        named = self.own.words.get(wire)
        if form is not None and self.settings.forms[form].whole is not None:
            return dict.fromkeys(("enum", *OF_TEXT), f"the form {form} decides")
        decided: dict[str, str] = {}
        if named in self.settings.words:
            decided["enum"] = f"the words {named} decide"
        elif reader != "text" and reader not in NUMBERS:
            decided["enum"] = f"it is read as {reader}"
        if reader == "moment" and not self.in_body:
            decided |= dict.fromkeys(OF_TEXT, "it is read as moment")
        if any(each.place == f"{self.place}.{wire}" for each in self.patterns.unread):
            decided["pattern"] = "Python cannot read it"
        return decided


def numbers_of(schema: Tree) -> Row:
    """The numbers that a value may be."""
    limits: Row = ends_of(schema)._asdict()
    limits["among"] = tuple(allowed(schema)) or None
    return {name: limit for name, limit in limits.items() if limit is not None}


def counts_of(schema: Tree, least: int, usual: int) -> Row:
    """The number of items that a list may have; `usual` is the least without a word."""
    most = count_at(schema, "maxItems")
    counts = {} if least == usual else {"fewest": least}
    return counts if most is None else {**counts, "most": most}


def _of_length(schema: Tree, shortest: int, form: str | None, usual: int) -> Row:
    """The limits of a text; `usual` is the least length without a word."""
    row: Row = {} if form is None else {"form": form}
    longest = count_at(schema, "maxLength")
    if longest is not None:
        row["longest"] = longest
    if shortest != usual:
        row["shortest"] = shortest
    return row


def snake(wire: str) -> str:
    """A name on the wire as a name in Python."""
    return str(PythonIdentifier(wire, PREFIX)).rstrip("_") or wire
