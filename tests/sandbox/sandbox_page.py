"""The tables of the pages of the sandboxes, made from the declared options and commands.

`python -m tests.sandbox.sandbox_page` writes them into docs/sandbox-NAME.md, and what
`victor conform` reads of Victor's options into victor_ext/conform/options.toml.
"""

import inspect
import json
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
from victor_ext.sandbox.server.commands import Command, ServerCommands
from victor_ext.sandbox.server.settings import Option, ServerSettings, options_of

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "sandbox.md"
OPTIONS = DOCS.parent / "victor_ext" / "conform" / "options.toml"
_BAR = r"\|"
"""How a bar is written within a table."""
RUNNING = {"provider", "like", "env_file", "json", "quiet"}


def tables() -> dict[str, str]:
    """Every table by its name in the page."""
    found: dict[str, str] = {}
    for name in providers():
        provider = provider_named(name)
        # The page has what all sandboxes share once, in the tables of Victor.
        shared = set() if name == "victor" else set(options_of(ServerSettings)) | RUNNING
        commands = () if name == "victor" else ServerCommands.commands()
        head = ["| option | default | meaning |", "|---|---|---|"]
        rows = [
            _option(option, declared)
            for option, declared in command_options(provider).items()
            if option not in shared
        ]
        found[f"options {name}"] = "\n".join([*head, *rows])
        head = ["| call | in Python | what it does |", "|---|---|---|"]
        rows = [
            _command(each) for each in provider.commands_type.commands() if each not in commands
        ]
        found[f"commands {name}"] = "\n".join([*head, *rows])
    found["assumptions victor"] = "\n".join(
        [
            "| assumed | value | `victor conform` measures it | option |",
            "|---|---|---|---|",
            *map(_assumption, ASSUMPTIONS.values()),
        ]
    )
    return found


def _assumption(each: Assumption) -> str:
    how = {Phase.READ: "by reads", Phase.CREATE: "by creates", Phase.ANSWER: "by two responses"}
    measured = (
        each.why_not or how.get(each.phase) or f"by choice: `--{each.phase.replace(' ', '-')}`"
    )
    option = f"`--{each.name}`" if each.has_option else ""
    words = f' The document: "{each.words}"' if each.words else ""
    return f"| {each.sentence}{words} | {each.assumed} | {measured} | {option} |"


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


def page_of(provider: str) -> Path:
    """The page that has the tables of a provider's sandbox."""
    return DOCS / f"sandbox-{provider}.md"


def written(provider: str) -> str:
    """Its page with the tables of today."""
    page = page_of(provider).read_text(encoding="utf-8")
    for name, table in tables().items():
        if name.endswith(f" {provider}"):
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
    for each in providers():
        page_of(each).write_text(written(each), encoding="utf-8")
