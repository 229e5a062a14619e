"""The inbox: each notification is stored once and handled once, in any process and any order."""

import hashlib
import hmac
import importlib
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
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
    BadRequest,
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
from victor_ext.sandbox.eastpay import EastPaySandbox
from victor_spec.generate import generate

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


class UnreadableError(ValueError):
    pass


class UnknownKindError(UnreadableError):
    pass


class UntoldError(UnreadableError):
    pass


class Variant(dict[str, Any]):
    pass


def webhooks_module(read_webhook: Any) -> Any:
    """What is used of the module of a generated package, with this reader."""
    return SimpleNamespace(
        WEBHOOKS={"paid": SimpleNamespace(tags=({"type": ("paid",)},))},
        UNTOLD=(),
        UnreadableWebhook=UnreadableError,
        UnknownWebhook=UnknownKindError,
        AmbiguousWebhook=UntoldError,
        read_webhook=read_webhook,
    )


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
    stored = [
        received(inbox, *request) is not None
        for request in [*TWO_EQUAL_REFUNDS[name] * 2, *reversed(TWO_EQUAL_REFUNDS[name])]
    ]
    assert stored == [True, True, False, False, False, False]
    assert len(inbox.handle()) == 2
    assert notes(engine) == ["order.refunded o-1 order o-1"] * 2
    assert received(inbox, *TWO_EQUAL_REFUNDS[name][0]) is None, "it is handled, and remembered"


def test_a_nonce_that_comes_with_another_content_is_no_repeat(engine: sa.Engine) -> None:
    inbox = inbox_of(engine, webhooks())
    assert received(inbox, *refund("n1")) is not None
    assert received(inbox, *refund("n1", order="o-2")) is not None


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
    def read_webhook(
        body: Any, headers: Any = None, *, name: Any = None, verify: Any = None
    ) -> Any:
        assert name is None
        if verify is not None:
            verify(headers, body)
        if (content := json.loads(body)) == []:
            raise UnreadableError("a list")
        return SimpleNamespace(**content)

    def webhook(**given: Any) -> DocumentWebhook:
        arguments = dict.fromkeys(("verify", "id", "name", "read")) | given
        return DocumentWebhook("Till", webhooks_module(read_webhook), Variant, **arguments)

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
    assert (event.name, event.subject) == ("A", "bA")
    with pytest.raises(ConfigurationError, match="pass webhook"):
        received(inbox, b'{"n": 1}')
    with pytest.raises(InvalidRequest, match="not a notification of Till's"):
        received(inbox, b"[]")
    with pytest.raises(AuthenticationError):
        received(
            inbox_of(engine, webhook(verify=HmacSignature(header="x", secret="s" * 16))),
            b'{"id": "9"}',
        )


