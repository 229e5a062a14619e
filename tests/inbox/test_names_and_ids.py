"""What an inbox takes for an event of its own, what it calls one, and whose word ends one."""

import hmac
import importlib
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import yaml

from tests.inbox.inboxes import OWN, AnyInbox, Gateway, generated, posted, unknown
from tests.outbox.django_project import use_database
from tests.outbox.kinds import KINDS
from tests.outbox.rows import end_waits, inbox_of, received_number
from victor_ext import BadRequest, ConfigurationError, HmacSignature, NotFound, connect
from victor_ext.inbox import EventState, Inbox
from victor_ext.inbox.django import DjangoInbox
from victor_ext.providers import eastpay

PAGE = httpx.Response(404, html="<h1>404 Not Found</h1><hr>nginx")
PROXYS_JSON = httpx.Response(404, json={"message": "no Route matched"})
NOTE = {"event_id": "e-1", "payout_id": "p-1"}
NAMES = ("payoutPaid", "payoutFailed")
NewInbox = Callable[..., Inbox]


@pytest.fixture
def new_inbox(sqlite: sa.Engine, payer: Any) -> NewInbox:
    """Makes an inbox of the document's webhooks."""

    def make(client: Any = None, **named: Any) -> Inbox:
        return inbox_of(sqlite, payer.webhook(verify=None, **named), client)

    return make


def nothing(_session: object, _event: object) -> None: ...


@pytest.mark.parametrize("error", [NotFound, BadRequest])
@pytest.mark.parametrize(
    ("system", "response", "state"),
    [
        ("eastpay", PAGE, EventState.WAITING),
        ("eastpay", PROXYS_JSON, EventState.WAITING),
        ("eastpay", None, EventState.WAITING),
        ("eastpay", OWN, EventState.NOT_FOUND),
        ("connect", PAGE, EventState.WAITING),
        ("connect", None, EventState.WAITING),
        ("connect", PROXYS_JSON, EventState.NOT_FOUND),
    ],
)
def test_only_the_systems_own_response_says_that_an_id_is_unknown(
    sqlite: sa.Engine,
    new_inbox: NewInbox,
    caplog: pytest.LogCaptureFixture,
    error: type[NotFound | BadRequest],
    system: str,
    response: httpx.Response | None,
    state: EventState,
) -> None:
    caplog.set_level(logging.WARNING, "victor_ext.inbox")
    gateway = Gateway(unknown(error, response))
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
    warned = [each for each in caplog.records if "Events became not_found" in each.getMessage()]
    assert len(warned) == (state is EventState.NOT_FOUND), "one, however many ids are forged"


def test_a_kind_that_is_new_and_has_no_id_is_an_event_of_its_own(new_inbox: NewInbox) -> None:
    inbox = new_inbox()
    inbox.on("refunded")(nothing)
    for _ in range(2):
        assert posted(inbox, {"type": "refunded", "amount": 5}) is not None
    assert len(inbox.handle()) == 2
    with_id = {"type": "refunded", "id": "r-1"}
    assert posted(inbox, with_id) is not None
    assert posted(inbox, with_id) is None


SECRET = "a secret of the tests"


def signed(text: str) -> str:
    return hmac.new(SECRET.encode(), text.encode(), "sha256").hexdigest()


def test_an_id_in_a_header_that_is_not_signed_makes_no_new_event_of_a_captured_one(
    sqlite: sa.Engine, payer: Any
) -> None:
    verify = HmacSignature(header="X-Signature", secret=SECRET)
    inbox = inbox_of(sqlite, payer.webhook(verify=verify))
    headers = {"X-Signature": signed(json.dumps(NOTE))}
    assert posted(inbox, NOTE, headers, name=NAMES[0]) is not None
    for number in range(3):
        captured = {**headers, "Webhook-Id": f"m-{number}"}
        assert posted(inbox, NOTE, captured, name=NAMES[0]) is None


