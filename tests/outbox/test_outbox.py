"""The outbox on SQLite and PostgreSQL: one request for each invoice, whatever ends the process, and never a guess."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_type_hints

import anyio
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session

from tests.bulk.postgres import Postgres
from tests.outbox.databases import new_schema
from victor_ext import (
    AsyncVictor,
    AuthenticationError,
    ConnectionFailed,
    InvalidRequest,
    Outcome,
    Payee,
    Payer,
    PaymentRequest,
    PermissionDenied,
    ProviderTime,
    RateLimited,
    Victor,
    VictorOAuth,
    idempotency_key_for,
)
from victor_ext.outbox import AsyncOutbox, EntryState, Outbox, PaymentRequestArguments
from victor_ext.outbox.entries import values_of
from victor_ext.outbox.passes import Call, Claim
from victor_ext.providers.victor.requests import CreateRequest
from victor_ext.sandbox import Sandbox
from victor_ext.settlement import Moment
from victor_ext.testing import Faults, TimeTravel

NO_LEASE = timedelta(microseconds=1)
"""So that the next pass need not wait for what a killed worker had."""


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    if request.param == "sqlite":
        made = sa.create_engine(f"sqlite:///{tmp_path / 'invoices.sqlite'}")
    else:
        made = sa.create_engine(new_schema(request.getfixturevalue("postgres_server")))
    yield made
    made.dispose()


@pytest.fixture
def outbox(engine: sa.Engine) -> Outbox:
    made = Outbox(engine, lease=NO_LEASE)
    made.create_table()
    return made


def invoice(number: int = 1042, **changes: Any) -> dict[str, Any]:
    asked = {
        "payee_account_number": "043987673645",
        "payer_counterparty_id": "acceptsRfp",
        "amount": Decimal("44.23"),
        "biller_type": "BUSINESS",
        "due_date": datetime.now(UTC).date(),
        "client_reference_id": f"INV-{number}",
        "idempotency_key": idempotency_key_for("invoice", number),
    }
    return {**asked, **changes}


def stored(outbox: Outbox, engine: sa.Engine, *invoices: dict[str, Any]) -> None:
    with Session(engine) as session, session.begin():
        for each in invoices:
            outbox.add(session, **each)


class Found(list[Any]):
    """What `find` returns."""

    caveat = ""


class Killed(BaseException):
    """Kill -9, as far as Python can tell: nothing catches it, and nothing after it is done."""


class TestStoring:
    def test_an_entry_is_there_with_the_invoice_or_not_at_all(self, outbox: Outbox, engine: sa.Engine) -> None:
        with Session(engine) as session:
            outbox.add(session, **invoice(1))
            session.rollback()
        with engine.begin() as connection:
            outbox.add(connection, **invoice(2))
        assert [entry.client_reference_id for entry in outbox.entries()] == ["INV-2"]

    def test_the_same_invoice_is_stored_once(self, outbox: Outbox, engine: sa.Engine) -> None:
        stored(outbox, engine, invoice(), dict(reversed(invoice(amount="44.23").items())))
        assert len(outbox.entries()) == 1
        with pytest.raises(InvalidRequest, match="with other arguments") as raised:
            stored(outbox, engine, invoice(amount="44.24"))
        assert raised.value.idempotency_key == outbox.entries()[0].idempotency_key

    def test_of_two_transactions_with_one_key_one_is_refused(self, outbox: Outbox, engine: sa.Engine) -> None:
        stored(outbox, engine, invoice())
        with engine.begin() as connection:
            other = {**connection.execute(sa.select(outbox.table)).mappings().one(), "id": 2}
            with pytest.raises(IntegrityError):
                connection.execute(sa.insert(outbox.table).values(other))

    @pytest.mark.parametrize("missing", ["idempotency_key", "client_reference_id"])
    def test_without_key_and_reference_no_repeat_is_safe(self, outbox: Outbox, engine: sa.Engine, missing: str) -> None:
        with pytest.raises(InvalidRequest, match=f"{missing} is missing: without it no repeat is safe"):
            stored(outbox, engine, invoice(**{missing: None}))

    def test_what_could_never_be_sent_is_refused_at_once(self, outbox: Outbox, engine: sa.Engine) -> None:
        with pytest.raises(InvalidRequest, match="amount") as raised:
            stored(outbox, engine, invoice(amount=12.5))
        assert raised.value.idempotency_key == invoice()["idempotency_key"]
        assert outbox.entries() == []


class TestSending:
    def test_each_is_sent_once_and_its_end_is_read(
        self, outbox: Outbox, engine: sa.Engine, victor: Victor, time_travel: TimeTravel, victor_sandbox: Sandbox
    ) -> None:
        stored(outbox, engine, invoice(1), invoice(2, payer_counterparty_id="declinesRfp"))
        assert [entry.state for entry in outbox.send(victor)] == [EntryState.SENT] * 2
        assert outbox.send(victor) == []
        time_travel.advance(minutes=1)
        assert {entry.status for entry in outbox.refresh(victor)} == {"completed", "declined"}
        assert outbox.refresh(victor) == []
        assert set(victor_sandbox.work_done_by_key().values()) == {1}
        assert outbox.counts()[EntryState.SENT] == 2 == sum(outbox.counts().values())

    def test_a_refusal_is_stored_with_its_reason(
        self, outbox: Outbox, engine: sa.Engine, victor: Victor, faults: Faults
    ) -> None:
        stored(outbox, engine, invoice(1), invoice(2))
        faults.status(400, operation="create")
        refused, sent = outbox.send(victor)
        assert (refused.state, sent.state) == (EntryState.REFUSED, EntryState.SENT)
        assert refused.error
        assert outbox.entries("refused") == [refused]

    @pytest.mark.parametrize(
        ("said", "kept"),
        [("half \ud83d", "half \\ud83d"), ("a \0 byte", "a \\x00 byte"), ("long " * 100, "long " * 100)],
        ids=["half of a character", "zero", "long"],
    )
    def test_what_the_provider_says_is_stored_in_whatever_form(
        self, outbox: Outbox, engine: sa.Engine, victor: Victor, faults: Faults, said: str, kept: str
    ) -> None:
        """PostgreSQL takes no zero and neither takes half of a character: nothing would be settled ever again."""
        made = {"victor_payment_request_id": "ID-1", "client_reference_id": "INV-1", "direction": "outbound"}
        stored(outbox, engine, invoice(1))
        faults.status(200, operation="create", body=json.dumps({**made, "status": said}))
        assert [(entry.state, entry.status) for entry in outbox.send(victor)] == [(EntryState.SENT, kept)]
        for status in (said, "failed"):
            listed = {"results": [{**made, "status": status, "error_message": said}]}
            faults.status(200, operation="list", body=json.dumps(listed))
            changed = [(entry.status, entry.error) for entry in outbox.refresh(victor)]
            assert changed == ([] if status == said else [("failed", kept)])
        stored(outbox, engine, invoice(2))
        faults.status(400, operation="create", body="a \0 byte")
        assert [entry.state for entry in outbox.send(victor)] == [EntryState.REFUSED]

    @pytest.mark.parametrize(
        ("order", "error"),
        [
            (lambda faults: faults.rate_limit(times=None, operation="create"), RateLimited),
            (lambda faults: faults.status(401, times=None, operation="create"), AuthenticationError),
            (lambda faults: faults.status(403, operation="create"), PermissionDenied),
            (lambda faults: faults.down(), ConnectionFailed),
        ],
    )
    def test_what_was_not_sent_waits(
        self, outbox: Outbox, engine: sa.Engine, victor: Victor, faults: Faults, order: Any, error: type[Exception]
    ) -> None:
        stored(outbox, engine, invoice())
        victor.payment_requests.find("x", start_datetime=datetime.now(UTC))  # so that the provider's time is known
        order(faults)
        with pytest.raises(error):
            outbox.send(victor)
        (entry,) = outbox.entries()
        assert entry.state is EntryState.WAITING
        faults.up()
        faults.clear()
        assert [each.state for each in outbox.send(victor)] == [EntryState.SENT]

    def test_a_refusal_of_one_keeps_nobody_waiting(
        self, outbox: Outbox, engine: sa.Engine, victor: Victor, faults: Faults
    ) -> None:
        stored(outbox, engine, invoice(1), invoice(2))
        faults.status(403, operation="create")
        with pytest.raises(PermissionDenied):
            outbox.send(victor)
        assert [entry.state for entry in outbox.entries()] == [EntryState.WAITING, EntryState.SENT]

    def test_an_unknown_outcome_is_sent_again_under_its_key(
        self, outbox: Outbox, engine: sa.Engine, victor: Victor, faults: Faults, sent_once: Any
    ) -> None:
        stored(outbox, engine, invoice())
        faults.lose_answer(times=6, operation="create")
        assert outbox.send(victor) == []
        assert outbox.counts()[EntryState.SENDING] == 1
        assert [entry.state for entry in outbox.send(victor)] == [EntryState.SENT]
        assert len(sent_once(idempotency_key_for("invoice", 1042))) == 7

    def test_what_a_worker_holds_is_left_to_it(self, engine: sa.Engine, victor: Victor, faults: Faults) -> None:
        outbox = Outbox(engine)
        outbox.create_table()
        stored(outbox, engine, invoice())
        faults.lose_answer(times=6, operation="create")
        assert outbox.send(victor) == outbox.send(victor) == []
        assert Outbox(engine).counts()[EntryState.SENDING] == 1


class TestOldKeys:
    """The sandbox forgets keys after an hour: a repeat would ask the customer a second time."""

    @pytest.fixture
    def old(self, engine: sa.Engine, victor: Victor, faults: Faults) -> Callable[[Any], Outbox]:
        def make(order: Any) -> Outbox:
            outbox = Outbox(engine, lease=NO_LEASE, keys_kept=timedelta(hours=1))
            outbox.create_table()
            stored(outbox, engine, invoice())
            order(faults)
            assert outbox.send(victor) == []
            with engine.begin() as connection:  # it was an hour ago
                earlier = outbox.table.c.first_sent_at - 3601
                connection.execute(sa.update(outbox.table).values(first_sent_at=earlier))
            return outbox

        return make

    @pytest.mark.victor_sandbox(key_life=0)
    def test_what_was_done_is_found(self, old: Any, engine: sa.Engine, victor: Victor, victor_sandbox: Sandbox) -> None:
        outbox = old(
            lambda faults: (faults.lose_answer(operation="create"), faults.status(503, times=5, operation="create"))
        )
        stored(outbox, engine, invoice(1), invoice(2000))
        with engine.begin() as connection:  # they are unsettled, too, and have other references
            connection.execute(
                sa.update(outbox.table)
                .where(outbox.table.c.reference != "INV-1042")
                .values(state=EntryState.SENDING.value, leased_until=time.time() + 60)
            )
        assert [entry.state for entry in outbox.send(victor)] == [EntryState.SENT]
        assert [*victor_sandbox.work_done_by_key().values()] == [1]

    def test_what_is_not_found_is_for_somebody_to_look_at(
        self, old: Any, victor: Victor, victor_sandbox: Sandbox
    ) -> None:
        outbox = old(lambda faults: faults.status(503, times=6, operation="create"))
        (entry,) = outbox.send(victor)
        assert entry.state is EntryState.UNCLEAR
        assert "longer ago than its key is kept" in str(entry.error) and "no proof" in str(entry.error)
        assert outbox.send(victor) == []
        assert [*victor_sandbox.work_done_by_key().values()] == [0]

    @pytest.mark.parametrize(
        ("fields", "state"),
        [
            ({}, EntryState.SENT),
            ({"amount": "1.00", "original_amount": "44.23"}, EntryState.SENT),
            ({"amount": "1.00"}, EntryState.UNCLEAR),
            ({"direction": "inbound"}, EntryState.UNCLEAR),
            ({"payer": Payer("ignoresRfp", None, None, None)}, EntryState.UNCLEAR),
            ({"created_at": datetime(2026, 3, 4, tzinfo=UTC)}, EntryState.UNCLEAR),
        ],
    )
    def test_a_request_that_others_made_or_that_is_older_is_not_it(
        self, old: Any, victor: Victor, monkeypatch: pytest.MonkeyPatch, fields: Any, state: EntryState
    ) -> None:
        outbox = old(lambda faults: faults.status(503, times=6, operation="create"))
        mine = {
            "client_reference_id": "INV-1042", "amount": "44.23", "direction": "outbound",
            "created_at": datetime.now(UTC),
            "due_date": invoice()["due_date"], "payer": Payer("acceptsRfp", None, None, None),
            "payee": Payee("043987673645", None),
        }  # fmt: skip
        found = Found([PaymentRequest.fake(**{**mine, **fields})])
        monkeypatch.setattr(victor.payment_requests, "find", lambda **_: found)
        assert [entry.state for entry in outbox.send(victor)] == [state]

    def test_the_request_of_one_of_two_entries_with_one_reference_settles_neither(
        self, old: Any, engine: sa.Engine, victor: Victor
    ) -> None:
        """Only the second was made, and its answer was lost. The first must not be given its request."""

        def order(faults: Faults) -> None:
            stored(Outbox(engine), engine, invoice(idempotency_key="another-key-0123456789"))
            faults.status(503, times=6, operation="create")
            faults.lose_answer(operation="create")
            faults.status(503, times=5, operation="create")

        assert [entry.state for entry in old(order).send(victor)] == [EntryState.UNCLEAR] * 2

    def test_a_request_of_another_entry_is_not_it(self, old: Any, engine: sa.Engine, victor: Victor) -> None:
        outbox = old(lambda faults: faults.status(503, times=6, operation="create"))
        stored(outbox, engine, invoice(idempotency_key="another-key-0123456789"))
        newest = outbox.table.c.key == "another-key-0123456789"
        with engine.begin() as connection:  # the other one has its result already
            request = victor.payment_requests.create(**invoice(idempotency_key="another-key-0123456789"))
            connection.execute(sa.update(outbox.table).where(newest).values(**values_of(request)))
        assert [entry.state for entry in outbox.send(victor)] == [EntryState.UNCLEAR]

    @pytest.mark.parametrize(
        ("first", "later", "lease", "is_sent_again"),
        [
            pytest.param((0, True), (30, True), NO_LEASE, True, id="young"),
            pytest.param((0, True), (40, True), timedelta(minutes=20), False, id="too old when the call may end"),
            pytest.param((0, True), (-1, True), NO_LEASE, False, id="the provider's clock was set"),
            pytest.param((0, True), (1, False), NO_LEASE, False, id="the provider tells no time any more"),
            pytest.param((600, False), (59, True), NO_LEASE, False, id="sent by a clock that is ten hours ahead"),
            pytest.param((1570, False), (100, True), NO_LEASE, False, id="sent by a clock that is a day ahead"),
            pytest.param((0, False), (1, False), NO_LEASE, False, id="the provider never tells the time"),
        ],
    )
    def test_a_key_is_sent_again_only_if_its_age_is_certain(
        self, engine: sa.Engine, victor: Victor, faults: Faults, sent_once: Any, monkeypatch: pytest.MonkeyPatch,
        first: tuple[int, bool], later: tuple[int, bool], lease: timedelta, is_sent_again: bool,
    ) -> None:  # fmt: skip
        outbox = Outbox(engine, lease=lease, keys_kept=timedelta(hours=1))
        outbox.create_table()
        stored(outbox, engine, invoice())
        began = datetime.now(UTC)

        def at(minutes: int, is_known: bool) -> None:
            time = ProviderTime(began + timedelta(minutes=minutes), is_known=is_known)
            monkeypatch.setattr(Victor, "provider_time", lambda _self: time)

        at(*first)
        faults.lose_answer(times=6, operation="create")
        assert outbox.send(victor) == []
        with engine.begin() as connection:
            connection.execute(sa.update(outbox.table).values(leased_until=0.0))
        at(*later)
        assert [entry.state for entry in outbox.send(victor)] == [EntryState.SENT]
        assert len(sent_once(idempotency_key_for("invoice", 1042))) == (7 if is_sent_again else 6)

    def test_what_was_sent_with_other_credentials_is_looked_up(
        self, outbox: Outbox, engine: sa.Engine, victor: Victor, faults: Faults, victor_sandbox: Sandbox
    ) -> None:
        """The sandbox keeps the keys of each caller apart: the same key would make a second request."""
        stored(outbox, engine, invoice(1), invoice(2))
        faults.lose_answer(operation="create")
        faults.status(503, times=11, operation="create")
        assert outbox.send(victor) == []
        assert {entry.error for entry in outbox.entries("sending")} == {None}
        with Victor(VictorOAuth(*victor_sandbox.add_oauth_client()), base_url=victor_sandbox.url) as successor:
            entries = outbox.send(successor)
        assert [entry.state for entry in entries] == [EntryState.SENT, EntryState.UNCLEAR]
        assert "other credentials" in str(entries[1].error)
        assert sorted(victor_sandbox.work_done_by_key().values()) == [0, 1]

    @pytest.mark.parametrize("first_sent_at", ["known", "not known", None])
    def test_a_table_of_the_release_before_is_gone_on_with(
        self, outbox: Outbox, engine: sa.Engine, victor: Victor, victor_sandbox: Sandbox, first_sent_at: str | None
    ) -> None:
        """It stored an amount as it was written, and a moment by an unknown clock as one of two days before."""
        arguments = {**invoice(1, amount="1E+2"), "due_date": str(invoice()["due_date"]), "notes": None}
        row = {"key": arguments["idempotency_key"], "reference": "INV-1", "arguments": json.dumps(arguments)}
        began = {"known": time.time(), "not known": time.time() - 2 * 86_400, None: None}[first_sent_at]
        state = EntryState.WAITING if began is None else EntryState.SENDING
        with engine.begin() as connection:
            values = {**row, "state": state.value, "leased_until": 0.0, "first_sent_at": began, "ended": False}
            connection.execute(sa.insert(outbox.table).values(**values))
        stored(outbox, engine, invoice(1, amount=100))  # it is there already
        is_sent = first_sent_at != "not known"
        assert [entry.state for entry in outbox.send(victor)] == [EntryState.SENT if is_sent else EntryState.UNCLEAR]
        assert [*victor_sandbox.work_done_by_key().values()] == [1] * is_sent

    def test_a_conflict_is_no_refusal(self, outbox: Outbox, engine: sa.Engine, victor: Victor, faults: Faults) -> None:
        """Another system has used the key, and its call is not over: who takes it for a refusal asks again."""
        stored(outbox, engine, invoice())
        faults.status(409, operation="create")
        (entry,) = outbox.send(victor)
        assert entry.state is EntryState.UNCLEAR
        assert "no proof" in str(entry.error)

    def test_a_refusal_after_a_send_in_doubt_is_looked_up(
        self, outbox: Outbox, engine: sa.Engine, victor: Victor, faults: Faults
    ) -> None:
        stored(outbox, engine, invoice())
        faults.lose_answer(operation="create")
        faults.status(503, times=5, operation="create")
        assert outbox.send(victor) == []
        faults.status(400, operation="create")
        assert [entry.state for entry in outbox.send(victor)] == [EntryState.SENT]


STEPS = ("commit of the claim", "call", "after the call", "commit of the result", "after the result")


@pytest.mark.parametrize("step", STEPS)
def test_a_process_that_is_killed_at_a_step_asks_nobody_twice(
    outbox: Outbox, engine: sa.Engine, victor_sandbox: Sandbox, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(outbox, engine, invoice())
    auth = VictorOAuth(*victor_sandbox.add_oauth_client())
    commits = 0

    def on_commit(_connection: sa.Connection) -> None:
        nonlocal commits
        commits += 1
        if (commits, step) in ((1, STEPS[0]), (2, STEPS[3])):
            raise Killed

    with Victor(auth, base_url=victor_sandbox.url) as first:
        create = first.payment_requests.create

        def call(**arguments: Any) -> Any:
            if step == STEPS[1]:
                raise Killed
            made = create(**arguments)
            if step == STEPS[2]:
                raise Killed
            return made

        monkeypatch.setattr(first.payment_requests, "create", call)
        sa.event.listen(engine, "commit", on_commit)
        if step == STEPS[4]:
            assert len(outbox.send(first)) == 1
        else:
            with pytest.raises(Killed):
                outbox.send(first)
        sa.event.remove(engine, "commit", on_commit)
    with Victor(auth, base_url=victor_sandbox.url) as second:
        again = Outbox(engine, lease=NO_LEASE)
        again.send(second)
        assert [entry.state for entry in again.entries()] == [EntryState.SENT]
    assert [*victor_sandbox.work_done_by_key().values()] == [1]
    assert len(victor_sandbox.requests()) == 1


def test_an_entry_that_two_workers_have_seen_is_sent_by_one(
    outbox: Outbox, engine: sa.Engine, victor: Victor, sent_once: Any
) -> None:
    """The second worker takes it up after the first one has read it, and before the first one has marked it."""
    stored(outbox, engine, invoice())
    second: list[Any] = []

    def meanwhile(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE") and not second:
            second.append(None)
            second.append(Outbox(engine).send(victor))

    sa.event.listen(engine, "before_cursor_execute", meanwhile)
    assert outbox.send(victor) == []
    sa.event.remove(engine, "before_cursor_execute", meanwhile)
    assert [entry.state for entry in second[1]] == [EntryState.SENT] == [entry.state for entry in outbox.entries()]
    assert len(sent_once(idempotency_key_for("invoice", 1042))) == 1


def test_transactions_that_the_database_ends_because_of_others_are_made_again(
    victor: Victor, victor_sandbox: Sandbox, postgres_server: Postgres
) -> None:
    """Four workers at once, each transaction `SERIALIZABLE`: PostgreSQL ends many of them, with 40001."""
    url, ended = new_schema(postgres_server), list[str]()
    engine = sa.create_engine(url, isolation_level="SERIALIZABLE", pool_size=8)
    outbox = Outbox(engine)
    outbox.create_table()
    stored(outbox, engine, *(invoice(number) for number in range(24)))
    victor.ping()

    @sa.event.listens_for(engine, "handle_error")
    def note(context: Any) -> None:
        ended.append(context.original_exception.sqlstate)

    async def awaited() -> None:
        async_engine = create_async_engine(url, isolation_level="SERIALIZABLE")
        sa.event.listen(async_engine.sync_engine, "handle_error", note)
        auth = VictorOAuth(*victor_sandbox.add_oauth_client())
        async with AsyncVictor(auth, base_url=victor_sandbox.url) as client:
            await AsyncOutbox(async_engine).send(client)
        await async_engine.dispose()

    with ThreadPoolExecutor(5) as threads:
        passes = [threads.submit(Outbox(engine).send, victor) for _ in range(3)]
        passes += [threads.submit(anyio.run, awaited) for _ in range(2)]
        for each in passes:
            each.result()
    assert outbox.counts()[EntryState.SENT] == 24
    engine.dispose()
    assert set(ended) == {"40001"}
    assert set(victor_sandbox.work_done_by_key().values()) == {1}


def test_a_worker_that_has_lost_its_lease_overwrites_nothing(
    outbox: Outbox, engine: sa.Engine, victor: Victor, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(outbox, engine, invoice())
    slow = victor.with_options()

    def stalled(**_arguments: Any) -> Any:
        assert [entry.state for entry in Outbox(engine).send(victor)] == [EntryState.SENT]
        raise ConnectionFailed("Nothing was sent.", outcome=Outcome.NOT_SENT)

    monkeypatch.setattr(slow.payment_requests, "create", stalled)
    with pytest.raises(ConnectionFailed):
        outbox.send(slow)
    assert [entry.state for entry in outbox.entries()] == [EntryState.SENT]


@pytest.mark.parametrize("failure", [ConnectionFailed, InvalidRequest])
def test_a_late_success_is_not_overwritten_by_the_worker_that_has_the_lease(
    outbox: Outbox, engine: sa.Engine, victor: Victor, monkeypatch: pytest.MonkeyPatch, failure: Any
) -> None:
    stored(outbox, engine, invoice())
    slow, second = victor.with_options(), victor.with_options()
    create = slow.payment_requests.create
    made: list[Any] = []

    def stalled(**arguments: Any) -> Any:
        monkeypatch.setattr(second.payment_requests, "create", failing)
        monkeypatch.setattr(second.payment_requests, "find", lambda **_: Found())
        later = Outbox(engine)
        passes = later._send(second)
        step = next(passes)
        while not isinstance(step, Call):
            step = passes.send(later._step(step, second))
        made.extend((later, passes))
        return create(**arguments)

    def failing(**_arguments: Any) -> Any:
        raise failure("Nothing was sent.", outcome=Outcome.NOT_SENT)

    monkeypatch.setattr(slow.payment_requests, "create", stalled)
    assert [entry.state for entry in outbox.send(slow)] == [EntryState.SENT]
    later, passes = made
    with suppress(ConnectionFailed, StopIteration):
        step = passes.throw(failure("Nothing was sent.", outcome=Outcome.NOT_SENT))
        while True:
            step = passes.send(later._step(step, second))
    assert [entry.state for entry in outbox.entries()] == [EntryState.SENT]


WORKER = """
import os, signal, sys
from datetime import timedelta
import sqlalchemy as sa
from victor_ext import Victor
from victor_ext.outbox import Outbox

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

