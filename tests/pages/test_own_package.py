"""A package within the reader's own: what recipe/docs/real-apis.md shows is done step by step in an
empty folder, the strict type check included.
"""

import os
import re
import shlex

import pytest

from tests.pages.page import ROOT
from tests.programs import python

pytestmark = [pytest.mark.slow, pytest.mark.pull_request]
PAGE = (ROOT / "recipe" / "docs" / "real-apis.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## In your own package\n")[2].partition("\n## ")[0]
STEPS = 4
"""The commands of this project, and of the checks."""


def test_the_page_is_followed_in_an_empty_folder(tmp_path, monkeypatch):
    (tmp_path / "src" / "mypay").mkdir(parents=True)
    (tmp_path / "src" / "mypay" / "__init__.py").touch()
    monkeypatch.chdir(tmp_path)
    ran = []
    for block in re.findall(r"^```\w+\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE):
        if file := re.match(r"# ([\w/]+\.\w+)\n", block):
            (tmp_path / file[1]).parent.mkdir(exist_ok=True)
            (tmp_path / file[1]).write_text(block, encoding="utf-8")
            continue
        for line in block.splitlines():
            match shlex.split(line):
                case ["victor-spec", *arguments]:
                    ran.append(python("-m", "victor_spec", *arguments, timeout=None))
                case ["python", *arguments]:
                    ran.append(python(*arguments, timeout=None))
                case ["export", setting]:
                    name, _, value = setting.partition("=")
                    monkeypatch.setenv(name, f"{value}:{os.environ.get(name, '')}")
    assert [(each.returncode, each.stdout + each.stderr) for each in ran if each.returncode] == []
    assert len(ran) == STEPS
