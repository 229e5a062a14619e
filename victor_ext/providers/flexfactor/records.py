"""What the provider answers: thin typed views of the generated models.

A value is None when the provider did not send it, or sent something that cannot be read as what it should be; `raw`
always has what came. Names are matched in any letter case, as those are by which an answer is judged. No repr shows
more than ids, states and amounts: an order holds the payer's data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from victor_ext.errors import Problem
from victor_ext.money import Money
from victor_ext.redaction import one_line

from .answers import is_done, member, status_of, success_of
from .problems import ErrorCode, problems_in, split_code

if TYPE_CHECKING:
    from flexfactor_api import models

APPROVED = "APPROVED"
CAPTURE_REQUIRED = "CAPTUREREQUIRED"


class _Answer:
    """What the answers of all calls that change something have in common.

    Attributes:
        raw: The generated model underneath, with everything that was sent.
        request_id: The provider's id of the exchange (`apigw-requestid`, else the body's `traceId`).
    """

    __slots__ = ("_body", "_request_id", "raw")

    def __init__(self, raw: Any, request_id: str | None = None) -> None:
        self.raw = raw
        self._body: dict[str, Any] = raw.to_dict()
        self._request_id = request_id

    @property
    def request_id(self) -> str | None:
        """The provider's id of the exchange: the gateway's, else the body's `traceId`."""
        return self._request_id or self.trace_id

    @property
    def trace_id(self) -> str | None:
        """The body's `traceId`."""
        return text_in(self._body, "traceId")

    @property
    def success(self) -> bool | None:
        """Whether the call went through, as the provider says; it says nothing of a payment."""
        return success_of(self._body)

    @property
    def status(self) -> str | None:
        """The provider's word, in capitals as it writes them."""
        return status_of(self._body) or None

    @property
    def result(self) -> str | None:
        """The provider's sentence."""
        return text_in(self._body, "result")

    @property
    def error_code(self) -> ErrorCode | None:
        """The six-digit code, split, where the answer has one. No table of the codes is known."""
        return split_code(member(self._body, "statusCode"))

    @property
    def problems(self) -> Sequence[Problem]:
        """What `errors` of the answer lists."""
        return problems_in({"errors": member(self._body, "errors")})


class Decision(_Answer):
    """The answer to `evaluate`. Only `approved` means that there is a payment.

    Attributes:
        idempotency_key: The key that it was asked for with.
    """

    __slots__ = ("idempotency_key",)

    def __init__(self, raw: models.Decision, idempotency_key: str, request_id: str | None = None) -> None:
        super().__init__(raw, request_id)
        self.idempotency_key = idempotency_key

    @property
    def order_id(self) -> str | None:
        """The provider's own id of the order: what `capture` and `orders` take."""
        return text_in(self._body, "orderId") or self.order_session_key

    @property
    def order_session_key(self) -> str | None:
        """The same id under its other name."""
        return text_in(self._body, "orderSessionKey")

    @property
    def sense_key(self) -> str | None:
        """The key of the session on the merchant's page."""
        return text_in(self._body, "senseKey")

    @property
    def approved(self) -> bool:
        """Whether the payment was rescued: the status is APPROVED, and nothing else will do.

        CHALLENGE, SUBMITTED and PROCESSING come with `success: true` and are no payments yet; CAPTUREREQUIRED is
        one that has still to be captured.
        """
        return self.status == APPROVED and self.success is not False

    @property
    def needs_capture(self) -> bool:
        """Whether it was authorised only: call `capture`, or it is voided after a while."""
        return self.status == CAPTURE_REQUIRED

    def __repr__(self) -> str:
        return f"Decision(order_id={shown(self.order_id)}, status={shown(self.status)}, approved={self.approved})"


class Capture(_Answer):
    """The answer to `capture`, which says yes. One that says no, or not yet, is raised as an error.

    Attributes:
        order_id: The order that was captured.
        amount: The amount that was asked for.
        idempotency_key: The key that it was asked for with.
    """

    __slots__ = ("amount", "idempotency_key", "order_id")

    def __init__(
        self, raw: models.Answer, order_id: str, amount: Money, idempotency_key: str, request_id: str | None = None
    ) -> None:
        super().__init__(raw, request_id)
        self.order_id, self.amount, self.idempotency_key = order_id, amount, idempotency_key

    @property
    def succeeded(self) -> bool:
        """Whether it was captured; false when the provider's word is none that is known to be an end: look then."""
        return is_done(self._body)

    def __repr__(self) -> str:
        return f"Capture(order_id={shown(self.order_id)}, amount='{self.amount}', status={shown(self.status)})"


class Refund(_Answer):
    """The answer to `orders.refund`, which says yes. One that says no, or not yet, is raised as an error.

    Attributes:
        order_id: The order that it was given back for.
        amount: The amount that was asked for.
    """

    __slots__ = ("amount", "order_id")

    def __init__(self, raw: models.RefundAnswer, order_id: str, amount: Money, request_id: str | None = None) -> None:
        super().__init__(raw, request_id)
        self.order_id, self.amount = order_id, amount

    @property
    def succeeded(self) -> bool:
        """Whether it was given back; false when the provider's word is none that is known to be an end: look then."""
        return is_done(self._body)

    @property
    def response_code(self) -> str | None:
        """The processor's code."""
        return text_in(self._body, "responseCode")

    @property
    def response_message(self) -> str | None:
        """The processor's sentence."""
        return text_in(self._body, "responseMessage")

    def __repr__(self) -> str:
        return f"Refund(order_id={shown(self.order_id)}, amount='{self.amount}', status={shown(self.status)})"


class Transmission(_Answer):
    """The answer to `transmit`: the copy was taken."""

    __slots__ = ()

    @property
    def id(self) -> str | None:
        """The provider's id of the copy."""
        return text_in(self._body, "transmitId")

    def __repr__(self) -> str:
        return f"Transmission(id={shown(self.id)})"


class Cancellation:
    """The order is cancelled, or was before. The provider says nothing more about it.

    Attributes:
        order_id: The provider's id, after `orders.cancel`; None after `orders.external_cancel`.
        external_order_id: The merchant's own id, after `orders.external_cancel`; None after `orders.cancel`.
        idempotency_key: The key that it was asked for with.
        request_id: The provider's id of the exchange: the gateway's, else the body's `traceId`.
        raw: What came, which is mostly nothing.
    """

    __slots__ = ("external_order_id", "idempotency_key", "order_id", "raw", "request_id")

    def __init__(
        self,
        *,
        order_id: str | None = None,
        external_order_id: str | None = None,
        idempotency_key: str,
        raw: dict[str, Any],
        request_id: str | None,
    ) -> None:
        self.order_id, self.external_order_id = order_id, external_order_id
        self.idempotency_key, self.raw = idempotency_key, raw
        self.request_id = request_id or text_in(raw, "traceId")

    def __repr__(self) -> str:
        if self.order_id is None:
            return f"Cancellation(external_order_id={shown(self.external_order_id)})"
        return f"Cancellation(order_id={shown(self.order_id)})"


def text_in(body: dict[str, Any], name: str) -> str | None:
    """A member that is text and not empty, by its name in any letter case."""
    value = member(body, name)
    return value if isinstance(value, str) and value else None


def shown(value: str | None) -> str:
    """What the provider sent, for a repr."""
    return repr(None if value is None else one_line(value))
