"""What a user gets wrong: each is a VictorError that names the argument, what was wrong and what to write, and
nothing is sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.providers.running import Script
from tests.providers.victor.adapter import over, payment
from victor_ext import (
    AsyncVictor,
    ConfigurationError,
    InvalidRequest,
    Outcome,
    RetryPolicy,
    Victor,
    VictorError,
    VictorJwt,
    VictorOAuth,
)

OAUTH = VictorOAuth("id-1", "secret-1")


NAIVE = datetime(2026, 3, 4)  # noqa: DTZ001 - that is the point
AWARE = datetime(2026, 3, 4, tzinfo=UTC)


def _nothing_may_be_sent(request: httpx.Request) -> httpx.Response:
    pytest.fail(f"{request.method} {request.url} was sent")


def refused(mode: str, call: Any) -> VictorError:
    """What a call raises. Nothing is sent."""
    with pytest.raises(VictorError) as raised:
        over(mode, Script(_nothing_may_be_sent), call)
    return raised.value


def create(**values: Any) -> Callable[[Any], Any]:
    return lambda victor: victor.payment_requests.create(**payment(**values))


CALLS: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "a key of 19 characters": (
        create(idempotency_key="k" * 19), "idempotency_key", r"20 to 128 characters, and has 19.*idempotency_key_for",
    ),
    "an account as a number": (
        create(payee_account_number=43987673645), "payee_account_number", "put it in quotes, leading zeros and all",
    ),
    "a datetime for a date": (
        create(due_date=AWARE), "due_date", r"is a datetime and must be a date: pass a date, such as date\(2026,",
    ),
    "accept without notes": (
        lambda v: v.payment_requests.accept("a1", notes=""), "notes", "must be text of 1 to 150 characters, and is",
    ),
    "find without a window": (
        lambda v: v.payment_requests.find("INV-1042", start_datetime=None), "start_datetime",
        r"is missing: write datetime\(",
    ),
    "find in a window that ends before it begins": (
        lambda v: v.payment_requests.find("INV-1042", start_datetime=AWARE, end_datetime=AWARE - timedelta(1)),
        "end_datetime", "is before start_datetime.*swap them",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_call_with_bad_input(name, mode):
    call, field, words = CALLS[name]
    error = refused(mode, call)
    assert type(error) is InvalidRequest
    assert isinstance(error, ValueError)
    assert [problem.field for problem in error.problems] == [field]
    assert re.search(words, str(error)), str(error)
    assert re.search(rf"\b{field}\b", str(error)), str(error)
    assert (error.outcome, error.attempts, error.request, error.status_code) == (Outcome.NOT_SENT, 0, None, None)


def test_everything_about_a_search_is_said_at_once(mode):
    error = refused(mode, lambda v: v.payment_requests.find("", start_datetime=NAIVE, end_datetime=date(2026, 3, 4)))
    assert [problem.field for problem in error.problems] == ["client_reference_id", "start_datetime", "end_datetime"]
    assert str(error).startswith("The search was not sent: client_reference_id must be text")


CLIENTS: dict[str, Callable[[], Any]] = {
    "password must be text or bytes, not int": lambda: VictorJwt("k", "x", password=7),
    r"on_event must be a plain function": lambda: Victor(OAUTH, on_event=nobody_awaits),
    "on_event must be callable with one event, not str": lambda: victor(on_event="print"),
    r"retry must be RetryPolicy\(...\), not int": lambda: victor(retry=3),
    r"RetryPolicy\(cap=1000.*: give seconds": lambda: RetryPolicy(cap=10**400),
    r"base=10{10}\.0\): give seconds, 0 or more, up": lambda: RetryPolicy(base=1e10),
    "timeout=0 must be seconds above zero": lambda: victor(timeout=0),
    "timeout=inf must be seconds above zero": lambda: victor(timeout=float("inf")),
    r"timeout=10{10}\.0 must .*at most 2592000": lambda: victor(timeout=1e10),
    r"read=10{10}\.0 must be seconds above zero, or None \(at most 2592000": (
        lambda: victor(timeout=httpx.Timeout(5.0, read=1e10))
    ),
    "deadline=nan must be seconds above zero": lambda: victor(deadline=float("nan")),
    "deadline=10{10}.0 must be": lambda: victor().with_options(deadline=1e10),
    "max_connections=0 must be": lambda: victor(limits=httpx.Limits(max_connections=0)),
    r"transport must be an httpx.BaseTransport \(or httpx2's\), not httpx.AsyncHTTPTransport": (
        lambda: victor(transport=httpx.AsyncHTTPTransport())
    ),
    r"transport must be an httpx.AsyncBaseTransport \(or httpx2's\), not httpx.HTTPTransport: leave it out, or pass": (
        lambda: AsyncVictor(OAUTH, transport=httpx.HTTPTransport())
    ),
}


def victor(**options: Any) -> Victor:
    return Victor(OAUTH, **options)


async def nobody_awaits(event: object) -> None:
    """What nobody would await."""


@pytest.mark.parametrize("words", CLIENTS)
def test_a_client_that_cannot_work(words):
    with pytest.raises(ConfigurationError, match=words) as raised:
        CLIENTS[words]()
    assert isinstance(raised.value, ValueError)
    assert raised.value.outcome is Outcome.NOT_SENT
    assert str(raised.value).endswith((".", ".)"))


USES = {
    "get": lambda victor: victor.payment_requests.get("b34783af0"),
    "create": create(),
    "list": lambda victor: victor.payment_requests.list(),
    "accept": lambda victor: victor.payment_requests.accept("b34783af0", notes="n"),
    "authorization": lambda victor: victor.authorization(),
    "other options": lambda victor: victor.with_options(deadline=5.0).payment_requests.get("b34783af0"),
}


@pytest.mark.parametrize("name", USES)
def test_a_used_up_client(name, mode):
    error = refused(mode, (lambda client: client.close(), USES[name]))
    assert type(error) is ConfigurationError
    assert "This client has been closed: make a new one" in str(error)
    assert error.outcome is Outcome.NOT_SENT
