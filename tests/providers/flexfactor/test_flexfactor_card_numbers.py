"""A card number where a token belongs: in no environment is it sent, and nothing shows it."""

import json
import logging
import pickle
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.frames import assert_hidden
from tests.providers.flexfactor.adapter import MID, Harness, declined
from tests.providers.flexfactor.test_flexfactor_sandbox import evaluation, post, token_of
from tests.providers.running import MODES, QUICK, Script, run
from victor_ext import ConfigurationError, InvalidRequest, Outcome
from victor_ext.providers.flexfactor import Card, FlexFactor, FlexFactorToken
from victor_ext.runtime.core.card_data import has_card_number
from victor_ext.sandbox.flexfactor import FlexFactorSandbox

WRITTEN = (
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    " 4111\u20111111\u00a01111.1111\n",
    "5555555555554444",
    "378282246310005",
    "6011000990139424",
    "4222222222222",
    "6304000000000000000",
    "4111/1111/1111/1111",
    "4111_1111_1111_1111",
    "4111\u200b1111\u200b1111\u200b1111",
    "\uff14\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11",
    "\u0664111111111111111",
)
AMONG_WORDS = (
    "card 4111111111111111 exp 12/30",
    "4111 1111 1111 1111 12/30",
    ";4111111111111111=30121010000?",
    "4111111111111111|12|2030|123",
)
TOKENS = (
    "tok_4242", "tok_4111111111111111", "4111111111111112", "411111111111", "41111111111111111111",
    "56FE7D4C9A0B11EE8C990242AC120002", "41111111-1111-1111-8111-111111111111",
    "tok_0a6f9351-6bec-157e-7123-175000958949", "",
)  # fmt: skip
SHOWN = ("411111111111", "4111 1111", "4111-1111")


@pytest.mark.parametrize("token", [*TOKENS, None, True, b"4" * 16, [], 10**400])
def test_a_token_is_taken_for_no_card_number(token: object) -> None:
    assert not has_card_number(token)


@pytest.mark.parametrize("text", [*WRITTEN, *AMONG_WORDS])
def test_a_card_number_among_other_words_is_refused(text: str) -> None:
    assert has_card_number(text)
    assert refusal("evaluate", card=Card(token=text)).problems[0].code == "card_number"


@given(st.from_regex(r"\A[0-9]{12,18}\Z"))
def test_exactly_one_check_digit_of_ten_makes_a_number(digits: str) -> None:
    assert sum(has_card_number(f"{digits}{last}") for last in range(10)) == 1


