"""The commands `victor-spec generate` and `victor-spec check`."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from victor_spec.check import LOSSES, NOTES, Problem, Report, losses_of
from victor_spec.check import check as check_document
from victor_spec.decisions import DecisionError, default_path, read_accepted
from victor_spec.destination import MARKER
from victor_spec.document import MAX_MIB
from victor_spec.exit_status import COMPLETE, INCOMPLETE, MISUSE
from victor_spec.generate import GenerationResult
from victor_spec.generate import generate as generate_package
from victor_spec.typed import undecided_of, unread_patterns_of, untyped_of

from . import (
    Accepted,
    Copies,
    Decimals,
    Documents,
    MaxMib,
    Name,
    Reading,
    read_saying,
    reading,
    show,
)

SHOWN = 10
"""The files of each kind, and the places of each note, that are named without `--verbose`."""
SIGNS = {"new": "+", "changed": "~", "gone": "-"}
"""What stands before a changed file."""


Accept = Annotated[
    str | None,
    typer.Option(
        metavar="REASON",
        help="Add what is lost now to the file of accepted losses, with this reason.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class PackageOptions:
    """What the commands for packages are told of each document."""

    name: str | None
    accepted: Path | None
    decimals: Sequence[str]
    reading: Reading
    verbose: bool
    typed: bool = False

    def accepted_of(self, document: Path) -> Path:
        """The file of accepted losses."""
        return self.accepted or default_path(document, "accepted")

    def require_one_document(self, documents: Sequence[Path]) -> None:
        """Raise RuntimeError for several documents with an option that is of one."""
        if len(documents) == 1:
            return
        for option, value in (("name", self.name), ("accepted", self.accepted)):
            if value is not None:
                raise RuntimeError(
                    f"--{option} is that of one document: name one document with it."
                )

    def require_accepted(self) -> None:
        """Raise DecisionError for a file of accepted losses that does not exist."""
        if self.accepted is not None and not self.accepted.exists():
            raise DecisionError(
                f"--accepted {self.accepted}: the file does not exist: write it, or name another."
            )


def generate(
    documents: Documents,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="OUT", help="The folder for the packages.")],
    name: Name = None,
    decimals: Decimals = None,
    copies: Copies = None,
    max_mib: MaxMib = MAX_MIB,
    accepted: Accepted = None,
    typed: Annotated[
        bool,
        typer.Option(
            "--typed",
            help="Write typed records and arguments, which need victor_ext, also without settings "
            "beside the document.",
        ),
    ] = False,
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
    options = PackageOptions(
        name=name,
        accepted=accepted,
        decimals=decimals or (),
        reading=reading(copies, max_mib),
        verbose=verbose,
        typed=typed,
    )
    options.require_one_document(documents)
    options.require_accepted()
    return max(_generate(document, out, options) for document in documents)


def _generate(document: Path, out: Path, options: PackageOptions) -> int:
    accepted = options.accepted_of(document)
    read_accepted(accepted)  # a mistake is reported first
    source = read_saying(document, options.reading)
    result = generate_package(
        document,
        out,
        name=options.name,
        tree=source.tree,
        decimals=options.decimals,
        typed=options.typed,
    )
    for line in source.corrections.idle():
        show(line, to=sys.stderr)
    if options.verbose:
        show(*(f"  {line}" for line in result.log.lines()))
    losses = losses_of(result, accepted)
    _show_losses(result, losses.problems, verbose=options.verbose)
    if not result.written:
        show(
            f"{document.name}: no package was made, and {result.package} is as it was.",
            to=sys.stderr,
        )
        return MISUSE
    if options.verbose:
        for entry in losses.accepted:
            show(f"  left out, as accepted: {entry.place}: {entry.reason}", to=sys.stderr)
    _show_changes(document, result, verbose=options.verbose)
    show_note("plain-json", result.log.notes(), verbose=options.verbose)
    show_note("read-otherwise", result.log.differences(), verbose=options.verbose)
    show_note("private-text", undecided_of(result.typed), verbose=options.verbose)
    if result.typed is not None:
        show_note("no-record", result.typed.without_record, verbose=options.verbose)
        show_note("no-list", result.typed.without_list, verbose=options.verbose)
    show_note("no-argument", untyped_of(result.typed), verbose=options.verbose)
    show_note("unread-pattern", unread_patterns_of(result.typed), verbose=options.verbose)
    show_note("webhook-needs-name", result.log.untold, verbose=options.verbose)
    is_whole = all(each.kind not in LOSSES for each in losses.problems)
    return COMPLETE if is_whole else INCOMPLETE


def _show_losses(result: GenerationResult, problems: Sequence[Problem], *, verbose: bool) -> None:
    reasons: dict[str, str] = {}
    for line, reason in result.log.reasons.items():
        reasons[" ".join(line.split())] = reason
    for problem in problems:
        if problem.kind == "no package":
            continue  # it is said last
        show(f"  {problem.kind.upper()}: {problem.loss}", to=sys.stderr)
        known = reasons.get(problem.place)
        if known is not None and (verbose or not result.written):
            show(f"    openapi-python-client: {known}", to=sys.stderr)


def _show_changes(document: Path, result: GenerationResult, *, verbose: bool) -> None:
    changes = {word: paths for word, paths in vars(result.changes).items() if paths}
    counts = [f"{len(paths)} {word}" for word, paths in changes.items()]
    show(f"{document.name} -> {result.package}: {', '.join(counts) or 'nothing changed'}")
    is_new = Path(MARKER) in result.changes.new
    if is_new:
        return  # all its files are
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
    copies: Copies = None,
    max_mib: MaxMib = MAX_MIB,
    accepted: Accepted = None,
    accept: Accept = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON for each document.")
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", help="Print what is accepted, and all places of a note."),
    ] = False,
) -> int:
    """Compare the package in --out with a fresh one, and say what of the document it lacks."""
    options = PackageOptions(
        name=name,
        accepted=accepted,
        decimals=decimals or (),
        reading=reading(copies, max_mib),
        verbose=verbose,
    )
    options.require_one_document(documents)
    if accept is None:
        options.require_accepted()
    status = COMPLETE
    for document in documents:
        report = _check(document, out, accept, options)
        if as_json:
            print(json.dumps(report.as_json()))
        else:
            _print(report, verbose=verbose)
        if report.problems:
            status = INCOMPLETE
    return status


def _check(document: Path, out: Path | None, accept: str | None, options: PackageOptions) -> Report:
    source = read_saying(document, options.reading)
    return check_document(
        document,
        out,
        tree=source.tree,
        idle=source.corrections.idle(),
        name=options.name,
        accepted=options.accepted,
        accept=accept,
        decimals=options.decimals,
    )


def _print(report: Report, *, verbose: bool) -> None:
    causes: dict[tuple[str, str], list[str]] = {}
    for problem in report.problems:
        causes.setdefault((problem.kind, problem.cause), []).append(problem.place)
    for (kind, cause), places in causes.items():
        _show_places(kind, cause, places, verbose=verbose)
    for place in report.added:
        show(f"now accepted: {place}")
    for entry in report.accepted if verbose else ():
        show(f"accepted since {entry.since}: {entry.place}: {entry.reason}")
    for name, places in report.notes.items():
        show_note(name, places, verbose=verbose)
    if verbose:
        show(f"needs {', '.join(report.needs)}")
    show(report.summary())


def show_note(name: str, places: Sequence[str], *, verbose: bool) -> None:
    """Show what is not wrong and worth a look, by its name in `NOTES`."""
    if places:
        _show_places(name, NOTES[name], places, verbose=verbose)


def _show_places(name: str, text: str, places: Sequence[str], *, verbose: bool) -> None:
    """Show a text once, and the places below it that it is about."""
    shown = (f"    {each}" for each in _shown(places, verbose=verbose))
    show(f"{name} ({len(places)}): {text}".rstrip(), *shown)
