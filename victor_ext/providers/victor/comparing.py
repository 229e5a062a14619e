"""Whether a record is the payment request that was sent: every value that was sent is compared with the record's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from victor_ext.errors import Conflict, Outcome
from victor_ext.privacy import mask, one_line, redact_excerpt
from victor_ext.runtime.client.extras import ExtraBody
from victor_ext.runtime.client.records import Record
from victor_ext.runtime.core import comparing
from victor_ext.runtime.core.comparing import Likeness

from .requests import MEMBERS, CreateRequest
from .statuses import ID, Direction, as_direction


@dataclass(frozen=True, slots=True)
class Sent:
    """The request that was sent, the number of attempts, and its key."""

    request: CreateRequest
    attempts: int
    key: str | None = None
    extra_body: ExtraBody | None = None  # what the client's options added to the body; the request has its own

    def is_confirmed_by(self, record: Record) -> bool:
        """Whether a record has this payment's reference; without one, payee, payer and amount. Raises `Conflict`.

        What a record says and cannot be read confirms nothing.
        """
        compared = self.comparisons(record)
        others = [what for what, found in compared.items() if found is Likeness.OTHER]
        if others:
            which = " and ".join(_shown(record, what) for what in others)
            raise Conflict(
                f"The provider answered with payment request {one_line(record.value_at([ID]))}, which has {which}: the "
                f"idempotency key {self.key!r} seems to have been used for another payment, or the response is "
                "another's.",
                hint="Repeat with the same key and the same values, or look with get() and with "
                "payment_requests.find(client_reference_id, start_datetime=...). Take another key only when it is "
                "certain that this payment does not exist.",
                outcome=Outcome.UNKNOWN,
                idempotency_key=self.key,
                attempts=self.attempts,
            )
        needed = {"client_reference_id"} if self.request.client_reference_id is not None else _SUBJECT
        return compared.keys() >= needed and Likeness.UNREADABLE not in compared.values()

    def unreadable(self, record: Record) -> list[str]:
        """The names of the values that a record says and that cannot be read."""
        return [what for what, found in self.comparisons(record).items() if found is Likeness.UNREADABLE]

    def comparisons(self, record: Record) -> dict[str, Likeness]:
        """What a record says of each value that was sent, or left out, by name; without what it does not say."""
        compared: dict[str, Likeness] = {}
        for argument, member in MEMBERS.items():
            sent = getattr(self.request, argument)
            sent = "" if sent is None else member.meaning(sent)
            compared[argument] = comparing.likeness(member.compare, sent, _theirs(record, member.place))
        if as_direction(record.value_at(["direction"])) is Direction.INBOUND:
            compared["direction"] = Likeness.OTHER  # whoever creates a request asks: one that came in is another one
        for extra in filter(None, (self.request.extra_body, self.extra_body)):
            whole = record.raw.to_dict()
            if comparing.differs(extra, whole) or comparing.differs(extra, whole.get("payment_request")):
                compared["extra_body"] = Likeness.OTHER
        # What the members of an object are cannot be known from something else in its place.
        compared |= dict.fromkeys(cast("Any", record).not_objects(), Likeness.UNREADABLE)
        return {name: found for name, found in compared.items() if found is not Likeness.UNSAID}


_SUBJECT = {"payee_account_number", "payer_counterparty_id", "amount"}
"""Who pays whom, and how much: without a reference, an answer has to repeat these."""
_ORIGINAL_AMOUNT = ["payment_request", "payment_details", "original_amount"]


def _theirs(record: Record, place: str) -> Any:
    """Return the value of a record at a place of the body of `create`, or None."""
    value = record.value_at((place if place == "client_reference_id" else f"payment_request.{place}").split("."))
    if place != MEMBERS["amount"].place or record.value_at(_ORIGINAL_AMOUNT) in (None, "", value):
        return value
    said = cast("Any", record).said_amounts()  # of a `PaymentRequest` that was accepted with another amount
    return said.original if said.unreadable is None else said.unreadable


def _shown(record: Record, argument: str) -> str:
    if argument not in MEMBERS:  # the direction, or extra_body
        return f"another {argument}"
    value = one_line(_theirs(record, MEMBERS[argument].place))
    if argument not in ("payer_counterparty_id", "amount", "client_reference_id", "due_date"):
        value = mask(value) if argument == "payee_account_number" else redact_excerpt(value)
    return f"the {argument} {value!r}"
