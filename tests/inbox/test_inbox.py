"""The inbox: each notification is stored once and handled once, in any process and any order."""

import hashlib
import hmac
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from tests.inbox import killed_workers
from tests.outbox.conftest import NOTES
from tests.outbox.django_project import set_up, use_database
from tests.outbox.test_outbox_events import let_time_pass, notes
from tests.providers.connected.till import client_class
from tests.providers.flexfactor.test_flexfactor_webhooks import signed, webhooks
from tests.providers.velo.test_velo_notifications import HEADER, body_of
from victor_ext import (
    AuthenticationError,
    ConfigurationError,
    HmacSignature,
    InvalidRequest,
    NotFound,
    Outcome,
    ServerError,
    connect,
)
from victor_ext.event_queue.queue import MOST_TRIES
from victor_ext.inbox import AsyncInbox, EventState, Inbox, InboxEvent
from victor_ext.providers import eastpay, velo
from victor_ext.providers.connected.webhooks import DocumentWebhook

pytestmark = pytest.mark.slow
AUTHORIZED = {"Authorization": HEADER}


def inbox_of(engine: sa.Engine, webhook: Any = None, client: Any = None) -> Inbox:
    made = Inbox(engine, velo.Webhook(HEADER) if webhook is None else webhook, client=client)
    made.create_table()
    return made


def received(
    inbox: Inbox, body: bytes, headers: Any = AUTHORIZED, source: str = "payor-1"
) -> InboxEvent | None:
    with Session(inbox._engine) as session, session.begin():
        return inbox.receive(session, body, headers, source=source)


def note(session: Any, event: InboxEvent) -> None:
    session.execute(sa.insert(NOTES).values(text=f"{event.name} {event.subject} {event.record}"))


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
    engine: sa.Engine, webhook: Any, slip: str, meant: str
) -> None:
    inbox = inbox_of(engine, webhook)
    with pytest.raises(ConfigurationError, match=f"did you mean '{meant}'"):
        inbox.on(slip)
    for name in (f"event:{slip}", meant.upper(), "brand.new.event"):
        inbox.on(name)(note)
        wanted = name.casefold().removeprefix("event:")
        assert inbox._handlers[-1].wants(wanted, "payor-1"), name


# What is a repeat


def test_velos_are_known_by_payor_and_event_id_and_gaps_stay_visible(engine: sa.Engine) -> None:
    inbox, other = inbox_of(engine), inbox_of(engine)
    for number in (7, 3, 4, 3):
        inbox_or_other = inbox if number == 3 else other
        event = received(inbox_or_other, body_of(number, f"e-{number}"))
    assert event is None
    assert received(inbox, body_of(3, "e-3"), source="payor-2") is not None
    assert other.gaps("payor-1") == [range(5, 7)]
    assert other.gaps("payor-1", after=0) == [range(1, 3), range(5, 7)]
    assert (other.gaps("payor-2"), other.gaps()) == ([], [])
    received(inbox, body_of(6, "e-6"))
    assert other.gaps("payor-1") == [range(5, 6)]


def test_a_resent_one_of_flexfactors_is_a_repeat_and_an_equal_one_is_not(engine: sa.Engine) -> None:
    def post(nonce: str, **members: Any) -> bool:
        said = {
            "Event": "order.refunded",
            "OrderId": "o-1",
            "TimeStamp": "t1",
            "IsResent": False,
            **members,
        }
        body = json.dumps(said).encode()
        return received(inbox_of(engine, webhooks()), body, signed(body, by=nonce)) is not None

    assert post("n1")
    assert not post("n1")  # replayed
    assert not post("n2", IsResent=True)
    assert not post("n3", IsResent=True, TimeStamp="t2")
    assert post("n4", TimeStamp="t3")  # a second refund of the same order
    assert not post("n5", TimeStamp="t3")  # the same content
    assert post("n6", IsResent=True, OrderId="o-2")  # the first that arrives of it
    inbox = inbox_of(
        engine, webhooks(), SimpleNamespace(orders=SimpleNamespace(get=lambda id: f"order {id}"))
    )
    inbox.on("order.refunded")(note)
    assert len(inbox.handle()) == 3
    assert notes(engine) == ["order.refunded o-1 order o-1"] * 2 + ["order.refunded o-2 order o-2"]


