"""Small changes, one by one: their place, direction and class."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from victor_ext.spec.diff.changes import Sides
from victor_ext.spec.diff.compare import compare
from victor_ext.spec.diff.entry import RULES

from .cases import CODE, MORE, WIRE, Case


@pytest.mark.parametrize("case", [*WIRE, *CODE, *MORE], ids=str)
def test_one_change_is_one_entry(case: Case) -> None:
    entries = compare(copy.deepcopy(case.old), copy.deepcopy(case.new)).entries
    found = {entry.place: (entry.direction, entry.wire) for entry in entries if entry.wire in ("breaks", "look")}
    found = found or {entry.place: (entry.direction, entry.wire) for entry in entries}
    assert found == {case.place: (case.direction, case.wire)}


def test_the_suite_is_whole() -> None:
    assert (len(WIRE), len(CODE)) == (32, 4)
    assert len({case.name for case in [*WIRE, *CODE, *MORE]}) == len([*WIRE, *CODE, *MORE])


def test_every_rule_has_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    found: set[str] = set()
    add = Sides.add

    def noted(sides: Sides, kind: str, *values: Any, **more: Any) -> None:
        found.add(kind)
        add(sides, kind, *values, **more)

    monkeypatch.setattr(Sides, "add", noted)
    for case in [*WIRE, *CODE, *MORE]:
        compare(copy.deepcopy(case.old), copy.deepcopy(case.new))
        compare(copy.deepcopy(case.new), copy.deepcopy(case.old))
    assert found == set(RULES)
