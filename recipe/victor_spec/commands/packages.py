"""The commands `victor-spec generate` and `victor-spec check`."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from victor_spec.check import ADVICE, NOTES, losses_of, notes_of
from victor_spec.check import check as check_document
from victor_spec.decisions import default_path, read_accepted
from victor_spec.destination import MARKER
from victor_spec.document import read_document
from victor_spec.exit_status import COMPLETE, INCOMPLETE, MISUSE
from victor_spec.generate import GenerationResult
from victor_spec.generate import generate as generate_package
from victor_spec.typed import undecided_of

from . import Decimals, Documents, Name, show

SHOWN = 10
"""The files of each kind, and the places of each note, that are named without `--verbose`."""
LEFT_OUT = f"{ADVICE['left out']} (victor-spec check --accept REASON)."
SIGNS = {"new": "+", "changed": "~", "gone": "-"}
"""What stands before a changed file."""


def generate(
    documents: Documents,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="OUT", help="The folder for the packages.")],
    name: Name = None,
    decimals: Decimals = None,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            help="Name each changed file, each place where the recipe rewrote the document, and "
            "each loss with its reason.",
        ),
    ] = False,
) -> int:
    """Write a package for each document."""
    _require_one(documents, name)
    return max(
        _generate(document, out, name, decimals or (), verbose=verbose) for document in documents
    )


def _require_one(documents: Sequence[Path], name: str | None) -> None:
    if name is not None and len(documents) > 1:
        raise typer.BadParameter("--name is that of one document: name one document with it.")


def _generate(
    document: Path, out: Path, name: str | None, decimals: Sequence[str], *, verbose: bool
) -> int:
    accepted = default_path(document, "accepted")
    read_accepted(accepted)  # a mistake is reported first
    source = read_document(document)
    result = generate_package(document, out, name=name, tree=source.tree, decimals=decimals)
    for line in source.idle:
        show(f"{line}: {ADVICE['correction']}", to=sys.stderr)
    if verbose:
        show(*(f"  {line}" for line in result.log.lines()))
    problems = losses_of(result, accepted).problems
    for problem in problems:
        if problem.kind != "no package":
            show(f"  {problem.kind.upper()}: {problem.loss}", to=sys.stderr)
    if any(problem.kind == "left out" for problem in problems):
        show(f"  What is LEFT OUT cannot be sent or read: {LEFT_OUT}", to=sys.stderr)
    for line, reason in result.log.reasons.items() if verbose or not result.written else ():
        show(f"  {line}: openapi-python-client: {reason}", to=sys.stderr)
    if not result.written:
        show(
            f"{document.name}: no package was made, and {result.package} is as it was.",
            to=sys.stderr,
        )
        return MISUSE
    _show_changes(document, result, verbose=verbose)
    notes = {**notes_of(result), "private-text": undecided_of(result.typed)}
    for kind, places in notes.items():
        show_places(kind, NOTES[kind], places, verbose=verbose)
    return INCOMPLETE if any(each.kind == "left out" for each in problems) else COMPLETE


def _show_changes(document: Path, result: GenerationResult, *, verbose: bool) -> None:
    changes = {word: paths for word, paths in vars(result.changes).items() if paths}
    counts = [f"{len(paths)} {word}" for word, paths in changes.items()]
    show(f"{document.name} -> {result.package}: {', '.join(counts) or 'nothing changed'}")
    if Path(MARKER) in result.changes.new:
        return  # all its files are new
    for word, paths in changes.items():
        for path in _shown(paths, verbose=verbose):
            show(f"  {SIGNS[word]} {path}")


def _shown(entries: Sequence[object], *, verbose: bool) -> Sequence[object]:
    rest = 0 if verbose else len(entries) - SHOWN
    return [*entries[:SHOWN], f"... and {rest} more (--verbose)"] if rest > 0 else entries


def check(
    documents: Documents,
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="OUT", help="The folder of the packages (default: compare with none)."
        ),
    ] = None,
    name: Name = None,
    decimals: Decimals = None,
    accept: Annotated[
        str | None,
        typer.Option(
            metavar="REASON",
            help="Add what is lost now to <document>.accepted.yaml, with this reason.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON for each document.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Print what is accepted, and all places of a note.")
    ] = False,
) -> int:
    """Compare the package in --out with a fresh one, and say what of the document it lacks."""
    _require_one(documents, name)
    status = COMPLETE
    for document in documents:
        report = check_document(document, out, name=name, reason=accept, decimals=decimals or ())
        if as_json:
            print(json.dumps(report.as_json()))
        else:
            causes: dict[tuple[str, str], list[str]] = {}
            for problem in report.problems:
                cause = problem.what or ADVICE.get(problem.kind, "")
                causes.setdefault((problem.kind, cause), []).append(problem.place)
            for (kind, cause), places in causes.items():
                show_places(kind, cause, places, verbose=verbose)
            for entry in report.accepted if verbose else ():
                show(f"accepted since {entry.since}: {entry.place}: {entry.reason}")
            for kind, places in report.notes.items():
                show_places(kind, NOTES[kind], places, verbose=verbose)
            show(report.summary())
        if report.problems:
            status = INCOMPLETE
    return status


def show_places(name: str, text: str, places: Sequence[str], *, verbose: bool) -> None:
    """Show a text once, and the places below it that it is about, if any."""
    if places:
        shown = (f"    {each}" for each in _shown(places, verbose=verbose))
        show(f"{name} ({len(places)}): {text}".rstrip(), *shown)
