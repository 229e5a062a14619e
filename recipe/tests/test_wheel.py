"""The wheel works as it is, from within a zip, and without the client."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from .cases import ROOT

pytestmark = pytest.mark.slow
GENERATE = """
import sys
sys.path[:0] = [{wheel!r}]
import victor_spec
assert victor_spec.__file__.startswith({wheel!r})
assert "victor_ext" not in sys.modules
from victor_spec.command_line import main
import victor_spec.diff.compare, victor_spec.shape
assert main(["generate", "--out", {out!r}, "--", {document!r}]) == 0
assert "victor_ext" not in sys.modules
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that is built here."""
    folder = str(tmp_path_factory.mktemp("dist"))
    (built,) = WheelBuilder(str(ROOT / "recipe")).build(directory=folder, versions=["standard"])
    return Path(built)


def test_the_wheel_generates_the_same_package_from_within_a_zip(wheel, tmp_path):
    # Alone, without its settings: typed records import the client.
    document = tmp_path / "alone" / "flexfactor.yaml"
    document.parent.mkdir()
    shutil.copy(ROOT / "openapi" / "flexfactor.yaml", document)
    program = GENERATE.format(wheel=str(wheel), out=str(tmp_path), document=str(document))
    command = [sys.executable, "-P", "-W", "error", "-c", program]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    made = [path.relative_to(tmp_path) for path in (tmp_path / "flexfactor_api").rglob("*.py")]
    assert made
    for path in made:
        here, there = ((each / path).read_text("utf-8") for each in (tmp_path, ROOT / "generated"))
        assert here == there, path
