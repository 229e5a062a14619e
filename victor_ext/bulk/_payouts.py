"""Rows for Velo: each row is a payment. The payments of one payor and memo are submitted as payouts
of up to 2,000 payments.
"""

from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

from victor_ext import Done, InvalidRequest, PreparedCall, Problem, zulu
from victor_ext._tables.texts import SHORT_FORM
from victor_ext._values.ids import canonical_id, reference_of
from victor_ext.money import Money
from victor_ext.providers.velo import PaymentInstruction

from ._column_types import AMOUNT, TEXT, columns_of, required_of
from ._row_kind import CurrentStatus, RowKind
from ._rows import Arguments, Result, RowContent, RowOutcome

_SHARED = {
    "payout_memo": "memo",
    "payout_from_payor_id": "payout_from_payor_id",
    "payout_to_payor_id": "payout_to_payor_id",
}
"""The arguments of `payouts.submit` that all payments of a payout share, by column."""
_OF_PAYOUT = ("currency", "payor_id", *_SHARED)
"""The columns that are no fields of a `PaymentInstruction`, whatever a newer document calls its
fields.
"""
_INSTRUCTION = columns_of(PaymentInstruction, without=("amount", *_OF_PAYOUT))
"""The columns that are fields of a `PaymentInstruction`, with the same names. The amount is made of
two columns.
"""
_FIELD_PREFIX = "payments[0]."
"""How the client names the first payment of a payout in its problems."""
_VALID_PRICE = {"currency": "USD", "amount": "1"}
"""What stands for an invalid price while the other values are checked."""
_PAID = ("CONFIRMED",)


class Payouts(RowKind):
    """A payout takes no key: it is submitted once, and found again by the `payor_payment_id` of its
    payments.
    """

    columns: ClassVar = {
        **_INSTRUCTION,
        "amount": AMOUNT,
        **dict.fromkeys(_OF_PAYOUT, TEXT),
    }
    required: ClassVar = (*required_of(PaymentInstruction), "currency", "payor_id")
    reference: ClassVar = "payor_payment_id"
    operation: ClassVar = "payouts.submit"
    unit_column: ClassVar = "payout_id"
    list_filter_column: ClassVar = unit_column
    unpaid_end_statuses: ClassVar = frozenset({"rejected", "failed", "returned", "withdrawn"})
    exact: ClassVar = frozenset(
        {"payor_id", "payor_payment_id", "remote_id", "source_account_name"}
    )
    long_numbers: ClassVar = dict.fromkeys(("payor_payment_id", "remote_id"), SHORT_FORM)
    rows_per_call: ClassVar = 2000
    steps: ClassVar = {"instruct": "payouts.instruct", "withdraw": "payouts.withdraw"}
    effect: ClassVar = (
        "Those that are new are submitted. No money moves before 'victor bulk instruct'."
    )

    def check(self, arguments: Arguments) -> None:
        problems = _problems_of(lambda: self.price(arguments))
        priced = {**arguments, **_VALID_PRICE} if problems else arguments
        problems += _problems_of(lambda: self.call_for([priced], ""))
        # Nothing is read: the list is checked when it is made, and read when it is iterated. After
        # a lost response, the payments of this payor are read.
        problems += _problems_of(lambda: self.client.payments.list(arguments.get("payor_id")))
        if problems:
            raise InvalidRequest.of(problems)

    def key_facts(self, arguments: Arguments, key_value: str, /) -> tuple[str, ...] | None:
        # A payor numbers its own payments: two payors may use the same reference.
        payor = arguments.get("payor_id")
        if not isinstance(payor, str) or not payor:
            return None
        return "payment", str(canonical_id(payor)), reference_of(key_value)

    def price(self, arguments: Arguments) -> tuple[Decimal, str]:
        amount = _amount(arguments)
        return amount.amount, amount.currency

    def json_value(self, name: str, value: Any) -> Any:
        if name == "amount":  # it has the decimals of its currency, which are not always two
            return str(value)
        return super().json_value(name, value)

    def group(self, arguments: Arguments) -> Hashable:
        if not arguments:  # they were forgotten, or the row is not valid
            return None
        return tuple(arguments.get(name) for name in ("payor_id", *_SHARED))

    def call_for(self, rows: Sequence[Arguments], key: str) -> PreparedCall:  # noqa: ARG002 - it takes no key
        instructions = [_instruction(row) for row in rows]
        shared = {argument: rows[0].get(column) for column, argument in _SHARED.items()}
        call: PreparedCall = self.client.prepare(self.operation, instructions, **shared)
        return call

    def look_up_by(self, row: Arguments, /) -> dict[str, str]:
        return {"payor_id": row["payor_id"]}

    def unit_results(self, unit: str, rows: Sequence[RowContent]) -> list[Result] | None:
        """Read what became of each payment of a payout. The arguments are those of `Sendable`.

        If a payment is in another currency than its account, the payout is also quoted. That moves
        no money.
        """
        payouts = self.client.payouts
        payout = payouts.get(unit)
        if payout.status == "SUBMITTED":
            return None
        if payout.status == "ACCEPTED" and _needs_quote(payout):
            payouts.quote(unit)
        rejected_payments = {
            reference_of(payment.payor_payment_id): payment for payment in payout.rejected
        }
        listed_payments = {
            reference_of(payment.payor_payment_id): payment for payment in payouts.payments(unit)
        }
        results = list[Result]()
        for row in rows:
            reference = reference_of((row.arguments or {})[self.reference])
            payment = listed_payments.get(reference)
            refusal = rejected_payments.get(reference)
            if refusal is not None or payout.status == "REJECTED":
                results.append(_rejection(unit, payment, refusal))
            elif payment is None:  # the list lags
                return None
            else:
                results.append(Result(RowOutcome.CREATED, payment.id, payment.status, unit=unit))
        return results

    def listed_statuses(self, values: Collection[str]) -> Iterator[tuple[str, CurrentStatus]]:
        for unit in values:
            for payment in self.client.payouts.audited_payments(unit):
                yield payment.id, _current_status(payment)

    def read_status(self, id_: str) -> CurrentStatus:
        return _current_status(self.client.payments.get(id_))

    def take_step(self, name: str, unit: str) -> str:
        """Velo pays once, and answers a second instruction with a conflict."""
        call = self.client.prepare(self.steps[name], unit)
        state = self.client.look_up(call, since=zulu.now())
        if isinstance(state, Done):
            return ""
        if isinstance(state, str):
            return state
        if not state.can_be_sent:
            return str(state.why)
        self.client.send(call)
        return ""

    def describe_unit(self, unit: str) -> dict[str, Any]:
        payout = self.client.payouts.get(unit)
        return {
            "status": payout.status,
            "accepted": payout.payments_accepted or 0,
            "rejected": payout.payments_rejected or 0,
            "totals": {
                str(account.name): str(account.total_cost or "an unknown amount")
                for account in payout.accounts
            },
            "quotes": [
                f"{quote.source} for {quote.payment}, until {quote.expires_at}"
                for quote in payout.fx_summaries
            ],
        }


