"""Whatever order the steps of two workers have, and wherever they end: nobody is asked twice, and no state is false."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from tests.outbox.databases import new_schema
from tests.outbox.test_outbox import Found, invoice
from victor_ext import BadRequest, ConnectionFailed, Outcome, PaymentRequest, ProviderTime, ServerError
from victor_ext.outbox import EntryState, Outbox, passes
from victor_ext.outbox.passes import Call, Step, Transaction

KEPT, LEASE = 86_400.0, 120.0
REFERENCES = ("INV-1", "INV-1", "INV-2")
"""Two payments share a reference, an amount and a payer, as two instalments may."""


class World:
    """A provider that forgets keys, two workers of one outbox, and the time."""

    def __init__(self, engine: sa.Engine) -> None:
        self.now = 1_770_000_000.0
        self.requests: dict[str, tuple[str, PaymentRequest]] = {}
        self.kept: dict[str, tuple[float, PaymentRequest]] = {}
        self.sent: set[str] = set()
        self.outbox = Outbox(engine, keys_kept=timedelta(seconds=KEPT), lease=timedelta(seconds=LEASE))
        self.outbox.create_table()
        self.keys = [f"key-of-the-payment-{number}" for number in range(len(REFERENCES))]
        self.workers = [Worker(self), Worker(self)]
        with engine.begin() as connection:
            connection.execute(sa.delete(self.outbox.table))
            for key, reference in zip(self.keys, REFERENCES, strict=True):
                self.outbox.add(connection, **invoice(idempotency_key=key, client_reference_id=reference))

    # What the outbox takes for its client

    caller = "a digest of credentials"

    @property
    def payment_requests(self) -> World:
        return self

    def provider_time(self) -> ProviderTime:
        return ProviderTime(datetime.fromtimestamp(self.now, UTC), is_known=True)

    # The provider

    def create(self, idempotency_key: str, client_reference_id: str, **_: Any) -> PaymentRequest:
        at, made = self.kept.get(idempotency_key, (0.0, None))
        if made is None or self.now - at > KEPT:
            made = PaymentRequest.fake(
                id=uuid4().hex, client_reference_id=client_reference_id, amount="44.23",
                direction="outbound", due_date=None, payer=None, payee=None, created_at=self.provider_time().moment,
            )  # fmt: skip
            self.kept[idempotency_key] = self.now, made
            self.requests[made.id] = idempotency_key, made
        return made

    def find(self, client_reference_id: str, start_datetime: datetime) -> Found:
        del start_datetime  # it ignores its window
        return Found(made for _, made in self.requests.values() if made.client_reference_id == client_reference_id)

    def check(self) -> None:
        times = Counter(key for key, _ in self.requests.values())
        assert set(times.values()) <= {1}, "a customer was asked twice"
        for entry in self.outbox.entries():
            assert entry.state is EntryState.SENT or entry.idempotency_key not in self.sent, "it was sent"
            if entry.state is EntryState.SENT:
                self.sent.add(entry.idempotency_key)
                assert self.requests[entry.request_id or ""][0] == entry.idempotency_key, "it is that of another entry"
            if entry.state in (EntryState.WAITING, EntryState.REFUSED):
                assert entry.idempotency_key not in times, f"it is {entry.state}, and was made"


class Worker:
    """One pass after the other, step by step."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.crash()

    def crash(self) -> None:
        self.passes: Any = None
        self.step: Step | None = None
        self.answer: Any = None

    def do(self, action: str) -> None:
        if action == "crash":
            self.crash()
        elif self.step is None:
            self.passes = self.world.outbox._send(self.world)  # type: ignore[arg-type] # the model is all that it needs
            self._go_on(None)
        elif isinstance(self.step, Transaction):
            self.answer = self.world.outbox._transaction(self.step) if self.answer is None else self.answer
            if action != "arrive":  # it is committed, and the worker has not gone on yet
                self._go_on(self.answer)
        elif isinstance(self.step, Call) and self.step.operation == "create":
            self._create(action, self.step.arguments)
        elif isinstance(self.step, Call):
            self.answer = self.world.find(**self.step.arguments) if self.answer is None else self.answer
            if action != "arrive":
                self._go_on(self.answer)

    def _create(self, action: str, arguments: Any) -> None:
        is_over = self.world.now - self.began > LEASE
        if self.answer is None and not is_over and action in ("go on", "arrive", "lose"):
            self.answer = self.world.create(**arguments)
        if action == "arrive":
            return
        if action == "refuse" and self.answer is None:
            self._go_on(BadRequest("No.", outcome=Outcome.REJECTED))
        elif action == "not sent" and self.answer is None:
            self._go_on(ConnectionFailed("No.", outcome=Outcome.NOT_SENT))
        elif action == "go on" and self.answer is not None:
            self._go_on(self.answer)
        else:
            self._go_on(ServerError("Who knows?", outcome=Outcome.UNKNOWN))

    def _go_on(self, result: Any) -> None:
        self.answer, self.began = None, self.world.now
        try:
            is_error = isinstance(result, Exception)
            self.step = self.passes.throw(result) if is_error else self.passes.send(result)
        except (StopIteration, ConnectionFailed):
            self.crash()


