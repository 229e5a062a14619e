"""Compare `victor spec diff` with `redocly diff` on the same small documents:
`python -m benchmarks.spec_diff`.

It needs npm, which installs `@redocly/cli` into a temporary folder. With two documents as arguments
it compares those with both, too, and prints seconds and memory.

A case that breaks on the wire is right when the tool says so, one that a person has to look at when
it says anything, and another one when it does not say that something breaks. A case that breaks in
Python is right when the tool says that it breaks. What is the same in another form is right when
nothing is said to break.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table
from tests.spec.diff.cases import CODE, MORE, SAME, WIRE, Case

from victor_spec.diff.compare import compare
from victor_spec.diff.python import python_changes

REDOCLY = "@redocly/cli@2.77.0"
Verdict = str
"""The worst that a tool says: "breaks", "less" or "nothing"."""


class Judge(Protocol):
    """What compares two documents; `code` asks about Python, not the wire."""

    def __call__(self, old: Path, new: Path, *, code: bool) -> Verdict: ...


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        install = [
            "npm",
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(folder),
            REDOCLY,
        ]
        subprocess.run(install, check=True, capture_output=True)
        tools: dict[str, Judge] = {
            "victor spec diff": _ours,
            "redocly diff": lambda old, new, *, code: _redocly(folder, old, new),  # noqa: ARG005 - it has one column
        }
        table = Table("cases", *tools, title="Right, of all", title_justify="left")
        wrong: list[str] = []
        for title, cases in _groups().items():
            row: list[str] = []
            for tool, judge in tools.items():
                code = cases is CODE
                verdicts = {each.name: _judged(judge, each, folder, code=code) for each in cases}
                failed = [
                    each.name
                    for each in cases
                    if not _is_right(each, verdicts[each.name], code=code)
                ]
                wrong += [f"{tool}: {failure} ({verdicts[failure]})" for failure in failed]
                row.append(f"{len(cases) - len(failed)} of {len(cases)}")
            table.add_row(title, *row)
        Console().print(table)
        print("Wrong:", *wrong, sep="\n  ")
        if len(sys.argv) == 3:
            _measure(folder, *sys.argv[1:])
    return 0


def _groups() -> dict[str, list[Case]]:
    same = [
        Case(f"{name}, {way}", *pair, "", "none", "")
        for name, (old, new) in SAME.items()
        for way, pair in (("there", (old, new)), ("back", (new, old)))
    ]
    return {
        "on the wire": WIRE,
        "in Python": CODE,
        "more, on the wire": MORE,
        "the same in another form": same,
    }


def _judged(judge: Judge, case: Case, folder: Path, *, code: bool) -> Verdict:
    files = folder / "old.json", folder / "new.json"
    for file, tree in zip(files, (case.old, case.new), strict=True):
        file.write_text(json.dumps(tree), encoding="utf-8")
    return judge(*files, code=code)


def _is_right(case: Case, verdict: Verdict, *, code: bool) -> bool:
    if code or case.wire == "breaks":
        return verdict == "breaks"
    return verdict != "nothing" if case.wire == "look" else verdict != "breaks"


def _ours(old: Path, new: Path, *, code: bool) -> Verdict:
    before, after = (json.loads(file.read_text(encoding="utf-8")) for file in (old, new))
    entries = compare(before, after, python_changes(old, new) if code else {}).entries
    if any((entry.python if code else entry.wire) == "breaks" for entry in entries):
        return "breaks"
    return "less" if entries else "nothing"


def _redocly(folder: Path, old: Path, new: Path) -> Verdict:
    found: dict[str, Any] = json.loads(_run_redocly(folder, str(old), str(new)))
    if found["summary"]["major"]:
        return "breaks"
    return "less" if found["changes"] else "nothing"


def _run_redocly(folder: Path, old: str, new: str) -> bytes:
    command = [
        str(folder / "node_modules/.bin/redocly"),
        "diff",
        old,
        new,
        "--format",
        "json",
        "--fail-on",
        "none",
    ]
    done = subprocess.run(command, capture_output=True, check=False)
    if not done.stdout:
        raise RuntimeError(done.stderr.decode())
    return done.stdout


def _measure(folder: Path, old: str, new: str) -> None:
    """Time both tools as processes; the memory is that of the largest child so far, so ours runs
    first.
    """
    ours = [
        sys.executable,
        "-m",
        "victor_ext.cli",
        "spec",
        "diff",
        "--no-python",
        "--json",
        old,
        new,
    ]
    runs: dict[str, Callable[[], bytes]] = {
        "victor spec diff --no-python": lambda: (
            subprocess.run(ours, capture_output=True, check=False).stdout
        ),
        "redocly diff": lambda: _run_redocly(folder, old, new),
    }
    for name, run in runs.items():
        began = time.perf_counter()
        found = json.loads(run())
        elapsed, peak = (
            time.perf_counter() - began,
            resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
        )
        count = len(found.get("entries", found.get("changes", [])))
        print(f"{name}: {count} entries, {elapsed:.1f} s, at most {peak // 1024} MB")


if __name__ == "__main__":
    sys.exit(main())