class Gateway:
    """EastPay's inquiry: what it says next."""

    def __init__(self) -> None:
        self.payments, self.asked, self.says = self, 0, "000.200.000"

    def inquire(self, payment_id: str) -> Any:
        self.asked += 1
        if self.says == "down":
            raise ServerError("down", outcome=Outcome.UNKNOWN)
        return SimpleNamespace(
            id=payment_id, payment_type="DB", result=SimpleNamespace(code=self.says)
        )


def test_eastpays_are_hints_and_a_handler_is_called_once_for_each_result(engine: sa.Engine) -> None:
    gateway = Gateway()
    inbox = inbox_of(engine, eastpay.Webhook(), gateway)
    inbox.on("payment")(
        lambda session, event: note(
            session, InboxEvent(event.record.result.code, "", event.subject, "")
        )
    )
    forged = b'{"id": "8ac7a4a1", "result": {"code": "000.000.000"}}'
    assert [received(inbox, forged, {}) is None for _ in range(3)] == [False, True, True]
    assert (len(inbox.handle()), gateway.asked) == (1, 1)
    received(inbox, forged, {})
    assert (inbox.handle(), gateway.asked) == ([], 2)  # nothing is new
    received(inbox, forged, {})
    for gateway.says in ("down", "down"):
        with pytest.raises(ServerError):
            inbox.handle()
        assert inbox.handle() == []  # others would come first
        let_time_pass(inbox, engine)
    gateway.says = "000.000.000"
    assert [event.tries for event in inbox.handle()] == [1]  # an interruption is no try
    assert notes(engine) == ["000.200.000 8ac7a4a1 None", "000.000.000 8ac7a4a1 None"]
    received(inbox, forged, {})
    with pytest.raises(ConfigurationError, match="only a hint"):
        (lonely := inbox_of(engine, eastpay.Webhook())).on()(note), lonely.handle()


def test_a_documents_are_known_by_the_usual_members_or_as_the_caller_says(
    engine: sa.Engine,
) -> None:
    def read_webhook(body: Any, headers: Any = None, *, verify: Any = None) -> Any:
        if verify is not None:
            verify(headers, body)
        if (content := json.loads(body)) == []:
            raise ValueError("a list")
        return SimpleNamespace(**content)

    def webhook(**given: Any) -> DocumentWebhook:
        return DocumentWebhook(
            "Till", read_webhook, **{**dict.fromkeys(("verify", "id", "name", "read")), **given}
        )

    inbox = inbox_of(engine, webhook(read=lambda client, model: f"{client}{model.id}"), "read ")
    inbox.on("PAID")(note)
    for body, headers in (
        ({"event_id": "1", "id": "o"}, {}),
        ({"id": "2"}, {"Webhook-Id": "1"}),
        ({"eventId": 3, "id": "o"}, {}),
        ({"id": "o", "status": "a"}, {}),
        ({"id": "o", "status": "b"}, {}),
        ({"status": "b", "id": "o"}, {}),
    ):
        received(inbox, json.dumps({"type": "paid", **body}).encode(), headers)
    assert [event.subject for event in inbox.handle()] == ["1", "3", "o", "o"]
    assert notes(engine) == ["paid 1 read o", "paid 3 read o", "paid o read o", "paid o read o"]
    own = inbox_of(
        engine,
        webhook(id=lambda headers, model: headers["x"] + model.n, name=lambda model: model.n),
    )
    event = received(own, b'{"n": "A"}', {"X": "b"})
    assert event is not None
    assert (event.name, event.subject) == ("a", "bA")
    with pytest.raises(ConfigurationError, match="pass webhook"):
        received(inbox, b'{"n": 1}')
    with pytest.raises(InvalidRequest, match="not a notification of Till's"):
        received(inbox, b"[]")
    with pytest.raises(AuthenticationError):
        received(
            inbox_of(engine, webhook(verify=HmacSignature(header="x", secret="s" * 16))),
            b'{"id": "9"}',
        )


