"""Zulu time: what is read, what is written, and what is refused by name."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from victor_ext import InvalidRequest, zulu

MANY = settings(max_examples=300)
MOMENTS = st.datetimes(timezones=st.just(UTC))
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def refusal(call: object, *arguments: object) -> tuple[str, str]:
    with pytest.raises(InvalidRequest) as raised:
        call(*arguments)
    [problem] = raised.value.problems
    assert raised.value.outcome == "not_sent"
    return problem.code, problem.message


class TestParse:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2026-03-04T05:06:07Z", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
            ("1997-07-16T19:20:30.45Z", datetime(1997, 7, 16, 19, 20, 30, 450_000, tzinfo=UTC)),
            ("2026-03-04T05:06:07.123456789Z", datetime(2026, 3, 4, 5, 6, 7, 123_456, tzinfo=UTC)),
            ("0001-01-01T00:00:00Z", datetime.min.replace(tzinfo=UTC)),
            ("9999-12-31T23:59:59.999999Z", datetime.max.replace(tzinfo=UTC)),
        ],
    )
    def test_zulu_time(self, text, moment):
        assert zulu.parse(text) == moment
        assert zulu.parse(text).tzinfo is UTC or zulu.parse(text).utcoffset() == timedelta(0)

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("2026-03-04T05:06:07+00:00", "zone"),
            ("2026-03-04T05:06:07z", "zone"),
            ("2026-03-04T05:06:07", "naive"),
            ("2026-03-04", "date"),
            ("2026-13-04T05:06:07Z", "range"),
            ("2026-02-29T05:06:07Z", "range"),
            ("2026-03-04T24:00:00Z", "range"),
            ("0000-03-04T05:06:07Z", "range"),
            ("2026-03-04 05:06:07Z", "format"),
            ("2026-03-04T05:06:07.1234567890Z", "format"),
            (" 2026-03-04T05:06:07Z", "format"),
            ("2026-03-04T05:06:07Z\n", "format"),
            ("\uff12\uff10\uff12\uff16-03-04T05:06:07Z", "format"),
            ("", "format"),
            ("x" * 1_000_000, "format"),
        ],
    )
    def test_anything_else_is_refused_by_name(self, text, code):
        said, message = refusal(zulu.parse, text)
        assert said == code
        assert len(message) < 250

    @pytest.mark.parametrize(
        "value", [None, 1772600767, 1.5, b"2026-03-04T05:06:07Z", datetime(2026, 3, 4, tzinfo=UTC)]
    )
    def test_what_is_no_text(self, value):
        assert refusal(zulu.parse, value)[0] == "type"

    @MANY
    @given(
        st.one_of(st.text(), st.from_regex(r"\A\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?\s?\Z"))
    )
    def test_any_text_is_zulu_time_or_refused(self, text):
        try:
            moment = zulu.parse(text)
        except InvalidRequest:
            return
        assert moment.utcoffset() == timedelta(0)
        assert text.isascii()
        assert text.endswith("Z")


class TestFormat:
    @pytest.mark.parametrize(
        ("moment", "text"),
        [
            (datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), "2026-03-04T05:06:07Z"),
            (datetime(2026, 3, 4, 5, 6, 7, 123_999, tzinfo=UTC), "2026-03-04T05:06:07.123Z"),
            (datetime(2026, 3, 4, 5, 6, 7, 999, tzinfo=UTC), "2026-03-04T05:06:07Z"),
            (datetime(2026, 3, 4, 0, 30, tzinfo=timezone(timedelta(hours=1))), "2026-03-03T23:30:00Z"),
            (datetime(33, 4, 3, tzinfo=UTC), "0033-04-03T00:00:00Z"),
        ],
    )
    def test_in_utc_with_milliseconds_when_there_are_any(self, moment, text):
        assert zulu.format(moment) == text

    def test_a_naive_one_is_refused(self):
        code, message = refusal(zulu.format, datetime(2026, 3, 4))  # noqa: DTZ001 - that is the point
        assert code == "naive"
        assert "tzinfo=UTC" in message

    @pytest.mark.parametrize("value", [date(2026, 3, 4), "2026-03-04T05:06:07Z", 1772600767, None])
    def test_what_is_no_datetime(self, value):
        code, message = refusal(zulu.format, value)
        assert code == "type"
        assert type(value).__name__ in message

    @pytest.mark.parametrize(
        "moment",
        [
            datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
            datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
        ],
    )
    def test_what_is_out_of_range_in_utc(self, moment):
        assert refusal(zulu.format, moment)[0] == "range"

    @MANY
    @given(MOMENTS, OFFSETS)
    def test_there_and_back_to_the_millisecond(self, moment, offset):
        moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        try:
            there = moment.astimezone(offset)
        except OverflowError:
            return
        assert zulu.parse(zulu.format(there)) == moment
        assert zulu.format(there) == zulu.format(moment)


class TestFromEpoch:
    MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("number", "moment"),
        [
            (1772600767, MOMENT),
            (1772600767000, MOMENT),
            (1772600767123, MOMENT.replace(microsecond=123_000)),
            (1772600767.5, MOMENT.replace(microsecond=500_000)),
            (1772600767123.25, MOMENT.replace(microsecond=123_250)),
            (Decimal("1772600767.123456"), MOMENT.replace(microsecond=123_456)),
            (1683308669000, datetime(2023, 5, 5, 17, 44, 29, tzinfo=UTC)),
            (0, datetime(1970, 1, 1, tzinfo=UTC)),
            (-1, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
            (99_999_999_999, datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)),
            (100_000_000_000, datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
            (253_402_300_799_999, datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
        ],
    )
    def test_seconds_and_milliseconds_by_magnitude(self, number, moment):
        assert zulu.from_epoch(number) == moment

    @pytest.mark.parametrize("number", [None, True, "1772600767", b"1", [1], datetime(2026, 3, 4, tzinfo=UTC)])
    def test_what_is_no_number(self, number):
        assert refusal(zulu.from_epoch, number)[0] == "type"

    @pytest.mark.parametrize(
        "number",
        [math.nan, math.inf, Decimal("sNaN"), 1e300, 10**400, 253_402_300_800_000, Decimal("-1E+999999999")],
        ids=lambda number: str(number)[:20] if not isinstance(number, int) else f"int-{number.bit_length()}",
    )
    def test_what_is_no_moment_and_says_so_at_once(self, number):
        began = time.perf_counter()
        assert refusal(zulu.from_epoch, number)[0] == "range"
        assert time.perf_counter() - began < 2.0

    @MANY
    @given(st.integers(100_000_000_000, 253_402_300_799_999))
    def test_milliseconds_are_exact(self, number):
        moment = zulu.from_epoch(number)
        assert (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) == number
        assert zulu.parse(zulu.format(moment)) == moment

    @MANY
    @given(st.integers(100_000_000_000, 253_402_300_799_999), st.integers(1, 12))
    def test_no_arithmetic_context_of_the_users_rounds_or_breaks_it(self, number, precision):
        moment = zulu.from_epoch(number)
        with localcontext(prec=precision):
            assert zulu.from_epoch(number) == moment
            assert zulu.from_epoch(Decimal(number)) == moment

    @MANY
    @given(st.one_of(st.integers(), st.floats(), st.decimals()))
    def test_any_number_is_a_moment_or_refused(self, number):
        with suppress(InvalidRequest):
            assert zulu.from_epoch(number).utcoffset() == timedelta(0)


def test_now_is_aware_and_now():
    before = datetime.now(UTC)
    assert before <= zulu.now() <= datetime.now(UTC)
    assert zulu.now().utcoffset() == timedelta(0)
