"""A pass has several calls under way at once: what is marked before it is sent, what goes back, and
what waits for nothing else.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

import anyio
import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from tests.outbox.conftest import NOTES
from tests.outbox.django_project import set_up, use_database
from tests.outbox.test_outbox import stored
from tests.providers.running import ONCE
from tests.providers.victor.adapter import invoice
from victor_ext import (
    AsyncVictor,
    AuthenticationError,
    ConfigurationError,
    InvalidRequest,
    PermissionDenied,
    RateLimited,
    Victor,
    VictorError,
    VictorOAuth,
)
from victor_ext.event_queue.calls import CallEnd, TaskCalls, ThreadCalls
from victor_ext.flows import drive
from victor_ext.outbox import AsyncOutbox, EntryState, Outbox, claims
from victor_ext.outbox.claims import Claims
from victor_ext.outbox.clock import this_moment
from victor_ext.settlement.key_age import Now

pytestmark = [pytest.mark.slow, pytest.mark.hours]
set_up()

from django.core.management import call_command  # noqa: E402 - Django is set up before it is imported

from victor_ext.outbox.django import DjangoOutbox  # noqa: E402

PATIENCE = 30.0
"""Seconds after which a test has failed that waits for something."""
SENT, SENDING, WAITING = EntryState.SENT, EntryState.SENDING, EntryState.WAITING
TOKEN = {"access_token": "token", "token_type": "Bearer", "expires": 9_999_999_999_000}


class Provider:
    """Takes payment requests: `meet` is told of each, by its reference, and may answer it."""

    def __init__(self) -> None:
        self.references: list[str] = []
        self.tells_time = True
        self.meet: Callable[[str], httpx.Response | None] = lambda _reference: None

    def answer(self, request: httpx.Request) -> httpx.Response:
        if "oauth" in request.url.path or "token" in request.url.path:
            return httpx.Response(200, json=TOKEN)
        if request.method != "POST":
            return self._accept({"page": 0, "page_size": 1, "results": []})
        reference = json.loads(request.content)["client_reference_id"]
        self.references.append(reference)
        body = {
            "victor_payment_request_id": f"ID-{reference}",
            "client_reference_id": reference,
            "direction": "outbound",
            "status": "created",
        }
        return self.meet(reference) or self._accept(body)

    async def awaited_answer(self, request: httpx.Request) -> httpx.Response:
        return await anyio.to_thread.run_sync(self.answer, request)

    def _accept(self, body: dict[str, Any]) -> httpx.Response:
        date = format_datetime(datetime.now(UTC), usegmt=True)
        return httpx.Response(200, json=body, headers={"Date": date} if self.tells_time else {})


class Sending:
    """One pass at a time, of an outbox of one kind."""

    def __init__(self, kind: str, engine: sa.Engine) -> None:
        self.kind, self.engine, self.provider = kind, engine, Provider()

    def client(self, kind: Any, handler: Any) -> Any:
        transport = httpx.MockTransport(handler)
        return kind(VictorOAuth("an-id", "a-secret"), transport=transport, retry=ONCE)

    def send(self, **options: Any) -> list[Any]:
        if self.kind == "awaited":
            return anyio.run(partial(self._awaited, options))
        with self.client(Victor, self.provider.answer) as victor:
            if self.kind == "django":
                return DjangoOutbox(**options).send(victor)
            return Outbox(self.engine, **options).send(victor)

    async def _awaited(self, options: Any) -> list[Any]:
        url = self.engine.url.render_as_string(hide_password=False)
        engine = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:"))
        try:
            async with self.client(AsyncVictor, self.provider.awaited_answer) as victor:
                return await AsyncOutbox(engine, **options).send(victor)
        finally:
            await engine.dispose()

    def rows(self) -> list[Any]:
        """The state of each entry, and whether it is marked as one that may have been sent."""
        columns = Outbox(self.engine).table.c
        marked = columns.first_sent_at.is_not(None)
        with self.engine.begin() as connection:
            query = sa.select(columns.state, marked).order_by(columns.id)
            return [
                (EntryState(state), bool(is_marked))
                for state, is_marked in connection.execute(query)
            ]

    def states(self) -> list[EntryState]:
        return [state for state, _ in self.rows()]


@pytest.fixture(params=["blocking", "awaited", "django"])
def sending(request: pytest.FixtureRequest, engine: sa.Engine) -> Iterator[Sending]:
    if request.param == "django":
        with use_database(engine.url):
            call_command("migrate", verbosity=0)
            yield Sending("django", engine)
        return
    Outbox(engine).create_table()
    yield Sending(request.param, engine)


@pytest.fixture
def blocking(engine: sa.Engine) -> Sending:
    Outbox(engine).create_table()
    return Sending("blocking", engine)


def store(sending: Sending, *invoices: dict[str, Any]) -> None:
    stored(Outbox(sending.engine), *invoices)


# What is marked


@pytest.mark.parametrize("tells_time", [True, False], ids=["with a Date", "without one"])
def test_without_a_time_only_what_is_being_called_is_marked(
    sending: Sending, tells_time: bool
) -> None:
    """Where keys have an age, a worker that is killed costs nothing: all of the group are sent
    again. Otherwise each that is marked would be in doubt.
    """
    store(sending, *map(invoice, range(5)))
    sending.provider.tells_time = tells_time
    both, seen = threading.Barrier(2), list[Any]()

    def look(_reference: str) -> None:
        if len(sending.provider.references) <= 2:
            both.wait(PATIENCE)
            seen.append(sending.rows())
            both.wait(PATIENCE)

    sending.provider.meet = look
    assert len(sending.send(workers=2)) == 5
    marked = [(SENDING, True)] * (5 if tells_time else 2)
    assert seen == [marked + [(WAITING, False)] * (5 - len(marked))] * 2


def now_of(victor: Victor) -> Now:
    return Now(this_moment(), victor.provider_time())


@pytest.mark.parametrize(
    ("kept", "send_before", "operation", "is_ahead"),
    [
        (86_400.0, None, "payment_requests.create", True),
        (86_400.0, timedelta(days=1), "payment_requests.create", True),
        (86_400.0, timedelta(minutes=30), "payment_requests.create", False),
        (150.0, None, "payment_requests.create", False),
        (86_400.0, None, "payment_requests.decline", False),
    ],
    ids=["keyed", "in a day", "in half an hour", "a short life", "no key"],
)
def test_marked_in_advance_is_what_can_be_sent_again_after_the_lease(
    blocking: Sending,
    kept: float,
    send_before: timedelta | None,
    operation: str,
    is_ahead: bool,
) -> None:
    before = None if send_before is None else datetime.now(UTC) + send_before
    key = invoice()["idempotency_key"]
    with blocking.client(Victor, blocking.provider.answer) as victor:
        outbox = Outbox(blocking.engine, victor)
        args = ("ID-1",) if operation.endswith("decline") else ()
        named = {"notes": "No."} if args else invoice()
        victor.ping()
        with blocking.engine.begin() as connection:
            outbox.add_call(
                connection, operation, *args, **named | {"idempotency_key": key}, send_before=before
            )
        of_pass = Claims(outbox.table, victor, 120.0, kept, outbox._sealing, outbox._may_work())
        with blocking.engine.begin() as connection:
            (claim,) = of_pass.take_up(now_of(victor), (), connection).claims
        assert (claim.is_marked, blocking.rows()) == (
            is_ahead,
            [(SENDING, True) if is_ahead else (WAITING, False)],
        )
        with blocking.engine.begin() as connection:
            of_pass.give_back([claim], connection)
    assert blocking.rows() == [(WAITING, False)]


def test_what_another_worker_has_taken_up_meanwhile_is_not_sent(
    blocking: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(blocking, invoice(1), invoice(2))
    blocking.provider.tells_time = False
    mark = Claims.mark

    def late(self: Any, claim: Any, *given: Any) -> Any:
        *_, connection = given
        if claim.row.reference == "INV-1":
            is_it = self._table.c.id == claim.row.id
            connection.execute(sa.update(self._table).where(is_it).values(leased_until=1.0))
        return mark(self, claim, *given)

    monkeypatch.setattr(Claims, "mark", late)
    blocking.send()
    assert blocking.provider.references == ["INV-2"]
    assert blocking.rows()[0] == (WAITING, False)


# What goes back


def test_what_has_too_little_left_of_its_lease_goes_back_unmarked(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call of up to 60 seconds is begun with no less of the lease left. What goes back is the
    next pass's: this one does not take it up over and over.
    """
    store(sending, *map(invoice, range(3)))
    clock, asleep = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: clock() + sum(asleep))

    def take_long(_reference: str) -> None:
        if not asleep[1:]:
            asleep.append(61.0)

    sending.provider.meet = take_long
    assert len(sending.send(workers=1)) == 1
    assert sending.rows() == [(SENT, True), (WAITING, False), (WAITING, False)]
    assert len(sending.send(workers=1)) == 2


