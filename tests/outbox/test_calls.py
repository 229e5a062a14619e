"""Writes of other systems in the outbox: sent once, looked up after a lost response, and unclear if
that fails.
"""

import json
import pydoc
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session
from velo_api.types import UNSET

from tests.outbox.django_project import set_up, use_database
from tests.outbox.test_outbox import invoice
from tests.providers.connected.till import client_class, new_payment, operation
from tests.providers.running import GUID, ONCE, Script
from tests.providers.systems import ADAPTERS
from tests.providers.velo.adapter import pay
from victor_ext import (
    ApiKeyAuth,
    BasicAuth,
    BearerAuth,
    ConfigurationError,
    Done,
    HeaderKey,
    InvalidRequest,
    NotDone,
    PermissionDenied,
    PreparedCall,
    Promise,
    Proof,
    TimedOut,
    VictorError,
    connect,
)
from victor_ext.event_queue.calls import ThreadCalls
from victor_ext.inbox import Inbox
from victor_ext.outbox import AsyncOutbox, Outbox
from victor_ext.outbox.adding import _check_promise
from victor_ext.outbox.claims import Claims
from victor_ext.outbox.digests import content_of
from victor_ext.outbox.entries import outbox_table
from victor_ext.providers import Money, velo
from victor_ext.providers.eastpay import Card, CardToken, EastPay

pytestmark = [pytest.mark.slow, pytest.mark.hours]
set_up()

from django.core.management import call_command  # noqa: E402 - Django is set up before it is imported
from django.db import transaction  # noqa: E402

from victor_ext.outbox.django import DjangoOutbox  # noqa: E402

KEY = "the-key-of-the-march-payout"
TABLE = outbox_table("victor_outbox")


class Store:
    """An outbox of one kind. Each act has a client of its own, as another process has."""

    def __init__(self, kind: str, engine: sa.Engine, harness: Any) -> None:
        self.kind, self.engine, self.harness = kind, engine, harness
        self.client: dict[str, Any] = {"retry": ONCE}

    def _do(self, method: str, *args: Any, **named: Any) -> Any:
        """Call a method of the outbox; one that adds, with a session in a transaction."""
        client = {**self.harness.settings, **self.client}
        if self.kind == "awaited":
            return anyio.run(partial(self._awaited, client, method, *args, **named))
        with self.harness.kinds[0](**client) as made:
            if self.kind == "django":
                with transaction.atomic() if method == "add_call" else nullcontext():
                    return getattr(DjangoOutbox(client=made), method)(*args, **named)
            outbox = outbox_of(self, made)
            if method != "add_call":
                return getattr(outbox, method)(*args, **named)
            with self.engine.begin() as connection:
                return outbox.add_call(connection, *args, **named)

    async def _awaited(self, client: dict[str, Any], method: str, *args: Any, **named: Any) -> Any:
        url = self.engine.url.render_as_string(hide_password=False).replace(
            "sqlite:", "sqlite+aiosqlite:"
        )
        engine = create_async_engine(url)
        async with self.harness.kinds[1](**client) as made:
            outbox = AsyncOutbox(engine, client=made)
            await outbox.create_table()
            try:
                if method != "add_call":
                    return await getattr(outbox, method)(*args, **named)
                async with engine.begin() as connection:
                    return await outbox.add_call(connection, *args, **named)
            finally:
                await engine.dispose()

    def add(self, name: Any, *args: Any, key: str = KEY, **named: Any) -> None:
        self._do("add_call", name, *args, idempotency_key=key, **named)

    def send(self) -> list[tuple[str, str | None]]:
        """One pass; the states and ids of what has come to a result."""
        return [(entry.state.value, entry.request_id) for entry in self._do("send")]

    def entries(self) -> Any:
        return self._do("entries")

    def update(self, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.update(TABLE).values(**values))

    def state(self) -> str:
        (entry,) = self.entries()
        return str(entry.state.value)


@pytest.fixture(scope="module")
def velo_sandbox() -> Iterator[Any]:
    with ADAPTERS["velo"].SANDBOX() as started:
        yield started


@pytest.fixture
def harness(velo_sandbox: Any) -> Any:
    velo_sandbox.reset()
    return ADAPTERS["velo"].Harness(velo_sandbox, awaited=False)


@pytest.fixture(params=["blocking", "awaited", "django"])
def store(request: pytest.FixtureRequest, engine: sa.Engine, harness: Any) -> Iterator[Store]:
    if request.param == "django":
        with use_database(engine.url):
            call_command("migrate", verbosity=0)
            yield Store("django", engine, harness)
    else:
        yield Store(request.param, engine, harness)


@pytest.fixture
def blocking(tmp_path: Path, harness: Any) -> Iterator[Store]:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'calls.sqlite'}")
    yield Store("blocking", engine, harness)
    engine.dispose()


def submit(store: Store, reference: str = "INV-1042", **named: Any) -> None:
    store.add(
        "payouts.submit", [pay(reference)], look_up_by={"payor_id": store.harness.payor}, **named
    )


