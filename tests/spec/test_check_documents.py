"""The check of a whole package is green, or says in one line what the document means; no document makes it stumble."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import yaml

from victor_ext.spec import rewrites
from victor_ext.spec.checking.check import Report, check
from victor_ext.spec.checking.package import build
from victor_ext.spec.checking.views import Document

from .wire import TEXT, Tree, Wire, an_object, answering, document, done, ref, taking

pytestmark = pytest.mark.thorough
HERE = Path(__file__).resolve().parent


def answered(kind: str = "application/json", **medium: Any) -> Tree:
    """An operation with one answer in one content type."""
    return {"responses": {"200": {"description": "-", "content": {kind: medium}}}}


OK: Tree = {"responses": {"200": {"description": "-"}}}


def at_x(schemas: Tree | None = None, servers: list[Tree] | None = None, **operations: Tree) -> Tree:
    """A document with one path."""
    return document({"/x": operations}, schemas, **({"servers": servers} if servers else {}))


GREEN: dict[str, Tree] = yaml.safe_load((HERE / "green.yaml").read_text(encoding="utf-8"))


Checked = Callable[[Tree], Report]


@pytest.fixture
def checked(tmp_path: Path) -> Checked:
    def checked(tree: Tree) -> Report:
        (tmp_path / "some.json").write_text(json.dumps(tree), encoding="utf-8")
        return check(tmp_path / "some.json", None)

    return checked


def lines(report: Report) -> list[str]:
    return [problem.line() for problem in report.problems]


@pytest.mark.parametrize("tree", GREEN.values(), ids=GREEN)
def test_nothing_is_wrong(tree: Tree, checked: Checked) -> None:
    assert lines(checked(document(**tree))) == []


def test_what_is_no_fault_of_the_package_is_green() -> None:
    report = check(HERE / "legitimate.yaml", None)
    assert lines(report) == []
    assert report.findings.declared == report.findings.present


@pytest.mark.parametrize("url", ["https://host:<port>/v2", "https://{tenant}.example/v2"])
def test_a_server_that_nobody_can_know_is_not_wrong(checked: Checked, url: str) -> None:
    servers = [{"url": "https://api.example/v1"}]
    assert lines(checked(at_x(get={**OK, "servers": [{"url": url}]}, servers=servers))) == []


def test_types_that_exclude_each_other_are_left_out_once(checked: Checked) -> None:
    schemas = {"A": an_object(z=TEXT), "U": an_object(b={"allOf": [{"type": "integer"}, TEXT]})}
    paths = {"/x": {"get": answering({"allOf": [ref("A"), TEXT]})}, "/u": {"get": answering(ref("U"))}}
    assert sorted(line.partition(", which")[0] for line in lines(checked(document(paths, schemas)))) == [
        "left out: GET /x 200 application/json: allOf intersects object and string",
        "left out: U.b: allOf intersects integer and string",
    ]


def test_a_body_that_http_does_not_send_would_be_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [each for each in rewrites.REWRITES if each.__name__ != "drop_impossible_body"]
    monkeypatch.setattr(rewrites, "REWRITES", others)
    report = check(HERE / "legitimate.yaml", None)
    assert [each.place for each in report.problems] == [
        "paths./twice/{id}.get.responses.204",
        "paths./twice/{id}.head.responses.200",
    ]


@pytest.mark.parametrize(("value", "name"), [({"city": "a"}, "Wide"), ({"city": "a", "country": "b"}, "Slim")])
def test_a_caller_takes_the_class_whose_required_fields_are_given(
    tmp_path: Path, value: dict[str, str], name: str
) -> None:
    schemas = {
        "Slim": an_object(("city", "country"), city=TEXT, country=TEXT),
        "Wide": an_object(("city",), city=TEXT, country=TEXT, street=TEXT),
    }
    paths = {"/x": {"post": done("x", requestBody=taking({"oneOf": [*map(ref, schemas)]}))}}
    models = Wire(tmp_path, f"wire_{name.lower()}", **document(paths, schemas)).models
    assert type(build(models.Slim | models.Wide, value)).__name__ == name


def test_a_view_that_could_not_be_built_is_built_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Document(an_object(a=TEXT))
    monkeypatch.setattr(read, "_build", Mock(side_effect=RecursionError))
    with pytest.raises(RecursionError):
        read.views(read.root)
    monkeypatch.undo()
    assert [[*view.properties] for view in read.views(read.root)] == [["a"]]


CLOSED = {**an_object(user=TEXT), "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        ({"type": "object", "additionalProperties": an_object(number=TEXT)}, {"year": {"number": 2018}, "no": None}),
        ({"oneOf": [CLOSED]}, {"user": "a", "token": "b"}),
        ({"oneOf": [an_object(("user",), user=TEXT, token=TEXT)]}, {"token": "b"}),
        ({"type": "null"}, {"any": "thing"}),
        ({"type": "integer", "enum": [2], "oneOf": [{"const": 1}, {"const": 2}]}, 1),
    ],
)
def test_an_example_that_contradicts_its_schema_is_not_tried(checked: Checked, schema: Tree, example: Any) -> None:
    answers = (answered(schema=an_object(of=schema), **more) for more in ({"example": {"of": example}}, {}))
    report, other = (checked(at_x(get={"operationId": "x", **each})) for each in answers)
    assert lines(report) == []
    assert report.findings.decoded == other.findings.decoded
