"""Call all that a package has, with values of the document as it was written, and compare."""

import gc
import json
import re
import warnings
from pathlib import Path

import httpx

from victor_spec.tree import hooks

from .comparison import Comparison, Verdict
from .expected import difference
from .operations import SOMEWHERE, Operation, base_url, bodies, operations
from .package import Caller, Function, Package, PackageError
from .requests import OperationCalls, Probe, letters, plain
from .schemas import Made, Node, NoValueError, Schemas


def judged(tree, folder: Path) -> Verdict:
    """What the package in a folder does otherwise than its document says."""
    verdict = Verdict()
    gc.collect()
    schemas = Schemas(tree)
    declared = operations(schemas)
    servers = {each.server for each in declared}
    base = servers.pop() if len(servers) == 1 else base_url(schemas)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of httpx, about cookies in a request
        try:
            with Package(folder) as package, Caller(package, base) as caller:
                comparison = Comparison(schemas, package, verdict)
                _compare_base_url(comparison)
                probes = [Probe(function, caller) for function in package.functions]
                for operation in declared:
                    _call(operation, probes, caller, comparison)
                _receive(comparison)
                verdict.calls = caller.calls
        except PackageError as error:
            verdict.wrong("the package", str(error))
    return verdict


def _compare_base_url(comparison: Comparison):
    """Compare the base URL of the package with the first server of the document."""
    base = base_url(comparison.schemas)
    known = getattr(comparison.package.load("client"), "DEFAULT_BASE_URL", base)
    has_servers = bool(comparison.schemas.root.tree.get("servers"))
    if has_servers and httpx.URL(known) != httpx.URL(base) != SOMEWHERE:
        what = f"the package's DEFAULT_BASE_URL is {known}, not {base}"
        comparison.verdict.wrong("servers[0].url", what)


def _call(operation: Operation, probes: list[Probe], caller: Caller, comparison: Comparison):
    """Call the function of an operation."""
    probe = _probe_of(operation, probes)
    if probe is None:
        what = "the package has no function for it"
        comparison.verdict.missing(operation.place, what, operation.title)
        return
    try:
        calls = OperationCalls(operation, probe, caller, comparison)
        calls.check_requests()
        calls.check_answers()
    except NoValueError as error:
        comparison.verdict.unjudged.add(str(error))


def _probe_of(operation: Operation, probes: list[Probe]) -> Probe | None:
    """The function of an operation. Two may have paths of one shape: then the name decides."""
    path = shape(operation.path)
    matches = []
    for probe in probes:
        function = probe.function
        if shape(function.path) == path and function.method == operation.method:
            matches.append(probe)
    return max(matches, key=lambda probe: likeness(probe.function, operation), default=None)


def shape(path):
    """A path without the names of its parameters, and without a fragment."""
    return re.sub(r"{[^{}]+}", "{}", path).replace("{{", "{").replace("}}", "}").partition("#")[0]


def likeness(function: Function, operation: Operation):
    """How much the name of a function is that of an operation: of its id, or of its method and
    path.
    """
    name = letters(function.name)
    is_of_path = name.endswith(letters(f"{operation.method}{operation.path}"))
    return 2 * is_of_path + (name == letters(operation.identity))


def _receive(comparison: Comparison):
    """Read bodies of each webhook by its name."""
    verdict = comparison.verdict
    for hook in hooks(comparison.schemas.root.tree):
        media = bodies(comparison.schemas, Node(hook.tree, hook.place))
        for medium in [each for each in media if each.is_json][:1]:
            webhooks = comparison.package.load("webhooks")
            for value in comparison.values(medium.schema, "received"):
                if isinstance(value, Made) and not (value and _tells(value)):
                    continue  # it is refused
                try:
                    decoded = webhooks.read_webhook(json.dumps(value), name=hook.name)
                except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
                    what = f"read_webhook raises {type(error).__name__}: {error}"
                    verdict.missing(hook.place, what)
                    break
                why = difference(value, plain(decoded))
                if why:
                    verdict.wrong(hook.place, why)
                comparison.compare(medium.schema, value, decoded)


def _tells(value):
    """Whether a declared member in an object has more than null and blanks; one that is empty
    tells.
    """
    if isinstance(value, Made):
        return not value or any(_tells(value[name]) for name in value.keys() & value.declared)
    return value is not None and bool(str(value).strip())
