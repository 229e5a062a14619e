"""The documentation is a site: every page is in its menu, and every link and anchor leads somewhere."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = {str(path.relative_to(DOCS).with_suffix("")) for path in DOCS.rglob("*.md")} - {"index"}
"""Every page of the documentation but the first one, such as `money` or `api/errors`."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return folder


def test_each_page_is_there_and_loads_nothing_from_elsewhere(site: Path) -> None:
    assert {str(path.parent.relative_to(site)) for path in site.rglob("*/index.html")} == PAGES
    for page in site.rglob("*.html"):
        loaded = re.findall(r"<(?:script|img|link|iframe)[^>]+(?:src|href)=\"(https?:[^\"]+)", page.read_text("utf-8"))
        assert loaded == [], page.name


def test_the_menu_of_the_first_page_names_them_all(site: Path) -> None:
    first = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"\]\((.+?)\.md\)", first))
    assert listed == PAGES


def test_the_index_for_language_models_is_up_to_date_and_leads_somewhere(site: Path) -> None:
    served = (site / "llms.txt").read_text(encoding="utf-8")
    assert served == runpy.run_path(str(ROOT / "docs" / "llms.py"))["index"](), "make docs writes it again"
    linked = re.findall(r"^- \[.+?\]\((.+?)\): .+\.$", served, re.MULTILINE)
    assert set(linked) == {f"{page}/" for page in PAGES}
