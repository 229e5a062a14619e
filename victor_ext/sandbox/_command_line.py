"""The command line of the sandboxes: of `python -m victor_ext.sandbox`, and of `victor sandbox`.

The parser is made from the declared options of a provider's settings: another provider, which may
be of another distribution, has options of its own.
"""

import inspect
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated, Any, cast, get_args

import typer
from typer.main import get_command

from victor_ext.sandbox.server._provider import AnyProvider
from victor_ext.sandbox.server._run import serve
from victor_ext.sandbox.server._settings import Option, options_of

_DEFAULT = "victor"
_RUNNING = {
    "env_file": Option(
        "write settings for a client, with fresh credentials", metavar="FILE", type=str
    ),
    "json": Option(
        "print the URL as JSON once connections are accepted", command_line=False, type=bool
    ),
    "quiet": Option("no greeting, no line for each call", command_line=False, type=bool),
}
"""The options of a process, beside those of its settings."""


def run(arguments: Sequence[str], *, prog: str) -> int:
    """Serve as a command line says, and return the exit status.

    Misuse is a `typer.TyperException`.
    """
    name = _parse(_choose, arguments, prog, ignore_others=True)
    provider = provider_named(name)
    try:
        return cast("int", _parse(_command_of(provider), arguments, prog))
    except ValueError as error:
        raise typer.TyperException(str(error)) from error
    except typer.TyperException as error:
        flag = getattr(error, "option_name", None)  # of one that does not exist
        others = () if flag is None else _providers_with(flag)
        if not others or name in others:
            raise
        raise typer.TyperException(
            f"{flag} is an option of --provider {' or '.join(others)}, and not of {name}"
        ) from error


def _providers_with(flag: str) -> tuple[str, ...]:
    """The providers whose sandbox has an option that is written so."""
    names: list[str] = []
    for name, entry in providers().items():
        with suppress(ImportError):
            options = command_options(cast("type[AnyProvider]", entry.load()))
            if any(flag in flags_of(word, option) for word, option in options.items()):
                names.append(name)
    return tuple(names)


def _choose(provider: Annotated[str, typer.Option()] = _DEFAULT) -> str:
    """Read what decides which other options there are."""
    return provider


def _command_of(provider: type[AnyProvider]) -> Callable[..., int]:
    """Return a command that serves, with the options of a provider."""
    settings_type = provider.settings_type
    names = options_of(settings_type)

    def sandbox(**values: Any) -> int:
        settings = settings_type(**{name: values[name] for name in names})
        return serve(
            provider,
            settings,
            quiet=values["quiet"],
            json_line=values["json"],
            env_file=values["env_file"],
        )

    options = command_options(provider)
    signature = inspect.Signature([_parameter(name, each) for name, each in options.items()])
    sandbox.__signature__ = signature  # type: ignore[attr-defined] # typer reads it
    sandbox.__doc__ = f"A local stand-in for {provider.title}."
    return sandbox


def _parse(
    function: Callable[..., Any],
    arguments: Sequence[str],
    prog: str,
    *,
    ignore_others: bool = False,
) -> Any:
    """Call a function with its options on a command line, and return what it returns.

    `ignore_others`: whether options that it does not have may be there.
    """
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(
        context_settings={
            "allow_extra_args": ignore_others,
            "ignore_unknown_options": ignore_others,
            "help_option_names": [] if ignore_others else ["-h", "--help"],
        }
    )(function)
    return get_command(app)(list(arguments), prog_name=prog, standalone_mode=False)


def providers() -> dict[str, EntryPoint]:
    """The providers that are installed, of this distribution or of any other, by name: first that
    of the default.

    None is loaded.
    """
    installed = {entry.name: entry for entry in entry_points(group="victor_ext.sandboxes")}
    others = sorted(installed.keys() - {_DEFAULT})
    return {name: installed[name] for name in (_DEFAULT, *others)}


def provider_named(name: str) -> type[AnyProvider]:
    installed = providers()
    if name not in installed:
        names = ", ".join(installed)
        raise typer.TyperException(f"--provider is {name!r}: write one of {names}.")
    return cast("type[AnyProvider]", installed[name].load())


def command_options(provider: type[AnyProvider]) -> dict[str, Option]:
    """The options of a provider's command line by name, in their order."""
    names = ", ".join(providers())
    choice = Option(
        f"whom to stand in for: {names} (default: {_DEFAULT})", metavar="NAME", type=str
    )
    return {"provider": choice, **options_of(provider.settings_type), **_RUNNING}


def flags_of(name: str, option: Option) -> list[str]:
    """How an option is written: a switch that is on by default can be switched off."""
    word = name.replace("_", "-")
    return [f"--{word}", f"--no-{word}"] if option.command_line is True else [f"--{word}"]


def metavar_of(option: Option) -> str | None:
    """What stands for the value of an option in help; None for a switch."""
    if option.type is bool:
        return None
    if option.choices:
        return "|".join(option.choices)
    return option.metavar or _METAVARS[_kind(option)]


def _parameter(name: str, option: Option) -> inspect.Parameter:
    """Return an option as the parameter that typer makes it from."""
    declared = typer.Option(
        "/".join(flags_of(name, option)),
        help=_help(option),
        metavar=metavar_of(option),
        show_default=False,
        parser=None if option.type is bool else _parser_of(option),
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=option.command_line,
        annotation=Annotated[_annotation(option), declared],
    )


def _help(option: Option) -> str:
    default = option.command_line
    if default in (None, ()) or option.type is bool:
        return option.help
    shown = f"{default:g}" if isinstance(default, float) else default
    return f"{option.help} (default: {shown})"


def _annotation(option: Option) -> object:
    """The type of an option's parameter, as typer reads it."""
    if option.type is bool:
        return bool
    if option.command_line == ():
        return list[str]
    return _kind(option) | None


def _kind(option: Option) -> type[int | float | str]:
    """The type of the value: of several in the declaration, the narrowest one."""
    declared = get_args(option.type) or (option.type,)
    for kind in (int, float):
        if kind in declared:
            return kind
    return str


# The parser says by itself what is wrong: typer's words change with its versions.


def _parser_of(option: Option) -> Callable[[str], int | float | str]:
    kind = _kind(option)
    choices = option.choices

    def parse(text: str) -> int | float | str:
        if choices and text not in choices:
            raise typer.BadParameter(f"{text!r} is not one of {', '.join(choices)}.")
        try:
            return kind(text)
        except ValueError:
            raise typer.BadParameter(f"{text!r} is not {_WORDS[kind]}.") from None

    return parse


_METAVARS = {int: "N", float: "SECONDS", str: "TEXT"}
_WORDS = {int: "a whole number", float: "a number", str: "a text"}
