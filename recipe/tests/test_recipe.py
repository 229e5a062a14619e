"""The recipe as a whole: the same bytes every time, and a check that sees whatever is wrong."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from victor_spec.destination import changed_files
from victor_spec.generate import generate, package_name

from .cases import DOCUMENTS, ROOT
from .command import run

pytestmark = pytest.mark.pull_request
CHECK = ["check", ROOT / "openapi" / "victor.yaml"]


def test_documents_give_the_same_packages_whatever_the_hash_seed_the_locale_and_the_folder(
    tmp_path,
):
    """`make check-generated` compares the committed packages with those of this process."""
    out = tmp_path / "a" / "second place"
    out.mkdir(parents=True)
    generate = [sys.executable, "-W", "error", "-m", "victor_spec", "generate"]
    command = [*generate, *map(str, DOCUMENTS), "--out", out]
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "LC_ALL": "C", "TZ": "Asia/Tokyo"}
    subprocess.run(command, check=True, capture_output=True, cwd=out, env=environment)
    assert {each.name for each in out.iterdir()} == {*map(package_name, DOCUMENTS)}
    for package in out.iterdir():
        assert not changed_files(package, ROOT / "generated" / package.name)
        assert (package / "py.typed").exists()
        text = "".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py"))
        assert str(tmp_path) not in text
        assert str(ROOT) not in text


def test_the_check_fails_for_a_package_that_differs_and_names_each_such_file(tmp_path, capsys):
    """A changed character, and files that are on one side only."""
    committed = tmp_path / "generated"
    shutil.copytree(ROOT / "generated" / "victor_api", committed / "victor_api")
    (committed / "victor_api" / "models" / "added.py").write_text("x = 1\n")
    (committed / "victor_api" / "py.typed").unlink()
    model = committed / "victor_api" / "models" / "payment_request_receipt.py"
    model.write_text(
        model.read_text(encoding="utf-8")
        .replace('"OUTBOUND"', "")
        .replace("status: P", "status: Q")
    )
    assert run(*CHECK, "--out", committed) == 1
    package = committed / "victor_api"
    how = "run `victor-spec generate` as it was made, with the document and --out"
    assert capsys.readouterr().out.splitlines()[:6] == [
        "differs (1): not generated: remove it",
        f"    {package / 'models' / 'added.py'}",
        f"differs (1): stale, or edited by hand: {how}",
        f"    {model}",
        f"differs (1): gone: {how}",
        f"    {package / 'py.typed'}",
    ]


def lines(report):
    return [f"{each.kind}: {each.place}: {each.what}".rstrip(": ") for each in report.problems]


def test_a_package_is_named_after_its_document_without_the_version():
    assert "victor.yaml" in [path.name for path in DOCUMENTS]
    assert package_name(Path("velo-2.35.58.yaml")) == "velo_api"
    assert package_name(Path("My Payments v2.json")) == "my_payments_api"
    assert package_name(Path("some-api.yaml")) == "some_api"


def test_only_the_pinned_tools_may_write(victor_yaml, tmp_path, monkeypatch):
    monkeypatch.setattr("victor_spec.generate.version", lambda tool: "0.0.1")
    with pytest.raises(
        RuntimeError, match=r"openapi-python-client 0\.0\.1 is installed, victor-spec pins"
    ):
        generate(victor_yaml, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_generate_says_which_files_changed(tmp_path, zoo_yaml, capsys):
    arguments = ["generate", "--out", tmp_path, "--name=zoo"]
    assert run(*arguments, zoo_yaml, "--verbose") == 0
    printed = capsys.readouterr().out
    assert "  merge-allof-siblings: Cat\n" in printed
    assert f"zoo.yaml -> {tmp_path / 'zoo'}: " in printed
    assert run(*arguments, zoo_yaml) == 0
    assert capsys.readouterr().out.endswith(": nothing changed\n")
    newer = tmp_path / "newer.yaml"
    newcomer = "    Newcomer: {type: object, properties: {a: {type: string}}}\n"
    newer.write_text(zoo_yaml.read_text(encoding="utf-8") + newcomer, encoding="utf-8")
    assert run(*arguments, newer) == 0
    summary, *lines = capsys.readouterr().out.splitlines()
    assert summary.endswith(": 1 new, 2 changed")
    assert lines == [
        "  + models/newcomer.py",
        "  ~ members.py",
        "  ~ models/__init__.py",
    ]


# ---- Each rewrite by itself: what it does, where it says so, and that it leaves the rest alone
# ----
