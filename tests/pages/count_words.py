"""How long the pages are: words outside code, and outside what a program writes.

`python -m tests.pages.count_words` prints them by page, with a total;
`python -m tests.pages.count_words REVISION` counts a revision of git, and
`python -m tests.pages.count_words REVISION HEAD` both, side by side.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.pages.page import ROOT

COUNTED = ("README.md", "docs", "recipe/README.md", "recipe/docs")
GENERATED = {
    "docs/reference.md",  # tests/pages/reference_page.py
    "docs/benchmarks.md",  # benchmarks/page.py
    "docs/benchmarks-tables.md",  # benchmarks/page.py
}
"""A program writes these whole."""
LEFT_OUT = re.compile(
    r"^(?P<fence>`{3,}|~{3,}).*?^(?P=fence)\s*$"  # a block of code
    r"|<!-- (?:options|commands|operations) \w+ -->.*?<!-- end -->"  # tests/sandbox/sandbox_page.py
    r"|^\| system \| write \| promise \|.*?\n\n"  # tests/providers/prepared.py
    r"|^::: [^\n]*(?:\n {4}[^\n]*)*"  # what mkdocstrings makes of docstrings
    r"|\A---\n.*?^---$"  # settings of the page
    r"|<!--.*?-->",  # what is not shown
    re.DOTALL | re.MULTILINE,
)


def words(text: str) -> int:
    """The words of a page: what has a letter or a digit, and not the address of a link."""
    shown = re.sub(r"\]\([^)]*\)", "]", LEFT_OUT.sub("", text))
    return sum(re.search(r"\w", word) is not None for word in shown.split())


def counts(revision: str | None = None) -> dict[str, int]:
    """The words of each page, by its path: of the working tree, or of a revision."""
    return {path: words(text) for path, text in _pages(revision) if path not in GENERATED}


def _pages(revision: str | None) -> Iterator[tuple[str, str]]:
    if revision is None:
        for path in map(PurePosixPath, _git("ls-files", "--cached", "--others", *COUNTED)):
            if path.suffix == ".md" and (ROOT / path).is_file():
                yield str(path), (ROOT / path).read_text(encoding="utf-8")
        return
    for path in _git("ls-tree", "-r", "--name-only", revision, *COUNTED):
        if path.endswith(".md"):
            yield path, "\n".join(_git("show", f"{revision}:{path}"))


def _git(*arguments: str) -> list[str]:
    ran = subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, capture_output=True, encoding="utf-8"
    )
    return ran.stdout.splitlines()


def table(columns: dict[str, dict[str, int]]) -> str:
    """A line for each page, with a column for each of what was counted, and the totals."""
    pages = sorted({page for counted in columns.values() for page in counted})
    lines = ["".join(f"{name[:9]:>10}" for name in columns)]
    for page in pages:
        cells = "".join(f"{counted.get(page, 0):>10,}" for counted in columns.values())
        lines.append(f"{cells}  {page}")
    totals = [sum(counted.values()) for counted in columns.values()]
    change = f" ({totals[-1] / totals[0] - 1:+.1%})" if len(totals) > 1 else ""
    lines.append("".join(f"{total:>10,}" for total in totals) + f"  total{change}")
    return "\n".join(lines)


if __name__ == "__main__":
    revisions = sys.argv[1:]
    counted = {revision: counts(revision) for revision in revisions}
    print(table(counted if len(revisions) == 2 else {**counted, "now": counts()}))
