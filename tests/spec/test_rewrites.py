"""Each rewrite by itself: what it does, where it says so, and that it leaves the rest alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from victor_ext.spec.document import load
from victor_ext.spec.rewrites import Log, prepare
from victor_ext.spec.tree import copied

from .wire import TEXT, Tree, an_object, beside, document, done

pytestmark = pytest.mark.thorough
CASES: Tree = beside("rewrites")
THING = an_object(a=TEXT)


def prepared(schemas: Tree | None = None, **operation: Any) -> tuple[Tree, Log]:
    return prepare(document({"/things": {"get": done("things", **operation)}}, schemas, "3.0.3"))


def test_what_is_rewritten_in_the_providers_document_and_that_the_input_is_left_alone(victor_yaml: Path) -> None:
    tree = load(victor_yaml)
    before = json.dumps(tree)
    _, log = prepare(tree)
    assert json.dumps(tree) == before
    assert log.applied["merge-allof-siblings"] == ["ReceiptPaymentDetails"]
    assert log.applied["flatten-object-parameter"] == ["GET /v2/payment-requests PaymentRequestsFilter"]
    assert log.left_out == []


def test_enum_members_get_names_of_their_own() -> None:
    made, log = prepared({"A": {"type": "string", "enum": ["a-b", "a_b", "C"]}})
    assert made["components"]["schemas"]["A"]["x-enum-varnames"] == ["A_B_0", "A_B_1", "C"]
    assert log.applied["name-enum-members"] == ["A"]


@pytest.mark.parametrize(("reference", "name"), CASES["names"])
def test_a_schema_without_a_name_is_called_after_its_place(reference: str, name: str) -> None:
    tree = copied(CASES["places"])
    tree["components"]["schemas"]["A"]["properties"]["x"] = {"$ref": reference}
    tree, log = prepare(tree)
    assert tree["components"]["schemas"]["A"]["properties"]["x"] == {"$ref": f"#/components/schemas/{name}"}
    assert log.left_out == []


def test_required_properties_of_an_optional_object_are_optional() -> None:
    whole = {**THING, "required": ["a"]}
    for required in (True, False):
        tree, _ = prepared(parameters=[{"name": "p", "in": "query", "schema": whole, "required": required}])
        assert tree["paths"]["/things"]["get"]["parameters"][0]["required"] is required


@pytest.mark.parametrize(("schema", "is_read"), CASES["patterns"])
def test_values_by_the_patterns_of_their_names_have_types_or_are_left_out(schema: Tree, is_read: bool | None) -> None:
    made, log = prepared({"A": {"type": "object", **schema}})
    assert (made["components"]["schemas"]["A"].get("additionalProperties") == THING) is bool(is_read)
    assert [line.partition(",")[0] for line in log.left_out] == ["A: patternProperties"] * (is_read is False)
