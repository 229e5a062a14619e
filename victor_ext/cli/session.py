"""Client, common options and error reporting of one command."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Self, get_type_hints

import typer

import victor_ext
from victor_ext._exit_status import FAILED
from victor_ext.systems import DEFAULT, System

from .chosen_system import Setting, environments, provider_of, system_of
from .failures import Doubt, Failure, Misuse, broken_off, victor_failure
from .options import AsJson, number, option, words_of
from .screen import complain

if TYPE_CHECKING:
    from victor_ext import PaymentRequest, Victor

_CONNECTION = ("environment", "base_url", "deadline")
"""The options that are arguments of a client."""
_FROM_VARIABLES = ("environment", "base_url")
"""The options whose values may come from variables of the system."""


def _profiles(_context: typer.Context) -> list[str]:
    from victor_ext.profiles import profile_names  # noqa: PLC0415 - it knows the errors, which know httpx: 80 ms

    return profile_names()


def _variable(name: str) -> str | None:
    """Return what a variable has, or None if that is nothing."""
    return os.environ.get(name, "").strip() or None


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
    environment: Annotated[str | None, Setting("environment", "NAME", environments)] = None
    base_url: Annotated[str | None, Setting("base_url", "URL")] = None
    deadline: Annotated[
        float | None,
        option(
            "Give up on a call after SECONDS, with all its attempts and waits (default: 60).",
            "SECONDS",
            parser=number(),
        ),
    ] = None
    profile: Annotated[str | None, Setting("profile", "NAME", _profiles)] = None

    @classmethod
    def typed(cls, context: typer.Context) -> Self:
        """The session of a command line that a shell completes: its options as far as they are
        typed.
        """
        typed = {option.name: context.params.get(option.name) for option in _options_of(cls)}
        return cls(context, **without_none(typed))

    def use_profile(self, provider: str = DEFAULT) -> str | None:
        """Set the variables of a system to those of the chosen profile, and unset those that it
        does not have.

        A variable that the shell happens to have must not join the credentials of one environment
        with the name of another. Returns the profile's name, or None. Raises `Misuse`, which quotes
        no value.
        """
        from victor_ext.profiles import profile_variables  # noqa: PLC0415 - it knows the errors, which know httpx: 80 ms

        name = self.profile
        if name is None:
            name = _variable(f"{provider.upper()}_PROFILE")
        if name is None:
            return None
        system = system_of(provider)
        try:
            variables = profile_variables(system, name)
        except victor_ext.ConfigurationError as error:
            raise Misuse(error.message) from None
        for setting in system.settings:
            os.environ.pop(f"{system.prefix}{setting.upper()}", None)
        for variable, value in variables.items():
            os.environ[variable] = str(value)
        return name

    @property
    def own(self) -> dict[str, Any]:
        """The options of the subclass, by their names."""
        names = [option.name for option in fields(self) if option.name not in _COMMON]
        return {name: getattr(self, name) for name in names}

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
        for option_name, instead in system.refuses.items():
            if getattr(self, option_name) is not None:
                raise Misuse(instead)
        arguments = settings | self._connection()
        client = system.load("client").from_env(**arguments)
        return system, client

    @contextmanager
    def failures(
        self,
        doubt: Doubt | None = None,
        result: PaymentRequest | None = None,
        *,
        failed: int = FAILED,
    ) -> Generator[None]:
        """Report a failure of the block, and end the command. One that writes has a `doubt`, and
        later the `result` of the write.

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
            self.end(broken_off(error, doubt, result))

    @property
    def spelled(self) -> dict[str, str]:
        """Names of the parameters in messages: `--due-date`, `ID`, or the environment variable that
        was used.
        """
        parameters: Any = self.command.command.params
        names: dict[str, str] = {}
        for parameter in parameters:
            name = parameter.opts[0]
            names[parameter.name] = name if name.startswith("-") else parameter.metavar
        for setting in _FROM_VARIABLES:
            variable = f"{provider_of(self.command)}_{setting}".upper()
            if getattr(self, setting) is None and _variable(variable):
                names[setting] = variable
        return names

    def options(self, *, as_json: bool = False) -> list[str]:
        """Return the connection options for another command line; and `--json`, if it has that."""
        options = {"profile": self.profile, **self._connection()}
        if self.deadline is not None:
            options["deadline"] = f"{self.deadline:g}"
        if as_json:
            options["json"] = True
        return words_of(options)

    def place(self, victor: Victor) -> str:
        """Return the environment, with the base URL if one was set."""
        is_elsewhere = self.base_url is not None or _variable(f"{victor.system.prefix}BASE_URL")
        if is_elsewhere:
            return f"{victor.environment}, {victor.base_url}"
        return victor.environment

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
            message = "Not confirmed. Nothing was sent."
            self.end(Failure(kind="Declined", message=message, exit_status=FAILED))

    def end(self, failure: Failure) -> NoReturn:
        failure.report(as_json=self.as_json)
        raise typer.Exit(failure.exit_status) from None

    def _connection(self) -> dict[str, Any]:
        return without_none({name: getattr(self, name) for name in _CONNECTION})


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are not None."""
    return {name: value for name, value in values.items() if value is not None}


_COMMON = {each.name for each in fields(Session)}


def _options_of(session_type: type[Session]) -> list[Any]:
    """Return the fields of a session that are options, those of the subclass first."""
    options = [each for each in fields(session_type) if each.kw_only]
    return sorted(options, key=lambda each: each.name in _COMMON)


def with_session(function: Callable[..., None]) -> Callable[..., None]:
    """Decorate a function that takes a `Session`, or a subclass, first: add the options of that
    after its own.
    """
    return _SessionCommand(function)


class _SessionCommand:
    """A command as typer calls it: with a context, its own options, and those of its session."""

    def __init__(self, function: Callable[..., None]) -> None:
        session, *own = inspect.signature(function, eval_str=True).parameters.values()
        self._function = function
        self._session_type: type[Session] = session.annotation
        self._own = own
        self.__name__ = function.__name__.rstrip("_")
        self.__doc__ = function.__doc__
        self.__annotations__: dict[str, Any] = {}  # typer looks here, too

    def __call__(self, context: typer.Context, **values: Any) -> None:
        names = [option.name for option in _options_of(self._session_type)]
        options = {name: values.pop(name) for name in names}
        self._function(self._session_type(context, **options), **values)

    @property
    def __signature__(self) -> inspect.Signature:
        """What typer makes the parser from, each time that it makes one."""
        context = inspect.Parameter(
            "context", inspect.Parameter.POSITIONAL_ONLY, annotation=typer.Context
        )
        return inspect.Signature([context, *self._own, *self._session_parameters()])

    def _session_parameters(self) -> list[inspect.Parameter]:
        hints = get_type_hints(self._session_type, include_extras=True)
        parameters: list[inspect.Parameter] = []
        for option_field in _options_of(self._session_type):
            name = option_field.name
            parameter = inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=option_field.default,
                annotation=_as_typer_reads_it(hints[name]),
            )
            parameters.append(parameter)
        return parameters


def _as_typer_reads_it(hint: Any) -> Any:
    (declared,) = hint.__metadata__
    if isinstance(declared, Setting):
        return Annotated[hint.__origin__, declared.as_option()]
    return hint