def lose(harness: Any, word: str, times: int = 1) -> None:
    harness.sandbox.inject("lose_answer", operation=word, times=times)


def test_a_payout_is_submitted_and_instructed_once(store: Store) -> None:
    """Each response is lost; the reads show what was done."""
    harness = store.harness
    lose(harness, "submit")
    submit(store)
    submit(store)  # as a program does that was killed after its commit
    assert store.state() == "waiting"
    ((state, payout_id),) = store.send()
    assert (state, harness.calls("submit"), harness.work("INV-1042")) == ("sent", 1, 1)
    harness(lambda velo: velo.payouts.wait(payout_id, until="ACCEPTED", timeout=30))
    lose(harness, "instruct")
    store.add("payouts.instruct", payout_id, key="the-key-of-the-instruction")
    assert store.send() == [("sent", payout_id)]
    assert (harness.calls("instruct"), store.send()) == (1, [])
    entry = store.entries()[1]
    assert (entry.operation, entry.provider, entry.client_reference_id) == (
        "payouts.instruct",
        "Velo",
        None,
    )


def test_what_a_lagging_list_does_not_show_is_looked_up_until_it_does(store: Store) -> None:
    harness, empty = store.harness, {"page": {"totalPages": 1, "page": 1}, "content": []}
    lose(harness, "submit")
    submit(store)
    harness.sandbox.inject(
        "status", operation="list_payments", status=200, body=json.dumps(empty), times=2
    )
    assert (store.send(), store.state()) == ([], "settling")
    assert store.send() == [], "it is not looked up at once again"
    store.update(leased_until=0.0)
    assert (store.send(), store.state()) == ([], "settling")
    store.update(leased_until=0.0)
    assert [state for state, _ in store.send()] == ["sent"]
    assert (harness.calls("submit"), store.entries()[0].error) == (1, None)


def test_what_is_not_shown_in_time_is_unclear_and_never_sent_again(store: Store) -> None:
    """The worker ended between its claim and the request: nothing of it was sent, and no read can
    prove that.
    """
    submit(store)
    store.update(
        state="sending", first_sent_at=time.time(), by_provider_clock=True, leased_until=0.0
    )
    assert (store.send(), store.state()) == ([], "settling")
    store.update(leased_until=0.0, settle_until=1.0)
    assert store.send() == [("unclear", None)]
    assert "No payouts have payments with its references" in (store.entries()[0].error or "")
    store.update(leased_until=0.0)
    assert (store.send(), store.harness.calls("submit")) == ([], 0)


@pytest.mark.parametrize(
    ("changes", "seconds", "why"),
    [
        ({"amount": Money.of("1.00", "USD")}, 0.0, "another value than was sent: amount"),
        ({"remote_id": "payee-of-another"}, 0.0, "another value than was sent: remoteId"),
        ({}, 60.0, "was made earlier"),
    ],
)
def test_what_another_program_made_with_its_reference_is_named_and_not_taken_for_it(
    store: Store, changes: dict[str, Any], seconds: float, why: str
) -> None:
    """Our own never arrives: nothing may instruct what the other program has submitted."""
    harness = store.harness
    harness.sandbox.add_payee("payee-of-another")
    harness.sandbox.set_clock_skew(-seconds)
    other = harness.submit(pay(**changes))
    harness.sandbox.set_clock_skew(0)
    submit(store)
    harness.sandbox.inject("cut_request", operation="submit")
    assert (store.send(), store.state()) == ([], "settling")
    store.update(leased_until=0.0, settle_until=1.0)
    assert store.send() == [("unclear", None)]
    error = store.entries()[0].error or ""
    assert (other in error, why in error) == (True, True), error
    assert harness.work("INV-1042") == 1, "that of the other program alone"


def accepted_payout(harness: Any) -> str:
    payout = harness(lambda velo: velo.payouts.submit([pay()]))
    harness(lambda velo: velo.payouts.wait(payout, until="ACCEPTED", timeout=30))
    return str(payout)


def test_a_lost_instruction_of_a_payout_that_was_withdrawn_is_rejected(store: Store) -> None:
    """Its state says at once that it can never be done."""
    harness = store.harness
    payout = accepted_payout(harness)
    harness.sandbox.inject("cut_request", operation="instruct")
    store.add("payouts.instruct", payout)
    assert (store.send(), store.state()) == ([], "settling")
    harness(lambda velo: velo.payouts.withdraw(payout))
    store.update(leased_until=0.0)
    assert store.send() == [("rejected", None)]
    assert "cannot be instructed, since it is WITHDRAWN" in (store.entries()[0].error or "")
    store.update(leased_until=0.0)
    assert (store.send(), harness.calls("instruct")) == ([], 1)


