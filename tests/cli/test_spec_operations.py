"""`victor spec operations` says of each operation what `connect` does with it, and warns of what a
document lacks.
"""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cases import cases_beside
from victor_ext.cli.operations import main
from victor_ext.spec.generate import generate

pytestmark = pytest.mark.slow
ROOT, TEXT = Path(__file__).resolve().parents[2], {"type": "string"}
SYSTEMS = ("victor", "velo", "eastpay", "flexfactor")
DONE: dict[str, Any] = {
    "content": {"application/json": {"schema": {"properties": {"id": TEXT}}}},
    "description": "",
}
ANSWERS = {"200": DONE, "default": {"description": ""}}


def document(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    servers = [{"url": "https://some.example"}]
    return {
        "openapi": "3.1.0",
        "info": {"title": "", "version": ""},
        "servers": servers,
        "paths": paths,
        **more,
    }


def seen(
    folder: Path, capsys: pytest.CaptureFixture[str], tree: dict[str, Any], *more: str
) -> dict[str, Any]:
    """What the command says of a document, as JSON."""
    (folder / "some.json").write_text(json.dumps(tree))
    assert main(["operations", str(folder / "some.json"), "--json", *more], prog="victor spec") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_page_shows_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["operations", str(ROOT / "examples" / "till.yaml")], prog="victor spec") == 0
    table = capsys.readouterr().out.partition("\n\n")[0]
    assert table in (ROOT / "docs" / "add-a-payment-api.md").read_text(encoding="utf-8")


DOCUMENTS = {
    **{name: ROOT / "openapi" / f"{name}.yaml" for name in SYSTEMS},
    "till": ROOT / "examples" / "till.yaml",
    "zoo": ROOT / "tests" / "spec" / "zoo.yaml",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_module_of_each_operation_is_the_one_to_import(
    name: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package = f"of_{name}"
    command = ["operations", str(DOCUMENTS[name]), "--json", f"--name={package}"]
    assert main(command, prog="victor spec") == 0
    operations = json.loads(capsys.readouterr().out)["operations"]
    generate(DOCUMENTS[name], tmp_path, name=package)
    monkeypatch.syspath_prepend(tmp_path)
    for each in operations:
        module = importlib.import_module(each["module"])
        declared = module.OPERATION
        shape = re.sub(r"{[^{}]*}", "{}", f"{declared.method} {declared.path}")
        assert shape == re.sub(r"{[^{}]*}", "{}", each["operation"])
        assert module.sync_detailed
    files = {*(tmp_path / package / "api").rglob("*.py")}
    assert len(operations) == sum(each.name != "__init__.py" for each in files)


def test_the_module_is_that_of_the_default_package(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["operations", str(DOCUMENTS["till"]), "--json"]
    assert main(command, prog="victor spec") == 0
    modules = {each["module"] for each in json.loads(capsys.readouterr().out)["operations"]}
    assert "till_api.api.payments.take_payment" in modules


def get(**more: Any) -> dict[str, Any]:
    return {"/p": {"get": {"operationId": "read", "responses": ANSWERS, **more}}}


@pytest.mark.parametrize("case", cases_beside(__file__)["warnings"], ids=str)
def test_a_warning_names_its_place(
    case: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, rule = case.get("place", ""), case.get("rule", "")
    read = get(**case.get("get", {}))
    item = dict.fromkeys(case.get("methods", ["get"]), read["/p"]["get"])
    tree = document({"/p": item}) | case.get("document", {})
    found = seen(tmp_path, capsys, tree)["warnings"]
    assert [(each["place"], each["rule"]) for each in found] == ([(place, rule)] if rule else [])
    status = main(
        ["operations", str(tmp_path / "some.json"), "--fail-on-warning"], prog="victor spec"
    )
    assert (status, f"{rule} (1): " in capsys.readouterr().out) == (int(bool(rule)), bool(rule))
    assert not rule or seen(tmp_path, capsys, tree, "--skip", rule)["warnings"] == []


def test_a_key_that_no_operation_declares_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = seen(tmp_path, capsys, document(get()), "--key", "Idempotncy-Key")["warnings"]
    assert [each["rule"] for each in found] == ["undeclared-key"]
