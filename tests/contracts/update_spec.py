"""Take a newer document of a system: `make update-spec FROM=newer.yaml`.

`victor-spec update` replaces the document, and writes its package. What follows from both is
written here: the records of the contracts, as far as callers read only more than before. The
contract tests then say whether `victor_ext` still does what the document says.
"""

import shlex
import subprocess
import sys
from pathlib import Path

WRITTEN = ("generated", "tests/contracts/*.json")
"""What is written, beside the document."""
VERDICTS = {
    (0, True): "Nothing has to be decided: no change needs it, and the contract tests pass.",
    (1, True): "Yours to decide: what is named above under Breaks and Look. The contract tests "
    "pass.",
    (0, False): "Yours to decide: what the contract tests name. No change of the document needs a "
    "decision by itself.",
    (1, False): "Yours to decide: what is named above under Breaks and Look, and what the contract "
    "tests name.",
}
"""By the status of the comparison (1: something breaks, or needs a look), and by whether the
contract tests pass.
"""


def python_module(name, *arguments):
    """Run a module in a process of its own, which loads what was written last: its status."""
    sys.stdout.flush()
    return subprocess.run([sys.executable, "-m", name, *arguments], check=False).returncode


def main(document, newer, run=python_module):
    """Replace a document by a newer one, and say what is to be decided. Returns an exit status.

    `run` is called as `python_module`.
    """
    if not newer:
        print("Name the newer document: make update-spec FROM=newer.yaml")
        return 2
    compared = run("victor_spec", "update", "--out=generated", "--", document, newer)
    if compared not in (0, 1):
        return compared
    beside = [str(path) for path in Path().glob(document.replace(".yaml", ".settings.yaml"))]
    restored = shlex.join([document, *beside, *WRITTEN])
    undo = f"To undo all of it: git restore -- {restored} && git clean -fd generated"
    if run("tests.contracts.record", "--added") != 0:
        print(
            "victor_ext uses what the newer document does not have: the last lines above name the "
            "file and the name. Change that file, and then run pytest tests/contracts."
        )
        print(undo)
        return 1
    print("Does victor_ext still do what the document says?")
    tests = ("-q", "--no-header", "--tb=short", "tests/contracts/test_contracts.py")
    passes = run("pytest", *tests) == 0
    print(VERDICTS[compared, passes])
    print(undo)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
