"""The forms of a report: the texts of a document forge nothing in them."""

import datetime
import json
from dataclasses import replace
from typing import Any

import pytest

from victor_ext.spec.decisions import Approval
from victor_ext.spec.diff.changes import Entry, Level
from victor_ext.spec.diff.report import Report

pytestmark = pytest.mark.thorough
HOSTILE = "a|b`c`<script>alert(1)</script>\n::error::x\x1b[31m%0A&amp;\u2028]]>\ud800{old}{0}%s"


def entry(number: int, wire: Level = "breaks", python: Level = "none", **more: Any) -> Entry:
    place, operations = f"components.schemas.Card.properties.p{number}", ("get /v1/cards", "post /v1/cards")
    made = Entry(place, operations, "received", "property removed", wire, python, (), f"{number:016}")
    return replace(made, **more)


APPROVED = Approval(f"{2:016}", "we never read it", "wire", datetime.date(2026, 12, 31))
ENTRIES = [
    entry(1, python="breaks", names=("cards_api.models.Card.p1",)),
    entry(2),
    entry(3, "look"),
    entry(4, "fine", "fine"),
    entry(5, "none", "breaks", operations=()),
    entry(6, place=HOSTILE, what=HOSTILE, names=(HOSTILE,)),
]
WHOLE = Report(entries=ENTRIES, approvals=[APPROVED], today=datetime.date(2026, 6, 1))


@pytest.mark.parametrize("shown", [WHOLE.as_text(), WHOLE.as_json()], ids=["text", "json"])
def test_every_form_has_all_places_and_nothing_forges_a_line_or_a_colour(shown: str) -> None:
    assert all(f"components.schemas.Card.properties.p{number}" in shown for number in range(1, 6))
    assert "\x1b" not in shown
    assert not any(line.startswith("::error::") for line in shown.splitlines())
    assert shown.encode("utf-8")


def test_json_is_exactly_entries_and_counts() -> None:
    found = json.loads(WHOLE.as_json())
    assert list(found) == ["entries", "counts"]
    keys = ["place", "operations", "direction", "what", "wire", "python", "names", "fingerprint"]
    assert {tuple(each) for each in found["entries"]} == {tuple(keys)}
    assert found["entries"][0]["operations"] == ["get /v1/cards", "post /v1/cards"]
    assert found["counts"] == {
        "entries": 6,
        "wire": {"breaks": 3, "look": 1, "fine": 1, "none": 1},
        "python": {"breaks": 2, "look": 0, "fine": 1, "none": 3},
        "breaking": 3,
        "approved": 1,
        "expired": 0,
        "unknown_approvals": 0,
    }
