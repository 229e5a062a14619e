"""How commands declare their arguments and options.

`group`, `option`, `flag` and `argument` declare them with typer. `whole_number`, `number` and
`seconds` parse their values; `day` and `moments` parse days and times, as people write them.
`option_words` makes a command line of values again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import typer

import victor_ext

from ._screen import say

Number = TypeVar("Number", int, float, Decimal)
_UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
"""How many seconds a unit of time has."""
DAYS = {"today": 0, "tomorrow": 1}
"""Words for a day in UTC, each with the days from today to that day."""
MOMENTS = {"yesterday": -1, **DAYS}
"""Words for the first moment of a day, with the same numbers."""
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT_FORMATS = (
    "a Zulu time such as 2026-03-04T05:06:07Z, or a day in UTC: 2026-03-04, yesterday, "
    "today or tomorrow"
)


def group(text: str) -> typer.Typer:
    """Return a group of commands, which shows its help where no command is named."""
    return typer.Typer(
        help=text, rich_markup_mode=None, invoke_without_command=True, callback=show_help
    )


def show_help(context: typer.Context) -> None:
    """Show the help of a group, if the command line names no command of it."""
    if context.invoked_subcommand is None:
        say(context.get_help())


def option(
    text: str,
    metavar: str | None = None,
    *,
    default: Any = None,
    names: Sequence[str] = (),
    **settings: Any,
) -> Any:
    """Return an option of a command: the default of its parameter, or field of a session.

    Args:
        text: The text in the help.
        metavar: What the help writes for the value.
        default: The value without the option. `...`: it has to be written, or the default stands
            with the parameter, where several commands have the option (`Annotated`).
        names: The option's names, where it is not called like its parameter.
        settings: Further arguments of `typer.Option`.
    """
    return typer.Option(default, *names, help=text, metavar=metavar, **settings)


def flag(name: str, text: str, *, default: Any = False) -> Any:
    """Return an option without a value, such as `--json`: with `name` alone, it has no `--no-...`.

    `text` and `default` are those of `option`.
    """
    return typer.Option(default, name, help=text)


def argument(metavar: str, *, default: Any = ...) -> Any:
    """Return an argument of a command; `default` is that of `option`.

    The help of the command explains the argument by its `metavar`. A help text of the argument
    itself would stand beside a Python type, from typer 0.28 on.
    """
    return typer.Argument(default, metavar=metavar, hidden=True)


def several(metavar: str) -> str:
    """Return the name of an argument that is repeated: typer adds the dots from 0.28 on."""
    has_dots = not typer.__version__.startswith("0.27.")
    return metavar if has_dots else f"{metavar}..."


# The parsers of options say themselves what is wrong with a value: typer's messages are in words of
# Python, and change with its versions.


def whole_number(least: int | None = None) -> Callable[[str], int]:
    """Return the parser of an option that is a whole number, of at least `least`."""
    return _parser(int, "a whole number", least)


def number(least: float | None = None) -> Callable[[str], float]:
    """Return the parser of an option that is a number, of at least `least`."""
    return _parser(_as_typed, "a number", least)


def _as_typed(text: str) -> float:
    """Convert a number, which messages show as people type it: without `.0`."""
    value = float(text)
    return int(value) if value.is_integer() else value


def decimal(text: str) -> Decimal:
    """Parse an option that is an exact number."""
    return _parser(Decimal, "a number", None)(text)


def not_negative(text: str) -> Decimal:
    """Parse an option that is an exact number, of at least 0."""
    return _parser(Decimal, "a number", Decimal(0))(text)


def _parser(
    convert: Callable[[str], Number], kind: str, least: Number | None
) -> Callable[[str], Number]:
    """Return a parser that converts a text, which must be of this `kind`, and not below `least`."""

    def parse(text: str) -> Number:
        try:
            value = convert(text)
            is_too_low = least is not None and value < least
        except (ValueError, ArithmeticError):
            raise typer.BadParameter(f"{text!r} is not {kind}.") from None
        if is_too_low:
            raise typer.BadParameter(f"{text} is too low: write {least:g} or more.")
        return value

    return parse


def seconds(text: str) -> float:
    """Parse an option that is a duration, such as `24h`, into seconds."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a duration: write 24h, 90m or 3600s.")
    return _as_typed(match[1]) * _UNIT_SECONDS[match[2]]


KEYS_KEPT = (
    "How long the provider keeps a key, such as 12h: what may have been sent earlier is looked up, "
    "and not sent again. It is stored, and the shortest that was ever said counts (default: what "
    "is stored, or 24h, an assumption)."
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
        except victor_ext.InvalidRequest:
            message = f"{name} is {text!r}: write {_MOMENT_FORMATS}."
            problems.append(victor_ext.Problem(name, "format", message))
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


AsJson = Annotated[
    bool, flag("--json", "Print JSON, with data in full, for programs.", default=...)
]
Yes = Annotated[bool, flag("--yes", "Do it in production without asking.", default=...)]


def option_words(arguments: Mapping[str, Any]) -> list[str]:
    """Return the words of a command line that passes these arguments as options.

    No value is abbreviated: a repeat of a write must have exactly the same values. An option that
    is None is left out.
    """
    from victor_ext import zulu  # noqa: PLC0415 - `victor --help` does not need it

    words: list[str] = []
    for name, value in arguments.items():
        option_name = name.replace("_", "-")
        if value is True:
            words.append(f"--{option_name}")
        elif value is False:
            words.append(f"--no-{option_name}")
        elif isinstance(value, datetime):
            words += [f"--{option_name}", zulu.format(value)]
        elif value is not None:
            words += [f"--{option_name}", str(value)]
    return words
