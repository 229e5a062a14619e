"""Adapters: a provider, a proxy that cuts, and a blocking or awaited client; and what is asserted
afterwards.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import os
import ssl
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any, Literal

import httpx
import pytest
from victor_api.api.payment_requests import create_request_payment, get_payment_request
from victor_api.client import Client
from victor_api.models import NewRtpRfpPaymentRequest

from tests.faults.cutting_proxy import Cut, CuttingProxy
from tests.faults.raw_provider import CREATE, READ, RESPOND, Act, RawProvider
from tests.faults.raw_sockets import Background
from tests.providers.victor.adapter import payment
from victor_ext import (
    AsyncVictor,
    ClientCredentialsAuth,
    HeaderKey,
    PaymentRequest,
    RetryPolicy,
    Victor,
    VictorError,
    VictorOAuth,
    connect,
    connect_async,
)

MODES = ("sync", "async")
CONNECTED = ("connected", "connected, awaited")
"""The same by `connect`, which knows no more than the document: `get` and `create`."""
OPERATIONS = ("get", "create", "respond")
ATTEMPTS = 2

Operation = Literal["get", "create", "respond"]

each_mode = pytest.mark.parametrize("mode", MODES)
each_operation = pytest.mark.parametrize("operation", OPERATIONS)


@dataclass(frozen=True)
class Observed:
    """What the caller got: `word` is "success" or the outcome of the error."""

    word: str
    record: PaymentRequest | None
    error: VictorError | None
    seconds: float


class Running:
    """What `make` makes, a client of either mode, with one interface."""

    def __init__(self, make: Callable[[], Any], *, awaited: bool, debug: bool = False) -> None:
        self._runner = asyncio.Runner(debug=debug) if awaited else None
        self.client = self.result(make)

    def result(self, act: Callable[[], Any]) -> Any:
        """What an act comes to: awaited, or read to its end, where calls are awaited."""

        async def run() -> Any:
            result = act()
            if hasattr(result, "__aiter__"):
                return [each async for each in result]
            return await result if inspect.isawaitable(result) else result

        return act() if self._runner is None else self._runner.run(run())

    def close(self) -> None:
        self.result(self.client.close)
        if self._runner is not None:
            self._runner.close()


WorkerCall = Callable[[Any, int], Any]
"""Makes a call of a client, with the worker's number. The awaited client's is to be awaited."""


class Crowd:
    """Workers on one sync or async client. `spans` is how long each call took.

    `at_once`: how many of them call at a time.
    """

    def __init__(
        self, mode: str, client: Callable[[], Any], workers: int, *, at_once: int | None = None
    ) -> None:
        self.spans: list[float] = []
        self._mode = mode
        self._client = client
        self._workers = workers
        self._at_once = at_once or workers

    def run(self, *rounds: WorkerCall) -> list[list[Any]]:
        """One call of every worker in each round. Returns what each observed, by round."""
        return asyncio.run(self._run(rounds))

    async def _run(self, rounds: tuple[WorkerCall, ...]) -> list[list[Any]]:
        """The calls of a sync client are made in a thread each."""
        async with AsyncExitStack() as stack:
            client = self._client()
            threads = stack.enter_context(ThreadPoolExecutor(self._at_once))
            awaited = self._mode == "async"
            turns = asyncio.Semaphore(self._at_once)
            await stack.enter_async_context(client) if awaited else stack.enter_context(client)

            async def observe(call: WorkerCall, worker: int) -> Any:
                began = time.monotonic()
                in_thread = partial(asyncio.get_running_loop().run_in_executor, threads, call)
                try:
                    async with turns:
                        return await (call if awaited else in_thread)(client, worker)
                except (VictorError, httpx.HTTPError) as error:
                    return error
                finally:
                    self.spans.append(time.monotonic() - began)

            return [
                await asyncio.gather(*(observe(call, each) for each in range(self._workers)))
                for call in rounds
            ]


class Caller(Running):
    """A client of either mode, and what is observed of its calls."""

    def __init__(self, url: str, *, awaited: bool = False, **options: Any) -> None:
        defaults: dict[str, Any] = {
            "base_url": url,
            "timeout": 5.0,
            # a client that reads the end of a connection over and over fails, and does not hang
            "deadline": 10.0,
            "limits": httpx.Limits(
                max_connections=1
            ),  # each exchange follows the one before on its connection
            "retry": RetryPolicy(max_attempts=ATTEMPTS, base=0.0, quota=10**9),
        }
        self.awaited = awaited
        self.options = defaults | options
        super().__init__(self._open, awaited=awaited)

    def _open(self) -> Any:
        return (AsyncVictor if self.awaited else Victor)(
            VictorOAuth("id", "not-a-secret"), **self.options
        )

    def _ask(self, operation: Operation, subject: str) -> Any:
        return getattr(self.client.payment_requests, METHODS[operation])(
            **arguments(operation, subject)
        )

    def _shown(self, result: Any, subject: str) -> Any:
        return result

    def start(self, operation: Operation, subject: str) -> Observed:
        """Make the call. Returns what was observed."""
        began = time.monotonic()
        try:
            record = self._shown(self.result(lambda: self._ask(operation, subject)), subject)
        except VictorError as error:
            return Observed(error.outcome.value, None, error, time.monotonic() - began)
        return Observed("success", record, None, time.monotonic() - began)


class ConnectedCaller(Caller):
    """A client that is connected by the document alone."""

    def _open(self) -> Any:
        auth = ClientCredentialsAuth("/v2/auth/token", "id", "not-a-secret")
        return (connect_async if self.awaited else connect)(
            Client, auth=auth, key=HeaderKey(), **self.options
        )

    def _ask(self, operation: Operation, subject: str) -> Any:
        self._key = None
        if operation == "get":
            module = get_payment_request
            named = {"victor_payment_request_id": subject}
        else:
            values = {name: str(value) for name, value in arguments("create", subject).items()}
            body = NewRtpRfpPaymentRequest.from_dict(
                {"client_reference_id": subject, "payment_details": values}
            )
            self._key = str(uuid.uuid4())
            module = create_request_payment
            named = {"body": body, "idempotency_key": self._key}
        return (module.asyncio if self.awaited else module.sync)(client=self.client.api, **named)

    def _shown(self, result: Any, subject: str) -> Any:
        reference = result.additional_properties.get("client_reference_id")
        return SimpleNamespace(
            id=result.victor_payment_request_id or subject,
            client_reference_id=reference or getattr(result, "client_reference_id", None),
            idempotency_key=self._key,
        )


METHODS = {"get": "get", "create": "create", "respond": "accept"}


def arguments(operation: Operation, subject: str) -> dict[str, Any]:
    if operation == "create":
        return payment(client_reference_id=subject)
    return {"id": subject} | ({"notes": "Thanks."} if operation == "respond" else {})


CALLERS: dict[str, Callable[..., Caller]] = {
    "sync": Caller,
    "async": partial(Caller, awaited=True),
    "connected": ConnectedCaller,
    "connected, awaited": partial(ConnectedCaller, awaited=True),
}


def observed(mode: str, url: str, operation: Operation = "create", **options: Any) -> Observed:
    """What the only call of a client comes to."""
    with closing(CALLERS[mode](url, **options)) as caller:
        return caller.start(operation, "S1")


EVERY = os.environ.get("VICTOR_FAULTS") == "all"
SAMPLE = 61
"""Bytes between two places: a prime, to meet places of all kinds."""


def places(length: int) -> Sequence[int]:
    """Places in a message: all of them (`VICTOR_FAULTS=all`), or its first two, its last one, and
    some between them.
    """
    return range(length) if EVERY else sorted({0, 1, *range(SAMPLE, length, SAMPLE), length - 1})


@dataclass(frozen=True)
class Seen:
    """What the provider's record says of one call alone."""

    bytes_received: int
    work: int
    by_key: Counter[str]
    keys: frozenset[str | None]
    requests: int
    refused: int


