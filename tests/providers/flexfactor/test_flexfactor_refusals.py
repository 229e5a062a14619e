"""What FlexFactor's sandbox refuses, and what it does not look at."""

import uuid

import httpx
import pytest

from victor_ext.sandbox.flexfactor import FlexFactorSandbox


@pytest.fixture
def asked():
    with FlexFactorSandbox() as sandbox:
        key, secret, mid = sandbox.add_client()
        with httpx.Client(base_url=sandbox.url) as http:
            said = http.post("/v1/oauth2/token", json={"AppKey": key, "AppSecret": secret})
            http.headers["Authorization"] = f"Bearer {said.json()['accessToken']}"
            yield sandbox, http, mid


def test_each_rule_that_is_broken_is_named(asked):
    _, http, mid = asked
    body = {"idempotencyKey": "x", "orderId": str(uuid.uuid4()), "amount": 0, "currency": "USD"}
    refused = http.post("/v1/capture", json=body | {"mid": mid})
    assert refused.status_code == 400
    assert {*refused.json()["errors"]} == {"IdempotencyKey", "Amount"}


def test_only_what_the_document_declares_names_a_merchant(asked):
    sandbox, http, _ = asked
    order_id = sandbox.add_order("INV-1", status="CAPTUREREQUIRED")
    assert http.post(f"/v1/orders/{order_id}/cancel", params={"mid": "other"}).status_code == 200
    assert http.get("/v1/orders", params={"mid": str(uuid.uuid4())}).status_code == 403
    assert http.request("GET", "/v1/orders", content=b"null").status_code == 200


def test_a_moment_is_refused_also_without_orders(asked):
    _, http, _ = asked
    refused = http.get("/v1/orders", params={"from": "2016-12-31T23:59:60Z"})
    assert (refused.status_code, [*refused.json()["errors"]]) == (400, ["Query"])


def test_a_refusal_has_no_cookie(asked):
    _, http, _ = asked
    assert "set-cookie" not in http.get("/v1/orders/unknown").headers
    assert "set-cookie" in http.get("/v1/orders").headers


def test_a_number_is_no_key(asked):
    sandbox, http, _ = asked
    sandbox.add_client("123", "till-secret-not-real")
    said = {"AppKey": 123, "AppSecret": "till-secret-not-real"}
    assert http.post("/v1/oauth2/token", json=said).status_code == 401


def test_what_was_captured_stays_captured(asked):
    sandbox, http, mid = asked
    order_id = sandbox.add_order("INV-1", cents=4423, status="CAPTUREREQUIRED")
    capture = {"orderId": order_id, "amount": 1000, "currency": "USD", "mid": mid}
    http.post("/v1/capture", json=capture | {"idempotencyKey": str(uuid.uuid4())})
    http.post(f"/v1/orders/{order_id}/refund", json={"amountToRefund": 10.0})
    sandbox.settle("INV-1", "APPROVED")
    again = http.post(f"/v1/orders/{order_id}/refund", json={"amountToRefund": 10.0})
    assert again.json()["success"] is False
    assert sandbox.order_record("INV-1")["captured"] == 1000
