"""A real Chromium for pages.

Tests with it are skipped where none is found: `apt-get install chromium`.
"""

import shutil
from pathlib import Path

import pytest

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CONTRAST = (Path(__file__).parent / "sandbox" / "contrast.js").read_text(encoding="utf-8")
"""What names the texts of a page that are too pale."""
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def launch():
    """Start a browser with more arguments."""
    with playwright_api.sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        program = own if Path(own).exists() else next(filter(None, map(shutil.which, NAMES)), None)
        if program is None:
            pytest.skip(
                "no browser: apt-get install chromium, or .venv/bin/playwright install chromium"
            )
        # The sandbox of Chromium needs rights that containers do not have. The only pages here are
        # ours.
        yield lambda *more: playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", *more]
        )


@pytest.fixture(scope="module")
def browser(launch):
    browser = launch()
    yield browser
    browser.close()
