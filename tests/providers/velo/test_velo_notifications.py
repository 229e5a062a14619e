"""Notifications: from whom, and what they say; and how a token is given back."""

import json

import pytest

from victor_ext import AuthenticationError, ConfigurationError
from victor_ext.providers.velo import Webhook, read_notification

HEADER = "Basic c29tZXRoaW5nIHRoYXQgbm9ib2R5IGd1ZXNzZXM="
OLDER = "an older header value, still in use"


def body_of(number=1, event_id="e-1", **source):
    said = {
        "apiVersion": "1",
        "sequenceNumber": number,
        "category": "payment",
        "eventName": "payment.accepted",
        "source": {"sourceType": "payment_status_changed", "eventId": event_id, **source},
    }
    return json.dumps(said).encode()


@pytest.mark.parametrize("header", [HEADER, HEADER.encode(), f" {HEADER} ", OLDER])
def test_a_notification_has_a_header_that_was_chosen(header):
    webhook = Webhook(HEADER, OLDER)
    assert webhook.is_ours(header)
    assert webhook.read(body_of(), header).sequence_number == 1


@pytest.mark.parametrize(
    "header", [None, "", HEADER[:-1], HEADER + "x", HEADER.lower(), "ü", b"\xff", "\udcff", 5]
)
def test_a_header_other_than_the_chosen_one_is_refused_before_the_body_is_read(header):
    with pytest.raises(AuthenticationError, match="may not come from Velo") as caught:
        Webhook(HEADER).read(b"not even JSON", header)
    assert HEADER not in repr(caught.value)


@pytest.mark.parametrize("values", [(), ("x" * 15,), (HEADER, ""), (5,), (None,)])
def test_a_webhook_needs_headers_of_16_characters_or_more(values):
    with pytest.raises(ConfigurationError, match="authorization must be text of 16 characters"):
        Webhook(*values)


def test_no_repr_shows_the_header():
    webhook = Webhook(HEADER)
    assert HEADER not in f"{webhook!r} {vars(webhook)!r}"


@pytest.mark.parametrize(
    ("ids", "payors"),
    [
        ({"submittingPayorId": "a", "payoutFromPayorId": "b", "payoutToPayorId": "a"}, {"a", "b"}),
        *((odd, set()) for odd in (None, [], "a", {}, {"submittingPayorId": 5, "more": None})),
    ],
)
def test_the_payors_of_a_notification_are_all_payors_that_its_body_names(ids, payors):
    assert read_notification(body_of(payoutPayorIds=ids)).payor_ids == payors
