"""`velo.payouts`: submit payments, have them quoted and paid, and wait for what becomes of them."""

from __future__ import annotations

from collections.abc import Collection

from velo_api.api.payouts import get_payout
from velo_api.typed import methods
from velo_api.typed.arguments import PACKAGE
from velo_api.typed.records import (
    Payment,
    Payout,
    PayoutPayment,
    PayoutSummary,
    Quote,
)
from velo_api.typed.words import PayoutStatusFilter

from victor_ext._privacy import one_line
from victor_ext._runtime.client.polling import poll
from victor_ext._runtime.client.resources import Resource
from victor_ext._runtime.client.runners import OperationFlow
from victor_ext._runtime.core.json_values import object_or_empty
from victor_ext._values.ids import reference_of
from victor_ext._values.words import Word
from victor_ext.errors import Conflict, InvalidRequest, Outcome, Problem
from victor_ext.typed import CheckedCall, Request

from ._operations import INSTRUCTION, PAID, PAYOUT_WITHDRAWAL, created_id
from ._reading import lists, read, reads, response_to, write
from ._system import PAYOUT_STATUSES

_STATUSES = frozenset(PAYOUT_STATUSES)


class _PayoutFlows(Resource):
    """The flows behind the generated methods."""

    _list = lists(PayoutSummary, sort="submittedDateTime:asc", tie="payoutId")
    _get = reads(Payout)
    _quote = reads(Quote)
    _payments = lists(PayoutPayment)
    _audited_payments = lists(Payment)

    def _submit(self, request: Request) -> OperationFlow[str]:
        _check_references(request)
        return created_id((yield from response_to(request))) or ""

    def _instruct(self, request: Request) -> OperationFlow[None]:
        request.check.finish()
        # Without a member, no body is sent.
        instruction = CheckedCall(request.operation, request.path, request.body or None)
        return write(instruction, get_payout, Payout, INSTRUCTION.done)

    def _withdraw(self, request: CheckedCall) -> OperationFlow[None]:
        return write(request, get_payout, Payout, PAYOUT_WITHDRAWAL.done)

    def _wait(
        self,
        payout_id: str,
        *,
        until: PayoutStatusFilter | Collection[PayoutStatusFilter],
        timeout: float,
    ) -> OperationFlow[Payout]:
        call = PACKAGE.call(get_payout, payout_id=payout_id)
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


class Payouts(methods.Payouts, _PayoutFlows):
    """Payouts: payments that are submitted, quoted and paid together.

    The order of calls: `submit`, `wait` until ACCEPTED, `quote` if the currencies differ,
    `instruct`. No money moves before `instruct`. Errors and filters are those of `Payees`.
    """


class AsyncPayouts(methods.AsyncPayouts, _PayoutFlows):
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
    words: list[object] = [until]
    if isinstance(until, Collection) and not isinstance(until, str):
        words = [*until]
    statuses: list[str] = []
    for word in words:
        status = word.strip().upper() if isinstance(word, str) else ""
        # A `Word` may be one that the document does not have.
        if status in _STATUSES or isinstance(word, Word):
            statuses.append(status)
    if not words or len(statuses) < len(words):
        message = f"until must be one or more of: {', '.join(sorted(_STATUSES))}."
        raise InvalidRequest.of([Problem("until", "choice", message)])
    return statuses
