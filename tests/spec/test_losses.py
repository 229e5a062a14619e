"""Documents of which a part, or all that refers to it, was lost: each is the smallest one that shows its fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from victor_ext.spec.__main__ import main
from victor_ext.spec.generate import GenerationResult, generate

from .generated_package import Package
from .wire import TEXT, Tree, an_object, answering, ref

Make = Callable[..., "Made"]


def document(paths: Tree | None = None, schemas: Tree | None = None, openapi: str = "3.0.3", **others: Any) -> Tree:
    return {
        "openapi": openapi,
        "info": {"title": "T", "version": "1"},
        "paths": paths or {},
        "components": {"schemas": schemas or {}},
        **others,
    }


def operation(**others: Any) -> Tree:
    return {"responses": {"200": {"description": "ok"}}, **others}


class Made:
    """A generated package, in use."""

    def __init__(self, result: GenerationResult, package: Package) -> None:
        self.left_out = result.left_out
        self.package = package

    def model(self, name: str) -> Any:
        return self.package.classes[name]

    def fields(self, name: str) -> dict[str, str]:
        """The Python name of each wire name."""
        model = self.model(name)
        return {wire: field for field, wire in _wires(self.package, model)}

    def arguments(self, method: str, path: str) -> list[str]:
        import inspect

        made = self.package.operation(method, path)
        assert made is not None, f"{method} {path} is lost"
        return list(inspect.signature(vars(made._module)["_get_kwargs"]).parameters)

    def sent(self, method: str, path: str) -> set[tuple[str, str]]:
        made = self.package.operation(method, path)
        assert made is not None, f"{method} {path} is lost"
        return made.sent


def _wires(package: Package, model: Any) -> list[tuple[str, str]]:
    import attrs

    names = [field.name for field in attrs.fields(model) if field.name != "additional_properties"]
    return list(zip(names, package.fields(model), strict=True))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make(tree: Tree) -> Made:
        spec = tmp_path / "some.json"
        spec.write_text(json.dumps(tree), encoding="utf-8")
        result = generate(spec, tmp_path)
        assert result.written, result.left_out
        package = Package(result.package)
        return Made(result, package)

    return make


# ---- Two names that are one in Python ----


def parameter(name: str, place: str = "query", **others: Any) -> Tree:
    return {"name": name, "in": place, "schema": TEXT, **({"required": True} if place == "path" else {}), **others}


@pytest.mark.parametrize(
    ("wires", "names"),
    [
        (["id", "id[]"], ["id", "id_list"]),
        (["id[]", "id"], ["id_list", "id"]),
        (["DateSent", "DateSent<", "DateSent>"], ["date_sent", "date_sent_lt", "date_sent_gt"]),
        (["+1", "-1"], ["plus_1", "minus_1"]),
        (["a!", "a!!", "a!!!"], ["a_not", "a_not_not", "a_not_not_not"]),
        (["§", "¶", "†"], ["field_", "field__2", "field__3"]),
        (["additional_properties", "to_dict"], ["additional_properties_2", "to_dict_2"]),
        (["fi", "\ufb01"], ["fi", "fi_2"]),
    ],
)
def test_names_that_are_the_same_in_python(make: Make, wires: list[str], names: list[str]) -> None:
    query = {"get": operation(parameters=[parameter(wire) for wire in wires])}
    made = make(document({"/things": query}, {"Thing": an_object(**dict.fromkeys(wires, TEXT))}))
    assert made.left_out == []
    assert made.fields("Thing") == dict(zip(wires, names, strict=True))
    assert made.sent("get", "/things") == {("query", wire) for wire in wires}
    model = made.model("Thing").from_dict({wire: wire for wire in wires})
    assert [getattr(model, name) for name in names] == wires
    assert model.to_dict() == {wire: wire for wire in wires}


def test_parameters_with_the_names_of_arguments(make: Make) -> None:
    body = {"content": {"application/json": {"schema": an_object(a=TEXT)}}}
    parameters = [parameter("body"), parameter("client"), parameter("body", "path"), parameter("client", "header")]
    made = make(document({"/things/{body}": {"post": operation(requestBody=body, parameters=parameters)}}))
    assert made.left_out == []
    assert len(set(made.arguments("post", "/things/{body}"))) == 5
    assert ("query", "body") in made.sent("post", "/things/{body}")


@pytest.mark.parametrize(
    "path", ["/{x.y}", "/{x-y}/{x_y}", "/{1}", "/{a}/{a}", "/{a}/b{c}d", "/{a}/{", "/{a}:verb", "/{}/x", "/{a}{b}"]
)
def test_parameters_in_the_path_have_any_name(make: Make, path: str) -> None:
    made = make(document({path: {"get": operation()}}))
    assert made.left_out == []
    assert made.package.operation("get", path) is not None


def test_a_far_reference_within_a_far_reference(make: Make) -> None:
    schemas = {
        "A": an_object(x={"$ref": "#/components/schemas/B/properties/b"}),
        "B": an_object(b=an_object(c={"$ref": "#/components/schemas/C/properties/c"})),
        "C": an_object(c=an_object(d={"$ref": "#/components/schemas/C/properties/c"}, e=TEXT)),
    }
    made = make(document(schemas=schemas))
    assert made.left_out == []
    read = made.model("A").from_dict({"x": {"c": {"d": {"e": "deep"}}}})
    assert read.x.c.d.e == "deep"


def test_a_far_reference_through_the_target_of_another(make: Make) -> None:
    """Codat refers to `Account/definitions/prototype`, and to properties within it."""
    inner = "#/components/schemas/A/properties/a"
    schemas = {
        "A": an_object(a=an_object(b=an_object(c=TEXT))),
        "X": an_object(x={"$ref": inner}),
        "Y": an_object(y={"$ref": f"{inner}/properties/b"}),
        "Z": an_object(z={"$ref": f"{inner}/properties/b/properties/c"}),
    }
    made = make(document(schemas=schemas))
    assert made.left_out == []
    assert made.model("X").from_dict({"x": {"b": {"c": "deep"}}}).x.b.c == "deep"
    assert made.model("Y").from_dict({"y": {"c": "deep"}}).y.c == "deep"


@pytest.mark.parametrize("name", ["a/b", "a b", "a%41", "a~1b", "ä", "1", "a.b"])
def test_schemas_have_any_name(make: Make, name: str) -> None:
    pointer = name.replace("~", "~0").replace("/", "~1").replace("%", "%25")
    schemas = {"User": an_object(x=ref(pointer)), name: an_object(here=TEXT)}
    made = make(document(schemas=schemas))
    assert made.left_out == []
    assert made.model("User").from_dict({"x": {"here": "yes"}}).x.here == "yes"


def test_null_beside_allof(make: Make) -> None:
    parts = [ref("Address"), {"type": "object", "additionalProperties": True}]
    schemas = {
        "Address": an_object(city=TEXT),
        "Nullable": {"nullable": True, "allOf": parts},
        "Alias": {"nullable": True, "allOf": [ref("Address")]},
        "User": an_object(home=ref("Nullable"), work=ref("Alias"), there={"nullable": True, "allOf": parts}),
    }
    made = make(document(schemas=schemas))
    assert made.left_out == []
    user = made.model("User").from_dict({"home": {"city": "A"}, "work": {"city": "B"}, "there": {"city": "C"}})
    assert (user.home.city, user.work.city, user.there.city) == ("A", "B", "C")


def test_a_union_that_holds_itself(make: Make) -> None:
    schemas = {
        "Json": {"oneOf": [TEXT, {"type": "object", "additionalProperties": ref("Json")}]},
        "Holder": an_object(value=ref("Json")),
    }
    made = make(document(schemas=schemas))
    assert made.left_out == []
    value = made.model("Holder").from_dict({"value": {"a": {"b": "c"}}}).value
    assert value["a"]["b"] == "c"


@pytest.mark.parametrize("key", ["oneOf", "anyOf"])
def test_a_named_union_of_one_reference(make: Make, key: str) -> None:
    inner = an_object(x=an_object(t=TEXT))
    made = make(document({"/x": {"get": answering(ref("Alias"))}}, {"Alias": {key: [ref("Thing")]}, "Thing": inner}))
    assert made.left_out == []
    assert made.model("Alias").from_dict({"x": {"t": "1"}}).x.t == "1"


def test_a_list_that_holds_itself_costs_its_items_only(make: Make) -> None:
    schemas = {
        "Json": {"oneOf": [TEXT, {"type": "array", "items": ref("Json")}]},
        "Holder": an_object(value=ref("Json"), other=TEXT),
    }
    made = make(document(schemas=schemas))
    assert [line.partition(":")[0] for line in made.left_out] == ["Json(oneOf 2)[]"]
    assert made.model("Holder").from_dict({"value": ["a", ["b"]], "other": "x"}).value == ["a", ["b"]]


def test_members_of_a_union_with_one_property_name(make: Make) -> None:
    union = {"oneOf": [an_object(a=an_object(x=TEXT)), an_object(a=an_object(y=TEXT), b=TEXT)]}
    schemas = {"Either": union, "Holder": an_object(value=union, each={"type": "array", "items": ref("Either")})}
    made = make(document({"/things": {"get": answering(union)}}, schemas))
    assert made.left_out == []
    holder = made.model("Holder").from_dict({"value": {"a": {"y": "1"}, "b": "2"}, "each": [{"a": {"x": "3"}}]})
    assert holder.value.a.y == "1"
    assert holder.each[0].a.x == "3"


def test_a_loss_is_told_in_words_of_ours_and_the_generators_only_on_demand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    json_value = {"oneOf": [TEXT, {"type": "array", "items": ref("Json")}]}
    spec = tmp_path / "some.json"
    spec.write_text(json.dumps(document(schemas={"Json": json_value})), encoding="utf-8")
    loss = (
        "  LEFT OUT: Json(oneOf 2)[]: its type, which is read as anything, because the generator cannot express it: "
        "read the value as it came, and give one in its JSON form\n"
    )
    assert main(["generate", f"--out={tmp_path}", str(spec)]) == 1
    assert capsys.readouterr().err == loss
    assert main(["generate", f"--out={tmp_path}", "--verbose", str(spec)]) == 1
    assert capsys.readouterr().err.startswith(f"{loss}    openapi-python-client: ")


def test_a_property_that_allof_redefines(make: Make) -> None:
    first = {"type": "string", "enum": ["a", "b"]}
    schemas = {
        "Base": an_object(kind=first, other=TEXT),
        "Narrow": {"allOf": [ref("Base"), an_object(kind={"type": "string", "enum": ["c"]})]},
        "Far": {"allOf": [ref("Narrow"), an_object(other={"type": "integer"})]},
    }
    made = make(document(schemas=schemas))
    assert made.left_out == []
    assert made.model("Narrow").from_dict({"kind": "c"}).kind == "c"
    assert made.model("Far").from_dict({"other": 3}).other == 3


def test_a_failing_property_costs_itself_only(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from openapi_python_client.parser import properties
    from openapi_python_client.parser.errors import PropertyError

    build = properties._string_based_property

    def failing(**arguments: Any) -> Any:
        bad = arguments["data"].description and arguments["data"].description.get_untrusted_value() == "fails"
        return PropertyError(detail="it fails") if bad else build(**arguments)

    monkeypatch.setattr(properties, "_string_based_property", failing)
    bad = {**TEXT, "description": "fails"}
    schemas = {
        "A": an_object(bad=bad, good=TEXT),
        "B": an_object(a=ref("A"), b=TEXT),
        "C": {"type": "array", "items": ref("B")},
        "D": {"allOf": [ref("B"), an_object(c=ref("C"))]},
    }
    paths = {
        "/x": {"get": {**answering(ref("D")), "parameters": [parameter("p", schema=bad), parameter("q")]}},
        "/y": {"post": {**answering(bad), "requestBody": {"content": {"application/json": {"schema": bad}}}}},
    }
    made = make(document(paths, schemas))
    assert [line.partition(": its type")[0] for line in made.left_out] == [
        "A.bad", "GET /x query p", "POST /y 200 application/json", "POST /y body application/json"
    ]  # fmt: skip
    assert made.model("D").from_dict({"c": [{"a": {"good": "x", "bad": 5}}]}).c[0].a.bad == 5
    assert made.sent("get", "/x") == {("query", "p"), ("query", "q")}
    assert made.package.operation("post", "/y") is not None


# ---- Forms of OpenAPI 3.1 ----


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": "x"}, "x"),
        ({"const": 5}, 5),
        ({"const": None}, 3),
        ({"const": {"a": 1}}, {"a": 1}),
        ({"const": 'a"b\\n{'}, 'a"b\\n{'),
        ({"type": ["string", "null"]}, "x"),
        ({"type": ["string", "integer", "object"], "properties": {"a": TEXT}}, 5),
        ({"type": ["array", "null"], "items": TEXT}, ["x"]),
        ({"type": []}, "x"),
        ({"type": "array", "prefixItems": [TEXT, {"type": "integer"}]}, ["x", 3]),
        ({"type": "array", "prefixItems": [TEXT], "items": False}, ["x"]),
        (True, "x"),
        (False, "x"),
        ({"type": "array", "items": True}, ["x"]),
        ({"type": "object", "additionalProperties": False}, {}),
        ({"anyOf": [True, TEXT]}, "x"),
        ({"allOf": [True, TEXT]}, "x"),
        ({"not": True}, "x"),
        ({"$ref": "#/components/schemas/Word", "description": "beside"}, "a"),
        ({"enum": ["a", None]}, "a"),
        ({"enum": []}, "a"),
        ({"type": "string", "enum": ["a", None], "nullable": True}, "a"),
        ({"type": "null"}, 3),
        ({"allOf": [{"anyOf": [{"type": ["string", "null"], "enum": ["a", None]}, {"const": "b"}]}]}, "a"),
        ({"examples": ["x"]}, "x"),
        ({"type": "string", "contentMediaType": "text/plain"}, "x"),
        ({"type": "object", "patternProperties": {"^x": TEXT}}, {"x": "1"}),
        ({"type": "object", "properties": {"x": True, "y": False}}, {"x": "1"}),
        ({"$defs": {"Inner": TEXT}, "$ref": "#/components/schemas/Holder/properties/other"}, "x"),
    ],
)
def test_schemas_of_3_1(make: Make, schema: Any, value: Any) -> None:
    word = {"type": "string", "enum": ["a", "b"]}
    holder = an_object(field=schema, other=TEXT)
    made = make(document({"/x": {"get": answering(ref("Holder"))}}, {"Holder": holder, "Word": word}, "3.1.0"))
    assert made.left_out == []
    assert made.model("Holder").from_dict({"field": value, "other": "x"}).to_dict() == {"field": value, "other": "x"}


def test_properties_beside_a_reference_are_kept_in_3_1(make: Make) -> None:
    beside = {**ref("Base"), "properties": {"more": TEXT}, "required": ["more"]}
    made = make(
        document(schemas={"Base": an_object(a=TEXT), "More": beside, "User": an_object(x=beside)}, openapi="3.1.0")
    )
    assert made.left_out == []
    assert set(made.fields("More")) == {"a", "more"}
    assert made.model("User").from_dict({"x": {"a": "1", "more": "2"}}).x.more == "2"


# ---- Answers ----


def test_two_json_answers_of_one_status(make: Make) -> None:
    content = {
        "application/json": {"schema": an_object(a=TEXT)},
        "application/vnd.more+json": {"schema": an_object(a=TEXT, b=TEXT)},
    }
    made = make(document({"/x": {"get": {"responses": {"200": {"description": "", "content": content}}}}}))
    assert made.left_out == []
    import httpx

    made_operation = made.package.operation("get", "/x")
    assert made_operation is not None
    client = made.package.load("client").Client(base_url="http://x")
    parse = vars(made_operation._module)["_parse_response"]
    assert parse(client=client, response=httpx.Response(200, json={"a": "1", "b": "2"})).b == "2"
    assert parse(client=client, response=httpx.Response(200, json={"a": "1"})).a == "1"


@pytest.mark.parametrize("status", ["4xx", "4XX", "404", "default", "Default"])
def test_statuses(make: Make, status: str) -> None:
    answer = {"description": "", "content": {"application/json": {"schema": an_object(a=TEXT)}}}
    made = make(document({"/x": {"get": {"responses": {status: answer}}}}))
    assert made.left_out == []
    made_operation = made.package.operation("get", "/x")
    assert made_operation is not None
    assert made_operation.knows_status("404")


@pytest.mark.parametrize("schema", [{"oneOf": [TEXT, {"type": "integer"}]}, {"type": ["string", "null"]}, {}])
@pytest.mark.parametrize("place", ["header", "cookie", "query", "path"])
def test_unions_in_any_place(make: Make, place: str, schema: Tree) -> None:
    made = make(
        document({"/x/{p}": {"get": operation(parameters=[parameter("p", place, schema=schema)])}}, openapi="3.1.0")
    )
    assert made.left_out == []
    assert (place, "p") in made.sent("get", "/x/{p}")


# ---- Webhooks and callbacks ----


def test_the_models_of_webhooks_and_callbacks(make: Make) -> None:
    def hook(schema: Tree) -> Tree:
        return {"post": operation(requestBody={"content": {"application/json": {"schema": schema}}})}

    callbacks = {"done": {"{$request.body#/url}": hook(an_object(finished=TEXT, by=ref("User")))}}
    tree = document(
        {"/x": {"post": operation(callbacks=callbacks, operationId="start")}},
        {"User": an_object(a=TEXT)},
        "3.1.0",
        webhooks={"thing.created": hook(an_object(created=TEXT, user=ref("User"))), "thing.named": hook(ref("User"))},
    )
    made = make(tree)
    assert made.left_out == []
    assert set(made.fields("ThingCreatedWebhook")) == {"created", "user"}
    assert set(made.fields("StartDoneCallback")) == {"finished", "by"}


# ---- One file for two names ----


@pytest.mark.parametrize(
    ("first", "second"), [("IBAN", "Iban"), ("HTTPError", "HttpError"), ("a-b", "a_b"), ("X", "x")]
)
def test_schemas_that_would_share_a_module(make: Make, first: str, second: str) -> None:
    schemas = {first: an_object(a=TEXT), second: an_object(b=TEXT), "User": an_object(x=ref(first), y=ref(second))}
    made = make(document(schemas=schemas))
    assert made.left_out == []
    user = made.model("User").from_dict({"x": {"a": "1"}, "y": {"b": "2"}})
    assert (user.x.a, user.y.b) == ("1", "2")


def test_inline_schemas_that_would_share_a_module(make: Make) -> None:
    schemas = {"A": an_object(IBAN=an_object(a=TEXT), Iban=an_object(b=TEXT)), "AIban": an_object(c=TEXT)}
    made = make(document(schemas=schemas))
    assert made.left_out == []
    read = made.model("A").from_dict({"IBAN": {"a": "1"}, "Iban": {"b": "2"}})
    assert read.to_dict() == {"IBAN": {"a": "1"}, "Iban": {"b": "2"}}
    assert {type(each).__module__ for each in (read.iban, read.iban_2)} if hasattr(read, "iban_2") else True


def test_operations_that_would_share_a_module(make: Make) -> None:
    paths = {
        f"/{number}": {"get": operation(operationId=name, tags=[tag])}
        for number, (name, tag) in enumerate([("IBAN", "T"), ("Iban", "t"), ("iban", "T"), ("iban", "T")])
    }
    made = make(document(paths))
    assert made.left_out == []
    assert len(made.package.operations) == 4


def test_names_that_no_file_can_have(make: Make) -> None:
    long = "x" * 300
    paths = {"/a": {"get": operation(operationId=long, tags=[long])}, "/b": {"get": operation(operationId=long + "y")}}
    made = make(document(paths, {long: an_object(**{long: an_object(a=TEXT)}), long + "y": an_object(b=TEXT)}))
    assert made.left_out == []
    assert len(made.package.operations) == 2
    assert len(made.package.classes) == 3


@pytest.mark.parametrize("name", ["other_fee_type", "a_property_with_a_name_of_some_length"])
def test_schemas_so_deep_that_no_file_can_have_the_name_of_their_class(make: Make, name: str) -> None:
    deep, written = an_object(**{name: TEXT}), {name: "x"}
    for _ in range(20):
        deep, written = an_object(**{name: deep}), {name: written}
    made = make(document(schemas={"Deep": deep}))
    assert made.left_out == []
    assert len(made.package.classes) == 21
    read = made.model("Deep").from_dict(written)
    assert read.to_dict() == written
    for _ in range(20):
        read = getattr(read, name)
    assert getattr(read, name) == "x"


@pytest.mark.parametrize(
    "parts", [[{"$ref": "#/components/schemas/droplet_window"}, {"description": "When."}], [an_object(start=TEXT)]]
)
def test_the_class_of_an_inline_composition_has_the_name_of_another(make: Make, parts: list[Any]) -> None:
    window = {**an_object(start=TEXT), "nullable": True}
    composed = {"allOf": parts, "nullable": True}
    made = make(document(schemas={"droplet": an_object(window=composed), "droplet_window": window}))
    assert made.left_out == []
    read = made.model("Droplet").from_dict({"window": {"start": "1"}})
    assert read.window.start == "1"
