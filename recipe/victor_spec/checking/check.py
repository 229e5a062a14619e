"""Compare a package with its document, by calls of every operation, and with what the generator
makes of it now.
"""

import datetime
import gc
import json
import tempfile
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from victor_spec.components import Components
from victor_spec.decisions import Acceptance, add_entries, default_path, read_accepted
from victor_spec.destination import changed_files
from victor_spec.document import load
from victor_spec.generate import GenerationResult, generate, package_name
from victor_spec.tree import Hook, Tree, copied, hooks
from victor_spec.values import is_valid, received
from victor_spec.views import Document, Node

from .answers import OperationAnswers, plain
from .arguments import Probe, likeness, shape
from .expected import difference
from .gaps import GAPS, gaps
from .models import Models
from .operations import SOMEWHERE, Medium, Operation, base_url, bodies, examples, operations
from .package import Caller, Package, PackageError
from .problems import Findings, Problem


def inspect(tree: Tree, folder: Path) -> Findings:
    """What the package in a folder does otherwise than its document says."""
    findings = Findings()
    document = Document(tree)
    declared = operations(document)
    servers = {each.server for each in declared}
    gc.collect()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of httpx, about cookies in a request
        try:
            base = servers.pop() if len(servers) == 1 else base_url(document)
            with Package(folder) as package, Caller(package, base) as caller:
                models = Models(document, package, findings)
                check_base_url(models)
                _check_operations(declared, caller, models)
                _check_webhooks(models)
                findings.calls = caller.calls
        except PackageError as error:
            findings.wrong("the package", str(error))
    return findings


def check_base_url(models: Models) -> None:
    """Compare the base URL of the package with the first server of the document."""
    base = base_url(models.document)
    known = getattr(models.package.load("client"), "DEFAULT_BASE_URL", base)
    if models.document.root.items("servers") and httpx.URL(known) != httpx.URL(base) != SOMEWHERE:
        models.findings.wrong(
            "servers[0].url", f"the package's DEFAULT_BASE_URL is {known}, not {base}"
        )


def _check_operations(declared: list[Operation], caller: Caller, models: Models) -> None:
    """Call the function of each operation, and report the operations that have none."""
    findings = models.findings
    probes = [Probe(function, caller) for function in models.package.functions]
    for operation in declared:
        probe = probe_of(operation, probes)
        findings.count("operations", present=probe is not None)
        if probe is None:
            findings.missing(operation.place, "the package has no function for it", operation.title)
            continue
        try:
            subject = OperationAnswers(operation, probe, caller, models)
            subject.check_requests()
            subject.check_answers()
        except Exception as error:  # noqa: BLE001 - a check that cannot end is a finding, not a traceback
            what = f"it cannot be checked: {type(error).__name__}: {error}"
            findings.wrong(operation.place, " ".join(what.split()))


def probe_of(operation: Operation, probes: list[Probe]) -> Probe | None:
    """The function of an operation. Two may have paths of one shape: then the name decides."""
    path = shape(operation.path)
    matches: list[Probe] = []
    for probe in probes:
        function = probe.function
        if shape(function.path) == path and function.method == operation.method:
            matches.append(probe)
    return max(matches, key=lambda probe: likeness(probe.function, operation), default=None)


def _check_webhooks(models: Models) -> None:
    """Read a body of each webhook with `read_webhook`."""
    for hook in hooks(models.document.root.tree):
        media = bodies(models.document, Node(hook.tree, hook.place))
        if not media:
            continue
        as_json = [medium for medium in media if medium.is_json]
        why = "read_webhook does not read its content type"
        if as_json:
            why = _misread(hook, as_json[0], models)
        models.findings.count("webhooks", present=not why)
        if why:
            models.findings.missing(hook.place, why, hook.where)


def _misread(hook: Hook, medium: Medium, models: Models) -> str:
    """The first difference between a body of a webhook and what `read_webhook` makes of the body;
    "" where no body differs.
    """
    for value in received(models.document, medium.schema):
        try:
            webhooks = models.package.load("webhooks")
            decoded = webhooks.read_webhook(json.dumps(value), name=hook.name)
            why = difference(value, plain(decoded))
            if why is None:
                models.compare(medium.schema, value, decoded)  # lost members are findings
                why = _unselected(hook.name, value, models)
        except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
            return f"read_webhook raises {type(error).__name__}: {error}"
        if why:
            return why
    return ""


def _unselected(name: str, value: Any, models: Models) -> str:
    """How a declared body fares that is read without a name; "" when it selects what it is."""
    webhooks = models.package.load("webhooks")
    try:
        decoded = webhooks.read_webhook(json.dumps(value))
    except webhooks.UnknownWebhook:
        return "read_webhook calls its body unknown without name="
    except ValueError as error:
        # A note names those that need a name. Of others, what tells them may be absent.
        is_noted = name in webhooks.UNTOLD or not isinstance(error, webhooks.AmbiguousWebhook)
        return "" if is_noted else "read_webhook needs name= for its body"
    return difference(value, plain(decoded)) or ""


