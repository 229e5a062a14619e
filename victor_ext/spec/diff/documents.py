"""The report on two files: both loaded, compared, and held against approvals."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from victor_ext.spec.document import load
from victor_ext.spec.tree import Tree, copied

from .approvals import Approval, Approvals
from .compare import compare
from .entry import PythonChange
from .lines import Lines
from .python import python_changes
from .report import Report
from .version import version_problem


def compare_documents(
    old: Path,
    new: Path,
    *,
    called: tuple[str, str],
    file: Path,
    approved: Sequence[Approval],
    package: str | None = None,
    with_python: bool = True,
    check_version: bool = False,
    with_lines: bool = False,
) -> Report:
    """Compare two documents.

    Args:
        old: The file of the earlier document.
        new: The file of the newer one.
        called: What the report calls them.
        file: The path that annotations name.
        approved: The changes that were approved.
        package: The name of the generated package; None takes it from `old`.
        with_python: Whether both packages are generated and compared.
        check_version: Whether `info.version` must have moved as the changes ask for.
        with_lines: Whether the report knows the lines of the newer document.

    Raises DocumentError, and the errors of `generate`.
    """
    trees = load(old), load(new)
    python = python_changes(old, new, name=package, trees=trees) if with_python else None
    report = report_on(*trees, python, called=called, file=file, approved=approved, check_version=check_version)
    return replace(report, lines=Lines(new)) if with_lines else report


def report_on(
    before: Tree,
    after: Tree,
    python: Mapping[str, PythonChange] | None,
    *,
    called: tuple[str, str],
    file: Path,
    approved: Sequence[Approval],
    check_version: bool = False,
) -> Report:
    """Compare two loaded documents, which stay as they are.

    `python` has the changes of their packages; None when they were not compared. The others are those of
    `compare_documents`.
    """
    result = compare(copied(before), copied(after), python)
    return Report(
        old=called[0],
        new=called[1],
        file=file.as_posix(),
        entries=result.entries,
        documentation=result.documentation,
        approvals=Approvals(list(approved), today()),
        version_problem=version_problem(before, after, result.entries) if check_version else None,
        python_compared=python is not None,
    )


def today() -> datetime.date:
    """The day by which approvals expire, in UTC."""
    return datetime.datetime.now(datetime.UTC).date()
