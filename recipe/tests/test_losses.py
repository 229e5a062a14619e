"""Documents of which a part, or all that refers to it, was lost: each is the smallest one that
shows its fault.
"""

import json

import httpx
import pytest
from openapi_python_client.parser.errors import PropertyError
from openapi_python_client.parser.properties.string import StringProperty

from victor_spec.document import load
from victor_spec.generate import generate

from .calls.judge import judged
from .calls.package import Package
from .command import run
from .wire import (
    TEXT,
    Wire,
    an_object,
    answering,
    beside,
    document,
    done,
    listed,
    parameter,
    ref,
    written,
)

pytestmark = pytest.mark.pull_request
LOSSES = beside("losses")


@pytest.fixture
def make(tmp_path):
    def make(tree, *left_out, plain=()):
        """The models of a package.

        Nothing but `left_out` is lost: calls find all else of the document in it. `plain` is
        what the generator cannot express.
        """
        spec = written(tmp_path, tree)
        result = generate(spec, tmp_path)
        assert [line.partition(":")[0] for line in result.left_out] == [*left_out]
        assert result.log.plain.get("the generator cannot express its type", []) == [*plain]
        assert left_out or judged(load(spec), result.package).lines() == []
        return Package(result.package).load("models")

    return make


# ---- Two names that are one in Python ----


@pytest.mark.parametrize(("wires", "names"), LOSSES["names"])
def test_wire_names_that_become_the_same_python_name_keep_their_own_values(make, wires, names):
    query = {"get": done("query", parameters=[parameter(wire) for wire in wires])}
    models = make(document({"/things": query}, {"Thing": an_object(**dict.fromkeys(wires, TEXT))}))
    model = models.Thing.from_dict({wire: wire for wire in wires})
    assert [getattr(model, name) for name in names] == wires
    assert model.to_dict() == {wire: wire for wire in wires}


# ---- Operations that are made whole ----


@pytest.mark.parametrize("paths", LOSSES["operations"].values(), ids=LOSSES["operations"])
def test_no_part_of_an_operation_is_lost(make, paths):
    make(document(paths))


@pytest.mark.parametrize("case", LOSSES["left_out"].values(), ids=LOSSES["left_out"])
def test_what_cannot_be_called_as_declared_is_left_out_by_name_until_an_overlay_corrects_it(
    case, tmp_path
):
    spec = written(tmp_path, document(**case["document"]))
    result = generate(spec, tmp_path)
    for line, beginning in zip(result.left_out, case["lines"], strict=True):
        assert line.startswith(beginning)
    verdict = judged(load(spec), result.package)
    assert verdict.lines()
    assert verdict.beside(result.left_out) == []
    corrections = {"overlay": "1.0.0", "actions": case["overlay"]}
    (tmp_path / "some.overlay.yaml").write_text(json.dumps(corrections), encoding="utf-8")
    corrected = generate(spec, tmp_path)
    assert corrected.left_out == []
    assert judged(load(spec), corrected.package).lines() == []


# ---- Schemas that are read whole ----


@pytest.mark.parametrize("schemas", LOSSES["schemas"].values(), ids=LOSSES["schemas"])
def test_schemas_of_any_name_and_shape_are_read_and_written_whole(make, schemas):
    """Each field is an attribute, and what was read is given back: `make` fails otherwise."""
    pointers = [name.replace("~", "~0").replace("/", "~1").replace("%", "%25") for name in schemas]
    make(
        document(
            {f"/{n}": {"get": answering(ref(pointer))} for n, pointer in enumerate(pointers)},
            schemas,
        )
    )


def test_a_list_that_holds_itself_is_plain_json_and_nothing_else_loses_its_type(
    make, tmp_path, capsys
):
    schemas = {
        "Json": {"oneOf": [TEXT, listed(ref("Json"))]},
        "Holder": an_object(value=ref("Json"), other=TEXT),
    }
    models = make(document(schemas=schemas), plain=("Json",))
    assert models.Holder.from_dict({"value": ["a", ["b"]], "other": "x"}).value == ["a", ["b"]]
    assert run("generate", "--out", tmp_path, tmp_path / "some.json") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "    Json: the generator cannot express its type\n" in printed.out
    operations = (tmp_path / "some_api" / "operations.py").read_text(encoding="utf-8")
    assert "# Plain JSON, exactly (the generator cannot express its type): Json\n" in operations


def test_a_named_schema_that_the_generator_cannot_build_is_plain_json_and_other_parts_are_left_out(
    make, monkeypatch
):
    build = StringProperty.build

    def failing(**arguments):
        text = arguments["description"]
        is_bad = text is not None and text.get_untrusted_value() == "fails"
        return PropertyError(detail="it fails") if is_bad else build(**arguments)

    monkeypatch.setattr(StringProperty, "build", failing)
    models = make(document(**LOSSES["failing"]), "GET /x", "POST /y", plain=("A",))
    assert models.D.from_dict({"c": [{"a": {"good": "x", "bad": 5}}]}).c[0].a == {
        "good": "x",
        "bad": 5,
    }


# ---- Forms of OpenAPI 3.1 ----


def test_schemas_in_the_words_of_3_1_are_read_whole(make):
    forms = {f"Holder{n}": each for n, each in enumerate(LOSSES["forms"])}
    word = {"type": "string", "enum": ["a", "b"]}
    models = make(
        document(
            {f"/{name}": {"get": answering(ref(name))} for name in forms},
            {
                "Word": word,
                **{
                    name: an_object(field=each["schema"], other=TEXT)
                    for name, each in forms.items()
                },
            },
        )
    )
    for name, each in forms.items():
        read = {"field": each["value"], "other": "x"}
        assert getattr(models, name).from_dict(read).to_dict() == read


# ---- Lists and names ----


@pytest.mark.parametrize("kind", ["plain", "either", "typed"])
def test_what_may_be_a_list_is_no_object_because_a_part_has_properties(tmp_path, kind):
    named = {f"{kind}_{number}": each for number, each in enumerate(LOSSES["lists"][kind])}
    paths = {
        f"/{name}": {"get": answering(schema, operationId=name)} for name, schema in named.items()
    }
    schemas = LOSSES["lists"]["components"]
    wire = Wire(tmp_path, paths=paths, components={"schemas": schemas}, openapi="3.1.0")
    for name in named:
        assert wire.read(name, httpx.Response(200, json=["a"])) == ["a"]


@pytest.mark.parametrize("name", ["other_fee_type", "a_property_with_a_name_of_some_length"])
def test_schemas_nested_too_deep_for_a_file_name_are_read_and_written(make, name):
    deep = an_object(**{name: TEXT})
    written = {name: "x"}
    for _ in range(20):
        deep = an_object(**{name: deep})
        written = {name: written}
    models = make(document(schemas={"Deep": deep}))
    assert len(models.__all__) == 21
    read = models.Deep.from_dict(written)
    assert read.to_dict() == written
    for _ in range(20):
        read = getattr(read, name)
    assert getattr(read, name) == "x"
