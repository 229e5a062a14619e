"""The command `victor-spec diff`."""

import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import typer

from victor_spec.decisions import accept as accept_texts
from victor_spec.decisions import default_path, read_accepted
from victor_spec.diff.compare import changed_texts, compare
from victor_spec.diff.python import python_changes
from victor_spec.diff.report import FORMATS, Report
from victor_spec.document import Document, DocumentError, read_document
from victor_spec.exit_status import COMPLETE, INCOMPLETE
from victor_spec.generate import parsed

from . import show, show_as_is

GIT = "git:"


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A document, or git:REV:path.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="A document, or git:REV:path.")],
    *,
    form: Annotated[
        Literal["text", "json", "markdown"], typer.Option("--format", help="How it is written.")
    ] = "text",
    no_python: Annotated[
        bool, typer.Option("--no-python", help="Leave out what breaks in Python (faster).")
    ] = False,
    accept: Annotated[
        str | None,
        typer.Option(
            metavar="REASON",
            help="Accept all that breaks, and write it to <document>.accepted.yaml beside NEW.",
        ),
    ] = None,
) -> int:
    """Compare two versions of a document: what breaks on the wire, and in your Python."""
    file = default_path(_path_of(new), "accepted")
    with _opened(old) as old_file, _opened(new) as new_file:
        earlier = read_document(old_file)
        overlay = default_path(new_file, "overlay")
        if not overlay.exists() and _path_of(old).resolve() != _path_of(new).resolve():
            overlay = default_path(old_file, "overlay")
        later = read_document(new_file, overlay=overlay)
        report = report_on(earlier, later, (old, new), file, with_python=not no_python)
    if accept is not None:
        for text in accept_texts(file, report.breaks(), accept):
            show(f"now accepted: {text}", to=sys.stderr)
        return COMPLETE
    show_as_is(FORMATS[form](report))
    return INCOMPLETE if report.breaks() else COMPLETE


def report_on(
    earlier: Document,
    later: Document,
    called: tuple[str, str],
    accepted: Path,
    *,
    with_python: bool = True,
) -> Report:
    """The report of two documents."""
    python = None
    if with_python:
        made = [parsed(each.path, each.tree) for each in (earlier, later)]
        python = python_changes(*made)
    return Report(
        *called,
        compare(earlier.tree, later.tree),
        python,
        changed_texts(earlier.tree, later.tree),
        {each.place for each in read_accepted(accepted)},
    )


@contextmanager
def _opened(source: str) -> Generator[Path]:
    """The file of a source: a path, or `git:REV:path`, which begins at the root of the repository
    (or with `./`). What comes from git is in a temporary folder, with its overlay.

    Raises DocumentError when git has no such file.
    """
    if not source.startswith(GIT):
        yield Path(source)
        return
    revision, _, path = source.removeprefix(GIT).partition(":")
    if not revision or revision.startswith("-") or not path:
        raise DocumentError(
            f"{source} names no file of a commit: write git:REV:path, such as "
            "git:HEAD~1:openapi/a.yaml."
        )
    with tempfile.TemporaryDirectory() as made:
        file = Path(made) / PurePosixPath(path).name
        file.write_bytes(_show(source, f"{revision}:{path}"))
        overlay = default_path(file, "overlay")
        with suppress(DocumentError):  # most documents have none
            name = PurePosixPath(path).with_name(overlay.name)
            start = "./" if path.startswith("./") else ""
            overlay.write_bytes(_show(source, f"{revision}:{start}{name}"))
        yield file


def _path_of(source: str) -> Path:
    """The path of a source in the working tree."""
    return Path(source.removeprefix(GIT).partition(":")[2] if source.startswith(GIT) else source)


def _show(source: str, name: str) -> bytes:
    command = ["git", "cat-file", "blob", name]
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - one argument, no dash before it
    except FileNotFoundError:
        raise DocumentError(f"{source} cannot be read: git is not installed.") from None
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ").rstrip(".")
        raise DocumentError(f"{source} cannot be read: {reason}.")
    return done.stdout
