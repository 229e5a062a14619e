"""What files and people may change of the entries of files, and what they leave alone: what may
have been sent, and what a live worker has.
"""

import threading
from contextlib import nullcontext

import httpx
import pytest
import sqlalchemy as sa

from tests.outbox.kinds import Provider, refused
from tests.outbox.rows import before_the_first_change
from tests.payments import invoice
from victor_ext import Victor, VictorOAuth
from victor_ext._event_queue.databases import DatabaseTime
from victor_ext._event_queue.vault import Vault
from victor_ext.outbox._files import (
    ENTRIES,
    TABLES,
    EntryMarked,
    FileCall,
    FileSender,
    FileTerms,
    SenderTerms,
    adopt,
    entry_values,
    forget_entries,
    held_since,
    hold_entries,
    let_go_on,
    put_entries,
    release_entries,
    remove_entries,
)

SCOPE, KEY = "Victor staging", "a-key-of-an-invoice-1"
SENDER, BATCH = "an account", "march"
VAULT = Vault([b"a-secret-of-a-state"], "The state", "storage_key")
TO_BE_REPLACED = ("waiting", "refused")
MARKED = ("sending", "settling", "unclear", "sent", "rejected")
IN_DOUBT = ("sending", "settling", "unclear")
UNDER_CALL = {"worker": 7, "due_at": DatabaseTime() + 50.0}
IS_OVER = {"worker": 7, "due_at": DatabaseTime() - 1.0}
PATIENCE = 30.0
"""Seconds after which a test has failed that waits for something."""


def new_entry(reference="INV-1", scope=SCOPE):
    terms = FileTerms("Victor", "payment_requests.create", scope, SENDER, BATCH, shared=False)
    return entry_values(terms, KEY, reference)


@pytest.fixture
def entry(engine):
    """Stores an entry with these column values, and returns the present row of it."""
    TABLES.entries.metadata.create_all(engine)

    def row():
        with engine.connect() as connection:
            return connection.execute(sa.select(ENTRIES)).one()

    def change(**values):
        with engine.begin() as connection:
            connection.execute(sa.update(ENTRIES).values(values))
        return row()

    def store(**values):
        with engine.begin() as connection:
            put_entries(connection, [new_entry()])
        if values:
            change(**values)
        return row

    store.change = change

    yield store
    TABLES.entries.metadata.drop_all(engine)


@pytest.mark.parametrize("state", [*TO_BE_REPLACED, *MARKED])
def test_a_file_replaces_waiting_or_refused_entries_and_none_that_may_have_been_sent(
    engine, entry, state
):
    row = entry(state=state, **UNDER_CALL)
    before = row()
    is_replaced = state in TO_BE_REPLACED
    with nullcontext() if is_replaced else pytest.raises(EntryMarked), engine.begin() as connection:
        put_entries(connection, [new_entry("INV-2")])
    if is_replaced:
        assert row().reference != before.reference
        assert (row().state, row().worker, row().due_at) == ("waiting", None, 0.0)
    else:
        assert row() == before


@pytest.mark.parametrize("state", [*TO_BE_REPLACED, *MARKED])
def test_a_file_leaves_out_nothing_that_may_have_been_sent(engine, entry, state):
    entry(state=state)
    with engine.begin() as connection:
        remove_entries(connection, "Velo staging", [KEY])
        remove_entries(connection, SCOPE, [KEY])
        left = connection.scalar(sa.select(ENTRIES.c.state))
    assert left == (None if state in TO_BE_REPLACED else state)


def test_a_key_in_two_scopes_is_two_entries(engine, entry):
    entry(state="refused")
    with engine.begin() as connection:
        put_entries(connection, [new_entry(scope="Victor production")])
        states = connection.execute(sa.select(ENTRIES.c.scope, ENTRIES.c.state)).all()
        assert {*states} == {(SCOPE, "refused"), ("Victor production", "waiting")}
        remove_entries(connection, "Victor production", [KEY])
        left = connection.execute(sa.select(ENTRIES.c.scope, ENTRIES.c.state)).all()
    assert left == [(SCOPE, "refused")]