def test_the_webhooks_of_a_document_are_its_models_with_all_digits(engine: sa.Engine) -> None:
    body, secret = b'{"payment_id": "p-1042", "fee": 0.30}', "the secret of the shop"
    headers = {"x-till-signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}
    fees: list[str] = []
    with connect(client_class(), base_url="https://till.example") as till:
        verify = HmacSignature(header="X-Till-Signature", secret=secret)
        inbox = inbox_of(
            engine,
            till.webhook(verify=verify, id=lambda _headers, settlement: settlement.payment_id),
        )
        inbox.on()(lambda _session, event: fees.append(str(event.notification.fee)))
        assert [received(inbox, body, headers) is None for _ in range(2)] == [False, True]
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
    odd = received(inbox, body_of(1, "a \0 byte and half of a character \ud83d" + "x" * 3000))
    assert odd is not None  # PostgreSQL would take none of the three
    assert received(inbox, body_of(1, odd.notification.event_id)) is None


def test_four_processes_that_receive_the_same_store_it_once(engine: sa.Engine) -> None:
    start, inbox = threading.Barrier(4), inbox_of(engine)

    def post(_: int) -> list[bool]:
        start.wait(60)
        return [
            received(inbox, body_of(number, f"e-{number}")) is not None for number in range(1, 21)
        ]

    with ThreadPoolExecutor(4) as threads:
        stored = [*threads.map(post, range(4))]
    assert [sum(each) for each in zip(*stored, strict=True)] == [1] * 20


def test_inboxes_of_two_systems_share_their_tables_and_nothing_else(engine: sa.Engine) -> None:
    def read_webhook(body: Any, _headers: Any = None, *, verify: Any = None) -> Any:
        return SimpleNamespace(**json.loads(body))

    told: list[str] = []
    till = inbox_of(engine, DocumentWebhook("Till", read_webhook, None, None, None, None))
    velos = inbox_of(engine)
    till.on()(lambda _session, event: told.append(event.notification.type))
    velos.on()(lambda _session, event: told.append(event.notification.event_name))
    assert received(velos, body_of(3, "e-1")) is not None
    assert received(till, b'{"id": "e-1", "type": "paid"}') is not None
    assert received(till, b'{"id": "e-1", "type": "paid"}') is None
    assert (len(till.handle()), told, till.gaps("payor-1", after=0)) == (1, ["paid"], [])
    assert (len(velos.handle()), told[1:], velos.gaps("payor-1", after=0)) == (
        1,
        ["payment.accepted"],
        [range(1, 3)],
    )


# How it is handled


def test_the_object_is_read_before_the_transaction_opens(engine: sa.Engine) -> None:
    under_way: list[int] = []
    sa.event.listen(engine, "begin", lambda _: under_way.append(1))
    for name in ("commit", "rollback"):
        sa.event.listen(engine, name, lambda _: under_way.pop() if under_way else None)
    reads: list[tuple[str, int]] = []
    resource = SimpleNamespace(get=lambda id: reads.append((id, len(under_way))) or f"read {id}")
    inbox = inbox_of(engine, client=SimpleNamespace(payments=resource, payees=resource))
    inbox.on("payment.accepted", source="payor-1")(note)
    for number, about in enumerate(({"paymentId": "p"}, {"payeeId": "q"}, {})):
        received(inbox, body_of(number + 1, f"e-{number}", **about))
    received(inbox, body_of(1, "e-9"), source="payor-2")
    assert len(inbox.handle()) == 3
    assert reads == [("p", 0), ("q", 0)]
    assert notes(engine) == [
        f"payment.accepted e-{n} {said}" for n, said in enumerate(("read p", "read q", None))
    ]
    assert inbox.event_counts()[EventState.WAITING] == 1


def test_what_cannot_be_read_is_a_dead_letter_and_keeps_nobody_waiting(engine: sa.Engine) -> None:
    def get(payment_id: str) -> str:
        if payment_id == "gone":
            raise NotFound("gone", outcome=Outcome.REJECTED)
        return payment_id

    inbox = inbox_of(engine, client=SimpleNamespace(payments=SimpleNamespace(get=get)))
    inbox.on()(note)
    received(inbox, body_of(1, "e-1", paymentId="gone"))
    received(inbox, body_of(2, "e-2", paymentId="there"))
    assert [event.subject for event in inbox.handle()] == ["e-2"]
    for _ in range(MOST_TRIES - 1):
        let_time_pass(inbox, engine)
        inbox.handle()
    assert [(letter.subject, letter.source) for letter in inbox.dead_letters()] == [
        ("e-1", "payor-1")
    ]


def test_what_is_older_than_anybody_repeats_is_forgotten(engine: sa.Engine) -> None:
    """But not what was read: anybody can post the id of an old payment."""
    inbox, hints = inbox_of(engine), inbox_of(engine, eastpay.Webhook(), Gateway())
    hints.on()(note)
    for handled in (1, 0):
        received(inbox, body_of())
        received(hints, b'{"id": "8ac7a4a1"}', {})
        assert len(hints.handle()) == handled
        with engine.begin() as connection:
            connection.execute(sa.update(inbox.table).values(received_at=0.0))
        for each in (inbox, hints):
            each._forgotten_at = float("-inf")
            each.handle()
    assert received(inbox, body_of()) is not None


def test_the_awaited_inbox(tmp_path: Any) -> None:
    async def get(payment_id: str) -> str:
        return f"read {payment_id}"

    async def work() -> list[str]:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'a.sqlite'}")
        inbox = AsyncInbox(
            engine, velo.Webhook(HEADER), client=SimpleNamespace(payments=SimpleNamespace(get=get))
        )
        await inbox.create_table()
        told: list[str] = []

        @inbox.on("payment.accepted")
        async def accepted(session: AsyncSession, event: InboxEvent) -> None:
            told.append(f"{(await session.execute(sa.text('SELECT 1'))).scalar()} {event.record}")
            scope.cancel()

        for number in (1, 1, 3):
            async with AsyncSession(engine) as session, session.begin():
                await inbox.receive(
                    session, body_of(number, f"e-{number}", paymentId=f"p-{number}"), AUTHORIZED
                )
        assert await inbox.gaps() == [range(2, 3)]
        with anyio.CancelScope() as scope:
            await inbox.run()
        await engine.dispose()
        return told

    assert anyio.run(work)[:1] == ["1 read p-1"]