@pytest.fixture(scope="module")
def shared_body(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The package of a document whose webhooks are told by their names, or by words that share a
    body.
    """
    folder = tmp_path_factory.mktemp("inbox_hooks")
    document = Path(__file__).with_name("inbox_hooks.yaml")
    assert generate(document, folder).left_out == []
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield importlib.import_module("inbox_hooks_api")


def posted_to(inbox: Inbox, members: Any, **given: Any) -> InboxEvent | None:
    body = members if isinstance(members, bytes) else json.dumps(members).encode()
    with Session(inbox._engine) as session, session.begin():
        return inbox.receive(session, body, {}, **given)


def test_webhooks_that_need_a_name_are_received_by_it(
    engine: sa.Engine, shared_body: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said when the inbox is made; and without it a genuine one is not refused for good."""
    with connect(shared_body.Client, base_url="https://bank.example") as bank:
        webhook = bank.webhook(verify=None)
        inbox = inbox_of(engine, webhook)
        assert "receive(..., name=) for these: opened, frozen." in caplog.text
        assert webhook.needs_name == ("opened", "frozen")
        told: list[tuple[str, str, str]] = []
        inbox.on()(
            lambda _session, event: told.append(
                (event.name, event.subject, type(event.notification).__name__)
            )
        )
        account = {"id": "a-1", "owner": "Ada"}
        with pytest.raises(ConfigurationError, match=r"receive\(\.\.\., name=\)"):
            posted_to(inbox, account)
        with pytest.raises(ConfigurationError, match=r"'nope' is no webhook of .* opened, frozen"):
            posted_to(inbox, account, name="nope")
        for name in ("opened", "frozen"):  # one body, two events
            assert posted_to(inbox, account, name=name) is not None
            assert posted_to(inbox, account, name=name) is None
        for word in ("created", "updated"):
            assert posted_to(inbox, {"type": word, "id": "e-1"}) is not None
        inbox.handle()
    assert told == [
        ("opened", "a-1", "Account"),
        ("frozen", "a-1", "Account"),
        ("created", "e-1", "Notice"),
        ("updated", "e-1", "Notice"),
    ]


def test_the_awaited_inbox_takes_the_name(tmp_path: Path, shared_body: Any) -> None:
    async def work(webhook: Any) -> list[str]:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'a.sqlite'}")
        inbox = AsyncInbox(engine, webhook)
        await inbox.create_table()
        inbox.on()(lambda _session, _event: None)
        for name in ("opened", "frozen", "frozen"):
            async with AsyncSession(engine) as session, session.begin():
                await inbox.receive(session, b'{"id": "a-1", "owner": "Ada"}', {}, name=name)
        names = [event.name for event in await inbox.handle()]
        await engine.dispose()
        return names

    with connect(shared_body.Client, base_url="https://bank.example") as bank:
        assert anyio.run(work, bank.webhook(verify=None)) == ["opened", "frozen"]


def test_the_inbox_of_django_takes_the_name(engine: sa.Engine, shared_body: Any) -> None:
    set_up()
    from django.core.management import call_command
    from django.db import transaction

    from victor_ext.inbox.django import DjangoInbox

    with (
        use_database(engine.url),
        connect(shared_body.Client, base_url="https://bank.example") as bank,
    ):
        call_command("migrate", "victor_inbox", verbosity=0)
        inbox = DjangoInbox(bank.webhook(verify=None))
        inbox.on()(lambda _using, _event: None)
        for name in ("opened", "frozen", "frozen"):
            with transaction.atomic():
                inbox.receive(b'{"id": "a-1", "owner": "Ada"}', {}, name=name)
        assert [event.name for event in inbox.handle()] == ["opened", "frozen"]
        DjangoInbox._of_database.clear()
        call_command("migrate", "victor_inbox", "zero", verbosity=0)


def test_a_kind_that_is_new_is_stored_once_and_handled(engine: sa.Engine, shared_body: Any) -> None:
    with connect(shared_body.Client, base_url="https://bank.example") as bank:
        webhook = bank.webhook(
            verify=None,
            id=lambda _headers, model: f"own {model.id}",
            name=lambda model: model.type_,
            read=lambda _client, model: model.id,
        )
        inbox = inbox_of(engine, webhook, bank)
        inbox.on("merged")(note)
        new = {"type": "merged", "id": "e-9", "into": 12345678901234567.5}
        assert [posted_to(inbox, new) is None for _ in range(2)] == [False, True]
        [event] = inbox.handle()
    assert (event.name, event.subject, event.record) == ("merged", "e-9", None)
    assert event.notification["into"] == new["into"]
    assert len(notes(engine)) == 1


BYTES = [
    b"",
    b"\xff",
    b'{"id": "\xff"}',
    b'{"id": "\xed\xa0\x80", "type": "created"}',
    b"[" * 9_999,
]
BYTES += [b'"\xed\xa0\x80"', b"null", b"\xef\xbb\xbf", b"\xff\xfe{", b"{}\x00", b'{"id": NaN}']


