"""Small documents of what real ones have: the check of each is green, or says in one line what the document means."""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from victor_ext.spec.check import check

from .wire import TEXT, Tree, Wire, an_object, answering, ref


def document(paths: Tree, schemas: Tree | None = None, **more: Any) -> Tree:
    info = {"title": "T", "version": "1"}
    servers = [{"url": "https://api.example/v1"}]
    return {
        "openapi": "3.1.0",
        "info": info,
        "servers": servers,
        "paths": paths,
        "components": {"schemas": schemas or {}},
        **more,
    }


def parameter(name: str, place: str = "query", schema: Tree = TEXT, **more: Any) -> Tree:
    return {"in": place, "name": name, "schema": schema, **more}


def reading(*names: str) -> Tree:
    return {f"/{name}": {"get": answering(ref(name), operationId=name)} for name in names}


OK: Tree = {"responses": {"200": {"description": "-"}}}
HEADERS = ("User-Agent", "Content-Length", "Host", "Accept-Encoding", "Connection", "Cookie", "Transfer-Encoding")
BODY = {"requestBody": {"content": {"application/json": {"schema": an_object(a=TEXT)}}}}
CIRCLES = {"allOf": [ref("Circle"), ref("Ring")]}

GREEN: dict[str, Tree] = {
    "headers that a client writes by itself": document(
        {
            "/x": {
                "get": {**OK, "parameters": [parameter(name, "header") for name in HEADERS]},
                "post": {**OK, **BODY, "parameters": [parameter("content-length", "header", {"type": "integer"})]},
            }
        }
    ),
    "a host in capitals": document({"/x": {"get": OK}}, servers=[{"url": "HTTPS://API.Example/V1"}]),
    "a host of an operation in capitals": document(
        {"/x": {"get": {**OK, "servers": [{"url": "https://B.Example:443"}]}}}
    ),
    "a port that is no number": document({"/x": {"get": OK}}, servers=[{"url": "https://host:<port>/v1"}]),
    "a variable that is no port": document(
        {"/x": {"get": OK}},
        servers=[{"url": "https://a.example:{port}/v1", "variables": {"port": {"default": "<port>"}}}],
    ),
    "two paths of one shape without an id": document(
        {
            "/a/{id}": {"get": answering(TEXT)},
            "/a/{name}": {"get": answering(an_object(q=TEXT), parameters=[parameter("q")])},
        }
    ),
    "two paths of one shape with the same id": document(
        {
            "/a/{id}": {"get": answering(TEXT, operationId="a")},
            "/a/{name}": {"get": answering(an_object(q=TEXT), operationId="a", parameters=[parameter("q")])},
        }
    ),
    "a parameter of the name body": document(
        {
            "/x": {
                "get": {**OK, "parameters": [parameter("body", required=True)]},
                "post": {**OK, **BODY, "parameters": [parameter("body")]},
            },
            "/x/{body}": {"get": {**OK, "parameters": [parameter("body", "path", required=True)]}},
        }
    ),
    "an object or a text": document(
        {
            "/x": {
                "post": answering(
                    ref("T"),
                    requestBody={
                        "content": {"application/json": {"schema": an_object(m={"type": ["object", "string"]})}}
                    },
                    parameters=[parameter("q", schema={"type": ["object", "string"]})],
                )
            }
        },
        {
            "T": {
                "type": ["object", "string"],
                "properties": {"a": TEXT, "t": {"type": ["string", "object"]}, "u": ref("T")},
            },
        },
    ),
    "an object, a list or null": document(
        reading("N"),
        {"N": an_object(n={"type": ["object", "array", "null"], "properties": {"k": TEXT}, "items": TEXT})},
    ),
    "a composition that contains itself": document(
        {"/x": {"get": answering(CIRCLES)}}, {"Circle": an_object(next=CIRCLES), "Ring": an_object(next=CIRCLES)}
    ),
    "objects that contain themselves, composed": document(
        {"/x": {"get": answering(CIRCLES)}},
        {"Circle": an_object(next=ref("Circle")), "Ring": an_object(next=ref("Ring"))},
    ),
    "an object composed with more, within itself": document(
        reading("Node"),
        {
            "Node": an_object(
                parent={"allOf": [ref("Node"), {"description": "The one above."}]},
                more={"allOf": [ref("Node"), an_object(w=TEXT)]},
                several={"type": "array", "items": {"allOf": [ref("Node"), an_object(v=TEXT)]}},
            )
        },
    ),
    "a discriminator without a mapping": document(
        reading("Either"),
        {
            "Either": {"oneOf": [ref("Card"), ref("Bank")], "discriminator": {"propertyName": "kind"}},
            "Card": an_object(("kind",), kind=TEXT, of=an_object(number=TEXT), more=TEXT),
            "Bank": an_object(("kind",), kind=TEXT, of=an_object(iban=TEXT)),
        },
    ),
    "JSON as text/json": document(
        {
            "/x": {
                "post": {
                    "requestBody": {"required": True, "content": {"text/json": {"schema": an_object(a=TEXT)}}},
                    "responses": {"200": {"description": "-", "content": {"text/json": {"schema": an_object(b=TEXT)}}}},
                }
            }
        }
    ),
    "null as a constant": document(
        reading("Either"),
        {
            "Either": {"anyOf": [an_object(bank={"enum": [None]}), an_object(bank=an_object(iban=TEXT))]},
        },
    ),
}


