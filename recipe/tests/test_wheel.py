"""The wheel has what is committed, needs no client, and works as it is, also from within a zip."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from tests import contents
from victor_spec.stamp import without_stamp

pytestmark = pytest.mark.slow
ROOT = contents.FOLDER.parent
GENERATE = """
import sys
sys.path[:0] = [{wheel!r}]
import victor_spec
assert victor_spec.__file__.startswith({wheel!r})
assert "victor_ext" not in sys.modules
from victor_spec.command_line import main
import victor_spec.diff.changes, victor_spec.shape
assert main(["generate", "--out", {out!r}, "--", {document!r}]) == 0
assert "victor_ext" not in sys.modules
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built here."""
    folder = str(tmp_path_factory.mktemp("dist"))
    (built,) = WheelBuilder(str(contents.FOLDER)).build(directory=folder, versions=["standard"])
    return Path(built)


def test_the_wheel_is_what_is_committed(wheel: Path) -> None:
    assert [*contents.wrong_wheel(contents.names_in_wheel(wheel))] == []


@pytest.mark.parametrize("name", ["victor_spec/diff/rules.yaml", "victor_spec/tree.py"])
def test_a_file_too_few_or_too_many_is_named(wheel: Path, name: str) -> None:
    files = contents.names_in_wheel(wheel)
    del files[name]
    files["tests/wire.py"] = b""
    assert [*contents.wrong_wheel(files)] == [
        "has tests/wire.py, which is not committed",
        f"lacks {name}, which is committed",
    ]


def test_the_distributions_of_the_client_may_stand_beside_those_of_the_recipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("victor_ext-0.1.0.tar.gz", "victor_spec-0.0.0.tar.gz", "notes.txt"):
        (tmp_path / name).touch()
    assert contents.main(tmp_path) == 1
    printed = capsys.readouterr().out
    assert "notes.txt" in printed
    assert "victor_spec-0.0.0.tar.gz" in printed
    assert "victor_ext" not in printed


def test_it_generates_from_within_a_zip_what_it_generates_elsewhere(
    wheel: Path, tmp_path: Path
) -> None:
    # Alone, without its settings: typed records import the client.
    document = tmp_path / "alone" / "eastpay.yaml"
    document.parent.mkdir()
    shutil.copy(ROOT / "openapi" / "eastpay.yaml", document)
    program = GENERATE.format(wheel=str(wheel), out=str(tmp_path), document=str(document))
    command = [sys.executable, "-P", "-W", "error", "-c", program]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    made = [path.relative_to(tmp_path) for path in (tmp_path / "eastpay_api").rglob("*.py")]
    assert made
    for path in made:
        here, there = ((each / path).read_text("utf-8") for each in (tmp_path, ROOT / "generated"))
        assert without_stamp(here) == without_stamp(there), path


def test_no_module_reads_a_file_beside_itself() -> None:
    """`__file__` of a module in a zip names no file."""
    package = contents.FOLDER / "victor_spec"
    readers = [
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if "__file__" in path.read_text(encoding="utf-8")
    ]
    assert readers == []
