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


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_call_answered_with_any_bytes_ends_with_a_record_or_a_victor_error(mode, operation):
    """Not even HTTP."""

    @settings(STEADY, max_examples=examples(mode, 240))
    @given(SPOILT, st.integers(1, 100))
    def check(data, piece):
        mode.wire.piece = max(piece, len(data) // 100 + 1)
        observe(mode, operation, data)

    check()
