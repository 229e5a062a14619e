"""One table for all payment systems: the same failures, the same outcomes, the same names of errors.

A system is described by its adapter (`<name>/adapter.py`): its sandbox, its client, one operation that reads, and
one that moves money, with a key or without. What is expected follows from that alone.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from victor_ext import RetryPolicy, VictorError

HERE = Path(__file__).parent
SYSTEMS = tuple(sorted(adapter.parent.name for adapter in HERE.glob("*/adapter.py")))
QUICK = RetryPolicy(base=0.0, max_attempts=3)
REFERENCE = "INV-1042"


ADAPTERS: dict[str, Any] = {name: importlib.import_module(f"tests.providers.{name}.adapter") for name in SYSTEMS}
KEYED = [name for name, adapter in ADAPTERS.items() if adapter.KEYED]


@dataclass(frozen=True)
class Observed:
    """What the caller of an operation observed, and what the sandbox's record says of it."""

    word: str
    error: str | None
    attempts: int
    work: int


@dataclass(frozen=True)
class Bench:
    """A system's sandbox, and its sync or async client."""

    adapter: Any
    sandbox: Any
    awaited: bool

    def run(self, *exchanges: Any, **options: Any) -> Observed:
        """Make the calls with one client. Returns what was observed of the last one."""
        before = len([seen for seen in self.sandbox.received() if seen.operation == exchanges[-1].word])
        options = {"awaited": self.awaited, "retry": QUICK, "timeout": 5.0, **options}
        error = asyncio.run(self._awaited(exchanges, options)) if self.awaited else self._blocking(exchanges, options)
        seen = [seen for seen in self.sandbox.received() if seen.operation == exchanges[-1].word]
        return Observed(
            "success" if error is None else str(error.outcome.value),
            None if error is None else type(error).__name__,
            len(seen) - before,
            self.adapter.work_done(self.sandbox, REFERENCE),
        )

    def _blocking(self, exchanges: tuple[Any, ...], options: dict[str, Any]) -> VictorError | None:
        with self.adapter.client(self.sandbox, **options) as client:
            try:
                for exchange in exchanges:
                    self._arguments(exchange, client)
            except VictorError as error:
                return error
        return None

    async def _awaited(self, exchanges: tuple[Any, ...], options: dict[str, Any]) -> VictorError | None:
        async with self.adapter.client(self.sandbox, **options) as client:
            try:
                for exchange in exchanges:
                    await self._arguments(exchange, client)
            except VictorError as error:
                return error
        return None

    def _arguments(self, exchange: Any, client: Any) -> Any:
        return exchange.call(client, REFERENCE) if exchange is self.adapter.WRITE else exchange.call(client)


@pytest.fixture(params=["blocking", "awaited"])
def bench(request: pytest.FixtureRequest, system: str) -> Iterator[Bench]:
    adapter = ADAPTERS[system]
    with adapter.sandbox() as sandbox:
        yield Bench(adapter, sandbox, request.param == "awaited")


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_all_are_here() -> None:
    assert SYSTEMS == ("connected", "eastpay", "flexfactor", "velo", "victor")
    assert KEYED == ["connected", "flexfactor", "victor"]


def test_nothing_fails(bench: Bench) -> None:
    assert bench.run(bench.adapter.READ).word == "success"
    assert bench.run(bench.adapter.WRITE) == Observed("success", None, 1, 1)


def test_the_providers_time_is_known_from_an_answer(bench: Bench) -> None:
    bench.sandbox.set_clock_skew(-3_600.0)
    observed: list[Any] = []

    def look(client: Any) -> Any:
        observed.append(client.provider_time())
        return bench.adapter.READ.call(client)

    looking = SimpleNamespace(word=bench.adapter.READ.word, call=look)
    assert bench.run(looking, looking).word == "success"
    before, after = observed
    assert before.is_known is False
    assert abs((datetime.now(UTC) - before.moment).total_seconds()) < 60
    assert after.is_known is True
    assert abs(bench.sandbox.clock()["wall"] - after.moment.timestamp()) < 60


