"""What an inbox takes for an event of its own, what it calls one, and whose word ends one."""

import hmac
import json
import logging
import time

import httpx
import pytest

from tests.inbox.inboxes import OWN, AnyInbox, Gateway, posted, unknown
from tests.outbox.django_project import use_database
from tests.outbox.kinds import KINDS
from tests.outbox.rows import end_waits, inbox_of
from tests.providers.running import ONCE, Script
from tests.providers.systems import ARGUMENTS, CLIENTS
from victor_ext import AuthenticationError, HmacSignature, NotFound, StatusError
from victor_ext._event_queue.queue import MOST_TRIES
from victor_ext.inbox import EventState, Inbox
from victor_ext.providers import eastpay

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


@pytest.mark.parametrize(
    ("system", "response", "state"),
    [
        ("eastpay", PAGE, EventState.WAITING),
        ("eastpay", PROXYS_JSON, EventState.WAITING),
        ("eastpay", OWN, EventState.NOT_FOUND),
        ("connect", PAGE, EventState.WAITING),
        ("connect", None, EventState.WAITING),
        ("connect", PROXYS_JSON, EventState.NOT_FOUND),
    ],
)
def test_an_id_becomes_unknown_only_by_a_response_that_the_system_may_have_given_itself(
    sqlite, new_inbox, caplog, system, response, state
):
    caplog.set_level(logging.WARNING, "victor_ext.inbox")
    gateway = Gateway(unknown(NotFound, response))
    if system == "eastpay":
        inbox = inbox_of(sqlite, eastpay.Webhook(), gateway)
    else:
        inbox = new_inbox(gateway, read=lambda client, _model: client.inquire("p-1"))
    inbox.on()(nothing)
    for number in range(3):
        posted(inbox, {"type": "ping", "id": f"8ac7a4a{number}"})
    for _ in range(3):
        assert inbox.handle() == []
        end_waits(inbox)
    assert inbox.event_counts()[state] == 3
    warned = caplog.text.count("Events became not_found")
    assert warned == (state is EventState.NOT_FOUND), "one, however many ids are forged"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [403, 404, 400])
def test_a_page_in_place_of_an_inquiry_ends_no_event_however_often_it_comes(engine, kind, status):
    """A gateway in front of the system says nothing of the payment: no try is counted."""
    pages = [httpx.Response(status, html="<h1>Forbidden</h1><hr>nginx")] * (MOST_TRIES + 1)
    paid = httpx.Response(200, json={"id": "8ac7a4a1", "result": {"code": "000.000.000"}})
    script = Script(*pages, paid)

    def client(awaited):
        kinds, arguments = CLIENTS["eastpay"], ARGUMENTS["eastpay"]
        return kinds[awaited](**arguments, transport=script.transport, retry=ONCE)

    with use_database(engine.url):
        inbox = AnyInbox(kind, engine, eastpay.Webhook())
        inbox.client = client
        waits = Inbox(engine, eastpay.Webhook())
        inbox.receive(b'{"id": "8ac7a4a1"}', {})
        for _ in pages:
            with pytest.raises(StatusError, match="not EastPay's format"):
                inbox.handle()
            assert inbox.handle() == [], "it waits"
            end_waits(waits)
        assert inbox.event_counts()[EventState.WAITING] == 1
        assert [event.tries for event in inbox.handle()] == [1]


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
