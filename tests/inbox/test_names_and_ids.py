"""What an inbox takes for an event of its own, what it calls one, and whose word ends one."""

import hmac
import json
import time

import httpx
import pytest

from tests.inbox.inboxes import posted
from tests.outbox.rows import inbox_of
from victor_ext import AuthenticationError, HmacSignature
from victor_ext.inbox import EventState

PAGE = httpx.Response(404, html="<h1>404 Not Found</h1><hr>nginx")
PROXYS_JSON = httpx.Response(404, json={"message": "no Route matched"})
NOTE = {"event_id": "e-1", "payout_id": "p-1"}
NAMES = ("payoutPaid", "payoutFailed")


@pytest.fixture
def new_inbox(sqlite, payer):
    """Makes an inbox of the document's webhooks."""

    def make(client=None, **named):
        return inbox_of(sqlite, payer.webhook(verify=None, **named), client)

    return make


def nothing(_session, _event): ...


SECRET = "a secret of the tests"


def signed(text):
    return hmac.new(SECRET.encode(), text.encode(), "sha256").hexdigest()


def test_an_id_in_a_header_that_is_not_signed_makes_no_new_event_of_a_captured_one(sqlite, payer):
    verify = HmacSignature(header="X-Signature", secret=SECRET)
    inbox = inbox_of(sqlite, payer.webhook(verify=verify))
    headers = {"X-Signature": signed(json.dumps(NOTE))}
    assert posted(inbox, NOTE, headers, name=NAMES[0]) is not None
    for number in range(3):
        captured = {**headers, "Webhook-Id": f"m-{number}"}
        assert posted(inbox, NOTE, captured, name=NAMES[0]) is None


def test_a_check_that_returns_false_refuses_the_request(sqlite, payer):
    """As one does that ends with `hmac.compare_digest`."""

    def verify(headers, body):
        return hmac.compare_digest(headers.get("x-signature", ""), signed(body.decode()))

    inbox = inbox_of(sqlite, payer.webhook(verify=verify))
    good = {"X-Signature": signed(json.dumps(NOTE))}
    assert posted(inbox, NOTE, good, name=NAMES[0]) is not None
    with pytest.raises(AuthenticationError, match="verify returned False"):
        posted(inbox, {**NOTE, "event_id": "e-2"}, good, name=NAMES[0])
    assert inbox.event_counts()[EventState.WAITING] == 1


@pytest.mark.filterwarnings("ignore:coroutine")
def test_an_async_check_refuses_the_request(sqlite, payer):
    async def verify(headers, body):
        """Nobody awaits it."""

    inbox = inbox_of(sqlite, payer.webhook(verify=verify))
    with pytest.raises(AuthenticationError, match="async function"):
        posted(inbox, NOTE, {}, name=NAMES[0])


def test_the_id_of_an_event_is_the_id_that_is_signed(sqlite, payer):
    verify = HmacSignature(
        header="Webhook-Signature", secret=SECRET, signed="{id}.{timestamp}.{body}"
    )
    inbox = inbox_of(sqlite, payer.webhook(verify=verify))
    now = str(int(time.time()))

    def headers(id):
        signature = signed(f"{id}.{now}.{json.dumps(NOTE)}")
        return {"Webhook-Id": id, "Webhook-Timestamp": now, "Webhook-Signature": f"v1,{signature}"}

    captured = headers("m-1")
    # Each verifies as m-1 was signed: the id that counts is that one.
    in_the_signature = f"id=m-1 {captured['Webhook-Signature']}"
    requests = [
        captured,
        captured,
        {**captured, "Id": "m-1", "Webhook-Id": "m-2"},
        {**captured, "Webhook-Id": "m-2", "Webhook-Signature": in_the_signature},
        headers("m-2"),
    ]
    are_new = [posted(inbox, NOTE, each, name=NAMES[0]) is not None for each in requests]
    assert are_new == [True, False, False, False, True]


@pytest.mark.parametrize(
    ("header", "id_header", "parts"),
    [
        ("svix-signature", "svix-id", "{id}.{timestamp}"),
        ("svix-signature", "svix-id", "{svix-id}.{svix-timestamp}"),
        ("svix-signature", "webhook-id", "{webhook-id}.{svix-timestamp}"),
        ("X-Acme-Signature", "webhook-id", "{webhook-id}.{svix-timestamp}"),
    ],
)
def test_two_events_of_equal_content_are_told_apart_by_the_id_beside_the_signature(
    sqlite, payer, header, id_header, parts
):
    """As Svix and Standard Webhooks sign them, by whatever name `signed` has its headers."""
    verify = HmacSignature(header=header, secret=SECRET, signed=parts + ".{body}")
    inbox = inbox_of(sqlite, payer.webhook(verify=verify))
    now, note = str(int(time.time())), {"id": "p-1", "type": "payout.paid"}

    def is_new(id):
        signature = signed(f"{id}.{now}.{json.dumps(note)}")
        headers = {id_header: id, "svix-timestamp": now, header: f"v1,{signature}"}
        return posted(inbox, note, headers) is not None

    assert [is_new("msg_1"), is_new("msg_1"), is_new("msg_2")] == [True, False, True]
