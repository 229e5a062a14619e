"""`velo.payments`: the payments of a payor, over all payouts."""

from __future__ import annotations

import builtins
from datetime import datetime

from velo_api.typed import arguments, methods
from velo_api.typed.records import Payment, PaymentChange

from victor_ext.errors import Outcome, UnreadableResponse
from victor_ext.ids import reference_of
from victor_ext.runtime.client.paging import PageReader
from victor_ext.runtime.client.resources import (
    Awaited,
    Blocking,
    Mode,
    Resource,
    arguments_of,
    operation,
)
from victor_ext.runtime.client.runners import OperationFlow
from victor_ext.typed import CheckedCall, Query, Request

from .operations import PAYMENT_WITHDRAWAL
from .proofs import day_around
from .reading import ListOrder, lists, reads, response_to, walk, write

_ORDER = ListOrder(id="paymentId")


class _PaymentOperations(Resource[Mode]):
    """The flow behind the generated method, and the operations that have no generated one."""

    list = lists(arguments.list_payments, Payment, order=_ORDER)

    get = reads(arguments.get_payment, Payment)

    def _withdraw(self, request: Request) -> OperationFlow[None]:
        return write(request, arguments.get_payment, Payment, PAYMENT_WITHDRAWAL.done)

    @operation
    def find(
        self,
        payor_payment_id: str,
        *,
        payor_id: str,
        since: datetime,
        until: datetime | None = None,
    ) -> OperationFlow[builtins.list[Payment]]:
        """The payments with a reference of the payor's. It settles a `submit` whose response was
        lost.

        Velo has no filter for the reference, so all payments that were submitted in a window are
        read. A match has the `payout_id`. Two matches mean that it was submitted twice. No match
        does not prove that it was not submitted: when a payment appears is not documented, so
        search again later.

        Args:
            payor_payment_id: The reference that was submitted.
            payor_id: The id of the payor.
            since: The start of the window, aware: shortly before the submission. Velo's window has
                whole days in a time zone that is not documented, so a day is added at both ends.
            until: The end of the window, aware; None is now.

        Raises:
            VictorError: The list could not be read to its end.

        Examples:
            >>> [
            ...     match.status
            ...     for match in velo.payments.find("INV-1042", payor_id=payor_id, since=since)
            ... ]
            ['CONFIRMED']
        """
        with Query("The search") as check:
            check.reference("payor_payment_id", payor_payment_id, 40)
            check.form("payor_id", payor_id, arguments.PACKAGE.forms["id"])
            check.second("since", since)
            if until is not None:
                check.second("until", until)
            check.range("since", since, "until", until)
        first, last = day_around(since, -1), None if until is None else day_around(until, 1)
        window = arguments.list_payments(
            payor_id,
            page_size=100,
            sort="submittedDateTime:asc",
            submitted_from=first,
            submitted_to=last,
        )
        listed = walk(window, Payment, order=_ORDER)
        reader: PageReader[Payment] = self._shared.begin(listed)
        matches: builtins.list[Payment] = []
        wanted = reference_of(payor_payment_id)
        while not reader.done:
            page = reader.accept((yield from listed.read(reader)))
            matches += [
                payment
                for payment in page.items
                if reference_of(payment.payor_payment_id) == wanted
            ]
        return matches

    @operation
    @arguments_of(arguments.export_transactions)
    def export(self, call: CheckedCall) -> OperationFlow[str]:
        response = yield from response_to(call)
        try:
            return bytes(response.content).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UnreadableResponse(
                "Velo's export is not UTF-8.", outcome=Outcome.ACCEPTED
            ) from error

    changes = lists(arguments.list_payment_changes, PaymentChange, is_feed=True)


class Payments(methods.Payments, _PaymentOperations[Blocking]):
    """Payments of a payor, over all payouts. Errors and filters are those of `Payees`."""


class AsyncPayments(methods.AsyncPayments, _PaymentOperations[Awaited]):
    """The same operations, awaited."""
