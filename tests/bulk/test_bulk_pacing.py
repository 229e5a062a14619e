"""How fast rows go, and when failed ones go again: by a clock that only waits move, and by the
record of arrivals.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial
from itertools import chain, count, pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from tests.bulk.bulk_runs import Bulk, Senders, asked_once, row, rows, today
from victor_ext import RetryPolicy, Victor, VictorError, VictorJwt, idempotency_key_for
from victor_ext.bulk.vault import Vault
from victor_ext.event_queue.databases import CLOCKS
from victor_ext.outbox import outboxes
from victor_ext.outbox.entries import sent_values
from victor_ext.outbox.files import (
    ENTRIES,
    LEASE,
    TABLES,
    FileOutbox,
    FileTerms,
    Sending,
    entry_values,
    let_go_on,
    put_entries,
    store_key,
)
from victor_ext.runtime.auth.credentials import caller_digest
from victor_ext.runtime.core import clock
from victor_ext.sandbox import Sandbox
from victor_ext.settlement.backoff import Backoff
from victor_ext.settlement.failures import FailureScope, failure_scope
from victor_ext.settlement.key_age import Sent
from victor_ext.vault import new_key

pytestmark = pytest.mark.slow


class Clock:
    """A clock that only waits move."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def paused(clock: Clock, backoff: Backoff) -> float:
    begun = clock.now
    clock.now += backoff.left()
    return clock.now - begun


def test_pauses_grow_while_the_provider_fails_and_end_with_its_first_answer() -> None:
    clock = Clock()
    backoff = Backoff(clock)
    pauses: list[float] = []
    for _ in range(8):
        backoff.record_failure()
        backoff.record_failure()
        pauses.append(paused(clock, backoff))
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    backoff.record_success()
    assert paused(clock, backoff) == 0
    # An answer that was under way when the provider failed ends no pause.
    for at_least, least in ((0, 1), (0, 2), (90, 90)):
        backoff.record_failure(at_least)
        backoff.record_success()
        assert paused(clock, backoff) == least


def kept(victor_sandbox: Sandbox, rate: float) -> None:
    """The rows arrived at this pace at most, in all and in every two seconds.

    The pace is kept by the senders. A busy machine holds arrivals back and lets them come together,
    which is what the tolerance is for; two senders that did not know of each other would be twice
    as fast.
    """
    received = victor_sandbox.received()
    times = sorted(exchange.at for exchange in received if exchange.operation == "create")
    assert times[-1] - times[0] >= (len(times) - 1) / rate - 0.7
    for begin in times:
        assert sum(begin <= time < begin + 2 for time in times) <= 2 * rate * 1.5


def test_a_rate_holds_for_all_workers_of_a_database_together(
    bulk: Bulk, victor_sandbox: Sandbox, postgres: str, sender: Senders
) -> None:
    """A worker reserves the turns of five seconds: the other one has those that follow."""
    file = bulk.write(rows(60), "march")
    with bulk.started("worker", "--state", postgres):
        sender.finish(file, state=postgres, rate=8)
    asked_once(victor_sandbox, rows(60))
    kept(victor_sandbox, 8)


