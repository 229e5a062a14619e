"""docs/reference.md, the reference of the command, its exit codes and the environment variables.

`python -m tests.pages.reference_page` writes it, and so does `make docs`. The commands come from
typer, the exit codes from `victor_ext/_exit_status.py` and the help of the commands, and the
variables from the settings of the systems and from the tables below. A module that reads the
environment, or a variable that it names, and is in no table is an error.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from typer.main import get_command

from tests.cases import cases_beside
from tests.pages.page import ROOT
from victor_ext import _exit_status
from victor_ext.cli.app import app
from victor_ext.systems import System, entry_points_of
from victor_spec.command_line import app as spec_app

PAGE = ROOT / "docs" / "reference.md"
CONNECTION = ("environment", "base_url", "deadline", "profile")
"""The options, by parameter, that each command has that calls a provider."""
SHARED = (*CONNECTION, "as_json")
ELSEWHERE = {"victor sandbox": "[Its options](sandbox-reference.md#options)."}
"""The commands whose options another page has."""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The page as it should be now."""
    return (
        "\n\n".join(
            [
                "# Commands, exit codes, variables",
                (
                    "Every command with its options, every exit code, and every environment "
                    "variable. This page is made from the code. The guide is "
                    "[The command](cli.md)."
                ),
                "## Commands",
                (
                    "`victor COMMAND --help` shows the same. `victor --version` prints the "
                    "version, and `victor --install-completion` installs the completion of the "
                    "shell. `victor spec` is there if `victor-spec` is installed, which is the "
                    "same command."
                ),
                commands_section(),
                "## Exit codes",
                exit_codes_section(),
                "## Environment variables",
                variables_section(),
            ]
        )
        + "\n"
    )


# Commands


