"""`velo.payments`: the payments of a payor, over all payouts."""

from __future__ import annotations

import builtins
from datetime import datetime

from velo_api.typed import arguments
from velo_api.typed.records import Payment, PaymentChange

from victor_ext.errors import Outcome, UnreadableResponse
from victor_ext.ids import reference_of
from victor_ext.runtime.client.paging import PageReader
from victor_ext.runtime.client.resources import Mode, Resource, arguments_of, operation
from victor_ext.runtime.client.runners import OperationFlow
from victor_ext.typed import CheckedCall, Query, Request

from .operations import PAYMENT_WITHDRAWAL
from .proofs import day_around
from .reading import ListOrder, lists, reads, response_to, walk, write

_ORDER = ListOrder(id="paymentId")


class Payments(Resource[Mode]):
    """Payments of a payor, over all payouts. Errors and filters are those of `Payees`."""

    @lists(arguments.list_payments, Payment, order=_ORDER)
    def list(self) -> None:
        """The payments of a payor, read page by page as they are iterated.

        No filter is for the payor's own reference: see `find`. Velo sets `remote_id` only when a
        payment is confirmed, so it does not find a new one.

        A payment never leaves the window of `submitted_from` and `submitted_to`, so a walk by
        window yields each of its payments once. A `sort` is sent with `paymentId` added: payments
        of one moment may else change places.

        Args:
            payor_name: A part of the payor's name, in any letter case.
            rails_id: The rails that carry a payment, in any letter case.
            remote_system_id: The payments system that pays, if it is not Velo.
            source_amount_from: The least that a source account pays, in minor units of whichever
                currency; so are `source_amount_to`, and `payment_amount_from` and
                `payment_amount_to`, which a payee receives.
            scheduled_from: The first day that its payout is scheduled for; `scheduled_to` is the
                last.
            submitted_from: The first day, as a date or a text such as `2026-03-04`. In which time
                zone Velo means its days is not documented: for a window of moments add a day at
                both ends, and compare `submitted_at`.
            submitted_to: The last day, which is part of the window.
            sort: Such as `submittedDateTime:asc`. None is Velo's own: the newest first.

        Examples:
            >>> listed = list(
            ...     velo.payments.list(payor_id, submitted_from=today, sort="submittedDateTime:asc")
            ... )
            >>> [payment.payor_payment_id for payment in listed]
            ['INV-1042', 'INV-1043']
        """

    @reads(arguments.get_payment, Payment)
    def get(self) -> None:
        """Read one payment, with its history in `events`.

        Examples:
            >>> str(velo.payments.get(listed[0].id).payment)
            '44.23 USD'
        """

    @operation
    @arguments_of(arguments.withdraw_payment)
    def withdraw(self, request: Request) -> OperationFlow[None]:
        """Withdraw one payment that is ACCEPTED or UNFUNDED, before its payout is instructed. The
        request is sent once.

        After a lost response the payment is read: if it is withdrawn, the call returns; else the
        outcome is unknown.

        Examples:
            >>> payout_id = velo.payouts.submit(
            ...     [dataclasses.replace(payment, payor_payment_id="INV-1044")]
            ... )
            >>> (match,) = velo.payments.find("INV-1044", payor_id=payor_id, since=since)
            >>> velo.payments.withdraw(match.id, reason="The invoice was cancelled.")
        """
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
        """Read the transactions of a range of days, as the CSV that Velo writes: payments,
        fundings, fees and returns.

        The titles of its columns are not documented, nor in which unit it writes amounts: read it
        by its first line (`csv.DictReader(io.StringIO(text))`). All of it is held in memory.

        Raises:
            UnreadableResponse: The answer is not CSV in UTF-8.

        Examples:
            >>> rows = list(
            ...     csv.DictReader(io.StringIO(velo.payments.export(payor_id, start=today)))
            ... )
        """
        response = yield from response_to(call)
        try:
            return bytes(response.content).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UnreadableResponse(
                "Velo's export is not UTF-8.", outcome=Outcome.ACCEPTED
            ) from error

    @lists(arguments.list_payment_changes, PaymentChange, is_feed=True)
    def changes(self) -> None:
        """The payments of a payor that changed `since` a moment; as `payees.changes`. `page_size`
        is 1 to 1,000.

        Examples:
            >>> "INV-1042" in [
            ...     change.payor_payment_id
            ...     for change in velo.payments.changes(payor_id, since=since)
            ... ]
            True
        """
