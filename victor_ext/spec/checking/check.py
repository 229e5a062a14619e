"""Compare a package with its document, by calls of every operation, and with what the generator makes of it now."""

import datetime
import gc
import json
import tempfile
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from victor_ext.spec.bounds import MAX_MIB
from victor_ext.spec.components import Components
from victor_ext.spec.decisions import Acceptance, add_entries, default_path, read_accepted
from victor_ext.spec.destination import changed_files
from victor_ext.spec.document import load
from victor_ext.spec.generate import GenerationResult, generate
from victor_ext.spec.tree import Hook, Tree, copied, hooks

from .answers import OperationAnswers, plain
from .expected import difference
from .models import Models
from .operations import SOMEWHERE, Medium, Operation, base_url, bodies, examples, operations
from .package import Caller, Package, PackageError
from .passing import Probe, likeness, shape
from .problems import Findings, Problem
from .values import is_valid, received
from .views import Document, Node


def inspect(tree: Tree, folder: Path) -> Findings:
    """What the package in a folder does otherwise than its document says."""
    findings = Findings()
    document = Document(tree)
    gc.collect()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of httpx, about cookies in a request
        try:
            shared, *others = {each.server for each in operations(document)} or {base_url(document)}
            base = base_url(document) if others else shared
            with Package(folder) as package, Caller(package, base) as caller:
                _Inspection(document, package, caller, findings, Models(document, package, findings)).run()
                findings.calls = caller.calls
        except PackageError as error:
            findings.wrong("the package", str(error))
    return findings


@dataclass
class _Inspection:
    document: Document
    package: Package
    caller: Caller
    findings: Findings
    models: Models

    def run(self) -> None:
        base = base_url(self.document)
        known = getattr(self.package.load("client"), "DEFAULT_BASE_URL", base)
        if self.document.root.items("servers") and httpx.URL(known) != httpx.URL(base) != SOMEWHERE:
            self.findings.wrong("servers[0].url", f"the package's DEFAULT_BASE_URL is {known}, not {base}")
        rest = [Probe(function, self.caller) for function in self.package.functions]
        for operation in operations(self.document):
            # Two operations may have paths of one shape: then the name decides.
            key = operation.method, shape(operation.path)
            matches = [each for each in rest if (each.function.method, shape(each.function.path)) == key]
            probe = max(matches, key=lambda each: likeness(each.function, operation), default=None)
            self.findings.count("operations", present=probe is not None)
            if probe is None:
                self.findings.missing(operation.place, "the package has no function for it", operation.title)
            else:
                self._operation(operation, probe)
        for hook in hooks(self.document.root.tree):
            if media := bodies(self.document, Node(hook.tree, hook.place)):
                medium = next((each for each in media if each.is_json), None)
                why = self._misread(hook, medium) if medium else "read_webhook does not read its content type"
                self.findings.count("webhooks", present=not why)
                if why:
                    self.findings.missing(hook.place, why, hook.where)

    def _misread(self, hook: Hook, medium: Medium) -> str:
        """How `read_webhook` reads a body otherwise than it was posted; "" when it reads each as it was."""
        for value in received(self.document, medium.schema):
            try:
                decoded = self.package.load("webhooks").read_webhook(json.dumps(value), name=hook.name)
                if why := difference(value, plain(decoded)):
                    return why
                self.models.compare(medium.schema, value, decoded)
            except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
                return f"read_webhook raises {type(error).__name__}: {error}"
        return ""

    def _operation(self, operation: Operation, probe: Probe) -> None:
        try:
            subject = OperationAnswers(self.document, operation, probe, self.caller, self.findings, self.models)
            subject.check_requests()
            subject.check_answers()
        except Exception as error:  # noqa: BLE001 - a check that cannot end is a finding, not a traceback
            what = f"it cannot be checked: {type(error).__name__}: {error}"
            self.findings.wrong(operation.place, " ".join(what.split()))


NOTES = {
    "amount-as-float": "A float does not hold every amount. --decimals PLACE reads it as Decimal.",
    "refused-example": "The example is not what the schema beside it says. Ask the provider which of them counts.",
}
KINDS = ("operations", "parameters", "answers", "schemas", "properties", "enum values", "webhooks")


@dataclass
class Report:
    document: str
    findings: Findings
    problems: list[Problem]
    """What makes it red."""
    accepted: list[Acceptance] = field(default_factory=list[Acceptance])
    """The losses that the acceptance file accepts."""
    added: list[Acceptance] = field(default_factory=list[Acceptance])
    """The entries that this run wrote into the file."""
    notes: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """The places of what is not wrong and worth a look, by the names in `NOTES`."""

    def summary(self) -> str:
        """`victor.yaml: 4 operations, 19 parameters, ...: complete`, with `of` where some are missing."""
        present, declared = self.findings.present, self.findings.declared
        counts = [
            f"{'' if present[kind] == declared[kind] else f'{present[kind]} of '}{declared[kind]} {kind}"
            for kind in KINDS
            if kind != "webhooks" or declared[kind]
        ]
        counts += [f"{self.findings.calls} calls made", f"{self.findings.decoded} answers decoded"]
        whole = f"complete, {len(self.accepted)} accepted" if self.accepted else "complete"
        return f"{self.document}: {', '.join(counts)}: {'see above' if self.problems else whole}"

    def as_json(self) -> dict[str, Any]:
        findings = self.findings
        return {
            "document": self.document,
            "ok": not self.problems,
            "counts": {kind: {"declared": findings.declared[kind], "found": findings.present[kind]} for kind in KINDS},
            "calls": findings.calls,
            "decoded": findings.decoded,
            "problems": [{"kind": each.kind, "place": each.place, "what": each.what} for each in self.problems],
            "notes": self.notes,
            "accepted": [{"place": each.place, "reason": each.reason, "since": each.since} for each in self.accepted],
        }


