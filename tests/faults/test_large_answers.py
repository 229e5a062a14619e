"""Answers without measure: refused at `MAX_RESPONSE_BYTES`, read no further, and never held in memory."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import product

import pytest

from tests.faults.adapters import ATTEMPTS, Operation, adapter, each_mode
from tests.faults.raw_provider import Act, Exchange, answer, bare
from tests.faults.raw_sockets import Background
from victor_ext import UnreadableResponse
from victor_ext.runtime.core.response import MAX_RESPONSE_BYTES

pytestmark = pytest.mark.slow
MIB = 1024 * 1024
GIB = 1024 * MIB
CHUNK = b" " * MIB


def endless(header: str, first: bytes = b"", chunk: bytes = CHUNK) -> Act:
    def act(exchange: Exchange) -> None:
        exchange.work()
        exchange.send(bare(["HTTP/1.1 200 OK", header], first))
        exchange.stream(chunk, 1024)

    return act


BODIES = {
    "declared": endless(f"Content-Length: {GIB}"),
    "in chunks": endless("Transfer-Encoding: chunked", chunk=b"%x\r\n%b\r\n" % (len(CHUNK), CHUNK)),
    "until the end": endless("Connection: close"),
    # What the object says before is searched for evidence.
    "in a text": endless(f"Content-Length: {GIB}", b'{"id": "an id", "note": "', b"x" * MIB),
}


def squeezed(data: bytes, *codings: str) -> Act:
    def act(exchange: Exchange) -> None:
        exchange.work()
        exchange.send(answer(data, "200 OK", f"Content-Encoding: {', '.join(codings)}"))

    return act


@contextmanager
def peak() -> Iterator[list[int]]:
    """The most memory that was taken meanwhile, in bytes (by Python, the body's copies among it)."""
    found: list[int] = []
    tracemalloc.start(1)
    try:
        yield found
        found.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("operation", "body"), [*product(["create", "respond"], list(BODIES)[:3]), ("create", "in a text")]
)
@each_mode
def test_a_body_of_1_gib(background: Background, mode: str, operation: Operation, body: str) -> None:
    with adapter(background, mode, direct=True) as on:
        # The look at what became of an answer is answered so as well.
        on.provider.acts.extend([BODIES[body]] * (2 if operation == "respond" else 1))
        sent = on.provider.record.bytes_sent
        with peak() as most:
            run = on.run(operation)
        sent = on.provider.record.bytes_sent - sent

        assert run.observed.word == "unknown"  # what was read is no JSON
        assert run.mismatches() == []
        assert isinstance(run.observed.error, UnreadableResponse)
        assert run.observed.error.attempts == 1  # asking again would bring the same
        assert sent <= (2 if operation == "respond" else 1) * (MAX_RESPONSE_BYTES + 16 * MIB)  # what sockets buffer
        assert most[0] <= 4 * MAX_RESPONSE_BYTES


@cache
def json_that_swells() -> bytes:
    """32 MiB of empty objects, which are 800 MiB when they are parsed: 32 thousand bytes on the wire."""
    return gzip.compress(b"[" + b"{}," * (32 * MIB // 3) + b"{}]", 9)


@cache
def page_that_swells() -> bytes:
    """A page within `MAX_RESPONSE_BYTES`, of 1.3 million items: 700 MiB of records."""
    return gzip.compress(b'{"results": [' + b"[]," * (MAX_RESPONSE_BYTES // 3 - 20) + b"[]]}", 9)


@cache
def one_gib_compressed() -> bytes:
    """About one MiB. (Put together from blocks: to compress it all takes seconds.)"""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    first, other = (squeeze.compress(CHUNK) + squeeze.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + other * 1023


@each_mode
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    "body", [one_gib_compressed, json_that_swells, page_that_swells], ids=["1 GiB", "objects", "items"]
)
def test_a_body_that_was_compressed(background: Background, mode: str, body: Callable[[], bytes], times: int) -> None:
    """A thousandth of it on the wire; and compressed again, a few thousand bytes."""
    data = body() if times == 1 else gzip.compress(body())
    with adapter(background, mode, direct=True) as on:
        on.provider.acts.extend([squeezed(data, *["gzip"] * times)] * (1 + ATTEMPTS))
        with peak() as most:
            run = on.run("create")

        assert run.observed.word == "unknown"
        assert run.mismatches() == []
        assert most[0] <= 4 * MAX_RESPONSE_BYTES
