"""The operations, and what they are about: payment requests, accounts and counterparties."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from victor_ext.sandbox.server.document import declared_in
from victor_ext.sandbox.server.exchange import JsonObject, Operation

OPERATIONS = (
    Operation("list", "GET", "/v2/payment-requests"),
    Operation("create", "POST", "/v2/payment-requests/request-payment"),
    Operation("get", "GET", "/v2/payment-requests/{id}"),
    Operation("respond", "POST", "/v2/payment-requests/respond-to-request/{id}"),
    Operation("token", "POST", "/v2/auth/token"),
)
declared = declared_in("victor.yaml", OPERATIONS)

Direction = Literal["inbound", "outbound"]
Status = Literal[
    "created", "pending", "processing", "needs-review", "accepted", "completed", "declined", "expired", "failed"
]
Network = Literal["RTP", "FedNow"]
Behaviour = Literal["ignore", "accept", "decline", "fail", "review"]

STATUSES: tuple[Status, ...] = get_args(Status)
TERMINAL: frozenset[Status] = frozenset({"completed", "declined", "expired", "failed"})
OPEN: tuple[Status, ...] = ("created", "pending", "processing", "needs-review")
"""The statuses of a request that waits for its payer."""

NOT_CONFIGURED = (
    "Routing Number {routing} is available on the RTP network but is not configured to support receiving "
    "a Payment Request at this time."
)
"""The provider's own example of an asynchronous failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest:
    """One request for payment. Amounts are the text that was sent."""

    id: str
    direction: Direction
    status: Status
    amount: str
    biller_type: str
    due_date: str
    created_at: float
    """Epoch seconds of the business clock."""
    changed_at: float
    """When the current status began."""
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
    """Set by an answer; `amount` is then the agreed one."""
    answer: Literal["Accepted", "Rejected"] | None = None
    modified_amount: str | None = None
    approval_notes: str | None = None
    idempotency_key: str | None = None

    @property
    def tracking_id(self) -> str:
        """In the format of the document's example, made from the id."""
        return f"{_stamp(self.created_at)[:8]}9R0V{self.id}"

    @property
    def rails_id(self) -> str:
        """The id on the instant payment network, in the format of the document's example."""
        return f"{_stamp(self.created_at)}PAIN{self.id}"

    def to_dict(self) -> JsonObject:
        """Every field that has a value."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%d%H%M%S%f")[:17]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A deposit account of the caller at the provider."""

    account_number: str
    routing_number: str = "011401533"
    name: str = "Sandbox Account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterparty:
    """A payer, and what happens to a request to them."""

    id: str
    account_number: str | None = None
    """With the number of an account of the sandbox, a request to this counterparty gets an inbound twin."""
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
"""Known to every sandbox, so that a test of each ending needs no preparation."""

DEMO_PAYEE = "043987673645"
"""The account that asks for money in the document's examples; it begins with a zero."""
DEMO_ACCOUNTS = (
    Account(account_number=DEMO_PAYEE, name="SampleCo Billing Inc."),
    Account(account_number="243884643621", name="Victor Doe"),
)
DEMO_COUNTERPARTIES = (
    Counterparty(id="aHeq349838", account_number="243884643621", name="Victor Doe"),
    Counterparty(id="acme000001", name="Acme Supplies", behaviour="accept"),
    Counterparty(id="lake000002", name="Lakeside Rentals", behaviour="decline"),
)