NOTES = {
    "amount-as-float": "A float does not hold every amount. --decimals PLACE reads it as Decimal.",
    "plain-json": "What stands here is read and sent as plain JSON, exactly: it is in "
    "`additional_properties`, or its type is Any.",
    "refused-example": "The example is not what the schema beside it says. Ask the provider which "
    "of them counts.",
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
    **GAPS,
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
    added: Collection[str] = ()
    """The losses that this run wrote into the file."""
    notes: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """The places of what is not wrong and worth a look, by the names in `NOTES`."""

    def summary(self) -> str:
        """`victor.yaml: 4 operations, 19 parameters, ...: complete`, with `of` where some are
        missing.
        """
        present = self.findings.present
        declared = self.findings.declared
        counts = [
            f"{'' if present[kind] == declared[kind] else f'{present[kind]} of '}{declared[kind]} "
            f"{kind}"
            for kind in KINDS
            if kind != "webhooks" or declared[kind]
        ]
        counts += [f"{self.findings.calls} calls made", f"{self.findings.decoded} answers decoded"]
        whole = f"complete, {len(self.accepted)} accepted" if self.accepted else "complete"
        return f"{self.document}: {', '.join(counts)}: {'see above' if self.problems else whole}"

    def as_json(self) -> dict[str, Any]:
        """The report as `--format json` prints it."""
        findings = self.findings
        return {
            "document": self.document,
            "ok": not self.problems,
            "counts": {
                kind: {"declared": findings.declared[kind], "found": findings.present[kind]}
                for kind in KINDS
            },
            "calls": findings.calls,
            "decoded": findings.decoded,
            "problems": [
                {"kind": each.kind, "place": each.place, "what": each.what}
                for each in self.problems
            ],
            "notes": self.notes,
            "accepted": [
                {"place": each.place, "reason": each.reason, "since": each.since}
                for each in self.accepted
            ],
        }


def check(
    document: Path,
    packages: Path | None,
    *,
    tree: Tree | None = None,
    name: str | None = None,
    accepted: Path | None = None,
    accept: str | None = None,
    decimals: Collection[str] = (),
) -> Report:
    """Generate a package into a temporary folder, and look for what is wrong with it.

    `packages` is the folder with the package to compare; None compares with none. `accepted` is the
    file of accepted losses; None is `<document>.accepted.yaml` beside the document. `accept` is the
    reason to accept everything that is left out now; None accepts nothing new. The others are those
    of `generate`.

    Raises DecisionError, and the errors of `generate`.
    """
    path = default_path(document, "accepted") if accepted is None else accepted
    read_accepted(path)  # a mistake in it is reported before the work begins
    tree = load(document) if tree is None else tree
    with tempfile.TemporaryDirectory() as folder:
        package = name or package_name(document)
        has_typed = packages is not None and (packages / package / "typed").is_dir()
        result = generate(
            document, Path(folder), name=name, tree=tree, decimals=decimals, typed=has_typed
        )
        report = check_generated(tree, document.name, result, path, accept=accept)
        if packages is not None and result.written:
            report.problems[:0] = _stale(packages / result.package.name, result.package)
    return report


def check_generated(
    tree: Tree, called: str, result: GenerationResult, accepted: Path, *, accept: str | None = None
) -> Report:
    """Look for what is wrong with a package that was generated just now from `tree`.

    Each entry of the file `accepted` makes one loss green, or all of one kind, and one that is of
    no use is a problem itself. Raises DecisionError, also for an empty reason, and OSError.
    """
    if not result.written:
        left_out = Findings().beside(result.left_out)
        return Report(called, Findings(), [*left_out, Problem("missing", "the package")])
    findings = inspect(tree, result.package)
    problems = findings.beside(result.left_out)
    losses = [*dict.fromkeys(problem.loss for problem in problems if problem.acceptable)]
    added: list[str] = []
    if accept is not None:
        added = _accept(losses, accepted, accept.strip())
    entries = read_accepted(accepted)
    used = [entry for entry in entries if any(map(entry.matches, losses))]
    left = [problem for problem in problems if not _is_accepted(problem, used)]
    unused = dict.fromkeys(f"{accepted}: {entry.place}" for entry in entries if entry not in used)
    left += [Problem("acceptance", place, "it matches nothing") for place in unused]
    notes = {
        "plain-json": result.log.notes(),
        "amount-as-float": result.log.floats,
        "refused-example": [*_refused_examples(tree)],
        "webhook-needs-name": result.log.untold,
        **gaps(tree, result.operations, result.log.requests),
    }
    return Report(called, findings, left, used, added, notes)


def _accept(losses: list[str], accepted: Path, reason: str) -> list[str]:
    """Write the losses that are not accepted yet into a file."""
    known = read_accepted(accepted)
    added = [loss for loss in losses if not any(entry.matches(loss) for entry in known)]
    today = datetime.datetime.now(datetime.UTC).date()
    rows = [{"place": loss, "reason": reason, "since": today} for loss in added]
    add_entries(accepted, rows)
    return added


def _is_accepted(problem: Problem, entries: list[Acceptance]) -> bool:
    """Whether an entry of the acceptance file stands for a problem."""
    return problem.acceptable and any(entry.matches(problem.loss) for entry in entries)


def _refused_examples(tree: Tree) -> Iterator[str]:
    """The places whose examples are not what the schema beside them says."""
    document = Document(tree)
    for part in Components(copied(tree)).by_id.values():
        whole = Node(part.tree, part.place)
        schema = whole if part.kind == "schema" else whole.child("schema")
        if not schema.tree:
            continue
        values = examples(document, whole, schema)
        if not all(is_valid(document, schema, value) for value in values):
            yield part.place


def _stale(committed: Path, fresh: Path) -> list[Problem]:
    """The files that are not those of a fresh package, each with what to do."""
    run = "run `victor-spec generate`"
    if not committed.is_dir():
        return [Problem("differs", f"{committed}", f"the package does not exist: {run}")]
    changes = changed_files(fresh, committed)
    advice: dict[Path, str] = {}
    advice |= dict.fromkeys(changes.gone, "not generated: remove it")
    advice |= dict.fromkeys(changes.new, f"gone: {run}")
    advice |= dict.fromkeys(changes.changed, f"edited, or made of another document: {run}")
    return [Problem("differs", f"{committed / name}", advice[name]) for name in sorted(advice)]
