"""A socket and nothing else: what the server and the machine's sockets take of every figure."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

from benchmarks.answers import ANSWERS
from benchmarks.peers import number


class Bare:
    """Sends, and reads until the answer is whole."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection((str(parts.hostname), int(parts.port or 80)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        api = ANSWERS["victor"]
        body = json.dumps(api["body"]).encode()
        host = f"Host: {parts.netloc}\r\n"
        self.asking = f"GET /victor{api['one']}%s HTTP/1.1\r\n{host}\r\n"
        self.making = (
            f"POST /victor{api['many']} HTTP/1.1\r\n{host}Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )

    def _exchange(self, sent: bytes) -> bytes:
        self.socket.sendall(sent)
        found = self.socket.recv(65536)
        head, _, body = found.partition(b"\r\n\r\n")
        length = int(head.rpartition(b": ")[2])
        while len(body) < length:
            body += self.socket.recv(65536)
        return body

    def get(self) -> object:
        return self._exchange((self.asking % number()).encode())

    def create(self) -> object:
        return self._exchange(self.making)

    def items(self, page_size: int) -> Any:
        raise NotImplementedError

    def read(self, item: Any) -> tuple[Any, ...]:
        raise NotImplementedError

    def close(self) -> None:
        self.socket.close()


def connect(url: str) -> Bare:
    """A connected socket."""
    return Bare(url)
