"""Every keyword of OpenAPI 3.0, 3.1 and 3.2 is read, has nothing to say to a client, or is left out
or noted by name.
"""

import json

import pytest

from victor_spec.document import DocumentError, load
from victor_spec.rewrites import prepare
from victor_spec.shape import KINDS
from victor_spec.tree import copied, target

from .wire import beside, checked, written

TABLE = beside("keywords")
VERSIONS = ("3.0", "3.1", "3.2")


def prepared(tree, folder):
    """What the generator gets, what is left out, and what is noted; the error of a document that is
    refused.
    """
    path = written(folder, tree)
    try:
        made, log = prepare(load(path))
    except (DocumentError, KeyError) as error:
        return repr(error), [], []
    read = log.requests
    text = json.dumps([made, str(read.of), read.servers, read.base_path, str(read.hooks)])
    return text, log.left_out, [*log.notes(), *log.differences()]


def place(tree, at):
    return tree if at == "#/" else target(tree, f"#/{at}")


def without(name, keyword):
    """The document without a keyword of an object."""
    tree = copied(TABLE["document"])
    holders = (place(tree, at) for at in TABLE["objects"][name]["at"])
    del next(each for each in holders if keyword in each)[keyword]
    return tree


def keywords():
    for name, each in TABLE["objects"].items():
        for version in VERSIONS:
            yield from ((name, keyword, what) for keyword, what in each.get(version, {}).items())


def test_a_keyword_that_is_read_makes_another_package_and_a_limit_makes_none(
    tmp_path,
):
    whole, left_out, notes = prepared(TABLE["document"], tmp_path)
    assert (left_out, notes) == ([], [])
    differing = {
        (*each,): prepared(without(*each[:2]), tmp_path)[0] != whole
        for each in keywords()
        if each[2] not in ("named", "noted")
    }
    assert {
        each for each, differs in differing.items() if each[2] == "read" and not differs
    } == set()
    assert {each for each, differs in differing.items() if each[2] == "limits" and differs} == set()


def test_a_document_with_every_keyword_of_the_table_passes_the_check(tmp_path):
    assert [each.loss for each in checked(tmp_path, TABLE["document"]).problems] == []


@pytest.mark.parametrize("plant", TABLE["plants"])
def test_a_keyword_that_is_not_read_is_reported_as_left_out_or_in_a_note(plant, tmp_path):
    tree, _, keyword = copied(TABLE["document"]), *plant.rpartition(".")[1:]
    case = TABLE["plants"][plant]
    place(tree, case["at"])[keyword] = case["value"]
    _, left_out, notes = prepared(tree, tmp_path)
    is_noted = any(plant == f"{name}.{each}" and what == "noted" for name, each, what in keywords())
    lines, others = (notes, left_out) if is_noted else (left_out, notes)
    assert any(case.get("says", keyword) in line or str(case["value"]) in line for line in lines)
    assert others == []


def test_the_table_has_a_case_for_each_reported_keyword_and_lists_every_known_key():
    named = {
        f"{name}.{keyword}" for name, keyword, what in keywords() if what in ("named", "noted")
    }
    assert named <= TABLE["plants"].keys()
    kinds = {
        "Document": "OpenAPI",
        "RequestBody": "Request Body",
        "MediaType": "Media Type",
        "PathItem": "Path Item",
    }
    kinds["ServerVariable"] = "Server Variable"
    listed = {(name, keyword) for name, keyword, _ in keywords()}
    known = {(kinds.get(kind, kind), keyword) for kind, keys in KINDS.items() for keyword in keys}
    words = {"description", "summary", "title"}  # of any object
    assert {each for each in known - listed if each[1] not in words} == {("Schema", "definitions")}