def test_the_id_of_an_event_is_the_one_that_is_signed(sqlite: sa.Engine, payer: Any) -> None:
    verify = HmacSignature(
        header="Webhook-Signature", secret=SECRET, signed="{id}.{timestamp}.{body}"
    )
    inbox = inbox_of(sqlite, payer.webhook(verify=verify))
    now = str(int(time.time()))

    def headers(id: str) -> dict[str, str]:
        signature = signed(f"{id}.{now}.{json.dumps(NOTE)}")
        return {"Webhook-Id": id, "Webhook-Timestamp": now, "Webhook-Signature": f"v1,{signature}"}

    assert posted(inbox, NOTE, headers("m-1"), name=NAMES[0]) is not None
    assert posted(inbox, NOTE, headers("m-1"), name=NAMES[0]) is None
    captured = headers("m-1")
    # Both verify as m-1 was signed: the id that counts is that one.
    in_another_header = {**captured, "Id": "m-1", "Webhook-Id": "m-2"}
    in_the_signature = {
        **captured,
        "Webhook-Id": "m-2",
        "Webhook-Signature": f"id=m-1 {captured['Webhook-Signature']}",
    }
    assert posted(inbox, NOTE, in_another_header, name=NAMES[0]) is None
    assert posted(inbox, NOTE, in_the_signature, name=NAMES[0]) is None
    assert posted(inbox, NOTE, headers("m-2"), name=NAMES[0]) is not None


def assert_names_needed(inbox: Inbox) -> None:
    webhook: Any = inbox._webhook
    assert webhook.needs_name == NAMES
    with pytest.raises(ConfigurationError, match=", ".join(NAMES)):
        posted(inbox, NOTE)


def test_webhooks_of_one_body_that_says_of_neither_which_it_is_need_a_name(
    new_inbox: NewInbox,
) -> None:
    inbox = new_inbox()
    assert_names_needed(inbox)
    told: list[str] = []
    for name in ("payoutPaid", "PAYOUTFAILED"):
        inbox.on(name)(lambda _session, event: told.append(event.name))
    for name in NAMES:
        assert posted(inbox, NOTE, name=name).name == name
        assert posted(inbox, NOTE, name=name) is None, "one id, and two webhooks"
    assert [event.name for event in inbox.handle()] == [*NAMES]
    assert told == [*NAMES]


def test_webhooks_that_all_have_one_body_need_a_name(
    tmp_path: Path, sqlite: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = yaml.safe_load(Path(__file__).with_name("shared_notes.yaml").read_text("utf-8"))
    whole["info"]["title"] = "Two notes"
    del whole["webhooks"]["ping"]
    document = tmp_path / "two_notes.json"
    document.write_text(json.dumps(whole), encoding="utf-8")
    generated(document, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    api = importlib.import_module("two_notes_api")
    with connect(api.Client, base_url="https://pay.example") as client:
        inbox = inbox_of(sqlite, client.webhook(verify=None))
    assert_names_needed(inbox)
    assert posted(inbox, {**NOTE, "type": "payoutPaid"}).name == "payoutPaid"


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_inbox_keeps_the_spelling_of_a_name(
    sqlite: sa.Engine, payer: Any, kind: str
) -> None:
    with use_database(sqlite.url):
        inbox = AnyInbox(kind, sqlite, payer.webhook(verify=None))
        inbox.box.on("payoutpaid")(nothing)
        inbox.receive(json.dumps(NOTE).encode(), {}, name="payoutPaid")
        assert [event.name for event in inbox.handle()] == ["payoutPaid"]
        DjangoInbox._of_database.clear()


@pytest.mark.parametrize("name", ["payoutPayd", "payout_paid", "pign", "", " ", "status:paid"])
def test_a_name_like_one_of_the_document_is_refused(new_inbox: NewInbox, name: str) -> None:
    inbox = new_inbox()
    with pytest.raises(ConfigurationError, match=r"did you mean|names no event|is for an outbox"):
        inbox.on(name)
    inbox.on("brand.new")(nothing)


def test_a_caller_who_names_the_events_may_give_any_name(new_inbox: NewInbox) -> None:
    new_inbox(name=lambda _model: "payout_paid").on("payout_paid")


def test_a_handler_of_no_source_leaves_those_of_others(sqlite: sa.Engine) -> None:
    inbox = inbox_of(sqlite)
    inbox.on(source="")(nothing)
    received_number(inbox, 1)
    assert inbox.handle() == []
    assert inbox.event_counts()[EventState.WAITING] == 1
