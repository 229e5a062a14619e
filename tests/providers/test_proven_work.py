"""What a response proves, it proves under every status: a refusal with what only a success has is
unknown, and no write without a key is sent again after it.

The sandbox of each system does the work; something on the way gives its good response another
status.
"""

import json

import httpx
import pytest

from tests.providers.connected.till import Caller, new_payment, send
from tests.providers.flexfactor.adapter import id_of
from tests.providers.running import ONCE, QUICK, Script, forwarded, is_for_token
from tests.providers.systems import ADAPTERS, each_exchange
from tests.tiers import borders
from victor_ext import ClientCredentialsAuth, VictorError
from victor_ext.providers.eastpay._operations import OPERATIONS as EASTPAY

JSON = {"content-type": "application/json"}
REFUSALS = (400, 401, 404, 429)
PROVES_NOTHING = {
    "velo": {
        "update_payee",
        "rename_payee",
        "invite",
        "delete_payee",
        "withdraw_payment",
        "quote",
        "instruct",
        "withdraw",
        "update_webhook",
        "ping",
    },
    "flexfactor": {"cancel", "external_cancel"},
}
"""Writes whose good response has no body, and no `Location`; a quote has an empty list."""
each_write = each_exchange(writes=True)


class Way:
    """To a sandbox: its good responses to writes get another status, and further headers. With a
    body, writes are refused with that, and do not come there.
    """

    def __init__(self, status, headers=(), *, body=None):
        self.status, self.headers, self.body = status, dict(headers), body
        self.writes = 0

    def __call__(self, request):
        if request.method == "GET" or is_for_token(request):
            return forwarded(request)
        self.writes += 1
        if self.body is not None:
            return httpx.Response(self.status, headers=self.headers, content=self.body)
        response = forwarded(request)
        status = self.status if response.is_success else response.status_code
        headers = {**response.headers, **self.headers}
        return httpx.Response(status, headers=headers, content=response.content)


def outcome_of(harness, way, *calls, **options):
    """The word for what comes of calls of one client."""
    try:
        harness(*calls, transport=httpx.MockTransport(way), **{"retry": QUICK, **options})
    except VictorError as error:
        return str(error.outcome.value)
    return "success"


@each_write
@pytest.mark.parametrize("status", borders(REFUSALS, 401, 404))
def test_a_refusal_with_what_a_success_has_is_unknown_and_sent_again_only_with_a_key(
    system, exchange, status, harness
):
    way = Way(status)
    read = ADAPTERS[system].READ
    read_subject = read.subject(harness)
    subject = exchange.subject(harness)
    # The token is not new: after a 401, another one would be asked for.
    calls = (
        lambda client: read.call(client, read_subject),
        lambda client: exchange.call(client, subject),
    )
    word = outcome_of(harness, way, *calls)
    if status == 401 and exchange.word in PROVES_NOTHING.get(system, ()):
        return  # it is about the credentials
    assert word == ("success" if exchange.settles else "unknown")
    assert way.writes == 1 or exchange.keyed
    assert exchange.work(harness, subject) == 1


ID = "victor_payment_request_id"
DECLINED = {"code": "800.100.153", "description": "declined"}
NO_SUCH = {"code": "100.300.401", "description": "no such payment"}


def in_state(state, **more):
    """The body of a response with the state of the order asked for."""
    return lambda name: {"orderId": id_of(name), "status": state, **more}


SHOWN = [
    ("victor create", {ID: "a7ff", "error": {"message": "late"}}),
    ("eastpay pay", {"id": "8ac7", "result": DECLINED}),
    ("eastpay pay", lambda name: {"id": "8ac7", "merchantTransactionId": name, "amount": "92.00"}),
    ("flexfactor refund", {"success": True, "status": "PENDING"}),
    ("flexfactor refund", in_state("REFUNDED", message="ok")),
    ("flexfactor cancel", in_state("CANCELLED")),
    ("connected create", {"id": "pay_1", "status": "created"}),
    ("connected create", {"id": "pay_1", "status": "created", "title": "Too many requests"}),
    # what may be of another object, or the state from before: a doubt costs a look
    ("victor respond", {ID: "other", "status": "Accepted"}),
    ("eastpay pay", {"id": "8ac7", "merchantTransactionId": "X-1", "result": DECLINED}),
    *(("flexfactor refund", in_state(state)) for state in ("APPROVED", "COMPLETED", "CAPTURED")),
    ("flexfactor refund", in_state("COMPLETED", errors=["too much"])),
    ("flexfactor cancel", in_state("COMPLETED")),
]
"""The word of an exchange, and the body of a response that may show the work; it may be made of the
subject.
"""
NOT_SHOWN = [
    # an error that repeats the request, and another word than was meant
    ("victor respond", lambda id: {ID: id, "error": {"message": "late"}}),
    ("victor respond", lambda id: {ID: id, "status": "Failed"}),
    # an id alone, or beside an error
    ("eastpay pay", {"id": "8ac7"}),
    ("eastpay pay", {"id": "8ac7", "result": {**NO_SUCH, "parameterErrors": [{"name": "amount"}]}}),
    (
        "eastpay follow_up",
        lambda subject: {"id": subject[1], "paymentType": "CP", "result": DECLINED},
    ),
    # the state of an order whose refund is refused, and of an order that is not named
    ("flexfactor refund", in_state("CANCELLED")),
    ("flexfactor refund", {"status": "COMPLETED"}),
    ("velo submit", {"errors": [{"errorCode": "1"}], "correlationId": "c-1"}),
    ("connected create", {"amount": 4423, "detail": "The amount is too high."}),
]


