"""How commands declare their arguments and options, and what of them all commands share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar

import typer

import victor_ext

from .failures import Misuse
from .screen import say

N = TypeVar("N", int, float)
Known = Callable[[typer.Context], Iterable[str]]
"""The words that a shell offers, by the command line as far as it is typed."""
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
"""How many seconds a unit of time has."""


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
    *words: str,
    known: Known | None = None,
    **settings: Any,
) -> Any:
    """Return an option with a help text; the shell completes it with the words, or with those that
    are `known`.
    """
    completion = _completion(_always(words) if words else known)
    return typer.Option(help=text, metavar=metavar, autocompletion=completion, **settings)


def flag(name: str, text: str) -> Any:
    return typer.Option(name, help=text)


def argument(metavar: str, *, known: Known | None = None) -> Any:
    """Return an argument. The text of its command says what it is, by its name there.

    From 0.28 on, typer would show a Python type beside a help text of its own.
    """
    return typer.Argument(metavar=metavar, hidden=True, autocompletion=_completion(known))


def several(metavar: str) -> str:
    """Return the name of an argument that is repeated: typer adds the dots from 0.28 on."""
    has_dots = not typer.__version__.startswith("0.27.")
    return metavar if has_dots else f"{metavar}..."


def _always(words: Iterable[str]) -> Known:
    return lambda _context: words


def _completion(known: Known | None) -> Callable[[typer.Context, str], list[str]] | None:
    """Return what completes a word with the `known` ones, and with none where they cannot be read:
    a shell shows no errors.

    Without `known`, a shell completes the name of a file by itself.
    """
    if known is None:
        return None

    def beginning(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            return [word for word in known(ctx) if word.startswith(incomplete)]
        except (Misuse, victor_ext.VictorError, ImportError, OSError):
            return []

    return beginning


# Each `parser` of an option says by itself what is wrong: typer's words are those of Python, and
# change with its versions.


def whole_number(least: int | None = None) -> Callable[[str], int]:
    """Return the parser of an option that is a whole number, of at least `least`."""
    return _parser(int, "a whole number", least)


def number(least: float | None = None) -> Callable[[str], float]:
    """Return the parser of an option that is a number, of at least `least`."""
    return _parser(float, "a number", least)


def _parser(read: Callable[[str], N], what: str, least: float | None) -> Callable[[str], N]:
    def parse(text: str) -> N:
        try:
            value = read(text)
        except ValueError:
            raise typer.BadParameter(f"{text!r} is not {what}.") from None
        if least is not None and value < least:
            raise typer.BadParameter(f"{text} is too low: write {least:g} or more.")
        return value

    return parse


def seconds(text: str) -> float:
    """Parse the duration of an option."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a duration: write 24h, 90m or 3600s.")
    return float(match[1]) * _SECONDS[match[2]]


AsJson = Annotated[bool, flag("--json", "Print JSON, with data in full, for programs.")]
Yes = Annotated[bool, flag("--yes", "Do it in production without asking.")]


def words_of(arguments: Mapping[str, Any]) -> list[str]:
    """Convert arguments to command-line words, unabbreviated: a repeat must have exactly the same
    values.
    """
    words: list[str] = []
    for name, value in arguments.items():
        option_name = name.replace("_", "-")
        if value is True:
            words.append(f"--{option_name}")
        elif value is False:
            words.append(f"--no-{option_name}")
        elif value is not None:
            words += [f"--{option_name}", str(value)]
    return words
