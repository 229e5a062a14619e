"""One PostgreSQL server for all tests of the outbox, a database for each of them, and outboxes in
it.
"""

from functools import partial

import pytest
import sqlalchemy as sa

from tests.bulk.postgres import postgres_server
from tests.outbox.kinds import KINDS, Box, tables_of
from tests.outbox.payouts import Payouts
from tests.outbox.rows import NOTES
from tests.providers.systems import ADAPTERS
from tests.tiers import borders
from victor_ext import AsyncVictor, Victor
from victor_ext.outbox import Outbox

__all__ = ["postgres_server"]


@pytest.fixture(params=borders(["sqlite", "postgresql"], "sqlite"))
def database_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'invoices.sqlite'}"
    return request.getfixturevalue("postgres_server").new_schema()


@pytest.fixture
def engine(database_url):
    made = sa.create_engine(database_url)
    NOTES.create(made)
    yield made
    made.dispose()


@pytest.fixture
def outbox(engine):
    made = Outbox(engine)
    made.create_table()
    return made


@pytest.fixture(params=KINDS)
def kind(request, engine):
    """The kind of an outbox, whose tables are there."""
    with tables_of(request.param, engine):
        yield request.param


@pytest.fixture
def box_with(request, kind, engine):
    """Makes an outbox of each kind with options, whose client is one of Victor's sandbox."""
    make = request.getfixturevalue("_victor_client")
    return partial(Box, kind, engine, lambda awaited: make(AsyncVictor if awaited else Victor))


@pytest.fixture
def box(box_with):
    """An outbox of each kind."""
    return box_with()


# Payouts of Velo's


@pytest.fixture(scope="module")
def velo_sandbox():
    with ADAPTERS["velo"].SANDBOX() as started:
        yield started


@pytest.fixture
def harness(velo_sandbox):
    velo_sandbox.reset()
    return ADAPTERS["velo"].Harness(velo_sandbox, awaited=False)


@pytest.fixture
def payouts(kind, engine, harness):
    """An outbox of payouts, of each kind."""
    return Payouts(kind, engine, harness)


@pytest.fixture
def sqlite(tmp_path):
    """A database with the tables of an outbox, for rules that no database changes."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'calls.sqlite'}")
    Outbox(engine).create_table()
    yield engine
    engine.dispose()


@pytest.fixture
def local(sqlite, harness):
    """An outbox of payouts with blocking calls, on SQLite."""
    return Payouts("blocking", sqlite, harness)
