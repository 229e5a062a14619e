"""Documents whose package is whole make the check green, whatever else they do; and no document makes it stumble."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from victor_ext.spec.__main__ import main
from victor_ext.spec.check import check

HERE = Path(__file__).resolve().parent


@pytest.mark.parametrize("name", ["legitimate", "legitimate31"])
def test_what_is_no_fault_of_the_package_is_green(name: str) -> None:
    report = check(HERE / f"{name}.yaml", None)
    assert [each.line() for each in report.problems] == []
    assert report.findings.declared == report.findings.present


def test_a_body_that_http_does_not_send_would_be_missed() -> None:
    report = check(HERE / "legitimate.yaml", None, skip=("drop-impossible-body",))
    assert [each.place for each in report.problems] == [
        "paths./twice/{id}.get.responses.204",
        "paths./twice/{id}.head.responses.200",
    ]


def test_an_example_that_contradicts_its_schema_is_a_note() -> None:
    notes = list(check(HERE / "legitimate.yaml", None).findings.notes)
    assert notes == [
        "paths./twice/{id}.get.parameters.query:size: the example contradicts its schema: 7 is not in the enum",
        (
            "paths./things.post.requestBody.content.application/json: the example contradicts its schema:"
            " size: 'big' is not in the enum"
        ),
    ]


def test_an_example_in_a_map_that_contradicts_the_schema_of_its_values_is_a_note(tmp_path: Path) -> None:
    spec = tmp_path / "some.json"
    values = {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Value"}}
    medium = {"application/json": {"schema": values, "example": {"year": {"number": 2018}, "no": None}}}
    tree = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "paths": paths(responses={"200": {"description": "Ok", "content": medium}}),
        "components": {"schemas": {"Value": {"type": "object", "properties": {"number": {"type": "string"}}}}},
    }
    spec.write_text(json.dumps(tree), encoding="utf-8")
    report = check(spec, None)
    assert [each.line() for each in report.problems] == []
    assert list(report.findings.notes) == [
        (
            "paths./x.get.responses.200.content.application/json: the example contradicts its schema:"
            " year: number: int where string is declared"
        )
    ]


def paths(**operation: Any) -> dict[str, Any]:
    return {"/x": {"get": {"operationId": "x", "responses": {"200": {"description": "Ok"}}, **operation}}}


def schema(tree: Any) -> dict[str, Any]:
    medium = {"application/json": {"schema": tree}}
    return {"paths": paths(responses={"200": {"description": "Ok", "content": medium}})}


ODD: dict[str, Any] = {
    "nothing": {},
    "no paths": {"paths": None},
    "no components": {"paths": {}, "components": None},
    "a path that is null": {"paths": {"/x": None}},
    "an operation that is null": {"paths": {"/x": {"get": None}}},
    "paths that are a list": {"paths": []},
    "no answers": {"paths": paths(responses=None)},
    "an answer that is null": {"paths": paths(responses={"200": None})},
    "parameters that are null": {"paths": paths(parameters=None)},
    "a parameter that is text": {"paths": paths(parameters=["x"])},
    "a parameter without a name": {"paths": paths(parameters=[{"in": "query"}])},
    "a parameter without a schema": {"paths": paths(parameters=[{"in": "query", "name": "q"}])},
    "a body without content": {"paths": paths(requestBody={})},
    "a body that is null": {"paths": paths(requestBody={"content": {"application/json": None}})},
    "servers that are null": {"paths": paths(), "servers": None},
    "a server without an URL": {"paths": paths(), "servers": [{}]},
    "a server that is no URL": {"paths": paths(), "servers": [{"url": "http://[x"}]},
    "a schema that is true": schema(True),
    "a schema that is text": schema("string"),
    "a type that is a number": schema({"type": 5}),
    "properties that are null": schema({"type": "object", "properties": None}),
    "properties that are a list": schema({"type": "object", "properties": ["a"]}),
    "required that is true": schema({"type": "object", "required": True, "properties": {"a": {"type": "string"}}}),
    "an enum that is text": schema({"type": "string", "enum": "a"}),
    "an empty enum": schema({"type": "string", "enum": []}),
    "an empty union": schema({"oneOf": []}),
    "a union of nulls": schema({"anyOf": [{"type": "null"}, {"type": "null"}]}),
    "a reference to nothing": schema({"$ref": "#/components/schemas/Lost"}),
    "a reference to itself": {
        **schema({"$ref": "#/components/schemas/A"}),
        "components": {"schemas": {"A": {"$ref": "#/components/schemas/A"}}},
    },
    "a reference that is a number": schema({"$ref": 5}),
    "a discriminator that is text": schema({"oneOf": [{"type": "object"}], "discriminator": "kind"}),
    "a schema that requires itself": {
        **schema({"$ref": "#/components/schemas/A"}),
        "components": {
            "schemas": {
                "A": {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/components/schemas/A"}}}
            }
        },
    },
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_an_odd_document_is_no_traceback(
    odd: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "odd.json"
    document.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, **odd}))
    status = main(["check", str(document)])
    printed = capsys.readouterr()
    assert status in (0, 1, 2)
    assert "Traceback" not in printed.err
    assert all(len(line) < 1_000 for line in printed.err.splitlines())
    assert bool(printed.err) == (status != 0)
    assert bool(printed.out) == (status != 2)


def test_a_server_that_nobody_can_know_is_left_out_and_not_wrong(tmp_path: Path) -> None:
    spec = tmp_path / "some.json"
    tree = {
        "openapi": "3.0.3",
        "info": {"title": "T", "version": "1"},
        "servers": [{"url": "https://api.example/v1"}],
        "paths": paths(servers=[{"url": "https://{tenant}.example/v2"}]),
    }
    spec.write_text(json.dumps(tree), encoding="utf-8")
    problems = check(spec, None).problems
    assert [each.line().partition(":")[0] for each in problems] == ["left out"]
