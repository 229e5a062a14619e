"""The token cache: one token for all, fetched once, renewed in time, and never a lock that stays
locked.
"""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from tests.runtime.fakes import (
    BOTH,
    KEY,
    OK,
    Happens,
    Harness,
    by_oauth,
    status,
)
from victor_ext import errors
from victor_ext._runtime.auth.tokens import header_value
from victor_ext._runtime.core.locks import ThreadLock
from victor_ext._runtime.loop.retry import SIGNED, RetryPolicy
from victor_ext.errors import Outcome

UNAUTHORIZED = Happens(401, b"{}")
THREADS = 24
IN_ITS_LAST_MINUTE = 3545.0
"""The age of a token of an hour that is renewed, and can be used for 45 seconds."""


class Endpoint:
    """Issues tok1, tok2, ... that live `lives` seconds; `script` says what happens before that."""

    def __init__(self, lives=3600.0, script=()):
        self.lives = lives
        self.script = list(script)
        self.asked = []

    def __call__(self, request):
        self.asked.append(request)
        if self.script:
            happens = self.script.pop(0)
            if isinstance(happens, httpx.Response):
                return happens
            if happens is not None:
                raise happens
        token = {"access_token": f"tok{len(self.asked)}", "lives": self.lives}
        return httpx.Response(200, json=token)


def oauth_harness(endpoint, script=None, waiting=None, **options):
    def auth(clock, lock):
        return by_oauth(clock, waiting or lock, hint="Check the client id.")

    harness = Harness(script or [OK], auth=auth, **options)
    harness.network.tokens = endpoint
    return harness


def issuing(endpoint=None, *script, **options):
    endpoint = endpoint or Endpoint()
    return oauth_harness(endpoint, *script, **options), endpoint


def tokens(harness):
    return [one.token for one in harness.received]


class TestKeeping:
    def test_one_token_serves_every_call_and_its_request_carries_no_key_and_no_token(self):
        harness, endpoint = issuing()
        for _ in range(5):
            harness.call("POST", KEY)
        assert tokens(harness) == ["Bearer tok1"] * 5
        assert len(endpoint.asked) == 1
        assert not {"authorization", "idempotency-key"} & set(endpoint.asked[0].headers)

    @pytest.mark.parametrize(
        ("passed", "asked"), [(3539.0, 1), (3541.0, 2), (3589.0, 2), (3591.0, 2), (3601.0, 2)]
    )
    def test_a_token_is_renewed_in_its_last_minute(self, passed, asked):
        harness, endpoint = issuing()
        harness.call()
        harness.clock.passed += passed
        harness.call()
        assert len(endpoint.asked) == asked
        assert tokens(harness)[-1] == f"Bearer tok{asked}"

    @pytest.mark.parametrize(
        ("left", "kept"), [(10.5, True), (10.0, False), (0.5, False), (0.0, False)]
    )
    def test_a_token_is_not_used_in_its_last_ten_seconds(self, left, kept):
        harness = oauth_harness(Endpoint(script=(None, *[httpx.Response(503)] * 9)))
        harness.call()
        harness.clock.passed += 3600.0 - left
        if kept:
            assert harness.call().status_code == 200
        else:
            harness.fails(errors.ServerError)
        assert tokens(harness) == ["Bearer tok1"] * (1 + kept)


class TestRefusal:
    def test_a_cached_token_that_is_refused_is_renewed_once(self):
        harness = oauth_harness(Endpoint(), [OK, UNAUTHORIZED, OK])
        harness.call()
        harness.call("POST")
        assert tokens(harness) == ["Bearer tok1", "Bearer tok1", "Bearer tok2"]
        assert harness.sleeps == []
        harness = oauth_harness(Endpoint(), [OK, UNAUTHORIZED])
        harness.call()
        harness.fails(errors.AuthenticationError, "POST")
        assert tokens(harness) == ["Bearer tok1", "Bearer tok1", "Bearer tok2"]

    def test_the_token_that_another_caller_has_fetched_meanwhile_stays(self):
        harness, endpoint = issuing()
        harness.call()
        refused = httpx.Request("GET", "https://bank.example", extensions={SIGNED: (True, None)})
        refused.headers["Authorization"] = "Bearer tok0"
        assert harness.loop.authenticator.should_retry_unauthorized(refused)
        harness.call()
        assert tokens(harness) == ["Bearer tok1"] * 2
        assert len(endpoint.asked) == 1


