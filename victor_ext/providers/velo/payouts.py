"""`velo.payouts`: submit, quote, instruct, and watch what becomes of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from victor_ext.errors import Conflict, InvalidRequest, Outcome, Problem, VictorError
from victor_ext.redaction import kind_of, one_line
from victor_ext.runtime.client.resources import Mode, Resource, Walk, listing, operation
from victor_ext.runtime.client.runners import OperationFlow, answer_to, call, drop_none

from . import pages
from .checks import Findings
from .new import PaymentInstruction
from .polling import wait_until
from .receipts import receipt_of
from .records import Payout, PayoutPayment, Quote

_API = "velo_api.api.payouts"
_INSTRUCTED = frozenset({"INSTRUCTED", "COMPLETED", "INCOMPLETE", "CONFIRMED"})
_WITHDRAWN = frozenset({"WITHDRAWN"})
_MOST_PERCENT = 10**6
_DEAD_ENDS = frozenset({"REJECTED", "WITHDRAWN"})
_PAID = frozenset({"COMPLETED", "INCOMPLETE", "CONFIRMED"})
_BEFORE_PAID = frozenset({"SUBMITTED", "ACCEPTED", "QUOTED", "INSTRUCTED"})
_STATES = _BEFORE_PAID | _PAID | _DEAD_ENDS


class Payouts(Resource[Mode]):
    """Payouts: payments that are submitted, priced and paid together.

    The way of one: `submit`, `wait` until it is ACCEPTED, `quote` if currencies differ, `instruct`. Until it is
    instructed no money moves.
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
        """Submit 1 to 2,000 payments; returns the id of the payout.

        Velo takes no idempotency key, and nothing guards a second submission: it is sent once. When the answer is
        lost, the error's outcome is `unknown`. Then look with `payments.find(payor_payment_id, payor_id=...,
        since=...)` before you submit again; see docs/velo.md.

        A payout that was taken is not paid yet, and some of its payments may be rejected later: see `get`.

        Args:
            payments: What is to be paid; each with a `payor_payment_id` of its own.
            memo: For the payees' statements, up to 40 characters, where a payment has none of its own.
            payout_from_payor_id: The payor whose accounts pay; only together with `payout_to_payor_id`.
            payout_to_payor_id: The payor whose payees are paid.

        Raises:
            InvalidRequest: An argument breaks a rule; nothing was sent. `problems` lists everything.
            VictorError: Anything else; its `outcome` says whether the payout may exist.
        """
        findings = Findings()
        instructions = findings.several("payments", payments, PaymentInstruction)
        for place, instruction in enumerate(instructions):
            if instruction is not None:
                instruction.check(findings, f"payments[{place}]")
        _check_references(findings, instructions)
        findings.text("memo", memo, 40, required=False)
        findings.one_id("payout_from_payor_id", payout_from_payor_id, required=False)
        findings.one_id("payout_to_payor_id", payout_to_payor_id, required=False)
        if (payout_from_payor_id is None) is not (payout_to_payor_id is None):
            message = "payout_from_payor_id and payout_to_payor_id must be given together, or neither of them."
            findings.note("payout_to_payor_id", "choice", message)
        findings.finish("The payout")
        from velo_api.models import NewPayout  # noqa: PLC0415 - loaded when first called

        body = NewPayout(
            payments=[instruction.to_model() for instruction in payments],
            **drop_none(
                payout_memo=memo, payout_from_payor_id=payout_from_payor_id, payout_to_payor_id=payout_to_payor_id
            ),
        )
        return receipt_of((yield from answer_to(f"{_API}.submit_payout", body=body))).id

    @operation
    def get(self, payout_id: str) -> OperationFlow[Payout]:
        """Where a payout is, which of its payments were accepted and which rejected."""
        _check_payout(payout_id)
        return (yield from _read(payout_id))

    @operation
    def quote(self, payout_id: str) -> OperationFlow[Quote]:
        """Fix the exchange rates of a payout. Needed only where the source's currency is not the payment's.

        It moves no money, and is sent once; after a lost answer `get` shows the quote, if there is one.
        """
        _check_payout(payout_id)
        from velo_api import models  # noqa: PLC0415 - loaded when first called

        return Quote((yield from call(f"{_API}.quote_payout", models.Quote, payout_id=payout_id)))

    @operation
    def instruct(self, payout_id: str, *, stop_if_rates_worse_by: float | None = None) -> OperationFlow[None]:
        """Have a payout paid. This moves money, takes no key, and is sent once.

        When the answer is lost, the payout is read back: if it shows that it was instructed, that is the answer. If
        it does not show it yet, the outcome is unknown, for instructing goes on behind Velo's 202: read it again
        later. Velo answers a second instruction with a conflict, so that it pays once.

        Args:
            payout_id: Which payout.
            stop_if_rates_worse_by: Percent by which rates may have become worse since the quote.

        Raises:
            Conflict: Velo has it instructed already, or it cannot be.
            VictorError: With outcome `unknown` when the answer was lost and nothing could be seen of it.
        """
        _check_payout(payout_id)
        body: dict[str, Any] = {}
        if stop_if_rates_worse_by is not None:
            from velo_api.models import Instruction  # noqa: PLC0415 - loaded when first called

            percent = _checked_percent(stop_if_rates_worse_by)
            body["body"] = Instruction(fx_rate_degredation_threshold_percentage=percent)
        try:
            yield from answer_to(f"{_API}.instruct_payout", payout_id=payout_id, **body)
        except VictorError as error:
            if not (yield from _turned_out(error, payout_id, _INSTRUCTED)):
                raise

    @operation
    def withdraw(self, payout_id: str) -> OperationFlow[None]:
        """Take a payout back before it is paid; it stays readable. Read back when in doubt, as `instruct` is."""
        _check_payout(payout_id)
        try:
            yield from answer_to(f"{_API}.withdraw_payout", payout_id=payout_id)
        except VictorError as error:
            if not (yield from _turned_out(error, payout_id, _WITHDRAWN)):
                raise

    @operation
    def wait(self, payout_id: str, *, until: str | Collection[str], timeout: float = 300.0) -> OperationFlow[Payout]:
        """Read a payout now and again until it has a status.

        Args:
            payout_id: Which payout.
            until: A status, or several: `"ACCEPTED"`, `("COMPLETED", "CONFIRMED")`. The letter case is no matter.
            timeout: Seconds to wait in all.

        Raises:
            InvalidRequest: `until` is no status that Velo has.
            Conflict: It was rejected or withdrawn instead, or has gone past what was asked for.
            TimedOut: It did not get there in time.
        """
        _check_payout(payout_id)
        wanted = _checked_states(until)

        def there(payout: Payout) -> bool:
            if payout.status in wanted:
                return True
            if payout.status in _DEAD_ENDS or (payout.status in _PAID and _PAID.isdisjoint(wanted)):
                raise _ended_otherwise(payout, payout_id, wanted)
            return False

        what = f"{' or '.join(wanted)} of payout {payout_id}"
        return (yield from wait_until(self, lambda left: _read(payout_id, left), there, what=what, timeout=timeout))

    @listing
    def payments(
        self,
        payout_id: str,
        *,
        payor_payment_id: str | None = None,
        remote_id: str | None = None,
        status: str | None = None,
        source_account_name: str | None = None,
        transmission_type: str | None = None,
        payment_memo: str | None = None,
        page_size: int | None = None,
    ) -> Walk[PayoutPayment]:
        """The payments of a payout, read page by page as they are walked; `page_size` is 1 to 100 (25 if left out)."""
        texts = {
            "payor_payment_id": payor_payment_id, "remote_id": remote_id, "status": status,
            "source_account_name": source_account_name, "transmission_type": transmission_type,
            "payment_memo": payment_memo,
        }  # fmt: skip
        findings = Findings()
        findings.one_id("payout_id", payout_id)
        for name, value in texts.items():
            findings.text(name, value, 255, required=False)
        findings.page_size(page_size, 100)
        findings.finish("The payments of the payout")
        arguments = drop_none(payout_id=payout_id, page_size=page_size, **texts)
        return pages.walk(
            f"{_API}.list_payout_payments", "PayoutPaymentPage", PayoutPayment,
            lambda payment: payment.id or None, "list of payments", arguments,
        )  # fmt: skip


