"""FlexFactor's sandbox, for whatever client: what it refuses, and what it replays."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx
import pytest

from tests.cases import cases_beside
from victor_ext.sandbox.flexfactor import FlexFactorSandbox, RemoteFlexFactorSandbox

KEY = "0c5b2a57-8c3c-4b52-a6f1-3f2a0e7b9d11"


class Merchant(NamedTuple):
    """Somebody with a token, and the merchant's GUID."""

    url: str
    token: str
    mid: str

    def send(self, method: str, path: str, **options) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return httpx.request(method, f"{self.url}/v1/{path}", headers=headers, **options)

    def get(self, path: str, **query: str) -> httpx.Response:
        return self.send("GET", path, params=query)

    def post(self, path: str, body=None, **headers: str) -> httpx.Response:
        return self.send("POST", path, json=body, headers=headers)

    def evaluate(self, **changes) -> httpx.Response:
        return self.post("evaluate", evaluation(self.mid, **changes))


def evaluation(mid: str, **changes) -> dict[str, Any]:
    at = "2026-03-04T05:06:07Z"
    return {
        "isDeclined": True,
        "mid": mid,
        "orderId": "INV-1",
        "idempotencyKey": KEY,
        "transaction": {"id": "t", "timestampUtc": at, "amount": 4423, "currency": "USD"},
        "payer": {"email": "ada@example.com"},
        "paymentMethod": {"cardNumber": "tok_4242"},
        **changes,
    }


def merchant_of(sandbox: FlexFactorSandbox, mid: str | None = None) -> Merchant:
    key, secret, mid = sandbox.add_client(mid=mid)
    sandbox.add_card(token="tok_4242")
    asked = {"AppKey": key, "AppSecret": secret}
    said = httpx.post(f"{sandbox.url}/v1/oauth2/token", json=asked).json()
    return Merchant(sandbox.url, said["accessToken"], mid)


@pytest.fixture
def ours(sandbox: FlexFactorSandbox) -> Merchant:
    return merchant_of(sandbox)


def test_a_repeat_is_replayed_for_a_day_and_another_body_is_a_conflict(sandbox, ours):
    first = ours.evaluate()
    assert (first.status_code, ours.evaluate().json()) == (200, first.json())
    for key in (KEY, KEY.upper()):
        assert ours.evaluate(orderId="INV-2", idempotencyKey=key).status_code == 409
    sandbox.advance(86_401)
    assert ours.evaluate(orderId="INV-2").status_code == 200
    assert sandbox.work_done_by_reference() == {"INV-1": 1, "INV-2": 1}


WRONG = cases_beside(__file__)["wrong"]


@pytest.mark.parametrize(("changes", "field"), WRONG.values(), ids=WRONG)
def test_a_wrong_evaluation_is_refused_by_its_field(sandbox, ours, changes, field):
    refused = ours.evaluate(**changes)
    assert (refused.status_code, [*refused.json()["errors"]]) == (400, [field])
    assert sandbox.work_done_by_reference() == {}


def test_what_is_another_merchants_is_forbidden(sandbox, ours):
    """ "403 Forbidden | Access to the requested resource is denied." """
    theirs = merchant_of(sandbox, str(uuid.uuid4()))
    sandbox.decide("CAPTUREREQUIRED")
    order = ours.evaluate().json()["orderId"]
    capture = {"idempotencyKey": KEY, "orderId": order, "amount": 1, "currency": "USD"}
    forbidden = [
        theirs.post(f"orders/{order}/refund", {"amountToRefund": 1.0}),
        theirs.post(f"orders/{order}/cancel"),
        theirs.post("capture", capture),
        theirs.post("evaluate", evaluation(ours.mid)),
        theirs.post("transmit", evaluation(ours.mid, isDeclined=False)),
        theirs.get(f"orders/{order}"),
        theirs.get("orders", mid=ours.mid),
    ]
    assert {each.status_code for each in forbidden} == {403}
    assert theirs.post("orders/INV-1/external-cancel").status_code == 404
    assert theirs.get("orders").json()["items"] == []
    assert sandbox.order_record("INV-1")["status"] == "Capturerequired"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_a_post_of_another_content_type_is_refused(sandbox, ours, kind):
    """ "You must include the following headers ... content-type | POST, PUT | application/json"."""
    assert ours.post("evaluate", evaluation(ours.mid), **{"Content-Type": kind}).is_error
    assert sandbox.work_done_by_reference() == {}


@pytest.mark.parametrize("path", ["orders/{}/cancel", "orders/INV-1/external-cancel"])
def test_a_cancellation_needs_no_body(sandbox, ours, path):
    order = sandbox.add_order("INV-1", status="CAPTUREREQUIRED")
    assert ours.post(path.format(order)).status_code == 200
    assert sandbox.order_record("INV-1")["status"] == "Cancelled"


def test_a_whitelisted_test_card_has_a_token(sandbox, ours):
    """ "Real financial data cannot be used in the Sandbox.

    Please use our whitelisted test credit cards."
    """
    with pytest.raises(ValueError, match="whitelisted test card"):
        sandbox.add_card("4929123456781234")
    remote = RemoteFlexFactorSandbox(sandbox.url)
    token, other = sandbox.add_card("4111 1111 1111 1111"), remote.add_card()
    assert token != other
    assert ours.evaluate(paymentMethod={"cardNumber": token}).json()["status"] == "APPROVED"


def test_the_list_has_the_orders_of_its_window(sandbox, ours):
    moments = []
    for name in ("A", "B", "C"):
        sandbox.add_order(name)
        moments.append(datetime.fromtimestamp(sandbox.clock()["now"], UTC))
        sandbox.advance(3600)
    half = timedelta(minutes=30)
    window = {"from": f"{moments[1] - half:%FT%TZ}", "to": f"{moments[1] + half:%FT%TZ}"}
    listed = ours.get("orders", **window).json()["items"]
    assert [order["externalOrderId"] for order in listed] == ["B"]
    odd = ours.get("orders", **{"from": "2016-12-31T23:59:60Z"})
    assert (odd.status_code, [*odd.json()["errors"]]) == (400, ["Query"])


def test_what_was_captured_stays_captured(sandbox, ours):
    order_id = sandbox.add_order("INV-1", cents=4423, status="CAPTUREREQUIRED")
    capture = {"orderId": order_id, "amount": 1000, "currency": "USD", "idempotencyKey": KEY}
    ours.post("capture", capture | {"mid": ours.mid})
    ours.post(f"orders/{order_id}/refund", {"amountToRefund": 10.0})
    sandbox.settle("INV-1", "APPROVED")
    again = ours.post(f"orders/{order_id}/refund", {"amountToRefund": 10.0})
    assert again.json()["success"] is False
    assert sandbox.order_record("INV-1")["captured"] == 1000


def test_a_refusal_has_no_cookie(ours):
    assert "set-cookie" not in ours.get("orders/unknown").headers
    assert "set-cookie" in ours.get("orders").headers


def test_a_number_is_no_key(sandbox, ours):
    sandbox.add_client("123", "till-secret-not-real")
    said = {"AppKey": 123, "AppSecret": "till-secret-not-real"}
    assert ours.post("oauth2/token", said).status_code == 401
