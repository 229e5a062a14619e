"""Servers of the document, of a path and of an operation."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from victor_ext import Victor, VictorOAuth
from victor_ext.errors import ConfigurationError

from .wire import BASE, Wire

SERVERS: list[dict[str, Any]] = [
    {
        "url": "https://{region}.pay.example/{version}/",
        "variables": {"region": {"default": "eu"}, "version": {"default": "v1"}},
    },
    {"url": "https://sandbox.pay.example/v1"},
]


def operation(**more: Any) -> dict[str, Any]:
    return {"responses": {"204": {"description": "-"}}, **more}


PATHS: dict[str, Any] = {
    "/shared": {"get": operation(operationId="shared")},
    "/files/{id}": {
        "servers": [{"url": "https://files.pay.example/{v}/", "variables": {"v": {"default": "2{"}}}],
        "get": operation(operationId="of_path"),
        "put": operation(operationId="of_operation", servers=[{"url": "http://upload.pay.example:8443"}]),
        "post": operation(operationId="relative", servers=[{"url": "/v9"}]),
        "delete": operation(operationId="not_of_first", servers=[{"url": "https://sandbox.pay.example/v1/"}]),
        "head": operation(
            operationId="same",
            servers=[{"url": "https://sandbox.pay.example/v1"}, {"url": "https://eu.pay.example/v1"}],
        ),
        "options": operation(operationId="every", servers=[*reversed(SERVERS)]),
        "patch": operation(operationId="unknown", servers=[{"url": "https://{tenant}.pay.example"}]),
    },
}


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Wire:
    return Wire(tmp_path_factory.mktemp("servers"), "wire_servers", servers=SERVERS, paths=PATHS)


def test_the_package_names_the_servers_of_the_document(wire: Wire) -> None:
    package = importlib.import_module(wire.name)
    assert package.DEFAULT_BASE_URL == "https://eu.pay.example/v1"
    assert package.SERVERS == ("https://eu.pay.example/v1", "https://sandbox.pay.example/v1")
    assert {"DEFAULT_BASE_URL", "SERVERS"} < set(package.__all__)
    assert not hasattr(package, "BASE_PATH")


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("of_path", "https://files.pay.example/2%7B/files/a%2Fb"),
        ("of_operation", "http://upload.pay.example:8443/files/a%2Fb"),
        ("relative", "https://eu.pay.example/v9/files/a%2Fb"),
        ("not_of_first", "https://sandbox.pay.example/v1/files/a%2Fb"),
        ("same", f"{BASE}/files/a%2Fb"),
        ("every", f"{BASE}/files/a%2Fb"),
        ("unknown", f"{BASE}/files/a%2Fb"),
    ],
)
def test_an_operation_is_sent_to_its_own_server(wire: Wire, name: str, url: str) -> None:
    assert wire.send(name, "a/b").url == url


def test_others_are_sent_to_the_base_url(wire: Wire) -> None:
    assert wire.send("shared").url == f"{BASE}/shared"


def test_a_server_that_nobody_can_know_is_reported(wire: Wire) -> None:
    assert wire.result.left_out == [
        "PATCH /files/{id}: its server https://{tenant}.pay.example has no default for {tenant}: sent to base_url"
    ]


def test_a_document_without_an_absolute_server(tmp_path: Path) -> None:
    paths = {"/x": {"get": operation(operationId="other", servers=[{"url": "/v9"}])}}
    wire = Wire(tmp_path, "wire_relative_servers", servers=[{"url": "/v1"}], paths=paths)
    package = importlib.import_module(wire.name)
    assert not hasattr(package, "DEFAULT_BASE_URL")
    assert package.BASE_PATH == "/v1"
    assert wire.send("other").url == f"{BASE}/x"
    assert wire.result.left_out == [
        "GET /x: its server /v9 is relative, and the document has no other: sent to base_url"
    ]


def test_a_client_of_ours_refuses_another_origin_by_name(wire: Wire) -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(204)

    with (
        Victor(auth=VictorOAuth("id", "secret"), transport=httpx.MockTransport(answer)) as victor,
        pytest.raises(ConfigurationError, match=r"A request to https://files\.pay\.example was stopped"),
    ):
        wire.module("of_path").sync_detailed("a", client=victor.api)
    assert requests == []