@pytest.fixture
def lines(tmp_path: Path) -> Any:
    def lines(tree: Tree) -> list[str]:
        path = tmp_path / "some.json"
        path.write_text(json.dumps(tree), encoding="utf-8")
        report = check(path, None)
        return [problem.line() for problem in report.problems]

    return lines


@pytest.mark.parametrize("tree", GREEN.values(), ids=GREEN)
def test_nothing_is_wrong(tree: Tree, lines: Any) -> None:
    assert lines(tree) == []


def test_a_server_of_an_operation_that_is_no_url_is_left_out(lines: Any) -> None:
    [line] = lines(document({"/x": {"get": {**OK, "servers": [{"url": "https://host:<port>/v2"}]}}}))
    assert line.startswith("left out: GET /x: its server https://host:<port>/v2 is no URL: sent to base_url")


def test_types_that_exclude_each_other_are_left_out_once(lines: Any) -> None:
    schemas = {"A": an_object(z=TEXT), "U": an_object(b={"allOf": [{"type": "integer"}, TEXT]})}
    paths = {"/x": {"get": answering({"allOf": [ref("A"), TEXT]})}, **reading("U")}
    assert sorted(line.partition(", which")[0] for line in lines(document(paths, schemas))) == [
        "left out: GET /x 200 application/json: allOf intersects object and string",
        "left out: U.b: allOf intersects integer and string",
    ]


def test_the_code_is_what_a_reviewer_expects(tmp_path: Path) -> None:
    """A status without a body has no type; what is public has no private argument; each fact stands once."""
    answers = {"200": answering(ref("Card"))["responses"]["200"], "404": {"description": "No such card."}}
    paths = {"/cards": {"get": {"operationId": "card", "summary": "Read a card", "responses": answers}}}
    made = Wire(tmp_path, "wire_reviewed", paths=paths, components={"schemas": {"Card": an_object(number=TEXT)}})
    operation, model = made.module("card"), made.models.Card
    assert operation.sync_detailed.__annotations__["return"] == "Response[Card]"
    assert operation.sync.__annotations__["return"] == "Card | None"
    assert operation.__doc__ == "GET /cards: Read a card"
    assert [*inspect.signature(model.from_dict).parameters] == ["src_dict"]
    assert inspect.getsource(operation).count("TimeoutException") == 1
    assert sys.modules[model.__module__].__doc__ == "The model `Card`."


def test_bytes_of_any_content_type_that_are_no_text_are_kept(tmp_path: Path) -> None:
    content = {"*/*": {"schema": TEXT}}
    paths = {"/x": {"get": {"operationId": "x", "responses": {"200": {"description": "-", "content": content}}}}}
    made = Wire(tmp_path, "wire_any_bytes", paths=paths)
    found = made.read("x", httpx.Response(200, content=b"caf\xe9 \xc3\xa9"))
    assert found.encode("utf-8", "surrogateescape") == b"caf\xe9 \xc3\xa9"
