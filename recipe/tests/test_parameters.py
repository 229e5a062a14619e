"""How parameters are sent, each style of OpenAPI in each place, with typed arguments."""

import pytest

from .wire import Wire, beside, done, package, parameter

pytestmark = pytest.mark.pull_request
DOCUMENTS = beside("parameters")
PARAMETERS = {
    name: parameter("x", each.pop("in"), **each) for name, each in DOCUMENTS["parameters"].items()
}
PATHS = {
    f"/{name}" + ("/{x}" if each["in"] == "path" else ""): {"get": done(name, parameters=[each])}
    for name, each in PARAMETERS.items()
}
PATHS["/own/{id}#shared"] = {
    "get": done("own_fragment", parameters=[parameter("id", "path"), parameter("x")])
}
PATHS["/own?kind=a"] = {"get": done("own_query", parameters=[parameter("x")])}
PATHS["/replaced"] = {
    "parameters": [
        parameter("x", schema={"type": "boolean"}),
        parameter("X-Trace", "header", {"type": "boolean"}),
        parameter("shared"),
    ],
    "get": done(
        "replaced",
        parameters=[
            parameter("x", schema={"type": "integer"}),
            parameter("x-trace", "header", {"type": "integer"}),
        ],
    ),
}


wire = package(lossy=True, paths=PATHS)


@pytest.mark.parametrize(("operation", "value", "sent"), DOCUMENTS["sent"])
def test_a_value_is_written_in_the_style_of_its_parameter(wire, operation, value, sent):
    """The other styles: `test_each_request_is_sent_as_declared_except_at_one_known_place`."""
    given = {} if PARAMETERS[operation]["in"] == "path" else {"x": value}
    assert wire.target(operation, *([] if given else [value]), **given) == f"/{operation}{sent}"


def test_each_request_is_sent_as_declared_except_at_one_known_place(wire):
    """The encoder of the calls shares no code with the package; its text with a blank is none for a
    list divided by blanks.
    """
    assert wire.faults() == ["paths./space_list.get"]


@pytest.mark.parametrize(("operation", "value", "why"), DOCUMENTS["refused"])
def test_a_parameter_value_that_cannot_be_written_is_refused_with_the_reason(
    wire, operation, value, why
):
    with pytest.raises(ValueError) as caught:
        wire.send(operation, x=value)
    assert str(caught.value).startswith(why)


# ---- One allowed word ----

ONE_WORD = {"type": "string", "enum": ["application/vnd.x+json"]}
SCHEMAS_OF_ONE_WORD = {
    "enum": ONE_WORD,
    "reference": {"$ref": "#/components/schemas/Word"},
    "const": {"const": "application/vnd.x+json"},
}


def required(name, place="header", schema=ONE_WORD):
    return parameter(name, place, schema, required=True)


@pytest.fixture(scope="module")
def one_word(tmp_path_factory):
    """The package of operations that need a word which is the only one."""
    paths = {
        f"/{name}": {"get": done(name, parameters=[required("Accept", schema=schema)])}
        for name, schema in SCHEMAS_OF_ONE_WORD.items()
    }
    paths["/{version}/{id}/{kind}"] = {
        "post": done(
            "write",
            parameters=[
                *(parameter(each, "path", {"enum": [f"{each}1"]}) for each in ("version", "kind")),
                parameter("id", "path"),
                required("size", "query", {"type": "integer", "enum": [3]}),
                required("agreed", "query", {"const": True}),
                parameter("X-Free", "header", ONE_WORD),
                required("X-Two", schema={"enum": ["a", "b"]}),
            ],
        )
    }
    folder = tmp_path_factory.mktemp("one_word")
    return Wire(folder, paths=paths, components={"schemas": {"Word": ONE_WORD}}, openapi="3.1.0")


@pytest.mark.parametrize("operation", SCHEMAS_OF_ONE_WORD)
def test_a_required_argument_with_one_allowed_word_has_it_as_its_default(one_word, operation):
    assert one_word.send(operation).headers["accept"] == "application/vnd.x+json"
    other = one_word.send(operation, accept="application/json")
    assert other.headers["accept"] == "application/json"
