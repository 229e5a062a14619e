"""Binaries in JSON, which has no bytes."""

from __future__ import annotations

import io
import json
from pathlib import Path

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


def test_one_that_a_form_has_too_is_sent_by_the_form_only(wire: Wire) -> None:
    def body() -> object:
        return wire.models.Both(file=wire.types.File(payload=io.BytesIO(b"\xff")), name="n")

    with wire.client([]) as client, pytest.raises(ValueError, match="JSON has no bytes: send the file in another"):
        wire.module("both").sync_detailed(client=client, body=body())
    sent = []
    with wire.client(sent) as client:
        wire.module("both").sync_detailed(client=client, body=body(), content_type=MULTIPART)
        wire.module("both").sync_detailed(client=client, body=wire.models.Both(name="n"))
    assert b"\xff" in sent[0].content
    assert json.loads(sent[1].content) == {"name": "n"}
    assert wire.result.left_out == [
        "POST /b: Both.file as application/json, which has no bytes, is refused when called"
    ]


def test_the_check_sends_them_so(wire: Wire, tmp_path: Path) -> None:
    document = json.loads((wire.folder / "document.json").read_text())
    del document["paths"]["/b"]
    (tmp_path / "some.json").write_text(json.dumps(document))
    assert check(tmp_path / "some.json", None).problems == []
    kinds = {each.kind for each in check(wire.folder / "document.json", None).problems}
    assert kinds == {"left out"}
