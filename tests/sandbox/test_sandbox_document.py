"""The document is read as it is meant."""

from __future__ import annotations

import pytest

from victor_ext.sandbox.victor.document import Document, document_path, load_document


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
    answer = a_document(schema).operations["read"].responses[200]
    assert [value for value in good if not answer.accepts(value)] == []
    assert [value for value in bad if answer.accepts(value)] == []


def test_the_document_has_the_four_operations():
    document = load_document()
    assert set(document.operations) == {
        "listPaymentRequests",
        "createRequestPayment",
        "getPaymentRequest",
        "respondToPaymentRequest",
    }
    assert document.operations["listPaymentRequests"].integers == {"page", "page_size"}
    assert all(set(operation.responses) == {200, 400} for operation in document.operations.values())
    assert document_path().name == "victor.yaml"


def test_an_answer_that_breaks_the_document_is_a_500_of_the_sandbox(start, monkeypatch, caplog):
    from victor_ext.sandbox.victor.formats import Formats

    _, caller = start()
    request_id = caller.created()["victor_payment_request_id"]
    monkeypatch.setattr(Formats, "detail", lambda *_: {"status": 5})
    response = caller.get(request_id)
    assert (response.status_code, response.json()["error"]) == (500, "nonconforming_answer")
    assert "breaks the document at: status" in caplog.text
