"""The sandbox holds what is documented of the gateway, on the wire, for whatever client."""

from contextlib import closing

import pytest

from tests.sandbox.desks import EastPayDesk


@pytest.fixture
def desk(sandbox):
    """A merchant with a token."""
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
        ("GET", "checkouts/8ac7/payment", None, 503, "100.200.503"),
    ],
)
def test_the_codes_of_errors_have_the_form_of_the_page(
    sandbox, desk, method, path, authorization, status, code
):
    """ "A result code has the format ddd.ddd.ddd, i.e. 3 groups of 3-digit numbers." """
    sandbox.inject("status", operation="checkout_status", status=503)
    headers = {} if authorization is None else {"authorization": authorization}
    answer = desk.http.request(method, f"/eastpay/v3/{path}", headers=headers)
    assert (answer.status_code, answer.json()["result"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("amount", ("92", "92,00", "-1.00", "12345678901.00", "")),
        ("currency", ("egp", "")),
        ("entityId", ("EB1", "EB999999", "")),
        ("entityType", ("merchant", "")),
        ("paymentType", ("CP", "")),
        ("card.number", ("4111",)),
        ("notificationUrl", ("x" * 2049,)),
    ],
)
def test_a_parameter_with_a_wrong_value_is_refused_by_its_name(sandbox, desk, field, values):
    for value in values:
        answer = desk.send("DB", **{field: value})
        named = [error["name"] for error in answer.json()["result"]["parameterErrors"]]
        assert (answer.status_code, field in named) == (400, True), value
    assert sandbox.payment_ids() == []


@pytest.mark.parametrize(
    ("code", "status", "charged"),
    [
        *(("100.400.152", 400, 0), ("100.400.329", 400, 0), ("800.100.157", 400, 0)),
        *(("800.400.499", 400, 0), ("800.400.600", 400, 0), ("800.500.100", 400, 0)),
        *(("100.100.100", 400, 1), ("100.300.100", 400, 1), ("100.400.500", 400, 1)),
        *(("800.000.100", 400, 1), ("800.200.100", 400, 1), ("800.400.501", 400, 1)),
        *(("100.200.100", 200, 1), ("000.400.000", 200, 1), ("000.000.000", 200, 1)),
    ],
)
def test_only_with_a_code_that_the_page_calls_a_decline_was_surely_nothing_charged(
    desk, code, status, charged
):
    assert desk.pay("DB", "92.00", "EGP", "", code).status_code == status
    assert desk.total() == charged


def test_a_merchant_cannot_see_the_payments_of_another_merchant(sandbox, desk):
    desk.pay()
    own = desk.party
    desk.party, token = sandbox.add_merchant()
    desk.http.headers["authorization"] = f"Bearer {token}"
    assert desk.inquiry()["result"]["code"] == "100.300.404"
    desk.party = own
    assert desk.inquiry()["result"]["code"] == "100.100.400"


def test_of_a_card_neither_the_number_nor_the_code_is_kept(sandbox, desk):
    card = {"card.number": "4929123456781234", "card.cvv": "7391"}
    paid = desk.pay("DB", "92.00", "EGP", "2031-7", **card)
    assert paid.status_code == 200
    entry = sandbox._running().provider.state.entries[desk.payment]
    assert entry.form["amount"] == "92.00"
    shown = f"{entry!r} {paid.text} {sandbox.received()!r} {sandbox.notification(desk.payment)!r}"
    assert not any(text in shown for text in card.values())
