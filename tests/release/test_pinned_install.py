"""Who follows "pin everything by hash" commits the wheel, and gets the commit that was reviewed."""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.pages.page import ROOT

pytestmark = pytest.mark.pull_request
PAGE = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## In a service: pin everything by hash")[2].partition("\n### ")[0]
AUTHOR = "-c user.name=a -c user.email=a@example.com"


class Reader:
    """A user of the page, with a service of their own."""

    def __init__(self, folder):
        self.folder = folder
        self.copy = folder / "copy"
        self.service = folder / "service"
        self.service.mkdir()
        venv.create(folder / "env", with_pip=True)
        self.run(f"git clone --quiet {ROOT} copy && git init --quiet service")
        [requirement] = re.findall(r"```text\n(\./wheels/.+)\[.+\]\n```", SECTION)  # few to fetch
        (self.service / "requirements.in").write_text(requirement)

    def run(self, script):
        """What a script prints; each of its commands has to succeed."""
        path = f"{self.folder / 'env' / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        ran = subprocess.run(
            ["sh", "-ec", script],
            cwd=self.folder,
            env={**os.environ, "PATH": path, "PYTHONPATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def follow(self, commit):
        """Do all steps of the page for a commit, in a folder of its own; what they print."""
        script = "".join(re.findall(r"```sh\n(.+?)```", SECTION, re.DOTALL))
        names = {"REPOSITORY": self.copy, "COMMIT": commit, "SERVICE": self.service}
        for name, value in names.items():
            script = script.replace(name, str(value))
        return self.run(f"mkdir {commit} && cd {commit}\n{script}")

    def has_the_newer(self):
        code = "import victor_ext._health as it; print(hasattr(it, 'REVIEWED'))"
        return self.run(f'python -c "{code}"').strip() == "True"


@pytest.fixture
def reader(tmp_path):
    asked = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", tmp_path, "h11"]
    if subprocess.run(asked, check=False, capture_output=True).returncode:
        pytest.skip("no package index can be reached")
    return Reader(tmp_path)


def test_the_commit_that_was_reviewed_is_committed_and_installed(reader):
    first = reader.run("git -C copy rev-parse HEAD").strip()
    reader.follow(first)
    reader.run("cd service && git add wheels requirements.txt")
    assert ".whl" in reader.run("git -C service ls-files wheels")
    assert not reader.has_the_newer()

    with (reader.copy / "victor_ext" / "_health.py").open("a") as module:
        module.write("REVIEWED = 2\n")
    reader.run(f"cd copy && git {AUTHOR} commit --quiet --all --message newer")
    newer = reader.run("git -C copy rev-parse HEAD").strip()
    printed = reader.follow(newer)
    assert reader.has_the_newer()
    [foreign] = re.findall(r"^sha256:(\w+)$", printed, re.MULTILINE)
    [wheel] = re.findall(r"^(\w+) +wheels/.*\.whl$", printed, re.MULTILINE)
    assert foreign == wheel, "the one hash that the lock lacks is the wheel's"
