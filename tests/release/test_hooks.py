"""The hooks of pre-commit: those of a clone, and those that other repositories use."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.release.contents import ROOT

pytestmark = pytest.mark.slow
UNFORMATTED = "import os\nx = [ 1,2 ]\n"


@pytest.fixture
def clone(tmp_path):
    """A repository with the hooks of this one, and the tools of its environment."""
    for name in (".pre-commit-config.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


@pytest.mark.parametrize("hook", ["ruff-check", "ruff-format"])
@pytest.mark.parametrize(
    ("name", "is_ours"), [("victor_ext/money.py", True), ("generated/till_api/client.py", False)]
)
def test_ruff_changes_what_is_written_here_and_nothing_that_is_generated(
    clone, hook, name, *, is_ours
):
    file = clone / name
    file.parent.mkdir(parents=True)
    file.write_text(UNFORMATTED)
    subprocess.run(["git", "add", "--", name, ".pre-commit-config.yaml"], cwd=clone, check=True)
    ran = subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", hook, "--files", name],
        cwd=clone,
        env={**os.environ, "PRE_COMMIT_HOME": str(clone / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == is_ours, ran.stdout
    assert (file.read_text() != UNFORMATTED) == is_ours


@pytest.mark.parametrize(
    ("path", "runs"),
    [
        ("shop.yaml", True),
        ("openapi/shop.json", True),
        ("openapi/schemas/card.yml", True),
        ("openapi/shop.accepted.yaml", True),
        ("clients/shop_api/models/card.py", True),
        ("shop_api/py.typed", True),
        ("shop/views.py", False),
        ("README.md", False),
    ],
)
def test_the_check_runs_for_documents_their_parts_and_packages(path, *, runs):
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    (hook,) = (hook for hook in hooks if hook["id"] == "victor-spec-check")
    assert hook["pass_filenames"] is False  # its args name the documents: a part is none
    assert bool(re.search(hook["files"], path)) == runs
