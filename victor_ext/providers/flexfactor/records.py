"""What the provider answers: thin typed views of the generated models.

A value is None when the provider did not send it, or sent something that cannot be read as what it should be; `raw`
always has what came. No repr shows more than ids, states and amounts: an order holds the payer's data.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from victor_ext.providers.money import Money
from victor_ext.runtime.errors import Problem, printable

from .answers import Says, is_list, says
from .problems import ErrorCode, problems_in, split_code

if TYPE_CHECKING:
    from flexfactor_api import models

APPROVED = "APPROVED"
CAPTURE_REQUIRED = "CAPTUREREQUIRED"


class OrderStatus(IntEnum):
    """The numbers of an order's states, under the provider's own names."""

    DRAFT = 0
    ONHOLD = 1
    CANCELLED = 2
    PROBLEM = 3
    PROCESSING = 4
    CAPTUREREQUIRED = 5
    RETURNED = 6
    COMPLETED = 7


class _Answer:
    """What the answers of all calls that change something have in common.

    Attributes:
        raw: The generated model underneath, with everything that was sent.
        request_id: The provider's id of the exchange (`apigw-requestid`, else the body's `traceId`).
    """

    __slots__ = ("_request_id", "raw")

    def __init__(self, raw: Any, request_id: str | None = None) -> None:
        self.raw = raw
        self._request_id = request_id

    @property
    def request_id(self) -> str | None:
        """The provider's id of the exchange: the gateway's, else the body's `traceId`."""
        return self._request_id or self.trace_id

    @property
    def trace_id(self) -> str | None:
        """The body's `traceId`."""
        return _text(self.raw, "trace_id")

    @property
    def success(self) -> bool | None:
        """Whether the call went through, as the provider says; it says nothing of a payment."""
        value = getattr(self.raw, "success", None)
        return value if isinstance(value, bool) else None

    @property
    def status(self) -> str | None:
        """The provider's word, in capitals as it writes them."""
        word = _text(self.raw, "status")
        return None if word is None else word.strip().upper()

    @property
    def result(self) -> str | None:
        """The provider's sentence."""
        return _text(self.raw, "result")

    @property
    def error_code(self) -> ErrorCode | None:
        """The six-digit code, split, where the answer has one. No table of the codes is known."""
        return split_code(_text(self.raw, "status_code"))

    @property
    def problems(self) -> Sequence[Problem]:
        """What `errors` of the answer lists."""
        return problems_in({"errors": _list(self.raw, "errors")})


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
        return _text(self.raw, "order_id") or self.order_session_key

    @property
    def order_session_key(self) -> str | None:
        """The same id under its other name."""
        return _text(self.raw, "order_session_key")

    @property
    def sense_key(self) -> str | None:
        """The key of the session on the merchant's page."""
        return _text(self.raw, "sense_key")

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
        return f"Decision(order_id={_shown(self.order_id)}, status={_shown(self.status)}, approved={self.approved})"


class Capture(_Answer):
    """The answer to `capture`: the amount was captured.

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
        """Whether the answer says yes. One that says no is raised as an error, so this is always true."""
        return says("capture", self.raw.to_dict()) is Says.YES

    def __repr__(self) -> str:
        return f"Capture(order_id={_shown(self.order_id)}, amount='{self.amount}', status={_shown(self.status)})"


class Refund(_Answer):
    """The answer to `orders.refund`: the amount was given back.

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
        """Whether the answer says yes. One that says no is raised as an error, so this is always true."""
        return says("refund", self.raw.to_dict()) is Says.YES

    @property
    def response_code(self) -> str | None:
        """The processor's code."""
        return _text(self.raw, "response_code")

    @property
    def response_message(self) -> str | None:
        """The processor's sentence."""
        return _text(self.raw, "response_message")

    def __repr__(self) -> str:
        return f"Refund(order_id={_shown(self.order_id)}, amount='{self.amount}', status={_shown(self.status)})"


