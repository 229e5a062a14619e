"""`velo.payouts`: submit payments, have them quoted and paid, and wait for what becomes of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from velo_api import models
from velo_api.api.payouts import (
    get_payout,
    instruct_payout,
    list_payout_payments,
    quote_payout,
    submit_payout,
    withdraw_payout,
)

from victor_ext.errors import Conflict, InvalidRequest, Outcome, Problem, VictorError
from victor_ext.ids import is_same_id
from victor_ext.privacy import kind_of, one_line
from victor_ext.runtime.client.documented import Operation
from victor_ext.runtime.client.polling import poll
from victor_ext.runtime.client.resources import Mode, Walk, listing, operation
from victor_ext.runtime.client.runners import OperationFlow, call, call_without_body, drop_none
from victor_ext.words import Word

from .checks import Validation, check_id
from .paging import walk
from .payout_audit import PayoutAudit
from .profile import could_be_done
from .records import Payout, PayoutPayment, Quote, Receipt
from .requests import PaymentInstruction
from .words import PayoutStatusFilter, SubmittedStatusWord, TransmissionFilter

_INSTRUCTED = frozenset({"INSTRUCTED", "COMPLETED", "INCOMPLETE", "CONFIRMED"})
_WITHDRAWN = frozenset({"WITHDRAWN"})
_DEAD_ENDS = frozenset({"REJECTED", "WITHDRAWN"})
_PAID = frozenset({"COMPLETED", "INCOMPLETE", "CONFIRMED"})
_BEFORE_PAID = frozenset({"SUBMITTED", "ACCEPTED", "QUOTED", "INSTRUCTED"})
_STATUSES = _BEFORE_PAID | _PAID | _DEAD_ENDS
_PERCENT_LIMIT = 10**6


class Payouts(PayoutAudit[Mode]):
    """Payouts: payments that are submitted, quoted and paid together.

    The order of calls: `submit`, `wait` until ACCEPTED, `quote` if the currencies differ, `instruct`. No money moves
    before `instruct`.
    """

    @operation
    def submit(
        self,
        payments: Sequence[PaymentInstruction],
        *,
        memo: str | None = None,
        payout_from_payor_id: str | None = None,
        payout_to_payor_id: str | None = None,
    ) -> OperationFlow[str]:
        """Submit 1 to 2,000 payments. Returns the id of the payout.

        Velo takes no idempotency key, and does not detect a second submission. So the request is sent once. After a
        lost response the error's outcome is `unknown`: look with `payments.find(payor_payment_id, payor_id=...,
        since=...)` before you submit again; see docs/velo.md.

        A payout that was accepted is not paid yet, and some of its payments may be rejected later: see `get`.

        Args:
            payments: The payments, each with a `payor_payment_id` of its own.
            memo: For the payees' statements, up to 40 characters, where a payment has none of its own.
            payout_from_payor_id: The payor whose accounts pay; only together with `payout_to_payor_id`.
            payout_to_payor_id: The payor whose payees are paid.

        Raises:
            InvalidRequest: An argument breaks a rule; nothing was sent. `problems` has all of them.
            VictorError: Anything else; its `outcome` says whether the payout may exist.
        """
        validation = Validation()
        _check_references(validation, validation.requests("payments", payments, PaymentInstruction))
        options = drop_none(
            payout_memo=validation.text("memo", memo, 40, required=False),
            payout_from_payor_id=validation.id("payout_from_payor_id", payout_from_payor_id, required=False),
            payout_to_payor_id=validation.id("payout_to_payor_id", payout_to_payor_id, required=False),
        )
        if (payout_from_payor_id is None) is not (payout_to_payor_id is None):
            message = "payout_from_payor_id and payout_to_payor_id must be given together, or neither of them."
            validation.note("payout_to_payor_id", "choice", message)
        validation.finish("The payout")
        body = models.NewPayout(payments=[payment.to_model() for payment in payments], **options)
        return Receipt.of((yield from call_without_body(submit_payout, body=body))).id

    @operation
    def get(self, payout_id: str) -> OperationFlow[Payout]:
        """Read the state of a payout, and which of its payments were accepted or rejected."""
        check_id("payout_id", payout_id, "The payout")
        return (yield from _read(payout_id))

    @operation
    def quote(self, payout_id: str) -> OperationFlow[Quote]:
        """Fix the exchange rates of a payout, where the source's currency is not the payment's.

        No money moves. The request is sent once; after a lost response `get` shows the quote, if it was made.
        """
        check_id("payout_id", payout_id, "The payout")
        return Quote((yield from call(quote_payout, models.Quote, payout_id=payout_id)))

    @operation
    def instruct(self, payout_id: str, *, stop_if_rates_worse_by: float | None = None) -> OperationFlow[None]:
        """Have a payout paid. This moves money, takes no key, and is sent once.

        After a lost response the payout is read: if it shows that it was instructed, the call returns. If it does not,
        the outcome is unknown, because Velo goes on after its 202: read it again later. Velo answers a second
        instruction with a conflict, and pays once.

        Args:
            payout_id: The payout.
            stop_if_rates_worse_by: Percent by which rates may have worsened since the quote, 0 or more. None sets no
                limit.

        Raises:
            InvalidRequest: An argument breaks a rule; nothing was sent.
            Conflict: It was instructed before, or cannot be instructed; outcome `unknown`: read the payout.
            VictorError: Anything else; its outcome is `unknown` when the payout may have been instructed.
        """
        check_id("payout_id", payout_id, "The payout")
        body = None
        if stop_if_rates_worse_by is not None:
            percent = _checked_percent(stop_if_rates_worse_by)
            body = models.Instruction(fx_rate_degredation_threshold_percentage=percent)
        yield from _write(instruct_payout, payout_id, _INSTRUCTED, **drop_none(body=body))

    @operation
    def withdraw(self, payout_id: str) -> OperationFlow[None]:
        """Withdraw a payout that is not paid yet; it stays readable. After a lost response see `instruct`.

        Raises:
            InvalidRequest: It is not an id; nothing was sent.
            Conflict: It cannot be withdrawn any more, or was withdrawn before; outcome `unknown`: read the payout.
            VictorError: Anything else; its outcome is `unknown` when the payout may have been withdrawn.
        """
        check_id("payout_id", payout_id, "The payout")
        yield from _write(withdraw_payout, payout_id, _WITHDRAWN)

    @operation
    def wait(
        self, payout_id: str, *, until: PayoutStatusFilter | Collection[PayoutStatusFilter], timeout: float = 300.0
    ) -> OperationFlow[Payout]:
        """Read a payout repeatedly until it has a status.

        Args:
            payout_id: The payout.
            until: A status, or several: `"ACCEPTED"`, `("COMPLETED", "CONFIRMED")`. Any letter case is taken; type
                checkers know capital letters.
            timeout: Seconds to wait in all; 0 reads once.

        Raises:
            InvalidRequest: An argument cannot be right, such as a status that Velo does not have; nothing was sent.
            Conflict: It was rejected or withdrawn instead, or is past the status.
            TimedOut: It did not have the status in that time.

        Velo's document does not say in which order COMPLETED, INCOMPLETE and CONFIRMED follow each other, so one of
        them may still become another, and is waited on: to wait until a payout is paid, name all that will do.
        """
        check_id("payout_id", payout_id, "The payout")
        wanted = _checked_statuses(until)

        def reached(payout: Payout) -> bool:
            if payout.status in wanted:
                return True
            if payout.status in _DEAD_ENDS or (payout.status in _PAID and _PAID.isdisjoint(wanted)):
                raise _dead_end(payout, payout_id, wanted)
            return False

        return (
            yield from poll(
                self,
                lambda seconds: _read(payout_id, seconds),
                reached,
                goal=f"Payout {payout_id} did not become {' or '.join(wanted)}",
                advice="Wait again, or read the payout later.",
                timeout=timeout,
                describe=_last_seen,
            )
        )

    @listing
    def payments(
        self,
        payout_id: str,
        *,
        payor_payment_id: str | None = None,
        remote_id: str | None = None,
        status: SubmittedStatusWord | None = None,
        source_account_name: str | None = None,
        transmission_type: TransmissionFilter | None = None,
        payment_memo: str | None = None,
        page_size: int | None = None,
    ) -> Walk[PayoutPayment]:
        """The payments of a payout, read page by page as they are iterated. The filters have Velo's names.

        `page_size` is 1 to 100 (Velo's default is 25).
        """
        validation = Validation()
        texts = {
            "payor_payment_id": payor_payment_id,
            "remote_id": remote_id,
            "status": status,
            "source_account_name": source_account_name,
            "transmission_type": transmission_type,
            "payment_memo": payment_memo,
        }
        arguments = drop_none(
            payout_id=validation.id("payout_id", payout_id),
            **validation.texts(texts),
            page_size=validation.page_size(page_size, 100),
        )
        validation.finish("The payments of the payout")
        what = "list of payments"
        return walk(list_payout_payments, PayoutPayment, lambda payment: payment.id, what, arguments)


def _check_references(validation: Validation, payments: Sequence[PaymentInstruction | None]) -> None:
    """Each payment has a reference of its own: after a lost response nothing else distinguishes them."""
    seen: dict[str, int] = {}
    for place, payment in enumerate(payments):
        reference: object = None if payment is None else payment.payor_payment_id
        first = seen.setdefault(reference, place) if isinstance(reference, str) else place
        if first != place:
            message = f"payments[{place}].payor_payment_id is that of payments[{first}]: give each payment its own."
            validation.note(f"payments[{place}].payor_payment_id", "repeated", message)


def _checked_percent(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _PERCENT_LIMIT:
        shown = repr(value) if isinstance(value, float) else kind_of(value)
        message = f"stop_if_rates_worse_by is {shown} and must be a percentage, 0 or more, as int or float."
        raise InvalidRequest.of([Problem("stop_if_rates_worse_by", "range", message)])
    return float(value)


def _checked_statuses(until: str | Collection[str]) -> tuple[str, ...]:
    given: object = until
    wanted = (until,) if isinstance(until, str) else tuple(until) if isinstance(given, Collection) else ()
    if not wanted or not all(isinstance(word, Word) or _is_status(word) for word in wanted):
        message = f"until must be one or more of: {', '.join(sorted(_STATUSES))}."
        raise InvalidRequest.of([Problem("until", "choice", message)])
    return tuple(word.strip().upper() for word in wanted)


def _is_status(word: object) -> bool:
    return isinstance(word, str) and word.strip().upper() in _STATUSES


def _read(payout_id: str, seconds: float | None = None) -> OperationFlow[Payout]:
    return Payout((yield from call(get_payout, models.Payout, seconds, payout_id=payout_id)))


def _write(write: Operation, payout_id: str, done: Collection[str], **arguments: object) -> OperationFlow[None]:
    """Send a write once. After a lost response, read whether it was done. A conflict is with an earlier call's work."""
    try:
        yield from call_without_body(write, payout_id=payout_id, **arguments)
    except VictorError as error:
        if not could_be_done(error) or not (yield from _has_status(payout_id, done)):
            raise


def _has_status(payout_id: str, statuses: Collection[str]) -> OperationFlow[bool]:
    try:
        payout = yield from _read(payout_id)
    except VictorError:
        return False
    # A response about another payout (from a cache, a proxy) proves nothing about this one.
    return is_same_id(payout.id, payout_id) and payout.status in statuses


def _last_seen(payout: Payout) -> str:
    """A payout that did not reach a wanted status in time. It may be paid, under another status."""
    hint = f" (paid: if {payout.status} will do, name it in until)" if payout.status in _PAID else ""
    return f"{payout!r}{hint}"


def _dead_end(payout: Payout, payout_id: str, wanted: Sequence[str]) -> Conflict:
    return Conflict(
        f"Payout {payout_id} is {one_line(payout.status)}, so it can no longer become {' or '.join(wanted)}. "
        "`get` shows which payments were rejected, and why.",
        outcome=Outcome.REJECTED,
    )
