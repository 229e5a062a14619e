"""The commands of a page: ours are run, others are looked up.

And the text of a recorded terminal.
"""

import doctest
import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

from sybil import Example

import victor_ext
import victor_spec
from tests.cli.victor_command import Command
from tests.pages.page import ROOT

PICTURES = ROOT / "docs" / "pictures"
RECORD = PICTURES / "record.py"
ANYWHERE = "py3-none-any.whl"
ENDLESS = (["victor", "sandbox"], ["victor", "bulk", "worker"])
"""Commands that run until somebody stops them: only their options are looked at."""
NEEDS_A_SHELL = re.compile(r"[|;&`]|\$\(|<<|^(for|while|if|case|set) ", re.MULTILINE)
OURS = re.compile(r"\b(victor|pip|make|python|pytest)\b")
OF_A_TERMINAL = {
    r"\x1b\[[0-9;]*m": "",
    r"─+": "─",
    r"━[━╸╺ ]*": "━ ",
    # The rest of a task, beside its bar.
    r"(━ .*?)(-:--:--|\b\d:\d\d:\d\d\b)": r"\1LEFT",
}
STEADY = {
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}": "KEY",
    r"\b[0-9a-f]{8}…": "KEY",
    # Letters only, too: one id in 25 has no digit. A word of ten capitals is the same on both
    # sides.
    r"\b[A-Z0-9]{10}\b": "ID",
    r"\b\d{4}-\d\d-\d\d(T[0-9:.]+Z?)?|\b\d\d:\d\d:\d\d\b": "TIME",
    r"\d+(\.\d+)? m?s\b": "SECONDS",
    r"127\.0\.0\.1:\d+": "HOST",
    r"[ \t]+": " ",
}


def recorded(path: Path):
    """What a picture shows: each of its lines of text is at a height of its own, below the
    title.
    """
    lines = {}
    for text in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text"):
        if "title" not in text.get("class", ""):
            lines.setdefault(float(text.get("y", "")), []).append(
                (float(text.get("x", "")), text.text or "")
            )
    return normalised("\n".join(_line(lines[y]) for y in sorted(lines)))


def _line(pieces):
    """The pieces of a line, each with the column at which it begins, of 12.2 units each."""
    line = ""
    for x, piece in sorted(pieces):
        line = line.ljust(round(x / 12.2)) + piece
    return line.replace("\xa0", " ")


def normalised(printed):
    """What is the same in each recording."""
    for pattern, name in OF_A_TERMINAL.items():
        printed = re.sub(pattern, name, printed)
    return steady(printed)


def steady(text):
    """A text without what differs from run to run."""
    for pattern, name in STEADY.items():
        text = re.sub(pattern, name, text)
    return "\n".join(line.strip() for line in text.strip().splitlines() if line.strip())


class Shell:
    """Runs the commands of one page. What they export is exported until the page ends."""

    def __init__(self, monkeypatch):
        self._monkeypatch = monkeypatch

    def script(self, example: Example):
        """A block of commands without output."""
        text = str(example.parsed).replace("\\\n", " ")
        if NEEDS_A_SHELL.search(text):
            status, out = self._run_shell(text)
            assert status == 0, out
            return
        for line in text.splitlines():
            status, out = self._run(line)
            assert status == 0, f"{line}\n{out}"

    def session(self, example: Example):
        """A block of commands, each after `$ `, with what they print."""
        text = re.sub(r"\\\n(> )?", " ", str(example.parsed))
        before, *parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
        assert not before.strip(), f"no command is before this output: {before}"
        for part in parts:
            line, _, shown = part.partition("\n")
            status, out = self._run_shell(line) if NEEDS_A_SHELL.search(line) else self._run(line)
            if not shown.strip():
                assert status == 0, f"{line}\n{out}"
            else:
                same = doctest.OutputChecker().check_output(
                    steady(shown), steady(out), doctest.ELLIPSIS
                )
                assert same, f"{line}\n--- shown:\n{steady(shown)}\n--- printed:\n{steady(out)}"

    def _run(self, line):
        """Run one command, or look it up; its status and output."""
        words = shlex.split(line)
        target = words.pop() if len(words) > 1 and words[-2] == ">" else None
        if target:
            words.pop()
        while words and re.match(r"\w+=", words[0]):
            words.pop(0)
        match words:
            case []:
                return 0, ""
            case ["victor", *arguments]:
                if words[:2] == ENDLESS[0] or words[:3] == ENDLESS[1]:
                    return self._known_options(arguments)
                ran = Command(os.environ)(*arguments)
                if target:
                    Path(target).write_text(ran.out, encoding="utf-8")
                return ran.status, ran.err if target else ran.out + ran.err
            case ["victor-spec", *arguments]:
                spec = Command(os.environ, program=(sys.executable, "-m", "victor_spec"))
                ran = spec.in_a_process(*arguments)
                return ran.status, ran.out + ran.err
            case ["pip", "install", *packages]:
                check_packages(packages)
            case ["python" | ".venv/bin/python", "-m", module, *_]:
                assert importlib.util.find_spec(module), f"there is no module {module}"
            case ["python" | ".venv/bin/python", "-c", code]:
                compile(code, "page", "exec")
            case ["python" | ".venv/bin/python", script, *_]:
                assert (ROOT / script).is_file(), f"there is no {script}"
            case ["make" | "pytest", *_] | ["git", "diff"]:  # tests/test_workflows.py knows targets
                pass
            case ["export", *settings]:
                for setting in settings:
                    self._monkeypatch.setenv(*setting.split("=", 1))
            case [command, *_]:
                raise AssertionError(
                    f'nothing runs {command!r} here: say why, `<!-- skip: next "reason" -->`'
                )
        return 0, ""

    def _known_options(self, arguments):
        depth = 2 if arguments[0] == "bulk" else 1
        ran = Command({**os.environ, "COLUMNS": "200"})(*arguments[:depth], "--help")
        unknown = [
            word
            for word in arguments
            if word.startswith("--") and word.split("=")[0] not in ran.out
        ]
        return len(unknown), f"unknown: {unknown}" if unknown else ""

    def _run_shell(self, text):
        assert OURS.search(text), "no command of this project is in it"
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        ran = subprocess.run(
            ["sh", "-c", text], env={**os.environ, "PATH": path},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            text=True, check=False, timeout=60,
        )  # fmt: skip
        return ran.returncode, ran.stdout


def check_packages(packages):
    """What `pip install` names: this project, or one that it depends on, and extras that there
    are.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for package in (word for word in packages if not word.startswith("-")):
        name, _, rest = package.partition("[")
        extras = re.findall(r"[\w-]+", rest.partition("]")[0])
        if name in ("./recipe", f"dist/victor_spec-{victor_spec.__version__}-{ANYWHERE}"):
            assert not extras, f"{package}: it has no extras"
        elif name in (".", f"dist/victor_ext-{victor_ext.__version__}-{ANYWHERE}"):
            assert set(extras) <= set(project["project"]["optional-dependencies"]), (
                f"{package}: no such extra"
            )
        else:
            plain = re.split(r"[<>=!~]", name)[0]
            lock = (ROOT / "requirements.lock").read_text("utf-8")
            assert re.search(rf"^{plain}\b", lock, re.MULTILINE), f"{plain} is not locked"
