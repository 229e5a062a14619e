"""Seconds that a caller gives. They are bounded: the locks, sockets and sleeps of a system hold no number of them."""

from __future__ import annotations

from .validation import shown

MOST_SECONDS = 30 * 86_400.0
"""Thirty days: longer than anybody waits for a call, and less than what every system can count."""


def are_seconds(value: object, *, above_zero: bool = True) -> bool:
    """Whether it is a number of seconds that can be waited for."""
    # Compared before it is converted: an int may be larger than any float.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_SECONDS:
        return False
    return value > 0 or not above_zero


def seconds_complaint(name: str, value: object, wanted: str) -> str:
    """What to write in place of something that `are_seconds` refuses."""
    beyond = isinstance(value, int | float) and value > MOST_SECONDS and value != float("inf")
    limit = f" (at most {MOST_SECONDS:.0f}, which is 30 days)" if beyond else ""
    return f"{name}={shown(value)} must be seconds {wanted}{limit}."