@pytest.mark.parametrize("state", ["waiting", "sending", "settling"])
def test_resume_changes_nothing_that_a_worker_has(engine, entry, state):
    """Nor what a call of a dead one may be about, until that call must have ended."""
    row = entry(state=state, **UNDER_CALL)
    before = row()
    with engine.begin() as connection:
        let_go_on(connection, sa.true())
        adopt(connection, sa.true(), "another account", "april")
    assert row() == before


@pytest.mark.parametrize("state", [*TO_BE_REPLACED, *MARKED])
def test_another_batch_adopts_only_what_is_in_doubt(engine, entry, state):
    row = entry(state=state, **IS_OVER)
    with engine.begin() as connection:
        adopt(connection, sa.true(), "another account", "april")
    is_adopted = (row().sender, row().batch) == ("another account", "april")
    assert is_adopted == (state in IN_DOUBT)


def test_an_entry_that_a_file_puts_again_while_it_is_forgotten_is_not_forgotten(engine, entry):
    row = entry(state="refused")

    def put_meanwhile():
        with engine.begin() as connection:
            put_entries(connection, [new_entry("INV-2")])

    meanwhile = before_the_first_change(engine, ENTRIES.name, put_meanwhile)
    with meanwhile, engine.begin() as connection:
        forget_entries(connection, ENTRIES, sa.true())
    assert row().reference == "INV-2"


@pytest.mark.parametrize("last", ["not_sent", "unknown", None])
def test_an_unclear_entry_is_looked_up_again_and_never_sent(engine, entry, last):
    row = entry(state="unclear", last=last, first_sent_at=1.0)
    with engine.begin() as connection:
        let_go_on(connection, sa.true())
    assert (row().state, row().first_sent_at) == ("settling", 1.0)


def test_an_entry_that_waits_in_a_backup_counts_as_possibly_sent_after_a_hold(engine, entry):
    row = entry(state="waiting")
    with engine.begin() as connection:
        hold_entries(connection)
        assert held_since(connection) is not None
        assert [release_entries(connection), release_entries(connection)] == [True, False]
    assert (row().state, row().restored) == ("sending", True)
    assert row().first_sent_at == row().stored_at


class Rows:
    """The rows of the entry."""

    def prepare(self, _connection, keys):
        with Victor(VictorOAuth("an-id", "a-secret")) as client:
            values = invoice(1, idempotency_key=KEY)
            call = FileCall(client.prepare("payment_requests.create", **values), {})
        return dict.fromkeys(keys, call)


def worker(engine, respond):
    """A worker, and how the provider responds to it."""
    terms = SenderTerms(SCOPE, SENDER, BATCH, kept=86_400.0, workers=1)
    client, stop = Provider(lambda _reference: respond()).client(), threading.Event()
    return FileSender(engine, client, VAULT, terms, Rows(), stop)


def test_a_worker_that_has_lost_an_entry_does_not_refuse_what_another_is_sending(engine, entry):
    """It counted as dead, and the other one took the entry up once its call had to be over."""
    row = entry(state="waiting")
    bob_sends, ann_is_done = threading.Event(), threading.Event()

    def hear_nothing():
        bob_sends.set()
        ann_is_done.wait(PATIENCE)
        raise httpx.ReadError("Nothing came back.")

    def lose_the_entry():
        with engine.begin() as connection:
            connection.execute(sa.update(ENTRIES).values(worker=None, due_at=0.0))
        bob.start()
        bob_sends.wait(PATIENCE)
        return refused(400)

    bob = threading.Thread(target=worker(engine, hear_nothing).send_for_a_while)
    worker(engine, lose_the_entry).send_for_a_while()
    assert row().state == "sending"
    ann_is_done.set()
    bob.join()
    assert (row().state, row().last) == ("sending", "unknown")