@pytest.mark.parametrize("mode", BOTH)
class TestTheEndpointFails:
    def test_the_retries_of_a_token_are_not_those_of_the_call(self, mode):
        endpoint = Endpoint(script=(httpx.Response(503),) * 5)
        harness = oauth_harness(endpoint, [status(503)] * 5 + [OK], mode=mode)
        assert harness.call().status_code == 200
        assert harness.sleeps == [0.5, 1.0, 2.0, 4.0, 8.0] * 2

    @pytest.mark.parametrize("code", [400, 401, 403])
    def test_refused_credentials_are_an_authentication_error_and_nothing_was_sent(self, mode, code):
        refusal = httpx.Response(code, json={"error": "invalid_client"})
        harness, endpoint = issuing(Endpoint(script=(refusal,)), mode=mode)
        words = r"refused the credentials.*Check the client id"
        error = harness.fails(errors.AuthenticationError, "POST", KEY, match=words)
        assert (error.outcome, error.attempts, error.idempotency_key) == (Outcome.NOT_SENT, 0, KEY)
        assert error.status_code == code
        assert str(error).count("This call was not sent") == 1
        assert len(endpoint.asked) == 1
        assert harness.received == []
        harness.call()  # and the lock is free
        assert tokens(harness) == ["Bearer tok2"]

    @pytest.mark.parametrize("code", [400, 403, 404, 413])
    @pytest.mark.parametrize("body", [b"<html>Forbidden</html>", b"", b"no access", b"[]"])
    def test_a_page_at_the_endpoint_is_named_and_blames_no_secret(self, mode, code, body):
        page = httpx.Response(code, content=body)
        harness = oauth_harness(Endpoint(script=(page,)), mode=mode)
        error = harness.fails(errors.StatusError, "POST", KEY, ends=(Outcome.NOT_SENT, 0))
        assert (type(error), harness.received) == (errors.StatusError, [])
        assert error.intermediary is not None
        assert f"issued no token (status {code}, {error.intermediary})" in str(error)
        assert "secret" not in str(error)

    @pytest.mark.parametrize(
        "answer",
        [
            httpx.Response(200, content=b"<html>"),
            httpx.Response(200, json=["tok"]),
            httpx.Response(200, json={"token": "tok"}),
            httpx.Response(200, json={"access_token": 17}),
            httpx.Response(200, content=b'{"access_token": "tok-that-works", "ex'),
        ],
    )
    def test_an_answer_without_a_token_is_unreadable_and_not_kept(self, mode, answer):
        harness = oauth_harness(lambda _request: answer, mode=mode)
        raised = harness.fails(errors.UnreadableResponse, "POST", KEY, ends=(Outcome.NOT_SENT, 0))
        assert raised.body is None, "it may hold a token that works"
        assert "tok-that-works" not in repr(vars(raised))

    @pytest.mark.parametrize("mine", [ValueError("mine"), KeyboardInterrupt("mine")], ids=repr)
    def test_any_other_error_while_a_token_is_fetched_leaves_the_lock_free(self, mode, mine):
        harness = oauth_harness(Endpoint(script=(mine,)), mode=mode)
        harness.fails(type(mine), match="mine")
        harness.call()
        assert tokens(harness) == ["Bearer tok2"]


class TestTheAdvisoryWindow:
    @pytest.mark.parametrize("deadline", [60.0, 3.0, None])
    def test_a_renewal_without_an_answer_holds_a_call_up_for_five_seconds_or_half_its_deadline(
        self, deadline
    ):
        """There is a token that is good: the call does not spend its deadline on the next one."""
        harness, endpoint = issuing(Endpoint(), deadline=deadline)
        harness.call()
        harness.clock.passed += IN_ITS_LAST_MINUTE
        began = harness.clock.passed

        def stalls(request):
            endpoint.asked.append(request)
            limit = request.extensions["timeout"].get("read")
            harness.clock.passed += limit
            raise httpx.ReadTimeout("no answer")

        harness.network.tokens = stalls
        assert harness.call().status_code == 200
        assert len(endpoint.asked) == 2
        assert harness.clock.passed - began == pytest.approx(1.5 if deadline == 3.0 else 5.0)
        assert harness.sleeps == []
        assert harness.quota.available == 500


