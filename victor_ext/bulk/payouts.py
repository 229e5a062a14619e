"""Rows for Velo: each one is a payment, and those of one payor and memo are submitted as payouts of
up to 2,000.
"""

from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

from victor_ext import InvalidRequest, PreparedCall, Problem
from victor_ext.ids import canonical_id, reference_of
from victor_ext.money import Money
from victor_ext.providers.velo import PaymentInstruction
from victor_ext.settlement.flow import Write
from victor_ext.tables.texts import SHORT_FORM

from .row_kind import CurrentStatus, RowKind
from .rows import Arguments, Result, Row, RowOutcome

_NEEDED = ("remote_id", "amount", "currency", "source_account_name", "payor_payment_id")
_OPTIONAL = ("memo", "transmission_type", "metadata", "remote_system_id")
_SHARED = {
    "payout_memo": "memo",
    **{name: name for name in ("payout_from_payor_id", "payout_to_payor_id")},
}
"""The arguments of `payouts.submit`, by column."""
_OF_PAYMENT = ("remote_id", "source_account_name", "payor_payment_id", *_OPTIONAL)
"""The columns that are the same in a payment instruction."""
_PLACE = "payments[0]."
_VALID = {"currency": "USD", "amount": "1"}
"""What stands for an invalid price while the other values are checked."""


class Payouts(RowKind):
    """A payout takes no key: it is submitted once, and found again by the `payor_payment_id` of its
    payments.
    """

    columns: ClassVar = frozenset({*_NEEDED, *_OPTIONAL, *_SHARED, "payor_id"})
    required: ClassVar = (*_NEEDED, "payor_id")
    reference: ClassVar = "payor_payment_id"
    asked: ClassVar = (
        "amount",
        "currency",
        "payor_payment_id",
        "remote_id",
        "source_account_name",
        "payout_id",
    )
    unit: ClassVar = "payout_id"
    listed_by: ClassVar = unit
    over_unpaid: ClassVar = frozenset({"rejected", "failed", "returned", "withdrawn"})
    exact: ClassVar = frozenset({"payor_payment_id", "remote_id", "source_account_name"})
    long_numbers: ClassVar = dict.fromkeys(("payor_payment_id", "remote_id"), SHORT_FORM)
    together: ClassVar = 2000
    steps: ClassVar = {"instruct": "payouts.instruct", "withdraw": "payouts.withdraw"}
    secrets: ClassVar = ("VELO_API_KEY", "VELO_API_SECRET")
    effect: ClassVar = (
        "Those that are new are submitted. No money moves before 'victor bulk instruct'."
    )

    def check(self, arguments: Arguments) -> None:
        problems = _problems_of(lambda: self.price(arguments))
        priced = {**arguments, **_VALID} if problems else arguments
        problems += _problems_of(lambda: self._prepared([priced]))
        problems += _problems_of(lambda: self.client.payments.list(arguments.get("payor_id")))
        if problems:
            raise InvalidRequest.of(problems)

    def key_facts(
        self, arguments: Arguments, _key_kind: str, key_value: str, /
    ) -> tuple[str, ...] | None:
        payor = arguments.get("payor_id")
        if not isinstance(payor, str) or not payor:
            return None
        return "payment", str(canonical_id(payor)), reference_of(key_value)

    def price(self, arguments: Arguments) -> tuple[Decimal, str]:
        amount = _amount(arguments)
        return amount.amount, amount.currency

    def stored(self, name: str, value: Any) -> Any:
        # An amount has the decimals of its currency, and not always two.
        return str(value) if name == "amount" else super().stored(name, value)

    def group(self, arguments: Arguments) -> Hashable:
        if not arguments:
            return None
        return tuple(arguments.get(name) for name in ("payor_id", *_SHARED))

    def payment(self, rows: Sequence[Row]) -> Write[PreparedCall]:
        arguments = [row.arguments or {} for row in rows]
        payor = {"payor_id": arguments[0]["payor_id"]}
        return Write.of(self._prepared(arguments), rows[0].sent, payor)

    def _prepared(self, payments: Sequence[Arguments]) -> Any:
        instructions = [_instruction(payment) for payment in payments]
        shared = {argument: payments[0].get(column) for column, argument in _SHARED.items()}
        return self.client.prepare("payouts.submit", instructions, **shared)

    def parts(self, unit: str, rows: Sequence[Row]) -> list[Result] | None:
        """Also have a payout quoted whose payments are in other currencies than their accounts: no
        money moves.
        """
        payouts = self.client.payouts
        payout = payouts.get(unit)
        if payout.status == "SUBMITTED":
            return None
        if payout.status == "ACCEPTED" and _needs_quote(payout):
            payouts.quote(unit)
        rejected = {reference_of(row.payor_payment_id): row for row in payout.rejected}
        listed = {reference_of(row.payor_payment_id): row for row in payouts.payments(unit)}
        results = list[Result]()
        for row in rows:
            reference = reference_of((row.arguments or {})[self.reference])
            payment = listed.get(reference)
            refusal = rejected.get(reference)
            if refusal is not None or payout.status == "REJECTED":
                results.append(_rejection(unit, payment, refusal))
            elif payment is None:  # the list lags
                return None
            else:
                results.append(Result(RowOutcome.CREATED, payment.id, payment.status, unit=unit))
        return results

    def listed(self, values: Collection[str]) -> Iterator[tuple[str, CurrentStatus]]:
        for unit in values:
            for payment in self.client.payouts.audited_payments(unit):
                yield payment.id, _current(payment)

    def read(self, id_: str) -> CurrentStatus:
        return _current(self.client.payments.get(id_))

    def describe(self, unit: str) -> dict[str, Any]:
        payout = self.client.payouts.get(unit)
        return {
            "status": payout.status,
            "accepted": payout.payments_accepted or 0,
            "rejected": payout.payments_rejected or 0,
            "totals": dict(_totals_of(payout)),
            "quotes": [_quote_text(quote) for quote in payout.fx_summaries],
        }