def test_a_lost_instruction_is_given_again_by_a_person_who_reads_that_it_was_lost(
    store: Store,
) -> None:
    harness = store.harness
    payout = accepted_payout(harness)
    harness.sandbox.inject("cut_request", operation="instruct")
    store.add("payouts.instruct", payout)
    assert (store.send(), store.state()) == ([], "settling")
    assert "may still be under way" in (store.entries()[0].error or "")
    store.update(leased_until=0.0, settle_until=1.0)
    assert store.send() == [("unclear", None)]
    error = store.entries()[0].error or ""
    assert "The payout is ACCEPTED. So it was lost, and can be sent again." in error
    store._do("resolve", KEY, done=False, by="Zoë", why="it is ACCEPTED")
    store._do("retry", KEY)
    assert store.send() == [("sent", payout)]
    assert harness.calls("instruct") == 2


def test_what_could_be_neither_repeated_nor_found_is_accepted_by_name(store: Store) -> None:
    call: Any = ("payees.invite", store.harness.payee), {"payor_id": store.harness.payor}
    with pytest.raises(InvalidRequest, match="pass at_most_once=True") as raised:
        store.add(*call[0], **call[1])
    assert [(problem.field, problem.code) for problem in raised.value.problems] == [
        ("at_most_once", "required")
    ]
    with pytest.raises(InvalidRequest, match=r"pass look_up_by=\{'payor_id': \.\.\.\}"):
        store.add("payouts.submit", [pay()])
    store.add(*call[0], **call[1], at_most_once=True)
    lose(store.harness, "invite")
    assert store.send() == [("unclear", None)], "there is nothing to wait for"
    store.update(leased_until=0.0)
    assert (store.send(), store.harness.calls("invite")) == ([], 1)


@pytest.mark.parametrize("value", ["", " ", "\u00a0", 5, None])
def test_a_value_that_no_look_up_can_use_is_refused_by_name(store: Store, value: Any) -> None:
    for given in ({"payor_id": value}, {"payor_id": store.harness.payor, "since": "now"}, "text"):
        with pytest.raises(InvalidRequest, match="look_up_by") as raised:
            store.add("payouts.submit", [pay()], look_up_by=given)
        assert raised.value.problems[0].field.startswith("look_up_by")
    assert store.entries() == []


def test_a_look_up_that_the_client_refuses_ends_unclear_and_no_pass(store: Store) -> None:
    """What an older version has stored: the entries behind it are sent, and it does not wait."""
    submit(store, "INV-1041")
    wrong = {"look_up_by": json.dumps({"payor_id": " "}), "state": "sending"}
    store.update(**wrong, first_sent_at=time.time(), by_provider_clock=True, leased_until=0.0)
    submit(store, key="the-key-of-the-one-behind")
    assert [state for state, _ in store.send()] == ["sent"]
    assert [entry.state.value for entry in store.entries()] == ["settling", "sent"]
    with store.engine.begin() as connection:
        passed = sa.update(TABLE).where(TABLE.c.key == KEY).values(leased_until=0, settle_until=1)
        connection.execute(passed)
    assert store.send() == [("unclear", None)]
    assert "The look-up failed" in (store.entries()[0].error or "")
    assert "payor_id" in (store.entries()[0].error or "")


def test_the_remedy_for_a_write_of_connect_is_a_proof() -> None:
    names: Any = {"name": "take_payment", "operation": "POST /v1/payments"}
    call: Any = SimpleNamespace(
        **names, promise=Promise.AT_MOST_ONCE, look_up_needs=None, untaken_key=""
    )
    remedy = r"connect\(proofs=\{'POST /v1/payments': Proof\(find\)\}\)"
    with pytest.raises(InvalidRequest, match=f"pass at_most_once=True.*{remedy}"):
        _check_promise(call, KEY, {}, keyed(Script()))


def test_what_is_blank_is_not_called_missing(blocking: Store) -> None:
    outbox, given = outbox_of(blocking), invoice()
    with blocking.engine.begin() as connection:
        for name in ("client_reference_id", "idempotency_key"):
            for value, what in ((" ", "blank"), ("", "blank"), (None, "missing")):
                with pytest.raises(InvalidRequest, match=f"{name} is {what}: "):
                    outbox.add(connection, **{**given, name: value})
        with pytest.raises(InvalidRequest, match="text of 1 to 128 characters, and has 129"):
            outbox.add(connection, **{**given, "client_reference_id": 129 * "x"})


def test_what_is_sent_too_late_for_its_purpose_is_refused(store: Store) -> None:
    now = datetime.now(UTC)
    submit(store, send_before=now + timedelta(hours=1))
    store.harness.sandbox.set_clock_skew(7_200.0)  # the provider's clock counts
    assert store.send() == [("refused", None)]
    assert (
        store.harness.calls("submit"),
        "its time to be sent had passed" in store.entries()[0].error,
    ) == (0, True)
    for moment, code in ((now.replace(tzinfo=None), "naive"), (now - timedelta(seconds=1), "past")):
        with pytest.raises(InvalidRequest, match="send_before") as raised:
            submit(store, key="another-key-for-the-outbox", send_before=moment)
        assert [(problem.field, problem.code) for problem in raised.value.problems] == [
            ("send_before", code)
        ]
    store.harness.sandbox.set_clock_skew(0.0)


