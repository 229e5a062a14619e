"""What each system posts, as it comes: its form, and what proves where it comes from, judged by the
client and by a verifier that was written from the pages of the system alone.
"""

import base64
import hashlib
import hmac
import json
from contextlib import closing
from typing import Any, NamedTuple

import pytest

from tests.cases import cases_beside
from tests.sandbox.desks import EastPayDesk, FlexFactorDesk
from victor_ext import AuthenticationError
from victor_ext.providers import eastpay, flexfactor, velo

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__, "notifications")
KEY = base64.b64encode(b"k" * 64).decode()
HOST = "service"
"""The host of what is made without an address."""


class Came(NamedTuple):
    body: bytes
    headers: dict[str, str]
    said: Any


def came(sandbox):
    """What the sandbox would have posted, as a receiver gets it."""
    for each in sandbox.deliveries():
        headers = {name.lower(): value for name, value in each["headers"].items()}
        yield Came(each["body"].encode(), headers, json.loads(each["body"]))


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
def merchant(flexfactor_sandbox):
    with closing(FlexFactorDesk(flexfactor_sandbox)) as desk:
        yield desk


def test_a_notification_of_flexfactor_is_verified_by_the_client_and_by_a_second_verifier(
    flexfactor_sandbox, merchant
):
    merchant.evaluate("APPROVED")
    [one] = came(flexfactor_sandbox)
    key = flexfactor_sandbox.subscriber_key()
    notification = flexfactor.Webhook(key, host=HOST).read(one.body, one.headers)
    assert (notification.event, notification.order_id) == ("order.completed", merchant.order)
    assert (notification.external_order_id, notification.is_test) == ("INV-1", True)
    assert is_flexfactors(one, key, HOST)
    # Another key, host or body is seen by both.
    changed = one._replace(body=one.body.replace(b"INV-1", b"INV-2"))
    for each, key_, host_ in (
        (one, KEY, HOST),
        (one, key, "hooks.shop.example"),
        (changed, key, HOST),
    ):
        assert not is_flexfactors(each, key_, host_)
        with pytest.raises(AuthenticationError):
            flexfactor.Webhook(key_, host=host_).read(each.body, each.headers)


# EastPay


def steady(message):
    return {name: value for name, value in message.items() if name not in ("ndc", "timestamp")}


def test_eastpay_posts_what_an_inquiry_answers_once_a_result_has_changed(eastpay_sandbox):
    """ "The notification message is the same as the response of Inquiry API." """
    with closing(EastPayDesk(eastpay_sandbox)) as shop:
        shop.pay()
        assert [*came(eastpay_sandbox)] == [], "the answer had the result already"
        eastpay_sandbox.trigger(shop.payment)
        [one] = came(eastpay_sandbox)
        assert steady(one.said) == steady(shop.inquiry())
        assert eastpay.Webhook().delivery(one.body, one.headers).subject == shop.payment


# Velo


TRIGGERED, REQUIRED = CASES["velo's events"], CASES["velo's bodies"]
ABOUT = "1f0e7b0a-3d3c-4f43-9f6b-2f6f0c1c7a11"


def test_velo_posts_any_event_without_a_payout(velo_sandbox):
    for event in TRIGGERED:
        velo_sandbox.trigger(ABOUT, event)
    posted = [*came(velo_sandbox)]
    types = {each.said["eventName"]: each.said["source"]["sourceType"] for each in posted}
    assert (types, {*types.values()}) == (TRIGGERED, REQUIRED.keys())
    webhook = velo.Webhook(velo_sandbox.authorization_header())
    for one in posted:
        source = one.said["source"]
        assert {*REQUIRED[source["sourceType"]]} <= source.keys()
        assert (
            webhook.read(one.body, one.headers["authorization"]).source_type == source["sourceType"]
        )
    with pytest.raises(ValueError, match="event must be one of"):
        velo_sandbox.trigger(ABOUT, "payment.return")


def test_a_returned_payment_gives_its_money_back(velo_sandbox, payor):
    payor.submit()
    payor.instruct()
    payment = velo_sandbox.notifications()[-1]["source"]["paymentId"]
    with pytest.raises(ValueError, match="the payment is FUNDED: only a CONFIRMED one"):
        velo_sandbox.return_payment(payment)
    velo_sandbox.advance(30)
    assert velo_sandbox.balance(payor.account) == 99_500
    velo_sandbox.return_payment(payment)
    assert velo_sandbox.balance(payor.account) == 100_000
    assert payor.http.get(f"/v4/paymentaudit/payments/{payment}").json()["status"] == "RETURNED"
    assert velo_sandbox.notifications()[-1]["eventName"] == "payment.returned"
