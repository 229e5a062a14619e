"""Call every operation of a document through its package, and decode every answer."""

from __future__ import annotations

import gc
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from victor_ext.spec.tree import Tree

from .answers import MAX_ALTERNATIVES, OperationAnswers, plain
from .expected import difference
from .models import Models
from .operations import SOMEWHERE, Hook, Medium, Operation, base_url, hooks, operations
from .package import Package, PackageError
from .passing import Probe, likeness, sent_path
from .problems import Findings
from .recording import Caller
from .requests import OperationRequests
from .values import Synthesis
from .views import Document

Progress = Callable[[int, int], None]
"""Told how many operations are done, and how many there are."""


def silent(_done: int, _total: int) -> None:
    """Show no progress."""


def inspect(tree: Tree, folder: Path, progress: Progress = silent) -> Findings:
    """What the package in a folder does otherwise than its document says."""
    findings = Findings()
    document = Document(tree)
    wanted = operations(document)
    gc.collect()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of httpx, about cookies in a request
        try:
            with Package(folder) as package, Caller(package, base_url(document)) as caller:
                _Inspection(document, package, caller, findings).run(wanted, progress)
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

    def __post_init__(self) -> None:
        self._models = Models(self.document, self.package, self.findings)
        self._base = base_url(self.document)

    def run(self, wanted: list[Operation], progress: Progress) -> None:
        known = getattr(self.package.load("client"), "DEFAULT_BASE_URL", self._base)
        if self.document.root.items("servers") and httpx.URL(known) != httpx.URL(self._base) != SOMEWHERE:
            self.findings.wrong("servers[0].url", f"the package's DEFAULT_BASE_URL is {known}, not {self._base}")
        rest = [Probe(function, self.caller) for function in self.package.functions]
        for number, operation in enumerate(wanted, 1):
            probe = self._probe(operation, rest)
            self.findings.count("operations", found=probe is not None)
            if probe is None:
                self.findings.missing(operation.place, "there is no function for it", operation.title)
            else:
                self._operation(operation, probe)
            progress(number, len(wanted))
        for hook in hooks(self.document):
            self._hook(hook)

    def _hook(self, hook: Hook) -> None:
        """Read bodies of a webhook or a callback by `read_webhook`."""
        if not hook.media:
            return
        why = "read_webhook does not read its content type"
        for medium in [each for each in hook.media if each.is_json][:1]:
            why = self._misread(hook, medium)
        self.findings.count("webhooks", found=not why)
        if why:
            self.findings.missing(hook.place, why, hook.title)

    def _misread(self, hook: Hook, medium: Medium) -> str:
        """How a body is read otherwise than it was posted; "" when none is."""
        synthesis = Synthesis(self.document, as_json=True)
        for number in range(min(len(self.document.views(medium.schema)), MAX_ALTERNATIVES)):
            value = synthesis.value(medium.schema, "received", number)
            try:
                decoded = self.package.load("webhooks").read_webhook(hook.name, json.dumps(value))
                if why := difference(value, plain(decoded)):
                    return why
                self._models.compare(medium.schema, value, decoded)
            except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
                return f"read_webhook raises {type(error).__name__}: {error}"
        return ""

    def _probe(self, operation: Operation, rest: list[Probe]) -> Probe | None:
        """The function of an operation. Two operations may have paths of one shape: then the name decides."""
        path = sent_path(operation, self._base)
        found = [each for each in rest if each.takes(operation, path)]
        named = [each for each in rest if likeness(each.function, operation)]
        return max(found or named, key=lambda each: likeness(each.function, operation), default=None)

    def _operation(self, operation: Operation, probe: Probe) -> None:
        findings = self.findings
        try:
            requests = OperationRequests(self.document, operation, probe, self.caller, findings, self._models)
            requests.check()
            least = requests.least()
            OperationAnswers(
                self.document, operation, probe.function, least, self.caller, findings, self._models
            ).check()
        except Exception as error:  # noqa: BLE001 - a check that cannot end is a finding, not a traceback
            what = f"it cannot be checked: {type(error).__name__}: {error}"
            if probe.error:
                what += f"; calling it raises {probe.error}"
            findings.wrong(operation.place, " ".join(what.split()))
