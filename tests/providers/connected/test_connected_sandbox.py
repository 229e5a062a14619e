"""A sandbox of any other API, from its document and a few rows: what is lost and repeated shows in
it, and a row that cannot work is refused.
"""

import httpx
import pytest

from tests.providers.connected.till import DOCUMENT, Caller, new_payment
from tests.providers.running import MODES
from victor_ext import BearerAuth, HeaderKey, NotFound, VictorError, idempotency_key_for
from victor_ext import sandbox as parts
from victor_ext.sandbox.server import ServerOverHttp

pytestmark = pytest.mark.slow
TOKEN = "till-secret-not-real"


def create(payments, asked):
    payment = {**asked.body, "id": f"pay_{len(payments) + 1}", "status": "accepted"}
    payments[payment["id"]] = payment
    return parts.Result(body=payment, made=payment["id"], work=[payment["reference"]])


def get(payments, asked):
    return parts.find(payments, asked.about, "payment")


def authenticate(call):
    if call.header("Authorization") != f"Bearer {TOKEN}":
        raise parts.Refused(401, "The token is not valid.", code="unauthorized")


def error(status, code, message):
    return {"title": code, "status": status, "detail": message}


ROWS = (
    parts.Row("create", "POST /v1/payments", create, is_keyed=True),
    parts.Row("get", "GET /v1/payments/{id}", get),
)
KEY = parts.HeaderKey("Idempotency-Key")


@pytest.fixture
def till():
    options = {"key": KEY, "authenticate": authenticate, "error": error}
    with parts.ConnectedSandbox(DOCUMENT, ROWS, **options) as sandbox:
        yield sandbox


@pytest.mark.parametrize("mode", MODES)
def test_a_lost_response_shows_that_nobody_is_asked_twice(till, mode):
    caller = Caller(mode, base_url=till.url, auth=BearerAuth(TOKEN), key=HeaderKey())
    order = {
        "body": new_payment(amount=4423, reference="INV-1042"),
        "idempotency_key": idempotency_key_for("invoice", 1042),
    }
    till.inject("lose_answer", operation="create")
    made = caller.call("payments.take_payment", **order).parsed
    assert caller.call("payments.take_payment", **order).parsed == made
    assert caller.call("payments.get_payment", made.id).parsed == made
    assert ServerOverHttp(till.url).work_done_by_reference() == {"INV-1042": 1}
    calls = [call for call in till.received() if call.operation == "create"]
    assert [(call.attempt, call.fault, call.replayed) for call in calls] == [
        (1, "lose_answer", False),
        (2, None, True),
        (3, None, True),
    ]
    with pytest.raises(NotFound):
        caller.call("payments.get_payment", "pay_2")


def test_wrong_credentials_are_refused_by_the_callers_function(till):
    caller = Caller("blocking", base_url=till.url, auth=BearerAuth("another"), key=HeaderKey())
    with pytest.raises(VictorError, match=r"The token is not valid"):
        caller.call("payments.get_payment", "pay_1")


@pytest.mark.parametrize(
    ("place", "options", "why"),
    [
        ("POST /v1/charges", {}, r"the document has no POST /v1/charges\. Correct its place"),
        ("GET /v1/payments", {"is_documented": False}, "the document has a GET /v1/payments"),
        ("POST /v1/payments", {"is_keyed": True}, "the sandbox has no key"),
    ],
)
def test_a_row_that_cannot_work_is_refused(place, options, why):
    with pytest.raises(ValueError, match=f"The row 'mine'.*{why}"):
        parts.ConnectedSandbox(DOCUMENT, [parts.Row("mine", place, create, **options)])


def test_a_limit_as_openapi_3_1_writes_it_holds(tmp_path):
    document = tmp_path / "newer.yaml"
    text = DOCUMENT.read_text("utf-8").replace("minimum: 1, description", "exclusiveMinimum: 0, x")
    document.write_text(text, encoding="utf-8")
    order = {"currency": "EUR", "reference": "INV-1"}
    with parts.ConnectedSandbox(document, ROWS, key=KEY) as sandbox:
        answers = [
            httpx.post(f"{sandbox.url}/v1/payments", json={"amount": amount, **order})
            for amount in (1, 0)
        ]
    assert [answer.status_code for answer in answers] == [201, 400]
