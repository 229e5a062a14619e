"""Victor's operations, what they are about, and the state, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from victor_ext.sandbox.engine import Refused
from victor_ext.sandbox.server import (
    Clock,
    DocumentedOperation,
    JsonObject,
    Problem,
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

ENDED: tuple[Status, ...] = ("completed", "declined", "expired", "failed")
OPEN: tuple[Status, ...] = ("created", "pending", "processing", "needs-review")
"""The statuses of a request that waits for its payer."""

FIELDS: dict[str, tuple[str, ...]] = {
    "payee": ("account_number", "ultimate_creditor"),
    "payer": ("victor_counterparty_id",),
    "payment_details": (
        "amount",
        "notes",
        "biller_type",
        "due_date",
        "amount_modification_allowed",
    ),
}
"""The members of the body of a create that are fields of a `PaymentRequest`, by place.

At its top `client_reference_id` is one, too.
"""

NOT_CONFIGURED = (
    "Routing Number {routing} is available on the RTP network but is not configured to support "
    "receiving a Payment Request at this time."
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
    others: JsonObject | None = None
    """What its create had in the document's other members, in their places of the body."""

    @property
    def tracking_id(self) -> str:
        """In the format of the document's example, made from the id."""
        return f"{_stamp(self.created_at)[:8]}9R0V{self.id}"

    @property
    def rails_id(self) -> str:
        """The id on the instant payment network, in the format of the document's example."""
        return f"{_stamp(self.created_at)}PAIN{self.id}"

    @property
    def other_members(self) -> JsonObject:
        """The members in `others`, without their places."""
        others, members = self.others or {}, dict[str, Any]()
        for name, value in others.items():
            members |= value if name in FIELDS else {name: value}
        return members

    def to_dict(self) -> JsonObject:
        """Every field that has a value, and the other members."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name != "others"}
        fields = {name: value for name, value in fields.items() if value is not None}
        return {**self.other_members, **fields}


def wrong(*problems: Problem, status: str | None = None) -> Refused:
    """The refusal of a call for what is wrong with it.

    Args:
        status: Of the response; None: that of what breaks a rule of the document.
    """
    message = "; ".join(problem.message for problem in problems)
    code = "invalid" if status is None else ""
    return Refused(int(status or 400), message, code=code, problems=problems)


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
    """Credentials, accounts and counterparties; payment requests in the order of creation;
    idempotency keys.
    """

    def __init__(self, clock: Clock) -> None:
        self.public_keys: dict[str, str] = {}
        """By API key, as PEM."""
        self.clients: dict[str, str] = {}
        """By client id: the digest of the secret."""
        self.tokens = TokenStore(clock)
        self.accounts: dict[str, Account] = {}
        self.counterparties = {each.id: each for each in BUILT_IN}
        self.requests: dict[str, PaymentRequest] = {}
        self.order: list[str] = []
        self.created: list[float] = []
        """`created_at` of each request in `order`: never falling, so that time ranges can be
        bisected.
        """

    def commit(self, requests: Sequence[PaymentRequest]) -> None:
        """Keep new or changed requests."""
        for request in requests:
            if request.id not in self.requests:
                self.order.append(request.id)
                self.created.append(request.created_at)
            self.requests[request.id] = request


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
