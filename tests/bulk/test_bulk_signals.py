"""A signal, such as Ctrl-C, during a long statement of SQLite."""

import signal
import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

from victor_ext._tables.temporary import TemporaryDatabase
from victor_ext.bulk._state import State

pytestmark = pytest.mark.slow


class Rung(BaseException):
    """What the handler of a signal raises."""


@pytest.fixture
def alarm():
    """Lets a signal come soon, whose handler raises."""

    def ring(_number, _frame):
        raise Rung

    before = signal.signal(signal.SIGALRM, ring)
    yield lambda: signal.setitimer(signal.ITIMER_REAL, 0.05)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


LONG = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000000) "
    "SELECT MAX(i) FROM n"
)
"""It takes some seconds."""


@pytest.mark.parametrize("statement", [LONG, f"INSERT INTO t {LONG}"])
def test_a_signal_ends_a_long_statement_of_a_state_and_its_transaction(tmp_path, alarm, statement):
    state = State(f"sqlite:///{tmp_path}/state.sqlite")
    with closing(sqlite3.connect(state.path)) as database:
        database.execute("CREATE TABLE t (i)")

    def insert():
        with engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO t VALUES (1)"))
            alarm()
            connection.execute(sa.text(statement))

    with state.engine() as engine:
        with pytest.raises(Rung) as raised:
            insert()
        assert isinstance(raised.value.__context__, sqlite3.OperationalError), "it was interrupted"
        with engine.begin() as connection:
            assert connection.execute(sa.text("SELECT COUNT(*) FROM t")).scalar() == 0


def test_a_signal_ends_a_long_statement_of_a_temporary_database(alarm):
    with closing(TemporaryDatabase("CREATE TABLE t (i);")) as database:
        alarm()
        with pytest.raises(Rung) as raised:
            database.execute(LONG)
        assert isinstance(raised.value.__context__, sqlite3.OperationalError), "it was interrupted"
        assert database.execute("SELECT COUNT(*) FROM t").fetchone() == (0,)
