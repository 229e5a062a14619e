"""`victor outbox`: what is unclear is named, and settled by hand by one command, with who and
why.
"""

import shlex
import sys

import pytest
import sqlalchemy as sa

from tests.cases import cases_beside
from tests.outbox.rows import change, change_events, execute, key_of, stored
from tests.providers.victor.adapter import invoice
from victor_ext import zulu
from victor_ext._event_queue.queue import MOST_TRIES
from victor_ext.cli import main
from victor_ext.inbox import Inbox
from victor_ext.outbox import Outbox
from victor_ext.providers import velo

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


def test_a_hold_that_is_stored_ends_with_0_also_if_its_output_is_lost(
    outbox, engine, monkeypatch, capsys
):
    """As with the bulk sender: to run it again for its output would mark nothing more."""
    monkeypatch.setattr(sys, "stdout", None)
    words = ("--database", str(engine.url))
    assert main(["outbox", "hold", *words]) == 0
    assert "the output could not be written" in capsys.readouterr().err
    assert outbox.held_since() is not None


def test_the_status_of_an_outbox_lists_its_unclear_entries_and_dead_letters(run):
    shown = run("status")
    assert shown.status == 1
    assert shown.out.splitlines()[-2:] == [
        f"unclear    {SHOWN_TIME}  payment_requests.create  {KEY}  INV-1  Nobody knows.",
        "dead letter 1: completed of k-3: ValueError: no",
    ]


def test_what_is_unclear_and_what_is_a_dead_letter_is_json_too(run):
    counts = run("status", "--json").json
    assert (counts["entries"]["unclear"], counts["events"]["dead"]) == (1, 1)
    assert counts["unclear"][0]["idempotency_key"] == KEY
    stored_at = counts["dead_letters"][0]["stored_at"]
    assert zulu.format(zulu.parse(stored_at)) == stored_at, "docs/cli.md: times end in Z"


def test_entries_in_one_state_are_listed(run):
    assert run("entries", "--state", "waiting").out == (
        f"waiting    {SHOWN_TIME}  payment_requests.create  {OTHER_KEY}  INV-2\n"
    )


def test_a_table_may_be_named_with_its_schema(run):
    assert run("status", "--table", "main.victor_outbox") == run("status")


def test_an_unclear_entry_is_settled_by_hand_with_a_person_and_a_reason(run):
    person = ("--by", "Zoë", "--why", "the portal shows it")
    for words, why in (
        (("--as", "sent", "--id", " R-1"), "--id begins or ends with a space"),
        (("--as", "not-done", "--id", "R-1"), "write done=True (--as sent)"),
    ):
        assert why in run("resolve", KEY, *words, *person).err
    settled = run("resolve", KEY, "--as", "sent", "--id", "R-1", *person, "--json").json
    names = ("state", "request_id", "resolved_by", "resolved_why")
    assert [settled[name] for name in names] == ["sent", "R-1", "Zoë", "the portal shows it"]
    again = run("resolve", "INV-1", "--as", "not-done", *person)
    assert (again.status, "is no entry that is unclear or settling" in again.err) == (2, True)


def test_only_an_entry_that_was_not_done_can_be_retried(run):
    for name in (KEY, "INV-l"):
        assert run("retry", name).status == 2
    rejected = run("resolve", KEY, "--as", "not-done", "--by", "Zoë", "--why", "none in the list")
    assert rejected.out == (
        f"rejected   {SHOWN_TIME}  payment_requests.create  {KEY}  INV-1  "
        "Not done, says Zoë: none in the list\n"
    )
    assert run("retry", "INV-1").out.startswith("waiting")


@pytest.mark.parametrize(("line", "said"), cases_beside(__file__)["outbox"].items())
def test_a_misused_outbox_command_ends_with_status_2_and_says_what_to_write(run, line, said):
    shown = run(*shlex.split(line.replace("KEY", KEY)))
    assert (shown.status, said in shown.err) == (2, True), shown.err


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


@pytest.mark.parametrize("number", ["17", "-1", str(2**70)])
def test_a_retry_of_a_number_that_is_no_dead_letter_fails_and_says_where_to_look(run, number):
    refused = run("retry", "--dead-letter", number)
    assert (refused.status, refused.out) == (1, "0 to be tried again.\n")
    which = "is no dead letter of victor_outbox, which has 1: see 'victor outbox status'."
    assert refused.err == f"{number} {which}\n"


def test_an_inbox_has_dead_letters_and_no_entries(engine, run):
    inbox = Inbox(engine, velo.Webhook("a" * 16))
    inbox.create_table()
    dead_letter(inbox, provider="Velo", name="payment.accepted", source="p", subject="e-1")
    table = ("--table", "victor_inbox")
    letter = "dead letter 1: payment.accepted of e-1: ValueError: no\n"
    assert run("status", *table).out.endswith(letter)
    person = ("--by", "Zoë", "--why", "a test")
    assert run("discard", "--all-dead-letters", *person, *table).out == "1 discarded.\n"
    settled = run("status", *table)
    assert settled.status == 0
    assert "a person has nothing to settle" in settled.out
    assert "it is an inbox's" in run("retry", KEY, *table).err


