"""What a newer document changes of typed records and arguments, one line for each member.

Whether a change breaks is the comparison's to judge (`victor_spec.diff`). Here it is said of the
name that a caller knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from openapi_python_client.strings import PythonIdentifier

from victor_spec.enforced import split
from victor_spec.members import Kind
from victor_spec.requests import PREFIX
from victor_spec.requests import key as key_of
from victor_spec.rewrites.keys import is_key
from victor_spec.rewrites.operations import OF_TRANSPORT
from victor_spec.rewrites.schemas import default_text
from victor_spec.tree import Tree, is_list, mapping_at, parameters, resolve

from .arguments import Argument, ListPlan, operations_by_id, parameters_of
from .bodies import BodyPlan, BodyPlans, PartPlan, body_of
from .body_members import REFERENCE, members_in
from .checks import own_name, snake
from .limits import allowed, fewest, given, limits_of
from .records import RecordField, RecordPlan, is_text, own_field_name, record_of
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
HAND = "code by hand decides"
NOT_SENT = "no generated argument sends it"
OF_MONEY = "`Money` decides"
NOT_LIFTED = "no field: it is not lifted"
FEWEST = frozenset({"minLength", "minItems", "items.minLength"})
"""The limits that hold without a word of the document: a text or a list is not empty."""
BESIDE_QUERY = ("header", "cookie")
BESIDE_BODY = ("query", *BESIDE_QUERY)
"""Where the parameters stand that are no arguments: of lists and calls, and of operations that send
an object.
"""
BY_OTHERS = frozenset({"accept", "authorization", "content-type", *OF_TRANSPORT})
"""Headers that are no parameters (OpenAPI 3, Parameter Object), or that httpx writes."""
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
    default: str
    """The server's; empty without one."""
    may_be_empty: bool
    """Whether a text without characters is taken, or a list without items, where no limit refuses
    it.
    """

    def text(self) -> str:
        """Its type and its limits: `text, at most 12 characters`."""
        limits = [
            words.format(self.limits[key])
            for key, words in LIMITS.items()
            if key in self.limits and (key not in FEWEST or self.limits[key])
        ]
        if self.words:
            limits.append(f"one of {_listed(self.words)}")
        return ", ".join([self.type, *limits])

    def fewest(self, key: str) -> int:
        """The fewest characters or items that are taken."""
        own = "minItems" if self.type.startswith("list") else "minLength"
        may_be_empty = self.may_be_empty and key == own
        return fewest(self.limits.get(key), may_be_empty=may_be_empty)


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
        old, new = (_signature(each, plan) for each in (before, after))
        if new is None:
            continue
        yield from _news_of_list(plan, old, new)
        yield from _news_of_others(plan.operation, plan.function, before, after, BESIDE_QUERY)


def _signature(document: Tree, plan: ListPlan) -> Signature | None:
    """The arguments of an operation; None where the document does not have it, or no list can send
    them.
    """
    operation = operations_by_id(document).get(plan.operation)
    if operation is None:
        return None
    read_as = plan.own.read_as
    try:
        found = parameters_of(document, operation)
    except SettingsError:
        return None
    return {
        name: _declared(document, each, may_be_empty=False if name in read_as else None)
        for name, each in found.items()
    }


