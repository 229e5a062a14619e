"""What the outbox learns is an event: stored with the change that it is about, and handled once."""

import time
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from tests.outbox.conftest import NOTES
from tests.outbox.django_project import set_up, use_database
from tests.outbox.test_outbox import opened, set_leases, stored
from tests.providers.connected.till import client_class
from tests.providers.running import ONCE, Script
from tests.providers.systems import ADAPTERS
from tests.providers.velo.adapter import pay
from tests.providers.victor.adapter import invoice
from victor_ext import (
    AsyncVictor,
    ConfigurationError,
    NotFound,
    PreparedCall,
    Promise,
    Victor,
    connect,
)
from victor_ext.event_queue.queue import MOST_TRIES
from victor_ext.outbox import AsyncOutbox, EntryState, EventState, Outbox, OutboxEvent
from victor_ext.outbox.adding import _NewEntry
from victor_ext.providers import Money
from victor_ext.providers.eastpay import ResultCode
from victor_ext.providers.flexfactor import OrderStatus
from victor_ext.providers.velo import Velo
from victor_ext.testing import Faults, TimeTravel

pytestmark = pytest.mark.slow


def note(session: Any, event: OutboxEvent) -> None:
    session.execute(sa.insert(NOTES).values(text=f"{event.name} {event.entry.client_reference_id}"))