class Adapter:
    """Runs calls one after the other, each with a subject of its own: through the proxy, or
    `direct`ly.

    With `acts` the provider does that in place of behaving. With `fresh_tokens` a token ends as
    soon as it is issued: every attempt asks for one. The other options are the client's.
    """

    def __init__(
        self,
        background: Background,
        mode: str,
        *,
        direct: bool = False,
        tls: ssl.SSLContext | None = None,
        acts: Act | None = None,
        fresh_tokens: bool = False,
        **options: Any,
    ) -> None:
        self.provider = RawProvider(background, tls=tls)
        self.provider.instead = acts or self.provider.instead
        if fresh_tokens:
            self.provider.state.token["expires"] = 1
        self.proxy = CuttingProxy(background, self.provider)
        self.direct = direct
        url = self.provider.url(None if direct else self.proxy.port)
        self.caller = CALLERS[mode](url, **options)
        self._names = (f"S{number:06}" for number in itertools.count())
        assert self.run("get").observed.word == "success"  # it has a token now, and a connection

    def run(self, operation: Operation, cuts: Iterable[Cut | None] = ()) -> Run:
        """One call, with these cuts in its exchanges. The record is complete when it returns."""
        record = self.provider.record
        subject = next(self._names)
        self.proxy.cuts.clear()
        self.proxy.cuts.extend(cuts)
        received = len(record.received)
        requests = len(record.requests)
        by_key = record.work_by_key.copy()
        refused = record.refused
        observed = self.caller.start(operation, subject)
        self.settle()
        arrived = [
            request for request in record.requests[requests:] if not request.path.endswith("/token")
        ]
        seen = Seen(
            bytes_received=len(record.received) - received,
            work=record.work[subject],
            by_key=record.work_by_key - by_key,
            keys=frozenset(request.key for request in arrived if request.path == CREATE),
            requests=sum(request.path.startswith(_PATHS[operation]) for request in arrived),
            refused=record.refused - refused,
        )
        return Run(operation, subject, observed, seen)

    def expect(
        self,
        word: str,
        operation: Operation,
        cuts: Iterable[Cut | None] = (),
        *,
        requests: int | None = None,
    ) -> Run:
        """A call that truly comes to this, in so many requests (None: any number)."""
        run = self.run(operation, cuts)
        assert (run.observed.word, run.mismatches()) == (word, []), f"{[*cuts]}: {run}"
        assert requests in (None, run.seen.requests), run
        return run

    def settle(self) -> None:
        """Wait until what the provider was sent has been read, and nothing that was cut is left."""
        self.proxy.drain()
        self.proxy.wait_until_quiet()
        if not self.direct:
            provider = self.provider
            provider.quiet.wait_for(
                lambda: len(provider.open) == self.proxy.passing, "the provider's connections"
            )

    def close(self) -> None:
        self.caller.close()
        self.proxy.close()
        self.provider.close()


