"""Rows for Victor: each row is a payment request, the arguments of `payment_requests.create`."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from victor_ext import (
    PaymentRequest,
    PaymentRequestArguments,
    Status,
    Victor,
    check_payment_request,
    money,
)
from victor_ext.ids import reference_of
from victor_ext.settlement.flow import LookUp, Settlement, Write
from victor_ext.tables.texts import SHORT_FORM

from .column_types import columns_of, required_of
from .row_kind import CurrentStatus, RowKind
from .rows import Arguments, Row

_NOT_REQUIRED = ("client_reference_id", "idempotency_key")
"""Arguments that code which stores requests has to give, and a file does not."""
_SHORT_ACCOUNT = re.compile(r"[0-9](?:[.,][0-9]*)?[eE]\+?[0-9]+")
"""An account number that a spreadsheet has shortened, such as `4.39877E+11`."""


class PaymentRequests(RowKind):
    """Each row is one payment request, which is sent under a key of its own."""

    columns: ClassVar = columns_of(
        PaymentRequestArguments, without=("idempotency_key", "extra_body")
    )
    required: ClassVar = [
        name for name in required_of(PaymentRequestArguments) if name not in _NOT_REQUIRED
    ]
    reference: ClassVar = "client_reference_id"
    exported: ClassVar = ("amount", "payer_counterparty_id", "due_date", "client_reference_id")
    exact: ClassVar = frozenset({"client_reference_id", "payer_counterparty_id"})
    long_numbers: ClassVar = {
        "payee_account_number": _SHORT_ACCOUNT,
        "client_reference_id": SHORT_FORM,
    }
    effect: ClassVar = "Those that are new ask their payers for money."
    list_filter_column: ClassVar = "due_date"
    unpaid_end_statuses: ClassVar = frozenset(
        {"declined", "expired", "failed", "rejected", "canceled", "cancelled", "error"}
    )
    client: Victor

    def check(self, arguments: Arguments) -> None:
        # Without a key: with one, the client assumes a possible retry, and permits past due dates.
        check_payment_request(**arguments)

    def price(self, arguments: Arguments) -> tuple[Decimal, str]:
        return money.to_decimal(arguments["amount"]), "USD"

    def write_for(self, rows: Sequence[Row]) -> Write[Arguments]:
        (row,) = rows
        arguments = self.checked_arguments(row)
        why = "" if _reference(arguments) else "It has no client_reference_id to search for."
        return Write(arguments, row.sent, is_keyed=True, why_no_look_up=why)

    def send(
        self,
        client: Any,
        write: Any,
        key: str,
        *,
        is_repeat: bool,
    ) -> Any:
        """Create the payment request. The arguments are those of `Sendable.send`."""
        arguments = write.call
        if not is_repeat:
            # With a key, `create` permits a past due date: so it is checked here. Today and
            # tomorrow are never wrong, and need no check.
            now = client.provider_time().moment
            today = now.date()
            if arguments.get("due_date") not in (str(today), str(today + timedelta(days=1))):
                check_payment_request(**arguments, now=now)
        return client.payment_requests.create(**arguments, idempotency_key=key)

    def look_up(self, look_ups: Sequence[LookUp]) -> list[Settlement]:
        # The provider's list has no filter by reference: it is read once for all rows, from the
        # earliest possible send.
        references = [_reference(look_up.write.call) for look_up in look_ups]
        requests: dict[str, list[PaymentRequest]] = {reference: [] for reference in references}
        first = min(look_up.since for look_up in look_ups)
        for request in self.client.payment_requests.list(
            direction="outbound", start_datetime=first
        ):
            reference = reference_of(request.client_reference_id)
            if reference in requests:
                requests[reference].append(request)
        return [
            _settlement_of(look_up, requests[reference])
            for look_up, reference in zip(look_ups, references, strict=True)
        ]

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


def _reference(arguments: Arguments) -> str:
    """Return the reference of a request, in the form in which references are compared; empty: it
    has none.
    """
    return reference_of(arguments.get("client_reference_id"))


def _settlement_of(look_up: LookUp, requests: Sequence[PaymentRequest]) -> Settlement:
    """Return what became of a payment, as the listed requests with its reference show."""
    sent = PaymentRequest.asked_with(look_up.write.call)
    request = PaymentRequest.identified(requests, sent, since=look_up.since)
    if isinstance(request, str):  # why none of them can be told to be this payment's
        return look_up.settlement_of(request)
    done = request.as_done(sent)
    settlement = look_up.settlement_of(done.doubt(look_up.moments["since"]) or done)
    if settlement.request is None:
        return settlement
    how = f"{look_up.why} It was identified by its client_reference_id."
    return replace(settlement, reason=how)


def _current_status(request: PaymentRequest) -> CurrentStatus:
    why_declined = request.approval_notes if request.status == Status.DECLINED else None
    return CurrentStatus.of(request.status, request.error_message or why_declined)
