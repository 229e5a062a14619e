"""The policy: which values it takes, how long it waits, and how `Retry-After` and `Date` are
read.
"""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.fakes import FakeClock
from tests.runtime.fakes import http_date as spelled
from victor_ext._runtime.core.clock import ProviderTime, ServerClock
from victor_ext._runtime.loop.retry import RetryPolicy, RetryQuota, parse_retry_after
from victor_ext.errors import ConfigurationError

MANY = settings(max_examples=60)
NOW = 1_770_000_000.0


class TestThePolicy:
    @pytest.mark.parametrize(
        "values",
        [
            *({"max_attempts": value} for value in (0, -1, True, 2.5, "3", None)),
            *({"base": value} for value in (-0.1, math.nan, math.inf, "1", None)),
            *({"cap": value} for value in (-1, math.inf, "8")),
            *({"quota": value} for value in (-1, 1.5, "500", True)),
        ],
    )
    def test_a_value_that_no_policy_can_have_is_refused_by_name(self, values):
        (name, value) = next(iter(values.items()))
        with pytest.raises(ConfigurationError) as raised:
            RetryPolicy(**values)
        assert f"{name}={value!r}" in str(raised.value)

    def test_the_bound_of_a_wait_doubles_up_to_the_cap(self):
        policy = RetryPolicy(base=0.5, cap=8.0)
        bounds = [policy.wait_before(retry, lambda: 1.0) for retry in (1, 2, 3, 4, 5, 6, 7, 10_000)]
        assert bounds == [0.5, 1, 2, 4, 8, 8, 8, 8]
        assert [policy.wait_before(5, draw) for draw in (lambda: 0.0, lambda: 0.25)] == [0.0, 2.0]


class TestTheQuota:
    def test_a_retry_quota_never_holds_more_than_its_size_or_less_than_zero(self):
        quota = RetryQuota(20)
        assert [quota.take(10), quota.take(10), quota.take(1)] == [True, True, False]
        assert quota.available == 0
        quota.give_back(500)
        assert quota.available == 20
        quota.give_back(1)
        assert quota.available == 20


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            *((odd, None) for odd in (None, "", "soon", "-3", "inf", "nan", "1e999")),
            # RFC 9110, 10.2.3: a whole number of seconds, or a date. Some providers send fractions.
            *((odd, None) for odd in ("1_0", "1e3", "0x10", "\u0661", "+5", "1.5.5", ".5")),
            ("9" * 400, 1e10),
            ("0", 0.0),
            ("7", 7.0),
            (" 7 ", 7.0),
            ("1.5", 1.5),
            (spelled(NOW + 90), 90.0),
            (spelled(NOW - 90), 0.0),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253402300799.0 - NOW),
            ("Mon, 32 Feb 2026 00:00:00 GMT", None),
            ("2026-03-04", None),
        ],
    )
    def test_a_retry_after_is_a_number_of_seconds_or_a_date(self, header, seconds):
        assert parse_retry_after(header, NOW) == seconds

    @MANY
    @given(
        st.one_of(st.text(), st.from_regex(r"\A\w{3}, \d{1,3} \w{3} \d{1,6} \d+:\d+:\d+ [-+\w]*\Z"))
    )
    def test_reading_a_retry_after_or_a_date_never_raises_whatever_the_header_holds(self, header):
        seconds = parse_retry_after(header, NOW)
        assert seconds is None or (seconds >= 0 and math.isfinite(seconds))
        clock = ServerClock()
        clock.learn(header)
        clock.moment()


class Corrected(FakeClock):
    """This machine's clock was set."""

    jump = 0.0

    def local(self):
        return super().local() + self.jump


class TestTheProvidersClock:
    def test_the_providers_time_is_known_once_an_answer_has_told_it(self):
        clock = FakeClock()
        assert clock.provider_time() == ProviderTime(
            datetime.fromtimestamp(clock.local(), UTC), is_known=False
        )
        clock.learn("no date at all")
        assert clock.provider_time().is_known is False
        clock.learn(spelled(clock.local() - 10.0))
        clock.passed += 90.0
        assert clock.provider_time() == ProviderTime(
            datetime.fromtimestamp(clock.local() - 10.0, UTC), is_known=True
        )
        clock.learn(spelled(clock.local() - 1.0))  # a difference that is no fact
        assert clock.provider_time() == ProviderTime(clock.moment(), is_known=True)

    @pytest.mark.parametrize("jump", [3_600.0, -3_600.0, 3.0, -3.0])
    def test_the_providers_time_is_unknown_after_this_machines_clock_has_jumped(self, jump):
        """The clock was set, or the machine slept, which the monotonic clock of some systems does
        not count.
        """
        clock = Corrected()
        clock.learn(spelled(clock.local()))
        clock.jump = jump
        observed = clock.provider_time()
        assert observed == ProviderTime(datetime.fromtimestamp(clock.local(), UTC), is_known=False)
        clock.learn(spelled(clock.local() - jump))
        assert clock.provider_time() == ProviderTime(
            datetime.fromtimestamp(clock.local() - jump, UTC), is_known=True
        )
