"""`victor outbox`: what is unclear is named, and settled by hand by one command, with who and
why.
"""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.cases import cases_beside
from tests.cli.victor_command import Command, Ran
from tests.providers.victor.adapter import invoice
from victor_ext import Victor, zulu
from victor_ext.cli import main
from victor_ext.event_queue.queue import MOST_TRIES
from victor_ext.inbox import Inbox
from victor_ext.outbox import Outbox, OutboxEvent
from victor_ext.providers import velo

pytestmark = pytest.mark.slow
Run = Callable[..., Ran]
KEY, OTHER_KEY = (str(invoice(number)["idempotency_key"]) for number in (1, 2))
STORED_AT, SHOWN_TIME = 1_772_600_706.75, "2026-03-04T05:05:06Z"
"""A moment at which entries were stored, and how it is printed."""


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    """An entry is unclear, one waits, and an event is a dead letter."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'invoices.sqlite'}")
    made = Outbox(engine)
    made.create_table()
    with engine.begin() as connection:
        made.add(connection, **invoice(1))
        made.add(connection, **invoice(2))
        unclear = sa.update(made.table).where(made.table.c.id == 1)
        connection.execute(
            unclear.values(state="unclear", error="Nobody knows.", first_sent_at=1.0)
        )
        connection.execute(sa.update(made.table).values(stored_at=STORED_AT))
        made._store_event(
            connection, provider="Velo", name="completed", source="s", subject="k-3", data="{}"
        )
        connection.execute(
            sa.update(made.events).values(state="dead", error="ValueError: no", tries=MOST_TRIES)
        )
    return made


@pytest.fixture
def run(outbox: Outbox, bare_command: Command) -> Run:
    return lambda name, *words: bare_command(
        "outbox", name, "--database", str(outbox._engine.url), *words
    )


def test_a_hold_that_is_stored_ends_with_0_also_if_its_output_is_lost(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As with the bulk sender: to run it again for its output would mark nothing more."""
    monkeypatch.setattr(sys, "stdout", None)
    words = ("--database", str(outbox._engine.url))
    assert main(["outbox", "hold", *words]) == 0
    assert "the output could not be written" in capsys.readouterr().err
    assert outbox.held_since() is not None


def test_what_is_unclear_and_what_is_a_dead_letter_is_named(run: Run) -> None:
    shown = run("status")
    assert shown.status == 1
    counts_shown = [line for line in shown.out.splitlines() if line[-1:].isdigit()]
    assert len(counts_shown) > 10
    assert len({len(line) for line in counts_shown}) == 1, "the counts are one below the other"
    assert shown.out.splitlines()[-2:] == [
        f"unclear    {SHOWN_TIME}  payment_requests.create  {KEY}  INV-1  Nobody knows.",
        "dead letter 1: completed of k-3: ValueError: no",
    ]
    counts: Any = run("status", "--json").json
    assert (
        counts["entries"]["unclear"],
        counts["entries"]["waiting"],
        counts["events"]["dead"],
    ) == (1, 1, 1)
    assert (counts["unclear"][0]["idempotency_key"], counts["dead_letters"][0]["subject"]) == (
        KEY,
        "k-3",
    )
    stored_at = counts["dead_letters"][0]["stored_at"]
    assert zulu.format(zulu.parse(stored_at)) == stored_at, "docs/cli.md: times end in Z"
    listed = run("entries", "--json").json_lines
    assert [each["client_reference_id"] for each in listed] == ["INV-1", "INV-2"]
    assert run("entries", "--state", "waiting").out == (
        f"waiting    {SHOWN_TIME}  payment_requests.create  {OTHER_KEY}  INV-2\n"
    )
    done = run("retry", "--dead-letter", "1", "--dead-letter", "17")
    assert (done.status, done.out) == (1, "1 to be tried again.\n")
    assert (
        done.err
        == "17 is no dead letter of victor_outbox, which has 1: see 'victor outbox status'.\n"
    )
    assert run("retry", "--all-dead-letters", "--json").json == {"retried": 0}


