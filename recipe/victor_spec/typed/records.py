"""The records of a package: the fields of each, with the reader and the words of each field."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openapi_python_client.parser.properties import ModelProperty

from victor_spec.members import Kind, kind_of, members_of

from .settings import (
    RecordSettings,
    Settings,
    require_free,
    require_known,
    sentence,
)

TYPES = {
    "text": "str | None",
    "identifier": "str",
    "flag": "bool | None",
    "whole": "int | None",
    "decimal": "Decimal | None",
    "decimal_text": "Decimal | None",
    "moment": "datetime | None",
    "day": "date | None",
    "money": "_typed.Money | None",
    "texts": "tuple[str, ...]",
    "members": "dict[str, Any]",
    "value": "Any",
}
"""The types of fields, by their readers in `victor_ext.typed`."""

READERS = {"number": "decimal", "uuid": "text", "any": "value"}
"""The readers of kinds that have another name."""
SHOWN_READERS = frozenset({"flag", "moment", "money", "record", "records"})
"""What these read identifies nobody: a `repr` shows it without a decision. Texts, days (of birth)
and numbers (of accounts) are private until somebody decides. Money is a decision of the settings.
"""
TAKEN = frozenset({"raw", "response_info", "to_dict"})
"""What a record has beside its fields."""
TYPE_NAMES = frozenset(
    {"bool", "date", "datetime", "dict", "int", "models", "property", "str", "tuple"}
)
"""Names of types: a field with such a name would hide the type from the fields below it."""


@dataclass(frozen=True, slots=True)
class RecordField:
    """One field: its name, its type, the call that reads it, and what its docstring says."""

    name: str
    type: str
    call: str
    description: str
    schema: str
    """The schema that declares its member: that of the record, or of a part of it."""
    member: str
    """The name on the wire."""
    place: str
    """The name in the settings."""
    is_private: bool = False
    is_masked: bool = False
    is_undecided: bool = False
    """Whether it is private because the settings do not name it."""
    kind: str | None = None
    """The record of its value, or of the items of its value."""


@dataclass(slots=True)
class RecordPlan:
    """One record."""

    name: str
    description: str
    fields: list[RecordField] = field(default_factory=list[RecordField])
    over: Sequence[str] = ()
    """Of a view, the schemas that have its members."""
    spread: Sequence[str] = ()
    """Of a view, the parts whose members are fields, too."""
    by_hand: Sequence[str] = ()
    """Of a view, the members that the class over it reads."""
    taken: Sequence[str] = ()
    """The names of a class that is written by hand over it."""

    @property
    def is_view(self) -> bool:
        """Whether it has fields alone, for a class that is written by hand over it."""
        return bool(self.over)

    @property
    def private(self) -> list[str]:
        return [each.name for each in self.fields if each.is_private]

    @property
    def masked(self) -> list[str]:
        return [each.name for each in self.fields if each.is_masked]


def plans_of(
    models: Iterable[ModelProperty], settings: Settings, others: Iterable[str] = ()
) -> list[RecordPlan]:
    """The records, by name: those of the settings, others, and those that their fields refer to.

    Raises SettingsError for an entry that leads nowhere, or to a name that is taken.
    """
    by_name = {str(model.class_info.name): model for model in models}
    for name in settings.records:
        require_known("records", name, "schema", by_name)
    plans: dict[str, RecordPlan] = {}
    pending = [*settings.records, *others]
    while pending:
        name = pending.pop(0)
        if name in plans:
            continue
        own = settings.records.get(name, RecordSettings())
        plan = RecordPlanner(by_name, by_name[name], own).plan()
        plans[name] = plan
        pending += [each.kind for each in plan.fields if each.kind is not None]
    return [plans[name] for name in sorted(plans)]


class RecordPlanner:
    """Makes the plan of one record."""

    def __init__(
        self, models: Mapping[str, ModelProperty], model: ModelProperty, settings: RecordSettings
    ) -> None:
        self._models = models
        self._model = model
        self._settings = settings
        self._name = str(model.class_info.name)

    def plan(self) -> RecordPlan:
        properties = {prop.name.get_untrusted_value(): prop for prop in members_of(self._model)}
        self._check(properties)
        plan = RecordPlan(
            self._name,
            " ".join(_text_of(self._model.description).split()),
            taken=self._settings.taken,
        )
        amounts = {pair[0]: name for name, pair in self._settings.money.items()}
        currencies = {pair[1] for pair in self._settings.money.values()}
        for wire, prop in properties.items():
            if wire in self._settings.leave_out:
                continue
            if wire in amounts:
                plan.fields.append(self._money(amounts[wire], prop))
            elif wire in self._settings.lift:
                plan.fields += self._lifted(wire, prop)
            elif wire not in currencies or self._is_decided(wire):
                plan.fields.append(self.field(wire, prop))
        named = [(each.place, each.name) for each in plan.fields]
        own = self._settings
        place = f"records.{self._name}"
        for entry, name in own.members():
            if entry not in ("leave_out", "lift", "money"):
                require_known(f"{place}.{entry}", name, "field", [each for each, _ in named])
        require_free(place, named, {*TAKEN, *TYPE_NAMES, *own.taken}, own.names)
        return plan

    def _check(self, properties: Mapping[str, Any]) -> None:
        """Raise SettingsError for a member that the schema does not have."""
        known = [*properties]
        for part in self._settings.lift:
            known += [f"{part}.{name}" for name in self._members_of_part(properties.get(part))]
        for entry, name in self._settings.members():
            place = f"records.{self._name}.{entry}"
            require_known(place, name, f"member of {self._name}", known)

    def _members_of_part(self, prop: Any) -> dict[str, Any]:
        kind = None if prop is None else kind_of(prop)
        part = self._models.get(kind) if isinstance(kind, str) else None
        if part is None:
            return {}
        return {inner.name.get_untrusted_value(): inner for inner in members_of(part)}

    def _is_decided(self, place: str) -> bool:
        decisions = (self._settings.shown, self._settings.private, self._settings.masked)
        return any(place in names for names in decisions)

    def _lifted(self, wire: str, prop: Any) -> list[RecordField]:
        """The fields that are members of a part."""
        inner = self._members_of_part(prop)
        schema = str(kind_of(prop))
        return [
            self.field(name, inner[name], part=wire, schema=schema)
            for name in self._settings.lift[wire]
        ]

    def _money(self, name: str, prop: Any) -> RecordField:
        amount, currency = self._settings.money[name]
        call = f"_typed.money(self._json, {amount!r}, {currency!r})"
        words = _field_words(amount, prop, f"With its `{currency}`.")
        is_private = amount in self._settings.private
        return RecordField(
            name,
            TYPES["money"],
            call,
            words,
            schema=self._name,
            member=amount,
            place=amount,
            is_private=is_private,
        )

    def field(self, wire: str, prop: Any, part: str = "", schema: str = "") -> RecordField:
        """The field of a member of the record's schema, or of a part with this name and schema."""
        settings = self._settings
        place = f"{part}.{wire}" if part else wire
        kind = kind_of(prop)
        reader = settings.read_as.get(place) or self._reader_of(kind)
        if place in settings.identifiers:
            reader = "identifier"
        elif reader == "decimal" and kind == "text":
            reader = "decimal_text"
        is_decided = place in settings.shown or place in settings.masked
        python_name = str(prop.python_name)
        # Beside a rule by hand, what has its name is not shown as if it were the rule.
        is_shown = reader in SHOWN_READERS and python_name not in settings.taken
        is_private = place in settings.private or not (is_shown or is_decided)
        record = record_of(kind) if reader in ("record", "records") else None
        arguments = [self.source(part), repr(wire)] + ([] if record is None else [record])
        type_ = TYPES.get(reader, "")
        if reader == "record":
            type_ = f"{record} | None"
        elif reader == "records":
            type_ = f"tuple[{record}, ...]"
        return RecordField(
            settings.names.get(place) or own_field_name(python_name, settings.taken),
            type_,
            f"_typed.{reader}({', '.join(arguments)})",
            _field_words(place, prop, "In no repr." if is_private else ""),
            schema=schema or self._name,
            member=wire,
            place=place,
            is_private=is_private,
            is_masked=place in settings.masked,
            is_undecided=is_private and place not in settings.private,
            kind=record,
        )

    def source(self, part: str) -> str:
        """The object that a field is read from: the record's, or the part's with this name."""
        return f"_typed.part(self._json, {part!r})" if part else "self._json"

    def _reader_of(self, kind: Kind) -> str:
        """The reader of a kind."""
        if is_text(kind):
            return "text"
        if kind is None or isinstance(kind, tuple):
            return "value"
        if isinstance(kind, list):
            if record_of(kind) is not None and self._declares(kind[0]):
                return "records"
            return "texts" if kind == ["text"] else "value"
        if kind in self._models:
            return "record" if self._declares(kind) else "members"
        return READERS.get(kind, kind)

    def _declares(self, name: str) -> bool:
        """Whether the document declares members of a model."""
        return name in self._models and bool(members_of(self._models[name]))


