"""Victor's operations, what they are about, and the state: in memory, and in one SQLite database.

Every change is written to the database first.

One `commit` is one transaction with a payment request and the record of its idempotency key. It
returns before any byte of the response is sent. A process that is killed at any moment has done the
whole work under a key, or none of it.
"""

import json
import os
import sqlite3
from collections import UserDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, TypeVar

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from victor_ext.sandbox.engine import Refused
from victor_ext.sandbox.engine._key_memory import Entry
from victor_ext.sandbox.server import (
    Clock,
    DocumentedOperation,
    JsonObject,
    Problem,
    StatusChange,
    TokenStore,
    Tone,
    load_document,
    open_private,
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


# What is kept

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (
    position INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
    UNIQUE (kind, name)
);
"""
_UPSERT = (
    "INSERT INTO facts (kind, name, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value "
    "= excluded.value"
)
T = TypeVar("T")
_KEPT = 2_000
TONES: dict[Status, Tone] = {
    **dict.fromkeys(OPEN, "waiting"),
    "created": "plain",
    **dict.fromkeys(("accepted", "completed"), "good"),
    **dict.fromkeys(("declined", "expired", "failed"), "bad"),
}


def open_database(path: str | os.PathLike[str] | None) -> sqlite3.Connection:
    """One SQLite file that only its owner may read, or memory alone (`path` is None).

    `OSError` when another sandbox uses the file or it is unusable. WAL with `synchronous=NORMAL` is
    safe against a killed process. A power cut may lose the last commits.
    """
    database: sqlite3.Connection | None = None
    try:
        if path is not None:
            # SQLite gives the files that it makes beside this one the same mode.
            os.close(open_private(path, os.O_RDWR))
        # One thread opens it, another one uses it; never both at once.
        where = ":memory:" if path is None else path
        database = sqlite3.connect(
            where, isolation_level=None, timeout=0.5, check_same_thread=False
        )
        # Exclusive: a second sandbox would not see what this one keeps in memory.
        for name, value in (
            ("locking_mode", "EXCLUSIVE"),
            ("journal_mode", "WAL"),
            ("synchronous", "NORMAL"),
        ):
            database.execute(f"PRAGMA {name}={value}")
        database.executescript(_SCHEMA + "BEGIN IMMEDIATE; COMMIT;")
    except (OSError, sqlite3.Error) as error:
        if database is not None:
            database.close()
        reason = error.strerror if isinstance(error, OSError) else error
        raise OSError(
            f"the state file {os.fspath(path or '')!r} cannot be used: {reason}"
        ) from error
    return database


def _fields(record: Any) -> JsonObject:
    """The fields of a record, which hold plain JSON: nothing in them needs to be copied."""
    return {name: getattr(record, name) for name in record.__slots__}


class Facts(UserDict[str, T]):
    """Facts of one kind by name, in the order in which they came.

    Each is written to the database before it counts.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        kind: str,
        read: Callable[[Any], T] = lambda value: value,
    ) -> None:
        super().__init__()
        self._database, self._kind = database, kind
        rows = database.execute(
            "SELECT name, value FROM facts WHERE kind = ? ORDER BY position", (kind,)
        )
        self.data = {name: read(json.loads(value)) for name, value in rows}

    def __setitem__(self, name: str, value: T) -> None:
        self.write({name: value})
        self.data[name] = value

    def write(self, facts: Mapping[str, T]) -> None:
        """Write facts that count once they are in `data`."""
        rows = [
            (self._kind, name, json.dumps(value, default=_fields)) for name, value in facts.items()
        ]
        self._database.executemany(_UPSERT, rows)

    def __delitem__(self, name: str) -> None:
        self._database.execute("DELETE FROM facts WHERE kind = ? AND name = ?", (self._kind, name))
        del self.data[name]


class Store:
    """Credentials, accounts and counterparties; payment requests in the order of creation;
    idempotency keys.
    """

    def __init__(self, database: sqlite3.Connection, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self.public_keys: Facts[str] = Facts(database, "api_key")
        """By API key, as PEM."""
        self.clients: Facts[str] = Facts(database, "client")
        """By client id: the digest of the secret."""
        self.tokens = TokenStore(clock, Facts(database, "token"))
        self.tokens.issued = Facts(database, "issued")
        self.accounts = Facts(database, "account", lambda value: Account(**value))
        self.counterparties = Facts(database, "counterparty", lambda value: Counterparty(**value))
        self.counterparties.data = {each.id: each for each in BUILT_IN} | self.counterparties.data
        self._moves: dict[str, list[StatusChange]] = {}
        """When the last requests came into which status: kept in memory, for the page."""
        self._requests = Facts(database, "request", lambda value: PaymentRequest(**value))
        self.requests = self._requests.data
        self.order = list(self.requests)
        self.created = [request.created_at for request in self.requests.values()]
        """`created_at` of each request in `order`: never falling, so that time ranges can be
        bisected.
        """
        self.keys: Facts[Entry] = Facts(database, "key", tuple)
        """By the place of a key: what was done under it."""

    def commit(
        self, requests: Sequence[PaymentRequest], keys: Mapping[str, Entry] | None = None
    ) -> None:
        """Write new or changed requests, and the key under which the work was done, in one
        transaction; then keep them.

        When writing fails, nothing has changed.
        """
        with self._database as database:
            database.execute("BEGIN IMMEDIATE")
            self._requests.write({request.id: request for request in requests})
            self.keys.write(keys or {})
        for request in requests:
            self._keep(request)
        self.keys.data.update(keys or {})

    def clear(self) -> None:
        """Empty the database. Its contents are still in memory: make a new store."""
        self._database.executescript("DELETE FROM facts;")

    def moves(self, request: PaymentRequest) -> list[StatusChange]:
        """The moves of a request; of one whose moves are not remembered, the status that it is
        in.
        """
        made = request.created_at - self._clock.advanced
        now = StatusChange(request.status, TONES[request.status], made, request.changed_at)
        return self._moves.get(request.id) or [now]

    def _keep(self, request: PaymentRequest) -> None:
        before = self.requests.get(request.id)
        if before is None:
            self.order.append(request.id)
            self.created.append(request.created_at)
        if before is None or before.status != request.status:
            move = StatusChange(
                request.status, TONES[request.status], self._clock.wall(), request.changed_at
            )
            self._moves.setdefault(request.id, []).append(move)
            if len(self._moves) > _KEPT:
                del self._moves[next(iter(self._moves))]
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
