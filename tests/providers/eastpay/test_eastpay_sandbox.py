"""The sandbox holds what is documented of the gateway, on the wire, for whatever client."""

import httpx
import pytest

from victor_ext.sandbox.eastpay import (
    EastPaySandbox,
    Merchant,
)

FORM = {"entityType": "MERCHANT", "amount": "92.00", "currency": "EGP", "paymentType": "DB"}


@pytest.fixture
def merchant(sandbox: EastPaySandbox) -> Merchant:
    return sandbox.add_merchant()


def post(
    sandbox: EastPaySandbox, merchant: Merchant, path: str = "payments", **fields: str
) -> httpx.Response:
    form = {"entityId": merchant.entity_id, **FORM, **fields}
    headers = {"Authorization": f"Bearer {merchant.token}"}
    sent = {name: value for name, value in form.items() if value}
    return httpx.post(f"{sandbox.url}/eastpay/v3/{path}", data=sent, headers=headers)


@pytest.mark.parametrize(
    ("call", "authorization", "status", "code"),
    [
        *((("POST", "payments"), each, 401, "100.400.401") for each in ("", "Basic abc")),
        (("POST", "payments"), "Bearer wrong", 403, "100.400.403"),
        (("POST", "payments"), None, 400, "100.100.400"),
        (("GET", "payments/8ac7"), None, 400, "100.100.400"),
        (("GET", "payments/8ac7?entityId=EB000001"), None, 404, "100.300.404"),
        (("DELETE", "payments"), None, 405, "100.100.405"),
        (("GET", "query"), None, 503, "100.200.503"),
    ],
)
def test_the_codes_of_errors_have_the_form_of_the_page(
    sandbox, merchant, call, authorization, status, code
):
    """ "A result code has the format ddd.ddd.ddd, i.e. 3 groups of 3-digit numbers." """
    (method, path), bearer = call, f"Bearer {merchant.token}"
    sandbox.inject("status", operation="find", status=503)
    headers = {"Authorization": bearer if authorization is None else authorization}
    body = FORM if method == "POST" else None
    answer = httpx.request(method, f"{sandbox.url}/eastpay/v3/{path}", headers=headers, data=body)
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
def test_parameters_that_are_refused(sandbox, merchant, field, values):
    for value in values:
        answer = post(sandbox, merchant, **{field: value})
        named = [error["name"] for error in answer.json()["result"]["parameterErrors"]]
        assert (answer.status_code, field in named) == (400, True), value
    assert sandbox.payment_ids() == []


def test_nobody_sees_the_payments_of_others(sandbox, merchant):
    paid = post(sandbox, merchant).json()["id"]
    other = sandbox.add_merchant()
    headers = {"Authorization": f"Bearer {other.token}"}
    url = f"{sandbox.url}/eastpay/v3/payments/{paid}"
    assert httpx.get(url, params={"entityId": other.entity_id}, headers=headers).status_code == 404
    assert (
        httpx.get(url, params={"entityId": merchant.entity_id}, headers=headers).status_code == 400
    )


def test_what_is_kept_of_a_card(sandbox, merchant):
    card = {
        "card.number": "4929123456781234",
        "card.expiryMonth": "07",
        "card.expiryYear": "2031",
        "card.cvv": "7391",
    }
    paid = post(sandbox, merchant, **card)
    assert paid.status_code == 200
    seen = [paid.text, repr(sandbox.received()), sandbox.notification(paid.json()["id"]).decode()]
    assert not any("4929123456781234" in text or "7391" in text for text in seen)
