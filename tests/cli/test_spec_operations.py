"""`victor spec operations` says of each operation what `connect` does with it, and warns of what a document lacks."""

from __future__ import annotations

import importlib
import json
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.providers.running import QUICK
from victor_ext import BodyKey, HeaderKey, VictorError, connect
from victor_ext.cli.operations import main
from victor_ext.spec.generate import generate

pytestmark = pytest.mark.thorough
TEXT = {"type": "string"}
DONE: dict[str, Any] = {"content": {"application/json": {"schema": {"properties": {"id": TEXT}}}}, "description": ""}
ANSWERS = {"200": DONE, "default": {"description": ""}}


def document(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    servers = [{"url": "https://some.example"}]
    return {"openapi": "3.1.0", "info": {"title": "", "version": ""}, "servers": servers, "paths": paths, **more}


def seen(folder: Path, capsys: pytest.CaptureFixture[str], tree: dict[str, Any], *more: str) -> dict[str, Any]:
    """What the command says of a document, as JSON."""
    (folder / "some.json").write_text(json.dumps(tree))
    assert main(["operations", str(folder / "some.json"), "--json", *more], prog="victor spec") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


class Deaf(BaseHTTPRequestHandler):
    """Takes each request and closes the connection without an answer."""

    received: ClassVar = Counter[str]()

    def handle(self) -> None:
        method, path, _ = self.rfile.readline().decode().split()
        self.received[f"{method} {path}"] += 1


@pytest.fixture(scope="module")
def deaf() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Deaf) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("key", [None, "idempotency_key", "X-Other"])
@pytest.mark.parametrize("declared", ["header", "member", "nowhere"])
def test_what_is_repeated_is_what_connect_repeats(
    key: str | None,
    declared: str,
    deaf: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    at = {"name": "id", "in": "path", "required": True, "schema": TEXT}
    header = {"name": "idempotency-KEY", "in": "header", "schema": TEXT}
    member = {"idempotency_key": TEXT} if declared == "member" else {}
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": {**member, "a": TEXT}}}}}
    name = tmp_path.name
    pay = {"operationId": "pay", "parameters": [header] * (declared == "header"), "requestBody": body}
    item = {"get": {"operationId": "read"}, "put": {"operationId": "edit"}, "delete": {"operationId": "drop"}}
    operations = {"/p": {"post": pay}, "/p/{id}": item, "/p/{id}/refunds": {"post": {"operationId": "refund"}}}
    for each in (each for path in operations.values() for each in path.values()):
        each["responses"] = ANSWERS
    for path in ("/p/{id}", "/p/{id}/refunds"):
        operations[path]["parameters"] = [at]
    tree = document(operations)
    found = seen(tmp_path, capsys, tree, *(["--key", key] if key else []))
    assert generate(tmp_path / "some.json", tmp_path, name=name).left_out == []
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    client = importlib.import_module(f"{name}.client").Client
    kind, _, rest = str(found["key"]).partition("(")
    place: Any = {"HeaderKey": HeaderKey, "BodyKey": BodyKey, "None": str}[kind](rest[1:-2]) or None
    with connect(client, base_url=f"{deaf}/{name}", key=place, retry=QUICK) as some:
        for each in found["operations"]:
            module = importlib.import_module(f"{name}.api.default.{each['function']}")
            given: dict[str, Any] = {"id": "7"} if "{}" in each["operation"] else {}
            if each["function"] == "pay":
                model = importlib.import_module(f"{name}.models").PayBody
                given["body"] = model.from_dict({"idempotency_key": "invoice-1042", "a": "b"})
            with pytest.raises(VictorError):
                module.sync_detailed(client=some.api, **given)
            method, path = each["operation"].format("7").split()
            sent = Deaf.received[f"{method} /{name}{path}"]
            assert (sent > 1) is (each["repeated"] and not each["why"].startswith("if you give")), each
            assert each["look_up"] == ("read" if path != "/p" and not each["reads"] else None)
            assert each["evidence"] == {"200": "id"}


PAGES = {"name": "page", "in": "query", "schema": TEXT}
LISTED = {"content": {"application/json": {"schema": {"properties": {"data": {"type": "array", "items": TEXT}}}}}}
ROWS = {"content": {"application/json": {"schema": {"type": "array", "items": {"properties": {"next": TEXT}}}}}}
MORE = {"content": {"application/json": {"schema": {"properties": {"meta": {"properties": {"total": TEXT}}}}}}}
CSV = {"content": {"text/csv": {"schema": TEXT}, **DONE["content"]}}


def get(**more: Any) -> dict[str, Any]:
    return {"/p": {"get": {"operationId": "read", "responses": ANSWERS, **more}}}


@pytest.mark.parametrize(
    ("tree", "place", "rule"),
    [
        (document(get()), "", ""),
        (document(get(), servers=[{"url": "http://some.example"}]), "servers[0].url", "server"),
        (document(get(), servers=[]), "servers", "server"),
        (document(get(operationId={"a": 1})), "GET /p", "operation-without-id"),
        (document({"/p": {**get()["/p"], "head": get()["/p"]["get"]}}), "HEAD /p", "operation-without-id"),
        (document(get(parameters=[PAGES], responses={**ANSWERS, "200": LISTED})), "GET /p", "pages-without-end"),
        (document(get(parameters=[PAGES], responses={**ANSWERS, "200": ROWS})), "GET /p", "pages-without-end"),
        (document(get(parameters=[PAGES], responses={**ANSWERS, "200": MORE})), "", ""),
        (document(get(responses={"200": DONE, "401": DONE})), "GET /p", "undocumented-failure"),
        (document(get(responses={"200": DONE, "5XX": DONE}, security=[])), "", ""),
        (document(get(responses={**ANSWERS, "200": {"content": {"a/json": {}}}})), "GET /p", "answer-without-schema"),
        (document(get(responses={**ANSWERS, "200": CSV})), "GET /p", "several-contents"),
        (document(get(), webhooks={"paid": {"post": {}}}), "POST webhooks.paid", "webhook-without-security"),
        (document({"/p": {"post": get()["/p"]["get"]}}), "POST /p", "write-without-key"),
    ],
)
def test_a_warning_names_its_place(
    tree: dict[str, Any], place: str, rule: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = seen(tmp_path, capsys, tree)["warnings"]
    assert [(each["place"], each["rule"]) for each in found] == ([(place, rule)] if rule else [])
    status = main(["operations", str(tmp_path / "some.json"), "--fail-on-warning"], prog="victor spec")
    assert (status, f"{rule} (1): " in capsys.readouterr().out) == (int(bool(rule)), bool(rule))
    assert not rule or seen(tmp_path, capsys, tree, "--skip", rule)["warnings"] == []


def test_a_key_that_no_operation_declares_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = seen(tmp_path, capsys, document(get()), "--key", "Idempotncy-Key")["warnings"]
    assert [each["rule"] for each in found] == ["undeclared-key"]
