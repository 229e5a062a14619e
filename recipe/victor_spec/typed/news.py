"""What a newer document changes of typed records and arguments, one line for each member.

Whether a change breaks is the comparison's to judge (`victor_spec.diff`). Here it is said of the
name that a caller knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from victor_spec.members import Kind
from victor_spec.tree import Tree, is_list, list_at, mapping_at, resolve

from .arguments import Argument, ListPlan, operations_by_id, parameters_of
from .bodies import BodyPlan, PartPlan, body_of
from .body_members import REFERENCE, BodyArgument, members_in
from .enforced import split
from .records import RecordField, RecordPlan
from .settings import ListSettings, MembersSettings, PartSettings, Settings, SettingsError

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
UPPER = {
    "maxLength": "at most {} characters",
    "maximum": "at most {}",
    "maxItems": "at most {} items",
}
LOWER = {
    "minLength": "at least {} characters",
    "minimum": "at least {}",
    "minItems": "at least {} items",
}
"""The limits of a schema, as words."""
READ_AGAIN = "the list is read repeatedly; undecided"
PRIVATE = "in no repr; undecided"

Members = Mapping[str, Mapping[str, Kind]]
"""The kinds of the members of each schema."""


class Declared(NamedTuple):
    """What a document says of one argument."""

    type: str
    location: str
    """Where it is sent: `path`, `query`."""
    is_required: bool
    words: Sequence[Any]
    """All values that it can have; empty: any."""
    schema: Tree
    """Without the limits that nobody keeps."""
    not_enforced: Tree
    """Those limits."""

    def text(self) -> str:
        """Its type and its limits: `text, at most 12 characters`."""
        limits = [
            words.format(self.schema[key])
            for key, words in (LOWER | UPPER).items()
            if key in self.schema
        ]
        if self.words:
            limits.append(f"one of {_listed(self.words)}")
        return ", ".join([self.type, *limits])


class Change(NamedTuple):
    """One change of a member that both documents have."""

    what: str
    said: str
    breaks: bool = False

    def line(self, place: str) -> str:
        return f"{self.what}: {place}: {self.said}{': breaking' if self.breaks else ''}"


Signature = Mapping[str, Declared]
"""What a document says of the arguments of an operation, by their names on the wire."""


def news_of_lists(
    plans: Sequence[ListPlan], settings: Settings, before: Tree, after: Tree
) -> Iterator[str]:
    """What is new, changed or gone of the arguments of lists."""
    for plan in plans:
        old, new = _signature(before, plan.operation), _signature(after, plan.operation)
        if new is None:
            continue
        own = settings.lists[plan.operation]
        yield from _news_of_list(plan, own, old, new)


def _signature(document: Tree, operation_id: str) -> Signature | None:
    """The arguments of an operation; None where the document does not have it, or no list can send
    them.
    """
    operation = operations_by_id(document).get(operation_id)
    if operation is None:
        return None
    try:
        found = parameters_of(document, operation)
    except SettingsError:
        return None
    return {name: _declared(document, each) for name, each in found.items()}


def _declared(document: Tree, parameter: Tree) -> Declared:
    schema, not_enforced = split(resolve(document, mapping_at(parameter, "schema")))
    type_ = schema.get("type")
    return Declared(
        type=FORMATS.get(str(schema.get("format"))) or TYPES.get(str(type_), "value"),
        location=str(parameter.get("in")),
        is_required=parameter.get("required") is True,
        words=list_at(schema, "enum"),
        schema=schema,
        not_enforced=not_enforced,
    )


def _news_of_list(
    plan: ListPlan, own: ListSettings, old: Signature | None, new: Signature
) -> Iterator[str]:
    for argument in plan.arguments:
        after = new[argument.wire]
        before = (old or {}).get(argument.wire)
        place = f"`{argument.name}` in `{plan.function}`"
        if before is None:
            yield _new_argument(place, argument, after, plan, is_breaking=old is not None)
            continue
        may_be_left_out = argument.wire not in (*own.required, *own.positional)
        for change in _changes(before, after, may_be_left_out=may_be_left_out):
            yield change.line(place)
    for wire in old or {}:
        if wire not in new:
            yield f"gone: `{wire}` in `{plan.function}`: breaking"


def _new_argument(
    place: str, argument: Argument, declared: Declared, plan: ListPlan, *, is_breaking: bool
) -> str:
    said = f"new: {place} ({declared.text()})"
    if argument.is_required:
        return f"{said}: required: breaking" if is_breaking else f"{said}: required"
    return said if argument.sent in plan.constant else f"{said}: {READ_AGAIN}"


def _changes(before: Declared, after: Declared, *, may_be_left_out: bool) -> Iterator[Change]:
    """What changed of an argument."""
    if before.location != after.location:
        yield Change("moved", f"from the {before.location} to the {after.location}", breaks=True)
    if after.is_required and not before.is_required and may_be_left_out:
        yield Change("required now", "a call without it is refused", breaks=True)
    if before.type != after.type:
        yield Change("other type", f"{after.type}, and not {before.type}", breaks=True)
        return
    yield from _not_enforced(before, after)
    for limits, is_narrower in ((UPPER, _is_less), (LOWER, _is_more)):
        for key, words in limits.items():
            if key not in after.not_enforced:
                values = before.schema.get(key), after.schema.get(key)
                yield from _changed_limit(*values, words, is_narrower)
    if "pattern" not in after.not_enforced:
        yield from _changed_pattern(before.schema.get("pattern"), after.schema.get("pattern"))
    if "enum" not in after.not_enforced:
        yield from _changed_words(before.words, after.words)


def _not_enforced(before: Declared, after: Declared) -> Iterator[Change]:
    """The limits that nobody keeps, where the earlier document has others or keeps them. No call
    is refused by them.
    """
    for key, limit in after.not_enforced.items():
        if key in before.not_enforced and before.not_enforced[key] == limit:
            continue
        words = (LOWER | UPPER | {"pattern": "pattern {}"}).get(key, f"{key} {{}}")
        yield Change("not enforced", words.format(_listed(limit) if is_list(limit) else limit))


def _changed_pattern(before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    if after is None:
        yield Change("wider", "no pattern")
    else:
        yield Change("other pattern", str(after), breaks=True)


def _changed_limit(
    before: Any, after: Any, words: str, is_narrower: Callable[[Any, Any], bool]
) -> Iterator[Change]:
    if before == after:
        return
    if after is None:
        yield Change("wider", f"no longer {words.format(before)}")
    elif before is None:
        yield Change("narrower", words.format(after), breaks=True)
    elif is_narrower(after, before):
        yield Change("narrower", f"{words.format(after)}, and not {before}", breaks=True)
    else:
        yield Change("wider", f"{words.format(after)}, and not {before}")


def _is_less(after: Any, before: Any) -> bool:
    return bool(after < before)


def _is_more(after: Any, before: Any) -> bool:
    return bool(after > before)


def _changed_words(before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    """Of what is sent: a word that is gone is refused from now on."""
    if not before and after:
        yield Change("narrower", f"one of {_listed(after)}", breaks=True)
    elif before and not after:
        yield Change("wider", "any word")
    else:
        yield from (Change("new word", str(word)) for word in after if word not in before)
        gone = (word for word in before if word not in after)
        yield from (Change("word gone", str(word), breaks=True) for word in gone)


def _listed(words: Sequence[Any]) -> str:
    return ", ".join(map(str, words))


# ---- Bodies ----


def news_of_bodies(
    bodies: Sequence[BodyPlan],
    parts: Sequence[PartPlan],
    settings: Settings,
    before: Tree,
    after: Tree,
) -> Iterator[str]:
    """What is new, changed or gone of the arguments of calls, and of request objects."""
    for body in bodies:
        own = settings.bodies[body.operation]
        old, new = (_body_members(each, body.operation, own) for each in (before, after))
        decision = "compared as {}; undecided" if body.has_table else ""
        yield from _news_of_members(body.function, body.in_order, old, new or {}, decision)
    for part in parts:
        lift = settings.parts.get(part.schema, PartSettings()).lift
        old, new = (_part_members(each, part.schema, lift) for each in (before, after))
        yield from _news_of_members(part.name, part.in_order, old, new or {}, "")


def _body_members(document: Tree, operation_id: str, own: MembersSettings) -> Signature | None:
    operation = operations_by_id(document).get(operation_id)
    if operation is None:
        return None
    return _sent(document, body_of(document, operation), own.lift)


def _part_members(document: Tree, schema: str, lift: Sequence[str]) -> Signature | None:
    return _sent(document, resolve(document, {"$ref": REFERENCE + schema}), lift)


def _sent(document: Tree, schema: Tree, lift: Sequence[str]) -> Signature | None:
    """The members of an object that is sent, by their places; None without one."""
    if not schema:
        return None
    found = members_in(schema, lift, lambda tree: resolve(document, tree))
    parameters = {
        place: {"in": "body", "required": each.is_required, "schema": each.schema}
        for place, each in found.items()
    }
    return {place: _declared(document, each) for place, each in parameters.items()}


def _news_of_members(
    where: str,
    arguments: Sequence[BodyArgument],
    old: Signature | None,
    new: Signature,
    decision: str,
) -> Iterator[str]:
    for argument in arguments:
        place = f"`{argument.name}` in `{where}`"
        before, after = (old or {}).get(argument.place), new[argument.place]
        if before is None:
            said = f"new: {place} ({after.text()})"
            if argument.is_required:
                yield f"{said}: required" + ("" if old is None else ": breaking")
            else:
                yield f"{said}: {decision.format(argument.kind)}" if decision else said
            continue
        for change in _changes(before, after, may_be_left_out=not argument.is_required):
            yield change.line(place)
    for place in old or {}:
        if place not in new:
            yield f"gone: `{place}` in `{where}`: breaking"


# ---- Records ----


def news_of_records(
    records: Sequence[RecordPlan], before: Members, after: Members
) -> Iterator[str]:
    """What is new, changed or gone of the fields of records."""
    for record in records:
        for field in record.fields:
            yield from _news_of_field(record, field, before, after)
        for member in before.get(record.name, {}):
            if member not in after.get(record.name, {}):
                yield f"gone: `{member}` in `{record.name}`: breaking"


def _news_of_field(
    record: RecordPlan, field: RecordField, before: Members, after: Members
) -> Iterator[str]:
    place = f"`{field.name}` in `{record.name}`"
    kind = after[field.schema][field.member]
    known = before.get(field.schema, {})
    if field.member not in known:
        decision = f": {PRIVATE}" if field.is_undecided else ""
        yield f"new: {place} ({_kind_text(kind)}){decision}"
        return
    was = known[field.member]
    if isinstance(kind, tuple) and isinstance(was, tuple):
        words = (word for word in kind if word not in was)
        yield from (Change("new word", str(word)).line(place) for word in words)
    elif kind != was:
        said = f"{_kind_text(kind)}, and not {_kind_text(was)}"
        yield Change("other type", said, breaks=True).line(place)


def _kind_text(kind: Kind) -> str:
    """What a kind is called."""
    if isinstance(kind, tuple):
        return f"one of {_listed(kind)}"
    if is_list(kind):
        return f"list of {_kind_text(kind[0])}"
    return "value" if kind is None else KINDS.get(str(kind), str(kind))