def notes(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return [*connection.scalars(sa.select(NOTES.c.text))]


def let_time_pass(outbox: Any, engine: sa.Engine, column: str = "due_at", to: float = 0.0) -> None:
    """All waits before the next try are over; or each event has this time in another column."""
    with engine.begin() as connection:
        connection.execute(sa.update(outbox.events).values({column: to}))


def resumed(steps: Any, result: Any) -> Any:
    """The rest of a pass, after the result of its first step."""
    while True:
        try:
            result = yield steps.send(result)
        except StopIteration as end:
            return end.value


def test_what_comes_next_is_added_in_the_transaction_of_the_result(
    outbox: Outbox, engine: sa.Engine, victor: Victor
) -> None:
    seen: list[Any] = []

    @outbox.on("sent")
    def go_on(session: Session, event: OutboxEvent) -> None:
        if event.entry.client_reference_id != "INV-1":
            return
        with engine.connect() as another:
            of_others = another.execute(sa.select(outbox.table.c.state)).scalar()
        seen.append(
            (
                of_others,
                session.execute(sa.select(outbox.table.c.state)).scalar(),
                event.entry.state,
            )
        )
        outbox.add(session, **invoice(2))

    stored(outbox, invoice(1))
    assert [entry.client_reference_id for entry in outbox.send(victor)] == ["INV-1", "INV-2"]
    assert seen == [("sending", "sent", EntryState.SENT)]
    assert outbox.handle() == []


@pytest.mark.parametrize("fails", ["at once", "when its transaction ends"])
def test_a_result_is_stored_whatever_a_handler_does(
    outbox: Outbox, engine: sa.Engine, victor: Victor, fails: str
) -> None:
    """A constraint may be checked by the commit.

    Then the result is stored in another transaction, without its work.
    """
    failing = [fails]

    @outbox.on("sent", operation="payment_requests.create")
    def work(session: Session, event: OutboxEvent) -> None:
        note(session, event)
        if failing == ["at once"]:
            raise ValueError("not now")
        if failing:
            sa.event.listen(engine, "commit", refuse, once=True)

    def refuse(_connection: object) -> None:
        failing.clear()
        raise ValueError("no commit")

    stored(outbox, invoice(1))
    assert [entry.state for entry in outbox.send(victor)] == [EntryState.SENT]
    assert notes(engine) == []
    failing.clear()
    let_time_pass(outbox, engine)
    assert [(event.name, event.entry.state) for event in outbox.handle()] == [
        ("sent", EntryState.SENT)
    ]
    assert notes(engine) == ["sent INV-1"]
    assert outbox.handle() == []


def test_what_fails_too_often_is_a_dead_letter_with_its_reason(
    outbox: Outbox, engine: sa.Engine, victor: Victor
) -> None:
    fails = True

    @outbox.on("SENT")
    def work(session: Session, event: OutboxEvent) -> None:
        note(session, event)
        if fails:
            raise ValueError("no more paper in the printer of 043987673645")

    stored(outbox, invoice(1), invoice(2))
    outbox.send(victor)
    assert outbox.handle() == []  # their time has not come
    for _ in range(MOST_TRIES - 1):  # `send` has tried once
        assert outbox.event_counts()[EventState.DEAD] == 0
        let_time_pass(outbox, engine)
        assert outbox.handle() == []
    letters = {letter.subject: letter for letter in outbox.dead_letters()}
    first, second = (letters[invoice(number)["idempotency_key"]] for number in (1, 2))
    assert (first.name, first.source, first.tries) == (
        "sent",
        "payment_requests.create",
        MOST_TRIES,
    )
    assert first.error == "ValueError: no more paper in the printer of ********3645"
    let_time_pass(outbox, engine)
    fails = False
    assert (
        outbox.handle(),
        outbox.retry_dead_letters(first.id),
        outbox.retry_dead_letters(first.id),
    ) == ([], 1, 0)
    assert [event.entry.client_reference_id for event in outbox.handle()] == ["INV-1"]
    assert outbox.dead_letters() == [second]
    assert outbox.retry_dead_letters() == 1


def test_what_ends_its_process_every_time_is_a_dead_letter_too(
    outbox: Outbox, engine: sa.Engine
) -> None:
    settled_by_hand(outbox)

    @outbox.on()
    def out_of_memory(_session: object, _event: object) -> None:
        raise SystemExit

    for stored_at in (time.time(), 0.0):  # not before an hour has passed
        for _ in range(MOST_TRIES if stored_at else 1):
            with pytest.raises(SystemExit):
                outbox.handle()
            let_time_pass(outbox, engine)
        let_time_pass(outbox, engine, "stored_at", stored_at)
    assert outbox.handle() == []
    (letter,) = outbox.dead_letters()
    assert (letter.tries, "did not end within the lease" in letter.error) == (MOST_TRIES + 1, True)


def settled_by_hand(outbox: Outbox) -> None:
    """The event `sent` of an entry is stored, as by `victor outbox resolve`, whose process has no
    handlers.
    """
    stored(outbox, invoice(1))
    with outbox._engine.begin() as connection:
        connection.execute(sa.update(outbox.table).values(state="unclear"))
    Outbox(outbox._engine).resolve(
        invoice(1)["idempotency_key"], done=True, by="Zoë", why="the portal has it"
    )


def test_what_no_handler_of_the_worker_wants_is_not_stored(
    outbox: Outbox, engine: sa.Engine, victor: Victor, time_travel: TimeTravel
) -> None:
    stored(outbox, invoice(1), invoice(2, payer_counterparty_id="declinesRfp"))
    outbox.on("completed")(note)
    outbox.on("declined", operation="payouts.submit")(note)
    outbox.send(victor)
    time_travel.advance(minutes=1)
    assert {entry.status for entry in outbox.refresh(victor)} == {"completed", "declined"}
    assert (notes(engine), sum(outbox.event_counts().values())) == (["completed INV-1"], 0)


def test_what_nobody_wants_is_deleted_after_the_days_of_the_page(
    outbox: Outbox, engine: sa.Engine
) -> None:
    settled_by_hand(outbox)
    for days, left in ((6, 1), (8, 0)):
        let_time_pass(outbox, engine, "stored_at", time.time() - days * 86_400)
        worker = Outbox(engine)
        worker.on("rejected")(note)
        worker.handle()
        assert outbox.event_counts()[EventState.WAITING] == left


def test_the_outbox_of_one_system_leaves_the_events_of_another_one(
    outbox: Outbox, engine: sa.Engine
) -> None:
    """One table has the writes of all systems."""
    settled_by_hand(outbox)
    let_time_pass(outbox, engine, "stored_at")
    for name in ("sent", "rejected"):
        other = Outbox(engine, client=SimpleNamespace(provider="Velo"))
        other.on(name)(note)
        assert other.handle() == []
    outbox.on("sent")(note)
    assert [event.entry.provider for event in outbox.handle()] == ["Victor"]


def test_a_change_that_two_workers_see_is_one_event(
    outbox: Outbox, engine: sa.Engine, victor: Victor, time_travel: TimeTravel
) -> None:
    """The one that is slow has read a page before the change, too: what it brings is older."""
    told: list[str] = []
    outbox.on()(lambda _session, event: told.append(event.name))
    stored(outbox, invoice())
    outbox.send(victor)
    slow = Outbox(engine)
    slow_pass: Any = Outbox.refresh.steps(slow, victor)
    read_rows = slow_pass.send(next(slow_pass)())()
    time_travel.advance(minutes=1)
    assert [entry.status for entry in outbox.refresh(victor)] == ["completed"]
    assert slow._run(resumed(slow_pass, read_rows)) == []
    assert (told, outbox.entries()[0].status) == (["sent", "created", "completed"], "completed")


def test_one_of_two_workers_handles_an_event_and_the_other_takes_what_a_killed_one_had(
    outbox: Outbox, engine: sa.Engine
) -> None:
    settled_by_hand(outbox)
    outbox.on("sent")(note)
    stopped: Any = Outbox.handle.steps(outbox)
    next(stopped)()
    taken = stopped.send(None)()  # it has taken the event, and no more
    assert outbox.handle() == []
    let_time_pass(outbox, engine)
    assert [event.tries for event in outbox.handle()] == [2]
    assert outbox._run(resumed(stopped, taken)) == []  # it was killed, or slept and goes on
    assert notes(engine) == ["sent INV-1"]


@pytest.mark.parametrize("awaited", [False, True])
def test_handlers_of_the_awaited_outbox(
    tmp_path: Any, async_victor: AsyncVictor, faults: Faults, awaited: bool
) -> None:
    async def work() -> None:
        async with opened(f"sqlite:///{tmp_path / 'a.sqlite'}") as (outbox, session):

            def plain(session: Session, event: OutboxEvent) -> None:
                if event.tries == 1:
                    raise ValueError("later")
                AsyncOutbox.add.steps(outbox, session, **invoice(2))

            async def waiting(session: AsyncSession, event: OutboxEvent) -> None:
                await session.run_sync(plain, event)

            outbox.on("rejected")(waiting if awaited else plain)
            await outbox.add(session, **invoice(1))
            await session.commit()
            faults.status(400, operation="create")
            await outbox.send(async_victor)
            await session.execute(sa.update(outbox.events).values(due_at=0.0))
            await session.commit()
            assert len(await outbox.handle()) == 1
            assert (await outbox.dead_letters(), await outbox.retry_dead_letters()) == ([], 0)
            assert sum((await outbox.event_counts()).values()) == 0
            states = [entry.state for entry in await outbox.entries()]
        assert states == [EntryState.REJECTED, EntryState.WAITING]

    anyio.run(work)


async def awaiting(_session: object, _event: object) -> None: ...


@pytest.mark.parametrize(
    ("arguments", "handler", "said"),
    [
        ({"name": "sent"}, awaiting, "only AsyncOutbox"),
        ({"name": note}, note, r"is no text: write @on\(\)"),
        ({"operation": "payouts.sumbit"}, note, "'payouts.sumbit' is no method of this client"),
    ],
)
def test_a_handler_that_would_never_work_is_refused(
    arguments: Any, handler: Any, said: str
) -> None:
    with (
        Velo(**ADAPTERS["velo"].ARGUMENTS) as client,
        pytest.raises(ConfigurationError, match=said),
    ):
        Outbox(sa.create_engine("sqlite://"), client=client).on(**arguments)(handler)
    with Velo(**ADAPTERS["velo"].ARGUMENTS) as client:
        Outbox(sa.create_engine("sqlite://"), client=client).on("sent", operation="payouts.submit")(
            note
        )


def test_handlers_on_the_transactions_of_django(engine: sa.Engine, victor: Victor) -> None:
    set_up()
    from django.core.management import call_command
    from django.db import connections

    from victor_ext.outbox.django import DjangoOutbox

    def work(using: str, event: OutboxEvent) -> None:
        with connections[using].cursor() as cursor:
            cursor.execute("INSERT INTO notes VALUES (%s)", [event.name])
        if event.tries == 1:
            raise ValueError("later")
        DjangoOutbox(using).add(**invoice(2))

    with use_database(engine.url):
        call_command("migrate", verbosity=0)
        outbox = DjangoOutbox()
        outbox.on("sent")(work)
        with engine.begin() as connection:
            Outbox(engine).add(connection, **invoice(1))
        assert [entry.state for entry in DjangoOutbox().send(victor)] == [EntryState.SENT]
        assert notes(engine) == []
        let_time_pass(outbox, engine)
        assert [event.name for event in DjangoOutbox().handle()] == ["sent"]
        DjangoOutbox._of_database.clear()
        assert notes(engine) == ["sent"]
        assert [entry.state for entry in outbox.entries()] == [EntryState.SENT, EntryState.WAITING]
        assert Outbox(engine).event_counts() == outbox.event_counts()
        call_command("migrate", "victor_outbox", "zero", verbosity=0)
        assert not {name for name in sa.inspect(engine).get_table_names() if "outbox" in name}


# What other systems say later


def test_a_payout_goes_its_whole_way_by_its_events(engine: sa.Engine) -> None:
    with ADAPTERS["velo"].SANDBOX() as sandbox:
        harness = ADAPTERS["velo"].Harness(sandbox, awaited=False)
        with Velo(**harness.settings) as client:
            outbox = Outbox(engine, client=client)
            outbox.create_table()

            @outbox.on("accepted", operation="payouts.submit")
            def instruct(session: Session, event: OutboxEvent) -> None:
                key = f"instruct-{event.entry.idempotency_key}"
                outbox.add_call(
                    session, "payouts.instruct", event.entry.request_id, idempotency_key=key
                )

            outbox.on("completed", operation="payouts.instruct")(
                lambda session, event: session.execute(
                    sa.insert(NOTES).values(text=event.entry.request_id)
                )
            )
            with Session(engine) as session, session.begin():
                payor = {"payor_id": harness.payor}
                outbox.add_call(
                    session, "payouts.submit", [pay()], idempotency_key="k-1", look_up_by=payor
                )
            for _ in range(6):
                sent, refreshed = outbox.send(), outbox.refresh()
                sandbox.advance(seconds=60)
                set_leases(outbox, engine)
            assert (sent, refreshed, outbox.refresh()) == ([], [], [])
            assert [(entry.operation, entry.status) for entry in outbox.entries()] == [
                ("payouts.submit", "ACCEPTED"),
                ("payouts.instruct", "COMPLETED"),
            ]
            assert notes(engine) == [outbox.entries()[0].request_id]
            assert harness.calls("instruct") == harness.calls("submit") == 1


def test_what_is_read_of_one_keeps_no_other_waiting(engine: sa.Engine) -> None:
    """A read of each half a minute; one that fails is tried again then."""
    says: dict[str, Any] = {
        "p-1": (404, {}),
        "p-2": (200, {"state": "open"}),
        "p-3": (200, {"state": "paid"}),
    }
    asked: list[str] = []

    def provider(request: httpx.Request) -> httpx.Response:
        payment_id = request.url.path.rpartition("/")[2]
        asked.append(payment_id)
        status, body = says[payment_id]
        return httpx.Response(status, json={"payment_id": payment_id, **body})

    way, final = "POST /v1/payments/{payment_id}/refunds", {"paid"}
    options: dict[str, Any] = {
        "base_url": "https://till.example",
        "retry": ONCE,
        "transport": Script(provider).transport,
    }
    with pytest.raises(
        ConfigurationError,
        match="no read of the document shows what 'POST /v1/payments/search' made",
    ):
        connect(client_class(), final={"POST /v1/payments/search": final}, **options)
    with connect(client_class(), final={way: final}, **options) as client:
        outbox = Outbox(engine, client=client)
        outbox.create_table()
        for number in (1, 2, 3):
            call = PreparedCall(
                name="x",
                operation=way.replace("{payment_id}", "{}"),
                promise=Promise.KEYED,
                is_followed=True,
                method="POST",
                url=f"/v1/payments/p-{number}/refunds",
                headers={},
                content=b"",
            )
            with engine.begin() as connection:
                outbox._add(connection, _NewEntry.of(call, client, f"k-{number}"), lambda: None)
                sent = {
                    "state": "sent",
                    "request_id": f"p-{number}",
                    "first_sent_at": time.time() - 86_400,
                }
                connection.execute(
                    sa.update(outbox.table).where(outbox.table.c.id == number).values(sent)
                )
        with pytest.raises(NotFound):
            outbox.refresh()
        assert (asked, [entry.status for entry in outbox.entries()]) == (
            ["p-1", "p-2", "p-3"],
            [None, "open", "paid"],
        )
        with engine.connect() as connection:  # what has not ended after a day is read each hour
            assert (
                connection.scalar(sa.select(sa.func.min(outbox.table.c.leased_until)))
                > time.time() + 3_000
            )
        assert outbox.refresh() == []
        says["p-1"] = says["p-2"] = (200, {"status": "paid"})
        set_leases(outbox, engine)
        assert [entry.status for entry in outbox.refresh()] == ["paid", "paid"]
        assert asked[3:] == ["p-1", "p-2"]


@pytest.mark.parametrize(
    ("system", "name", "arguments", "ends"),
    [
        ("eastpay", "payments.capture", ("8ac7a4a1", Money.of("1", "EGP")), "succeeded"),
        (
            "flexfactor",
            "capture",
            ("3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71", Money.of("1", "USD")),
            "COMPLETED",
        ),
        ("velo", "payouts.instruct", ("3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71",), "CONFIRMED"),
        (
            "velo",
            "payouts.instruct",
            ("3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71",),
            "INCOMPLETE",
        ),  # and may become more
    ],
)
def test_the_final_words_of_each_system(system: str, name: str, arguments: Any, ends: str) -> None:
    adapter = ADAPTERS[system]
    given = {"merchant_transaction_id": "INV-1"} if system == "eastpay" else {}
    client = SimpleNamespace(
        payments=SimpleNamespace(
            inquire=lambda id: SimpleNamespace(result=ResultCode.parse("000.000.000"))
        ),
        orders=SimpleNamespace(
            get=lambda id: SimpleNamespace(status=OrderStatus.COMPLETED, status_name=None)
        ),
        payouts=SimpleNamespace(get=lambda id: SimpleNamespace(status=ends)),
    )
    with adapter.Harness.kinds[0](**adapter.ARGUMENTS) as made:
        call = made.prepare(name, *arguments, **given)
        follow = made._config.loop.behaviour.operations.follow_of(call.operation)
        done = follow.done(follow.read(client, call, arguments[0]), arguments[0])
    assert (call.is_followed, done.status, done.is_final) == (True, ends, ends != "INCOMPLETE")
