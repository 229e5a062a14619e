"""The tables of the reference of the sandboxes, made from the declared options and commands.

`python -m tests.sandbox.sandbox_page` writes them into docs/sandbox-reference.md.
"""

from collections.abc import Iterable
from pathlib import Path

from victor_ext.sandbox.command_line import (
    command_options,
    flags_of,
    metavar_of,
    provider_named,
    providers,
)
from victor_ext.sandbox.server.commands import Command, ServerCommands, TokenCommands
from victor_ext.sandbox.server.notifying import NotificationCommands, NotifyingSettings
from victor_ext.sandbox.server.settings import Option, ServerSettings, options_of

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = DOCS / "sandbox.md"
PAGE = DOCS / "sandbox-reference.md"
_BAR = r"\|"
"""How a bar is written within a table."""
RUNNING = {"provider", "env_file", "json", "quiet"}
_OPTIONS = ["| option | default | meaning |", "|---|---|---|"]
_COMMANDS = ["| call | in Python | what it does |", "|---|---|---|"]


def tables() -> dict[str, str]:
    """Every table by its name in the page. What sandboxes share is in tables of their own."""
    shared = set(options_of(ServerSettings)) | RUNNING
    posting = options_of(NotifyingSettings)
    of_all = command_options(provider_named("victor")).items()
    found = {
        "options all": _table(_OPTIONS, (_option(*each) for each in of_all if each[0] in shared)),
        "options notifications": _table(
            _OPTIONS, (_option(*each) for each in posting.items() if each[0] not in shared)
        ),
        "commands all": _table(_COMMANDS, map(_command, ServerCommands.commands())),
        "commands tokens": _commands_beyond(ServerCommands, TokenCommands),
        "commands notifications": _commands_beyond(ServerCommands, NotificationCommands),
    }
    known = {*TokenCommands.commands(), *NotificationCommands.commands()}
    for name in providers():
        provider = provider_named(name)
        own = [
            each for each in command_options(provider).items() if each[0] not in {*shared, *posting}
        ]
        if own:
            found[f"options {name}"] = _table(_OPTIONS, (_option(*each) for each in own))
        found[f"commands {name}"] = _table(
            _COMMANDS,
            (_command(each) for each in provider.commands_type.commands() if each not in known),
        )
        operations = ", ".join(f"`{each}`" for each in sorted(row.name for row in provider.rows))
        found[f"operations {name}"] = f"A fault's `operation`: {operations}, `other`."
    return found


def _commands_beyond(base: type[ServerCommands], more: type[ServerCommands]) -> str:
    """The commands that a class adds to another one."""
    known = {*base.commands()}
    return _table(_COMMANDS, (_command(each) for each in more.commands() if each not in known))


def _table(head: list[str], rows: Iterable[str]) -> str:
    return "\n".join([*head, *rows])


def _option(name: str, option: Option) -> str:
    value = metavar_of(option) or ""
    forms = [f"`{flag} {value}".rstrip() + "`" for flag in flags_of(name, option)]
    meaning = option.help.removesuffix(" (default: victor)")
    return f"| {', '.join(forms).replace('|', _BAR)} | {_default(option)} | {meaning} |"


def _default(option: Option) -> str:
    default = option.command_line
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, float):
        return f"`{default:g}`"
    return "" if default in (None, ()) else f"`{default}`"


def _command(command: Command) -> str:
    names = [each.name for each in command.parameters if not each.is_option]
    names += ["..."] * (len(names) < len(command.parameters))
    text = " ".join(command.documentation.split("\n\n")[0].split())
    return f"| `{command.method} {command.path}` | `{command.name}({', '.join(names)})` | {text} |"


def written() -> str:
    """The page with the tables of today."""
    page = PAGE.read_text(encoding="utf-8")
    for name, table in tables().items():
        begin = f"<!-- {name} -->\n"
        end = "<!-- end -->"
        head, _, rest = page.partition(begin)
        if not rest:
            raise ValueError(f"the page has no place for the table {name!r}: {begin.strip()}")
        page = head + begin + "\n" + table + "\n\n" + end + rest.partition(end)[2]
    return page


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
