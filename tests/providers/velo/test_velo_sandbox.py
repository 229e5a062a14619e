"""The sandbox for itself: it takes what Velo takes, and refuses the rest in Velo's shape."""

from contextlib import closing

import httpx
import pytest

from tests.cases import cases_beside
from tests.sandbox.desks import VeloDesk, desk_of

AUTHENTICATE = "/v1/authenticate?grant_type=client_credentials"


@pytest.fixture
def desk(sandbox):
    with closing(VeloDesk(sandbox)) as desk:
        yield desk


@pytest.fixture
def anybody(desk):
    """A caller without a token."""
    with httpx.Client(base_url=desk.sandbox.url) as http:
        yield http


def refused(answer, status):
    """The message of an error in Velo's shape."""
    body = answer.json()
    assert (answer.status_code, body["httpStatusCode"]) == (status, status)
    assert body["correlationId"]
    assert body["errors"][0]["errorCode"].isdigit()
    return str(body["errors"][0]["errorMessage"])


def test_a_token_is_issued_to_a_key_and_not_cached(anybody, sandbox):
    answer = anybody.post(AUTHENTICATE, auth=sandbox.add_key("k", "s"))
    assert '"token_type":"bearer","expires_in":1799,' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert sandbox.tokens_issued()["k"] == 1


@pytest.mark.parametrize("header", [None, "", "Basic {}", "Token {}", "Bearer made-up"])
def test_a_call_without_a_bearer_token_that_was_issued_is_refused(anybody, desk, header):
    """ "If ... the Authorization header is missing or invalid then you will get a 401 HTTP status
    response."
    """
    token = desk.http.headers["authorization"].removeprefix("Bearer ")
    sent = {} if header is None else {"authorization": header.format(token)}
    refused(anybody.get("/v4/payees", params={"payorId": desk.party}, headers=sent), 401)


def test_a_token_request_without_a_grant_type_asks_for_client_credentials(anybody, sandbox):
    """By the provider's document the parameter is optional, and that is its default."""
    assert anybody.post("/v1/authenticate", auth=sandbox.add_key()).status_code == 200


def test_a_token_request_of_another_form_is_refused(anybody, sandbox):
    pair = sandbox.add_key()
    assert "empty" in refused(anybody.post(AUTHENTICATE, auth=pair, content=b"{}"), 400)
    other = anybody.post("/v1/authenticate?grant_type=password", auth=pair)
    assert "grant_type" in refused(other, 400)
    refused(anybody.post(AUTHENTICATE, auth=(pair[0], "wrong")), 401)
    for odd in ("Basic ???", "Basic", "Basic gA==", "a2V5OnNlY3JldA==", ""):
        refused(anybody.post(AUTHENTICATE, headers={"authorization": odd}), 401)


@pytest.mark.parametrize(
    "path",
    ["v4/payees", "v3/sourceAccounts", "v2/fundingAccounts", "v4/paymentaudit/payments"],
)
def test_the_lists_of_another_payor_are_refused(desk, path):
    other = {"payorId": "3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"}
    assert "payor" in refused(desk.http.get(f"/{path}", params=other), 403)


@pytest.mark.parametrize(
    ("path", "member"),
    [("v3/payouts", "payoutFromPayorId"), ("v4/payees", "payorId")],
)
def test_a_create_for_another_payor_is_refused(desk, sandbox, path, member):
    payment = {"remoteId": "a", "sourceAccountName": "b", "currency": "USD", "amount": 1}
    body = {member: "3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71", "payments": [payment]}
    assert "payor" in refused(desk.http.post(f"/{path}", json=body), 403)
    assert sandbox.work_done_by_reference() == {}


@pytest.mark.parametrize(("body", "location"), cases_beside(__file__)["payouts"])
def test_a_wrong_payout_is_refused_with_the_place_of_its_error(desk, body, location):
    answer = desk.http.post("/v3/payouts", content=body)
    refused(answer, 400)
    assert answer.json()["errors"][0]["location"] == location


