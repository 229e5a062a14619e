"""What a newer document changes of typed records and arguments, one line for each member.

Whether a change breaks is the comparison's to judge (`victor_spec.diff`). Here it is said of the
name that a caller knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from openapi_python_client.strings import PythonIdentifier

from victor_spec.enforced import split
from victor_spec.members import Kind
from victor_spec.requests import PREFIX
from victor_spec.tree import Tree, is_list, mapping_at, parameters, resolve

from .arguments import Argument, ListPlan, operations_by_id, parameters_of
from .bodies import BodyPlan, BodyPlans, PartPlan, body_of
from .body_members import REFERENCE, members_in
from .checks import own_name, snake
from .limits import allowed, given, limits_of
from .records import RecordField, RecordPlan, own_field_name
from .settings import (
    BodySettings,
    MembersSettings,
    PartSettings,
    Settings,
    SettingsError,
)

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
LOWER = {
    "minLength": "at least {} characters",
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "minItems": "at least {} items",
}
UPPER = {
    "maxLength": "at most {} characters",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "maxItems": "at most {} items",
}
OTHER = {"multipleOf": "a multiple of {}", "pattern": "pattern {}"}
"""The limits of a schema, as words. Of two that are neither, no one is narrower."""
_OF_VALUES = LOWER | UPPER | OTHER
LIMITS = _OF_VALUES | {f"items.{key}": f"each {words}" for key, words in _OF_VALUES.items()}
BY_HAND = dict.fromkeys((*LIMITS, "enum"), "code by hand decides")
"""What decides in place of the limits of a header."""
BY_EXTRA = "`extra_body` sends it"
IN_LISTS = "nothing sends it: it stands in items of lists alone"
"""How a member is sent that is no argument."""
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
    limits: Mapping[str, Any]
    """By their keywords, without those that nobody keeps."""
    not_enforced: Tree
    """Those limits."""

    def text(self) -> str:
        """Its type and its limits: `text, at most 12 characters`."""
        limits = [
            words.format(self.limits[key]) for key, words in LIMITS.items() if key in self.limits
        ]
        if self.words:
            limits.append(f"one of {_listed(self.words)}")
        return ", ".join([self.type, *limits])


class Change(NamedTuple):
    """One change of a member that both documents have."""

    what: str
    said: str
    breaks: bool = False
    limit: str = ""
    """The keyword of the limit that changed."""

    def line(self, place: str, decided: Mapping[str, str]) -> str:
        """`decided` has what decides in place of limits, which nothing checks then."""
        said = f"{self.what}: {place}: {self.said}"
        if not self.breaks:
            return said
        who = decided.get(self.limit)
        return f"{said}: breaking" if who is None else f"{said}: not checked: {who}"


Signature = Mapping[str, Declared]
"""What a document says of the arguments of an operation, by their names on the wire."""


def news_of_lists(plans: Sequence[ListPlan], before: Tree, after: Tree) -> Iterator[str]:
    """What is new, changed or gone of the arguments of operations without a body."""
    for plan in plans:
        old, new = _signature(before, plan.operation), _signature(after, plan.operation)
        if new is None:
            continue
        yield from _news_of_list(plan, old, new)


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
    schema, not_enforced = split(given(document, mapping_at(parameter, "schema")))
    items = split(given(document, mapping_at(schema, "items")))[0]
    is_list_ = schema.get("type") == "array"
    return Declared(
        type=f"list of {_type(items)}" if is_list_ and items else _type(schema),
        location=str(parameter.get("in")),
        is_required=parameter.get("required") is True,
        words=allowed(items if is_list_ else schema),
        limits=limits_of(document, schema),
        not_enforced=not_enforced,
    )


def _type(schema: Tree) -> str:
    """What the type of a schema is called."""
    type_ = "object" if "properties" in schema else str(schema.get("type"))
    return FORMATS.get(str(schema.get("format"))) or TYPES.get(type_, "value")


def _news_of_list(plan: ListPlan, old: Signature | None, new: Signature) -> Iterator[str]:
    for argument in plan.arguments:
        after = new[argument.wire]
        before = (old or {}).get(argument.wire)
        place = f"`{argument.name}` in `{plan.function}`"
        if before is None:
            yield _new_argument(place, argument, after, plan, is_breaking=old is not None)
            continue
        may_be_left_out = argument.wire not in (*plan.own.required, *plan.own.positional)
        for change in _changes(before, after, may_be_left_out=may_be_left_out):
            yield change.line(place, argument.decided)
    yield from _news_of_untyped(plan.untyped, plan.function, old, new, "`extra_query` sends it")
    for wire in old or {}:
        if wire not in new:
            name = own_name(str(PythonIdentifier(wire, PREFIX)))
            yield _gone(name, wire, plan.function)


def _new_argument(
    place: str, argument: Argument, declared: Declared, plan: ListPlan, *, is_breaking: bool
) -> str:
    said = f"new: {place} ({declared.text()})"
    if argument.is_required:
        return f"{said}: required: breaking" if is_breaking else f"{said}: required"
    is_never_left = argument.sent in plan.constant or not plan.is_list
    return said if is_never_left else f"{said}: {READ_AGAIN}"


def _news_of_untyped(
    places: Iterable[str], where: str, old: Signature | None, new: Signature, instead: str
) -> Iterator[str]:
    """What is new of parameters and members that are no arguments, for no check knows their types.

    `instead` says how they are sent.
    """
    for place in places:
        before, after = (old or {}).get(place), new[place]
        said = f"`{place}` in `{where}`"
        if before is None:
            yield f"new: {said} ({after.type}): no argument: {instead}"
        elif before.type != after.type:
            is_now = f"{after.type}, and not {before.type}"
            yield f"other type: {said}: {is_now}: no argument: {instead}: breaking"


def _changes(before: Declared, after: Declared, *, may_be_left_out: bool) -> Iterator[Change]:
    """What changed of an argument; `may_be_left_out` says that the settings do not require it."""
    if before.location != after.location:
        yield Change("moved", f"from the {before.location} to the {after.location}", breaks=True)
    if after.is_required and not before.is_required and may_be_left_out:
        yield Change("required now", "a call without it is refused", breaks=True)
    if before.is_required and not after.is_required:
        said = "a call may leave it out" if may_be_left_out else "the settings require it still"
        yield Change("no longer required", said)
    if before.type != after.type:
        yield Change("other type", f"{after.type}, and not {before.type}", breaks=True)
        return
    yield from _not_enforced(before, after)
    for key in LIMITS:
        if key not in after.not_enforced:
            yield from _changed_limit(key, before.limits.get(key), after.limits.get(key))
    if "enum" not in after.not_enforced:
        yield from _changed_words(before.words, after.words)


def _not_enforced(before: Declared, after: Declared) -> Iterator[Change]:
    """The limits that nobody keeps, where the earlier document has others or keeps them. No call
    is refused by them.
    """
    for key, limit in after.not_enforced.items():
        if key in before.not_enforced and before.not_enforced[key] == limit:
            continue
        words = LIMITS.get(key, f"{key} {{}}")
        yield Change("not enforced", words.format(_listed(limit) if is_list(limit) else limit))


def _changed_limit(key: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    words = LIMITS[key]
    keyword = key.removeprefix("items.")
    if keyword == "pattern":
        said = "no pattern" if after is None else str(after)
        what = "wider" if after is None else "other pattern"
        yield Change(what, said, breaks=after is not None, limit=key)
    elif after is None:
        yield Change("wider", f"no longer {words.format(before)}")
    elif before is None:
        yield Change("narrower", words.format(after), breaks=True, limit=key)
    else:
        breaks = _is_narrower(keyword, before, after)
        said = f"{words.format(after)}, and not {before}"
        yield Change("narrower" if breaks else "wider", said, breaks=breaks, limit=key)


def _is_narrower(keyword: str, before: Any, after: Any) -> bool:
    """Whether a limit takes less than it did."""
    if keyword in UPPER:
        return bool(after < before)
    if keyword in LOWER:
        return bool(after > before)
    return Fraction(str(before)) % Fraction(str(after)) != 0  # the numbers are multiples


def _changed_words(before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    """Of what is sent: a word that is gone is refused from now on."""
    if not before and after:
        yield Change("narrower", f"one of {_listed(after)}", breaks=True, limit="enum")
    elif before and not after:
        yield Change("wider", "any word")
    else:
        yield from (Change("new word", str(word)) for word in after if word not in before)
        gone = (word for word in before if word not in after)
        yield from (Change("word gone", str(word), breaks=True, limit="enum") for word in gone)


def _listed(words: Sequence[Any]) -> str:
    return ", ".join(map(str, words))


def _gone(name: str, wire: str, where: str) -> str:
    """`name` is what a caller knows, where the settings had no other name for it."""
    on_the_wire = "" if name == wire else f" (`{wire}` on the wire)"
    return f"gone: `{name}` in `{where}`{on_the_wire}: breaking"


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
        undecided = _compared(body, own)
        yield from _news_of_members(body.function, body, own, old, new or {}, undecided, BY_EXTRA)
        yield from _news_of_headers(body, before, after)
    plans = BodyPlans([*bodies], [*parts])
    outside_lists = {part.schema for body in bodies for part in plans.parts_in(body).values()}
    classes = {part.name: part for part in parts if part.has_class}
    for part in parts:
        own_part = settings.parts.get(part.schema, PartSettings())
        old, new = (_part_members(each, part.schema, own_part.lift) for each in (before, after))
        undecided = _private(part, classes[part.name])
        by_extra = BY_EXTRA if part.schema in outside_lists else IN_LISTS
        yield from _news_of_members(part.name, part, own_part, old, new or {}, undecided, by_extra)


def _compared(body: BodyPlan, own: BodySettings) -> Mapping[str, str]:
    """What is undecided of the arguments of a call, by their places: how an answer is compared."""
    if not body.has_table:
        return {}
    decided = own.compared_as or {}
    return {
        each.place: f"compared as {each.kind}; undecided"
        for each in body.in_order
        if each.place not in decided
    }


def _private(part: PartPlan, made: PartPlan) -> Mapping[str, str]:
    """What is undecided of the fields of a request object, by their places: whether its repr shows
    them. `made` is the one that its class is made from.
    """
    decided = {*made.shown, *made.accounts}
    return {each.place: PRIVATE for each in part.in_order if each.name not in decided}


def _news_of_headers(body: BodyPlan, before: Tree, after: Tree) -> Iterator[str]:
    """What changed of the headers of an operation. Code by hand checks and sends them."""
    old, new = (_headers(each, body.operation) for each in (before, after))
    for name, header in new.items():
        if name in old:
            for change in _changes(old[name], header, may_be_left_out=True):
                yield change.line(f"header `{name}` in `{body.function}`", BY_HAND)


def _headers(document: Tree, operation_id: str) -> Signature:
    operation = operations_by_id(document).get(operation_id)
    found: dict[str, Declared] = {}
    written = {} if operation is None else parameters(document, operation.item, operation.tree)
    for parameter in (resolve(document, each) for each in written.values()):
        if parameter.get("in") == "header":
            found[str(parameter.get("name"))] = _declared(document, parameter)
    return found


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
    found = members_in(schema, lift, lambda tree: given(document, tree))
    parameters = {
        place: {"in": "body", "required": each.is_required, "schema": each.schema}
        for place, each in found.items()
    }
    return {place: _declared(document, each) for place, each in parameters.items()}


def _news_of_members(
    where: str,
    plan: BodyPlan | PartPlan,
    own: MembersSettings,
    old: Signature | None,
    new: Signature,
    undecided: Mapping[str, str],
    instead: str,
) -> Iterator[str]:
    """`undecided` has what holds of a member until somebody decides, by its place. `instead` says
    how a member is sent that is no argument.
    """
    for argument in plan.in_order:
        place = f"`{argument.name}` in `{where}`"
        before, after = (old or {}).get(argument.place), new[argument.place]
        if before is None:
            required = ["required"] if argument.is_required else []
            required += ["breaking"] if required and old is not None else []
            holds = [undecided[argument.place]] if argument.place in undecided else []
            yield ": ".join([f"new: {place} ({after.text()})", *required, *holds])
            continue
        may_be_left_out = argument.place not in own.required
        for change in _changes(before, after, may_be_left_out=may_be_left_out):
            yield change.line(place, argument.decided)
    yield from _news_of_untyped(plan.untyped, where, old, new, instead)
    for place in old or {}:
        if place not in new:
            yield _gone(own_name(snake(place.rpartition(".")[2])), place, where)


# ---- Records ----


def news_of_records(
    records: Sequence[RecordPlan], before: Members, after: Members
) -> Iterator[str]:
    """What is new, changed or gone of the fields of records."""
    for record in records:
        old, new = (_members_of(each, record) for each in (before, after))
        for field in record.fields:
            yield from _news_of_field(record, field, old.get(field.place), new[field.place].kind)
        for place, member in old.items():
            if place not in new:
                name = own_field_name(str(PythonIdentifier(member.name, PREFIX)))
                yield _gone(name, place, record.name)


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


def _news_of_field(
    record: RecordPlan, field: RecordField, before: _Member | None, kind: Kind
) -> Iterator[str]:
    """What is new or changed of a field; `before` is its member in the earlier document."""
    place = f"`{field.name}` in `{record.name}`"
    if before is None:
        decision = f": {PRIVATE}" if field.is_undecided else ""
        yield f"new: {place} ({_kind_text(kind)}){decision}"
        return
    was = before.kind
    if isinstance(kind, tuple) and isinstance(was, tuple):
        words = (word for word in kind if word not in was)
        yield from (Change("new word", str(word)).line(place, {}) for word in words)
    elif kind != was:
        said = f"{_kind_text(kind)}, and not {_kind_text(was)}"
        yield Change("other type", said, breaks=True).line(place, {})


def _kind_text(kind: Kind) -> str:
    """What a kind is called."""
    if isinstance(kind, tuple):
        return f"one of {_listed(kind)}"
    if is_list(kind):
        return f"list of {_kind_text(kind[0])}"
    return "value" if kind is None else KINDS.get(str(kind), str(kind))
