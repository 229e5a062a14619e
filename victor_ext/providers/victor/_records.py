"""`PaymentRequest`: one typed view of the document's three schemas of a payment request.

A property is None if the provider did not send the value, or sent a value that cannot be read; see
`raw`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypedDict

from victor_api import models
from victor_api.typed.records import PaymentRequestFields

from victor_ext import money, zulu
from victor_ext._runtime.core.json_values import is_object
from victor_ext._runtime.core.validation import as_date
from victor_ext._values.ids import is_same_id

from . import _values
from ._values import (
    Amounts,
    Direction,
    Network,
    Payee,
    Payer,
    PaymentRequestResponse,
    Status,
    first_of,
    member_of,
    text_in,
)

if TYPE_CHECKING:
    from typing import Unpack

    RawPaymentRequest = (
        models.PaymentRequestReceipt
        | models.GetPaymentRequestResponse
        | models.RfpInboundPaymentRequestResponseDetails
    )


class FakeFields(TypedDict, total=False):
    """The attributes of a payment request that a test can set.

    None: the provider did not send it.
    """

    id: str
    status: str | None
    direction: str | None
    network: str | None
    amount: Decimal | str | int | None
    original_amount: Decimal | str | int | None
    due_date: date | str | None
    created_at: datetime | None
    approved_at: datetime | None
    payee: Payee | None
    payer: Payer | None
    biller_type: str | None
    amount_modification_allowed: bool | None
    notes: str | None
    approval_notes: str | None
    client_reference_id: str | None
    parent_id: str | None
    child_id: str | None
    error_message: str | None
    response: PaymentRequestResponse | None
    idempotency_key: str | None


_LISTED = "PaymentRequestReceipt"
"""The model of an item of a list, which has no response."""
RESPONSE = "RfpInboundPaymentRequestResponseDetails"
"""The model of the response to `accept` and `decline`, which has nothing of the request."""
_AMOUNT = ("payment_request", "payment_details", "amount")
APPROVAL_NOTES = ("payment_request", "payment_details", "approval_notes")
_DUE_DATE = ("payment_request", "payment_details", "due_date")
_CREATED_AT = ("payment_request", "created_at")
_APPROVED_AT = ("payment_request", "approved_at")
_PAYEE = ("payment_request", "payee")
_PAYER = ("payment_request", "payer")
_RESPONSE = ("payment_request", "payment_request_response")


class PaymentRequest(PaymentRequestFields):
    """A request for payment (RfP), as one call returned it.

    Attributes:
        id: The provider's id, or an empty text.
        network: The network, as a `Network`; an unknown word is returned as text.
        original_amount: The requested amount, in dollars. Returned once the request is accepted or
            declined.
        due_date: The day the payment is due.
        created_at: The time of creation. Only `list` and `create` return it.
        approved_at: The time of approval. Only `list` returns it.
        payee: The recipient of the money.
        amount_modification_allowed: Whether the payer may pay another amount.
        notes: The notes of `create`.
        approval_notes: The notes of `accept` or `decline`.
        client_reference_id: The caller's own reference.
        parent_id: The id of the outbound request that belongs to this inbound one.
        child_id: The id of the inbound request that belongs to this outbound one, if the payer's
            account is at Victor.
        error_message: The provider's message about the failure.
        response: The response to an inbound request, or None before one exists. `list` does not
            return it. One that names another request than this one, its child or its parent is
            not believed: None.
        idempotency_key: The key of `create`; None on results of other methods.
        raw: The generated model with all fields that were sent: a new copy each time that it is
            asked for. Known words have the document's spelling, and a value of another type is as
            it came.
    """

    __slots__ = ("_model", "idempotency_key")
    _fields = (
        *PaymentRequestFields._fields,
        "id",
        "status",
        "direction",
        "network",
        "amount",
        "original_amount",
        "due_date",
        "created_at",
        "approved_at",
        "payee",
        "payer",
        "approval_notes",
        "is_terminal",
        "response",
        "idempotency_key",
    )

    _model: str
    """The name of the generated model of the JSON."""

    def __init__(
        self, json: Mapping[str, Any], model: str = _LISTED, *, idempotency_key: str | None = None
    ) -> None:
        """A request from its JSON; `model` is the name of the generated model of that JSON."""
        super().__init__(json)
        self._model = model
        self.idempotency_key = idempotency_key

    @property
    def raw(self) -> RawPaymentRequest:
        """What came, as the generated model: a copy."""
        model: type[RawPaymentRequest] = getattr(models, self._model)
        return model.from_dict(self._copy())

    @property
    def _is_response(self) -> bool:
        """Whether the record is the result of `accept` or `decline`, which is only the response to
        a request.
        """
        return self._model == RESPONSE

    def completed_by(self, other: PaymentRequest) -> PaymentRequest:
        """This request, with what it does not say taken from another record of it: one of both is
        an item of a list, and the other may have the response.
        """
        model = other._model if self._model == _LISTED else self._model
        return PaymentRequest(_filled(self._json, other._json), model)

    def value_at(self, path: Sequence[str]) -> Any:
        """The value at the names in `path`, or None."""
        value: Any = self._json
        try:
            for name in path:
                value = value.get(name)
        except AttributeError:  # a value of JSON that is no object has no `get`
            return None
        return value

    @staticmethod
    def fake(**fields: Unpack[FakeFields]) -> PaymentRequest:
        """A request for tests, without a provider:
        `PaymentRequest.fake(status="completed", amount="12.00")`.

        Args:
            fields: The record's own attributes, in the types that it returns; numbers of accounts
                and names in a `Payee` and a `Payer`. Those left out have plausible values, the same
                in every run. None: not sent.

        Raises:
            TypeError: There is no such attribute, or it cannot have this value.
            InvalidRequest: A datetime has no time zone.
        """
        fakes = importlib.import_module("victor_ext.testing._fakes")  # only tests need it
        key = fields.pop("idempotency_key", None)
        request: PaymentRequest = fakes.fake_request(fields, key)
        return request

    @property
    def id(self) -> str:
        return _values.as_request_id(self._json.get(_values.ID))

    @property
    def status(self) -> Status | str | None:
        """The status in any letter case, as a `Status`; an unknown word is returned as text.

        The status of `get` is documented as "Either Pending or Error", also of a request with a
        response. Then the response is the status: ACCEPTED or DECLINED.
        """
        if self._is_response:
            return _values.as_status(self._response_status)
        status = _values.as_status(self._json.get("status"))
        if status is not Status.PENDING or self._model == _LISTED:
            return status
        of_response = self._response_status
        return of_response if isinstance(of_response, Status) else status

    @property
    def direction(self) -> Direction | str | None:
        """The direction in any letter case, as a `Direction`; an unknown word is returned as
        text.
        """
        if self._is_response:
            return Direction.INBOUND
        return _values.as_direction(self._json.get("direction"))

    @property
    def network(self) -> Network | str | None:
        return _values.as_network(self._json.get("payment_network"))

    @property
    def amount(self) -> Decimal | None:
        """The amount to pay, in dollars: the modified amount if the request was accepted with one.

        An item of a list has no `response`, and may have the requested amount of such a request;
        see `get`.
        """
        if self._model == _LISTED:
            return money.from_wire(self.value_at(_AMOUNT))
        own, original, modified = self.said_amounts()
        return money.from_wire(first_of(modified, original if self._is_response else own))

    @property
    def original_amount(self) -> Decimal | None:
        own, original, modified = map(money.from_wire, self.said_amounts())
        if original is None and modified not in (None, own):
            return own  # the request was accepted with another amount than its own
        return original

    def said_amounts(self) -> Amounts:
        """The amounts that `amount` and `original_amount` are read from, also for a comparison."""
        response = self._sent_response
        # A request that was declined has no amount to pay.
        is_declined = self._response_status is Status.DECLINED
        return Amounts(
            own=first_of(self.value_at(_AMOUNT)),
            original=first_of(
                self.value_at(_values.ORIGINAL_AMOUNT), member_of(response, "original_amount")
            ),
            modified=None if is_declined else first_of(member_of(response, "modified_amount")),
        )

    @property
    def due_date(self) -> date | None:
        return as_date(self.value_at(_DUE_DATE))

    @property
    def created_at(self) -> datetime | None:
        return _values.as_moment(self.value_at(_CREATED_AT))

    @property
    def approved_at(self) -> datetime | None:
        return _values.as_moment(self.value_at(_APPROVED_AT))

    @property
    def payee(self) -> Payee | None:
        return _values.as_payee(self.value_at(_PAYEE))

    @property
    def payer(self) -> Payer | None:
        return _values.as_payer(self.value_at(_PAYER))

    @property
    def approval_notes(self) -> str | None:
        notes = self.value_at(APPROVAL_NOTES)
        return notes if isinstance(notes, str) and notes else text_in(self._sent_response, "notes")

    @property
    def is_terminal(self) -> bool:
        """Whether the status can no longer change. ACCEPTED is not terminal: the request is not
        paid yet.

        "Error", "canceled" and "Rejected" are terminal too. The document mentions them outside its
        enum of statuses.
        """
        return _values.is_terminal(self.status)

    @property
    def response(self) -> PaymentRequestResponse | None:
        response = self._sent_response
        status = self._response_status
        if status is None:
            return None
        original, modified = (
            money.from_wire(member_of(response, f"{name}_amount"))
            for name in ("original", "modified")
        )
        return PaymentRequestResponse(status, original, modified, text_in(response, "notes"))

    @property
    def _sent_response(self) -> Any:
        """The response to the request as it was sent; None without one.

        The result of `accept` or `decline` is such a response itself. A response that names another
        request proves nothing: None.
        """
        if self._is_response:
            return self._json
        if self._model == _LISTED:
            return None
        response = self.value_at(_RESPONSE)
        named = _values.as_request_id(member_of(response, _values.ID))
        return None if named and self.id and not is_same_id(named, self.id) else response

    @property
    def _response_status(self) -> Status | str | None:
        """ACCEPTED or DECLINED, as the response to the request says; an unknown word is text."""
        return _values.as_response_status(member_of(self._sent_response, "status"))

    def _plain(self, value: Any) -> Any:
        return zulu.format(value) if isinstance(value, datetime) else super()._plain(value)

    def __repr__(self) -> str:
        return (
            f"PaymentRequest(id={self.id!r}, status={self.status and str(self.status)!r}, "
            f"direction={self.direction and str(self.direction)!r}, "
            f"amount={None if self.amount is None else str(self.amount)!r})"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PaymentRequest):
            return NotImplemented
        return self._model == other._model and self._json == other._json

    def __hash__(self) -> int:
        return hash(self.id)


def _filled(sent: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON object, with the members of another one that it lacks, also in its objects."""
    filled = dict(sent)
    for name, value in other.items():
        own = filled.get(name)
        if is_object(own) and is_object(value):
            filled[name] = _filled(own, value)
        elif own in (None, ""):
            filled[name] = value
    return filled
