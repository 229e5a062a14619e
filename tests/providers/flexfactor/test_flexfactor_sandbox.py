"""FlexFactor's sandbox, for whatever client: what it refuses, and what it replays."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from tests.cases import cases_beside
from tests.providers.running import GUID
from tests.sandbox.desks import FlexFactorDesk
from victor_ext.sandbox.flexfactor import RemoteFlexFactorSandbox

KEY = "0c5b2a57-8c3c-4b52-a6f1-3f2a0e7b9d11"
DAY = 86_400
EVALUATION = {
    "isDeclined": True,
    "orderId": "INV-1",
    "idempotencyKey": KEY,
    "transaction": {
        "id": "t", "timestampUtc": "2026-03-04T05:06:07Z", "amount": 4423, "currency": "USD",
    },
    "payer": {"email": "ada@example.com"},
    "paymentMethod": {"cardNumber": "tok_4242"},
}  # fmt: skip


@pytest.fixture
def desk(sandbox):
    """A merchant with a token."""
    with closing(FlexFactorDesk(sandbox)) as desk:
        yield desk


def evaluate(desk, **changes):
    return desk.send("evaluate", {"mid": desk.party, **EVALUATION, **changes})


def test_a_repeat_is_replayed_for_a_day_and_another_body_is_a_conflict(sandbox, desk):
    first = evaluate(desk)
    assert (first.status_code, evaluate(desk).json()) == (200, first.json())
    for key in (KEY, KEY.upper()):
        assert evaluate(desk, orderId="INV-2", idempotencyKey=key).status_code == 409
    sandbox.advance(DAY - 60)
    assert evaluate(desk).json() == first.json()
    sandbox.advance(61)
    assert evaluate(desk, orderId="INV-2").status_code == 200
    assert sandbox.work_done_by_reference() == {"INV-1": 1, "INV-2": 1}


WRONG = cases_beside(__file__)["wrong"]


@pytest.mark.parametrize(("changes", "field"), WRONG.values(), ids=WRONG)
def test_a_wrong_evaluation_is_refused_by_its_field(sandbox, desk, changes, field):
    refused = evaluate(desk, **changes)
    assert (refused.status_code, [*refused.json()["errors"]]) == (400, [field])
    # The id of a trace may have four equal digits by chance.
    assert "1111" not in str(refused.json()["errors"])
    assert sandbox.work_done_by_reference() == {}


def test_an_order_of_another_merchant_can_be_neither_read_nor_changed(sandbox, desk):
    """ "403 Forbidden | Access to the requested resource is denied." """
    desk.evaluate("CAPTUREREQUIRED")
    theirs, _, _ = sandbox.add_client(mid=GUID)
    desk.http.headers["authorization"] = f"Bearer {sandbox.add_token(theirs)}"
    answers = [
        evaluate(desk),
        desk.send("transmit", {**EVALUATION, "mid": desk.party, "isDeclined": False}),
        *(desk.capture(1, "USD"), desk.refund("1.00"), desk.cancel()),
        *(
            desk.http.get(f"/v1/orders{which}")
            for which in (f"/{desk.order}", f"?mid={desk.party}")
        ),
    ]
    assert [each.status_code for each in answers] == [403] * 7
    assert desk.http.post("/v1/orders/INV-1/external-cancel").status_code == 404
    assert desk.http.get("/v1/orders").json()["items"] == []
    assert sandbox.order_record("INV-1")["status"] == "Capturerequired"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_a_post_of_another_content_type_is_refused(sandbox, desk, kind):
    """ "You must include the following headers ... content-type | POST, PUT | application/json"."""
    desk.http.headers["content-type"] = kind
    refused = evaluate(desk)
    assert (refused.status_code, [*refused.json()["errors"]]) == (400, ["ContentType"])
    assert sandbox.work_done_by_reference() == {}


@pytest.mark.parametrize("path", ["/v1/orders/{}/cancel", "/v1/orders/INV-1/external-cancel"])
def test_a_cancellation_needs_no_body(sandbox, desk, path):
    order = sandbox.add_order("INV-1", status="CAPTUREREQUIRED")
    assert desk.http.post(path.format(order)).status_code == 200
    assert sandbox.order_record("INV-1")["status"] == "Cancelled"


def test_a_whitelisted_test_card_has_a_token(sandbox, desk):
    """ "Real financial data cannot be used in the Sandbox.

    Please use our whitelisted test credit cards."
    """
    with pytest.raises(ValueError, match="whitelisted test card"):
        sandbox.add_card("4929123456781234")
    for token in (
        sandbox.add_card("4111 1111 1111 1111"),
        RemoteFlexFactorSandbox(sandbox.url).add_card(),
    ):
        said = evaluate(desk, paymentMethod={"cardNumber": token}, idempotencyKey=GUID)
        assert said.json()["status"] == "APPROVED"
        sandbox.advance(DAY + 1)


def test_the_list_has_the_orders_of_its_window(sandbox, desk):
    half = timedelta(minutes=30)
    sandbox.add_order("A")
    sandbox.advance(3600)
    sandbox.add_order("B")
    now = datetime.fromtimestamp(sandbox.clock()["now"], UTC)
    sandbox.advance(3600)
    sandbox.add_order("C")
    window = {"from": f"{now - half:%FT%TZ}", "to": f"{now + half:%FT%TZ}"}
    listed = desk.http.get("/v1/orders", params=window).json()["items"]
    assert [order["externalOrderId"] for order in listed] == ["B"]


def test_a_list_window_with_a_moment_that_cannot_be_is_refused(desk):
    odd = desk.http.get("/v1/orders", params={"from": "2016-12-31T23:59:60Z"})
    assert (odd.status_code, [*odd.json()["errors"]]) == (400, ["Query"])


def test_a_refund_beyond_the_captured_amount_is_refused_after_a_settlement_too(sandbox, desk):
    for step in ("evaluate CAPTUREREQUIRED 4423", "capture 1000 USD", "refund 10.00"):
        desk.step(step)
    sandbox.settle("INV-1", "APPROVED")
    assert desk.is_refused(desk.refund("10.00"))
    assert desk.moved() == (1000, 1000)


def test_a_refusal_has_no_cookie(desk):
    assert "set-cookie" not in desk.http.get("/v1/orders/unknown").headers
    assert "set-cookie" in desk.http.get("/v1/orders").headers


def test_a_number_is_no_key(sandbox, desk):
    sandbox.add_client("123", "till-secret-not-real")
    for key, status in (("123", 200), (123, 401)):
        said = {"AppKey": key, "AppSecret": "till-secret-not-real"}
        assert desk.http.post("/v1/oauth2/token", json=said).status_code == status
