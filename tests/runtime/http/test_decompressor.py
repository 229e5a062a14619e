"""The decompressor of bodies keeps nothing of what follows the end of the compressed data."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import httpx

from victor_ext.runtime.http.response import read


def test_what_follows_the_compressed_body_is_not_read() -> None:
    pieces = iter([gzip.compress(b"{}"), *[b"x" * 1000] * 3])

    class Body(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return pieces

    response = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Body())
    whole = read(response, httpx.Request("GET", "http://127.0.0.1/"))
    assert (whole.json(), whole.damage) == ({}, None)
    assert len(list(pieces)) == 2, "zlib would keep all of it, and copy it with each piece"
