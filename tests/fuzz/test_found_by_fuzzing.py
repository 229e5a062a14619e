"""What the fuzzing found, each as the smallest answer that showed it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fuzz.fuzz_reading import read_all_of_error
from tests.fuzz.fuzz_wire import MODES, AsyncFuzzed, Fuzzed, answer
from victor_ext import Conflict, PaginationError, UnreadableResponse


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> Iterator[Fuzzed | AsyncFuzzed]:
    made = MODES[request.param]()
    yield made
    made.close()


def body(**members: Any) -> bytes:
    return json.dumps(members).encode()


GOOD = answer(body(victor_payment_request_id="R1", status="created"))


@pytest.mark.parametrize("cookie", [b"a=b", b"\xc3\xbc=\xff", b"a=b; Max-Age=" + b"9" * 40])
def test_a_cookie_is_not_kept(mode: Fuzzed | AsyncFuzzed, cookie: bytes) -> None:
    """One that is not ASCII had every later call of the client fail while it was being built."""
    for _ in range(2):
        assert mode.run("get", answer(GOOD.partition(b"\r\n\r\n")[2], 200, b"Set-Cookie: " + cookie)) == 1
    assert b"ookie" not in mode.wire.asked


@pytest.mark.parametrize("items", [[{}], [None, 1], [{"created_at": float("nan")}]])
def test_a_list_without_ids_that_repeats_itself_ends(mode: Fuzzed | AsyncFuzzed, items: list[Any]) -> None:
    with pytest.raises(PaginationError):
        mode.run("list", answer(body(results=items, page=0)))


def test_what_is_odd_is_shown_escaped_or_not_at_all(mode: Fuzzed | AsyncFuzzed) -> None:
    odd = "\x1b[31mcreated\r\n\ud800"
    assert mode.run("get", answer(body(status=odd, error_message=odd))) == 1
    with pytest.raises(UnreadableResponse, match="about another payment request") as refused:
        mode.run("get", answer(body(victor_payment_request_id=odd, status=odd)))
    read_all_of_error(refused.value)
    with pytest.raises(Conflict) as caught:
        mode.run(
            "create", answer(body(victor_payment_request_id=odd, payment_request={"payment_details": {"amount": 1}}))
        )
    read_all_of_error(caught.value)
