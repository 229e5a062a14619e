"""Which pages name a package index as a source of this project: `nox -s release`.

Until the first release, anybody can register its names there.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.pages.page import PAGES, ROOT

CHANGELOGS = {"victor-ext": "CHANGELOG.md", "victor-spec": "recipe/CHANGELOG.md"}
"""The changelog of each distribution: it is released when a section has a day."""
RELEASED = re.compile(r"^## \d+\.\d+\S* - \d{4}-\d\d-\d\d$", re.MULTILINE)
COMMAND = re.compile(r"\b(?:pip3?|pipx|uvx?)\b[^`#\n]*?\b(?:install|download|wheel|add|run)\b")
"""The beginning of a command that installs."""
EXTRAS = r"\[[\w, -]+\]"
INDEX = re.compile(
    r"\b(?:from|on)\s+(?:\w+\s+)?package\s+index\b|\bfrom\s+PyPI\b"
    r"|\b(?:index|registry)\s+has\s+(?:the\b|victor)",
    re.IGNORECASE,
)
"""What a sentence says of an index."""
_PARTS = re.compile(r"\"\n +f?\"")
"""Between two parts of a string of Python."""


def unreleased(root: Path = ROOT):
    """The distributions that have no release."""
    return {
        name
        for name, changelog in CHANGELOGS.items()
        if not RELEASED.search((root / changelog).read_text(encoding="utf-8"))
    }


def naming_an_index(text, names, *, is_code=False):
    """The lines of a text that name an index as a source, each with its number.

    In code, a name in quotes is the name of a program, too.
    """
    if not names:
        return
    text = re.sub(r"\\\n", "  ", text)
    found = {match.start() for match in INDEX.finditer(text)}
    any_name = "|".join(map(re.escape, sorted(names)))
    for match in re.finditer(rf"(?<![\w/.-])(?:{any_name})(?![\w.-])(?:{EXTRAS})?", text):
        before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        after = text[match.end() :].partition("\n")[0]
        is_quoted = not is_code and before.endswith(("'", '"')) and after.startswith(("'", '"'))
        is_demanded = match[0].endswith("]") or re.match(r"\s?[<>=!~]=?\s?\d", after) is not None
        command = COMMAND.search(before)
        is_installed = command is not None and not re.search(r"[`#]", before[command.end() :])
        is_from_elsewhere = re.match(r"\s*@", after) is not None or "--no-index" in before
        if (is_quoted or is_demanded or is_installed) and not is_from_elsewhere:
            found.add(match.start())
    for number in sorted({text.count("\n", 0, start) for start in found}):
        yield number + 1, text.splitlines()[number].strip()


def problems(root: Path = ROOT):
    """The places that name an index before the first release."""
    names = unreleased(root)
    pages = (*PAGES, *root.glob(".github/workflows/*.yml"))
    code = (*root.glob("victor_ext/**/*.py"), *root.glob("recipe/victor_spec/**/*.py"))
    found = []
    for path in (*pages, *code):
        text = path.read_text(encoding="utf-8")
        is_code = path.suffix == ".py"
        if is_code:  # a string that is written in parts is one
            text = _PARTS.sub("", text)
        for number, line in naming_an_index(text, names, is_code=is_code):
            found.append(f"{path.relative_to(root)}:{number}: {line}")
    return found


def main():
    """Returns 0 when no page names an index, or each distribution has a release."""
    found = problems()
    if found:
        print("Before the first release, a package index has nothing of ours under our names:")
    print("\n".join(found) or "No page names a package index before the first release.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
