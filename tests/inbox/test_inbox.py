"""The inbox: each notification is stored once and handled once, in any process and any order."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import anyio
import pytest
import sqlalchemy as sa
from django.core.management import call_command
from django.db import connections, transaction
from sqlalchemy.orm import Session

from tests.inbox import killed_workers
from tests.inbox.inboxes import Gateway, posted
from tests.outbox.django_project import use_database
from tests.outbox.kinds import async_engine
from tests.outbox.rows import (
    AUTHORIZED,
    change,
    change_events,
    end_waits,
    inbox_of,
    notes,
    received,
    received_number,
    write,
)
from tests.providers.flexfactor.test_flexfactor_webhooks import signed, webhooks
from tests.providers.velo.test_velo_notifications import HEADER, body_of
from victor_ext import (
    AuthenticationError,
    InvalidRequest,
    NotFound,
    Outcome,
    ServerError,
)
from victor_ext._event_queue.queue import MOST_TRIES
from victor_ext.inbox import AsyncInbox, EventState
from victor_ext.inbox.django import DjangoInbox
from victor_ext.providers import eastpay, velo

pytestmark = pytest.mark.slow
# Seconds that the clocks of a database and of Python may differ by.
CLOCK_STEP = 0.1


def note(session, event):
    write(session, f"{event.name} {event.subject} {event.record}")


# What a handler is registered for


# What is a repeat


def test_a_notification_of_velo_is_a_repeat_by_its_payor_and_event_id(engine):
    are_new = [received_number(inbox_of(engine), number) for number in (7, 3, 4, 3)]
    assert are_new == [True, True, True, False]
    assert received(inbox_of(engine), body_of(3, "e-3"), source="payor-2") is not None


def refund(nonce, at="10:00:00Z", *, resent=False, order="o-1"):
    """The body and the headers of a notification of FlexFactor's, which says that an order was
    refunded.
    """
    members = {"Event": "order.refunded", "OrderId": order, "TimeStamp": f"2026-03-04T{at}"}
    body = json.dumps({**members, "IsResent": resent}).encode()
    return body, signed(body, by=nonce)


@pytest.mark.parametrize("later", ["10:00:01Z", "10:00:00Z"])
@pytest.mark.parametrize("resent", [(False, False), (False, True), (True, True)])
def test_a_notification_is_new_unless_its_nonce_came_before_with_the_same_content(
    engine, later, resent
):
    """Two equal refunds, with a nonce each, and each request sent three times. A nonce that comes
    with another content is no proof that the event is the same.
    """
    orders = SimpleNamespace(get=lambda order_id: f"order {order_id}")
    inbox = inbox_of(engine, webhooks(), SimpleNamespace(orders=orders))
    inbox.on("order.refunded")(note)
    first, second = refund("n1", resent=resent[0]), refund("n2", later, resent=resent[1])
    requests = (first, second, first, second, second, first)
    are_new = [received(inbox, *request) is not None for request in requests]
    assert are_new == [True, True, False, False, False, False]
    assert len(inbox.handle()) == 2
    assert notes(inbox) == ["order.refunded o-1 order o-1"] * 2
    assert received(inbox, *first) is None, "it is handled, and remembered"
    assert received(inbox, *refund("n1", order="o-2")) is not None


@pytest.fixture
def gateway():
    return Gateway()


@pytest.fixture
def hints(engine, gateway):
    """An inbox of EastPay's, with a handler of what the gateway says."""
    inbox = inbox_of(engine, eastpay.Webhook(), gateway)
    inbox.on("payment")(lambda session, event: write(session, event.record.result.code))
    return inbox


HINT = {"id": "8ac7a4a1", "result": {"code": "000.000.000"}}


def test_eastpay_notifications_are_hints_and_a_handler_is_called_once_for_each_result(
    hints, gateway
):
    assert [posted(hints, HINT) is None for _ in range(3)] == [False, True, True]
    assert len(hints.handle()) == 1
    posted(hints, HINT)
    assert hints.handle() == []
    assert gateway.asked == 2  # nothing is new
    posted(hints, HINT)
    gateway.says = "000.000.000"
    assert len(hints.handle()) == 1
    assert notes(hints) == ["000.200.000", "000.000.000"]


def test_no_worker_without_a_handler_deletes_an_old_event_whose_read_has_failed(
    engine, hints, gateway
):
    posted(hints, HINT)
    gateway.says = AuthenticationError("the secret has expired", outcome=Outcome.REJECTED)
    with pytest.raises(AuthenticationError):
        hints.handle()
    change_events(hints, stored_at=time.time() - 8 * 86_400)
    without_handler = inbox_of(engine, eastpay.Webhook(), gateway)
    without_handler.handle()
    gateway.says = "000.200.000"
    end_waits(hints)
    assert [event.subject for event in hints.handle()] == [HINT["id"]]


