"""A table of a folder of OpenAPI documents: what the recipe makes of each, and what the check says.

    python -m benchmarks.documents FOLDER [--keep FOLDER] [NAME ...]

For each document: the exit status of `generate`, lines left out, the exit status of `check`,
whether every module can be imported when warnings are errors, errors of `mypy --strict`, operations
called, answers decoded, seconds of CPU, and peak memory of generating and of checking.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from victor_spec.generate import package_name

SUFFIXES = (".yaml", ".yml", ".json")
IMPORT = """
import importlib, pkgutil, sys
root = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(root.__path__, sys.argv[1] + "."):
    importlib.import_module(module.name)
"""
MYPY = ("-m", "mypy", "--strict", "--cache-dir", os.devnull, "--config-file", os.devnull)
COLUMNS = (
    "document",
    "exit",
    "left out",
    "check",
    "imports",
    "mypy",
    "operations",
    "calls",
    "answers",
    "seconds",
    "MB",
)


@dataclass
class Run:
    """A finished process."""

    status: int
    out: str
    err: str
    seconds: float
    megabytes: float


def run(*arguments: str, cwd: Path | None = None) -> Run:
    """Run Python with arguments; measure its CPU time and its peak memory."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    errors: list[str] = []
    reader = threading.Thread(
        target=lambda: errors.append(process.stderr.read() if process.stderr else "")
    )
    reader.start()
    out = process.stdout.read()
    reader.join()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(
        process.returncode,
        out,
        "".join(errors),
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 1024,
    )


def row(document: Path, folder: Path) -> dict[str, str]:
    """The line of one document; its package stays in the folder."""
    name = package_name(document)
    made = run("-m", "victor_ext.cli", "spec", "generate", str(document), "--out", str(folder))
    checked = run("-m", "victor_ext.cli", "spec", "check", "--json", str(document))
    report = json.loads(checked.out) if checked.out else None
    (folder / f"{document.name}.check.json").write_text(
        checked.out or checked.err, encoding="utf-8"
    )
    imported = run("-W", "error", "-c", IMPORT, name, cwd=folder)
    typed = run(*MYPY, "-p", name, cwd=folder)
    errors = re.search(r"Found (\d+) errors?", typed.out)
    counts = report["counts"]["operations"] if report else {"found": 0, "declared": 0}
    problems = report["problems"] if report else []
    left_out = sum(each["kind"] == "left out" for each in problems)
    return {
        "document": document.name,
        "exit": str(made.status),
        "left out": str(len(re.findall("LEFT OUT", made.err))),
        "check": f"{checked.status} ({len(problems) - left_out} besides)"
        if checked.status
        else "0",
        "imports": "yes" if imported.status == 0 else "no",
        "mypy": errors[1] if errors else ("0" if typed.status == 0 else "?"),
        "operations": f"{counts['found']} of {counts['declared']}",
        "calls": str(report["calls"]) if report else "-",
        "answers": str(report["decoded"]) if report else "-",
        "seconds": f"{made.seconds:.1f} + {max(checked.seconds - made.seconds, 0):.1f}",
        "MB": f"{made.megabytes:.0f}, {checked.megabytes:.0f}",
    }


def main() -> None:
    """Print the table, line by line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="the folder of the documents")
    parser.add_argument("names", nargs="*", help="only these files")
    parser.add_argument(
        "--keep", type=Path, help="a folder for the packages and the reports (default: none)"
    )
    options = parser.parse_args()
    documents = sorted(
        path for path in options.folder.iterdir() if path.suffix in SUFFIXES and path.is_file()
    )
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for document in documents:
            if not options.names or document.name in options.names:
                found = row(document, folder.resolve())
                print(f"| {' | '.join(found[column] for column in COLUMNS)} |", flush=True)


if __name__ == "__main__":
    main()
