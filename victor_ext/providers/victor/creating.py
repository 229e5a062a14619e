"""`create`: sends a payment request with an idempotency key and compares the response with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import eq, ne
from typing import Any

from victor_ext import money
from victor_ext.errors import Conflict, Outcome, UnreadableResponse, VictorError
from victor_ext.redaction import mask, one_line, redact_excerpt
from victor_ext.runtime.client.json_values import differs
from victor_ext.runtime.client.runners import OperationFlow, call_with_attempts
from victor_ext.runtime.loop.keys import new_key

from .checks import as_date, spelled
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
    if found.created_at is not None and found.created_at < since:
        return False
    compared = _Sent(CreateRequest(**arguments), 1).comparisons(found)
    return "amount" in compared and all(compared.values())


@dataclass(frozen=True, slots=True)
class _Sent:
    """The request that was sent, and the number of attempts."""

    request: CreateRequest
    attempts: int

    @property
    def reference(self) -> str | None:
        return self.request.client_reference_id

    def is_confirmed_by(self, found: PaymentRequest) -> bool:
        """Whether a record has this payment's reference or, without a reference, payee, payer and amount.

        Raises `Conflict` if any value differs: the key was used before, or a cache mixed up responses.
        """
        compared = self.comparisons(found)
        others = [what for what, is_same in compared.items() if not is_same]
        if others:
            which = " and ".join(f"the {what} {_shown(found, what)}".rstrip() for what in others)
            raise _conflict(found, which, self.attempts)
        return compared.keys() >= ({"reference"} if self.reference is not None else _SUBJECT)

    def comparisons(self, found: PaymentRequest) -> dict[str, bool]:
        """Return for each sent value that a record has, by its name, whether it is the same."""
        # No values: an error report that includes local variables would show the account number.
        compared = {
            what: is_same(value(found), sent(self.request))
            for what, (value, sent, is_same) in _COMPARED.items()
            if sent(self.request) is not None and value(found) not in (None, "")
        }
        extra = self.request.extra_body
        if extra:
            sent = found.raw.to_dict()
            if differs(extra, sent) or differs(extra, sent.get("payment_request")):
                compared["values for extra_body"] = False
        return compared

    def shares_nothing_with(self, found: PaymentRequest) -> bool:
        """Whether a record has none of the sent values, but at most those that have a default."""
        return self.comparisons(found).keys() <= _DEFAULTS


def _is_account(found: str, sent: str) -> bool:
    """Whether two account numbers match. The provider's may be masked except for its last digits."""
    hidden, _, end = found.strip().rpartition("*")
    return sent.endswith(end) if hidden else end == sent


def _is_word(found: str, sent: str) -> bool:
    return found.strip().casefold() == sent.strip().casefold()


def _is_text(found: str, sent: str) -> bool:
    return found.split() == sent.split()


_SUBJECT = {"payee", "payer", "amount"}
"""Who pays whom, and how much: without a reference, an answer has to repeat these."""
_DEFAULTS = {"amount_modification_allowed", "direction"}
"""Values that every request has, given or not: by them, no two are told apart."""
_COMPARED: dict[
    str, tuple[Callable[[PaymentRequest], Any], Callable[[CreateRequest], Any], Callable[[Any, Any], bool]]
] = {
    "payee": (
        lambda found: found.payee and found.payee.account_number,
        lambda sent: sent.payee_account_number,
        _is_account,
    ),
    "ultimate creditor": (
        lambda found: found.payee and found.payee.ultimate_creditor,
        lambda sent: sent.ultimate_creditor,
        _is_text,
    ),
    "payer": (
        lambda found: found.payer and found.payer.counterparty_id,
        lambda sent: sent.payer_counterparty_id,
        _is_word,
    ),
    # A request that was accepted with another amount has the one that was asked for beside it.
    "amount": (
        lambda found: found.amount if found.original_amount is None else found.original_amount,
        lambda sent: money.to_decimal(sent.amount),
        eq,
    ),
    "due date": (lambda found: found.due_date, lambda sent: as_date(sent.due_date), eq),
    "biller type": (lambda found: found.biller_type, lambda sent: spelled(sent.biller_type), _is_word),
    # The document's default is false.
    "amount_modification_allowed": (
        lambda found: found.amount_modification_allowed,
        lambda sent: bool(sent.amount_modification_allowed),
        eq,
    ),
    "notes": (lambda found: found.notes, lambda sent: sent.notes, _is_text),
    "reference": (
        lambda found: found.client_reference_id,
        lambda sent: sent.client_reference_id,
        lambda found, sent: found.strip() == sent.strip(),
    ),
    # Whoever creates a request asks: one that came in is another one.
    "direction": (lambda found: found.direction, lambda _sent: Direction.INBOUND, ne),
}
"""What `create` sends: its value in a record, what was sent, and whether the two are the same."""


def _shown(found: PaymentRequest, what: str) -> str:
    """Return a value of a record for a message."""
    if what not in _COMPARED:
        return ""
    value = one_line(_COMPARED[what][0](found))
    shown = {"payee": mask, "notes": redact_excerpt, "ultimate creditor": redact_excerpt}.get(what, str)
    return repr(shown(value))


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
