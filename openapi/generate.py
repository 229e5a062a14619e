"""Turn OpenAPI documents into Python packages: `python openapi/generate.py [--spec FILE --out FOLDER]`.

Without arguments, every document in this folder becomes `generated/<name>_api/`. The output depends on the
document, on this folder and on two pinned tools, and on nothing else: not on the machine, the day, the locale
or the order of a hash table.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import FrameType

import openapi_python_client
from destination import HEADER, MARK, package_folder, put_in_place, workshop
from document import DocumentError, load
from openapi_python_client.config import Config, ConfigFile, MetaType
from prepare import Log, prepare

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TEMPLATES = HERE / "templates"
COPIED = ("decoding.py", "answers.py")
"""Modules of the package that are the same for every document."""

# Whatever stands in the folders above, or is set for ruff, must not change a byte of what is made.
RUFF = (
    *("--isolated", "--no-cache", "--line-length=110", "--target-version=py311", "--quiet"),
    *("--no-respect-gitignore", "--config=exclude=[]"),
)


@dataclass
class Outcome:
    """What one run made: the package, what was rewritten, and what the generator complained about."""

    package: Path
    log: Log
    problems: list[str]
    written: bool
    """Whether the package was made; if not, what stood there before stands there still."""


def documents() -> list[Path]:
    """The documents of this folder; what is no API description in it is the generator's settings."""
    return sorted(path for path in HERE.glob("*.yaml") if path.name != "generator.yaml")


def package_name(spec: Path) -> str:
    """`velo-2.35.58.yaml` makes `velo_api`: the version of a document is not the name of its API."""
    stem = re.sub(r"[-_. ]v?\d[\d.]*$", "", spec.stem)
    name = re.sub(r"\W+", "_", stem).strip("_").lower()
    return name if name.endswith("_api") else f"{name}_api"


def generate(spec: Path, out: Path, *, name: str | None = None, skip: tuple[str, ...] = ()) -> Outcome:
    """Write the package for one document into `out`, in place of an earlier one.

    Raises DocumentError when the document cannot be read, and RuntimeError when the tools are not the pinned
    ones, or when the package may not go there (DestinationError).
    """
    require_pinned_tools()
    package = package_folder(out, package_name(spec) if name is None else name)
    try:
        tree, log = prepare(load(spec), skip=skip)
    except RecursionError:
        raise DocumentError(f"{spec} cannot be read: a schema holds itself, by way of allOf.") from None
    with workshop(package) as folder:
        made = folder / package.name
        source = folder / "prepared.json"
        source.write_text(json.dumps(tree), encoding="utf-8")
        problems = _run_generator(source, made, log)
        written = (made / "client.py").exists()
        if written:
            _finish(made)
            put_in_place(made, package)
    return Outcome(package, log, problems, written)


def require_pinned_tools() -> None:
    """The generator and the formatter decide every byte of the output: only the pinned versions may write it."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]["dev"]
    for tool in ("openapi-python-client", "ruff"):
        pin = next(line for line in groups if line.startswith(f"{tool}==")).partition("==")[2]
        if version(tool) != pin:
            raise RuntimeError(f"{tool} {version(tool)} is installed, pyproject.toml pins {pin}: run `make setup`.")


def _run_generator(source: Path, made: Path, log: Log) -> list[str]:
    settings = ConfigFile.load_from_path(HERE / "generator.yaml")
    settings.content_type_overrides = log.content_types
    config = Config.from_sources(settings, MetaType.NONE, source, "utf-8", overwrite=True, output_path=made)
    with contextlib.redirect_stdout(io.StringIO()):
        errors = openapi_python_client.generate(config=config, custom_template_path=TEMPLATES)
    return [" ".join(f"{error.header} {error.detail or ''}".split()) for error in errors]


def _finish(made: Path) -> None:
    for name in COPIED:
        shutil.copyfile(TEMPLATES / name, made / name)
    (made / MARK).touch()
    # `F` takes away what a template imports and a module does not use; `I` sorts what is left.
    rules = ("--fix-only", "--select=F,I,UP", "--config=lint.isort.split-on-trailing-comma=false")
    _ruff(made, "check", *RUFF, *rules)
    _ruff(made, "format", *RUFF, "--config=format.skip-magic-trailing-comma=true")
    for path in made.rglob("*.py"):
        path.write_text(HEADER + path.read_text(encoding="utf-8"), encoding="utf-8", newline="\n")


def _ruff(made: Path, *arguments: str) -> None:
    """Run ruff on what was made, from the folder around it: where it is started, it and Python look for modules."""
    command = [sys.executable, "-m", "ruff", *arguments, str(made)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RUFF_")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=made.parent, env=environment)
    if done.returncode:
        raise RuntimeError(f"The generated code is not Python: {done.stderr or done.stdout}")


def main(arguments: list[str] | None = None) -> int:
    """The command. Status 0 when everything was generated, 1 when something was left out, 2 when nothing was."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--spec", type=Path, help="an OpenAPI 3 document, YAML or JSON (default: all in this folder)")
    parser.add_argument("--out", type=Path, default=ROOT / "generated", help="the folder for <name>_api/")
    parser.add_argument("--name", help="the package's name, if not <name>_api; only with --spec")
    options = parser.parse_args(arguments)
    if options.name is not None and options.spec is None:
        print("NAME is the name of one package: give SPEC, its document, too.", file=sys.stderr)
        return 2
    status = 0
    for spec in [options.spec] if options.spec else documents():
        try:
            outcome = generate(spec, options.out, name=options.name)
        except (DocumentError, RuntimeError) as error:
            print(error, file=sys.stderr)
            return 2
        except OSError as error:
            print(f"{options.out} cannot be written: {error}", file=sys.stderr)
            return 2
        status = max(status, _report(spec, outcome))
    return status


def _report(spec: Path, outcome: Outcome) -> int:
    """Print what was done; returns the status."""
    for line in outcome.log.lines():
        print(f"  {line}")
    lost = [*outcome.log.left_out, *outcome.problems]
    for line in lost:
        print(f"  LEFT OUT: {line}", file=sys.stderr)
    if not outcome.written:
        print(f"{spec.name}: no package was made, and {outcome.package} is as it was.", file=sys.stderr)
        return 2
    print(f"{spec.name} -> {outcome.package}")
    return 1 if lost else 0


def _interrupted(number: int, _frame: FrameType | None) -> None:
    """End as Ctrl-C does, so that what is half done is cleared away."""
    sys.exit(128 + number)


if __name__ == "__main__":
    for _number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(_number, _interrupted)
    sys.exit(main())
