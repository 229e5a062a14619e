"""`victor spec` works without a clone: the wheel has all that it needs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_installed_command_generates_a_package_and_checks_it(tmp_path: Path, zoo_yaml: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-W", "error", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    place = run("-c", "import victor_ext.spec.generate as module; print(module.__file__)")
    assert Path(place.strip()).is_relative_to(tmp_path / "installed")
    out = tmp_path / "out"
    printed = run("-m", "victor_ext.cli", "spec", "generate", str(zoo_yaml), "--out", str(out), "--name", "zoo")
    assert re.search(rf"zoo.yaml -> {re.escape(str(out / 'zoo'))}: \d+ new\n$", printed)
    assert (
        run("-c", "import sys; sys.path.insert(0, 'out'); from zoo.models import Cat; print(Cat.__name__)") == "Cat\n"
    )
    checked = run("-m", "victor_ext.cli", "spec", "check", str(zoo_yaml), "--out", str(out), "--name", "zoo")
    assert checked.endswith(": complete\n")
