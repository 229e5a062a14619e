"""What outboxes and inboxes ask of a database, and refuse of one: the rules of all boxes, on SQLite
and PostgreSQL.
"""

import ast
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import anyio
import httpx
import pytest
import sqlalchemy as sa
from django.core.management import call_command
from django.db import DatabaseError, connections, transaction
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from tests.outbox.django_project import use_database
from tests.outbox.kinds import Provider, async_url
from tests.outbox.rows import (
    AUTHORIZED,
    change,
    change_events,
    end_claims,
    inbox_of,
    key_of,
    received_number,
    references,
    settled_by_hand,
    states,
    stored,
)
from tests.providers.velo.test_velo_notifications import HEADER, body_of
from tests.providers.victor.adapter import invoice
from victor_ext import ConfigurationError, ProviderTime
from victor_ext._event_queue import databases
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
def clock_ahead(monkeypatch):
    """Let the clock of this machine be so many days ahead, as in the process of a worker."""
    true_time = time.time

    def move(days):
        monkeypatch.setattr(time, "time", lambda: true_time() + days * DAY)

    return move


def test_only_two_functions_of_the_boxes_read_the_clock_of_the_machine():
    """How long a call takes in this process, and what may be deleted; all else is by the clock of
    the database.
    """
    clocks, readers = {"time.time", "datetime.now", "datetime.utcnow", "time.time_ns"}, set()
    for room in ("_event_queue", "inbox", "outbox", "_settlement"):
        for file in (ROOMS / room).rglob("*.py"):
            for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                    body = ast.unparse(function)
                    if any(f"{clock}(" in body for clock in clocks):
                        readers.add(f"{file.name}:{function.name}")
    assert readers == {"databases.py:earliest_time", "key_age.py:now"}


@pytest.mark.parametrize("days", [-8, 8])
def test_a_lease_is_held_whatever_the_clock_of_the_worker(outbox, clock_ahead, days):
    def lose(_reference):
        raise httpx.ReadError("lost")

    provider = Provider(lose)
    provider.tells_time = False
    stored(outbox, invoice(1))
    with provider.client() as victor:
        for ahead in (days, 0):
            clock_ahead(ahead)
            outbox.send(victor)
            end_claims(outbox, 60.0)  # however slow this machine is, it is too early for the next
        assert provider.references == ["INV-1"]
        assert states(outbox.entries()) == ["sending"]
        end_claims(outbox)
        clock_ahead(days)
        outbox.send(victor)
    assert states(outbox.entries()) == ["settling"]  # it was taken up


@pytest.mark.parametrize(
    ("by_machine", "by_database", "by_provider"),
    [(91, 0, None), (0, 91, None), (91, 91, 0)],
    ids=["the database's", "the machine's", "the provider's"],
)
def test_an_event_is_deleted_only_if_all_known_clocks_say_that_the_event_is_old(
    engine, monkeypatch, clock_ahead, by_machine, by_database, by_provider
):
    """One of them is right: the clock of a database may be the machine's."""
    inbox, database_time = inbox_of(engine), databases.database_time
    received_number(inbox, 1)
    ahead = by_database * DAY
    monkeypatch.setattr(databases, "database_time", lambda given: database_time(given) + ahead)
    client = None
    if by_provider is not None:
        moment = datetime.now(UTC)
        client = SimpleNamespace(provider_time=lambda: ProviderTime(moment, is_known=True))
    clock_ahead(by_machine)
    inbox.handle(client)
    assert not received_number(inbox, 1)
    assert inbox.event_counts()[EventState.WAITING] == 1


# AUTOCOMMIT


def boxes(engine, make=sa.create_engine):
    """An outbox and an inbox of an engine that this has made."""
    kinds = (Outbox, Inbox) if make is sa.create_engine else (AsyncOutbox, AsyncInbox)
    return [kinds[0](engine), kinds[1](engine, velo.Webhook(HEADER))]


@pytest.mark.parametrize("make", [sa.create_engine, create_async_engine])
def test_an_engine_in_autocommit_is_refused_when_it_is_given(database_url, make):
    url = database_url if make is sa.create_engine else async_url(database_url)
    option = {"isolation_level": "AUTOCOMMIT"}
    engines = make(url, **option), make(url, execution_options=option)
    for engine in (*engines, make(url).execution_options(**option)):
        with pytest.raises(ConfigurationError, match="The engine is in AUTOCOMMIT"):
            boxes(engine, make)


@pytest.mark.parametrize("make", [sa.create_engine, create_async_engine])
def test_a_driver_in_autocommit_is_refused_before_anything_is_stored(database_url, make):
    is_awaited = make is not sa.create_engine
    url = async_url(database_url) if is_awaited else database_url
    is_sqlite = url.startswith("sqlite")
    options = {"isolation_level": None} if is_sqlite else {"autocommit": True}
    engine = make(url, connect_args=options, poolclass=sa.NullPool)
    for box in boxes(engine, make):
        for use in (box.create_table, box.handle, box.event_counts):
            with pytest.raises(ConfigurationError, match="is in AUTOCOMMIT"):
                anyio.run(use) if is_awaited else use()
    plain = sa.create_engine(database_url)
    assert sa.inspect(plain).get_table_names() == []
    plain.dispose()


