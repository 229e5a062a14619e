"""Zulu time, the provider's time format: RFC 3339 in UTC with the zone `Z`, such as
`2026-03-04T05:06:07.123Z`.

Datetimes of this package are aware and in UTC; naive datetimes are rejected. Source: Getting
Started, "Date and Time Format".
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal

from ._runtime.core.validation import moment_problem
from .errors import InvalidRequest, Problem

__all__ = ["format", "from_epoch", "now", "parse"]

_ZULU = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?Z"
)
_OFFSET = r"(?:[+-][0-9]{2}:?[0-9]{2}|z)\Z"
_DATE_ALONE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)
_MICROSECOND = timedelta(microseconds=1)
_LARGEST_MAGNITUDE = 15
# Independent of the precision of the caller's decimal context.
_EXACT = Context(prec=40)
_MILLISECONDS_FROM = 100_000_000_000
"""Numbers from this limit on are milliseconds: as seconds they would be after the year 5100."""


def parse(text: str) -> datetime:
    """Convert a Zulu time to an aware datetime in UTC.

    Args:
        text: `YYYY-MM-DDThh:mm:ssZ`, optionally with one to nine decimals of a second. Only the
            first six are kept.

    Raises:
        InvalidRequest: The text has another zone (also `+00:00`) or no zone, or is not a valid date
            and time.
    """
    if not isinstance(text, str):
        raise _refused(
            "type", f"a Zulu time is text such as '2026-03-04T05:06:07Z', not {type(text).__name__}"
        )
    match = _ZULU.fullmatch(text)
    if match is None:
        raise _refused(*_why_not(text))
    try:
        if match["time"] >= "24":  # newer versions of Python accept 24:00:00 as the next day
            raise ValueError("hour must be in 0..23")
        return datetime.fromisoformat(text)  # which drops what is finer than a microsecond
    except ValueError as error:
        raise _refused("range", f"{text!r} is not a moment that exists ({error})") from None


def _why_not(text: str) -> tuple[str, str]:
    shown = repr(text if len(text) <= 40 else text[:40] + "...")
    if re.fullmatch(_DATE_ALONE, text):
        return "date", f"{shown} is a date alone: add the time and Z, as in '{text}T00:00:00Z'"
    if "T" in text and re.search(_OFFSET, text):
        return "zone", f"{shown} does not end in Z: write the time in UTC, with Z for the zone"
    if "T" in text and text[-1].isdigit():
        return "naive", f"{shown} names no zone: write it in UTC and end it with Z"
    return "format", f"{shown} is not a Zulu time: write it as '2026-03-04T05:06:07Z'"


def format(moment: datetime) -> str:
    """Convert `moment`, an aware datetime, to Zulu time, with milliseconds if they are not zero.

    Microseconds are dropped: the provider uses milliseconds.

    Raises:
        InvalidRequest: The datetime is naive, or is not a datetime.
    """
    utc = moment
    if not isinstance(moment, datetime) or moment.tzinfo is not UTC:
        problem = moment_problem("moment", moment)
        if problem is not None:
            raise InvalidRequest.of([problem])
        utc = moment.astimezone(UTC)
    precision = "milliseconds" if utc.microsecond >= 1000 else "seconds"
    return utc.isoformat(timespec=precision).removesuffix("+00:00") + "Z"


def now() -> datetime:
    """Return this machine's current time, in UTC."""
    return datetime.now(UTC)


def from_epoch(number: float | Decimal) -> datetime:
    """Convert an epoch timestamp to an aware datetime in UTC.

    The document does not state the unit of `created_at`. Numbers from 10^11 on are read as
    milliseconds (from the year 1973), smaller ones as seconds (up to the year 5138).

    Raises:
        InvalidRequest: Not a finite number, or outside the years 1 to 9999.
    """
    if isinstance(number, bool) or not isinstance(number, (int, float, Decimal)):
        raise _refused("type", f"an epoch timestamp is a number, not {type(number).__name__}")
    try:
        if isinstance(number, int):  # what the provider sends, and exact as it is
            return _EPOCH + number * (
                _MILLISECOND if abs(number) >= _MILLISECONDS_FROM else _SECOND
            )
        # Decimal and whole microseconds avoid the rounding errors of floats.
        exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
        if exact.adjusted() > _LARGEST_MAGNITUDE:
            raise OverflowError
        unit = Decimal(1000 if exact.copy_abs() >= _MILLISECONDS_FROM else 1_000_000)
        return _EPOCH + int(_EXACT.multiply(exact, unit)) * _MICROSECOND
    except (OverflowError, ValueError, ArithmeticError):
        raise _refused("range", "an epoch timestamp lies outside of the years 1 to 9999") from None


def _refused(code: str, message: str) -> InvalidRequest:
    return InvalidRequest.of([Problem("text", code, message + ".")])