def test_one_key_is_one_call(store: Store) -> None:
    submit(store)
    calls: list[Any] = [["payouts.submit", [pay("INV-2")]], ["payouts.withdraw", "payout-1"]]
    for call, payor in (
        (calls[0], "own"),
        (calls[1], "own"),
        (["payouts.submit", [pay()]], "another"),
    ):
        given = {"payor_id": store.harness.payor if payor == "own" else payor}
        with pytest.raises(InvalidRequest, match="is in the outbox with another call") as raised:
            store.add(*call, look_up_by=given)
        assert (raised.value.problems[0].code, raised.value.idempotency_key) == ("used", KEY)
    with pytest.raises(InvalidRequest, match="idempotency_key is blank"):
        submit(store, key=" ")
    assert [entry.operation for entry in store.entries()] == ["payouts.submit"]


def test_the_boundary_of_a_form_makes_no_other_call() -> None:
    def stored(boundary: str) -> str:
        return PreparedCall(
            name="upload",
            operation="POST /v1/files",
            promise=Promise.AT_MOST_ONCE,
            method="POST",
            url="/v1/files",
            headers={"content-type": f"multipart/form-data; boundary={boundary}"},
            content=f"--{boundary}--".encode(),
        ).to_text()

    assert content_of(stored("1f2e")) == content_of(stored("ab03"))


def test_a_payout_with_other_payments_or_of_another_time_is_not_its_own(harness: Any) -> None:
    harness.submit(pay("INV-1"), pay("INV-2"))
    since, given = harness.since, {"payor_id": harness.payor}

    def look(*references: str, since: datetime = since) -> Any:
        call = harness(
            lambda velo: [velo.prepare("payouts.submit", [pay(each) for each in references])]
        )[0]
        return harness(lambda velo: velo.look_up(call, since=since, **given))

    assert isinstance(look("INV-2", "INV-1"), Done)
    assert "has other payments, too" in look("INV-1")
    assert "No payouts" in look("INV-1", "INV-2", since=datetime.now(UTC) + timedelta(hours=1))


@pytest.mark.parametrize(
    ("before", "between", "within", "sent"),
    [(10.0, 0.0, 10.0, 1), (121.0, 0.0, 0.0, 0), (100.0, 0.0, 30.0, 0), (100.0, 21.0, 0.0, 0)],
)
def test_a_worker_that_slept_sends_nothing_that_may_be_called_lost(
    blocking: Store,
    monkeypatch: pytest.MonkeyPatch,
    before: float,
    between: float,
    within: float,
    sent: int,
) -> None:
    """It sleeps between its mark and the decision to call, between that and the call, or within
    the call, for longer than its lease in all.
    """
    clock, mark, start, asleep = time.time, Claims.mark, ThreadCalls.start, [0.0]
    monkeypatch.setattr(time, "time", lambda: clock() + sum(asleep))

    def marked(self: Any, *given: Any) -> Any:
        claim = mark(self, *given)
        asleep.append(before)
        return claim

    def note(event: Any) -> None:
        asleep.append(
            within if type(event).__name__ == "CallStarted" and event.method == "POST" else 0.0
        )

    def started(self: Any, *given: Any) -> None:
        asleep.append(between)
        start(self, *given)

    monkeypatch.setattr(Claims, "mark", marked)
    monkeypatch.setattr(ThreadCalls, "start", started)
    blocking.client = {"retry": ONCE, "on_event": note}
    submit(blocking)
    with suppress(TimedOut) if within else nullcontext():
        blocking.send()
    assert blocking.harness.calls("submit") == sent


def keyed(script: Script, **options: Any) -> Any:
    """A client of an API that takes a key for payments, and has no `ping`."""
    given = {
        "transport": script.transport,
        "retry": ONCE,
        "key": HeaderKey(),
        "base_url": "https://till.test",
    }
    return connect(client_class(), name="Till", **{**given, **options})


def outbox_of(store: Store, client: Any = None) -> Outbox:
    made = Outbox(store.engine, client)
    made.create_table()
    return made


def with_a_payment(
    store: Store, client: Any, key: str = GUID, reference: str = "INV-1", **terms: Any
) -> Outbox:
    """An outbox of the client's that has a payment of Till's to send."""
    outbox, body = outbox_of(store, client), new_payment(amount=1, reference=reference)
    with store.engine.begin() as connection:
        take_payment = operation("payments.take_payment")
        outbox.add_call(connection, take_payment, body=body, idempotency_key=key, **terms)
    return outbox


