"""`PaymentRequest`: one typed view of the document's three schemas of a payment request.

A property is None if the provider did not send the value, or sent a value that cannot be read; see
`raw`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from victor_api import models
from victor_api.typed.records import PaymentRequestFields

from victor_ext import money, zulu
from victor_ext.ids import reference_of
from victor_ext.runtime.client.records import Field, ModelRecord, as_text
from victor_ext.runtime.core.comparing import Likeness, is_about_one_of
from victor_ext.runtime.core.json_values import is_object
from victor_ext.runtime.core.validation import as_date
from victor_ext.runtime.loop.operations import Done

from . import statuses
from .creating import SUBJECT, Sent
from .record_values import (
    Amounts,
    as_biller_type,
    as_payee,
    as_payer,
    as_request_id,
    first_of,
    member_of,
    text_in,
)
from .statuses import Direction, Payer, PaymentRequestResponse, Status

if TYPE_CHECKING:
    from typing import Unpack

    from .fakes import FakeFields

    RawPaymentRequest = (
        models.PaymentRequestReceipt
        | models.GetPaymentRequestResponse
        | models.RfpInboundPaymentRequestResponseDetails
    )


_LISTED = "PaymentRequestReceipt"
"""The model of an item of a list, which has no response."""
RESPONSE = "RfpInboundPaymentRequestResponseDetails"
"""The model of the response to `accept` and `decline`, which has nothing of the request."""
_DETAILS = "payment_request.payment_details"
_AMOUNT = f"{_DETAILS}.amount".split(".")
_ORIGINAL_AMOUNT = f"{_DETAILS}.original_amount".split(".")
APPROVAL_NOTES = f"{_DETAILS}.approval_notes".split(".")


class PaymentRequest(PaymentRequestFields, ModelRecord):
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
        biller_type: `BUSINESS`, `CONSUMER`, or an unknown word.
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
        raw: The generated model with all fields that were sent. Known words have the document's
            spelling, and a value of another type is as it came.
    """

    __slots__ = ("_completed_by", "_has_info", "_model", "_raw", "_sent", "idempotency_key")

    _completed_by: PaymentRequest | None
    _raw: RawPaymentRequest
    _sent: dict[str, Any] | None
    """The JSON that the fields are read from until `raw` is asked for."""
    _model: str
    """The name of the model that `raw` is made as."""
    _has_info: bool
    """Whether the record is of a request. The result of `accept` or `decline` is only the response
    to a request.
    """

    def __init__(self, raw: RawPaymentRequest, idempotency_key: str | None = None) -> None:
        super().__init__(raw)
        self.idempotency_key = idempotency_key
        self._completed_by = None
        self._model = ""
        self._has_info = hasattr(raw, "payment_request")

    @classmethod
    def of_json(
        cls, sent: object, model: str = _LISTED, *, idempotency_key: str | None = None
    ) -> PaymentRequest:
        """A request from its JSON; `model` is the name of the generated model of that JSON.

        The model is not made before `raw` is asked for: to load and make models costs more time
        than to read the JSON.
        """
        self = cls.__new__(cls)
        self._sent = sent if is_object(sent) else {"item": sent}  # as an undeclared member
        self._model = model
        self._has_info = model != RESPONSE
        self.response_info = self._completed_by = None
        self.idempotency_key = idempotency_key
        return self

    @property
    def raw(self) -> RawPaymentRequest:
        """The generated model, made when it is first asked for."""
        sent = self._sent
        if sent is not None:
            # From now on, the model has the values, since the caller may change them in it.
            self._raw = getattr(models, self._model).from_dict(sent)
            self._sent = None
        return self._raw

    @raw.setter
    def raw(self, raw: RawPaymentRequest) -> None:
        self._raw, self._sent = raw, None

    def completed_by(self, other: PaymentRequest) -> PaymentRequest:
        """This request, with what it does not say taken from another record of it."""
        completed = _Completed.of_json(self._sent, self._model)
        if self._sent is None:
            completed.raw = self._raw
        completed._has_info = self._has_info  # noqa: SLF001 - of the same class
        completed._completed_by = other  # noqa: SLF001 - of the same class
        return completed

    def _object(self, *path: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._raw.to_dict() if self._sent is None else self._sent
        for name in path:
            part = found.get(name)
            if not is_object(part):
                return {}
            found = part
        return found

    def _as_json(self) -> dict[str, Any]:
        return dict(self._object())

    def __getstate__(self) -> object:
        """The state for copies and pickles, with the model."""
        _ = self.raw
        return super().__getstate__()

    def value_at(self, path: Sequence[str]) -> Any:
        """The value at a path.

        A path is the same in the JSON and in the model, whose fields have the names of the wire. An
        object is JSON until `raw` is asked for, and from then on a model.
        """
        value: Any = self._sent
        if value is None:
            return super().value_at(path)
        try:
            for name in path:
                value = value.get(name)
        except AttributeError:  # a value of JSON that is no object has no `get`
            return None
        return value

    def not_objects(self) -> list[str]:
        """The paths at which a value is no object, such as text, and the document has an object."""
        request = self._object().get("payment_request")
        if not is_object(request):
            return [] if request is None else ["payment_request"]
        parts = [(name, request.get(name)) for name in ("payee", "payer", "payment_details")]
        return [
            f"payment_request.{name}"
            for name, part in parts
            if part is not None and not is_object(part)
        ]

    @classmethod
    def fake(cls, **fields: Unpack[FakeFields]) -> PaymentRequest:
        """A request for tests, without a provider:
        `PaymentRequest.fake(status="completed", amount="12.00")`.

        Args:
            fields: The record's own attributes, in the types that it returns; numbers of accounts
                and names in a `Payee` and a `Payer`. Those left out have plausible values, the same
                in every run. None: not sent.

        Raises:
            TypeError: There is no such attribute.
            InvalidRequest: An amount, a date or a time that the client does not take, such as a
                naive datetime.
        """
        from .fakes import fake_json  # noqa: PLC0415 - only tests need it

        key = fields.pop("idempotency_key", None)
        # A list has no responses.
        model = _LISTED if fields.get("response") is None else "GetPaymentRequestResponse"
        return cls.of_json(fake_json(fields), model, idempotency_key=key)

    id = Field(as_request_id, statuses.ID)

    @property
    def status(self) -> Status | str | None:
        """The status in any letter case, as a `Status`; an unknown word is returned as text.

        The status of `get` is documented as "Either Pending or Error", also of a request with a
        response. Then the response is the status: ACCEPTED or DECLINED.
        """
        word = self.value_at(["status"])
        status = statuses.as_status(word if self._has_info else statuses.as_response_status(word))
        if status is not Status.PENDING or not self._has_info:
            return status
        if self._model == _LISTED and self._completed_by is None:
            return status
        of_response = statuses.as_response_status(member_of(self._sent_response, "status"))
        return of_response if isinstance(of_response, Status) else status

    @property
    def direction(self) -> Direction | str | None:
        """The direction in any letter case, as a `Direction`; an unknown word is returned as
        text.
        """
        if not self._has_info:
            return Direction.INBOUND
        return statuses.as_direction(self.value_at(["direction"]))

    network = Field(statuses.as_network, "payment_network")

    @property
    def amount(self) -> Decimal | None:
        """The amount to pay, in dollars: the modified amount if the request was accepted with one.

        An item of a list has no `response`, and may have the requested amount of such a request;
        see `get`.
        """
        if self._model == _LISTED and self._completed_by is None:
            return money.from_wire(self.value_at(_AMOUNT))
        own, original, modified = self.said_amounts()
        return money.from_wire(first_of(modified, own if self._has_info else original))

    def _original_amount(self) -> Decimal | None:
        own, original, modified = map(money.from_wire, self.said_amounts())
        if original is None and modified not in (None, own):
            return own  # the request was accepted with another amount than its own
        return original

    original_amount = Field(_original_amount)

    def said_amounts(self) -> Amounts:
        """The amounts that `amount` and `original_amount` are read from, also for a comparison."""
        response = self._sent_response
        # A request that was declined has no amount to pay.
        is_declined = statuses.as_response_status(member_of(response, "status")) is Status.DECLINED
        amounts = Amounts(
            own=first_of(self.value_at(_AMOUNT)),
            original=first_of(
                self.value_at(_ORIGINAL_AMOUNT), member_of(response, "original_amount")
            ),
            modified=None if is_declined else first_of(member_of(response, "modified_amount")),
        )
        if self._completed_by is None:
            return amounts
        return Amounts(*map(first_of, amounts, self._completed_by.said_amounts()))

    due_date = Field(as_date, f"{_DETAILS}.due_date")
    created_at = Field(statuses.as_moment, "payment_request.created_at")
    approved_at = Field(statuses.as_moment, "payment_request.approved_at")
    payee = Field(as_payee, "payment_request.payee")

    @property
    def payer(self) -> Payer | None:
        """The payer."""
        payer = as_payer(self.value_at(["payment_request", "payer"]))
        other = None if self._completed_by is None else self._completed_by.payer
        if payer is None or other is None:
            return payer or other
        return payer.completed_by(other)

    biller_type = Field(as_biller_type, f"{_DETAILS}.biller_type")

    def _approval_notes(self) -> str | None:
        return as_text(self.value_at(APPROVAL_NOTES)) or text_in(self._sent_response, "notes")

    approval_notes = Field(_approval_notes)

    @property
    def is_terminal(self) -> bool:
        """Whether the status can no longer change. ACCEPTED is not terminal: the request is not
        paid yet.

        "Error", "canceled" and "Rejected" are terminal too. The document mentions them outside its
        enum of statuses.
        """
        return statuses.is_terminal(self.status)

    def _response(self) -> PaymentRequestResponse | None:
        response = self._sent_response
        status = statuses.as_response_status(member_of(response, "status"))
        if status is None:
            return None
        original, modified = (
            money.from_wire(member_of(response, f"{name}_amount"))
            for name in ("original", "modified")
        )
        return PaymentRequestResponse(status, original, modified, text_in(response, "notes"))

    response = Field(_response)

    @property
    def _sent_response(self) -> Any:
        """The response to the request as it was sent, or its model; None without one.

        The result of `accept` or `decline` is such a response itself. A response that names neither
        this request nor its child or parent proves nothing: None.
        """
        if not self._has_info:
            return self._raw if self._sent is None else self._sent
        response = self.value_at(["payment_request", "payment_request_response"])
        # An object that the document does not declare here stays JSON in the model: it is none.
        is_declared = self._model != _LISTED if self._sent is not None else not is_object(response)
        if not is_declared:
            return None
        ids = (self.id, self.child_id, self.parent_id)
        if self.id and not is_about_one_of(ids, member_of(response, statuses.ID)):
            return None
        return response

    def has_reference(self, client_reference_id: str) -> bool:
        """Whether the request has this `client_reference_id`, in any Unicode form.

        Blanks around it are ignored.
        """
        return reference_of(self.client_reference_id) == reference_of(client_reference_id)

    def could_be(self, arguments: Mapping[str, Any], *, since: datetime) -> bool:
        """Whether these arguments of `create` may have made this request, such as one that `find`
        returned.

        It is outbound, says the amount (that which was asked), and contradicts no argument: one
        that was left out is contradicted by a reference, notes or a creditor. It still may be
        another one that is like it.

        Args:
            arguments: Those of `create`, by name.
            since: The earliest moment at which they were sent, by the provider's clock. An older
                request is not it.

        Raises:
            InvalidRequest: An argument is invalid, so that nothing can have been sent.
        """
        return Sent.of_arguments(arguments).may_have_made(self, since)

    @staticmethod
    def asked_with(arguments: Mapping[str, Any]) -> Sent:
        """A `create` with these arguments, which were checked, for `identified` and `as_done`."""
        return Sent.of_arguments(arguments, were_checked=True)

    @classmethod
    def identified(
        cls, requests: Sequence[PaymentRequest], sent: Sent, *, since: datetime
    ) -> PaymentRequest | str:
        """The request that a `create` has made; or a text, which says why that is not known.

        `requests` have the reference of the `create`, and `since` is that of `could_be`.
        """
        outbound = [request for request in requests if request.direction != Direction.INBOUND]
        if not outbound:
            return "No request has its client_reference_id."
        if len(outbound) > 1:
            could_be = any(sent.may_have_made(request, since) for request in outbound)
            difference = "" if could_be else ", but other values"
            return f"{len(outbound)} requests have its client_reference_id{difference}."
        (request,) = outbound
        return request.as_done(sent).doubt(since) or request

    def as_done(self, sent: Sent) -> Done:
        """What this request shows of a `create` that was sent, as a `Done`.

        Its `doubt` says why the request may be another payment's.
        """
        comparisons = sent.comparisons(self)
        compared = {**dict.fromkeys(sorted(SUBJECT), Likeness.UNSAID), **comparisons}
        return Done(
            self.id, self.status, self.to_dict(), created_at=self.created_at, compared=compared
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON data, with amounts as text and times as Zulu time."""
        names = [*PaymentRequestFields.field_names()]
        for name, value in vars(PaymentRequest).items():
            is_public = name != "raw" and not name.startswith("_")
            if is_public and isinstance(value, Field | property):
                names.append(name)
        return {name: self._plain(getattr(self, name)) for name in (*names, "idempotency_key")}

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
        return type(self.raw) is type(other.raw) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.id)


class _Completed(PaymentRequest):
    """A request that another record of it completes, field by field."""

    __slots__ = ()


for _name in {*PaymentRequestFields.field_names()} - vars(PaymentRequest).keys():
    _field = Field[Any](vars(PaymentRequestFields)[_name].fget)
    _field.__set_name__(_Completed, _name)
    setattr(_Completed, _name, _field)
