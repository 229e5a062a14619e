"""Changes, one by one, on the wire and in Python; another form of one document; and what moved."""

from pathlib import Path

import pytest

from tests.cases import cases_beside
from victor_spec.diff.changes import RULES, PythonChange
from victor_spec.diff.compare import compare, comparison
from victor_spec.diff.python import python_changes
from victor_spec.document import load
from victor_spec.tree import METHODS

from .cases import CASES, OPERATIONS, SAME, TOLD, entries

pytestmark = pytest.mark.pull_request


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("turned", [False, True], ids=["there", "back"])
def test_another_form_of_the_same_document_is_no_change(name, turned):
    old, new = reversed(SAME[name]) if turned else SAME[name]
    assert [(each.place, each.what) for each in entries(old, new)] == []


def test_changed_texts_are_counted_and_are_no_entries():
    old, new = SAME["examples and descriptions"]
    assert comparison(compare(old, new)).documentation == 2


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_change_is_one_entry_and_has_no_others_beside_it_than_its_case_counts(case):
    every = entries(case.old, case.new)
    found = {
        entry.place: (entry.direction, entry.wire)
        for entry in every
        if entry.wire in ("breaks", "look")
    }
    found = found or {entry.place: (entry.direction, entry.wire) for entry in every}
    assert found == {case.place: (case.direction, case.wire)}
    assert len(every) == 1 + case.beside


def test_every_rule_has_a_case():
    found = set()
    for case in CASES.values():
        for old, new in ((case.old, case.new), (case.new, case.old)):
            found.update(change.kind for change in compare(old, new).changes)
    assert found == set(RULES)


@pytest.mark.parametrize("name", TOLD)
def test_a_changed_place_is_one_entry_with_its_wire_and_python_columns(name):
    old, new, told = TOLD[name]
    sides = compare(old, new)
    files = Path("old.json"), Path("new.json")
    python = python_changes(sides, *files, name="pkg", trees=(old, new))
    entries = comparison(sides, python).entries
    assert {entry.place: [entry.wire, entry.python, entry.what] for entry in entries} == told


def moved(tree):
    """A document with another version in each path, and nothing else."""
    return {**tree, "paths": {f"/v2{path}": item for path, item in tree["paths"].items()}}


def as_before(text):
    return text.replace("/v2/", "/")


@pytest.mark.parametrize("name", [name for name in CASES if "moved" not in name])
def test_a_document_whose_paths_moved_has_the_same_changes_as_one_that_stayed(name):
    case = CASES[name]
    stayed = {each.place: each for each in entries(case.old, case.new)}
    gone = {each.operations[0] for each in stayed.values() if each.what == "removed"}
    went = set()
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
    names = {
        f"{method} {path}"
        for path, item in case.old["paths"].items()
        for method in METHODS
        if method in item
    }
    assert went == names - gone


@pytest.mark.parametrize(("old", "new", "told"), OPERATIONS)
def test_an_operation_is_known_by_its_path_its_id_or_its_path_without_versions(old, new, told):
    found = entries(old, new)
    assert {
        each.operations[0]: each.what for each in found if each.place.endswith((".get", ".post"))
    } == told


WRITTEN = cases_beside(__file__, "python")


@pytest.mark.parametrize("name", WRITTEN["cases"])
def test_a_change_names_what_it_breaks_and_its_cause(name, tmp_path):
    old = new = WRITTEN["document"]
    for before, after in WRITTEN["cases"][name]["edits"]:
        assert before in new
        new = new.replace(before, after)
    old_file = tmp_path / "old.yaml"
    new_file = tmp_path / "new.yaml"
    old_file.write_text(old)
    new_file.write_text(new)
    trees = load(old_file), load(new_file)
    found = python_changes(compare(*trees), old_file, new_file, trees=trees, name="cards_api")
    assert dict(found) == {
        place: PythonChange(level, tuple(f"cards_api.{name}" for name in names.split()), what)
        for place, level, names, what in WRITTEN["cases"][name]["told"]
    }
