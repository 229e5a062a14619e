"""The inbox: each notification is stored once and handled once, in any process and any order."""

import hashlib
import hmac
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
import sqlalchemy as sa
from django.core.management import call_command
from django.db import connections, transaction
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from tests.inbox import killed_workers
from tests.inbox.inboxes import AnyInbox, Gateway, posted, unknown
from tests.outbox.django_project import use_database
from tests.outbox.kinds import KINDS, async_engine
from tests.outbox.rows import (
    AUTHORIZED,
    change,
    change_events,
    end_waits,
    inbox_of,
    lengthen_waits,
    notes,
    received,
    received_number,
    waits_since,
    write,
)
from tests.providers.connected.till import client_class
from tests.providers.flexfactor.test_flexfactor_webhooks import signed, webhooks
from tests.providers.velo.test_velo_notifications import HEADER, body_of
from victor_ext import (
    AuthenticationError,
    BadRequest,
    ConfigurationError,
    Delivery,
    HmacSignature,
    InvalidRequest,
    NotFound,
    Outcome,
    ServerError,
    connect,
)
from victor_ext.event_queue.queue import MOST_TRIES
from victor_ext.inbox import AsyncInbox, EventState, InboxEvent
from victor_ext.inbox.django import DjangoInbox
from victor_ext.providers import eastpay, velo
from victor_ext.providers.connected.webhooks import DocumentWebhook
from victor_ext.sandbox.eastpay import EastPaySandbox

pytestmark = pytest.mark.slow


class UnreadableError(ValueError):
    pass


class UnknownKindError(UnreadableError):
    pass


class UntoldError(UnreadableError):
    pass


class Variant(dict[str, Any]):
    pass


def till_webhook(read_webhook: Any, **given: Any) -> DocumentWebhook:
    """The webhook of a document whose generated package reads with this function."""
    module = SimpleNamespace(
        WEBHOOKS={"paid": SimpleNamespace(tags=({"type": ("paid",)},))},
        UNTOLD=(),
        UnreadableWebhook=UnreadableError,
        UnknownWebhook=UnknownKindError,
        AmbiguousWebhook=UntoldError,
        read_webhook=read_webhook,
    )
    arguments = dict.fromkeys(("verify", "id", "name", "read")) | given
    return DocumentWebhook("Till", module, Variant, **arguments)


def read_members(
    body: Any, headers: Any = None, *, name: Any = None, verify: Any = None
) -> SimpleNamespace:
    assert name is None
    if verify is not None:
        verify(headers, body)
    content = json.loads(body)
    if content == []:
        raise UnreadableError("a list")
    return SimpleNamespace(**content)


def note(session: Any, event: InboxEvent) -> None:
    write(session, f"{event.name} {event.subject} {event.record}")


# What a handler is registered for


@pytest.mark.parametrize(
    ("webhook", "slip", "meant"),
    [
        (velo.Webhook("a" * 16), "payment.acepted", "payment.accepted"),
        (eastpay.Webhook(), "paymnet", "payment"),
        (webhooks(), "order.complete", "order.completed"),
        (webhooks(), "order_refunded", "order.refunded"),
    ],
)
def test_a_name_one_letter_off_a_known_event_is_refused_unless_it_is_meant(
    sqlite: sa.Engine, webhook: Any, slip: str, meant: str
) -> None:
    inbox = inbox_of(sqlite, webhook)
    with pytest.raises(ConfigurationError, match=f"did you mean '{meant}'"):
        inbox.on(slip)
    for name in (f"event:{slip}", meant.upper(), "brand.new.event"):
        inbox.on(name)(note)
        wanted = name.casefold().removeprefix("event:")
        assert inbox._handlers[-1].wants(wanted, "payor-1"), name


# What is a repeat


