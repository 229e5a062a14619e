"""A good status with a body that says no, and what else a profile reads from bodies."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from tests.runtime.fakes import BOTH, KEY, PROFILE, Happens, Harness, raises, token_answer
from victor_ext.errors import AuthenticationError, BadRequest, Outcome, Problem, ServerError, UnreadableResponse
from victor_ext.privacy import concealed_within, redact_excerpt
from victor_ext.runtime.auth.oauth import OAuthToken
from victor_ext.runtime.loop.idempotency_keys import BodyKey

NO = Happens(body=b'{"success": false, "message": "too much", "trace": "t-7"}')


def refused(answer):
    return "success is false" if answer.json().get("success") is False else None


def said(answer, name):
    try:
        return answer.json().get(name)
    except ValueError:
        return None


def problems(answer):
    message = said(answer, "message")
    return (Problem("", "", message),) if message else ()


SAYS_NO = replace(
    PROFILE, rejection_reason=refused, problems=problems, request_id_in_body=lambda answer: said(answer, "trace")
)


@pytest.mark.parametrize("mode", BOTH)
@pytest.mark.parametrize("key", [KEY, None])
def test_a_200_that_says_no_is_a_refusal(mode, key):
    harness = Harness(mode, [NO], profile=SAYS_NO)
    with pytest.raises(
        BadRequest,
        match=r"its body reports a rejection \(success is false\): too much\. The provider did not execute it",
    ) as raised:
        harness.call("POST", key)
    assert (raised.value.outcome, raised.value.status_code, raised.value.attempts) == (Outcome.REJECTED, 200, 1)
    assert [problem.message for problem in raised.value.problems] == ["too much"]


@pytest.mark.parametrize("mode", BOTH)
def test_a_refusal_after_a_lost_answer_leaves_the_outcome_unknown(mode):
    harness = Harness(mode, [raises(httpx.ReadError), NO], profile=SAYS_NO)
    with pytest.raises(BadRequest) as raised:
        harness.call("POST", KEY)
    assert (raised.value.outcome, raised.value.attempts) == (Outcome.UNKNOWN, 2)


@pytest.mark.parametrize("mode", BOTH)
def test_a_body_that_was_not_read_whole_refuses_nothing(mode):
    cut = Happens(body=NO.body, headers=(("Content-Encoding", "gzip"),))
    with pytest.raises(UnreadableResponse) as raised:
        Harness(mode, [cut], profile=SAYS_NO).call("POST")
    assert raised.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("mode", BOTH)
def test_the_id_of_an_exchange_is_read_from_the_body_when_no_header_has_one(mode):
    with pytest.raises(BadRequest) as raised:
        Harness(mode, [NO], profile=SAYS_NO).call()
    assert raised.value.request_id == "t-7"
    with pytest.raises(BadRequest) as raised:
        Harness(mode, [replace(NO, headers=(("X-Request-Id", "r-1"),))], profile=SAYS_NO).call()
    assert raised.value.request_id == "r-1"


def token_harness(answer):
    def authenticator(clock, lock):
        def ask():
            return httpx.Request("POST", "https://pay.example/token", json={"secret": "s3cret-of-mine"})

        return OAuthToken(ask, lambda body, now: None, clock, lock, hint="Check the secret.")

    harness = Harness("sync", profile=SAYS_NO, auth=authenticator)
    harness.network.tokens = lambda request: answer
    return harness


def test_a_token_endpoint_that_says_no_with_a_200_has_refused_the_credentials():
    with pytest.raises(AuthenticationError, match="refused the credentials"):
        token_harness(token_answer(success=False, message="s3cret-of-mine is wrong")).call()


def test_what_was_asked_with_a_secret_is_not_quoted():
    answer = httpx.Response(501, json={"message": "s3cret-of-mine is wrong"})
    with pytest.raises(ServerError) as raised:
        token_harness(answer).call()
    assert "s3cret" not in str(raised.value)
    assert not raised.value.problems


def test_a_key_in_the_body_of_a_call_that_takes_none_makes_no_repeat_safe():
    place = BodyKey(ignores_key=lambda request: request.url.path.endswith("/refund"))
    body = b'{"idempotencyKey": "k1"}'
    assert place.prepare(httpx.Request("POST", "https://pay.example/capture", content=body)) == "k1"
    assert place.prepare(httpx.Request("POST", "https://pay.example/refund", content=body)) is None


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("The payer ada@example.com is unknown.", "The payer [e-mail] is unknown."),
        ('{"email":"ada.l+x@example.co.uk"}', '{"email":"[e-mail]"}'),
        ("a @ b, 3 @ 4.50", "a @ b, 3 @ 4.50"),
    ],
)
def test_an_address_in_an_answer_is_not_shown(sent, shown):
    assert redact_excerpt(sent) == shown


def test_an_object_that_is_handed_over_shows_none_of_its_texts():
    given = {"payer": {"email": "ada@example.com", "age": 36}, "names": ["Ada", ("Byron",)], "none": None}
    hidden = concealed_within(given)
    assert hidden == {**given, "names": ["Ada", ["Byron"]]}
    assert all(word not in repr(hidden) for word in ("ada@example.com", "Ada", "Byron"))
    assert concealed_within("text") == "text"
