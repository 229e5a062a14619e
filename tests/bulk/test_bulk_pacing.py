"""How fast rows go, and when failed ones go again: by a clock that only waits move, and by the
record of arrivals.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial
from itertools import chain, pairwise
from typing import Any

import httpx
import pytest

from tests.bulk.bulk_runs import Bulk, Senders, asked_once, row, rows, today
from victor_ext import RetryPolicy, Victor, VictorJwt, idempotency_key_for
from victor_ext.bulk import layout
from victor_ext.bulk.delivery import MARKED_AHEAD, Delivery
from victor_ext.bulk.pacing import RateLimiter
from victor_ext.bulk.payment_requests import PaymentRequests
from victor_ext.bulk.rows import Result, Row
from victor_ext.bulk.unit_sender import SendTerms, UnitSender
from victor_ext.runtime.auth.credentials import caller_digest
from victor_ext.sandbox import Sandbox
from victor_ext.settlement.backoff import Backoff
from victor_ext.settlement.key_age import Moment, Sent

pytestmark = pytest.mark.slow


class Clock(threading.Event):
    """A clock that only waits move."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is not None and timeout > threading.TIMEOUT_MAX:
            raise OverflowError("timeout value is too large")
        if not self.is_set():
            self.now += timeout or 0.0
        return self.is_set()


def test_rows_go_evenly_from_the_first_on_and_after_a_halt_they_do_not_come_in_a_crowd() -> None:
    clock = Clock()
    limiter = RateLimiter(50, clock, clock)

    def arrivals() -> Iterator[float]:
        for _ in range(100):
            limiter.wait()
            yield clock.now

    first, *others = arrivals()
    assert first == pytest.approx(1000.02)
    assert gaps([first, *others]) == pytest.approx([0.02] * 99)
    clock.now += 60
    first, *_, last = arrivals()
    assert last - first >= 97 / 50


def paused(clock: Clock, backoff: Backoff) -> float:
    begun = clock.now
    backoff.wait()
    return clock.now - begun


def test_pauses_grow_while_the_provider_fails_and_end_with_its_first_answer() -> None:
    clock = Clock()
    backoff = Backoff(clock, clock)
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


def test_all_that_wait_for_one_pause_go_together() -> None:
    clock = Clock()
    backoff = Backoff(clock, clock)
    wait = clock.wait

    def asked_for_more(timeout: float | None = None) -> bool:
        """While it sleeps, an answer asks for more."""
        clock.wait = woken_late  # type: ignore[method-assign] # as below
        backoff.record_failure(60.0)
        return False

    def woken_late(timeout: float | None = None) -> bool:
        """The first one that wakes fails."""
        clock.wait = wait  # type: ignore[method-assign] # as below
        wait(timeout)
        backoff.record_failure()
        return False

    clock.wait = asked_for_more  # type: ignore[method-assign] # what happens while others wait is what is tested
    backoff.record_failure()
    backoff.wait()
    assert clock.now == 1060
    # Whoever comes now waits for the next pause.
    backoff.wait()
    assert clock.now == 1062


def test_stopping_ends_every_pause() -> None:
    clock = Clock()
    backoff, limiter = Backoff(clock, clock), RateLimiter(0.001, clock, clock)
    backoff.record_failure(at_least=1e9)
    clock.set()
    backoff.wait()
    limiter.wait()
    assert clock.now == 1000


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
    bulk: Bulk,
    victor_sandbox: Sandbox,
    postgres: str,
    sender: Senders,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = bulk.write(rows(60), "march")
    with bulk.started("worker", "--state", postgres):
        # Two seconds' worth of rows go into a chunk: with 20 a second there are two chunks, for two
        # workers.
        monkeypatch.setattr(layout, "PACED_SECONDS", 2.0)
        sender.finish(file, state=postgres, rate=20)
    asked_once(victor_sandbox, rows(60))
    kept(victor_sandbox, 20)


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


