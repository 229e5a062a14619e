"""Victor's operations, what they are about, and the state, in memory."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from victor_ext.sandbox.server import (
    Clock,
    DocumentedOperation,
    JsonObject,
    TokenStore,
    load_document,
)

DOCUMENT = "victor.yaml"
PLACES = {
    "list": "GET /v2/payment-requests",
    "create": "POST /v2/payment-requests/request-payment",
    "get": "GET /v2/payment-requests/{id}",
    "respond": "POST /v2/payment-requests/respond-to-request/{id}",
    "token": "POST /v2/auth/token",
}
"""Where each operation is."""


def declared(operation: str) -> DocumentedOperation:
    """What the document says of an operation."""
    return load_document(DOCUMENT).operation(*PLACES[operation].split())


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

OPEN: tuple[Status, ...] = ("created", "pending", "processing", "needs-review")
"""The statuses of a request that waits for its payer."""

NOT_CONFIGURED = (
    "Routing Number {routing} is available on the RTP network but is not configured to support "
    "receiving a Payment Request at this time."
)
"""The provider's own example of an asynchronous failure."""


@dataclass(slots=True, kw_only=True)
class Request:
    """One request for payment: the body of its create, and what became of it."""

    id: str
    direction: Direction
    network: Network
    body: JsonObject
    """The declared members, as they came. Of an inbound request, the payer is the account that is
    asked.
    """
    created_at: float
    """Epoch seconds of the business clock."""
    status: Status = "created"
    changed_at: float = 0.0
    """When the current status began."""
    twin: str | None = None
    """The id of the same request on the other side, where both sides are in the sandbox."""
    idempotency_key: str | None = None
    approved_at: float | None = None
    error_message: str | None = None
    answer: JsonObject | None = None
    """The answer of the payer, as it is shown."""

    @property
    def parent_id(self) -> str | None:
        return self.twin if self.direction == "inbound" else None

    @property
    def child_id(self) -> str | None:
        return self.twin if self.direction == "outbound" else None

    @property
    def tracking_id(self) -> str:
        """In the format of the document's example, made from the id."""
        return f"{_stamp(self.created_at)[:8]}9R0V{self.id}"

    @property
    def rails_id(self) -> str:
        """The id on the instant payment network, in the format of the document's example."""
        return f"{_stamp(self.created_at)}PAIN{self.id}"

    @property
    def details(self) -> JsonObject:
        """The details of the payment. After an answer, the amount is the agreed one."""
        details: JsonObject = self.body["payment_details"]
        if self.answer is None and self.approved_at is None:
            return details
        answer, amount = self.answer or {}, details["amount"]
        agreed = {"amount": answer.get("modified_amount", amount), "original_amount": amount}
        return {**details, **agreed, "approval_notes": answer.get("notes")}

    def view(self) -> JsonObject:
        """All that is known, in the places of the document, which says what is shown of it: what
        has a value.
        """
        is_outbound = self.direction == "outbound"
        inner = {
            **self.body,
            "payer": self.body.get("payer") if is_outbound else None,
            "payment_details": self.details,
            "payment_request_response": None if is_outbound else self.answer or {},
            "approved_at": self.approved_at,
            "created_at": self.created_at,
        }
        head = {
            "victor_payment_request_id": self.id,
            "direction": self.direction,
            "status": self.status,
            "error_message": self.error_message,
            "payment_network": self.network,
            "victor_payment_request_parent_id": self.parent_id,
            "victor_payment_request_child_id": self.child_id,
        }
        return {**self.body, **head, "payment_request": inner}


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
    """With the number of an account of the sandbox, a request to this counterparty gets an inbound
    twin.
    """
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
DEMO_REQUESTS: tuple[tuple[JsonObject, JsonObject], ...] = (
    (
        {"account_number": "000123456789", "ultimate_creditor": "City Power and Light"},
        {"amount": "129.95", "notes": "Invoice 2203"},
    ),
    (
        {"account_number": "000123456789"},
        {"amount": "1500.00", "amount_modification_allowed": True, "notes": "Deposit"},
    ),
)
"""The payee and the details of each inbound request of the demonstration."""
DEMO_COUNTERPARTIES = (
    Counterparty(id="aHeq349838", account_number="243884643621", name="Victor Doe"),
    Counterparty(id="acme000001", name="Acme Supplies", behaviour="accept"),
    Counterparty(id="lake000002", name="Lakeside Rentals", behaviour="decline"),
)


class Store:
    """Credentials, accounts and counterparties; and payment requests in the order of creation."""

    def __init__(self, clock: Clock) -> None:
        self.public_keys: dict[str, str] = {}
        """By API key, as PEM."""
        self.clients: dict[str, str] = {}
        """By client id: the digest of the secret."""
        self.tokens = TokenStore(clock)
        self.accounts: dict[str, Account] = {}
        self.counterparties = {each.id: each for each in BUILT_IN}
        self.requests: dict[str, Request] = {}


@lru_cache
def read_public_key(pem: str) -> RSAPublicKey:
    """The RSA public key in a PEM; `ValueError` says what is wrong with it."""
    try:
        key = load_pem_public_key(pem.encode("utf-8"))
    except Exception as error:
        raise ValueError(
            "public_key is not a PEM public key ('-----BEGIN PUBLIC KEY-----')"
        ) from error
    if not isinstance(key, RSAPublicKey):
        raise ValueError("public_key must be an RSA key: the provider signs with RS512 only")
    if key.key_size < 2048:
        raise ValueError(f"public_key has {key.key_size} bits; at least 2048 are needed")
    return key
