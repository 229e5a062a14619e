"""The command line of the sandboxes: of `python -m victor_ext.sandbox`, and of `victor sandbox`.

Its options are the fields of a provider's settings: another provider, which may be of another
distribution, has options of its own.
"""

import argparse
from collections.abc import Sequence
from dataclasses import Field, fields
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from victor_ext.sandbox.server._provider import AnyProvider
from victor_ext.sandbox.server._run import serve

_DEFAULT = "victor"


def run(arguments: Sequence[str], *, prog: str) -> int:
    """Serve as a command line says, and return the exit status; misuse ends the process with 2."""
    choice = argparse.ArgumentParser(prog=prog, add_help=False, allow_abbrev=False)
    choice.add_argument(
        "--provider",
        default=_DEFAULT,
        choices=list(providers()),
        help="whom to stand in for (default: %(default)s)",
    )
    name = choice.parse_known_args(arguments)[0].provider
    provider = cast("type[AnyProvider]", providers()[name].load())
    parser = argparse.ArgumentParser(
        prog=prog,
        parents=[choice],
        description=f"A local stand-in for {provider.title}.",
        allow_abbrev=False,
    )
    kinds = get_type_hints(provider.settings_type)
    of_settings = [_add(parser, each, kinds[each.name]) for each in fields(provider.settings_type)]
    parser.add_argument(
        "--env-file", metavar="FILE", help="write settings for a client, with its credentials"
    )
    parser.add_argument(
        "--json", action="store_true", help="print the URL as JSON once connections are accepted"
    )
    parser.add_argument("--quiet", action="store_true", help="no greeting, no line for each call")
    given = vars(parser.parse_args(arguments))
    try:
        settings = provider.settings_type(**{name: given[name] for name in of_settings})
    except ValueError as error:
        parser.error(str(error))
    return serve(
        provider,
        settings,
        quiet=given["quiet"],
        json_line=given["json"],
        env_file=given["env_file"],
    )


def _add(parser: argparse.ArgumentParser, field: Field[Any], kind: object) -> str:
    """Add the option of a field of settings; returns its name."""
    default = field.metadata.get("command_line", field.default)
    options: dict[str, Any] = {"default": default, "help": field.metadata["help"]}
    if kind is bool:
        options["action"] = "store_true"
    elif get_origin(kind) is Literal:
        options["choices"] = get_args(kind)
    else:
        of_numbers = [each for each in (int, float) if each in (get_args(kind) or (kind,))]
        options["type"] = of_numbers[0] if of_numbers else str
        options["metavar"] = "N" if of_numbers else "TEXT"
    if default not in (None, False):
        options["help"] += " (default: %(default)s)"
    parser.add_argument(f"--{field.name.replace('_', '-')}", **options)
    return field.name


def providers() -> dict[str, EntryPoint]:
    """The providers that are installed, by name: first that of the default. None is loaded."""
    installed = {entry.name: entry for entry in entry_points(group="victor_ext.sandboxes")}
    others = sorted(installed.keys() - {_DEFAULT})
    return {name: installed[name] for name in (_DEFAULT, *others)}
