"""A client of a small provider, without sockets and without waiting: the clock and the network are
fakes. Everything else is real: drivers, transports and the attempt loop."""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, TypeVar

import httpx
import pytest
from eastpay_api.api.checkouts import prepare_checkout
from eastpay_api.client import Client
from msgspec.structs import replace

from victor_ext.runtime.auth.tokens import IssuedToken, OAuthToken, SignedToken, header_value
from victor_ext.runtime.client.transport import AsyncAttemptTransport, AttemptTransport, bound_class
from victor_ext.runtime.core.clock import ServerClock
from victor_ext.runtime.core.response import MAX_RESPONSE_BYTES
from victor_ext.runtime.loop.attempts import AttemptLoop
from victor_ext.runtime.loop.call_events import Event
from victor_ext.runtime.loop.events import Reporter
from victor_ext.runtime.loop.flow import AsyncDriver, Driver, Lock
from victor_ext.runtime.loop.idempotency_keys import HeaderKey
from victor_ext.runtime.loop.operations import Behaviour, Operation, Operations, of_no_table
from victor_ext.runtime.loop.retry import Authenticator, RetryPolicy, RetryQuota

E = TypeVar("E", bound=BaseException)
BOTH = ("sync", "async")
PATIENCE = 600.0
"""Seconds of real time that an attempt may take: the deadlines of these tests are by a clock of
their own.
"""
BASE_URL = httpx.URL("https://pay.example")
KEY = "invoice-1042-of-2026"
BODY = b'{"amount": "44.23"}'
CLIENT = bound_class(Client).over(str(BASE_URL), {}, lambda options: httpx.Client(**options), {})
DOCUMENTED = CLIENT.request_extensions(prepare_checkout.OPERATION)
"""The extensions of requests whose good answer has an `id`, which is a text, by the document."""
TRANSIENT = (408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524)
"""The statuses after which a call is tried again, said once more for all tests."""
TIMEOUTS = {"connect": 5.0, "read": 20.0, "write": 20.0, "pool": 20.0}


class FakeClock(ServerClock):
    """A clock that only sleeps and exchanges move. It starts on a whole second."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0
        self.suspended = 0.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return 5_000.0 + self.passed

    def local(self) -> float:
        return 1_770_000_000.0 + self.passed + self.suspended

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.sleeps.append(seconds)
        self.passed += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)


def http_date(moment: float) -> str:
    """A moment as a `Date` header has it."""
    return format_datetime(datetime.fromtimestamp(moment, UTC), usegmt=True)


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in these pieces, or until an exception; an iterator shows how many were read."""

    def __init__(self, pieces: Iterable[bytes | Exception]) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


@dataclass(frozen=True)
class Happens:
    """What one exchange brings: an answer, or an exception (`error`), or an answer that breaks off
    (`cut`).

    `seconds` is how long it takes; a time-out takes what the request's own limit says. `suspended`
    is for how long the machine sleeps during it, which only its wall clock shows.
    """

    status: int = 200
    body: bytes = b'{"id": "a7ffd43c37c1"}'
    headers: tuple[tuple[str, str], ...] = ()
    error: type[BaseException] | None = None
    cut: bool = False
    seconds: float = 0.0
    suspended: float = 0.0


OK = Happens()


def status(code: int, **headers: str) -> Happens:
    """An answer with a JSON object and these headers (underscores for hyphens)."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Happens(code, b'{"detail": "no"}', named)


def raises(error: type[BaseException], seconds: float = 0.0) -> Happens:
    """An exchange that ends in an exception."""
    return Happens(error=error, seconds=seconds)


@dataclass(frozen=True)
class Received:
    """One request as it left."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    timeouts: dict[str, float | None]
    at: float
    quota: int

    @property
    def key(self) -> str | None:
        return self.headers.get("idempotency-key")

    @property
    def token(self) -> str | None:
        return self.headers.get("authorization")


