"""The sandbox holds what is documented of the gateway, on the wire, for whatever client."""

from contextlib import closing

import pytest

from tests.sandbox.desks import EastPayDesk


@pytest.fixture
def desk(sandbox):
    with closing(EastPayDesk(sandbox)) as desk:
        yield desk


@pytest.mark.parametrize(
    ("method", "path", "authorization", "status", "code"),
    [
        *(("POST", "payments", each, 401, "100.400.401") for each in ("", "Basic abc")),
        ("POST", "payments", "Bearer wrong", 403, "100.400.403"),
        ("POST", "payments", None, 400, "100.100.400"),
        ("GET", "payments/8ac7", None, 400, "100.100.400"),
        ("GET", "payments/8ac7?entityId=EB000001", None, 404, "100.300.404"),
        ("DELETE", "payments", None, 405, "100.100.405"),
        ("GET", "query", None, 503, "100.200.503"),
    ],
)
def test_the_codes_of_errors_have_the_form_of_the_page(
    sandbox, desk, method, path, authorization, status, code
):
    """ "A result code has the format ddd.ddd.ddd, i.e. 3 groups of 3-digit numbers." """
    sandbox.inject("status", operation="find", status=503)
    if authorization is not None:
        desk.http.headers["authorization"] = authorization
    answer = desk.http.request(method, f"/eastpay/v3/{path}")
    assert (answer.status_code, answer.json()["result"]["code"]) == (status, code)
    assert sandbox.payment_ids() == []


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("amount", ("92", "92,00", "-1.00", "12345678901.00", "")),
        ("currency", ("egp", "")),
        ("paymentType", ("CP", "")),
        ("entityId", ("EB1", "EB999999", "")),
        ("entityType", ("merchant", "")),
        ("card.number", ("4111",)),
        ("notificationUrl", ("x" * 2049,)),
    ],
)
def test_a_parameter_that_is_none_is_refused_by_its_name(sandbox, desk, field, values):
    form = {"entityId": desk.party, "entityType": "MERCHANT", "paymentType": "DB"}
    form |= {"amount": "92.00", "currency": "EGP"}
    for value in values:
        sent = {name: each for name, each in {**form, field: value}.items() if each}
        answer = desk.http.post("/eastpay/v3/payments", data=sent)
        named = [error["name"] for error in answer.json()["result"]["parameterErrors"]]
        assert (answer.status_code, field in named) == (400, True), value
    assert sandbox.payment_ids() == []


def test_nobody_sees_the_payments_of_others(sandbox, desk):
    paid = desk.pay().json()["id"]
    with closing(EastPayDesk(sandbox)) as other:
        for entity, status in ((other.party, 404), (desk.party, 400)):
            where = {"entityId": entity}
            seen = other.http.get(f"/eastpay/v3/payments/{paid}", params=where)
            assert seen.status_code == status


def test_what_is_kept_of_a_card_has_no_number_and_no_code(sandbox, desk):
    card = {"card.number": "4929123456781234", "card.cvv": "7391"}
    paid = desk.pay(**card, **{"card.expiryMonth": "07", "card.expiryYear": "2031"})
    assert paid.status_code == 200
    seen = [paid.text, repr(sandbox.received()), sandbox.notification(paid.json()["id"]).decode()]
    assert not any(secret in text for text in seen for secret in card.values())