@pytest.mark.parametrize(("stopped_for", "is_sent"), [(30.0, True), (61.0, False)])
def test_a_process_that_was_stopped_before_its_call_begins_sends_nothing_by_an_old_decision(
    sending: Sending, monkeypatch: pytest.MonkeyPatch, stopped_for: float, is_sent: bool
) -> None:
    """The call begins in a thread or task of its own. What was not sent goes back as it was."""
    store(sending, invoice(1))
    clock, asleep = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: clock() + asleep[-1])
    for kind in (ThreadCalls, TaskCalls):
        start = kind.start

        def stopped(self: Any, number: int, call: Any, start: Any = start) -> Any:
            asleep.append(stopped_for)
            return start(self, number, call)

        monkeypatch.setattr(kind, "start", stopped)
    assert len(sending.send()) == is_sent
    assert sending.rows() == [(SENT, True) if is_sent else (WAITING, False)]
    assert sending.provider.references == ["INV-1"] * is_sent
    assert len(sending.send()) == (not is_sent), "the clock does not move any more"
    assert sending.provider.references == ["INV-1"]


def test_what_goes_back_is_not_taken_up_by_the_same_pass(blocking: Sending) -> None:
    """What has to be sent soon is looked for again and again: a refusal of it would never end."""
    soon = datetime.now(UTC) + timedelta(minutes=30)
    blocking.provider.meet = lambda _reference: httpx.Response(
        403 if len(blocking.provider.references) < 5 else 200, json={}
    )
    with blocking.client(Victor, blocking.provider.answer) as victor:
        outbox = Outbox(blocking.engine, victor)
        with blocking.engine.begin() as connection:
            outbox.add_call(connection, "payment_requests.create", **invoice(1), send_before=soon)
        with pytest.raises(PermissionDenied):
            outbox.send(victor)
    assert blocking.provider.references == ["INV-1"]
    assert blocking.rows() == [(WAITING, False)]


