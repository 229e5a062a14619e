"""The outbox of a state of bulk sending: its entries are the calls for the rows of files. This is
all that bulk sending uses of an outbox.

First come the table and the columns of a new entry, then the statements that change entries which
no worker sends now, then what their policy is (`FilePolicy`), and `FileSender`, which makes passes.

A file may add, replace or leave out what waits, and lets no new call begin of what was corrected.
A worker takes up, sends and settles, and sends no entry of another scope or sender. A person
settles what is in doubt, and never changes what a live worker has.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import InvalidRequest, PreparedCall
from victor_ext._event_queue.databases import (
    Condition,
    DatabaseTime,
    OfFewRows,
    database_time,
)
from victor_ext._event_queue.drivers import BlockingDriver
from victor_ext._event_queue.fitness import prepared_engine
from victor_ext._event_queue.rows import change_rows, count_rows, delete_rows, put_rows
from victor_ext._event_queue.transactions import PassDriver, Transactions
from victor_ext._event_queue.vault import Vault
from victor_ext._settlement.flow import PaymentOutcome, Settlement
from victor_ext._settlement.key_age import SentSince

from ._by_hand import Finding as Finding  # noqa: PLC0414 - bulk sending makes one
from ._by_hand import wrong_name as wrong_name  # noqa: PLC0414 - bulk sending raises it
from ._engine import EngineTerms, OutboxEngine
from ._entries import (
    DUE,
    IN_DOUBT,
    EntryState,
    free_values,
    is_due_later,
    is_under_call,
    more_references,
    new_number,
    outbox_table,
    sent_values,
    waiting_values,
)
from ._forgetting import forget_entries as forget_entries  # noqa: PLC0414 - bulk sending calls it
from ._holding import end_hold, hold, store_time
from ._holding import held_since as _held_since
from ._keys_kept import keys_kept
from ._life import Life
from ._passes import Rounds
from ._policy import PaymentRegister
from ._scope import kept_text
from ._sealing import UNPREPARED
from ._storing import EntryLost as EntryLost  # noqa: PLC0414 - bulk sending catches it
from ._tables import OutboxTables

NAME = "victor_bulk"
SETTLE_FOR = 600.0
"""Seconds for which a write is looked up that may have been sent and is not sent again."""


UNDER_WAY = "under way"
"""The word of an entry that is marked, and whose call has no result yet: it may have been sent."""
_WORD = f"""
CASE
    WHEN state = 'sent' AND shared THEN '{PaymentOutcome.ACCEPTED}'
    WHEN state = 'sent' THEN '{PaymentOutcome.CREATED}'
    WHEN last = '{PaymentOutcome.NOT_SENT}' AND state = 'waiting' THEN last
    WHEN last = '{PaymentOutcome.ACCEPTED}'
        AND state IN ('sending', 'settling', 'unclear') THEN last
    WHEN last = '{PaymentOutcome.UNKNOWN}' AND state = 'sending' THEN last
    WHEN state = 'sending' THEN '{UNDER_WAY}'
    WHEN state IN ('settling', 'unclear') THEN '{PaymentOutcome.UNKNOWN}'
    ELSE state
