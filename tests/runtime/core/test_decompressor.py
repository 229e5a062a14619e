"""The decompressor of bodies takes `deflate` in both of its forms, and keeps nothing of what follows its end."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

import httpx
import pytest

from victor_ext.runtime.core.response import DecodingError, Decompressor, read


def test_what_follows_the_compressed_body_is_not_read() -> None:
    pieces = iter([gzip.compress(b"{}"), *[b"x" * 1000] * 3])

    class Body(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return pieces

    response = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Body())
    whole = read(response, httpx.Request("GET", "http://127.0.0.1/"), 0.0)
    assert (whole.json(), whole.damage) == ({}, None)
    assert len(list(pieces)) == 2, "zlib would keep all of it, and copy it with each piece"


def test_deflate_may_lack_its_header_and_only_at_its_beginning() -> None:
    squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bare = squeeze.compress(b"{}") + squeeze.flush()
    assert Decompressor().feed(bare, 10) == b"{}"
    begun = Decompressor()
    begun.feed(zlib.compress(b"{}")[:2], 10)
    with pytest.raises(DecodingError):
        begun.feed(b"\xff" + bare, 10)
