"""The page about changes shows what the command prints."""

import contextlib
import io
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contracts.document import Document
from tests.contracts.test_contracts import contract_of
from victor_ext.cli import operations
from victor_ext.spec.command_line import main
from victor_ext.spec.decisions import read_approvals

pytestmark = pytest.mark.pull_request
PAGE = Path(__file__).resolve().parents[3] / "docs" / "changes.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    old, new, approvals = blocks("yaml")[:3]
    shown, with_python = blocks("text")[:2]
    for name, text in (("old.yaml", old), ("new.yaml", new), ("a.yaml", approvals)):
        Path(name).write_text(text, encoding="utf-8")
    assert main(["diff", "old.yaml", "new.yaml", "--no-python", "--check-version"]) == 1
    assert capsys.readouterr().out == shown
    assert read_approvals(Path("a.yaml"))[0].scope == "wire"
    assert main(["diff", "old.yaml", "new.yaml"]) == 1
    assert with_python in capsys.readouterr().out


def test_the_picture_shows_the_report_and_loads_nothing(tmp_path: Path) -> None:
    script: Any = runpy.run_path(str(PAGE.parent / "pictures" / "record.py"))
    picture = (PAGE.parent / "pictures" / "spec-diff.svg").read_text(encoding="utf-8")
    assert picture == script["as_svg"](
        script["spec_diff"](tmp_path), "victor spec diff old.yaml new.yaml"
    )
    assert (
        re.findall(
            r"url\((?!#)|href=|https?://(?!www\.w3\.org/2000/svg|www\.textualize\.io)", picture
        )
        == []
    )


def test_the_sentences_of_the_contract_tests_are_those_that_they_print() -> None:
    victor, velo = (Document.of(name).copy() for name in ("victor", "velo"))
    schemas = victor.tree["components"]["schemas"]
    schemas["RfpBasePaymentDetails"]["properties"]["memo"] = {"type": "string"}
    del schemas["PaymentRequestReceipt"]["properties"]["status"]
    velo.tree["components"]["schemas"]["NewPayout"]["properties"]["payoutMemo"]["maxLength"] = 39
    printed = [*contract_of("victor").gone(victor), *contract_of("velo").limits(velo)]
    for line in blocks("text")[2].replace("\n    ", " ").splitlines():
        assert line in printed


def test_the_workflow_and_the_hooks_name_commands_that_exist() -> None:
    root = PAGE.parents[1]
    workflow = (root / ".github" / "workflows" / "spec-diff.yml").read_text(encoding="utf-8")
    options = (
        " ".join(re.findall(r"victor spec diff (.*)", workflow)).replace('"$@"', "old new").split()
    )
    known = main_help("diff")
    assert [option for option in options if option.startswith("--") and option not in known] == []
    for hook in yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")):
        assert "usage:" in main_help(hook["entry"].split()[2])


def main_help(command: str) -> str:
    """What `victor spec COMMAND --help` prints."""
    with contextlib.redirect_stdout(io.StringIO()) as printed, pytest.raises(SystemExit):
        operations.main([command, "--help"], prog="victor spec")
    return printed.getvalue()
