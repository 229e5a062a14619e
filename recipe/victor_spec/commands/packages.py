"""The commands `victor spec generate` and `victor spec check`."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from victor_ext._exit_status import MISUSE
from victor_ext.spec.checking.check import NOTES, Report, check, check_generated
from victor_ext.spec.checking.problems import Problem
from victor_ext.spec.decisions import DecisionError, default_path, read_accepted
from victor_ext.spec.destination import MARKER
from victor_ext.spec.document import DocumentError, load
from victor_ext.spec.generate import GenerationResult, generate

from . import FAILURES, Command, add_package_arguments, reading, show

SHOWN = 10
"""The files of each kind, and the places of each note, that are named without `--verbose`."""


def _run(one: Callable[[Path, argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Do one thing for each document; the worst exit status counts."""
    own = next((each for each in ("name", "accepted") if getattr(options, each) is not None), None)
    if own is not None and len(options.documents) > 1:
        raise RuntimeError(f"--{own} is that of one document: name one document with it.")
    writes = getattr(options, "accept", None) is not None
    if options.accepted is not None and not writes and not options.accepted.exists():
        raise DecisionError(
            f"--accepted {options.accepted}: the file does not exist: write it, or name another."
        )
    return max(one(document, options) for document in options.documents)


def _add_generate(command: argparse.ArgumentParser) -> None:
    add_package_arguments(command, out="the folder for the packages", is_required=True)
    named = (
        "name each changed file, each place where the recipe rewrote the document, and each "
        "loss with its reason"
    )
    command.add_argument("--verbose", action="store_true", help=named)


def _generate(document: Path, options: argparse.Namespace) -> int:
    accepted = options.accepted or default_path(document, "accepted")
    read_accepted(accepted)  # a mistake is reported first
    tree = load(document, **reading(options))
    result = generate(
        document, options.out, name=options.name, tree=tree, decimals=options.decimals
    )
    for line in result.log.lines() if options.verbose else ():
        show(f"  {line}")
    if not result.written:
        _show_losses(result, [Problem("left out", line) for line in result.left_out], options)
        show(
            f"{document.name}: no package was made, and {result.package} is as it was.",
            to=sys.stderr,
        )
        return MISUSE
    report = checking(document, partial(check_generated, tree, document.name, result, accepted))
    _show_losses(result, report.problems, options)
    for entry in report.accepted if options.verbose else ():
        show(f"  left out, as accepted: {entry.place}: {entry.reason}", to=sys.stderr)
    changes = {word: paths for word, paths in vars(result.changes).items() if paths}
    counts = (
        ", ".join(f"{len(paths)} {word}" for word, paths in changes.items()) or "nothing changed"
    )
    signs = {} if Path(MARKER) in result.changes.new else {"new": "+", "changed": "~", "gone": "-"}
    files = [
        f"  {signs[word]} {each}"
        for word, paths in changes.items()
        if word in signs  # all are new in a package that was not there
        for each in _shown(paths, verbose=options.verbose)
    ]
    show(f"{document.name} -> {result.package}: {counts}", *files)
    _show_note("webhook-needs-name", result.log.untold, verbose=options.verbose)
    return int(bool(report.problems))


def _show_losses(
    result: GenerationResult, problems: Sequence[Problem], options: argparse.Namespace
) -> None:
    reasons = {" ".join(line.split()): reason for line, reason in result.log.reasons.items()}
    for problem in problems:
        show(f"  {problem.kind.upper()}: {problem.loss}", to=sys.stderr)
        reason = reasons.get(" ".join(problem.place.split()))
        if reason is not None and (options.verbose or not result.written):
            show(f"    openapi-python-client: {reason}", to=sys.stderr)


def _shown(entries: Sequence[object], *, verbose: bool) -> Sequence[object]:
    rest = 0 if verbose else len(entries) - SHOWN
    return [*entries[:SHOWN], f"... and {rest} more (--verbose)"] if rest > 0 else entries


GENERATE = Command(
    "generate",
    "write a package for each document",
    "Each package is checked as by `victor spec check`. Exit status: 0 for packages that lack "
    "nothing but what is accepted, 1 when something else is missing or wrong, 2 when no package "
    "was made.",
    _add_generate,
    partial(_run, _generate),
)


def _add_check(command: argparse.ArgumentParser) -> None:
    add_package_arguments(
        command, out="the folder of the packages (default: compare with none)", is_required=False
    )
    accept = "add what is left out now to the file of accepted losses, with this reason"
    command.add_argument("--accept", metavar="REASON", help=accept)
    command.add_argument(
        "--json", action="store_true", help="print one line of JSON for each document"
    )
    command.add_argument(
        "--verbose", action="store_true", help="print what is accepted, and all places of a note"
    )


def checking(document: Path, run: Callable[[], Report]) -> Report:
    """The report of a check of one document.

    Raises DocumentError also where the check cannot end.
    """
    try:
        return run()
    except (*FAILURES, OSError):
        raise
    except Exception as error:
        raise DocumentError(
            f"{document} cannot be checked: {type(error).__name__}: {error}"
        ) from error


def _check(document: Path, options: argparse.Namespace) -> int:
    own = {key: getattr(options, key) for key in ("name", "accepted", "accept", "decimals")}
    tree = load(document, **reading(options))
    report = checking(document, partial(check, document, options.out, tree=tree, **own))
    if options.json:
        print(json.dumps(report.as_json()))
    else:
        _print(report, verbose=options.verbose)
    return int(bool(report.problems))


def _print(report: Report, *, verbose: bool) -> None:
    for each in report.problems:
        show(each.line(), to=sys.stderr)
    for place in report.added:
        show(f"now accepted: {place}")
    for entry in report.accepted if verbose else ():
        show(f"accepted since {entry.since}: {entry.place}: {entry.reason}")
    for name, places in report.notes.items():
        _show_note(name, places, verbose=verbose)
    show(report.summary())


def _show_note(name: str, places: Sequence[str], *, verbose: bool) -> None:
    if places:
        shown = (f"    {each}" for each in _shown(places, verbose=verbose))
        show(f"{name} ({len(places)}): {NOTES[name]}", *shown)


CHECK = Command(
    "check",
    "call every operation, decode every answer, and compare the package in --out with a fresh one",
    "Exit status: 0 for a complete package, 1 for one that lacks something or is wrong, 2 for "
    "misuse or an unreadable document.",
    _add_check,
    partial(_run, _check),
)
