"""Null in a body of JSON: it clears a field, and is another request than one without the field."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from .wire import Tree, Wire

LINK: Tree = {"type": "object", "properties": {"url": {"type": "string"}}}
WORDS: Tree = {"type": "string", "enum": ["a", "b", None]}
FOLDER: Tree = {
    "allOf": [{"type": "object", "properties": {"inherited": {**LINK, "nullable": True}}}],
    "type": "object",
    "properties": {
        "inline": {**LINK, "nullable": True},
        "referred": {"$ref": "#/components/schemas/Link"},
        "beside": {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Plain"}]},
        "word": {**WORDS, "nullable": True},
        "map": {"type": "object", "nullable": True, "additionalProperties": {"type": "string"}},
        "never": LINK,
    },
}
NULLABLE = ["inherited", "inline", "referred", "beside", "word", "map_"]


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Wire:
    body = {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Folder"}}}}
    answer = {"description": "-", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Shown"}}}}
    put = {"operationId": "change", "requestBody": body, "responses": {"200": answer}}
    shown = {"type": "object", "properties": {"link": {**LINK, "nullable": True}}}
    schemas = {"Folder": FOLDER, "Link": {**LINK, "nullable": True}, "Plain": LINK, "Shown": shown}
    folder: Path = tmp_path_factory.mktemp("sent_nulls")
    made = Wire(folder, "wire_sent_nulls", paths={"/files": {"put": put}}, components={"schemas": schemas})
    made.response = httpx.Response(200, json={})
    return made


@pytest.mark.parametrize("field", NULLABLE)
def test_null_is_sent_where_the_document_admits_it(wire: Wire, field: str) -> None:
    sent = wire.send("change", body=wire.models.Folder(**{field: None}))
    assert json.loads(sent.content) == {field.strip("_"): None}


def test_its_type_admits_null_in_requests_and_not_in_answers(wire: Wire) -> None:
    declared = wire.models.Folder.__annotations__
    assert {field for field, kind in declared.items() if "None" in kind.split(" | ")} == {*NULLABLE}
    assert wire.models.Shown.__annotations__["link"] == "ShownLink | Unset"


def test_what_is_not_set_is_not_sent(wire: Wire) -> None:
    assert json.loads(wire.send("change", body=wire.models.Folder()).content) == {}
