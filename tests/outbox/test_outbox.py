"""The outbox on SQLite and PostgreSQL: one request for each invoice, whatever ends the process, and
never a guess.
"""

import inspect
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import get_type_hints

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session
from victor_api.api.payment_requests import create_request_payment as create_function
from victor_api.typed.methods import PaymentRequests

from tests.outbox.kinds import Provider, refused
from tests.outbox.rows import (
    before_the_first_change,
    change,
    end_claims,
    give_to_another,
    key_of,
    references,
    states,
    statuses,
    stored,
)
from tests.providers.victor.adapter import invoice
from victor_ext import BadRequest, InvalidRequest, PermissionDenied, Victor
from victor_ext.outbox import EntryState, Outbox, PaymentRequestArguments

pytestmark = pytest.mark.slow


# What is stored


def test_an_entry_is_there_with_the_invoice_or_not_at_all(outbox, engine):
    with Session(engine) as session:
        outbox.add(session, **invoice(1))
        session.rollback()
    stored(outbox, invoice(2))
    assert references(outbox.entries()) == ["INV-2"]


def test_the_database_refuses_a_second_entry_with_the_same_key(outbox, engine):
    stored(outbox, invoice())
    with engine.begin() as connection:
        row = connection.execute(sa.select(outbox.table)).mappings().one()
        with pytest.raises(IntegrityError):
            connection.execute(sa.insert(outbox.table).values({**row, "id": 2}))


# What is sent


def test_each_entry_is_sent_once_and_its_final_status_is_read(box, time_travel, victor_sandbox):
    box.add(**invoice(1))
    box.add(**invoice(2, payer_counterparty_id="declinesRfp"))
    assert states(box.send()) == ["sent", "sent"]
    assert box.send() == []
    time_travel.advance(minutes=1)
    assert set(statuses(box.refresh())) == {"completed", "declined"}
    assert box.refresh() == []
    assert set(victor_sandbox.work_done_by_key().values()) == {1}
    assert box.counts()[EntryState.SENT] == 2 == sum(box.counts().values())
    assert box.entry(key_of(1)).status == "completed"


def test_a_request_that_a_generated_function_made_is_read_from_the_list_too(
    box, victor, time_travel, victor_sandbox
):
    """One walk reads all of them, and none of them alone."""
    body = victor.prepare("payment_requests.create", **invoice(1)).body
    for number in (1, 2):
        given = {**body, "client_reference_id": f"INV-{number}"}
        box.add_call(create_function, body=given, idempotency_key=key_of(number))
    box.send()
    time_travel.advance(minutes=1)
    assert statuses(box.refresh()) == ["completed", "completed"]
    assert "get" not in {request.operation for request in victor_sandbox.received()}


def test_a_refresh_does_not_load_the_stored_calls_of_requests_in_the_list(outbox, victor):
    stored(outbox, invoice())
    outbox.send(victor)
    statements = []
    sa.event.listen(
        outbox._engine, "before_cursor_execute", lambda *args: statements.append(args[2])
    )
    outbox.refresh(victor)
    of_many = [statement for statement in statements if "LIMIT" not in statement]
    assert of_many
    assert not [statement for statement in of_many if "call" in statement]


@pytest.mark.parametrize(
    ("words", "kept"),
    [("half \ud83d", "half \\ud83d"), ("a \0 byte", "a \\x00 byte")],
    ids=["half of a character", "zero"],
)
def test_a_text_of_the_provider_is_stored_even_if_a_database_refuses_its_characters(
    outbox, victor, faults, words, kept
):
    """PostgreSQL takes no zero and neither takes half of a character: nothing would be settled
    ever again.
    """
    made = {
        "victor_payment_request_id": "ID-1",
        "client_reference_id": "INV-1",
        "direction": "outbound",
        "status": words,
    }
    stored(outbox, invoice(1))
    faults.status(200, operation="create", body=json.dumps(made))
    assert statuses(outbox.send(victor)) == [kept]
    listed = {"results": [{**made, "status": "failed", "error_message": words}]}
    faults.status(200, operation="list", body=json.dumps(listed))
    (failed,) = outbox.refresh(victor)
    assert failed.error == kept


