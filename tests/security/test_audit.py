"""`make audit` calls nothing good that was not looked up. (It needs the network, and is no part of these tests.)"""

from __future__ import annotations

from typing import Any

import pytest

from tests.security.audit import NOT_ASKED, verdict

GOOD = {"name": "attrs", "version": "25.1", "vulns": []}
HOLE = {"name": "attrs", "version": "25.1", "vulns": [{"id": "X-2026-1", "fix_versions": ["25.2"]}]}
OPEN = {"name": "attrs", "version": "25.1", "vulns": [{"id": "X-2026-1", "fix_versions": []}]}
SKIPPED = {"name": "httpx", "skip_reason": "Dependency not found"}

CASES: dict[str, tuple[list[dict[str, Any]], int, str]] = {
    "all looked up": ([GOOD, GOOD], 0, "2 dependencies looked up: no known hole."),
    "a hole": ([GOOD, HOLE], 1, "attrs 25.1: X-2026-1, mended in 25.2"),
    "a hole that is open": ([OPEN], 1, "attrs 25.1: X-2026-1, not mended yet"),
    "one not looked up": ([GOOD, SKIPPED], 1, "Not looked up, of 2: httpx."),
    "none looked up": ([SKIPPED, SKIPPED], 2, NOT_ASKED),
    "nothing to look up": ([], 2, "No dependency was found in the file: nothing was looked up."),
}


@pytest.mark.parametrize("name", CASES)
def test_the_verdict(name: str) -> None:
    packages, status, line = CASES[name]
    assert verdict({"dependencies": packages}) == (status, [line])


def test_no_report_is_no_good_news() -> None:
    assert verdict(None) == (2, [NOT_ASKED])
