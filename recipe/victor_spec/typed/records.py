"""The records of a package: the fields of each, with the reader and the words of each field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from openapi_python_client.parser.properties import ModelProperty

from victor_spec.members import Kind, kind_of, members_of

from .settings import RecordSettings, Settings, require_free, require_known, sentence

Models = Mapping[str, ModelProperty]
"""The generated models, by their names."""
TYPES = {
    "text": "str | None",
    "identifier": "str",
    "flag": "bool | None",
    "whole": "int | None",
    "decimal": "Decimal | None",
    "moment": "datetime | None",
    "day": "date | None",
    "money": "Money | None",
    "texts": "tuple[str, ...]",
    "record": "{} | None",
    "records": "tuple[{}, ...]",
    "members": "dict[str, Any]",
    "value": "Any",
}
"""What docstrings say of the types of fields, by their readers in `victor_ext.typed`."""
READERS = {"number": "decimal", "uuid": "text", "any": "value"}
"""The readers of kinds that have another name."""
SHOWN_READERS = frozenset({"flag", "moment", "money", "record", "records"})
"""What these read identifies nobody: a `repr` shows it without a decision. Texts, days (of birth)
and numbers (of accounts) are private until somebody decides. Money is a decision of the settings.
"""
TAKEN = frozenset({"raw", "response_info", "to_dict"})
"""What a record has beside its fields."""
NO_FIELDS = ("leave_out", "money", "spread")
"""The entries of the settings that name members which are no fields themselves."""


class Member(NamedTuple):
    """A member of a schema, or of a part of it."""

    part: Sequence[str]
    """The objects in which it stands: `order`, `details`."""
    wire: str
    prop: Any

    @property
    def place(self) -> str:
        """The name in the settings: `order.details.total`."""
        return ".".join((*self.part, self.wire))


@dataclass(frozen=True, slots=True)
class RecordField:
    """One field."""

    name: str
    place: str
    """The name in the settings."""
    declaration: str
    """The call that reads it: `text("payoutId")`."""
    description: str
    is_private: bool
    is_undecided: bool
    """Whether it is private because the settings do not name it."""
    record: str | None = None
    """The record of its value, or of the items of its value."""


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """One record."""

    name: str
    description: str
    fields: Sequence[RecordField]
    has_model: bool
    """Whether it is the record of one schema, and not of several."""


def plans_of(models: Iterable[ModelProperty], settings: Settings) -> list[RecordPlan]:
    """The records, by name: those of the settings, and those that their fields refer to.

    Raises SettingsError for an entry that leads nowhere, or to a name that is taken.
    """
    by_name = {str(model.class_info.name): model for model in models}
    plans: dict[str, RecordPlan] = {}
    pending = [*settings.records]
    while pending:
        name = pending.pop()
        if name not in plans:
            plan = _plan(by_name, name, settings.records.get(name, RecordSettings()))
            plans[name] = plan
            pending += [field.record for field in plan.fields if field.record is not None]
    return [plans[name] for name in sorted(plans)]


def _plan(models: Models, name: str, own: RecordSettings) -> RecordPlan:
    schemas = own.over or [name]
    members: dict[str, Member] = {}
    for schema in schemas:
        require_known("records", schema, "schema", models)
        for member in _members(models, models[schema], own.spread):
            members.setdefault(member.place, member)
    fields = [_field(models, own, member) for member in _fields_among(members, own)]
    places = [field.place for field in fields]
    for entry, named in own.members():
        known = members if entry in NO_FIELDS else places
        require_known(f"records.{name}.{entry}", named, "member or field", known)
    named_fields = [(field.place, field.name) for field in fields]
    require_free(f"records.{name}", named_fields, {*TAKEN, *own.taken}, own.names)
    description = " ".join(_text_of(models[schemas[0]].description).split())
    if own.over:
        description = f"The fields of {' and '.join(f'`{schema}`' for schema in own.over)}."
    return RecordPlan(name, description, fields, has_model=not own.over)


def _members(
    models: Models, model: ModelProperty, spread: Sequence[str], part: Sequence[str] = ()
) -> Iterator[Member]:
    """The members of a schema, depth first.

    A member that the settings spread is followed by the members of its own schema.
    """
    for prop in members_of(model):
        member = Member(part, prop.name.get_untrusted_value(), prop)
        yield member
        kind = kind_of(prop)
        if member.place in spread and isinstance(kind, str) and kind in models:
            yield from _members(models, models[kind], spread, (*part, member.wire))


def _fields_among(members: Mapping[str, Member], own: RecordSettings) -> Iterator[Member]:
    """The members that are fields. A currency is one only where a decision names it."""
    decided = {*own.shown, *own.private, *own.masked}
    currencies = {currency for _, currency in own.money.values()}
    for place, member in members.items():
        is_currency = place in currencies and place not in decided
        if not is_currency and place not in (*own.leave_out, *own.spread):
            yield member


def _field(models: Models, own: RecordSettings, member: Member) -> RecordField:
    """The field of a member."""
    place = member.place
    name = own.names.get(place) or _usual_name(member, own)
    kind = kind_of(member.prop)
    reader = own.read_as.get(place) or _reader_of(models, kind)
    if place in own.identifiers:
        reader = "identifier"
    arguments = [*map(repr, (*member.part, member.wire))]
    note = ""
    for amount_name, (amount, currency) in own.money.items():
        if place == amount:
            name = amount_name
            reader = "money"
            arguments.append(repr(currency))
            note = f"With its `{currency}`."
    record = record_of(kind) if reader in ("record", "records") else None
    if record is not None:
        arguments.insert(0, f"lambda: {record}")
    # Beside a rule by hand, what has its name is not shown as if it were the rule.
    is_shown = reader in SHOWN_READERS and str(member.prop.python_name) not in own.taken
    is_decided = place in own.shown or place in own.masked
    is_private = place in own.private or not (is_shown or is_decided)
    if is_private:
        arguments.append("private=True")
        note = "In no repr."
    if place in own.masked:
        arguments.append("masked=True")
    words = f"`{place}` (`{TYPES[reader].format(record)}`)"
    description = sentence(_text_of(member.prop.description))
    words += f": {description}" if description else "."
    return RecordField(
        name,
        place,
        f"{reader}({', '.join(arguments)})",
        f"{words} {note}".rstrip(),
        is_private=is_private,
        is_undecided=is_private and place not in own.private and not own.over,
        record=record,
    )


def _usual_name(member: Member, own: RecordSettings) -> str:
    """The name that a field has without a setting: a name that is taken gets an underscore."""
    name = str(member.prop.python_name)
    return f"{name}_" if name in (*TAKEN, *own.taken) else name


def _reader_of(models: Models, kind: Kind) -> str:
    """The reader of a kind. Known words are text; an object without members is plain JSON."""
    if isinstance(kind, tuple):
        return "text" if all(isinstance(word, str) for word in kind) else "value"
    model = models.get(record_of(kind) or "")
    is_record = model is not None and bool(members_of(model))
    if isinstance(kind, list):
        if is_record:
            return "records"
        return "texts" if kind == ["text"] else "value"
    if model is not None:
        return "record" if is_record else "members"
    return READERS.get(kind, kind) if kind else "value"


def record_of(kind: Kind) -> str | None:
    """The name of the model of a value, or of its items."""
    inner = kind[0] if isinstance(kind, list) else kind
    return inner if isinstance(inner, str) else None


def _text_of(description: Any) -> str:
    """A description, as the document has it."""
    unwrap = getattr(description, "get_untrusted_value", None)
    return str(description or "") if unwrap is None else str(unwrap())
