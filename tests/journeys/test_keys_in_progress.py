"""A repeat that comes while the first attempt is still being worked on: it waits, and asks again with the same key."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.providers.running import MODES, Script, run
from tests.providers.victor.adapter import over, payment
from victor_ext import (
    AsyncVictor,
    Conflict,
    DeadlineExceeded,
    Outcome,
    RetryPolicy,
    Victor,
    VictorOAuth,
)
from victor_ext.sandbox import Sandbox

KEY = "0d8bb6ec-7a83-46ab-8fc5-1f27c0d37e9b"
PATIENT = RetryPolicy(max_attempts=500, base=0.02, cap=0.02, quota=10**6)


def create(victor: Any) -> Any:
    given = payment(payer_counterparty_id="acceptsRfp", client_reference_id="INV-1042", idempotency_key=KEY)
    return victor.payment_requests.create(**given)


each_client = pytest.mark.parametrize("client_class", [Victor, AsyncVictor])


@pytest.fixture
def options(victor_sandbox: Sandbox) -> dict[str, Any]:
    victor_sandbox.inject("lose_answer", operation="create")
    return {"auth": VictorOAuth(*victor_sandbox.add_oauth_client()), "base_url": victor_sandbox.url, "retry": PATIENT}


def statuses(sandbox: Sandbox) -> list[Any]:
    """Those of the calls of `create`."""
    assert sandbox.work_done_by_key() == {KEY: 1}
    return [seen.status for seen in sandbox.received() if seen.operation == "create"]


@each_client
@pytest.mark.victor_sandbox(key_in_progress=0.3)
def test_it_waits_until_the_first_attempt_is_done(client_class: type, victor_sandbox: Sandbox, options: Any) -> None:
    made = run(client_class, create, **options)
    first, second, *_, last = statuses(victor_sandbox)
    assert (first, second, last) == (200, 409, 200)
    assert [request["id"] for request in victor_sandbox.requests()] == [made.id]


@each_client
@pytest.mark.slow
@pytest.mark.victor_sandbox(key_in_progress=3600.0)
def test_the_deadline_leaves_it_unknown(client_class: type, victor_sandbox: Sandbox, options: Any) -> None:
    with pytest.raises(DeadlineExceeded, match=rf"repeat it with idempotency_key='{KEY}', or look") as raised:
        run(client_class, create, deadline=1.5, **options)
    assert raised.value.outcome is Outcome.UNKNOWN
    assert 409 in statuses(victor_sandbox)


def refused(mode: str, *lines: Any) -> tuple[Conflict, int]:
    """What an answer, which has no key, comes to, and after how many requests."""
    script = Script(*lines)
    with pytest.raises(Conflict) as raised:
        over(mode, script, lambda victor: victor.payment_requests.accept("b34783af0", notes="Thanks."))
    return raised.value, len(script.requests)


@pytest.mark.parametrize("mode", MODES)
def test_what_has_no_key_is_not_asked_again(mode: str) -> None:
    unanswered = httpx.Response(200, json={"victor_payment_request_id": "b34783af0", "status": "Pending"})
    for content in (b"in progress", b""):
        error, requests = refused(mode, httpx.Response(409, content=content), unanswered)
        assert (error.outcome, requests, error.attempts) == (Outcome.UNKNOWN, 2, 1)
    for word, outcome in {"Accepted": Outcome.UNKNOWN, "Rejected": Outcome.REJECTED}.items():
        said = {"payment_request_response": {"status": word, "notes": "Another's."}}
        found = httpx.Response(200, json={"victor_payment_request_id": "b34783af0", "payment_request": said})
        assert refused(mode, httpx.Response(409), found)[0].outcome is outcome
