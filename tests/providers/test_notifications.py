"""Bytes that are posted to a webhook of each system: a notification, or refused with the reason.

Who has posted them: see the folder of each system.
"""

import json

import pytest

from tests.providers.flexfactor.test_flexfactor_webhooks import signed, webhooks
from victor_ext import InvalidRequest
from victor_ext.providers import eastpay, velo

READS = {
    "EastPay": eastpay.payment_id_of,
    "FlexFactor": lambda body: webhooks().read(body, signed(body)),
    "Velo": velo.read_notification,
}
each_system = pytest.mark.parametrize("system", READS)


@each_system
@pytest.mark.parametrize(
    ("body", "words"),
    [
        *((body, "the body is not JSON") for body in (b"", b"\xff", b"id=8ac7", b"[" * 100_000)),
        (b"[]", "is JSON, but no object"),
        (b" " * 2**20 + b"{}", "is longer than 1024 KiB"),
    ],
)
def test_a_body_that_is_no_notification_is_refused_with_the_reason(system, body, words):
    words = f"^This is not a notification of {system}'s: .*{words}"
    with pytest.raises(InvalidRequest, match=words):
        READS[system](body)


@each_system
@pytest.mark.parametrize("body", [None, 5, [], {"id": "8ac7"}])
def test_a_notification_body_that_is_not_bytes_is_refused_by_its_type(system, body):
    read = READS[system] if system != "FlexFactor" else lambda it: webhooks().read(it, signed())
    words = rf"must be (bytes|the raw bytes of the request, .*), not {type(body).__name__}"
    with pytest.raises(InvalidRequest, match=words):
        read(body)


def of_velo(number, event_id="e-1"):
    return json.dumps({"sequenceNumber": number, "source": {"eventId": event_id}}).encode()


@pytest.mark.parametrize(
    ("system", "body", "words"),
    [
        ("EastPay", b"{}", "id must be an id of the gateway's"),
        ("EastPay", b'{"id": 7}', "id must be an id .* and is int"),
        ("EastPay", b'{"id": "../payments/8ac7"}', "must be an id of the gateway's"),
        *(("FlexFactor", body, "has no Event") for body in (b"{}", b'{"Event": 5}')),
        *(("Velo", of_velo(each), "sequenceNumber") for each in ("1", 0, True, 1.0, 2**63, None)),
        *(("Velo", of_velo(1, each), "eventId") for each in (None, 5)),
    ],
)
def test_a_notification_without_a_good_value_of_a_needed_member_is_refused(system, body, words):
    with pytest.raises(InvalidRequest, match=words):
        READS[system](body)


NUMBERS = b'"precise": 12345678901234567.89, "large": 1e400, "short": 0.10000000000000000001'


@pytest.mark.parametrize("system", ["FlexFactor", "Velo"])
def test_a_stored_notification_has_each_number_as_it_was_sent(system):
    webhook = velo.Webhook("long enough to be a secret")
    headers = {"authorization": "long enough to be a secret"}
    body = b'{"sequenceNumber": 1, "Event": "paid", "source": {"eventId": "e-1"}, ' + NUMBERS + b"}"
    if system == "FlexFactor":
        webhook, headers = webhooks(), signed(body)
    raw = webhook.notification(webhook.delivery(body, headers).content).raw
    assert ", ".join(f'"{name}": {raw[name]!r}' for name in ("precise", "large", "short")) == (
        NUMBERS.decode()
    )
