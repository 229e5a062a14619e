"""Call all that a package has, with values of the document as it was written, and compare."""

import json
import re
import warnings
from pathlib import Path

import httpx

from victor_spec.tree import hooks, is_callable_url, trees_at

from .comparison import Comparison, Verdict
from .expected import difference
from .operations import Operation, media_of, operations
from .package import Function, Package
from .requests import OperationCalls, Probe, letters
from .schemas import Node, NoValueError, Schemas


def judged(tree, folder: Path) -> Verdict:
    """What the package in a folder does otherwise than its document says."""
    verdict = Verdict()
    schemas = Schemas(tree)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of httpx, about cookies in a request
        with Package(folder) as package:
            comparison = Comparison(schemas, package, verdict)
            _compare_base_url(comparison)
            probes = [Probe(function, package) for function in package.functions]
            for operation in operations(schemas):
                _call(operation, probes, comparison)
            _receive(comparison)
            verdict.calls = package.calls
    return verdict


def _compare_base_url(comparison: Comparison):
    """Compare the base URL of the package with the first server of the document."""
    for server in trees_at(comparison.schemas.root.tree, "servers")[:1]:
        url = str(server.get("url", "")).rstrip("/")
        known = getattr(comparison.package.load("client"), "DEFAULT_BASE_URL", url)
        if is_callable_url(url) and httpx.URL(known) != httpx.URL(url):
            what = f"the package's DEFAULT_BASE_URL is {known}, not {url}"
            comparison.verdict.add("wrong", "servers[0].url", what)


def _call(operation: Operation, probes: list[Probe], comparison: Comparison):
    """Call the function of an operation."""
    probe = _probe_of(operation, probes)
    if probe is None:
        what = "the package has no function for it"
        comparison.verdict.add("missing", operation.place, what, operation.title)
        return
    comparison.verdict.unjudged |= {*operation.unjudged}
    try:
        calls = OperationCalls(operation, probe, comparison)
        calls.check_requests()
        calls.check_answers()
    except NoValueError:
        comparison.verdict.unjudged.add(operation.place)


def _probe_of(operation: Operation, probes: list[Probe]) -> Probe | None:
    """The function of an operation. Two may have paths of one shape: then the name decides."""
    wanted = _shape(operation.path), operation.method
    matches = [
        probe for probe in probes if (_shape(probe.function.path), probe.function.method) == wanted
    ]
    return max(matches, key=lambda probe: _likeness(probe.function, operation), default=None)


def _shape(path):
    """A path without the names of its parameters, and without a fragment."""
    return re.sub(r"{[^{}]+}", "{}", path).replace("{{", "{").replace("}}", "}").partition("#")[0]


def _likeness(function: Function, operation: Operation):
    """How much the name of a function is that of an operation: of its id, or of its method and
    path.
    """
    name = letters(function.name)
    is_of_path = name.endswith(letters(f"{operation.method}{operation.path}"))
    return 2 * is_of_path + (name == letters(operation.identity))


def _receive(comparison: Comparison):
    """Read bodies of each webhook by its name."""
    for hook in hooks(comparison.schemas.root.tree):
        body = Node(hook.tree, hook.place).child("requestBody")
        media = media_of(comparison.schemas, body)
        for medium in [each for each in media if each.is_json][:1]:
            webhooks = comparison.package.load("webhooks")
            for value in comparison.values(medium.schema, text="text"):
                if value in ({}, None):
                    continue  # it is refused
                try:
                    decoded = webhooks.read_webhook(json.dumps(value), name=hook.name)
                    why = difference(value, comparison.package.plain(decoded))
                except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
                    why = f"read_webhook raises {type(error).__name__}: {error}"
                    comparison.verdict.add("missing", hook.place, why)
                    break
                if why:
                    comparison.verdict.add("wrong", hook.place, why)
                comparison.compare(medium.schema.place, value, decoded)