FAILURES: dict[str, tuple[str, dict[str, Any], bool]] = {
    "closed before it was read": ("refuse", {}, False),
    **{f"request cut at {at}": ("cut_request", {"after": at}, False) for at in (1, 25, 120, -1)},
    "request cut, closed cleanly": ("cut_request", {"after": 25, "how": "close"}, False),
    "answer lost": ("lose_answer", {}, True),
    "answer lost, closed cleanly": ("lose_answer", {"how": "close"}, True),
    **{f"answer cut at {at}": ("cut_answer", {"after": at}, True) for at in (1, 25, 60)},
    "503 before the work": ("status", {"status": 503}, False),
    "503 after the work": ("status", {"status": 503, "work": True}, True),
}
"""What fails, and whether the work is done all the same."""


@pytest.mark.parametrize("failure", FAILURES)
def test_an_exchange_fails_once(bench: Bench, failure: str) -> None:
    read, write, keyed = bench.adapter.READ, bench.adapter.WRITE, bench.adapter.KEYED
    kind, options, worked = FAILURES[failure]
    bench.sandbox.inject(kind, operation=read.word, **options)
    assert (bench.run(read).word, bench.sandbox.faults()) == ("success", [])

    bench.sandbox.inject(kind, operation=write.word, **options)
    observed = bench.run(write)
    if keyed:
        assert observed == Observed("success", None, 2, 1)
    else:
        error = "ServerError" if kind == "status" else "ConnectionFailed"
        assert observed == Observed("unknown", error, 1, int(worked))


def test_a_token_is_refused(bench: Bench) -> None:
    """One that was kept from an earlier call is renewed, once; one that cannot be had anew is not tried again."""
    read, renews = bench.adapter.READ, hasattr(bench.sandbox, "revoke_tokens")
    bench.sandbox.inject("status", operation=read.word, status=401, skip=1)
    observed = bench.run(read, read)
    assert (observed.word, observed.error) == (("success", None) if renews else ("rejected", "AuthenticationError"))
    assert observed.attempts == (3 if renews else 2)


def test_a_limit_was_reached_before_any_work(bench: Bench) -> None:
    bench.sandbox.inject("rate_limit", operation=bench.adapter.WRITE.word, retry_after=0)
    assert bench.run(bench.adapter.WRITE) == Observed("success", None, 2, 1)


@pytest.mark.parametrize("which", ["READ", "WRITE"])
def test_nothing_listens(bench: Bench, which: str) -> None:
    exchange = getattr(bench.adapter, which)
    bench.sandbox.down()
    observed = bench.run(exchange)
    assert observed == Observed("not_sent", "ConnectionFailed", 0, 0)


NAMES = {
    400: "BadRequest",
    403: "PermissionDenied",
    404: "NotFound",
    409: "Conflict",
    418: "StatusError",
    422: "BadRequest",
}


@pytest.mark.parametrize("status", NAMES)
@pytest.mark.parametrize("which", ["READ", "WRITE"])
def test_a_refusal_has_the_same_name_everywhere(bench: Bench, which: str, status: int) -> None:
    exchange = getattr(bench.adapter, which)
    bench.sandbox.inject("status", operation=exchange.word, status=status, times=None)
    observed = bench.run(exchange)
    word = "unknown" if status == 409 else "rejected"  # a conflict is with something that exists
    assert (observed.word, observed.error, observed.work) == (word, NAMES[status], 0)


def test_a_provider_that_stays_down(bench: Bench) -> None:
    write = bench.adapter.WRITE
    bench.sandbox.inject("status", operation=write.word, status=500, times=None)
    assert bench.run(write) == Observed("unknown", "ServerError", 3 if bench.adapter.KEYED else 1, 0)


@pytest.mark.parametrize("system", KEYED, indirect=True)
def test_a_refusal_after_a_lost_answer_does_not_settle_it(bench: Bench) -> None:
    write = bench.adapter.WRITE
    bench.sandbox.inject("lose_answer", operation=write.word)
    bench.sandbox.inject("status", operation=write.word, status=400, skip=0, times=None)
    assert bench.run(write) == Observed("unknown", "BadRequest", 2, 1)


