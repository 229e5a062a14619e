"""What a database must be for an outbox, and what is put right or refused of one. The rules of all
boxes, on SQLite and PostgreSQL.
"""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from tests.outbox.kinds import Provider, async_engine
from tests.outbox.rows import key_of, states, stored
from tests.providers.victor.adapter import invoice
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


@pytest.mark.parametrize(
    ("pragmas", "why"),
    [
        (["journal_mode=OFF"], "journal_mode is off"),
        (["journal_mode=MEMORY"], "journal_mode is memory"),
        (["synchronous=OFF"], "synchronous is OFF"),
    ],
)
def test_a_file_that_a_crash_can_set_back_is_refused(sqlite, pragmas, why):
    stored(Outbox(sqlite), invoice(1))
    unsafe = sa.create_engine(sqlite.url)

    @sa.event.listens_for(unsafe, "connect")
    def _connect(driver, _record):
        for pragma in pragmas:
            driver.execute(f"PRAGMA {pragma}")

    provider = Provider()
    with provider.client() as victor, pytest.raises(ConfigurationError, match=why):
        Outbox(unsafe, victor).send()
    assert provider.references == []
    unsafe.dispose()


# Other databases


# PostgreSQL


@pytest.fixture
def server(postgres_server):
    """An engine of a new schema."""
    made = sa.create_engine(postgres_server.new_schema())
    Outbox(made).create_table()
    yield made
    made.dispose()


@contextmanager
def role_of(server, *grants):
    """An engine of a role that has rights on the tables alone."""
    name = f"worker_{os.urandom(4).hex()}"
    schema = str(server.url.query["options"]).partition("=")[2]
    with server.begin() as connection:
        for statement in (
            f"CREATE ROLE {name} LOGIN",
            f"GRANT USAGE ON SCHEMA {schema} TO {name}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {name}",
            f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {name}",
            *(grant.format(role=name) for grant in grants),
        ):
            connection.execute(sa.text(statement))
    engine = sa.create_engine(server.url.set(username=name))
    try:
        yield engine
    finally:
        engine.dispose()


TENANTS = (
    "ALTER TABLE victor_outbox ADD COLUMN tenant text DEFAULT current_setting('shop.tenant', true)",
    "ALTER TABLE victor_outbox ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY own ON victor_outbox USING (tenant = current_setting('shop.tenant', true))",
)
ALL_ROWS = "CREATE POLICY every ON victor_outbox TO {role} USING (true)"


def test_a_worker_from_which_row_security_hides_entries_is_refused_and_a_tenant_adds(server):
    provider = Provider()
    with role_of(server, *TENANTS) as engine, provider.client() as victor:
        outbox = Outbox(engine, victor)
        with Session(engine) as session, session.begin():
            session.execute(sa.text("SET LOCAL shop.tenant = 'a'"))
            outbox.add(session, **invoice(1))
        for act in (outbox.send, outbox.entries, outbox.counts):
            with pytest.raises(ConfigurationError, match="hides rows of victor_outbox from this"):
                act()
        with pytest.raises(ConfigurationError, match="would never be sent"):
            outbox.run()
    with provider.client() as victor, role_of(server, ALL_ROWS) as engine:
        assert states(Outbox(engine, victor).send()) == ["sent"]
    with provider.client() as victor:
        assert states(Outbox(server, victor).entries()) == ["sent"], "its owner sees all rows"


def test_a_table_that_a_crash_of_the_server_empties_is_refused(server):
    with server.begin() as connection:
        connection.execute(sa.text("ALTER TABLE victor_outbox_events SET UNLOGGED"))
    refused = pytest.raises(ConfigurationError, match="ALTER TABLE victor_outbox_events SET LOGGED")
    with role_of(server) as engine, refused:
        Outbox(engine).entries()


@pytest.mark.parametrize("level", ["off", "local", "remote_write", "on"])
def test_a_mark_waits_for_the_disk_though_commits_of_the_role_do_not(server, level):
    """What the trigger has seen is the setting of the transactions that mark and store."""
    trigger = """
        CREATE TABLE seen (level text);
        CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NEW;
        END $$;
        CREATE TRIGGER sees BEFORE UPDATE ON victor_outbox FOR EACH ROW EXECUTE FUNCTION see();
        GRANT INSERT ON seen TO {role};
        ALTER ROLE {role} SET synchronous_commit = """
    with role_of(server, f"{trigger}{level}") as engine, Provider().client() as victor:
        outbox = Outbox(engine, victor)
        stored(outbox, invoice(1), invoice(2))
        assert states(outbox.send()) == ["sent", "sent"]
        with server.begin() as connection:
            seen = set(connection.scalars(sa.text("SELECT level FROM seen")))
        assert seen == {level if level in ("on", "remote_write") else "on"}
        with engine.begin() as connection:
            assert connection.scalar(sa.text("SHOW synchronous_commit")) == level


FORKED = """
import os, sys
import sqlalchemy as sa
sys.path.append("examples/django")
from tests.outbox.kinds import KINDS, Box, Provider, tables_of
from tests.providers.victor.adapter import invoice

kind, url, pooled = sys.argv[1:]
engine = sa.create_engine(url)
provider, children = Provider(), []
with tables_of(kind, engine, pooled=pooled == "1"), provider.client() as client:
    box = Box(kind, engine)
    outbox = KINDS[kind](*(() if kind == "django" else [engine]), client=client)
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


@pytest.mark.parametrize(
    ("kind", "pooled"),
    [
        ("blocking", False),
        *(pytest.param("django", pooled, marks=pytest.mark.pull_request) for pooled in (0, 1)),
    ],
)
def test_connections_that_were_used_before_a_fork_are_left_to_the_parent(
    database_url, kind, pooled
):
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED, kind, database_url, str(pooled)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    assert sorted(made.stdout.split()) == sorted(f"INV-{number}" for number in range(31))