def dated(status: int, **content: Any) -> httpx.Response:
    return httpx.Response(
        status, headers={"date": datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")}, **content
    )


def proved(shown: Callable[[Any, Any], Any]) -> dict[str, Any]:
    """The options of a client that takes no key, and whose list proves a payment as this says of it
    and the call.
    """

    def find(client: Any, call: Any, _since: datetime, _given: Any) -> Any:
        listed = yield lambda: operation("payments.list_payments").sync_detailed(client=client.api)
        return shown(listed, call)

    return {"key": None, "proofs": {"POST /v1/payments": Proof(find)}}


MADE = {"id": "p-1", "amount": 1, "currency": "EUR", "reference": "INV-1", "message": None}


@pytest.mark.parametrize(
    ("key", "status", "body", "state"),
    [
        (None, 429, MADE, "unclear"),
        (None, 400, {**MADE, "code": "00"}, "unclear"),
        (None, 400, {"amount": "must be positive"}, "rejected"),
        (None, 400, {"status": "error"}, "rejected"),
        (HeaderKey(), 400, {"id": "err-1", "description": "no"}, "rejected"),
    ],
)
def test_a_refusal_that_proves_the_work_is_not_sent_again_and_any_other_ends(
    blocking: Store, key: HeaderKey | None, status: int, body: Any, state: str
) -> None:
    script = Script(dated(404), dated(status, json=body))
    outbox = with_a_payment(blocking, keyed(script, key=key), at_most_once=True)
    (entry,) = outbox.send()
    blocking.update(leased_until=0.0)
    assert (entry.state.value, outbox.send()) == (state, [])
    posts = [request for request in script.requests if request.method == "POST"]
    assert len(posts) == 1


@pytest.mark.parametrize("key", [HeaderKey(), None])
def test_what_is_refused_ends_rejected_and_is_sent_again_by_hand_alone(
    blocking: Store, key: HeaderKey | None
) -> None:
    refusals, told = (402, 404, 405, 410, 412, 413, 415, 451), list[str]()
    script = Script(dated(404), *map(dated, refusals), dated(403), dated(201, json={"id": "p"}))
    client = keyed(script, key=key)
    for number in range(len(refusals) + 1):
        reference = f"INV-{number}"
        outbox = with_a_payment(
            blocking, client, f"the-key-of-payment-{number}", reference, at_most_once=True
        )
    outbox.on("rejected")(lambda _session, event: told.append(event.entry.error))
    with pytest.raises(PermissionDenied):  # it waits: others may be permitted tomorrow
        outbox.send()
    assert [entry.error for entry in outbox.entries("rejected")] == told
    assert [str(status) in text for status, text in zip(refusals, told, strict=True)] == [
        True
    ] * len(refusals)
    assert [entry.state.value for entry in outbox.send()] == ["sent"]
    assert (outbox.send(), len(script.requests)) == ([], 1 + len(refusals) + 2)
    blocking.update(resolved_by="Zoë", resolved_why="the portal has nothing")
    assert outbox.retry("the-key-of-payment-0").resolved_by is None
    assert [entry.state.value for entry in outbox.send()] == ["sent"]


def test_a_refusal_of_a_repeat_under_its_key_says_nothing_of_the_first_one(blocking: Store) -> None:
    script = Script(dated(404), httpx.ReadError("it was cut"), dated(402))
    outbox = with_a_payment(blocking, keyed(script))
    assert outbox.send() == []
    blocking.update(leased_until=0.0)
    assert [(entry.state.value, "402" in (entry.error or "")) for entry in outbox.send()] == [
        ("unclear", True)
    ]


def test_only_the_entries_of_the_clients_provider_are_sent(blocking: Store) -> None:
    submit(blocking)
    blocking.update(provider="Another")
    assert (blocking.send(), blocking.state()) == ([], "waiting")


def test_the_providers_time_is_asked_for_where_there_is_no_ping(blocking: Store) -> None:
    """So the age of the key is known after a crash: the write is repeated under it, not given
    up.
    """
    outbox = with_a_payment(blocking, keyed(Script()))
    lost = httpx.ReadError("it was cut")
    for lines, states in (
        ((dated(404), lost), []),
        ((dated(401), dated(201, json={"id": "pay_1"})), ["sent"]),
    ):
        script = Script(*lines)
        assert [entry.state.value for entry in outbox.send(keyed(script))] == states
        assert [request.url.path for request in script.requests] == ["/", "/v1/payments"]
        assert script.requests[1].headers["idempotency-key"] == GUID
        blocking.update(leased_until=0.0)
    assert outbox.entry(GUID).request_id == "pay_1"  # type: ignore[union-attr] # it is there


@pytest.mark.parametrize(
    ("one", "other", "states"),
    [
        ({"auth": BearerAuth("one")}, {"auth": BearerAuth("one")}, ["sent"]),
        ({"auth": BearerAuth("one")}, {"auth": BearerAuth("other")}, ["unclear"]),
        ({"auth": BasicAuth("one", "a")}, {"auth": BasicAuth("one", "b")}, ["sent"]),
        (
            {"auth": ApiKeyAuth("one")},
            {"auth": ApiKeyAuth("one"), "base_url": "https://other.test"},
            ["unclear"],
        ),
        ({"auth": BearerAuth(lambda: "one")}, {"auth": BearerAuth(lambda: "one")}, ["unclear"]),
        *(
            (
                {"auth": BearerAuth(lambda: "a"), "caller": "1"},
                {"auth": BearerAuth("b"), "caller": by},
                [state],
            )
            for by, state in (("1", "sent"), ("2", "unclear"))
        ),
    ],
)
def test_a_write_of_connect_is_repeated_by_its_own_account_alone(
    blocking: Store, one: dict[str, Any], other: dict[str, Any], states: list[str]
) -> None:
    """A provider may keep the keys of each account apart."""
    script, repeat = (
        Script(dated(404), httpx.ReadError("it was cut")),
        Script(dated(404), dated(201, json={"id": "p"})),
    )
    outbox = with_a_payment(blocking, keyed(script, **one))
    assert outbox.send() == []
    blocking.update(leased_until=0.0)
    assert [entry.state.value for entry in outbox.send(keyed(repeat, **other))] == states


@pytest.mark.parametrize(
    ("body", "id", "error"),
    [
        ({"id": 4711, "amount": 1}, "4711", None),
        ({"amount": 1}, None, "The response has no id, so its"),
    ],
)
def test_what_a_write_of_connect_made_is_followed_by_its_id(
    blocking: Store, body: dict[str, Any], id: str | None, error: str | None
) -> None:
    script = Script(dated(404), dated(201, json=body), dated(200, json={"status": "paid"}))
    outbox = with_a_payment(blocking, keyed(script, final={"POST /v1/payments": {"paid"}}))
    (entry,) = outbox.send()
    assert (entry.state.value, entry.request_id, (entry.error or "").startswith(error or "")) == (
        "sent",
        id,
        True,
    )
    assert (entry.error is None) is (error is None)
    assert [each.status for each in outbox.refresh()] == ([] if id is None else ["paid"])
    assert [request.url.path for request in script.requests[2:]] == (
        [] if id is None else ["/v1/payments/4711"]
    )


@pytest.mark.parametrize(
    ("body", "place", "id"),
    [
        ({"data": {"ref": "r-1", "status": "new"}, "status": "paid"}, "data.ref", "r-1"),
        ({"id": "another", "ref": 17, "status": "new"}, "ref", "17"),
        ({"id": "another", "data": {}}, "data.ref", None),
    ],
)
def test_a_row_of_the_callers_names_the_place_of_the_id(
    blocking: Store, body: dict[str, Any], place: str, id: str | None
) -> None:
    made, read = {"amount": 1, **body}, json.loads(json.dumps(body).replace("new", "paid"))
    script = Script(dated(404), dated(201, json=made), dated(200, json={"amount": 1, **read}))
    rows = {"made": {"POST /v1/payments": place}, "final": {"POST /v1/payments": {"paid"}}}
    outbox = with_a_payment(blocking, keyed(script, **rows))
    (entry,) = outbox.send()
    assert (entry.state.value, entry.request_id) == ("sent", id)
    assert entry.status == (None if id is None else "new")
    assert [each.status for each in outbox.refresh()] == ([] if id is None else ["paid"])
    paths = [request.url.path for request in script.requests[2:]]
    assert paths == ([] if id is None else [f"/v1/payments/{id}"])


def test_an_account_without_a_name_is_refused() -> None:
    for caller in ("", 4711):
        with pytest.raises(ConfigurationError, match="caller must name an account"):
            keyed(Script(), caller=caller)


def test_a_key_that_may_be_sent_too_late_is_not_sent_again(blocking: Store) -> None:
    client = keyed(Script(dated(404), dated(201, json={"id": "p"})))
    outbox = with_a_payment(blocking, client, send_before=datetime.now(UTC) + timedelta(hours=1))
    blocking.update(
        state="sending",
        first_sent_at=time.time(),
        by_provider_clock=True,
        send_before=time.time() - 1,
    )
    assert [entry.state.value for entry in outbox.send()] == ["unclear"]
    assert "its time to be sent has passed" in (outbox.entry(GUID).error or "")  # type: ignore[union-attr] # it is there


def test_a_proof_of_the_callers_own_shows_what_was_done(blocking: Store) -> None:
    def shown(listed: Any, call: Any) -> Any:
        items = json.loads(listed.content)["items"]
        (item,) = [each for each in items if each["reference"] == call.body["reference"]]
        made_at = datetime.fromisoformat(item["made_at"])
        return Done(item["id"], created_at=made_at, compared=call.compared_with(item))

    now = datetime.now(UTC).isoformat()
    item = {"id": "pay_1", "amount": 1, "currency": "EUR", "reference": "INV-1", "made_at": now}
    listed = dated(200, json={"items": [item]})
    script = Script(dated(404), httpx.ReadError("it was cut"), listed)
    outbox = with_a_payment(blocking, keyed(script, **proved(shown)), "INV-1")
    assert [(entry.state.value, entry.request_id) for entry in outbox.send()] == [("sent", "pay_1")]
    assert [request.method for request in script.requests] == ["GET", "POST", "GET"]


@pytest.mark.parametrize("made_at", [UNSET, None, "2026-03-04T09:00:00Z", datetime(2026, 3, 4)])  # noqa: DTZ001 - it is naive on purpose
def test_a_proof_without_a_time_says_that_it_has_none(blocking: Store, made_at: Any) -> None:
    """As the example in docs/never-twice.md does of a response without `created_at`."""

    def shown(_listed: Any, call: Any) -> Any:
        return Done("pay_1", created_at=made_at, compared=call.compared_with(call.body))

    listed = dated(200, json={"items": []})
    script = Script(dated(404), httpx.ReadError("it was cut"), listed, listed)
    outbox = with_a_payment(blocking, keyed(script, **proved(shown)))
    outbox.send()
    blocking.update(leased_until=0.0, settle_until=1.0)
    (entry,) = outbox.send()
    assert entry.state.value == "unclear"
    assert "pay_1 has what was sent, and does not say when it was made." in (entry.error or "")


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (NotDone("It is void.", is_over=True), "rejected"),
        (NotDone("It is being paid."), "settling"),
        (NotDone("It is open.", can_be_sent=True), "settling"),
    ],
)
def test_a_proof_of_a_state_in_which_it_was_not_done_ends_it_if_it_never_can_be(
    blocking: Store, state: NotDone, told: str
) -> None:
    listed = dated(200, json={"items": []})
    script = Script(dated(404), httpx.ReadError("it was cut"), listed)
    outbox = with_a_payment(blocking, keyed(script, **proved(lambda *_: state)))
    outbox.send()
    (entry,) = outbox.entries()
    assert entry.state.value == told
    assert state.why in (entry.error or "")


