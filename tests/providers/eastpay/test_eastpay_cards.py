"""Cards: what is refused, and that nothing shows more of one than its last four digits."""

from __future__ import annotations

import copy
import logging
import pickle
import re
import traceback
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from tests.frames import OURS
from tests.providers.eastpay.harness import PRICE, Harness
from victor_ext import BadRequest, InvalidRequest, VictorError
from victor_ext.providers.eastpay import Card, CardToken, EastPay

NUMBER, CVV, TOKEN = "4929123456781234", "7391", "stored-card-5d1e77aa"
BEARER = "token-of-the-merchant-0c1f7e55aa31"
SEEN = (NUMBER, NUMBER[:8], TOKEN, BEARER)
ALONE = re.compile(rf"(?<![0-9a-f]){CVV}(?![0-9a-f])")
"""The CVV, and not four digits within a port or an address of the memory."""


def card(**changes: Any) -> Card:
    given: dict[str, Any] = {"number": NUMBER, "expiry_month": 7, "expiry_year": 2031, "cvv": CVV, "holder": "Zoë"}
    return Card(**{**given, **changes})


def everything_of(error: BaseException | None) -> Iterator[str]:
    """Wherever an error, and those that led to it, may be looked at."""
    while error is not None:
        yield from (str(error), repr(error), repr(error.args), repr(vars(error)))
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        for frame in shown.stack:
            if frame.filename.startswith(OURS):
                yield repr(frame.locals)
        if isinstance(error, VictorError):
            yield pickle.dumps(error).decode("latin-1")
            yield repr(getattr(error.request, "content", b""))
            yield repr(error.request and error.request.headers)
        error = error.__cause__ or error.__context__


def check(texts: Iterator[str] | list[str]) -> None:
    for text in texts:
        assert [each for each in SEEN if each in text] == [], text[:2000]
        assert ALONE.search(text) is None, text[:2000]


def test_a_card_shows_its_last_four_digits() -> None:
    kept = card(number="4929 1234-5678 1234")
    assert (repr(kept), str(kept), kept.last_four) == ("Card('************1234', 07/2031)",) * 2 + ("1234",)
    check([f"{kept}", repr([kept]), repr(vars(type(kept))), repr(CardToken(TOKEN)), repr(kept.fields())])
    assert kept.fields()["card_number"] == NUMBER
    assert kept.fields()["card_cvv"] == CVV


@pytest.mark.parametrize("kept", [card(), CardToken(TOKEN)], ids=["card", "token"])
def test_a_card_is_copied_and_not_pickled(kept: Any) -> None:
    assert copy.copy(kept) is copy.deepcopy(kept) is kept
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="holds card data and is not pickled"):
            pickle.dumps(kept, protocol)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"number": "4929"}, ["card.number"]),
        ({"number": NUMBER + "x"}, ["card.number"]),
        ({"number": NUMBER * 2}, ["card.number"]),
        ({"number": int(NUMBER)}, ["card.number"]),
        ({"number": None}, ["card.number"]),
        ({"cvv": "73"}, ["card.cvv"]),
        ({"cvv": "73912"}, ["card.cvv"]),
        ({"cvv": 7391}, ["card.cvv"]),
        ({"expiry_month": 13}, ["card.expiryMonth"]),
        ({"expiry_month": "0"}, ["card.expiryMonth"]),
        ({"expiry_month": True}, ["card.expiryMonth"]),
        ({"expiry_year": 31}, ["card.expiryYear"]),
        ({"expiry_year": "2131"}, ["card.expiryYear"]),
        ({"holder": ""}, ["card.holder"]),
        ({"holder": "x" * 129}, ["card.holder"]),
        ({"holder": "a\nb"}, ["card.holder"]),
        ({"number": "x" + NUMBER, "cvv": CVV + "1", "expiry_month": 0, "expiry_year": 0, "holder": 1}, None),
    ],
)
def test_what_is_no_card(changes: dict[str, Any], fields: list[str] | None) -> None:
    with pytest.raises(InvalidRequest) as raised:
        card(**changes)
    every = ["card.number", "card.cvv", "card.expiryMonth", "card.expiryYear", "card.holder"]
    assert [problem.field for problem in raised.value.problems] == (fields or every)
    check(everything_of(raised.value))


@pytest.mark.parametrize("token", ["", "x" * 65, "a\n", None, 7])
def test_what_is_no_token_of_a_card(token: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"card\.token must be text of 1 to 64 characters"):
        CardToken(token)


