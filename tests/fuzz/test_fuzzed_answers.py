"""Whatever bytes a server answers, the caller sees a record or a `VictorError`, and can read all of
it.
"""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.fuzz_bodies import BODIES, HEADERS, KINDS, STATUSES
from tests.fuzz.fuzz_wire import MODES, OPERATIONS, Fuzzed, answer, read_all_of_error
from victor_ext import VictorError

pytestmark = pytest.mark.slow
STEADY = settings(
    database=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)


@pytest.fixture(scope="module", params=MODES)
def mode(request):
    made = Fuzzed(request.param)
    yield made
    made.close()


def examples(mode, number):
    """The async client has no code of its own for responses, so a sample is enough; and so it is of
    a fixed search.
    """
    return (
        number // (1 if mode.mode == "sync" else 6) // (1 if "VICTOR_SEARCH" in os.environ else 3)
    )


def observe(mode, operation, data):
    """The error that came of it, read whole; None when records came. Anything else is raised."""
    try:
        mode.run(operation, data)
    except VictorError as error:
        read_all_of_error(error)
        return error
    return None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_call_answered_with_any_body_ends_with_a_record_or_a_victor_error(mode, operation, kind):
    @settings(STEADY, max_examples=examples(mode, 120))
    @given(KINDS[kind], STATUSES, HEADERS)
    def check(body, status, headers):
        observe(mode, operation, answer(body, status, *headers))

    check()


@st.composite
def _spoilt(draw):
    """HTTP that was cut, or had something put into it."""
    data = answer(draw(BODIES), 200, *draw(HEADERS))
    start = draw(st.integers(0, min(len(data), 200)))
    return data[:start] + draw(st.binary(max_size=8)) + data[start + draw(st.integers(0, 8)) :]


SPOILT = _spoilt() | st.binary(max_size=200)
WHOLE = st.builds(
    lambda body, status, headers: answer(body, status, *headers), BODIES, STATUSES, HEADERS
)
ANSWERS = WHOLE | SPOILT


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_call_answered_with_any_bytes_ends_with_a_record_or_a_victor_error(mode, operation):
    """Not even HTTP."""

    @settings(STEADY, max_examples=examples(mode, 240))
    @given(SPOILT, st.integers(1, 100))
    def check(data, piece):
        mode.wire.piece = max(piece, len(data) // 100 + 1)
        observe(mode, operation, data)

    check()


GOOD = b'{"victor_payment_request_id": "R1", "status": "Accepted", "results": []}'
REFUSALS = (
    b'{"status": 0, "data": null, "error": {"code": 101, "message": "error.amount.invalid"}}',
    b'{"allErrors": [{"objectName": "r", "codes": ["Size.r.notes"], "defaultMessage": "long"}]}',
    b"<html></html>",
    b"",
)


@pytest.mark.parametrize("operation", OPERATIONS[:4])
def test_every_status_other_than_2xx_is_an_error_that_has_the_status(mode, operation):
    for status in (*range(200, 600, 1 if mode.mode == "sync" else 7), 600, 700, 999):
        for body in (GOOD, REFUSALS[status % len(REFUSALS)]):
            content = b"" if status in (204, 304) else body
            error = observe(mode, operation, answer(content, status))
            assert error is not None or 200 <= status < 300, status
            assert error is None or error.status_code == status


@pytest.mark.parametrize(
    "status", ["000", "001", "099", "100", "101", "199", "1000", "20", "abc", "-20", "2e2", ""]
)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_answer_without_a_valid_final_status_is_an_error(mode, operation, status):
    assert observe(mode, operation, answer(GOOD, status)) is not None


VALUES_OF_TOKENS = ['"t"', '""', '"\\ud800"', '"a\\r\\nb: c"', "1", "null", "[]", f'"{"t" * 9999}"']
KINDS_OF_TOKENS = ['"Bearer"', '""', '"\\n"', "null", "1", '"\\ud800"', '"Token x"']
ENDS = ["1", "0", "-1", "1e400", "NaN", '"soon"', "null", "9" * 30, "4102444800000", "true", "1.5"]
TOKENS = st.builds(
    '{{"access_token": {}, "token_type": {}, "expires": {}}}'.format,
    *map(st.sampled_from, (VALUES_OF_TOKENS, KINDS_OF_TOKENS, ENDS)),
).map(str.encode)


def test_a_call_whose_token_endpoint_answers_anything_ends_with_a_record_or_a_victor_error(mode):
    """What a token endpoint may say is no better."""

    @settings(STEADY, max_examples=examples(mode, 200))
    @given(BODIES | TOKENS, STATUSES, HEADERS)
    def check(body, status, headers):
        other = Fuzzed(mode.mode)
        other.wire.token_answer = answer(body, status, *headers)
        observe(other, "create", answer(GOOD))
        other.close()

    check()


@pytest.mark.parametrize("cookie", [b"a=b", b"\xc3\xbc=\xff", b"a=b; Max-Age=" + b"9" * 40])
def test_a_cookie_is_not_kept(mode, cookie):
    """One that is not ASCII had every later call of the client fail while it was being built."""
    for _ in range(2):
        assert mode.run("get", answer(GOOD, 200, b"Set-Cookie: " + cookie)) == 1
    assert b"ookie" not in mode.wire.asked
