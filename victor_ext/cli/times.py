"""Days and moments as people write them: `today`, 2026-03-04, or a Zulu time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import victor_ext

DAYS = {"today": 0, "tomorrow": 1}
MOMENTS = {"yesterday": -1, **DAYS}
"""Words for a midnight (UTC), by the days from now to it."""
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = (
    "a Zulu time such as 2026-03-04T05:06:07Z, or a day in UTC: 2026-03-04, yesterday, "
    "today or tomorrow"
)


def day(text: str | None, words: Mapping[str, int] = DAYS) -> Any:
    """Convert `today` and such words to UTC dates; return other text, or None, unchanged."""
    if text is None or text not in words:
        return text
    date = datetime.now(UTC).date() + timedelta(days=words[text])
    return date.isoformat()


def moments(
    texts: Mapping[str, str | None], *needed: str, doing: str, check: Callable[..., object] = dict
) -> dict[str, datetime]:
    """Parse Zulu times, or days: their first moments in UTC. Those that are None are left out.

    Raises `InvalidRequest` with all problems: of these options, and of the call `check` with what
    could be read of them, which sends nothing.
    """
    problems = [
        victor_ext.Problem(name, "required", f"{name} is missing.")
        for name in needed
        if texts[name] is None
    ]
    times = dict[str, datetime]()
    for name, text in texts.items():
        if text is None:
            continue
        try:
            times[name] = _moment(text)
        except victor_ext.InvalidRequest as error:
            problems += [_named(problem, name, text) for problem in error.problems]
    try:
        check(**times)
    except victor_ext.InvalidRequest as error:
        problems += error.problems
    if problems:
        raise victor_ext.InvalidRequest.of(problems, doing=doing)
    return times


def _moment(text: str) -> datetime:
    from victor_ext import zulu  # noqa: PLC0415 - `victor --help` does not need it

    written = day(text, MOMENTS)
    if _DATE.fullmatch(written):
        written = f"{written}T00:00:00Z"
    return zulu.parse(written)


def _named(problem: victor_ext.Problem, name: str, text: str) -> victor_ext.Problem:
    """Return a problem with the name of the value, and with words for a day, which the client does
    not know.
    """
    message = problem.message
    if problem.code == "format":
        message = f"{name} is {text!r}: write {_MOMENT}."
    return victor_ext.Problem(name, problem.code, message)
