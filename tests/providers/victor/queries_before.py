"""The arguments of Victor's list as they were declared by hand: `test_victor_queries` compares."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from victor_api import models
from victor_api.typed.words import DirectionWord, NetworkWord, StatusWord

from tests.providers.declared_before import After, checked
from victor_ext import zulu
from victor_ext.providers.victor import checks
from victor_ext.runtime.client.extras import ExtraQuery, extra_query_problems
from victor_ext.runtime.core.validation import (
    Rule,
    declared,
    moment_problem,
    rule,
    rules_of,
)

MAX_INT32 = 2**31 - 1


class Validation(checks.Validation):
    def zulu(self, field: str, value: Any, *, is_end: bool = False) -> str | None:
        problem = moment_problem(field, value)
        self.add(problem)
        if problem is not None:
            return None
        utc: datetime = value.astimezone(UTC)
        if is_end:
            with suppress(OverflowError):  # no moment is later
                utc += timedelta(microseconds=-utc.microsecond % 1000)
        return zulu.format(utc)


def _one_of(enum: type[StrEnum]) -> Rule:
    return rule(Validation.choice, tuple(member.value for member in enum))


class _Constant:
    """Of a filter by a value that never changes."""


_CONSTANT = _Constant()
_TEXT = rule(Validation.text)
_DAY = rule(Validation.day)
_START = rule(Validation.zulu)
_END = rule(Validation.zulu, is_end=True)


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ListRequest:
    status: Annotated[StatusWord | None, _one_of(models.ListPaymentRequestsStatus)] = None
    direction: Annotated[
        DirectionWord | None, _CONSTANT, _one_of(models.ListPaymentRequestsDirection)
    ] = None
    start_datetime: Annotated[datetime | None, _CONSTANT, _START] = None
    end_datetime: Annotated[datetime | None, _CONSTANT, After("start_datetime"), _END] = None
    victor_id: Annotated[str | None, _CONSTANT, _TEXT] = None
    due_date_start_date: Annotated[date | str | None, _CONSTANT, _DAY] = None
    due_date_end_date: Annotated[
        date | str | None, _CONSTANT, After("due_date_start_date"), _DAY
    ] = None
    approval_start_datetime: Annotated[datetime | None, _START] = None
    approval_end_datetime: Annotated[datetime | None, After("approval_start_datetime"), _END] = None
    victor_payment_request_parent_id: Annotated[str | None, _CONSTANT, _TEXT] = None
    victor_payment_request_child_id: Annotated[str | None, _CONSTANT, _TEXT] = None
    network_type: Annotated[
        NetworkWord | None, _CONSTANT, _one_of(models.ListPaymentRequestsNetworkType)
    ] = None
    tracking_id: Annotated[str | None, _CONSTANT, _TEXT] = None
    instant_payment_rails_id: Annotated[str | None, _CONSTANT, _TEXT] = None
    page: Annotated[int, rule(Validation.integer, 0, MAX_INT32)] = 0
    page_size: Annotated[int | None, rule(Validation.integer, 1, MAX_INT32)] = None
    extra_query: ExtraQuery | None = None

    def filters(self) -> dict[str, str]:
        """The filters that are not None, as text. Raises `InvalidRequest` with all problems."""
        with Validation("The list") as validation:
            sent = checked(validation, self)
            filters = {name: sent[name] for name in FILTERS if sent.get(name) is not None}
            validation.problems += extra_query_problems(
                self.extra_query, (*FILTERS, "page", "page_size")
            )
        return filters


FILTERS = tuple(name for name in rules_of(ListRequest) if name not in ("page", "page_size"))
FILTERS_TO_LEAVE = {*FILTERS} - declared(ListRequest, _Constant).keys()
"""The filters by values that can change, so that a request can leave the list while it is read."""
