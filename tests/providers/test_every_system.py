"""One suite for all payment systems: the same failures, the same outcomes, the same names of
errors.

A system is described by its adapter (`adapter.py` of its folder): its sandbox, its client, one
operation that reads, one that moves money, and others. What is expected follows from what each is
said to be (`running.Exchange`). A new provider, inside or outside of this package, has the suite
for an adapter: see `tests/fifth_system`.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import httpx
import pytest

from tests.providers.running import forwarded
from tests.providers.systems import ADAPTERS, each_exchange, refusal
from victor_ext import VictorError

KEYED = [name for name, adapter in ADAPTERS.items() if adapter.WRITE.keyed]


@pytest.fixture(params=ADAPTERS)
def system(request):
    return str(request.param)


@pytest.fixture
def adapter(system):
    return ADAPTERS[system]


@pytest.fixture
def harness(harness):
    yield harness
    harness.sandbox.up()


@dataclass(frozen=True)
class Observed:
    """What the caller of an operation observed, and what the sandbox's record says of it."""

    word: str
    error: str | None
    attempts: int
    work: int
    message: str = field(default="", compare=False)


def observed(harness, exchange, *before, fault=None):
    """What comes of one call, about something of its own, after these calls with the same
    client.
    """
    subject = exchange.subject(harness)
    sent, done = len(harness.sent(exchange.word)), exchange.work(harness, subject)
    if fault:
        kind, given = fault
        harness.sandbox.inject(kind, operation=exchange.word, **given)
    error = None
    try:
        harness(*(lambda client, one=one: one.call(client, subject) for one in (*before, exchange)))
    except VictorError as raised:
        error = raised
    harness.sandbox.clear_faults()
    return Observed(
        "success" if error is None else str(error.outcome.value),
        None if error is None else type(error).__name__,
        len(harness.sent(exchange.word)) - sent,
        exchange.work(harness, subject) - done,
        str(error),
    )


def test_the_providers_time_is_known_from_an_answer(harness, adapter):
    harness.sandbox.set_clock_skew(-3_600.0)
    seen = []

    def look(client, subject):
        seen.append(client.provider_time())
        return adapter.READ.call(client, subject)

    looking = replace(adapter.READ, call=look)
    assert observed(harness, looking, looking).word == "success"
    before, after = seen
    assert before.is_known is False
    assert abs((datetime.now(UTC) - before.moment).total_seconds()) < 60
    assert after.is_known is True
    assert abs(harness.sandbox.clock()["wall"] - after.moment.timestamp()) < 60


FAILURES = {
    "closed before it was read": (("refuse", {}), False),
    "request cut": (("cut_request", {"after": 25}), False),
    "answer lost": (("lose_answer", {}), True),
    "answer cut": (("cut_answer", {"after": 25}), True),
    "503 before the work": (("status", {"status": 503}), False),
    "503 after the work": (("status", {"status": 503, "work": True}), True),
}
"""What fails, and whether the work is done all the same.

`tests/faults` has every place and way of each.
"""
NAMES = {
    400: "BadRequest",
    403: "PermissionDenied",
    404: "NotFound",
    409: "Conflict",
    418: "StatusError",
    422: "BadRequest",
}
USED = {
    400: "This key was used before for another request",
    403: "Duplicate request",
    412: "Idempotency key in use",
}


def for_good(status, **more):
    return "status", {"status": status, "times": None, **more}


@each_exchange()
def test_a_failure_that_happens_once_is_retried_or_settled_or_leaves_a_write_unknown(
    harness, exchange
):
    work = int(exchange.writes)
    assert observed(harness, exchange) == Observed("success", None, 1, work)
    for failure, (fault, worked) in FAILURES.items():
        seen = observed(harness, exchange, fault=fault)
        error = "ServerError" if fault[0] == "status" else "ConnectionFailed"
        if exchange.keyed or not exchange.writes:
            assert seen == Observed("success", None, 2, work), failure
        elif exchange.settles and worked:
            assert seen == Observed("success", None, 1, 1), failure
        else:
            assert seen == Observed("unknown", error, 1, int(worked)), failure
            assert exchange.hint in seen.message


