"""How a client of FlexFactor is set up, and its tokens."""

import json

import httpx
import pytest

from tests.cases import cases_beside
from tests.frames import assert_hidden
from tests.providers.flexfactor.adapter import ARGUMENTS, MID, ORDER, over
from tests.providers.running import TOKEN, Script
from victor_ext import AuthenticationError, ConfigurationError
from victor_ext.providers.flexfactor import FlexFactor, FlexFactorAuth, FlexFactorToken
from victor_ext.providers.flexfactor._system import from_process_environment


@pytest.mark.parametrize("other", ["FLEXFACTOR_APP_KEY", "FLEXFACTOR_APP_SECRET"])
def test_a_token_in_a_variable_beside_another_kind_of_credentials_is_refused(other, monkeypatch):
    monkeypatch.setenv("FLEXFACTOR_MID", MID)
    monkeypatch.setenv("FLEXFACTOR_TOKEN", "a-ready-token")
    assert isinstance(from_process_environment({})["auth"], FlexFactorToken)
    monkeypatch.setenv(other, "k")
    with pytest.raises(ConfigurationError, match="set one kind of credentials alone") as raised:
        from_process_environment({})
    assert "a-ready-token" not in str(raised.value)


@pytest.mark.parametrize(("status", "body"), cases_beside(__file__)["refused pairs"])
def test_refused_credentials_tell_the_providers_code_and_nothing_else_of_its_answer(status, body):
    auth = FlexFactorAuth("key", "s3cr-401007")
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=body))
    client = FlexFactor(**{**ARGUMENTS, "auth": auth, "transport": transport})
    words = rf"\(status {status}(, code 401003)?\)"
    with pytest.raises(AuthenticationError, match=words) as raised:
        client.authorization()
    codes = ["401003"] if "401003" in json.dumps(body) else []
    assert [problem.code for problem in raised.value.problems] == codes
    assert_hidden(raised.value, secrets=("s3cr", "401007"))


def sent(**options):
    """The credentials of a call, and how many tokens were asked for."""
    script = Script(
        httpx.Response(200, json={"id": ORDER, "status": 7}), token={**TOKEN, "token_type": "JWT"}
    )
    over(script, "order", **options)
    [request] = script.requests
    return request.headers["authorization"], len(script.for_tokens)


def test_app_key_and_app_secret_are_exchanged_for_a_token_as_json():
    script = Script(httpx.Response(200, json={"id": ORDER, "status": 7}))
    over(script, "order")
    [asked] = script.for_tokens
    assert (asked.method, asked.url.path) == ("POST", "/v1/oauth2/token")
    assert json.loads(asked.content) == {"AppKey": "key", "AppSecret": "secret"}
    assert script.requests[0].headers["authorization"] == "Bearer t"


@pytest.mark.parametrize(
    ("scheme", "header"),
    [({}, "Bearer a.b-c"), ({"scheme": "ApiKey"}, "ApiKey a.b-c"), ({"scheme": None}, "a.b-c")],
)
def test_a_ready_token_is_sent_with_its_scheme_and_none_is_fetched(scheme, header):
    assert sent(auth=FlexFactorToken(" a.b-c\n", **scheme)) == (header, 0)


def test_a_ready_token_that_is_refused_is_not_renewed(harness):
    token = harness.sandbox.add_token()
    harness.sandbox.revoke_tokens()
    with pytest.raises(AuthenticationError, match=r"never renewed: .* ten minutes") as raised:
        harness(lambda client: client.orders.list(), auth=FlexFactorToken(token))
    assert (raised.value.attempts, raised.value.outcome.value) == (1, "rejected")
    assert_hidden(raised.value, secrets=(token,))


@pytest.mark.parametrize(
    ("token", "scheme"),
    [
        *(("s3cret", scheme) for scheme in ("", "Bearer s3cret", "Bearer:", 7, "B\u00e9")),
        ("s3cret" * 4000, None),
    ],
)
def test_a_token_or_a_scheme_that_no_header_can_hold_is_refused_and_not_shown(token, scheme):
    with pytest.raises(ConfigurationError, match=r"token (is|must|holds)|scheme must") as raised:
        FlexFactorToken(token, scheme=scheme)
    assert_hidden(raised.value, secrets=("s3cr",))