def test_what_people_change_while_a_worker_has_it_is_not_undone(sending: Sending) -> None:
    """Whatever the worker then gives back: it has taken up all of them before."""
    outbox = Outbox(sending.engine)
    store(sending, *map(invoice, range(1, 6)))
    with sending.engine.begin() as connection:
        # What has to be sent soon is not marked in advance.
        connection.execute(sa.update(outbox.table).values(send_before=time.time() + 1800))
        is_unsettled = outbox.table.c.reference.in_(["INV-3", "INV-4"])
        doubt = {"state": EntryState.SETTLING.value, "first_sent_at": 1.0}
        connection.execute(sa.update(outbox.table).where(is_unsettled).values(doubt))
    who: dict[str, Any] = {"by": "Ann", "why": "a test"}

    def change(_reference: str) -> httpx.Response:
        with pytest.raises(InvalidRequest, match="it is sending"):
            outbox.cancel("INV-1", **who)  # its call has begun
        outbox.cancel("INV-2", **who)
        outbox.resolve("INV-3", done=True, id="X1", **who)
        outbox.resolve("INV-4", done=False, **who)
        outbox.cancel("INV-5", **who)
        outbox.retry("INV-5")
        return httpx.Response(429, json={})

    sending.provider.meet = change
    with pytest.raises(RateLimited):
        sending.send(workers=1)
    states = [WAITING, EntryState.REFUSED, SENT, EntryState.REJECTED, WAITING]
    assert sending.states() == states
    assert outbox.entries()[2].request_id == "X1"
    sending.provider.meet = lambda _reference: None
    sending.send()
    assert Counter(sending.provider.references) == {"INV-1": 2, "INV-5": 1}