def exchange_of(named):
    system, word = named.split()
    adapter = ADAPTERS[system]
    return next(each for each in (adapter.WRITE, *adapter.MORE) if each.word == word)


@pytest.mark.parametrize(
    ("system", "row", "outcome"),
    [
        pytest.param(row[0].split()[0], row, outcome, id=f"{row[0]} {number}")
        for rows, outcome in ((SHOWN, "unknown"), (NOT_SHOWN, "rejected"))
        for number, row in enumerate(rows)
    ],
)
def test_a_401_is_unknown_if_its_body_shows_the_work_and_else_rejected(
    system, row, outcome, harness
):
    """After no other status is the body of somebody else a refusal (test_pages_of_others.py)."""
    named, body = row
    exchange = exchange_of(named)
    subject = exchange.subject(harness)
    body = body(subject) if callable(body) else body
    way = Way(401, JSON, body=json.dumps(body).encode())
    word = outcome_of(harness, way, lambda client: exchange.call(client, subject), retry=ONCE)
    assert word == outcome


OWN = [
    ("victor create", {}, {ID: "a7ff"}),
    ("eastpay pay", {"result": DECLINED}, {"id": "8ac7"}),
    ("flexfactor refund", {"errors": ["too much"]}, {}),
    ("velo submit", {}, {}),
    ("connected create", {}, {"id": "pay_1"}),
]
"""The word of an exchange, what a refusal of the system has beside its usual members, and what
shows the work all the same.
"""


@pytest.mark.parametrize(
    ("system", "row"), [pytest.param(row[0].split()[0], row, id=row[0]) for row in OWN]
)
@pytest.mark.parametrize("status", [403, 422, 429])
def test_a_refusal_of_the_provider_is_unknown_if_its_body_shows_the_work(
    system, row, status, harness
):
    named, more, shown = row
    exchange = exchange_of(named)
    subject = exchange.subject(harness)
    for members, outcome in ((more, "rejected"), ({**more, **shown}, "unknown")):
        body = {**ADAPTERS[system].REFUSAL, **members}
        way = Way(status, JSON, body=json.dumps(body).encode())
        word = outcome_of(harness, way, lambda client: exchange.call(client, subject), retry=ONCE)
        assert word == (outcome if shown else "rejected")


PAYMENT = {"amount": 4423, "currency": "EUR", "reference": "INV-1"}
MADE = {"id": "pay_1", **PAYMENT, "status": "accepted"}
OF_TILL = [
    (MADE, "unknown"),
    ({**MADE, "detail": "Too many requests"}, "unknown"),
    ({"id": "err-1", "detail": "The amount is too high."}, "unknown"),
    ({"trace": "err-1", "detail": "The amount is too high."}, "rejected"),
]
"""Refusals, and their outcomes: no error of the document has an id where a payment has it."""


def by_function(client):
    return send(client, "payments.take_payment", body=new_payment(**PAYMENT))


def by_hand(client):
    return client.http.post("/v1/payments", json=PAYMENT)


def refused(mode, send, *lines, **options):
    """How a write of Till's fails whose document declares no key."""
    script = Script(*lines)
    with pytest.raises(VictorError) as raised:
        Caller(mode, script, key=None, **options).run(send)
    return raised.value, script


@pytest.mark.parametrize("send", [by_function, by_hand])
@pytest.mark.parametrize("status", [400, 422, 429])
@pytest.mark.parametrize(("body", "outcome"), OF_TILL)
def test_one_rule_says_what_a_body_proves_for_functions_and_for_requests_by_hand(
    body, outcome, status, send, mode
):
    error, script = refused(mode, send, httpx.Response(status, json=body))
    is_sent_again = outcome == "rejected" and status == 429
    times = QUICK.max_attempts if is_sent_again else 1
    assert (error.outcome.value, len(script.requests)) == (outcome, times)
    assert not error.problems or outcome == "rejected"


@pytest.mark.parametrize(
    ("body", "tokens"), [({"status": "UNAUTHORIZED"}, 2), ({"id": "err-1"}, 1), (MADE, 1)]
)
def test_a_revoked_token_is_renewed_unless_the_body_proves_the_work(mode, body, tokens):
    auth = ClientCredentialsAuth("/oauth/token", "id", "secret")
    good = httpx.Response(200, json={"data": [], "has_more": False})
    calls = (lambda client: client.http.get("/v1/payments"), by_function)
    _, script = refused(mode, calls, good, httpx.Response(401, json=body), auth=auth)
    assert len(script.for_tokens) == tokens


@pytest.mark.parametrize(("code", "proves"), [("000.200.100", True), ("100.400.152", False)])
def test_the_id_of_a_checkout_that_no_code_refuses_proves_it(code, proves):
    row = EASTPAY["POST /v3/checkouts"]
    request = httpx.Request("POST", "https://a.example/v3/checkouts")
    body = {"id": "8ac7", "result": {"code": code}}
    assert row.was_done(httpx.Response(429, json=body, request=request)) is proves
