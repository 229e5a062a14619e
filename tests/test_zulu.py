"""Zulu time: what is read, what is written, and what is refused, with the reason."""

import math
import time
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from victor_ext import InvalidRequest, zulu

MANY = settings(max_examples=300)
MOMENTS = st.datetimes(timezones=st.just(UTC))
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def refusal(call, *arguments):
    with pytest.raises(InvalidRequest) as raised:
        call(*arguments)
    [problem] = raised.value.problems
    assert raised.value.outcome == "not_sent"
    assert len(problem.message) < 250
    return problem.code, problem.message


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-04T05:06:07Z", MOMENT),
        ("1997-07-16T19:20:30.45Z", datetime(1997, 7, 16, 19, 20, 30, 450_000, tzinfo=UTC)),
        ("2026-03-04T05:06:07.123456789Z", MOMENT.replace(microsecond=123_456)),
        ("0001-01-01T00:00:00Z", datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime.max.replace(tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_zulu_time_is_read(text, moment):
    assert zulu.parse(text) == moment
    assert zulu.parse(text).utcoffset() == timedelta(0)


NOT_READ = {
    "zone": ["2026-03-04T05:06:07+00:00", "2026-03-04T05:06:07-05:00", "2026-03-04T05:06:07z"],
    "naive": ["2026-03-04T05:06:07", "2026-03-04T05:06:07.123"],
    "date": ["2026-03-04"],
    "range": [
        "2026-13-04T05:06:07Z",
        "2026-02-29T05:06:07Z",
        "2026-03-04T25:06:07Z",
        "2026-03-04T24:00:00Z",
        "2026-03-04T05:60:07Z",
        "2026-03-04T05:06:60Z",
        "0000-03-04T05:06:07Z",
    ],
    "format": [
        "2026-03-04 05:06:07Z",
        "2026-03-04t05:06:07Z",
        "20260304T050607Z",
        "2026-03-04T05:06Z",
        "2026-03-04T05:06:07.Z",
        "2026-03-04T05:06:07,5Z",
        "2026-03-04T05:06:07.1234567890Z",
        "2026-W10-3T05:06:07Z",
        " 2026-03-04T05:06:07Z",
        "2026-03-04T05:06:07Z\n",
        "\uff12\uff10\uff12\uff16-03-04T05:06:07Z",
        "2026-03-04T\u0660\u0665:06:07Z",
        "",
        "Z",
        "1772600767",
        "x" * 1_000_000,
    ],
    "type": [None, 1772600767, b"2026-03-04T05:06:07Z", MOMENT],
}


@pytest.mark.parametrize("code", NOT_READ)
def test_a_text_that_is_not_zulu_time_is_refused_with_the_code_of_the_reason(code):
    assert {refusal(zulu.parse, text)[0] for text in NOT_READ[code]} == {code}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2026-03-04", "is a date alone: add the time and Z, as in '2026-03-04T00:00:00Z'"),
        ("2026-03-04T05:06:07+00:00", "does not end in Z: write the time in UTC"),
        ("2026-03-04T05:06:07", "names no zone: write it in UTC and end it with Z"),
        ("x" * 41, f"'{'x' * 40}...' is not a Zulu time"),
    ],
)
def test_the_message_of_a_refusal_says_what_to_write_instead(text, sentence):
    assert sentence in refusal(zulu.parse, text)[1]


@MANY
@given(
    st.one_of(
        st.text(),
        st.from_regex(r"\A\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?\s?\Z"),
    )
)
def test_any_text_is_zulu_time_or_refused(text):
    with suppress(InvalidRequest):
        assert zulu.parse(text).utcoffset() == timedelta(0)
        assert text.isascii()
        assert text.endswith("Z")


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (MOMENT, "2026-03-04T05:06:07Z"),
        (MOMENT.replace(microsecond=123_999), "2026-03-04T05:06:07.123Z"),
        (MOMENT.replace(microsecond=999), "2026-03-04T05:06:07Z"),
        (datetime(2026, 3, 4, 0, 30, tzinfo=timezone(timedelta(hours=1))), "2026-03-03T23:30:00Z"),
        (datetime(33, 4, 3, tzinfo=UTC), "0033-04-03T00:00:00Z"),
    ],
)
def test_a_moment_is_written_in_utc_with_milliseconds_if_they_are_not_zero(moment, text):
    assert zulu.format(moment) == text