def test_velos_are_known_by_payor_and_event_id_and_gaps_stay_visible(engine: sa.Engine) -> None:
    inbox, other = inbox_of(engine), inbox_of(engine)
    assert received_number(other, 7)
    assert received_number(inbox, 3)
    assert received_number(other, 4)
    assert not received_number(inbox, 3)
    assert received(inbox, body_of(3, "e-3"), source="payor-2") is not None
    assert other.gaps("payor-1") == [range(5, 7)]
    assert other.gaps("payor-1", after=0) == [range(1, 3), range(5, 7)]
    assert other.gaps("payor-2") == []
    assert other.gaps() == []
    received_number(inbox, 6)
    assert other.gaps("payor-1") == [range(5, 6)]


def refund(nonce: str, at: str = "10:00:00Z", *, resent: bool = False, order: str = "o-1") -> Any:
    """The body and the headers of a notification of FlexFactor's, which says that an order was
    refunded.
    """
    members = {"Event": "order.refunded", "OrderId": order, "TimeStamp": f"2026-03-04T{at}"}
    body = json.dumps({**members, "IsResent": resent}).encode()
    return body, signed(body, by=nonce)


TWO_EQUAL_REFUNDS = {
    "a second apart": [refund("n1"), refund("n2", "10:00:01Z")],
    "in one second": [refund("n1"), refund("n2")],
    "down for the second": [refund("n1"), refund("n2", "10:00:01Z", resent=True)],
    "down for the second, in one second": [refund("n1"), refund("n2", resent=True)],
    "down for both": [refund("n1", resent=True), refund("n2", "10:00:01Z", resent=True)],
    "down for both, in one second": [refund("n1", resent=True), refund("n2", resent=True)],
}


@pytest.mark.parametrize("name", TWO_EQUAL_REFUNDS)
def test_what_may_be_another_event_is_handled(engine: sa.Engine, name: str) -> None:
    """Each request is sent three times: FlexFactor's nonce proves that it is the same."""
    orders = SimpleNamespace(get=lambda order_id: f"order {order_id}")
    inbox = inbox_of(engine, webhooks(), SimpleNamespace(orders=orders))
    inbox.on("order.refunded")(note)
    first, second = TWO_EQUAL_REFUNDS[name]
    requests = (first, second, first, second, second, first)
    are_new = [received(inbox, *request) is not None for request in requests]
    assert are_new == [True, True, False, False, False, False]
    assert len(inbox.handle()) == 2
    assert notes(inbox) == ["order.refunded o-1 order o-1"] * 2
    assert received(inbox, *first) is None, "it is handled, and remembered"


def test_a_nonce_that_comes_with_another_content_is_no_repeat(engine: sa.Engine) -> None:
    inbox = inbox_of(engine, webhooks())
    assert received(inbox, *refund("n1")) is not None
    assert received(inbox, *refund("n1", order="o-2")) is not None


def test_eastpays_are_hints_and_a_handler_is_called_once_for_each_result(engine: sa.Engine) -> None:
    gateway = Gateway()
    inbox = inbox_of(engine, eastpay.Webhook(), gateway)
    inbox.on("payment")(lambda session, event: write(session, event.record.result.code))
    hint = {"id": "8ac7a4a1", "result": {"code": "000.000.000"}}
    assert [posted(inbox, hint) is None for _ in range(3)] == [False, True, True]
    assert len(inbox.handle()) == 1
    assert gateway.asked == 1
    posted(inbox, hint)
    assert inbox.handle() == []
    assert gateway.asked == 2  # nothing is new
    posted(inbox, hint)
    gateway.says = ServerError("down", outcome=Outcome.UNKNOWN)
    for _ in range(2):
        with pytest.raises(ServerError):
            inbox.handle()
        assert inbox.handle() == []  # others would come first
        end_waits(inbox)
    gateway.says = "000.000.000"
    assert [event.tries for event in inbox.handle()] == [1]  # an interruption is no try
    assert notes(inbox) == ["000.200.000", "000.000.000"]
    posted(inbox, hint)
    without_client = inbox_of(engine, eastpay.Webhook())
    without_client.on()(note)
    with pytest.raises(ConfigurationError, match="only a hint"):
        without_client.handle()


