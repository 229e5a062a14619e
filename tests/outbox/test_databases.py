"""What outboxes and inboxes ask of a database, and refuse of one: the rules of all boxes, on SQLite
and PostgreSQL.
"""

import ast
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest
import sqlalchemy as sa
from django.core.management import call_command
from django.db import DatabaseError, connections, transaction
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from tests.bulk.postgres import Postgres
from tests.outbox.django_project import use_database
from tests.outbox.kinds import Provider, async_url
from tests.outbox.rows import (
    AUTHORIZED,
    NOTES,
    change,
    change_events,
    end_leases,
    inbox_of,
    key_of,
    notes,
    received_number,
    references,
    settled_by_hand,
    states,
    stored,
    write,
)
from tests.providers.velo.test_velo_notifications import HEADER, body_of
from tests.providers.victor.adapter import invoice
from victor_ext import ConfigurationError
from victor_ext.event_queue import databases
from victor_ext.inbox import AsyncInbox, EventState, Inbox
from victor_ext.inbox.django import DjangoInbox
from victor_ext.outbox import AsyncOutbox, Outbox
from victor_ext.providers import velo

pytestmark = pytest.mark.slow
ROOMS = Path(__file__).parents[2] / "victor_ext"
DAY = 86_400.0
NOTIFICATION = body_of(1, "e-1")


# Clocks


