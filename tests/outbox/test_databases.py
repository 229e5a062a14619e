"""What outboxes and inboxes ask of a database, and refuse of one: the rules of all boxes, on SQLite
and PostgreSQL.
"""

import ast
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from tests.bulk.postgres import Postgres
from tests.outbox.conftest import NOTES
from tests.outbox.django_project import set_up, use_database
from tests.outbox.test_outbox import set_leases, stored
from tests.outbox.test_outbox_events import note, notes, settled_by_hand
from tests.providers.velo.test_velo_notifications import HEADER, body_of
from tests.providers.victor.adapter import invoice
from victor_ext import ConfigurationError, RetryPolicy, Victor, VictorJwt
from victor_ext.event_queue import databases
from victor_ext.inbox import AsyncInbox, EventState, Inbox
from victor_ext.outbox import AsyncOutbox, EntryState, Outbox
from victor_ext.providers import velo

pytestmark = pytest.mark.slow
ROOMS = Path(__file__).parents[2] / "victor_ext"
DAY = 86_400.0
AUTHORIZED = {"Authorization": HEADER}


def inbox_of(engine: sa.Engine, **options: Any) -> Inbox:
    inbox = Inbox(engine, velo.Webhook(HEADER), **options)
    inbox.create_table()
    return inbox


def received(inbox: Inbox, number: int) -> bool:
    with Session(inbox._engine) as session, session.begin():
        return inbox.receive(session, body_of(number, f"e-{number}"), AUTHORIZED) is not None


# Clocks


@pytest.fixture
def clock_ahead(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let the clock of this machine be so many days ahead, as in the process of a worker."""
    true_time = time.time

    def move(days: float) -> None:
        monkeypatch.setattr(time, "time", lambda: true_time() + days * DAY)

    return move


def test_two_places_read_the_clock_of_the_machine() -> None:
    """How long a call takes in this process, and what may be deleted; all else is by the clock of
    the database.
    """
    readers: set[str] = set()
    for room in ("event_queue", "inbox", "outbox"):
        for file in sorted((ROOMS / room).rglob("*.py")):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
            for function in functions:
                calls = {
                    ast.unparse(node.func)
                    for node in ast.walk(function)
                    if isinstance(node, ast.Call)
                }
                if calls & {"time.time", "datetime.now", "datetime.utcnow", "time.time_ns"}:
                    readers.add(f"{room}/{file.name}:{function.name}")
    assert readers == {"event_queue/databases.py:earliest_time", "outbox/passes.py:_moment"}


@pytest.mark.parametrize("days", [8, 91, 365])
def test_a_worker_whose_clock_is_ahead_forgets_no_id(
    engine: sa.Engine, clock_ahead: Callable[[float], None], days: float
) -> None:
    inbox = inbox_of(engine)
    inbox.on()(lambda session, event: session.execute(sa.insert(NOTES).values(text=event.subject)))
    assert received(inbox, 1)
    assert len(inbox.handle()) == 1
    clock_ahead(days)
    assert inbox_of(engine).handle() == []
    clock_ahead(0)
    assert not received(inbox, 1)
    assert (inbox.handle(), notes(engine)) == ([], ["e-1"])


@pytest.mark.parametrize("days", [8, 91, 365])
def test_a_worker_whose_clock_is_ahead_deletes_no_event_of_another_one(
    engine: sa.Engine, outbox: Outbox, clock_ahead: Callable[[float], None], days: float
) -> None:
    inbox = inbox_of(engine)
    received(inbox, 1)
    settled_by_hand(outbox)
    clock_ahead(days)
    for other in (inbox_of(engine), Outbox(engine)):
        other.on("of another kind")(note)
        assert other.handle() == []
    clock_ahead(0)
    told: list[str] = []
    for box in (inbox, outbox):
        box.on()(lambda _session, event: told.append(event.name))
        assert len(box.handle()) == 1
    assert told == ["payment.accepted", "sent"]


@pytest.mark.parametrize("days", [-8, 8])
def test_a_lease_is_held_whatever_the_clock_of_the_worker(
    engine: sa.Engine,
    outbox: Outbox,
    victor_key_pair: tuple[str, str],
    clock_ahead: Callable[[float], None],
    days: float,
) -> None:
    sent: list[bytes] = []

    def lose(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            sent.append(request.content)
            raise httpx.ReadError("lost")
        return httpx.Response(200, json={"page": 0, "page_size": 1, "results": []})

    stored(outbox, invoice())
    auth = VictorJwt("an-api-key-for-tests", victor_key_pair[0])
    retry = RetryPolicy(max_attempts=1)
    with Victor(auth, transport=httpx.MockTransport(lose), retry=retry) as victor:
        clock_ahead(days)
        outbox.send(victor)
        clock_ahead(0)
        outbox.send(victor)
        assert (len(sent), outbox.counts()[EntryState.SENDING]) == (1, 1)
        set_leases(outbox, engine)
        clock_ahead(days)
        outbox.send(victor)
        assert outbox.counts()[EntryState.SETTLING] == 1  # it was taken up


@pytest.mark.parametrize("which", ["the database", "the provider"])
def test_what_is_deleted_is_old_by_all_clocks_that_are_known(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    """The clock of the database may be the one that is wrong; with SQLite it is the machine's."""
    inbox = inbox_of(engine)
    received(inbox, 1)
    true_time = databases.database_time
    ahead = 91 * DAY
    monkeypatch.setattr(databases, "database_time", lambda connection: true_time(connection) + ahead)
    client = None
    if which == "the provider":
        machine_time = time.time
        monkeypatch.setattr(time, "time", lambda: machine_time() + ahead)
        moment = SimpleNamespace(timestamp=machine_time)
        client = SimpleNamespace(provider_time=lambda: SimpleNamespace(is_known=True, moment=moment))
    inbox.handle(client)
    assert not received(inbox, 1)
    assert inbox.event_counts()[EventState.WAITING] == 1


def test_the_time_of_the_database_is_in_seconds(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        assert abs(databases.database_time(connection) - time.time()) < 1.0