def test_a_database_that_cannot_be_used_is_reported_without_its_password(bare_command, tmp_path):
    missing = tmp_path / "none.sqlite"
    shown = bare_command("outbox", "entries", "--database", f"sqlite:///{missing}")
    assert f"there is no file {missing}." in shown.err
    assert not missing.exists()
    for url in ("postgresql+psycopg://me:secret@127.0.0.1:1/x", "mysql+nothing://me:secret@h/x"):
        shown = bare_command("outbox", "status", "--database", url)
        assert (shown.status, "secret" in shown.err) == (2, False), shown.err


def test_victor_outbox_cancels_an_entry_and_holds_and_releases_an_outbox(run):
    person = ("--by", "Zoë", "--why", "returned")
    assert "Cancelled by Zoë: returned" in run("cancel", "INV-2", *person).out
    assert "nothing was changed: it is unclear" in run("cancel", KEY, *person).err
    held = run("hold", "--json").json
    assert (held["marked"], held["under_way"]) == (1, 0)
    assert run("status", "--json").json["held_since"] == held["since"]
    assert f"held since {held['since']}: nothing is sent or handled" in run("status").out
    assert run("release", "--json").json == {"released": True}
    again = run("release")
    assert (again.status, again.err) == (1, "victor_outbox is not held.\n")


def test_victor_outbox_forgets_entries_that_are_settled_and_old_enough(outbox, run):
    run("cancel", "INV-2", "--by", "Zoë", "--why", "returned")
    change_events(outbox, state="handled")
    assert run("forget", "--older-than", "1", "--json").json == {"forgotten": 0}
    assert run("forget", "--older-than", "0").out == "1 entries forgotten.\n"
    assert [each["forgotten"] for each in run("entries", "--json").json_lines] == [False, True]


STORAGE_KEY, OTHER_STORAGE_KEY = "the storage key of the tests", "another one of the tests"


def test_an_encrypted_entry_is_read_only_with_its_storage_key_and_else_a_message_says_so(
    engine, run
):
    stored(Outbox(engine, storage_key=STORAGE_KEY), invoice(3))
    read = run("entries", "--json", VICTOR_OUTBOX_KEY=STORAGE_KEY)
    assert (read.json_lines[2]["payments"][0]["amount"], read.err) == ("44.23", "")
    unread = run("entries", "--json")
    entry = unread.json_lines[2]
    assert (entry["payments"], entry["sealed"], entry["reference"]) == (None, True, "INV-3")
    said = "1 entry is encrypted: amounts, references of payments and errors were not read. "
    assert unread.err.startswith(said + "Set VICTOR_OUTBOX_KEY")
    wrong = run("entries", VICTOR_OUTBOX_KEY=OTHER_STORAGE_KEY)
    assert (wrong.status, wrong.out) == (2, "")
    assert "is encrypted with another storage_key" in wrong.err


def test_the_secret_of_an_outbox_is_replaced(engine, run):
    old, new = {"VICTOR_OUTBOX_KEY": STORAGE_KEY}, {"VICTOR_OUTBOX_NEW_KEY": OTHER_STORAGE_KEY}
    in_clear = run("rekey", **old, **new)
    assert (in_clear.status, in_clear.err[:30]) == (1, "victor_outbox is not encrypted")
    stored(Outbox(engine, storage_key=STORAGE_KEY), invoice(3))
    assert "VICTOR_OUTBOX_NEW_KEY is not set" in run("rekey").err
    assert "no storage_key was passed" in run("rekey", **new).err
    short = run("rekey", **old, VICTOR_OUTBOX_NEW_KEY="short")
    assert (short.status, "fewer than 16 characters" in short.err) == (2, True)
    assert run("rekey", **old, **new).out.startswith("The outbox has another secret now")
    read = run("entries", "--json", VICTOR_OUTBOX_KEY=OTHER_STORAGE_KEY)
    assert read.json_lines[2]["payments"][0]["amount"] == "44.23"


def test_status_says_whose_the_entries_are_and_adopt_lets_new_credentials_send(
    run, outbox, victor_sandbox, victor
):
    names = ("VICTOR_CLIENT_ID", "VICTOR_CLIENT_SECRET")
    new = dict(zip(names, victor_sandbox.add_oauth_client(), strict=True))
    variables = {**new, "VICTOR_BASE_URL": victor_sandbox.url, "VICTOR_ENVIRONMENT": "staging"}
    outbox.send(victor)
    assert "The entries belong to Victor staging, credentials " in run("status").out
    assert len(run("status", "--json").json["belongs_to"][0]["accounts"]) == 1
    adopted = run("adopt", **variables)
    assert (adopted.status, " or " in adopted.out) == (0, True)
    assert len(run("status", "--json").json["belongs_to"][0]["accounts"]) == 2
    refused = run("adopt", **{**variables, "VICTOR_ENVIRONMENT": "production"})
    assert refused.status == 2
    assert "Give each environment its own table" in refused.err