def _check_references(findings: Findings, payments: Sequence[PaymentInstruction | None]) -> None:
    """One reference names one payment: else nobody could tell them apart after a lost answer."""
    seen: dict[str, int] = {}
    for place, payment in enumerate(payments):
        reference = None if payment is None else payment.payor_payment_id
        if not isinstance(reference, str):
            continue
        first = seen.setdefault(reference, place)
        if first != place:
            message = f"payments[{place}].payor_payment_id is that of payments[{first}]: give each payment its own."
            findings.note(f"payments[{place}].payor_payment_id", "repeated", message)


def _check_payout(payout_id: object) -> None:
    findings = Findings()
    findings.one_id("payout_id", payout_id)
    findings.finish("The payout")


def _checked_percent(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MOST_PERCENT:
        message = f"stop_if_rates_worse_by is {_shown(value)} and must be a percentage, 0 or more, as int or float."
        raise InvalidRequest.of([Problem("stop_if_rates_worse_by", "range", message)])
    return float(value)


def _shown(value: object) -> str:
    return kind_of(value) if not isinstance(value, float) else repr(value)


def _checked_states(until: str | Collection[str]) -> tuple[str, ...]:
    given: object = until
    wanted = (until,) if isinstance(until, str) else tuple(until) if isinstance(given, Collection) else ()
    if not wanted or not all(isinstance(word, str) and word.strip().upper() in _STATES for word in wanted):
        message = f"until must be one or more of: {', '.join(sorted(_STATES))}."
        raise InvalidRequest.of([Problem("until", "choice", message)])
    return tuple(word.strip().upper() for word in wanted)


def _read(payout_id: str, seconds: float | None = None) -> OperationFlow[Payout]:
    from velo_api import models  # noqa: PLC0415 - loaded when first called

    return Payout((yield from call(f"{_API}.get_payout", models.Payout, seconds, payout_id=payout_id)))


def _turned_out(error: VictorError, payout_id: str, states: Collection[str]) -> OperationFlow[bool]:
    """Whether a write whose answer was lost, or that is a conflict after one that was, shows in the payout."""
    if error.outcome not in (Outcome.UNKNOWN, Outcome.ACCEPTED):
        return False
    try:
        payout = yield from _read(payout_id)
    except VictorError:
        return False
    # An answer about another payout (a cache's, a proxy's) proves nothing of this one.
    return payout.id.casefold() == payout_id.casefold() and payout.status in states


def _ended_otherwise(payout: Payout, payout_id: str, wanted: Sequence[str]) -> Conflict:
    return Conflict(
        f"Payout {payout_id} is {one_line(payout.status)}, so it can no longer become {' or '.join(wanted)}. "
        "`get` shows which payments were rejected, and why.",
        outcome=Outcome.REJECTED,
    )
