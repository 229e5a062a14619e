"""The sandbox for itself: it takes what Velo takes, and refuses the rest in Velo's shape."""

import base64

import httpx
import pytest

from tests.cases import cases_beside
from victor_ext.sandbox.velo import VeloSandbox, VeloSettings

AUTHENTICATE = "/v1/authenticate?grant_type=client_credentials"
PAYMENT = {
    "remoteId": "a",
    "sourceAccountName": "b",
    "currency": "USD",
    "amount": 1,
    "payorPaymentId": "INV-1",
}


@pytest.fixture
def http(sandbox: VeloSandbox):
    with httpx.Client(base_url=sandbox.url) as client:
        yield client


def basic(key: str, secret: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()}


@pytest.fixture
def signed(http: httpx.Client, sandbox: VeloSandbox) -> httpx.Client:
    http.headers["authorization"] = f"Bearer {token(http, sandbox)}"
    return http


def token(http: httpx.Client, sandbox: VeloSandbox) -> str:
    return str(http.post(AUTHENTICATE, headers=basic(*sandbox.add_key())).json()["access_token"])


def refused(answer: httpx.Response, status: int) -> str:
    """The message of an error in Velo's shape."""
    body = answer.json()
    assert (answer.status_code, body["httpStatusCode"]) == (status, status)
    assert body["correlationId"]
    assert body["errors"][0]["errorCode"].isdigit()
    return str(body["errors"][0]["errorMessage"])


def test_a_token_is_issued_to_a_key_and_not_cached(http, sandbox):
    answer = http.post(AUTHENTICATE, headers=basic(*sandbox.add_key("k", "s")))
    assert '"token_type":"bearer","expires_in":1799,' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert sandbox.tokens_issued() == {"k": 1}


@pytest.mark.parametrize("header", [None, "", "Basic {}", "Token {}", "Bearer made-up"])
def test_a_token_without_bearer_is_refused(http, sandbox, header):
    """ "If ... the Authorization header is missing or invalid then you will get a 401 HTTP status
    response."
    """
    good, params = token(http, sandbox), {"payorId": sandbox.payor_id}
    sent = {} if header is None else {"authorization": header.format(good)}
    refused(http.get("/v4/payees", params=params, headers=sent), 401)


def test_how_a_token_is_not_asked_for(http, sandbox):
    pair = sandbox.add_key()
    assert "empty" in refused(http.post(AUTHENTICATE, headers=basic(*pair), content=b"{}"), 400)
    assert "grant_type" in refused(http.post("/v1/authenticate", headers=basic(*pair)), 400)
    refused(http.post(AUTHENTICATE, headers=basic(pair[0], "wrong")), 401)
    for odd in ("Basic ???", "Basic", "Basic gA==", basic(*pair)["authorization"][6:], ""):
        refused(http.post(AUTHENTICATE, headers={"authorization": odd}), 401)


def test_what_is_another_payors_is_forbidden(signed, sandbox):
    other = {"payorId": "3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"}
    for path in (
        "v4/payees",
        "v3/sourceAccounts",
        "v2/fundingAccounts",
        "v1/webhooks",
        "v4/paymentaudit/payments",
    ):
        assert "payor" in refused(signed.get(f"/{path}", params=other), 403)
    payout = {"payoutFromPayorId": other["payorId"], "payments": [PAYMENT]}
    for path, body in (("v3/payouts", payout), ("v4/payees", other), ("v1/webhooks", other)):
        assert "payor" in refused(signed.post(f"/{path}", json=body), 403)
    assert sandbox.work_done_by_reference() == {}


@pytest.mark.parametrize(("body", "location"), cases_beside(__file__)["payouts"])
def test_a_payout_that_cannot_be(signed, body, location):
    answer = signed.post("/v3/payouts", content=body)
    refused(answer, 400)
    assert answer.json()["errors"][0]["location"] == location


def test_members_that_are_null_and_a_payee_that_has_onboarded(signed, sandbox):
    payee, path = sandbox.add_payee("a"), "/v4/payees/{}/payeeDetailsUpdate"
    update = {"address": None, "individual": None, "language": "fr"}
    assert signed.post(path.format(payee), json=update).status_code == 204
    sandbox.onboard_payee(payee)
    assert "has onboarded" in refused(signed.post(path.format(payee), json=update), 400)


def test_submitted_is_not_accepted_yet():
    with (
        VeloSandbox(VeloSettings(validation=60)) as sandbox,
        httpx.Client(base_url=sandbox.url) as http,
    ):
        http.headers["authorization"] = f"Bearer {token(http, sandbox)}"
        sandbox.add_payee("a")
        sandbox.add_source_account("b", "USD", 5)
        path = http.post("/v3/payouts", json={"payments": [PAYMENT]}).headers["location"]
        assert http.get(path).json()["status"] == "SUBMITTED"
        refused(http.post(path), 409)
        sandbox.advance(60)
        assert http.get(path).json()["status"] == "ACCEPTED"


def test_an_account_that_is_too_empty(signed, sandbox):
    sandbox.add_payee("a")
    account = sandbox.add_source_account("b", "USD", 5)
    payments = [{**PAYMENT, "amount": one} for one in (4, 2)]
    path = signed.post("/v3/payouts", json={"payments": payments}).headers["location"]
    assert signed.post(path).status_code == 202
    sandbox.advance(30)
    assert (sandbox.balance(account), signed.get(path).json()["status"]) == (1, "INCOMPLETE")
    assert [one["eventName"] for one in sandbox.notifications(after=2)] == [
        "payment.accepted", "payment.accepted", "payment.confirmed",
    ], "of FUNDED and AWAITING_FUNDS Velo's document has no notification"  # fmt: skip


def test_a_logout_asks_for_nothing_else(signed):
    out = signed.post("/v1/logout", params={"payorId": "another"}, content=b"{")
    assert out.status_code == 204
    assert signed.get("/v4/payees").status_code == 401


def test_a_payment_that_was_rejected_is_not_withdrawn(signed, sandbox):
    sandbox.add_payee("a")
    sandbox.add_source_account("b", "USD", 10_000)
    payments = [PAYMENT, {**PAYMENT, "remoteId": "nobody"}]
    payout = signed.post("/v3/payouts", json={"payments": payments}).headers["location"]
    sandbox.advance(1)
    assert signed.delete(payout).status_code == 202
    listed = signed.get(f"{payout}/payments").json()["content"]
    assert [one["status"] for one in listed] == ["WITHDRAWN", "REJECTED"]
