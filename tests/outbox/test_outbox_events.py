"""What the outbox learns is an event: stored with the change that it is about, and handled once."""

import time
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest
import sqlalchemy as sa
from django.core.management import call_command
from django.db import connections
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from tests.outbox.kinds import Box, async_engine, tables_of
from tests.outbox.payouts import Payouts
from tests.outbox.rows import (
    end_leases,
    end_waits,
    execute,
    lengthen_waits,
    notes,
    references,
    resumed,
    states,
    statuses,
    stored,
    waits_since,
    write,
)
from tests.providers.connected.till import client_class
from tests.providers.running import GUID, ONCE, Script
from tests.providers.systems import ADAPTERS
from tests.providers.victor.adapter import invoice
from victor_ext import (
    AsyncVictor,
    ConfigurationError,
    NotFound,
    OperationRow,
    PreparedCall,
    Promise,
    Victor,
    connect,
)
from victor_ext.outbox import AsyncOutbox, Outbox, OutboxEvent
from victor_ext.outbox.adding import NewEntry
from victor_ext.outbox.django import DjangoOutbox
from victor_ext.providers import Money
from victor_ext.providers.eastpay import ResultCode
from victor_ext.providers.flexfactor import OrderStatus
from victor_ext.providers.velo import Velo
from victor_ext.testing import Faults, TimeTravel

pytestmark = pytest.mark.slow


def note(session: Any, event: OutboxEvent) -> None:
    write(session, f"{event.name} {event.entry.client_reference_id}")


def test_what_comes_next_is_added_in_the_transaction_of_the_result(
    outbox: Outbox, engine: sa.Engine, victor: Victor
) -> None:
    state = sa.select(outbox.table.c.state)
    seen: list[Any] = []

    @outbox.on("sent")
    def go_on(session: Session, event: OutboxEvent) -> None:
        if event.entry.client_reference_id != "INV-1":
            return
        with engine.connect() as another:
            seen.append(another.scalar(state))
        seen.extend([session.scalar(state), event.entry.state])
        outbox.add(session, **invoice(2))

    stored(outbox, invoice(1))
    assert references(outbox.send(victor)) == ["INV-1", "INV-2"]
    assert seen == ["sending", "sent", "sent"]
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
    began = time.time()
    assert states(outbox.send(victor)) == ["sent"]
    assert notes(outbox) == []
    assert waits_since(outbox, began)[0] > 1, "its time has not come"
    lengthen_waits(outbox)
    assert outbox.handle() == []
    failing.clear()
    end_waits(outbox)
    (event,) = outbox.handle()
    assert event.name == "sent"
    assert event.entry.state == "sent"
    assert event.tries == 2
    assert notes(outbox) == ["sent INV-1"]
    assert outbox.handle() == []


def test_what_no_handler_of_the_worker_wants_is_not_stored(
    outbox: Outbox, victor: Victor, time_travel: TimeTravel
) -> None:
    stored(outbox, invoice(1), invoice(2, payer_counterparty_id="declinesRfp"))
    outbox.on("completed")(note)
    outbox.on("declined", operation="payouts.submit")(note)
    outbox.send(victor)
    time_travel.advance(minutes=1)
    assert set(statuses(outbox.refresh(victor))) == {"completed", "declined"}
    assert notes(outbox) == ["completed INV-1"]
    assert sum(outbox.event_counts().values()) == 0


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
    rows = slow_pass.send(next(slow_pass)())()
    time_travel.advance(minutes=1)
    assert statuses(outbox.refresh(victor)) == ["completed"]
    assert slow._run(resumed(slow_pass, rows)) == []
    assert told == ["sent", "created", "completed"]
    assert statuses(outbox.entries()) == ["completed"]


@pytest.mark.parametrize("awaited", [False, True])
def test_handlers_of_the_awaited_outbox(
    sqlite: sa.Engine, async_victor: AsyncVictor, faults: Faults, awaited: bool
) -> None:
    Box("blocking", sqlite).add(**invoice(1))
    faults.status(400, operation="create")

    async def work() -> None:
        engine = async_engine(sqlite)
        outbox = AsyncOutbox(engine)

        def plain(session: Session, event: OutboxEvent) -> None:
            if event.tries == 1:
                raise ValueError("later")
            AsyncOutbox.add.steps(outbox, session, **invoice(2))

        async def waiting(session: AsyncSession, event: OutboxEvent) -> None:
            await session.run_sync(plain, event)

        outbox.on("rejected")(waiting if awaited else plain)
        await outbox.send(async_victor)
        async with engine.begin() as connection:
            await connection.execute(sa.update(outbox.events).values(due_at=0.0))
        assert len(await outbox.handle()) == 1
        assert await outbox.dead_letters() == []
        assert await outbox.retry_dead_letters() == 0
        assert sum((await outbox.event_counts()).values()) == 0
        assert states(await outbox.entries()) == ["rejected", "waiting"]
        await engine.dispose()

    anyio.run(work)


