"""The command `victor spec diff`."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath

from victor_ext.spec.decisions import DecisionError, default_path, read_approvals
from victor_ext.spec.diff.formats import FORMATS, as_text
from victor_ext.spec.diff.python import python_changes
from victor_ext.spec.diff.report import Report, lines_of, report_on
from victor_ext.spec.document import DocumentError, load

from . import Command, add_approved, add_reading, reading, show, show_as_is


def _add_diff(command: argparse.ArgumentParser) -> None:
    command.add_argument("old", metavar="OLD", help="a document, or git:REV:path")
    command.add_argument("new", metavar="NEW", help="a document, or git:REV:path")
    formats = command.add_mutually_exclusive_group()
    for form in FORMATS:
        text = f"write {form} instead of text"
        formats.add_argument(
            f"--{form}", dest="format", action="store_const", const=form, help=text
        )
    command.add_argument(
        "--out", metavar="FILE", type=Path, help="write to a file instead of the standard output"
    )
    command.add_argument(
        "--name", metavar="NAME", help="the name of the package (default: <document>_api, of OLD)"
    )
    add_reading(command)
    command.add_argument(
        "--no-python", action="store_true", help="leave out the column of Python (faster)"
    )
    add_approved(command, "NEW, else beside OLD")
    command.add_argument(
        "--approve", metavar="REASON", help="approve all that breaks, and write it to that file"
    )
    command.add_argument(
        "--expires", metavar="YYYY-MM-DD", help="the last day of what --approve writes"
    )


def _run_diff(options: argparse.Namespace) -> int:
    if (options.approve is None) != (options.expires is None):
        raise DecisionError("--approve REASON and --expires YYYY-MM-DD belong together: give both.")
    if options.out is not None and options.out.resolve() in (
        Path(options.old).resolve(),
        Path(options.new).resolve(),
    ):
        raise DecisionError(f"--out is {options.out}, one of the documents: name another file.")
    beside = [default_path(_path_of(source), "approved") for source in (options.new, options.old)]
    file = options.approved or next((path for path in beside if path.exists()), beside[0])
    if options.approved is not None and options.approve is None and not file.exists():
        raise DecisionError(f"{file} cannot be read: it does not exist.")
    with ExitStack() as stack:
        both = [stack.enter_context(_opened(source)) for source in (options.old, options.new)]
        before, after = (load(file, fetch=fetch, **reading(options)) for file, fetch in both)
        (old, _), (new, _) = both
        python = (
            None
            if options.no_python
            else python_changes(old, new, name=options.name, trees=(before, after))
        )
        report = report_on(
            before,
            after,
            python,
            called=(options.old, options.new),
            file=_path_of(options.new),
            approved=read_approvals(file),
        )
        report = (
            replace(report, lines=lines_of(new, options.max_mib))
            if options.format == "github"
            else report
        )
    if options.approve is not None:
        count = len(report.breaking())
        report = report.approve(
            file, options.approve, options.expires, "wire" if options.no_python else "both"
        )
        show(f"Approvals written to {file}: {count}", to=sys.stderr)
    write(report, options.format, options.out)
    return report.status


def write(report: Report, form: str | None = None, out: Path | None = None) -> None:
    """Print a report, or write it to a file. Text has the width and the colours of the terminal."""
    if form is not None:
        text = FORMATS[form](report)
    else:
        terminal = out is None and sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else 100
        text = as_text(report, width=width, colour=terminal and not os.environ.get("NO_COLOR"))
    if out is None:
        show_as_is(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")


GIT = "git:"


@contextmanager
def _opened(source: str) -> Generator[tuple[Path, Callable[[Path], object]]]:
    """The file of a source, and what fetches the files of its folder: a path, or `git:REV:path`.

    That path begins at the root of the repository (or with `./`). What comes from git is in a
    temporary folder. Raises DocumentError when git has no such file.
    """
    if not source.startswith(GIT):
        yield Path(source), lambda _: None
        return
    revision, _, path = source.removeprefix(GIT).partition(":")
    if not revision or not path:
        raise DocumentError(
            f"{source} names no file of a commit: write git:REV:path, such as "
            "git:HEAD~1:openapi/a.yaml."
        )
    with tempfile.TemporaryDirectory() as made:
        folder, place = Path(made).resolve(), f"{revision}:{PurePosixPath(path).parent}"

        def fetch(other: Path) -> None:
            with suppress(DocumentError):  # `load` names what is not in the commit
                data = _show(
                    source, f"{place}/{other.relative_to(folder).as_posix()}".replace(":./", ":", 1)
                )
                other.parent.mkdir(parents=True, exist_ok=True)
                other.write_bytes(data)

        file = folder / PurePosixPath(path).name
        file.write_bytes(_show(source, f"{revision}:{path}"))
        yield file, fetch


def _path_of(source: str) -> Path:
    """The path of a source in the working tree."""
    return Path(source.removeprefix(GIT).partition(":")[2] if source.startswith(GIT) else source)


def _show(source: str, name: str) -> bytes:
    if name.startswith("-"):
        raise DocumentError(
            f"{source} names no commit: {name.partition(':')[0]!r} begins with a dash."
        )
    command = ["git", "cat-file", "blob", name]
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - one argument, no dash before it
    except FileNotFoundError:
        raise DocumentError(f"{source} cannot be read: git is not installed.") from None
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ").rstrip(".")
        raise DocumentError(f"{source} cannot be read: {reason}.")
    return done.stdout


DIFF = Command(
    "diff",
    "compare two versions of a document: what breaks on the wire, and in your Python",
    "Exit status: 0 when nothing breaks, 1 when something does that is not approved, 2 for misuse "
    "or a document that cannot be read.",
    _add_diff,
    _run_diff,
)