@pytest.mark.parametrize("system", ["velo", "eastpay", "flexfactor", "connect"])
@pytest.mark.parametrize("body", BYTES, ids=repr)
def test_bytes_that_are_no_notification_are_refused_by_name(
    tmp_path: Path, shared_body: Any, system: str, body: bytes
) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'one.sqlite'}")
    with connect(shared_body.Client, base_url="https://bank.example") as bank:
        webhook, headers = {
            "velo": (velo.Webhook(HEADER), AUTHORIZED),
            "eastpay": (eastpay.Webhook(), {}),
            "flexfactor": (webhooks(), signed(body)),
            "connect": (bank.webhook(verify=None), {}),
        }[system]
        with pytest.raises(InvalidRequest) as caught:
            received(inbox_of(engine, webhook), body, headers)
    assert [problem.code for problem in caught.value.problems] == ["notification"]
    engine.dispose()


def test_a_kind_that_is_new_is_refused_by_name_if_it_is_nested_too_deeply(
    engine: sa.Engine, shared_body: Any
) -> None:
    with connect(shared_body.Client, base_url="https://bank.example") as bank:
        inbox = inbox_of(engine, bank.webhook(verify=None))
        for levels in (1, 100, 300, 500, 700, 900, 5000):
            body = b'{"type": "new", "id": "%d", "x": ' % levels
            with suppress(InvalidRequest):
                posted_to(inbox, body + b"[" * levels + b"]" * levels + b"}")
        inbox.on()(note)
        assert len(inbox.handle()) == sum(inbox.event_counts().values()) + len(notes(engine)) > 0


def test_a_name_is_refused_where_the_notifications_say_what_they_are(engine: sa.Engine) -> None:
    inbox = inbox_of(engine)
    with Session(engine) as session, pytest.raises(ConfigurationError, match="Leave name out"):
        inbox.receive(session, body_of(), AUTHORIZED, name="payment.accepted")


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
    def read_webhook(body: Any, _headers: Any = None, **_: Any) -> Any:
        return SimpleNamespace(**json.loads(body))

    told: list[str] = []
    module = webhooks_module(read_webhook)
    till = inbox_of(engine, DocumentWebhook("Till", module, Variant, None, None, None, None))
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


class Unknowing:
    """A system that knows no id, in the ways in which one says so."""

    def __init__(self, error: type[NotFound | BadRequest]) -> None:
        self.payments, self.asked, self._error = self, 0, error

    def inquire(self, payment_id: str) -> Any:
        self.asked += 1
        body = {"result": {"code": "700.400.580"}}
        response = httpx.Response(404, json=body)
        raise self._error(payment_id, outcome=Outcome.REJECTED, response=response)


@pytest.mark.parametrize("error", [NotFound, BadRequest])
@pytest.mark.parametrize("system", ["eastpay", "connect"])
def test_an_id_that_the_system_does_not_know_ends_after_three_inquiries(
    engine: sa.Engine,
    shared_body: Any,
    monkeypatch: pytest.MonkeyPatch,
    error: type[NotFound | BadRequest],
    system: str,
) -> None:
    """Where anybody can post: it is no dead letter, and few are kept."""
    monkeypatch.setattr("victor_ext.inbox.inboxes._MOST_NOT_FOUND", 4)
    gateway = Unknowing(error)
    with connect(shared_body.Client, base_url="https://bank.example") as bank:
        posting = bank.webhook(verify=None, read=lambda client, model: client.inquire(model.id))
        inbox = inbox_of(engine, eastpay.Webhook() if system == "eastpay" else posting, gateway)
        inbox.on()(note)
        for number in range(6):
            received(inbox, b'{"type": "created", "id": "forged-%d"}' % number, {})
        for _ in range(MOST_TRIES):
            assert inbox.handle() == []
            let_time_pass(inbox, engine)
    assert (gateway.asked, inbox.dead_letters(), notes(engine)) == (6 * 3, [], [])
    assert {state: count for state, count in inbox.event_counts().items() if count} == {
        EventState.NOT_FOUND: 4
    }
    newest = inbox.dead_letters("not_found")
    assert [letter.subject for letter in newest] == [f"forged-{number}" for number in range(2, 6)]
    assert inbox.retry_dead_letters() == 0
    assert inbox.retry_dead_letters(newest[0].id) == 1