@pytest.mark.parametrize("number", ["17", "-1", "0", str(2**70)])
def test_a_number_that_is_no_dead_letter_is_named_and_retries_none(run: Run, number: str) -> None:
    refused = run("retry", "--dead-letter", number)
    assert (refused.status, refused.out) == (1, "0 to be tried again.\n")
    assert refused.err == (
        f"{number} is no dead letter of victor_outbox, which has 1: see 'victor outbox status'.\n"
    )
    assert run("retry", "--all-dead-letters", "--json").json == {"retried": 1}
    several = run("retry", "--dead-letter", number, "--dead-letter", "18")
    assert "are no dead letters of victor_outbox, which has none." in several.err


def test_an_unclear_one_is_settled_by_hand_and_its_handlers_are_called(
    outbox: Outbox, run: Run
) -> None:
    told: list[OutboxEvent] = []
    outbox.on()(lambda _session, event: told.append(event))
    person = ("--by", "Zoë", "--why", "the portal shows it")
    settled: Any = run("resolve", KEY, "--as", "sent", "--id", "R-1", *person, "--json").json
    names = ("state", "request_id", "resolved_by", "resolved_why")
    assert [settled[name] for name in names] == ["sent", "R-1", "Zoë", "the portal shows it"]
    outbox.handle()
    assert [(event.name, event.entry.resolved_by) for event in told] == [("sent", "Zoë")]
    again = run("resolve", "INV-1", "--as", "not-done", *person)
    assert (again.status, "is no entry that is unclear or settling" in again.err) == (2, True)


def test_what_was_not_done_is_sent_again_and_nothing_else(
    outbox: Outbox, run: Run, victor: Victor, sent_once: Any
) -> None:
    assert run("retry", KEY).status == 2
    rejected = run("resolve", KEY, "--as", "not-done", "--by", "Zoë", "--why", "none in the list")
    assert rejected.out == (
        f"rejected   {SHOWN_TIME}  payment_requests.create  {KEY}  INV-1  "
        "Not done, says Zoë: none in the list\n"
    )
    assert run("retry", "INV-1").out.startswith("waiting")
    assert [entry.state.value for entry in outbox.send(victor)] == ["sent", "sent"]
    sent_once(KEY)


@pytest.mark.parametrize(("line", "said"), cases_beside(__file__)["outbox"].items())
def test_misuse_ends_with_2_and_says_what_to_write(run: Run, line: str, said: str) -> None:
    shown = run(*shlex.split(line.replace("KEY", KEY)))
    assert (shown.status, said in shown.err) == (2, True), shown.err


@pytest.mark.parametrize("name", ["INV-l", "inv-1", f"{KEY[:-1]}0"])
def test_a_name_of_no_entry_changes_nothing(run: Run, name: str) -> None:
    before = run("entries", "--json").out
    for words in (["retry"], ["resolve", "--as", "not-done", "--by", "me", "--why", "so"]):
        refused = run(words[0], name, *words[1:])
        assert refused.status == 2
        assert f"No entry has the key or the reference {name}." in refused.err
    assert run("entries", "--json").out == before


@pytest.mark.parametrize("table", ["victor_outbox", "victor_inbox"])
@pytest.mark.parametrize("choice", ["--dead-letter 1", "--all-dead-letters"])
def test_a_dead_letter_is_discarded_with_who_and_why(
    outbox: Outbox, run: Run, table: str, choice: str
) -> None:
    inbox = Inbox(outbox._engine, velo.Webhook("a" * 16))
    inbox.create_table()
    event = {"provider": "Velo", "name": "payment.accepted", "source": "p", "subject": "e-1"}
    with outbox._engine.begin() as connection:
        inbox._store_event(connection, **event, data="{}")
        connection.execute(sa.update(inbox.events).values(state="dead", error="ValueError: no"))
    words = [*choice.split(), "--by", "Zoë", "--why", "a test.", "--table", table]
    assert run("discard", *words).out == "1 discarded.\n"
    again = run("discard", *words, "--json")
    assert again.json == {"discarded": 0}
    assert again.status == (0 if choice == "--all-dead-letters" else 1)
    box = inbox if table == "victor_inbox" else outbox
    [letter] = box.dead_letters("discarded")
    assert letter.error == "Discarded by Zoë: a test. It had failed: ValueError: no"
    assert run("retry", "--all-dead-letters", "--table", table).out == "0 to be tried again.\n"


