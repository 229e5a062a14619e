"""One command's use of the client: its common options, its settings, and how whatever happens is reported."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from .failures import Doubt, Failure, Misuse, interruption, surprise, unwritten, victor_failure
from .screen import OutputLost
from .wording import spellings

if TYPE_CHECKING:
    from victor_ext import Problem, Victor

_DEFAULT_DEADLINE = 60.0
"""The client's own. Seconds."""
_VARIABLES = {"environment": "VICTOR_ENVIRONMENT", "base_url": "VICTOR_BASE_URL"}

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, with data in full, for programs.")]
Environment = Annotated[
    str | None, typer.Option(help="staging or production (instead of VICTOR_ENVIRONMENT).", metavar="NAME")
]
BaseUrl = Annotated[
    str | None, typer.Option(help="Another URL, such as a sandbox's (instead of VICTOR_BASE_URL).", metavar="URL")
]
Deadline = Annotated[
    float | None,
    typer.Option(
        help=f"Bound of one call, all its attempts and waits included (default: {_DEFAULT_DEADLINE:g}).",
        metavar="SECONDS",
    ),
]


@dataclass(frozen=True)
class Session:
    """Options of the connection; what is None comes from the environment, or is the client's default."""

    command: typer.Context = field(repr=False)
    environment: str | None = None
    base_url: str | None = None
    deadline: float | None = None
    as_json: bool = False

    @contextmanager
    def client(self, doubt: Doubt | None = None, **settings: Any) -> Generator[Victor]:
        """A client for the block. What goes wrong in it is reported and ends the command.

        Args:
            doubt: For a command that writes: what to do when its outcome is not known.
            settings: More settings of the client.
        """
        try:
            from victor_ext import Victor  # noqa: PLC0415 - `victor --help` does not need it

            with Victor.from_env(**self._given(), **settings) as victor:
                yield victor
        except KeyboardInterrupt as error:
            if doubt is None:
                raise
            self.end(interruption(error, doubt))
        except OutputLost as error:
            if doubt is None:
                raise
            self.end(unwritten(str(error), doubt))
        except (Misuse, typer.Exit):
            raise
        except Exception as error:
            from victor_ext import VictorError  # noqa: PLC0415 - `victor --help` does not need it

            if isinstance(error, VictorError):
                self.end(victor_failure(error, doubt, self.spelled))
            if doubt is None:
                raise
            self.end(surprise(error, doubt))

    @property
    def spelled(self) -> dict[str, str]:
        """How messages name each parameter: the option, or the variable that a setting came from."""
        used = {
            name: variable
            for name, variable in _VARIABLES.items()
            if getattr(self, name) is None and os.environ.get(variable, "").strip()
        }
        return {**spellings(self.command.command.params), **used}

    def options(self) -> list[str]:
        """The same options for another command line; `--json` apart."""
        deadline = None if self.deadline is None else f"{self.deadline:g}"
        given = {"--environment": self.environment, "--base-url": self.base_url, "--deadline": deadline}
        return [word for name, value in given.items() if value is not None for word in (name, value)]

    @property
    def json_option(self) -> list[str]:
        """`--json` for another command line, if it was given for this one."""
        return ["--json"] if self.as_json else []

    def place(self, victor: Victor) -> str:
        """Where the client calls: the environment, and the URL where one was given."""
        elsewhere = self.base_url is not None or os.environ.get("VICTOR_BASE_URL", "").strip()
        return f"{victor.environment}, {victor.base_url}" if elsewhere else victor.environment

    def end(self, failure: Failure) -> NoReturn:
        """Report a failure and end the command."""
        failure.report(as_json=self.as_json)
        raise typer.Exit(failure.exit_status) from None

    def _given(self) -> dict[str, Any]:
        given = {"environment": self.environment, "base_url": self.base_url, "deadline": self.deadline}
        return {name: value for name, value in given.items() if value is not None}


def with_session(function: Callable[..., None]) -> Callable[..., None]:
    """Make a command of a function that takes a `Session` first: it gets the options of one, after its own."""

    def command(
        context: typer.Context,
        *arguments: Any,
        as_json: AsJson = False,
        environment: Environment = None,
        base_url: BaseUrl = None,
        deadline: Deadline = None,
        **options: Any,
    ) -> None:
        function(Session(context, environment, base_url, deadline, as_json), *arguments, **options)

    def of(described: Callable[..., None], kind: Any) -> list[inspect.Parameter]:
        parameters = inspect.signature(described, eval_str=True).parameters.values()
        return [parameter for parameter in parameters if parameter.kind is kind]

    _, *positional = of(function, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    context, *_ = of(command, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    own, shared = (of(each, inspect.Parameter.KEYWORD_ONLY) for each in (function, command))
    signature = inspect.Signature([context, *positional, *own, *shared])
    command.__signature__ = signature  # type: ignore[attr-defined] # typer reads it
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in signature.parameters.values()}
    command.__name__, command.__doc__ = function.__name__.rstrip("_"), function.__doc__
    return command


class Checks:
    """What is wrong with the options of a command, collected: the client's findings and the command's own.

    Nothing may be sent before `finish`.
    """

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def moment(self, name: str, text: str | None, *, needed: bool = False) -> datetime | None:
        """A moment from Zulu time, or the midnight (UTC) of a day; None, and perhaps a problem, if it is neither."""
        from victor_ext import InvalidRequest, Problem, zulu  # noqa: PLC0415 - `victor --help` needs none of them

        if text is None:
            if needed:
                self._problems.append(Problem(name, "required", f"{name} is missing."))
            return None
        try:
            return zulu.parse(f"{day(text)}T00:00:00Z" if text in _DAYS else text)
        except InvalidRequest as error:
            # It was asked about a text: here the text has a name.
            self._problems += [Problem(name, found.code, f"{name}: {found.message}") for found in error.problems]
            return None

    def run(self, check: Callable[[], object]) -> None:
        """Let the client check: a call that sends nothing yet."""
        from victor_ext import InvalidRequest  # noqa: PLC0415 - see above

        try:
            check()
        except InvalidRequest as error:
            self._problems += error.problems

    def finish(self, doing: str) -> None:
        """Raise `InvalidRequest` with all that was found, if there was anything."""
        from victor_ext import InvalidRequest  # noqa: PLC0415 - see above

        if self._problems:
            raise InvalidRequest.of(self._problems, doing=doing)


_DAYS = {"today": 0, "tomorrow": 1}


def day(text: str | None) -> str | None:
    """A calendar date as the client takes it: `today` and `tomorrow` (in UTC) as dates, any other text as it is."""
    if text not in _DAYS:
        return text
    return (datetime.now(UTC).date() + timedelta(days=_DAYS[text])).isoformat()
