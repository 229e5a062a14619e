"""What is new, changed or gone of the arguments of calls, and of the fields of request objects; and
of what a caller can send and no argument sends.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from victor_spec.requests import key as key_of
from victor_spec.rewrites.keys import READING, is_key
from victor_spec.rewrites.operations import OF_TRANSPORT
from victor_spec.tree import Operation, Tree, mapping_at, parameters, resolve
from victor_spec.typed.arguments import operations_by_id, parameters_of
from victor_spec.typed.bodies import BodyPlans, body_of
from victor_spec.typed.body_members import REFERENCE, members_in
from victor_spec.typed.checks import own_name, snake
from victor_spec.typed.limits import given
from victor_spec.typed.plans import Argument, CallPlan, MembersPlan, PartPlan
from victor_spec.typed.settings import (
    CallSettings,
    MembersSettings,
    Settings,
    SettingsError,
)

from .amounts import decision, why_money
from .changes import (
    HAND,
    LIMITS,
    PRIVATE,
    TYPES,
    Declared,
    Signature,
    changes_of,
    declared_of,
    gone,
)

BESIDE_QUERY = ("header", "cookie")
BESIDE_BODY = ("query", *BESIDE_QUERY)
"""Where the parameters stand that are no arguments: of lists and calls, and of operations that send
an object.
"""
BY_OTHERS = frozenset({"accept", "authorization", "content-type", *OF_TRANSPORT})
"""Headers that are no parameters (OpenAPI 3, Parameter Object), or that httpx writes."""
READ_AGAIN = "the list is read repeatedly; undecided"
NOT_SENT = "no generated argument sends it"
OF_MONEY = "`Money` decides"
BY_QUERY, BY_BODY = "`extra_query` sends it", "`extra_body` sends it"
IN_LISTS = "nothing sends it: it stands in items of lists alone"
"""How a member is sent that is no argument."""
KEY = "without a row by hand, a client with this key sends a random one, the same in all attempts"
SENT_AS = {TYPES["string"]: "dollars", TYPES["number"]: "decimal"}
"""How an amount is sent exactly, by what its type is called."""
DOLLARS = "if it is US dollars, above zero, with at most two decimals, "
"""For which texts that is so."""


def news_of_calls(
    lists: Sequence[CallPlan], calls: BodyPlans, settings: Settings, before: Tree, after: Tree
) -> Iterator[str]:
    """What is new, changed or gone, one line for each argument or field."""
    for plan in (*lists, *calls.bodies):
        old, new = (_signature(each, plan.operation, plan.own) for each in (before, after))
        if new is not None:
            instead = BY_BODY if plan.has_body else BY_QUERY
            yield from _news_of_members(plan, plan.own, old, new, instead)
            locations = BESIDE_BODY if plan.has_body else BESIDE_QUERY
            by_hand = plan.own.by_hand
            yield from _news_of_others(
                plan.operation, plan.function, before, after, locations, by_hand
            )
    if calls.bodies:
        yield from _news_without_entry(settings, before, after)
    outside_lists = {part.schema for body in calls.bodies for part in calls.parts_in(body).values()}
    for part in calls.parts:
        schema = {"$ref": REFERENCE + part.schema}
        old, new = (_members(each, given(each, schema), part.own) for each in (before, after))
        instead = BY_BODY if part.schema in outside_lists else IN_LISTS
        yield from _news_of_members(part, part.own, old, new or {}, instead)


# ---- What a document declares ----


def _signature(
    document: Tree, operation_id: str, own: CallSettings | MembersSettings
) -> Signature | None:
    """The arguments of an operation, by their places; None where the document does not have it, or
    nothing can send them.
    """
    operation = operations_by_id(document).get(operation_id)
    if operation is None:
        return None
    if isinstance(own, MembersSettings):
        return _members(document, body_of(document, operation), own)
    return _query(document, operation, own)


def _query(document: Tree, operation: Operation, own: CallSettings) -> Signature | None:
    try:
        found = parameters_of(document, operation)
    except SettingsError:
        return None
    return {
        name: declared_of(document, each, may_be_empty=False if name in own.read_as else None)
        for name, each in found.items()
    }


def _members(document: Tree, schema: Tree, own: MembersSettings) -> Signature | None:
    """The members of an object that is sent, by their places; None without one."""
    if not schema:
        return None
    signature: dict[str, Declared] = {}
    for place, member in members_in(schema, own.lift, lambda tree: given(document, tree)).items():
        parameter = {"in": "body", "required": member.is_required, "schema": member.schema}
        signature[place] = declared_of(document, parameter, may_be_empty=place in own.empty)
    return signature


# ---- Lines ----


def _lines(
    said: str,
    before: Declared | None,
    after: Declared,
    *,
    is_breaking: bool,
    beside: Sequence[str] = (),
    decided: Mapping[str, str],
    may_be_left_out: bool = True,
) -> Iterator[str]:
    """What is said of one that is new, or that changed. `is_breaking` is whether what is new and
    required breaks; `beside` is what else a line says of what is new.
    """
    if before is not None:
        changes = changes_of(before, after, may_be_left_out=may_be_left_out)
        yield from (change.line(said, decided) for change in changes)
        return
    required = ["required", "breaking"] if is_breaking else ["required"]
    yield ": ".join(
        [f"new: {said} ({after.text()})", *(required if after.is_required else ()), *beside]
    )


def _news_of_members(
    plan: MembersPlan,
    own: CallSettings | MembersSettings,
    old: Signature | None,
    new: Signature,
    instead: str,
) -> Iterator[str]:
    """`instead` says how a member is sent that is no argument."""
    known = old or {}
    where = f"in `{plan.function}`"
    required = own.positional if isinstance(own, CallSettings) else own.required
    for argument in plan.arguments:
        place = argument.place
        after = new[place]
        if place not in known:
            after = after._replace(is_required=argument.is_required)
        yield from _lines(
            f"`{argument.name}` {where}",
            known.get(place),
            after,
            is_breaking=old is not None,
            beside=_holds_of(argument, after, plan, own),
            decided=argument.decided,
            may_be_left_out=place not in required,
        )
    yield from _news_of_unchecked(_not_checked(own), plan.function, old, new)
    for place in plan.untyped:
        before, after = known.get(place), new[place]
        if before is None:
            yield f"new: `{place}` {where} ({after.type}): no argument: {instead}"
        elif before.type != after.type:
            is_now = f"{after.type} instead of {before.type}"
            yield f"changed: `{place}` {where}: {is_now}: no argument: {instead}: breaking"
    lifted = own.entry("lift")
    for place in known:
        if place not in new:
            yield gone(own_name(snake(_within(place, lifted))), place, plan.function)


def _within(place: str, lifted: Collection[str]) -> str:
    """The name of a member, in the object that is lifted."""
    for name in lifted:
        if place.startswith(f"{name}."):
            return place.removeprefix(f"{name}.")
    return place


def _holds_of(
    argument: Argument, declared: Declared, plan: MembersPlan, own: CallSettings | MembersSettings
) -> list[str]:
    """What holds of a new argument until somebody decides."""
    row = argument.row
    if not isinstance(own, MembersSettings):
        return [READ_AGAIN] if "leaves" in row and not argument.is_required else []
    sent_as = SENT_AS.get(declared.type)
    pattern = str(declared.keywords.get("pattern", ""))
    why = why_money(argument.place, pattern, argument.description)
    is_named = any(argument.place == name for _, name in own.members())
    if why and sent_as and "enum" not in declared.keywords and not is_named:
        group = f"parts: {{{plan.schema}" if isinstance(plan, PartPlan) else ""
        if isinstance(plan, CallPlan):
            group = f"bodies: {{{plan.operation}"
        line = f"{group}: {{read_as: {{{argument.place}: {sent_as}}}}}}}"
        return [decision(why, line, DOLLARS if sent_as == "dollars" else "")]
    if isinstance(plan, PartPlan):
        return [] if argument.name in plan.decided else [PRIVATE]
    is_decided = argument.place in (own.entry("compared_as") or ())
    if "compared_as" not in row or is_decided:
        return []
    return [f"compared as {row['compared_as']}; undecided"]


def _not_checked(own: CallSettings | MembersSettings) -> Mapping[str, str]:
    """The members that no argument of their own checks, each with what decides, by their places."""
    currencies = (currency for _, currency in own.entry("money").values() if currency)
    return {**dict.fromkeys(own.set_by_hand, HAND), **dict.fromkeys(currencies, OF_MONEY)}


def _news_of_unchecked(
    decides: Mapping[str, str], function: str, old: Signature | None, new: Signature
) -> Iterator[str]:
    """What is new or changed of the members that no generated argument checks. `decides` has, by
    the place of each, what decides over it instead, such as code by hand.
    """
    for place, decider in decides.items():
        if place not in new:
            continue  # a part of the path of an operation with a body
        yield from _lines(
            f"`{place}` in `{function}`",
            (old or {}).get(place),
            new[place],
            is_breaking=old is not None,
            beside=[decider],
            decided=dict.fromkeys(LIMITS, decider),
        )


def _news_without_entry(settings: Settings, before: Tree, after: Tree) -> Iterator[str]:
    """What is new, changed or gone of the bodies that no settings make arguments of, beside others
    that they do.
    """
    for name, operation in operations_by_id(after).items():
        if name in settings.bodies or "operationId" not in operation.tree:
            continue
        old, new = (_signature(each, name, MembersSettings()) for each in (before, after))
        if new is None:
            continue
        _, function = key_of(operation.tree)
        yield from _news_of_unchecked(dict.fromkeys(new, NOT_SENT), function, old, new)
        yield from (gone(place, place, function) for place in old or {} if place not in new)
        yield from _news_of_others(name, function, before, after, BESIDE_BODY)


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
    who = HAND if locations == BESIDE_BODY else "no argument sends it"
    for key, parameter in new.items():
        what, name = key
        how = "code by hand sends it"
        if snake(name) not in by_hand:
            method = operations_by_id(after)[operation_id].method
            how = f"no argument: {_sent_by(after, parameter, method)}"
        yield from _lines(
            f"{what} `{name}` in `{function}`",
            declared_of(before, old[key]) if key in old else None,
            declared_of(after, parameter),
            is_breaking=True,
            beside=[how],
            decided=dict.fromkeys(LIMITS, who),
        )


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


def _sent_by(document: Tree, parameter: Tree, method: str) -> str:
    """What sends a parameter that is no argument."""
    if parameter.get("in") != "header":
        return "the generated function alone sends it"
    name, description = str(parameter.get("name")), str(parameter.get("description", ""))
    if is_key(document, name, mapping_at(parameter, "schema"), description):
        return "a read sends no key" if method in READING else KEY
    return "`with_options(headers=...)` sends it"
