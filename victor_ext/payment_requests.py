"""`victor.payment_requests`: requests for payment (RfP), sent, read and answered."""

from __future__ import annotations

import builtins
from collections.abc import Collection
from datetime import date, datetime

from . import answering, operations
from .listing import find, walk
from .money import Amount
from .records import PaymentRequest
from .runtime.calls import Flow
from .runtime.redaction import concealed_account
from .runtime.resources import Resource, Walk, World, listing, operation


class PaymentRequests(Resource[World]):
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
    ) -> Flow[PaymentRequest]:
        """Ask a counterparty for money. At most one request comes of one key, however often it is sent.

        Args:
            payee_account_number: The account that receives; 3 to 20 digits, as text.
            payer_counterparty_id: Who is asked; up to 16 characters.
            amount: US dollars as Decimal, text or int, above zero, at most two decimals; never a float.
            biller_type: `"BUSINESS"` or `"CONSUMER"`.
            due_date: The day it is due, at most 24 hours ahead.
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
        return operations.create(
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
            now=self.clock.moment(),
        )

    @operation
    def get(self, id: str) -> Flow[PaymentRequest]:  # noqa: A002 - the name users expect
        """Read one payment request."""
        return operations.get(id)

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

        Raises:
            InvalidRequest: A filter that cannot be right; at once, not at the first page.
            PaginationError: While walking, when the provider repeats its pages for ever.
        """
        return walk(
            page,
            page_size,
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
        id: str,  # noqa: A002 - as in `get`
        *,
        notes: str,
        modified_amount: Amount | None = None,
    ) -> Flow[PaymentRequest]:
        """Agree to pay an inbound request. This moves money, and takes no key: it is sent once.

        When the answer to it is lost, the request is read back: what it then shows is returned if it is
        what was meant, and raised as a `Conflict` if it is not.

        Args:
            id: The id of the inbound request (of the outbound one's `child_id`, never its own).
            notes: 1 to 150 characters; the provider demands them.
            modified_amount: Another amount, if the request allows it.

        Raises:
            Conflict: The request carries another answer.
            VictorError: With outcome `unknown` when the answer was lost and nothing could be seen of it.
        """
        return answering.respond(
            id, accept=True, notes=notes, modified_amount=modified_amount, left=self.clock.countdown(self.deadline)
        )

    @operation
    def decline(self, id: str, *, notes: str) -> Flow[PaymentRequest]:  # noqa: A002 - as in `get`
        """Refuse to pay an inbound request. Sent once, and read back when in doubt, as `accept` is."""
        return answering.respond(id, accept=False, notes=notes, left=self.clock.countdown(self.deadline))

    @operation
    def find(
        self, client_reference_id: str, *, start_datetime: datetime, end_datetime: datetime | None = None
    ) -> Flow[builtins.list[PaymentRequest]]:
        """The requests with this reference, among those of a window of time: settles an unknown outcome.

        The provider has no filter for the reference, so the whole window is read: keep it small.
        """
        return find(client_reference_id, start_datetime, end_datetime)

    @operation
    def wait(
        self,
        id: str,  # noqa: A002 - as in `get`
        *,
        until: str | Collection[str] | None = None,
        timeout: float = 300.0,
    ) -> Flow[PaymentRequest]:
        """Read a request now and again until it has a status.

        Args:
            id: The id of the request.
            until: A status, or several; a later one on the way to COMPLETED counts too. None: a final one.
            timeout: Seconds to wait in all; 0 reads it once.

        Raises:
            Conflict: It ended in another status.
            TimedOut: It did not get there in time.
        """
        return operations.wait(id, until=until, timeout=timeout, deadline=self.deadline, monotonic=self.clock.monotonic)