def test_a_new_rate_takes_the_place_of_the_old_one(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    sender.store(rows(60), rate=1000)
    assert victor_sandbox.attempts_by_key() == {}
    sender.finish(rate=25)
    kept(victor_sandbox, 25)


PATIENCE = 120.0
CALLER = caller_digest("an-api-key-for-tests", product="victor-ext")
GAPS = [1, 2, 4, 8, 16, 30, 30, 30]
"""The least that lies between one try of a row and the next, in seconds."""
ENDS = {"rejected", "refused", "created"}
Respond = Callable[[httpx.Request], httpx.Response]


def made(request: httpx.Request, *, amount: str | None = None, **changes: Any) -> httpx.Response:
    """What the provider answers when it takes a request."""
    body = json.loads(request.content)
    body["payment_details"]["amount"] = amount or body["payment_details"]["amount"]
    receipt = {
        "victor_payment_request_id": "ABCDEFGH12",
        "client_reference_id": body.get("client_reference_id"),
    }
    more = {"status": "created", "direction": "outbound", "payment_request": body}
    return httpx.Response(200, json={**receipt, **more, **changes})


def status(code: int, body: str = "", **headers: str) -> Respond:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request: httpx.Response(code, text=body, headers=named)


def raising(error: type[Exception], text: str = "on purpose") -> Respond:
    def respond(_request: httpx.Request) -> httpx.Response:
        raise error(text)

    return respond


ERRORS: list[type[Exception]] = [
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.ReadError,
    httpx.ReadTimeout,
    httpx.WriteError,
    httpx.RemoteProtocolError,
    httpx.LocalProtocolError,
    RuntimeError,
]
"""What fails a call before it has a response; the last one is of another library."""
STATUSES = (302, 400, 401, 403, 404, 408, 409, 422, 425, 429, 500, 501, 503)
FAULTS: dict[str, Respond] = {
    **{error.__name__: raising(error) for error in ERRORS},
    **{f"status {code}": status(code) for code in STATUSES},
    **{f"{code}: come back in 45 s": status(code, retry_after="45") for code in (429, 503)},
    **{f"{code}: never come back": status(code, retry_after="9" * 300) for code in (429, 503)},
    "another good status": status(202, '{"status": 0}'),
    "no content": status(204),
    "a page of a proxy": status(200, "<html>", content_type="text/html"),
    "half of an answer": status(200, '{"victor_payment', content_type="application/json"),
    "an answer without an id": partial(made, victor_payment_request_id=None),
    "the answer of another payment": partial(made, amount="9999.99"),
    "the answer of another reference": partial(made, client_reference_id="another's"),
}


class Flood(BaseException):
    """More calls than any patience allows.

    The sender takes any other exception for a failed call.
    """


class Time:
    """The clocks of this machine and of its database. They are ahead of the true time by as much as
    the tests have waited.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = 0.0
        local, monotonic = time.time, time.monotonic
        monkeypatch.setattr(time, "time", lambda: local() + self.ahead)
        monkeypatch.setattr(time, "monotonic", lambda: monotonic() + self.ahead)
        monkeypatch.setattr(clock, "monotonic", time.monotonic)
        monkeypatch.setitem(CLOCKS, "sqlite", "time_of_tests()")
        monkeypatch.setattr(outboxes, "Backoff", partial(Backoff, time.monotonic))


@dataclass
class Provider:
    """Responds as the test says, and records when each key was tried."""

    respond: Respond
    lists: Respond = lambda _request: httpx.Response(
        200, json={"page": 0, "page_size": 50, "results": []}
    )
    tries: dict[str, list[float]] = field(default_factory=dict)
    reads: list[float] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        response = self._respond(request)
        response.headers.setdefault("date", formatdate(time.time(), usegmt=True))
        return response

    def _respond(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            self.reads.append(time.time())
            return self.lists(request)
        self.tries.setdefault(request.headers["idempotency-key"], []).append(time.time())
        if sum(map(len, self.tries.values())) > 100:
            raise Flood
        return self.respond(request)


class Worker:
    """A worker that makes pass after pass, and waits for the next one by a clock of its own."""

    def __init__(
        self, clock: Time, folder: Path, victor: Victor, provider: Provider, **terms: Any
    ) -> None:
        self.provider, self.victor = provider, victor
        self.outcomes: dict[str, str] = {}
        self._clock = clock
        self.vault = Vault(new_key(), "test")
        self.engine = sa.create_engine(f"sqlite:///{folder}/{next(_NUMBERS)}.sqlite")
        sa.event.listen(self.engine, "connect", _with_time)
        TABLES.entries.metadata.create_all(self.engine)
        secret = b"a secret of some length"
        with self.engine.begin() as connection:
            store_key(connection, self.vault.wrapped(secret), "test")
        self.given_up = False
        self.outbox = self.outbox_of(victor, **terms)

    def outbox_of(self, victor: Victor, **terms: Any) -> FileOutbox:
        """The outbox of a worker on this state."""
        given: dict[str, Any] = {
            "scope": "victor",
            "sender": "we",
            "batch": "march",
            "vault": self.vault,
            "kept": 86_400.0,
            "workers": 1,
            "worker": f"worker {next(_NUMBERS)}",
            "send": lambda client, call, _is_repeat: client.send(call),
            "only_looked_up": lambda _connection, _keys: (),
            "name_of": lambda _connection, key: key,
            "reserve_turns": lambda _connection, batches: [0.0 for _ in batches],
            "note": lambda claimed, outcome: self.outcomes.update({claimed.key: outcome.value}),
            "on_outage": _raise,
            "stop": threading.Event(),
            **terms,
        }
        self.kept = given["kept"]
        return FileOutbox(self.engine, victor, b"a secret of some length", Sending(**given))

    def store(self, number: int, **values: Any) -> str:
        """Store a row of the file, and return its key."""
        arguments = row(number, client_reference_id=f"ref {number}", due_date=today())
        del arguments["invoice_no"], arguments["region"]
        key = idempotency_key_for("invoice", number)
        call = self.victor.prepare("payment_requests.create", **arguments, idempotency_key=key)
        terms = FileTerms("victor", "we", "march", self.kept)
        entry = entry_values(call, self.victor, key, self.vault, terms)
        with self.engine.begin() as connection:
            put_entries(connection, [entry])
            changed = sa.update(ENTRIES).where(ENTRIES.c.key == key)
            if values:
                connection.execute(changed.values(**values))
        return key

    def send(self, patience: float = PATIENCE) -> dict[str, tuple[str, str]]:
        """Make passes until all is settled or this patience ends. Return the state of each row,
        and its error.
        """
        ends = time.monotonic() + patience
        while not self.given_up:
            try:
                self.outbox.send()
            except VictorError as error:
                is_of_client = failure_scope(error) is FailureScope.CLIENT
                self.given_up = is_of_client or self.outbox.given_up
            due = self._next()
            if due is None:
                break
            wait = max(self.outbox.pause, due - time.time(), 0.1)
            if time.monotonic() + wait > ends:
                break
            self._clock.ahead += wait
        return self.results()

    def results(self) -> dict[str, tuple[str, str]]:
        columns = ENTRIES.c
        with self.engine.connect() as connection:
            stored = connection.execute(sa.select(columns.key, columns.state, columns.error))
            return {key: (state, self._opened(error)) for key, state, error in stored}

    def _opened(self, error: str | None) -> str:
        return self.vault.opened_error(error) or ""

    def _next(self) -> float | None:
        """When the next row is due, by the clock of the database; None: none ever is."""
        is_due = ENTRIES.c.state.in_(["waiting", "sending", "settling"])
        query = sa.select(sa.func.min(ENTRIES.c.leased_until)).where(is_due)
        with self.engine.connect() as connection:
            return connection.execute(query).scalar()


_NUMBERS = count(1)


def _with_time(connection: Any, _record: object) -> None:
    connection.create_function("time_of_tests", 0, time.time)


def _raise(error: Exception) -> None:
    raise error


Start = Callable[..., Worker]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Time:
    return Time(monkeypatch)


@pytest.fixture
def sending(victor_key_pair: tuple[str, str], machine: Time, tmp_path: Path) -> Iterator[Start]:
    made_here: list[Any] = []

    def start(respond: Respond, *, terms: Any = None, **options: Any) -> Worker:
        provider = Provider(respond)
        victor = Victor(
            VictorJwt("an-api-key-for-tests", victor_key_pair[0], reuse=600),
            retry=RetryPolicy(max_attempts=1),
            transport=httpx.MockTransport(provider),
            **options,
        )
        worker = Worker(machine, tmp_path, victor, provider, **(terms or {}))
        made_here.extend([victor, worker.engine.dispose])
        return worker

    yield start
    for each in made_here:
        getattr(each, "close", each)()


def sent_ago(seconds: float) -> dict[str, Any]:
    """The values of a row that was sent by this caller, by the time of the provider."""
    sent = Sent(time.time() - seconds, CALLER, known=True)
    return {"state": "sending", "changed_at": sent.since, **sent_values(sent)}


def read_timeouts(timeouts: list[float]) -> Respond:
    """Note the timeout of each request."""

    def respond(request: httpx.Request) -> httpx.Response:
        timeouts.append(request.extensions["timeout"].get("read"))
        return made(request)

    return respond


def gaps(times: Sequence[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(times)]


def grow(times: Sequence[float]) -> bool:
    """A wait begins when the row is taken up, and a busy machine is slow to try it."""
    return all(gap >= 0.7 * least for gap, least in zip(gaps(times), GAPS, strict=False))


@pytest.mark.parametrize("what", ["never sent", "may have been sent"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_row_is_tried_again_after_waits_that_grow(sending: Start, fault: str, what: str) -> None:
    worker = sending(FAULTS[fault])
    key = worker.store(1, **(sent_ago(60) if what == "may have been sent" else {}))
    state, _ = worker.send()[key]
    (times,) = worker.provider.tries.values()
    if worker.given_up:
        assert fault == "status 401"
        return
    if "come back" in fault:
        assert all(gap >= 45 for gap in gaps(times)[:1])
        assert len(times) > 1 or "never" in fault
    if len(times) == 1:
        # It is settled, or looked up: another try would say the same.
        assert state in ("rejected", "refused", "sent", "settling", "unclear") or "never" in fault
        return
    assert state in ("waiting", "sending")
    assert grow(times), gaps(times)
    assert times[-1] - times[0] >= PATIENCE - 31  # the longest wait


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "RuntimeError"])
def test_a_list_that_fails_is_read_again_after_waits_that_grow(sending: Start, fault: str) -> None:
    """A row whose key is too old is looked up, and never sent."""
    worker = sending(made)
    respond = FAULTS[fault] if "the answer of" not in fault else status(500)
    worker.outbox.client.ask_time()
    worker.provider.reads.clear()
    worker.provider.lists = respond
    key = worker.store(1, **sent_ago(90_000))
    state, error = worker.send()[key]
    assert worker.provider.tries == {}
    if worker.given_up:
        return
    assert state == "settling"
    assert "looked up" in error or "longer ago than the provider keeps its key" in error
    reads = worker.provider.reads
    assert grow(reads), gaps(reads)
    if "45 s" in fault:
        assert gaps(reads)[0] >= 44


@pytest.mark.parametrize("fault", [error.__name__ for error in ERRORS[:-1]])
def test_while_nobody_tells_the_time_a_row_that_may_have_been_sent_waits_longer_and_longer(
    sending: Start, fault: str
) -> None:
    worker = sending(made)
    worker.provider.lists = FAULTS[fault]
    key = worker.store(1, **sent_ago(60))
    state, _ = worker.send()[key]
    assert state == "sending"
    assert worker.provider.tries == {}
    reads = worker.provider.reads
    assert grow(reads), gaps(reads)
    assert reads[-1] - reads[0] >= PATIENCE - 31


def test_what_was_looked_up_is_never_sent_again(sending: Start) -> None:
    """A person may have asked for the payment anew."""
    worker = sending(FAULTS["status 409"])
    key = worker.store(1, **sent_ago(60))
    assert worker.send()[key][0] == "settling"
    with worker.engine.begin() as connection:
        let_go_on(connection, ENTRIES.c.key == key)
    worker.provider.respond = made
    assert worker.send()[key][0] == "settling"
    assert [len(times) for times in worker.provider.tries.values()] == [1]


@pytest.mark.parametrize(
    ("deadline", "retention", "within"),
    [(60, 600, 60), (60, 86_400, 60), (600, 86_400, 290), (None, 600, 60)],
)
def test_a_call_ends_before_its_key_can_expire(
    sending: Start, deadline: float | None, retention: float, within: float
) -> None:
    timeouts = list[float]()
    respond = read_timeouts(timeouts)
    worker = sending(respond, terms={"kept": retention}, deadline=deadline, timeout=None)
    key = worker.store(1)
    assert worker.send()[key][0] == "sent"
    assert timeouts == [pytest.approx(within, abs=5)]


def test_when_the_provider_says_to_come_back_no_row_goes_before(sending: Start) -> None:
    answers = iter([FAULTS["429: come back in 45 s"]])

    def respond(request: httpx.Request) -> httpx.Response:
        return next(answers, made_anew)(request)

    worker = sending(respond)
    for number in (1, 2, 3):
        worker.store(number)
    assert {state for state, _ in worker.send().values()} == {"sent"}
    first, *others = sorted(chain.from_iterable(worker.provider.tries.values()))
    assert min(others) - first >= 45


def made_anew(request: httpx.Request) -> httpx.Response:
    """As `made`: each request has an id of its own."""
    return made(request, victor_payment_request_id=request.headers["idempotency-key"])


def test_a_worker_whose_row_was_taken_over_stores_no_refusal(sending: Start) -> None:
    """Another worker does the work during its call, and has no answer yet."""
    worker = sending(made)
    key = worker.store(1)

    def refused_late(_request: httpx.Request) -> httpx.Response:
        with worker.engine.begin() as connection:
            connection.execute(sa.update(ENTRIES).values(leased_until=0.0, worker=None))
        worker.provider.respond = raising(httpx.ReadError)
        worker.outbox_of(worker.victor).send()
        return httpx.Response(400)

    worker.provider.respond = refused_late
    worker.outbox.send()
    assert worker.results()[key][0] == "sending"
    worker.provider.respond = made
    assert worker.send()[key][0] == "sent"


class Nap(threading.Event):
    """The wait for the turn of a row, in which the machine sleeps."""

    def __init__(self, nap: Callable[[], object]) -> None:
        super().__init__()
        self._nap = nap

    def wait(self, timeout: float | None = None) -> bool:
        self._nap()
        return self.is_set()


@pytest.mark.parametrize("away", [30.0, LEASE + 1])
def test_a_row_is_sent_by_a_worker_that_was_just_the_only_one(
    sending: Start, machine: Time, away: float
) -> None:
    """One that was away for longer than its lease has lost the row: another one has sent it."""

    def nap() -> None:
        machine.ahead += away
        if away > LEASE:
            worker.outbox_of(worker.victor).send()

    worker = sending(made)
    key = worker.store(1)
    slow = worker.outbox_of(
        worker.victor, stop=Nap(nap), reserve_turns=lambda _, batches: [1.0 for _ in batches]
    )
    slow.send()
    assert worker.results()[key][0] == "sent"
    assert len(worker.provider.tries[key]) == 1
