"""The text of a recorded terminal, without what differs from run to run."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from tests.pages.page import ROOT
from tests.pages.shell import steady

PICTURES = ROOT / "docs" / "pictures"
RECORD = PICTURES / "record.py"
STEADY = {r"\x1b\[[0-9;]*m": "", r"─+": "─", r"OAuth client \S+": "OAuth client", r"port \d+": "port"}


def recorded(path: Path) -> str:
    """What a picture shows: each of its lines of text is at a height of its own, below the title."""
    lines: dict[float, list[tuple[float, str]]] = {}
    for text in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text"):
        if "title" not in text.get("class", ""):
            lines.setdefault(float(text.get("y", "")), []).append((float(text.get("x", "")), text.text or ""))
    return normalised("\n".join(_line(lines[y]) for y in sorted(lines)))


def _line(pieces: list[tuple[float, str]]) -> str:
    """The pieces of a line, each with the column at which it begins, of 12.2 units each."""
    line = ""
    for x, piece in sorted(pieces):
        line = line.ljust(round(x / 12.2)) + piece
    return line.replace("\xa0", " ")


def normalised(printed: str) -> str:
    """What is the same in each run."""
    for pattern, name in STEADY.items():
        printed = re.sub(pattern, name, printed)
    return steady(printed)
