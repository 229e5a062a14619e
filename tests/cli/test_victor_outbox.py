"""`victor outbox`: what is unclear is named, and settled by hand by one command, with who and
why.
"""

import pytest
import sqlalchemy as sa

from tests.outbox.rows import change, change_events, execute, key_of, stored
from tests.payments import invoice
from victor_ext._event_queue.queue import MOST_TRIES
from victor_ext.outbox import Outbox

pytestmark = pytest.mark.slow
KEY, OTHER_KEY = key_of(1), key_of(2)
STORED_AT, SHOWN_TIME = 1_772_600_706.75, "2026-03-04T05:05:06Z"
"""A moment at which entries were stored, and how it is printed."""


@pytest.fixture
def engine(tmp_path):
    made = sa.create_engine(f"sqlite:///{tmp_path / 'invoices.sqlite'}")
    yield made
    made.dispose()


@pytest.fixture
def outbox(engine):
    """An entry is unclear, one waits, and an event is a dead letter."""
    made = Outbox(engine)
    made.create_table()
    stored(made, invoice(1), invoice(2))
    change(made, stored_at=STORED_AT)
    unclear = sa.update(made.table).where(made.table.c.id == 1)
    execute(made, unclear.values(state="unclear", error="Nobody knows.", first_sent_at=1.0))
    dead_letter(made, provider="Velo", name="completed", source="s", subject="k-3")
    return made


def dead_letter(box, **event):
    """Store an event that has failed too often."""
    with box._engine.begin() as connection:
        box._queue.store(connection, **event, data="{}")
    change_events(box, state="dead", error="ValueError: no", tries=MOST_TRIES)


@pytest.fixture
def run(outbox, engine, bare_command):
    def run(name, *words, **variables):
        place = ("--database", str(engine.url))
        return bare_command("outbox", name, *place, *words, **variables)

    return run


def test_the_status_of_an_outbox_lists_its_unclear_entries_and_dead_letters(run):
    shown = run("status")
    assert shown.status == 1
    assert shown.out.splitlines()[-2:] == [
        f"unclear    {SHOWN_TIME}  payment_requests.create  {KEY}  INV-1  Nobody knows.",
        "dead letter 1: completed of k-3: ValueError: no",
    ]


def test_an_unclear_entry_is_settled_by_hand_with_a_person_and_a_reason(run):
    person = ("--by", "Zoë", "--why", "the portal shows it")
    for words, why in (
        (("--as", "done", "--id", " R-1"), "--id begins or ends with a space"),
        (("--as", "not-done", "--id", "R-1"), "write done=True (--as done)"),
    ):
        assert why in run("resolve", KEY, *words, *person).err
    settled = run("resolve", KEY, "--as", "done", "--id", "R-1", *person)
    assert settled.out == f"{KEY} is resolved as done.\n"
    settled = run("entries", "--state", "sent", "--json").json
    names = ("state", "request_id", "resolved_by", "resolved_why")
    assert [settled[name] for name in names] == ["sent", "R-1", "Zoë", "the portal shows it"]
    again = run("resolve", "INV-1", "--as", "not-done", *person)
    assert (again.status, "is sent, not unclear or settling" in again.err) == (2, True)


def test_a_dead_letter_is_tried_again_or_discarded_with_who_and_why(outbox, run):
    assert run("retry", "--dead-letter", "1").out == "1 to be tried again.\n"
    assert run("retry", "--all-dead-letters", "--json").json == {"retried": 0}
    change_events(outbox, state="dead", error="ValueError: no")
    words = ("--dead-letter", "1", "--by", "Zoë", "--why", "a test.")
    assert run("discard", *words).out == "1 discarded.\n"
    again = run("discard", *words, "--json")
    assert (again.status, again.json) == (1, {"discarded": 0})
    [letter] = outbox.dead_letters("discarded")
    assert letter.error == "Discarded by Zoë: a test. It had failed: ValueError: no"


def test_victor_outbox_cancels_an_entry_and_holds_and_releases_an_outbox(run):
    person = ("--by", "Zoë", "--why", "returned")
    assert "Cancelled by Zoë: returned" in run("cancel", "INV-2", *person).out
    assert "is unclear, not waiting: nothing was changed" in run("cancel", KEY, *person).err
    assert run("hold", "--json").json == {"held": True, "marked": 1}
    since = run("status", "--json").json["held_since"]
    assert f"held since {since}: nothing is sent or handled" in run("status").out
    assert run("release", "--json").json == {"released": True}
    again = run("release")
    assert (again.status, again.out) == (1, "It was not held.\n")


def test_victor_outbox_forgets_entries_that_are_settled_and_old_enough(outbox, run):
    run("cancel", "INV-2", "--by", "Zoë", "--why", "returned")
    change_events(outbox, state="handled")
    assert run("forget", "--older-than", "1", "--json").json == {"forgotten": 0}
    assert run("forget", "--older-than", "0").out == "1 forgotten.\n"
    assert [each["forgotten"] for each in run("entries", "--json").json_lines] == [False, True]


def test_status_says_whose_the_entries_are_and_adopt_lets_new_credentials_send(
    run, outbox, victor_sandbox, victor
):
    names = ("VICTOR_CLIENT_ID", "VICTOR_CLIENT_SECRET")
    new = dict(zip(names, victor_sandbox.add_oauth_client(), strict=True))
    variables = {**new, "VICTOR_BASE_URL": victor_sandbox.url, "VICTOR_ENVIRONMENT": "staging"}
    outbox.send(victor)
    assert "The entries belong to Victor staging, credentials " in run("status").out
    (before,) = run("status", "--json").json["belongs_to"]
    adopted = run("adopt", **variables)
    assert (adopted.status, adopted.out[:36]) == (0, "The entries belong to Victor staging")
    (after,) = run("status", "--json").json["belongs_to"]
    assert before["account"] != after["account"]
