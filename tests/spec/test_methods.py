"""The methods of OpenAPI 3.2: QUERY, which reads, and those of `additionalOperations`, which are
writes.
"""

import importlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.providers.running import Script
from victor_ext import ApiClient, ConnectionFailed, HeaderKey, Outcome
from victor_ext.providers.connected.operations import key_place, rows_of
from victor_ext.spec.checking.check import inspect
from victor_ext.spec.document import load

from .diff.cases import entries
from .wire import TEXT, Tree, Wire, an_object, answering, document, package, parameter, ref, taking

pytestmark = pytest.mark.pull_request
THING = an_object(id=TEXT)
OK: Tree = {"responses": {"200": {"description": "-"}}}
FIND = answering(ref("Thing"), operationId="find", requestBody=taking(an_object(text=TEXT)))
ITEM: Tree = {
    "parameters": [parameter("id", "path")],
    "get": answering(ref("Thing"), operationId="get"),
    "query": FIND,
    "additionalOperations": {
        "COPY": {**OK, "operationId": "copy", "parameters": [parameter("Destination", "header")]},
        "M-SEARCH": OK,
    },
}
PATHS: Tree = {"/things/{id}": ITEM}


wire = package("methods", **document(PATHS, {"Thing": THING}, "3.2.0"))


def test_each_is_sent_by_the_method_that_is_named(wire: Wire) -> None:
    body = wire.models.FindBody(text="a")
    wire.response = httpx.Response(200, json={"id": "1"})
    sent = [
        wire.send("find", "1", body=body),
        wire.send("copy", "1", destination="/2"),
        wire.send("m_search_things_id", "1"),
    ]
    assert [each.method for each in sent] == ["QUERY", "COPY", "M-SEARCH"]
    assert {each.url.path for each in sent} == {"/base/things/1"}
    assert (json.loads(sent[0].content), sent[1].headers["destination"]) == ({"text": "a"}, "/2")


def test_the_check_calls_each_and_misses_one_that_is_not_there(wire: Wire, tmp_path: Path) -> None:
    tree, package = (
        load(wire.folder / "document.json"),
        Path(shutil.copytree(wire.result.package, tmp_path / "less")),
    )
    assert inspect(tree, package).present["operations"] == 4
    for name in ("find", "copy"):
        (package / "api" / "default" / f"{name}.py").unlink()
    missing = [each.place for each in inspect(tree, package).problems.values()]
    assert missing == ["paths./things/{id}.query", "paths./things/{id}.additionalOperations.COPY"]


@pytest.fixture
def provider() -> Script:
    """Loses the first response; a result that is looked for again is somewhere else."""
    elsewhere = httpx.Response(303, headers={"location": "/found"})
    return Script(httpx.ReadError("lost"), elsewhere, httpx.Response(200, json={"id": "1"}))


@pytest.fixture
def api(wire: Wire, provider: Script) -> Iterator[ApiClient[Any]]:
    client, transport = wire.client_module.Client, provider.transport
    with ApiClient(
        client, base_url="https://x.example", key=HeaderKey(), transport=transport
    ) as connected:
        yield connected


def test_a_query_is_repeated_as_it_was_and_its_result_read_where_it_is(
    wire: Wire, api: ApiClient[Any], provider: Script
) -> None:
    found = wire.module("find").sync("1", client=api.api, body=wire.models.FindBody(text="a"))
    assert found.id == "1"
    sent = [(each.method, each.content) for each in provider.requests]
    assert sent == [*[("QUERY", b'{"text":"a"}')] * 2, ("GET", b"")]
    assert provider.requests[2].url.path == "/found"


def test_another_method_is_sent_once(wire: Wire, api: ApiClient[Any], provider: Script) -> None:
    with pytest.raises(ConnectionFailed) as raised:
        wire.module("copy").sync_detailed("1", client=api.api)
    assert raised.value.outcome is Outcome.UNKNOWN
    assert [each.method for each in provider.requests] == ["COPY"]
    declared = importlib.import_module(f"{wire.name}.operations").OPERATIONS
    rows = {
        row.operation: (row.reads, row.repeated)
        for row in rows_of(declared, key_place(declared, None))
    }
    writes = dict.fromkeys(("COPY /things/{}", "M-SEARCH /things/{}"), (False, False))
    assert rows == {**dict.fromkeys(("GET /things/{}", "QUERY /things/{}"), (True, True)), **writes}


@pytest.mark.parametrize("gone", ["query", "additionalOperations"])
def test_the_diff_sees_one_that_comes_or_goes(gone: str, wire: Wire) -> None:
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
