"""Small documents of what real ones have: the check of each is green, or says in one line what the document means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from victor_ext.spec.check import check

from .wire import TEXT, Tree, an_object, answering, ref


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
    "a host of an operation in capitals": document({"/x": {"get": {**OK, "servers": [{"url": "https://B.Example:443"}]}}}),
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
