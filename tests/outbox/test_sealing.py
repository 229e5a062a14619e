"""An outbox with a storage key: its database shows nothing of a request that nobody has to search,
and nobody goes on with it who has another key, or none.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.outbox.kinds import Provider, refused
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
from tests.providers.victor.adapter import invoice
from victor_ext import ConfigurationError, InvalidRequest
from victor_ext.outbox import Outbox
from victor_ext.outbox._sealing import STORAGE_KEY as STORAGE_KEY_ROW
from victor_ext.outbox._sealing import ClearRow

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


def test_entries_that_were_stored_in_clear_are_read_and_sent_beside_sealed_ones(
    box, box_with, engine
):
    keyless, sealed = box, box_with(storage_key=STORAGE_KEY)
    keyless.add(**noted(1))
    assert secrets_in(engine) == SECRETS
    sealed.add(**noted(1))  # it is stored already, and stays as it is
    sealed.add(**noted(2))
    assert [entry.sealed for entry in keyless.entries()] == [False, True]
    assert amounts(sealed.entries()) == ["9044.23"] * 2
    assert len(sealed.send()) == 2


def test_without_the_storage_key_an_entry_shows_as_encrypted_and_can_be_held_and_cancelled(
    box, box_with
):
    keyless, sealed = box, box_with(storage_key=STORAGE_KEY)
    sealed.add(**noted(1))
    entry = keyless.entry(KEY)
    assert (entry.sealed, entry.payments, entry.reference) == (True, (), "INV-1")
    assert repr(ClearRow(key=KEY, call=noted(1))) == "ClearRow([hidden])", "as the row of a claim"
    keyless.cancel("INV-1", by="zoe", why="returned")
    assert keyless.hold().marked == 1
    assert keyless.release()
    cancelled = sealed.entry(KEY)
    said = "Cancelled by zoe: returned It may have been sent since its backup was made."
    assert cancelled.error == said
    assert amounts([cancelled]) == ["9044.23"]


def test_a_key_that_was_rolled_back_encrypts_nothing(outbox, engine):
    """The key is made with the first entry, and both are there or neither."""
    sealed = Outbox(engine, storage_key=STORAGE_KEY)
    is_key_stored = sa.exists().where(sealed.control.c.name == STORAGE_KEY_ROW).select()
    with engine.connect() as connection:
        sealed.add(connection, **noted(1))
        assert connection.scalar(is_key_stored)
        connection.rollback()
    stored(sealed, noted(2))
    assert amounts(Outbox(engine, storage_key=STORAGE_KEY).entries()) == ["9044.23"]


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


@pytest.mark.parametrize("storage_key", ["", "  too short      ", 17])
def test_a_storage_key_that_is_no_secret_is_refused_without_being_shown(storage_key):
    engine = sa.create_engine("sqlite://")
    with pytest.raises(ConfigurationError, match="storage_key") as raised:
        Outbox(engine, storage_key=storage_key)
    assert "too short" not in str(raised.value)


# Its provider's words are encrypted as the request is, and so is what waits for handlers


@pytest.fixture
def sealed(outbox, engine):
    """An outbox with a key, and an invoice in it."""
    made = Outbox(engine, storage_key=STORAGE_KEY)
    stored(made, noted(1))
    return made


def test_an_error_is_read_with_the_key_alone(sealed, outbox, engine):
    refusal = refused(400, {"error": {"message": "Mr Underhill owes too much."}})
    with Provider(lambda _reference: refusal).client() as victor:
        (entry,) = sealed.send(victor)
    assert "Underhill" in str(entry.error)
    assert not shown_of("Underhill", bytes_of(engine))
    sealed.hold()
    added = "It may have been sent since its backup was made."
    assert sealed.entries()[0].error == f"{entry.error} {added}"
    assert outbox.entries()[0].error == added


def test_an_event_that_waits_is_handled_with_the_key(sealed, outbox, engine):
    seen = []
    outbox.cancel(KEY, by="zoe", why="returned")
    assert secrets_in(engine) == []
    for each in (outbox, sealed):
        each.on()(lambda _session, event: seen.append(event))
    with pytest.raises(ConfigurationError, match=NONE):
        outbox.handle()
    assert len(sealed.handle()) == 1
    assert amounts([seen[0].entry]) == ["9044.23"]


def test_a_forgotten_sealed_entry_is_recognized_by_a_digest_with_the_storage_key(
    sealed, outbox, engine, victor, time_travel
):
    sealed.send(victor)
    time_travel.advance(minutes=1)
    assert statuses(sealed.refresh(victor)) == ["completed"]
    with pytest.raises(ConfigurationError, match=NONE):
        outbox.forget(older_than=NOW)
    assert sealed.forget(older_than=NOW) == 1
    assert shown_of("digest-1-keyed:", bytes_of(engine))
    stored(sealed, noted(1))
    with pytest.raises(InvalidRequest, match="with other arguments"):
        stored(sealed, noted(1, amount="9044.24"))


def test_a_lost_response_is_settled_under_its_key(sealed, victor, faults, sent_once):
    faults.lose_answer(operation="create", times=6)
    assert sealed.send(victor) == []
    end_claims(sealed)
    assert states(sealed.send(victor)) == ["sent"]
    sent_once(KEY)


def test_processes_that_store_the_first_entries_at_once_have_one_key(outbox, engine):
    together = threading.Barrier(4)

    def put(number):
        own = Outbox(engine, storage_key=STORAGE_KEY)
        together.wait()
        stored(own, noted(number))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(put, range(4)))
    assert amounts(Outbox(engine, storage_key=STORAGE_KEY).entries()) == ["9044.23"] * 4
