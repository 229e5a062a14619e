"""Compare a package with its document, and with what the generator makes of that document now."""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from .generate import generate
from .inventory import Inventory, read
from .package import Package

MAX_DIFF_LINES = 400
"""Of one package: an edit is short, and a stale package is recognised by its first lines."""


def check(
    document: Path, packages: Path | None, *, name: str | None = None, skip: Collection[str] = ()
) -> tuple[str, list[str]]:
    """Generate a package into a temporary folder, and look for what is wrong with it.

    `packages` is the folder with the package to compare; None compares with none. `name` is the name of the package;
    None takes it from the document. `skip` names rewrites to leave out, for tests.

    Returns a summary in one line, and the problems: what was left out, what of the document is missing in the package,
    and the diff from the package in `packages` to a fresh one. Raises the errors of `generate`.
    """
    with tempfile.TemporaryDirectory() as folder:
        result = generate(document, Path(folder), name=name, skip=skip)
        problems = [f"left out: {line}" for line in result.left_out]
        if not result.written:
            return f"{document.name}: no package", problems
        if packages is not None:
            diff = list(differences(packages / result.package.name, result.package))
            problems += diff[:MAX_DIFF_LINES]
            if len(diff) > MAX_DIFF_LINES:
                problems.append(f"... and {len(diff) - MAX_DIFF_LINES} more lines of difference")
        with Package(result.package) as package:
            inventory = Inventory(read(document), package, result.log.renamed)
        problems += [f"missing: {line}" for line in inventory.missing]
        return f"{document.name}: {inventory.summary()}", problems


def differences(committed: Path, fresh: Path) -> Iterator[str]:
    """The unified diff from one package to another, line by line; nothing when they are equal."""
    names = {path.relative_to(root) for root in (committed, fresh) for path in root.rglob("*") if path.is_file()}
    for name in sorted(names):
        if "__pycache__" in name.parts:
            continue
        old, new = _lines(committed / name), _lines(fresh / name)
        label = f"{committed.name}/{name}"
        yield from difflib.unified_diff(old, new, f"{label} (committed)", f"{label} (regenerated)", lineterm="")
        if not old and not new and (committed / name).exists() != (fresh / name).exists():
            yield f"{label}: an empty file that is only {'committed' if (committed / name).exists() else 'regenerated'}"


def _lines(path: Path) -> list[str]:
    text = path.read_bytes().decode("utf-8", "backslashreplace") if path.exists() else ""
    return text.split("\n") if text else []
