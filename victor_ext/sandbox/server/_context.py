"""What the server and the provider of a sandbox share: the clock, the tokens, the record of calls,
the faults.
"""

import hashlib
import logging
import secrets
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from victor_ext.sandbox.server._exchange import (
    JsonObject,
    KeyLocation,
    Operation,
    OperationTable,
    Response,
)
from victor_ext.sandbox.server._faults import Fault, FaultQueue
from victor_ext.sandbox.server._privacy import one_line, shown_headers
from victor_ext.sandbox.server._settings import ServerSettings

access = logging.getLogger("victor_ext.sandbox.access")
logger = logging.getLogger("victor_ext.sandbox")
_KEPT = 200
_LARGEST = 64 * 1024
_RECEIVED = 100_000


class Clock:
    """The wall clock with a skew, and the business clock, which can be advanced.

    Tokens and the `Date` header go by the wall clock; everything else goes by the business clock.
    So `advance` never makes a token expire, and a skew moves both clocks.
    """

    def __init__(self) -> None:
        self.skew = 0.0
        self.advanced = 0.0

    def wall(self) -> float:
        """Epoch seconds of the wall clock: this machine's clock and the skew."""
        return time.time() + self.skew

    def now(self) -> float:
        """Epoch seconds of the business clock: the wall clock and everything that was advanced."""
        return self.wall() + self.advanced

    def timestamp(self) -> str:
        """The business clock as a time in ISO 8601, such as `2026-03-04T09:00:00Z`."""
        return datetime.fromtimestamp(self.now(), UTC).isoformat().replace("+00:00", "Z")

    def is_over(self, year: int, month: int) -> bool:
        """Whether a month has ended in UTC: a card is valid until then."""
        today = datetime.fromtimestamp(self.now(), UTC)
        return (year, month) < (today.year, today.month)

    def to_dict(self) -> dict[str, float]:
        return {
            "now": self.now(),
            "wall": self.wall(),
            "skew": self.skew,
            "advanced": self.advanced,
        }


class TokenStore:
    """Issued tokens with owner and expiry, by the wall clock. Only digests of tokens are kept."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens: dict[str, tuple[str, float]] = {}
        self.issued: dict[str, int] = {}
        """How many tokens each owner was given."""

    def issue(self, owner: str, life: float) -> tuple[str, float]:
        """A new token for `life` seconds, and the epoch seconds of its expiry.

        Earlier tokens stay valid.
        """
        token = secrets.token_urlsafe(32)
        expires = self._clock.wall() + life
        self._tokens[digest(token)] = (owner, expires)
        self.issued[owner] = self.issued.get(owner, 0) + 1
        return token, expires

    def owner(self, token: str) -> str | None:
        """The owner of a token; None for one that is unknown, revoked or expired."""
        owner, expires = self._tokens.get(digest(token), ("", 0.0))
        return owner if expires > self._clock.wall() else None

    def revoke(self, owner: str | None = None) -> int:
        """Revoke the tokens of one owner, or all of them; returns how many there were."""
        gone = [key for key, (issued_to, _) in self._tokens.items() if owner in (None, issued_to)]
        for key in gone:
            del self._tokens[key]
        return len(gone)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(slots=True)
class Received:
    """One call as the sandbox saw it."""

    number: int
    """The number of the call, from 1 on."""
    at: float
    """Epoch seconds of the sandbox's wall clock."""
    method: str
    """Such as `POST`."""
    path: str
    """Without the query."""
    operation: str
    """The name of the operation, such as `create`."""
    idempotency_key: str | None
    """The key of the call, or None."""
    attempt: int | None
    """The number of the attempt under this key, from 1; None without a key."""
    status: int | None = None
    """The status of the sandbox's response, even when a fault kept it from arriving; None: no
    response.
    """
    work_done: bool = False
    """Whether this very call changed something, such as making or answering a request.

    A replay did no work.
    """
    replayed: bool = False
    """Whether the response repeats that of an earlier call with the same key."""
    fault: str | None = None
    """The kind of fault that was applied."""
    request_id: str | None = None
    """The provider's id of what the call made, answered or read, such as a payment request."""
    milliseconds: float | None = None
    """From the head of the request to the response; None while the call is being served."""
    reference: str | None = None
    """The caller's own reference for the work, such as an invoice; of a call about several, the
    first.
    """
    headers: dict[str, str] = field(default_factory=dict[str, str])
    """The headers of the request by name in lower case; credentials are hidden, as in `Token …`.
    The values of a repeated name are joined with a comma."""

    def to_dict(self) -> JsonObject:
        return {name: getattr(self, name) for name in Received.__slots__}

    def summary(self) -> str:
        """The call on one line, without a body, with the beginning of its key and no long
        number.
        """
        key = self.idempotency_key
        parts = [
            f"{self.method:<4}",
            one_line(self.path),
            "-" if self.status is None else str(self.status),
            "-" if self.milliseconds is None else f"{self.milliseconds:.1f} ms",
        ]
        if key is not None:
            parts.append(f"key={one_line(_beginning(key))} attempt={self.attempt}")
        if self.replayed:
            parts.append("replayed")
        if self.fault:
            parts.append(f"fault={self.fault}")
        return "  ".join(parts)

    def excerpt(self, body: str) -> str:
        """The beginning of a body, of the request or of its response, on one line, with no more of
        the key than `summary` shows.
        """
        key = self.idempotency_key
        hidden = body if key is None else body.replace(key, _beginning(key))
        return one_line(" ".join(hidden.split()))


