"""Rows for Velo: each one is a payment, and those of one payor and memo are submitted as payouts of
up to 2,000.
"""

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
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
from .rows import Result, Row, RowOutcome

_NEEDED = ("remote_id", "amount", "currency", "source_account_name", "payor_payment_id")
_OPTIONAL = ("memo", "transmission_type", "metadata", "remote_system_id")
_SHARED = {
    "payout_memo": "memo",
    **{name: name for name in ("payout_from_payor_id", "payout_to_payor_id")},
}
"""The arguments of `payouts.submit`, by column."""
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

    def check(self, arguments: Mapping[str, Any]) -> None:
        def problems_of(check: Callable[[], object]) -> list[Problem]:
            try:
                check()
            except InvalidRequest as error:
                columns = [
                    "payout_memo" if one.field == "memo" else one.field.removeprefix(_PLACE)
                    for one in error.problems
                ]
                told = zip(error.problems, columns, strict=True)
                return [
                    replace(one, field=name, message=one.message.replace(one.field, name))
                    for one, name in told
                ]
            return []

        problems = problems_of(lambda: self.price(arguments))
        priced = {**arguments, **_VALID} if problems else arguments
        problems += problems_of(lambda: self._prepared([priced]))
        problems += problems_of(lambda: self.client.payments.list(arguments.get("payor_id")))
        if problems:
            raise InvalidRequest.of(problems)

    def key_facts(
        self, arguments: Mapping[str, Any], _key_kind: str, key_value: str, /
    ) -> tuple[str, ...] | None:
        payor = arguments.get("payor_id")
        if not isinstance(payor, str) or not payor:
            return None
        return "payment", str(canonical_id(payor)), reference_of(key_value)

    def price(self, arguments: Mapping[str, Any]) -> tuple[Decimal, str]:
        amount = _amount(arguments)
        return amount.amount, amount.currency

    def stored(self, name: str, value: Any) -> Any:
        # An amount has the decimals of its currency, and not always two.
        return str(value) if name == "amount" else super().stored(name, value)

    def group(self, arguments: Mapping[str, Any]) -> Hashable:
        return tuple(arguments.get(name) for name in ("payor_id", *_SHARED)) if arguments else None

    def payment(self, rows: Sequence[Row]) -> Write[PreparedCall]:
        arguments = [row.arguments or {} for row in rows]
        payor = {"payor_id": arguments[0]["payor_id"]}
        return Write.of(self._prepared(arguments), rows[0].sent, payor)

    def _prepared(self, payments: Sequence[Mapping[str, Any]]) -> Any:
        names = ("remote_id", "source_account_name", "payor_payment_id", *_OPTIONAL)
        given: list[dict[str, Any]] = [{name: one.get(name) for name in names} for one in payments]
        sent = [
            PaymentInstruction(amount=_amount(one), **each)
            for one, each in zip(payments, given, strict=True)
        ]
        shared = {argument: payments[0].get(column) for column, argument in _SHARED.items()}
        return self.client.prepare("payouts.submit", sent, **shared)

    def parts(self, unit: str, rows: Sequence[Row]) -> list[Result] | None:
        """Also have a payout quoted whose payments are in other currencies than their accounts: no
        money moves.
        """
        payouts = self.client.payouts
        payout = payouts.get(unit)
        if payout.status == "SUBMITTED":
            return None
        currencies = {
            one.name: one.total_cost.currency
            for one in payout.accounts
            if one.total_cost is not None
        }
        pairs = (
            (one.amount.currency, currencies.get(one.source_account_name))
            for one in payout.accepted
            if one.amount
        )
        if payout.status == "ACCEPTED" and any(paid != source for paid, source in pairs):
            payouts.quote(unit)
        rejected = {reference_of(one.payor_payment_id): one for one in payout.rejected}
        listed = {reference_of(one.payor_payment_id): one for one in payouts.payments(unit)}
        results = list[Result]()
        for reference in (reference_of((row.arguments or {})[self.reference]) for row in rows):
            payment, refusal = listed.get(reference), rejected.get(reference)
            id_, status = (None, None) if payment is None else (payment.id, payment.status)
            if refusal is not None or payout.status == "REJECTED":
                why = (
                    refusal and (refusal.message or refusal.reason or refusal.reason_code)
                ) or "Velo rejected it."
                results.append(
                    Result(RowOutcome.REJECTED, id_, status or "REJECTED", why, unit=unit)
                )
            elif payment is None:  # the list lags
                return None
            else:
                results.append(Result(RowOutcome.CREATED, id_, status, unit=unit))
        return results

    def listed(self, values: Collection[str]) -> Iterator[tuple[str, CurrentStatus]]:
        for unit in values:
            yield from (
                (one.id, _current(one)) for one in self.client.payouts.audited_payments(unit)
            )

    def read(self, id_: str) -> CurrentStatus:
        return _current(self.client.payments.get(id_))

    def describe(self, unit: str) -> dict[str, Any]:
        payout = self.client.payouts.get(unit)
        counts = {
            "accepted": payout.payments_accepted or 0,
            "rejected": payout.payments_rejected or 0,
        }
        totals = {
            str(one.name): str(one.total_cost or "an unknown amount") for one in payout.accounts
        }
        quotes = [
            f"{one.source} for {one.payment}, until {one.expires_at}" for one in payout.fx_summaries
        ]
        return {"status": payout.status, **counts, "totals": totals, "quotes": quotes}


def _amount(arguments: Mapping[str, Any]) -> Money:
    return Money.of(arguments.get("amount", ""), arguments.get("currency", ""))


def _current(payment: Any) -> CurrentStatus:
    reason = payment.return_reason or payment.rejection_reason or payment.withdrawn_reason
    return CurrentStatus.of(payment.status, reason)
