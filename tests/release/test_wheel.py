"""The client's wheel, installed where nothing else is."""

import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
WITHOUT_EXTRA = """
from victor_ext import Victor, VictorOAuth
with Victor(VictorOAuth("id", "secret"), base_url="http://127.0.0.1:1") as victor:
    print(victor)
import victor_ext.sandbox
"""
WRONG = """
from victor_ext import Victor
from victor_ext.providers.velo import Payout
amount: float = Victor.from_env().payment_requests.get("P-1").amount
accounts: list[str] = Payout({}).accounts
"""


def run(program, *arguments, cwd):
    command = [program, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)


def block_of(language):
    """The first block of README in this language."""
    return README.partition(f"```{language}\n")[2].partition("```")[0]


def needed(requirements, extras=()):
    """The distributions that requirements name, for these extras, and what those need."""
    for requirement in map(Requirement, requirements or ()):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            distribution = metadata.distribution(requirement.name)
            yield distribution
            yield from needed(distribution.requires, requirement.extras)


class Environment:
    """A Python that has the wheel alone. What the wheel requires is lent by the tests' own."""

    def __init__(self, folder):
        (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
        venv.create(folder / "environment")
        self.python = folder / "environment" / "bin" / "python"
        pip = (
            "-m",
            "pip",
            "--python",
            self.python,
            "install",
            "--no-index",
            "--no-deps",
            "--no-compile",
            wheel,
        )
        installed = run(sys.executable, *pip, cwd=folder)
        assert installed.returncode == 0, installed.stderr
        (self._packages,) = (folder / "environment").glob("lib/*/site-packages")

    def lend(self, *extras):
        """Let it have what the wheel requires, for these extras."""
        (client,) = metadata.distributions(name="victor-ext", path=[str(self._packages)])
        for distribution in needed(client.requires, extras):
            for name in {file.parts[0] for file in distribution.files} - {".."}:
                link = self._packages / name
                if not link.exists():
                    link.symlink_to(distribution.locate_file(name))


def test_the_wheel_needs_no_extra_runs_the_first_program_of_the_readme_and_has_types(tmp_path):
    environment = Environment(tmp_path)
    environment.lend()
    alone = run(environment.python, "-c", WITHOUT_EXTRA, cwd=tmp_path)
    assert alone.stdout == "Victor(environment='staging', base_url='http://127.0.0.1:1')\n"
    assert "victor_ext.sandbox needs yaml; with the wheel of this project" in alone.stderr

    environment.lend("sandbox")
    (tmp_path / "first.py").write_text(block_of("python"), encoding="utf-8")
    first = run(environment.python, "first.py", cwd=tmp_path)
    assert (first.stdout, first.stderr) == (block_of("text"), "")

    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    options = ("--strict", "--config-file=", "--cache-dir=/dev/null")
    checked = run(
        *(sys.executable, "-m", "mypy", *options, "--python-executable", environment.python),
        *("first.py", "wrong.py"),
        cwd=tmp_path,
    )
    *errors, summary = checked.stdout.splitlines()
    types = [error.partition("(expression has type ")[2].split(",")[0] for error in errors]
    assert types == ['"Decimal | None"', '"tuple[PayoutAccount']
    assert summary == "Found 2 errors in 1 file (checked 2 source files)"
