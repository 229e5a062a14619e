"""The methods of OpenAPI 3.2: QUERY, which reads, and those of `additionalOperations`, which are
writes.
"""

import pytest

from victor_spec.document import load

from .diff.cases import entries
from .wire import TEXT, an_object, answering, document, package, parameter, ref, taking

pytestmark = pytest.mark.pull_request
THING = an_object(id=TEXT)
OK = {"responses": {"200": {"description": "-"}}}
FIND = answering(ref("Thing"), operationId="find", requestBody=taking(an_object(text=TEXT)))
ITEM = {
    "parameters": [parameter("id", "path")],
    "get": answering(ref("Thing"), operationId="get"),
    "query": FIND,
    "additionalOperations": {
        "COPY": {**OK, "operationId": "copy", "parameters": [parameter("Destination", "header")]},
        "M-SEARCH": OK,
    },
}
PATHS = {"/things/{id}": ITEM}


wire = package(**document(PATHS, {"Thing": THING}, "3.2.0"))


@pytest.mark.parametrize("gone", ["query", "additionalOperations"])
def test_the_diff_lists_a_query_or_additional_operation_that_is_added_or_removed(gone, wire):
    new = load(wire.folder / "document.json")
    old = load(wire.folder / "document.json")
    del new["paths"]["/things/{id}"][gone]
    names = {"query": ["query"], "additionalOperations": [f"{gone}.COPY", f"{gone}.M-SEARCH"]}[gone]
    places = [f"paths./things/{{id}}.{name}" for name in names]
    assert [(each.place, each.wire) for each in entries(old, new)] == [
        (place, "breaks") for place in places
    ]
    assert [(each.place, each.wire) for each in entries(new, old)] == [
        (place, "fine") for place in places
    ]
