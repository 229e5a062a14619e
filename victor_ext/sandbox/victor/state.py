"""The state of Victor's sandbox in memory. Every change is written to the journal first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from victor_ext.sandbox.server.context import Clock, TokenStore
from victor_ext.sandbox.server.provider import Move, Tone
from victor_ext.sandbox.victor.journal import Facts, Journal, KeyRecord
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
    """API keys, OAuth clients with their tokens, accounts and counterparties, as the journal has them."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self.public_keys: Facts[str] = Facts(journal, "api_key")
        """By API key, as PEM."""
        self.clients: Facts[str] = Facts(journal, "client")
        """By client id: the digest of the secret."""
        self.tokens = TokenStore(clock, Facts(journal, "token"), Facts(journal, "issued"))
        self.accounts = Facts(journal, "account", lambda value: Account(**value))
        self.counterparties = Facts(journal, "counterparty", lambda value: Counterparty(**value))
        self.counterparties.data = {each.id: each for each in BUILT_IN} | self.counterparties.data


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
        self.keys.update({(key.owner, key.key): key for key in keys})

    def commit(self, requests: Sequence[PaymentRequest], key: KeyRecord | None = None) -> None:
        """Write new or changed requests, then keep them. When writing fails, nothing has changed."""
        self._journal.commit(requests, key)
        for request in requests:
            self._keep(request)
        if key is not None:
            self.keys[key.owner, key.key] = key

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


@lru_cache
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
