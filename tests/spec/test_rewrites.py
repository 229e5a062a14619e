"""Each rewrite by itself: what it does, where it says so, and that it leaves the rest alone."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from victor_ext.spec.document import load
from victor_ext.spec.rewrites import REWRITES, Log, prepare, rewrite_name


def prepared(schemas: dict[str, Any] | None = None, **operation: Any) -> tuple[dict[str, Any], Log]:
    responses = {"responses": {"200": {"description": "ok"}}}
    return prepare(
        {
            "openapi": "3.0.3",
            "info": {"title": "T", "version": "1"},
            "paths": {"/things": {"get": {**responses, **operation}}},
            "components": {"schemas": schemas or {}},
        }
    )


def schema(name: str, definition: dict[str, Any], **others: Any) -> tuple[dict[str, Any], Log]:
    tree, log = prepared({name: definition, **others})
    return tree["components"]["schemas"][log.renamed.get(name, name)], log


def get(tree: dict[str, Any]) -> dict[str, Any]:
    return tree["paths"]["/things"]["get"]


THING = {"type": "object", "properties": {"a": {"type": "string"}}}


def test_every_rewrite_has_a_name_and_says_what_it_is_for() -> None:
    assert all(rewrite.__doc__ for rewrite in REWRITES)
    assert len({rewrite_name(rewrite) for rewrite in REWRITES}) == len(REWRITES)


def test_the_input_is_left_alone(victor_yaml: Path) -> None:
    document = load(victor_yaml)
    before = json.dumps(document)
    prepare(document)
    assert json.dumps(document) == before


def test_what_is_rewritten_in_the_providers_document(victor_yaml: Path) -> None:
    _, log = prepare(load(victor_yaml))
    assert log.applied["merge-allof-siblings"] == ["ReceiptPaymentDetails"]
    assert log.applied["flatten-object-parameter"] == ["GET /v2/payment-requests PaymentRequestsFilter"]
    assert log.left_out == []


def test_siblings_of_allof() -> None:
    made, log = schema("A", {"allOf": [{"$ref": "#/components/schemas/B"}], "properties": {"b": {}}}, B=THING)
    assert made["allOf"] == [{"$ref": "#/components/schemas/B"}, {"type": "object"}]
    assert log.applied["merge-allof-siblings"] == ["A"]


@pytest.mark.parametrize(
    "definition",
    [
        {"allOf": [{"$ref": "#/components/schemas/B"}, {"allOf": [{"properties": {"b": {"type": "integer"}}}]}]},
        {"allOf": [{"$ref": "#/components/schemas/B"}], "oneOf": [{"properties": {"b": {"type": "integer"}}}]},
        {"allOf": [{"$ref": "#/components/schemas/B"}, {"anyOf": [{"properties": {"b": {"type": "integer"}}}]}]},
        {"allOf": [{"properties": {"b": {"type": "string"}}}, {"properties": {"b": {"type": "integer"}}}, THING]},
    ],
)
def test_allof_that_the_generator_cannot_merge(definition: dict[str, Any]) -> None:
    made, log = schema("A", definition, B=THING)
    assert made["properties"] == {"a": {"type": "string"}, "b": {"type": "integer"}} or made["properties"] == {
        "b": {"type": "integer"},
        "a": {"type": "string"},
    }
    assert made["type"] == "object"
    assert log.applied["inline-allof"] == ["A"]


def test_allof_of_plain_types_stays_plain() -> None:
    made, _ = schema("A", {"allOf": [{"type": "string"}, {"enum": ["x", "y"]}]})
    assert made == {"type": "string", "enum": ["x", "y"]}


def test_a_default_becomes_words() -> None:
    made, log = schema("A", {"type": "object", "properties": {"n": {"type": "integer", "default": 50}}})
    assert made["properties"]["n"] == {"type": "integer", "description": "(The server's default: 50)"}
    assert log.applied["describe-default"] == ["A.n = 50"]


@pytest.mark.parametrize(
    ("definition", "made"),
    [
        ({"type": "string", "enum": ["a", "a", None]}, {"type": "string", "enum": ["a"]}),
        ({"type": "string", "enum": [1, True]}, {"type": "string", "enum": ["1", "true"]}),
        ({"enum": [1, "a"]}, {}),
        ({"type": "number", "enum": [1.5]}, {"type": "number"}),
        ({"type": "any"}, {}),
        ({"type": "array"}, {"type": "array", "items": {}}),
        ({"type": "string", "title": "Some title"}, {"type": "string", "description": "Some title"}),
        ({"type": "object", "nullable": True}, {"type": "object"}),
        ({"type": ["object", "null"]}, {"type": "object"}),
        ({"type": "string", "nullable": True}, {"type": "string", "nullable": True}),
        ({"properties": {"a": {"type": "null"}}}, {"properties": {"a": {}}}),
    ],
)
def test_schemas_are_mended(definition: dict[str, Any], made: dict[str, Any]) -> None:
    assert schema("A", definition)[0] == made


def test_enum_members_get_names_of_their_own() -> None:
    made, log = schema("A", {"type": "string", "enum": ["a-b", "a_b", "C"]})
    assert made["x-enum-varnames"] == ["A_B_0", "A_B_1", "C"]
    assert log.applied["name-enum-members"] == ["A"]


def test_names_that_the_generated_code_uses_itself() -> None:
    tree, log = prepared({"Client": THING, "Other": {"properties": {"c": {"$ref": "#/components/schemas/Client"}}}})
    schemas = tree["components"]["schemas"]
    assert schemas["Other"]["properties"]["c"] == {"$ref": "#/components/schemas/ClientModel"}
    assert log.renamed == {"Client": "ClientModel"}


def test_two_schemas_of_one_class_name() -> None:
    tree, _ = prepared({"my_thing": THING, "MyThing": THING})
    assert list(tree["components"]["schemas"]) == ["my_thing", "MyThingOther"]


def test_a_schema_without_a_name_leaves_the_name_of_another_alone() -> None:
    made, log = schema("A", {"type": "object", "properties": {"b": THING}}, AB=THING)
    assert made["properties"]["b"]["title"] == "b_inner"
    assert log.applied["rename-inline-schema"] == ["A.b is now ABInner"]


def test_references_to_places_without_a_name() -> None:
    far = {"$ref": "#/components/schemas/B/properties/a"}
    tree, log = prepared({"A": {"type": "object", "properties": {"x": far}}, "B": THING})
    name = tree["components"]["schemas"]["A"]["properties"]["x"]["$ref"].rpartition("/")[2]
    assert tree["components"]["schemas"][name] == {"type": "string"}
    assert "name-referenced-schema" in log.applied


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("#/components/schemas/B/properties/items/items", "B_items_item"),
        ("#/components/responses/Conflict/content/application~1json/schema", "Conflict_response"),
        (
            "#/paths/~1things/get/responses/200/content/application~1json/schema/properties/a",
            "get_things_response_200_a",
        ),
        ("#/paths/~1others~1%7Bid%7D/post/requestBody/content/application~1json/schema", "make_body"),
    ],
)
def test_a_schema_without_a_name_is_called_after_its_place(reference: str, name: str) -> None:
    content = {"content": {"application/json": {"schema": copy.deepcopy(THING)}}}
    document = {
        "openapi": "3.0.3",
        "info": {"title": "T", "version": "1"},
        "paths": {
            "/things": {"get": {"responses": {"200": {"description": "-", **content}}}},
            "/others/{id}": {"post": {"operationId": "make", "requestBody": content, "responses": {}}},
        },
        "components": {
            "responses": {"Conflict": {"description": "-", **content}},
            "schemas": {
                "A": {"type": "object", "properties": {"x": {"$ref": reference}}},
                "B": {"type": "object", "properties": {"items": {"type": "array", "items": THING}}},
            },
        },
    }
    tree, log = prepare(document)
    assert tree["components"]["schemas"]["A"]["properties"]["x"] == {"$ref": f"#/components/schemas/{name}"}
    assert log.left_out == []


@pytest.mark.parametrize("reference", ["#/components/schemas/Nothing", "other.yaml#/X"])
def test_references_to_nothing_are_named(reference: str) -> None:
    _, log = prepared({"A": {"type": "object", "properties": {"x": {"$ref": reference}}}})
    assert log.left_out == [f"A.x: {reference}, which points to nothing in this file"]


@pytest.mark.parametrize(
    ("parameter", "made"),
    [
        ({"schema": THING}, [("a", "string")]),
        ({"schema": THING, "style": "deepObject"}, [("p[a]", "string")]),
        ({"schema": {"type": "array", "items": {}}, "explode": False}, [("p", "array")]),
        ({"schema": {"type": "array", "items": {}}}, [("p", "array")]),
        ({"schema": {**THING, "additionalProperties": True}, "style": "deepObject"}, [("p", "object")]),
        ({"content": {"application/json": {"schema": THING}}}, [("p", "object")]),
        ({"content": {"application/xml": {"schema": THING}}}, [("p", "string")]),
        ({"schema": {"type": "string", "format": "date"}, "in": "header"}, [("p", "string")]),
    ],
)
def test_parameters(parameter: dict[str, Any], made: list[tuple[str, str]]) -> None:
    tree, _ = prepared(parameters=[{"name": "p", "in": "query", **parameter}])
    assert [(each["name"], each["schema"]["type"]) for each in get(tree)["parameters"]] == made


def test_required_properties_of_an_optional_object_are_optional() -> None:
    whole = {**THING, "required": ["a"]}
    for required in (True, False):
        tree, _ = prepared(parameters=[{"name": "p", "in": "query", "schema": whole, "required": required}])
        assert get(tree)["parameters"][0]["required"] is required


def test_answers_in_two_content_types() -> None:
    content = {"text/csv": {}, "application/json": {"schema": THING}}
    tree, log = prepared(responses={"200": {"description": "", "content": content}})
    assert list(get(tree)["responses"]["200"]["content"]) == ["application/json"]
    assert log.left_out == []


def test_an_object_in_an_url_encoded_form_is_named() -> None:
    form = {"type": "object", "properties": {"a.b": {"type": "string"}, "owner": THING}}
    body = {"content": {"application/x-www-form-urlencoded; charset=UTF-8": {"schema": form}}}
    tree, log = prepared(requestBody=body)
    (medium,) = get(tree)["requestBody"]["content"].values()
    assert medium["schema"]["properties"]["a.b"] == {"type": "string"}
    assert log.left_out == [
        "GET /things: the form's field owner is an object, whose form is not defined, and is refused when called"
    ]
