"""`victor operations` says of each operation of a generated package what `connect` does with it,
and warns of what it cannot promise.
"""

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


def test_a_write_without_a_key_is_a_warning_that_can_fail_the_command(bare_command, tmp_path):
    some = package(tmp_path, {"/p": write()})
    assert warnings(bare_command, some) == [("write-without-key", "POST /p")]
    assert warnings(bare_command, some, "--skip", "write-without-key") == []
    assert bare_command("operations", some).status == 0
    failed = bare_command("operations", some, "--fail-on-warning")
    assert failed.status == 1
    assert "write-without-key (1): After a lost response it is not repeated" in failed.out