def test_notifications_of_a_document_are_known_by_the_usual_members(engine, bank):
    webhook = bank.webhook(verify=None, read=lambda client, model: f"{client} {model.id}")
    inbox = inbox_of(engine, webhook, "read")
    inbox.on("CREATED")(note)
    for members, headers in (
        ({"event_id": "1"}, {}),
        ({"eventId": 3}, {}),
        ({"status": "a"}, {}),
        ({"status": "b"}, {}),
        ({"status": "b"}, {}),
    ):
        posted(inbox, {"type": "created", "id": "o", **members}, headers)
    assert [event.subject for event in inbox.handle()] == ["1", "3", "o", "o"]
    assert notes(inbox) == [f"created {subject} read o" for subject in ("1", "3", "o", "o")]


ACCOUNT = {"id": "a-1", "owner": "Ada"}


def test_webhooks_that_need_a_name_are_received_with_the_name_of_the_caller(engine, bank):
    inbox = inbox_of(engine, bank.webhook(verify=None))
    inbox.on()(note)
    for name in ("opened", "frozen"):  # one body, two events
        assert posted(inbox, ACCOUNT, name=name) is not None
        assert posted(inbox, ACCOUNT, name=name) is None
    posted(inbox, {"type": "updated", "id": "e-1"})
    models = [(event.name, type(event.notification).__name__) for event in inbox.handle()]
    assert models == [("opened", "Account"), ("frozen", "Account"), ("updated", "Notice")]


def test_a_new_kind_of_notification_is_stored_once_and_handled(engine, bank):
    webhook = bank.webhook(
        verify=None,
        id=lambda _headers, model: f"own {model.id}",
        name=lambda model: model.type_,
        read=lambda _client, model: model.id,
    )
    inbox = inbox_of(engine, webhook, bank)
    inbox.on("merged")(note)
    new = {"type": "merged", "id": "e-9", "into": 12345678901234567.5}
    assert [posted(inbox, new) is None for _ in range(2)] == [False, True]
    (event,) = inbox.handle()
    assert (event.name, event.subject, event.record) == ("merged", "e-9", None)
    assert event.notification["into"] == new["into"]


def test_what_is_not_proven_to_be_from_the_system_or_is_no_notification_is_not_stored(engine):
    inbox = inbox_of(engine)
    with pytest.raises(AuthenticationError):
        received(inbox, body_of(), {"Authorization": HEADER + "x"})
    with pytest.raises(InvalidRequest, match="not a notification"):
        received(inbox, b"{}")
    assert sum(inbox.event_counts().values()) == 0


def test_a_notification_is_there_with_the_transaction_or_not_at_all(engine):
    inbox = inbox_of(engine)
    with Session(engine) as session:
        assert inbox.receive(session, body_of(), AUTHORIZED) is not None
        session.rollback()
        assert sum(inbox.event_counts().values()) == 0
        assert inbox.receive(session, body_of(), AUTHORIZED) is not None
        session.commit()
    assert inbox.event_counts()[EventState.WAITING] == 1


def test_four_receivers_of_the_same_notification_store_the_notification_once(engine):
    start, inbox = threading.Barrier(4), inbox_of(engine)

    def post(_):
        start.wait(60)
        return [received_number(inbox, number) for number in range(1, 21)]

    with ThreadPoolExecutor(4) as threads:
        stored = [*threads.map(post, range(4))]
    assert [sum(each) for each in zip(*stored, strict=True)] == [1] * 20


# How it is handled


def test_the_object_is_read_before_the_transaction_opens(engine):
    under_way = []
    sa.event.listen(engine, "begin", lambda _: under_way.append(None))
    for name in ("commit", "rollback"):
        sa.event.listen(engine, name, lambda _: under_way.clear())

    def get(id):
        return f"{'late' if under_way else 'read'} {id}"

    resource = SimpleNamespace(get=get)
    inbox = inbox_of(engine, client=SimpleNamespace(payments=resource, payees=resource))
    inbox.on("payment.accepted", source="payor-1")(note)
    received_number(inbox, 1, paymentId="p")
    received_number(inbox, 2, payeeId="q")
    received_number(inbox, 3)
    received(inbox, body_of(1, "e-9"), source="payor-2")
    assert len(inbox.handle()) == 3
    assert notes(inbox) == [
        "payment.accepted e-1 read p",
        "payment.accepted e-2 read q",
        "payment.accepted e-3 None",
    ]
    assert inbox.event_counts()[EventState.WAITING] == 1


