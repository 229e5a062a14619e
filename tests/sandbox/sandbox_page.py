"""The tables of the pages of the sandboxes, made from the declared options and commands.

`python -m tests.sandbox.sandbox_page` writes them into docs/sandbox-NAME.md.
"""

import argparse
import inspect
import re
from pathlib import Path

from victor_ext.conform import ASSUMPTIONS, Assumption, Phase
from victor_ext.sandbox.__main__ import parser_of, provider_named, providers
from victor_ext.sandbox.server.commands import Command, ServerCommands
from victor_ext.sandbox.server.settings import ServerSettings, options_of

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "sandbox.md"
RUNNING = {"provider", "like", "env_file", "json_line", "quiet"}


def tables() -> dict[str, str]:
    """Every table by its name in the page."""
    found: dict[str, str] = {}
    for name in providers():
        provider = provider_named(name)
        # The page has what all sandboxes share once, in the tables of Victor.
        options = set() if name == "victor" else set(options_of(ServerSettings)) | RUNNING
        commands = () if name == "victor" else ServerCommands.commands()
        actions = parser_of(provider, "sandbox")._actions[1:]
        head = ["| option | default | meaning |", "|---|---|---|"]
        rows = [_option(each) for each in actions if each.dest not in options]
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


def _option(action: argparse.Action) -> str:
    value = action.metavar or ("|".join(action.choices) if action.choices else "")
    if action.nargs != 0 and not value:
        value = "TEXT"
    if isinstance(action.default, float):
        default = f"`{action.default:g}`"
    elif isinstance(action.default, bool):
        default = "on" if action.default else "off"
    else:
        default = "" if action.default in (None, []) else f"`{action.default}`"
    meaning = re.sub(r" \(default: [^)]*\)$", "", action.help or "")
    flags = ", ".join(
        f"`{flag} {value}".rstrip().replace("|", r"\|") + "`" for flag in action.option_strings
    )
    return f"| {flags} | {default} | {meaning} |"


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
            begin, end = f"<!-- {name} -->\n", "<!-- end -->"
            head, _, rest = page.partition(begin)
            if not rest:
                raise ValueError(f"the page has no place for the table {name!r}: {begin.strip()}")
            page = head + begin + "\n" + table + "\n\n" + end + rest.partition(end)[2]
    return page


if __name__ == "__main__":
    for each in providers():
        page_of(each).write_text(written(each), encoding="utf-8")
