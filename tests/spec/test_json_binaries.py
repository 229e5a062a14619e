"""Binaries in JSON, which has no bytes."""

from __future__ import annotations

import json

import httpx
import pytest

from victor_ext.spec.check import check

from .wire import Tree, Wire

JSON, MULTIPART = "application/json", "multipart/form-data"
BINARY: Tree = {"type": "string", "format": "binary"}
UPLOAD: Tree = {"type": "object", "properties": {"file": BINARY, "name": {"type": "string"}}}


def posting(name: str, *kinds: str) -> Tree:
    content = {kind: {"schema": {"$ref": f"#/components/schemas/{name}"}} for kind in kinds}
    answer = {"description": "-", "content": {JSON: content[JSON]}}
    return {"post": {"operationId": name.lower(), "requestBody": {"content": content}, "responses": {"200": answer}}}


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Wire:
    paths = {"/a": posting("Only", JSON), "/b": posting("Both", JSON, MULTIPART)}
    folder = tmp_path_factory.mktemp("binaries")
    return Wire(folder, "wire_binaries", paths=paths, components={"schemas": {"Only": UPLOAD, "Both": UPLOAD}})


def test_a_binary_in_json_is_a_text(wire: Wire) -> None:
    wire.response = httpx.Response(200, json={"file": "text"})
    assert json.loads(wire.send("only", body=wire.models.Only(file="text")).content) == {"file": "text"}
    with wire.client([]) as client:
        assert wire.module("only").sync(client=client, body=wire.models.Only()).file == "text"


def test_one_that_a_form_has_too_is_a_file_or_a_text(wire: Wire) -> None:
    file = wire.types.File(payload=b"\xff")
    form = wire.send("both", body=wire.models.Both(file=file, name="n"))
    assert form.headers["Content-Type"].startswith(MULTIPART)
    assert b"\xff" in form.content
    assert json.loads(wire.send("both", body=wire.models.Both(file="text")).content) == {"file": "text"}
    with wire.client([]) as client, pytest.raises(ValueError, match="JSON has no bytes: send the file in another"):
        wire.module("both").sync_detailed(client=client, body=wire.models.Both(file=file), content_type=JSON)
    wire.response = httpx.Response(200, json={"file": "text"})
    with wire.client([]) as client:
        assert wire.module("both").sync(client=client, body=wire.models.Both()).file == "text"
    assert wire.result.left_out == []


def test_the_check_finds_nothing(wire: Wire) -> None:
    assert check(wire.folder / "document.json", None).problems == []