def test_during_a_hold_nothing_goes_back_as_what_was_never_sent(sending: Sending) -> None:
    """A worker of a restored database has taken it up before: it may have been sent since."""
    store(sending, invoice(1), invoice(2))

    def hold(_reference: str) -> httpx.Response:
        Outbox(sending.engine).hold()
        return httpx.Response(429, json={})

    sending.provider.meet = hold
    with pytest.raises(RateLimited):
        sending.send(workers=1)
    assert sending.rows() == [(SENDING, True)] * 2


# What holds nothing else


def test_one_slow_call_holds_no_other_result(sending: Sending) -> None:
    """The first call ends after the third one has begun: by then the second one is stored."""
    store(sending, *map(invoice, range(3)))
    third, seen = threading.Event(), list[Any]()

    def be_slow(reference: str) -> None:
        if len(sending.provider.references) == 1:
            assert third.wait(PATIENCE)
        elif len(sending.provider.references) == 3:
            seen.append(Counter(sending.states()))
            third.set()
        del reference

    sending.provider.meet = be_slow
    assert len(sending.send(workers=2)) == 3
    assert seen == [{SENDING: 2, SENT: 1}]


def test_two_with_one_subject_are_not_under_way_together(sending: Sending) -> None:
    """After a lost response, nobody could tell which of them was done."""
    others = [invoice(3), invoice(4)]
    again = invoice(2, client_reference_id="INV-1")
    store(sending, invoice(1), again, *others)
    ended, seen = threading.Event(), list[list[str]]()

    def look(_reference: str) -> None:
        if len(sending.provider.references) == 3:
            seen.append(sorted(sending.provider.references))
            ended.set()
        assert ended.wait(PATIENCE)

    sending.provider.meet = look
    assert len(sending.send(workers=4)) == 4, "one pass sends all of them"
    assert seen == [["INV-1", "INV-3", "INV-4"]]
    assert sorted(sending.provider.references) == ["INV-1", "INV-1", "INV-3", "INV-4"]


# What begins nothing more


@pytest.mark.parametrize(
    ("status", "error", "asked"),
    [(429, RateLimited, 40.0), (429, RateLimited, None), (401, AuthenticationError, None)],
)
def test_a_refusal_of_every_call_begins_nothing_more(
    sending: Sending, status: int, error: type[VictorError], asked: float | None
) -> None:
    store(sending, *map(invoice, range(6)))
    headers = {} if asked is None else {"Retry-After": str(asked)}
    sending.provider.meet = lambda _reference: httpx.Response(status, headers=headers)
    with pytest.raises(error):
        sending.send(workers=2)
    assert len(set(sending.provider.references)) == 2, "a 401 is tried with a new token, too"
    assert sending.rows() == [(WAITING, False)] * 6
    sending.provider.meet = lambda _reference: None
    assert len(sending.send(workers=2)) == 6


def test_the_worker_waits_as_long_as_the_provider_asks(blocking: Sending) -> None:
    outbox = Outbox(blocking.engine)
    store(blocking, invoice(1))
    blocking.provider.meet = lambda _reference: httpx.Response(429, headers={"Retry-After": "40"})
    with blocking.client(Victor, blocking.provider.answer) as victor, pytest.raises(RateLimited):
        outbox.send(victor)
    assert outbox._is_paused("send")
    assert 30 < outbox._backoff.left() <= 40
    assert not outbox._is_paused("handle")


# What is stored together


