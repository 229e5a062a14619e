"""Compare a package with its document, and with what the generator makes of that document now."""

from __future__ import annotations

import datetime
import difflib
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .checking import acceptance
from .checking.inspection import Progress, inspect, silent
from .checking.problems import Findings, Problem
from .document import load
from .generate import GenerationResult, generate
from .tree import Tree

MAX_DIFF_LINES = 400
"""Of one package: an edit is short, and a stale package is recognised by its first lines."""
KINDS = ("operations", "parameters", "answers", "schemas", "properties", "enum values", "webhooks")


@dataclass
class Report:
    """What a check found."""

    document: str
    findings: Findings
    problems: list[Problem]
    """What makes it red."""
    accepted: list[acceptance.Entry] = field(default_factory=list[acceptance.Entry])
    """The losses that the acceptance file accepts."""
    added: list[acceptance.Entry] = field(default_factory=list[acceptance.Entry])
    """The entries that this run wrote into the file."""

    def summary(self) -> str:
        """`victor.yaml: 4 operations, 19 parameters, ...: all there`, with `of` where some are missing."""
        found, declared = self.findings.found, self.findings.declared
        counts = [
            f"{declared[kind]} {kind}" if found[kind] == declared[kind] else f"{found[kind]} of {declared[kind]} {kind}"
            for kind in KINDS
            if kind != "webhooks" or declared[kind]
        ]
        counts += [f"{self.findings.calls} calls made", f"{self.findings.decoded} answers decoded"]
        whole = f"all there, {len(self.accepted)} accepted" if self.accepted else "all there"
        return f"{self.document}: {', '.join(counts)}: {'see above' if self.problems else whole}"

    def as_json(self) -> dict[str, Any]:
        """The report for machines."""
        findings = self.findings
        return {
            "document": self.document,
            "ok": not self.problems,
            "counts": {kind: {"declared": findings.declared[kind], "found": findings.found[kind]} for kind in KINDS},
            "calls": findings.calls,
            "decoded": findings.decoded,
            "problems": [{"kind": each.kind, "place": each.place, "what": each.what} for each in self.problems],
            "accepted": [{"place": each.place, "reason": each.reason, "since": each.since} for each in self.accepted],
            "notes": list(findings.notes),
        }


def check(
    document: Path,
    packages: Path | None,
    *,
    name: str | None = None,
    skip: Collection[str] = (),
    accepted: Path | None = None,
    accept: str | None = None,
    progress: Progress = silent,
    decimals: Collection[str] = (),
    copies: Mapping[str, Path] | None = None,
) -> Report:
    """Generate a package into a temporary folder, and look for what is wrong with it.

    Args:
        document: The OpenAPI document.
        packages: The folder with the package to compare; None compares with none.
        name: The name of the package; None takes it from the document.
        skip: Names of rewrites to leave out, for tests.
        accepted: The file of accepted losses; None is `<document>.accepted.yaml` beside the document.
        accept: The reason to accept everything that is left out now; None accepts nothing new.
        progress: Told how many operations are done.
        decimals: The places of numbers that are read as Decimal.
        copies: The local files for the URLs that the document refers to.

    Raises the errors of `generate`, and AcceptanceError.
    """
    path = acceptance.default_path(document) if accepted is None else accepted
    acceptance.load(path)  # a mistake in it is reported before the work begins
    tree = load(document, copies)
    with tempfile.TemporaryDirectory() as folder:
        result = generate(document, Path(folder), name=name, skip=skip, tree=tree, decimals=decimals)
        report = check_generated(tree, document.name, result, path, accept=accept, progress=progress)
        if packages is not None and result.written:
            report.problems[:0] = _stale(packages / result.package.name, result.package)
    return report


def check_generated(
    tree: Tree,
    called: str,
    result: GenerationResult,
    accepted: Path,
    *,
    accept: str | None = None,
    progress: Progress = silent,
) -> Report:
    """Look for what is wrong with a package that was generated just now.

    `tree` is its document, which the report calls `called`; the others are those of `check`. Raises AcceptanceError.
    """
    if not result.written:
        return Report(called, Findings(), [*Findings().beside(result.left_out), Problem("missing", "the package")])
    findings = inspect(tree, result.package, progress)
    problems = findings.beside(result.left_out)
    today = datetime.datetime.now().astimezone().date()
    added = [] if accept is None else acceptance.add(accepted, accept, problems, today)
    left, used = acceptance.judge(accepted, acceptance.load(accepted), problems, today)
    return Report(called, findings, left, used, added)


def _stale(committed: Path, fresh: Path) -> list[Problem]:
    """What is wrong with an earlier package."""
    if not committed.is_dir():
        return [Problem("missing", f"{committed}", "no package is there: generate it")]
    diff = list(differences(committed, fresh))
    stale = [Problem("differs", line) for line in diff[:MAX_DIFF_LINES]]
    if len(diff) > MAX_DIFF_LINES:
        stale.append(Problem("differs", f"... and {len(diff) - MAX_DIFF_LINES} more lines of difference"))
    return stale


def differences(committed: Path, fresh: Path) -> Iterator[str]:
    """The unified diff from one package to another, line by line; nothing when they are equal."""
    names = {path.relative_to(root) for root in (committed, fresh) for path in root.rglob("*") if path.is_file()}
    for name in sorted(names):
        if "__pycache__" in name.parts:
            continue
        old, new = _lines(committed / name), _lines(fresh / name)
        label = f"{committed.name}/{name}"
        yield from difflib.unified_diff(old, new, f"{label} (committed)", f"{label} (regenerated)", lineterm="")
        if not old and not new and (committed / name).exists() != (fresh / name).exists():
            yield f"{label}: an empty file that is only {'committed' if (committed / name).exists() else 'regenerated'}"


def _lines(path: Path) -> list[str]:
    text = path.read_bytes().decode("utf-8", "backslashreplace") if path.exists() else ""
    return text.split("\n") if text else []
