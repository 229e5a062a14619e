"""Records: what the provider says of decisions, captures, refunds and orders.

Fields with one name in the document are generated. Here stand those with several names, and what
says whether money has moved: no generated field takes the place of one of these. A `repr` has ids,
states and amounts.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, ClassVar

from flexfactor_api.typed import records

from victor_ext._privacy import one_line
from victor_ext._runtime.core.json_values import whole_of
from victor_ext.errors import Problem
from victor_ext.money import Money
from victor_ext.typed import AnyCaseRecord

from ._problems import problems_in
from ._responses import Says, first_text, says_done, status_of, success_of


class OrderStatus(IntEnum):
    """The numbers of an order's states, under the provider's own names. The meanings are those of
    its portal's guide.

    The portal also has Chargeback, whose number is not known.

    Attributes:
        DRAFT: Received, and not yet picked up.
        ONHOLD: Suspended for the moment.
        CANCELLED: Declined by FlexFactor (or cancelled).
        PROBLEM: Something is wrong with it: ask FlexFactor's support.
        PROCESSING: Being processed.
        CAPTUREREQUIRED: Authorised, to be captured. (The guide does not have it.)
        RETURNED: Refunded.
        COMPLETED: Approved.
    """

    DRAFT = 0
    ONHOLD = 1
    CANCELLED = 2
    PROBLEM = 3
    PROCESSING = 4
    CAPTUREREQUIRED = 5
    RETURNED = 6
    COMPLETED = 7


class FlexFactorRecord(AnyCaseRecord):
    """A record that a call returns. `request` has the attributes that the request says."""

    __slots__ = ()

    _in_repr: ClassVar[tuple[str, ...]] = ()

    def __init__(self, json: Mapping[str, Any], **request: Any) -> None:
        super().__init__(json)
        for name, value in request.items():
            setattr(self, name, value)

    def __repr__(self) -> str:
        fields: list[str] = []
        for name in self._in_repr:
            value = getattr(self, name)
            if isinstance(value, str | Money):
                value = one_line(value)
            if value is not None:
                fields.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(fields)})"


class _Response(FlexFactorRecord):
    """What the responses to all writes have in common.

    `success` is whether the call was successful, as the provider says; it does not mean that a
    payment was made. `status` is the state, in capitals. `result` is the provider's sentence,
    `trace_id` the body's `traceId`, and `problems` is what `errors` lists. `raw`, the generated
    model, has everything that was sent.
    """

    _fields: ClassVar[tuple[str, ...]] = ("success", "status", "problems")

    @property
    def success(self) -> bool | None:
        return success_of(self._json)

    @property
    def status(self) -> str | None:
        return status_of(self._json) or None

    @property
    def problems(self) -> Sequence[Problem]:
        return problems_in({"errors": self._json.get("errors")})


class Decision(_Response, records.Decision):
    """The response to `evaluate`. Only `approved` means that a payment was made.

    `order_id` is the provider's id of the order, which `capture` and `orders` take, and
    `order_session_key` is that id under its other name. `idempotency_key` is that of the request,
    `sense_key` that of the session on the merchant's page.
    """

    __slots__ = ("idempotency_key",)

    _in_repr = ("order_id", "status", "approved")
    _fields = ("order_id", *_Response._fields, *records.Decision._fields)

    idempotency_key: str

    @property
    def order_id(self) -> str | None:
        return first_text(self._json, "orderId", "orderSessionKey") or None

    @property
    def approved(self) -> bool:
        """Whether the payment was rescued: the status is APPROVED, and no other.

        CHALLENGE, SUBMITTED and PROCESSING come with `success: true` and are not payments yet;
        CAPTUREREQUIRED is one that has to be captured.
        """
        return self.status == "APPROVED" and self.success is not False

    @property
    def needs_capture(self) -> bool:
        """Whether the payment was only authorised: without `capture` the provider voids it after
        some time.
        """
        return self.status == "CAPTUREREQUIRED"


class _AmountResponse(_Response):
    """What the responses to `capture` and `refund` have in common: the order and the amount of the
    request.
    """

    __slots__ = ("amount", "order_id")

    _in_repr = ("order_id", "amount", "status")

    order_id: str
    amount: Money

    @property
    def succeeded(self) -> bool:
        """Whether the capture or refund was done: what the provider does not say to be done is
        raised.
        """
        return says_done(self._json) is Says.YES


class Capture(_AmountResponse, records.Answer):
    """The response to a successful `capture`. A rejected or unfinished capture is raised as an
    error.

    `order_id`, `amount` and `idempotency_key` are those of the request.
    """

    __slots__ = ("idempotency_key",)

    _fields = (*_Response._fields, *records.Answer._fields)

    idempotency_key: str


class Refund(_AmountResponse, records.RefundAnswer):
    """The response to a successful `orders.refund`. A rejected or unfinished refund is raised as an
    error.

    `order_id` and `amount` are those of the request, `response_code` and `response_message` are the
    processor's.
    """

    _fields = (*_Response._fields, *records.RefundAnswer._fields)


class Transmission(_Response, records.TransmitAnswer):
    """The response to `transmit`: the copy was accepted. `id` is the provider's id of it."""

    _in_repr = ("id",)
    _fields = (*_Response._fields, *records.TransmitAnswer._fields)


class Cancellation(FlexFactorRecord):
    """The order is cancelled, now or before. The provider says little more about it: the body,
    `raw`, is mostly empty.

    `order_id` is the provider's id, after `orders.cancel`; `external_order_id` the merchant's own,
    after `orders.external_cancel`. The other one is None. `idempotency_key` is that of the request.
    """

    __slots__ = ("external_order_id", "idempotency_key", "order_id")

    _in_repr = ("order_id", "external_order_id")

    order_id: str | None
    external_order_id: str | None
    idempotency_key: str


class Order(FlexFactorRecord, records.Order):
    """An order, as the provider last described it. Most of its members are not documented: see
    `raw`, the generated model, with everything that was sent, which includes the payer's data.

    The unit of an order's amounts is not documented either, so the record has no fields for them.

    Attributes:
        id: The provider's id. `reference_number` and `correlation_id` are the provider's, too.
        external_order_id: The merchant's own id, if the response has it: its name is not
            documented.
        currency: ISO 4217.
        placed_at: When it was placed, aware; None if the response names no zone.
        expires_at: Until when the provider may try it, likewise.
        status: An `OrderStatus`, or the provider's number when it is a new one.
        status_name: The provider's name of the status, which also exists for states whose number is
            not documented.
    """

    _in_repr = ("id", "status_name")

    _fields = ("status", *records.Order._fields)

    @property
    def status(self) -> OrderStatus | int | None:
        number = whole_of(self._json.get("status"))
        return next((status for status in OrderStatus if status == number), number)