@pytest.mark.parametrize(("ahead", "is_held"), [(0.0, False), (200.0, True), (31_536_000.0, False)])
def test_an_entry_is_due_at_its_time_unless_that_is_impossibly_late(
    outbox, victor, faults, ahead, is_held
):
    """Another machine's clock may be a little ahead.

    A year, and the entry would be `sending` for ever.
    """
    stored(outbox, invoice())
    faults.lose_answer(times=6, operation="create")
    assert outbox.send(victor) == outbox.send(victor) == []
    end_claims(outbox, ahead)
    assert states(outbox.send(victor)) == ([] if is_held else ["sent"])


@pytest.mark.victor_sandbox(key_life=3600)
def test_no_call_outlasts_its_key(outbox, engine, victor, faults, sent_once):
    """The provider asks to wait for longer than it keeps the key, and the client has the time."""
    outbox = Outbox(engine, keys_kept=timedelta(hours=1))
    stored(outbox, invoice(1))
    faults.status(503, operation="create", work=True, headers={"Retry-After": "7200"})
    assert outbox.send(victor.with_options(deadline=80_000.0)) == []
    end_claims(outbox)
    assert states(outbox.send(victor)) == ["sent"]
    assert len(sent_once(key_of(1))) == 2


def test_the_work_of_a_pass_is_logged_with_a_warning_where_no_request_was_created(
    engine, victor, faults, caplog
):
    """Also what was done before an error has ended a pass."""
    caplog.set_level("INFO", "victor_ext.outbox")
    outbox, stop = Outbox(engine, workers=1), threading.Event()
    outbox.create_table()
    outbox.on("sent")(lambda *_: stop.set())
    stored(outbox, invoice(1), invoice(2))
    for status in (400, 403):
        faults.status(status, operation="create")
    with pytest.raises(PermissionDenied):
        outbox.send(victor)
    end_claims(outbox)
    outbox.run(victor, stop=stop)
    assert [(record.getMessage(), record.levelname) for record in caplog.records] == [
        ("outbox.send changed 1 rejected", "WARNING"),
        ("outbox.send changed 1 sent", "INFO"),
    ]


def test_a_worker_goes_on_after_failures_and_ends_with_its_stop(
    outbox, victor, victor_sandbox, faults, caplog
):
    stored(outbox, invoice())
    faults.status(401, times=None)
    caplog.set_level("INFO", "victor_ext.outbox")

    class Stop(threading.Event):
        def wait(self, timeout=None):
            faults.clear()
            if states(outbox.entries()) == ["sent"]:
                self.set()
            return super().wait(timeout)

    outbox.run(victor, interval=0.1, stop=Stop())
    refused, *_, created = victor_sandbox.received()
    assert created.at - refused.at >= 1.0, "it sends nothing for a second"
    assert "outbox.send failed and will be retried" in caplog.text
    assert caplog.messages[-1] == "outbox.send changed 1 sent"
    assert states(outbox.entries()) == ["sent"]


def test_an_entry_that_a_worker_takes_up_is_no_other_workers(outbox, engine, victor, sent_once):
    """The second worker comes after the first one has read it, and before it has marked it: the one
    that marks it first sends it. On SQLite the second one would have to wait.
    """
    stored(outbox, invoice(1))
    at_once = {"timeout": 0} if engine.dialect.name == "sqlite" else {}
    other = sa.create_engine(engine.url, connect_args=at_once)

    def send():
        with suppress(OperationalError):
            return Outbox(other).send(victor)
        return []

    with before_the_first_change(engine, "victor_outbox", send) as results:
        sent = states(outbox.send(victor))
    other.dispose()
    assert [*sent, *states(results[0])] == ["sent"]
    sent_once(key_of(1))


