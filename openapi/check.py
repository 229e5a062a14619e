"""Hold the committed packages against what the recipe makes now: `python openapi/check.py [--spec FILE]`.

Red, with what is wrong, when a committed file differs from a fresh one (stale, or edited by hand), when the
recipe or the generator left something out, and when something that the document declares cannot be found in
the generated code. With `--spec`, only the last two, for any document: nothing is written.
"""

from __future__ import annotations

import argparse
import difflib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from document import DocumentError
from generate import ROOT, documents, generate
from inventory import Inventory, read
from package import Package

MOST_LINES = 400
"""Of one diff: what was edited by hand is short, and a stale layer needs no more to be recognised."""


def differences(committed: Path, fresh: Path) -> Iterator[str]:
    """The unified diff from the committed package to a fresh one, line by line; nothing when they are equal."""
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


def check(spec: Path, committed: Path | None, *, skip: tuple[str, ...] = ()) -> tuple[str, list[str]]:
    """A summary in one line, and everything that is wrong. `committed` is the folder of the packages, if any.

    Raises what `generate` raises. `skip` names rewrites to leave out, to see that their absence is noticed.
    """
    with tempfile.TemporaryDirectory() as folder:
        outcome = generate(spec, Path(folder), skip=skip)
        wrong = [f"left out: {line}" for line in [*outcome.log.left_out, *outcome.problems]]
        if not outcome.written:
            return f"{spec.name}: no package", wrong
        if committed is not None:
            diff = list(differences(committed / outcome.package.name, outcome.package))
            wrong += diff[:MOST_LINES]
            wrong += [f"... and {len(diff) - MOST_LINES} more lines of difference"] if len(diff) > MOST_LINES else []
        with Package(outcome.package) as package:
            inventory = Inventory(read(spec), package, outcome.log.renamed)
        wrong += [f"missing: {line}" for line in inventory.missing]
        return f"{spec.name}: {inventory.summary()}", wrong


def main(arguments: list[str] | None = None) -> int:
    """The command: status 0 when all is well, 1 when something is wrong, 2 when a document cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spec", type=Path, help="another document: generate and count, compare with nothing")
    parser.add_argument("--committed", type=Path, default=ROOT / "generated", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    status = 0
    for spec in [options.spec] if options.spec else documents():
        try:
            summary, wrong = check(spec, None if options.spec else options.committed)
        except (DocumentError, RuntimeError) as error:
            print(error, file=sys.stderr)
            return 2
        print("\n".join(wrong), end="\n" if wrong else "", file=sys.stderr)
        print(f"{summary}: {'all there' if not wrong else 'see above; `make generate` writes the package afresh'}")
        status = status or bool(wrong)
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