class Transmission(_Answer):
    """The answer to `transmit`: the copy was taken."""

    __slots__ = ()

    @property
    def id(self) -> str | None:
        """The provider's id of the copy."""
        return _text(self.raw, "transmit_id")

    def __repr__(self) -> str:
        return f"Transmission(id={_shown(self.id)})"


class Cancellation:
    """The order is cancelled, or was before. The provider says nothing more about it.

    Attributes:
        order_id: The provider's id, after `orders.cancel`; None after `orders.external_cancel`.
        external_order_id: The merchant's own id, after `orders.external_cancel`; None after `orders.cancel`.
        idempotency_key: The key that it was asked for with.
        request_id: The provider's id of the exchange.
    """

    __slots__ = ("external_order_id", "idempotency_key", "order_id", "request_id")

    def __init__(
        self,
        *,
        order_id: str | None = None,
        external_order_id: str | None = None,
        idempotency_key: str,
        request_id: str | None,
    ) -> None:
        self.order_id, self.external_order_id = order_id, external_order_id
        self.idempotency_key, self.request_id = idempotency_key, request_id

    def __repr__(self) -> str:
        if self.order_id is None:
            return f"Cancellation(external_order_id={_shown(self.external_order_id)})"
        return f"Cancellation(order_id={_shown(self.order_id)})"


class Order:
    """An order as the provider last described it. Most of its fields are not documented: see `raw`.

    In what unit an order's own amounts are is not documented either, so they are left where they are.

    Attributes:
        raw: The generated model underneath, with everything that was sent, the payer's data included.
        request_id: The provider's id of the exchange, on the result of `get` only.
    """

    __slots__ = ("raw", "request_id")

    def __init__(self, raw: models.Order, request_id: str | None = None) -> None:
        self.raw = raw
        self.request_id = request_id

    @property
    def id(self) -> str | None:
        """The provider's id."""
        return _text(self.raw, "id") or _extra_text(self.raw, "orderId")

    @property
    def external_order_id(self) -> str | None:
        """The merchant's own id, where the answer has it. Its member's name is not documented: three are tried."""
        return next(filter(None, (_extra_text(self.raw, name) for name in _EXTERNAL_ID)), None)

    @property
    def status(self) -> OrderStatus | int | None:
        """An `OrderStatus`, or the provider's number when it is a new one."""
        value = getattr(self.raw, "status", None)
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        return OrderStatus(value) if value in _ORDER_STATUSES else value

    @property
    def status_name(self) -> str | None:
        """The provider's word for the status, which it has of states too whose number is not documented."""
        return _text(self.raw, "status_name")

    @property
    def reference_number(self) -> str | None:
        """The provider's reference number."""
        return _text(self.raw, "reference_number")

    @property
    def currency(self) -> str | None:
        """ISO 4217."""
        return _text(self.raw, "currency_code")

    @property
    def placed_at(self) -> datetime | None:
        """When it was placed."""
        return _moment(self.raw, "order_placed_date")

    @property
    def expires_at(self) -> datetime | None:
        """Until when it may be tried."""
        return _moment(self.raw, "expiry_date")

    def __repr__(self) -> str:
        return f"Order(id={_shown(self.id)}, status_name={_shown(self.status_name)})"


_ORDER_STATUSES = frozenset(status.value for status in OrderStatus)
_EXTERNAL_ID = ("externalOrderId", "externalId", "merchantOrderId")


def _text(raw: Any, name: str) -> str | None:
    value = getattr(raw, name, None)
    return value if isinstance(value, str) and value else None


def _extra_text(raw: Any, name: str) -> str | None:
    value = getattr(raw, "additional_properties", {}).get(name)
    return value if isinstance(value, str) and value else None


def _list(raw: Any, name: str) -> list[Any]:
    value = getattr(raw, name, None)
    return value if is_list(value) else []


def _moment(raw: Any, name: str) -> datetime | None:
    value = getattr(raw, name, None)
    return value if isinstance(value, datetime) else None


def _shown(value: str | None) -> str:
    return repr(None if value is None else printable(value))