def _problems_of(check: Callable[[], object]) -> list[Problem]:
    """Return the problems that a check of the client finds, with columns as fields."""
    try:
        check()
    except InvalidRequest as error:
        return [_with_column(problem) for problem in error.problems]
    return []


def _with_column(problem: Problem) -> Problem:
    """Return a problem of an argument as a problem of the column that the argument comes from."""
    column = problem.field.removeprefix(_FIELD_PREFIX)
    if problem.field == "memo":  # without the prefix, it is the memo of the payout
        column = "payout_memo"
    message = problem.message.replace(problem.field, column)
    # The hint about a currency is for who makes a `Money`.
    hint = "" if column == "currency" else problem.hint
    return replace(problem, field=column, message=message, hint=hint)


def _instruction(payment: Arguments) -> PaymentInstruction:
    """Return what `payouts.submit` takes for a row."""
    values: dict[str, Any] = {name: payment.get(name) for name in _INSTRUCTION}
    return PaymentInstruction(amount=_amount(payment), **values)


def _needs_quote(payout: Any) -> bool:
    """Whether an accepted payment is in another currency than the account that it is paid from."""
    currencies = dict[str, str]()
    for account in payout.accounts:
        if account.total_cost is not None:
            currencies[account.name] = account.total_cost.currency
    for payment in payout.accepted:
        account_currency = currencies.get(payment.source_account_name)
        if payment.amount and payment.amount.currency != account_currency:
            return True
    return False


def _rejection(
    unit: str,
    payment: Any,
    refusal: Any,
) -> Result:
    """Return the result of a row that was rejected, alone or with its payout.

    Args:
        payment: The payment in the list of the payout, or None.
        refusal: The payment among the rejected ones of the payout, which has the reason, or None.
    """
    reason = "Velo rejected it."
    if refusal is not None:
        reason = refusal.message or refusal.reason or refusal.reason_code or reason
    id_ = None if payment is None else payment.id
    status = None if payment is None else payment.status
    return Result(RowOutcome.REJECTED, id_, status or "REJECTED", reason, unit)


def _amount(arguments: Arguments) -> Money:
    return Money.of(arguments.get("amount", ""), arguments.get("currency", ""))


def _current_status(payment: Any) -> CurrentStatus:
    reason = payment.return_reason or payment.rejection_reason or payment.withdrawn_reason
    return CurrentStatus.of(payment.status, reason, agreed_statuses=_PAID)
