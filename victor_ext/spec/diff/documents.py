"""The report on two files: both loaded, compared, and held against approvals."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path

from victor_ext.spec.document import load

from .approvals import Approval, Approvals
from .compare import compare
from .entry import PythonChange
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

    Raises DocumentError, and the errors of `generate`.
    """
    before, after = load(old), load(new)
    python: Mapping[str, PythonChange] = python_changes(old, new, name=package) if with_python else {}
    result = compare(before, after, python)
    return Report(
        old=called[0],
        new=called[1],
        file=file.as_posix(),
        entries=result.entries,
        documentation=result.documentation,
        approvals=Approvals(list(approved), today()),
        version_problem=version_problem(before, after, result.entries) if check_version else None,
        python_compared=with_python,
    )


def today() -> datetime.date:
    """The day by which approvals expire, in UTC."""
    return datetime.datetime.now(datetime.UTC).date()
