"""What each system posts, as it comes: its form, and what proves where it comes from, judged by the
client and by a verifier that was written from the pages of the system alone.
"""

import base64
import hashlib
import hmac
import re
from contextlib import closing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from tests.cases import cases_beside
from tests.sandbox.desks import EastPayDesk, FlexFactorDesk
from tests.sandbox.receivers import Receiver
from victor_ext import AuthenticationError
from victor_ext.providers import eastpay, flexfactor, velo

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__, "notifications")
KEY = base64.b64encode(b"k" * 64).decode()


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


# FlexFactor


def is_flexfactors(came, key, host):
    """As the provider's sample of a receiver says, in JavaScript; here without its code."""
    content = base64.b64encode(hashlib.sha512(came.body).digest()).decode()
    if came.headers["x-fc-content-sha512"] != content:
        return False
    parts = (came.headers["x-fc-nonce"], came.headers["x-fc-date"], host, content)
    mac = hmac.digest(base64.b64decode(key), f"POST\n{';'.join(parts)}".encode(), "sha512")
    scheme, _, values = came.headers["x-fc-authorization"].partition(" ")
    signed, _, signature = values.partition("&Signature=")
    return (scheme, signed, signature) == (
        "HMAC-SHA512",
        "SignedHeaders=x-fc-nonce;x-fc-date;host;x-fc-content-sha512",
        base64.b64encode(mac).decode(),
    )


@pytest.fixture
def merchant(flexfactor_sandbox, receiver):
    flexfactor_sandbox.notify(receiver.url)
    with closing(FlexFactorDesk(flexfactor_sandbox)) as desk:
        yield desk


def host_of(receiver):
    return receiver.url.split("/")[2]


def test_a_notification_of_flexfactor_is_verified_by_the_client_and_by_a_second_verifier(
    flexfactor_sandbox, merchant, receiver
):
    merchant.evaluate("APPROVED")
    flexfactor_sandbox.wait_for_deliveries()
    [came] = receiver.came
    key, host = flexfactor_sandbox.subscriber_key(), host_of(receiver)
    notification = flexfactor.Webhook(key, host=host).read(came.body, came.headers)
    assert (notification.event, notification.order_id) == ("order.completed", merchant.order)
    assert (notification.external_order_id, notification.is_test) == ("INV-1", True)
    assert is_flexfactors(came, key, host)
    assert came.headers["content-type"] == "text/plain; charset=utf-8"
    sent = parsedate_to_datetime(came.headers["x-fc-date"])
    assert abs((datetime.now(UTC) - sent).total_seconds()) < 60
    # Another key, host or body is seen by both.
    changed = came._replace(body=came.body.replace(b"INV-1", b"INV-2"))
    for one, key_, host_ in (
        (came, KEY, host),
        (came, key, "hooks.shop.example"),
        (changed, key, host),
    ):
        assert not is_flexfactors(one, key_, host_)
        with pytest.raises(AuthenticationError):
            flexfactor.Webhook(key_, host=host_).read(one.body, one.headers)


# EastPay


@pytest.fixture
def shop(eastpay_sandbox):
    with closing(EastPayDesk(eastpay_sandbox)) as desk:
        yield desk


def steady(message):
    return {name: value for name, value in message.items() if name not in ("ndc", "timestamp")}


def test_eastpay_posts_what_an_inquiry_answers(eastpay_sandbox, shop, receiver):
    """ "The notification message is the same as the response of Inquiry API." """
    eastpay_sandbox.decide("INV-1", "100.200.100", then="000.000.000", after=60)
    where = receiver.url + "/of/INV-1"
    shop.pay(merchantTransactionId="INV-1", notificationUrl=where)
    paid = shop.payment
    eastpay_sandbox.wait_for_deliveries()
    assert receiver.came == [], "its result has not changed"
    [waiting] = eastpay_sandbox.deliveries()
    assert (waiting["state"], waiting["about"]) == ("waiting", paid)
    eastpay_sandbox.advance(60)
    eastpay_sandbox.wait_for_deliveries()
    [came] = receiver.came
    assert (came.path, came.headers["content-type"]) == ("/webhooks/of/INV-1", "application/json")
    assert steady(came.said) == steady(shop.inquiry())
    assert came.said["result"]["code"] == "000.000.000"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+0000", came.said["timestamp"])
    assert eastpay.Webhook().delivery(came.body, came.headers).subject == came.said["id"] == paid
    assert [name for name in came.headers if re.search("sign|auth|token", name)] == []


# Velo


TRIGGERED, REQUIRED = CASES["velo's events"], CASES["velo's bodies"]
ABOUT = "1f0e7b0a-3d3c-4f43-9f6b-2f6f0c1c7a11"


def test_velo_posts_any_event_without_a_payout(velo_sandbox, receiver):
    velo_sandbox.notify(receiver.url)
    for event in TRIGGERED:
        velo_sandbox.trigger(ABOUT, event)
    velo_sandbox.wait_for_deliveries()
    types = {each.said["eventName"]: each.said["source"]["sourceType"] for each in receiver.came}
    assert (types, {*types.values()}) == (TRIGGERED, REQUIRED.keys())
    webhook = velo.Webhook(velo_sandbox.authorization_header())
    for came in receiver.came:
        source = came.said["source"]
        assert {*REQUIRED[source["sourceType"]]} <= source.keys()
        assert "payorPaymentId" not in source, "it is not known"
        read = webhook.read(came.body, came.headers["authorization"])
        assert read.source_type == source["sourceType"]
        category, _, status = came.said["eventName"].partition(".")
        assert came.said["category"] == category.replace("ping", "system")
        assert source.get("status", status.upper()) == status.upper()
    about = {each["event"] for each in velo_sandbox.deliveries() if each["about"] != ABOUT}
    assert about == {"ping"}
    assert [each["sequenceNumber"] for each in velo_sandbox.notifications()] == [*range(1, 16)]


def test_a_returned_payment_gives_its_money_back(velo_sandbox, payor, receiver):
    with pytest.raises(LookupError, match="no such payment"):
        velo_sandbox.return_payment("x")
    payor.submit()
    payor.instruct()
    payment = velo_sandbox.notifications()[-1]["source"]["paymentId"]
    with pytest.raises(ValueError, match="the payment is FUNDED: only a CONFIRMED one"):
        velo_sandbox.return_payment(payment)
    velo_sandbox.advance(30)
    assert velo_sandbox.balance(payor.account) == 99_500
    velo_sandbox.notify(receiver.url)
    velo_sandbox.return_payment(payment)
    assert velo_sandbox.balance(payor.account) == 100_000
    assert payor.http.get(f"/v4/paymentaudit/payments/{payment}").json()["status"] == "RETURNED"
    assert payor.http.get(payor.payout).json()["status"] == "COMPLETED"
    with pytest.raises(ValueError, match="the payment is RETURNED"):
        velo_sandbox.return_payment(payment)
    velo_sandbox.wait_for_deliveries()
    [came] = receiver.came
    assert came.said["eventName"] == "payment.returned"
    assert came.said["source"]["paymentId"] == payment
