"""Payment requests as the page shows them."""

from collections.abc import Sequence
from decimal import Decimal

from victor_ext.sandbox.server.exchange import CONTROL
from victor_ext.sandbox.server.privacy import last_four
from victor_ext.sandbox.server.provider import Action, Details, Record, Records
from victor_ext.sandbox.victor.ledger import Ledger
from victor_ext.sandbox.victor.state import OPEN, TONES, PaymentRequest

_ELSEWHERE = {"status", "amount", "created_at", "changed_at", "parent_id", "child_id", "answer"}
"""The fields of a request that the page shows in another place than among its facts."""


class PaymentRequestRecords(Records):
    title = "Requests"

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def latest(self, count: int) -> Sequence[Record]:
        requests = self._ledger.store.requests
        return [self._record(requests[request_id]) for request_id in reversed(self._ledger.store.order[-count:])]

    def details(self, record_id: str) -> Details:
        """One request with its moves, and with buttons while it waits for its payer."""
        request = self._ledger.get(record_id)
        twins = {"The outbound request": request.parent_id, "The inbound twin": request.child_id}
        waits = request.status in OPEN
        path = f"{CONTROL}/payment-requests/{request.id}"
        actions = (
            Action("Accept", path + "/respond", "a", {"status": "Accepted"}, ("notes", "modified_amount")),
            Action("Decline", path + "/respond", "d", {"status": "Declined"}, ("notes",)),
            Action("Expire", path + "/expire", "e"),
        )
        fields = {"notes": "Notes to the payee"}
        if request.amount_modification_allowed:
            fields["modified_amount"] = f"Another amount than {_dollars(request.amount)}"
        return Details(
            record=self._record(request),
            facts=_facts(request),
            moves=self._ledger.store.moves(request),
            related={label: name for label, name in twins.items() if name is not None},
            fields=fields if waits else {},
            actions=actions if waits else (),
        )

    def _record(self, request: PaymentRequest) -> Record:
        parent = self._ledger.store.requests.get(request.parent_id or "")
        return Record(
            id=request.id,
            group=request.parent_id or request.id,
            at=self._ledger.store.moves(request)[0].at,
            status=request.status,
            tone=TONES[request.status],
            amount=_dollars(request.amount),
            incoming=request.direction == "inbound",
            who=self._who(request),
            key=(parent or request).idempotency_key,
            reference=request.client_reference_id,
            notes=request.notes,
        )

    def _who(self, request: PaymentRequest) -> str:
        if request.direction == "inbound":
            payee = self._ledger.store.accounts.get(request.payee_account)
            return request.ultimate_creditor or (payee.name if payee else last_four(request.payee_account))
        counterparty = self._ledger.store.counterparties.get(request.counterparty_id or "")
        return counterparty.name if counterparty else str(request.counterparty_id)


def _facts(request: PaymentRequest) -> list[tuple[str, str]]:
    fields = {name: str(value) for name, value in request.to_dict().items() if name not in _ELSEWHERE}
    numbers = {name: last_four(fields[name]) for name in fields if name.endswith("_account")}
    return [(name.replace("_", " ").capitalize(), value) for name, value in {**fields, **numbers}.items()]


def _dollars(amount: str) -> str:
    """An amount with two decimals, so that amounts stand below each other. The exchange shows what was sent."""
    return f"{Decimal(amount):.2f}"
