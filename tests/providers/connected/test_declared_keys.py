"""A provider that takes its key on some operations: on the others no key makes a repeat safe, whoever gives it.

The provider is a few strict lines on a socket. It does the work of each request, loses the first answer of each path,
and knows a key again only where its document declares one.
"""

from __future__ import annotations

import importlib
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.providers.running import MODES, QUICK, run
from victor_ext import ApiClient, AsyncApiClient, BodyKey, HeaderKey, VictorError
from victor_ext.spec.generate import generate

KEY = "invoice-1042"
OPERATION = """
    {method}:
      operationId: {name}
      parameters: [{parameters}]
      requestBody: {{content: {{application/json: {{schema: {{type: object, properties: {{{members}}}}}}}}}}}
      responses: {{"200": {{description: Done., content: {{application/json: {{schema: {{type: object, properties:
        {{id: {{type: string}}}}}}}}}}}}}}"""
PATHS = {
    "/payments": {"post": "pay"},
    "/payouts": {"post": "pay_out"},
    "/payouts/{id}": {"put": "edit", "patch": "note"},
}
DECLARING = {"pay", "edit"}


def document(style: str) -> str:
    """The header is declared in another letter case than it is sent in; or a member of the body, or nothing is."""
    lines = ["openapi: 3.1.0", f"info: {{title: Some {style}, version: '1'}}", "paths:"]
    for path, methods in PATHS.items():
        lines.append(f"  {path}:")
        for method, name in methods.items():
            at, text = "{name: id, in: path, required: true, schema: {type: string}}", "{type: string}"
            declares = name in DECLARING
            header = f"{{name: idempotency-KEY, in: header, schema: {text}}}" if declares and style == "header" else ""
            member = f"request_id: {text}" if declares and style == "body" else f"other: {text}"
            parameters = ", ".join(filter(None, (at if "{id}" in path else "", header)))
            lines.append(OPERATION.format(method=method, name=name, parameters=parameters, members=member).strip("\n"))
    return "\n".join(lines)


