"""A client of a small provider, without sockets and without waiting: the clock and the network are
fakes. Everything else is real: drivers, transports and the attempt loop."""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from eastpay_api.api.checkouts import prepare_checkout
from eastpay_api.client import Client

from victor_ext._runtime.auth.tokens import IssuedToken, OAuthToken, SignedToken, header_value
from victor_ext._runtime.client.transport import (
    AsyncAttemptTransport,
    AttemptTransport,
    bound_class,
)
from victor_ext._runtime.core.clock import ServerClock
from victor_ext._runtime.core.json_values import object_of
from victor_ext._runtime.core.response import MAX_RESPONSE_BYTES
from victor_ext._runtime.loop.attempts import AttemptLoop
from victor_ext._runtime.loop.call_events import Event
from victor_ext._runtime.loop.events import Reporter
from victor_ext._runtime.loop.evidence import lists_declared_errors
from victor_ext._runtime.loop.flow import AsyncDriver, Driver, Lock
from victor_ext._runtime.loop.idempotency_keys import HeaderKey
from victor_ext._runtime.loop.operations import (
    Behaviour,
    Effect,
    Operation,
    Operations,
    Shown,
)
from victor_ext._runtime.loop.retry import Authenticator, RetryPolicy, RetryQuota
from victor_ext.errors import Problem

BOTH = ("sync", "async")
PATIENCE = 600.0
"""Seconds of real time that an attempt may take: the deadlines of these tests are by a clock of
their own.
"""
BASE_URL = httpx.URL("https://pay.example")
KEY = "invoice-1042-of-2026"
BODY = b'{"amount": "44.23"}'
DOCUMENTED = (
    bound_class(Client)
    .over(str(BASE_URL), lambda options: httpx.Client(**options), {})
    .request_extensions(prepare_checkout.OPERATION)
)
"""The extensions of requests whose good answer has an `id`, which is a text, by the document."""
TRANSIENT = (408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524)
"""The statuses after which a call is tried again, said once more for all tests."""
TIMEOUTS = {"connect": 5.0, "read": 20.0, "write": 20.0, "pool": 20.0}


class FakeClock(ServerClock):
    """A clock that only sleeps and exchanges move. It starts on a whole second."""

    def __init__(self):
        super().__init__()
        self.passed = 0.0
        self.suspended = 0.0
        self.sleeps = []

    def monotonic(self):
        return 5_000.0 + self.passed

    def local(self):
        return 1_770_000_000.0 + self.passed + self.suspended

    def sleep(self, seconds):
        assert seconds >= 0
        self.sleeps.append(seconds)
        self.passed += seconds

    async def asleep(self, seconds):
        self.sleep(seconds)


http_date = partial(formatdate, usegmt=True)
"""A moment as a `Date` header has it."""


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in these pieces, or until an exception; an iterator shows how many were read."""

    def __init__(self, pieces):
        self.pieces = pieces

    def __iter__(self):
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def __aiter__(self):
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


def status(code, **headers):
    """An answer with a JSON object and these headers (underscores for hyphens)."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Happens(code, b'{"detail": "no"}', named)


def raises(error, seconds=0.0):
    """An exchange that ends in an exception."""
    return Happens(error=error, seconds=seconds)