def is_text(kind: Kind) -> bool:
    """Whether a field of this kind is read as text: known words, and a UUID, are."""
    if isinstance(kind, tuple):
        return all(isinstance(word, str) for word in kind)
    return kind == "text" or (isinstance(kind, str) and READERS.get(kind) == "text")


def own_field_name(python_name: str, by_hand: Collection[str]) -> str:
    """The name that a field has without a setting: a name that is taken gets an underscore.

    `by_hand` are the names of a class that is written by hand over the record.
    """
    is_taken = python_name in TAKEN | TYPE_NAMES or python_name in by_hand
    return f"{python_name}_" if is_taken else python_name


def record_of(kind: Kind) -> str | None:
    """The name of the model of a value, or of its items."""
    inner = kind[0] if isinstance(kind, list) else kind
    return inner if isinstance(inner, str) else None


def _field_words(place: str, prop: Any, note: str) -> str:
    """What the docstring of a field says: its name on the wire, and the document's sentence."""
    description = sentence(_text_of(prop.description))
    words = f"`{place}`: {description}" if description else f"`{place}`."
    return f"{words} {note}" if note else words


def _text_of(description: Any) -> str:
    """A description, as the document has it."""
    unwrap = getattr(description, "get_untrusted_value", None)
    return str(description or "") if unwrap is None else str(unwrap())
