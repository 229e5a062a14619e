"""The tables of the reference of the sandboxes, made from the declared options and commands.

`python -m tests.sandbox.sandbox_page` writes them into docs/sandbox-reference.md, and what
`victor conform` reads of Victor's options into victor_ext/conform/options.toml.
"""

import inspect
import json
from collections.abc import Iterable
from pathlib import Path

from victor_ext.conform import ASSUMPTIONS, Assumption, Phase
from victor_ext.sandbox import SandboxSettings
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
OPTIONS = DOCS.parent / "victor_ext" / "conform" / "options.toml"
_BAR = r"\|"
"""How a bar is written within a table."""
RUNNING = {"provider", "like", "env_file", "json", "quiet"}
_OPTIONS = ["| option | default | meaning |", "|---|---|---|"]
_COMMANDS = ["| call | in Python | what it does |", "|---|---|---|"]
_PHASES = {Phase.READ: "reads", Phase.CREATE: "creates", Phase.ANSWER: "`--own-payer`"}


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
        "assumptions": _assumptions(shared),
    }
    known = {*TokenCommands.commands(), *NotificationCommands.commands()}
    for name in providers():
        provider = provider_named(name)
        own = [
            each for each in command_options(provider).items() if each[0] not in {*shared, *posting}
        ]
        found[f"options {name}"] = (
            _measured(own)
            if name == "victor"
            else _table(_OPTIONS, (_option(*each) for each in own))
        )
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


def _measured(options: Iterable[tuple[str, Option]]) -> str:
    """The options of Victor, and by what a measurement finds each."""
    by_option = {each.option: each for each in ASSUMPTIONS.values() if each.option}
    head = ["| option | default | meaning | measured by |", "|---|---|---|---|"]
    rows = (
        f"{_option(name, option)} {_how(by_option[name]) if name in by_option else ''} |"
        for name, option in options
    )
    return _table(head, rows)


def _how(each: Assumption) -> str:
    if each.why_not:
        return "no"
    return _PHASES.get(each.phase) or f"`--{each.phase.replace(' ', '-')}`"


def _assumptions(shared: set[str]) -> str:
    """What is assumed, and no option of Victor alone plays."""
    others = [each for each in ASSUMPTIONS.values() if not each.option or each.option in shared]
    head = ["| finding | assumed | measured by |", "|---|---|---|"]
    rows = (f"| `{each.name}` | {each.sentence} | {_how(each)} |" for each in others)
    return _table(head, rows)


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
    names = [
        "..." if each.kind is inspect.Parameter.VAR_KEYWORD else each.name
        for each in command.parameters
    ]
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


def written_options() -> str:
    """What the measurable options of Victor's sandbox say of themselves, as TOML."""
    head = "# The options of the sandbox that play a measurement, as they are declared there."
    lines = [head, "# `python -m tests.sandbox.sandbox_page` writes them."]
    for name, option in options_of(SandboxSettings).items():
        if option.measurable:
            said = {
                "assumed": _word(option.command_line),
                "plays": [*option.choices],
                "plays_from": option.at_least,
            }
            members = [
                f"{member} = {json.dumps(value)}"
                for member, value in said.items()
                if value not in (None, [])
            ]
            lines.append(f"{name.replace('_', '-')} = {{ {', '.join(members)} }}")
    return "\n".join(lines) + "\n"


def _word(default: object) -> str | None:
    """A default as a measurement has it; None: there is none."""
    if default is None:
        return None
    return f"{default:g}" if isinstance(default, float) else str(default).lower()


if __name__ == "__main__":
    OPTIONS.write_text(written_options(), encoding="utf-8")
    PAGE.write_text(written(), encoding="utf-8")