class Provider(ThreadingHTTPServer):
    """Its base URL has a path of its own."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received, self.done, self.keys = Counter[str](), Counter[str](), set[str]()
        self.url = f"http://127.0.0.1:{self.server_port}/api"


class Handler(BaseHTTPRequestHandler):
    server: Provider

    def _answer(self) -> None:
        place = f"{self.command} {self.path}"
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        key = self.headers.get("idempotency-key") or body.get("request_id")
        takes_key = place in ("POST /api/payments", "PUT /api/payouts/7")
        if not (takes_key and key in self.server.keys):
            self.server.done[place] += 1
        self.server.keys |= {key} if takes_key and key else set()
        self.server.received[place] += 1
        if self.server.received[place] > 1:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "12")
            self.end_headers()
            self.wfile.write(b'{"id": "p1"}')

    do_POST = do_PUT = do_PATCH = _answer  # noqa: N815 - the names of the standard library

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("some")
    for style in ("header", "body", "silent"):
        (folder / f"some_{style}.yaml").write_text(document(style))
        assert generate(folder / f"some_{style}.yaml", folder).left_out == []
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))


Use = Callable[[Any, str], Any]
"""Makes a call with a client and the name of its package."""


def generated(name: str, *ids: str, given: str = "", members: dict[str, str] | None = None) -> Use:
    """A call of a generated operation; its key is `given` by `with_key`, or as a header of all calls."""

    def use(client: Any, package: str) -> Any:
        module = importlib.import_module(f"{package}.api.default.{name}")
        api = {
            "with_key": lambda: client.with_key(KEY),
            "header": lambda: client.api.with_headers({"idempotency-key": KEY}),
        }
        function = module.asyncio_detailed if isinstance(client, AsyncApiClient) else module.sync_detailed
        body = getattr(
            importlib.import_module(f"{package}.models"), f"{''.join(p.title() for p in name.split('_'))}Body"
        )
        return function(*ids, client=api[given]() if given else client.api, body=body.from_dict(members or {}))

    return use


def by_hand(method: str, path: str, **options: Any) -> Use:
    def use(client: Any, _package: str) -> Any:
        http = (
            client.api.get_async_httpx_client() if isinstance(client, AsyncApiClient) else client.api.get_httpx_client()
        )
        return http.request(method, path, **options)

    return use


MINE = {"headers": {"Idempotency-Key": KEY}}
WIDE = HeaderKey(takes_key=lambda request: request.method == "PUT")
ONCE, TWICE = 1, 2
# the document, the key, the call, its place, and how often it is sent
CASES: list[tuple[str, Any, Use, str, int]] = [
    ("header", HeaderKey(), generated("pay"), "POST /api/payments", TWICE),
    ("header", HeaderKey(), generated("pay", given="with_key"), "POST /api/payments", TWICE),
    ("header", HeaderKey(), generated("edit", "7"), "PUT /api/payouts/7", TWICE),
    ("header", HeaderKey(), generated("pay_out"), "POST /api/payouts", ONCE),
    ("header", HeaderKey(), generated("pay_out", given="with_key"), "POST /api/payouts", ONCE),
    ("header", HeaderKey(), generated("pay_out", given="header"), "POST /api/payouts", ONCE),
    ("header", HeaderKey(), generated("note", "7", given="with_key"), "PATCH /api/payouts/7", ONCE),
    ("header", HeaderKey(ignores_key=lambda _: True), generated("pay"), "POST /api/payments", ONCE),
    ("header", WIDE, generated("pay"), "POST /api/payments", TWICE),
    ("header", WIDE, generated("pay_out", given="with_key"), "POST /api/payouts", ONCE),
    ("header", HeaderKey(), by_hand("POST", "/payments", json={}), "POST /api/payments", TWICE),
    ("header", HeaderKey(), by_hand("PUT", "/payouts/7", json={}), "PUT /api/payouts/7", TWICE),
    ("header", HeaderKey(), by_hand("POST", "/payouts", json={}, **MINE), "POST /api/payouts", ONCE),
    ("header", HeaderKey(), by_hand("PATCH", "/payouts/7", json={}, **MINE), "PATCH /api/payouts/7", ONCE),
    ("header", HeaderKey(), by_hand("POST", "/payments/7", json={}, **MINE), "POST /api/payments/7", ONCE),
    ("silent", HeaderKey(), generated("pay"), "POST /api/payments", TWICE),
    ("silent", HeaderKey(), by_hand("POST", "/payments", json={}), "POST /api/payments", TWICE),
    ("silent", HeaderKey(), generated("edit", "7"), "PUT /api/payouts/7", ONCE),
    ("silent", HeaderKey(), generated("edit", "7", given="with_key"), "PUT /api/payouts/7", TWICE),
    ("silent", WIDE, generated("edit", "7"), "PUT /api/payouts/7", TWICE),
    ("silent", WIDE, generated("pay"), "POST /api/payments", ONCE),
    ("body", BodyKey("request_id"), generated("pay", members={"request_id": KEY}), "POST /api/payments", TWICE),
    ("body", BodyKey("request_id"), generated("pay"), "POST /api/payments", ONCE),
    ("body", BodyKey("request_id"), generated("pay_out", members={"request_id": KEY}), "POST /api/payouts", ONCE),
    ("body", BodyKey("request_id"), by_hand("POST", "/payouts", json={"request_id": KEY}), "POST /api/payouts", ONCE),
    ("silent", BodyKey("request_id"), generated("pay", members={"request_id": KEY}), "POST /api/payments", TWICE),
]


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("style", "key", "use", "place", "sent"), CASES)
def test_nothing_is_done_twice(
    provider: Provider, mode: str, style: str, key: Any, use: Use, place: str, sent: int
) -> None:
    package = f"some_{style}_api"
    made = importlib.import_module(f"{package}.client").Client
    error = None
    try:
        run(
            (ApiClient, AsyncApiClient)[MODES.index(mode)],
            lambda client: use(client, package),
            client=made,
            base_url=provider.url,
            key=key,
            retry=QUICK,
        )
    except VictorError as raised:
        error = raised
    assert (provider.received[place], provider.done[place]) == (sent, 1)
    if sent == TWICE:
        assert error is None
    else:
        assert error is not None
        assert (error.outcome.value, error.idempotency_key, error.attempts) == ("unknown", None, 1)
