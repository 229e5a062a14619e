"""Notifications of a connected API: their headers, and what proves who posts."""

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