@dataclass
class Provider:
    """Responds as the test says, and records when each key was tried."""

    clock: Clock
    respond: Respond
    lists: Respond = lambda _request: httpx.Response(
        200, json={"page": 0, "page_size": 50, "results": []}
    )
    tries: dict[str, list[float]] = field(default_factory=dict)
    reads: list[float] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        response = self._respond(request)
        response.headers.setdefault("date", formatdate(usegmt=True))
        return response

    def _respond(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            self.reads.append(self.clock.now)
            return self.lists(request)
        self.tries.setdefault(request.headers["idempotency-key"], []).append(self.clock.now)
        if sum(map(len, self.tries.values())) > 100:
            raise Flood
        return self.respond(request)


@dataclass
class Sending:
    """A delivery with a fake clock, to a provider that responds as the test says."""

    clock: Clock
    provider: Provider
    delivery: Delivery

    def __call__(self, *rows: Row, **terms: Any) -> list[Result]:
        given = {"retention": 86_400.0, "patience": PATIENCE, **terms}
        return delivered(self.delivery, rows, SendTerms(rate=None, rivals=lambda _: {}, **given))


Start = Callable[..., Sending]


def delivered(delivery: Delivery, rows: Sequence[Row], terms: SendTerms) -> list[Result]:
    """Send rows, with steps that nobody stores."""
    results: dict[int, Result] = {}
    deque(delivery.deliver(dict(enumerate(rows)), terms, results), maxlen=0)
    return [results[index] for index in range(len(rows))]


@pytest.fixture
def sending(victor_key_pair: tuple[str, str]) -> Iterator[Start]:
    made: list[Any] = []

    def start(respond: Respond, **options: Any) -> Sending:
        clock = Clock()
        clock.now = time.monotonic()  # the client looks at the clock of this machine, too
        provider = Provider(clock, respond)
        victor = Victor(
            VictorJwt("an-api-key-for-tests", victor_key_pair[0], reuse=600),
            retry=RetryPolicy(max_attempts=1),
            transport=httpx.MockTransport(provider),
            **options,
        )
        delivery = Delivery(PaymentRequests(victor), 1, clock, clock)
        made.extend([victor, delivery])
        return Sending(clock, provider, delivery)

    yield start
    for each in made:
        each.close()


def to_send(number: int, **changes: Any) -> Row:
    arguments = row(number, client_reference_id=f"ref {number}", due_date=today())
    del arguments["invoice_no"], arguments["region"]
    key = idempotency_key_for("invoice", number)
    return Row(number, key, key, str(number), arguments, {}, place=number - 1, **changes)


def test_what_was_created_is_stored_when_the_next_rows_are_begun(sending: Start) -> None:
    """So a crash lets only the last rows be sent again, however many rows a chunk has."""
    send = sending(made)
    rows_to_send = dict(enumerate(map(to_send, range(1, 97))))
    terms = SendTerms(86_400.0, PATIENCE, rate=None, rivals=lambda _: {})
    begun = 0
    stored = set[int]()
    for checkpoint in send.delivery.deliver(rows_to_send, terms, {}):
        stored.update(checkpoint.results)
        assert begun - len(stored) <= MARKED_AHEAD // 2
        begun += len(checkpoint.begun)
    assert begun == len(rows_to_send)


def sent_ago(seconds: float) -> Sent:
    """By the time of the provider, and with these credentials."""
    return Sent(time.time() - seconds, CALLER, known=True)


def read_timeouts(timeouts: list[float]) -> Respond:
    """Note the timeout of each request."""

    def respond(request: httpx.Request) -> httpx.Response:
        timeouts.append(request.extensions["timeout"].get("read"))
        return made(request)

    return respond


def gaps(times: Sequence[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(times)]


def grow(times: Sequence[float]) -> bool:
    return all(gap >= least for gap, least in zip(gaps(times), GAPS, strict=False))


@pytest.mark.parametrize(
    "what", ["never sent", "may have been sent", "sent while others are answered"]
)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_row_is_tried_again_after_waits_that_grow(sending: Start, fault: str, what: str) -> None:
    send = sending(FAULTS[fault])
    contact = send.delivery.contact
    note = contact.note

    def amid_successes(key: str, error: Any) -> None:
        note("another", None)
        note(key, error)
        note("another", None)  # the end of a call that was under way when this one failed

    if what.endswith("answered"):
        contact.note = amid_successes  # type: ignore[method-assign] # the moment is what is tested
    sent = sent_ago(60) if what == "may have been sent" else None
    (result,) = send(to_send(1, sent=sent))
    (times,) = send.provider.tries.values()
    if send.delivery.contact.given_up is not None:
        assert fault == "status 401"
        return
    if "come back" in fault:
        # After a day, a key that may have arrived can be forgotten: the row is not sent once more
        # then, but looked up.
        assert all(gap >= 45 for gap in gaps(times)[:1])
        assert len(times) > 1 or "never" in fault
    if len(times) == 1:
        # It is settled, or looked up: another try would say the same.
        looked_up = "never" in fault or "its client_reference_id" in (result.error or "")
        assert result.outcome in ENDS or looked_up
        return
    assert result.outcome not in ENDS
    assert grow(times), gaps(times)
    assert times[-1] - times[0] >= PATIENCE


@pytest.mark.parametrize("fault", FAULTS)
def test_a_list_that_fails_is_read_again_after_waits_that_grow(sending: Start, fault: str) -> None:
    """A row whose key is too old is looked up; two chunks of such rows, one after the other."""
    send = sending(made)
    send()
    send.provider.reads.clear()
    respond = FAULTS[fault] if "the answer of" not in fault else status(500)

    def fail_amid_successes(request: httpx.Request) -> httpx.Response:
        send.delivery.contact.note("another", None)
        return respond(request)

    send.provider.lists = fail_amid_successes
    too_old = [to_send(number, sent=sent_ago(90_000)) for number in (1, 2)]
    results = [*send(too_old[0]), *send(too_old[1])]
    assert [result.outcome for result in results] == ["unknown"] * 2
    assert send.provider.tries == {}
    assert all("looked up" in (result.error or "") for result in results)
    if send.delivery.contact.given_up is None:
        assert grow(send.provider.reads)
        assert gaps(send.provider.reads)[0] >= (45 if "come back" in fault else 1)


@pytest.mark.parametrize("fault", [error.__name__ for error in ERRORS])
def test_while_nobody_tells_the_time_a_row_that_may_have_been_sent_waits_longer_and_longer(
    sending: Start, fault: str
) -> None:
    send = sending(made)
    send.provider.lists = FAULTS[fault]
    (result,) = send(to_send(1, sent=sent_ago(60)))
    assert result.outcome == "unknown"
    assert send.provider.tries == {}
    assert "waits until the time of the provider is known" in (result.error or "")
    times = send.provider.reads
    assert grow(times), gaps(times)
    assert times[-1] - times[0] >= PATIENCE


def test_many_rows_that_wait_for_the_time_ask_for_it_once(victor_key_pair: tuple[str, str]) -> None:
    """By the true clock: sixteen threads find that it is not known, and one of them asks for
    all.
    """
    reads = list[float]()

    def nobody(request: httpx.Request) -> httpx.Response:
        assert request.method == "GET"
        reads.append(time.monotonic())
        raise httpx.ConnectError("on purpose")

    auth = VictorJwt("an-api-key-for-tests", victor_key_pair[0], reuse=600)
    transport = httpx.MockTransport(nobody)
    with Victor(auth, retry=RetryPolicy(max_attempts=1), transport=transport) as victor:
        delivery = Delivery(PaymentRequests(victor), 16, threading.Event())
        waiting = [to_send(number, sent=sent_ago(60)) for number in range(1, 17)]
        results = delivered(delivery, waiting, SendTerms(86_400.0, 2.5, None, lambda *_: ()))
        delivery.close()
    assert {result.outcome for result in results} == {"unknown"}
    # At once, after 1 s and after 2 s more.
    assert len(reads) <= 4
    assert all(gap >= 0.9 for gap in gaps(reads))


@pytest.mark.parametrize(
    ("kept", "away", "outcome"),
    [
        (100.0, 2.0, "created"),
        (100.0, 40.0, "unknown"),
        (86_400.0, 3_600.0, "created"),
        (86_400.0, 86_300, "unknown"),
    ],
)
def test_a_row_is_sent_by_a_worker_that_was_just_the_only_one(
    sending: Start, kept: float, away: float, outcome: str
) -> None:
    """One that was away for as long as keys live looks the row up: another one may have sent it.

    It finds none.
    """

    send = sending(made)
    last = Moment(time.time() - away, send.clock.now - away)
    (result,) = send(to_send(1), retention=kept, patience=1.0, alone_since=lambda: last)
    assert result.outcome == outcome


@pytest.mark.parametrize("fault", ["status 400", "status 409"])
def test_what_was_looked_up_is_never_sent_again(sending: Start, fault: str) -> None:
    """The result says so, and a person may have asked for the payment anew."""
    send = sending(FAULTS[fault])
    (result,) = send(to_send(1, sent=sent_ago(60)))
    assert "It is not sent again" in (result.error or "")
    send.provider.respond = made
    (later,) = send(to_send(1, sent=Sent.from_json(json.loads(json.dumps(result))[4])))
    assert later.outcome == "unknown"
    assert [len(times) for times in send.provider.tries.values()] == [1]


@pytest.mark.parametrize(
    ("deadline", "retention", "within"),
    [(60, 600, 60), (60, 86_400, 60), (600, 86_400, 290), (None, 600, 60)],
)
def test_a_call_ends_before_its_key_can_expire(
    sending: Start, deadline: float | None, retention: float, within: float
) -> None:
    timeouts = list[float]()
    send = sending(read_timeouts(timeouts), deadline=deadline, timeout=None)
    (result,) = send(to_send(1), retention=retention)
    assert result.outcome == "created"
    assert timeouts == [pytest.approx(within, abs=5)]


@pytest.mark.parametrize(("stopped_for", "within"), [(0.5, 60), (30, 30), (61, 60)])
def test_a_call_that_begins_late_ends_as_if_it_had_begun_when_it_was_decided(
    sending: Start, monkeypatch: pytest.MonkeyPatch, stopped_for: float, within: float
) -> None:
    """The process is stopped between both; after the time of a whole call it decides once more."""
    timeouts = list[float]()
    clock, call, asleep = time.time, UnitSender._call, [stopped_for, 0.0]
    monkeypatch.setattr(time, "time", lambda: clock() + asleep[-1])

    def stopped(self: Any, *arguments: Any) -> Any:
        asleep.append(stopped_for)
        return call(self, *arguments)

    monkeypatch.setattr(UnitSender, "_call", stopped)
    (result,) = sending(read_timeouts(timeouts), deadline=60, timeout=None)(to_send(1))
    assert result.outcome == "created"
    assert timeouts == [pytest.approx(within, abs=5)]


def test_when_the_provider_says_to_come_back_no_row_goes_before(sending: Start) -> None:
    answers = iter([FAULTS["429: come back in 45 s"]])

    def respond(request: httpx.Request) -> httpx.Response:
        return next(answers, made)(request)

    send = sending(respond)
    results = send(*map(to_send, (1, 2, 3)))
    assert [result.outcome for result in results] == ["created"] * 3
    first, *others = sorted(chain.from_iterable(send.provider.tries.values()))
    assert min(others) - first >= 45
