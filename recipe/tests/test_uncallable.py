"""What can never be called, or is sent twice, is named from the document alone."""

import json

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from victor_spec.uncallable import impossible_calls

from .command import run
from .wire import beside, document, done, parameter, ref, taking, written

pytestmark = pytest.mark.pull_request
CASES = beside("uncallable")
NODE = {"Node": CASES["named"]["Node"]}
LOOP = "it requires itself, and no value has an end"


def said_of(operation, schemas=CASES["named"], **item):
    """What is said of one operation, `POST /x`."""
    return [*impossible_calls(document({"/x": {"post": operation, **item}}, schemas))]


@pytest.mark.parametrize(("schema", "why"), CASES["none_fits"], ids=str)
def test_a_body_that_no_value_fits_is_named_with_the_place_and_the_reason(schema, why):
    assert said_of({"requestBody": taking(schema)}) == [f"POST /x: no value fits its body{why}"]


@pytest.mark.parametrize("schema", CASES["fits"], ids=str)
def test_nothing_is_said_of_a_body_that_a_value_fits(schema):
    assert said_of({"requestBody": taking(schema)}) == []


NAMES = ("A", "B")
WORDS = st.sampled_from(["a", "bb", 1, 2.5, True, None])
FEW = st.integers(0, 3)
TYPES = st.sampled_from(["string", "integer", "number", "object", "array", ["string", "null"]])


def schemas_of(inner):
    """Schemas with these in them."""
    members = st.dictionaries(st.sampled_from("xy"), inner, max_size=2)
    several = st.lists(inner, min_size=1, max_size=2)
    return st.fixed_dictionaries(
        {"type": TYPES},
        optional={
            "enum": st.lists(WORDS, min_size=1, max_size=2),
            **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "minLength"), FEW),
            **dict.fromkeys(("maxLength", "minItems", "maxItems", "maxProperties"), FEW),
            "properties": members,
            "required": st.lists(st.sampled_from("xy"), max_size=2, unique=True),
            "additionalProperties": st.booleans(),
            "items": inner | st.booleans(),
            **dict.fromkeys(("allOf", "oneOf", "anyOf"), several),
            "not": inner,
        },
    )


SCHEMAS = st.recursive(st.sampled_from([ref(name) for name in NAMES]), schemas_of, max_leaves=8)
SCALARS = ["", "a", "bb", "ccc", 0, 1, 2, 2.5, 3, True, None]
FLAT = [*SCALARS, {}, *({name: value} for name in "xy" for value in SCALARS)]
VALUES = [*FLAT, [], *([value] for value in FLAT), *({"x": x, "y": y} for x in FLAT for y in FLAT)]


@given(st.fixed_dictionaries(dict.fromkeys(NAMES, schemas_of(SCHEMAS))))
@settings(max_examples=60)
def test_nothing_is_said_where_jsonschema_admits_a_value(schemas):
    root = {**ref("A"), "components": {"schemas": schemas}}
    admits = jsonschema_rs.Draft202012Validator(root).is_valid
    said = said_of({"requestBody": taking(ref("A"))}, schemas)
    assert not said or not any(map(admits, VALUES))


TWICE = "it is asked for, and sent, beside the"


@pytest.fixture
def spec(tmp_path):
    """A document whose operation cannot be called, and sends a parameter twice."""
    operation = done("pay", parameters=[parameter("kind")], requestBody=taking(ref("Node")))
    return written(tmp_path, document({"/pay?kind=card": {"post": operation}}, NODE))


def test_what_cannot_be_called_is_a_loss_for_generate_and_check_until_it_is_accepted(spec, capsys):
    generate = ("generate", spec, "--out", spec.parent)
    impossible = f"POST /pay?kind=card: no value fits its body.parent: {LOOP}"
    twice = f"POST /pay?kind=card: query parameter kind: {TWICE} kind=card of the path"
    assert run(*generate) == 1
    assert capsys.readouterr().err == f"  NO CALL: {impossible}\n  SENT TWICE: {twice}\n"
    correct = "correct the document in <document>.overlay.yaml, or accept it with a reason"
    assert run("check", spec, "--out", spec.parent) == 1
    assert capsys.readouterr().out == (
        f"no call (1): {correct}\n    {impossible}\nsent twice (1): {correct}\n    {twice}\n"
        "some.json: no call (1), sent twice (1)\n"
    )
    assert run("check", spec, "--json") == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert problems == [
        {"kind": "no call", "place": impossible, "what": ""},
        {"kind": "sent twice", "place": twice, "what": ""},
    ]
    assert run("check", spec, "--accept", "we do not call it") == 0
    capsys.readouterr()
    assert run("check", spec, "--out", spec.parent) == 0
    assert run(*generate) == 0
    assert "NO CALL" not in capsys.readouterr().err
