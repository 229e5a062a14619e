"""FlexFactor's sandbox, for whatever client: what it refuses, and what it replays."""

import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.cases import cases_beside
from tests.sandbox.desks import FlexFactorDesk
from victor_ext.sandbox.flexfactor import RemoteFlexFactorSandbox

KEY = "0c5b2a57-8c3c-4b52-a6f1-3f2a0e7b9d11"


@pytest.fixture
def desk(sandbox):
    with closing(FlexFactorDesk(sandbox)) as desk:
        yield desk


def evaluation(desk: FlexFactorDesk, **changes):
    at = "2026-03-04T05:06:07Z"
    return {
        "isDeclined": True,
        "mid": desk.party,
        "orderId": "INV-1",
        "idempotencyKey": KEY,
        "transaction": {"id": "t", "timestampUtc": at, "amount": 4423, "currency": "USD"},
        "payer": {"email": "ada@example.com"},
        "paymentMethod": desk.card,
        **changes,
    }


def evaluated(desk: FlexFactorDesk, **changes) -> httpx.Response:
    return desk.send("evaluate", evaluation(desk, **changes))


def test_a_repeat_is_replayed_for_a_day_and_another_body_is_a_conflict(sandbox, desk):
    first = evaluated(desk)
    assert (first.status_code, evaluated(desk).json()) == (200, first.json())
    for key in (KEY, KEY.upper()):
        assert evaluated(desk, orderId="INV-2", idempotencyKey=key).status_code == 409
    sandbox.advance(86_401)
    assert evaluated(desk, orderId="INV-2").status_code == 200
    assert sandbox.work_done_by_reference() == {"INV-1": 1, "INV-2": 1}


WRONG = cases_beside(__file__)["wrong"]


@pytest.mark.parametrize(("changes", "field"), WRONG.values(), ids=WRONG)
def test_a_wrong_evaluation_is_refused_by_its_field(sandbox, desk, changes, field):
    refused = evaluated(desk, **changes)
    assert (refused.status_code, [*refused.json()["errors"]]) == (400, [field])
    assert sandbox.work_done_by_reference() == {}


def test_what_is_another_merchants_is_forbidden(sandbox, desk):
    """ "403 Forbidden | Access to the requested resource is denied." """
    order = desk.evaluate("CAPTUREREQUIRED").json()["orderId"]
    key, secret, _ = sandbox.add_client(mid=str(uuid.uuid4()))
    pair = {"appKey": key, "appSecret": secret}
    theirs = desk.http.post("/v1/oauth2/token", json=pair).json()["accessToken"]
    desk.http.headers["authorization"] = f"Bearer {theirs}"
    forbidden = [
        desk.refund(1.0),
        desk.cancel(),
        desk.capture(1, "USD"),
        evaluated(desk),
        desk.send("transmit", evaluation(desk, isDeclined=False)),
        desk.http.get(f"/v1/orders/{order}"),
        desk.http.get("/v1/orders", params={"mid": desk.party}),
    ]
    assert {each.status_code for each in forbidden} == {403}
    assert desk.http.post("/v1/orders/INV-1/external-cancel").status_code == 404
    assert desk.http.get("/v1/orders").json()["items"] == []
    assert sandbox.order_record("INV-1")["status"] == "Capturerequired"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_a_post_of_another_content_type_is_refused(sandbox, desk, kind):
    """ "You must include the following headers ... content-type | POST, PUT | application/json"."""
    desk.http.headers["content-type"] = kind
    assert evaluated(desk).is_error
    assert sandbox.work_done_by_reference() == {}


@pytest.mark.parametrize("path", ["orders/{}/cancel", "orders/INV-1/external-cancel"])
def test_a_cancellation_needs_no_body(sandbox, desk, path):
    order = sandbox.add_order("INV-1", status="CAPTUREREQUIRED")
    assert desk.http.post(f"/v1/{path.format(order)}").status_code == 200
    assert sandbox.order_record("INV-1")["status"] == "Cancelled"


def test_a_whitelisted_test_card_has_a_token(sandbox, desk):
    """ "Real financial data cannot be used in the Sandbox.

    Please use our whitelisted test credit cards."
    """
    with pytest.raises(ValueError, match="whitelisted test card"):
        sandbox.add_card("4929123456781234")
    remote = RemoteFlexFactorSandbox(sandbox.url)
    token, other = sandbox.add_card("4111 1111 1111 1111"), remote.add_card()
    assert token != other
    assert evaluated(desk, paymentMethod={"cardNumber": token}).json()["status"] == "APPROVED"


def test_the_list_has_the_orders_of_its_window(sandbox, desk):
    moments = []
    for name in ("A", "B", "C"):
        sandbox.add_order(name)
        moments.append(datetime.fromtimestamp(sandbox.clock()["now"], UTC))
        sandbox.advance(3600)
    half = timedelta(minutes=30)
    window = {"from": f"{moments[1] - half:%FT%TZ}", "to": f"{moments[1] + half:%FT%TZ}"}
    listed = desk.http.get("/v1/orders", params=window).json()["items"]
    assert [order["externalOrderId"] for order in listed] == ["B"]
    odd = desk.http.get("/v1/orders", params={"from": "2016-12-31T23:59:60Z"})
    assert (odd.status_code, [*odd.json()["errors"]]) == (400, ["Query"])


def test_what_was_captured_stays_captured(sandbox, desk):
    desk.evaluate("CAPTUREREQUIRED", "4423")
    desk.capture("1000", "USD")
    desk.refund("10.0")
    sandbox.settle("INV-1", "APPROVED")
    assert desk.refund("10.0").json()["success"] is False
    assert sandbox.order_record("INV-1")["captured"] == 1000


def test_a_refusal_has_no_cookie(desk):
    assert "set-cookie" not in desk.http.get("/v1/orders/unknown").headers
    assert "set-cookie" in desk.http.get("/v1/orders").headers


def test_a_number_is_no_key(sandbox, desk):
    sandbox.add_client("123", "till-secret-not-real")
    pair = {"AppKey": 123, "AppSecret": "till-secret-not-real"}
    assert desk.http.post("/v1/oauth2/token", json=pair).status_code == 401
