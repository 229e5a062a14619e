"""`velo.payouts`: submit payments, have them quoted and paid, and wait for what becomes of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from velo_api import models
from velo_api.api.payouts import instruct_payout
from velo_api.typed import arguments, methods
from velo_api.typed.records import (
    Payment,
    Payout,
    PayoutHistory,
    PayoutPayment,
    PayoutStatistics,
    PayoutSummary,
    Quote,
)
from velo_api.typed.words import PayoutStatusFilter

from victor_ext.errors import Conflict, InvalidRequest, Outcome, Problem
from victor_ext.ids import reference_of
from victor_ext.privacy import one_line
from victor_ext.runtime.client.polling import poll
from victor_ext.runtime.client.resources import Awaited, Blocking, Mode, Resource, operation
from victor_ext.runtime.client.runners import OperationFlow, call
from victor_ext.runtime.core.json_values import object_or_empty
from victor_ext.typed import CheckedCall, Query, Request
from victor_ext.words import Word

from .operations import INSTRUCTION, PAID, PAYOUT_WITHDRAWAL, Receipt
from .reading import ListOrder, lists, read, reads, response_to, write
from .system import PAYOUT_STATUSES

_STATUSES = frozenset(PAYOUT_STATUSES)
# Velo's own order is by time alone.
_ORDER = ListOrder("submittedDateTime:asc", "payoutId")


class _PayoutOperations(Resource[Mode]):
    """The flow behind the generated method, and the operations that have no generated one."""

    def _submit(self, request: Request) -> OperationFlow[str]:
        _check_references(request)
        body = request.body
        if ("payoutFromPayorId" in body) is not ("payoutToPayorId" in body):
            message = (
                "payout_from_payor_id and payout_to_payor_id must be given together, or neither of "
                "them."
            )
            request.check.note("payout_to_payor_id", "choice", message)
        return Receipt.of((yield from response_to(request))).id

    get = reads(arguments.get_payout, Payout)

    quote = reads(arguments.quote_payout, Quote)

    @operation
    def instruct(
        self, payout_id: str, *, stop_if_rates_worse_by: float | None = None
    ) -> OperationFlow[None]:
        """Have a payout paid. This moves money, takes no key, and is sent once.

        After a lost response the payout is read: if it shows that it was instructed, the call
        returns. If it does not, the outcome is unknown, because Velo goes on after its 202: read it
        again later. Velo answers a second instruction with a conflict, and pays once.
        `stop_if_rates_worse_by` is the percentage, 0 or more, by which rates may have worsened
        since the quote; None sets no limit.

        Raises:
            Conflict: It was instructed before, or cannot be instructed; outcome `unknown`: read the
                payout.

        Examples:
            >>> velo.payouts.instruct(payout_id)
        """
        worse: Any = stop_if_rates_worse_by
        is_number = isinstance(worse, int | float) and not isinstance(worse, bool)
        with Query("The payout") as check:
            check.form("payout_id", payout_id, arguments.PACKAGE.forms["id"])
            if worse is not None and not (is_number and 0 <= worse < 10**6):
                field = "stop_if_rates_worse_by"
                message = f"{field} must be a percentage, 0 or more, as int or float."
                check.note(field, "range", message)
        body = None
        if worse is not None:
            body = models.Instruction(fx_rate_degredation_threshold_percentage=float(worse))
        call = CheckedCall(instruct_payout, {"payout_id": payout_id}, body)
        return write(call, arguments.get_payout, Payout, INSTRUCTION.done)

    @operation
    def withdraw(self, payout_id: str) -> OperationFlow[None]:
        """Withdraw a payout that is not paid yet; it stays readable. After a lost response see
        `instruct`.

        Raises:
            Conflict: It cannot be withdrawn any more, or was withdrawn before; outcome `unknown`:
                read the payout.

        Examples:
            >>> other_id = velo.payouts.submit(
            ...     [dataclasses.replace(payment, payor_payment_id="INV-1043")]
            ... )
            >>> velo.payouts.withdraw(other_id)
        """
        call = arguments.withdraw_payout(payout_id)
        return write(call, arguments.get_payout, Payout, PAYOUT_WITHDRAWAL.done)

    @operation
    def wait(
        self,
        payout_id: str,
        *,
        until: PayoutStatusFilter | Collection[PayoutStatusFilter],
        timeout: float = 300.0,
    ) -> OperationFlow[Payout]:
        """Read a payout repeatedly `until` it has a status (`"ACCEPTED"`), or one of several.

        Any letter case is taken; type checkers know capital letters. Velo's document does not say
        in which order COMPLETED, INCOMPLETE and CONFIRMED follow each other, so one of them may
        still become another, and is waited on: to wait until a payout is paid, name all that will
        do.

        Raises:
            Conflict: It was rejected or withdrawn instead, or is past the status.
            TimedOut: It did not have the status in `timeout` seconds; 0 reads once.

        Examples:
            >>> velo.payouts.wait(
            ...     payout_id, until=("COMPLETED", "CONFIRMED"), timeout=30
            ... ).payments_accepted
            1
        """
        call = arguments.get_payout(payout_id)
        wanted = _checked_statuses(until)
        goal = " or ".join(wanted)

        def reached(payout: Payout) -> bool:
            if payout.status in wanted:
                return True
            if payout.status in ("REJECTED", "WITHDRAWN") or (
                payout.status in PAID and PAID.isdisjoint(wanted)
            ):
                message = (
                    f"Payout {payout_id} is {one_line(payout.status)}, so it can no longer "
                    f"become {goal}."
                )
                raise Conflict(
                    f"{message} `get` shows which payments were rejected.", outcome=Outcome.REJECTED
                )
            return False

        return poll(
            self._shared,
            lambda seconds: read(call, Payout, seconds),
            reached,
            goal=f"Payout {payout_id} did not become {goal}",
            advice="Wait again, or read the payout later.",
            timeout=timeout,
        )

    payments = lists(arguments.list_payout_payments, PayoutPayment)

    list = lists(arguments.list_payouts, PayoutSummary, order=_ORDER)

    @operation
    def history(self, payout_id: str) -> OperationFlow[PayoutHistory]:
        """Read when a payout was submitted, quoted, instructed or withdrawn, and how many payments
        got how far.

        Examples:
            >>> velo.payouts.history(payout_id).total_payments
            1
        """
        # The history is the summary beside a page of payments.
        query = arguments.get_payout_history(payout_id, page_size=1)
        page = yield from call(query.operation, untyped=query.untyped, **query.arguments)
        return PayoutHistory(object_or_empty(page.get("summary")))

    audited_payments = lists(arguments.get_payout_history, Payment)

    statistics = reads(arguments.get_payout_statistics, PayoutStatistics)


class Payouts(methods.Payouts, _PayoutOperations[Blocking]):
    """Payouts: payments that are submitted, quoted and paid together.

    The order of calls: `submit`, `wait` until ACCEPTED, `quote` if the currencies differ,
    `instruct`. No money moves before `instruct`. Errors and filters are those of `Payees`.
    """


class AsyncPayouts(methods.AsyncPayouts, _PayoutOperations[Awaited]):
    """The same operations, awaited."""


def _check_references(request: Request) -> None:
    """Each payment has a reference of its own: after a lost response nothing else distinguishes
    them.
    """
    seen: dict[str, int] = {}
    for place, payment in enumerate(request.body["payments"]):
        reference = object_or_empty(payment).get("payorPaymentId")
        if not isinstance(reference, str):
            continue
        first = seen.setdefault(reference_of(reference), place)
        if first != place:
            message = (
                f"payments[{place}].payor_payment_id is that of payments[{first}]: give "
                "each payment its own."
            )
            request.check.note(f"payments[{place}].payor_payment_id", "repeated", message)


def _checked_statuses(until: object) -> list[str]:
    wanted: list[object] = (
        [until] if isinstance(until, str) else [*until] if isinstance(until, Collection) else []
    )
    statuses = [word.strip().upper() for word in wanted if isinstance(word, str)]
    # A `Word` may be one that the document does not have.
    known = [
        isinstance(word, Word) or status in _STATUSES
        for word, status in zip(wanted, statuses, strict=False)
    ]
    if not statuses or len(statuses) < len(wanted) or not all(known):
        message = f"until must be one or more of: {', '.join(sorted(_STATUSES))}."
        raise InvalidRequest.of([Problem("until", "choice", message)])
    return statuses
