"""The page on threats names what holds each of its claims: that has to be there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| **")]


def test_every_claim_names_what_holds_it() -> None:
    assert len(ROWS) > 10
    for row in ROWS:
        held_by = row.rstrip(" |").rpartition("|")[2]
        named = re.findall(r"`([\w./-]+)`", held_by)
        assert named, row
        for path in named:
            file = ROOT / path
            assert file.is_file(), path
            assert file.suffix == ".lock" or "def test_" in file.read_text("utf-8"), path


def test_it_is_one_page() -> None:
    assert len(PAGE.split()) < 900
