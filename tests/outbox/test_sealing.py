"""An outbox with a storage key: its database shows nothing of a request that nobody has to search,
and nobody goes on with it who has another key, or none.
"""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.outbox.rows import (
    change,
    end_claims,
    key_of,
    shown_of,
    states,
    statuses,
    stored,
    text_of,
)
from tests.payments import invoice
from victor_ext import ConfigurationError, InvalidRequest
from victor_ext.outbox import Outbox

pytestmark = pytest.mark.pull_request
STORAGE_KEY, OTHER_KEY = "the-storage-key-of-the-tests", "another-storage-key-of-the-tests"
SECRETS = ["9044.23", "043987673645", "a note of Zoe's", "acceptsRfp"]
NOW = timedelta(0)
KEY = key_of(1)
UNREADABLE = f"has the entry {KEY} that no secret in storage_key .VICTOR_OUTBOX_KEY. decrypts"


def noted(number, **changes):
    return invoice(number, **{"amount": "9044.23", "notes": "a note of Zoe's", **changes})


def bytes_of(engine):
    """All that lies in the database: of SQLite its files, with what is not in the first one yet."""
    if engine.name == "sqlite":
        file = Path(str(engine.url.database))
        return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    return text_of(engine, *sa.inspect(engine).get_table_names()).encode()


def secrets_in(engine):
    """What the database shows of an invoice."""
    shown = bytes_of(engine)
    return [secret for secret in SECRETS if shown_of(secret, shown)]


def amounts(entries):
    return [entry.payments[0].amount for entry in entries]


def test_a_sealed_entry_is_sent_only_with_the_storage_key_and_its_secrets_are_not_readable(
    engine, box_with, victor_sandbox, sent_once
):
    box = box_with(storage_key=STORAGE_KEY)
    box.add(**noted(1))
    assert secrets_in(engine) == []
    assert shown_of("INV-1", bytes_of(engine)), "what is searched is in clear, and is found so"
    for storage_key in (OTHER_KEY, None):
        wrong = box_with(storage_key=storage_key)
        add = partial(wrong.add, **noted(3))
        for act in (wrong.send, add, wrong.entries, wrong.run):  # no later pass could go on
            with pytest.raises(ConfigurationError, match=UNREADABLE):
                act()
    assert victor_sandbox.requests() == []
    box.add(**noted(1))
    with pytest.raises(
        InvalidRequest, match=r"with other values of body\.payment_details\.amount\."
    ):
        box.add(**noted(1, amount="9044.24"))
    assert amounts(box.entries()) == ["9044.23"]
    assert states(box.send()) == ["sent"]
    sent_once(KEY)
    assert secrets_in(engine) == []


def test_a_rotated_secret_stays_in_the_list_while_entries_of_its_time_are_there(
    box_with, victor_sandbox
):
    old, new = box_with(storage_key=STORAGE_KEY), box_with(storage_key=OTHER_KEY)
    both = box_with(storage_key=f"{OTHER_KEY},{STORAGE_KEY}")
    old.add(**noted(1))
    both.add(**noted(2))
    assert amounts(both.entries()) == ["9044.23", "9044.23"]
    with pytest.raises(ConfigurationError, match=UNREADABLE):
        new.send()
    assert victor_sandbox.requests() == []
    assert states(both.send()) == ["sent", "sent"]


def test_an_outbox_in_clear_takes_no_secret(box_with, victor_sandbox):
    """Else it would have entries of both kinds, and no worker could read all."""
    clear, sealed = box_with(), box_with(storage_key=STORAGE_KEY)
    clear.add(**noted(1))
    for act in (sealed.send, partial(sealed.add, **noted(2))):
        with pytest.raises(ConfigurationError, match=UNREADABLE):
            act()
    assert victor_sandbox.requests() == []
    assert states(clear.send()) == ["sent"]


def test_a_damaged_entry_is_reported_by_its_key_and_not_sent(sealed, victor, victor_sandbox):
    call = sealed.table.c.call
    begin = len("vb1.")
    change(sealed, call=sa.func.substr(call, 1, begin) + "AAAA" + sa.func.substr(call, begin + 5))
    with pytest.raises(ConfigurationError, match=UNREADABLE):
        sealed.send(victor)
    assert victor_sandbox.requests() == []


# Its provider's words are encrypted as the request is, and so is what waits for handlers


@pytest.fixture
def sealed(outbox, engine):
    """An outbox with a key, and an invoice in it."""
    made = Outbox(engine, storage_key=STORAGE_KEY)
    stored(made, noted(1))
    return made


def test_a_sealed_outbox_forgets_without_its_key_and_nothing_is_added_under_a_forgotten_key(
    sealed, outbox, victor, time_travel
):
    sealed.send(victor)
    time_travel.advance(minutes=1)
    assert statuses(sealed.refresh(victor)) == ["completed"]
    assert outbox.forget(older_than=NOW) == 1
    with pytest.raises(InvalidRequest, match="a call that was forgotten"):
        stored(sealed, noted(1))


def test_an_event_whose_entry_cannot_be_decrypted_waits_and_no_try_is_counted(
    sealed, engine, victor
):
    def fail(_session, _event):
        raise LookupError

    sealed.on("sent")(fail)
    sealed.send(victor)
    with engine.begin() as connection:
        connection.execute(sa.update(sealed.events).values(due_at=0.0))
    other = Outbox(engine, victor, storage_key=OTHER_KEY)
    other.on("sent")(fail)
    with pytest.raises(ConfigurationError, match=UNREADABLE):
        other.handle()
    with engine.connect() as connection:
        assert connection.execute(sa.select(sealed.events.c.tries)).scalars().all() == [1]


def test_a_lost_response_is_settled_under_its_key(sealed, victor, faults, sent_once):
    faults.lose_answer(operation="create", times=6)
    assert sealed.send(victor) == []
    end_claims(sealed)
    assert states(sealed.send(victor)) == ["sent"]
    sent_once(KEY)