def test_a_payee_is_changed_until_it_has_onboarded(desk, sandbox):
    payee = sandbox.add_payee("a")
    path = f"/v4/payees/{payee}/payeeDetailsUpdate"
    has_null = {"address": None, "language": "fr"}
    assert desk.http.post(path, json=has_null).status_code == 204
    sandbox.onboard_payee(payee)
    assert "has onboarded" in refused(desk.http.post(path, json=has_null), 400)


def test_a_payee_is_deleted_once_and_only_if_it_has_onboarded(desk, sandbox):
    payee = sandbox.add_payee("a")
    assert "has not onboarded" in refused(desk.http.delete(f"/v4/payees/{payee}"), 400)
    sandbox.onboard_payee(payee)
    assert desk.http.delete(f"/v4/payees/{payee}").status_code == 204
    refused(desk.http.delete(f"/v4/payees/{payee}"), 404)


def test_a_payout_can_be_instructed_only_after_it_is_accepted():
    with desk_of("velo", validation=60) as desk:
        desk.submit()
        assert desk.http.get(desk.payout).json()["status"] == "SUBMITTED"
        refused(desk.instruct(), 409)
        desk.advance(60)
        assert desk.http.get(desk.payout).json()["status"] == "ACCEPTED"
        assert desk.instruct().status_code == 202


def payout_of(desk, *payments):
    """The path of a payout of several payments."""
    usual = {"remoteId": "payee-7", "currency": "USD", "sourceAccountName": "USD account"}
    listed = [{**usual, "amount": 1, "payorPaymentId": "INV-1", **each} for each in payments]
    return desk.http.post("/v3/payouts", json={"payments": listed}).headers["location"]


def test_a_payment_that_an_account_is_too_empty_for_is_not_made_and_told_of_by_no_notification(
    desk, sandbox
):
    """Velo's document has none of FUNDED and AWAITING_FUNDS."""
    balance = sandbox.balance(desk.account)
    path = payout_of(desk, {"amount": balance - 1}, {"amount": 2})
    assert desk.http.post(path).status_code == 202
    sandbox.advance(30)
    assert sandbox.balance(desk.account) == 1
    assert desk.http.get(path).json()["status"] == "INCOMPLETE"
    assert [one["eventName"] for one in sandbox.notifications()] == [
        *("payment.submitted", "payment.submitted", "payment.accepted", "payment.accepted"),
        "payment.confirmed",
    ]


def test_a_payment_that_was_rejected_is_not_withdrawn(desk, sandbox):
    path = payout_of(desk, {}, {"remoteId": "nobody"})
    sandbox.advance(1)
    assert desk.http.delete(path).status_code == 202
    listed = desk.http.get(f"{path}/payments").json()["content"]
    assert [one["status"] for one in listed] == ["WITHDRAWN", "REJECTED"]


def test_a_payment_and_a_payout_have_the_ids_and_names_that_the_provider_requires(desk, sandbox):
    """Also a payment to a payee, or from an account, that is not there."""
    path = payout_of(desk, {}, {"remoteId": "nobody"}, {"sourceAccountName": "of nobody"})
    sandbox.advance(1)
    audit = f"/v4/paymentaudit/payouts/{path.rpartition('/')[2]}"
    ids = ("payeeId", "payorId", "quoteId", "railsId", "sourceAccountId", "fundingStatus")
    for payment in desk.http.get(audit).json()["content"]:
        assert all(payment[name] for name in ids), payment
    query = {"payorId": sandbox.payor_id}
    (listed,) = desk.http.get("/v4/paymentaudit/payouts", params=query).json()["content"]
    assert all(listed[name] for name in ("payorName", "payoutType", "status", "submittedDateTime"))


def test_a_currency_or_a_country_of_another_form_is_refused(desk):
    """The provider's document: three and two capital letters."""
    payment = {"remoteId": "payee-7", "amount": 1, "sourceAccountName": "USD account"}
    sent = {"payments": [{**payment, "currency": "usd"}]}
    assert "payments[0].currency" in refused(desk.http.post("/v3/payouts", json=sent), 400)
