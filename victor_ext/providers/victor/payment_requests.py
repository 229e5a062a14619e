"""`victor.payment_requests`: the operations on requests for payment (RfP).

`create` is here; the flows of the others are in `reading`, `responding` and `waiting`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from victor_api.api.payment_requests import create_request_payment
from victor_api.typed import methods
from victor_api.typed.words import StatusWord

from victor_ext.errors import Outcome, UnreadableResponse, VictorError
from victor_ext.money import Amount
from victor_ext.privacy import one_line
from victor_ext.runtime.client.requests import ExtraBody, ExtraQuery
from victor_ext.runtime.client.resources import (
    Awaited,
    Blocking,
    Mode,
    Resource,
    Results,
    Walk,
    operation,
    stream,
)
from victor_ext.runtime.client.runners import OperationFlow, step_for_json
from victor_ext.runtime.loop.idempotency_keys import new_key
from victor_ext.typed import ListQuery, Request

from . import reading, responding, waiting
from .creating import ARGUMENTS, SentCreate, body_of, check_request
from .reading import SearchResult
from .records import PaymentRequest
from .values import Status


class _RequestOperations(Resource[Mode]):
    """The flows behind the generated methods, and the operations that have no generated one."""

    def _create(self, request: Request) -> OperationFlow[PaymentRequest]:
        clock = self._shared.clock
        seconds_left = clock.countdown(self._shared.deadline)
        own_key = request.by_hand["idempotency_key"]
        # A call with the caller's key may be a repeat on a later day.
        now = clock.moment() if own_key is None else None
        key = new_key() if own_key is None else own_key
        check_request(request, now)
        step = step_for_json(create_request_payment, body=body_of(request), idempotency_key=key)
        step.own_places = ARGUMENTS
        created = PaymentRequest.of_json((yield step).parsed, idempotency_key=key)
        extras = (request.by_hand["extra_body"], step.extra_body)
        sent = SentCreate(request.body, step.attempts, key, extras)
        yield from confirm_created(created, sent, seconds_left, is_key_new=own_key is None)
        return created

    @operation
    def get(
        self, id: str, *, extra_query: ExtraQuery | None = None
    ) -> OperationFlow[PaymentRequest]:
        """Read one payment request by its id, with the `response` to an inbound request.

        The document describes the `status` of this call as "Either Pending or Error", so it may
        remain Pending, except of a request with a `response`. Use `list` or `wait` for the current
        status.

        Args:
            id: The id of the request.
            extra_query: Parameters that this package does not know, by their names on the wire.

        Raises:
            NotFound: The request does not exist: a 404, or a 400 about the id (the document has no
                404).
            UnreadableResponse: The response is not a payment request, or is a different one.

        Examples:
            >>> victor.payment_requests.get(request.id).amount
            Decimal('44.23')
        """
        return reading.get(id, extra_query=extra_query)

    def _list(self, query: ListQuery) -> Walk[PaymentRequest]:
        return reading.walk(query, self._shared.clock)

    @operation
    def accept(
        self,
        id: str | PaymentRequest,
        *,
        notes: str,
        modified_amount: Amount | None = None,
        extra_body: ExtraBody | None = None,
    ) -> OperationFlow[PaymentRequest]:
        """Accept an inbound request: agree to pay it. This moves money.

        The call has no idempotency key and is sent once. If the outcome is uncertain, the request
        is read, and returned if it has the intended response.

        Args:
            id: The id of the inbound request (the `child_id` of the outbound one), or its record. A
                record is also checked for its direction and `amount_modification_allowed`.
            notes: 1 to 150 characters.
            modified_amount: The amount to pay, in US dollars above zero, if the request allows
                another one. None: the requested amount.
            extra_body: Members of the body that are unknown here, by their names on the wire.
                They are not compared when the request is read back.

        Raises:
            BadRequest: The provider refused it, such as an unknown request, or one that cannot be
                answered.
            Conflict: The request is outbound or has a different response (outcome `rejected`), or
                its response may be this call's (outcome `unknown`).
            VictorError: Any other failure. With outcome `unknown` the request may be accepted: read
                it with `get`.

        Examples:
            >>> inbound = next(
            ...     iter(victor.payment_requests.list(direction="inbound", status="pending"))
            ... )
            >>> str(victor.payment_requests.accept(inbound, notes="Thank you.").status)
            'accepted'
        """
        return responding.respond(
            self._shared,
            id,
            Status.ACCEPTED,
            notes,
            modified_amount=modified_amount,
            extra_body=extra_body,
        )

    @operation
    def decline(
        self, id: str | PaymentRequest, *, notes: str, extra_body: ExtraBody | None = None
    ) -> OperationFlow[PaymentRequest]:
        """Decline an inbound request: refuse to pay it. The call is sent once, and read back as in
        `accept`.

        The arguments (but for an amount) and the errors are those of `accept`. With outcome
        `unknown` the request may be declined: read it with `get`.

        Examples:
            >>> inbound = next(
            ...     iter(victor.payment_requests.list(direction="inbound", status="pending"))
            ... )
            >>> str(victor.payment_requests.decline(inbound, notes="Not ours.").status)
            'declined'
        """
        return responding.respond(self._shared, id, Status.DECLINED, notes, extra_body=extra_body)

    @operation
    def find(
        self,
        client_reference_id: str | Collection[str],
        *,
        start_datetime: datetime,
        end_datetime: datetime | None = None,
        extra_query: ExtraQuery | None = None,
    ) -> OperationFlow[SearchResult]:
        """Find the requests with a reference in a time window, such as after a `create` with an
        unknown outcome.

        The provider has no filter for the reference, so all requests of the window are read. It is
        widened by one minute and the known difference between the clocks.

        Args:
            client_reference_id: The reference that was passed to `create`; or several, in a list or
                a set: one reading of the window serves them all.
            start_datetime: The start of the window, an aware datetime.
            end_datetime: The end of the window, an aware datetime. None: no end.
            extra_query: As in `list`: filters that narrow what is read.

        Returns:
            A list with the searched window (`start`, `end`) and the number of requests in it
            (`read`). An empty list does not prove that the request does not exist; `caveat` has the
            reasons.

        Raises:
            VictorError: The list could not be read.

        Examples:
            >>> matches = victor.payment_requests.find("INV-1042", start_datetime=since)
            >>> [match.id for match in matches] == [request.id]
            True
        """
        return reading.find(
            self._shared, client_reference_id, start_datetime, end_datetime, extra_query
        )

    @operation
    def wait(
        self,
        id: str,
        *,
        until: StatusWord | Collection[StatusWord] | None = None,
        timeout: float = 300.0,
    ) -> OperationFlow[PaymentRequest]:
        """Read a request repeatedly until it has a wanted status. The result combines `list` and
        `get`.

        Args:
            id: The id of the request.
            until: One or more statuses. A later status on the way to COMPLETED counts too. None:
                any terminal status.
            timeout: The maximum time, in seconds. 0: the request is read once.

        Raises:
            Conflict: The request ended in another status. The `outcome` does not describe the
                payment.
            TimedOut: The status was not reached in time. The `outcome` does not describe the
                payment.
            VictorError: A read failed with an error that is not temporary, such as `NotFound`.

        Examples:
            >>> str(victor.payment_requests.wait(request.id, until="completed", timeout=30).status)
            'completed'
        """
        return waiting.wait(self._shared, id, until, timeout)

    @stream
    def watch(
        self,
        id: str,
        *,
        until: StatusWord | Collection[StatusWord] | None = None,
        timeout: float = 300.0,
    ) -> Results[PaymentRequest]:
        """Yield a request now and after each change of its status, until it has a wanted status.

            for request in victor.payment_requests.watch(id):
                print(request.status)

        Use `async for` with `AsyncVictor`. The request is read half a second after a change, then
        less often.

        The arguments are those of `wait`, and so are the errors; `timeout` is the time of the whole
        iteration. A request that ended in another status is yielded before the `Conflict`.

        Examples:
            >>> [
            ...     str(change.status)
            ...     for change in victor.payment_requests.watch(request.id, timeout=30)
            ... ]
            ['completed']
        """
        return waiting.watch(self._shared, id, until, timeout)


class PaymentRequests(methods.PaymentRequests[PaymentRequest], _RequestOperations[Blocking]):
    """The operations on requests for payment. All errors are subclasses of `VictorError`.

    A method raises `InvalidRequest` before anything is sent if an argument is invalid. Arguments
    without a default are required: None and an empty text are invalid.
    """


class AsyncPaymentRequests(
    methods.AsyncPaymentRequests[PaymentRequest], _RequestOperations[Awaited]
):
    """The same operations, awaited."""


def confirm_created(
    created: PaymentRequest,
    sent: SentCreate,
    seconds_left: Callable[[], float | None],
    *,
    is_key_new: bool = False,
) -> OperationFlow[None]:
    """Check that a response to a `create` is about the payment that was sent. If the response says
    too little, the request that it names is read, within the time that is left.

    Raises `Conflict`: it is another payment. Raises `UnreadableResponse`: that is not known.
    `is_key_new`: no earlier call can have had the key.
    """
    if sent.is_confirmed_by(created):
        return
    # A new random key cannot belong to another payment, and a response without any of the sent
    # values is a plain receipt. A response with only some of them, or with one that cannot be
    # read, may describe another payment.
    is_of_this_call = is_key_new or not sent.comparisons(created)
    unreadable = sent.unreadable(created)
    if is_of_this_call and not unreadable:
        return
    why = "and no time was left to read it back"
    seconds = seconds_left()
    if seconds is None or seconds > 0:
        try:
            read = yield from reading.get(created.id, seconds)
        except VictorError as error:
            why = f"and it could not be read back ({error.message.rstrip('.')})"
        else:
            if sent.is_confirmed_by(read):
                return
            why = "and the record that was read back does not show whose it is"
    missing = "payee, payer and amount" if sent.reference is None else "its reference"
    what = f"which does not say {missing}"
    if unreadable:
        what = f"whose {' and '.join(unreadable)} cannot be read"
    raise UnreadableResponse(
        f"The provider answered with payment request {one_line(created.id)}, {what}, {why}: it may "
        f"be another payment's, of an earlier use of the idempotency key {sent.key!r}.",
        hint="Look at it with get(), or repeat with the same key and the same values.",
        outcome=Outcome.ACCEPTED if is_key_new else Outcome.UNKNOWN,
        idempotency_key=sent.key,
        attempts=sent.attempts,
    )
