"""What the fuzzing found, as the smallest answer that showed it."""

from __future__ import annotations

import pytest

from tests.fuzz.fuzz_wire import MODES, Fuzzed, answer

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cookie", [b"a=b", b"\xc3\xbc=\xff", b"a=b; Max-Age=" + b"9" * 40])
def test_a_cookie_is_not_kept(mode: str, cookie: bytes) -> None:
    """One that is not ASCII had every later call of the client fail while it was being built."""
    fuzzed = Fuzzed(mode)
    for _ in range(2):
        good = b'{"victor_payment_request_id": "R1", "status": "created"}'
        assert fuzzed.run("get", answer(good, 200, b"Set-Cookie: " + cookie)) == 1
    assert b"ookie" not in fuzzed.wire.asked
    fuzzed.close()
