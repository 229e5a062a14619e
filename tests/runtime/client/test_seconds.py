"""Which seconds a caller may give, and what is said of others."""

from __future__ import annotations

import math

import pytest

from victor_ext.runtime.core.validation import MOST_SECONDS, are_seconds, seconds_complaint

THIRTY_DAYS = 30 * 24 * 60 * 60


def test_the_most_are_thirty_days():
    assert MOST_SECONDS == THIRTY_DAYS


@pytest.mark.parametrize("seconds", [0.001, 1, THIRTY_DAYS])
def test_what_can_be_waited(seconds: float):
    assert are_seconds(seconds)
    assert are_seconds(seconds, above_zero=False)


@pytest.mark.parametrize("zero", [0, 0.0, -0.0])
def test_zero_where_it_is_said_to_be_good(zero: float):
    assert not are_seconds(zero)
    assert are_seconds(zero, above_zero=False)


@pytest.mark.parametrize(
    "odd", [-0.001, THIRTY_DAYS + 1, 10**400, math.inf, -math.inf, math.nan, True, False, "5", None]
)
def test_what_cannot(odd: object):
    assert not are_seconds(odd)
    assert not are_seconds(odd, above_zero=False)


@pytest.mark.parametrize("beyond", [THIRTY_DAYS + 1, 10**400])
def test_the_limit_is_named_to_whom_it_concerns(beyond: int):
    said = seconds_complaint("deadline", beyond, "above 0")
    assert said.startswith("deadline=")
    assert said.endswith(" must be seconds above 0 (at most 2592000, which is 30 days).")


@pytest.mark.parametrize("other", [-1, 0, "5", None, math.inf, math.nan])
def test_and_to_nobody_else(other: object):
    assert seconds_complaint("deadline", other, "above 0") == f"deadline={other!r} must be seconds above 0."