engine = sa.create_engine(sys.argv[1])
with Victor.from_env() as victor:
    create = victor.payment_requests.create
    if sys.argv[2] == "before the call":
        victor.payment_requests.create = die
    else:
        victor.payment_requests.create = lambda **arguments: die(create(**arguments))
    Outbox(engine, lease=timedelta(microseconds=1)).send(victor)
"""


@pytest.mark.parametrize("step", ["before the call", "after the call"])
def test_a_worker_that_is_killed_with_9(
    outbox: Outbox, engine: sa.Engine, victor: Victor, victor_sandbox: Sandbox, sent_once: Any, step: str
) -> None:
    stored(outbox, engine, invoice())
    client_id, client_secret = victor_sandbox.add_oauth_client()
    setting = {"VICTOR_BASE_URL": victor_sandbox.url, "VICTOR_ENVIRONMENT": "staging"}
    credentials = {"VICTOR_CLIENT_ID": client_id, "VICTOR_CLIENT_SECRET": client_secret}
    url = engine.url.render_as_string(hide_password=False)
    worker = [sys.executable, "-c", WORKER, url, step]
    ended = subprocess.run(worker, env={**os.environ, **setting, **credentials}, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    with Victor(VictorOAuth(client_id, client_secret), base_url=victor_sandbox.url) as second:
        assert [entry.state for entry in outbox.send(second)] == [EntryState.SENT]
    assert len(sent_once(idempotency_key_for("invoice", 1042))) == (1 if step == "before the call" else 2)


def test_steps_show_no_account_number() -> None:
    claim = Claim(SimpleNamespace(arguments=json.dumps(invoice(), default=str)), 0.0, None, Moment(0.0, 0.0))
    assert "043987673645" not in f"{Call('create', invoice())} {claim}"


def test_the_arguments_are_those_of_create() -> None:
    """Their names and types. The reference and the key are required, where `create` can do without."""
    of_create, stored = get_type_hints(CreateRequest), get_type_hints(PaymentRequestArguments)
    required = {each.name for each in fields(CreateRequest) if each.default is MISSING}
    ours = {"client_reference_id", "idempotency_key"}
    assert stored == {**of_create, **dict.fromkeys(ours, str)}
    assert PaymentRequestArguments.__required_keys__ == required | ours