async def awaiting(_session: object, _event: object) -> None: ...


@pytest.mark.parametrize(
    ("arguments", "handler", "message"),
    [
        ({"name": "sent"}, awaiting, "only AsyncOutbox"),
        ({"name": note}, note, r"is no text: write @on\(\)"),
        ({"operation": "payouts.sumbit"}, note, "'payouts.sumbit' is no method of this client"),
    ],
)
def test_a_handler_that_would_never_work_is_refused(
    arguments: Any, handler: Any, message: str
) -> None:
    with Velo(**ADAPTERS["velo"].ARGUMENTS) as client:
        outbox = Outbox(sa.create_engine("sqlite://"), client=client)
        with pytest.raises(ConfigurationError, match=message):
            outbox.on(**arguments)(handler)
        outbox.on("sent", operation="payouts.submit")(note)


def test_handlers_on_the_transactions_of_django(engine: sa.Engine, victor: Victor) -> None:
    def work(using: str, event: OutboxEvent) -> None:
        with connections[using].cursor() as cursor:
            cursor.execute("INSERT INTO notes VALUES (%s)", [event.name])
        if event.tries == 1:
            raise ValueError("later")
        DjangoOutbox(using).add(**invoice(2))

    with tables_of("django", engine):
        outbox, by_sqlalchemy = DjangoOutbox(), Outbox(engine)
        outbox.on("sent")(work)
        stored(by_sqlalchemy, invoice(1))
        assert states(DjangoOutbox().send(victor)) == ["sent"]
        assert notes(by_sqlalchemy) == []
        end_waits(by_sqlalchemy)
        assert [event.name for event in DjangoOutbox().handle()] == ["sent"]
        DjangoOutbox._of_database.clear()
        assert notes(by_sqlalchemy) == ["sent"]
        assert states(outbox.entries()) == ["sent", "waiting"]
        assert by_sqlalchemy.event_counts() == outbox.event_counts()
        call_command("migrate", "victor_outbox", "zero", verbosity=0)
        assert not [name for name in sa.inspect(engine).get_table_names() if "outbox" in name]


# What other systems say later


def test_a_payout_goes_its_whole_way_by_its_events(
    outbox: Outbox, engine: sa.Engine, harness: Any
) -> None:
    with Velo(**harness.settings) as client:
        outbox = Outbox(engine, client=client)

        @outbox.on("accepted", operation="payouts.submit")
        def instruct(session: Session, event: OutboxEvent) -> None:
            key = f"instruct-{event.entry.idempotency_key}"
            payout_id = event.entry.request_id
            outbox.add_call(session, "payouts.instruct", payout_id, idempotency_key=key)

        @outbox.on("completed", operation="payouts.instruct")
        def book(session: Session, event: OutboxEvent) -> None:
            write(session, str(event.entry.request_id))

        Payouts("blocking", engine, harness).submit()
        for _ in range(6):
            sent, refreshed = outbox.send(), outbox.refresh()
            harness.sandbox.advance(seconds=60)
            end_leases(outbox)
        assert sent == []
        assert refreshed == []
        assert outbox.refresh() == []
        entries = outbox.entries()
    assert [entry.operation for entry in entries] == ["payouts.submit", "payouts.instruct"]
    assert statuses(entries) == ["ACCEPTED", "COMPLETED"]
    assert notes(outbox) == [entries[0].request_id]
    assert harness.calls("instruct") == harness.calls("submit") == 1


WITHDRAWAL = "DELETE /v1/payments/{payment_id}"