def _problems_of(check: Callable[[], object]) -> list[Problem]:
    """Return what a check of the client's refuses, with columns as fields."""
    try:
        check()
    except InvalidRequest as error:
        return [_with_column(problem) for problem in error.problems]
    return []


def _with_column(problem: Problem) -> Problem:
    column = problem.field.removeprefix(_PLACE)
    if problem.field == "memo":
        column = "payout_memo"
    message = problem.message.replace(problem.field, column)
    return replace(problem, field=column, message=message)


def _instruction(payment: Arguments) -> PaymentInstruction:
    values: dict[str, Any] = {name: payment.get(name) for name in _OF_PAYMENT}
    return PaymentInstruction(amount=_amount(payment), **values)


def _needs_quote(payout: Any) -> bool:
    """Whether a payment is in another currency than the account that it comes from."""
    currencies = dict[str, str]()
    for account in payout.accounts:
        if account.total_cost is not None:
            currencies[account.name] = account.total_cost.currency
    for payment in payout.accepted:
        paid_from = currencies.get(payment.source_account_name)
        if payment.amount and payment.amount.currency != paid_from:
            return True
    return False


def _rejection(
    unit: str,
    payment: Any,
    refusal: Any,
) -> Result:
    """Return the result of a row that was rejected, alone or with its payout."""
    reason = None
    if refusal is not None:
        reason = refusal.message or refusal.reason or refusal.reason_code
    reason = reason or "Velo rejected it."
    if payment is None:
        return Result(RowOutcome.REJECTED, None, "REJECTED", reason, unit=unit)
    status = payment.status or "REJECTED"
    return Result(RowOutcome.REJECTED, payment.id, status, reason, unit=unit)


def _totals_of(payout: Any) -> Iterator[tuple[str, str]]:
    """Yield what a payout costs each account."""
    for account in payout.accounts:
        yield str(account.name), str(account.total_cost or "an unknown amount")


def _quote_text(quote: Any) -> str:
    return f"{quote.source} for {quote.payment}, until {quote.expires_at}"


def _amount(arguments: Arguments) -> Money:
    return Money.of(arguments.get("amount", ""), arguments.get("currency", ""))


def _current(payment: Any) -> CurrentStatus:
    reason = payment.return_reason or payment.rejection_reason or payment.withdrawn_reason
    return CurrentStatus.of(payment.status, reason)
