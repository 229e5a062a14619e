"""Where a good response has the id of what was made or read, and its state: by names that say so
alone. Anything else, the caller's rows say.
"""

from victor_spec.requests import Result
from victor_spec.tree import Operation, Tree, is_json, mapping_at, operations, resolve

from .base import Log
from .keys import words_of
from .serialization import is_object, members_of

WRAPPERS = frozenset({"data", "result", "response", "payload", "resource", "object"})
"""The names of members that hold what was made, whatever it is."""
STATES = ("status", "state")


def record_results(document: Tree, log: Log) -> None:
    """Record where the responses of each operation have an id and a state."""
    every = operations(document)
    reads = [each.path for each in every if each.method == "get" and each.path.endswith("}")]
    for operation in every:
        result = _result(document, operation, reads)
        if result != Result():
            log.requests.request(operation.tree).result = result
            places = " and ".join(filter(None, result))
            log("record-results", f"{operation.where}: {places}")


def _result(document: Tree, operation: Operation, reads: list[str]) -> Result:
    """The places of the id and of the state beside it; an empty text for one that is not told."""
    members = _members(document, operation)
    wrappers = [path for path in members if len(path) == 1 and path[0] in WRAPPERS]
    holders = [(), *(path for path in wrappers if is_object(document, members[path]))]
    scalars = [path for path, member in members.items() if not is_object(document, member)]
    names = [*_names_of_id(operation, reads), "id"]
    id: tuple[str, ...] = ()
    for name in names:
        called = [path for path in scalars if "".join(words_of(path[-1])) == name]
        places = [path for path in called if path[:-1] in holders]
        if not id and len(places) == 1:
            id = places[0]
    states = [(*id[:-1], name) for name in STATES if (*id[:-1], name) in scalars]
    return Result(".".join(id), ".".join(states[0]) if states else "")


def _names_of_id(operation: Operation, reads: list[str]) -> list[str]:
    """What the path of the thing itself, or of its read, calls its id: `paymentid`."""
    path = operation.path
    below = [each for each in reads if each.rpartition("/")[0] == path]
    if len(below) == 1:
        path = below[0]
    if not path.endswith("}"):
        return []
    name = path.rpartition("{")[2][:-1]
    return ["".join(words_of(name))]


def _members(document: Tree, operation: Operation) -> dict[tuple[str, ...], Tree]:
    """The members of the good answers that are JSON, and of the objects in them."""
    responses = mapping_at(operation.tree, "responses")
    good = [each for status, each in responses.items() if str(status).startswith("2")]
    found: dict[tuple[str, ...], Tree] = {}
    for answer in good or [responses.get("default", {})]:
        for kind, medium in mapping_at(resolve(document, answer), "content").items():
            if is_json(str(kind)):
                schema = mapping_at(medium, "schema")
                found = dict(members_of(document, schema, 2)) | found
    return found
