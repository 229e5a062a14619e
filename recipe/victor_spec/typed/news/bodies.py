"""What is new, changed or gone of the bodies of calls, and of request objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from victor_spec.requests import key as key_of
from victor_spec.tree import Tree
from victor_spec.typed.arguments import operations_by_id
from victor_spec.typed.bodies import BodyPlans, body_of
from victor_spec.typed.body_members import REFERENCE, members_in
from victor_spec.typed.checks import own_name, snake
from victor_spec.typed.limits import given
from victor_spec.typed.plans import CallPlan, PartPlan
from victor_spec.typed.settings import BodySettings, MembersSettings, PartSettings, Settings

from .amounts import decision, why_money
from .changes import HAND, PRIVATE, TYPES, Signature, changes_of, declared_of, gone
from .not_arguments import (
    BESIDE_BODY,
    news_of_others,
    news_of_unchecked,
    news_of_untyped,
    required_words,
)

NOT_SENT = "no generated argument sends it"
OF_MONEY = "`Money` decides"
BY_EXTRA = "`extra_body` sends it"
SENT_AS = {TYPES["string"]: "dollars", TYPES["number"]: "decimal"}
"""How an amount is sent exactly, by what its type is called."""
IN_LISTS = "nothing sends it: it stands in items of lists alone"
"""How a member is sent that is no argument."""


def news_of_bodies(
    bodies: Sequence[CallPlan],
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
        entry = f"bodies: {{{body.operation}"
        yield from _news_of_members(
            body.function, body, own, old, new or {}, undecided, BY_EXTRA, entry
        )
        yield from news_of_others(
            body.operation, body.function, before, after, BESIDE_BODY, own.by_hand
        )
    if bodies:
        yield from _news_without_entry(settings, before, after)
    plans = BodyPlans([*bodies], [*parts])
    outside_lists = {part.schema for body in bodies for part in plans.parts_in(body).values()}
    classes = {part.function: part for part in parts if part.has_class}
    for part in parts:
        own_part = settings.parts.get(part.schema, PartSettings())
        old, new = (_part_members(each, part.schema, own_part) for each in (before, after))
        undecided = _private(part, classes[part.function])
        by_extra = BY_EXTRA if part.schema in outside_lists else IN_LISTS
        entry = f"parts: {{{part.schema}"
        yield from _news_of_members(
            part.function, part, own_part, old, new or {}, undecided, by_extra, entry
        )


def _compared(body: CallPlan, own: BodySettings) -> Mapping[str, str]:
    """What is undecided of the arguments of a call, by their places: how an answer is compared."""
    if not body.has_table:
        return {}
    decided = own.compared_as or {}
    return {
        each.place: f"compared as {each.row['compared_as']}; undecided"
        for each in body.arguments
        if each.place not in decided
    }


def _private(part: PartPlan, made: PartPlan) -> Mapping[str, str]:
    """What is undecided of the fields of a request object, by their places: whether its repr shows
    them. `made` is the one that its class is made from.
    """
    decided = {*made.shown, *made.accounts}
    return {each.place: PRIVATE for each in part.arguments if each.name not in decided}


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
        yield from news_of_unchecked(dict.fromkeys(new, NOT_SENT), function, old, new)
        yield from (gone(place, place, function) for place in old or {} if place not in new)
        yield from news_of_others(name, function, before, after, BESIDE_BODY)


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
        place: declared_of(document, each, may_be_empty=place in own.empty)
        for place, each in parameters.items()
    }
    return {
        place: each._replace(may_be_empty=True) if each.type == "list of object" else each
        for place, each in signature.items()
    }


def _news_of_members(
    where: str,
    plan: CallPlan | PartPlan,
    own: MembersSettings,
    old: Signature | None,
    new: Signature,
    undecided: Mapping[str, str],
    instead: str,
    entry: str,
) -> Iterator[str]:
    """`undecided` has what holds of a member until somebody decides, by its place. `instead` says
    how a member is sent that is no argument. `entry` begins the line of settings for one.
    """
    for argument in plan.arguments:
        place = f"`{argument.name}` in `{where}`"
        before, after = (old or {}).get(argument.place), new[argument.place]
        if before is None:
            required = required_words(old, is_required=argument.is_required)
            sent_as = SENT_AS.get(after.type)
            pattern = str(after.limits.get("pattern", ""))
            why = why_money(argument.place, pattern, argument.description)
            is_named = any(argument.place == name for _, name in own.members())
            holds = [undecided[argument.place]] if argument.place in undecided else []
            if why and sent_as and not after.words and not is_named:
                line = f"{entry}: {{read_as: {{{argument.place}: {sent_as}}}}}}}"
                holds = [decision(why, line)]
            yield ": ".join([f"new: {place} ({after.text()})", *required, *holds])
            continue
        may_be_left_out = argument.place not in own.required
        for change in changes_of(before, after, may_be_left_out=may_be_left_out):
            yield change.line(place, argument.decided)
    yield from news_of_unchecked(_not_checked(own), where, old, new)
    yield from news_of_untyped(plan.untyped, where, old, new, instead)
    for place in old or {}:
        if place not in new:
            yield gone(own_name(snake(place.rpartition(".")[2])), place, where)


def _not_checked(own: MembersSettings) -> Mapping[str, str]:
    """The members that no argument of their own checks, each with what decides, by their places."""
    currencies = (currency for _, currency in own.money.values() if currency)
    return {**dict.fromkeys(own.set_by_hand, HAND), **dict.fromkeys(currencies, OF_MONEY)}