_PATHS = {"get": READ, "create": CREATE, "respond": RESPOND}


def adapter(background: Background, mode: str, **options: Any) -> closing[Adapter]:
    return closing(Adapter(background, mode, **options))


@dataclass(frozen=True)
class Run:
    """One call: what the caller observed, and what the provider received."""

    operation: Operation
    subject: str
    observed: Observed
    seen: Seen

    def mismatches(self) -> list[str]:
        """The differences between what the caller observed and the provider's record.

        Tests expect none.
        """
        observed = self.observed
        seen = self.seen
        error = self.observed.error
        wrong = []
        if seen.work > 1:
            wrong.append(f"the work was done {seen.work} times")
        if any(times > 1 for times in seen.by_key.values()):
            wrong.append(f"the work was done more than once for a key: {seen.by_key}")
        if len(seen.keys) > 1:
            wrong.append(f"one call sent {len(seen.keys)} keys")
        if self.operation == "respond" and seen.requests - seen.refused > 1:
            wrong.append(f"an answer without a key was sent {seen.requests} times")
        if self.operation != "get":
            wrong += self._work_mismatches()
        if (
            error is not None
            and self.operation == "create"
            and seen.keys
            and {error.idempotency_key} != seen.keys
        ):
            wrong.append("the error carries another key than was sent")
        if isinstance(error, VictorError) and error.args != (error.message,):
            wrong.append("who keeps the arguments of the error alone has another message")
        if observed.record is not None:
            wrong += self._record_mismatches(observed.record)
        return wrong

    def _work_mismatches(self) -> list[str]:
        word = self.observed.word
        work = self.seen.work
        arrived = self.seen.bytes_received
        is_false = {
            "success": work != 1,
            "not_sent": arrived > 0,
            "rejected": work > 0,
            "accepted": work == 0,
        }
        said = f"{word} was reported, the work was done {work} times, and {arrived} bytes arrived"
        return [said] if is_false.get(word, False) else []

    def _record_mismatches(self, record: PaymentRequest) -> list[str]:
        of = record.client_reference_id if self.operation == "create" else record.id
        wrong = (
            []
            if of == self.subject
            else [f"the record of {of!r} was returned for {self.subject!r}"]
        )
        if self.operation == "create" and {record.idempotency_key} != self.seen.keys:
            wrong.append("the result carries another key than was sent")
        if self.operation == "respond" and record.approval_notes != "Thanks.":
            wrong.append("the record does not show the answer that was meant")
        return wrong

    def __str__(self) -> str:
        return (
            f"{self.operation}: got {self.observed.word} ({self.observed.error}); seen {self.seen}"
        )


def timeouts(seconds: float) -> httpx.Timeout:
    """For calls that are to run into a stall."""
    return httpx.Timeout(seconds, connect=5.0, pool=5.0)