class Network(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers from a script; its last line goes for every further request.

    `drift` is the provider's clock's.
    """

    def __init__(
        self, clock: FakeClock, script: list[Happens], quota: RetryQuota, drift: float | None = None
    ) -> None:
        self.clock = clock
        self.script = list(script)
        self.quota = quota
        self.drift = drift
        self.received: list[Received] = []
        self.keeps_limits = (
            False  # whether an exchange that takes longer than its read time-out ends as one
        )
        self.brought: list[Happens] = []
        self.tokens: Callable[[httpx.Request], Any] | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.tokens is not None and request.url.path == "/token":
            answer: httpx.Response = self.tokens(request)
            return answer
        limits = request.extensions["timeout"]
        self.received.append(
            Received(
                request.method,
                str(request.url),
                dict(request.headers),
                request.content,
                {stage: limits.get(stage) for stage in TIMEOUTS},
                self.clock.passed,
                self.quota.available,
            )
        )
        assert len(self.received) < 100, "it does not end"
        happens = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        limit = limits.get("read")
        if self.keeps_limits and limit is not None and happens.seconds >= limit:
            happens = raises(httpx.ReadTimeout, limit)
        self.brought.append(happens)
        self.clock.passed += happens.seconds
        self.clock.suspended += happens.suspended
        if happens.error is not None and not happens.cut:
            raise happens.error("it happened")
        headers = list(happens.headers)
        if self.drift is not None:
            headers.append(("Date", http_date(self.clock.local() + self.drift)))
        if happens.cut:
            error = (happens.error or httpx.RemoteProtocolError)("peer closed connection")
            assert isinstance(error, Exception)
            return httpx.Response(
                happens.status, headers=headers, stream=Pieces([happens.body[:4], error])
            )
        return httpx.Response(
            happens.status, headers=headers, stream=httpx.ByteStream(happens.body)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        answer: Any = self.handle_request(request)
        return await answer if inspect.isawaitable(answer) else answer


class OneRow(Operations):
    """A table with one row for all operations: what is known without a table, and these columns."""

    def __init__(self, **columns: Any) -> None:
        self._columns = columns

    def of(self, request: httpx.Request) -> Operation:
        return replace(of_no_table(request), **self._columns)


BEHAVIOUR = Behaviour(name="Pay", operations=OneRow(), environment="test", key_place=HeaderKey())


@dataclass
class Harness:
    """A client of the small provider, with everything in sight. `mode` is one of `BOTH`: what both
    do alike, `test_blocking_and_awaited_calls_do_the_same` holds them to.
    """

    script: list[Happens] = field(default_factory=lambda: [OK])
    mode: str = "sync"
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    deadline: float | None = 60.0
    behaviour: Behaviour = BEHAVIOUR
    drift: float | None = None
    draw: Callable[[], float] = lambda: 1.0
    on_event: Callable[[Event], None] | None = None
    auth: Callable[[FakeClock, Lock], Authenticator] | None = None
    reuse: float = 0.0  # of tokens, without `auth`
    max_response_bytes: int = MAX_RESPONSE_BYTES
    extensions: Mapping[str, Any] = field(default_factory=lambda: DOCUMENTED)

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.quota = RetryQuota(self.policy.quota)
        self.network = Network(self.clock, self.script, self.quota, self.drift)
        self.signed_at: list[float] = []
        lock = AsyncDriver.lock() if self.mode == "async" else Driver.lock()
        signed = SignedToken(self.sign, self.clock, reuse=self.reuse)
        authenticator = self.auth(self.clock, lock) if self.auth else signed
        self.loop = AttemptLoop(
            behaviour=self.behaviour,
            authenticator=authenticator,
            policy=self.policy,
            quota=self.quota,
            clock=self.clock,
            deadline=self.deadline,
            reporter=Reporter(self.on_event),
            draw=self.draw,
            max_response_bytes=self.max_response_bytes,
        )
        is_async = self.mode == "async"
        driver: Any = (AsyncDriver if is_async else Driver)(self.network, grace=PATIENCE)
        driver.sleep = self.clock.asleep if is_async else self.clock.sleep
        transport = AsyncAttemptTransport if is_async else AttemptTransport
        self.transport: Any = transport(self.loop, self.network, [BASE_URL], driver=driver)

    def sign(self, now: float) -> str:
        self.signed_at.append(now)
        return f"Token t{len(self.signed_at)}"

    def request(
        self,
        method: str = "GET",
        key: str | None = None,
        *,
        url: str = "https://pay.example/payments",
        headers: dict[str, str] | None = None,
    ) -> httpx.Request:
        headers = {**(headers or {}), **({} if key is None else {"Idempotency-Key": key})}
        return httpx.Request(
            method,
            url,
            headers=headers,
            content=None if method == "GET" else BODY,
            extensions={"timeout": dict(TIMEOUTS), **self.extensions},
        )

    def call(self, method: str = "GET", key: str | None = None, **options: Any) -> httpx.Response:
        """One logical call; raises what it raises."""
        request = self.request(method, key, **options)
        if self.mode == "async":
            return asyncio.run(self.transport.handle_async_request(request))
        response: httpx.Response = self.transport.handle_request(request)
        return response

    def fails(
        self,
        kind: type[E],
        *call: Any,
        match: str | None = None,
        ends: object = None,
        **options: Any,
    ) -> E:
        """The error that one logical call raises. `ends`: its outcome and attempts."""
        with pytest.raises(kind, match=match) as raised:
            self.call(*call, **options)
        error: Any = raised.value
        assert ends is None or (error.outcome, error.attempts) == ends
        return raised.value

    @property
    def received(self) -> list[Received]:
        return self.network.received

    @property
    def sleeps(self) -> list[float]:
        return self.clock.sleeps


def read_token(body: dict[str, Any], now: float) -> IssuedToken | None:
    """The token that a token endpoint issued, if it is a text."""
    token = body.get("access_token")
    lives = body.get("lives")
    if not isinstance(token, str):
        return None
    return IssuedToken(header_value("Bearer", token), None if lives is None else now + lives, now)


def by_oauth(clock: FakeClock, lock: Lock, **options: Any) -> OAuthToken:
    """Gets its tokens from `/token`, which the `tokens` of a `Network` answers."""

    def ask() -> httpx.Request:
        content = {"client_id": "i", "client_secret": "s3cret-of-mine"}
        return httpx.Request("POST", "https://pay.example/token", json=content)

    return OAuthToken(ask, read_token, clock, lock, **options)


def token_answer(**members: object) -> httpx.Response:
    """What a token endpoint answers."""
    return httpx.Response(200, content=json.dumps(members).encode())
