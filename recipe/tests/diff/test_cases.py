"""Changes, one by one, on the wire and in Python; another form of one document; and what moved."""

from pathlib import Path

import pytest

from tests.cases import cases_beside
from victor_spec.diff.changes import RULES, PythonChange
from victor_spec.diff.compare import compare, comparison
from victor_spec.diff.python import python_changes
from victor_spec.document import load
from victor_spec.tree import METHODS, copied

from .cases import CASES, OPERATIONS, SAME, TOLD, entries, receives, sends

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


TYPES = {
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "array": {"type": "array", "items": {"type": "string"}},
    "object": {"type": "object", "properties": {"a": {"type": "string"}}},
}
ROWS_OF_KEYWORDS = [
    (["number", "integer"], {"minimum": 5, "maximum": 5, "multipleOf": 5}),
    (["number", "integer"], {"exclusiveMinimum": 5, "exclusiveMaximum": 5}),
    (["number", "integer", "string"], {"format": "other"}),
    (["string"], {"minLength": 5, "maxLength": 5, "pattern": "^a$", "contentEncoding": "base64"}),
    (["string"], {"contentMediaType": "a/b", "contentSchema": {"type": "object"}}),
    (["array"], {"minItems": 5, "maxItems": 5, "uniqueItems": True, "contains": {"const": "a"}}),
    (["array"], {"minContains": 5, "maxContains": 5, "unevaluatedItems": False}),
    (["array"], {"prefixItems": [{"type": "string", "maxLength": 5}]}),
    (["object"], {"minProperties": 5, "maxProperties": 5, "propertyNames": {"maxLength": 5}}),
    (["object"], {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}}),
    (["object"], {"required": ["a"], "additionalProperties": False}),
    (["object"], {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"a": {"not": {}}}}),
    (["object"], {"patternProperties": {"^b": {"type": "string", "maxLength": 5}}}),
    ([*TYPES], {"enum": [], "not": {"const": 5}, "deprecated": True}),
]
OF_TYPES = {name: (value, types) for types, row in ROWS_OF_KEYWORDS for name, value in row.items()}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("keyword", OF_TYPES)
def test_a_keyword_that_says_nothing_of_a_type_is_no_change_beside_it(keyword, kind):
    """Also where the type stands in another part of an `allOf`, and where it is gone again."""
    value, types = OF_TYPES[keyword]
    beside = {**TYPES[kind], keyword: value}
    apart = {"allOf": [TYPES[kind], {keyword: value}]}
    for old, new in ((TYPES[kind], beside), (beside, TYPES[kind]), (TYPES[kind], apart)):
        found = [
            *entries(*map(sends, copied([old, new]))),
            *entries(*map(receives, copied([old, new]))),
        ]
        assert bool(found) is (kind in types), found


def test_a_limit_of_lists_beside_a_type_that_may_now_be_a_list_is_no_limit_added():
    old, new = {"type": "number"}, {"type": ["number", "array"], "minItems": 5}
    assert [each.wire for each in entries(sends(old), sends(new))] == ["fine"]


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
