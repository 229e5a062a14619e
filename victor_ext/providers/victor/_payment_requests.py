"""`victor.payment_requests`: the operations on requests for payment (RfP).

`create` is here; the flows of the others are in `reading`, `responding` and `waiting`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from victor_api.api.payment_requests import create_request_payment
from victor_api.typed import methods
from victor_api.typed.words import StatusWord

from victor_ext._privacy import one_line
from victor_ext._runtime.client.requests import ExtraQuery
from victor_ext._runtime.client.resources import Resource, Results, Walk
from victor_ext._runtime.client.runners import OperationFlow, step_for_json
from victor_ext._runtime.loop.idempotency_keys import new_key
from victor_ext.errors import Outcome, UnreadableResponse, VictorError
from victor_ext.typed import CheckedCall, ListQuery, Request

from . import _reading, _responding, _waiting
from ._creating import ARGUMENTS, SentCreate, body_of, check_request
from ._reading import SearchResult
from ._records import PaymentRequest
from ._values import Status


class _RequestFlows(Resource):
    """The flows behind the generated methods."""

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
        yield step
        created = PaymentRequest.of_json(step.parsed, idempotency_key=key)
        sent = SentCreate(request.body, step.attempts, key)
        yield from confirm_created(created, sent, seconds_left, is_key_new=own_key is None)
        return created

    def _get(self, request: CheckedCall) -> OperationFlow[PaymentRequest]:
        asked = request.by_hand
        return _reading.get(asked["id"], extra_query=asked["extra_query"], **request.path)

    def _list(self, query: ListQuery) -> Walk[PaymentRequest]:
        return _reading.walk(query)

    def _accept(self, request: Request) -> OperationFlow[PaymentRequest]:
        return _responding.respond(self._shared, request, Status.ACCEPTED)

    def _decline(self, request: Request) -> OperationFlow[PaymentRequest]:
        return _responding.respond(self._shared, request, Status.DECLINED)

    def _find(
        self,
        client_reference_id: str | Collection[str],
        *,
        start_datetime: datetime,
        end_datetime: datetime | None,
        extra_query: ExtraQuery | None,
    ) -> OperationFlow[SearchResult]:
        return _reading.find(
            self._shared, client_reference_id, start_datetime, end_datetime, extra_query
        )

    def _wait(
        self, id: str, *, until: StatusWord | Collection[StatusWord] | None, timeout: float
    ) -> OperationFlow[PaymentRequest]:
        return _waiting.wait(self._shared, id, until, timeout)

    def _watch(
        self, id: str, *, until: StatusWord | Collection[StatusWord] | None, timeout: float
    ) -> Results[PaymentRequest]:
        return _waiting.watch(self._shared, id, until, timeout)


class PaymentRequests(methods.PaymentRequests[PaymentRequest, SearchResult], _RequestFlows):
    """The operations on requests for payment. All errors are subclasses of `VictorError`.

    A method raises `InvalidRequest` before anything is sent if an argument is invalid. Arguments
    without a default are required: None and an empty text are invalid.
    """


class AsyncPaymentRequests(
    methods.AsyncPaymentRequests[PaymentRequest, SearchResult], _RequestFlows
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
            read = yield from _reading.get(created.id, seconds)
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