def test_a_notification_that_cannot_be_looked_up_is_a_dead_letter_at_last(hints, gateway):
    """Such as one that somebody else has posted. It is tried as often as one whose handler fails:
    the system may know its id later.
    """
    gateway.says = NotFound("p-1", outcome=Outcome.REJECTED)
    posted(hints, HINT)
    for _ in range(MOST_TRIES):
        assert hints.dead_letters() == []
        assert hints.handle() == []
        end_waits(hints)
    assert hints.handle() == []
    (letter,) = hints.dead_letters()
    assert (letter.subject, gateway.asked) == (HINT["id"], MOST_TRIES)
    gateway.says = "000.200.000"
    assert hints.retry_dead_letters(letter.id) == 1
    assert [event.subject for event in hints.handle()] == [HINT["id"]]


def test_no_other_event_is_read_while_the_provider_cannot_be_asked(hints, gateway):
    gateway.says = ServerError("it is away", outcome=Outcome.UNKNOWN)
    for number in range(3):
        posted(hints, {"id": f"8ac7a4a{number}"})
    with pytest.raises(ServerError):
        hints.handle()
    assert gateway.asked == 1
    gateway.says = "000.200.000"
    assert [event.subject for event in hints.handle()] == ["8ac7a4a1", "8ac7a4a2"]
    end_waits(hints)
    assert [event.tries for event in hints.handle()] == [2]


def test_events_are_forgotten_when_no_system_would_repeat_the_notification_any_more(engine):
    """But not what was read: anybody can post the id of an old payment."""
    for handled in (1, 0):
        # A worker forgets when it begins, and then once in an hour.
        inbox, hints = inbox_of(engine), inbox_of(engine, eastpay.Webhook(), Gateway())
        hints.on()(note)
        received(inbox, body_of())
        posted(hints, HINT)
        assert len(hints.handle()) == handled
        change(inbox, received_at=0.0)
        inbox.handle()
        inbox_of(engine, eastpay.Webhook(), Gateway()).handle()
    assert received(inbox, body_of()) is not None


def test_the_awaited_inbox_handles_an_event_with_the_object_that_was_read(sqlite):
    blocking = inbox_of(sqlite)
    for number in (1, 1, 3):
        received_number(blocking, number, paymentId=f"p-{number}")
    told = []

    async def get(payment_id):
        return f"read {payment_id}"

    async def work():
        engine = async_engine(sqlite)
        client = SimpleNamespace(payments=SimpleNamespace(get=get))
        inbox = AsyncInbox(engine, velo.Webhook(HEADER), client=client)

        @inbox.on("payment.accepted")
        async def accepted(session, event):
            told.append(f"{await session.scalar(sa.text('SELECT 1'))} {event.record}")
            scope.cancel()

        with anyio.CancelScope() as scope:
            await inbox.run()
        await engine.dispose()

    anyio.run(work)
    assert told[:1] == ["1 read p-1"]


def test_the_django_inbox_handles_events_in_transactions_of_django(engine):
    def keep(using, event):
        with connections[using].cursor() as cursor:
            cursor.execute("INSERT INTO notes VALUES (%s)", [event.subject])

    with use_database(engine.url):
        call_command("migrate", "victor_inbox", verbosity=0)
        inbox = DjangoInbox(velo.Webhook(HEADER))
        inbox.on()(keep)
        with pytest.raises(transaction.TransactionManagementError, match="call receive"):
            inbox.receive(body_of(), AUTHORIZED)
        for number in (1, 1, 4):
            with transaction.atomic():
                inbox.receive(body_of(number, f"e-{number}"), AUTHORIZED)
        by_sqlalchemy = inbox_of(engine)
        assert received(by_sqlalchemy, body_of(4, "e-4"), source="") is None
        assert [event.subject for event in inbox.handle()] == ["e-1", "e-4"]
        assert notes(by_sqlalchemy) == ["e-1", "e-4"]
        call_command("migrate", "victor_inbox", "zero", verbosity=0)
        assert not [name for name in sa.inspect(engine).get_table_names() if "inbox" in name]


@pytest.mark.parametrize(
    ("events", "rounds"), [(30, 2), pytest.param(1_000, 10, marks=pytest.mark.nightly)]
)
def test_each_event_is_handled_once_by_three_processes_that_are_killed(
    database_url, events, rounds
):
    """Notifications that come several times and out of order, and changes that several workers
    see.
    """
    handled = killed_workers.run(database_url, events, rounds, seed=1)
    assert handled == {1: events}
