"""Changes, one by one; and the same document in another form, which is no change."""

from __future__ import annotations

import pytest

from victor_ext.spec.diff.changes import RULES, Change, Reach, Sides
from victor_ext.spec.diff.compare import compare
from victor_ext.spec.tree import copied

from .cases import CODE, MORE, SAME, WIRE, Case, entries

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("turned", [False, True], ids=["there", "back"])
def test_it_is_no_change(name: str, turned: bool) -> None:
    old, new = reversed(SAME[name]) if turned else SAME[name]
    assert [(each.place, each.what) for each in entries(old, new)] == []


def test_texts_are_counted() -> None:
    old, new = SAME["examples and descriptions"]
    assert compare(copied(old), copied(new)).documentation == 2


@pytest.mark.parametrize("case", [*WIRE, *CODE, *MORE], ids=str)
def test_one_change_is_one_entry(case: Case) -> None:
    every = entries(case.old, case.new)
    found = {entry.place: (entry.direction, entry.wire) for entry in every if entry.wire in ("breaks", "look")}
    found = found or {entry.place: (entry.direction, entry.wire) for entry in every}
    assert found == {case.place: (case.direction, case.wire)}


def test_the_suite_is_whole() -> None:
    assert (len(WIRE), len(CODE)) == (32, 4)
    assert len({case.name for case in [*WIRE, *CODE, *MORE]}) == len([*WIRE, *CODE, *MORE])


def test_every_rule_has_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    found: set[str] = set()
    note = Sides.note

    def noted(sides: Sides, change: Change, reach: Reach) -> None:
        found.add(change.kind)
        note(sides, change, reach)

    monkeypatch.setattr(Sides, "note", noted)
    for case in [*WIRE, *CODE, *MORE]:
        entries(case.old, case.new)
        entries(case.new, case.old)
    assert found == set(RULES) - {"sunset-too-soon", "sunset-missing"}  # of the option --sunset-days