@pytest.mark.parametrize(
    "failure", [dated(402), dated(403), dated(500), dated(401), httpx.ReadError("it was cut")]
)
def test_a_look_up_that_fails_for_ever_ends_and_can_be_settled_by_hand(
    blocking: Store, failure: Any
) -> None:
    script = Script(dated(404), httpx.ReadError("it was cut"), failure)
    outbox = with_a_payment(blocking, keyed(script, **proved(lambda *_: Done("pay_1"))), KEY)
    with pytest.raises(VictorError):
        outbox.send()
    assert [entry.state.value for entry in outbox.entries()] == ["settling"]
    blocking.update(leased_until=0.0, settle_until=1.0)
    if isinstance(failure, httpx.Response) and failure.status_code != 401:
        assert [
            (entry.state.value, str(failure.status_code) in str(entry.error))
            for entry in outbox.send()
        ] == [("unclear", True)]
    else:  # nothing was read: it is no sign of anything
        with pytest.raises(VictorError):
            outbox.send()
    entry = outbox.resolve(KEY, done=True, by="Zoë", why="the portal has it")
    assert (entry.state.value, entry.error) == ("sent", None)
    assert [request.method for request in script.requests].count("POST") == 1


@pytest.mark.parametrize(
    ("status", "name"), [("SENT", "status:sent"), ("Rejected", "status:rejected"), ("ok", "ok")]
)
def test_a_status_with_the_name_of_a_state_is_told_as_a_status(
    blocking: Store, status: str, name: str
) -> None:
    script, told = Script(dated(404), dated(201, json={"id": "p", "status": status})), list[str]()
    outbox = with_a_payment(blocking, keyed(script))
    outbox.on()(lambda _session, event: told.append(event.name))
    assert [entry.status for entry in outbox.send()] == [status]
    assert told == ["sent", name]


