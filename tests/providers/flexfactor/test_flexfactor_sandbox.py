"""The sandbox itself: what it refuses, what it replays, and its commands from another process."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.cases import cases_beside
from victor_ext.providers import FlexFactor
from victor_ext.providers.flexfactor import FlexFactorAuth
from victor_ext.sandbox.flexfactor import FlexFactorSandbox, RemoteFlexFactorSandbox

KEY = "0c5b2a57-8c3c-4b52-a6f1-3f2a0e7b9d11"


def post(
    url: str, body: Any, token: str | None = None, kind: str = "application/json"
) -> tuple[int, Any]:
    """Send a request without this client (`body=None`: a GET). Returns the status and the JSON."""
    content = body if body is None or isinstance(body, bytes) else json.dumps(body)
    headers = {"Content-Type": kind, **({"Authorization": f"Bearer {token}"} if token else {})}
    answer = httpx.request("GET" if body is None else "POST", url, content=content, headers=headers)
    return answer.status_code, answer.json() if answer.content else None


def token_of(sandbox: FlexFactorSandbox, mid: str | None = None) -> tuple[str, str]:
    app_key, app_secret, mid = sandbox.add_client(mid=mid)
    sandbox.add_card(token="tok_4242")
    _, answer = post(f"{sandbox.url}/v1/oauth2/token", {"appKey": app_key, "appSecret": app_secret})
    assert answer["expires"] > 10**12
    return answer["accessToken"], mid


def evaluation(mid: str, **changes: Any) -> dict[str, Any]:
    return {
        "isDeclined": True,
        "mid": mid,
        "orderId": "INV-1",
        "idempotencyKey": KEY,
        "transaction": {
            "id": "t",
            "timestampUtc": "2026-03-04T05:06:07Z",
            "amount": 4423,
            "currency": "USD",
        },
        "payer": {"email": "ada@example.com"},
        "paymentMethod": {"cardNumber": "tok_4242"},
        **changes,
    }


def test_a_repeat_is_replayed_for_a_day_and_another_body_is_a_conflict(
    sandbox: FlexFactorSandbox,
) -> None:
    token, mid = token_of(sandbox)
    url = f"{sandbox.url}/v1/evaluate"
    first = post(url, evaluation(mid), token)
    assert first[0] == 200
    assert post(url, evaluation(mid), token) == first
    assert post(url, evaluation(mid, orderId="INV-2"), token)[0] == 409
    assert post(url, evaluation(mid, orderId="INV-2", idempotencyKey=KEY.upper()), token)[0] == 409
    sandbox.advance(86_401)
    assert post(url, evaluation(mid, orderId="INV-2"), token)[0] == 200
    assert sandbox.work_done_by_reference() == {"INV-1": 1, "INV-2": 1}


WRONG = cases_beside(__file__)["wrong"]


@pytest.mark.parametrize(("changes", "field"), WRONG.values(), ids=WRONG)
def test_a_wrong_evaluation_is_refused(
    sandbox: FlexFactorSandbox, changes: dict[str, Any], field: str
) -> None:
    token, mid = token_of(sandbox)
    status, answer = post(f"{sandbox.url}/v1/evaluate", evaluation(mid, **changes), token)
    assert (status, list(answer["errors"])) == (400, [field])
    assert sandbox.work_done_by_reference() == {}


def test_nobody_is_let_in_without_a_token(sandbox: FlexFactorSandbox) -> None:
    _, mid = token_of(sandbox)
    for token in (None, "made-up"):
        assert post(f"{sandbox.url}/v1/evaluate", evaluation(mid), token) == (401, None)
    assert post(f"{sandbox.url}/v1/oauth2/token", {"AppKey": "a", "AppSecret": "b"})[0] == 401
    assert post(f"{sandbox.url}/v1/oauth2/token", b"AppKey=a")[0] == 401


def test_what_is_another_merchants_is_forbidden(sandbox: FlexFactorSandbox) -> None:
    """ "403 Forbidden | Access to the requested resource is denied." """
    ours, mid = token_of(sandbox)
    theirs, their_mid = token_of(sandbox, str(uuid.uuid4()))
    sandbox.decide("CAPTUREREQUIRED")
    _, made = post(f"{sandbox.url}/v1/evaluate", evaluation(mid), ours)
    order = made["orderId"]
    capture = {"idempotencyKey": KEY, "orderId": order, "amount": 1, "currency": "USD"}
    for path, body in (
        (f"orders/{order}/refund", {"amountToRefund": 1.0}),
        (f"orders/{order}/cancel", {}),
        ("capture", capture),
        ("evaluate", evaluation(mid)),
        ("transmit", {**evaluation(mid), "isDeclined": False}),
        (f"orders/{order}", None),
        (f"orders?mid={mid}", None),
    ):
        status, answer = post(f"{sandbox.url}/v1/{path}", body, theirs)
        assert (path, status, answer["title"]) == (
            path,
            403,
            "Access to the requested resource is denied.",
        )
    assert post(f"{sandbox.url}/v1/orders/INV-1/external-cancel", {}, theirs)[0] == 404
    assert post(f"{sandbox.url}/v1/orders", None, theirs)[1]["items"] == []
    assert sandbox.order_record("INV-1") == {
        "id": order,
        "status": "Capturerequired",
        "captured": 0,
        "refunded": 0,
    }
    assert post(f"{sandbox.url}/v1/evaluate", evaluation(their_mid), theirs)[1]["orderId"] != order
    assert post(f"{sandbox.url}/v1/orders/INV-1/external-cancel", {}, ours)[0] == 200
    assert post(f"{sandbox.url}/v1/orders/{order}", None, ours)[1]["status"] == 2


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "text/json"]
)
def test_a_post_of_another_content_type_is_refused(sandbox: FlexFactorSandbox, kind: str) -> None:
    """ "You must include the following headers ... content-type | POST, PUT | application/json"."""
    token, mid = token_of(sandbox)
    app_key, app_secret, _ = sandbox.add_client()
    assert post(f"{sandbox.url}/v1/evaluate", evaluation(mid), token, kind)[0] == 400
    assert post(f"{sandbox.url}/v1/evaluate", evaluation(mid), "made-up", kind) == (401, None)
    assert (
        post(
            f"{sandbox.url}/v1/oauth2/token",
            {"AppKey": app_key, "AppSecret": app_secret},
            None,
            kind,
        )[0]
        == 400
    )
    assert sandbox.work_done_by_reference() == {}
    assert (
        post(
            f"{sandbox.url}/v1/evaluate", evaluation(mid), token, "Application/JSON; charset=utf-8"
        )[0]
        == 200
    )


@pytest.mark.parametrize("path", ["orders/{}/cancel", "orders/INV-1/external-cancel"])
def test_a_cancellation_needs_no_body(sandbox: FlexFactorSandbox, path: str) -> None:
    token, _ = token_of(sandbox)
    url = f"{sandbox.url}/v1/{path.format(sandbox.add_order('INV-1', status='CAPTUREREQUIRED'))}"
    assert post(url, b"", "made-up", "") == (401, None)
    assert post(url, b"", token, "") == (200, None)
    assert sandbox.order_record("INV-1")["status"] == "Cancelled"


def test_a_whitelisted_test_card_has_a_token(sandbox: FlexFactorSandbox) -> None:
    """ "Real financial data cannot be used in the Sandbox.

    Please use our whitelisted test credit cards."
    """
    with pytest.raises(ValueError, match="whitelisted test card"):
        sandbox.add_card("4929123456781234")
    token, mid = token_of(sandbox)
    cards = [
        sandbox.add_card("4111 1111 1111 1111"),
        RemoteFlexFactorSandbox(sandbox.url).add_card(),
    ]
    assert len(set(cards)) == 2
    body = evaluation(mid, paymentMethod={"cardNumber": cards[0]})
    assert post(f"{sandbox.url}/v1/evaluate", body, token)[1]["status"] == "APPROVED"


def test_commands_about_what_is_not_there_are_refused(sandbox: FlexFactorSandbox) -> None:
    for command in (
        lambda: sandbox.settle("INV-0", "APPROVED"),
        lambda: sandbox.order_record("INV-0"),
        lambda: sandbox.notification("INV-0", "order.completed", host="h"),
    ):
        with pytest.raises(LookupError):
            command()
    sandbox.add_order("INV-1")
    with pytest.raises(ValueError, match="status must be one of"):
        sandbox.settle("INV-1", "PAID")
    with pytest.raises(ValueError, match="GUID"):
        sandbox.add_client(mid="shop")


def test_the_list_has_the_orders_of_its_window(sandbox: FlexFactorSandbox) -> None:
    app_key, app_secret, mid = sandbox.add_client()
    moments = []
    for name in ("A", "B", "C"):
        sandbox.add_order(name)
        moments.append(datetime.fromtimestamp(sandbox.clock()["now"], UTC))
        sandbox.advance(3600)
    half = timedelta(minutes=30)
    with FlexFactor(FlexFactorAuth(app_key, app_secret), mid=mid, base_url=sandbox.url) as client:

        def listed(**window: datetime) -> list[str | None]:
            return [order.external_order_id for order in client.orders.list(**window)]

        assert listed(start=moments[1] - half) == ["B", "C"]
        assert listed(end=moments[1] + half) == ["A", "B"]
        assert listed(start=moments[1] - half, end=moments[1] + half) == ["B"]


def test_the_commands_over_http(sandbox: FlexFactorSandbox) -> None:
    remote = RemoteFlexFactorSandbox(sandbox.url)
    credentials = remote.add_client("k", "s", str(uuid.uuid4()))
    assert credentials[:2] == ("k", "s")
    order_id = remote.add_order("INV-1", cents=100, status="CAPTUREREQUIRED")
    assert remote.order_record("INV-1") == {
        "id": order_id, "status": "Capturerequired", "captured": 0, "refunded": 0,
    }  # fmt: skip
    remote.decide("DECLINED", "INV-2")
    assert remote.tokens_issued() == {}
    assert remote.revoke_tokens() == 0
    headers, body = remote.notification(
        "INV-1", "order.capturerequired", host="h.example", resent=True
    )
    assert json.loads(body)["IsResent"] is True
    assert headers["Host"] == "h.example"
    assert remote.subscriber_key() == sandbox.subscriber_key()
    remote.reset()
    assert sandbox.received() == []
