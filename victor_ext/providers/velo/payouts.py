"""`velo.payouts`: submit payments, have them quoted and paid, and wait for what becomes of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from velo_api import models
from velo_api.api.payouts import (
    get_payout,
    get_payout_history,
    get_payout_statistics,
    instruct_payout,
    list_payout_payments,
    list_payouts,
    quote_payout,
    submit_payout,
    withdraw_payout,
)

from victor_ext.errors import Conflict, InvalidRequest, Outcome, Problem
from victor_ext.privacy import kind_of, one_line
from victor_ext.runtime.client.polling import poll
from victor_ext.runtime.client.resources import Mode, Resource, Walk, arguments_of, listing, operation
from victor_ext.runtime.client.runners import OperationFlow, call, call_without_body, drop_none
from victor_ext.words import Word

from .checks import Validation, check_id
from .profile import Receipt
from .reading import AuditedPaymentList, PayoutList, PayoutPaymentList, has_status, read, walk, write
from .records import Payment, Payout, PayoutHistory, PayoutPayment, PayoutStatistics, PayoutSummary, Quote
from .requests import PaymentInstruction
from .settings import PayoutStatusFilter

_INSTRUCTED = frozenset({"INSTRUCTED", "COMPLETED", "INCOMPLETE", "CONFIRMED"})
_WITHDRAWN = frozenset({"WITHDRAWN"})
_DEAD_ENDS = frozenset({"REJECTED", "WITHDRAWN"})
_PAID = frozenset({"COMPLETED", "INCOMPLETE", "CONFIRMED"})
_BEFORE_PAID = frozenset({"SUBMITTED", "ACCEPTED", "QUOTED", "INSTRUCTED"})
_STATUSES = _BEFORE_PAID | _PAID | _DEAD_ENDS
_PERCENT_LIMIT = 10**6


class Payouts(Resource[Mode]):
    """Payouts: payments that are submitted, quoted and paid together.

    The order of calls: `submit`, `wait` until ACCEPTED, `quote` if the currencies differ, `instruct`. No money moves
    before `instruct`. A method raises `InvalidRequest` before anything is sent if an argument cannot be right, and else
    `VictorError`: its `outcome` says whether a write may have been done.
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

        Examples:
            >>> payment = PaymentInstruction(
            ...     remote_id="payee-7", amount=Money.of("44.23", "USD"), source_account_name="USD account",
            ...     payor_payment_id="INV-1042",
            ... )
            >>> payout_id = velo.payouts.submit([payment])
            >>> velo.payouts.wait(payout_id, until="ACCEPTED", timeout=30).payments_accepted
            1
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
        """Read the state of a payout, and which of its payments were accepted or rejected.

        Examples:
            >>> velo.payouts.get(payout_id).payments_submitted
            1
        """
        return (yield from read(get_payout, Payout, payout_id=payout_id))

    @operation
    def quote(self, payout_id: str) -> OperationFlow[Quote]:
        """Fix the exchange rates of a payout, where the source's currency is not the payment's.

        No money moves. The request is sent once; after a lost response `get` shows the quote, if it was made.

        Examples:
            >>> velo.payouts.quote(payout_id).fx_summaries
            ()
        """
        return (yield from read(quote_payout, Quote, payout_id=payout_id))

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
            Conflict: It was instructed before, or cannot be instructed; outcome `unknown`: read the payout.
            VictorError: Anything else; its outcome is `unknown` when the payout may have been instructed.

        Examples:
            >>> velo.payouts.instruct(payout_id)
        """
        check_id("payout_id", payout_id, "The payout")
        body = None
        if stop_if_rates_worse_by is not None:
            percent = _checked_percent(stop_if_rates_worse_by)
            body = models.Instruction(fx_rate_degredation_threshold_percentage=percent)
        named = {"payout_id": payout_id}
        yield from write(
            instruct_payout,
            has_status(get_payout, Payout, _INSTRUCTED, **named),
            **named,
            **drop_none(body=body),
        )

    @operation
    def withdraw(self, payout_id: str) -> OperationFlow[None]:
        """Withdraw a payout that is not paid yet; it stays readable. After a lost response see `instruct`.

        Raises:
            Conflict: It cannot be withdrawn any more, or was withdrawn before; outcome `unknown`: read the payout.
            VictorError: Anything else; its outcome is `unknown` when the payout may have been withdrawn.

        Examples:
            >>> other_id = velo.payouts.submit([dataclasses.replace(payment, payor_payment_id="INV-1043")])
            >>> velo.payouts.withdraw(other_id)
        """
        check_id("payout_id", payout_id, "The payout")
        named = {"payout_id": payout_id}
        yield from write(withdraw_payout, has_status(get_payout, Payout, _WITHDRAWN, **named), **named)

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

        Examples:
            >>> velo.payouts.wait(payout_id, until=("COMPLETED", "CONFIRMED"), timeout=30).payments_accepted
            1
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
                lambda seconds: read(get_payout, Payout, seconds, payout_id=payout_id),
                reached,
                goal=f"Payout {payout_id} did not become {' or '.join(wanted)}",
                advice="Wait again, or read the payout later.",
                timeout=timeout,
                describe=_last_seen,
            )
        )

    @listing
    @arguments_of(PayoutPaymentList)
    def payments(self, request: PayoutPaymentList) -> Walk[PayoutPayment]:
        """The payments of a payout, read page by page as they are iterated. The filters have Velo's names.

        `page_size` is 1 to 100 (Velo's default is 25).

        Examples:
            >>> [payment.payor_payment_id for payment in velo.payouts.payments(payout_id)]
            ['INV-1042']
        """
        return walk(list_payout_payments, PayoutPayment, "list of payments", request)

    @listing
    @arguments_of(PayoutList)
    def list(self, request: PayoutList) -> Walk[PayoutSummary]:
        """The payouts of a payor, read page by page as they are iterated; those of which it pays or is paid for.

        Args:
            payor_id: The payor.
            status: A status of a payout, such as `INSTRUCTED`.
            memo: A part of the memo, in any letter case.
            from_payor_name: A part of the name of the payor whose payees are paid, in any letter case.
            submitted_from: The first day, as a date or a text such as `2026-03-04`. In which time zone Velo means its
                days is not documented.
            submitted_to: The last day, which is part of the window.
            schedule_status: `ANY`, `SCHEDULED`, `EXECUTED` or `FAILED`.
            scheduled_from: The first day of those that payouts are scheduled for.
            scheduled_to: The last one.
            sort: Fields and directions, such as `submittedDateTime:desc`; `payoutId` is added, as for `payments.list`.
            page_size: 1 to 100; Velo's default is 25.

        Examples:
            >>> payout_id in [payout.id for payout in velo.payouts.list(payor_id)]
            True
        """
        return walk(list_payouts, PayoutSummary, "list of payouts", request)

    @operation
    def history(self, payout_id: str) -> OperationFlow[PayoutHistory]:
        """Read when a payout was submitted, quoted, instructed or withdrawn, and how many payments got how far.

        Examples:
            >>> velo.payouts.history(payout_id).total_payments
            1
        """
        check_id("payout_id", payout_id, "The payout")
        page = yield from call(get_payout_history, models.PayoutHistoryPage, payout_id=payout_id, page_size=1)
        return PayoutHistory(page.summary or models.PayoutHistory())

    @listing
    @arguments_of(AuditedPaymentList)
    def audited_payments(self, request: AuditedPaymentList) -> Walk[Payment]:
        """The payments of a payout with what became of them, those included that came back (status RETURNED).

        `payments` lists what was submitted.

        The other arguments are those of `payments.list`.

        Args:
            payout_id: The payout.
            sort: Fields and directions, such as `status:asc`; Velo's default is `remoteId`. Velo sorts these by no id,
                so that equal ones may change places between two pages: compare their number with
                `history(payout_id).total_payments`.
            page_size: 1 to 100; Velo's default is 25.

        Examples:
            >>> [payment.status for payment in velo.payouts.audited_payments(payout_id)]
            ['CONFIRMED']
        """
        return walk(get_payout_history, Payment, "list of payments", request)

    @operation
    def statistics(self, payor_id: str) -> OperationFlow[PayoutStatistics]:
        """Read how many payouts a payor had this month, and how many of their payments failed.

        Examples:
            >>> velo.payouts.statistics(payor_id).failed_payments_this_month
            0
        """
        return (yield from read(get_payout_statistics, PayoutStatistics, payor_id=payor_id))


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
    # A `Word` is text, too, and may be one that the document does not have.
    texts = [word for word in wanted if isinstance(word, str)]  # pyright: ignore[reportUnnecessaryIsInstance]
    if not wanted or len(texts) < len(wanted) or not all(map(_is_status, texts)):
        message = f"until must be one or more of: {', '.join(sorted(_STATUSES))}."
        raise InvalidRequest.of([Problem("until", "choice", message)])
    return tuple(word.strip().upper() for word in wanted)


def _is_status(word: str) -> bool:
    return isinstance(word, Word) or word.strip().upper() in _STATUSES


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
