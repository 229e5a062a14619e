"""Whether a record is the payment request that was sent: every value that was sent is compared with the record's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from victor_ext import money
from victor_ext.errors import Conflict, Outcome
from victor_ext.ids import words_of
from victor_ext.privacy import mask, one_line, redact_excerpt
from victor_ext.runtime.client.extras import ExtraBody
from victor_ext.runtime.client.records import Record
from victor_ext.runtime.core.json_values import differs

from .checks import as_date, spelled
from .requests import ARGUMENTS, CreateRequest
from .statuses import Direction, as_direction, as_moment


def could_be(record: Record, arguments: Mapping[str, Any], since: datetime) -> bool:
    """Whether a record could be the request that these arguments made; see `PaymentRequest.could_be`."""
    created = as_moment(record.value_at(_CREATED_AT))
    if created is not None and created < since:
        return False
    compared = Sent(CreateRequest(**arguments), 1).comparisons(record)
    return "amount" in compared and all(compared.values())


@dataclass(frozen=True, slots=True)
class Sent:
    """The request that was sent, the number of attempts, and its key."""

    request: CreateRequest
    attempts: int
    key: str | None = None
    extra_body: ExtraBody | None = None  # what the client's options added to the body; the request has its own

    def is_confirmed_by(self, record: Record) -> bool:
        """Whether a record has this payment's reference; without one, payee, payer and amount. Raises `Conflict`."""
        compared = self.comparisons(record)
        others = [what for what, is_same in compared.items() if not is_same]
        if others:
            which = " and ".join(_shown(record, what) for what in others)
            raise Conflict(
                f"The provider answered with payment request {one_line(record.value_at(_ID))}, which has {which}: the "
                f"idempotency key {self.key!r} seems to have been used for another payment, or the response is "
                "another's.",
                hint="Repeat with the same key and the same values, or look with get() and with "
                "payment_requests.find(client_reference_id, start_datetime=...). Take another key only when it is "
                "certain that this payment does not exist.",
                outcome=Outcome.UNKNOWN,
                idempotency_key=self.key,
                attempts=self.attempts,
            )
        return compared.keys() >= (
            {"client_reference_id"} if self.request.client_reference_id is not None else _SUBJECT
        )

    def comparisons(self, record: Record) -> dict[str, bool]:
        """For each sent value that a record has, by name, whether it is the same (what was left out is a value too)."""
        compared: dict[str, bool] = {}
        for place, argument in ARGUMENTS.items():
            is_same = _is_same(place, getattr(self.request, argument), _theirs(record, place))
            if is_same is not None:
                compared[argument] = is_same
        if as_direction(record.value_at(_DIRECTION)) is Direction.INBOUND:
            compared["direction"] = False  # whoever creates a request asks: one that came in is another one
        for extra in filter(None, (self.request.extra_body, self.extra_body)):
            whole = record.raw.to_dict()
            if differs(extra, whole) or differs(extra, whole.get("payment_request")):
                compared["extra_body"] = False
        return compared


_ID, _DIRECTION, _CREATED_AT = ["victor_payment_request_id"], ["direction"], ["payment_request", "created_at"]
_SUBJECT = {"payee_account_number", "payer_counterparty_id", "amount"}
"""Who pays whom, and how much: without a reference, an answer has to repeat these."""
_AMOUNT, _FLAG = "payment_details.amount", "payment_details.amount_modification_allowed"
_ORIGINAL_AMOUNT = ["payment_request", "payment_details", "original_amount"]
_IN_ANY_CASE = {_AMOUNT, _FLAG, "payment_details.biller_type", "payee.account_number"}
_LEFT_OUT = {"payee.ultimate_creditor": "", "payment_details.notes": "", "client_reference_id": "", _FLAG: False}
"""What an argument that was left out means, by the document. The provider fills in no words of the caller's."""
_DOLLARS = re.compile(r"(?:USD|\$)? ?([0-9.]+)(?: ?USD)?", re.IGNORECASE)


def _theirs(record: Record, place: str) -> Any:
    """Return the value of a record at a place of the body of `create`, or None."""
    # A request that was accepted with another amount has the one that was asked for beside it.
    original = record.value_at(_ORIGINAL_AMOUNT) if place == _AMOUNT else None
    if original is not None:
        return original
    return record.value_at((place if place == "client_reference_id" else f"payment_request.{place}").split("."))


def _is_same(place: str, sent: Any, record: Any) -> bool | None:
    """Return whether a value is the one that was sent; None if one of the two is missing or of another type."""
    if place == "payment_details.due_date":
        sent, record = as_date(sent), _as_day(record)
    elif place == _AMOUNT:
        in_dollars = _DOLLARS.fullmatch(record.strip()) if isinstance(record, str) else None
        sent, record = money.to_decimal(sent), money.from_wire(in_dollars[1] if in_dollars else record)
    elif place == _FLAG and isinstance(record, str):
        record = {"true": True, "false": False}.get(record.strip().lower())
    elif not isinstance(record, bool if place == _FLAG else str):
        return None
    if record is None or (isinstance(record, str) and not record.strip()):
        return None
    if sent is None:
        return None if _LEFT_OUT.get(place, record) == record else False
    if place in _IN_ANY_CASE:
        return not differs(spelled(sent), record)
    return bool(sent == record or (isinstance(record, str) and words_of(sent) == words_of(record)))


def _as_day(value: Any) -> date | None:
    """Return a date that may be written as its midnight: as Zulu time, or as seconds or milliseconds of the epoch."""
    day = as_date(value)
    moment = as_moment(value) if day is None and value else None
    return moment.date() if moment is not None and moment.time() == time() else day


def _shown(record: Record, argument: str) -> str:
    """Return a value of a record for a message."""
    value = next((one_line(_theirs(record, place)) for place, name in ARGUMENTS.items() if name == argument), None)
    if value is None:  # the direction, or extra_body
        return f"another {argument}"
    if argument not in ("payer_counterparty_id", "amount", "client_reference_id", "due_date"):
        value = mask(value) if argument == "payee_account_number" else redact_excerpt(value)
    return f"the {argument} {value!r}"