@each_exchange()
def test_a_refusal_is_told_as_rejected_and_a_conflict_as_unknown(system, harness, exchange):
    """A conflict is with something that exists: it leaves the outcome unknown."""
    body = refusal(system).text
    for status, name in NAMES.items():
        seen = observed(harness, exchange, fault=for_good(status, body=body))
        word = "unknown" if status in (409, 418) else "rejected"
        assert (seen.word, seen.error, seen.work) == (word, name, 0)
    for status, words in USED.items() if exchange.writes else ():
        used = refusal(system, words=words).text
        seen = observed(harness, exchange, fault=for_good(status, body=used))
        assert (seen.word, seen.error, seen.work) == ("unknown", "Conflict", 0)
    seen = observed(harness, exchange, fault=("rate_limit", {"retry_after": 0, "body": body}))
    assert seen == Observed("success", None, 2, int(exchange.writes))


@each_exchange()
def test_a_failure_that_stays_is_told_as_unknown_and_a_refused_connection_as_not_sent(
    harness, exchange
):
    """What stays down is told with a hint."""
    work, times = int(exchange.writes), 3 if exchange.keyed or not exchange.writes else 1
    seen = observed(harness, exchange, fault=for_good(500))
    assert seen == Observed("unknown", "ServerError", times, 0)
    assert exchange.hint in seen.message
    seen = observed(harness, exchange, fault=("html", {"status": 200, "work": True, "times": None}))
    unknown = Observed("unknown", "UnreadableResponse", times, work)
    assert seen == (Observed("success", None, 1, 1) if exchange.settles else unknown)
    subject = exchange.subject(harness)
    harness.sandbox.down()
    nobody = replace(exchange, subject=lambda _: subject, work=lambda *_: 0)
    assert observed(harness, nobody) == Observed("not_sent", "ConnectionFailed", 0, 0)


ODD = (
    rb'{"half": "a\ud800\u0000", "h\ud800": "\ud83d\ude00", "exact": [1e-400, '
    rb"12345678901234567.89, 1e400], "
)
"""The beginning of an object with texts that nothing stores, and numbers that no float holds."""


def odd(request):
    """What the sandbox answers, with the odd members in each object."""
    response = forwarded(request)
    content = re.sub(rb'\{(?=\s*")', lambda _: ODD, response.content)
    headers = {**response.headers, "content-length": str(len(content))}
    return httpx.Response(response.status_code, headers=headers, content=content)


@each_exchange()
def test_a_returned_record_is_printable_and_has_each_digit_of_its_numbers(harness, exchange):
    subject = exchange.subject(harness)
    transport = httpx.MockTransport(odd)
    result = harness(lambda client: exchange.call(client, subject), transport=transport)
    for each in result if isinstance(result, list) else [result]:
        raw = getattr(each, "raw", each)
        members = raw.to_dict() if hasattr(raw, "to_dict") else raw
        shown = repr([each, members])
        assert shown.isprintable()
        # an id alone, a receipt and the answer to a cancellation have no members that were received
        if isinstance(members, dict) and members:
            assert "[1e-400, 12345678901234567.89, 1e400]" in shown


def test_a_refused_token_is_renewed_once_where_tokens_can_be_renewed(harness, adapter):
    """One that was kept from an earlier call is renewed, once; one that cannot be had anew is not
    tried again.
    """
    renews = hasattr(harness.sandbox, "revoke_tokens")
    for exchange in (adapter.READ, adapter.WRITE):
        seen = observed(harness, exchange, exchange, fault=("status", {"status": 401, "skip": 1}))
        assert (seen.word, seen.error) == (
            ("success", None) if renews else ("rejected", "AuthenticationError")
        )
        assert (seen.attempts, seen.work) == (2 + renews, (1 + renews) * exchange.writes)


@pytest.mark.parametrize("system", KEYED, indirect=True)
def test_a_refusal_after_a_lost_answer_leaves_the_outcome_unknown(harness, adapter):
    harness.sandbox.inject("lose_answer", operation=adapter.WRITE.word)
    seen = observed(
        harness, adapter.WRITE, fault=("status", {"status": 400, "skip": 0, "times": None})
    )
    assert seen == Observed("unknown", "BadRequest", 2, 1)
