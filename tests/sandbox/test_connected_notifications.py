"""Notifications of a connected API: their headers, and what proves who posts."""

import json

import httpx
import pytest

from tests.cases import cases_beside
from tests.sandbox.receivers import Receiver
from victor_ext import AuthenticationError, HmacSignature
from victor_ext.sandbox.connected import ConnectedSandbox, Signature, Unsigned

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__, "connected")
SECRET = "c2VjcmV0IG9mIHRoaXMgdGVzdCBhbG9uZQ=="  # base64, too
SIGN = Signature(headers={"X-Till-Signature": "{signature}"}, secret=SECRET)
BODY = {"payment_id": "p-é", "fee": 0.3}
UNSIGNED = Unsigned("msg_1", 1_800_000_000, b'{"a": "\xc3\xa9"}', "http://service/webhooks")


@pytest.fixture
def sandbox():
    with ConnectedSandbox(sign=SIGN) as sandbox:
        yield sandbox


@pytest.mark.parametrize("name", CASES["signatures"])
def test_a_notification_is_signed_in_the_way_that_the_client_verifies(name):
    case = CASES["signatures"][name]
    headers = Signature(secret=SECRET, **case["sign"])(UNSIGNED)
    now = {"now": lambda: UNSIGNED.timestamp}
    verify = HmacSignature(secret=SECRET, **case["verify"], **now)
    verify(headers, UNSIGNED.body)
    with pytest.raises(AuthenticationError):
        verify(headers, UNSIGNED.body + b" ")


def test_a_notification_keeps_its_id_and_has_the_time_of_each_attempt():
    came = []

    def sign(unsigned):
        came.append(unsigned)
        return {}

    with Receiver(500) as receiver, ConnectedSandbox(sign=sign) as sandbox:
        sandbox.notify(receiver.url)
        sandbox.trigger("paymentSettled", BODY)
        sandbox.wait_for_deliveries()
        sandbox.set_clock_skew(3600)
        sandbox.resend(1)
        sandbox.wait_for_deliveries()
        about = sandbox.deliveries()[0]["about"]
    first, *_, last = came
    assert first.id == last.id == about
    assert last.timestamp - first.timestamp >= 3600
    assert (first.url, json.loads(first.body)) == (receiver.url, receiver.came[0].said)


def test_a_notification_is_posted_with_its_signature_and_the_given_headers():
    headers = {"X-Event": "paymentSettled", "Content-Type": "application/cloudevents+json"}
    with Receiver() as receiver, ConnectedSandbox(sign=SIGN, headers=headers) as other:
        other.notify(receiver.url)
        other.trigger("paymentSettled", BODY)
        other.wait_for_deliveries()
        [came] = receiver.came
    assert came.headers["x-event"] == "paymentSettled"
    assert came.headers["content-type"] == "application/cloudevents+json"
    HmacSignature(header="X-Till-Signature", secret=SECRET)(came.headers, came.body)


def test_triggering_a_notification_that_cannot_be_posted_is_refused_with_the_reason(sandbox):
    with pytest.raises(ValueError, match="paymentSettled is not posted: there is no address"):
        sandbox.trigger("paymentSettled", BODY)
    sandbox.notify("http://127.0.0.1:9/webhooks")
    with pytest.raises(ValueError, match="body has a number that JSON does not have"):
        sandbox.trigger("paymentSettled", {"fee": float("nan")})
    assert sandbox.deliveries() == []


@pytest.mark.parametrize("says", CASES["refused"])
def test_a_signature_that_cannot_work_is_refused(says):
    given = {"headers": {"X-Signature": "{signature}"}, "secret": SECRET}
    with pytest.raises(ValueError) as caught:
        Signature(**{**given, **CASES["refused"][says]})
    assert str(caught.value) == says


def test_the_repr_of_a_signature_has_no_secret():
    assert "X-Till-Signature" in repr(SIGN)
    assert SECRET not in repr(SIGN)


def test_a_call_of_the_connected_api_is_not_served_as_an_operation(sandbox):
    assert httpx.get(f"{sandbox.url}/v1/payments", verify=False).status_code == 404
    page = httpx.get(sandbox.url, verify=False).text
    assert "Webhooks sandbox" in page
    assert "Notifications" in page
