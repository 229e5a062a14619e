"""The outbox on Django's transactions, on SQLite and PostgreSQL.

Its rules are those of the other outboxes.
"""

import json
import os
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from psycopg import IsolationLevel

from tests.outbox.django_project import set_up, use_database
from tests.outbox.test_outbox import set_leases
from tests.providers.victor.adapter import invoice
from victor_ext import ConfigurationError, InvalidRequest, Victor
from victor_ext.outbox import AsyncOutbox, EntryState, Outbox
from victor_ext.sandbox import Sandbox
from victor_ext.testing import Faults, TimeTravel

pytestmark = pytest.mark.slow
set_up()

from django.conf import settings  # noqa: E402 - Django is set up before it is imported
from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.core.management import CommandError, call_command  # noqa: E402
from django.db import IntegrityError, connection, connections, transaction  # noqa: E402
from django.test import Client, TestCase  # noqa: E402

from victor_ext.event_queue.signals import SignalStop  # noqa: E402
from victor_ext.outbox.django import DjangoOutbox, send_payment_requests  # noqa: E402
from victor_ext.outbox.django.models import PaymentRequestEntry  # noqa: E402


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """SQLAlchemy's view of the database that Django uses, too."""
    made = sa.create_engine(database_url)
    with use_database(made.url):
        yield made
    made.dispose()


@pytest.fixture
def outbox(engine: sa.Engine) -> DjangoOutbox:
    call_command("migrate", verbosity=0)
    return DjangoOutbox()


