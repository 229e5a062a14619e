"""Views: fields that several schemas have, for a class that is written by hand over them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from openapi_python_client.parser.properties import ModelProperty

from victor_spec.members import kind_of, members_of

from .records import TAKEN, TYPE_NAMES, RecordField, RecordPlan, RecordPlanner
from .settings import (
    RecordSettings,
    Settings,
    SettingsError,
    ViewSettings,
    require_free,
    require_known,
)


class _Member(NamedTuple):
    """A member of one of the schemas, or of a part of it."""

    schema: str
    """The schema that declares it."""
    part: str
    """The part that it stands in: `order.details`; empty for a member of the schema itself."""
    wire: str
    prop: Any

    @property
    def place(self) -> str:
        return f"{self.part}.{self.wire}" if self.part else self.wire


class _FieldPlanner(RecordPlanner):
    """Makes the fields of a view."""

    def source(self, part: str) -> str:
        """The object that a field is read from: the record's, or the part at a place."""
        source = "self._json"
        for name in part.split(".") if part else []:
            source = f"_typed.part({source}, {name!r})"
        return source


def view_plans(models: Iterable[ModelProperty], settings: Settings) -> list[RecordPlan]:
    """The views of the settings, by name.

    Raises SettingsError for an entry that leads nowhere, or to a name that is taken.
    """
    by_name = {str(model.class_info.name): model for model in models}
    return [_view(by_name, name, own) for name, own in sorted(settings.views.items())]


def kinds_in(plans: Iterable[RecordPlan]) -> list[str]:
    """The records that the fields of these plans refer to."""
    return [each.kind for plan in plans for each in plan.fields if each.kind is not None]


def _view(models: Mapping[str, ModelProperty], name: str, own: ViewSettings) -> RecordPlan:
    where = f"views.{name}"
    for schema in own.over:
        require_known(f"{where}.over", schema, "schema", models)
    if name in models:
        raise SettingsError(f"{where}: a schema has this name: write another one.")
    members: dict[str, _Member] = {}
    for schema in own.over:
        for member in _members(models, schema, own.spread):
            members.setdefault(member.place, member)
    _check(where, own, members)
    fields = [
        _field(models, own, member)
        for place, member in members.items()
        if place not in own.by_hand and place not in own.spread
    ]
    by_hand = [
        (place, own.names.get(place) or str(members[place].prop.python_name))
        for place in own.by_hand
    ]
    reserved = [(place, name) for place, name in by_hand if name not in own.taken]
    named = [(each.place, each.name) for each in fields]
    require_free(where, [*reserved, *named], {*TAKEN, *TYPE_NAMES, *own.taken}, own.names)
    return RecordPlan(
        name,
        f"The fields of {_listed(own.over)}.",
        fields,
        over=own.over,
        spread=own.spread,
        by_hand=own.by_hand,
        taken=own.taken,
    )


def _members(
    models: Mapping[str, ModelProperty], schema: str, spread: Sequence[str], part: str = ""
) -> Iterator[_Member]:
    """The members of a schema, depth first.

    A member that the settings spread is followed by the members of its own schema.
    """
    for prop in members_of(models[schema]):
        member = _Member(schema, part, prop.name.get_untrusted_value(), prop)
        yield member
        kind = kind_of(prop)
        if member.place in spread and isinstance(kind, str) and kind in models:
            yield from _members(models, kind, spread, member.place)


def _check(where: str, own: ViewSettings, members: Mapping[str, _Member]) -> None:
    """Raise SettingsError for an entry that names no member, or one that is no field."""
    for entry, place in own.members():
        require_known(f"{where}.{entry}", place, "member of these schemas", members)


def _field(models: Mapping[str, ModelProperty], own: ViewSettings, member: _Member) -> RecordField:
    """The field of a member. The class over the view has its own `repr`: nothing is undecided."""
    settings = RecordSettings(names=own.names, taken=own.taken)
    planner = _FieldPlanner(models, models[member.schema], settings)
    field = planner.field(member.wire, member.prop, member.part, member.schema)
    return replace(field, is_undecided=False)


def _listed(names: Sequence[str]) -> str:
    words = [f"`{name}`" for name in names]
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]