class Waiting(ThreadLock):
    """A lock that tells when all threads stand before it."""

    def __init__(self):
        super().__init__()
        self.standing = itertools.count(1)
        self.all_stand = threading.Event()

    def permit(self):
        if next(self.standing) == THREADS:
            self.all_stand.set()
        return super().permit()


class Held:
    """An endpoint that says when it is asked, and issues a token when it may."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.asking = threading.Event()
        self.may_go_on = threading.Event()

    def __call__(self, request):
        self.asking.set()
        assert self.may_go_on.wait(timeout=20)
        return self.endpoint(request)


def called_by_many(endpoint, call, **options):
    """What many threads observe, all of which wait before the endpoint is asked."""
    lock = Waiting()

    def slow(request):
        assert lock.all_stand.wait(timeout=20)
        return endpoint(request)

    harness = oauth_harness(slow, waiting=lock, **options)
    with ThreadPoolExecutor(THREADS) as pool:
        return harness, list(pool.map(partial(call, harness), range(THREADS)))


class TestManyThreads:
    def test_one_token_request_serves_all_threads_that_wait(self):
        endpoint = Endpoint()
        harness, observed = called_by_many(
            endpoint, lambda harness, _number: harness.call().status_code
        )
        assert observed == [200] * THREADS
        assert len(endpoint.asked) == 1
        assert set(tokens(harness)) == {"Bearer tok1"}

    def test_one_failed_token_request_fails_all_threads_that_wait(self):
        """Otherwise each would call the failing endpoint in turn, until its own deadline."""
        endpoint = Endpoint(script=(httpx.Response(503),) * 2)

        def call(harness, number):
            return harness.fails(
                errors.ServerError, *(("GET",) if number % 2 else ("POST", f"{KEY}-{number:04}"))
            )

        harness, observed = called_by_many(endpoint, call, policy=RetryPolicy(max_attempts=2))
        assert len(endpoint.asked) == 2
        assert harness.received == []
        assert len({id(error) for error in observed}) == THREADS
        for number, error in enumerate(observed):
            assert (error.outcome, error.attempts, error.status_code) == (Outcome.NOT_SENT, 0, 503)
            assert error.idempotency_key == (None if number % 2 else f"{KEY}-{number:04}")
            assert str(error).count("This call was not sent") == (0 if number % 2 else 1)
            assert KEY not in str(error)
        assert harness.call().status_code == 200, "whoever comes later asks again"
        assert len(endpoint.asked) == 3

    def test_shortly_before_the_end_one_thread_renews_the_token_and_the_others_go_on(self):
        harness, endpoint = issuing()
        harness.call()
        harness.clock.passed += IN_ITS_LAST_MINUTE
        harness.network.tokens = held = Held(endpoint)
        with ThreadPoolExecutor(1) as pool:
            renewing = pool.submit(harness.call)
            assert held.asking.wait(timeout=20)
            for _ in range(5):
                harness.call()
            held.may_go_on.set()
            renewing.result(timeout=20)
        assert tokens(harness) == ["Bearer tok1"] * 6 + ["Bearer tok2"]

    def test_a_call_that_cannot_wait_longer_for_the_token_raises_deadline_exceeded(self):
        held = Held(Endpoint())
        harness = oauth_harness(held)
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(harness.call)
            assert held.asking.wait(timeout=20)
            harness.loop.deadline = 0.01
            raised = harness.fails(errors.DeadlineExceeded, "POST", KEY, match="still waits")
            assert (raised.outcome, raised.idempotency_key) == (Outcome.NOT_SENT, KEY)
            held.may_go_on.set()
            first.result(timeout=20)


def test_the_authorization_header_has_the_token_type_that_came_if_it_can_be_sent():
    for token_type in ("Bearer", "", None, 7, "Bear\ner", "B\u00e4rer"):
        assert header_value(token_type, "tok") == "Bearer tok"
    assert header_value("Token", "tok") == "Token tok"
    assert "tok" not in repr(header_value("Token", "tok"))