@dataclass(frozen=True)
class CommandEntry:
    """A command as its help shows it."""

    path: str
    command: Any

    @property
    def paragraphs(self) -> list[str]:
        """The paragraphs of its help, each on one line, and of the text below its options."""
        texts = f"{self.command.help or ''}\n\n{self.command.epilog or ''}"
        paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(texts))
        return [" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip()]

    @property
    def arguments(self) -> list[Any]:
        """Its arguments, which have no name in a command line."""
        return [each for each in self.command.params if not _is_option(each)]

    @property
    def options(self) -> list[Any]:
        """Its options."""
        return [each for each in self.command.params if _is_option(each)]

    @property
    def anchor(self) -> str:
        """What a link to it ends with."""
        return self.path.replace(" ", "-")

    @property
    def usage(self) -> str:
        """The command with its arguments: `victor rfp get ID`."""
        words = [each.metavar if each.required else f"[{each.metavar}]" for each in self.arguments]
        return " ".join([self.path, *words])


def commands() -> list[CommandEntry]:
    """Every command that has no commands of its own, in the order of the help."""
    own = _commands_in(get_command(app), "victor")
    return [*own, *_commands_in(get_command(spec_app), "victor spec")]


def _commands_in(command: Any, path: str) -> Iterator[CommandEntry]:
    subcommands = getattr(command, "commands", None)
    if subcommands is None:
        yield CommandEntry(path, command)
        return
    for name, subcommand in subcommands.items():
        if not subcommand.hidden:
            yield from _commands_in(subcommand, f"{path} {name}")


def _is_option(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "option")


def commands_section() -> str:
    """The list of commands, the options that many have, and each command."""
    entries = commands()
    listed = [
        [f"[`{entry.usage}`](#{entry.anchor})", _cell(entry.paragraphs[0])] for entry in entries
    ]
    token = next(entry for entry in entries if entry.path == "victor token")
    shared = [each for each in token.options if each.name in SHARED]
    parts = [
        _table(["command", "what it does"], listed),
        "### Options of every command that calls a provider",
        "The variables are those of Victor. With `--provider velo`, they begin with VELO_.",
        _options_table(shared),
    ]
    # No heading for each: the search would show this page for each word that commands share.
    parts.append("### Each command")
    for entry in entries:
        parts += _command_parts(entry)
    return "\n\n".join(parts)


def _command_parts(entry: CommandEntry) -> Iterator[str]:
    yield f'<a id="{entry.anchor}"></a>**`{entry.usage}`**'
    yield from map(_text, entry.paragraphs)
    if entry.path in ELSEWHERE:
        yield ELSEWHERE[entry.path]
        return
    explained = [each for each in entry.arguments if each.help]
    own = [each for each in entry.options if each.name not in SHARED]
    if explained or own:
        yield _options_table([*explained, *own])
    names = {each.name for each in entry.options}
    also = ["`--json`"] if "as_json" in names else []
    if names.issuperset(CONNECTION):
        also.append(
            "[the options of every command that calls a provider]"
            "(#options-of-every-command-that-calls-a-provider)"
        )
    if also:
        yield f"Also {' and '.join(also)}."


def _options_table(parameters: Iterable[Any]) -> str:
    rows = [_option_row(each) for each in parameters]
    return _table(["option", "value", "default", "meaning"], rows)


def _option_row(parameter: Any) -> list[str]:
    """The cells of an option, or of an argument with a help text."""
    meaning = parameter.help or ""
    default = ""
    if said := re.search(r" ?\(default: ([^()]*)\)", meaning):
        meaning = meaning.replace(said[0], "").strip()
        default = said[1]
    is_needed = parameter.required or "[needed]" in meaning
    meaning = meaning.replace("[needed]", "").strip()
    is_flag = getattr(parameter, "is_flag", False)
    value = parameter.default
    if is_needed:
        default = "required"
    elif not default and value not in (None, False, ()):
        default = f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
    if not _is_option(parameter):
        return [f"`{parameter.metavar}`", "", default, _cell(meaning)]
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    value_name = "" if is_flag or not parameter.metavar else f"`{parameter.metavar}`"
    return [names, value_name, _cell(default), _cell(meaning)]


# Exit codes

SIGNALS = {"SIGHUP": 1, "SIGINT": 2, "SIGPIPE": 13, "SIGTERM": 15}
STATUS_SENTENCE = re.compile(
    r"[^.]*(?:\bexit status\b|\bExit status:|\bStatus 0 means\b|\b[Ee]nds? with 1\b)"
    r"(?:[^.]|\.\w)*\.?"
)
"""A sentence of a help text about the exit status; a dot within a word ends no sentence."""


def exit_codes_section() -> str:
    """What each exit code means for any command, and what the commands say of their own."""
    rows = [["0", "Done. After a create, the provider has the request: it is not paid yet.", ""]]
    docstrings = attribute_docstrings(Path(str(_exit_status.__file__)))
    for name, docstring in docstrings.items():
        number = getattr(_exit_status, name)
        when, _, then = docstring.partition("\n\n")
        if name == "SIGNALLED":
            rows += [
                [str(number + SIGNALS[signal]), f"{signal}: {why}", "As for 130."]
                for signal, why in (
                    ("SIGHUP", "the terminal is gone."),
                    ("SIGTERM", "somebody else ended it."),
                )
            ]
        else:
            rows.append([str(number), _cell(when), _cell(then)])
    rows.sort(key=lambda row: int(row[0]))
    own = [
        [f"`{entry.path}`", _cell(" ".join(sentences))]
        for entry in commands()
        if (sentences := _status_sentences(entry))
    ]
    return "\n\n".join(
        [
            "A script can decide by the exit code. It means the same for every command.",
            _table(["exit code", "when", "what to do"], rows),
            (
                "Some commands say more. For rows of a file, see [Send many](bulk.md#exit-code-3). "
                "[The sandbox](sandbox-reference.md#options) has its own codes."
            ),
            _table(["command", "in its words"], own),
        ]
    )


def _status_sentences(entry: CommandEntry) -> list[str]:
    """The sentences of the help about the exit status; those of an option begin with its name."""
    texts = [("", paragraph) for paragraph in entry.paragraphs]
    texts += [(f"`{option.opts[0]}`: ", option.help or "") for option in entry.options]
    return [
        f"{prefix}{sentence.strip()}"
        for prefix, text in texts
        for sentence in STATUS_SENTENCE.findall(text)
    ]


def attribute_docstrings(file: Path) -> dict[str, str]:
    """The texts below the assignments of a module, by the assigned name; lines are joined."""
    body = ast.parse(file.read_bytes()).body
    texts: dict[str, str] = {}
    for before, node in pairwise(body):
        match before, node:
            case (
                ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(text))
                texts[name] = "\n\n".join(" ".join(each.split()) for each in paragraphs)
    return texts


# Environment variables

SYSTEM_VARIABLES: dict[str, str]
OTHER_VARIABLES: dict[str, str]
SYSTEM_VARIABLES, OTHER_VARIABLES = cases_beside(__file__, "variables").values()
PROXIES = "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY"
READERS = {
    "victor_ext": ("`import victor_ext`", "VICTOR_LOG"),
    "victor_ext.cli.options": (
        "`victor bulk rekey`, `victor outbox rekey`",
        "VICTOR_BULK_NEW_KEY VICTOR_OUTBOX_NEW_KEY",
    ),
    "victor_ext.cli.outbox": ("`victor outbox`", "VICTOR_OUTBOX_KEY"),
    "victor_ext.cli.screen": ("the command", "COLUMNS NO_COLOR FORCE_COLOR TERM"),
    "victor_ext.profiles": ("profiles", "HOME XDG_CONFIG_HOME"),
    "victor_ext.runtime.http.options": (
        "every client",
        f"{PROXIES} SSL_CERT_FILE SSL_CERT_DIR SSLKEYLOGFILE",
    ),
    "victor_ext.runtime.loop.events": ("every client", "VICTOR_LISTENER_ERRORS"),
    "victor_ext.testing.plugin": ("the pytest plugin", "VICTOR_LISTENER_ERRORS"),
    "victor_spec.commands.diff": ("`victor spec diff`", "COLUMNS NO_COLOR"),
}
"""What a reader of the page calls each module that reads a variable, and the variables."""
SETTINGS_ONLY = {
    "victor_ext.bulk.vault",
    "victor_ext.cli.doctor",
    "victor_ext.cli.session",
    "victor_ext.outbox.django",
    "victor_ext.runtime.client.settings",
    "victor_spec.generate",
}
"""The modules that read settings of the systems, and the variables above by their names in a
message; or hand on the whole environment.
"""
READING = re.compile(
    r"\b(?:os\.environ|getenv|getproxies|get_terminal_size|expanduser|Path\.home|Console\()"
)
"""What reads the environment, or hands it on."""
NAMED = re.compile(r"""(?:\benviron(?:\.\w+)?[\[(]|^\w+ = )"([A-Z]+(?:_[A-Z]+)*)\"""", re.MULTILINE)
"""A variable that is named where it is read, or is a constant."""


def systems() -> list[System]:
    """The systems of this distribution."""
    points = entry_points_of().values()
    return [point.load() for point in points if point.value.startswith("victor_ext.")]


def variables_of(system: System) -> list[str]:
    """The variables of a system's settings."""
    return [f"{system.prefix}{setting.upper()}" for setting in system.settings]


def reading_modules() -> dict[str, str]:
    """The source of each module of the packages that reads the environment."""
    found: dict[str, str] = {}
    for root in (ROOT, ROOT / "recipe"):
        for path in (*root.glob("victor_ext/**/*.py"), *root.glob("victor_spec/**/*.py")):
            source = path.read_text(encoding="utf-8")
            if READING.search(source):
                names = path.relative_to(root).with_suffix("").parts
                found[".".join(name for name in names if name != "__init__")] = source
    return found


def undescribed() -> set[str]:
    """The modules and variables about which the code and the tables differ."""
    modules = reading_modules()
    settings = {name for system in systems() for name in variables_of(system)}
    read = {name for _, names in READERS.values() for name in names.split()}
    named = {name for source in modules.values() for name in NAMED.findall(source)}
    options = {option.envvar for entry in commands() for option in entry.options if option.envvar}
    return (
        (modules.keys() ^ (READERS.keys() | SETTINGS_ONLY))
        | (read ^ OTHER_VARIABLES.keys())
        | (settings ^ SYSTEM_VARIABLES.keys())
        | ((named | options) - read - settings)
    )


def variables_section() -> str:
    """The settings of each system, then the variables that the packages read themselves."""
    parts = [
        (
            "Secrets come from variables or from [profiles](cli.md#profiles), never from options, "
            "because other users of a machine can read command lines."
        )
    ]
    for system in systems():
        client = system.client.partition(":")[2]
        parts += [
            f"### {system.title}",
            (
                f"`{client}.from_env()` and its async twin read these, and so does the command"
                f"{_provider_words(system)}. A [profile](cli.md#profiles) has the same names in "
                f"small letters, without `{system.prefix}`."
            ),
            _table(
                ["variable", "what it sets"],
                [[f"`{name}`", SYSTEM_VARIABLES[name]] for name in variables_of(system)]
                + [
                    [
                        f"`{system.prefix}PROFILE`",
                        "for the command: the name of a profile, instead of all of these",
                    ]
                ],
            ),
        ]
    rows = [
        [
            f"`{variable}`",
            text,
            ", ".join(sorted({who for who, read in READERS.values() if variable in read.split()})),
        ]
        for variable, text in OTHER_VARIABLES.items()
    ]
    parts += [
        "### Other variables",
        _table(["variable", "what it sets", "who reads it"], rows),
        (
            "The sandbox reads no variable: it has [options](sandbox-reference.md#options). In a "
            "Django project, `settings.VICTOR_OUTBOX` has the arguments of "
            "[the outbox](django.md)."
        ),
    ]
    return "\n\n".join(parts)


def _provider_words(system: System) -> str:
    return "" if system.name == "victor" else f" with `--provider {system.name}`"


# Markdown


def _table(heading: list[str], rows: Iterable[list[str]]) -> str:
    lines = [_row(heading), "|" + "---|" * len(heading), *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def _cell(text: str) -> str:
    return _text(text).replace("|", r"\|")


def _text(text: str) -> str:
    """A help text as Markdown: what looks like a tag, or like emphasis, stands as it is."""
    return re.sub(r"(?<!`)\*", r"\*", text.replace("<", "&lt;"))


if __name__ == "__main__":
    main()