class AllAtOnce:
    """Calls that end together."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, Callable[[], Any]]] = []

    def start(self, number: int, call: Callable[[], Any]) -> None:
        self.begun.append((number, call))

    def ended(self, _seconds: float) -> list[CallEnd]:
        begun, self.begun = self.begun, []
        return [CallEnd(number, call()) for number, call in begun]


class Together(Outbox):
    """An outbox whose calls end together."""

    def _with_calls(self, _most: int, flow: Any) -> Any:
        return drive(flow(AllAtOnce()), self._step)


def commits_of(engine: sa.Engine) -> list[None]:
    commits: list[None] = []
    sa.event.listen(engine, "commit", lambda _connection: commits.append(None))
    return commits


@pytest.mark.parametrize("has_handler", [False, True])
def test_an_entry_with_a_handler_has_its_own_transaction(
    blocking: Sending, has_handler: bool
) -> None:
    """One transaction takes four up, and one has their results: with handlers each has its own."""
    store(blocking, *map(invoice, range(4)))
    outbox = Together(blocking.engine)

    def note(session: Any, event: Any) -> None:
        session.execute(sa.insert(NOTES).values(text=event.entry.client_reference_id))
        if event.entry.client_reference_id == "INV-2":
            raise ValueError("of the handler")

    source = "payment_requests.create" if has_handler else "payment_requests.decline"
    outbox.on("sent", operation=source)(note)
    with blocking.client(Victor, blocking.provider.answer) as victor:
        victor.ping()
        commits = commits_of(blocking.engine)
        assert [entry.state for entry in outbox.send(victor)] == [SENT] * 4
    claim, empty, failed_once = 1, 1, 1
    with_handlers = 3 + failed_once
    assert len(commits) == claim + (with_handlers if has_handler else 1) + empty
    with blocking.engine.begin() as connection:
        notes = connection.execute(sa.select(NOTES.c.text)).scalars().all()
    assert sorted(notes) == (["INV-0", "INV-1", "INV-3"] if has_handler else [])


def test_a_result_that_cannot_be_stored_costs_no_other_one(blocking: Sending) -> None:
    store(blocking, *map(invoice, range(4)))
    table = Outbox(blocking.engine).table.name
    cannot = (
        f"ALTER TABLE {table} ADD CONSTRAINT no_second CHECK (request_id <> 'ID-INV-2')"
        if blocking.engine.dialect.name == "postgresql"
        else f"CREATE TRIGGER no_second BEFORE UPDATE ON {table} "
        "WHEN NEW.request_id = 'ID-INV-2' BEGIN SELECT RAISE(ABORT, 'no second'); END"
    )
    with blocking.engine.begin() as connection:
        connection.execute(sa.text(cannot))
    with (
        blocking.client(Victor, blocking.provider.answer) as victor,
        pytest.raises(DBAPIError, match=r"no.second"),
    ):
        Together(blocking.engine).send(victor)
    assert blocking.states() == [SENT, SENT, SENDING, SENT]


# Which come first


def test_what_has_to_be_sent_soon_comes_first_but_before_nothing_with_its_subject(
    blocking: Sending,
) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=30)
    later = invoice(2, client_reference_id="INV-1")
    with blocking.client(Victor, blocking.provider.answer) as victor:
        outbox = Outbox(blocking.engine, victor, workers=1)
        with blocking.engine.begin() as connection:
            for values, before in (
                (invoice(1), None),
                (later, soon),
                (invoice(3), soon + timedelta(minutes=5)),
                (invoice(4), soon),
                (invoice(5), None),
            ):
                outbox.add_call(connection, "payment_requests.create", **values, send_before=before)
        assert len(outbox.send(victor)) == 5
    assert blocking.provider.references == ["INV-4", "INV-3", "INV-1", "INV-5", "INV-1"]


def test_two_workers_take_up_different_entries_at_once(
    blocking: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL the second one waits for no transaction of the first one."""
    if blocking.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one transaction that writes at a time")
    monkeypatch.setattr(claims, "GROUP", 2)
    store(blocking, *map(invoice, range(5)))
    with blocking.client(Victor, blocking.provider.answer) as victor:
        victor.ping()
        outbox = Outbox(blocking.engine)
        may_work = outbox._may_work()
        terms = (outbox.table, victor, 120.0, 86_400.0, outbox._sealing, may_work)
        one, other = (Claims(*terms) for _ in range(2))
        with blocking.engine.begin() as first, blocking.engine.begin() as second:
            second.execute(sa.text("SET LOCAL lock_timeout = '1s'"))
            taken = [
                [
                    claim.row.reference
                    for claim in each.take_up(now_of(victor), (), connection).claims
                ]
                for each, connection in ((one, first), (other, second))
            ]
    assert taken == [["INV-0", "INV-1"], ["INV-2", "INV-3"]]


@pytest.mark.parametrize("workers", [0, 101, True, 1.5, "16"])
def test_workers_are_a_number_that_makes_sense(engine: sa.Engine, workers: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r"workers=.* must be a whole number from 1 to 100"
    ):
        Outbox(engine, workers=workers)
