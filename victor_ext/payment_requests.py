"""`victor.payment_requests`: requests for payment (RfP), sent, read and answered."""

from __future__ import annotations

import builtins
import math
from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from . import answering, operations, rules
from .money import Amount
from .records import PaymentRequest
from .runtime.calls import AwaitedFace, BlockingFace, Flow
from .runtime.clock import ServerClock
from .runtime.errors import BadRequest, InvalidRequest, Problem
from .runtime.paging import AsyncPages, Page, PageReader, Pages
from .runtime.redaction import concealed_account

PaymentRequestPage = Page[PaymentRequest]
PaymentRequestPages = Pages[PaymentRequest]
AsyncPaymentRequestPages = AsyncPages[PaymentRequest]


class PaymentRequests:
    """Requests for payment, with blocking calls. Every method raises errors under `VictorError`."""

    def __init__(self, face: BlockingFace, clock: ServerClock, deadline: float | None) -> None:
        self._run = face.run
        self._clock = clock
        self._deadline = deadline

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
    ) -> PaymentRequest:
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
        return self._run(
            operations.create(
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
                now=self._clock.moment(),
            )
        )

    def get(self, id: str) -> PaymentRequest:  # noqa: A002 - the name users expect
        """Read one payment request."""
        return self._run(operations.get(id))

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
    ) -> PaymentRequestPages:
        """Every payment request that passes the filters, read page by page as it is walked.

        The filters bear the document's names. Times are aware datetimes. Each walk starts at `page` (0 is
        the first) and ends at the first empty page; what moves between pages meanwhile is yielded once.

        Raises:
            InvalidRequest: A filter that cannot be right; at once, not at the first page.
            PaginationError: While walking, when the provider repeats its pages for ever.
        """
        listing = _Listing(
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
        return Pages(lambda state: self._run(listing.read(state)), listing.reader)

    def accept(
        self,
        id: str,  # noqa: A002 - as in `get`
        *,
        notes: str,
        modified_amount: Amount | None = None,
    ) -> PaymentRequest:
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
        return self._run(self._answer(id, accept=True, notes=notes, modified_amount=modified_amount))

    def decline(self, id: str, *, notes: str) -> PaymentRequest:  # noqa: A002 - as in `get`
        """Refuse to pay an inbound request. Sent once, and read back when in doubt, as `accept` is."""
        return self._run(self._answer(id, accept=False, notes=notes))

    def find(
        self, client_reference_id: str, *, start_datetime: datetime, end_datetime: datetime | None = None
    ) -> builtins.list[PaymentRequest]:
        """The requests with this reference, among those of a window of time: settles an unknown outcome.

        The provider has no filter for the reference, so the whole window is read: keep it small.
        """
        check_search(client_reference_id, start_datetime, end_datetime)
        window = self.list(start_datetime=start_datetime, end_datetime=end_datetime)
        return [request for request in window if request.client_reference_id == client_reference_id]

    def wait(
        self,
        id: str,  # noqa: A002 - as in `get`
        *,
        until: str | Collection[str] | None = None,
        timeout: float = 300.0,
    ) -> PaymentRequest:
        """Read a request now and again until it has a status.

        Args:
            id: The id of the request.
            until: A status, or several; a later one on the way to COMPLETED counts too. None: a final one.
            timeout: Seconds to wait in all; 0 reads it once.

        Raises:
            Conflict: It ended in another status.
            TimedOut: It did not get there in time.
        """
        wanted = operations.wanted_statuses(until)
        seconds = checked_timeout(timeout)
        return self._run(
            operations.wait(id, until=wanted, timeout=seconds, deadline=self._deadline, monotonic=self._clock.monotonic)
        )

    def _answer(self, id: str, **answer: Any) -> Flow[PaymentRequest]:  # noqa: A002 - as in `get`
        return answering.respond(id, **answer, left=self._clock.countdown(self._deadline))


class AsyncPaymentRequests:
    """Requests for payment, with awaited calls. The methods are those of `PaymentRequests`."""

    def __init__(self, face: AwaitedFace, clock: ServerClock, deadline: float | None) -> None:
        self._run = face.run
        self._clock = clock
        self._deadline = deadline

    async def create(
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
    ) -> PaymentRequest:
        """Ask a counterparty for money; see `PaymentRequests.create`."""
        payee_account_number = concealed_account(payee_account_number)
        return await self._run(
            operations.create(
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
                now=self._clock.moment(),
            )
        )

    async def get(self, id: str) -> PaymentRequest:  # noqa: A002 - the name users expect
        """Read one payment request."""
        return await self._run(operations.get(id))

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
    ) -> AsyncPaymentRequestPages:
        """Every payment request that passes the filters, for `async for`; see `PaymentRequests.list`."""
        listing = _Listing(
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
        return AsyncPages(lambda state: self._run(listing.read(state)), listing.reader)

    async def accept(
        self,
        id: str,  # noqa: A002 - as in `get`
        *,
        notes: str,
        modified_amount: Amount | None = None,
    ) -> PaymentRequest:
        """Agree to pay an inbound request; see `PaymentRequests.accept`."""
        return await self._run(self._answer(id, accept=True, notes=notes, modified_amount=modified_amount))

    async def decline(self, id: str, *, notes: str) -> PaymentRequest:  # noqa: A002 - as in `get`
        """Refuse to pay an inbound request; see `PaymentRequests.decline`."""
        return await self._run(self._answer(id, accept=False, notes=notes))

    async def find(
        self, client_reference_id: str, *, start_datetime: datetime, end_datetime: datetime | None = None
    ) -> builtins.list[PaymentRequest]:
        """The requests with this reference, among those of a window of time; see `PaymentRequests.find`."""
        check_search(client_reference_id, start_datetime, end_datetime)
        window = self.list(start_datetime=start_datetime, end_datetime=end_datetime)
        return [request async for request in window if request.client_reference_id == client_reference_id]

    async def wait(
        self,
        id: str,  # noqa: A002 - as in `get`
        *,
        until: str | Collection[str] | None = None,
        timeout: float = 300.0,  # noqa: ASYNC109 - the same argument as the blocking face has
    ) -> PaymentRequest:
        """Read a request now and again until it has a status; see `PaymentRequests.wait`."""
        wanted = operations.wanted_statuses(until)
        seconds = checked_timeout(timeout)
        return await self._run(
            operations.wait(id, until=wanted, timeout=seconds, deadline=self._deadline, monotonic=self._clock.monotonic)
        )

    def _answer(self, id: str, **answer: Any) -> Flow[PaymentRequest]:  # noqa: A002 - as in `get`
        return answering.respond(id, **answer, left=self._clock.countdown(self._deadline))


class _Listing:
    """A list with its filters checked: what both faces walk."""

    def __init__(self, page: int, page_size: int | None, **filters: object) -> None:
        self._wire = rules.list_filters(filters, page=page, page_size=page_size)
        self._first = page
        self._page_size = page_size
        self._arguments: dict[str, Any] | None = None

    def reader(self) -> PageReader[PaymentRequest]:
        """A new walk."""
        return PageReader(
            lambda request: request.id or None,
            content=operations.content_of,
            first=self._first,
            what="list of payment requests",
        )

    def read(self, reader: PageReader[PaymentRequest]) -> Flow[Any]:
        """The items of the page that the walk has come to."""
        if self._arguments is None:
            self._arguments = operations.list_arguments(self._wire)
        try:
            page = yield from operations.read_page(reader.number, self._page_size, self._arguments)
        except BadRequest:
            # What the provider answers past the end is not documented. A short page alone is no end, and a
            # refusal alone is none: both together are.
            if reader.last_was_short:
                return ()
            raise
        return operations.items_of(page)


def check_search(client_reference_id: object, start_datetime: object, end_datetime: object) -> None:
    """Raises `InvalidRequest` for a reference that no request can have, and for a window that is none."""
    found = rules.Findings()
    found.required(rules.REFERENCE, client_reference_id)
    if start_datetime is None:
        message = "start_datetime is missing: write datetime(2026, 3, 4, tzinfo=UTC)."
        found.add(Problem("start_datetime", "required", message))
    try:
        rules.list_filters({"start_datetime": start_datetime, "end_datetime": end_datetime})
    except InvalidRequest as error:
        found.problems += error.problems
    found.finish("The search")


def checked_timeout(timeout: object) -> float:
    """Seconds to wait, or `InvalidRequest`."""
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not math.isfinite(timeout) or timeout < 0:
        message = f"timeout is {rules.shown(timeout)} and must be seconds, 0 or more."
        raise InvalidRequest.of([Problem("timeout", "range", message)])
    return float(timeout)
