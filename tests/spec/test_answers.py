"""Answers that come in several content types: which one it is, the answer says."""

from __future__ import annotations

import re
from typing import Any, get_type_hints

import httpx
import pytest

from .wire import Tree, Wire

THING: Tree = {"$ref": "#/components/schemas/Thing"}
TEXT: Tree = {"type": "string"}
INLINE: Tree = {"type": "object", "properties": {"b": TEXT}}


def content(**schemas: Tree | None) -> Tree:
    return {kind: {} if schema is None else {"schema": schema} for kind, schema in schemas.items()}


ANSWERS: dict[str, Tree] = {
    "every": content(**{"text/csv; charset=utf-8": None, "application/json": THING, "application/xml": THING}),
    "inline": content(**{"application/json": INLINE, "application/jose+jwe": INLINE}),
    "texts": content(**{"application/json": TEXT, "text/plain": TEXT}),
    "ranges": content(**{"application/json": THING, "image/*": None, "*/*": {"type": "string", "format": "binary"}}),
    "raw": content(**{"application/pdf": None, "text/plain": None}),
    "texts_only": content(**{"text/csv": None, "text/plain": None}),
    "versions": content(**{"application/v1+json": THING, "application/v2+json": INLINE, "text/csv": None}),
    "single": content(**{"application/json": THING, "application/hal+json": THING, "misplaced": None}),
}


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Wire:
    paths = {
        f"/{name}": {"get": {"operationId": name, "responses": {"200": {"description": "-", "content": each}}}}
        for name, each in ANSWERS.items()
    }
    schemas = {"Thing": {"type": "object", "properties": {"a": TEXT}}}
    made = Wire(tmp_path_factory.mktemp("answers"), "wire_answers", paths=paths, components={"schemas": schemas})
    assert made.result.left_out == []
    return made


def read(wire: Wire, name: str, kind: str | None, body: bytes) -> Any:
    return wire.read(name, httpx.Response(200, content=body, headers={"Content-Type": kind} if kind else {}))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("every", "application/json; charset=utf-8"),
        ("every", "Application/JSON"),
        ("every", None),
        ("every", "application/unknown"),
        ("ranges", "application/json"),
        ("ranges", "application/problem+json"),
        ("versions", "application/v1+json"),
        ("single", "application/json"),
    ],
)
def test_json_is_read_as_its_schema(wire: Wire, name: str, kind: str | None) -> None:
    found = read(wire, name, kind, b'{"a": "1"}')
    assert (type(found).__name__, found.a) == ("Thing", "1")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("every", "text/csv"), ("texts", "Text/Plain"), ("raw", "text/plain"), ("texts_only", "text/csv")],
)
def test_text_is_read_as_text(wire: Wire, name: str, kind: str) -> None:
    assert read(wire, name, kind, b'"1",2') == '"1",2'


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("every", "application/xml"),
        ("inline", "application/jose+jwe"),
        ("ranges", "image/png"),
        ("ranges", "application/zip"),
        ("raw", "application/pdf"),
    ],
)
def test_the_rest_is_read_as_bytes(wire: Wire, name: str, kind: str) -> None:
    assert read(wire, name, kind, b"\x00\xff").payload.read() == b"\x00\xff"


def test_a_body_that_is_not_json_is_refused_where_no_content_type_says_so(wire: Wire) -> None:
    errors = __import__(f"{wire.name}.errors", fromlist=["errors"])
    for name, kind, body in (("every", "text/html", b"<p>"), ("every", "application/json", b'"text"')):
        with pytest.raises(errors.UnreadableBody):
            read(wire, name, kind, body)


def test_a_text_within_json(wire: Wire) -> None:
    assert read(wire, "texts", "application/json", b'"1"') == "1"


def test_two_json_types_beside_a_text(wire: Wire) -> None:
    assert read(wire, "versions", "application/v2+json", b'{"b": "1"}').b == "1"
    assert read(wire, "versions", "text/csv", b"b") == "b"


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("every", {"Thing", "File", "str", "None"}),
        ("inline", {"InlineResponse200", "File", "None"}),
        ("single", {"Thing", "None"}),
        ("texts_only", {"str", "None"}),
    ],
)
def test_the_types(wire: Wire, name: str, names: set[str]) -> None:
    returned = get_type_hints(wire.module(name).sync)["return"]
    assert set(re.sub(r"wire_answers[\w.]*\.", "", str(returned)).replace(" ", "").split("|")) == names
