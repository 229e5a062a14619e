"""What the outbox learns is an event: stored with the change that it is about, and handled once."""

import asyncio
from functools import wraps

import httpx
import pytest
import sqlalchemy as sa
from django.db import transaction

from tests.outbox.payouts import Payouts
from tests.outbox.rows import (
    NOTES,
    change_events,
    end_claims,
    end_waits,
    execute,
    lengthen_waits,
    notes,
    references,
    states,
    statuses,
    stored,
    write,
)
from tests.payments import invoice
from tests.providers.running import GUID, ONCE, scripted
from tests.providers.systems import ARGUMENTS, CLIENTS
from victor_ext import (
    Victor,
)
from victor_ext.outbox import EventState, Outbox
from victor_ext.providers import Money
from victor_ext.providers.velo import Velo

pytestmark = pytest.mark.slow


class RaisesOnce:
    """A handler whose first call fails."""

    def __init__(self, error):
        self._errors = [error]

    def __call__(self, _session, _event):
        if self._errors:
            raise self._errors.pop()


def note(session, event):
    write(session, f"{event.name} {event.entry.client_reference_id}")


def test_a_handler_adds_the_next_entry_in_the_transaction_of_the_result(outbox, engine, victor):
    state, seen = sa.select(outbox.table.c.state), []

    @outbox.on("sent")
    def go_on(session, event):
        if not seen:
            with engine.connect() as another:
                seen.extend([another.scalar(state), session.scalar(state), event.entry.state])
            outbox.add(session, **invoice(2))

    stored(outbox, invoice(1))
    assert references(outbox.send(victor)) == ["INV-1", "INV-2"]
    assert seen == ["sending", "sent", "sent"]
    assert outbox.handle() == []


@pytest.mark.parametrize("fails", ["at once", "when its transaction ends"])
def test_a_result_is_stored_whatever_a_handler_does(outbox, engine, victor, fails):
    """A constraint may be checked by the commit.

    Then the result is stored in another transaction, without its work.
    """
    failing = [fails]

    @outbox.on("sent", operation="payment_requests.create")
    def work(session, event):
        note(session, event)
        if failing == ["at once"]:
            raise ValueError("not now")
        if failing:
            sa.event.listen(engine, "commit", refuse, once=True)

    def refuse(_connection):
        failing.clear()
        raise ValueError("no commit")

    stored(outbox, invoice(1))
    assert states(outbox.send(victor)) == ["sent"]
    assert notes(outbox) == []
    lengthen_waits(outbox)
    assert outbox.handle() == [], "its time has not come"
    failing.clear()
    end_waits(outbox)
    assert [event.tries for event in outbox.handle()] == [2]
    assert notes(outbox) == ["sent INV-1"]
    assert outbox.handle() == []


