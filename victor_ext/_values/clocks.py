"""By how much the clocks of two machines may differ before it says something."""

from datetime import timedelta

TOLERATED_SKEW = 2.0
"""Seconds. A `Date` header has whole seconds and was under way: a smaller difference means nothing.
"""
TIMES_DIFFER = timedelta(seconds=10)
"""By how much the provider's time of what was made may precede that of its sending: `Date` has
whole seconds, comes late, differs between hosts."""
READ_EARLIER = timedelta(minutes=5)
"""How far before the time of sending look-ups read, if that time is by the provider's clock: they
have to show other payments that could be mistaken for the one that was sent."""