def test_a_documents_are_known_by_the_usual_members(engine: sa.Engine) -> None:
    webhook = till_webhook(read_members, read=lambda client, model: f"{client}{model.id}")
    inbox = inbox_of(engine, webhook, "read ")
    inbox.on("PAID")(note)
    for members, headers in (
        ({"event_id": "1", "id": "o"}, {}),
        ({"id": "2"}, {"Webhook-Id": "1"}),
        ({"eventId": 3, "id": "o"}, {}),
        ({"id": "o", "status": "a"}, {}),
        ({"id": "o", "status": "b"}, {}),
        ({"status": "b", "id": "o"}, {}),
    ):
        posted(inbox, {"type": "paid", **members}, headers)
    assert [event.subject for event in inbox.handle()] == ["1", "3", "o", "o"]
    assert notes(inbox) == ["paid 1 read o", "paid 3 read o", "paid o read o", "paid o read o"]


def test_a_documents_are_known_as_the_caller_says(engine: sa.Engine) -> None:
    webhook = till_webhook(
        read_members,
        id=lambda headers, model: headers["x"] + model.n,
        name=lambda model: model.n,
    )
    inbox = inbox_of(engine, webhook)
    event = posted(inbox, {"n": "A"}, {"X": "b"})
    assert event.name == "A"
    assert event.subject == "bA"
    usual = inbox_of(engine, till_webhook(read_members))
    with pytest.raises(ConfigurationError, match="pass webhook"):
        posted(usual, {"n": 1})
    with pytest.raises(InvalidRequest, match="not a notification of Till's"):
        posted(usual, [])
    signature = HmacSignature(header="x", secret="s" * 16)
    verifying = inbox_of(engine, till_webhook(read_members, verify=signature))
    with pytest.raises(AuthenticationError):
        posted(verifying, {"id": "9"})


ACCOUNT = {"id": "a-1", "owner": "Ada"}


