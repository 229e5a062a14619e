"""The table of operations says where a key is, and where a response has an id and a state: by the
document's words, where only one place can be it.
"""

import importlib
import json
from pathlib import Path

import pytest

from victor_spec.generate import generate, parsed

from .wire import TEXT, beside, document, ref, written

pytestmark = pytest.mark.pull_request
CASES = beside("declared_facts")
OBJECT = {"type": "object"}


def object_of(members):
    """A schema of an object: a member without anything is a text, another one an object."""
    properties = {
        name: TEXT if inner is None else object_of(inner) for name, inner in members.items()
    }
    return {**OBJECT, "properties": properties}


def json_of(schema):
    return {"content": {"application/json": {"schema": schema}}, "description": ""}


def with_key(case):
    """An operation that has this parameter, or this member of its body."""
    name, *above = case["name"], *case.get("in", "header").split(".")[:-1]
    place = case.get("in", "header").rpartition(".")[2]
    form = {"format": case["format"]} if "format" in case else {}
    schema = {"type": case.get("type", "string"), **form}
    words = {"description": case.get("says", "")}
    operation = {"responses": {"204": {"description": ""}}}
    if place != "body":
        return operation | {"parameters": [{"name": name, "in": place, "schema": schema, **words}]}
    body = {**OBJECT, "properties": {name: {**schema, **words}}}
    for outer in above:
        body = {**OBJECT, "properties": {outer: body}}
    return operation | {"requestBody": json_of(body)}


def with_result(case):
    """The paths of a write with this response, and of the read of what it makes."""
    good = {"201": json_of(object_of(case["response"]))}
    write = {"operationId": "make", "responses": good}
    if "request" in case:
        write["requestBody"] = json_of(object_of(case["request"]))
    read = {"operationId": "read", "responses": {"200": {"description": ""}}}
    return {
        case["path"]: {"post": write},
        f"{case['path']}/{{{case.get('read', 'id')}}}": {"get": read},
    }


def generated(folder, name, paths):
    assert generate(written(folder, document(paths), name), folder).left_out == []
    return importlib.import_module(f"{name}_api.operations")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("facts")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(made)
        yield made


def test_a_key_is_known_by_its_name_alone(folder):
    cases = [*CASES["keys"], *CASES["others"]]
    paths = {f"/{number}": {"post": with_key(case)} for number, case in enumerate(cases)}
    operations = generated(folder, "keys", paths).OPERATIONS
    said = {each.path: [key for key in each.keys if key.is_key] for each in operations}
    wrong = [
        case
        for number, case in enumerate(cases)
        if bool(said[f"/{number}"]) is not (case in CASES["keys"])
    ]
    assert wrong == []
    for number, case in enumerate(CASES["keys"]):
        (key,) = said[f"/{number}"]
        *above, place = case.get("in", "header").split(".")
        assert (key.place, key.name) == (place, ".".join([*above, case["name"]]))
        assert bool(key.argument) is (place != "body")


@pytest.mark.parametrize("case", CASES["results"], ids=lambda case: json.dumps(case["response"]))
def test_the_id_and_state_of_a_response_are_known_where_only_one_place_fits(case):
    log, data = parsed(Path("some.json"), document(with_result(case)))
    assert data is not None
    tags = data.endpoint_collections_by_tag.values()
    every = [log.requests.declared(each) for tag in tags for each in tag.endpoints]
    (write,) = (each for each in every if each.method == "POST")
    wanted = (case.get("id", ""), case.get("status", ""))
    assert (write.result_id, write.result_status) == wanted


def test_the_body_of_each_refusal_stands_in_the_table(folder):
    """By it, a client tells a refusal of the provider's from the page of a gateway."""
    text = {"content": {"text/plain": {"schema": TEXT}}, "description": ""}
    refusals = {
        "400": json_of(ref("Problem")),
        "409": json_of({"oneOf": [ref("Problem"), ref("Clash"), {"type": "null"}]}),
        "410": {"description": "no content"},
        "429": text,
        "4XX": json_of(OBJECT),
        "default": json_of(ref("Problem")),
    }
    operation = {"operationId": "make", "responses": {"204": {"description": ""}, **refusals}}
    schemas = {"Problem": object_of({"title": None}), "Clash": object_of({"key": None})}
    whole = document({"/refusals": {"post": operation}}, schemas)
    assert generate(written(folder, whole, "refusals"), folder).left_out == []
    package = importlib.import_module("refusals_api.operations")
    (make,) = package.OPERATIONS
    members = importlib.import_module("refusals_api.members").MEMBERS
    assert (make.errors["400"], make.errors["default"]) == (("Problem",), ("Problem",))
    assert (make.errors["409"], make.errors["410"]) == (("Problem", "Clash"), ())
    assert make.errors["429"] == ("bytes",)
    (free,) = make.errors["4XX"]
    assert members["Problem"] == {"title": "text"}
    assert not members.get(free), "an object of any members"