def test_the_finding_of_a_worker_that_counted_as_dead_is_not_stored(outbox, victor):
    """Another one has taken the entry up since."""
    stored(outbox, invoice(1))

    def refuse(_call):
        give_to_another(outbox)
        raise InvalidRequest("The due date has passed, by the clock of this machine.")

    victor.send = refuse
    assert outbox.send(victor) == []
    assert states(outbox.entries()) == ["sending"]


def test_the_result_of_a_call_is_stored_even_if_another_worker_has_the_entry(outbox, victor):
    stored(outbox, invoice(1))

    def send(call):
        give_to_another(outbox)
        return Victor.send(victor, call)

    victor.send = send
    assert states(outbox.send(victor)) == ["sent"]


def test_the_finding_of_a_worker_about_an_entry_that_a_person_retries_is_not_stored(outbox, victor):
    """It has looked the entry up for the last time, and a person was quicker."""
    stored(outbox, invoice(1))
    victor.ping()
    sent = {"first_sent_at": time.time(), "by_provider_clock": True, "sent_by": "others"}
    change(outbox, state="settling", settle_until=1.0, **sent)

    def look_up_all(look_ups):
        outbox.resolve(key_of(1), done=False, by="Zoë", why="the provider says so")
        outbox.retry(key_of(1))
        return Victor.look_up_all(victor, look_ups)

    victor.look_up_all = look_up_all
    assert outbox.send(victor) == []
    assert states(outbox.entries()) == ["waiting"]


def test_transactions_that_the_database_ends_because_of_others_are_made_again(
    victor, victor_sandbox, postgres_server
):
    """Four workers at once, each transaction `SERIALIZABLE`: PostgreSQL ends many of them, with
    40001.
    """
    url, ended = postgres_server.new_schema(), set()
    engine = sa.create_engine(url, isolation_level="SERIALIZABLE", pool_size=8)
    outbox = Outbox(engine)
    outbox.create_table()
    stored(outbox, *map(invoice, range(24)))
    victor.ping()

    def note(context):
        ended.add(context.original_exception.sqlstate)

    sa.event.listen(engine, "handle_error", note)
    with ThreadPoolExecutor(4) as threads:
        for each in [threads.submit(Outbox(engine).send, victor) for _ in range(4)]:
            each.result()
    assert states(outbox.entries()) == ["sent"] * 24
    engine.dispose()
    assert ended == {"40001"}
    assert set(victor_sandbox.work_done_by_key().values()) == {1}


def test_the_arguments_of_an_outbox_are_those_of_create():
    """Their names and types.

    The reference and the key are required, where `create` can do without.
    """
    of_create, of_outbox = (
        get_type_hints(PaymentRequests.create),
        get_type_hints(PaymentRequestArguments),
    )
    of_create.pop("return")
    parameters = [*inspect.signature(PaymentRequests.create).parameters.items()][1:]
    required = {name for name, each in parameters if each.default is each.empty}
    ours = {"client_reference_id", "idempotency_key"}
    assert of_outbox == {**of_create, **dict.fromkeys(ours, str)}
    assert PaymentRequestArguments.__required_keys__ == required | ours


FORMS = (
    {"amount": Decimal("44.2300"), "amount_modification_allowed": True},
    {"amount": 100, "due_date": datetime.now(UTC).date().isoformat(), "notes": None},
    {"extra_body": {"zeta": [Decimal("1E-7"), 10**30], "alpha": {"é": (None,)}}},
)


@pytest.mark.parametrize("form", FORMS)
def test_a_stored_entry_is_sent_with_the_same_bytes_as_by_create(form, outbox):
    provider = Provider(lambda _reference: refused(400))
    stored(outbox, invoice(**form), dict(reversed(invoice(**form).items())))
    assert len(outbox.entries()) == 1
    with provider.client() as victor:
        outbox.send(victor)
        with pytest.raises(BadRequest):
            victor.payment_requests.create(**invoice(**form))
    sent, created = provider.bodies
    assert sent == created


# The awaited outbox
