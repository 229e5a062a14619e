"""What a server may do to an answer after the work has been done."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.raw_provider import Exchange, answer, bare
from tests.faults.raw_sockets import End

JSON = "Content-Type: application/json"
OK = "HTTP/1.1 200 OK"


@dataclass(frozen=True)
class Damage:
    """`expected` is what the caller must observe when it happens to every exchange of a call."""

    name: str
    expected: str
    make: Callable[[bytes], bytes]
    then: End | None = None
    """How the connection ends after it; None: it stays."""

    def __call__(self, exchange: Exchange) -> None:
        exchange.send(self.make(exchange.work()))
        if self.then is not None:
            exchange.end(self.then)

    def __str__(self) -> str:
        return self.name.replace(" ", "-") + ("" if self.then is None else f"-then-{self.then}")


def _with(*lines: str) -> Callable[[bytes], bytes]:
    """A good answer with these headers in place of the length; `{n}` is the length."""

    def make(body: bytes) -> bytes:
        return bare(
            [OK, JSON, *(line.format(n=len(body), more=len(body) + 9, less=len(body) - 9) for line in lines)], body
        )

    return make


def _before(*informational: str) -> Callable[[bytes], bytes]:
    return lambda body: b"".join(bare(head.split("|")) for head in informational) + answer(body)


def _compressed(squeeze: Callable[[bytes], bytes], coding: str = "gzip") -> Callable[[bytes], bytes]:
    return lambda body: answer(squeeze(body), "200 OK", f"Content-Encoding: {coding}")


def _instead(body: bytes, status: str = "200 OK", *headers: str) -> Callable[[bytes], bytes]:
    return lambda _body: answer(body, status, *headers)


def chunked(body: bytes) -> bytes:
    """A good answer in three chunks."""
    third = len(body) // 3 + 1
    parts = [body[start : start + third] for start in range(0, len(body), third)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return bare([OK, JSON, "Transfer-Encoding: chunked"], chunks + b"0\r\n\r\n")


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


MIB = 1024 * 1024

WHOLE = (
    Damage("no length, until the end", "success", _with("Connection: close"), "close"),
    Damage("the same length twice", "success", _with("Content-Length: {n}", "Content-Length: {n}")),
    Damage("an old protocol", "success", lambda body: bare(["HTTP/1.0 200 OK", JSON], body), "close"),
    Damage("no reason phrase", "success", lambda body: bare(["HTTP/1.1 200", f"Content-Length: {len(body)}"], body)),
    Damage("another good status", "success", lambda body: answer(body, "201 Created")),
    Damage("chunks", "success", chunked),
    Damage("gzip", "success", _compressed(gzip.compress)),
    Damage("100 first", "success", _before("HTTP/1.1 100 Continue")),
    Damage("103 first", "success", _before("HTTP/1.1 103 Early Hints|Link: </style.css>; rel=preload")),
    Damage("many 1xx first", "success", _before(*["HTTP/1.1 102 Processing", "HTTP/1.1 103 Early Hints|A: b"] * 50)),
)
"""Odd, and whole: the caller gets what was answered."""

LOST = (
    *(Damage("a length too long", "unknown", _with("Content-Length: {more}"), how) for how in ("reset", "close")),
    Damage("two different lengths", "unknown", _with("Content-Length: {n}", "Content-Length: {less}")),
    Damage("1xx, and no more", "unknown", lambda _: bare(["HTTP/1.1 103 Early Hints"]), "close"),
    Damage("a header of 1 MiB", "unknown", lambda body: answer(body, "200 OK", "X-Long: " + "x" * MIB)),
)
"""No whole answer can be made of it: `test_parser` has every way."""

UNREADABLE = (
    Damage("a length too short", "accepted", _with("Content-Length: {less}")),
    Damage("no length, cut", "accepted", lambda body: bare([OK, JSON, "Connection: close"], body[:-9]), "close"),
)
"""A whole answer that says yes with a documented member, and cannot be read whole: more in `test_attempt_table`."""

NO_EVIDENCE = (
    Damage("gzip, a bit flipped", "unknown", _compressed(lambda body: _flipped(gzip.compress(body)))),
    Damage("a coding that nobody knows", "unknown", _compressed(zlib.compress, "x-own")),
    Damage("a message", "unknown", _instead(b'{"message": "please log in"}')),
)
"""A whole answer that says yes, and nothing else: a login page says so, too. More in `test_attempt_table`."""
