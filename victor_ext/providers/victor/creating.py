"""`create`: sends a payment request with an idempotency key and compares the response with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from victor_ext import money
from victor_ext.errors import Conflict, Outcome, UnreadableResponse, VictorError
from victor_ext.redaction import mask, one_line
from victor_ext.runtime.client.runners import OperationFlow, call_with_attempts
from victor_ext.runtime.loop.keys import new_key

from .checks import as_date
from .generated import models
from .reading import get
from .records import PaymentRequest
from .requests import CreateRequest
from .statuses import Direction

_CREATE = "victor_api.api.payment_requests.create_request_payment"


def create(
    request: CreateRequest, now: datetime | None, *, left: Callable[[], float | None]
) -> OperationFlow[PaymentRequest]:
    """Check the request, send it, and compare the response with it."""
    request.check(now)
    key = new_key() if request.idempotency_key is None else request.idempotency_key
    result = yield from call_with_attempts(
        _CREATE, models.PaymentRequestReceipt, body=request.to_model(), idempotency_key=key
    )
    # Do not keep the model: its repr shows account numbers in error reports that include local variables.
    made, attempts = PaymentRequest(result[0], key), result[1]
    del result
    sent = _Sent(request, attempts)
    # A new random key cannot belong to another payment, and a response without any of the sent values is a plain
    # receipt. A response with only some of them may describe another payment, so that one is read.
    if sent.is_confirmed_by(made) or request.idempotency_key is None or sent.shares_nothing_with(made):
        return made
    return (yield from _read_back(made, sent, left()))


def may_be(found: PaymentRequest, arguments: Mapping[str, Any], since: datetime) -> bool:
    """Whether a record may be the request that these arguments made; see `PaymentRequest.may_be`."""
    request = CreateRequest(**arguments)
    if found.direction is Direction.INBOUND or found.due_date not in (None, as_date(request.due_date)):
        return False
    if found.created_at is not None and found.created_at < since:
        return False
    said = {what: same for what, is_there, same in _Sent(request, 1).comparisons(found) if is_there}
    return "amount" in said and all(said.values())


@dataclass(frozen=True, slots=True)
class _Sent:
    """The request that was sent, and the number of attempts."""

    request: CreateRequest
    attempts: int

    @property
    def reference(self) -> str | None:
        return self.request.client_reference_id

    def is_confirmed_by(self, found: PaymentRequest) -> bool:
        """Whether a record has this payment's reference or, without a reference, all of its other values.

        Raises `Conflict` if a value differs: the key was used before, or a cache mixed up responses.
        """
        compared = self.comparisons(found)
        others = [what for what, is_there, same in compared if is_there and not same]
        if others:
            which = " and ".join(f"the {what} {_shown(found, what)!r}" for what in others)
            raise _conflict(found, which, self.attempts)
        proof = compared[-1:] if self.reference is not None else compared
        return all(is_there for _, is_there, _ in proof)

    def comparisons(self, found: PaymentRequest) -> list[tuple[str, bool, bool]]:
        """Return for each sent value its name, whether the record has one, and whether they are equal."""
        # No values: an error report that includes local variables would show the account number.
        value, sent = _values(found), self.request
        same = {
            "payee": _is_account(value["payee"], sent.payee_account_number),
            "payer": _is_word(value["payer"], sent.payer_counterparty_id),
            "amount": value["amount"] == money.to_decimal(sent.amount),
        }
        if self.reference is not None:
            same["reference"] = found.has_reference(self.reference)
        return [(what, value[what] is not None, is_same) for what, is_same in same.items()]

    def shares_nothing_with(self, found: PaymentRequest) -> bool:
        """Whether a record has none of the sent values."""
        return not any(is_there for _, is_there, _ in self.comparisons(found))


def _is_account(found: str | None, sent: str) -> bool:
    """Whether two account numbers match. The provider's may be masked except for its last digits."""
    hidden, _, end = (found or "").strip().rpartition("*")
    return sent.endswith(end) if hidden else end == sent


def _is_word(found: str | None, sent: str) -> bool:
    return (found or "").strip().casefold() == sent.strip().casefold()


def _values(found: PaymentRequest) -> dict[str, Any]:
    """Return the values of a record that are compared with what was sent."""
    payee, payer, requested = found.payee, found.payer, found.original_amount
    return {
        "payee": None if payee is None else payee.account_number,
        "payer": None if payer is None else payer.counterparty_id,
        "amount": found.amount if requested is None else requested,
        "reference": found.client_reference_id,
    }


def _shown(found: PaymentRequest, what: str) -> str:
    """Return a value of a record for a message."""
    value = one_line(_values(found)[what])
    return mask(value) if what == "payee" else value


def _conflict(found: PaymentRequest, what: str, attempts: int) -> Conflict:
    return Conflict(
        f"The provider answered with payment request {one_line(found.id)}, which has {what}: the idempotency key "
        f"{found.idempotency_key!r} seems to have been used for another payment before, or the answer was another's.",
        hint="Repeat with the same key and the same values, or look with get() and with "
        "payment_requests.find(client_reference_id, start_datetime=...). Take another key only when it is certain that "
        "this payment does not exist.",
        outcome=Outcome.UNKNOWN,
        idempotency_key=found.idempotency_key,
        attempts=attempts,
    )


def _read_back(made: PaymentRequest, sent: _Sent, seconds: float | None) -> OperationFlow[PaymentRequest]:
    """Read the created request with `get`, and return it if it is this payment."""
    why = "and there was no time left to read it back"
    if seconds is None or seconds > 0:
        try:
            read = yield from get(made.id, seconds)
        except VictorError as error:
            why = f"and it could not be read back ({error.message.rstrip('.')})"
        else:
            if sent.is_confirmed_by(PaymentRequest(read.raw, made.idempotency_key)):
                return made
            why = "neither there nor when it is read back"
    raise UnreadableResponse(
        f"The provider answered with payment request {one_line(made.id)}, which does not say "
        f"{'its reference' if sent.reference is not None else 'payee, payer and amount'}, {why}: it may be another "
        f"payment's, of an earlier use of the idempotency key {made.idempotency_key!r}.",
        hint="Look at it with get(), or repeat with the same key and the same values.",
        outcome=Outcome.UNKNOWN,
        idempotency_key=made.idempotency_key,
        attempts=sent.attempts,
    )