def check(
    document: Path,
    packages: Path | None,
    *,
    name: str | None = None,
    accepted: Path | None = None,
    accept: str | None = None,
    decimals: Collection[str] = (),
    copies: Mapping[str, Path] | None = None,
    max_mib: float = MAX_MIB,
) -> Report:
    """Generate a package into a temporary folder, and look for what is wrong with it.

    `packages` is the folder with the package to compare; None compares with none. `accepted` is the file of accepted
    losses; None is `<document>.accepted.yaml` beside the document. `accept` is the reason to accept everything that is
    left out now; None accepts nothing new. The others are those of `generate`.

    Raises DecisionError, and the errors of `generate`.
    """
    path = default_path(document, "accepted") if accepted is None else accepted
    read_accepted(path)  # a mistake in it is reported before the work begins
    copies = copies or {}
    tree = load(document, copies, max_mib)
    with tempfile.TemporaryDirectory() as folder:
        result = generate(document, Path(folder), name=name, tree=tree, decimals=decimals)
        report = check_generated(tree, document.name, result, path, accept=accept)
        if packages is not None and result.written:
            report.problems[:0] = _stale(packages / result.package.name, result.package)
    return report


def check_generated(
    tree: Tree, called: str, result: GenerationResult, accepted: Path, *, accept: str | None = None
) -> Report:
    """Look for what is wrong with a package that was generated just now from `tree`. Raises DecisionError."""
    if not result.written:
        return Report(called, Findings(), [*Findings().beside(result.left_out), Problem("missing", "the package")])
    findings = inspect(tree, result.package)
    problems = findings.beside(result.left_out)
    added = [] if accept is None else add_accepted(accepted, accept, problems)
    left, used = judge(accepted, problems)
    floats, examples = result.log.floats, list(_refused_examples(tree))
    notes = {"amount-as-float": floats, "refused-example": examples}
    return Report(called, findings, left, used, added, notes=notes)


def judge(path: Path, problems: Sequence[Problem]) -> tuple[list[Problem], list[Acceptance]]:
    """The problems that no entry of a file accepts, with one for each entry that is of no use; and the others."""
    entries, losses = read_accepted(path), {problem.loss for problem in problems if problem.acceptable}
    places = {entry.place for entry in entries}
    left = [each for each in problems if not (each.acceptable and each.loss in places)]
    unused = [entry.place for entry in entries if entry.place not in losses]
    left += [Problem("acceptance", f"{path}: {place}", "it matches nothing") for place in unused]
    return left, [entry for entry in entries if entry.place in losses]


def add_accepted(path: Path, reason: str, problems: Sequence[Problem]) -> list[Acceptance]:
    """Add an entry for each loss that has none. Raises DecisionError, also for an empty reason, and OSError."""
    known, today = {entry.place for entry in read_accepted(path)}, datetime.datetime.now(datetime.UTC).date()
    losses = dict.fromkeys(problem.loss for problem in problems if problem.acceptable)
    places = [loss for loss in losses if loss not in known]
    add_entries(path, [{"place": place, "reason": reason.strip(), "since": today} for place in places])
    return [Acceptance(place, reason.strip(), today.isoformat()) for place in places]


def _refused_examples(tree: Tree) -> Iterator[str]:
    document = Document(tree)
    for part in Components(copied(tree)).by_id.values():
        whole, is_schema = Node(part.tree, part.place), part.kind == "schema"
        schema = whole if is_schema else whole.child("schema")
        if (is_schema or schema.tree) and any(
            not is_valid(document, schema, each) for each in examples(document, whole, schema)
        ):
            yield part.place


def _stale(committed: Path, fresh: Path) -> list[Problem]:
    """The files that are not those of a fresh package, each with what to do."""
    if not committed.is_dir():
        return [Problem("differs", f"{committed}", "the package does not exist: run `victor spec generate`")]
    found, run = changed_files(fresh, committed), "run `victor spec generate`"
    advice = dict.fromkeys(found.gone, "not generated: remove it") | dict.fromkeys(found.new, f"gone: {run}")
    advice |= dict.fromkeys(found.changed, f"edited, or made of another document: {run}")
    return [Problem("differs", f"{committed / name}", advice[name]) for name in sorted(advice)]