@pytest.fixture
def clock_ahead(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let the clock of this machine be so many days ahead, as in the process of a worker."""
    true_time = time.time

    def move(days: float) -> None:
        monkeypatch.setattr(time, "time", lambda: true_time() + days * DAY)

    return move


def nodes_of(tree: ast.AST, kind: type[Any]) -> list[Any]:
    return [node for node in ast.walk(tree) if isinstance(node, kind)]


def test_two_places_read_the_clock_of_the_machine() -> None:
    """How long a call takes in this process, and what may be deleted; all else is by the clock of
    the database.
    """
    clocks = {"time.time", "datetime.now", "datetime.utcnow", "time.time_ns"}
    readers: set[str] = set()
    for room in ("event_queue", "inbox", "outbox", "settlement"):
        for file in (ROOMS / room).rglob("*.py"):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            for function in nodes_of(tree, ast.FunctionDef):
                calls = {ast.unparse(call.func) for call in nodes_of(function, ast.Call)}
                if calls & clocks:
                    readers.add(f"{room}/{file.name}:{function.name}")
    assert readers == {"event_queue/databases.py:earliest_time", "settlement/key_age.py:now"}


@pytest.mark.parametrize("days", [8, 91, 365])
def test_a_worker_whose_clock_is_ahead_forgets_no_id(
    engine: sa.Engine, clock_ahead: Callable[[float], None], days: float
) -> None:
    inbox = inbox_of(engine)
    inbox.on()(lambda session, event: write(session, event.subject))
    assert received_number(inbox, 1)
    assert len(inbox.handle()) == 1
    clock_ahead(days)
    assert inbox_of(engine).handle() == []
    clock_ahead(0)
    assert not received_number(inbox, 1)
    assert inbox.handle() == []
    assert notes(inbox) == ["e-1"]


@pytest.mark.parametrize("days", [8, 91, 365])
def test_a_worker_whose_clock_is_ahead_deletes_no_event_of_another_one(
    engine: sa.Engine, outbox: Outbox, clock_ahead: Callable[[float], None], days: float
) -> None:
    inbox = inbox_of(engine)
    received_number(inbox, 1)
    settled_by_hand(outbox)
    clock_ahead(days)
    for other in (inbox_of(engine), Outbox(engine)):
        other.on("of another kind")(lambda *_: None)
        assert other.handle() == []
    clock_ahead(0)
    told: list[str] = []
    for box in (inbox, outbox):
        box.on()(lambda _session, event: told.append(event.name))
        assert len(box.handle()) == 1
    assert told == ["payment.accepted", "sent"]


@pytest.mark.parametrize("days", [-8, 8])
def test_a_lease_is_held_whatever_the_clock_of_the_worker(
    outbox: Outbox, clock_ahead: Callable[[float], None], days: float
) -> None:
    def lose(_reference: str) -> None:
        raise httpx.ReadError("lost")

    provider = Provider(lose)
    provider.tells_time = False
    stored(outbox, invoice(1))
    with provider.client() as victor:
        clock_ahead(days)
        outbox.send(victor)
        clock_ahead(0)
        outbox.send(victor)
        assert provider.references == ["INV-1"]
        assert states(outbox.entries()) == ["sending"]
        end_leases(outbox)
        clock_ahead(days)
        outbox.send(victor)
        assert states(outbox.entries()) == ["settling"]  # it was taken up


@pytest.mark.parametrize("which", ["the database", "the provider"])
def test_what_is_deleted_is_old_by_all_clocks_that_are_known(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    """The clock of the database may be the one that is wrong; with SQLite it is the machine's."""
    inbox = inbox_of(engine)
    received_number(inbox, 1)
    database_time, machine_time, ahead = databases.database_time, time.time, 91 * DAY
    monkeypatch.setattr(databases, "database_time", lambda given: database_time(given) + ahead)
    client = None
    if which == "the provider":
        monkeypatch.setattr(time, "time", lambda: machine_time() + ahead)
        known = SimpleNamespace(is_known=True, moment=SimpleNamespace(timestamp=machine_time))
        client = SimpleNamespace(provider_time=lambda: known)
    inbox.handle(client)
    assert not received_number(inbox, 1)
    assert inbox.event_counts()[EventState.WAITING] == 1


def test_the_time_of_the_database_is_in_seconds(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        assert abs(databases.database_time(connection) - time.time()) < 1.0


# AUTOCOMMIT


def boxes_of(engine: sa.Engine) -> list[Any]:
    return [Outbox(engine), Inbox(engine, velo.Webhook(HEADER))]


def async_boxes_of(engine: Any) -> list[Any]:
    return [AsyncOutbox(engine), AsyncInbox(engine, velo.Webhook(HEADER))]


def driver_autocommit(url: str) -> dict[str, Any]:
    return {"isolation_level": None} if url.startswith("sqlite") else {"autocommit": True}


AUTOCOMMIT = {"isolation_level": "AUTOCOMMIT"}
ENGINES: dict[str, Callable[[Any, str], Any]] = {
    "create_engine": lambda make, url: make(url, **AUTOCOMMIT),
    "options of create_engine": lambda make, url: make(url, execution_options=AUTOCOMMIT),
    "options of the engine": lambda make, url: make(url).execution_options(**AUTOCOMMIT),
}


@pytest.mark.parametrize("way", ENGINES)
def test_an_engine_in_autocommit_is_refused_when_it_is_given(database_url: str, way: str) -> None:
    for make, url, boxes in (
        (sa.create_engine, database_url, boxes_of),
        (create_async_engine, async_url(database_url), async_boxes_of),
    ):
        with pytest.raises(ConfigurationError, match="The engine is in AUTOCOMMIT"):
            boxes(ENGINES[way](make, url))


def test_a_driver_in_autocommit_is_refused_before_anything_is_stored(database_url: str) -> None:
    options = {"connect_args": driver_autocommit(database_url)}
    engine = sa.create_engine(database_url, **options)
    for box in boxes_of(engine):
        for use in (box.create_table, box.handle, box.event_counts):
            with pytest.raises(ConfigurationError, match="is in AUTOCOMMIT"):
                use()

    async def awaited() -> None:
        async_engine = create_async_engine(async_url(database_url), **options)
        for box in async_boxes_of(async_engine):
            for use in (box.create_table, box.handle, box.event_counts):
                with pytest.raises(ConfigurationError, match="is in AUTOCOMMIT"):
                    await use()
        await async_engine.dispose()

    anyio.run(awaited)
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


SESSIONS: dict[str, Callable[[sa.Engine], Any]] = {
    "of an engine with the option": lambda engine: Session(engine.execution_options(**AUTOCOMMIT)),
    "of a driver": lambda engine: Session(in_driver_autocommit(engine)),
    "with the option": lambda engine: with_option(Session(engine)),
    "a connection": lambda engine: engine.connect().execution_options(**AUTOCOMMIT),
}


def in_driver_autocommit(engine: sa.Engine) -> sa.Engine:
    options = driver_autocommit(str(engine.url))
    return sa.create_engine(engine.url, connect_args=options, poolclass=sa.NullPool)


def with_option(session: Session) -> Session:
    session.connection(execution_options=AUTOCOMMIT)
    return session


@pytest.mark.parametrize("way", SESSIONS)
def test_a_session_in_autocommit_is_refused(engine: sa.Engine, outbox: Outbox, way: str) -> None:
    inbox = inbox_of(engine)
    with SESSIONS[way](engine) as session:
        with pytest.raises(ConfigurationError, match="is in AUTOCOMMIT"):
            outbox.add(session, **invoice())
        with pytest.raises(ConfigurationError, match="is in AUTOCOMMIT"):
            inbox.receive(session, NOTIFICATION, AUTHORIZED)
    assert outbox.entries() == []
    assert sum(inbox.event_counts().values()) == 0


def test_an_awaited_session_in_autocommit_is_refused(database_url: str) -> None:
    async def check() -> None:
        engine = create_async_engine(async_url(database_url))
        outbox = AsyncOutbox(engine)
        await outbox.create_table()
        async with AsyncSession(engine.execution_options(**AUTOCOMMIT)) as session:
            with pytest.raises(ConfigurationError, match="is in AUTOCOMMIT"):
                await outbox.add(session, **invoice())
        assert await outbox.entries() == []
        await engine.dispose()

    anyio.run(check)


def test_a_program_that_begins_the_transactions_of_sqlite_itself_is_welcome(tmp_path: Path) -> None:
    """As the documentation of SQLAlchemy has it; the driver is in autocommit then."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'own.sqlite'}")

    @sa.event.listens_for(engine, "connect")
    def leave_it_to_us(connection: Any, _record: object) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    outbox = Outbox(engine)
    outbox.create_table()
    with engine.connect() as connection:
        outbox.add(connection, **invoice(1))
        connection.rollback()
        outbox.add(connection, **invoice(2))
        connection.commit()
    assert references(outbox.entries()) == ["INV-2"]
    engine.dispose()


# Tables


def test_any_number_of_processes_make_the_tables_at_once(database_url: str) -> None:
    """Each has connections of its own."""
    start = threading.Barrier(24)

    def make(_: int) -> None:
        engine = sa.create_engine(database_url)
        engine.connect().close()
        start.wait(60)
        for box in boxes_of(engine):
            box.create_table()
        engine.dispose()

    with ThreadPoolExecutor(24) as threads:
        assert [*threads.map(make, range(24))] == [None] * 24
    engine = sa.create_engine(database_url)
    indexes = sa.inspect(engine).get_indexes("victor_inbox_events")
    assert "ix_victor_inbox_events_state" in {index["name"] for index in indexes}
    engine.dispose()


def test_who_may_not_make_tables_may_use_those_that_are_there(
    outbox: Outbox, postgres_server: Postgres, engine: sa.Engine
) -> None:
    if engine.name == "sqlite":
        file = engine.url.database
        reader = sa.create_engine(f"sqlite:///file:{file}?mode=ro&uri=true")
    else:
        reader = sa.create_engine(engine.url, connect_args={"application_name": "reader"})
        sa.event.listen(
            reader,
            "connect",
            lambda connection, _: connection.execute(
                "SET SESSION default_transaction_read_only = on"
            ),
        )
    Outbox(reader).create_table()
    reader.dispose()


def test_ids_have_64_bits(outbox: Outbox, engine: sa.Engine) -> None:
    inbox = inbox_of(engine)
    last = 2**40
    for table in (outbox.table, outbox.events, inbox.events):
        assert isinstance(table.c.id.type, sa.BigInteger)
    settled_by_hand(outbox)
    change(outbox, id=last)
    change_events(outbox, id=last)
    outbox.on("sent")(lambda *_: None)
    assert references(event.entry for event in outbox.handle()) == ["INV-1"]
    stored(outbox, invoice(2))
    assert len(outbox.entries()) == 2


def test_a_table_may_be_in_a_schema(engine: sa.Engine) -> None:
    if engine.name == "sqlite":
        folder = Path(str(engine.url.database)).parent
        sa.event.listen(
            engine,
            "connect",
            lambda connection, _: connection.execute(f"ATTACH '{folder}/other.sqlite' AS other"),
        )
        engine.dispose()
    else:
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE SCHEMA IF NOT EXISTS other"))
    outbox = Outbox(engine, table="other.entries")
    outbox.create_table()
    inbox = inbox_of(engine, table="other.received")
    stored(outbox, invoice())
    assert received_number(inbox, 1)
    assert len(outbox.entries()) == 1
    of_outbox = {"entries", "entries_events", "entries_control", "entries_references"}
    names = of_outbox | {"received", "received_events"}
    assert set(sa.inspect(engine).get_table_names("other")) == names
    assert not names & set(sa.inspect(engine).get_table_names())
    for box in (outbox, inbox):
        box.table.metadata.drop_all(engine)


@pytest.mark.parametrize("table", ["a.b.c", ".a", "a.", ""])
def test_what_is_no_name_of_a_table_is_refused(table: str) -> None:
    engine = sa.create_engine("sqlite://")
    for new_box in (Outbox, inbox_of):
        with pytest.raises(ConfigurationError, match=r"write 'name' or 'schema\.name'"):
            new_box(engine, table=table)


# A failover to another server


def fill_pool(engine: sa.Engine) -> None:
    """Several connections are in the pool, which others than the boxes use, too."""
    connections = [engine.connect() for _ in range(4)]
    for connection in connections:
        connection.close()


def test_connections_to_a_server_that_was_demoted_are_thrown_away_at_once(
    postgres_server: Postgres,
) -> None:
    engine = sa.create_engine(postgres_server.new_schema())
    NOTES.create(engine)
    outbox, inbox = Outbox(engine), inbox_of(engine)
    outbox.create_table()
    settled_by_hand(outbox)
    received_number(inbox, 1)
    for box in (outbox, inbox):
        box.on()(lambda session, _event: write(session, "handled"))
        engine.dispose()
        fill_pool(engine)
        with postgres_server.demoted():
            with pytest.raises(DBAPIError) as raised:
                box.handle()
            assert raised.value.orig is not None
            assert databases.sqlstate_of(raised.value.orig) == "25006"
            assert len(box.handle()) == 1
    assert notes(outbox) == ["handled"] * 2
    engine.dispose()
    fill_pool(engine)
    with postgres_server.demoted():  # in the transaction of the caller, too
        with pytest.raises(DBAPIError), Session(engine) as session, session.begin():
            outbox.add(session, **invoice(2))
        stored(outbox, invoice(2))
    engine.dispose()


def test_awaited_boxes_throw_them_away_too(postgres_server: Postgres) -> None:
    async def check() -> None:
        engine = create_async_engine(postgres_server.new_schema())
        inbox = AsyncInbox(engine, velo.Webhook(HEADER))
        await inbox.create_table()
        async with AsyncSession(engine) as session, session.begin():
            await inbox.receive(session, NOTIFICATION, AUTHORIZED)
        inbox.on()(lambda _session, _event: None)
        with postgres_server.demoted():
            with pytest.raises(DBAPIError):
                await inbox.handle()
            assert len(await inbox.handle()) == 1
        await engine.dispose()

    anyio.run(check)


def test_a_result_that_comes_during_a_failover_is_stored(postgres_server: Postgres) -> None:
    """The primary is demoted during the call: its answer is repeated under the same key."""
    engine = sa.create_engine(postgres_server.new_schema())
    outbox = Outbox(engine)
    outbox.create_table()
    stored(outbox, invoice(1))
    with ExitStack() as stack:
        provider = Provider()

        def demote(_reference: str) -> None:
            if len(provider.references) == 1:
                stack.enter_context(postgres_server.demoted())

        provider.meet = demote
        with provider.client() as victor:
            with pytest.raises(DBAPIError):
                outbox.send(victor)
            end_leases(outbox)
            assert states(outbox.send(victor)) == ["sent"]
    assert provider.keys == [key_of(1)] * 2
    engine.dispose()


def test_django_closes_its_connection_to_a_server_that_was_demoted(
    postgres_server: Postgres,
) -> None:
    with use_database(sa.make_url(postgres_server.new_schema())):
        connections.settings["default"]["CONN_MAX_AGE"] = None
        call_command("migrate", "victor_inbox", verbosity=0)
        inbox = DjangoInbox(velo.Webhook(HEADER))
        with transaction.atomic():
            inbox.receive(NOTIFICATION, AUTHORIZED)
        inbox.on()(lambda _using, _event: None)
        with postgres_server.demoted():
            with pytest.raises(DatabaseError):
                inbox.handle()
            assert len(inbox.handle()) == 1
        DjangoInbox._of_database.clear()