def test_a_session_in_autocommit_is_refused(engine, outbox):
    inbox, option = inbox_of(engine), {"isolation_level": "AUTOCOMMIT"}
    of_engine = Session(engine.execution_options(**option))
    with of_engine, Session(engine) as changed, engine.connect() as connection:
        changed.connection(execution_options=option)
        for session in (of_engine, changed, connection.execution_options(**option)):
            with pytest.raises(ConfigurationError, match="is in AUTOCOMMIT"):
                outbox.add(session, **invoice())
            with pytest.raises(ConfigurationError, match="is in AUTOCOMMIT"):
                inbox.receive(session, NOTIFICATION, AUTHORIZED)
    assert outbox.entries() == []


# Tables


def test_workers_that_begin_at_once_may_all_make_the_tables(database_url):
    """Each is a thread with an engine of its own."""
    workers = 24
    start = threading.Barrier(workers)

    def make(_):
        engine = sa.create_engine(database_url)
        engine.connect().close()
        start.wait(60)
        for box in boxes(engine):
            box.create_table()
        engine.dispose()

    with ThreadPoolExecutor(workers) as threads:
        assert [*threads.map(make, range(workers))] == [None] * workers


def test_a_user_who_may_not_make_tables_may_call_create_table_where_they_exist(
    outbox, postgres_server, engine
):
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
    with pytest.raises(DBAPIError, match=r"read-?only"):
        Outbox(reader, table="not_there").create_table()
    reader.dispose()


def test_ids_have_64_bits(outbox, engine):
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


def test_a_table_may_be_in_a_schema(engine):
    if engine.name == "sqlite":
        attach = f"ATTACH '{Path(str(engine.url.database)).parent}/other.sqlite' AS other"
        sa.event.listen(engine, "connect", lambda connection, _: connection.execute(attach))
        engine.dispose()
    else:
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE SCHEMA IF NOT EXISTS other"))
    outbox = Outbox(engine, table="other.entries")
    outbox.create_table()
    inbox = inbox_of(engine, table="other.received")
    stored(outbox, invoice())
    assert received_number(inbox, 1)
    parts = ("", "_events", "_control", "_references")
    names = {f"entries{part}" for part in parts}
    in_schema = set(sa.inspect(engine).get_table_names("other"))
    assert in_schema == names | {"received", "received_events"}
    for box in (outbox, inbox):
        box.table.metadata.drop_all(engine)


@pytest.mark.parametrize("table", ["a.b.c", ".a", "a.", ""])
def test_a_text_that_is_no_name_of_a_table_is_refused(table):
    engine = sa.create_engine("sqlite://")
    for new_box in (Outbox, inbox_of):
        with pytest.raises(ConfigurationError, match=r"write 'name' or 'schema\.name'"):
            new_box(engine, table=table)


# A failover to another server


@pytest.fixture
def pooled(postgres_server):
    """The engine of a database, with a pool that others than the boxes use, too."""
    engine = sa.create_engine(postgres_server.new_schema())
    yield engine
    engine.dispose()


def connect_several(engine):
    """Several connections to the server of now are in the pool, and no other ones."""
    engine.dispose()
    for connection in [engine.connect() for _ in range(4)]:
        connection.close()


def test_connections_to_a_server_that_was_demoted_are_thrown_away_at_once(postgres_server, pooled):
    outbox, inbox = Outbox(pooled), inbox_of(pooled)
    outbox.create_table()
    settled_by_hand(outbox)
    received_number(inbox, 1)
    for box in (outbox, inbox):
        box.on()(lambda _session, _event: None)
        connect_several(pooled)
        with postgres_server.demoted():
            with pytest.raises(DBAPIError) as raised:
                box.handle()
            assert databases.sqlstate_of(raised.value.orig) == "25006"
            assert len(box.handle()) == 1


def test_a_call_that_is_stored_in_the_callers_transaction_throws_them_away_too(
    postgres_server, pooled
):
    outbox = Outbox(pooled)
    outbox.create_table()
    connect_several(pooled)
    with postgres_server.demoted():
        with pytest.raises(DBAPIError):
            stored(outbox, invoice(2))
        stored(outbox, invoice(2))


def test_awaited_boxes_throw_connections_to_a_demoted_server_away_too(postgres_server):
    async def check():
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


def test_a_result_that_comes_during_a_failover_is_stored(postgres_server):
    """The primary is demoted during the call: its answer is repeated under the same key."""
    engine = sa.create_engine(postgres_server.new_schema())
    outbox = Outbox(engine)
    outbox.create_table()
    stored(outbox, invoice(1))
    with ExitStack() as stack:
        provider = Provider()

        def demote(_reference):
            if len(provider.references) == 1:
                stack.enter_context(postgres_server.demoted())

        provider.meet = demote
        with provider.client() as victor:
            with pytest.raises(DBAPIError):
                outbox.send(victor)
            end_claims(outbox)
            assert states(outbox.send(victor)) == ["sent"]
    assert provider.keys == [key_of(1)] * 2
    engine.dispose()


@pytest.mark.parametrize("pooled", [False, True])
def test_django_closes_its_connections_to_a_server_that_was_demoted(postgres_server, pooled):
    with use_database(sa.make_url(postgres_server.new_schema()), pooled=pooled):
        if not pooled:  # a pool keeps them, and refuses this
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
