"""What outboxes and inboxes ask of a database, and refuse of one: the rules of all boxes, on SQLite
and PostgreSQL.
"""

import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import anyio
import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from tests.outbox.kinds import Provider, async_url
from tests.outbox.rows import (
    end_claims,
    inbox_of,
    key_of,
    received_number,
    states,
    stored,
)
from tests.payments import invoice
from tests.providers.velo.test_velo_notifications import HEADER
from victor_ext import ConfigurationError, ProviderTime
from victor_ext._event_queue import databases
from victor_ext.inbox import AsyncInbox, EventState, Inbox
from victor_ext.outbox import AsyncOutbox, Outbox
from victor_ext.providers import velo

pytestmark = pytest.mark.slow
DAY = 86_400.0


# Clocks


@pytest.fixture
def clock_ahead(monkeypatch):
    """Let the clock of this machine be so many days ahead, as in the process of a worker."""
    true_time = time.time

    def move(days):
        monkeypatch.setattr(time, "time", lambda: true_time() + days * DAY)

    return move


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


@pytest.mark.parametrize("is_awaited", [False, True])
def test_autocommit_is_refused_before_anything_is_stored(database_url, is_awaited):
    """Of the engine or of the driver, in whichever way it was set."""
    make, url = sa.create_engine, database_url
    if is_awaited:
        make, url = create_async_engine, async_url(database_url)
    level = {"isolation_level": "AUTOCOMMIT"}
    engines = [
        make(url, **level, poolclass=sa.NullPool),
        make(url, poolclass=sa.NullPool).execution_options(**level),
        make(url, connect_args={"autocommit": True}, poolclass=sa.NullPool),
    ]
    if database_url.startswith("sqlite"):
        if sys.version_info < (3, 12):
            engines.pop()
        no_level = {"isolation_level": None}
        engines.append(make(url, connect_args=no_level, poolclass=sa.NullPool))
    outboxes = AsyncOutbox if is_awaited else Outbox
    inboxes = AsyncInbox if is_awaited else Inbox
    for engine in engines:
        for box in (outboxes(engine), inboxes(engine, velo.Webhook(HEADER))):
            with pytest.raises(ConfigurationError, match="is in AUTOCOMMIT"):
                anyio.run(box.create_table) if is_awaited else box.create_table()


# Tables


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


# A failover to another server


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
