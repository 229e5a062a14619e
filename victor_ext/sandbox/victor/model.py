"""What the sandbox knows: payment requests, accounts, counterparties."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal

Direction = Literal["inbound", "outbound"]
Status = Literal[
    "created",
    "pending",
    "processing",
    "needs-review",
    "accepted",
    "completed",
    "declined",
    "expired",
    "failed",
]
Network = Literal["RTP", "FedNow"]
Behaviour = Literal["ignore", "accept", "decline", "fail", "review"]

STATUSES: tuple[Status, ...] = (
    "created",
    "pending",
    "processing",
    "needs-review",
    "accepted",
    "completed",
    "declined",
    "expired",
    "failed",
)
TERMINAL: frozenset[Status] = frozenset({"completed", "declined", "expired", "failed"})

NOT_CONFIGURED = (
    "Routing Number {routing} is available on the RTP network but is not configured to support receiving "
    "a Payment Request at this time."
)
"""The provider's own example of an asynchronous failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest:
    """One request for payment, as the provider would keep it. Amounts stay the text that was sent."""

    id: str
    direction: Direction
    status: Status
    amount: str
    biller_type: str
    due_date: str
    created_at: float
    """Epoch seconds of the business clock."""
    changed_at: float
    """When the present status began."""
    payee_account: str
    network: Network = "RTP"
    ultimate_creditor: str | None = None
    counterparty_id: str | None = None
    payer_account: str | None = None
    payer_routing: str | None = None
    payer_name: str | None = None
    amount_modification_allowed: bool = False
    notes: str | None = None
    client_reference_id: str | None = None
    parent_id: str | None = None
    child_id: str | None = None
    approved_at: float | None = None
    error_message: str | None = None
    original_amount: str | None = None
    """Set by an answer; `amount` then is what was agreed."""
    answer: Literal["Accepted", "Rejected"] | None = None
    modified_amount: str | None = None
    approval_notes: str | None = None
    idempotency_key: str | None = None

    @property
    def tracking_id(self) -> str:
        """In the form of the document's example, made from the id so that it needs no room."""
        return f"{_stamp(self.created_at)[:8]}9R0V{self.id}"

    @property
    def rails_id(self) -> str:
        """The id on the instant payment network, in the form of the document's example."""
        return f"{_stamp(self.created_at)}PAIN{self.id}"

    def to_dict(self) -> dict[str, Any]:
        """Every field that has a value; `from_dict` reads it back."""
        return {name: value for name in _NAMES if (value := getattr(self, name)) is not None}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PaymentRequest:
        """The request that `to_dict` wrote."""
        return cls(**data)


_NAMES = tuple(field.name for field in fields(PaymentRequest))


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%d%H%M%S%f")[:17]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A deposit account at the provider that belongs to the caller."""

    account_number: str
    routing_number: str = "011401533"
    name: str = "Sandbox Account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterparty:
    """Somebody who can be asked for money, and what becomes of a request to them."""

    id: str
    account_number: str | None = None
    """When it is an account of the sandbox, a request to this counterparty makes an inbound twin."""
    routing_number: str = "800000219"
    name: str = "Sandbox Counterparty"
    network: Network = "RTP"
    behaviour: Behaviour = "ignore"


BUILT_IN: tuple[Counterparty, ...] = (
    Counterparty(id="acceptsRfp", name="Always Accepts", behaviour="accept"),
    Counterparty(id="declinesRfp", name="Always Declines", behaviour="decline"),
    Counterparty(id="ignoresRfp", name="Never Answers", behaviour="ignore"),
    Counterparty(id="failsRfp", name="Cannot Receive", behaviour="fail"),
    Counterparty(id="reviewsRfp", name="Needs Review", behaviour="review"),
)
"""Known to every sandbox, so that each ending can be had without any preparation."""
