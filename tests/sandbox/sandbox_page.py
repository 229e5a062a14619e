"""The tables of the reference of the sandboxes, made from the declared options and commands.

`python -m tests.sandbox.sandbox_page` writes them into docs/sandbox-reference.md.
"""

from pathlib import Path

from victor_ext.sandbox._command_line import (
    command_options,
    flags_of,
    metavar_of,
    provider_named,
    providers,
)
from victor_ext.sandbox.server._commands import ServerCommands, TokenCommands
from victor_ext.sandbox.server._notifying import NotificationCommands, NotifyingSettings
from victor_ext.sandbox.server._settings import ServerSettings, options_of

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "sandbox-reference.md"
_BAR = r"\|"
"""How a bar is written within a table."""
RUNNING = {"provider", "env_file", "json", "quiet"}
_OPTIONS = ["| option | default | meaning |", "|---|---|---|"]
_COMMANDS = ["| call | in Python | what it does |", "|---|---|---|"]


def tables():
    """Every table by its name in the page. What sandboxes share is in tables of their own."""
    shared = set(options_of(ServerSettings)) | RUNNING
    posting = options_of(NotifyingSettings)
    of_all = command_options(provider_named("victor"))
    found = {
        "options all": _options(of_all, of_all.keys() - shared),
        "options notifications": _options(posting, shared),
        "commands all": _commands(ServerCommands, []),
        "commands tokens": _commands(TokenCommands, ServerCommands.commands()),
        "commands notifications": _commands(NotificationCommands, ServerCommands.commands()),
    }
    known = {*TokenCommands.commands(), *NotificationCommands.commands()}
    for name in providers():
        provider = provider_named(name)
        options = command_options(provider)
        if options.keys() - shared - posting.keys():
            found[f"options {name}"] = _options(options, {*shared, *posting})
        found[f"commands {name}"] = _commands(provider.commands_type, known)
        operations = ", ".join(f"`{each}`" for each in sorted(row.name for row in provider.rows))
        found[f"operations {name}"] = f"A fault's `operation`: {operations}, `other`."
    return found


def _commands(of, known):
    """The commands of a class, without those that are known."""
    rows = (_command(each) for each in of.commands() if each not in known)
    return "\n".join([*_COMMANDS, *rows])


def _options(options, known):
    """Options, without those that are known."""
    rows = (_option(name, option) for name, option in options.items() if name not in known)
    return "\n".join([*_OPTIONS, *rows])


def _option(name, option):
    value = metavar_of(option) or ""
    forms = [f"`{flag} {value}".rstrip() + "`" for flag in flags_of(name, option)]
    meaning = option.help.removesuffix(" (default: victor)")
    return f"| {', '.join(forms).replace('|', _BAR)} | {_default(option)} | {meaning} |"


def _default(option):
    default = option.command_line
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, float):
        return f"`{default:g}`"
    return "" if default in (None, ()) else f"`{default}`"


def _command(command):
    names = [each.name for each in command.parameters if not each.is_option]
    names += ["..."] * (len(names) < len(command.parameters))
    text = " ".join(command.documentation.split("\n\n")[0].split())
    return f"| `{command.method} {command.path}` | `{command.name}({', '.join(names)})` | {text} |"


def written():
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
