"""The page about changes shows what the command prints, and the files for others name commands that
exist.
"""

import re
from pathlib import Path

import pytest
import yaml

from tests.cases import ROOT
from tests.command import run

pytestmark = pytest.mark.pull_request
PAGE = ROOT / "recipe" / "docs" / "changes.md"
HOOKS = ROOT / "docs" / "ci.md"


def blocks(language, page=PAGE):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def test_the_example_of_the_page_is_what_the_command_prints(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, text in zip(("old.yaml", "new.yaml"), blocks("yaml"), strict=False):
        Path(name).write_text(text, encoding="utf-8")
    assert run("diff", "old.yaml", "new.yaml") == 1
    assert capsys.readouterr().out == blocks("text")[0]


def test_the_hooks_name_commands_that_exist(capsys):
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in hooks if "files" not in hook] == []
    example = yaml.safe_load(blocks("yaml", HOOKS)[-1])["repos"][0]["hooks"]
    assert [hook["id"] for hook in example] == [hook["id"] for hook in hooks]
    assert run("check", "--help") == 0