END
"""
"""A `PaymentOutcome` or UNDER_WAY, by the state of an entry and what its last call came to. The
provider has yet to accept what it was sent of several rows.
"""


def _entry_table() -> sa.Table:
    """The table of the entries of files, with more columns than that of an outbox.

    `scope` is the system and the environment: one key in two of them is two entries. `sender` is
    the address with which it is sent, and `batch` the batch that sends it. `shared`
    says that it is for the rows of a payout, be it one row. `last` is the outcome of its last call,
    if that settled nothing. `word` is what people see of its rows: the database stores it with each
    change of the others.
    """
    return outbox_table(
        NAME,
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("batch", sa.Text, nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("last", sa.String(16)),
        sa.Column("word", sa.String(16), sa.Computed(_WORD, persisted=True)),
        sa.UniqueConstraint("key", "scope", name=f"{NAME}_key_of_scope"),
        is_key_unique=False,
    )


TABLES = OutboxTables.of(_entry_table(), NAME)
ENTRIES = TABLES.entries

_WAS_DONE = "A look-up shows that it was done."
_GONE = InvalidRequest("What it asks for is not in the state any more.")
_WAITING = EntryState.WAITING
_MAY_BE_REPLACED = (_WAITING, EntryState.REFUSED)


class EntryMarked(Exception):
    """An entry that was to be replaced may have been sent: nothing is stored."""


class FileTerms(NamedTuple):
    """What the entries that are stored by one transaction have in common: see the table."""

    provider: str
    operation: str
    scope: str
    sender: str
    batch: str
    shared: bool


def entry_values(terms: FileTerms, key: str, reference: str) -> dict[str, Any]:
    """The column values of a new entry, but for the time at which it is stored. It has no call
    before it is taken up. `reference` is a digest.
    """
    return {
        **terms._asdict(),
        "key": key,
        "reference": reference,
        "call": UNPREPARED,
        "look_up_by": UNPREPARED,
        "send_before": None,
        "settle_until": None,
        **waiting_values(),
        **sent_values(None),
        "last": None,
        "error": None,
    }


def sent_since(sent: SentSince) -> dict[str, Any]:
    """The column values of an entry that may have been sent since a backup was made: it is looked
    up, and not sent.
    """
    return {
        "state": EntryState.SENDING,
        "restored": True,
        **sent_values(sent._replace(by=None)),
    }


def named_entries(scope: str, keys: Any) -> Condition:
    """Holds for the entries of a scope with these keys."""
    return sa.and_(ENTRIES.c.scope == scope, ENTRIES.c.key.in_(keys))


def put_entries(connection: Connection, entries: Sequence[dict[str, Any]]) -> None:
    """Store entries. One under the same key that waits, or was refused here, is replaced: a worker
    that has read it does not send it any more.
    """
    if not entries:
        return
    Life(ENTRIES, TABLES.control).begin(connection)
    now = database_time(connection)
    stored = [{**entry, "stored_at": now, "changed_at": now} for entry in entries]
    may_be_replaced = ENTRIES.c.state.in_(
        [sa.literal_column(f"'{state}'") for state in _MAY_BE_REPLACED]
    )
    put_rows(connection, ENTRIES, stored, ("key", "scope"), may_be_replaced)
    named = named_entries(entries[0]["scope"], [entry["key"] for entry in entries])
    were_put = sa.and_(named, ENTRIES.c.stored_at == now)
    if count_rows(connection, ENTRIES, were_put) != len(stored):
        raise EntryMarked


def remove_entries(connection: Connection, scope: str, keys: Collection[str]) -> None:
    """Delete those of these entries that wait, or were refused here."""
    may_be_removed = ENTRIES.c.state.in_(_MAY_BE_REPLACED)
    delete_rows(connection, ENTRIES, sa.and_(named_entries(scope, keys), may_be_removed))


def renew_entries(connection: Connection, scope: str, keys: Collection[str]) -> None:
    """Let a worker that has read these entries send none of them: each asks for less since, and
    gets another call.
    """
    anew = {"had_by": new_number(), "call": UNPREPARED, "look_up_by": UNPREPARED}
    change_rows(connection, ENTRIES, named_entries(scope, keys), **anew)


def end_sending(connection: Connection, scope: str, keys: Collection[str | None]) -> None:
    """Let no new call of these entries begin: one that was surely not sent is refused, and one that
    may have been is looked up.
    """
    if keys:
        change_rows(connection, ENTRIES, named_entries(scope, keys), send_before=0.0)


_IS_DUE = OfFewRows(ENTRIES.c.state.in_(DUE))
"""Holds for entries that a worker takes up."""
_IS_UNSETTLED = OfFewRows(ENTRIES.c.state.in_(sorted({*DUE, *IN_DOUBT})))
"""Holds for these, and for those of which nobody knows whether they were done."""


def lock_waiting(connection: Connection, chosen: Condition) -> None:
    """Let no worker change those of these entries that wait until the transaction ends."""
    lock_entries(connection, sa.and_(chosen, OfFewRows(ENTRIES.c.state == _WAITING)))


def lock_entries(connection: Connection, chosen: Condition) -> None:
    """Let no worker change these entries until the transaction ends."""
    query = sa.select(ENTRIES.c.id).where(chosen).order_by(ENTRIES.c.id)
    connection.execute(query.with_for_update()).all()


def is_live(now: Any) -> Condition:
    """Holds for entries that a worker has now."""
    return sa.and_(ENTRIES.c.state.in_(DUE), is_under_call(ENTRIES.c, now))


def _is_of_nobody(connection: Connection) -> Condition:
    """Holds for entries that no live worker has."""
    return sa.not_(is_live(database_time(connection)))


def settle_by_hand(
    connection: Connection, scope: str, key: str, vault: Vault, finding: Finding
) -> None:
    """Store what a person has found out of an entry that no live worker has."""
    values = {
        **free_values(),
        **finding.values,
        "error": vault.sealed_text(finding.sentence),
        "changed_at": DatabaseTime(),
    }
    change_rows(connection, ENTRIES, named_entries(scope, [key]), **values)


def clear_restored(connection: Connection, scope: str, keys: Collection[str]) -> None:
    """Note that what these entries have become since their backup was made is not asked any more:
    a person knows it, or they are asked for under later keys.
    """
    if not keys:
        return
    change_rows(connection, ENTRIES, named_entries(scope, keys), restored=False)


class OpenEntries(NamedTuple):
    """The entries of a batch that a worker takes up, now or later.

    Attributes:
        due: How many there are.
        live: How many of them a worker has now.
        live_for: The seconds until the last of these is free.
        are_looked_up: Whether some of them are looked up.
    """

    due: int
    live: int
    live_for: float
    are_looked_up: bool


def open_entries(connection: Connection, chosen: Condition) -> OpenEntries:
    """Count the entries that are chosen and not settled."""
    columns = ENTRIES.c
    now = database_time(connection)
    live = sa.case((is_live(now), 1), else_=0)
    groups = sa.select(
        columns.state,
        sa.func.count().label("due"),
        sa.func.sum(live).label("live"),
        sa.func.max(sa.case((is_live(now), columns.due_at), else_=now)).label("until"),
    )
    query = groups.where(chosen, _IS_DUE).group_by(columns.state)
    rows = connection.execute(query).all()
    return OpenEntries(
        due=sum(row.due for row in rows),
        live=sum(row.live for row in rows),
        live_for=max((row.until for row in rows), default=now) - now,
        are_looked_up=any(row.state == EntryState.SETTLING for row in rows),
    )


def let_go_on(connection: Connection, chosen: Condition) -> None:
    """Let entries that wait for their next try, or that are unclear, be taken up at once."""
    columns = ENTRIES.c
    of_nobody = sa.and_(chosen, _is_of_nobody(connection))
    unclear = sa.and_(of_nobody, OfFewRows(columns.state == EntryState.UNCLEAR))
    change_rows(connection, ENTRIES, unclear, state=EntryState.SETTLING, **free_values())
    paused = sa.and_(of_nobody, _IS_DUE, columns.due_at > 0.0)
    change_rows(connection, ENTRIES, paused, **free_values())


def adopt(connection: Connection, chosen: Condition, sender: str, batch: str) -> None:
    """Let a batch go on with entries in doubt of another batch. No live worker has them."""
    may_be_adopted = sa.and_(chosen, _IS_UNSETTLED, ENTRIES.c.state.in_(IN_DOUBT))
    of_nobody = sa.and_(may_be_adopted, _is_of_nobody(connection))
    own = {"sender": sender, "batch": batch, "had_by": new_number()}
    change_rows(connection, ENTRIES, of_nobody, **own)


# What keyed digests are made with


def salt_of(connection: Connection, scope: str, salt: str) -> str:
    """The salt of a system and environment as it is stored: this one, unless there is one."""
    return kept_text(connection, TABLES.control, f"salt of {scope}", salt)


# A restored state


def held_since(connection: Connection) -> datetime | None:
    """When the state was held, aware; None: it is not."""
    return _held_since(connection, TABLES.control)


def note_provider(
    connection: Connection, provider: str, now: SentSince, kept: float | None = None
) -> None:
    """Note how long a provider keeps keys, if that was said; and its present time, if that is
    known: what waits in a backup of this state was not sent before it.
    """
    keys_kept(connection, TABLES.control, kept)
    if now.known:
        store_time(connection, TABLES.control, provider, now.since)


def hold_entries(connection: Connection) -> None:
    """Let workers take up nothing, and mark what may have been sent since the backup."""
    hold(connection, ENTRIES, TABLES.control, Life(ENTRIES, TABLES.control))


def release_entries(connection: Connection) -> bool:
    """End the hold. Returns whether there was one."""
    return end_hold(connection, TABLES.control)


@dataclass(frozen=True, slots=True)
class SenderTerms:
    """What a worker sends, and how.

    Attributes:
        scope: The system and the environment.
        sender: The address with which entries are sent.
        batch: The batch whose entries are sent; None: all batches.
        kept: Seconds for which the provider keeps keys, as was said; None: nobody has said it.
        workers: The maximum number of calls under way at once.
        rate: The maximum number of calls that begin in a second; None: no limit.
    """

    scope: str
    sender: str
    batch: str | None
    kept: float | None
    workers: int
    rate: float | None = None


class FileCall(NamedTuple):
    """The call of an entry, and the values that its look-up needs beside it."""

    call: PreparedCall
    look_up_by: Mapping[str, str]


class FileRows(PaymentRegister):
    """What bulk sending knows of the rows that entries are for."""

    def prepare(
        self, connection: Connection, keys: Sequence[str]
    ) -> Mapping[str, FileCall | InvalidRequest]:
        """Return the calls of entries by their keys, or why one cannot be made."""
        raise NotImplementedError


class FilePolicy:
    """The policy of the entries of files: see `EntryPolicy`.

    Args:
        rows: What bulk sending knows of their rows.
        vault: Encrypts errors.
        terms: What is sent, and how.
        stop: Set when nothing more is to be sent.

    Attributes:
        payments: What the entries are for. A payment that has no entry may have an id, too.
    """

    def __init__(
        self, rows: FileRows, vault: Vault, terms: SenderTerms, stop: threading.Event
    ) -> None:
        self.payments: PaymentRegister = rows
        self.owner: sa.Column[Any] = ENTRIES.c.scope
        self._rows = rows
        self._vault = vault
        self._terms = terms
        self._stop = stop
        self.wait_for_turn = None if terms.rate is None else self._wait_for_turn
        self._next_turn = 0.0
        self._turns = threading.Lock()

    # Which are taken up, and when

    def require(self, connection: Connection, client: Any) -> None:
        """Each entry has its own account and environment: see `chosen`."""

    def chosen(self) -> Condition:
        """Those of the scope, the sender and the batch."""
        terms, columns = self._terms, ENTRIES.c
        chosen = sa.and_(columns.scope == terms.scope, columns.sender == terms.sender)
        return chosen if terms.batch is None else sa.and_(chosen, columns.batch == terms.batch)

    def _wait_for_turn(self) -> None:
        """Wait until a call may begin, by the rate, or for the stop."""
        with self._turns:
            turn = max(self._next_turn, time.monotonic())
            self._next_turn = turn + 1.0 / (self._terms.rate or math.inf)
        self._stop.wait(max(0.0, turn - time.monotonic()))

    # How one is sent

    def prepare(self, rows: Sequence[Any], connection: Connection) -> Sequence[Any]:
        """Prepare the calls of entries that have none yet. One that cannot be made is refused, or
        unclear if it may have been sent in a restored state.
        """
        new = [row for row in rows if row.call == UNPREPARED]
        if not new:
            return rows
        calls = self._rows.prepare(connection, [row.key for row in new])
        for row in new:
            prepared = calls.get(row.key, _GONE)
            try:
                if isinstance(prepared, InvalidRequest):
                    raise prepared
                row.add_call(prepared.call, prepared.look_up_by, self._vault)
                row.more_references = more_references(prepared.call, self._vault.fingerprint)
                row.unstored = {**row.unstored, "more_references": row.more_references}
            except InvalidRequest as error:
                self._end_without_call(row, error, connection)
        return [row for row in rows if row.call != UNPREPARED]

    def _end_without_call(self, row: Any, error: InvalidRequest, connection: Connection) -> None:
        """Store that an entry is not sent, since it has no call."""
        state = EntryState.REFUSED if row.first_sent_at is None else EntryState.UNCLEAR
        why = self._vault.sealed_text(error.message)
        is_as_read = sa.and_(ENTRIES.c.id == row.id, ENTRIES.c.had_by == row.had_by)
        change_rows(connection, ENTRIES, is_as_read, **free_values(), state=state, error=why)

    # What is stored of it

    def end(self, row: Any, settlement: Settlement, values: dict[str, Any]) -> dict[str, Any]:
        """The usual ones, and what a row shows: its last outcome, and what is said of it. One whose
        refusal was its own is over: only with other values is it asked for again.
        """
        if not values:
            error = settlement.reason
            if error is None and settlement.error is not None:
                error = settlement.error.summary
            sealed = None if error is None else self._vault.sealed_text(error)
            return {"last": settlement.outcome, "error": sealed}
        if values["state"] == EntryState.SENT:
            values["error"] = settlement.reason
            if settlement.looked_up:
                values["error"] = f"{settlement.reason} {_WAS_DONE}"
        elif values["state"] == EntryState.UNCLEAR:
            # What an earlier call came to says nothing of the one that is in doubt.
            was_accepted = row.last == PaymentOutcome.ACCEPTED
            values["last"] = row.last if was_accepted else settlement.outcome
        return values


class FileSender:
    """Makes the passes that send what files ask for.

    Args:
        engine: Of the state.
        client: Sends.
        vault: Encrypts entries.
        terms: What is sent, and how.
        rows: What bulk sending knows of the rows that entries are for.
        stop: Set when nothing more is to be sent.
        driver: Makes the steps of the passes; None: with calls in threads.
    """

    def __init__(
        self,
        engine: sa.Engine,
        client: Any,
        vault: Vault,
        terms: SenderTerms,
        rows: FileRows,
        stop: threading.Event,
        driver: PassDriver | None = None,
    ) -> None:
        own_driver = driver or BlockingDriver(prepared_engine(engine), ENTRIES)
        tables = ENTRIES.metadata.sorted_tables
        self._transactions = Transactions(own_driver, tables)
        self._engine = engine
        self._client = client
        self._policy = FilePolicy(rows, vault, terms, stop)
        engine_terms = EngineTerms(terms.kept, SETTLE_FOR, terms.workers)
        self._parts = OutboxEngine(TABLES, self._transactions, vault, self._policy, engine_terms)
        self._rounds = Rounds(self._parts)

    @property
    def is_client_refused(self) -> bool:
        """Whether the provider has refused so many calls that it refuses the client."""
        return any(streak.is_of_client for streak in self._parts.refusals.values())

    @property
    def pause(self) -> float:
        """Seconds for which nothing is sent, since the provider fails."""
        return self._parts.backoff.left()

    def send_due(self) -> None:
        """Make passes, if one would take an entry up now."""
        with self._engine.connect() as connection:
            waits = is_due_later(ENTRIES.c, database_time(connection))
            due = sa.and_(_IS_DUE, sa.not_(waits))
            may_work = self._parts.holding.may_work()
            query = sa.select(ENTRIES.c.id).where(self._policy.chosen(), due, may_work)
            has_due = connection.execute(query.limit(1)).first() is not None
        if has_due:
            self.send_for_a_while()

    def send_for_a_while(self) -> None:
        """Make the passes of some seconds: what others have left is taken up between them."""
        self._transactions.run(self._rounds.send_for_a_while(self._client))