@pytest.fixture(params=["evaluate", "transmit"])
def call(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def refusal(call: str, *, mode: str = "blocking", **changes: Any) -> InvalidRequest:
    """The error of a call. Fails if a request was sent."""
    script = Script(httpx.Response(500))
    settings = {
        "auth": FlexFactorToken("a-ready-token"),
        "mid": MID,
        "environment": "production",
        "retry": QUICK,
    }
    kind = Harness.kinds[MODES.index(mode)]
    with pytest.raises(InvalidRequest) as raised:
        run(
            kind,
            lambda it: getattr(it, call)(**declined(**changes)),
            **settings,
            transport=script.transport,
        )
    assert (script.requests, raised.value.outcome) == ([], Outcome.NOT_SENT)
    return raised.value


@pytest.mark.parametrize("number", [*WRITTEN[2:4], 4111111111111111])
def test_a_card_number_in_place_of_a_token_is_refused_and_not_shown(
    caplog: pytest.LogCaptureFixture, call: str, number: Any, mode: str
) -> None:
    caplog.set_level(logging.DEBUG)
    card = Card(token=number)
    error = refusal(call, mode=mode, card=card)
    assert ("card.token", "card_number") in [
        (problem.field, problem.code) for problem in error.problems
    ]
    assert "a card is named by its token alone" in str(error)
    secrets = (str(number), repr(number).strip("'"))
    assert_hidden(error, secrets=secrets)
    shown = (
        f"{error!r}{error}{vars(error)}{pickle.dumps(error)!r}"
        f"{card!r}{card}{caplog.text}{caplog.records}"
    )
    assert [secret for secret in secrets if secret in shown] == []
    assert "1111" not in shown


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"card": Card(token="tok_1", holder_name="4111 1111 1111 1111")}, "card.holder_name"),
        ({"card": Card(token="tok_1", bin="4111111111111111")}, "card.bin"),
        (
            {"extra_body": {"paymentMethod": {"pan": "4111-1111-1111-1111"}}},
            "extra_body.paymentMethod",
        ),
        (
            {"extra_body": {"PAYMENTMETHOD": {"deep": [{"pan": 4111111111111111}]}}},
            "extra_body.PAYMENTMETHOD",
        ),
        ({"extra_body": {"creditCard": {"number": "4111111111111111"}}}, "extra_body.creditCard"),
        ({"fields": {"cardNumber": "4111111111111111"}}, "fields.cardNumber"),
        (
            {"extra_body": {"payment_method": {"number": ("4111111111111111",)}}},
            "extra_body.payment_method",
        ),
        (
            {"extra_body": {"details": [{"card-data": {"n": "4111111111111111"}}]}},
            "extra_body.details.card-data",
        ),
        ({"extra_body": {"card": {"number": Decimal(4111111111111111)}}}, "extra_body.card"),
        ({"extra_body": {"device": {"4111111111111111": 1.0}}}, "extra_body.device"),
        ({"fields": {"4111 1111 1111 1111": 1}}, "fields"),
    ],
)
def test_in_another_member_about_the_card(call: str, changes: dict[str, Any], field: str) -> None:
    error = refusal(call, **changes)
    assert [(problem.field, problem.code) for problem in error.problems] == [(field, "card_number")]
    assert_hidden(error, secrets=SHOWN)


def test_in_place_of_a_whole_number_it_is_not_shown(call: str) -> None:
    assert "41111" not in str(
        refusal(call, card=Card(token="tok_1", expiration_year=4111111111111111))
    )


@pytest.mark.parametrize(
    "extras",
    [
        {"extra_body": {"paymentMethod": {"number": "4111111111111111"}}},
        {"extra_body": {"cardNumber": "4111-1111-1111-1111"}},
        {"extra_body": {"card": {"4111111111111111": 1.0}}},
        {"extra_query": {"cardNumber": ["4111 1111 1111 1111"]}},
    ],
)
def test_for_all_calls_of_a_client(extras: dict[str, Any]) -> None:
    client = FlexFactor(FlexFactorToken("a-ready-token"), mid=MID)
    with pytest.raises(ConfigurationError) as raised:
        client.with_options(**extras)
    assert [problem.code for problem in raised.value.problems] == ["card_number"]
    assert "1111" not in f"{raised.value!r}{raised.value}{pickle.dumps(raised.value)!r}"


def test_a_number_elsewhere_is_none_of_a_card(sandbox: FlexFactorSandbox) -> None:
    """An order may have a number whose last digit happens to be right: one in ten has."""
    app_token, mid = token_of(sandbox)
    with FlexFactor(FlexFactorToken(app_token), mid=mid, base_url=sandbox.url) as client:
        arguments = declined(order_id="4111111111111111", fields={"ticket": "4111111111111111"})
        assert client.evaluate(
            **arguments, extra_body={"device": {"imei": "490154203237518"}}
        ).approved


@pytest.mark.parametrize(
    "number",
    ["4111111111111111", "4111/1111/1111/1111", "378282-246310-005", "\u0664111111111111111"],
)
@pytest.mark.parametrize("path", ["evaluate", "transmit"])
def test_the_sandbox_refuses_one_of_any_client(
    sandbox: FlexFactorSandbox, path: str, number: str
) -> None:
    token, mid = token_of(sandbox)
    body = evaluation(mid, paymentMethod={"cardNumber": number})
    status, answer = post(f"{sandbox.url}/v1/{path}", body, token)
    assert (status, list(answer["errors"])) == (400, ["PaymentMethod.CardNumber"])
    assert number not in json.dumps(answer)
    assert sandbox.work_done_by_reference() == {}
    body["paymentMethod"] = {"cardNumber": "tok_4242"}
    assert post(f"{sandbox.url}/v1/{path}", body, token)[0] == 200
