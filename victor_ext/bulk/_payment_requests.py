"""Rows for Victor: each row is a payment request, the arguments of `payment_requests.create`."""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import ClassVar

from victor_ext import (
    PaymentRequest,
    PaymentRequestArguments,
    PreparedCall,
    Status,
    Victor,
    check_payment_request,
    money,
)
from victor_ext._tables.texts import SHORT_FORM

from ._column_types import columns_of, required_of
from ._row_kind import CurrentStatus, RowKind
from ._rows import Arguments

_NOT_REQUIRED = ("client_reference_id", "idempotency_key")
"""Arguments that code which stores requests has to give, and a file does not."""
_SHORT_ACCOUNT = re.compile(r"[0-9](?:[.,][0-9]*)?[eE]\+?[0-9]+")
"""An account number that a spreadsheet has shortened, such as `4.39877E+11`."""
_AGREED = (Status.ACCEPTED, Status.COMPLETED)


class PaymentRequests(RowKind):
    """Each row is one payment request, which is sent under a key of its own."""

    columns: ClassVar = columns_of(
        PaymentRequestArguments, without=("idempotency_key", "extra_body")
    )
    required: ClassVar = [
        name for name in required_of(PaymentRequestArguments) if name not in _NOT_REQUIRED
    ]
    reference: ClassVar = "client_reference_id"
    operation: ClassVar = "payment_requests.create"
    exact: ClassVar = frozenset({"client_reference_id", "payer_counterparty_id"})
    long_numbers: ClassVar = {
        "payee_account_number": _SHORT_ACCOUNT,
        "client_reference_id": SHORT_FORM,
    }
    effect: ClassVar = "Those that are new ask their payers for money."
    list_filter_column: ClassVar = "due_date"
    currency: ClassVar = "USD"
    unpaid_end_statuses: ClassVar = frozenset(
        {"declined", "expired", "failed", "rejected", "canceled", "cancelled", "error"}
    )
    client: Victor

    def check(self, arguments: Arguments) -> None:
        # Without a key: with one, the client assumes a possible retry, and permits past due dates.
        check_payment_request(**arguments)

    def price(self, arguments: Arguments) -> tuple[Decimal, str]:
        return money.to_decimal(arguments["amount"]), self.currency

    def call_for(self, rows: Sequence[Arguments], key: str) -> PreparedCall:
        (arguments,) = rows
        return self.client.prepare(self.operation, **arguments, idempotency_key=key)

    def listed_statuses(self, values: Collection[str]) -> Iterator[tuple[str, CurrentStatus]]:
        requests = self.client.payment_requests.list(
            direction="outbound",
            due_date_start_date=date.fromisoformat(min(values)),
            due_date_end_date=date.fromisoformat(max(values)),
        )
        for request in requests:
            yield request.id, _current_status(request)

    def read_status(self, id_: str) -> CurrentStatus:
        # `get` may say "Pending" of a request that is paid. The first record of a watch has the
        # status of the provider's list, if the list has the request.
        first = next(iter(self.client.payment_requests.watch(id_, timeout=0)))
        return _current_status(first)


def _current_status(request: PaymentRequest) -> CurrentStatus:
    why_declined = request.approval_notes if request.status == Status.DECLINED else None
    reason = request.error_message or why_declined
    amount = request.amount
    return CurrentStatus.of(request.status, reason, agreed_statuses=_AGREED, amount=amount)
