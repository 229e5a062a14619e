"""The document is read as it is meant."""

from __future__ import annotations

import pytest
import yaml

from victor_ext.sandbox.victor.document import Document, document_path, load_document
from victor_ext.sandbox.victor.provider import VictorProvider


def a_document(schema):
    answer = {"content": {"application/json": {"schema": schema}}}
    item = {"get": {"operationId": "read", "responses": {"200": answer}}}
    return Document({"paths": {"/x": item}, "components": {"schemas": {"Part": {"properties": {"a": {}}}}}})


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "string", "pattern": "[0-9]+"}, ["12"], ["a12", "12\n", "", "\u0661"]),
        ({"type": "string", "pattern": r"\d+(\.\d{1,2})?"}, ["12", "1.25"], ["1.255", "-1", "\u0661"]),
        ({"type": "string", "pattern": "^[a-z]+$"}, ["ab"], ["ab1"]),
        ({"properties": {"a": {"type": "string"}}}, [{}, {"a": "x"}], [5, "x", [], {"a": 1}]),
        ({"$ref": "#/components/schemas/Part"}, [{}], ["x"]),
        ({"type": "integer", "format": "int32"}, [2**31 - 1, -(2**31)], [2**31, 1.5, True]),
        ({"type": "string", "nullable": True}, ["x", None], [1]),
        ({"allOf": [{"$ref": "#/components/schemas/Part"}], "required": ["b"]}, [{"b": 1}], [{}]),
        ({"type": "array", "items": {"type": "string", "pattern": "a"}}, [["a"]], [["ab"]]),
    ],
)
def test_schemas_mean_what_they_should(schema, good, bad):
    answer = a_document(schema).operation("GET", "/x").responses[200]
    assert [value for value in good if not answer.accepts(value)] == []
    assert [value for value in bad if answer.accepts(value)] == []


def test_the_document_has_the_four_operations():
    document = load_document()
    served = [operation for operation in VictorProvider.operations if operation.operation_id]
    declared = {operation.operation_id: document.operation(operation.method, operation.path) for operation in served}
    assert declared.keys() == {
        "listPaymentRequests",
        "createRequestPayment",
        "getPaymentRequest",
        "respondToPaymentRequest",
    }
    assert declared["listPaymentRequests"].integers == {"page", "page_size"}
    assert all(set(operation.responses) == {200, 400} for operation in declared.values())
    assert document_path().name == "victor.yaml"


def test_an_operation_that_the_document_does_not_have_is_named():
    with pytest.raises(LookupError, match="no GET /v3/x"):
        load_document().operation("GET", "/v3/x")


@pytest.fixture
def newer_document(tmp_path, monkeypatch):
    """A newer document: operations of any form, another operation id, and one more parameter of the list."""
    raw = yaml.safe_load(document_path().read_text())
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer"}}
    raw["components"]["parameters"] = {"Limit": limit}
    raw["paths"]["/v2/counterparties"] = {
        "parameters": [{"$ref": "#/components/parameters/Limit"}],
        "get": {"parameters": [limit], "responses": {"default": {"description": "a list"}}},
        "delete": {"operationId": "forget", "responses": {"204": {"description": "nothing"}}},
    }
    paths = raw["paths"]
    paths["/v2/payment-requests/{request}"] = paths.pop("/v2/payment-requests/{victor_payment_request_id}")
    paths["/v2/payment-requests/{request}"]["get"]["operationId"] = "retrievePaymentRequest"
    paths["/v2/payment-requests"]["get"]["parameters"].insert(0, {"$ref": "#/components/parameters/Limit"})
    paths["/v2/payment-requests"]["get"]["responses"]["default"] = {"description": "an error"}
    path = tmp_path / "victor.yaml"
    path.write_text(yaml.safe_dump(raw))
    monkeypatch.setattr("victor_ext.sandbox.victor.document.document_path", lambda: path)
    load_document.cache_clear()
    yield
    load_document.cache_clear()


@pytest.mark.usefixtures("newer_document")
def test_a_newer_document_with_more_operations_and_other_names_is_served(start):
    _, caller = start()
    request_id = caller.created()["victor_payment_request_id"]
    assert caller.get(request_id).status_code == 200
    assert load_document().operation("GET", "/v2/payment-requests").integers == {"limit", "page", "page_size"}


def test_an_answer_that_breaks_the_document_is_a_500_of_the_sandbox(start, monkeypatch, caplog):
    from victor_ext.sandbox.victor.formats import Formats

    _, caller = start()
    request_id = caller.created()["victor_payment_request_id"]
    monkeypatch.setattr(Formats, "detail", lambda *_: {"status": 5})
    response = caller.get(request_id)
    assert (response.status_code, response.json()["error"]) == (500, "nonconforming_answer")
    assert "breaks the document at: status" in caplog.text
