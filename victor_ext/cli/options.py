"""Options that several commands have in common, and texts that stand for dates and statuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from .failures import Misuse

DEFAULT_DEADLINE = 60.0
"""Seconds that the client gives to one call when it is not told otherwise."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, with data in full, for programs.")]
Environment = Annotated[
    str | None, typer.Option(help="staging or production (instead of VICTOR_ENVIRONMENT).", metavar="NAME")
]
BaseUrl = Annotated[
    str | None,
    typer.Option(help="Another URL, such as a sandbox's (instead of VICTOR_BASE_URL).", metavar="URL"),
]
Deadline = Annotated[
    float | None,
    typer.Option(
        help=f"Bound of one call, all its attempts and waits included (default: {DEFAULT_DEADLINE:g}).",
        metavar="SECONDS",
    ),
]

RequestId = Annotated[str, typer.Argument(metavar="ID", help="The id of the payment request.")]
AnswerNotes = Annotated[str | None, typer.Option(help="1 to 150 characters. [needed]", metavar="TEXT")]

STATUSES = "created, pending, processing, needs-review, accepted, completed, declined, expired or failed"


def day(text: str | None) -> str | None:
    """A calendar date as the client takes it: `today` and `tomorrow` (in UTC) as dates, any other text as it is."""
    words = {"today": 0, "tomorrow": 1}
    if text not in words:
        return text
    return (datetime.now(UTC).date() + timedelta(days=words[text])).isoformat()


def status(option: str, text: str | None) -> str | None:
    """One of the known statuses.

    Raises:
        Misuse: It is none.
    """
    from victor_ext import Status  # noqa: PLC0415 - `victor --help` does not need it

    known = [member.value for member in Status]
    if text is not None and text not in known:
        raise Misuse(f"{option} is {text!r}: write one of {', '.join(known)}.")
    return text