@pytest.mark.parametrize(
    ("returns", "why"), [(None, "failed: KeyError: 'references'"), (5, "returned int, and no Done")]
)
def test_a_proof_that_fails_says_so_and_ends_no_pass(
    blocking: Store, returns: Any, why: str
) -> None:
    options = proved(lambda _, call: returns or call.body["references"])
    (proof,) = options["proofs"].values()
    for wrong in (proof.find, Proof(lambda *_: "no steps"), Proof):  # type: ignore[arg-type, return-value] # wrong on purpose
        with pytest.raises(
            ConfigurationError, match=r"proofs: POST /v1/payments must have Proof\(find\)"
        ):
            keyed(Script(), proofs={"POST /v1/payments": wrong})
    listed = dated(200, json={"items": []})
    outbox = outbox_of(
        blocking,
        keyed(Script(dated(404), httpx.ReadError("it was cut"), listed, listed), **options),
    )
    with blocking.engine.begin() as connection:
        body, function = (
            new_payment(amount=1, reference="INV-1"),
            operation("payments.take_payment").sync,
        )
        with pytest.raises(ConfigurationError, match="take_payment: leave out client="):
            outbox.add_call(
                connection, function, client=outbox.client.api, body=body, idempotency_key="INV-1"
            )
        outbox.add_call(connection, function, body=body, idempotency_key="INV-1")
    outbox.send()
    blocking.update(leased_until=0.0, settle_until=1.0)
    (entry,) = outbox.send()
    assert (entry.state.value, entry.operation) == ("unclear", "take_payment")
    assert f"The proof of POST /v1/payments {why}" in (entry.error or "")


