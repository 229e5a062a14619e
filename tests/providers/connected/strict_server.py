"""A server of few lines for operations that no sandbox has: it wants a token, and answers from a table."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, bytes]
TOKEN = {"access_token": "t-1", "token_type": "Bearer", "expires": 4_102_444_800_000}


class StrictServer(ThreadingHTTPServer):
    """Answers `METHOD /path` with what `answers` has for it, one after the other; the last one stays.

    Attributes:
        answers: The answers of each operation. A request without the token is a 401.
        token: What the token endpoint issues.
        tokens: How often it was asked.
        seen: Method, path and idempotency key of the requests with a token, in their order.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, list[Answer]] = {}
        self.token: dict[str, Any] = dict(TOKEN)
        self.tokens = 0
        self.seen: list[tuple[str, str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, operation: str) -> Answer:
        answers = self.answers.get(operation, [(404, b"{}")])
        return answers.pop(0) if len(answers) > 1 else answers[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StrictServer

    def _serve(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", "0")))
        path = self.path.partition("?")[0]
        if path == "/v2/auth/token":
            self.server.tokens += 1
            return self._send(200, json.dumps(self.server.token).encode())
        if self.headers["authorization"] != "Bearer t-1":
            return self._send(401, b"{}")
        self.server.seen.append((self.command, path, self.headers["idempotency-key"]))
        return self._send(*self.server.answer(f"{self.command} {path}"))

    do_GET = do_POST = do_DELETE = do_PUT = _serve  # noqa: N815 - the names of the interface

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        """Keep quiet."""


@contextmanager
def strict_server() -> Iterator[StrictServer]:
    with StrictServer() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
