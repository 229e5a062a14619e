"""Adapters: a provider, and a blocking or awaited client; and what is asserted afterwards."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import httpx
import pytest

from tests.faults.raw_provider import CREATE, READ, RESPOND, RawProvider
from tests.payments import payment
from tests.providers.running import Running
from victor_ext import (
    AsyncVictor,
    PaymentRequest,
    RetryPolicy,
    Victor,
    VictorError,
    VictorOAuth,
)

OPERATIONS = {"get": "get", "create": "create", "respond": "accept"}
"""The methods of the client."""
AUTH = VictorOAuth("id", "not-a-secret")
ATTEMPTS = 2

each_mode = pytest.mark.parametrize("mode", ["sync", "async"])
each_operation = pytest.mark.parametrize("operation", OPERATIONS)


@dataclass(frozen=True)
class Observed:
    """What the caller got: `word` is "success" or the outcome of the error."""

    word: str
    record: PaymentRequest | None
    error: VictorError | None
    seconds: float


def crowd(mode, make, call, workers):
    """What one client is answered to calls of so many workers at once: in a thread each, or
    awaited.
    """

    async def awaited():
        async with make() as client:
            return await asyncio.gather(*(call(client, worker) for worker in workers))

    if mode == "async":
        return asyncio.run(awaited())
    with make() as client, ThreadPoolExecutor(len(workers)) as threads:
        return list(threads.map(partial(call, client), workers))


class Caller(Running):
    """A client of either mode, and what is observed of its calls."""

    def __init__(self, url, *, awaited=False, auth=AUTH, **options):
        defaults = {
            "base_url": url,
            "timeout": 5.0,
            # a client that reads the end of a connection over and over fails, and does not hang
            "deadline": 10.0,
            # each exchange follows the one before on its connection
            "limits": httpx.Limits(max_connections=1),
            "retry": RetryPolicy(max_attempts=ATTEMPTS, base=0.0, quota=10**9),
        }
        kind = AsyncVictor if awaited else Victor
        super().__init__(lambda: kind(auth, **defaults | options), awaited=awaited)

    def start(self, operation, subject):
        """Make the call. Returns what was observed."""
        began = time.monotonic()
        try:
            call = getattr(self.client.payment_requests, OPERATIONS[operation])
            record = self.result(partial(call, **arguments(operation, subject)))
        except VictorError as error:
            return Observed(error.outcome.value, None, error, time.monotonic() - began)
        return Observed("success", record, None, time.monotonic() - began)


def arguments(operation, subject):
    if operation == "create":
        return payment(client_reference_id=subject)
    return {"id": subject} | ({"notes": "Thanks."} if operation == "respond" else {})


CALLERS = {"sync": Caller, "async": partial(Caller, awaited=True)}


def observed(mode, url, operation="create", **options):
    """What the only call of a client comes to."""
    with closing(CALLERS[mode](url, **options)) as caller:
        return caller.start(operation, "S1")


EVERY = os.environ.get("VICTOR_FAULTS") == "all"
SAMPLE = 61
"""Bytes between two places: a prime, to meet places of all kinds."""


def places(length):
    """Places in a message: all of them (`VICTOR_FAULTS=all`), or its first two, its last one, and
    some between them.
    """
    return range(length) if EVERY else sorted({0, 1, *range(SAMPLE, length, SAMPLE), length - 1})


class Adapter:
    """Runs calls one after the other, each with a subject of its own.

    The options are the client's; with `tls`, the provider has this context.
    """

    def __init__(self, background, mode, *, tls=None, **options):
        self.provider = RawProvider(background, tls=tls)
        self.caller = CALLERS[mode](self.provider.url(), **options)
        self._names = (f"S{number:06}" for number in itertools.count())
        assert self.run("get").observed.word == "success"  # it has a token now, and a connection

    def run(self, operation, cuts=()):
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
        return Run(
            operation,
            subject,
            observed,
            bytes_received=len(record.received) - received,
            work=record.work[subject],
            by_key=record.work_by_key - by_key,
            keys=frozenset(request.key for request in arrived if request.path == CREATE),
            requests=sum(request.path.startswith(_PATHS[operation]) for request in arrived),
        )

    def expect(self, word, operation, cuts=(), *, requests=None):
        """A call that truly comes to this, in so many requests (None: any number)."""
        run = self.run(operation, cuts)
        assert (run.observed.word, run.mismatches()) == (word, []), f"{[*cuts]}: {run}"
        assert requests in (None, run.requests), run
        return run

    def close(self):
        self.caller.close()
        self.provider.close()


_PATHS = {"get": READ, "create": CREATE, "respond": RESPOND}


def adapter(background, mode, **options):
    return closing(Adapter(background, mode, **options))


@dataclass(frozen=True)
class Run:
    """One call: what the caller observed, and what the provider received."""

    operation: str
    subject: str
    observed: Observed
    bytes_received: int
    work: int
    by_key: Counter[str]
    keys: frozenset[str | None]
    requests: int

    def mismatches(self):
        """The differences between what the caller observed and the provider's record.

        Tests expect none.
        """
        error = self.observed.error
        wrong = []
        if self.work > 1:
            wrong.append(f"the work was done {self.work} times")
        if any(times > 1 for times in self.by_key.values()):
            wrong.append(f"the work was done more than once for a key: {self.by_key}")
        if len(self.keys) > 1:
            wrong.append(f"one call sent {len(self.keys)} keys")
        if self.operation == "respond" and self.requests > 1:
            wrong.append(f"an answer without a key was sent {self.requests} times")
        if self.operation != "get":
            wrong += self._work_mismatches()
        if self.operation == "create" and error and self.keys - {error.idempotency_key}:
            wrong.append("the error carries another key than was sent")
        if error and error.args != (error.message,):
            wrong.append("who keeps the arguments of the error alone has another message")
        if self.observed.record is not None:
            wrong += self._record_mismatches(self.observed.record)
        return wrong

    def _work_mismatches(self):
        word = self.observed.word
        work = self.work
        arrived = self.bytes_received
        is_false = {
            "success": work != 1,
            "not_sent": arrived > 0,
            "rejected": work > 0,
            "accepted": work == 0,
        }
        said = f"{word} was reported, the work was done {work} times, and {arrived} bytes arrived"
        return [said] if is_false.get(word, False) else []

    def _record_mismatches(self, record):
        of = record.client_reference_id if self.operation == "create" else record.id
        wrong = []
        if of != self.subject:
            wrong.append(f"the record of {of!r} was returned for {self.subject!r}")
        if self.operation == "create" and {record.idempotency_key} != self.keys:
            wrong.append("the result carries another key than was sent")
        if self.operation == "respond" and record.approval_notes != "Thanks.":
            wrong.append("the record does not show the answer that was meant")
        return wrong


def timeouts(seconds):
    """For calls that are to run into a stall."""
    return httpx.Timeout(seconds, connect=5.0, pool=5.0)
