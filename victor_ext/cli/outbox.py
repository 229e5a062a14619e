"""`victor outbox`: what an outbox does not know, and the commands that settle that by hand.

`status` and `entries` read, the other commands change what is stored. None of them sends anything:
workers do. What they print is in `outbox_output.py`. A `box` is the outbox of the database, or the
inbox.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Annotated

import typer

import victor_ext
from victor_ext._exit_status import FAILED
from victor_ext.privacy import concealed

from .failures import Misuse
from .open_outbox import STORAGE_KEY, open_event_queue, open_outbox
from .options import AsJson, argument, group, number, option, whole_number
from .outbox_output import (
    Health,
    check_numbers,
    dead_letter_numbers,
    held_notice,
    show_count,
    show_entries,
)
from .screen import complain, say
from .times import zulu_text

outbox = group("The outbox of a database: what is unclear, and what to do about it.")

Database = Annotated[
    str, option("The database of the outbox: sqlite:///FILE, or postgresql+psycopg://...", "URL")
]
TableName = Annotated[
    str,
    option(
        "The name of its table, or schema.name; status, retry and discard take an inbox's.", "NAME"
    ),
]
Key = Annotated[str, argument("KEY")]
DeadLetters = Annotated[
    list[int] | None,
    option("A dead letter, by its number. Repeat it.", "ID", parser=whole_number()),
]
AllDeadLetters = Annotated[bool, typer.Option("--all-dead-letters", help="All dead letters.")]
_DEFAULT_TABLE = "victor_outbox"


@outbox.command()
def status(
    database: Database, *, table: TableName = _DEFAULT_TABLE, as_json: AsJson = False
) -> None:
    """Count the entries by state, and name the unclear ones and the dead letters.

    The exit status is 1 if an entry is unclear, an event is a dead letter, or the outbox is held.
    """
    with open_event_queue(database, table) as queue:
        box = queue.outbox
        health = Health({}, box.event_counts(), box.dead_letters())
        if queue.has_entries:
            health = replace(
                health,
                entry_counts=box.counts(),
                unclear=box.entries("unclear"),
                held_since=box.held_since(),
            )
    if as_json:
        say(json.dumps(health.to_dict()))
    else:
        health.show()
    raise typer.Exit(0 if health.is_good else FAILED)


@outbox.command()
def entries(
    database: Database,
    *,
    state: Annotated[
        str | None, option("Those in this state alone, such as unclear.", "WORD")
    ] = None,
    table: TableName = _DEFAULT_TABLE,
    as_json: AsJson = False,
) -> None:
    """List the entries, oldest first, with the time at which each was stored.

    With --json: one on a line, with amounts and the time at which each was first sent.
    """
    with open_outbox(database, table) as box:
        try:
            selected = box.entries(state)
        except victor_ext.InvalidRequest:
            states = ", ".join(box.counts())
            raise Misuse(f"--state is {state!r}: write one of {states}.") from None
    show_entries(selected, as_json=as_json)


@outbox.command()
def retry(
    database: Database,
    key: Annotated[
        str | None,
        argument("KEY"),
    ] = None,
    *,
    dead_letter: DeadLetters = None,
    all_dead_letters: AllDeadLetters = False,
    table: TableName = _DEFAULT_TABLE,
    as_json: AsJson = False,
) -> None:
    """Let the worker try an entry again of which nothing was done, or an event that is a dead
    letter.

    KEY is an entry that is rejected or refused: its key, or its reference. The exit status is 1 if
    a number is of no dead letter.
    """
    choices = (key is not None, bool(dead_letter), all_dead_letters)
    if choices.count(True) != 1:
        raise Misuse("Write one of KEY, --dead-letter ID and --all-dead-letters.")
    if key is not None:
        with open_outbox(database, table) as box:
            show_entries([box.retry(key)], as_json=as_json)
        return
    numbers = set(dead_letter or ())
    with open_event_queue(database, table) as queue:
        # Read before they are retried: after that, they are no dead letters.
        known = dead_letter_numbers(queue.outbox, "dead", "not_found")
        # Without a number, all dead letters are retried.
        count = queue.outbox.retry_dead_letters(*numbers)
        show_count("retried", count, as_json=as_json)
        check_numbers(numbers, known, table)


@outbox.command()
def cancel(
    database: Database,
    key: Key,
    *,
    by: Annotated[str, option("Who takes it back.", "NAME")],
    why: Annotated[str, option("Why it is not to be sent.", "TEXT")],
    table: TableName = _DEFAULT_TABLE,
    as_json: AsJson = False,
) -> None:
    """Take back an entry that waits: it is refused, and never sent.

    KEY is the idempotency key of the entry, or its reference if it has its own. It is stored who
    did it, and why, and its handlers are called. After 'victor outbox retry KEY' it waits again.
    """
    with open_outbox(database, table) as box:
        show_entries([box.cancel(key, by=by, why=why)], as_json=as_json)


@outbox.command()
def hold(database: Database, *, table: TableName = _DEFAULT_TABLE, as_json: AsJson = False) -> None:
    """Let workers take up nothing, such as in a restored database, before they are started.

    What is stored and was not sent counts as what may have been sent since the backup was made:
    after 'victor outbox release' it is looked up, and not sent.
    """
    with open_outbox(database, table) as box:
        result = box.hold()
    if as_json:
        document = {**asdict(result), "since": zulu_text(result.since)}
        say(json.dumps(document))
        return
    say(held_notice(result.since))
    if result.is_first:
        say(f"{result.marked:,} entries may have been sent since their backup was made.")
    else:
        say("It was held before, and nothing more is marked: what was added since then waits.")
        complain("If it was restored since then: 'victor outbox release', then hold it again.")
    if result.under_way:
        complain(f"{result.under_way:,} entries are with a worker, whose calls end first.")


@outbox.command()
def release(
    database: Database, *, table: TableName = _DEFAULT_TABLE, as_json: AsJson = False
) -> None:
    """End a hold: workers look up what may have been sent, send what was added since the hold, and
    handle events.

    The exit status is 1 if it was not held.
    """
    with open_outbox(database, table) as box:
        was_held = box.release()
    if as_json:
        say(json.dumps({"released": was_held}))
    elif was_held:
        say("Released.")
    if not was_held:
        complain(f"{table} is not held.")
        raise typer.Exit(FAILED)


@outbox.command()
def forget(
    database: Database,
    *,
    older_than: Annotated[
        float, option("How long ago their state or status last changed.", "DAYS", parser=number(0))
    ],
    protect_for: Annotated[
        float | None,
        option(
            "When key and digests go, too: the same payment can then be asked for again (default: "
            "never).",
            "DAYS",
            parser=number(0),
        ),
    ] = None,
    table: TableName = _DEFAULT_TABLE,
    as_json: AsJson = False,
) -> None:
    """Forget the data of entries that are settled.

    They keep what protects from a repeat: key, id, state, and digests of reference and values. What
    may have been sent, has not ended, or has an event that was not handled is not forgotten.
    """
    protection = None if protect_for is None else timedelta(days=protect_for)
    with open_outbox(database, table) as box:
        count = box.forget(older_than=timedelta(days=older_than), protect_for=protection)
    say(json.dumps({"forgotten": count}) if as_json else f"{count:,} entries forgotten.")


@outbox.command()
def discard(
    database: Database,
    *,
    by: Annotated[str, option("Who gives it up.", "NAME")],
    why: Annotated[str, option("Why nothing is lost.", "TEXT")],
    dead_letter: DeadLetters = None,
    all_dead_letters: AllDeadLetters = False,
    table: TableName = _DEFAULT_TABLE,
    as_json: AsJson = False,
) -> None:
    """Give up dead letters. It is stored who did it, and why.

    The exit status is 1 if a number is of no dead letter.
    """
    if bool(dead_letter) == all_dead_letters:
        raise Misuse("Write one of --dead-letter ID and --all-dead-letters.")
    with open_event_queue(database, table) as queue:
        box = queue.outbox
        # Read before they are discarded: after that, they are no dead letters.
        known = dead_letter_numbers(box, "dead", "not_found")
        numbers = set(dead_letter or ()) or dead_letter_numbers(box, "dead")
        # `discard` needs a number: where there is no dead letter, nothing is done.
        count = box.discard(*numbers, by=by, why=why) if numbers else 0
        show_count("discarded", count, as_json=as_json)
        check_numbers(numbers, known, table)


@outbox.command()
def rekey(
    database: Database,
    *,
    new: Annotated[
        str, option("The variable that has the new secret.", "VARIABLE")
    ] = "VICTOR_OUTBOX_NEW_KEY",
    table: TableName = _DEFAULT_TABLE,
    as_json: AsJson = False,
) -> None:
    """Protect an encrypted outbox by another secret: set VICTOR_OUTBOX_NEW_KEY to it.

    What is stored stays as it is. From then on, VICTOR_OUTBOX_KEY and storage_key have to be the
    new one. The exit status is 1 if the outbox is not encrypted.
    """
    secret = concealed(os.environ.get(new))
    if not secret:
        raise Misuse(f"{new} is not set: put the new secret there.")
    with open_outbox(database, table) as box:
        is_done = box.rekey(secret)
    if as_json:
        say(json.dumps({"rekeyed": is_done}))
    elif is_done:
        say(f"The outbox has another secret now: set {STORAGE_KEY} and storage_key to it.")
    if not is_done:
        complain(f"{table} is not encrypted, so it has no secret to replace.")
        raise typer.Exit(FAILED)


@outbox.command()
def resolve(
    database: Database,
    key: Key,
    *,
    word: Annotated[
        str, typer.Option("--as", metavar="WORD", help="What you have found: sent or not-done.")
    ],
    by: Annotated[str, option("Who has found it out.", "NAME")],
    why: Annotated[str, option("How, such as where you have looked.", "TEXT")],
    id: Annotated[str | None, option("The provider's id of what was sent.", "TEXT")] = None,
    table: TableName = _DEFAULT_TABLE,
    as_json: AsJson = False,
) -> None:
    """Settle an unclear entry by hand. It is stored who did it, and why, and its handlers are
    called. An empty search proves nothing: write not-done only if the provider confirms that
    nothing was done.

    KEY is the idempotency key of the entry, or its reference if it has its own. After not-done,
    'victor outbox retry KEY' sends it again.
    """
    if word not in ("sent", "not-done"):
        raise Misuse(f"--as is {word!r}: write sent or not-done.")
    with open_outbox(database, table) as box:
        was_sent = word == "sent"
        entry = box.resolve(key, done=was_sent, id=id, by=by, why=why)
        show_entries([entry], as_json=as_json)