def _beginning(key: str) -> str:
    """A key as it is shown: its first eight characters."""
    return f"{key[:8]}…" if len(key) > 8 else key


class SandboxContext:
    """State of a sandbox that belongs to no provider. Only the serving thread uses it."""

    def __init__(
        self, settings: ServerSettings, operations: Sequence[Operation], key: KeyLocation
    ) -> None:
        self.settings = settings
        self.operations = OperationTable(operations)
        self.key = key
        self.clock = Clock()
        self.faults = FaultQueue()
        self._calls: deque[Received] = deque(maxlen=_RECEIVED)
        """The last calls one by one. The counts are of all of them."""
        self._numbers = count(1)
        self.attempts: Counter[str] = Counter()
        self.work_by_key: Counter[str] = Counter()
        self.work_by_reference: Counter[str] = Counter()
        """How often work was done for each reference of the caller; 0: only attempts."""
        self.contents: dict[int, tuple[bytes, Response | None]] = {}
        """The bodies of the last calls by their number: the request's, of which the beginning is
        kept, and the response as it was made, also when a fault kept it from arriving (None: there
        was none). They are redacted when shown."""

    def reset(self) -> None:
        """Forget faults, received calls and counts, and set the clocks back.

        The numbers of calls go on.
        """
        self.faults.waiting.clear()
        self._calls.clear()
        self.contents.clear()
        self.attempts.clear()
        self.work_by_key.clear()
        self.work_by_reference.clear()
        self.clock.advanced = 0.0
        self.clock.skew = 0.0

    def begin(
        self,
        method: str,
        path: str,
        operation: str,
        headers: Iterable[tuple[bytes, bytes]],
        fault: Fault | None,
    ) -> Received:
        exchange = Received(
            number=next(self._numbers),
            at=self.clock.wall(),
            method=method,
            path=path,
            operation=operation,
            idempotency_key=None,
            attempt=None,
            fault=None if fault is None else fault.kind,
            headers=shown_headers(headers),
        )
        self._calls.append(exchange)
        return exchange

    def count_attempt(
        self, exchange: Received, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> None:
        """Set the key of a call, if it has one, and count the attempt."""
        key = None if self.key is None else self.key.find(dict(headers), body)
        if key is not None:
            self.attempts[key] += 1
            exchange.idempotency_key = key
            exchange.attempt = self.attempts[key]

    def finish(self, exchange: Received, body: bytes, response: Response | None) -> None:
        """Record the body of a call and its response (None: there was none), and log the call."""
        self.contents[exchange.number] = (body[:_LARGEST], response)
        if len(self.contents) > _KEPT:
            del self.contents[next(iter(self.contents))]
        exchange.status = None if response is None else response.status
        exchange.milliseconds = max(0.0, round((self.clock.wall() - exchange.at) * 1000, 3))
        if access.isEnabledFor(logging.INFO):
            access.info("%s", exchange.summary())

    def after(self, number: int) -> list[Received]:
        return [exchange for exchange in self._calls if exchange.number > number]
