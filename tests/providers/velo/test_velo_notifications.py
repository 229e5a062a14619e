"""Notifications: from whom, and what they say; and how a token is given back."""

import json
from datetime import UTC, datetime

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


def test_a_payment_is_named_by_its_ids_and_its_place_in_the_sequence():
    ids = {"paymentId": "p", "payorPaymentId": "INV-1", "more": [1]}
    said = read_notification(body_of(7, "e-7", createdAt="2026-03-04T09:00:00.123Z", **ids))
    assert (said.sequence_number, said.event_id, said.category) == (7, "e-7", "payment")
    assert (said.event_name, said.source_type) == ("payment.accepted", "payment_status_changed")
    assert (said.payment_id, said.payor_payment_id, said.payee_id) == ("p", "INV-1", None)
    assert said.created_at == datetime(2026, 3, 4, 9, 0, 0, 123_000, UTC)
    assert said.source["more"] == [1]
    assert "INV-1" not in repr(said)


@pytest.mark.parametrize(
    ("ids", "payors"),
    [
        ({"submittingPayorId": "a", "payoutFromPayorId": "b", "payoutToPayorId": "a"}, {"a", "b"}),
        *((odd, set()) for odd in (None, [], "a", {}, {"submittingPayorId": 5, "more": None})),
    ],
)
def test_the_payors_of_a_notification_are_all_payors_that_its_body_names(ids, payors):
    assert read_notification(body_of(payoutPayorIds=ids)).payor_ids == payors


def test_the_kind_of_a_notification_may_have_its_other_name():
    body = {"sequenceNumber": 1, "source": {"eventId": "e", "type": "ping"}}
    assert read_notification(json.dumps(body).encode()).source_type == "ping"


# The token, and how it is given back.


def log_out(velo):
    return velo.logout()


@pytest.fixture
def reads(harness):
    """Reads something."""
    return lambda velo: velo.payees.get(harness.payee)


def test_a_logout_without_a_token_sends_nothing(harness):
    harness(log_out)
    assert harness.sandbox.received() == []


def test_a_token_is_given_back_once_and_the_next_call_fetches_another(harness, reads):
    harness(reads, log_out, log_out, reads)
    assert harness.calls("logout") == 1
    assert [*harness.sandbox.tokens_issued().values()] == [2]


def test_closing_a_client_gives_no_token_back(harness, reads):
    harness(reads)
    assert harness.calls("logout") == 0


def test_a_logout_with_a_token_that_is_no_longer_good_raises_nothing(harness, reads):
    harness.sandbox.inject("status", operation="logout", status=401, times=None)
    harness(reads, log_out)
    assert harness.calls("logout") == 2
