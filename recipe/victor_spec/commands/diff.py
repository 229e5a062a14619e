"""The command `victor-spec diff`."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from victor_spec.decisions import DecisionError, default_path, read_approvals
from victor_spec.diff.compare import compare
from victor_spec.diff.formats import FORMATS, as_text
from victor_spec.diff.python import python_changes
from victor_spec.diff.report import Report, lines_of, report_on
from victor_spec.document import MAX_MIB, Document, DocumentError, read_document

from . import Copies, MaxMib, approvals_beside, reading, say_recovered, show, show_as_is


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A document, or git:REV:path.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="A document, or git:REV:path.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Write Markdown instead of text.")
    ] = False,
    as_github: Annotated[
        bool, typer.Option("--github", help="Write annotations of GitHub instead of text.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write to a file instead of the standard output."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="The name of the package (default: <document>_api, of OLD).",
        ),
    ] = None,
    copies: Copies = None,
    max_mib: MaxMib = MAX_MIB,
    no_python: Annotated[
        bool, typer.Option("--no-python", help="Leave out the column of Python (faster).")
    ] = False,
    approved: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The approved changes (default: <document>.approved.yaml beside OLD, or the one "
            "beside NEW if it alone is there).",
        ),
    ] = None,
    approve: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Approve all that breaks, and write it to that file."),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="The last day of what --approve writes."),
    ] = None,
) -> int:
    """Compare two versions of a document: what breaks on the wire, and in your Python."""
    form = _format({"json": as_json, "markdown": as_markdown, "github": as_github})
    if (approve is None) != (expires is None):
        raise DecisionError("--approve REASON and --expires YYYY-MM-DD belong together: give both.")
    if out is not None and out.resolve() in (Path(old).resolve(), Path(new).resolve()):
        raise DecisionError(f"--out is {out}, one of the documents: name another file.")
    file = approved or approvals_beside(_path_of(old), _path_of(new))
    if approved is not None and approve is None and not file.exists():
        raise DecisionError(f"{file} cannot be read: it does not exist.")
    how = reading(copies, max_mib)
    with _opened(old) as (old_file, fetch_old), _opened(new) as (new_file, fetch_new):
        earlier = read_document(old_file, fetch=fetch_old, **how)
        is_same = _path_of(old).resolve() == _path_of(new).resolve()
        overlay = default_path(new_file, "overlay")
        if not overlay.exists():
            fetch_new(overlay)
        if not overlay.exists() and not is_same:
            overlay = earlier.corrections.file
        later = read_document(new_file, fetch=fetch_new, overlay=overlay, **how)
        later.corrections.require_same_items(earlier.corrections, _path_of(new))
        _say_corrections(earlier, later)
        before, after = earlier.tree, later.tree
        sides = compare(before, after)
        changes = None
        if not no_python:
            trees = before, after
            changes = python_changes(sides, old_file, new_file, name=name, trees=trees)
        report = report_on(
            sides,
            changes,
            called=(old, new),
            file=_path_of(new),
            approved=read_approvals(file),
        )
        if form == "github":
            report = replace(report, lines=lines_of(new_file, max_mib))
    if approve is not None and expires is not None:
        count = len(report.breaking())
        scope = "wire" if no_python else "both"
        report = report.approve(file, approve, expires, scope)
        show(f"Approvals written to {file}: {count}", to=sys.stderr)
    write(report, form, out)
    return report.status


def _say_corrections(earlier: Document, later: Document) -> None:
    """Say what became of interrupted updates, and which corrections the provider has taken over."""
    for each in (earlier, later):
        say_recovered(each)
    lines = [*later.corrections.idle(), *later.corrections.half_taken_over(earlier.corrections)]
    if lines:
        known = {*earlier.corrections.idle()}
        for line in lines:
            when = "" if line in known else ", when the newer document is in its place"
            name = line.removeprefix(f"{later.corrections.file.parent}/")  # git's has no path here
            show(f"{name}{when}.", to=sys.stderr)


def _format(wanted: Mapping[str, bool]) -> str | None:
    """The format that is named; None: text. Raises BadParameter for two of them."""
    named = [form for form, is_wanted in wanted.items() if is_wanted]
    if len(named) > 1:
        options = " and ".join(f"--{form}" for form in named)
        raise typer.BadParameter(f"{options} are two formats: name one.")
    return named[0] if named else None


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
        folder = Path(made).resolve()
        place = f"{revision}:{PurePosixPath(path).parent}"

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
