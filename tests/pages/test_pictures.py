"""The recorded terminals of the pages show what the commands print now. `make pictures` records them again."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from tests.pages.picture import PICTURES, RECORD, normalised, recorded

pytestmark = pytest.mark.slow
SCRIPT: dict[str, Any] = runpy.run_path(str(RECORD))


@pytest.mark.parametrize("name", SCRIPT["SESSIONS"])
def test_a_picture_shows_what_is_printed_now(name: str) -> None:
    assert recorded(PICTURES / f"{name}.svg") == normalised(SCRIPT["SESSIONS"][name]())


@pytest.mark.parametrize("path", [*PICTURES.glob("*.svg")], ids=lambda path: path.stem)
def test_a_picture_is_on_a_page_and_loads_nothing(path: Path) -> None:
    svg = path.read_text(encoding="utf-8")
    assert re.findall(r"url\((?!#)|href=|src=|@import", svg) == []
    assert any(f"](pictures/{path.name})" in page.read_text("utf-8") for page in PICTURES.parent.glob("*.md"))
