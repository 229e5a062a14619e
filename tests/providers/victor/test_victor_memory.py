"""What a call leaves behind: nothing that only the garbage collector frees."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import httpx
import pytest

from tests.runtime.fakes import BOTH
from victor_ext import AsyncVictor, Victor, VictorOAuth

PAGE = {"results": [{"victor_payment_request_id": "R1"}], "page": 0}


@pytest.mark.parametrize("mode", BOTH)
def test_a_page_is_freed_when_the_next_one_is_read(mode: str) -> None:
    """In a circle of references each page would stay until the collector runs: several megabytes of them."""
    left: list[weakref.ref[Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "t", "token_type": "Bearer", "expires": 4_102_444_800_000})
        response = httpx.Response(200, json=PAGE if request.url.params["page"] == "0" else {"results": [], "page": 1})
        left.extend((weakref.ref(request), weakref.ref(response)))
        return response

    options: Any = {"base_url": "http://127.0.0.1:1", "transport": httpx.MockTransport(answer)}

    def read() -> None:
        with Victor(VictorOAuth("id", "not-a-secret"), **options) as victor:
            assert [each.id for each in victor.payment_requests.list()] == ["R1"]

    async def read_awaited() -> None:
        async with AsyncVictor(VictorOAuth("id", "not-a-secret"), **options) as victor:
            assert [each.id async for each in victor.payment_requests.list()] == ["R1"]

    gc.disable()
    try:
        read() if mode == "sync" else asyncio.run(read_awaited())
        assert len(left) == 4
        assert [each() for each in left] == [None] * 4
    finally:
        gc.enable()
