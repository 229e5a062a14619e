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
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import openapi_python_client
from document import DocumentError, load
from openapi_python_client.config import Config, ConfigFile, MetaType
from prepare import Log, prepare

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TEMPLATES = HERE / "templates"
COPIED = ("decoding.py", "answers.py")
"""Modules of the package that are the same for every document."""

HEADER = "# Written by `make generate`; edits are lost. See openapi/README.md.\n"
RUFF = ("--isolated", "--no-cache", "--line-length=110", "--target-version=py311", "--quiet")


@dataclass
class Outcome:
    """What one run made: the package, what was rewritten, and what the generator complained about."""

    package: Path
    log: Log
    problems: list[str]


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
    ones, or when something that was not generated stands in the way.
    """
    require_pinned_tools()
    tree, log = prepare(load(spec), skip=skip)
    package = out / (name or package_name(spec))
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / package.name
        source = Path(folder) / "prepared.json"
        source.write_text(json.dumps(tree), encoding="utf-8")
        problems = _run_generator(source, made, log)
        if made.is_dir() and (made / "client.py").exists():
            _finish(made)
            _replace(package, made)
    return Outcome(package, log, problems)


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
    (made / "py.typed").touch()
    # `F` takes away what a template imports and a module does not use; `I` sorts what is left.
    ruff = [sys.executable, "-m", "ruff"]
    _run(
        [*ruff, "check", *RUFF, "--fix-only", "--select=F,I,UP", "--config=lint.isort.split-on-trailing-comma=false"],
        made,
    )
    _run([*ruff, "format", *RUFF, "--config=format.skip-magic-trailing-comma=true"], made)
    for path in made.rglob("*.py"):
        path.write_text(HEADER + path.read_text(encoding="utf-8"), encoding="utf-8", newline="\n")


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The generated code is not Python: {done.stderr or done.stdout}")


def _replace(package: Path, made: Path) -> None:
    """Put the new package where the old one was; anything that was not generated is left alone."""
    if package.exists():
        if not (package / "__init__.py").is_file() or HEADER not in (package / "__init__.py").read_text("utf-8"):
            raise RuntimeError(f"{package} was not written by this recipe: move it away, or name another folder.")
        shutil.rmtree(package)
    package.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(made, package)


def main(arguments: list[str] | None = None) -> int:
    """The command. Status 0 when everything was generated, 1 when something was left out, 2 when nothing was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spec", type=Path, help="an OpenAPI 3 document, YAML or JSON (default: all in this folder)")
    parser.add_argument("--out", type=Path, default=ROOT / "generated", help="the folder for <name>_api/")
    parser.add_argument("--name", help="the package's name, if not <name>_api")
    options = parser.parse_args(arguments)
    status = 0
    for spec in [options.spec] if options.spec else documents():
        try:
            outcome = generate(spec, options.out, name=options.name)
        except (DocumentError, RuntimeError) as error:
            print(error, file=sys.stderr)
            return 2
        for line in outcome.log.lines():
            print(f"  {line}")
        for line in [*outcome.log.left_out, *outcome.problems]:
            print(f"  LEFT OUT: {line}", file=sys.stderr)
            status = 1
        print(f"{spec.name} -> {outcome.package}")
    return status


if __name__ == "__main__":
    sys.exit(main())
