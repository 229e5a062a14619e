"""Days and moments as people write them: `today`, 2026-03-04, or a Zulu time.

`day` and `moments` read options, `zulu_text` writes a moment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import victor_ext

DAYS = {"today": 0, "tomorrow": 1}
"""Words for a day in UTC, each with the days from today to that day."""
MOMENTS = {"yesterday": -1, **DAYS}
"""Words for the first moment of a day, with the same numbers."""
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT_FORMATS = (
    "a Zulu time such as 2026-03-04T05:06:07Z, or a day in UTC: 2026-03-04, yesterday, "
    "today or tomorrow"
)


def day(text: str | None, words: Mapping[str, int] = DAYS) -> Any:
    """Convert one of the `words` to a date in UTC, as text; return other text, or None, unchanged:
    the client checks it.
    """
    if text is None or text not in words:
        return text
    date = datetime.now(UTC).date() + timedelta(days=words[text])
    return date.isoformat()


def moments(
    texts: Mapping[str, str | None], *needed: str, doing: str, check: Callable[..., object] = dict
) -> dict[str, datetime]:
    """Parse options that are moments: Zulu times, or days, which are their first moments in UTC.

    Args:
        texts: The values of the options by name. An option that is None is left out of the result.
        needed: The names of options that may not be None.
        doing: The beginning of the message of the error, such as `The list was not sent`.
        check: Called with the moments that could be parsed. It sends nothing, and raises
            `InvalidRequest` if it finds further problems.

    Raises:
        InvalidRequest: With all problems, those that `check` has found among them.
    """
    missing = [name for name in needed if texts[name] is None]
    problems = [victor_ext.Problem(name, "required", f"{name} is missing.") for name in missing]
    times = dict[str, datetime]()
    for name, text in texts.items():
        if text is None:
            continue
        try:
            times[name] = _moment(text)
        except victor_ext.InvalidRequest as error:
            problems += [_problem_of_option(problem, name, text) for problem in error.problems]
    try:
        check(**times)
    except victor_ext.InvalidRequest as error:
        problems += error.problems
    if problems:
        raise victor_ext.InvalidRequest.of(problems, doing=doing)
    return times


def _moment(text: str) -> datetime:
    """Parse a Zulu time or a day. Raises `InvalidRequest`."""
    from victor_ext import zulu  # noqa: PLC0415 - `victor --help` does not need it

    date_or_time = day(text, MOMENTS)
    if _DATE.fullmatch(date_or_time):
        return zulu.parse(f"{date_or_time}T00:00:00Z")
    return zulu.parse(date_or_time)


def _problem_of_option(problem: victor_ext.Problem, name: str, text: str) -> victor_ext.Problem:
    """Return a problem of `zulu.parse` as one of the option with this name and value. That a day,
    or a word for a day, may be written, too, is known only here.
    """
    message = problem.message
    if problem.code == "format":
        message = f"{name} is {text!r}: write {_MOMENT_FORMATS}."
    return victor_ext.Problem(name, problem.code, message)


def zulu_text(moment: datetime | None) -> str | None:
    """Format a moment as a Zulu time; None stays None."""
    from victor_ext import zulu  # noqa: PLC0415 - `victor --help` does not need it

    return None if moment is None else zulu.format(moment)
