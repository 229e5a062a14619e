"""No error of a database shows what was about to be stored: account numbers, names, requests."""

import traceback

import pytest
import sqlalchemy as sa

from tests.outbox.kinds import Box, Provider
from tests.payments import invoice

ACCOUNT = invoice(1)["payee_account_number"]


def refuse(engine, act, table):
    """From now on, SQLite refuses an act on the rows of a table, such as an insert."""
    name = f"CREATE TRIGGER refuse_{act[:6]} BEFORE {act} ON {table}"
    with engine.begin() as connection:
        connection.execute(sa.text(f"{name} BEGIN SELECT RAISE(ABORT, 'no'); END"))


def shown_by(act):
    with pytest.raises(Exception) as raised:
        act()
    return "".join(traceback.format_exception(raised.value)) + repr(raised.value)


@pytest.mark.parametrize("kind", ["blocking", "awaited"])
def test_the_error_of_an_entry_or_a_result_that_cannot_be_stored_shows_no_account(sqlite, kind):
    box = Box(kind, sqlite, lambda awaited: Provider().client(awaited))
    box.add(**invoice(1))
    refuse(sqlite, "UPDATE OF request_id", "victor_outbox")
    refuse(sqlite, "INSERT", "victor_outbox")
    for act in (box.send, lambda: box.add(**invoice(2))):
        shown = shown_by(act)
        assert "victor_outbox" in shown
        assert ACCOUNT not in shown
        assert "[parameters:" not in shown
