"""What is put right or refused of an engine: SQLite's savepoints, and connections before a fork."""

import subprocess
import sys
from pathlib import Path

import anyio
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from tests.outbox.kinds import async_engine
from tests.outbox.rows import key_of
from tests.payments import invoice
from victor_ext import ConfigurationError
from victor_ext.outbox import AsyncOutbox, Outbox

pytestmark = pytest.mark.slow


# SQLite


@pytest.mark.parametrize("is_awaited", [False, True])
def test_an_entry_in_a_savepoint_is_rolled_back_with_its_transaction(sqlite, is_awaited):
    """Although nothing was written before it."""

    async def add():
        engine = async_engine(sqlite)
        async with AsyncSession(engine) as session:
            async with session.begin_nested():
                await AsyncOutbox(engine).add(session, **invoice(1))
            await session.rollback()
        await engine.dispose()

    outbox = Outbox(sqlite)
    if is_awaited:
        anyio.run(add)
    else:
        with Session(sqlite) as session:
            with session.begin_nested():
                outbox.add(session, **invoice(1))
            session.rollback()
    assert outbox.entries() == []


def test_a_transaction_may_have_several_savepoints(sqlite):
    outbox = Outbox(sqlite)
    with Session(sqlite) as session, session.begin():
        for number in (1, 2):
            with session.begin_nested(), session.begin_nested():
                outbox.add(session, **invoice(number))
    assert len(outbox.entries()) == 2


def test_a_savepoint_of_an_engine_that_the_outbox_does_not_know_is_refused(sqlite):
    other = sa.create_engine(sqlite.url)
    outbox = Outbox(sqlite)
    refused = pytest.raises(ConfigurationError, match="Pass the engine of the session")
    with Session(other) as session, session.begin_nested(), refused:
        outbox.add(session, **invoice(1))
    with Session(other) as session, session.begin():
        outbox.add(session, **invoice(1))
    with Session(other) as session:  # from now on it is known
        with session.begin_nested():
            outbox.add(session, **invoice(2))
        session.rollback()
    assert [entry.idempotency_key for entry in outbox.entries()] == [key_of(1)]
    other.dispose()


def test_a_savepoint_of_the_program_in_autocommit_is_left_alone(sqlite):
    Outbox(sqlite)
    with sqlite.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("CREATE TABLE own (number INTEGER)"))
        with connection.begin_nested():
            connection.execute(sa.text("INSERT INTO own VALUES (1)"))
    with sqlite.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM own")) == 1


# Forks


FORKED = """
import os, sys
import sqlalchemy as sa
sys.path.append("examples/django")
from tests.outbox.kinds import KINDS, Box, Provider, tables_of
from tests.payments import invoice

kind, url = "blocking", sys.argv[1]
engine = sa.create_engine(url)
provider, children = Provider(), []
with tables_of(kind, engine), provider.client() as client:
    box = Box(kind, engine)
    outbox = KINDS[kind](engine, client=client)
    box.add(**invoice(0))
    outbox.send()
    for number in range(1, 31):
        box.add(**invoice(number))
    for _ in range(2):
        if not (child := os.fork()):
            outbox.send()
            print("\\n".join(provider.references[1:]), flush=True)
            os._exit(0)
        children.append(child)
    outbox.send()
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
print("\\n".join(provider.references))
"""


def test_connections_that_were_used_before_a_fork_are_left_to_the_parent(database_url):
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED, database_url],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    assert sorted(made.stdout.split()) == sorted(f"INV-{number}" for number in range(31))