def test_the_inbox_on_the_transactions_of_django(engine: sa.Engine) -> None:
    set_up()
    from django.core.management import call_command
    from django.db import connections, transaction

    from victor_ext.inbox.django import DjangoInbox

    def keep(using: str, event: InboxEvent) -> None:
        with connections[using].cursor() as cursor:
            cursor.execute("INSERT INTO notes VALUES (%s)", [event.subject])

    with use_database(engine.url):
        call_command("migrate", "victor_inbox", verbosity=0)
        inbox = DjangoInbox(velo.Webhook(HEADER))
        inbox.on()(keep)
        assert not DjangoInbox(eastpay.Webhook())._handlers
        with pytest.raises(transaction.TransactionManagementError, match="call receive"):
            inbox.receive(body_of(), AUTHORIZED)
        for number in (1, 1, 4):
            with transaction.atomic():
                inbox.receive(body_of(number, f"e-{number}"), AUTHORIZED)
        assert received(inbox_of(engine), body_of(4, "e-4"), source="") is None
        assert [event.subject for event in inbox.handle()] == notes(engine) == ["e-1", "e-4"]
        assert inbox.gaps() == [range(2, 4)]
        DjangoInbox._of_database.clear()
        call_command("migrate", "victor_inbox", "zero", verbosity=0)
        assert not {name for name in sa.inspect(engine).get_table_names() if "inbox" in name}


@pytest.mark.thorough
@pytest.mark.parametrize("events", [60, pytest.param(10_000, marks=pytest.mark.nightly)])
def test_each_is_handled_once_by_three_processes_that_are_killed(
    database_url: str, events: int
) -> None:
    """Notifications that come 1 to 5 times and out of order, and changes that several workers
    see.
    """
    assert killed_workers.run(
        database_url, events, processes=3, kills=3 if events < 100 else 30, seed=1
    ) == {1: events}
