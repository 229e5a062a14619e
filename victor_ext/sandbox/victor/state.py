"""The state of Victor's sandbox in memory. Every change is written to the journal first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from victor_ext.sandbox.server.context import Clock, digest
from victor_ext.sandbox.server.operations import JsonValue
from victor_ext.sandbox.server.provider import Move, Tone
from victor_ext.sandbox.victor.journal import Journal, KeyRecord
from victor_ext.sandbox.victor.model import BUILT_IN, OPEN, Account, Counterparty, PaymentRequest, Status

_KEPT = 2_000
TONES: dict[Status, Tone] = {
    **dict.fromkeys(OPEN, "waiting"),
    "created": "plain",
    "accepted": "good",
    "completed": "good",
    "declined": "bad",
    "expired": "bad",
    "failed": "bad",
}


class Directory:
    """API keys, OAuth clients with their tokens, accounts and counterparties."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.public_keys: dict[str, RSAPublicKey] = {}
        self.clients: dict[str, str] = {}
        self.tokens: dict[str, tuple[str, float]] = {}
        self.issued: dict[str, int] = {}
        self.accounts: dict[str, Account] = {}
        self.counterparties = {counterparty.id: counterparty for counterparty in BUILT_IN}

    def restore(self, kind: str, name: str, value: JsonValue) -> None:
        match kind:
            case "api_key":
                self.public_keys[name] = read_public_key(value)
            case "client":
                self.clients[name] = value
            case "token":
                self.tokens[name] = (value[0], value[1])
            case "issued":
                self.issued[name] = value
            case "account":
                self.accounts[name] = Account(**value)
            case _:
                self.counterparties[name] = Counterparty(**value)

    def add_api_key(self, api_key: str, public_key_pem: str) -> None:
        """Accept tokens signed by the matching private key; `ValueError` for a key that cannot be used."""
        key = read_public_key(public_key_pem)
        self._journal.put("api_key", api_key, public_key_pem)
        self.public_keys[api_key] = key

    def add_client(self, client_id: str, client_secret: str) -> None:
        """Let a client ask for tokens. Only a digest of its secret is kept."""
        self.clients[client_id] = digest(client_secret)
        self._journal.put("client", client_id, self.clients[client_id])

    def add_token(self, token_digest: str, client_id: str, expires: float) -> None:
        count = self.issued.get(client_id, 0) + 1
        self._journal.put("token", token_digest, [client_id, expires])
        self._journal.put("issued", client_id, count)
        self.tokens[token_digest] = (client_id, expires)
        self.issued[client_id] = count

    def revoke_tokens(self, client_id: str | None = None) -> int:
        """Revoke the tokens of one client (None: of all); returns their number."""
        revoked = [token for token, (owner, _) in self.tokens.items() if client_id in (None, owner)]
        for token in revoked:
            self._journal.drop("token", token)
            del self.tokens[token]
        return len(revoked)

    def add_account(self, account: Account) -> None:
        self._journal.put("account", account.account_number, asdict(account))
        self.accounts[account.account_number] = account

    def add_counterparty(self, counterparty: Counterparty) -> None:
        self._journal.put("counterparty", counterparty.id, asdict(counterparty))
        self.counterparties[counterparty.id] = counterparty


class Store:
    """Payment requests in the order of creation, and the records of idempotency keys."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._moves: dict[str, list[Move]] = {}
        """When the last requests came into which status: kept in memory, for the page."""
        self.requests: dict[str, PaymentRequest] = {}
        self.order: list[str] = []
        self.created: list[float] = []
        """`created_at` of each request in `order`: never falling, so that time ranges can be bisected."""
        self.keys: dict[tuple[str, str], KeyRecord] = {}
        self.work_by_key: Counter[str] = Counter()
        """The number of requests by key. More than one would be a mistake of the sandbox."""
        self.version = 0
        """Changes with every commit, so that a cached list can be recognised as stale."""

    def restore(self, requests: Iterable[PaymentRequest], keys: Iterable[KeyRecord]) -> None:
        for request in requests:
            self._keep(request)
        self._moves.clear()  # when they moved is not kept
        for key in keys:
            self.keys[key.owner, key.key] = key

    def commit(self, requests: Sequence[PaymentRequest], key: KeyRecord | None = None) -> None:
        """Write new or changed requests, then keep them. When writing fails, nothing has changed."""
        self._journal.commit(requests, key)
        for request in requests:
            self._keep(request)
        if key is not None:
            self.keys[key.owner, key.key] = key

    def not_before(self, now: float) -> float:
        """A creation time that is not before the last one, also when the clock was set back."""
        return max(now, self.created[-1]) if self.created else now

    def moves(self, request: PaymentRequest) -> list[Move]:
        """The moves of a request; of one whose moves are not remembered, the status that it is in."""
        made = request.created_at - self._clock.advanced
        now = Move(request.status, TONES[request.status], made, request.changed_at)
        return self._moves.get(request.id) or [now]

    def _keep(self, request: PaymentRequest) -> None:
        self.version += 1
        before = self.requests.get(request.id)
        if before is None:
            self.order.append(request.id)
            self.created.append(request.created_at)
            if request.idempotency_key is not None and request.direction == "outbound":
                self.work_by_key[request.idempotency_key] += 1
        if before is None or before.status != request.status:
            move = Move(request.status, TONES[request.status], self._clock.wall(), request.changed_at)
            self._moves.setdefault(request.id, []).append(move)
            if len(self._moves) > _KEPT:
                del self._moves[next(iter(self._moves))]
        self.requests[request.id] = request


def read_public_key(pem: str) -> RSAPublicKey:
    """The RSA public key in a PEM; `ValueError` says what is wrong with it."""
    try:
        key = load_pem_public_key(pem.encode("utf-8"))
    except Exception as error:
        raise ValueError("public_key is not a PEM public key ('-----BEGIN PUBLIC KEY-----')") from error
    if not isinstance(key, RSAPublicKey):
        raise ValueError("public_key must be an RSA key: the provider signs with RS512 only")
    if key.key_size < 2048:
        raise ValueError(f"public_key has {key.key_size} bits; at least 2048 are needed")
    return key
