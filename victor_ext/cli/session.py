"""Client, common options and error reporting of one command."""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Self, TextIO, get_type_hints

import typer

import victor_ext
from victor_ext._exit_status import FAILED, FOR_NOW
from victor_ext._output import OutputLost, replaced
from victor_ext.systems import DEFAULT, System, entry_points_of

from .failures import Doubt, Failure, Misuse, broken_off, victor_failure
from .screen import complain

if TYPE_CHECKING:
    from victor_ext import PaymentRequest, Victor

_FROM_VARIABLES = ("environment", "base_url")
"""The options whose values may come from variables of the system."""
_SETTINGS_HELP = {
    "environment": "{environments} (instead of {prefix}ENVIRONMENT).",
    "base_url": "Another URL, such as a sandbox's (instead of {prefix}BASE_URL).",
    "profile": "Settings in ~/.config/victor/profiles.toml (instead of {prefix}PROFILE).",
}
"""The help of the options for settings, in the words of a system."""
# What the default system says of itself: `victor --help` loads no system.
_OF_DEFAULT = {"environments": "staging or production", "prefix": f"{DEFAULT.upper()}_"}

Known = Callable[[typer.Context], Iterable[str]]
"""The words that a shell offers, by the command line as far as it is typed."""


def completed(known: Known) -> Callable[[typer.Context, str], list[str]]:
    """Return what completes a word with the `known` ones: none where they cannot be read, since a
    shell shows no errors.
    """

    def beginning(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            return [word for word in known(ctx) if word.startswith(incomplete)]
        except (Misuse, victor_ext.VictorError, ImportError, OSError):
            return []

    return beginning


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
    if words:
        known = lambda _ctx: words  # noqa: E731 - it has no name of its own
    # a shell completes the name of a file by itself
    completion = None if known is None else completed(known)
    return typer.Option(help=text, metavar=metavar, autocompletion=completion, **settings)


def flag(name: str, text: str) -> Any:
    return typer.Option(name, help=text)


def several(metavar: str) -> str:
    """Return the name of an argument that is repeated: typer adds the dots from 0.28 on."""
    return f"{metavar}..." if typer.__version__.startswith("0.27.") else metavar


def seconds(text: str) -> float:
    """Parse the duration of an option."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a duration: write 24h, 90m or 3600s.")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2] or "s"]


def _profiles(_ctx: typer.Context) -> list[str]:
    from victor_ext.profiles import profile_names  # noqa: PLC0415 - it knows the errors, which know httpx: 80 ms

    return profile_names()


AsJson = Annotated[bool, flag("--json", "Print JSON, with data in full, for programs.")]


def provider_of(context: Any) -> str:
    """The name of the system that a command line chooses, in the command or in its group."""
    while context is not None:
        if "provider" in context.params:
            return str(context.params["provider"])
        context = context.parent
    return DEFAULT


def system_of(provider: str) -> System:
    """Return an installed system. Raises `Misuse`."""
    installed = entry_points_of()
    if provider not in installed:
        raise Misuse(f"--provider is {provider!r}: write one of {', '.join(installed)}.")
    system: System = installed[provider].load()
    return system


def _environments(ctx: typer.Context) -> Iterable[str]:
    return system_of(provider_of(ctx)).environments


def _explain_settings(context: typer.Context, provider: str) -> str:
    """Let the help of the options for settings have the words of the system that is chosen."""
    if provider == DEFAULT:
        return provider
    system = system_of(provider)
    texts = {name: text.format(**_words_of(system)) for name, text in _SETTINGS_HELP.items()}
    texts |= {name: instead for name, instead in system.refuses.items() if name in texts}
    command: Any = context.command
    for each in (command, *getattr(command, "commands", {}).values()):
        for parameter in each.params:
            parameter.help = texts.get(parameter.name, getattr(parameter, "help", None))
    return provider


def _words_of(system: System) -> dict[str, str]:
    environments = " or ".join(system.environments) or "The environment"
    return {"environments": environments, "prefix": system.prefix}


Provider = Annotated[
    str,
    option(
        "The payment system.",
        "NAME",
        known=lambda _ctx: entry_points_of(),
        callback=_explain_settings,
        is_eager=True,  # before --help
    ),
]
Yes = Annotated[bool, flag("--yes", "Do it in production without asking.")]


@dataclass(frozen=True)
class Session:
    """The options of all commands; None: the variable or the client's default.

    A subclass adds some, with defaults.
    """

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True, kw_only=True, repr=False)(cls)

    command: typer.Context = field(repr=False)
    _: KW_ONLY
    as_json: AsJson = False
    environment: Annotated[
        str | None,
        option(_SETTINGS_HELP["environment"].format(**_OF_DEFAULT), "NAME", known=_environments),
    ] = None
    base_url: Annotated[
        str | None,
        option(_SETTINGS_HELP["base_url"].format(**_OF_DEFAULT), "URL"),
    ] = None
    deadline: Annotated[
        float | None,
        option(
            "Give up on a call after SECONDS, with all its attempts and waits (default: 60).",
            "SECONDS",
        ),
    ] = None
    profile: Annotated[
        str | None,
        option(_SETTINGS_HELP["profile"].format(**_OF_DEFAULT), "NAME", known=_profiles),
    ] = None

    @classmethod
    def typed(cls, context: typer.Context) -> Self:
        """The session of a command line that a shell completes: its options as far as they are
        typed.
        """
        names = {each.name for each in fields(cls) if each.kw_only}
        given = {
            name: value
            for name, value in context.params.items()
            if name in names and value is not None
        }
        return cls(context, **given)

    def use_profile(self, provider: str = DEFAULT) -> str | None:
        """Set the variables of a system to those of the chosen profile, and unset those that it
        does not have.

        A variable that the shell happens to have must not join the credentials of one environment
        with the name of another. Returns the profile's name, or None. Raises `Misuse`, which quotes
        no value.
        """
        from victor_ext.profiles import profile_variables  # noqa: PLC0415 - it knows the errors, which know httpx: 80 ms

        variable = f"{provider.upper()}_PROFILE"
        name = (
            self.profile
            if self.profile is not None
            else os.environ.get(variable, "").strip() or None
        )
        if name is None:
            return None
        system = system_of(provider)
        try:
            variables = profile_variables(system, name)
        except victor_ext.ConfigurationError as error:
            raise Misuse(error.message) from None
        for setting in system.settings:
            os.environ.pop(f"{system.prefix}{setting.upper()}", None)
        os.environ.update({variable: str(value) for variable, value in variables.items()})
        return name

    @property
    def own(self) -> dict[str, Any]:
        """The options of the subclass, by their names."""
        return {
            each.name: getattr(self, each.name) for each in fields(self) if each.name not in _COMMON
        }

    @contextmanager
    def client(self, doubt: Doubt | None = None) -> Generator[Victor]:
        """Open a client for the block.

        A failure is reported and ends the command; see `failures`.
        """
        with self.failures(doubt), self.client_of(DEFAULT)[1] as victor:
            yield victor

    def client_of(self, provider: str, **settings: Any) -> tuple[System, Any]:
        """Return a system and its blocking client.

        Options take precedence over `settings`. Raises `Misuse`, too.
        """
        self.use_profile(provider)
        system = system_of(provider)
        for option, instead in system.refuses.items():
            if getattr(self, option) is not None:
                raise Misuse(instead)
        return system, system.load("client").from_env(**{**settings, **self._given()})

    @contextmanager
    def failures(
        self,
        doubt: Doubt | None = None,
        made: PaymentRequest | None = None,
        *,
        failed: int = FAILED,
    ) -> Generator[None]:
        """Report a failure of the block, and end the command. One that writes has a `doubt`, and
        later what it made.

        `failed`: see `exit_status_of`.
        """
        try:
            yield
        except (Misuse, typer.Exit):
            raise
        except victor_ext.VictorError as error:
            self.end(victor_failure(error, doubt, self.spelled, failed))
        except (Exception, KeyboardInterrupt) as error:
            if doubt is None:
                raise
            self.end(broken_off(error, doubt, made))

    @property
    def spelled(self) -> dict[str, str]:
        """Names of the parameters in messages: `--due-date`, `ID`, or the environment variable that
        was used.
        """
        parameters: Any = self.command.command.params
        names = {
            each.name: each.opts[0] if each.opts[0].startswith("-") else each.metavar
            for each in parameters
        }
        prefix = f"{provider_of(self.command).upper()}_"
        variables = {name: f"{prefix}{name.upper()}" for name in _FROM_VARIABLES}
        return names | {
            name: variable
            for name, variable in variables.items()
            if getattr(self, name) is None and os.environ.get(variable, "").strip()
        }

    def options(self, *, as_json: bool = False) -> list[str]:
        """Return the connection options for another command line; and `--json`, if it has that."""
        given = self._given()
        if self.deadline is not None:
            given["deadline"] = f"{self.deadline:g}"
        return words_of({"profile": self.profile, **given, "json": as_json or None})

    def place(self, victor: Victor) -> str:
        """Return the environment, with the base URL if one was set."""
        elsewhere = (
            self.base_url is not None
            or os.environ.get(f"{victor.system.prefix}BASE_URL", "").strip()
        )
        return f"{victor.environment}, {victor.base_url}" if elsewhere else victor.environment

    def confirm(self, victor: Victor, question: Callable[[], str], *, yes: bool) -> None:
        """Ask a person before something in production; elsewhere, and with `yes`, do nothing.

        `question` is called only if it is asked, and may read what it is about. Raises `Misuse`
        without a terminal.
        """
        if yes or victor.environment != "production":
            return
        stdin: Any = sys.stdin
        if stdin is None or not stdin.isatty():
            raise Misuse(
                "This is production, and no terminal can confirm it: pass --yes to confirm. "
                "Nothing was sent."
            )
        complain(question())
        # Nothing has been sent: Ctrl-C here ends like anywhere else.
        if not typer.confirm(f"Do it in production ({self.place(victor)})?", err=True):
            self.end(
                Failure(
                    kind="Declined", message="Not confirmed. Nothing was sent.", exit_status=FAILED
                )
            )

    def end(self, failure: Failure) -> NoReturn:
        failure.report(as_json=self.as_json)
        raise typer.Exit(failure.exit_status) from None

    def _given(self) -> dict[str, Any]:
        names = ("environment", "base_url", "deadline")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


_COMMON = {each.name for each in fields(Session)}


def with_session(function: Callable[..., None]) -> Callable[..., None]:
    """Decorate a function that takes a `Session`, or a subclass, first: add the options of that
    after its own.
    """

    def command(context: typer.Context, **given: Any) -> None:
        session = session_type(
            context, **{option.name: given.pop(option.name) for option in shared}
        )
        function(session, **given)

    first, *own = inspect.signature(function, eval_str=True).parameters.values()
    of_command, _ = inspect.signature(command, eval_str=True).parameters.values()
    session_type: type[Session] = first.annotation
    hints = get_type_hints(session_type, include_extras=True)
    shared = [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=each.default,
            annotation=hints[each.name],
        )
        for each in sorted(fields(session_type), key=lambda option: option.name in _COMMON)
        if each.kw_only
    ]
    signature = inspect.Signature([of_command, *own, *shared])
    command.__signature__ = signature  # type: ignore[attr-defined] # typer reads it
    command.__annotations__ = {
        parameter.name: parameter.annotation for parameter in signature.parameters.values()
    }
    command.__name__, command.__doc__ = function.__name__.rstrip("_"), function.__doc__
    return command


def words_of(arguments: Mapping[str, Any]) -> list[str]:
    """Convert arguments to command-line words, unabbreviated: a repeat must have exactly the same
    values.
    """
    words: list[str] = []
    for name, value in arguments.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        elif value is not None:
            words += [f"--{option}", str(value)]
    return words


@contextmanager
def whole_file(path: Path, name: str, *, mode: int) -> Generator[TextIO]:
    """Write a file that has its name only when it is complete; a device or a pipe is written as it
    is.

    `name` is the option. Raises `Misuse` where there can be no such file, and `OutputLost` if it
    could not be written whole, as on a full disk.
    """
    is_open = False
    is_file = path.is_file() or not path.exists()
    text: Any = {"encoding": "utf-8", "newline": ""}
    try:
        with replaced(path, "x", mode=mode, **text) if is_file else open(path, "w", **text) as file:
            is_open = True
            yield file
    except OSError as error:
        reason = error.strerror or error
        if is_open:
            raise OutputLost(f"{name} {path}: {reason}") from error
        raise Misuse(f"{name} {path} cannot be written: {reason}.") from error


@contextmanager
def report_file(path: Path, name: str) -> Generator[TextIO]:
    """Write a whole file for its owner alone.

    One that could not be written must not look like a difference.
    """
    try:
        with whole_file(path, name, mode=0o600) as file:
            yield file
    except OutputLost as error:
        complain(f"Error: the report could not be written: {error}.")
        raise typer.Exit(FOR_NOW) from None


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
    return (
        (datetime.now(UTC).date() + timedelta(days=words[text])).isoformat()
        if text and text in words
        else text
    )


def moments(
    texts: Mapping[str, str | None], *needed: str, doing: str, check: Callable[..., object] = dict
) -> dict[str, datetime]:
    """Parse Zulu times, or days: their first moments in UTC. Those that are None are left out.

    Raises `InvalidRequest` with all problems: of these options, and of the call `check` with what
    could be read of them, which sends nothing.
    """
    from victor_ext import zulu  # noqa: PLC0415 - `victor --help` does not need it

    problems = [
        victor_ext.Problem(name, "required", f"{name} is missing.")
        for name in needed
        if texts[name] is None
    ]
    read = dict[str, datetime]()
    for name, text in texts.items():
        given = day(text, MOMENTS)
        try:
            if given is not None:
                read[name] = zulu.parse(f"{given}T00:00:00Z" if _DATE.fullmatch(given) else given)
        except victor_ext.InvalidRequest as error:
            # The client's message has no name for the value, and no word for a day: add them.
            for problem in error.problems:
                message = (
                    f"{name} is {text!r}: write {_MOMENT}."
                    if problem.code == "format"
                    else problem.message
                )
                problems.append(victor_ext.Problem(name, problem.code, message))
    try:
        check(**read)
    except victor_ext.InvalidRequest as error:
        problems += error.problems
    if problems:
        raise victor_ext.InvalidRequest.of(problems, doing=doing)
    return read