@pytest.fixture
def environment(victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    client_id, client_secret = victor_sandbox.add_oauth_client()
    variables = {"BASE_URL": victor_sandbox.url, "ENVIRONMENT": "staging"}
    for name, value in {
        **variables,
        "CLIENT_ID": client_id,
        "CLIENT_SECRET": client_secret,
    }.items():
        monkeypatch.setenv(f"VICTOR_{name}", value)


def stored(outbox: DjangoOutbox, *invoices: dict[str, Any]) -> None:
    with transaction.atomic():
        for each in invoices:
            outbox.add(**each)


def test_an_entry_is_there_with_the_transaction_or_not_at_all(
    outbox: DjangoOutbox, victor: Victor
) -> None:
    with transaction.atomic():
        outbox.add(**invoice(1))
        transaction.set_rollback(True)
    with transaction.atomic():
        outbox.add(**invoice(2))
        with transaction.atomic():  # a savepoint
            outbox.add(**invoice(3))
            transaction.set_rollback(True)
        assert [entry.client_reference_id for entry in outbox.entries()] == ["INV-2"]
    assert [entry.client_reference_id for entry in outbox.send(victor)] == ["INV-2"]
    assert outbox.entry(invoice(1)["idempotency_key"]) is None
    assert str(PaymentRequestEntry.objects.get()) == "INV-2: sent"


def test_what_is_stored_with_nothing_else_is_refused(outbox: DjangoOutbox) -> None:
    with pytest.raises(
        transaction.TransactionManagementError,
        match="No transaction of the database 'default' is open",
    ):
        outbox.add(**invoice())
    with pytest.raises(InvalidRequest, match="with other arguments"):
        stored(outbox, invoice(), invoice(), invoice(amount="44.24"))
    assert outbox.entries() == []


def test_an_entry_of_one_outbox_is_sent_by_the_other(
    outbox: DjangoOutbox,
    engine: sa.Engine,
    victor: Victor,
    faults: Faults,
    time_travel: TimeTravel,
    sent_once: Any,
) -> None:
    other = Outbox(engine)
    stored(outbox, invoice(1))
    faults.lose_answer(operation="create", times=6)
    assert outbox.send(victor) == []
    set_leases(outbox, engine)
    with engine.begin() as sqlalchemy:
        other.add(sqlalchemy, **invoice(2))
    assert [entry.state for entry in other.send(victor)] == [EntryState.SENT] * 2
    time_travel.advance(minutes=1)
    assert {entry.status for entry in outbox.refresh(victor)} == {"completed"}
    assert outbox.entries("sent") == other.entries()
    assert outbox.counts() == other.counts()
    assert len(sent_once(invoice(1)["idempotency_key"])) == 7


def test_the_migration_makes_the_table_of_the_other_outbox(
    outbox: DjangoOutbox, engine: sa.Engine
) -> None:
    def columns() -> dict[str, Any]:
        indexes = sa.inspect(engine).get_indexes("victor_outbox")
        indexed = sorted(str(each["column_names"]) for each in indexes if each["name"])
        found = sa.inspect(engine).get_columns("victor_outbox")
        kinds = {
            each["name"]: (each["type"]._type_affinity, getattr(each["type"], "length", None))
            for each in found
        }
        shown = {each["name"]: (*kinds[each["name"]], each["nullable"]) for each in found}
        return {**shown, "indexes": [each for each in indexed if each != "['key']"]}

    migrated = columns()
    assert len(migrated["indexes"]) == 4
    stored(outbox, invoice())
    row = PaymentRequestEntry.objects.values().get()
    with pytest.raises(IntegrityError):
        PaymentRequestEntry(**{**row, "id": 2}).save(force_insert=True)
    with engine.begin() as sqlalchemy:
        sqlalchemy.execute(sa.text("DROP TABLE victor_outbox"))
    Outbox(engine).create_table()
    assert migrated == columns()
    call_command("migrate", "victor_outbox", "zero", fake=True, verbosity=0)
    call_command("migrate", fake_initial=True, verbosity=0)
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_four_workers_at_once_send_each_entry_once(
    outbox: DjangoOutbox, engine: sa.Engine, victor: Victor, victor_sandbox: Sandbox
) -> None:
    """PostgreSQL ends many of their transactions because of others, with 40001."""
    stored(outbox, *(invoice(number) for number in range(24)))
    victor.ping()
    if engine.name == "postgresql":
        connections.settings["default"]["OPTIONS"]["isolation_level"] = IsolationLevel.SERIALIZABLE

    def work() -> None:
        try:
            outbox.send(victor)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        for each in [threads.submit(work) for _ in range(4)]:
            each.result()
    assert outbox.counts()[EntryState.SENT] == 24
    assert [*victor_sandbox.work_done_by_key().values()] == [1] * 24


@pytest.mark.parametrize("work", ["send", "refresh"])
def test_no_call_is_made_that_is_not_committed_first(
    outbox: DjangoOutbox, victor: Victor, victor_sandbox: Sandbox, work: str
) -> None:
    stored(outbox, invoice())
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        getattr(outbox, work)(victor)
    connection.set_autocommit(False)
    with pytest.raises(transaction.TransactionManagementError, match="not in autocommit mode"):
        getattr(outbox, work)(victor)
    connection.close()
    assert victor_sandbox.requests() == []


def test_the_command_makes_one_pass_or_many(
    outbox: DjangoOutbox,
    environment: None,
    faults: Faults,
    time_travel: TimeTravel,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    stored(outbox, invoice(1))
    for expected in ("changed: 1 sent\n", "changed: nothing\n"):
        call_command("send_payment_requests")
        assert capsys.readouterr().out == expected
    time_travel.advance(minutes=1)
    stored(outbox, invoice(2))
    faults.status(403, operation="create", times=None)
    with pytest.raises(CommandError):
        call_command("send_payment_requests")
    # it was refreshed nevertheless
    assert {entry.status for entry in outbox.entries("sent")} == {"completed"}

    with monkeypatch.context() as patched:
        patched.setattr(
            settings, "VICTOR_OUTBOX", {"keys_kept": timedelta(seconds=2)}, raising=False
        )
        with pytest.raises(CommandError, match=r"keys_kept=.*2\) is below 100 s"):
            call_command("send_payment_requests")
        for odd, said in (
            ({"leese": timedelta(minutes=2)}, "'leese', which is none of .*Did you mean 'lease'"),
            ([("lease", timedelta(minutes=2))], "VICTOR_OUTBOX must be a dict, not list"),
        ):
            patched.setattr(settings, "VICTOR_OUTBOX", odd)
            with pytest.raises(CommandError, match=said):
                call_command("send_payment_requests")
        patched.setattr(settings, "VICTOR_OUTBOX", {"lease": timedelta(seconds=59)})
        for interval in (None, 0.5):
            with pytest.raises(
                CommandError, match="a deadline of 60 s, and the lease of the outbox is 59 s"
            ):
                call_command("send_payment_requests", interval=interval)

    passes: list[float] = []

    def interrupt(_stop: threading.Event, seconds: float) -> None:
        passes.append(seconds)
        faults.clear()
        if len(passes) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(SignalStop, "wait", interrupt)
        call_command("send_payment_requests", interval=0.5)
    assert passes == [0.5, 0.5]
    assert "outbox.send failed and will be retried" in caplog.text
    assert outbox.counts()[EntryState.SENT] == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_all_passes_of_a_process_ask_for_one_token(
    outbox: DjangoOutbox, environment: None, victor_sandbox: Sandbox
) -> None:
    def passes() -> None:
        call_command("send_payment_requests")
        send_payment_requests()

    passes()
    connections.close_all()
    # the threads of the sandbox, which the child does not use
    with warnings.catch_warnings(action="ignore"):
        child = os.fork()
    if child == 0:
        with suppress(BaseException):
            passes()
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    passes()
    assert [call.operation for call in victor_sandbox.received()].count("token") == 2


def test_a_test_case_of_django_rolls_all_of_it_back(outbox: DjangoOutbox, victor: Victor) -> None:
    class InvoiceTest(TestCase):
        def runTest(self) -> None:  # noqa: N802 - the name is unittest's
            with transaction.atomic():
                outbox.add(**invoice())
            assert [entry.state for entry in outbox.send(victor)] == [EntryState.SENT]

    InvoiceTest().debug()
    assert outbox.entries() == []


def test_the_view_of_the_example_says_what_is_wrong(outbox: DjangoOutbox) -> None:
    client = Client(SERVER_NAME="localhost")
    new = {"number": 1, "amount": "0.001", "counterparty": "acceptsRfp", "due_date": "2026-03-04"}
    answer = client.post("/invoices", new, content_type="application/json")
    assert (answer.status_code, "amount" in json.loads(answer.content)["problems"][0]) == (
        422,
        True,
    )
    assert client.get("/invoices/1").status_code == 404


def test_another_database_is_refused(outbox: DjangoOutbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("victor_ext.event_queue.django._DIALECTS", {})
    with pytest.raises(
        ImproperlyConfigured, match=r"'default'.* of the type \w+: use SQLite or PostgreSQL"
    ):
        outbox.counts()


@pytest.mark.parametrize("outbox_class", [Outbox, AsyncOutbox, DjangoOutbox])
def test_keys_that_live_less_than_a_call_are_refused(outbox_class: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"keys_kept=.*99\) is below 100 s"):
        outbox_class("default", keys_kept=timedelta(seconds=99))