def test_webhooks_that_need_a_name_are_received_by_it(
    engine: sa.Engine, bank: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said when the inbox is made; and without it a genuine one is not refused for good."""
    webhook = bank.webhook(verify=None)
    inbox = inbox_of(engine, webhook)
    assert "receive(..., name=) for these: opened, frozen." in caplog.text
    assert webhook.needs_name == ("opened", "frozen")
    told: list[tuple[str, str, str]] = []

    @inbox.on()
    def tell(_session: object, event: InboxEvent) -> None:
        told.append((event.name, event.subject, type(event.notification).__name__))

    with pytest.raises(ConfigurationError, match=r"receive\(\.\.\., name=\)"):
        posted(inbox, ACCOUNT)
    with pytest.raises(ConfigurationError, match=r"'nope' is no webhook of .* opened, frozen"):
        posted(inbox, ACCOUNT, name="nope")
    for name in ("opened", "frozen"):  # one body, two events
        assert posted(inbox, ACCOUNT, name=name) is not None
        assert posted(inbox, ACCOUNT, name=name) is None
    for word in ("created", "updated"):
        assert posted(inbox, {"type": word, "id": "e-1"}) is not None
    inbox.handle()
    assert told == [
        ("opened", "a-1", "Account"),
        ("frozen", "a-1", "Account"),
        ("created", "e-1", "Notice"),
        ("updated", "e-1", "Notice"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_inbox_takes_the_name_and_wants_to_know_the_source(
    sqlite: sa.Engine, bank: Any, kind: str
) -> None:
    body = json.dumps(ACCOUNT).encode()
    with use_database(sqlite.url):
        inbox = AnyInbox(kind, sqlite, bank.webhook(verify=None))
        for name in ("opened", "frozen", "frozen"):
            inbox.receive(body, {}, name=name)
        assert [event.name for event in inbox.handle()] == ["opened", "frozen"]
        for source in (None, " ", 7):
            with pytest.raises(ConfigurationError, match="names nobody: write source="):
                inbox.receive(body, {}, name="opened", source=source)
        DjangoInbox._of_database.clear()


def test_a_kind_that_is_new_is_stored_once_and_handled(engine: sa.Engine, bank: Any) -> None:
    webhook = bank.webhook(
        verify=None,
        id=lambda _headers, model: f"own {model.id}",
        name=lambda model: model.type_,
        read=lambda _client, model: model.id,
    )
    inbox = inbox_of(engine, webhook, bank)
    inbox.on("merged")(note)
    new = {"type": "merged", "id": "e-9", "into": 12345678901234567.5}
    assert posted(inbox, new) is not None
    assert posted(inbox, new) is None
    (event,) = inbox.handle()
    assert event.name == "merged"
    assert event.subject == "e-9"
    assert event.record is None
    assert event.notification["into"] == new["into"]
    assert len(notes(inbox)) == 1


BYTES = [
    b"",
    b"\xff",
    b'{"id": "\xff"}',
    b'{"id": "\xed\xa0\x80", "type": "created"}',
    b"[" * 9_999,
    b'"\xed\xa0\x80"',
    b"null",
    b"\xef\xbb\xbf",
    b"\xff\xfe{",
    b"{}\x00",
    b'{"id": NaN}',
]


@pytest.mark.parametrize("system", ["velo", "eastpay", "flexfactor", "connect"])
@pytest.mark.parametrize("body", BYTES, ids=repr)
def test_bytes_that_are_no_notification_are_refused_by_name(
    sqlite: sa.Engine, bank: Any, system: str, body: bytes
) -> None:
    webhook, headers = {
        "velo": (velo.Webhook(HEADER), AUTHORIZED),
        "eastpay": (eastpay.Webhook(), {}),
        "flexfactor": (webhooks(), signed(body)),
        "connect": (bank.webhook(verify=None), {}),
    }[system]
    with pytest.raises(InvalidRequest) as caught:
        received(inbox_of(sqlite, webhook), body, headers)
    assert [problem.code for problem in caught.value.problems] == ["notification"]


def test_a_kind_that_is_new_is_refused_by_name_if_it_is_nested_too_deeply(
    engine: sa.Engine, bank: Any
) -> None:
    inbox = inbox_of(engine, bank.webhook(verify=None))
    for levels in (1, 100, 300, 500, 700, 900, 5000):
        body = b'{"type": "new", "id": "%d", "x": ' % levels
        with suppress(InvalidRequest):
            posted(inbox, body + b"[" * levels + b"]" * levels + b"}")
    inbox.on()(note)
    handled = len(inbox.handle())
    assert handled == sum(inbox.event_counts().values()) + len(notes(inbox))
    assert handled > 0


def test_a_name_is_refused_where_the_notifications_say_what_they_are(engine: sa.Engine) -> None:
    with pytest.raises(ConfigurationError, match="Leave name out"):
        received(inbox_of(engine), body_of(), name="payment.accepted")


def test_the_webhooks_of_a_document_are_its_models_with_all_digits(engine: sa.Engine) -> None:
    body, secret = b'{"payment_id": "p-1042", "fee": 0.30}', "the secret of the shop"
    headers = {"x-till-signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}
    fees: list[str] = []
    with connect(client_class(), base_url="https://till.example") as till:
        verify = HmacSignature(header="X-Till-Signature", secret=secret)
        webhook = till.webhook(verify=verify, id=lambda _, settlement: settlement.payment_id)
        inbox = inbox_of(engine, webhook)
        inbox.on()(lambda _session, event: fees.append(str(event.notification.fee)))
        assert received(inbox, body, headers) is not None
        assert received(inbox, body, headers) is None
        with pytest.raises(AuthenticationError):
            received(inbox, body.replace(b"3", b"4"), headers)
        assert [event.subject for event in inbox.handle()] == ["p-1042"]
    assert fees == ["0.30"]


def test_what_is_not_the_systems_is_not_stored(engine: sa.Engine) -> None:
    inbox = inbox_of(engine)
    with pytest.raises(AuthenticationError):
        received(inbox, body_of(), {"Authorization": HEADER + "x"})
    with pytest.raises(InvalidRequest):
        received(inbox, b"{}")
    with Session(engine) as session:
        inbox.receive(session, body_of(), AUTHORIZED)
        session.rollback()
    assert sum(inbox.event_counts().values()) == 0


def test_an_id_that_no_database_takes_is_stored_in_another_form(engine: sa.Engine) -> None:
    inbox = inbox_of(engine)
    odd = received(inbox, body_of(1, "a \0 byte and half of a character \ud83d" + "x" * 3000))
    assert odd is not None  # PostgreSQL would take none of the three
    assert received(inbox, body_of(1, odd.notification.event_id)) is None


class WebhookWithIds:
    """A webhook of the user's own, whose requests have the ids in their body."""

    provider = "Own"

    def delivery(self, body: bytes, _headers: Any) -> Delivery:
        ids = json.loads(body)
        return Delivery(name="paid", subject=ids[0], content=body.decode(), ids=tuple(ids))

    def notification(self, content: str) -> Any:
        return json.loads(content)

    def reading(self, _client: Any, _notification: Any) -> None:
        return None

    def state_of(self, _record: Any) -> None:
        return None


def test_what_has_several_ids_is_a_repeat_if_one_of_them_came_before(engine: sa.Engine) -> None:
    """And those of a repeat have come, too."""
    inbox = inbox_of(engine, WebhookWithIds())
    requests = (["a", "b"], ["b", "c"], ["c", "a"], ["d", "c"], ["d"], ["e", "f"])
    are_new = [posted(inbox, ids) is not None for ids in requests]
    assert are_new == [True, False, False, False, False, True]


def test_four_processes_that_receive_the_same_store_it_once(engine: sa.Engine) -> None:
    start, inbox = threading.Barrier(4), inbox_of(engine)

    def post(_: int) -> list[bool]:
        start.wait(60)
        return [received_number(inbox, number) for number in range(1, 21)]

    with ThreadPoolExecutor(4) as threads:
        stored = [*threads.map(post, range(4))]
    assert [sum(each) for each in zip(*stored, strict=True)] == [1] * 20


def test_inboxes_of_two_systems_share_their_tables_and_nothing_else(engine: sa.Engine) -> None:
    told: list[str] = []
    till, velos = inbox_of(engine, till_webhook(read_members)), inbox_of(engine)
    till.on()(lambda _session, event: told.append(event.notification.type))
    velos.on()(lambda _session, event: told.append(event.notification.event_name))
    assert received(velos, body_of(3, "e-1")) is not None
    assert posted(till, {"id": "e-1", "type": "paid"}) is not None
    assert posted(till, {"id": "e-1", "type": "paid"}) is None
    assert len(till.handle()) == 1
    assert told == ["paid"]
    assert till.gaps("payor-1", after=0) == []
    assert len(velos.handle()) == 1
    assert told == ["paid", "payment.accepted"]
    assert velos.gaps("payor-1", after=0) == [range(1, 3)]


# How it is handled


def test_the_object_is_read_before_the_transaction_opens(engine: sa.Engine) -> None:
    under_way: list[None] = []
    sa.event.listen(engine, "begin", lambda _: under_way.append(None))
    for name in ("commit", "rollback"):
        sa.event.listen(engine, name, lambda _: under_way.clear())
    reads: list[tuple[str, bool]] = []

    def get(id: str) -> str:
        reads.append((id, bool(under_way)))
        return f"read {id}"

    resource = SimpleNamespace(get=get)
    inbox = inbox_of(engine, client=SimpleNamespace(payments=resource, payees=resource))
    inbox.on("payment.accepted", source="payor-1")(note)
    received_number(inbox, 1, paymentId="p")
    received_number(inbox, 2, payeeId="q")
    received_number(inbox, 3)
    received(inbox, body_of(1, "e-9"), source="payor-2")
    assert len(inbox.handle()) == 3
    assert reads == [("p", False), ("q", False)]
    assert notes(inbox) == [
        "payment.accepted e-1 read p",
        "payment.accepted e-2 read q",
        "payment.accepted e-3 None",
    ]
    assert inbox.event_counts()[EventState.WAITING] == 1


def test_what_cannot_be_read_is_a_dead_letter_and_keeps_nobody_waiting(engine: sa.Engine) -> None:
    def get(payment_id: str) -> str:
        if payment_id == "gone":
            raise NotFound("gone", outcome=Outcome.REJECTED)
        return payment_id

    inbox = inbox_of(engine, client=SimpleNamespace(payments=SimpleNamespace(get=get)))
    inbox.on()(note)
    received_number(inbox, 1, paymentId="gone")
    received_number(inbox, 2, paymentId="there")
    assert [event.subject for event in inbox.handle()] == ["e-2"]
    for _ in range(MOST_TRIES - 1):
        end_waits(inbox)
        inbox.handle()
    (letter,) = inbox.dead_letters()
    assert letter.subject == "e-1"
    assert letter.source == "payor-1"


@pytest.mark.parametrize("error", [NotFound, BadRequest])
@pytest.mark.parametrize("system", ["eastpay", "connect"])
def test_an_id_that_the_system_does_not_know_ends_after_three_inquiries(
    engine: sa.Engine,
    bank: Any,
    monkeypatch: pytest.MonkeyPatch,
    error: type[NotFound | BadRequest],
    system: str,
) -> None:
    """Where anybody can post: it is no dead letter, and few are kept."""
    monkeypatch.setattr("victor_ext.inbox.inboxes._MOST_NOT_FOUND", 4)
    gateway = Gateway(unknown(error))
    by_inquiry = bank.webhook(verify=None, read=lambda client, model: client.inquire(model.id))
    inbox = inbox_of(engine, eastpay.Webhook() if system == "eastpay" else by_inquiry, gateway)
    inbox.on()(note)
    for number in range(6):
        posted(inbox, {"type": "created", "id": f"forged-{number}"})
    for _ in range(4):
        assert inbox.handle() == []
        end_waits(inbox)
    assert gateway.asked == 6 * 3
    assert inbox.dead_letters() == []
    assert notes(inbox) == []
    newest = inbox.dead_letters("not_found")
    assert [letter.subject for letter in newest] == [f"forged-{number}" for number in range(2, 6)]
    counts = inbox.event_counts()
    assert counts[EventState.NOT_FOUND] == 4 == sum(counts.values())
    assert inbox.retry_dead_letters() == 0
    assert inbox.retry_dead_letters(newest[0].id) == 1


def test_a_payment_that_can_be_read_late_is_handled(engine: sa.Engine) -> None:
    inbox = inbox_of(engine, eastpay.Webhook(), Gateway(unknown(NotFound)))
    inbox.on()(note)
    posted(inbox, {"id": "8ac7a4a1"})
    for _ in range(2):
        began = time.time()
        assert inbox.handle() == []
        assert waits_since(inbox, began)[0] > 1, "it waits for its next try"
        lengthen_waits(inbox)
        assert inbox.handle() == []
        end_waits(inbox)
    inbox.client = Gateway()
    assert [event.subject for event in inbox.handle()] == ["8ac7a4a1"]


def test_the_gateway_of_eastpay_knows_no_forged_id(engine: sa.Engine) -> None:
    with EastPaySandbox() as sandbox:
        merchant = sandbox.add_merchant()
        options: Any = {"base_url": f"{sandbox.url}/eastpay", "entity_id": merchant.entity_id}
        with eastpay.EastPay(merchant.token, entity_type="MERCHANT", **options) as client:
            inbox = inbox_of(engine, eastpay.Webhook(), client)
            inbox.on()(note)
            posted(inbox, {"id": "8ac7a4a1deadbeef"})
            for _ in range(3):
                assert inbox.handle() == []
                end_waits(inbox)
    assert inbox.event_counts()[EventState.NOT_FOUND] == 1


def test_what_was_discarded_is_remembered(engine: sa.Engine) -> None:
    inbox = inbox_of(engine)
    received_number(inbox, 1)
    change_events(inbox, state="dead", error="ValueError: no")
    (letter,) = inbox.dead_letters()
    inbox.discard(letter.id, by="Zoë", why="it is a test.")
    assert not received_number(inbox, 1)


def test_what_is_older_than_anybody_repeats_is_forgotten(engine: sa.Engine) -> None:
    """But not what was read: anybody can post the id of an old payment."""
    inbox, hints = inbox_of(engine), inbox_of(engine, eastpay.Webhook(), Gateway())
    hints.on()(note)
    for handled in (1, 0):
        received(inbox, body_of())
        posted(hints, {"id": "8ac7a4a1"})
        assert len(hints.handle()) == handled
        change(inbox, received_at=0.0)
        for box in (inbox, hints):
            box._forgotten_at = float("-inf")
            box.handle()
    assert received(inbox, body_of()) is not None


def test_the_awaited_inbox(sqlite: sa.Engine) -> None:
    blocking = inbox_of(sqlite)
    for number in (1, 1, 3):
        received_number(blocking, number, paymentId=f"p-{number}")
    told: list[str] = []

    async def get(payment_id: str) -> str:
        return f"read {payment_id}"

    async def work() -> None:
        engine = async_engine(sqlite)
        client = SimpleNamespace(payments=SimpleNamespace(get=get))
        inbox = AsyncInbox(engine, velo.Webhook(HEADER), client=client)

        @inbox.on("payment.accepted")
        async def accepted(session: AsyncSession, event: InboxEvent) -> None:
            told.append(f"{await session.scalar(sa.text('SELECT 1'))} {event.record}")
            scope.cancel()

        assert await inbox.gaps("payor-1") == [range(2, 3)]
        with anyio.CancelScope() as scope:
            await inbox.run()
        await engine.dispose()

    anyio.run(work)
    assert told[:1] == ["1 read p-1"]


def test_the_inbox_on_the_transactions_of_django(engine: sa.Engine) -> None:
    def keep(using: str, event: InboxEvent) -> None:
        with connections[using].cursor() as cursor:
            cursor.execute("INSERT INTO notes VALUES (%s)", [event.subject])

    with use_database(engine.url):
        inbox = AnyInbox("django", engine, velo.Webhook(HEADER))
        inbox.box.on()(keep)
        assert not DjangoInbox(eastpay.Webhook())._handlers
        with pytest.raises(transaction.TransactionManagementError, match="call receive"):
            inbox.box.receive(body_of(), AUTHORIZED)
        for number in (1, 1, 4):
            inbox.receive(body_of(number, f"e-{number}"), AUTHORIZED)
        by_sqlalchemy = inbox_of(engine)
        assert received(by_sqlalchemy, body_of(4, "e-4"), source="") is None
        assert [event.subject for event in inbox.handle()] == ["e-1", "e-4"]
        assert notes(by_sqlalchemy) == ["e-1", "e-4"]
        assert inbox.box.gaps() == [range(2, 4)]
        DjangoInbox._of_database.clear()
        call_command("migrate", "victor_inbox", "zero", verbosity=0)
        assert not [name for name in sa.inspect(engine).get_table_names() if "inbox" in name]


@pytest.mark.parametrize("events", [60, pytest.param(10_000, marks=pytest.mark.nightly)])
def test_each_is_handled_once_by_three_processes_that_are_killed(
    database_url: str, events: int
) -> None:
    """Notifications that come 1 to 5 times and out of order, and changes that several workers
    see.
    """
    kills = 3 if events < 100 else 30
    handled = killed_workers.run(database_url, events, processes=3, kills=kills, seed=1)
    assert handled == {1: events}
