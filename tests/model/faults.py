"""Strategies: what may go wrong in the middle of a call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from hypothesis import strategies as st

READ_TIMEOUT = 0.25
TOO_LONG = 2 * READ_TIMEOUT
"""Seconds of a delay that the caller does not wait for."""

ERROR_BODY = '{"status": 0, "data": null, "error": {"code": 101, "message": "error.amount.invalid", "field": "x"}}'
BODIES = st.sampled_from([None, "", "<html>no</html>", ERROR_BODY, '{"error": "no"}', "\x00"])
SKEWS = (0.0, 1.5, -1.5, 40.0, -40.0, 500.0, -500.0, 5_000.0, -5_000.0, 90_000.0, -90_000.0)
"""Seconds by which the provider's clock jumps: nothing, beyond a token's leeway, beyond its life, beyond a due date."""


@dataclass(frozen=True)
class Fault:
    """A fault that the next exchange meets."""

    kind: Any
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def may_lie(self) -> bool:
        """Whether it puts a good status in the place of whatever the provider says: an intermediary that lies."""
        return self.kind in ("html", "status") and self.options["status"] < 300


@dataclass(frozen=True)
class Event:
    """Something that befalls the provider just before an attempt leaves (the first is 1)."""

    attempt: int
    what: Literal["restart", "down", "up", "skew", "revoke"]
    skew: float = 0.0


@dataclass(frozen=True)
class Faults:
    """All that goes wrong in one call."""

    faults: tuple[Fault, ...] = ()
    events: tuple[Event, ...] = ()


def _fault(kind: str, **options: st.SearchStrategy[Any]) -> st.SearchStrategy[Fault]:
    return st.builds(Fault, st.just(kind), st.fixed_dictionaries(options))


# A stall costs the time that the caller waits: it is drawn seldom.
ENDS = st.sampled_from(["reset", "close", "reset", "close", "reset", "close", "reset", "close", "stall"])
WORK = st.booleans()

WORK_DONE = st.one_of(
    _fault("cut_answer", after=st.sampled_from([1, 17, 120, 300, -40, -1]), how=ENDS),
    _fault("lost_answer", how=ENDS),
    _fault("lost_answer", how=st.just("reset")),
    _fault("status", status=st.sampled_from([408, 425, 500, 502, 503, 504, 520]), work=st.just(True), body=BODIES),
    _fault("truncated_json"),
    _fault("malformed_json"),
)
"""The work is done, and the caller cannot know it."""

REFUSALS = st.one_of(
    _fault("status", status=st.sampled_from([400, 401, 403, 404, 409, 422]), work=st.just(False), body=BODIES),
    _fault("rate_limit", retry_after=st.sampled_from([0, 0, 0, 3600]), retry_after_format=st.just("seconds")),
)
"""Nothing is done, and the caller may know it."""

OTHERS = st.one_of(
    _fault("refuse"),
    _fault("cut_request", after=st.sampled_from([0, 1, 60, 300, 450, -30, -1]), how=ENDS),
    _fault("delay", delay=st.sampled_from([0.01, 0.02, 0.02, TOO_LONG]), work=WORK),
    _fault("status", status=st.sampled_from([408, 500, 503]), work=st.just(False), body=BODIES),
    _fault(
        "status",
        status=st.sampled_from([301, 302, 307]),
        work=st.just(False),
        headers=st.sampled_from([{}, {"location": "/v2/payment-requests"}, {"location": "https://evil.example/"}]),
    ),
    _fault(
        "status",
        status=st.just(200),
        work=WORK,
        body=st.sampled_from(["", "{}", "[]", "null", ERROR_BODY, '{"victor_payment_request_id": null}']),
    ),
    _fault("html", status=st.sampled_from([200, 502]), work=WORK),
    _fault("stall", work=WORK),
)

EVENTS = st.builds(
    Event,
    st.integers(1, 3),
    st.sampled_from(["restart", "down", "up", "skew", "revoke"]),
    st.sampled_from(SKEWS),
)
INJECTED = st.one_of(
    st.lists(st.one_of(WORK_DONE, REFUSALS, OTHERS), max_size=4).map(tuple),
    # What comes after the work was done without a word is what a client is most easily wrong about.
    st.tuples(WORK_DONE, REFUSALS),
    st.tuples(WORK_DONE, OTHERS, REFUSALS),
)
FAULTS = st.builds(
    Faults,
    INJECTED,
    st.one_of(st.just(()), st.just(()), st.lists(EVENTS, min_size=1, max_size=2).map(tuple)),
)
