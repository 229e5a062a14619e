"""Generate a Python package from an OpenAPI document.

The package depends on the document, on this module's folder and on two pinned tools, and on nothing else: not on the
machine, the date, the locale or the order of a hash table.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.metadata import requires, version
from pathlib import Path

from ruff import find_ruff_bin  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs] - it has none

from .destination import HEADER, MARKER, ChangedFiles, build_folder, move_into_place, package_folder
from .document import DocumentError, load
from .generator import parse, render
from .origins import Origins, origins
from .rewrites import Log, prepare
from .tree import PlaceError, Tree

TEMPLATES = Path(__file__).resolve().parent / "templates"
COPIED = ("decoding.py", "answers.py", "serializing.py", "bodies.py")
"""Modules that are the same in every package."""
TOOLS = ("openapi-python-client", "ruff")

# Neither configuration files in the folders above nor environment variables may change a byte of the output.
RUFF = (
    *("--isolated", "--no-cache", "--line-length=110", "--target-version=py311", "--quiet"),
    *("--no-respect-gitignore", "--config=exclude=[]"),
)


@dataclass
class GenerationResult:
    """What one run did."""

    package: Path
    """The folder of the package."""
    log: Log
    written: bool
    """Whether the package was written; if not, an earlier one is unchanged."""
    changes: ChangedFiles
    """The files that differ from those of the earlier package."""
    origins: Origins
    """The places of its names in the document; empty unless `trace` was set."""

    @property
    def is_new(self) -> bool:
        """Whether there was no earlier package."""
        return bool(self.changes.new) and not self.changes.gone and Path(MARKER) in self.changes.new

    @property
    def left_out(self) -> list[str]:
        """Parts of the document that the package lacks."""
        return self.log.left_out


def package_name(document: Path) -> str:
    """The default name: `velo-2.35.58.yaml` makes `velo_api`, without the version."""
    stem = re.sub(r"[-_. ]v?\d[\d.]*$", "", document.stem)
    name = re.sub(r"\W+", "_", stem).strip("_").lower()
    return name if name.endswith("_api") else f"{name}_api"


def generate(
    document: Path,
    out: Path,
    *,
    name: str | None = None,
    skip: Collection[str] = (),
    trace: bool = False,
    tree: Tree | None = None,
    decimals: Collection[str] = (),
    copies: Mapping[str, Path] | None = None,
) -> GenerationResult:
    """Write the package of a document into the folder `out`, in place of an earlier one.

    `name` is the name of the package; None takes it from the document. `skip` names rewrites to leave out, for tests.
    `trace` looks up where each name comes from, which costs time and memory and changes no byte of the package. `tree`
    is what `load` made of the document; None loads it. `decimals` are the places of numbers that are read as Decimal:
    `Card.price`, `*.amount`. `copies` has the local file for each URL that the document refers to.

    Raises DocumentError when the document cannot be read; RuntimeError when the installed tools are not the pinned
    ones; DestinationError (a RuntimeError) when the package must not be written there; and OSError.
    """
    require_pinned_tools()
    package = package_folder(out, package_name(document) if name is None else name)
    try:
        loaded = load(document, copies) if tree is None else tree
        prepared, log = prepare(loaded, skip=skip, trace=trace, decimals=decimals)
        data = parse(prepared, log)
    except PlaceError as error:
        raise DocumentError(f"{document} cannot be read: {error}") from None
    except RecursionError:
        raise DocumentError(f"{document} cannot be read: a schema holds itself, by way of allOf.") from None
    with build_folder(package) as folder:
        built = folder / package.name
        if data is not None:
            render(data, built, TEMPLATES, log)
        written = (built / "client.py").exists()
        changes = ChangedFiles()
        if written:
            _finish(built)
            changes = move_into_place(built, package)
    found = origins(prepared, data) if trace and data is not None else Origins()
    return GenerationResult(package, log, written, changes, found)


def require_pinned_tools() -> None:
    """Raise RuntimeError unless the tools that decide the output have the versions that the extra `spec` pins."""
    requirements = [line.partition(";")[0].strip() for line in requires("victor-ext") or []]
    for tool in TOOLS:
        pin = next(line for line in requirements if line.startswith(f"{tool}==")).partition("==")[2]
        if version(tool) != pin:
            raise RuntimeError(
                f"{tool} {version(tool)} is installed, victor-ext[spec] pins {pin}: run pip install 'victor-ext[spec]'."
            )


def _finish(built: Path) -> None:
    """Add the copied modules, format everything, and put the header on each module."""
    for name in COPIED:
        shutil.copyfile(TEMPLATES / name, built / name)
    (built / MARKER).touch()
    # F removes imports that a template has and a module does not use; I sorts the others.
    rules = ("--fix-only", "--select=F,I,UP", "--config=lint.isort.split-on-trailing-comma=false")
    _ruff(built, "check", *RUFF, *rules)
    _ruff(built, "format", *RUFF, "--config=format.skip-magic-trailing-comma=true")
    for path in built.rglob("*.py"):
        path.write_text(HEADER + path.read_text(encoding="utf-8"), encoding="utf-8", newline="\n")


def _ruff(built: Path, *arguments: str) -> None:
    """Run ruff in the new folder around the package, where no file of the user can shadow a module."""
    ruff: str = find_ruff_bin()
    command = [ruff, *arguments, str(built)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RUFF_")}
    done = subprocess.run(  # noqa: S603 - no part of the command comes from the document
        command, capture_output=True, text=True, check=False, cwd=built.parent, env=environment
    )
    if done.returncode:
        raise RuntimeError(f"The generated code is not Python: {done.stderr or done.stdout}")
