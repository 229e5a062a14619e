"""Payment requests as the page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from victor_ext.sandbox.server.commands import NotFound
from victor_ext.sandbox.server.operations import CONTROL
from victor_ext.sandbox.server.privacy import last_four
from victor_ext.sandbox.server.provider import Action, AnyProvider, Details, Field, Move, Record, Records, Tone
from victor_ext.sandbox.server.received import Received
from victor_ext.sandbox.victor.as_test import as_test
from victor_ext.sandbox.victor.core import Core
from victor_ext.sandbox.victor.model import PaymentRequest, Status

_TONES: dict[Status, Tone] = {
    "pending": "waiting",
    "processing": "waiting",
    "needs-review": "waiting",
    "accepted": "good",
    "completed": "good",
    "declined": "bad",
    "expired": "bad",
    "failed": "bad",
}
_WAITING: tuple[Status, ...] = ("created", "pending", "processing", "needs-review")


class PaymentRequestRecords(Records):
    """The requests of a sandbox."""

    title = "Requests"

    def __init__(self, provider: AnyProvider) -> None:
        self._provider = provider
        self._clock = provider.context.clock

    @property
    def _core(self) -> Core:
        core: Core = self._provider.state
        return core

    def count(self) -> int:
        """All requests, each with its twin."""
        return self._core.store.families

    def latest(self, count: int) -> Sequence[Record]:
        requests = self._core.store.requests
        return [self._record(requests[request_id]) for request_id in reversed(self._core.store.order[-count:])]

    def details(self, record_id: str) -> Details:
        """One request with its moves, and with buttons while it waits for its payer."""
        request = self._get(record_id)
        family = [name for name in (request.id, request.parent_id, request.child_id) if name is not None]
        moves = self._core.store.history.of(request, self._clock.advanced)
        related: list[tuple[str, str]] = []
        if request.parent_id is not None:
            related.append(("The outbound request", request.parent_id))
        if request.child_id is not None:
            related.append(("The inbound twin", request.child_id))
        waits = request.status in _WAITING
        return Details(
            record=self._record(request),
            facts=self._facts(request),
            moves=[Move(move.status, _tone(move.status), move.at, move.due) for move in moves],
            related=related,
            fields=_fields(request) if waits else (),
            actions=_actions(request) if waits else (),
            ids=frozenset(family),
        )

    def as_test(self, record_id: str, calls: Sequence[Received]) -> str:
        request = self._get(record_id)
        parent = self._core.store.requests.get(request.parent_id or "")
        twin = self._core.store.requests.get((parent or request).child_id or "")
        return as_test(parent or request, twin, self._core.directory, calls)

    def _get(self, request_id: str) -> PaymentRequest:
        request = self._core.store.requests.get(request_id)
        if request is None:
            raise NotFound("There is no such payment request.")
        return request

    def _record(self, request: PaymentRequest) -> Record:
        parent = self._core.store.requests.get(request.parent_id or "")
        return Record(
            id=request.id,
            group=request.parent_id or request.id,
            at=self._core.store.history.of(request, self._clock.advanced)[0].at,
            status=request.status,
            tone=_tone(request.status),
            amount=_dollars(request.amount),
            incoming=request.direction == "inbound",
            who=self._who(request),
            key=(parent or request).idempotency_key,
            reference=request.client_reference_id,
            notes=request.notes,
        )

    def _who(self, request: PaymentRequest) -> str:
        if request.direction == "inbound":
            payee = self._core.directory.accounts.get(request.payee_account)
            return request.ultimate_creditor or (payee.name if payee else last_four(request.payee_account))
        counterparty = self._core.directory.counterparties.get(request.counterparty_id or "")
        return counterparty.name if counterparty else str(request.counterparty_id)

    def _facts(self, request: PaymentRequest) -> list[tuple[str, str]]:
        changeable = "may be changed by the payer" if request.amount_modification_allowed else None
        facts = [
            ("Id", request.id),
            ("Direction", request.direction),
            ("Notes", request.notes),
            ("Reference", request.client_reference_id),
            ("Key", request.idempotency_key),
            ("Due", request.due_date),
            ("Amount", changeable),
            ("Asked for", None if request.original_amount is None else _dollars(request.original_amount)),
            ("Payer's notes", request.approval_notes),
            ("Error", request.error_message),
            ("Payee", last_four(request.payee_account)),
            ("Creditor", request.ultimate_creditor),
            ("Counterparty", request.counterparty_id),
            ("Payer", None if request.payer_account is None else last_four(request.payer_account)),
            ("Network", request.network),
        ]
        return [(name, value) for name, value in facts if value]


def _dollars(amount: str) -> str:
    """An amount with two decimals, so that amounts stand below each other. The exchange shows what was sent."""
    return f"{Decimal(amount):.2f}"


def _tone(status: Status) -> Tone:
    return _TONES.get(status, "plain")


def _fields(request: PaymentRequest) -> tuple[Field, ...]:
    notes = Field(name="notes", label="Notes to the payee")
    if not request.amount_modification_allowed:
        return (notes,)
    return notes, Field(name="modified_amount", label=f"Another amount than {_dollars(request.amount)}", longest=20)


def _actions(request: PaymentRequest) -> tuple[Action, ...]:
    path = f"{CONTROL}/payment-requests/{request.id}"
    accept = Action(
        label="Accept",
        path=path + "/respond",
        parameters={"status": "Accepted"},
        shortcut="a",
        fields=("notes", "modified_amount"),
    )
    decline = Action(
        label="Decline", path=path + "/respond", parameters={"status": "Declined"}, shortcut="d", fields=("notes",)
    )
    return accept, decline, Action(label="Expire", path=path + "/expire", parameters={}, shortcut="e")
