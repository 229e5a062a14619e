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
STORAGE_KEY, OTHER_KEY = "the storage key of the tests", "another storage key of the tests"
SECRETS = ["9044.23", "043987673645", "a note of Zoe's", "acceptsRfp"]
NOW = timedelta(0)
KEY = key_of(1)
OTHER = "is encrypted with another storage_key: pass the one that it was begun with"
NONE = "is encrypted, and no storage_key was passed: pass the one that it was begun with"
WRONG = [(OTHER_KEY, OTHER), (None, NONE)]
"""Keys that are not that of an entry, and what is said of them."""


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
    for storage_key, message in WRONG:
        wrong = box_with(storage_key=storage_key)
        add = partial(wrong.add, **noted(3))
        for act in (wrong.send, wrong.refresh, add, wrong.run):  # no later pass could go on
            with pytest.raises(ConfigurationError, match=message):
                act()
    assert victor_sandbox.requests() == []
    box.add(**noted(1))
    with pytest.raises(InvalidRequest, match=r"with other values of payment_details\.amount\."):
        box.add(**noted(1, amount="9044.24"))
    assert amounts(box.entries()) == ["9044.23"]
    assert states(box.send()) == ["sent"]
    sent_once(KEY)
    assert secrets_in(engine) == []


def test_a_replaced_storage_secret_opens_the_entries_that_were_stored_before(box_with):
    old, new = box_with(storage_key=STORAGE_KEY), box_with(storage_key=OTHER_KEY)
    assert not old.rekey(OTHER_KEY)
    old.add(**noted(1))
    with pytest.raises(ConfigurationError, match=OTHER):
        new.rekey(STORAGE_KEY)
    assert old.rekey(OTHER_KEY)
    assert amounts(new.entries()) == ["9044.23"]
    with pytest.raises(ConfigurationError, match=OTHER):
        old.entries()


def test_a_damaged_entry_is_reported_by_its_key_and_not_sent(sealed, victor, victor_sandbox):
    call = sealed.table.c.call
    begin = len("vb1.01234567.")
    change(sealed, call=sa.func.substr(call, 1, begin) + "AAAA" + sa.func.substr(call, begin + 5))
    with pytest.raises(ConfigurationError, match=f"the entry {KEY} cannot be decrypted"):
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


def test_a_lost_response_is_settled_under_its_key(sealed, victor, faults, sent_once):
    faults.lose_answer(operation="create", times=6)
    assert sealed.send(victor) == []
    end_claims(sealed)
    assert states(sealed.send(victor)) == ["sent"]
    sent_once(KEY)
