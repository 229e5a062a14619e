"""The token: kept by its absolute end in epoch milliseconds, renewed once when a call is refused."""

from __future__ import annotations

import copy
import json
import pickle
import time
from typing import Any

import httpx
import pytest

from tests.providers.flexfactor.harness import MID, Harness
from tests.providers.flexfactor.test_flexfactor_leaks import check
from victor_ext import AuthenticationError, ConfigurationError
from victor_ext.providers.flexfactor import FlexFactor, FlexFactorAuth, FlexFactorToken
from victor_ext.providers.flexfactor.auth import issued_token

ORDER = "5b0c7a5e-3d1f-4f0a-9a43-0f9d2f1c8e77"
NOW = 1_770_000_000.0


class TokenEndpoint(httpx.BaseTransport):
    """Issues tokens with this `expires`, and answers everything else with an order."""

    def __init__(self, expires: Any) -> None:
        self.expires = expires
        self.bodies: list[Any] = []
        self.authorizations: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/oauth2/token":
            self.bodies.append(json.loads(request.content))
            return httpx.Response(200, json={"accessToken": f"t{len(self.bodies)}", "expires": self.expires})
        self.authorizations.append(request.headers["authorization"])
        return httpx.Response(200, json={"id": ORDER})


def asked(expires: Any, calls: int = 3) -> int:
    """The number of token requests during `calls` calls."""
    endpoint = TokenEndpoint(expires)
    client = FlexFactor(FlexFactorAuth("key", "secret"), mid=MID, transport=endpoint)
    for _ in range(calls):
        client.orders.get(ORDER)
    return len(endpoint.bodies)


def test_a_token_that_has_not_ended_is_kept_and_one_that_has_is_not() -> None:
    # A peer once had this the wrong way round: it kept tokens that had ended, and threw away those that had not.
    milliseconds = int(time.time() * 1000)
    assert asked(milliseconds + 600_000) == 1
    assert asked(milliseconds - 600_000) == 3


def test_milliseconds_are_not_taken_for_seconds_nor_for_a_duration() -> None:
    assert issued_token({"accessToken": "t", "expires": 1_770_000_600_000}, NOW).expires_at == NOW + 600  # type: ignore[union-attr]
    assert asked(600) == 3  # no moment of our time: it ended in 1970, so each call asks


@pytest.mark.parametrize(
    ("expires", "at"),
    [
        (1_770_000_600_123, 1_770_000_600.123),
        ("1770000600000", 1_770_000_600.0),
        (1_770_000_600, 1_770_000_600.0),
        (None, None),
        ("soon", None),
        (True, None),
        (-1, None),
        (float("inf"), None),
        (10**30, None),
        ([], None),
    ],
)
def test_when_a_token_ends(expires: Any, at: float | None) -> None:
    token = issued_token({"accessToken": "t", "expires": expires}, NOW)
    assert token is not None
    assert token.expires_at == at
    assert token.header == "Bearer t"


@pytest.mark.parametrize("body", [{}, {"accessToken": ""}, {"accessToken": 7}, {"accessToken": "a\nb"}])
def test_no_token(body: dict[str, Any]) -> None:
    assert issued_token(body, NOW) is None


def test_the_pair_goes_as_json() -> None:
    endpoint = TokenEndpoint(4_102_444_800_000)
    client = FlexFactor(FlexFactorAuth("key", "secret"), mid=MID, transport=endpoint)
    client.orders.get(ORDER)
    assert [list(body.items()) for body in endpoint.bodies] == [[("AppKey", "key"), ("AppSecret", "secret")]]
    assert endpoint.authorizations == ["Bearer t1"]
    assert client.authorization() == "Bearer t1"


def test_a_refused_evaluation_is_sent_again_with_the_same_key(harness: Harness) -> None:
    from tests.providers.flexfactor.harness import declined

    order = harness.sandbox.add_order("INV-1")

    def revoke(client: Any) -> Any:
        harness.sandbox.revoke_tokens()
        return client.evaluate(**declined())

    decision = harness(lambda client: client.orders.get(order), revoke)
    assert [each.idempotency_key for each in harness.sent("evaluate")] == [decision.idempotency_key] * 2
    assert harness.work("INV-1042") == 1