def test_the_table_may_be_named_with_its_schema(run: Run) -> None:
    assert run("status", "--table", "main.victor_outbox") == run("status")
    refused = run("status", "--table", "a.b.c")
    assert (refused.status, "write 'name' or 'schema.name'" in refused.err) == (2, True)


def test_an_inbox_has_dead_letters_and_no_entries(outbox: Outbox, run: Run) -> None:
    inbox = Inbox(outbox._engine, velo.Webhook("a" * 16))
    inbox.create_table()
    with outbox._engine.begin() as connection:
        inbox._store_event(
            connection,
            provider="Velo",
            name="payment.accepted",
            source="p",
            subject="e-1",
            data="{}",
        )
        connection.execute(sa.update(inbox.events).values(state="dead", error="ValueError: no"))
    shown = run("status", "--table", "victor_inbox")
    assert (shown.status, shown.out.splitlines()[4:]) == (
        1,
        ["dead letter 1: payment.accepted of e-1: ValueError: no"],
    )
    assert (
        run("retry", "--all-dead-letters", "--table", "victor_inbox").out
        == "1 to be tried again.\n"
    )
    assert run("status", "--table", "victor_inbox").status == 0
    refused = run("retry", KEY, "--table", "victor_inbox")
    assert (refused.status, "it is an inbox's" in refused.err) == (2, True)


def test_a_database_that_is_none_is_named_without_its_password(
    bare_command: Command, tmp_path: Path
) -> None:
    missing = tmp_path / "none.sqlite"
    shown = bare_command("outbox", "entries", "--database", f"sqlite:///{missing}")
    assert (shown.status, f"there is no file {missing}." in shown.err, missing.exists()) == (
        2,
        True,
        False,
    )
    for url in (
        "postgresql+psycopg://me:secret@127.0.0.1:1/x",
        "nonsense",
        "mysql+nothing://me:secret@h/x",
    ):
        shown = bare_command("outbox", "status", "--database", url)
        assert (shown.status, "secret" in shown.err) == (2, False), shown.err


def test_a_restored_outbox_is_held_and_an_entry_is_taken_back(outbox: Outbox, run: Run) -> None:
    person = ("--by", "Zoë", "--why", "returned")
    cancelled = run("cancel", "INV-2", *person)
    assert cancelled.out.startswith("refused")
    assert "Cancelled by Zoë: returned" in cancelled.out
    assert "nothing was changed: it is unclear" in run("cancel", KEY, *person).err
    held: Any = run("hold", "--json").json
    assert (held["marked"], held["under_way"]) == (1, 0)
    assert zulu.format(zulu.parse(held["since"])) == held["since"]
    assert run("status", "--json").json["held_since"] == held["since"]
    assert f"held since {held['since']}: nothing is sent or handled" in run("status").out
    assert run("release", "--json").json == {"released": True}
    again = run("release")
    assert (again.status, again.err) == (1, "victor_outbox is not held.\n")


def test_what_is_settled_is_forgotten(outbox: Outbox, run: Run) -> None:
    run("cancel", "INV-2", "--by", "Zoë", "--why", "returned")
    outbox.on()(lambda _session, _event: None)
    outbox.handle()
    assert run("forget", "--older-than", "1", "--json").json == {"forgotten": 0}
    assert run("forget", "--older-than", "0").out == "1 entries forgotten.\n"
    [unclear, forgotten] = run("entries", "--json").json_lines
    assert (unclear["reference"], unclear["payments"][0]["amount"]) == ("INV-1", "44.23")
    assert (forgotten["forgotten"], forgotten["reference"]) == (True, None)
    short = run("forget", "--older-than", "9", "--protect-for", "8")
    assert (short.status, "--protect-for is too short: write at least 9 days" in short.err) == (
        2,
        True,
    )


STORAGE_KEY, OTHER_STORAGE_KEY = "the storage key of the tests", "another one of the tests"


