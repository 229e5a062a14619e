"""The outbox on Django's transactions, on SQLite and PostgreSQL.

Its rules are those of the other outboxes.
"""

import json
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections, transaction
from django.test import Client, TestCase
from psycopg import IsolationLevel

from tests.cli.victor_command import settings_of
from tests.outbox.kinds import tables_of
from tests.outbox.rows import end_claims, execute, key_of, states, statuses, stored
from tests.providers.victor.adapter import invoice
from tests.tiers import borders
from victor_ext._event_queue.workers import SignalStop
from victor_ext.outbox import Outbox
from victor_ext.outbox.django import DjangoOutbox, send_payment_requests
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


def test_adding_an_entry_outside_a_transaction_is_refused(outbox):
    is_needed = "No transaction of the database 'default' is open"
    with pytest.raises(transaction.TransactionManagementError, match=is_needed):
        outbox.add(**invoice())
    assert outbox.entries() == []


def test_an_entry_of_one_outbox_is_sent_by_the_other(box, engine, victor, faults, sent_once):
    other = Outbox(engine)
    box.add(**invoice(1))
    faults.lose_answer(operation="create", times=6)
    assert box.send() == []
    end_claims(other)
    stored(other, invoice(2))
    assert states(other.send(victor)) == ["sent", "sent"]
    assert box.entries("sent") == other.entries()
    assert box.counts() == other.counts()
    sent_once(key_of(1))


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


@pytest.mark.parametrize("work", ["send", "refresh"])
def test_no_call_is_made_that_is_not_committed_first(outbox, victor, victor_sandbox, work):
    with transaction.atomic():
        outbox.add(**invoice())
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        getattr(outbox, work)(victor)
    connection.set_autocommit(False)
    with pytest.raises(transaction.TransactionManagementError, match="not in autocommit mode"):
        getattr(outbox, work)(victor)
    connection.close()
    assert victor_sandbox.requests() == []


COMMAND = "send_payment_requests"


def test_the_command_makes_one_pass_and_prints_what_it_has_changed(box, environment, capsys):
    box.add(**invoice(1))
    for expected in ("changed: 1 sent\n", "changed: nothing\n"):
        call_command(COMMAND)
        assert capsys.readouterr().out == expected


def test_the_command_reads_statuses_although_no_entry_can_be_sent(
    box, environment, faults, time_travel
):
    box.add(**invoice(1))
    call_command(COMMAND)
    time_travel.advance(minutes=1)
    box.add(**invoice(2))
    faults.status(403, operation="create", times=None)
    with pytest.raises(CommandError):
        call_command(COMMAND)
    assert statuses(box.entries("sent")) == ["completed"]


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


@pytest.mark.parametrize("interval", [None, 0.5], ids=["one pass", "a worker"])
@pytest.mark.parametrize(("options", "message"), OPTIONS)
def test_settings_that_cannot_be_used_end_the_command(
    outbox, environment, monkeypatch, options, message, interval
):
    monkeypatch.setattr(settings, "VICTOR_OUTBOX", options, raising=False)
    with pytest.raises(CommandError, match=message):
        call_command(COMMAND, interval=interval)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_all_passes_of_one_process_share_one_token(outbox, environment, victor_sandbox):
    for _ in range(2):
        call_command(COMMAND)
        send_payment_requests()
    # the threads of the sandbox, which the child does not use
    with warnings.catch_warnings(action="ignore"):
        child = os.fork()
    if child == 0:
        with suppress(BaseException):
            call_command(COMMAND)
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert [call.operation for call in victor_sandbox.received()].count("token") == 2


def test_a_test_case_of_django_rolls_all_of_it_back(outbox, victor):
    class InvoiceTest(TestCase):
        def runTest(self):  # noqa: N802 - the name is unittest's
            with transaction.atomic():
                outbox.add(**invoice())
            assert states(outbox.send(victor)) == ["sent"]

    InvoiceTest().debug()
    assert outbox.entries() == []


def test_the_view_of_the_example_says_what_is_wrong(outbox):
    client = Client(SERVER_NAME="localhost")
    new = {"number": 1, "amount": "0.001", "counterparty": "acceptsRfp", "due_date": "2026-03-04"}
    answer = client.post("/invoices", new, content_type="application/json")
    assert answer.status_code == 422
    assert "amount" in json.loads(answer.content)["problems"][0]
    assert client.get("/invoices/1").status_code == 404


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
    hold = outbox.hold()
    assert (hold.is_first, hold.marked) == (True, 1)


def test_another_database_is_refused(outbox, monkeypatch):
    monkeypatch.setattr("victor_ext._event_queue.django._DIALECTS", {})
    message = r"'default'.* of the type \w+: use SQLite or PostgreSQL"
    with pytest.raises(ImproperlyConfigured, match=message):
        outbox.counts()
