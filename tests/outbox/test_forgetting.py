"""What is settled loses its data when its time has come, and nobody is asked again for it."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.outbox.rows import change, execute, key_of, shown_of, stored, text_of
from tests.payments import invoice
from victor_ext import InvalidRequest
from victor_ext._event_queue.databases import DatabaseTime
from victor_ext.outbox import EntryState

pytestmark = pytest.mark.slow
KEY = key_of(1)
NOW = timedelta(0)
PERSON = "Zoë"


def settled(outbox, **values):
    """An invoice that was paid."""
    stored(outbox, invoice(1))
    paid = {
        "state": "sent",
        "request_id": "R-1",
        "status": "completed",
        "ended": True,
        "error": f"{PERSON} has looked.",
        "resolved_by": PERSON,
        "resolved_why": PERSON,
    }
    change(outbox, **paid | values)


def put_event(outbox, **values):
    """An event of the invoice, with these values."""
    now = DatabaseTime()
    times = {"stored_at": now, "due_at": now, "tries": 0}
    event = {"provider": "Victor", "name": "completed", "source": "s", "subject": KEY, **times}
    execute(outbox, sa.insert(outbox.events).values(event | values))


def secrets_in(outbox):
    """What is stored of the invoice, and of who has looked at it."""
    content = text_of(outbox._engine, outbox.table.name, outbox.events.name).encode()
    secrets = (PERSON, "INV-1", "043987673645", "acceptsRfp")
    return [secret for secret in secrets if shown_of(secret, content)]


def test_a_forgotten_entry_keeps_no_secret_but_its_key_state_and_id(outbox):
    settled(outbox)
    put_event(outbox, data=f'"{PERSON}"', state="dead", error=PERSON)
    outbox.discard(*[letter.id for letter in outbox.dead_letters()], by=PERSON, why=PERSON)
    assert len(secrets_in(outbox)) == 4
    assert outbox.forget(older_than=NOW) == 1
    assert secrets_in(outbox) == []
    (entry,) = outbox.entries()
    assert (entry.idempotency_key, entry.state, entry.request_id) == (KEY, "sent", "R-1")
    assert (entry.forgotten, entry.reference, entry.payments) == (True, None, ())
    assert outbox.dead_letters("discarded") == []
    assert outbox.forget(older_than=NOW) == 0


def test_under_the_key_of_a_forgotten_entry_nothing_is_added(outbox, victor, victor_sandbox):
    """Nor is it sent again by hand."""
    settled(outbox, state="rejected")
    outbox.forget(older_than=NOW)
    for other in ({}, {"amount": "44.24"}):
        with pytest.raises(InvalidRequest, match="with a call that was forgotten"):
            stored(outbox, invoice(1, **other))
    with pytest.raises(InvalidRequest, match="was forgotten: nothing was changed"):
        outbox.retry(KEY)
    assert outbox.send(victor) == outbox.refresh(victor) == []
    assert victor_sandbox.requests() == []


@pytest.mark.parametrize("state", [state.value for state in EntryState])
@pytest.mark.parametrize("values", [{"ended": False}, {"ended": True}, {"restored": True}], ids=str)
def test_an_entry_whose_payment_may_exist_or_has_not_ended_is_never_forgotten(
    outbox, state, values
):
    settled(outbox, state=state, **values)
    is_over = state == "sent" and values != {"ended": False}
    is_over = is_over or (state in ("rejected", "refused") and values != {"restored": True})
    assert outbox.forget(older_than=NOW) == is_over


DAY = timedelta(days=1)


def test_an_entry_is_as_old_as_its_sending_by_the_provider_if_the_databases_clock_was_behind(
    outbox,
):
    settled(outbox)
    change(outbox, changed_at=1.0, first_sent_at=DatabaseTime() - 2 * 86_400)
    assert outbox.forget(older_than=3 * DAY) == 0
    assert outbox.forget(older_than=DAY) == 1


def test_a_forgotten_payout_is_not_submitted_again(payouts):
    payouts.submit()
    payouts.send()
    assert payouts.forget(older_than=NOW) == 0, "it was not accepted yet"
    change(payouts, ended=True)
    assert payouts.forget(older_than=NOW) == 1
    with pytest.raises(InvalidRequest, match="forgotten"):
        payouts.submit()
    assert payouts.send() == []
    assert payouts.calls("submit") == 1
