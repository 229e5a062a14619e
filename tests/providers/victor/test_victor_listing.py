"""How long a list that requests leave is read again: while a reading brings what nobody can have seen before."""

from __future__ import annotations

import gc
import weakref
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from victor_api.models import PaymentRequestReceipt

from tests.providers.running import MODES, TOKEN, is_for_token, run
from tests.providers.victor.adapter import ARGUMENTS, Harness
from victor_ext import PaymentRequest
from victor_ext.providers.victor.reading import walk
from victor_ext.providers.victor.requests import ListRequest
from victor_ext.runtime.client.paging import QUIET_PASSES
from victor_ext.runtime.core.clock import ServerClock

BEGAN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
ENOUGH = 3 * QUIET_PASSES


class Standing(ServerClock):
    """A clock that stands still, this many seconds ahead of the time of the tests."""

    def __init__(self, ahead: float = 0.0) -> None:
        super().__init__()
        self.ahead = ahead

    def monotonic(self) -> float:
        return 5_000.0 + self.ahead

    def local(self) -> float:
        return BEGAN.timestamp() + self.ahead


def request(number: int, created: datetime | None) -> PaymentRequest:
    made = {} if created is None else {"created_at": int(created.timestamp() * 1000)}
    said = {"victor_payment_request_id": str(number), "payment_request": made}
    return PaymentRequest(PaymentRequestReceipt.from_dict(said))


def readings(created: datetime | None, takes: float = 0.0) -> int:
    """How often a list is read, at most a few times, that in each reading has one request more, and lacks one."""
    clock = Standing()
    reader = walk(ListRequest(status="pending"), clock).begin()
    clock.ahead += takes
    for number in count(1):
        while reader.number == 0:  # a page that brings something new is read again
            reader.accept([request(number, created), request(number + 1, created)])
        reader.accept([])
        if reader.done or number == ENOUGH:
            return number
    raise AssertionError


@pytest.mark.parametrize("seconds", [-3600, 0, 4, 5])
def test_what_was_there_when_it_began_may_have_been_missed_before(seconds: int) -> None:
    assert readings(BEGAN + timedelta(seconds=seconds)) == ENOUGH


@pytest.mark.parametrize("seconds", [6, 60])
@pytest.mark.parametrize("takes", [0.0, 3600.0])
def test_what_was_made_since_is_no_reason_to_read_again(seconds: int, takes: float) -> None:
    assert readings(BEGAN + timedelta(seconds=seconds), takes) == QUIET_PASSES


def test_what_does_not_say_when_it_was_made_may_have_been_there() -> None:
    assert readings(None) == ENOUGH


PAGE = {"results": [{"victor_payment_request_id": "R1"}], "page": 0}


def test_a_page_is_freed_when_the_next_one_is_read(mode: str) -> None:
    """In a circle of references each page would stay until the collector runs: several megabytes of them."""
    left: list[weakref.ref[Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if is_for_token(request):
            return httpx.Response(200, json=TOKEN)
        response = httpx.Response(200, json=PAGE if request.url.params["page"] == "0" else {"results": [], "page": 1})
        left.extend((weakref.ref(request), weakref.ref(response)))
        return response

    options: Any = {**ARGUMENTS, "transport": httpx.MockTransport(answer)}
    gc.disable()
    try:
        read = run(Harness.kinds[MODES.index(mode)], lambda victor: victor.payment_requests.list(), **options)
        assert [each.id for each in read] == ["R1"]
        assert len(left) == 4
        assert [each() for each in left] == [None] * 4
    finally:
        gc.enable()
