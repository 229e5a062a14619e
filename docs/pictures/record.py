"""Make the pictures of the pages from what the commands really print: `python docs/pictures/record.py`.

A picture is an SVG with a background of its own, so that it can be read in light and dark pages; it loads nothing.
"""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from victor_ext.spec.diff.compare import compare
from victor_ext.spec.diff.formats.text import as_text
from victor_ext.spec.diff.python import python_changes
from victor_ext.spec.diff.report import Report
from victor_ext.spec.document import load

PICTURES = Path(__file__).parent
PAGE = PICTURES.parent / "changes.md"
WIDTH = 104


def spec_diff(folder: Path) -> str:
    """The report on the example of the page, coloured as on a terminal."""
    old, new = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[:2]
    paths = folder / "old.yaml", folder / "new.yaml"
    for path, text in zip(paths, (old, new), strict=True):
        path.write_text(text, encoding="utf-8")
    result = compare(*map(load, paths), python_changes(*paths))
    report = Report("old.yaml", "new.yaml", "new.yaml", result.entries, result.documentation)
    return as_text(report, width=WIDTH - 4, colour=True)


def as_svg(text: str, title: str) -> str:
    """A terminal with this text, which may have escape sequences of colours."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(text))
    svg = console.export_svg(title=title, unique_id="report", code_format=_without_fonts(CONSOLE_SVG_FORMAT))
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)


def _without_fonts(template: str) -> str:
    """The template without the fonts that it would load from elsewhere."""
    return re.sub(r"@font-face \{\{.*?\}\}", "", template, flags=re.DOTALL).replace("Fira Code, monospace", "monospace")


def main() -> None:
    """Write every picture."""
    with tempfile.TemporaryDirectory() as folder:
        svg = as_svg(spec_diff(Path(folder)), "victor spec diff old.yaml new.yaml")
    (PICTURES / "spec-diff.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