class Unknown(tzinfo):
    """A zone that knows no offset, which is naive."""

    def utcoffset(self, _moment):
        return None


@pytest.mark.parametrize(
    ("code", "moment"),
    [
        ("naive", datetime(2026, 3, 4)),  # noqa: DTZ001 - that is the point
        ("naive", datetime(2026, 3, 4, tzinfo=Unknown())),
        *(
            ("type", value)
            for value in (date(2026, 3, 4), "2026-03-04T05:06:07Z", 1772600767, None)
        ),
        ("range", datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))),
        ("range", datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))),
    ],
)
def test_a_moment_that_cannot_be_written_is_refused_with_the_reason(code, moment):
    said, message = refusal(zulu.format, moment)
    assert said == code
    assert {"naive": "tzinfo=UTC", "type": type(moment).__name__}.get(code, "") in message


@MANY
@given(MOMENTS, OFFSETS)
def test_a_moment_that_is_written_and_read_is_the_same_to_the_millisecond(moment, offset):
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    with suppress(OverflowError):
        there = moment.astimezone(offset)
        assert zulu.parse(zulu.format(there)) == moment
        assert zulu.format(there) == zulu.format(moment)


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (1772600767, MOMENT),
        (1772600767000, MOMENT),
        (1772600767.5, MOMENT.replace(microsecond=500_000)),
        (1772600767123.25, MOMENT.replace(microsecond=123_250)),
        (Decimal("1772600767.123456"), MOMENT.replace(microsecond=123_456)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (99_999_999_999, datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)),
        (100_000_000_000, datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
        (253_402_300_799_999, datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
        (Decimal("1E-999999999"), datetime(1970, 1, 1, tzinfo=UTC)),
        (5e-324, datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_an_epoch_is_in_seconds_or_milliseconds_by_magnitude(number, moment):
    assert zulu.from_epoch(number) == moment


NO_EPOCH = {
    "type": [None, True, "1772600767", b"1", [1], MOMENT],
    "range": [
        math.nan,
        math.inf,
        1e300,
        -1e300,
        10**400,
        253_402_300_800_000,
        -99_999_999_999_999,
        *map(Decimal, ("NaN", "sNaN", "Infinity", "1E+999999999", "-1E+999999999")),
    ],
}


@pytest.mark.parametrize("code", NO_EPOCH)
def test_a_number_that_is_no_epoch_is_refused_at_once_with_the_reason(code):
    began = time.perf_counter()
    assert {refusal(zulu.from_epoch, number)[0] for number in NO_EPOCH[code]} == {code}
    assert time.perf_counter() - began < 2.0


@MANY
@given(st.integers(100_000_000_000, 253_402_300_799_999), st.integers(1, 12))
def test_milliseconds_are_exact_whatever_the_users_arithmetic_context(number, precision):
    moment = zulu.from_epoch(number)
    assert (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) == number
    with localcontext(prec=precision):
        assert zulu.from_epoch(number) == zulu.from_epoch(Decimal(number)) == moment


@MANY
@given(st.one_of(st.integers(), st.floats(), st.decimals()))
def test_any_number_is_a_moment_or_refused(number):
    with suppress(InvalidRequest):
        assert zulu.from_epoch(number).utcoffset() == timedelta(0)


def test_now_returns_the_current_time_with_its_time_zone():
    before = datetime.now(UTC)
    assert before <= zulu.now() <= datetime.now(UTC)
