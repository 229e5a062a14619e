"""The methods of OpenAPI 3.2 in a connected client: QUERY reads, and those of
`additionalOperations` are writes.
"""

import importlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.providers.running import Script
from victor_ext import ApiClient, ConnectionFailed, HeaderKey, Outcome
from victor_ext.providers.connected.declared_keys import key_place
from victor_ext.providers.connected.operations import rows_of
from victor_spec.generate import generate

pytestmark = pytest.mark.slow
TEXT = {"type": "string"}
OBJECT = {"type": "object", "properties": {"id": TEXT}}
THING = {"description": "-", "content": {"application/json": {"schema": OBJECT}}}
BODY = {"type": "object", "properties": {"text": TEXT}}
ITEM = {
    "parameters": [{"in": "path", "name": "id", "required": True, "schema": TEXT}],
    "get": {"operationId": "get", "responses": {"200": THING}},
    "query": {
        "operationId": "find",
        "requestBody": {"required": True, "content": {"application/json": {"schema": BODY}}},
        "responses": {"200": THING},
    },
    "additionalOperations": {
        "COPY": {"operationId": "copy", "responses": {"200": {"description": "-"}}},
        "M-SEARCH": {"responses": {"200": {"description": "-"}}},
    },
}
DOCUMENT = {
    "openapi": "3.2.0",
    "info": {"title": "T", "version": "1"},
    "paths": {"/things/{id}": ITEM},
}


@pytest.fixture(scope="module", autouse=True)
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The package `methods_api`."""
    folder = tmp_path_factory.mktemp("methods")
    document = folder / "methods.json"
    document.write_text(json.dumps(DOCUMENT), encoding="utf-8")
    assert generate(document, folder).left_out == []
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield


def module(name: str) -> Any:
    return importlib.import_module(f"methods_api.{name}")


@pytest.fixture
def provider() -> Script:
    """Loses the first response; a result that is looked for again is somewhere else."""
    elsewhere = httpx.Response(303, headers={"location": "/found"})
    return Script(httpx.ReadError("lost"), elsewhere, httpx.Response(200, json={"id": "1"}))


@pytest.fixture
def api(provider: Script) -> Iterator[ApiClient[Any]]:
    client = module("client").Client
    transport = provider.transport
    with ApiClient(
        client, base_url="https://x.example", key=HeaderKey(), transport=transport
    ) as connected:
        yield connected


def test_a_query_is_repeated_as_it_was_and_its_result_read_where_it_is(
    api: ApiClient[Any], provider: Script
) -> None:
    body = module("models").FindBody(text="a")
    thing = module("api.default.find").sync("1", client=api.api, body=body)
    assert thing.id == "1"
    sent = [(request.method, request.content) for request in provider.requests]
    assert sent == [*[("QUERY", b'{"text":"a"}')] * 2, ("GET", b"")]
    assert provider.requests[2].url.path == "/found"


def test_another_method_is_sent_once(api: ApiClient[Any], provider: Script) -> None:
    with pytest.raises(ConnectionFailed) as raised:
        module("api.default.copy").sync_detailed("1", client=api.api)
    assert raised.value.outcome is Outcome.UNKNOWN
    assert [request.method for request in provider.requests] == ["COPY"]


def test_the_table_reads_by_query_and_writes_by_others() -> None:
    declared = module("operations").OPERATIONS
    rows = {
        row.operation: (row.reads, row.repeated)
        for row in rows_of(declared, key_place(declared, None))
    }
    assert rows == {
        "GET /things/{}": (True, True),
        "QUERY /things/{}": (True, True),
        "COPY /things/{}": (False, False),
        "M-SEARCH /things/{}": (False, False),
    }