@pytest.mark.parametrize("kept", [card(), CardToken(TOKEN)], ids=["card", "token"])
@pytest.mark.parametrize(
    "kind", ["lose_answer", "cut_request", "cut_answer", "refuse", "status", "html", "truncated_json"]
)
def test_no_failure_shows_a_card(harness: Harness, kept: Any, kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    harness.sandbox.add_merchant("EB000009", BEARER)
    harness.settings.update(token=BEARER, entity_id="EB000009")
    options = {"after": 10} if kind.startswith("cut") else {"status": 503} if kind == "status" else {}
    harness.sandbox.inject(kind, operation="pay", times=None, **options)
    with pytest.raises(VictorError) as raised:
        harness(lambda eastpay: eastpay.payments.debit(PRICE, card=kept, merchant_transaction_id="INV-1"))
    check(everything_of(raised.value))
    check([record.getMessage() + repr(record.args) for record in caplog.records])


def test_a_refusal_here_shows_no_card(harness: Harness) -> None:
    with pytest.raises(InvalidRequest) as raised:
        harness(lambda eastpay: eastpay.payments.debit(92.0, card=card(), merchant_transaction_id=""))
    check(everything_of(raised.value))


@pytest.mark.parametrize("bare", [NUMBER, int(NUMBER), {"number": NUMBER}, [NUMBER]])
@pytest.mark.parametrize("kind", ["debit", "preauthorise"])
def test_nor_a_number_that_was_passed_for_one(harness: Harness, bare: Any, kind: str) -> None:
    with pytest.raises(InvalidRequest, match="card must be Card") as raised:
        harness(lambda eastpay: getattr(eastpay.payments, kind)(PRICE, card=bare, merchant_transaction_id="INV-1"))
    check(everything_of(raised.value))


ECHOES: dict[str, tuple[int, Any]] = {
    "a parameter error": (
        400,
        {
            "result": {
                "parameterErrors": [{"name": "card.cvv", "value": CVV, "message": f"{CVV} and {NUMBER} are wrong"}]
            }
        },
    ),
    "a description": (400, {"result": {"code": "100.300.001", "description": f"no {CVV}, no {TOKEN} for {NUMBER}"}}),
    "a code": (400, {"result": {"code": NUMBER}}),
    "a page": (403, f"<p>{CVV} {NUMBER} {TOKEN}</p>"),
    "a page of a proxy": (502, f"cannot pass on card.cvv={CVV}"),
}


def scripted() -> EastPay:
    """A client whose one response `httpx_mock` has."""
    transport = httpx.HTTPTransport(verify=False)
    return EastPay(BEARER, base_url="https://bank.example/pay", entity_id="EB000001", transport=transport)


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("kept", [card(), CardToken(TOKEN)], ids=["card", "token"])
def test_a_gateway_that_repeats_the_card_is_not_quoted(httpx_mock: HTTPXMock, kept: Any, echo: str) -> None:
    status, body = ECHOES[echo]
    httpx_mock.add_response(status, **{"text" if isinstance(body, str) else "json": body})
    with scripted() as eastpay:
        try:
            paid = eastpay.payments.debit(PRICE, card=kept, merchant_transaction_id="INV-1")
            shown = [repr(paid), str(paid.result), repr(paid.result), paid.result.meaning]
        except VictorError as error:
            shown = [str(error), repr(error), repr(error.problems)]
    secret = [NUMBER, CVV] if isinstance(kept, Card) else [TOKEN]
    for text in shown:
        assert not any(each in text for each in secret), text


def test_what_is_wrong_is_still_said(httpx_mock: HTTPXMock) -> None:
    wrong = {"name": "card.number", "message": f"{NUMBER} fails its check"}
    httpx_mock.add_response(400, json={"result": {"parameterErrors": [wrong]}})
    with scripted() as eastpay, pytest.raises(BadRequest, match=r"card\.number: \[hidden\] fails its check"):
        eastpay.payments.debit(PRICE, card=card(), merchant_transaction_id="INV-1")


@pytest.mark.parametrize("status", [400, 403, 500])
def test_what_was_said_of_the_shopper_is_not_repeated(httpx_mock: HTTPXMock, status: int) -> None:
    said = {"customer.givenName": "Perpetua", "customer.phone": "+20 2 1234"}

    def answer(request: httpx.Request) -> httpx.Response:
        words = f"no {' '.join(said.values())} for Zoë"
        return httpx.Response(
            status, json={"result": {"code": "100.300.001", "description": words}, "form": str(request.content)}
        )

    httpx_mock.add_callback(answer)
    with scripted() as eastpay, pytest.raises(VictorError) as raised:
        eastpay.payments.debit(PRICE, card=card(), merchant_transaction_id="INV-1", parameters=said)
    for text in (str(raised.value), repr(raised.value.problems)):
        assert not any(each in text for each in (*said.values(), "Zoë")), text
    assert "no [hidden] [hidden] for [hidden]" in str(raised.value)


def test_a_code_stays_whole_though_a_group_of_it_is_the_cvv(httpx_mock: HTTPXMock) -> None:
    wrong = {"name": "amount", "message": "is odd"}
    httpx_mock.add_response(400, json={"result": {"code": "100.100.101", "parameterErrors": [wrong]}})
    with scripted() as eastpay, pytest.raises(BadRequest) as raised:
        eastpay.payments.debit(PRICE, card=card(cvv="100"), merchant_transaction_id="INV-1")
    assert raised.value.problems[0].code == "100.100.101"
