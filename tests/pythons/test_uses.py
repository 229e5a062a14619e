"""What `nox -s pythons` uses of each extra."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.pythons import uses

pytestmark = pytest.mark.slow


def test_each_extra_has_a_use():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))[
        "project"
    ]
    assert {*uses.USES} == {"core", *project["optional-dependencies"]} - {"all"}


@pytest.mark.parametrize("extra", ["cli", "sandbox"])
def test_the_use_of_an_extra_runs_without_a_warning(extra, tmp_path):
    subprocess.run(
        [sys.executable, "-P", "-W", "error", uses.__file__, extra], cwd=tmp_path, check=True
    )