def _declared(document: Tree, parameter: Tree, *, may_be_empty: bool | None = None) -> Declared:
    """`may_be_empty` is what the settings say; None: `minLength: 0` allows an empty text."""
    schema, not_enforced = split(given(document, mapping_at(parameter, "schema")))
    items = split(given(document, mapping_at(schema, "items")))[0]
    is_list_ = schema.get("type") == "array"
    type_ = f"list of {_type(items)}" if is_list_ and items else _type(schema)
    limits = limits_of(document, schema)
    if may_be_empty is None:
        may_be_empty = type_ == TYPES["string"] and bool(limits.get("minLength") == 0)
    return Declared(
        type=type_,
        location=str(parameter.get("in")),
        is_required=parameter.get("required") is True,
        words=allowed(items if is_list_ else schema),
        limits=limits,
        not_enforced=not_enforced,
        default=default_text(schema["default"]) if "default" in schema else "",
        may_be_empty=may_be_empty,
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
    yield from _other_default(before.default, after.default)
    yield from _not_enforced(before, after)
    for key in LIMITS:
        if key not in after.not_enforced:
            yield from _changed_limit(key, *_compared_limits(key, before, after))
    if "enum" not in after.not_enforced:
        yield from _changed_words(before.words, after.words)


def _other_default(before: str, after: str) -> Iterator[Change]:
    """The server's default, which is not sent: no call is refused by it."""
    if before == after:
        return
    said = f"the server's is {after}" if after else f"the server's is no longer {before}"
    if before and after:
        said += f", and not {before}"
    yield Change("other default", said)


def _not_enforced(before: Declared, after: Declared) -> Iterator[Change]:
    """The limits that nobody keeps, where the earlier document has others or keeps them. No call
    is refused by them.
    """
    for key, limit in after.not_enforced.items():
        if key in before.not_enforced and before.not_enforced[key] == limit:
            continue
        words = LIMITS.get(key, f"{key} {{}}")
        yield Change("not enforced", words.format(_listed(limit) if is_list(limit) else limit))


def _compared_limits(key: str, before: Declared, after: Declared) -> tuple[Any, Any]:
    """A limit in both documents; None: there is none. What is taken is compared: of texts and lists
    that are refused when they are empty, a least length of 1 says nothing new.
    """
    if key not in FEWEST:
        return before.limits.get(key), after.limits.get(key)
    old, new = before.fewest(key), after.fewest(key)
    return None if old <= min(new, 1) else old, None if new <= min(old, 1) else new


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


# ---- Headers, cookies, and the query beside a body ----


def _news_of_others(
    operation_id: str,
    function: str,
    before: Tree,
    after: Tree,
    locations: Collection[str],
    by_hand: Collection[str] = (),
) -> Iterator[str]:
    """What is new or changed of the parameters in these locations, which are no arguments.

    `by_hand` are the arguments that code by hand checks and sends.
    """
    old, new = (_others(each, operation_id, locations) for each in (before, after))
    for key, parameter in new.items():
        what, name = key
        place = f"{what} `{name}` in `{function}`"
        declared = _declared(after, parameter)
        is_by_hand = snake(name) in by_hand
        if key in old:
            who = HAND if locations == BESIDE_BODY else "no argument sends it"
            decided = dict.fromkeys((*LIMITS, "enum"), who)
            for change in _changes(_declared(before, old[key]), declared, may_be_left_out=True):
                yield change.line(place, decided)
            continue
        required = ["required", "breaking"] if declared.is_required else []
        how = (
            "code by hand sends it" if is_by_hand else f"no argument: {_sent_by(after, parameter)}"
        )
        yield ": ".join([f"new: {place} ({declared.text()})", *required, how])


def _others(
    document: Tree, operation_id: str, locations: Collection[str]
) -> dict[tuple[str, str], Tree]:
    """The parameters in these locations, by what they are called and their names."""
    operation = operations_by_id(document).get(operation_id)
    written = {} if operation is None else parameters(document, operation.item, operation.tree)
    found: dict[tuple[str, str], Tree] = {}
    for parameter in (resolve(document, each) for each in written.values()):
        location, name = str(parameter.get("in")), str(parameter.get("name"))
        if location in locations and (location != "header" or name.lower() not in BY_OTHERS):
            found["query parameter" if location == "query" else location, name] = parameter
    return found


def _sent_by(document: Tree, parameter: Tree) -> str:
    """What sends a parameter that is no argument."""
    if parameter.get("in") != "header":
        return "the generated function alone sends it"
    name, description = str(parameter.get("name")), str(parameter.get("description", ""))
    if is_key(document, name, mapping_at(parameter, "schema"), description):
        return "no call sends this key until code by hand does"
    return "`with_options(headers=...)` sends it"


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
        yield from _news_of_others(
            body.operation, body.function, before, after, BESIDE_BODY, body.by_hand
        )
    if bodies:
        yield from _news_without_entry(settings, before, after)
    plans = BodyPlans([*bodies], [*parts])
    outside_lists = {part.schema for body in bodies for part in plans.parts_in(body).values()}
    classes = {part.name: part for part in parts if part.has_class}
    for part in parts:
        own_part = settings.parts.get(part.schema, PartSettings())
        old, new = (_part_members(each, part.schema, own_part) for each in (before, after))
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


def _news_without_entry(settings: Settings, before: Tree, after: Tree) -> Iterator[str]:
    """What is new, changed or gone of the bodies that no settings make arguments of, beside others
    that they do.
    """
    for name, operation in operations_by_id(after).items():
        if name in settings.bodies or "operationId" not in operation.tree:
            continue
        old, new = (_body_members(each, name, MembersSettings()) for each in (before, after))
        if new is None:
            continue
        _, function = key_of(operation.tree)
        yield from _news_of_unchecked(dict.fromkeys(new, NOT_SENT), function, old, new)
        yield from (_gone(place, place, function) for place in old or {} if place not in new)
        yield from _news_of_others(name, function, before, after, BESIDE_BODY)


def _body_members(document: Tree, operation_id: str, own: MembersSettings) -> Signature | None:
    operation = operations_by_id(document).get(operation_id)
    if operation is None:
        return None
    return _sent(document, body_of(document, operation), own)


def _part_members(document: Tree, schema: str, own: MembersSettings) -> Signature | None:
    return _sent(document, given(document, {"$ref": REFERENCE + schema}), own)


def _sent(document: Tree, schema: Tree, own: MembersSettings) -> Signature | None:
    """The members of an object that is sent, by their places; None without one."""
    if not schema:
        return None
    found = members_in(schema, own.lift, lambda tree: given(document, tree))
    parameters = {
        place: {"in": "body", "required": each.is_required, "schema": each.schema}
        for place, each in found.items()
    }
    signature = {
        place: _declared(document, each, may_be_empty=place in own.empty)
        for place, each in parameters.items()
    }
    return {
        place: each._replace(may_be_empty=True) if each.type == "list of object" else each
        for place, each in signature.items()
    }


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
            required = _required(old, is_required=argument.is_required)
            holds = [undecided[argument.place]] if argument.place in undecided else []
            yield ": ".join([f"new: {place} ({after.text()})", *required, *holds])
            continue
        may_be_left_out = argument.place not in own.required
        for change in _changes(before, after, may_be_left_out=may_be_left_out):
            yield change.line(place, argument.decided)
    yield from _news_of_unchecked(_not_checked(own), where, old, new)
    yield from _news_of_untyped(plan.untyped, where, old, new, instead)
    for place in old or {}:
        if place not in new:
            yield _gone(own_name(snake(place.rpartition(".")[2])), place, where)


def _required(old: Signature | None, *, is_required: bool) -> list[str]:
    """What a line says of a member that is new and required. In a new object, it breaks nothing."""
    if not is_required:
        return []
    return ["required"] if old is None else ["required", "breaking"]


def _not_checked(own: MembersSettings) -> Mapping[str, str]:
    """The members that no argument of their own checks, each with what decides, by their places."""
    currencies = (currency for _, currency in own.money.values() if currency)
    return {**dict.fromkeys(own.set_by_hand, HAND), **dict.fromkeys(currencies, OF_MONEY)}


def _news_of_unchecked(
    decides: Mapping[str, str],
    where: str,
    old: Signature | None,
    new: Signature,
) -> Iterator[str]:
    """What is new or changed of what no generated argument checks; `decides` says what does."""
    for place, who in decides.items():
        said = f"`{place}` in `{where}`"
        before, after = (old or {}).get(place), new[place]
        if before is None:
            required = _required(old, is_required=after.is_required)
            yield ": ".join([f"new: {said} ({after.text()})", *required, who])
            continue
        decided = dict.fromkeys((*LIMITS, "enum"), who)
        for change in _changes(before, after, may_be_left_out=True):
            yield change.line(said, decided)


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
                name = own_field_name(str(PythonIdentifier(member.name, PREFIX)), record.taken)
                yield _gone(name, place, record.name)
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


def _news_of_field(
    record: RecordPlan, field: RecordField, before: _Member | None, kind: Kind
) -> Iterator[str]:
    """What is new or changed of a field; `before` is its member in the earlier document."""
    place = f"`{field.name}` in `{record.name}`"
    if before is None:
        decision = f": {PRIVATE}" if field.is_undecided else ""
        yield f"new: {place} ({_kind_text(kind)}){decision}"
        return
    yield from (change.line(place, {}) for change in _changed_kind(before.kind, kind))


def _changed_kind(was: Kind, kind: Kind) -> Iterator[Change]:
    if isinstance(kind, tuple) and isinstance(was, tuple):
        yield from (Change("new word", str(word)) for word in kind if word not in was)
    elif kind != was:
        said = f"{_kind_text(kind)}, and not {_kind_text(was)}"
        are_texts = is_text(kind) and is_text(was)
        what = "other text" if are_texts else "other type"
        yield Change(what, said, breaks=not are_texts)


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
            yield f"{_gone(member.name, member.name, part)}: {HAND}"


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
        return f"one of {_listed(kind)}"
    if is_list(kind):
        return f"list of {_kind_text(kind[0])}"
    return "value" if kind is None else KINDS.get(str(kind), str(kind))
