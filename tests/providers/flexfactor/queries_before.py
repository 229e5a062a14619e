"""The filters of orders as they were declared by hand: `test_flexfactor_queries` compares."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, cast

from tests.providers.declared_before import After, checked
from victor_ext.providers.flexfactor import OrderStatus
from victor_ext.providers.flexfactor.checks import MOST, Validation
from victor_ext.runtime.core.validation import rule

Status = (
    OrderStatus
    | int
    | Literal[
        "DRAFT",
        "ONHOLD",
        "CANCELLED",
        "PROBLEM",
        "PROCESSING",
        "CAPTUREREQUIRED",
        "RETURNED",
        "COMPLETED",
    ]
)
"""A status as a caller writes it.

The names are closed: a type checker refuses a misspelt one, as the client does.
"""


def status_numbers(validation: Validation, argument: str, status: object) -> list[int] | None:
    """The numbers of one status or several, each given as a member, a number or a name; None: no
    status was given.
    """
    if not isinstance(status, Sequence) or isinstance(status, str | bytes):
        status = () if status is None else (status,)
    elif not status:
        validation.note(argument, "choice", f"{argument} is empty: name a status, or leave it out.")
    numbers: list[int] = []
    for wanted in cast("Sequence[object]", status):
        number = wanted
        if isinstance(wanted, str):
            number = OrderStatus.__members__.get(wanted.strip().upper())
        if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= MOST:
            numbers.append(int(number))
        else:
            names = ", ".join(OrderStatus.__members__)
            validation.note(
                argument, "choice", f"{argument} must be numbers, or names among: {names}."
            )
    return numbers or None


def _checked_sort(validation: Validation, argument: str, sort: object) -> object:
    """The order of a list: `"asc"` or `"desc"`."""
    if sort not in ("asc", "desc"):
        validation.note(argument, "choice", f"{argument} must be 'asc' or 'desc'.")
    return sort


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OrderFilters:
    # The arguments of `orders.list`, each with its rule.
    query: Annotated[str | None, rule(Validation.text, shortest=0)] = None
    status: Annotated[Status | Sequence[Status] | None, rule(status_numbers)] = None
    start: Annotated[datetime | None, rule(Validation.moment)] = None
    end: Annotated[datetime | None, After("start"), rule(Validation.moment)] = None
    mid: Annotated[str | None, rule(Validation.text, shortest=0)] = None
    order_by: Annotated[str | None, rule(Validation.text, shortest=0)] = None
    sort: Annotated[Literal["asc", "desc"] | None, rule(_checked_sort)] = None
    page: Annotated[int, rule(Validation.integer, 1, MOST)] = 1
    page_size: Annotated[int | None, rule(Validation.integer, 1, MOST)] = None

    def arguments(self) -> tuple[dict[str, Any], bool]:
        """What is sent, and whether orders may leave a filter. Raises `InvalidRequest`."""
        with Validation("orders.list") as validation:
            filters = checked(validation, self)
        filters["page_number"] = filters.pop("page")
        for name, generated_name in (("start", "from_"), ("end", "to")):
            if name in filters:
                filters[generated_name] = filters.pop(name).astimezone(UTC)
        return filters, "status" in filters
