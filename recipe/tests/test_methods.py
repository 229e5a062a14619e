"""The methods of OpenAPI 3.2: QUERY, which reads, and those of `additionalOperations`, which are
writes.
"""

import shutil

import pytest

from victor_spec.document import load

from .calls.judge import judged
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


def test_the_judgement_of_calls_misses_a_removed_query_or_additional_operation(wire, tmp_path):
    tree = load(wire.folder / "document.json")
    package = shutil.copytree(wire.result.package, tmp_path / "less")
    assert judged(tree, package).faults == {}
    for name in ("find", "copy", "m_search_things_id"):
        (package / "api" / "default" / f"{name}.py").unlink()
    missing = [each.place for each in judged(tree, package).faults.values()]
    item = "paths./things/{id}"
    others = (f"{item}.additionalOperations.{name}" for name in ("COPY", "M-SEARCH"))
    assert missing == [f"{item}.query", *others]
