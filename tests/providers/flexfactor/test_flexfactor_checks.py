"""What is refused before anything is sent, what is set up wrongly, and the tokens."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.cases import cases_beside
from tests.frames import assert_hidden
from tests.providers.flexfactor.adapter import MID, ORDER, PRICE, Harness, declined, scripted
from tests.providers.running import Script
from victor_ext import AuthenticationError, ConfigurationError, InvalidRequest, idempotency_key_for
from victor_ext.providers import Money
from victor_ext.providers.flexfactor import (
    AsyncFlexFactor,
    Card,
    FlexFactor,
    FlexFactorAuth,
    FlexFactorToken,
    OrderItem,
    Payer,
    Subscription,
    Transaction,
)
from victor_ext.providers.flexfactor.system import from_process_environment

AUTH = FlexFactorAuth("key", "secret")


def test_everything_that_is_wrong_is_said_at_once() -> None:
    client, script = scripted(httpx.Response(200))
    with pytest.raises(InvalidRequest) as raised:
        client.evaluate(
            order_id=" ",
            amount=44.23,  # type: ignore[arg-type]
            transaction=Transaction(id="", occurred_at=datetime(2026, 3, 4)),  # noqa: DTZ001 - naive on purpose
            payer=Payer(email=""),
            card=Card(token="", expiration_month=13, expiration_year=31, bin=424242, last4="4 2"),  # type: ignore[arg-type]
            billing="here",  # type: ignore[arg-type]
            recurring="no",  # type: ignore[arg-type]
            items=[OrderItem("Boots", Money(1, "EUR"), quantity=1.5), "boots"],  # type: ignore[list-item]
            subscription=Subscription(""),
            expires_at="soon",  # type: ignore[arg-type]
            fields=["a"],  # type: ignore[arg-type]
            idempotency_key="INV-1042",
        )
    fields = {problem.field for problem in raised.value.problems}
    assert fields == {
        "order_id",
        "amount",
        "transaction.id",
        "transaction.occurred_at",
        "payer.email",
        "card.token",
        "card.expiration_month",
        "card.expiration_year",
        "card.bin",
        "card.last4",
        "billing",
        "recurring",
        "items[0].amount",
        "items[0].quantity",
        "items[1]",
        "subscription.id",
        "expires_at",
        "fields",
        "idempotency_key",
    }
    assert not script.requests


@pytest.mark.parametrize("digits", ["", "4 2", "٤٢", 42])
def test_the_digits_of_a_card_are_wrong_for_one_reason(digits: Any) -> None:
    with pytest.raises(InvalidRequest) as raised:
        scripted(httpx.Response(200))[0].evaluate(
            **declined(card=Card(token="tok_4242", bin=digits, last4=digits))
        )
    assert [problem.field for problem in raised.value.problems] == ["card.bin", "card.last4"]


@pytest.mark.parametrize(
    "key", ["", "x" * 36, "0c5b2a57-8c3c-4b52-a6f1-3f2a0e7b9d1", 7, f"{ORDER}\n"]
)
def test_a_key_is_a_guid(key: Any) -> None:
    client, script = scripted(httpx.Response(200))
    for call in (
        lambda: client.evaluate(**declined(), idempotency_key=key),
        lambda: client.capture(ORDER, Money(1, "USD"), idempotency_key=key),
        lambda: client.orders.cancel(ORDER, idempotency_key=key),
        lambda: client.orders.external_cancel("INV-1", idempotency_key=key),
    ):
        with pytest.raises(InvalidRequest, match="must be a GUID as text"):
            call()
    assert not script.requests


@pytest.mark.parametrize(
    "order_id", ["a/b", "a b", "a?b#c", "a%2Fb", "\u00e4", "a;b", "...", "../x", "v1"]
)
def test_any_other_id_stays_one_part_of_its_path(order_id: str) -> None:
    client, script = scripted(
        httpx.Response(200, json={"status": "COMPLETED", "success": True, "orderId": order_id})
    )
    client.orders.get(order_id)
    client.orders.refund(order_id, Money(1, "USD"))
    client.orders.cancel(order_id)
    client.orders.external_cancel(order_id)
    quoted = quote(order_id, safe="")
    assert [request.url.raw_path.decode() for request in script.requests] == [
        f"/v1/orders/{quoted}{what}" for what in ("", "/refund", "/cancel", "/external-cancel")
    ]


def test_a_refund_is_in_dollars() -> None:
    # The wire carries a number of dollars and no currency: ten euros would be given back as ten
    # dollars.
    client, script = scripted(httpx.Response(200))
    with pytest.raises(
        InvalidRequest, match="amount is in EUR: a refund names no currency"
    ) as raised:
        client.orders.refund(ORDER, Money.of("10.00", "EUR"))
    assert raised.value.problems[0].code == "currency"
    assert not script.requests


def test_what_has_no_argument_is_sent_as_it_is_given() -> None:
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


@pytest.mark.parametrize("environment", ["sandbox", "production"])
def test_the_hosts_of_the_other_name(environment: str) -> None:
    client = FlexFactor(AUTH, mid=MID, environment=environment, hosts="flexfactor")
    host = "api.flexfactor.io" if environment == "production" else "api-sandbox.flexfactor.io"
    assert (client.base_url, client.environment) == (f"https://{host}", environment)


@pytest.mark.parametrize(("options", "said"), cases_beside(__file__)["settings"])
@pytest.mark.parametrize("kind", [FlexFactor, AsyncFlexFactor])
def test_settings_of_its_own_that_cannot_be(kind: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        kind(AUTH, **{"mid": MID, **options})


@pytest.mark.parametrize("other", ["FLEXFACTOR_APP_KEY", "FLEXFACTOR_APP_SECRET"])
def test_a_token_of_the_process_stands_alone(other: str) -> None:
    values = {"FLEXFACTOR_MID": MID, "FLEXFACTOR_TOKEN": "a-ready-token"}
    assert isinstance(from_process_environment({}, values)["auth"], FlexFactorToken)
    with pytest.raises(ConfigurationError, match="set one kind of credentials alone") as raised:
        from_process_environment({}, {**values, other: "k"})
    assert "a-ready-token" not in str(raised.value)


def test_moments_are_sent_in_utc() -> None:
    client, script = scripted(
        httpx.Response(200, json={"status": "COMPLETED", "isLastPage": True, "items": []})
    )
    there = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=-5)))
    client.evaluate(
        **declined(transaction=Transaction(id="t-1", occurred_at=there), expires_at=there)
    )
    list(client.orders.list(start=there, end=there))
    body, query = json.loads(script.requests[0].content), script.requests[1].url.params
    assert (body["transaction"]["timestampUtc"], body["expiryDateUtc"]) == (
        "2026-03-04T10:06:07Z",
    ) * 2
    assert (query["from"], query["to"], query["mid"]) == (
        "2026-03-04T10:06:07Z",
        "2026-03-04T10:06:07Z",
        MID,
    )


def test_filters_of_nothing_are_refused() -> None:
    client, _ = scripted()
    there = datetime(2026, 3, 4, tzinfo=UTC)
    with pytest.raises(
        InvalidRequest, match=r"status is empty.*end .* is before start .*swap them"
    ):
        client.orders.list(status=[], start=there, end=there - timedelta(seconds=1))
    with pytest.raises(InvalidRequest, match="until is empty: name a status, or leave it out"):
        client.orders.wait("order-1", until=())


def endpoint(expires: Any, auth: Any = AUTH) -> tuple[FlexFactor, Script]:
    """A client of a provider that issues tokens with this `expires`, and knows one order."""
    script = Script(
        httpx.Response(200, json={"id": ORDER, "status": 7}),
        token={"accessToken": "t1", "token_type": "JWT", "expires": expires},
    )
    return FlexFactor(auth, mid=MID, transport=script.transport), script


@pytest.mark.parametrize(("status", "body"), cases_beside(__file__)["refused pairs"])
def test_a_refused_pair_has_the_code_of_the_provider_and_nothing_else_of_its_answer(
    status: int, body: Any
) -> None:
    auth = FlexFactorAuth("key", "s3cr-401007")
    client = FlexFactor(
        auth, mid=MID, transport=httpx.MockTransport(lambda _: httpx.Response(status, json=body))
    )
    with pytest.raises(
        AuthenticationError, match=rf"\(status {status}(, code 401003)?\)"
    ) as raised:
        client.orders.get(ORDER)
    assert [problem.code for problem in raised.value.problems] == ["401003"] * (
        "401003" in json.dumps(body)
    )
    assert_hidden(raised.value, secrets=("s3cr", "401007"))


def test_a_token_is_a_bearer_token_whatever_type_is_said() -> None:
    client, script = endpoint(None)
    client.orders.get(ORDER)
    assert script.requests[-1].headers["authorization"] == "Bearer t1"


class TestATokenThatIsReady:
    @pytest.mark.parametrize(
        ("scheme", "header"),
        [({}, "Bearer a.b-c"), ({"scheme": "ApiKey"}, "ApiKey a.b-c"), ({"scheme": None}, "a.b-c")],
    )
    def test_a_token_is_sent_with_its_scheme_and_none_is_fetched(
        self, scheme: dict[str, Any], header: str
    ) -> None:
        client, script = endpoint(None, FlexFactorToken(" a.b-c\n", **scheme))
        assert (client.orders.get(ORDER).id, client.authorization()) == (ORDER, header)
        assert ([each.headers["authorization"] for each in script.requests], script.for_tokens) == (
            [header],
            [],
        )

    @pytest.mark.parametrize("scheme", ["Bearer", None])
    def test_it_is_enough_for_every_call(self, harness: Harness, scheme: str | None) -> None:
        harness.settings["auth"] = FlexFactorToken(harness.sandbox.add_token(), scheme=scheme)  # type: ignore[assignment]
        decision = harness(lambda client: client.evaluate(**declined()))
        assert harness(lambda client: client.orders.get(decision.order_id)).id == decision.order_id
        assert harness(lambda client: client.orders.refund(decision.order_id, PRICE)).succeeded
        assert (
            harness.work("INV-1042"),
            harness.work("INV-1042/refund"),
            harness.sent("token"),
        ) == (1, 1, [])

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
    def test_a_token_that_no_header_can_hold_is_refused_and_not_shown(
        self, token: Any, scheme: Any
    ) -> None:
        with pytest.raises(
            ConfigurationError, match=r"token (is|must|holds)|scheme must"
        ) as raised:
            FlexFactorToken(token, scheme=scheme)
        assert_hidden(raised.value, secrets=("s3cr",))
