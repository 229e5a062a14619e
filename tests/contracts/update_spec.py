"""Take a newer document of a system: `make update-spec FROM=newer.yaml`.

`victor-spec update` replaces the document, and writes its package and the changelog. What follows
from both is written here: the records of the contracts, as far as callers read only more than
before, and the page of the commands. The contract tests then say whether `victor_ext` still does
what the document says.
"""

import shlex
import subprocess
import sys
from pathlib import Path

WRITTEN = ("generated", "CHANGELOG.md", "tests/contracts/*.json", "docs/reference.md")
"""What is written, beside the document."""
VERDICTS = {
    (0, True): "Nothing has to be decided: no change needs it, and the contract tests pass.",
    (1, True): "Yours to decide: the decisions that are numbered above. The contract tests pass.",
    (0, False): "Yours to decide: what the contract tests name. No change of the document needs a "
    "decision by itself.",
    (1, False): "Yours to decide: the decisions that are numbered above, and what the contract "
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
    options = ("--out=generated", "--changelog=CHANGELOG.md")
    before = differing_files(document)
    compared = run("victor_spec", "update", *options, "--", document, newer)
    if compared not in (0, 1):
        return compared
    parts = sorted(differing_files(document) - before - {document})
    run("tests.contracts.record", "--added")
    print("Does victor_ext still do what the document says?")
    tests = ("-q", "--no-header", "--tb=short", "tests/contracts/test_contracts.py")
    passes = run("pytest", *tests) == 0
    print(VERDICTS[compared, passes])
    restored = [*filter(is_in_git, parts), *WRITTEN]
    removed = ["generated", *(part for part in parts if not is_in_git(part))]
    if is_in_git(document):
        restored.insert(0, document)
    else:
        print(f"git has no earlier {document}: the undo leaves it as it is.")
    undo = f"git restore -- {shlex.join(restored)} && git clean -fd {shlex.join(removed)}"
    print(f"To undo all of it: {undo}")
    return 0


def differing_files(document):
    """The files in the folder of a document that are not as git has them, and those that it has
    not.
    """
    folder = str(Path(document).parent)
    words = ("git", "ls-files", "-z", "-m", "-o", "--exclude-standard", "--", folder)
    listed = subprocess.run(words, check=False, capture_output=True, text=True).stdout
    return {*filter(None, listed.split("\0"))}


def is_in_git(document):
    """Whether git has a version of a document."""
    words = ("git", "ls-files", "--error-unmatch", "--", document)
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