def test_a_payment_that_can_be_read_late_is_handled(engine: sa.Engine) -> None:
    gateway = Unknowing(NotFound)
    inbox = inbox_of(engine, eastpay.Webhook(), gateway)
    inbox.on()(note)
    received(inbox, b'{"id": "8ac7a4a1"}', {})
    for _ in range(2):
        assert inbox.handle() == []
        assert inbox.handle() == [], "it waits for its next try"
        let_time_pass(inbox, engine)
    inbox.client = Gateway()
    assert [event.subject for event in inbox.handle()] == ["8ac7a4a1"]


def test_the_gateway_of_eastpay_knows_no_forged_id(engine: sa.Engine) -> None:
    with EastPaySandbox() as sandbox:
        merchant = sandbox.add_merchant()
        options: Any = {"base_url": f"{sandbox.url}/eastpay", "entity_id": merchant.entity_id}
        with eastpay.EastPay(merchant.token, entity_type="MERCHANT", **options) as client:
            inbox = inbox_of(engine, eastpay.Webhook(), client)
            inbox.on()(note)
            received(inbox, b'{"id": "8ac7a4a1deadbeef"}', {})
            for _ in range(3):
                assert inbox.handle() == []
                let_time_pass(inbox, engine)
    assert inbox.event_counts()[EventState.NOT_FOUND] == 1


def test_a_dead_letter_is_discarded_with_who_and_why(engine: sa.Engine) -> None:
    inbox = inbox_of(engine)
    inbox.on()(note)
    for number in (1, 2):
        received(inbox, body_of(number, f"e-{number}"))
    dead = sa.update(inbox.events).values(state="dead", error="ValueError: no")
    with engine.begin() as connection:
        connection.execute(dead)
    first, second = inbox.dead_letters()
    for ids, by, why, field in (
        ((), "Zoë", "a test", "ids"),
        ((first.id,), " ", "a test", "by"),
        ((first.id,), "Zoë", "", "why"),
    ):
        with pytest.raises(InvalidRequest) as caught:
            inbox.discard(*ids, by=by, why=why)
        assert [problem.field for problem in caught.value.problems] == [field]
    assert inbox.discard(first.id, 99, by="Zoë", why="it is a test.") == 1
    assert inbox.discard(first.id, by="Zoë", why="it is a test.") == 0
    assert inbox.dead_letters() == [second]
    [letter] = inbox.dead_letters(EventState.DISCARDED)
    assert letter.error == "Discarded by Zoë: it is a test. It had failed: ValueError: no"
    assert inbox.retry_dead_letters() == 1
    assert inbox.retry_dead_letters(first.id) == 0
    assert [event.subject for event in inbox.handle()] == ["e-2"]
    assert received(inbox, body_of(1, "e-1")) is None, "it is remembered"
    with engine.connect() as connection:
        assert connection.scalars(sa.select(inbox.events.c.data)).all() == [""]


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
        for source in (None, " "):
            with transaction.atomic(), pytest.raises(ConfigurationError, match="write source="):
                inbox.receive(body_of(), AUTHORIZED, source=source)
        for number in (1, 1, 4):
            with transaction.atomic():
                inbox.receive(body_of(number, f"e-{number}"), AUTHORIZED)
        assert received(inbox_of(engine), body_of(4, "e-4"), source="") is None
        assert [event.subject for event in inbox.handle()] == notes(engine) == ["e-1", "e-4"]
        assert inbox.gaps() == [range(2, 4)]
        DjangoInbox._of_database.clear()
        call_command("migrate", "victor_inbox", "zero", verbosity=0)
        assert not {name for name in sa.inspect(engine).get_table_names() if "inbox" in name}


@pytest.mark.slow
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
