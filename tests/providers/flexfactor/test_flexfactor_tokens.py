"""The token: kept by its absolute end in epoch milliseconds, renewed once when a call is refused."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.cases import cases_beside
from tests.frames import assert_hidden
from tests.providers.flexfactor.adapter import MID, ORDER, PRICE, Harness, declined
from tests.providers.running import Script
from victor_ext import AuthenticationError, ConfigurationError
from victor_ext.providers.flexfactor import FlexFactor, FlexFactorAuth, FlexFactorToken

AUTH = FlexFactorAuth("key", "secret")


def endpoint(expires: Any, auth: Any = AUTH) -> tuple[FlexFactor, Script]:
    """A client of a provider that issues tokens with this `expires`, and knows one order."""
    script = Script(
        httpx.Response(200, json={"id": ORDER, "status": 7}), token={"accessToken": "t1", "expires": expires}
    )
    return FlexFactor(auth, mid=MID, transport=script.transport), script


@pytest.mark.parametrize(("status", "body"), cases_beside(__file__)["refused pairs"])
def test_a_refused_pair_has_the_code_of_the_provider_and_nothing_else_of_its_answer(status: int, body: Any) -> None:
    auth = FlexFactorAuth("key", "s3cr-401007")
    client = FlexFactor(auth, mid=MID, transport=httpx.MockTransport(lambda _: httpx.Response(status, json=body)))
    with pytest.raises(AuthenticationError, match=rf"\(status {status}(, code 401003)?\)") as raised:
        client.orders.get(ORDER)
    assert [problem.code for problem in raised.value.problems] == ["401003"] * ("401003" in json.dumps(body))
    assert_hidden(raised.value, secrets=("s3cr", "401007"))


class TestATokenThatIsReady:
    @pytest.mark.parametrize(
        ("scheme", "header"),
        [({}, "Bearer a.b-c"), ({"scheme": "ApiKey"}, "ApiKey a.b-c"), ({"scheme": None}, "a.b-c")],
    )
    def test_how_it_is_written(self, scheme: dict[str, Any], header: str) -> None:
        client, script = endpoint(None, FlexFactorToken(" a.b-c\n", **scheme))
        assert (client.orders.get(ORDER).id, client.authorization()) == (ORDER, header)
        assert ([each.headers["authorization"] for each in script.requests], script.for_tokens) == ([header], [])

    @pytest.mark.parametrize("scheme", ["Bearer", None])
    def test_it_is_enough_for_every_call(self, harness: Harness, scheme: str | None) -> None:
        harness.settings["auth"] = FlexFactorToken(harness.sandbox.add_token(), scheme=scheme)  # type: ignore[assignment]
        decision = harness(lambda client: client.evaluate(**declined()))
        assert harness(lambda client: client.orders.get(decision.order_id)).id == decision.order_id
        assert harness(lambda client: client.orders.refund(decision.order_id, PRICE)).succeeded
        assert (harness.work("INV-1042"), harness.work("INV-1042/refund"), harness.sent("token")) == (1, 1, [])

    def test_one_that_is_refused_is_not_renewed(self, harness: Harness) -> None:
        token = harness.sandbox.add_token()
        harness.sandbox.revoke_tokens()
        harness.settings["auth"] = FlexFactorToken(token)  # type: ignore[assignment]
        with pytest.raises(AuthenticationError, match=r"never renewed: .* ten minutes") as raised:
            harness(lambda client: client.orders.get(ORDER))
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
    def test_what_cannot_be_sent(self, token: Any, scheme: Any) -> None:
        with pytest.raises(ConfigurationError, match=r"token (is|must|holds)|scheme must") as raised:
            FlexFactorToken(token, scheme=scheme)
        assert_hidden(raised.value, secrets=("s3cr",))
