"""The outbox on SQLite and PostgreSQL: one request for each invoice, whatever ends the process, and
never a guess.
"""

import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.outbox.kinds import Provider, refused
from tests.outbox.rows import (
    change,
    end_claims,
    give_to_another,
    key_of,
    references,
    states,
    statuses,
    stored,
)
from tests.payments import invoice
from victor_ext import BadRequest, InvalidRequest, Victor
from victor_ext.outbox import EntryState, Outbox

pytestmark = pytest.mark.slow


# What is stored


def test_an_entry_is_there_with_the_invoice_or_not_at_all(outbox, engine):
    with Session(engine) as session:
        outbox.add(session, **invoice(1))
        session.rollback()
    stored(outbox, invoice(2))
    assert references(outbox.entries()) == ["INV-2"]


def test_what_is_added_says_whether_it_was_stored_now(box):
    assert [box.add(**invoice(1)) for _ in range(2)] == [True, False]


def test_a_call_that_is_added_says_whether_it_was_stored_now(outbox, engine, victor):
    outbox = Outbox(engine, victor)
    named = {**invoice(1), "idempotency_key": key_of(1)}
    with engine.begin() as connection:
        were_stored = [
            outbox.add_call(connection, "payment_requests.create", **named) for _ in range(2)
        ]
    assert were_stored == [True, False]


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
