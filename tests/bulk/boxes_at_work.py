"""An outbox of calls to Velo and an inbox that work on a database while its server is killed."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.bulk.bulk_runs import PATIENCE
from tests.providers.velo.test_velo_notifications import HEADER, body_of
from victor_ext.inbox import Inbox
from victor_ext.outbox import EntryState, Outbox
from victor_ext.providers import Money
from victor_ext.providers.velo import PaymentInstruction, Velo, VeloAuth, Webhook
from victor_ext.sandbox.velo import VeloSandbox, VeloSettings

LEASE = timedelta(seconds=10)
SUBMITTED, INSTRUCTED = "payouts.submit", "payouts.instruct"
PAID: dict[str, Any] = {
    "remote_id": "payee-7", "amount": Money.of("1.50", "USD"), "source_account_name": "USD account",
}  # fmt: skip
HANDLED = sa.Table("handled", sa.MetaData(), sa.Column("what", sa.Text, nullable=False))


@contextmanager
def boxes_at_work(database: str) -> Iterator[None]:
    """While the block runs, payouts are added, and notifications arrive.

    At its end, all of it was done once.
    """
    engine, stop, fed = sa.create_engine(database), threading.Event(), threading.Event()
    with (
        ExitStack() as stack,
        VeloSandbox(VeloSettings(seed=1, settlement=0.0)) as sandbox,
        Velo(VeloAuth(*sandbox.add_key()), base_url=sandbox.url, deadline=10.0) as velo,
    ):
        stack.callback(engine.dispose)
        sandbox.add_source_account("USD account", "USD", 10**9)
        sandbox.add_payee("payee-7")
        outbox = Outbox(engine, client=velo, lease=LEASE, settle_for=timedelta(0))
        inbox = Inbox(engine, Webhook(HEADER), lease=LEASE)
        for make in (outbox.create_table, inbox.create_table, lambda: HANDLED.create(engine)):
            make()

        @outbox.on()  # what no handler wants is kept
        def note(session: Session, event: Any) -> None:
            if event.name != "sent":
                return
            session.execute(sa.insert(HANDLED).values(what=event.entry.idempotency_key))
            if event.entry.operation == SUBMITTED:
                key = event.entry.idempotency_key.replace("submit", "instruct")
                outbox.add_call(session, INSTRUCTED, event.entry.request_id, idempotency_key=key)

        @inbox.on()
        def note_received(session: Session, event: Any) -> None:
            session.execute(sa.insert(HANDLED).values(what=event.subject))

        def feed() -> None:
            number, by = 1, {"payor_id": sandbox.payor_id}
            while not fed.wait(0.2):
                key, payment = (
                    f"submit-{number}",
                    PaymentInstruction(payor_payment_id=f"PAY-{number}", **PAID),
                )
                with suppress(DBAPIError):  # the server is away: it is added, and delivered, again
                    with Session(engine) as session, session.begin():
                        outbox.add_call(
                            session, SUBMITTED, [payment], idempotency_key=key, look_up_by=by
                        )
                        inbox.receive(
                            session, body_of(number, f"e-{number}"), {"Authorization": HEADER}
                        )
                    number += 1

        with ThreadPoolExecutor(3) as threads:
            try:
                feeding = threads.submit(feed)
                for box in (outbox, inbox):
                    threads.submit(box.run, interval=0.1, stop=stop)
                yield
                fed.set()
                feeding.result()
                ends = time.monotonic() + PATIENCE
                while _is_busy(engine, outbox, inbox):
                    assert time.monotonic() < ends, outbox.counts()
                    time.sleep(0.1)
            finally:
                fed.set()
                stop.set()
        _all_done_once(engine, outbox, sandbox)


def _is_busy(engine: sa.Engine, outbox: Outbox, inbox: Inbox) -> bool:
    with suppress(DBAPIError):  # the first connection after a kill is one from before it
        counts = outbox.counts()
        with engine.connect() as connection:
            left = [
                connection.scalar(sa.select(sa.func.count()).select_from(box.events))
                for box in (outbox, inbox)
            ]
        return any(left) or any(
            counts[state] for state in (EntryState.WAITING, EntryState.SENDING, EntryState.SETTLING)
        )
    return True


def _all_done_once(engine: sa.Engine, outbox: Outbox, sandbox: VeloSandbox) -> None:
    entries, done = outbox.entries(), sandbox.work_done_by_reference()
    assert {entry.state for entry in entries} <= {EntryState.SENT, EntryState.UNCLEAR}
    sent = {entry.idempotency_key for entry in entries if entry.state is EntryState.SENT}
    added = {entry.idempotency_key for entry in entries if entry.operation == SUBMITTED}
    made = {reference.replace("PAY", "submit") for reference in done if reference.startswith("PAY")}
    instructed = {entry.request_id for entry in entries if entry.idempotency_key in sent - added}
    assert {what: times for what, times in done.items() if times != 1} == {}
    assert sent & added <= made <= added and instructed <= set(done)
    with engine.connect() as connection:
        handled = Counter(connection.scalars(sa.select(HANDLED.c.what)))
    assert handled == dict.fromkeys(sent | {key.replace("submit", "e") for key in added}, 1)
