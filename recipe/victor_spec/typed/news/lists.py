"""What is new, changed or gone of the arguments of operations without a body."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from openapi_python_client.strings import PythonIdentifier

from victor_spec.requests import PREFIX
from victor_spec.tree import Tree
from victor_spec.typed.arguments import operations_by_id, parameters_of
from victor_spec.typed.checks import own_name
from victor_spec.typed.plans import Argument, CallPlan
from victor_spec.typed.settings import SettingsError

from .changes import Declared, Signature, changes_of, declared_of, gone
from .not_arguments import BESIDE_QUERY, news_of_others, news_of_untyped

READ_AGAIN = "the list is read repeatedly; undecided"


def news_of_lists(plans: Sequence[CallPlan], before: Tree, after: Tree) -> Iterator[str]:
    """What is new, changed or gone of the arguments of operations without a body."""
    for plan in plans:
        old, new = (_signature(each, plan) for each in (before, after))
        if new is None:
            continue
        yield from _news_of_list(plan, old, new)
        yield from news_of_others(plan.operation, plan.function, before, after, BESIDE_QUERY)


def _signature(document: Tree, plan: CallPlan) -> Signature | None:
    """The arguments of an operation; None where the document does not have it, or no list can send
    them.
    """
    operation = operations_by_id(document).get(plan.operation)
    if operation is None:
        return None
    read_as = getattr(plan.own, "read_as", {})
    try:
        found = parameters_of(document, operation)
    except SettingsError:
        return None
    return {
        name: declared_of(document, each, may_be_empty=False if name in read_as else None)
        for name, each in found.items()
    }


def _news_of_list(plan: CallPlan, old: Signature | None, new: Signature) -> Iterator[str]:
    for argument in plan.arguments:
        after = new[argument.place]
        before = (old or {}).get(argument.place)
        place = f"`{argument.name}` in `{plan.function}`"
        if before is None:
            yield _new_argument(place, argument, after, is_breaking=old is not None)
            continue
        may_be_left_out = argument.place not in (*plan.own.required, *plan.own.positional)
        for change in changes_of(before, after, may_be_left_out=may_be_left_out):
            yield change.line(place, argument.decided)
    yield from news_of_untyped(plan.untyped, plan.function, old, new, "`extra_query` sends it")
    for wire in old or {}:
        if wire not in new:
            name = own_name(str(PythonIdentifier(wire, PREFIX)))
            yield gone(name, wire, plan.function)


def _new_argument(place: str, argument: Argument, declared: Declared, *, is_breaking: bool) -> str:
    said = f"new: {place} ({declared.text()})"
    if argument.is_required:
        return f"{said}: required: breaking" if is_breaking else f"{said}: required"
    return f"{said}: {READ_AGAIN}" if argument.row.get("leaves") else said
