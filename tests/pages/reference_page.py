"""docs/reference.md, the reference of the command, its exit codes and the environment variables.

`python -m tests.pages.reference_page` writes it, and so does `make docs`. The commands come from
typer, the exit codes from `victor_ext/_exit_status.py` and the help of the commands, and the
variables from the settings of the systems and from `variables.yaml`. A module that reads the
environment, or a variable that it names, and is in no table is an error. All other words of the
page stand in `reference.md.jinja`.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import jinja2
from typer.main import get_command

from tests.cases import cases_beside
from tests.pages.page import ROOT
from victor_ext import _exit_status
from victor_ext._systems import System, entry_points_of
from victor_ext.cli._app import app
from victor_spec.command_line import app as spec_app

PAGE = ROOT / "docs" / "reference.md"
TEMPLATE = Path(__file__).with_name("reference.md.jinja")
OPTIONS = ["option", "value", "default", "meaning"]
"""The heading of a table of options."""
CONNECTION = ("environment", "base_url", "deadline", "profile")
"""The options, by parameter, that each command has that calls a provider."""
SHARED = (*CONNECTION, "as_json")


def main():
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page():
    """The page as it should be now."""
    entries = commands()
    (token,) = (entry for entry in entries if entry.path == "victor token")
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    written = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        table=_table,
        text=_text,
        OPTIONS=OPTIONS,
        commands=entries,
        listed=[
            [f"[`{entry.usage}`](#{entry.anchor})", _cell(entry.paragraphs[0])] for entry in entries
        ],
        shared=[_option_row(each) for each in token.options if each.name in SHARED],
        exit_codes=exit_codes(),
        own_exit_codes=[
            [f"`{entry.path}`", _cell(" ".join(sentences))]
            for entry in entries
            if (sentences := _status_sentences(entry))
        ],
        systems=systems(),
        variables_of=_rows_of,
        other_variables=[
            [
                f"`{variable}`",
                text,
                ", ".join(sorted({who for who, read in READERS.values() if variable in read})),
            ]
            for variable, text in OTHER_VARIABLES.items()
        ],
    )
    return re.sub(r"\n{3,}", "\n\n", written) + "\n"


# Commands


@dataclass(frozen=True)
class CommandEntry:
    """A command as its help shows it."""

    path: str
    command: Any

    @property
    def paragraphs(self):
        """The paragraphs of its help, each on one line, and of the text below its options."""
        texts = f"{self.command.help or ''}\n\n{self.command.epilog or ''}"
        paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(texts))
        return [" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip()]

    @property
    def arguments(self):
        """Its arguments, which have no name in a command line."""
        return [each for each in self.command.params if not _is_option(each)]

    @property
    def options(self):
        """Its options."""
        return [each for each in self.command.params if _is_option(each)]

    @property
    def anchor(self):
        """What a link to it ends with."""
        return self.path.replace(" ", "-")

    @property
    def usage(self):
        """The command with its arguments: `victor rfp get ID`."""
        words = [each.metavar if each.required else f"[{each.metavar}]" for each in self.arguments]
        return " ".join([self.path, *words])

    @property
    def own(self):
        """The rows of its arguments with a help text, and of the options that others have not."""
        parameters = [each for each in self.arguments if each.help]
        parameters += [each for each in self.options if each.name not in SHARED]
        return [_option_row(each) for each in parameters]

    @property
    def is_json(self):
        """Whether it has the option `--json`."""
        return "as_json" in {each.name for each in self.options}

    @property
    def calls_a_provider(self):
        """Whether it has all options of a connection."""
        return {each.name for each in self.options}.issuperset(CONNECTION)


def commands() -> list[CommandEntry]:
    """Every command, in the order of the help. A group is one if it has options of its own."""
    own = _commands_in(get_command(app), "victor")
    return [*own, *_commands_in(get_command(spec_app), "victor spec")]


def _commands_in(command, path) -> Iterator[CommandEntry]:
    subcommands = getattr(command, "commands", None)
    if subcommands is None or "as_json" in [each.name for each in command.params]:
        yield CommandEntry(path, command)
    if subcommands is None:
        return
    for name, subcommand in subcommands.items():
        if not subcommand.hidden:
            yield from _commands_in(subcommand, f"{path} {name}")


def _is_option(parameter):
    return bool(parameter.param_type_name == "option")


def _option_row(parameter):
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

SIGHUP, SIGTERM = 1, 15
STATUS_SENTENCE = re.compile(
    r"[^.]*(?:\bexit status\b|\bExit status:|\bStatus 0 means\b|\b[Ee]nds? with 1\b)"
    r"(?:[^.]|\.\w)*\.?"
)
"""A sentence of a help text about the exit status; a dot within a word ends no sentence."""


def exit_codes():
    """What each exit code means for any command."""
    rows = [["0", "Done. After a create, the provider has the request: it is not paid yet.", ""]]
    docstrings = attribute_docstrings(Path(_exit_status.__file__))
    for name, docstring in docstrings.items():
        number = getattr(_exit_status, name)
        when, _, then = docstring.partition("\n\n")
        if name == "SIGNALLED":
            rows.append([str(number + SIGHUP), "SIGHUP: the terminal is gone.", "As for 130."])
            rows.append([str(number + SIGTERM), "SIGTERM: somebody else ended it.", "As for 130."])
        else:
            rows.append([str(number), _cell(when), _cell(then)])
    return sorted(rows, key=lambda row: int(row[0]))


def _status_sentences(entry: CommandEntry):
    """The sentences of the help about the exit status; those of an option begin with its name."""
    texts = [("", paragraph) for paragraph in entry.paragraphs]
    texts += [(f"`{option.opts[0]}`: ", option.help or "") for option in entry.options]
    return [
        f"{prefix}{sentence.strip()}"
        for prefix, text in texts
        for sentence in STATUS_SENTENCE.findall(text)
    ]


def attribute_docstrings(file: Path):
    """The texts below the assignments of a module, by the assigned name; lines are joined."""
    body = ast.parse(file.read_bytes()).body
    texts = {}
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

SYSTEM_VARIABLES, OTHER_VARIABLES, READERS, SETTINGS_ONLY = cases_beside(
    __file__, "variables"
).values()
READING = re.compile(
    r"\b(?:os\.environ|getenv|getproxies|get_terminal_size|expanduser|Path\.home|Console\()"
)
"""What reads the environment, or hands it on."""
NAMED = re.compile(
    r"""(?:\bos\.environ(?:\.\w+)?[\[(]|^\w+ = )"([A-Z]+(?:_[A-Z]+)*)\"""", re.MULTILINE
)
"""A variable that is named where it is read, or is a constant."""


def systems() -> list[System]:
    """The systems of this distribution."""
    points = entry_points_of().values()
    return [point.load() for point in points if point.value.startswith("victor_ext.")]


def variables_of(system: System):
    """The variables of a system's settings."""
    return [f"{system.prefix}{setting.upper()}" for setting in system.settings]


def reading_modules():
    """The source of each module of the packages that reads the environment."""
    found = {}
    for root in (ROOT, ROOT / "recipe"):
        for path in (*root.glob("victor_ext/**/*.py"), *root.glob("victor_spec/**/*.py")):
            source = path.read_text(encoding="utf-8")
            if READING.search(source):
                names = path.relative_to(root).with_suffix("").parts
                found[".".join(name for name in names if name != "__init__")] = source
    return found


def undescribed():
    """The modules and variables about which the code and the tables differ."""
    modules = reading_modules()
    settings = {name for system in systems() for name in variables_of(system)}
    read = {name for _, names in READERS.values() for name in names}
    named = {name for source in modules.values() for name in NAMED.findall(source)}
    options = {option.envvar for entry in commands() for option in entry.options if option.envvar}
    return (
        (modules.keys() ^ {*READERS, *SETTINGS_ONLY})
        | (read ^ OTHER_VARIABLES.keys())
        | (settings ^ SYSTEM_VARIABLES.keys())
        | ((named | options) - read - settings)
    )


def _rows_of(system: System):
    """The variables of a system, each with what it sets."""
    profile = "for the command: the name of a profile, instead of all of these"
    named = {name: SYSTEM_VARIABLES[name] for name in variables_of(system)}
    named[f"{system.prefix}PROFILE"] = profile
    return [[f"`{name}`", text] for name, text in named.items()]


# Markdown


def _table(heading, rows):
    lines = [_row(heading), "|" + "---|" * len(heading), *map(_row, rows)]
    return "\n".join(lines)


def _row(cells):
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def _cell(text):
    return _text(text).replace("|", r"\|")


def _text(text):
    """A help text as Markdown: what looks like a tag, or like emphasis, stands as it is."""
    return re.sub(r"(?<!`)\*", r"\*", text.replace("<", "&lt;"))


if __name__ == "__main__":
    main()
