"""A mistake in a provider's table is said when its class is made, or its sandbox starts; one in its
responses, by a 500.
"""

import re
from dataclasses import replace
from typing import Any

import httpx
import pytest
import yaml

from victor_ext.sandbox.engine import Result, Row, TableProvider
from victor_ext.sandbox.server import BodyKey, HeaderKey, ServerInThread
from victor_ext.sandbox.server.document import Document

MEMBERS = {
    "requestId": {"type": "string", "minLength": 4, "maxLength": 8},
    "cents": {"type": "integer", "minimum": 1},
    "kind": {"enum": ["card", "bank"]},
    "memo": {"type": "string", "maxLength": 3, "nullable": True},
}
NEW = {"type": "object", "required": ["cents"], "properties": MEMBERS}
RAW: dict[str, Any] = {
    "openapi": "3.0.3",
    "paths": {
        "/charges": {
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {**NEW, "additionalProperties": False}}
                    },
                },
                "responses": {
                    "201": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Charge"}}
                        }
                    },
                    "default": {"$ref": "#/components/responses/Failed"},
                },
            }
        },
        "/charges/{id}": {
            "get": {
                "responses": {
                    "2XX": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Charge"}}
                        }
                    }
                }
            }
        },
    },
    "components": {
        "schemas": {
            "Charge": {"properties": {"id": {"type": "string"}}},
            "Failure": {"required": ["error"], "properties": {"error": {"type": "string"}}},
        },
        "responses": {
            "Failed": {
                "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}
                }
            }
        },
    },
}
CHARGE = Row("charge", "POST /charges", lambda state, _: Result(body=state["made"]), 201)
FIND = Row("find", "GET /charges/{id}", lambda state, _: state["found"])


def provider(*rows, **members):
    """A class of a provider with these rows."""
    own = {
        "name": "small",
        "title": "Small",
        "rows": rows,
        "new_state": lambda _: {"made": {"id": "1"}, "found": {"id": "1"}},
        "authenticate": lambda *_: "ann",
    }
    return type("SmallProvider", (TableProvider,), {**own, **members})


def sandbox(*rows, **members):
    made = provider(*rows, **members)
    return type("SmallSandbox", (ServerInThread,), {"provider_type": made})()


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "charges.yaml"
    path.write_text(yaml.safe_dump(RAW))
    return str(path)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([replace(CHARGE, place="/charges")], "its place is '/charges'. Write a method and a path"),
        ([replace(CHARGE, place="post /charges")], "Write a method and a path, such as 'POST"),
        ([CHARGE, replace(FIND, name="charge")], "another row has this name"),
        (
            [FIND, replace(FIND, name="get", place="GET /charges/{charge}")],
            "the row 'find' has the same method and path",
        ),
        ([replace(CHARGE, is_keyed=True)], r"the provider has no key. Write key = HeaderKey\("),
    ],
    ids=["place", "method", "names", "places", "key"],
)
def test_a_row_that_cannot_work_is_refused_when_its_class_is_made(rows, said):
    with pytest.raises(ValueError, match=f"^The row '{rows[-1].name}' of SmallProvider: .*{said}"):
        provider(*rows)


@pytest.mark.parametrize(
    ("row", "members", "said"),
    [
        (
            replace(CHARGE, is_keyed=True),
            {"key": BodyKey("requestID")},
            "'requestID' of the body, .* BodyKey with 'cents' or 'kind' or 'memo' or 'requestId'",
        ),
        (
            replace(CHARGE, place="POST /charge"),
            {},
            r"no POST /charge. Write .*'POST /charges'.*; or is_documented=False",
        ),
        (replace(CHARGE, is_documented=False), {}, "Leave is_documented=False out"),
        (replace(FIND, status=301), {}, "its status is 301, and the document has 2XX"),
    ],
    ids=["key", "path", "documented", "status"],
)
def test_a_row_that_is_not_as_the_document_says_is_refused_at_the_start(
    document, row, members, said
):
    with pytest.raises(ValueError, match=f"^The row '{row.name}' of SmallProvider: .*{said}"):
        sandbox(row, document=document, **members).start()


