"""What `make test-pythons` uses of each extra."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent


def test_each_extra_has_a_use() -> None:
    project = tomllib.loads((HERE.parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    uses = {path.stem for path in HERE.glob("*.py")} - {"__init__", "test_uses"}
    assert uses == {"core", *project["optional-dependencies"]} - {"all"}


@pytest.mark.parametrize("extra", ["cli", "sandbox"])
def test_an_extra_can_be_used(extra: str, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-P", "-W", "error", HERE / f"{extra}.py"], cwd=tmp_path, check=True)
