"""Who is let in. The provider documents the claims; every sentence of that is a row here."""

import time

import pytest

from tests.cases import cases_beside
from tests.sandbox.sandbox_callers import LIST

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__)


LEEWAY = 5
"""Seconds by which the clocks of a caller and of the provider may differ."""


def now():
    return int(time.time())


def refused(caller, authorization):
    headers = {} if authorization is None else {"authorization": authorization}
    response = caller.http.get(LIST, headers=headers)
    assert response.status_code == 401, response.text
    return response.json()["error"]["reason"]


def is_let_in(caller, authorization):
    answer = caller.http.get(LIST, headers={"authorization": authorization})
    return answer.status_code == 200


@pytest.mark.parametrize(("options", "code"), CASES["tokens that break one rule"])
def test_a_token_that_breaks_one_rule_is_refused(caller, options, code):
    times = {
        name: now() + options[name]
        for name in ("iat", "exp")
        if type(options.get(name)) in (int, float)
    }
    assert refused(caller, f"Token {caller.token(**{**options, **times})}") == code


@pytest.mark.parametrize(("authorization", "code"), CASES["authorizations"])
def test_a_call_without_the_exact_form_of_the_authorization_header_is_refused(
    caller, authorization, code
):
    given = authorization and authorization.replace("{token}", caller.token())
    assert refused(caller, given) == code


def test_production_allows_300_seconds_and_staging_3600(start):
    _, production = start(environment="production")
    _, staging = start(environment="staging")
    long = {"iat": now(), "exp": now() + 301}
    assert refused(production, f"Token {production.token(**long)}") == "lifetime_too_long"
    assert is_let_in(production, f"Token {production.token()}")
    assert is_let_in(staging, f"Token {staging.token(**long)}")


def test_clocks_may_differ_by_the_leeway_and_no_more(sandbox, caller):
    for behind in (0, LEEWAY - 3):
        sandbox.set_clock_skew(behind)
        assert is_let_in(caller, f"Token {caller.token(iat=now() - 60, exp=now())}")
        sandbox.set_clock_skew(-behind)
        assert is_let_in(caller, f"Token {caller.token()}")
    sandbox.set_clock_skew(LEEWAY + 4)
    expired = caller.token(iat=now() - 60, exp=now())
    assert refused(caller, f"Token {expired}") == "expired_token"
    sandbox.set_clock_skew(-LEEWAY - 4)
    assert refused(caller, f"Token {caller.token()}") == "issued_in_the_future"


# What the control API gives and takes


class TestIssuedTokens:
    def test_a_client_gets_a_token_with_an_absolute_expiry_in_milliseconds(self, sandbox, caller):
        answer = caller.ask_token(*sandbox.add_oauth_client("client", "a secret")).json()
        assert answer["token_type"] == "Bearer"
        assert abs(answer["expires"] / 1000 - (time.time() + 3600)) < 5
        assert refused(caller, f"Token {answer['access_token']}") == "malformed_token"
        authorization = f"Bearer {answer['access_token']}"
        sandbox.advance(3660)
        assert is_let_in(caller, authorization), "tokens end by the wall clock"
        sandbox.set_clock_skew(3660)
        assert refused(caller, authorization) == "invalid_token"

    def test_a_wrong_client_id_or_secret_gets_no_token(self, sandbox, caller):
        sandbox.add_oauth_client("client", "a secret")
        for pair in (("client", "another"), ("other", "a secret")):
            response = caller.ask_token(*pair)
            assert (response.status_code, response.json()["error"]) == (401, "invalid_client")

    @pytest.mark.parametrize(
        "body", [b"", b"[]", b"{}", b'{"client_id": 1, "client_secret": "x"}', b"{"]
    )
    def test_a_token_request_without_client_id_and_secret_is_an_invalid_request(self, caller, body):
        response = caller.http.post(
            "/v2/auth/token", content=body, headers={"content-type": "application/json"}
        )
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
