"""How many operations each system has, and how many of them have a method: `docs/index.md`.

`python -m tests.pages.operation_counts` writes them as the systems' own tables have them.
"""

import re

from tests.pages.page import ROOT

PAGE = ROOT / "docs" / "index.md"
CELLS = re.compile(r"(?m)^(\| \[\w+\]\((\w+)\.md[^)]*\) \|) (\d+ \| \d+) \|")
ROWS = (
    ("docs/{}.md", re.compile(r"(?m)^\| `[A-Z]+ /[^|]*\| ([^|]*) \|")),
    ("docs/api/{}.md", re.compile(r"(?m)^\| `[^`]+` \| `[A-Z]+ /[^|]*\| (.*) \|$")),
)
"""Where the table of a system is, and the cell of each row that says how it is called."""


def main():
    """Write the counts into the page."""
    PAGE.write_text(counted(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def cells_of(page):
    """The systems that a page counts, with what it says."""
    return [(found[2], found[3]) for found in CELLS.finditer(page)]


def counted(page):
    """The page with the counts of the systems' tables."""
    return CELLS.sub(lambda found: f"{found[1]} {_counts(found[2])} |", page)


def _counts(system):
    """How many rows a table has, and how many of them name a method of the client."""
    for page, row in ROWS:
        cells = row.findall((ROOT / page.format(system)).read_text(encoding="utf-8"))
        if cells:
            called = [cell for cell in cells if cell.strip() != "-" and "`bind`" not in cell]
            return f"{len(cells)} | {len(called)}"
    raise LookupError(f"{system} has no table of operations in docs/{system}.md.")


if __name__ == "__main__":
    main()
