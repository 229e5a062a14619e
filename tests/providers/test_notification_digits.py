"""A stored notification has each number as it was sent."""

from tests.providers.flexfactor.test_flexfactor_webhooks import signed, webhooks
from victor_ext.providers import velo

NUMBERS = b'"precise": 12345678901234567.89, "large": 1e400, "short": 0.10000000000000000001'
SENT = {
    "precise": "12345678901234567.89",
    "large": "1e400",
    "short": "0.10000000000000000001",
}


def digits(raw: dict[str, object]) -> dict[str, str]:
    return {name: repr(raw[name]) for name in SENT}


def test_of_velo() -> None:
    authorization = "long enough to be a secret"
    webhook = velo.Webhook(authorization)
    body = b'{"sequenceNumber": 1, "source": {"eventId": "e-1"}, ' + NUMBERS + b"}"
    delivery = webhook.delivery(body, {"authorization": authorization})
    assert digits(webhook.notification(delivery.content).raw) == SENT


def test_of_flexfactor() -> None:
    body = b'{"Event": "order.completed", "OrderId": "o-1", ' + NUMBERS + b"}"
    delivery = webhooks().delivery(body, signed(body))
    assert digits(webhooks().notification(delivery.content).raw) == SENT


def test_events_of_other_digits_are_no_repeats() -> None:
    first = b'{"Event": "order.completed", "Amount": 0.1}'
    second = b'{"Event": "order.completed", "Amount": 0.10000000000000000001}'
    ids = {webhooks().delivery(body, signed(body)).ids for body in (first, second)}
    assert len(ids) == 2
