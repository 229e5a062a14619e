"""Rows for Victor: each one is a payment request, the arguments of `payment_requests.create`."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from victor_ext import PaymentRequest, Status, Victor, check_payment_request, money
from victor_ext.ids import reference_of
from victor_ext.settlement.arguments import PaymentRequestArguments, as_checked
from victor_ext.settlement.flow import LookUp, Settlement, Write
from victor_ext.tables.texts import SHORT_FORM

from .row_kind import CurrentStatus, RowKind
from .rows import Arguments, Row

_NEEDED = PaymentRequestArguments.__required_keys__ - {"client_reference_id", "idempotency_key"}
_ACCOUNT = re.compile(r"[0-9](?:[.,][0-9]*)?[eE]\+?[0-9]+")


class PaymentRequests(RowKind):
    """Each row is one request, sent under its own key."""

    columns: ClassVar = frozenset(PaymentRequestArguments.__annotations__) - {
        "idempotency_key",
        "extra_body",
    }
    required: ClassVar = [
        name for name in PaymentRequestArguments.__annotations__ if name in _NEEDED
    ]
    reference: ClassVar = "client_reference_id"
    asked: ClassVar = ("amount", "payer_counterparty_id", "due_date", "client_reference_id")
    flags: ClassVar = frozenset({"amount_modification_allowed"})
    exact: ClassVar = frozenset({"client_reference_id", "payer_counterparty_id"})
    long_numbers: ClassVar = {"payee_account_number": _ACCOUNT, "client_reference_id": SHORT_FORM}
    effect: ClassVar = "Those that are new ask their payers for money."
    listed_by: ClassVar = "due_date"
    over_unpaid: ClassVar = frozenset(
        {"declined", "expired", "failed", "rejected", "canceled", "cancelled", "error"}
    )
    client: Victor

    def check(self, arguments: Arguments) -> None:
        # Check without the key: with one, the client assumes a possible retry and permits past due
        # dates.
        check_payment_request(**arguments)

    def price(self, arguments: Arguments) -> tuple[Decimal, str]:
        return money.to_decimal(arguments["amount"]), "USD"

    def payment(self, rows: Sequence[Row]) -> Write[Arguments]:
        (row,) = rows
        arguments = row.arguments or {}
        why = "" if _reference(arguments) else "It has no client_reference_id to search for."
        return Write(arguments, row.sent, is_keyed=True, why_no_look_up=why)

    def send(
        self,
        client: Any,
        payment: Any,
        key: str,
        *,
        is_repeat: bool,
    ) -> Any:
        arguments = as_checked(payment.call)
        if not is_repeat:
            # With a key, the client permits a past due date. Today and tomorrow are never wrong.
            now = client.provider_time().moment
            today = now.date()
            if arguments.get("due_date") not in (str(today), str(today + timedelta(days=1))):
                check_payment_request(**arguments, now=now)
        return client.payment_requests.create(**arguments, idempotency_key=key)

    def look_up(self, steps: Sequence[LookUp]) -> list[Settlement]:
        # The provider's list has no filter by reference: it is read once for all rows, from the
        # earliest possible send.
        references = [_reference(step.write.call) for step in steps]
        requests: dict[str, list[PaymentRequest]] = {reference: [] for reference in references}
        first = min(step.since for step in steps)
        for request in self.client.payment_requests.list(
            direction="outbound", start_datetime=first
        ):
            reference = reference_of(request.client_reference_id)
            if reference in requests:
                requests[reference].append(request)
        return [
            _settled(step, requests[reference])
            for step, reference in zip(steps, references, strict=True)
        ]

    def listed(self, values: Collection[str]) -> Iterator[tuple[str, CurrentStatus]]:
        requests = self.client.payment_requests.list(
            direction="outbound",
            due_date_start_date=date.fromisoformat(min(values)),
            due_date_end_date=date.fromisoformat(max(values)),
        )
        for request in requests:
            yield request.id, _current(request)

    def read(self, id_: str) -> CurrentStatus:
        # `get` may say "Pending" of what is paid. A watch begins with the status of the list, if it
        # has one.
        return _current(next(iter(self.client.payment_requests.watch(id_, timeout=0))))


def _reference(arguments: Arguments) -> str:
    """Return the reference of a request, as references are compared; empty: none."""
    return reference_of(arguments.get("client_reference_id"))


def _settled(step: LookUp, requests: Sequence[PaymentRequest]) -> Settlement:
    """Return what became of a payment request, of the requests with its reference."""
    arguments: Arguments = step.write.call
    request = PaymentRequest.identified(requests, arguments, since=step.since)
    if isinstance(request, str):
        return step.settlement_of(request)
    done = request.as_done(arguments)
    settlement = step.settlement_of(done.doubt(step.moments["since"]) or done)
    if settlement.request is None:
        return settlement
    how = f"{step.why} It was identified by its client_reference_id."
    return replace(settlement, reason=how)


def _current(request: PaymentRequest) -> CurrentStatus:
    declined = request.approval_notes if request.status == Status.DECLINED else None
    return CurrentStatus.of(request.status, request.error_message or declined)
