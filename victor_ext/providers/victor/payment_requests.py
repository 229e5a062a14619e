"""`victor.payment_requests`: requests for payment (RfP), sent, read and answered."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from victor_ext.money import Amount
from victor_ext.redaction import concealed_account
from victor_ext.runtime.client.resources import Mode, Resource, Results, Walk, listing, operation, stream
from victor_ext.runtime.client.runners import OperationFlow

from . import creating, reading, responding, waiting
from .reading import SearchResult
from .records import PaymentRequest


class PaymentRequests(Resource[Mode]):
    """Requests for payment, blocking or awaited. Every method raises errors under `VictorError`."""

    @operation
    def create(
        self,
        *,
        payee_account_number: str,
        payer_counterparty_id: str,
        amount: Amount,
        biller_type: str,
        due_date: date | str,
        ultimate_creditor: str | None = None,
        amount_modification_allowed: bool | None = None,
        notes: str | None = None,
        client_reference_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> OperationFlow[PaymentRequest]:
        """Ask a counterparty for money. At most one request comes of one key, however often it is sent.

        Args:
            payee_account_number: The account that receives; 3 to 20 digits, as text.
            payer_counterparty_id: Who is asked; up to 16 characters.
            amount: US dollars as Decimal, text or int, above zero, at most two decimals; never a float.
            biller_type: `"BUSINESS"` or `"CONSUMER"`.
            due_date: The day it is due, at most 24 hours ahead. With an `idempotency_key` it is not held against the
                clock here: it may be the repeat of a request whose day has passed, and the provider knows.
            ultimate_creditor: For whom it is collected; only with `"BUSINESS"`; up to 100 characters.
            amount_modification_allowed: Whether the payer may pay another amount.
            notes: Up to 150 characters, for the payer.
            client_reference_id: The caller's own reference; up to 128 characters.
            idempotency_key: One key per payment, kept for every retry of it: `idempotency_key_for("invoice",
                1042)`. A random one is made when it is left out, and is on the result and on every error.

        Returns:
            The request as the provider took it, with status `created`: it is not sent yet, and not paid.

        Raises:
            InvalidRequest: An argument breaks a rule of the document; nothing was sent.
            VictorError: Anything else; its `outcome` says whether the request may exist.
        """
        payee_account_number = concealed_account(payee_account_number)
        return creating.create(
            payee_account_number=payee_account_number,
            payer_counterparty_id=payer_counterparty_id,
            amount=amount,
            biller_type=biller_type,
            due_date=due_date,
            ultimate_creditor=ultimate_creditor,
            amount_modification_allowed=amount_modification_allowed,
            notes=notes,
            client_reference_id=client_reference_id,
            idempotency_key=idempotency_key,
            # With the caller's own key this may be a repeat: then the provider knows what became of the first try.
            now=self.clock.moment() if idempotency_key is None else None,
            left=self.clock.countdown(self.deadline),
        )

    @operation
    def get(self, id: str) -> OperationFlow[PaymentRequest]:
        """Read one payment request, whose `status` may be Pending for ever: `wait` and a list tell where it is.

        The document calls the status of this call "Either Pending or Error", where Pending says no more than that the
        request was submitted. What only this call knows is the answer that an inbound request was given.

        Raises:
            VictorError: It could not be read, or what came is about another request.
        """
        return reading.get(id)

    @listing
    def list(
        self,
        *,
        status: str | None = None,
        direction: str | None = None,
        start_datetime: datetime | None = None,
        end_datetime: datetime | None = None,
        victor_id: str | None = None,
        due_date_start_date: date | str | None = None,
        due_date_end_date: date | str | None = None,
        approval_start_datetime: datetime | None = None,
        approval_end_datetime: datetime | None = None,
        victor_payment_request_parent_id: str | None = None,
        victor_payment_request_child_id: str | None = None,
        network_type: str | None = None,
        tracking_id: str | None = None,
        instant_payment_rails_id: str | None = None,
        page: int = 0,
        page_size: int | None = None,
    ) -> Walk[PaymentRequest]:
        """Every payment request that passes the filters, read page by page as it is walked.

        The filters bear the document's names. Times are aware datetimes. Each walk starts at `page` (0 is
        the first) and ends at the first empty page; what moves between pages meanwhile is yielded once.

        Every request that passes the filters during the whole walk is yielded, whatever the caller does to those that
        came. A request can leave `status` and the approval times while the list is read, and then the rest moves
        forward, past the reader. So a list with one of these filters is read again from `page` on, until a reading is
        proven to have missed nothing: one that is at rest is read twice (`pages()` tells the `reading` of each page),
        and the ids of all requests are held. Where others keep changing the list, three readings in a row with nothing
        new but arrivals end it, and may have missed what moved to an earlier page in each of them. With the other
        filters it is read once. One page of requests is held in any case.

        Raises:
            InvalidRequest: A filter that cannot be right; at once, not at the first page.
            PaginationError: While walking, when the provider repeats its pages for ever, or when requests come and go
                faster than they can be read.
        """
        return reading.walk(
            page,
            page_size,
            clock=self.clock,
            status=status,
            direction=direction,
            start_datetime=start_datetime,
            end_datetime=end_datetime,
            victor_id=victor_id,
            due_date_start_date=due_date_start_date,
            due_date_end_date=due_date_end_date,
            approval_start_datetime=approval_start_datetime,
            approval_end_datetime=approval_end_datetime,
            victor_payment_request_parent_id=victor_payment_request_parent_id,
            victor_payment_request_child_id=victor_payment_request_child_id,
            network_type=network_type,
            tracking_id=tracking_id,
            instant_payment_rails_id=instant_payment_rails_id,
        )

    @operation
    def accept(
        self,
        id: str | PaymentRequest,
        *,
        notes: str,
        modified_amount: Amount | None = None,
    ) -> OperationFlow[PaymentRequest]:
        """Agree to pay an inbound request. This moves money, and takes no key: it is sent once.

        When the answer to it is lost, or is no clear yes, the request is read back: what it then shows is returned if
        it is what was meant, and raised as a `Conflict` if it is not.

        Args:
            id: The inbound request, or its id (of the outbound one's `child_id`, never its own). Of a request that
                was read before, its direction and `amount_modification_allowed` are checked first.
            notes: 1 to 150 characters; the provider demands them.
            modified_amount: Another amount, if the request allows it.

        Raises:
            InvalidRequest: An argument breaks a rule; nothing was sent.
            Conflict: The request carries another answer, or one that may not be this call's (outcome `unknown`).
            VictorError: With outcome `unknown` when the answer was lost and nothing could be seen of it.
        """
        return responding.respond(
            id, accept=True, notes=notes, modified_amount=modified_amount, left=self.clock.countdown(self.deadline)
        )

    @operation
    def decline(self, id: str | PaymentRequest, *, notes: str) -> OperationFlow[PaymentRequest]:
        """Refuse to pay an inbound request. Sent once, and read back when in doubt, as `accept` is."""
        return responding.respond(id, accept=False, notes=notes, left=self.clock.countdown(self.deadline))

    @operation
    def find(
        self, client_reference_id: str, *, start_datetime: datetime, end_datetime: datetime | None = None
    ) -> OperationFlow[SearchResult]:
        """The requests with this reference, among those of a window of time: settles an unknown outcome.

        The provider has no filter for the reference, so the whole window is read: keep it small. It may be told by
        this machine's clock: a minute, and what the provider's clock is known to differ, are added at both ends.

        Returns:
            A list, with the window as it was asked for (`start`, `end`), and the number of requests in it (`read`).
            An empty one is no proof (its `caveat` says why): a request may still be on its way, and that the
            provider compares the window with the creation of a request is not documented.
        """
        return reading.find(client_reference_id, start_datetime, end_datetime, clock=self.clock)

    @operation
    def wait(
        self,
        id: str,
        *,
        until: str | Collection[str] | None = None,
        timeout: float = 300.0,
    ) -> OperationFlow[PaymentRequest]:
        """Look at a request now and again until it has a status.

        Its life is looked up in the list (`victor_id`), since the document says of the status that `get` answers that
        it may be Pending all along. `get` is asked for the answer that it was given, and for an error.

        Args:
            id: The id of the request.
            until: A status, or several; a later one on the way to COMPLETED counts too. None: a final one.
            timeout: Seconds to wait in all; 0 reads it once.

        Raises:
            Conflict: It ended in another status.
            TimedOut: It did not get there in time.

        Both are about the wait, which moves no money: their `outcome` says nothing of the payment.
        """
        return waiting.wait(id, until=until, timeout=timeout, deadline=self.deadline, monotonic=self.clock.monotonic)

    @stream
    def watch(
        self,
        id: str,
        *,
        until: str | Collection[str] | None = None,
        timeout: float = 300.0,
    ) -> Results[PaymentRequest]:
        """Yield a request as it is now, and again each time its status has changed, until it has the wanted one.

            for request in victor.payment_requests.watch(id):
                print(request.status)

        With `AsyncVictor`, write `async for`. It reads as `wait` does: through failures that may pass, half a second
        after a change and then more and more slowly.

        Args:
            id: The id of the request.
            until: A status, or several; a later one on the way to COMPLETED counts too. None: a final one.
            timeout: Seconds in all, also those between two results; 0 reads it once.

        Raises:
            InvalidRequest: An argument breaks a rule; at once, not at the first result.
            Conflict: It ended in another status; that record has been yielded.
            TimedOut: It did not get there in time.
            VictorError: It could not be read, for a reason that does not pass.
        """
        return waiting.watch(id, until=until, timeout=timeout, deadline=self.deadline, monotonic=self.clock.monotonic)