def test_a_document_that_cannot_be_read_is_refused_at_the_start(tmp_path):
    lost = tmp_path / "lost.yaml"
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [")
    text = tmp_path / "text.yaml"
    text.write_text("some text")
    with pytest.raises(ValueError, match=r"cannot be read .* Write the whole path of the file"):
        sandbox(CHARGE, document=str(lost)).start()
    with pytest.raises(ValueError, match=r"cannot be read .* Write the whole path of the file"):
        sandbox(CHARGE, document="lost.yaml").start()
    for other in (broken, text):
        with pytest.raises(ValueError, match="is no OpenAPI document"):
            sandbox(CHARGE, document=str(other)).start()


def test_a_row_beside_the_document_says_so(document):
    beside = Row("beside", "GET /beside", lambda *_: 5, is_documented=False)
    keyed = replace(CHARGE, is_keyed=True)
    with sandbox(keyed, FIND, beside, document=document, key=BodyKey("requestId")) as small:
        assert httpx.get(f"{small.url}/beside").json() == 5
    with sandbox(keyed, document=document, key=HeaderKey("Idempotency-Key")):
        pass


@pytest.mark.parametrize("wrong", [{"id": 5}, 5, [], "text"])
def test_a_response_that_breaks_the_document_is_a_500_that_names_where(document, wrong, caplog):
    state = {"made": wrong, "found": wrong}
    with sandbox(CHARGE, FIND, document=document, new_state=lambda _: state) as small:
        made = httpx.post(f"{small.url}/charges", json={"cents": 1})
        found = httpx.get(f"{small.url}/charges/1")
    place = "id" if isinstance(wrong, dict) else "the body"
    for response in (made, found):
        assert (response.status_code, response.json()["error"]) == (500, "nonconforming_answer")
        assert f"breaks the document at: {place} breaks the rule 'type'" in response.text
    assert f"a response to 'charge' breaks the document at: {place}" in caplog.text


def test_an_error_is_a_response_too_and_odd_bodies_are_sent_where_a_provider_asks(document):
    def failed(self, status, code, message):
        return TableProvider.success(self, "", Result(body={"fault": message}), status)

    with sandbox(
        CHARGE, document=document, refusal=lambda self, *_: failed(self, 400, "", "")
    ) as small:
        response = httpx.post(f"{small.url}/charges", json={})
        assert (response.status_code, "error is required" in response.text) == (500, True)
    odd = {"conforms": False, "new_state": lambda _: {"made": {"id": 5}}}
    with sandbox(CHARGE, document=document, **odd) as small:
        assert httpx.post(f"{small.url}/charges", json={"cents": 1}).json() == {"id": 5}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "cents is required"),
        ({"cents": 1, "cent": 1}, "cent is not in the document: leave it out"),
        ({"cents": 0}, "cents .*: it must be at least 1"),
        ({"cents": "1"}, "cents .*: it must be an integer"),
        ({"cents": 1, "kind": "cash"}, "kind .*: it must be one of card, bank"),
        ({"cents": 1, "requestId": "a"}, "requestId has a wrong length: .* at least 4 characters"),
        ({"cents": 1, "requestId": "a" * 9}, "requestId .*: it must have at most 8 characters"),
        ({"cents": 1, "memo": "long"}, "memo has a wrong length: it must have at most 3"),
    ],
)
def test_a_refusal_says_what_the_document_wants(document, body, said):
    with sandbox(CHARGE, document=document) as small:
        response = httpx.post(f"{small.url}/charges", json=body)
    assert response.status_code == 400
    assert re.match(said, response.json()["message"])


def test_a_long_enum_is_not_written_whole():
    schema = {"type": "object", "properties": {"country": {"enum": [f"C{n}" for n in range(40)]}}}
    content = {"application/json": {"schema": schema}}
    raw = {"paths": {"/a": {"post": {"requestBody": {"content": content}, "responses": {}}}}}
    (problem,) = Document(raw).operation("POST", "/a").body.problems({"country": "X"})
    assert problem.message.endswith("C10, C11 or 28 more words")
