"""The outbox on Django's transactions, on SQLite and PostgreSQL.

Its rules are those of the other outboxes.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from django.core.management import call_command
from django.db import OperationalError, connection, connections, transaction
from psycopg import IsolationLevel

from tests.cli.victor_command import settings_of
from tests.outbox.kinds import tables_of
from tests.outbox.rows import end_claims, execute, states, stored
from tests.payments import invoice
from tests.tiers import borders
from victor_ext._event_queue.workers import SignalStop
from victor_ext.outbox import Outbox
from victor_ext.outbox.django import DjangoOutbox
from victor_ext.outbox.django.models import PaymentRequestEntry

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
    assert str(PaymentRequestEntry.objects.get()) == "INV-2: waiting"


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
    call_command("migrate", fake_initial=True, verbosity=0)
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


COMMAND = "send_payment_requests"


def test_the_command_makes_passes_until_it_is_interrupted(
    box, engine, environment, faults, monkeypatch, caplog
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
    call_command(COMMAND, interval=0.5)
    assert passes == [0.5, 0.5]
    assert "outbox.send failed and will be retried" in caplog.text
    assert box.states() == ["sent"]


OPTIONS = [
    ({"keys_kept": timedelta(seconds=2)}, r"keys_kept=.*2\) is below 100 s"),
    ({"leese": timedelta(1)}, "'leese', which is none of .*lease, "),
    ([("lease", timedelta(1))], "VICTOR_OUTBOX must be a dict, not list"),
    ({"lease": timedelta(-1)}, r"lease=.* is no timedelta of zero or more"),
]


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
