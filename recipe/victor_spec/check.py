"""Compare a package with what the generator makes of its document now, and note what a caller has
to know of it.
"""

import datetime
import tempfile
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.metadata import requires
from pathlib import Path
from typing import Any, Literal, NamedTuple

from .decisions import Acceptance, add_entries, default_path, read_accepted
from .destination import changed_files
from .document import read_document
from .generate import GenerationResult, generate, package_name
from .stamp import FILE, check_sum, stamp_of, without_stamp
from .tree import Tree

Kind = Literal["left out", "no package", "differs", "acceptance", "correction"]
LOSSES: tuple[Kind, ...] = ("left out",)
"""What can be accepted."""
ADVICE: dict[Kind, str] = {
    "left out": "do without it, and accept it with a reason",
    "acceptance": "remove the entry",
}
NOTES = {
    "amount-as-float": "A float does not hold every amount. --decimals PLACE reads it as Decimal.",
    "plain-json": "Nothing is lost, and nothing has to be done: what stands here is given and read "
    "as plain JSON, exactly, in `additional_properties` or as a value of the type Any. Where an "
    "overlay gives it one type, it has that.",
    "read-otherwise": "What stands here is read otherwise than it says, with its type.",
    "private-text": "No setting decides whether the repr of the record may show this value, so "
    "it does not. Name it in `shown`, `private` or `masked` of <document>.settings.yaml.",
    "no-record": "No typed record is made of these answers: a file, a text, or an object of which "
    "the document declares no members. The generated functions read them.",
    "no-list": "These operations read a list, and have no typed arguments. The generated functions "
    "take what there is.",
    "no-argument": "No check knows the type of these parameters and members, and none is required: "
    "no typed argument sends them. `extra_query` and `extra_body` do.",
    "unread-pattern": "No typed argument is checked by these patterns. Name a form with `whole` in "
    "<document>.settings.yaml: it takes their place.",
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

    @property
    def cause(self) -> str:
        """What is wrong, and what to do, without the place."""
        return "; ".join(filter(None, (self.what, ADVICE.get(self.kind))))


class Losses(NamedTuple):
    """What a package lacks of its document, after the acceptance file was read."""

    problems: list[Problem]
    """The losses (`LOSSES`) that no entry accepts, and the entries that accept nothing."""
    accepted: list[Acceptance]
    """The entries that accept a loss."""
    added: list[str]
    """The losses that this run wrote into the file."""


@dataclass
class Report:
    document: str
    problems: list[Problem]
    """What makes it red."""
    accepted: list[Acceptance]
    """The losses that the acceptance file accepts."""
    added: Collection[str]
    """The losses that this run wrote into the file."""
    notes: dict[str, list[str]]
    """The places of what is not wrong and worth a look, by the names in `NOTES`."""
    needs: list[str]
    """What the package needs beside Python, as pip names it."""

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
            "accepted": [
                {"place": each.place, "reason": each.reason, "since": each.since}
                for each in self.accepted
            ],
            "needs": self.needs,
        }


def check(
    document: Path,
    packages: Path | None,
    *,
    tree: Tree | None = None,
    idle: Sequence[str] = (),
    name: str | None = None,
    accepted: Path | None = None,
    accept: str | None = None,
    decimals: Collection[str] = (),
) -> Report:
    """Generate a package into a temporary folder, and compare.

    `packages` is the folder with the package to compare; None compares with none. `accepted` is the
    file of accepted losses; None is `<document>.accepted.yaml` beside the document. `accept` is the
    reason to accept everything that is left out now; None accepts nothing new. The others are those
    of `generate`. `idle` has the actions of the overlay that change nothing, if `tree` was read.

    Raises DecisionError, and the errors of `generate`.
    """
    path = default_path(document, "accepted") if accepted is None else accepted
    read_accepted(path)  # a mistake in it is reported before the work begins
    if tree is None:
        source = read_document(document)
        tree = source.tree
        idle = source.corrections.idle()
    with tempfile.TemporaryDirectory() as folder:
        package = name or package_name(document)
        has_typed = packages is not None and (packages / package / "typed").is_dir()
        result = generate(
            document, Path(folder), name=name, tree=tree, decimals=decimals, typed=has_typed
        )
        losses = losses_of(result, path, accept=accept)
        stale: list[Problem] = []
        if packages is not None and result.written:
            stale = _stale(packages / result.package.name, result.package)
    notes = {
        "plain-json": result.log.notes(),
        "read-otherwise": result.log.differences(),
        "amount-as-float": result.log.floats,
        "webhook-needs-name": result.log.untold,
    }
    problems = [*stale, *losses.problems, *(Problem("correction", each) for each in idle)]
    return Report(document.name, problems, losses.accepted, losses.added, notes, _needs(result))


