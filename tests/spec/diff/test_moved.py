"""Operations that moved, and schemas with another name: what changed in them is compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from victor_ext.spec.diff.python import python_changes
from victor_ext.spec.tree import METHODS, copied

from .cases import CODE, MORE, OPERATIONS, TOLD, WIRE, Case, Tree, entries

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize("name", TOLD)
def test_what_is_told_in_both_columns(name: str) -> None:
    old, new, told = TOLD[name]
    python = python_changes(Path("old.json"), Path("new.json"), name="pkg", trees=(copied(old), copied(new)))
    assert {each.place: [each.wire, each.python, each.what] for each in entries(old, new, python)} == told


def moved(tree: Tree) -> Tree:
    """A document with another version in each path, and nothing else."""
    return {**tree, "paths": {f"/v2{path}": item for path, item in tree["paths"].items()}}


def as_before(text: str) -> str:
    return text.replace("/v2/", "/")


@pytest.mark.parametrize("case", [each for each in (*WIRE, *CODE, *MORE) if "moved" not in each.name], ids=str)
def test_a_moved_document_has_the_changes_of_the_one_that_stayed(case: Case) -> None:
    stayed = {each.place: each for each in entries(case.old, case.new)}
    gone = {each.operations[0] for each in stayed.values() if each.what == "removed"}
    went: set[str] = set()
    for each in entries(case.old, moved(case.new)):
        sentences = each.what.split("; ")
        told = [sentence for sentence in sentences if not sentence.startswith("moved to ")]
        if told != sentences:
            assert each.wire == "breaks"
            went.add(each.operations[0])
        if told:
            other = stayed.pop(as_before(each.place))
            assert ("; ".join(told), each.direction) == (other.what, other.direction)
            assert [as_before(name) for name in each.operations] == list(other.operations)
            assert each.wire == other.wire or told != sentences
    assert stayed == {}
    names = {f"{method} {path}" for path, item in case.old["paths"].items() for method in METHODS if method in item}
    assert went == names - gone


@pytest.mark.parametrize(("old", "new", "told"), OPERATIONS)
def test_which_operation_is_which(old: Tree, new: Tree, told: dict[str, str]) -> None:
    found = entries(old, new)
    assert {each.operations[0]: each.what for each in found if each.place.endswith((".get", ".post"))} == told