ACTIONS = st.one_of(
    st.tuples(
        st.integers(0, 1), st.sampled_from(["go on"] * 6 + ["arrive", "lose", "fail", "refuse", "not sent", "crash"])
    ),
    st.tuples(st.just("wait"), st.sampled_from([LEASE + 1, KEPT / 2, KEPT + 1])),
)


def steps(*actions: str, worker: int = 0) -> list[Any]:
    return [(worker, action) for action in actions]


LATER, TOO_LATE = ("wait", LEASE + 1), ("wait", KEPT + 1)
ALL_BUT_THE_FIRST_IS_MADE = [*steps("go on", "go on", "fail", "go on", "lose", "crash"), TOO_LATE]
TWO_LOOK_UP_AT_ONCE = [
    *ALL_BUT_THE_FIRST_IS_MADE, *[(worker, "go on") for _ in range(8) for worker in (0, 1)]
]  # fmt: skip
STOPPED_AFTER_THE_CLAIM = [
    *steps("go on", "arrive"), LATER, *steps("go on", "go on", "go on", "go on", worker=1), TOO_LATE,
    *steps(*["go on"] * 4),
]  # fmt: skip
REFUSED_LATER = [*steps("go on", "go on", "lose", "crash"), LATER, *steps("go on", "go on", "refuse", "go on", "go on")]
AN_OLD_LOOK_UP = [
    *steps("go on", "go on", "fail", "crash"), LATER, *steps("go on", "go on", "refuse", "arrive"), LATER,
    *steps("go on", "go on", "go on", "go on", worker=1), *steps("go on", "go on"),
]  # fmt: skip
EXAMPLES = [ALL_BUT_THE_FIRST_IS_MADE, TWO_LOOK_UP_AT_ONCE, STOPPED_AFTER_THE_CLAIM, REFUSED_LATER, AN_OLD_LOOK_UP]


def run(engine: sa.Engine, schedule: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(engine)
    monkeypatch.setattr(passes, "time", SimpleNamespace(time=lambda: world.now, monotonic=lambda: world.now))
    for who, what in [*schedule, ("wait", LEASE + 1), *[(0, "go on")] * 20]:
        if who == "wait":
            world.now += what
        else:
            world.workers[who].do(what)
        world.check()


@pytest.fixture(scope="module")
def memory() -> Iterator[sa.Engine]:
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    yield engine
    engine.dispose()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(ACTIONS, max_size=50))
def test_any_order_on_sqlite(memory: sa.Engine, monkeypatch: pytest.MonkeyPatch, schedule: list[Any]) -> None:
    run(memory, schedule, monkeypatch)


@pytest.fixture(scope="module")
def database(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    engine = sa.create_engine(new_schema(request.getfixturevalue("postgres_server")))
    yield engine
    engine.dispose()


@pytest.mark.parametrize("schedule", EXAMPLES)
@pytest.mark.parametrize("engine", ["memory", "database"], ids=["sqlite", "postgresql"])
def test_orders_that_were_thought_of(
    request: pytest.FixtureRequest, engine: str, monkeypatch: pytest.MonkeyPatch, schedule: list[Any]
) -> None:
    run(request.getfixturevalue(engine), schedule, monkeypatch)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(ACTIONS, max_size=50))
def test_any_order_on_postgresql(database: sa.Engine, monkeypatch: pytest.MonkeyPatch, schedule: list[Any]) -> None:
    run(database, schedule, monkeypatch)