def test_a_pair_that_is_not_known(harness: Harness) -> None:
    harness.auth = FlexFactorAuth("nobody", "knows-this")
    with pytest.raises(AuthenticationError, match="keys of one environment are not valid in the other") as raised:
        harness(lambda client: client.orders.get(ORDER))
    assert raised.value.attempts == 0


@pytest.mark.parametrize(("key", "secret"), [("", "s"), ("k", " "), ("k", 7), (None, "s"), ("k", "a\nb")])
def test_credentials_that_cannot_be(key: Any, secret: Any) -> None:
    with pytest.raises(ConfigurationError, match="app_"):
        FlexFactorAuth(key, secret)


class TestATokenThatIsReady:
    @pytest.mark.parametrize(
        ("scheme", "header"),
        [({}, "Bearer a.b-c"), ({"scheme": "ApiKey"}, "ApiKey a.b-c"), ({"scheme": None}, "a.b-c")],
    )
    def test_how_it_is_written(self, scheme: dict[str, Any], header: str) -> None:
        endpoint = TokenEndpoint(None)
        client = FlexFactor(FlexFactorToken(" a.b-c\n", **scheme), mid=MID, transport=endpoint)
        assert (client.orders.get(ORDER).id, client.authorization()) == (ORDER, header)
        assert (endpoint.authorizations, endpoint.bodies) == ([header], [])

    @pytest.mark.parametrize("scheme", ["Bearer", None])
    def test_it_is_enough_for_every_call(self, harness: Harness, scheme: str | None) -> None:
        from tests.providers.flexfactor.harness import PRICE, declined

        harness.auth = FlexFactorToken(harness.sandbox.add_token(), scheme=scheme)  # type: ignore[assignment]
        decision = harness(lambda client: client.evaluate(**declined()))
        assert harness(lambda client: client.orders.get(decision.order_id)).id == decision.order_id
        assert harness(lambda client: client.orders.refund(decision.order_id, PRICE)).succeeded
        assert (harness.work("INV-1042"), harness.work("INV-1042/refund"), harness.sent("token")) == (1, 1, [])

    def test_one_that_is_refused_is_not_renewed(self, harness: Harness) -> None:
        token = harness.sandbox.add_token()
        harness.sandbox.revoke_tokens()
        harness.auth = FlexFactorToken(token)  # type: ignore[assignment]
        with pytest.raises(AuthenticationError, match=r"never renewed: .* ten minutes") as raised:
            harness(lambda client: client.orders.get(ORDER))
        assert (raised.value.attempts, raised.value.outcome.value) == (1, "rejected")
        check(raised.value, secrets=(token,))

    @pytest.mark.parametrize(
        ("token", "scheme"),
        [
            *(
                (token, "Bearer")
                for token in ("", " ", 7, None, b"s3cret", "Bearer s3cret", "s3cret\nX: y", "s3cr\u00e9t")
            ),
            *(("s3cret", scheme) for scheme in ("", "Bearer s3cret", "Bearer:", 7, "B\u00e9")),
            ("s3cret" * 4000, None),
        ],
    )
    def test_what_cannot_be_sent(self, token: Any, scheme: Any) -> None:
        with pytest.raises(ConfigurationError, match=r"token (is|must|holds)|scheme must") as raised:
            FlexFactorToken(token, scheme=scheme)
        check(raised.value, secrets=("s3cr",))

    def test_it_is_not_shown_or_pickled(self) -> None:
        auth = FlexFactorToken("s3cret")
        assert "s3cret" not in repr(auth) + repr(vars(auth))
        assert copy.deepcopy(auth) is auth
        with pytest.raises(TypeError, match="holds a secret"):
            pickle.dumps(auth)
        one, other = (FlexFactor(auth, mid=mid) for mid in (MID, MID.replace("3", "4")))
        assert one.caller != other.caller
        assert "s3cret" not in str(one.caller)