@dataclass(eq=False)
class Network(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers from a script; its last line goes for every further request.

    Attributes:
        drift: The provider's clock's.
        keeps_limits: Whether an exchange that takes longer than its read time-out ends as one.
        tokens: Answers the requests for a token.
        received: The requests as they left.
        brought: What the exchanges brought.
    """

    clock: FakeClock
    script: list[Happens]
    quota: RetryQuota
    drift: float | None = None
    keeps_limits: bool = False
    tokens: Callable[[httpx.Request], Any] | None = None
    received: list[Any] = field(default_factory=list)
    brought: list[Happens] = field(default_factory=list)

    def handle_request(self, request):
        if self.tokens is not None and request.url.path == "/token":
            return self.tokens(request)
        limits = request.extensions["timeout"]
        self.received.append(
            SimpleNamespace(
                method=request.method,
                url=str(request.url),
                headers=dict(request.headers),
                key=request.headers.get("idempotency-key"),
                token=request.headers.get("authorization"),
                body=request.content,
                timeouts={stage: limits.get(stage) for stage in TIMEOUTS},
                at=self.clock.passed,
                quota=self.quota.available,
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
        headers = httpx.Headers(happens.headers)
        if happens.body.startswith((b"{", b"[")):
            headers.setdefault("Content-Type", "application/json")
        if self.drift is not None:
            headers["Date"] = http_date(self.clock.local() + self.drift)
        pieces = [happens.body]
        if happens.cut:
            error = happens.error or httpx.RemoteProtocolError
            pieces = [happens.body[:4], error("peer closed connection")]
        return httpx.Response(happens.status, headers=headers, stream=Pieces(pieces))

    async def handle_async_request(self, request):
        await asyncio.sleep(0)
        answer = self.handle_request(request)
        return await answer if inspect.isawaitable(answer) else answer


class OneRow(Operations):
    """A table with one row for all operations: what is known without a table, and these columns."""

    def __init__(self, **columns):
        super().__init__((), BASE_URL, HeaderKey())
        self._columns = columns

    def of(self, request):
        columns = {
            "effect": Effect.READS if request.method == "GET" else Effect.MOVES_MONEY,
            "key": None,
            "evidence": self.complaint,
            "may_list_errors": partial(lists_declared_errors, of_errors=set()),
            "shown": Shown.UNSENT,
        }
        return Operation(**{**columns, **self._columns})

    def declared_of(self, _request):
        return None


def read_problems(response):
    """The problems in an error of the small provider, which has a `detail` or a `message`."""
    body = object_of(response)
    texts = [body[name] for name in ("detail", "message") if isinstance(body.get(name), str)]
    return [Problem(str(body.get("field", "")), "", text) for text in texts]


BEHAVIOUR = Behaviour(
    name="Pay",
    operations=OneRow(),
    environment="test",
    key_place=HeaderKey(),
    problems=read_problems,
)


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

    def __post_init__(self):
        self.clock = FakeClock()
        self.quota = RetryQuota(self.policy.quota)
        self.network = Network(self.clock, list(self.script), self.quota, self.drift)
        self.received, self.sleeps = self.network.received, self.clock.sleeps
        self.signed_at = []
        driver, transport, sleep = (
            (AsyncDriver, AsyncAttemptTransport, self.clock.asleep)
            if self.mode == "async"
            else (Driver, AttemptTransport, self.sleep)
        )
        signed = SignedToken(self.sign, self.clock, reuse=self.reuse)
        self.loop = AttemptLoop(
            behaviour=self.behaviour,
            authenticator=self.auth(self.clock, driver.lock()) if self.auth else signed,
            policy=self.policy,
            quota=self.quota,
            clock=self.clock,
            deadline=self.deadline,
            reporter=Reporter(self.on_event),
            draw=self.draw,
            max_response_bytes=self.max_response_bytes,
        )
        running = driver(self.network, grace=PATIENCE)
        running.sleep = sleep
        self.transport = transport(self.loop, self.network, BASE_URL, driver=running)

    def sleep(self, seconds):
        self.clock.sleep(seconds)  # which a test may replace

    def sign(self, now):
        self.signed_at.append(now)
        return f"Token t{len(self.signed_at)}"

    def request(self, method="GET", key=None, url="https://pay.example/payments", headers=()):
        headers = dict(headers)
        if key is not None:
            headers["Idempotency-Key"] = key
        return httpx.Request(
            method,
            url,
            headers=headers,
            content=None if method == "GET" else BODY,
            extensions={"timeout": dict(TIMEOUTS), **self.extensions},
        )

    def call(self, method="GET", key=None, **options):
        """One logical call; raises what it raises."""
        request = self.request(method, key, **options)
        if self.mode == "async":
            return asyncio.run(self.transport.handle_async_request(request))
        return self.transport.handle_request(request)

    def fails(self, kind, *call, match=None, ends=None, **options):
        """The error that one logical call raises. `ends`: its outcome and attempts."""
        with pytest.raises(kind, match=match) as raised:
            self.call(*call, **options)
        error = raised.value
        assert ends is None or (error.outcome, error.attempts) == ends
        return error


def read_token(body, now):
    """The token that a token endpoint issued, if it is a text."""
    token = body.get("access_token")
    lives = body.get("lives")
    if not isinstance(token, str):
        return None
    return IssuedToken(header_value("Bearer", token), None if lives is None else now + lives, now)


def by_oauth(clock, lock, **options):
    """Gets its tokens from `/token`, which the `tokens` of a `Network` answers."""

    def ask():
        content = {"client_id": "i", "client_secret": "s3cret-of-mine"}
        return httpx.Request("POST", "https://pay.example/token", json=content)

    return OAuthToken(ask, read_token, clock, lock, **options)
