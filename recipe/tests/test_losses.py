"""Documents of which a part, or all that refers to it, was lost: each is the smallest one that
shows its fault.
"""

import importlib
import itertools

import httpx
import pytest
from openapi_python_client.parser.errors import PropertyError
from openapi_python_client.parser.properties.string import StringProperty

from victor_spec.generate import generate
from victor_spec.rewrites.canonical import EITHER

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


NUMBERS = itertools.count()


def models_of(package):
    """The models of a package, imported under a name that no other has."""
    name = f"lossy_{next(NUMBERS)}"
    package.rename(package.with_name(name))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(package.parent)
        models = importlib.import_module(f"{name}.models")
        for each in models.__all__:
            getattr(models, each)
        return models


@pytest.fixture
def make(tmp_path):
    def make(tree, *left_out, plain=()):
        """The models of a package.

        Nothing but `left_out` is lost. `plain` is what the generator cannot express.
        """
        spec = written(tmp_path, tree)
        result = generate(spec, tmp_path)
        assert [line.partition(":")[0] for line in result.left_out] == [*left_out]
        assert result.log.plain.get("the generator cannot express its type", []) == [*plain]
        return models_of(result.package)

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


def test_warnings_of_the_generator_are_printed_only_with_verbose(make, tmp_path, capsys):
    make(document({"/x": {"get": {"responses": {"xyz": {"description": "no status"}}}}}), "GET /x")
    generated = ["generate", "--out", tmp_path, tmp_path / "some.json"]
    assert run(*generated) == 1
    assert "client: WARNING" not in capsys.readouterr().err
    assert run(*generated, "--verbose") == 1
    assert (
        "client: WARNING parsing GET /x within default. Invalid response" in capsys.readouterr().err
    )


def test_an_object_that_contains_an_extension_of_itself_is_plain_json(make):
    make(document(schemas=LOSSES["within"]), plain=("Node",))


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


@pytest.mark.parametrize(
    ("schema", "value"), [(each["schema"], each["value"]) for each in LOSSES["forms"]]
)
def test_a_schema_in_the_words_of_3_1_is_read_whole(make, schema, value):
    word = {"type": "string", "enum": ["a", "b"]}
    holder = an_object(field=schema, other=TEXT)
    models = make(
        document({"/x": {"get": answering(ref("Holder"))}}, {"Holder": holder, "Word": word})
    )
    assert models.Holder.from_dict(read := {"field": value, "other": "x"}).to_dict() == read


def test_what_may_be_a_list_is_no_object_because_a_part_has_properties(tmp_path):
    """Nothing is unreadable of it, and the note says what it is."""
    schemas = LOSSES["lists"]["components"]
    named = {
        f"{kind}_{number}": schema
        for kind in ("plain", "either", "typed")
        for number, schema in enumerate(LOSSES["lists"][kind])
    }
    paths = {
        f"/{name}": {"get": answering(schema, operationId=name)} for name, schema in named.items()
    }
    wire = Wire(tmp_path, paths=paths, components={"schemas": schemas}, openapi="3.1.0")
    for name in named:
        assert wire.read(name, httpx.Response(200, json=["a"])) == ["a"], name
    notes = [note for note in wire.result.log.notes() if note.startswith("GET")]
    whys = {"plain": "parts of its allOf are no objects", "either": EITHER}
    assert notes == [
        f"GET /{name} 200 application/json: {whys[name.partition('_')[0]]}"
        for name in named
        if not name.startswith("typed")
    ]


# ---- Webhooks and callbacks ----


def test_webhooks_and_callbacks_have_models(make):
    models = make(document(**LOSSES["hooks"]))
    assert {"ThingCreatedWebhook", "StartDoneCallback"} <= {*models.__all__}


def test_names_too_long_for_a_file_still_have_their_models(make):
    long = "x" * 300
    paths = {"/a": {"get": done(long, tags=[long])}, "/b": {"get": done(long + "y")}}
    models = make(
        document(
            paths, {long: an_object(**{long: an_object(a=TEXT)}), long + "y": an_object(b=TEXT)}
        )
    )
    assert len(models.__all__) == 3


@pytest.mark.parametrize("schema", [None, an_object(a=TEXT)])
def test_a_schema_whose_name_is_empty_is_called_unnamed(make, schema):
    paths = {"/a": {"get": answering(ref("")), "post": answering(an_object(b=TEXT))}}
    models = make(document(paths, {"": schema, "Other": an_object(c=TEXT)}))
    assert {"Other", "PostAResponse200"} <= {*models.__all__}
    assert hasattr(models, "Unnamed") == (schema is not None)


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
