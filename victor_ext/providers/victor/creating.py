"""`create`: sends a payment request with an idempotency key and compares the response with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from victor_api.api.payment_requests import create_request_payment

from victor_ext.errors import Outcome, UnreadableResponse, VictorError
from victor_ext.privacy import one_line
from victor_ext.runtime.client.runners import OperationFlow, step_for_json
from victor_ext.runtime.loop.idempotency_keys import new_key

from .comparing import Sent
from .reading import get
from .records import PaymentRequest
from .requests import ARGUMENTS, CreateRequest


def create(
    request: CreateRequest, now: datetime | None, *, left: Callable[[], float | None]
) -> OperationFlow[PaymentRequest]:
    """Check the request, send it, and compare the response with it."""
    request.check(now)
    key = new_key() if request.idempotency_key is None else request.idempotency_key
    # The result is no local: error reports that include local variables would show its account numbers.
    step = step_for_json(create_request_payment, body=request.to_model(), idempotency_key=key)
    step.taken = ARGUMENTS
    made = PaymentRequest.of_json((yield step).parsed, idempotency_key=key)
    sent = Sent(request, step.attempts, step.extra_body)
    # A new random key cannot belong to another payment, and a response without any of the sent values is a plain
    # receipt. A response with only some of them may describe another payment, so that one is read.
    if sent.is_confirmed_by(made) or request.idempotency_key is None or not sent.comparisons(made):
        return made
    return (yield from _read_back(made, sent, left()))


def _read_back(made: PaymentRequest, sent: Sent, seconds: float | None) -> OperationFlow[PaymentRequest]:
    """Read the created request with `get`, and return it if it is this payment."""
    why = "and no time was left to read it back"
    if seconds is None or seconds > 0:
        try:
            read = yield from get(made.id, seconds)
        except VictorError as error:
            why = f"and it could not be read back ({error.message.rstrip('.')})"
        else:
            if sent.is_confirmed_by(PaymentRequest(read.raw, made.idempotency_key)):
                return made
            why = "and neither does the record that was read back"
    raise UnreadableResponse(
        f"The provider answered with payment request {one_line(made.id)}, which does not say "
        f"{'its reference' if sent.reference is not None else 'payee, payer and amount'}, {why}: it may be another "
        f"payment's, of an earlier use of the idempotency key {made.idempotency_key!r}.",
        hint="Look at it with get(), or repeat with the same key and the same values.",
        outcome=Outcome.UNKNOWN,
        idempotency_key=made.idempotency_key,
        attempts=sent.attempts,
    )
