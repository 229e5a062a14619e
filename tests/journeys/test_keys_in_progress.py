"""A repeat that comes while the first attempt is still being worked on: it waits, and asks again with the same key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

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
QUICK = RetryPolicy(max_attempts=3, base=0.0)


def create(victor: Any) -> Any:
    return victor.payment_requests.create(
        payee_account_number="043987673645", payer_counterparty_id="acceptsRfp", amount="44.23",
        biller_type="BUSINESS", due_date=datetime.now(UTC).date(), client_reference_id="INV-1042", idempotency_key=KEY,
    )  # fmt: skip


def call(client_class: type, of: Callable[[Any], Any], **options: Any) -> Any:
    if client_class is Victor:
        with Victor(**options) as victor:
            return of(victor)

    async def awaited() -> Any:
        async with AsyncVictor(**options) as victor:
            return await of(victor)

    return asyncio.run(awaited())


each_client = pytest.mark.parametrize("client_class", [Victor, AsyncVictor])


@each_client
class TestOverTheSandbox:
    def test_it_waits_until_the_first_attempt_is_done(self, client_class: type) -> None:
        with Sandbox(SandboxSettings(key_in_progress=0.3)) as sandbox:
            sandbox.inject("lose_answer", operation="create")
            options = {"auth": VictorOAuth(*sandbox.add_oauth_client()), "base_url": sandbox.url}
            made = call(client_class, create, retry=PATIENT, **options)
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
                call(client_class, create, retry=PATIENT, deadline=1.5, **options)
            assert raised.value.outcome is Outcome.UNKNOWN
            assert 409 in {seen.status for seen in sandbox.received() if seen.operation == "create"}
            assert sandbox.work_done_by_key() == {KEY: 1}


class Provider:
    """Answers from a script (the last line for ever); tokens are always to be had."""

    def __init__(self, *script: httpx.Response | Exception) -> None:
        self.script = list(script)
        self.keys: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "t", "expires": 4_102_444_800_000})
        self.keys.append(request.headers.get("idempotency-key", ""))
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


LOST = httpx.ReadError("lost")
MADE = httpx.Response(200, json={"victor_payment_request_id": "a7ffd43c37c1", "status": "created"})


def observe(
    client_class: type, *script: httpx.Response | Exception, of: Callable[[Any], Any] = create
) -> tuple[Any, Provider]:
    provider = Provider(*script)
    options = {"auth": VictorOAuth("i", "not-a-secret"), "transport": httpx.MockTransport(provider), "retry": QUICK}
    try:
        return call(client_class, of, **options), provider
    except Conflict as error:
        return error, provider


@each_client
class TestWhatAnAnswerProves:
    def test_it_says_that_the_values_differ(self, client_class: type) -> None:
        error, provider = observe(client_class, httpx.Response(409, content=b'{"message": "payload mismatch"}'))
        assert (error.outcome, len(provider.keys)) == (Outcome.UNKNOWN, 1)
        assert "may have been used before, with other values. So send the values of the earlier call, or look" in str(
            error
        )

    def test_it_does_not_say_why(self, client_class: type) -> None:
        """It may be about an attempt whose answer was lost, or about an earlier call: it never proves that none is."""
        made, provider = observe(client_class, LOST, httpx.Response(409), MADE)
        assert (made.id, provider.keys) == ("a7ffd43c37c1", [KEY] * 3)
        error, provider = observe(client_class, httpx.Response(409))
        assert (error.outcome, len(provider.keys)) == (Outcome.UNKNOWN, 1)
        assert f"idempotency_key={KEY!r} may have been used before, with other values or by a call" in str(error)
        assert "still in progress. So repeat the call later with the same key and the same values" in str(error)

    def test_what_has_no_key_is_not_asked_again(self, client_class: type) -> None:
        def accept(victor: Any) -> Any:
            return victor.payment_requests.accept("b34783af0", notes="Thanks.")

        unanswered = httpx.Response(200, json={"victor_payment_request_id": "b34783af0", "status": "Pending"})
        error, provider = observe(client_class, httpx.Response(409, content=b"in progress"), unanswered, of=accept)
        assert error.outcome is Outcome.UNKNOWN
        error, provider = observe(client_class, httpx.Response(409, content=b""), unanswered, of=accept)
        assert (error.outcome, len(provider.keys), error.attempts) == (Outcome.UNKNOWN, 2, 1)
        answers = {"Accepted": Outcome.UNKNOWN, "Rejected": Outcome.REJECTED}
        for word, outcome in answers.items():
            said = {"payment_request_response": {"status": word, "notes": "Another's."}}
            found = httpx.Response(200, json={"victor_payment_request_id": "b34783af0", "payment_request": said})
            error, _ = observe(client_class, httpx.Response(409), found, of=accept)
            assert error.outcome is outcome