def test_a_handler_that_is_tried_again_gets_the_entry_as_it_is_now(outbox, victor, time_travel):
    """Else the event of an older status would write that status over the newer one."""
    failures = [ValueError("a deadlock")]

    @outbox.on()
    def write_status(session, event):
        if event.name == "created" and failures:
            raise failures.pop()
        write(session, f"{event.name} {event.entry.status}")

    stored(outbox, invoice())
    outbox.send(victor)
    time_travel.advance(minutes=1)
    outbox.refresh(victor)
    assert notes(outbox) == ["completed completed"]
    end_waits(outbox)
    outbox.handle()
    assert notes(outbox)[1:] == ["sent completed", "created completed"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_nobody_changes_an_entry_while_a_handler_has_it(outbox, engine, victor):
    """A newer status waits for it, and is written after it. SQLite has one writer at a time."""
    failures = [ValueError("a deadlock")]
    free = sa.select(outbox.table.c.key).with_for_update(skip_locked=True)

    @outbox.on("sent")
    def look(session, _event):
        if failures:
            raise failures.pop()
        with engine.begin() as another:
            write(session, str(another.execute(free).all()))

    stored(outbox, invoice())
    outbox.send(victor)
    end_waits(outbox)
    outbox.handle()
    assert notes(outbox) == ["[]"]


def test_the_event_of_a_deleted_entry_waits_and_says_why(outbox, victor):
    outbox.on("sent")(RaisesOnce(ValueError("not now")))
    stored(outbox, invoice())
    outbox.send(victor)
    execute(outbox, sa.delete(outbox.table))
    end_waits(outbox)
    assert outbox.handle() == []
    change_events(outbox, state="dead")
    (letter,) = outbox.dead_letters()
    assert "was deleted" in letter.error


def test_a_change_that_two_workers_see_is_one_event(
    outbox, engine, victor, victor_auth, victor_sandbox, time_travel
):
    """The one that is slow knows what was stored before the other one has read the change."""
    told = []
    outbox.on()(lambda _session, event: told.append(event.name))
    stored(outbox, invoice())
    outbox.send(victor)

    def be_slow(event):
        if type(event).__name__ == "AttemptStarted" and "completed" not in told:
            time_travel.advance(minutes=1)
            outbox.refresh(victor)

    options = {"environment": victor.environment, "base_url": victor_sandbox.url}
    with Victor(victor_auth, **options, on_event=be_slow) as slow:
        slow_outbox = Outbox(engine)
        slow_outbox.on()(lambda _session, event: told.append(event.name))
        assert slow_outbox.refresh(slow) == []
    assert told == ["sent", "created", "completed"]
    assert statuses(outbox.entries()) == ["completed"]


async def awaiting(session, event):
    await session.execute(sa.insert(NOTES).values(text=event.name))


class AwaitingObject:
    async def __call__(self, session, event):
        await awaiting(session, event)


@wraps(awaiting)
def traced(session, event):
    """As many decorators make it: it is not `async def`, and returns a coroutine."""
    return awaiting(session, event)


def waiting_events(engine):
    """How many events are tried later."""
    return Outbox(engine).event_counts()[EventState.WAITING]


@pytest.mark.parametrize("kind", ["awaited"], indirect=True)
@pytest.mark.parametrize("handler", [awaiting, traced, AwaitingObject()])
def test_an_awaited_outbox_awaits_whatever_a_handler_returns(box, engine, handler):
    box.handler = handler
    box.add(**invoice(1))
    box._act("send")
    assert notes(Outbox(engine)) == ["sent", "created"]
    assert waiting_events(engine) == 0


def assert_that_its_events_wait(box, engine):
    """Those of an entry, whose handler is tried when it is sent, and once more."""
    box.add(**invoice(1))
    box._act("send")
    assert waiting_events(engine) == 2, "sent, created"
    end_waits(Outbox(engine))
    assert box._act("handle") == []
    assert waiting_events(engine) == 2


@pytest.mark.parametrize("kind", ["blocking", "django"], indirect=True)
def test_an_event_waits_if_its_handler_returns_what_nobody_awaits(box, engine):
    box.handler = traced
    assert_that_its_events_wait(box, engine)


def cancel(_session, _event):
    raise asyncio.CancelledError


async def await_a_cancelled_task(_session, _event):
    task = asyncio.ensure_future(asyncio.sleep(60))
    task.cancel()
    await task


CANCELLING = {
    "blocking": cancel,
    "awaited": await_a_cancelled_task,
    "django": cancel,
}


def test_an_event_waits_if_its_handler_is_cancelled_by_its_own_work(box, engine):
    """The worker goes on, and stores what became of the payment."""
    box.handler = CANCELLING[box.kind]
    assert_that_its_events_wait(box, engine)
    assert states(Outbox(engine).entries()) == ["sent"]


def roll_back(session, _event):
    session.rollback()


async def roll_back_awaited(session, _event):
    await session.rollback()


def roll_back_in_django(using, _event):
    """As after an error of a model, which the handler has caught."""
    transaction.set_rollback(True, using)


ROLLING_BACK = {
    "blocking": roll_back,
    "awaited": roll_back_awaited,
    "django": roll_back_in_django,
}


def test_an_event_waits_if_its_handler_ends_the_transaction_in_each_kind_of_outbox(box, engine):
    box.handler = ROLLING_BACK[box.kind]
    assert_that_its_events_wait(box, engine)


# What other systems say later


def test_a_payout_goes_its_whole_way_by_its_events(outbox, engine, harness):
    with Velo(**harness.settings) as client:
        outbox = Outbox(engine, client=client)

        @outbox.on("accepted", operation="payouts.submit")
        def instruct(session, event):
            key = f"instruct-{event.entry.idempotency_key}"
            payout_id = event.entry.request_id
            outbox.add_call(session, "payouts.instruct", payout_id, idempotency_key=key)

        @outbox.on("completed", operation="payouts.instruct")
        def book(session, event):
            write(session, str(event.entry.request_id))

        Payouts("blocking", engine, harness).submit()
        for _ in range(6):
            outbox.send()
            outbox.refresh()
            harness.sandbox.advance(seconds=60)
            end_claims(outbox)
        assert outbox.send() == outbox.refresh() == []
    assert statuses(outbox.entries()) == ["ACCEPTED", "COMPLETED"]
    assert notes(outbox) == [outbox.entries()[0].request_id]
    assert harness.calls("instruct") == harness.calls("submit") == 1


EGP, USD = Money.of("1", "EGP"), Money.of("1", "USD")
OF_EASTPAY = {"id": GUID, "result": {"code": "000.000.000"}}


@pytest.mark.parametrize(
    ("system", "name", "arguments", "read", "status"),
    [
        ("victor", "payment_requests.create", (), {"status": "Cancelled"}, "Cancelled"),
        ("eastpay", "payments.capture", (GUID, EGP), OF_EASTPAY, "succeeded"),
        ("flexfactor", "capture", (GUID, USD), {"id": GUID, "status": 7}, "COMPLETED"),
        ("velo", "payouts.instruct", (GUID,), {"status": "CONFIRMED"}, "CONFIRMED"),
        ("velo", "payouts.instruct", (GUID,), {"status": "INCOMPLETE"}, "INCOMPLETE"),
    ],
)
def test_a_status_is_final_by_the_words_of_each_system(system, name, arguments, read, status):
    named = {"victor": invoice(), "eastpay": {"merchant_transaction_id": "I"}}.get(system, {})
    response = httpx.Response(200, json=read)
    client, _ = scripted(CLIENTS[system][0], ARGUMENTS[system], response, retry=ONCE)
    with client:
        done = client.read_state(client.prepare(name, *arguments, **named), GUID)
    assert done.status == status
    assert done.is_final is (status != "INCOMPLETE"), "it may become more"
