"""A repeat that comes while the first attempt is still being worked on: it waits, and asks again with the same key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.providers.running import QUICK, Script, run
from tests.providers.victor.adapter import payment
from victor_ext import (
    AsyncVictor,
    Conflict,
    DeadlineExceeded,
    Outcome,
    PaymentRequest,
    RetryPolicy,
    Victor,
    VictorOAuth,
)
from victor_ext.sandbox import Sandbox, SandboxSettings

KEY = "0d8bb6ec-7a83-46ab-8fc5-1f27c0d37e9b"
PATIENT = RetryPolicy(max_attempts=500, base=0.02, cap=0.02, quota=10**6)


def create(victor: Any) -> Any:
    given = payment(payer_counterparty_id="acceptsRfp", client_reference_id="INV-1042", idempotency_key=KEY)
    return victor.payment_requests.create(**given)


each_client = pytest.mark.parametrize("client_class", [Victor, AsyncVictor])


@each_client
class TestOverTheSandbox:
    def test_it_waits_until_the_first_attempt_is_done(self, client_class: type) -> None:
        with Sandbox(SandboxSettings(key_in_progress=0.3)) as sandbox:
            sandbox.inject("lose_answer", operation="create")
            options = {"auth": VictorOAuth(*sandbox.add_oauth_client()), "base_url": sandbox.url}
            made = run(client_class, create, retry=PATIENT, **options)
            assert isinstance(made, PaymentRequest)
            statuses = [seen.status for seen in sandbox.received() if seen.operation == "create"]
            assert (statuses[0], statuses[1], statuses[-1]) == (200, 409, 200)
            assert [request["id"] for request in sandbox.requests()] == [made.id]
            assert sandbox.work_done_by_key() == {KEY: 1}

    @pytest.mark.slow
    def test_the_deadline_leaves_it_unknown(self, client_class: type) -> None:
        with Sandbox(SandboxSettings(key_in_progress=3600.0)) as sandbox:
            sandbox.inject("lose_answer", operation="create")
            options = {"auth": VictorOAuth(*sandbox.add_oauth_client()), "base_url": sandbox.url}
            with pytest.raises(DeadlineExceeded, match=rf"repeat it with idempotency_key='{KEY}', or look") as raised:
                run(client_class, create, retry=PATIENT, deadline=1.5, **options)
            assert raised.value.outcome is Outcome.UNKNOWN
            assert 409 in {seen.status for seen in sandbox.received() if seen.operation == "create"}
            assert sandbox.work_done_by_key() == {KEY: 1}


LOST = httpx.ReadError("lost")
MADE = httpx.Response(200, json={"victor_payment_request_id": "a7ffd43c37c1", "status": "created"})


def observe(client_class: type, *lines: Any, of: Callable[[Any], Any] = create) -> tuple[Any, list[Any]]:
    """What a call comes to, and the key of each request."""
    script = Script(*lines)
    made: Any = None
    try:
        made = run(client_class, of, VictorOAuth("i", "not-a-secret"), transport=script.transport, retry=QUICK)
    except Conflict as error:
        made = error
    return made, [request.headers.get("idempotency-key", "") for request in script.requests]


@each_client
class TestWhatAnAnswerProves:
    def test_what_has_no_key_is_not_asked_again(self, client_class: type) -> None:
        def accept(victor: Any) -> Any:
            return victor.payment_requests.accept("b34783af0", notes="Thanks.")

        unanswered = httpx.Response(200, json={"victor_payment_request_id": "b34783af0", "status": "Pending"})
        error, keys = observe(client_class, httpx.Response(409, content=b"in progress"), unanswered, of=accept)
        assert error.outcome is Outcome.UNKNOWN
        error, keys = observe(client_class, httpx.Response(409, content=b""), unanswered, of=accept)
        assert (error.outcome, len(keys), error.attempts) == (Outcome.UNKNOWN, 2, 1)
        answers = {"Accepted": Outcome.UNKNOWN, "Rejected": Outcome.REJECTED}
        for word, outcome in answers.items():
            said = {"payment_request_response": {"status": word, "notes": "Another's."}}
            found = httpx.Response(200, json={"victor_payment_request_id": "b34783af0", "payment_request": said})
            error, _ = observe(client_class, httpx.Response(409), found, of=accept)
            assert error.outcome is outcome
