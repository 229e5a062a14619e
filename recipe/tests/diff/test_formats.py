"""The forms of a report, escaped and valid for the tools that read them; and the line of a place in
the document.
"""

import datetime
import json
import re
from dataclasses import replace

import pytest

from victor_spec.decisions import Approval
from victor_spec.diff.changes import Entry
from victor_spec.diff.formats import FORMATS, as_text
from victor_spec.diff.report import Report

pytestmark = pytest.mark.pull_request
HOSTILE = "a|b`c`<script>alert(1)</script>\n::error::x\x1b[31m%0A&amp;\u2028]]>\ud800{old}{0}%s"


def entry(number, wire="breaks", python="none", **more):
    place = f"components.schemas.Card.properties.p{number}"
    operations = ("get /v1/cards", "post /v1/cards")
    made = Entry(
        place, operations, "received", "property removed", wire, python, (), f"{number:016}"
    )
    return replace(made, **more)


def report(*entries, approved=()):
    names = {"old": "old.yaml", "new": "new.yaml", "file": "api/new.yaml"}
    day = datetime.date(2026, 6, 1)
    return Report(**names, entries=entries, documentation=3, approvals=approved, today=day)


APPROVED = Approval(f"{2:016}", "we never read it", "wire", datetime.date(2026, 12, 31))
WHOLE = report(
    entry(1, python="breaks", names=("cards_api.models.Card.p1",)),
    entry(2),
    entry(3, "look"),
    entry(4, "fine", "fine"),
    entry(5, "none", "breaks", operations=()),
    entry(6, place=HOSTILE, what=HOSTILE, names=(HOSTILE,)),
    approved=(APPROVED,),
)


@pytest.mark.parametrize("name", [*FORMATS, "text"])
def test_the_places_are_the_same_in_every_form_and_nothing_forges_a_line_or_a_colour(
    name,
):
    shown = FORMATS[name](WHOLE) if name in FORMATS else as_text(WHOLE)
    wanted = range(1, 6) if name != "github" else (1, 3, 5)
    assert all(f"components.schemas.Card.properties.p{number}" in shown for number in wanted)
    assert "\x1b" not in shown
    assert not any(line.startswith("::error::") for line in shown.splitlines())
    assert FORMATS.get(name, as_text)(report())
    assert shown.encode("utf-8")


def test_json_is_exactly_entries_and_counts():
    found = json.loads(FORMATS["json"](WHOLE))
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
        "documentation": 3,
    }


def test_github_has_one_command_a_line():
    lines = FORMATS["github"](WHOLE).splitlines()
    assert [line.split(" ")[0] for line in lines] == [
        "::error",
        "::warning",
        "::error",
        "::error",
        "::notice",
    ]
    assert all(
        re.fullmatch(r"::(error|warning|notice) file=[^:,]+(,title=[^:,]+)?::.+", line)
        for line in lines
    )
    assert lines[0].startswith(
        "::error file=api/new.yaml,title=components.schemas.Card.properties.p1::property removed"
    )
