"""What is new, changed or gone of the fields of records."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from openapi_python_client.strings import PythonIdentifier

from victor_spec.members import Kind
from victor_spec.requests import PREFIX
from victor_spec.rewrites.merged_schemas import all_properties
from victor_spec.rewrites.names import class_name
from victor_spec.tree import Tree, is_list, mapping_at, named_schemas
from victor_spec.typed.limits import given
from victor_spec.typed.records import (
    TYPES,
    RecordField,
    RecordPlan,
    is_text,
    own_field_name,
    record_of,
)

from .amounts import decision, why_money
from .changes import HAND, KINDS, PRIVATE, Change, change_of, gone

BY_CLASS = "if the class over the view reads it, "
"""When a member is exact that no setting of a view reads as an amount."""
NOT_LIFTED = "no field: it is not lifted"
Members = Mapping[str, Mapping[str, Kind]]
"""The kinds of the members of each schema."""


def news_of_records(
    records: Sequence[RecordPlan], before: Members, after: Members, document: Tree
) -> Iterator[str]:
    """What is new, changed or gone of the fields of records; `document` is the newer one."""
    for record in records:
        old, new = (_members_of(each, record) for each in (before, after))
        for field in record.fields:
            if field.place in old:
                yield from _changed_field(record, field, old[field.place], new[field.place].kind)
            else:
                yield _new_field(record, field, new[field.place].kind, document)
        for place, member in old.items():
            if place not in new:
                name = own_field_name(str(PythonIdentifier(member.name, PREFIX)), record.taken)
                yield gone(name, place, record.name)
        yield from _news_beneath(record, before, after)


class _Member(NamedTuple):
    """A member of an answer."""

    name: str
    """On the wire."""
    kind: Kind


def _members_of(members: Members, record: RecordPlan) -> dict[str, _Member]:
    """The members of the schemas of a record, by their places, with those of the parts that it
    lifts or spreads.
    """
    found: dict[str, _Member] = {}
    for schema in record.over or [record.name]:
        for place, member in _spread(members, schema, record.spread):
            found.setdefault(place, member)
    for field in record.fields:
        declared = members.get(field.schema, {})
        if not record.is_view and field.member in declared:
            found.setdefault(field.place, _Member(field.member, declared[field.member]))
    return found


def _spread(
    members: Members, schema: str, parts: Sequence[str], part: str = ""
) -> Iterator[tuple[str, _Member]]:
    for name, kind in members.get(schema, {}).items():
        place = f"{part}.{name}" if part else name
        yield place, _Member(name, kind)
        if place in parts and isinstance(kind, str):
            yield from _spread(members, kind, parts, place)


def _new_field(record: RecordPlan, field: RecordField, kind: Kind, document: Tree) -> str:
    said = f"new: `{field.name}` in `{record.name}` ({_kind_text(kind)})"
    is_plain_text = kind == "text" and field.type == TYPES["text"]
    if is_plain_text and (field.is_undecided or record.is_view):
        pattern = _pattern_of(field, document)
        why = why_money(field.member, pattern, field.description)
        if why:
            if record.is_view:
                line = f"views: {{{record.name}: {{by_hand: [{field.place}]}}}}"
                return f"{said}: {decision(why, line, BY_CLASS)}"
            line = f"records: {{{record.name}: {{read_as: {{{field.place}: decimal}}}}}}"
            return f"{said}: {decision(why, line)}"
    return f"{said}: {PRIVATE}" if field.is_undecided else said


def _pattern_of(field: RecordField, document: Tree) -> str:
    """The pattern that the document has for a field of a named schema; empty without one."""
    for name, schema in named_schemas(document).items():
        if class_name(name) == field.schema:
            member = mapping_at(all_properties(document, schema), field.member)
            return str(given(document, member).get("pattern", ""))
    return ""


def _changed_field(
    record: RecordPlan, field: RecordField, before: _Member, kind: Kind
) -> Iterator[str]:
    """What changed of a field; `before` is its member in the earlier document."""
    place = f"`{field.name}` in `{record.name}`"
    yield from (change.line(place, {}) for change in _changed_kind(before.kind, kind))


def _changed_kind(was: Kind, kind: Kind) -> Iterator[Change]:
    if isinstance(kind, tuple) and isinstance(was, tuple):
        added = [str(word) for word in kind if word not in was]
        yield from map(change_of, (("enum-value-added", "", word) for word in added))
    elif kind != was:
        are_texts = is_text(kind) and is_text(was)
        yield Change(f"{_kind_text(kind)} instead of {_kind_text(was)}", breaks=not are_texts)


def _news_beneath(record: RecordPlan, before: Members, after: Members) -> Iterator[str]:
    """What is new or changed of what is no field: members that the class over a view reads, those
    of parts that it reads, and those of parts of which a record has some members alone.
    """
    old, new = (_beneath(each, record) for each in (before, after))
    for place, member in new.items():
        part, _, name = f"{record.name}.{place}".rpartition(".")
        said = f"`{name}` in `{part}`"
        if place not in old:
            decides = HAND if record.is_view else NOT_LIFTED
            yield f"new: {said} ({_kind_text(member.kind)}): {decides}"
        elif record.is_view:
            changes = _changed_kind(old[place].kind, member.kind)
            yield from (f"{change.line(said, {})}: {HAND}" for change in changes)
    for place, member in old.items():
        if record.is_view and place not in new and place not in record.by_hand:
            part = f"{record.name}.{place}".rpartition(".")[0]
            yield f"{gone(member.name, member.name, part)}: {HAND}"


def _beneath(members: Members, record: RecordPlan) -> dict[str, _Member]:
    """The members that are no fields, by their places."""
    found: dict[str, _Member] = {}
    fields = {field.place for field in record.fields}
    for schema in record.over or [record.name]:
        for place, member in _spread(members, schema, record.spread):
            if place in record.by_hand:
                found.setdefault(place, member)
            if place in (*record.by_hand, *record.lifted):
                for inner, each in _within(members, member.kind, place, fields):
                    found.setdefault(inner, each)
    return found


def _within(
    members: Members, kind: Kind, place: str, fields: Collection[str], outer: Sequence[str] = ()
) -> Iterator[tuple[str, _Member]]:
    """The members of an object, or of those in a list, at all depths, but for fields."""
    schema = record_of(kind)
    if schema is None or schema in outer:
        return
    for name, inner in members.get(schema, {}).items():
        at = f"{place}.{name}"
        if at not in fields:
            yield at, _Member(name, inner)
            yield from _within(members, inner, at, fields, (*outer, schema))


def _kind_text(kind: Kind) -> str:
    """What a kind is called."""
    if isinstance(kind, tuple):
        return f"one of {', '.join(map(str, kind))}"
    if is_list(kind):
        return f"list of {_kind_text(kind[0])}"
    return "value" if kind is None else KINDS.get(str(kind), str(kind))