class Withdrawals:
    """A provider of payments that are withdrawn: what it says of each, and which were asked for."""

    def __init__(self) -> None:
        self.says: dict[str, Any] = {
            "p-1": (404, {}),
            "p-2": (200, {"state": "open"}),
            "p-3": (200, {"state": "paid"}),
        }
        self.asked: list[str] = []

    def client(self, operation: str = WITHDRAWAL) -> Any:
        transport = Script(self._answer).transport
        rows = {operation: OperationRow(final={"paid"})}
        options: dict[str, Any] = {"rows": rows, "transport": transport}
        return connect(client_class(), base_url="https://till.example", retry=ONCE, **options)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        payment_id = request.url.path.rpartition("/")[2]
        self.asked.append(payment_id)
        status, body = self.says[payment_id]
        return httpx.Response(status, json={"payment_id": payment_id, **body})


def with_withdrawals(outbox: Outbox) -> None:
    """An outbox that has withdrawn three payments, a day ago."""
    for payment_id in ("p-1", "p-2", "p-3"):
        call = PreparedCall(
            name="x",
            operation=WITHDRAWAL.replace("{payment_id}", "{}"),
            promise=Promise.KEYED,
            is_followed=True,
            method="DELETE",
            url=f"/v1/payments/{payment_id}",
            headers={},
            content=b"",
        )
        new = NewEntry.of(call, outbox.client, f"key-of-{payment_id}")
        with outbox._engine.begin() as connection:
            outbox._add(connection, new, lambda: None)
        is_it = outbox.table.c.key == f"key-of-{payment_id}"
        day_ago = time.time() - 86_400
        sent = {"state": "sent", "request_id": payment_id, "first_sent_at": day_ago}
        execute(outbox, sa.update(outbox.table).where(is_it).values(sent))


def test_what_is_read_of_one_keeps_no_other_waiting(outbox: Outbox, engine: sa.Engine) -> None:
    """Each is read every half a minute, and every hour after a day; one that fails is tried again
    then.
    """
    provider = Withdrawals()
    with provider.client() as client:
        outbox = Outbox(engine, client=client)
        with_withdrawals(outbox)
        with pytest.raises(NotFound):
            outbox.refresh()
        assert provider.asked == ["p-1", "p-2", "p-3"]
        assert statuses(outbox.entries()) == [None, "open", "paid"]
        with engine.connect() as connection:
            next_read = connection.scalar(sa.select(sa.func.min(outbox.table.c.leased_until)))
        assert next_read is not None
        assert next_read > time.time() + 3_000
        assert outbox.refresh() == []
        provider.says["p-1"] = provider.says["p-2"] = (200, {"status": "paid"})
        end_leases(outbox)
        assert statuses(outbox.refresh()) == ["paid", "paid"]
        assert provider.asked[3:] == ["p-1", "p-2"]


def test_what_no_read_shows_cannot_be_followed() -> None:
    message = "no read of the document shows what it made"
    with pytest.raises(ConfigurationError, match=message):
        Withdrawals().client("POST /v1/payments/search")


@pytest.mark.parametrize(
    ("system", "name", "arguments", "ends"),
    [
        ("eastpay", "payments.capture", ("8ac7a4a1", Money.of("1", "EGP")), "succeeded"),
        ("flexfactor", "capture", (GUID, Money.of("1", "USD")), "COMPLETED"),
        ("velo", "payouts.instruct", (GUID,), "CONFIRMED"),
        ("velo", "payouts.instruct", (GUID,), "INCOMPLETE"),  # and may become more
    ],
)
def test_the_final_words_of_each_system(system: str, name: str, arguments: Any, ends: str) -> None:
    adapter = ADAPTERS[system]
    named = {"merchant_transaction_id": "INV-1"} if system == "eastpay" else {}
    reads = {
        "eastpay": SimpleNamespace(result=ResultCode.parse("000.000.000")),
        "flexfactor": SimpleNamespace(status=OrderStatus.COMPLETED, status_name=None),
        "velo": SimpleNamespace(status=ends),
    }
    resource = SimpleNamespace(get=lambda _: reads[system], inquire=lambda _: reads[system])
    client = SimpleNamespace(payments=resource, orders=resource, payouts=resource)
    with adapter.Harness.kinds[0](**adapter.ARGUMENTS) as made:
        call = made.prepare(name, *arguments, **named)
        follow = made._config.loop.behaviour.operations.follow_of(call.operation)
        done = follow.done(follow.read(client, call, arguments[0]), arguments[0])
    assert call.is_followed is True
    assert done.status == ends
    assert done.is_final is (ends != "INCOMPLETE")
