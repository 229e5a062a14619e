"""Compare a package with what the generator makes of its document now, and note what a caller has
to know of it.
"""

import tempfile
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from .decisions import BREAKS, Acceptance, accept, default_path, read_accepted
from .destination import changed_files
from .document import read_document
from .generate import GenerationResult, generate, package_name

Kind = Literal["left out", "no package", "differs", "acceptance", "correction"]
ADVICE: dict[Kind, str] = {
    "left out": "do without it, and accept it with a reason",
    "acceptance": "it matches nothing: remove the entry",
    "correction": "it changes nothing, as the document says so itself: delete it",
}
NOTES = {
    "amount-as-float": "A float does not hold every amount. --decimals with a place below, or "
    "with '*.amount' for all of this name, reads it as Decimal.",
    "plain-json": "Nothing is lost, and nothing has to be done: what stands here is given and read "
    "as plain JSON, exactly, in `additional_properties` or as a value of the type Any. Where an "
    "overlay gives it one type, it has that.",
    "read-otherwise": "What stands here is read otherwise than it says, with its type.",
    "private-text": "No setting decides whether the repr of the record may show this value, so "
    "it does not. Name it in `shown`, `private` or `masked` of <document>.settings.yaml.",
    "webhook-needs-name": "Not every body tells which of these webhooks it is of. Give "
    "read_webhook, or receive of an inbox, name=.",
}


@dataclass(frozen=True)
class Problem:
    """What makes a check red."""

    kind: Kind
    place: str
    """What is lost, a file, an entry of the acceptance file, or an action of the overlay."""
    what: str = ""

    @property
    def loss(self) -> str:
        """What is wrong in a line, without what to do: `place: what is wrong`."""
        return f"{self.place}: {self.what}" if self.what else self.place


class Losses(NamedTuple):
    """What a package lacks of its document, after the acceptance file was read."""

    problems: list[Problem]
    """The losses that no entry accepts, and the entries that accept nothing."""
    accepted: list[Acceptance]
    """The entries that accept a loss."""


@dataclass
class Report:
    document: str
    problems: list[Problem]
    """What makes it red."""
    accepted: list[Acceptance]
    """The losses that the acceptance file accepts."""
    notes: dict[str, list[str]]
    """The places of what is not wrong and worth a look, by the names in `NOTES`."""

    def summary(self) -> str:
        """`victor.yaml: complete, 2 accepted`, or how many problems of each kind it has."""
        whole = f"complete, {len(self.accepted)} accepted" if self.accepted else "complete"
        counts = Counter(problem.kind for problem in self.problems)
        problems = ", ".join(f"{kind} ({count})" for kind, count in counts.items())
        return f"{self.document}: {problems or whole}"

    def as_json(self) -> dict[str, Any]:
        """The report as `--json` prints it."""
        return {
            "document": self.document,
            "ok": not self.problems,
            "problems": [vars(each) for each in self.problems],
            "notes": self.notes,
            "accepted": [vars(each) for each in self.accepted],
        }


def check(
    document: Path,
    packages: Path | None,
    *,
    name: str | None = None,
    reason: str | None = None,
    decimals: Collection[str] = (),
) -> Report:
    """Generate a package into a temporary folder, and compare.

    `packages` is the folder with the package to compare; None compares with none. `reason` is one
    to accept everything that is left out now; None accepts nothing new. The others are those of
    `generate`. Raises DecisionError, and the errors of `generate`.
    """
    path = default_path(document, "accepted")
    read_accepted(path)  # a mistake in it is reported before the work begins
    source = read_document(document)
    with tempfile.TemporaryDirectory() as folder:
        result = generate(
            document,
            Path(folder),
            name=name or package_name(document),
            tree=source.tree,
            decimals=decimals,
        )
        if reason is not None and result.written:
            accept(path, _lines(result), reason)
        losses = losses_of(result, path)
        stale: list[Problem] = []
        if packages is not None and result.written:
            stale = _stale(packages / result.package.name, result.package)
    problems = [*stale, *losses.problems, *(Problem("correction", each) for each in source.idle)]
    return Report(document.name, problems, losses.accepted, notes_of(result))


def notes_of(result: GenerationResult) -> dict[str, list[str]]:
    """What is worth a look, by the names in `NOTES`."""
    return {
        "plain-json": result.log.notes(),
        "read-otherwise": result.log.differences(),
        "amount-as-float": result.log.floats,
        "webhook-needs-name": result.log.untold,
    }


def losses_of(result: GenerationResult, accepted: Path) -> Losses:
    """What a package that was generated just now lacks of its document.

    Each entry of the file `accepted` makes one loss green, and one that is of no use is a problem
    itself. Raises DecisionError.
    """
    lines = _lines(result)
    entries = [each for each in read_accepted(accepted) if not each.place.startswith(BREAKS)]
    if not result.written:
        left_out = [Problem("left out", line) for line in lines]
        no_package = Problem("no package", result.package.name, "no package was made")
        return Losses([*left_out, no_package], [])
    known = {entry.place for entry in entries}
    problems = [Problem("left out", line) for line in lines if line not in known]
    unused = (entry.place for entry in entries if entry.place not in lines)
    problems += [Problem("acceptance", f"{accepted}: {place}") for place in unused]
    return Losses(problems, [entry for entry in entries if entry.place in lines])


def _lines(result: GenerationResult) -> list[str]:
    return [*dict.fromkeys(" ".join(each.split()) for each in result.left_out)]


def _stale(committed: Path, fresh: Path) -> list[Problem]:
    """The files that are not those of a fresh package, each with what to do."""
    run = "run `victor-spec generate` as it was made, with the document and --out"
    if not committed.is_dir():
        return [Problem("differs", f"{committed}", f"the package does not exist: {run}")]
    changes = changed_files(fresh, committed)
    advice: dict[Path, str] = {}
    advice |= dict.fromkeys(changes.gone, "not generated: remove it")
    advice |= dict.fromkeys(changes.new, f"gone: {run}")
    advice |= dict.fromkeys(changes.changed, f"stale, or edited by hand: {run}")
    return [Problem("differs", f"{committed / name}", advice[name]) for name in sorted(advice)]