def losses_of(result: GenerationResult, accepted: Path, *, accept: str | None = None) -> Losses:
    """What a package that was generated just now lacks of its document.

    Each entry of the file `accepted` makes one loss green, or all of one kind, and one that is of
    no use is a problem itself. `accept` is a reason to add an entry for each other loss. Raises
    DecisionError, also for an empty reason, and OSError.
    """
    kinds: dict[str, Kind] = dict.fromkeys(map(_one_line, result.left_out), "left out")
    if not result.written:
        left_out = [Problem(kind, line) for line, kind in kinds.items()]
        no_package = Problem("no package", result.package.name, "no package was made")
        return Losses([*left_out, no_package], [], [])
    lines = [*kinds]
    added = [] if accept is None else _accept(lines, accepted, accept.strip())
    entries = read_accepted(accepted)
    used = [entry for entry in entries if any(map(entry.matches, lines))]
    left = [line for line in lines if not any(entry.matches(line) for entry in used)]
    unused = dict.fromkeys(f"{accepted}: {entry.place}" for entry in entries if entry not in used)
    problems = [Problem(kinds[line], line) for line in left]
    problems += [Problem("acceptance", place, "it matches nothing") for place in unused]
    return Losses(problems, used, added)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _accept(losses: list[str], accepted: Path, reason: str) -> list[str]:
    """Write the losses that are not accepted yet into a file."""
    known = read_accepted(accepted)
    added = [loss for loss in losses if not any(entry.matches(loss) for entry in known)]
    today = datetime.datetime.now(datetime.UTC).date()
    rows = [{"place": loss, "reason": reason, "since": today} for loss in added]
    add_entries(accepted, rows)
    return added


def _stale(committed: Path, fresh: Path) -> list[Problem]:
    """The files that are not those of a fresh package, each with what to do."""
    run = "run `victor-spec generate`"
    if not committed.is_dir():
        return [Problem("differs", f"{committed}", f"the package does not exist: {run}")]
    changes = changed_files(fresh, committed)
    changed = [path for path in changes.changed if path != FILE or _differs(fresh, committed)]
    if not (changed or changes.gone or changes.new):
        changed = [*changes.changed]  # the stamp alone
    advice: dict[Path, str] = {}
    advice |= dict.fromkeys(changes.gone, "not generated: remove it")
    advice |= dict.fromkeys(changes.new, f"gone: {run}")
    advice |= dict.fromkeys(changed, f"{_why(fresh, committed)}: {run}")
    return [Problem("differs", f"{committed / name}", advice[name]) for name in sorted(advice)]


def _differs(fresh: Path, committed: Path) -> bool:
    """Whether the modules with the stamp differ in more than that."""
    first, second = (without_stamp((each / FILE).read_text("utf-8")) for each in (fresh, committed))
    return first != second


def _why(fresh: Path, committed: Path) -> str:
    """Why files of a package are not those of a fresh one."""
    stamp, expected = stamp_of(committed), stamp_of(fresh)
    if stamp is None or expected is None:
        return "written by an earlier release of victor-spec"
    is_edited = check_sum(committed) != stamp.check_sum
    if stamp == expected:
        return "edited by hand" if is_edited else "its line ends are others"
    stale = "stale: of another document, settings or options, or of another state of victor-spec"
    if stamp.version != expected.version:
        stale = f"written by victor-spec {stamp.version}, and this is {expected.version}"
    return f"{stale}; files of this package were edited by hand, too" if is_edited else stale


def _needs(result: GenerationResult) -> list[str]:
    """What a package imports, in the versions that the recipe was made for."""
    own = [each for each in requires("victor-spec") or [] if each.startswith("httpx")]
    return [*sorted(own), *(["victor_ext"] if result.typed is not None else [])]
