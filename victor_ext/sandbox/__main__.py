"""`python -m victor_ext.sandbox`, and the command line of `victor sandbox`."""

import sys
from argparse import ArgumentParser, BooleanOptionalAction
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast, get_args

from victor_ext.sandbox.server.provider import AnyProvider
from victor_ext.sandbox.server.run import serve
from victor_ext.sandbox.server.settings import Option, described, options_of, read_measurements

_DEFAULT = "victor"
_USAGE = "%(prog)s [options]   (--help lists them)"


def main(
    arguments: Sequence[str] | None = None, *, prog: str = "python -m victor_ext.sandbox"
) -> int:
    """Read the command line and serve; returns the exit status.

    Misuse is a `SystemExit` with status 2.
    """
    first = ArgumentParser(prog, usage=_USAGE, add_help=False, allow_abbrev=False)
    first.add_argument("--provider", choices=tuple(providers()), default=_DEFAULT)
    first.add_argument("--like")
    early = first.parse_known_args(arguments)[0]
    provider = provider_named(str(early.provider))
    parser = parser_of(provider, prog)
    try:
        like = (
            read_measurements(early.like, provider.name, provider.settings_type)
            if early.like
            else None
        )
        parser.set_defaults(**(like[0] if like else {}))
        given = vars(parser.parse_args(arguments))
        running = {option: given.pop(option) for option in ("quiet", "json_line", "env_file")}
        settings = provider.settings_type(
            **{name: given[name] for name in options_of(provider.settings_type)}
        )
        running |= {"about": described(settings, *like)} if like else {}
    except ValueError as error:
        parser.error(str(error))
    return serve(provider, settings, **running)


def providers() -> dict[str, EntryPoint]:
    """The providers that are installed, of this distribution or of any other, by name.

    None is loaded.
    """
    installed = {entry.name: entry for entry in entry_points(group="victor_ext.sandboxes")}
    return {
        name: installed[name]
        for name in sorted(installed, key=lambda name: (name != _DEFAULT, name))
    }


def provider_named(name: str) -> type[AnyProvider]:
    return cast("type[AnyProvider]", providers()[name].load())


def parser_of(provider: type[AnyProvider], prog: str) -> ArgumentParser:
    parser = ArgumentParser(
        prog, _USAGE, f"A local stand-in for {provider.title}.", allow_abbrev=False
    )
    add = parser.add_argument
    add(
        "--provider",
        metavar="NAME",
        help=f"whom to stand in for: {', '.join(providers())} (default: {_DEFAULT})",
    )
    for name, option in options_of(provider.settings_type).items():
        add("--" + name.replace("_", "-"), dest=name, **_argument(option))
    add(
        "--like",
        metavar="FILE",
        help="play what 'victor conform' measured; an option that is given goes before it",
    )
    add("--env-file", metavar="FILE", help="write settings for a client, with fresh credentials")
    add(
        "--json",
        dest="json_line",
        action="store_true",
        help="print the URL as JSON once connections are accepted",
    )
    add("--quiet", action="store_true", help="no greeting, no line for each call")
    return parser


def _argument(option: Option) -> dict[str, Any]:
    default = option.command_line
    if isinstance(default, bool):
        action = BooleanOptionalAction if default else "store_true"
        return {"action": action, "default": default, "help": option.help}
    if default == ():
        return {"action": "append", "default": [], "metavar": option.metavar, "help": option.help}
    text = option.help
    if default is not None:
        text += (
            f" (default: {default:g})" if isinstance(default, float) else f" (default: {default})"
        )
    if option.choices:
        return {"choices": option.choices, "default": default, "help": text}
    types = get_args(option.type) or (option.type,)
    read = cast("type", next(kind for kind in (int, float, str) if kind in types))
    unit = option.metavar or {int: "N", float: "SECONDS"}.get(read)
    return {"type": read, "default": default, "metavar": unit, "help": text}


if __name__ == "__main__":
    sys.exit(main())
