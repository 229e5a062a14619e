"""The methods of OpenAPI 3.2 in a connected client: QUERY reads, and those of
`additionalOperations` are writes.
"""

import importlib

import httpx
import pytest

from tests.providers.connected.till import Caller, generated
from tests.providers.running import Script
from victor_ext import ConnectionFailed, HeaderKey, Outcome
from victor_ext.providers._connected.declared_keys import key_place
from victor_ext.providers._connected.operations import rows_of

pytestmark = pytest.mark.slow
DOCUMENT = """
openapi: 3.2.0
info: {title: T, version: '1'}
paths:
  /things/{id}:
    parameters: [{in: path, name: id, required: true, schema: {type: string}}]
    get:
      operationId: get
      responses: &thing
        '200':
          description: '-'
          content:
            application/json: {schema: {type: object, properties: {id: {type: string}}}}
    query:
      operationId: find
      requestBody:
        required: true
        content:
          application/json: {schema: {type: object, properties: {text: {type: string}}}}
      responses: *thing
    additionalOperations:
      COPY: {operationId: copy, responses: {'200': {description: '-'}}}
      M-SEARCH: {responses: {'200': {description: '-'}}}
"""


@pytest.fixture(scope="module", autouse=True)
def _package(tmp_path_factory):
    """The package `methods_api`."""
    document = tmp_path_factory.mktemp("methods") / "methods.yaml"
    document.write_text(DOCUMENT)
    generated(document)


def module(name):
    return importlib.import_module(f"methods_api.{name}")


@pytest.fixture
def provider():
    """Loses the first response."""
    return Script(httpx.ReadError("lost"), httpx.Response(200, json={"id": "1"}))


@pytest.fixture
def caller(provider, mode):
    return Caller(mode, provider, "methods_api", key=HeaderKey())


def test_a_request_of_an_unknown_method_is_sent_once(caller, provider):
    with pytest.raises(ConnectionFailed) as raised:
        caller.call("default.copy", "1")
    assert raised.value.outcome is Outcome.UNKNOWN
    assert [request.method for request in provider.requests] == ["COPY"]


def test_the_table_counts_query_as_a_read_and_unknown_methods_as_writes():
    declared = module("operations").OPERATIONS
    rows = {
        row.operation: (row.reads, row.repeated) for row in rows_of(declared, key_place(declared))
    }
    assert rows == {
        "GET /things/{}": (True, True),
        "QUERY /things/{}": (True, True),
        "COPY /things/{}": (False, False),
        "M-SEARCH /things/{}": (False, False),
    }