def test_no_card_is_stored(blocking: Store) -> None:
    bank = EastPay(
        "t" * 40, base_url="https://bank.test", entity_id="EB000001", inquiry_by_reference=True
    )
    outbox, price = outbox_of(blocking, bank), Money.of("92.00", "EGP")
    number: Any = {"number": "4111111111111111", "expiry_month": 12, "expiry_year": 2030}
    for card in (Card(**number), Card(**number, cvv="123"), CardToken("a-token")):
        refused = pytest.raises(InvalidRequest, match="card is the number of a card")
        with (
            nullcontext() if isinstance(card, CardToken) else refused,
            blocking.engine.begin() as connection,
        ):
            named: Any = {"card": card, "merchant_transaction_id": "I", "idempotency_key": KEY}
            outbox.add_call(connection, "payments.debit", price, **named)
    assert len(outbox.entries()) == 1


def test_what_cannot_be_used_is_named(blocking: Store) -> None:
    outbox = Outbox(blocking.engine, client=keyed(Script(dated(404))))
    body, wrong = new_payment(amount=1, reference="INV-1"), cast("Any", blocking.engine)
    with pytest.raises(
        ConfigurationError, match="Engine is no session: pass a Session or a Connection"
    ):
        outbox.add_call(wrong, operation("payments.take_payment"), body=body, idempotency_key=GUID)
    with pytest.raises(ConfigurationError, match="AsyncEngine is no session"):
        anyio.run(
            partial(AsyncOutbox(wrong).add, cast("Any", create_async_engine("sqlite+aiosqlite://")))
        )
    with pytest.raises(
        InvalidRequest, match="state='bad' is none of waiting, sending, settling, sent"
    ):
        outbox.entries("bad")
    for name, value in {"lease": 120, "settle_for": timedelta(seconds=-1)}.items():
        with pytest.raises(ConfigurationError, match=f"{name}=.* is no timedelta of zero or more"):
            Outbox(blocking.engine, **cast("Any", {name: value}))
    with pytest.raises(
        ConfigurationError, match=r"^engine is a URL: pass sa.create_engine((?!password).)*$"
    ):
        Outbox(cast("Any", "sqlite:///a-password"))
    for box in (Outbox, Inbox):
        with pytest.raises(ConfigurationError, match="engine is of type Session: pass an engine"):
            box(cast("Any", Session(blocking.engine)), cast("Any", None))
    with pytest.raises(ConfigurationError, match="remember=90 is no timedelta of zero or more"):
        Inbox(blocking.engine, cast("Any", None), remember=cast("Any", 90))
    with pytest.raises(ConfigurationError, match="must take two arguments: a session and an event"):
        outbox.on("sent")(lambda session: None)
    with (
        blocking.engine.begin() as connection,
        pytest.raises(ConfigurationError, match="This outbox has no client"),
    ):
        outbox_of(blocking).add_call(connection, "payouts.submit", [pay()], idempotency_key=KEY)
    with (
        blocking.engine.begin() as connection,
        pytest.raises(InvalidRequest, match="visible ASCII"),
    ):
        outbox.add_call(
            connection,
            operation("payments.take_payment"),
            body=body,
            idempotency_key="schlüssel-1042",
        )


@pytest.mark.parametrize("box", [Outbox, AsyncOutbox, DjangoOutbox, Inbox])
def test_help_is_shown_of_each_box(box: type) -> None:
    assert str(box.__doc__).partition(".")[0] in pydoc.render_doc(box)


def test_django_makes_the_client_of_its_settings(
    blocking: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.conf import settings

    place = "victor_ext.providers.velo:Velo.from_env"
    monkeypatch.setattr(settings, "VICTOR_OUTBOX", {"client": place}, raising=False)
    key, secret = blocking.harness.sandbox.add_key()
    for name, value in {
        "API_KEY": key,
        "API_SECRET": secret,
        "BASE_URL": blocking.harness.sandbox.url,
    }.items():
        monkeypatch.setenv(f"VELO_{name}", value)
    with use_database(blocking.engine.url):
        call_command("migrate", verbosity=0)
        with transaction.atomic():
            DjangoOutbox.from_settings().add_call(
                "payouts.submit",
                [pay()],
                idempotency_key=KEY,
                look_up_by={"payor_id": blocking.harness.payor},
            )
        call_command("send_payment_requests")
        (made,) = {DjangoOutbox.from_settings().client for _ in range(2)}
        with monkeypatch.context() as changed:
            changed.setenv("VELO_TIMEOUT", "9")
            assert DjangoOutbox.from_settings().client is not made
        with velo.Velo.from_env() as client:  # one that somebody else made stays open
            monkeypatch.setattr(settings, "VICTOR_OUTBOX", {"client": client})
            call_command("send_payment_requests")
            client.ping()
    assert blocking.harness.calls("submit") == 1
