"""Properties with the names of what a model uses for itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs

from .wire import Wire

NAMES = [
    *("additionalProperties", "additional_keys", "to_dict", "from_dict", "SHAPE", "to_multipart"),
    *("self", "cls", "d", "v", "take", "fields", "name", "src_dict", "_left", "value", "key"),
    *("__init__", "__class__", "__dict__", "__slots__", "__getitem__", "__eq__", "__attrs_attrs__"),
    *("list", "dict", "str", "type", "property", "classmethod", "datetime", "date", "uuid", "any", "plain", "read"),
    *("UNSET", "Any", "None", "True", "class", "import", "match", "print", "annotations"),
]


def test_every_name_reads_and_writes_its_own_value(tmp_path: Path) -> None:
    each: dict[str, Any] = {"type": "string"}
    schemas = {
        "A": {"type": "object", "properties": dict.fromkeys(NAMES, each)},
        "B": {"type": "object", "required": NAMES, "properties": dict.fromkeys(NAMES, each)},
        "C": {"type": "object", "properties": {"additional_properties": each}, "additionalProperties": each},
    }
    either = {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("A", "B", "C")]}
    content = {"content": {"application/json": {"schema": either}}}
    wire = Wire(
        tmp_path,
        "wire_fields",
        components={"schemas": schemas},
        paths={"/x": {"get": {"operationId": "x", "responses": {"200": {"description": "-", **content}}}}},
    )
    assert wire.result.left_out == []
    value = {name: f"value of {name}" for name in NAMES}
    for model in (wire.models.A, wire.models.B):
        found = model.from_dict({**value, "more": 1})
        assert found.to_dict() == {**value, "more": 1}
        assert found.additional_properties == {"more": 1}
        assert found.additional_keys == ["more"]
        assert model.from_dict({}).to_dict() == {}
        assert found == model.from_dict(found.to_dict())
    mixed = {"additional_properties": "a", "x": "b"}
    assert wire.models.C.from_dict(mixed).to_dict() == mixed
    (field,) = (each.name for each in attrs.fields(wire.models.C) if each.name != "additional_properties")
    assert wire.models.C(**{field: "a"}).to_dict() == {"additional_properties": "a"}
