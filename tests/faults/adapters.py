"""Adapters: a provider, and a blocking or awaited client; and what is asserted afterwards."""

from __future__ import annotations

import asyncio
import itertools
import os
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import httpx
import pytest

from tests.faults.raw_provider import CREATE, READ, RESPOND, Act, Cut, RawProvider
from tests.faults.raw_sockets import Background
from tests.providers.running import Running
from tests.providers.victor.adapter import payment
from victor_ext import (
    AsyncVictor,
    PaymentRequest,
    RetryPolicy,
    Victor,
    VictorError,
    VictorOAuth,
)

MODES = ("sync", "async")
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


def crowd(mode: str, make: Callable[[], Any], call: Callable[..., Any], workers: range) -> Any:
    """What one client is answered to calls of so many workers at once: in a thread each, or
    awaited.
    """

    async def awaited() -> list[Any]:
        async with make() as client:
            return await asyncio.gather(*(call(client, worker) for worker in workers))

    if mode == "async":
        return asyncio.run(awaited())
    with make() as client, ThreadPoolExecutor(len(workers)) as threads:
        return list(threads.map(partial(call, client), workers))


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

    def start(self, operation: Operation, subject: str) -> Observed:
        """Make the call. Returns what was observed."""
        began = time.monotonic()
        try:
            record = self.result(lambda: self._ask(operation, subject))
        except VictorError as error:
            return Observed(error.outcome.value, None, error, time.monotonic() - began)
        return Observed("success", record, None, time.monotonic() - began)


METHODS = {"get": "get", "create": "create", "respond": "accept"}


def arguments(operation: Operation, subject: str) -> dict[str, Any]:
    if operation == "create":
        return payment(client_reference_id=subject)
    return {"id": subject} | ({"notes": "Thanks."} if operation == "respond" else {})


CALLERS: dict[str, Callable[..., Caller]] = {
    "sync": Caller,
    "async": partial(Caller, awaited=True),
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


class Adapter:
    """Runs calls one after the other, each with a subject of its own.

    With `acts` the provider does that in place of behaving. With `fresh_tokens` a token ends as
    soon as it is issued: every attempt asks for one. The other options are the client's.
    """

    def __init__(
        self,
        background: Background,
        mode: str,
        *,
        tls: ssl.SSLContext | None = None,
        acts: Act | None = None,
        fresh_tokens: bool = False,
        **options: Any,
    ) -> None:
        self.provider = RawProvider(background, tls=tls)
        self.provider.instead = acts or self.provider.instead
        if fresh_tokens:
            self.provider.state.token["expires"] = 1
        self.caller = CALLERS[mode](self.provider.url(), **options)
        self._names = (f"S{number:06}" for number in itertools.count())
        assert self.run("get").observed.word == "success"  # it has a token now, and a connection

    def run(self, operation: Operation, cuts: Iterable[Cut | None] = ()) -> Run:
        """One call, with these cuts in its exchanges. The record is complete when it returns."""
        record = self.provider.record
        subject = next(self._names)
        self.provider.cuts.clear()
        self.provider.cuts.extend(cuts)
        received = len(record.received)
        requests = len(record.requests)
        by_key = record.work_by_key.copy()
        observed = self.caller.start(operation, subject)
        self.provider.settle()
        arrived = [
            request for request in record.requests[requests:] if not request.path.endswith("/token")
        ]
        seen = Seen(
            bytes_received=len(record.received) - received,
            work=record.work[subject],
            by_key=record.work_by_key - by_key,
            keys=frozenset(request.key for request in arrived if request.path == CREATE),
            requests=sum(request.path.startswith(_PATHS[operation]) for request in arrived),
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

    def close(self) -> None:
        self.caller.close()
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
        if self.operation == "respond" and seen.requests > 1:
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
