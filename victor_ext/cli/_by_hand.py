"""What a person does by hand with an outbox, or with the state of bulk sending: `resolve`, `hold`,
`release` and `forget`. `add_commands_by_hand` adds them to a group.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Protocol

import typer

from victor_ext._values.exit_status import FAILED

from ._failures import Misuse
from ._options import argument, number, option
from ._screen import plain
from ._session import CommandOptions, with_session


class StoredOptions(Protocol):
    """The options of a command that works on what is stored."""

    def stored(self) -> AbstractContextManager[Any]:
        """Open the outbox, or the sender, for the block."""
        ...

    def conclude(self, document: dict[str, Any], text: str, *advice: str) -> None:
        """Show how the command has ended."""


def add_commands_by_hand(
    group: typer.Typer,
    options_type: type[CommandOptions],
    release_type: type[CommandOptions] | None = None,
) -> None:
    """Add these commands to a group, whose options are `StoredOptions`, too. `release_type` has
    more options of `release`.
    """
    for command in (resolve, hold, forget):
        group.command()(with_session(command, options_type))
    group.command()(with_session(release, release_type or options_type))


def _found_word(text: str) -> str:
    """Parse what a person has found."""
    if text not in ("done", "not-done"):
        raise Misuse(f"--as is {text!r}: write done or not-done.")
    return text


def resolve(
    options: StoredOptions,
    key: str = argument("KEY"),
    *,
    word: str = option(
        "What you have found: done or not-done.",
        "WORD",
        default=...,
        names=["--as"],
        parser=_found_word,
    ),
    by: str = option("Who has found it out.", "NAME", default=...),
    why: str = option("How, such as where you have looked.", "TEXT", default=...),
    id: str | None = option(
        "The provider's id of what was done; of a payment of a payout, the payout's.", "TEXT"
    ),
) -> None:
    """Settle by hand what is unclear. It is stored who did it, and why.

    KEY is the key, or the reference, if no other has it. An empty search proves nothing: write
    not-done only if the provider confirms that nothing was done. It is refused from then on:
    'victor outbox retry' sends an entry again, and 'victor bulk send' a row, with its file.
    """
    with options.stored() as box:
        box.resolve(key, done=word == "done", by=by, why=why, id=id)
    options.conclude({"resolved": key, "as": word}, f"{plain(key)} is resolved as {word}.")


def hold(options: StoredOptions) -> None:
    """Keep everything from being sent. Do so in a restored database, before a worker starts.

    What is stored may have been sent since the backup: it is looked up after 'release', and not
    sent.
    """
    with options.stored() as box:
        count = box.hold()
    text = f"Nothing is sent until it is released. {count:,} may have been sent since the backup."
    options.conclude({"held": True, "marked": count}, text)


def release(options: StoredOptions) -> None:
    """End a hold: what may have been sent is looked up, by workers or 'victor bulk resume'.

    The exit status is 1 if it was not held.
    """
    with options.stored() as box:
        was_held = box.release()
    options.conclude({"released": was_held}, "Released." if was_held else "It was not held.")
    if not was_held:
        raise typer.Exit(FAILED)


def forget(
    options: StoredOptions,
    *,
    older_than: float = option(
        "How long ago entries last changed, or files were stored.",
        "DAYS",
        parser=number(0),
        default=...,
    ),
) -> None:
    """Forget the data of what is settled. Keys, states and ids stay, which protect from a repeat.

    What may have been sent, or has an event that was not handled, is not forgotten.
    """
    with options.stored() as box:
        count = box.forget(older_than=timedelta(days=older_than))
    options.conclude({"forgotten": count}, f"{count:,} forgotten.")
