"""`victor operations` says of each operation of a generated package what `connect` does with it,
and warns of what it cannot promise.
"""

import importlib
import json
import re
from pathlib import Path

import pytest

from victor_spec.generate import generate

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
TEXT = {"type": "string"}
THING = {
    "content": {"application/json": {"schema": {"properties": {"reference": TEXT, "token": TEXT}}}},
    "description": "",
}
ANSWERS = {"200": THING, "default": {"description": ""}}
KEY = {"name": "Idempotency-Key", "in": "header", "schema": TEXT}


def package(folder, paths):
    """The folder of a package with some paths."""
    tree = {"openapi": "3.1.0", "info": {"title": "", "version": ""}, "paths": paths}
    document = folder / "some.json"
    document.write_text(json.dumps(tree), encoding="utf-8")
    name = re.sub(r"\W", "_", folder.name)  # one package a test: what is imported stays
    return str(generate(document, folder, name=f"of_{name}").package)


def write(*parameters):
    return {"post": {"operationId": "write", "parameters": [*parameters], "responses": ANSWERS}}


def warnings(command, package, *options):
    shown = command("operations", package, "--json", *options).json["warnings"]
    return [(warned["rule"], warned["place"]) for warned in shown]


def test_the_page_shows_the_table_that_victor_operations_prints(bare_command, tmp_path):
    """A package is named by its folder, too."""
    till = generate(ROOT / "examples" / "till.yaml", tmp_path, name="till_page_api").package
    table = bare_command("operations", str(till)).out.partition("\n\n")[0]
    assert table in (ROOT / "docs" / "add-a-payment-api.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["victor_api", "velo_api", "eastpay_api", "flexfactor_api"])
def test_the_module_of_each_operation_is_the_one_to_import(name, bare_command):
    shown = bare_command("operations", name, "--json").json
    for operation in shown["operations"]:
        module = importlib.import_module(operation["module"])
        declared = module.OPERATION
        shape = re.sub(r"{[^{}]*}", "{}", f"{declared.method} {declared.path}")
        assert shape == operation["operation"]
    files = {*(ROOT / "generated" / name / "api").rglob("*.py")}
    assert len(shown["operations"]) == sum(file.name != "__init__.py" for file in files)


def test_a_name_that_is_no_generated_package_is_refused(bare_command, tmp_path):
    for name in ("nothing_api", "json", ".nothing", str(ROOT / "docs")):
        ran = bare_command("operations", name)
        assert ran.status == 2
        assert f"{name} is no generated package: " in ran.err
    for options in (("--skip", "nothing"), ("--key", "a b")):
        assert bare_command("operations", "victor_api", *options).status == 2
    (tmp_path / "two_api").mkdir()
    (tmp_path / "two_api" / "__init__.py").touch()
    assert f"write one of {tmp_path}/two_api." in bare_command("operations", str(tmp_path)).err


def test_a_package_of_an_older_generator_is_to_be_generated_again(bare_command, tmp_path):
    (tmp_path / "older_api").mkdir()
    (tmp_path / "older_api" / "__init__.py").touch()
    (tmp_path / "older_api" / "operations.py").write_text(
        "from types import SimpleNamespace\n"
        "OPERATIONS = (SimpleNamespace(name='pay', method='POST', path='/pay', headers=()),)\n"
    )
    ran = bare_command("operations", str(tmp_path / "older_api"))
    assert ran.status == 2
    assert "older victor-spec: generate it again" in " ".join(ran.err.split())


def test_a_write_without_a_key_is_a_warning_that_can_fail_the_command(bare_command, tmp_path):
    some = package(tmp_path, {"/p": write()})
    assert warnings(bare_command, some) == [("write-without-key", "POST /p")]
    assert warnings(bare_command, some, "--skip", "write-without-key") == []
    assert bare_command("operations", some).status == 0
    failed = bare_command("operations", some, "--fail-on-warning")
    assert failed.status == 1
    assert "write-without-key (1): After a lost response it is not repeated" in failed.out


def test_an_undeclared_key_and_an_id_that_no_response_shows_are_warnings(bare_command, tmp_path):
    read = {"get": {"operationId": "read", "responses": ANSWERS}}
    some = package(tmp_path, {"/p": write(KEY), "/p/{id}": read})
    assert warnings(bare_command, some) == [("id-not-told", "POST /p")]
    wrong = warnings(bare_command, some, "--key", "Idempotncy-Key")
    assert ("undeclared-key", "Idempotncy-Key") in wrong


def test_no_text_of_a_document_steers_a_terminal(bare_command, tmp_path):
    evil = "\x1b]0;t\x07\u202e"
    answer = {"content": {"application/json": {"schema": {"properties": {evil: TEXT}}}}}
    operation = {"operationId": "write", "responses": {"200": {"description": "", **answer}}}
    some = package(tmp_path, {f"/p{evil}": {"post": operation}})
    ran = bare_command("operations", some)
    assert ran.status == 0
    assert [line for line in ran.out.split("\n") if not line.isprintable()] == []
