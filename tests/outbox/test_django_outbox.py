"""The outbox on Django's transactions, on SQLite and PostgreSQL.

Its rules are those of the other outboxes.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections, transaction
from psycopg import IsolationLevel

from tests.cli.victor_command import settings_of
from tests.outbox.kinds import COMMAND, run_command, tables_of
from tests.outbox.rows import end_claims, execute, references, states, stored
from tests.payments import invoice
from tests.tiers import borders
from victor_ext._event_queue.workers import SignalStop
from victor_ext.outbox import Outbox
from victor_ext.outbox.django import DjangoOutbox

pytestmark = pytest.mark.slow


@pytest.fixture(params=borders(["pool", "no pool"], "pool"))
def kind(request, engine):
    """On PostgreSQL, with Django's pool of connections and without."""
    with tables_of("django", engine, pooled=request.param == "pool"):
        yield "django"


@pytest.fixture
def outbox(kind):
    return DjangoOutbox()


@pytest.fixture
def environment(victor_sandbox, monkeypatch):
    variables = settings_of(victor_sandbox, *victor_sandbox.add_oauth_client())
    for name, value in {**variables, "VICTOR_ENVIRONMENT": "staging"}.items():
        monkeypatch.setenv(name, value)


def test_an_entry_is_there_with_the_transaction_or_not_at_all(outbox):
    with transaction.atomic():
        outbox.add(**invoice(1))
        transaction.set_rollback(True)
    with transaction.atomic():
        outbox.add(**invoice(2))
        with transaction.atomic():  # a savepoint
            outbox.add(**invoice(3))
            transaction.set_rollback(True)
    assert references(outbox.entries()) == ["INV-2"]


def test_the_migration_makes_the_table_of_the_other_outbox(outbox, engine):
    def columns():
        inspector = sa.inspect(engine)
        shown = {
            each["name"]: (
                each["type"]._type_affinity,
                getattr(each["type"], "length", None),
                each["nullable"],
            )
            for each in inspector.get_columns("victor_outbox")
        }
        indexes = (str(each["column_names"]) for each in inspector.get_indexes("victor_outbox"))
        return {**shown, "indexes": sorted({*indexes} - {"['key']"})}

    migrated = columns()
    assert len(migrated["indexes"]) == 5
    other = Outbox(engine)
    execute(other, sa.text("DROP TABLE victor_outbox"))
    other.create_table()
    assert migrated == columns()
    call_command("migrate", "victor_outbox", "zero", fake=True, verbosity=0)
    call_command("migrate", verbosity=0)
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    call_command("migrate", "victor_outbox", "zero", verbosity=0)
    assert not [name for name in sa.inspect(engine).get_table_names() if "outbox" in name]


def test_four_workers_at_once_send_each_entry_once(outbox, engine, victor, victor_sandbox):
    """PostgreSQL ends many of their transactions because of others, with 40001."""
    stored(Outbox(engine), *map(invoice, range(24)))
    victor.ping()
    if engine.name == "postgresql":
        connections.settings["default"]["OPTIONS"]["isolation_level"] = IsolationLevel.SERIALIZABLE

    def work(_):
        try:
            outbox.send(victor)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        assert len([*threads.map(work, range(4))]) == 4
    assert states(outbox.entries()) == ["sent"] * 24
    assert [*victor_sandbox.work_done_by_key().values()] == [1] * 24


def test_the_command_makes_passes_until_it_is_interrupted(
    outbox, box, engine, environment, faults, monkeypatch, caplog
):
    box.add(**invoice(1))
    faults.status(403, operation="create", times=None)
    passes = []

    def interrupt(_stop, seconds):
        passes.append(seconds)
        faults.clear()
        end_claims(Outbox(engine))  # its next try is due after a pause
        if len(passes) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(SignalStop, "wait", interrupt)
    run_command(monkeypatch, outbox, interval=0.5)
    assert passes == [0.5, 0.5]
    assert "outbox.send failed and will be retried" in caplog.text
    assert box.states() == ["sent"]


def test_the_command_calls_the_handlers_of_the_named_outbox(
    outbox, box, engine, environment, monkeypatch
):
    handled = []
    outbox.on("sent")(lambda _using, event: handled.append(event.name))
    box.add(**invoice(1))

    def interrupt(_stop, _seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(SignalStop, "wait", interrupt)
    run_command(monkeypatch, outbox)
    assert handled == ["sent"]


@pytest.mark.parametrize("place", [None, "tests.outbox.kinds.KINDS", {"using": "default"}])
def test_the_command_refuses_a_setting_that_names_no_outbox(monkeypatch, place):
    monkeypatch.setattr(settings, "VICTOR_OUTBOX", place, raising=False)
    with pytest.raises(CommandError, match="VICTOR_OUTBOX names no DjangoOutbox"):
        call_command(COMMAND)


def test_a_hold_that_is_cut_off_has_held_nothing_and_the_next_one_marks_all(outbox):
    """Its connection is lost once the hold is stored, and before an entry is marked."""
    with transaction.atomic():
        outbox.add(**invoice(1))

    def lose_updates(execute, sql, *rest):
        if sql.startswith("UPDATE"):
            raise OperationalError("the connection is lost")
        return execute(sql, *rest)

    with connection.execute_wrapper(lose_updates), pytest.raises(OperationalError):
        outbox.hold()
    assert outbox.held_since() is None
    assert outbox.hold() == 1
