"""Client, common options and error reporting of one command.

A command is a function whose first parameter is a `Session`, or a subclass with options of its own.
`with_session` makes of the function what typer calls.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, get_type_hints

import typer

import victor_ext
from victor_ext._systems import DEFAULT, System, entry_points_of
from victor_ext._values.exit_status import FAILED

from ._failures import CommandFailure, Misuse, Recovery, broken_write_failure, failure_of
from ._options import AsJson, number, option, option_words
from ._screen import complain, conclude
from ._signals import raise_received

if TYPE_CHECKING:
    from victor_ext import PaymentRequest, Victor

_CLIENT_OPTIONS = ("environment", "base_url", "deadline")
"""The options that are arguments of a client."""
_FROM_VARIABLES = ("environment", "base_url")
"""The options whose values may come from variables of the system."""


def provider_of(context: Any) -> str:
    """Return the name of the system that a command line chooses, in the command or in its group.

    `context` is a context of typer, or None.
    """
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


Provider = Annotated[
    str,
    option(
        "The payment system. Its variables begin with its name, such as VELO_ENVIRONMENT.",
        "NAME",
        default=...,
    ),
]


def _variable_value(name: str) -> str | None:
    """Return the value of an environment variable; None: it is not set, or blank."""
    return os.environ.get(name, "").strip() or None


@dataclass(frozen=True)
class CommandOptions:
    """The options of a command, and how it prints its result.

    A subclass adds options. Each is a field, whose default or annotation has the `option`.
    """

    def __init_subclass__(cls) -> None:
        # repr=False: an option may be an account number.
        dataclass(frozen=True, kw_only=True, repr=False)(cls)

    context: typer.Context = field(repr=False)
    _: KW_ONLY
    as_json: AsJson = False

    def conclude(self, document: Mapping[str, Any], text: str, *advice: str) -> None:
        """Show how the command has ended; see `_screen.conclude`."""
        conclude(document, text, *advice, as_json=self.as_json)

    def end_with(self, failure: CommandFailure) -> NoReturn:
        """Report a failure, and end the command with its exit status."""
        failure.report(as_json=self.as_json)
        raise typer.Exit(failure.exit_status) from None


class Session(CommandOptions):
    """The options of all commands that connect; None: the variable or the client's default."""

    environment: str | None = option(
        "The environment, such as staging or production (instead of VICTOR_ENVIRONMENT).",
        "NAME",
    )
    base_url: str | None = option(
        "Another URL, such as a sandbox's (instead of VICTOR_BASE_URL).", "URL"
    )
    deadline: float | None = option(
        "Give up on a call after SECONDS, with all its attempts and waits (default: 60).",
        "SECONDS",
        parser=number(),
    )

    @property
    def own_options(self) -> dict[str, Any]:
        """The options of the subclass, by their names."""
        names = [own_field.name for own_field in fields(self)]
        return {name: getattr(self, name) for name in names if name not in _COMMON_NAMES}

    @contextmanager
    def client(self, recovery: Recovery | None = None) -> Generator[Victor]:
        """Open a client of the default system for the block.

        A failure is reported and ends the command; see `report_failures`.
        """
        with self.report_failures(recovery), self.client_of(DEFAULT) as victor:
            yield victor

    def client_of(self, provider: str, **settings: Any) -> Any:
        """Return a client of a system, with blocking calls.

        `settings` are arguments of the client; options take precedence. Raises `Misuse`, beside the
        client's own errors.
        """
        system = system_of(provider)
        for option_name, instead in system.refuses.items():
            if getattr(self, option_name) is not None:
                raise Misuse(instead)
        arguments = {"on_event": raise_received, **settings, **self._connection_options()}
        return system.load("client").from_env(**arguments)

    @contextmanager
    def report_failures(
        self,
        recovery: Recovery | None = None,
        result: PaymentRequest | None = None,
        *,
        one_is_a_result: bool = False,
    ) -> Generator[None]:
        """Report a failure of the block, and end the command.

        Args:
            recovery: What settles the write of the block; None: the block only reads. A failure
                that is no error of the client, such as Ctrl-C, is then not reported here.
            result: What the write of an earlier block returned; None: nothing yet.
            one_is_a_result: As for `exit_status_of`.
        """
        try:
            yield
        except (Misuse, typer.Exit):
            raise
        except victor_ext.VictorError as error:
            names = self.option_names
            failure = failure_of(error, recovery, names, one_is_a_result=one_is_a_result)
            self.end_with(failure)
        except (Exception, KeyboardInterrupt) as error:
            if recovery is None:
                raise
            self.end_with(broken_write_failure(error, recovery, result))

    @property
    def option_names(self) -> dict[str, str]:
        """What messages call each parameter: `--due-date`, `ID`, or the environment variable that
        the value comes from.
        """
        parameters: Any = self.context.command.params
        names: dict[str, str] = {}
        for parameter in parameters:
            name = parameter.opts[0]
            names[parameter.name] = name if name.startswith("-") else parameter.metavar
        for setting in _FROM_VARIABLES:
            variable = f"{provider_of(self.context)}_{setting}".upper()
            if getattr(self, setting) is None and _variable_value(variable):
                names[setting] = variable
        return names

    def connection_words(self, *, as_json: bool = False) -> list[str]:
        """Return the words of another command line that connects as this one: environment, base
        URL and deadline, and with `as_json` the option `--json`.
        """
        options = self._connection_options()
        if self.deadline is not None:
            options["deadline"] = f"{self.deadline:g}"
        if as_json:
            options["json"] = True
        return option_words(options)

    def environment_text(self, victor: Victor) -> str:
        """Return the environment of a client, with its base URL if that was set."""
        variable = f"{victor.system.prefix}BASE_URL"
        has_own_url = self.base_url is not None or _variable_value(variable) is not None
        if has_own_url:
            return f"{victor.environment}, {victor.base_url}"
        return victor.environment

    def confirm(
        self,
        victor: Victor,
        question: Callable[[], str],
        *,
        yes: bool,
        otherwise: str = "Nothing was sent.",
    ) -> None:
        """Ask a person before something is done in production, and end the command unless they
        agree. Elsewhere, and with `yes`, do nothing.

        `question` returns the text of the question. It is called only before the question is shown,
        and may read from the provider. `otherwise` says what was not done. Raises `Misuse` without
        a terminal.
        """
        if yes or victor.environment != "production":
            return
        if not at_terminal_input():
            raise Misuse(
                "This is production, and no terminal can confirm it: pass --yes to confirm. "
                f"{otherwise}"
            )
        complain(question())
        # Nothing has been sent: Ctrl-C here ends like anywhere else.
        if not typer.confirm(f"Do it in production ({self.environment_text(victor)})?", err=True):
            message = f"Not confirmed. {otherwise}"
            self.end_with(CommandFailure(kind="Declined", message=message, exit_status=FAILED))

    def _connection_options(self) -> dict[str, Any]:
        """Return the options that are arguments of a client, as far as they are used."""
        return without_none({name: getattr(self, name) for name in _CLIENT_OPTIONS})