@pytest.fixture
def encrypted(tmp_path: Path, bare_command: Command) -> Run:
    """Runs a command on an outbox that is encrypted, with one entry."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'invoices.sqlite'}")
    made = Outbox(engine, storage_key=STORAGE_KEY)
    made.create_table()
    with engine.begin() as connection:
        made.add(connection, **invoice(1))

    def run(name: str, *words: str, **variables: str) -> Ran:
        return bare_command("outbox", name, "--database", str(engine.url), *words, **variables)

    return run


def test_an_encrypted_entry_is_read_with_its_key_and_without_it_that_is_said(
    encrypted: Run,
) -> None:
    read = encrypted("entries", "--json", VICTOR_OUTBOX_KEY=STORAGE_KEY)
    assert (read.json_lines[0]["payments"][0]["amount"], read.err) == ("44.23", "")
    unread = encrypted("entries", "--json")
    assert (unread.status, unread.json_lines[0]["payments"]) == (0, None)
    assert (unread.json_lines[0]["sealed"], unread.json_lines[0]["reference"]) == (True, "INV-1")
    said = "1 entry is encrypted: amounts, references of payments and errors were not read. "
    assert unread.err.startswith(said + "Set VICTOR_OUTBOX_KEY")
    assert encrypted("status").status == 0
    for name in ("entries", "status"):
        wrong = encrypted(name, VICTOR_OUTBOX_KEY=OTHER_STORAGE_KEY)
        assert (wrong.status, wrong.out) == (2, "")
        assert "is encrypted with another storage_key" in wrong.err
        assert "VICTOR_OUTBOX_KEY" in wrong.err


def test_the_secret_of_an_outbox_is_replaced(encrypted: Run) -> None:
    assert "VICTOR_OUTBOX_NEW_KEY is not set" in encrypted("rekey").err
    new = {"VICTOR_OUTBOX_NEW_KEY": OTHER_STORAGE_KEY}
    assert "no storage_key was passed" in encrypted("rekey", **new).err
    short = encrypted("rekey", VICTOR_OUTBOX_KEY=STORAGE_KEY, VICTOR_OUTBOX_NEW_KEY="short")
    assert (short.status, "fewer than 16 characters" in short.err) == (2, True)
    done = encrypted("rekey", VICTOR_OUTBOX_KEY=STORAGE_KEY, **new)
    assert (done.status, done.out.startswith("The outbox has another secret now")) == (0, True)
    read = encrypted("entries", "--json", VICTOR_OUTBOX_KEY=OTHER_STORAGE_KEY)
    assert read.json_lines[0]["payments"][0]["amount"] == "44.23"


def test_an_outbox_in_clear_has_no_secret_to_replace(outbox: Outbox, bare_command: Command) -> None:
    settings = {"VICTOR_OUTBOX_KEY": STORAGE_KEY, "VICTOR_OUTBOX_NEW_KEY": OTHER_STORAGE_KEY}
    url = str(outbox._engine.url)
    ran = bare_command("outbox", "rekey", "--database", url, **settings)
    assert (ran.status, ran.err.startswith("victor_outbox is not encrypted")) == (1, True)


def test_an_id_that_another_entry_has_is_refused_by_name(outbox: Outbox, run: Run) -> None:
    person = ("--by", "Zoë", "--why", "the portal shows it")
    run("resolve", KEY, "--as", "sent", "--id", "R-1", *person)
    with outbox._engine.begin() as connection:
        connection.execute(
            sa.update(outbox.table).where(outbox.table.c.key == OTHER_KEY).values(state="unclear")
        )
    refused = run("resolve", OTHER_KEY, "--as", "sent", "--id", "R-1", *person)
    assert refused.status == 2
    assert (
        f"R-1 is the id of the entry INV-1: write the id of what {OTHER_KEY} has made."
        in refused.err
    )
    assert [entry.state.value for entry in outbox.entries()] == ["sent", "unclear"]


@pytest.mark.parametrize(
    ("word", "id", "why"),
    [
        ("sent", " R-1", "--id begins or ends with a space"),
        ("sent", "", "--id is empty: write the id alone"),
        (
            "not-done",
            "R-1",
            "--id says that it was made: leave it out, or write done=True (--as sent)",
        ),
    ],
)
def test_an_id_that_nobody_can_mean_is_refused_by_name(
    outbox: Outbox, run: Run, word: str, id: str, why: str
) -> None:
    refused = run("resolve", KEY, "--as", word, "--id", id, "--by", "Zoë", "--why", "seen")
    assert refused.status == 2
    assert why in refused.err
    assert [entry.state.value for entry in outbox.entries()] == ["unclear", "waiting"]
