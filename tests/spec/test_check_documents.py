"""The check of a whole package is green, or says in one line what the document means; no document makes it stumble."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest

from victor_ext.spec import rewrites
from victor_ext.spec.checking.check import Report, check
from victor_ext.spec.checking.package import build
from victor_ext.spec.checking.views import Document

from .wire import TEXT, Tree, Wire, an_object, answering, beside, document, done, ref, taking

pytestmark = pytest.mark.thorough
HERE = Path(__file__).resolve().parent


GREEN: dict[str, Tree] = beside("green")
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


@pytest.mark.parametrize(("name", "counts"), [("zoo", [5, 14, 9]), ("legitimate", [20, 25, 37])])
def test_what_is_no_fault_of_the_package_is_green(name: str, counts: list[int]) -> None:
    report = check(HERE / f"{name}.yaml", None)
    declared = report.findings.declared
    assert (lines(report), declared) == ([], report.findings.present)
    assert [declared[kind] for kind in ("operations", "parameters", "answers")] == counts


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


@pytest.mark.parametrize("row", beside("contradicting"))
def test_an_example_that_contradicts_its_schema_is_not_tried(checked: Checked, row: Tree) -> None:
    operation = answering(an_object(of=row["schema"]), operationId="x")
    other = checked(document({"/x": {"get": operation}}))
    operation["responses"]["200"]["content"]["application/json"]["example"] = {"of": row["example"]}
    report = checked(document({"/x": {"get": operation}}))
    assert lines(report) == []
    assert report.findings.decoded == other.findings.decoded