def at_terminal_input() -> bool:
    """Whether a person can type an answer."""
    stdin: Any = sys.stdin
    return stdin is not None and stdin.isatty()


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are not None."""
    return {name: value for name, value in values.items() if value is not None}


_COMMON_NAMES = {option_field.name for option_field in fields(Session)}


def _option_fields(options_type: type[CommandOptions]) -> list[Any]:
    """Return the fields that are options, those of the subclass first."""
    options = [option_field for option_field in fields(options_type) if option_field.kw_only]
    return sorted(options, key=lambda option_field: option_field.name in _COMMON_NAMES)


def with_session(
    function: Callable[..., None], options_type: type[CommandOptions] | None = None
) -> Callable[..., None]:
    """Decorate a command whose first parameter is a `Session`, or other `CommandOptions`: these
    follow the parameters of the function in its help, except those that have to be written.

    `options_type` is in place of the type of that parameter, for a command of several groups.
    """
    first, *others = inspect.signature(function, eval_str=True).parameters.values()
    chosen_type: type[CommandOptions] = options_type or first.annotation
    hints = get_type_hints(chosen_type, include_extras=True)
    needed: list[inspect.Parameter] = []
    optional: list[inspect.Parameter] = []
    for option_field in _option_fields(chosen_type):
        name, default = option_field.name, option_field.default
        parameter = inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hints[name]
        )
        is_needed = getattr(default, "default", None) is ...
        (needed if is_needed else optional).append(parameter)

    def command(context: typer.Context, **values: Any) -> None:
        options = {parameter.name: values.pop(parameter.name) for parameter in [*needed, *optional]}
        function(chosen_type(context, **options), **values)

    context = inspect.Parameter(
        "context", inspect.Parameter.POSITIONAL_ONLY, annotation=typer.Context
    )
    # Arguments come before options.
    parameters = sorted([context, *needed, *others, *optional], key=lambda each: each.kind)
    command.__name__ = function.__name__.rstrip("_")
    command.__doc__ = function.__doc__
    command.__annotations__ = {}  # typer looks here, too
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return command
