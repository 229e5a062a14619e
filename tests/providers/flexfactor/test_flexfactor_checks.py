"""What is refused before anything is sent, what is set up wrongly, and the tokens."""

import json

import httpx
import pytest

from tests.cases import cases_beside
from tests.frames import assert_hidden
from tests.providers.flexfactor.adapter import MID, ORDER, declined, scripted
from tests.providers.running import Script
from victor_ext import (
    AuthenticationError,
    ConfigurationError,
    InvalidRequest,
    idempotency_key_for,
)
from victor_ext.providers import Money
from victor_ext.providers.flexfactor import (
    FlexFactor,
    FlexFactorAuth,
    FlexFactorToken,
    Subscription,
)
from victor_ext.providers.flexfactor.system import from_process_environment

AUTH = FlexFactorAuth("key", "secret")


def test_what_has_no_argument_is_sent_as_it_is_given():
    client, script = scripted(httpx.Response(200, json={"status": "APPROVED"}))
    key = idempotency_key_for("invoice", 1042)
    extra = {
        "subscription": {"price": "12.00", "Currency": "USD"},
        "Transaction": {"processorName": "Acme"},
    }
    arguments = declined(subscription=Subscription("s-7", "monthly"), extra_body=extra)
    assert client.evaluate(**arguments, idempotency_key=key).idempotency_key == key
    body = json.loads(script.requests[0].content)
    # The unit of a price is not documented: there is no argument for it, and its text is passed on
    # untouched.
    assert body["subscription"] == {
        "subscriptionId": "s-7", "interval": "monthly", "price": "12.00", "Currency": "USD",
    }  # fmt: skip
    assert (body["transaction"]["amount"], body["transaction"]["processorName"]) == (4423, "Acme")
    assert "Transaction" not in body
    assert not hasattr(Subscription("s-7"), "price")


@pytest.mark.parametrize(
    ("amount", "code", "message"),
    [
        (
            "44.23",
            "type",
            (
                "amount must be Money, not str: write Money.of('44.23', 'USD'), or "
                "Money(4423, 'USD') in cents."
            ),
        ),
        (
            Money(4423, "JPY"),
            "currency",
            (
                "amount is in JPY, which has 0 decimals: how FlexFactor, which counts hundredths, "
                "takes it is not documented."
            ),
        ),
        (Money(0, "EUR"), "range", "amount is 0.00 EUR and must be above zero."),
        (Money(10**15, "EUR"), "range", "amount must have at most fifteen digits."),
    ],
)
def test_an_amount_that_cannot_be_sent_in_cents_is_refused(amount, code, message):
    client, script = scripted()
    with pytest.raises(InvalidRequest) as raised:
        client.capture(ORDER, amount)
    assert [(problem.code, problem.message) for problem in raised.value.problems] == [
        (code, message)
    ]
    assert not script.requests


@pytest.mark.parametrize("environment", ["sandbox", "production"])
def test_the_other_name_of_the_provider_has_hosts_of_its_own(environment):
    client = FlexFactor(AUTH, mid=MID, environment=environment, hosts="flexfactor")
    host = "api.flexfactor.io" if environment == "production" else "api-sandbox.flexfactor.io"
    assert (client.base_url, client.environment) == (f"https://{host}", environment)


@pytest.mark.parametrize("other", ["FLEXFACTOR_APP_KEY", "FLEXFACTOR_APP_SECRET"])
def test_a_token_of_the_process_stands_alone(other):
    values = {"FLEXFACTOR_MID": MID, "FLEXFACTOR_TOKEN": "a-ready-token"}
    assert isinstance(from_process_environment({}, values)["auth"], FlexFactorToken)
    with pytest.raises(ConfigurationError, match="set one kind of credentials alone") as raised:
        from_process_environment({}, {**values, other: "k"})
    assert "a-ready-token" not in str(raised.value)


def ordered(auth) -> tuple[FlexFactor, Script]:
    """A client of a provider that issues tokens of a type of its own, and knows one order."""
    order = httpx.Response(200, json={"id": ORDER, "status": 7})
    script = Script(order, token={"accessToken": "t1", "token_type": "JWT", "expires": None})
    return FlexFactor(auth, mid=MID, transport=script.transport), script


@pytest.mark.parametrize(("status", "body"), cases_beside(__file__)["refused pairs"])
def test_a_refused_pair_has_the_code_of_the_provider_and_nothing_else_of_its_answer(status, body):
    script = Script(token=httpx.Response(status, json=body))
    auth = FlexFactorAuth("key", "s3cr-401007")
    client = FlexFactor(auth, mid=MID, transport=script.transport)
    words = rf"\(status {status}(, code 401003)?\)"
    with pytest.raises(AuthenticationError, match=words) as raised:
        client.orders.get(ORDER)
    has_code = "401003" in json.dumps(body)
    assert [problem.code for problem in raised.value.problems] == ["401003"] * has_code
    assert_hidden(raised.value, secrets=("s3cr", "401007"))


def test_a_token_is_a_bearer_token_whatever_type_is_said():
    client, script = ordered(AUTH)
    client.orders.get(ORDER)
    assert script.requests[-1].headers["authorization"] == "Bearer t1"


class TestATokenThatIsReady:
    @pytest.mark.parametrize(
        ("scheme", "header"),
        [({}, "Bearer a.b-c"), ({"scheme": "ApiKey"}, "ApiKey a.b-c"), ({"scheme": None}, "a.b-c")],
    )
    def test_a_token_is_sent_with_its_scheme_and_none_is_fetched(self, scheme, header):
        client, script = ordered(FlexFactorToken(" a.b-c\n", **scheme))
        assert (client.orders.get(ORDER).id, client.authorization()) == (ORDER, header)
        assert [each.headers["authorization"] for each in script.requests] == [header]
        assert script.for_tokens == []

    def test_one_that_is_refused_is_not_renewed(self, harness):
        token = harness.sandbox.add_token()
        harness.sandbox.revoke_tokens()
        harness.settings["auth"] = FlexFactorToken(token)  # type: ignore[assignment]
        with pytest.raises(AuthenticationError, match=r"never renewed: .* ten minutes") as raised:
            harness.ask("orders.get", ORDER)
        assert (raised.value.attempts, raised.value.outcome.value) == (1, "rejected")
        assert_hidden(raised.value, secrets=(token,))

    @pytest.mark.parametrize(
        ("token", "scheme"),
        [
            ("Bearer s3cret", "Bearer"),
            *(("s3cret", scheme) for scheme in ("", "Bearer s3cret", "Bearer:", 7, "B\u00e9")),
            ("s3cret" * 4000, None),
        ],
    )
    def test_a_token_that_no_header_can_hold_is_refused_and_not_shown(self, token, scheme):
        with pytest.raises(
            ConfigurationError, match=r"token (is|must|holds)|scheme must"
        ) as raised:
            FlexFactorToken(token, scheme=scheme)
        assert_hidden(raised.value, secrets=("s3cr",))
