"""The page about changes shows what the command prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from victor_ext.spec.__main__ import main
from victor_ext.spec.diff.approvals import read_approvals

PAGE = Path(__file__).resolve().parents[3] / "docs" / "changes.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    old, new, approvals = blocks("yaml")
    shown, with_python = blocks("text")
    for name, text in (("old.yaml", old), ("new.yaml", new), ("a.yaml", approvals)):
        Path(name).write_text(text, encoding="utf-8")
    assert main(["diff", "old.yaml", "new.yaml", "--no-python", "--check-version"]) == 1
    assert capsys.readouterr().out == shown
    assert read_approvals(Path("a.yaml"))[0].scope == "wire"
    assert main(["diff", "old.yaml", "new.yaml"]) == 1
    assert with_python in capsys.readouterr().out
