"""The page about changes shows what the command prints, and the files for others name commands that
exist.
"""

import re
from pathlib import Path

import pytest
import yaml

from tests.cases import ROOT
from tests.command import run
from victor_spec.decisions import read_approvals

pytestmark = pytest.mark.pull_request
PAGE = ROOT / "recipe" / "docs" / "changes.md"
HOOKS = ROOT / "docs" / "ci.md"


def blocks(language, page=PAGE):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def test_the_example_of_the_page_is_what_the_command_prints(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    old, new, approvals = blocks("yaml")[:3]
    shown, with_python = blocks("text")[:2]
    for name, text in (("old.yaml", old), ("new.yaml", new), ("a.yaml", approvals)):
        Path(name).write_text(text, encoding="utf-8")
    assert run("diff", "old.yaml", "new.yaml", "--no-python") == 1
    assert capsys.readouterr().out == shown
    assert read_approvals(Path("a.yaml"))[0].scope == "wire"
    assert run("diff", "old.yaml", "new.yaml") == 1
    assert with_python in capsys.readouterr().out


def options_of(command, capsys):
    """The options that the help of a command names."""
    assert run(command, "--help") == 0
    return {*re.findall(r"--[a-z-]+", capsys.readouterr().out)}


def test_the_hooks_name_commands_that_exist(capsys):
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in hooks if "files" not in hook] == []
    example = yaml.safe_load(blocks("yaml", HOOKS)[-1])["repos"][0]["hooks"]
    assert [hook["id"] for hook in example] == [hook["id"] for hook in hooks]
    entries = [hook["entry"].split() for hook in hooks]
    ours = [words for words in entries if words[0] == "victor-spec"]
    assert ours
    for _, command, *options in ours:
        assert {*options} <= options_of(command, capsys)