def test_a_good_status_whose_body_cannot_be_read(bench: Bench) -> None:
    write = bench.adapter.WRITE
    bench.sandbox.inject("html", operation=write.word, status=200, work=True, times=None)
    observed = bench.run(write)
    assert (observed.word, observed.error, observed.work) == ("unknown", "UnreadableResponse", 1)


def test_a_listener_that_raises_costs_no_result(bench: Bench) -> None:
    def on_event(event: object) -> None:
        raise LookupError(f"nobody listens to {type(event).__name__}")

    assert bench.run(bench.adapter.READ, on_event=on_event).word == "success"
    assert bench.run(bench.adapter.WRITE, on_event=on_event) == Observed("success", None, 1, 1)
    bench.sandbox.inject("status", operation=bench.adapter.WRITE.word, status=400)
    assert (observed := bench.run(bench.adapter.WRITE, on_event=on_event)).word == "rejected", observed


# The other operations of a system (`MORE` of its adapter), whose writes take no key.

MORE = [(name, exchange) for name in SYSTEMS for exchange in getattr(ADAPTERS[name], "MORE", ())]


@pytest.fixture(params=["blocking", "awaited"])
def more(request: pytest.FixtureRequest, system: str) -> Iterator[Bench]:
    with ADAPTERS[system].sandbox() as sandbox:
        yield Bench(ADAPTERS[system], sandbox, request.param == "awaited")


def observed_of(bench: Bench, exchange: Any, **options: Any) -> Observed:
    """What comes of one call, about something of its own, that fails in this way."""
    subject = exchange.subject(bench.sandbox)
    before = bench.sandbox.work_done_by_reference().get(subject, 0)
    if options:
        bench.sandbox.inject(operation=exchange.word, **options)
    seen = bench.run(SimpleNamespace(word=exchange.word, call=lambda client: exchange.call(client, subject)))
    bench.sandbox.clear_faults()
    return replace(seen, work=bench.sandbox.work_done_by_reference().get(subject, 0) - before)


each_other = pytest.mark.parametrize(
    ("system", "exchange"), MORE, indirect=["system"], ids=[f"{name}-{one.word}" for name, one in MORE]
)


@each_other
def test_each_other_operation_fails_as_these_do(more: Bench, exchange: Any) -> None:
    work = int(exchange.writes)
    assert observed_of(more, exchange) == Observed("success", None, 1, work)
    for failure, (kind, options, worked) in FAILURES.items():
        seen = observed_of(more, exchange, kind=kind, **options)
        error = "ServerError" if kind == "status" else "ConnectionFailed"
        if not exchange.writes:
            assert seen == Observed("success", None, 2, 0), failure
        elif exchange.settles and worked:
            assert seen == Observed("success", None, 1, 1), failure
        else:
            assert seen == Observed("unknown", error, 1, int(worked)), failure


@each_other
def test_each_other_operation_is_refused_as_these_are(more: Bench, exchange: Any) -> None:
    for status, name in NAMES.items():
        seen = observed_of(more, exchange, kind="status", status=status, times=None)
        assert seen == Observed("unknown" if status == 409 else "rejected", name, 1, 0), status
    seen = observed_of(more, exchange, kind="rate_limit", retry_after=0)
    assert seen == Observed("success", None, 2, int(exchange.writes))
    seen = observed_of(more, exchange, kind="html", status=200, work=True, times=None)
    if exchange.settles:
        assert seen == Observed("success", None, 1, 1)
    else:
        attempts = 1 if exchange.writes else 3
        assert seen == Observed("unknown", "UnreadableResponse", attempts, int(exchange.writes))
    subject = exchange.subject(more.sandbox)
    more.sandbox.down()
    seen = more.run(SimpleNamespace(word=exchange.word, call=lambda client: exchange.call(client, subject)))
    assert (seen.word, seen.error, seen.attempts) == ("not_sent", "ConnectionFailed", 0)
