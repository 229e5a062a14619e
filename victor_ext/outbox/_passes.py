"""The passes of an outbox: `send` (`Rounds`) and `refresh` (`Refreshing`).

`send` makes a round of passes, each of which sends a limited number of entries: so a worker sees
soon what others have left, and does what else it has to do. `refresh` reads the statuses of what
was sent again until they are final: Victor's payment requests from its list, all others one by one
by their ids. All of these are generators, which yield transactions and calls; their driver makes
them, blocking or awaited.
"""

import time
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from math import inf
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import AsyncVictor, ConfigurationError, Victor, VictorError
from victor_ext._event_queue.calls import Calls
from victor_ext._event_queue.databases import Condition, OfFewRows, database_time
from victor_ext._event_queue.queue import for_each_row
from victor_ext._event_queue.rows import take_first
from victor_ext._event_queue.transactions import Pass
from victor_ext._event_queue.workers import is_ending
from victor_ext._flows import following
from victor_ext._settlement.failures import RefusalStreak, pause_asked
from victor_ext._settlement.key_age import Now, SentSince, within_key_life
from victor_ext._values.ids import canonical_id

from ._claims import Claims
from ._deliveries import Deliveries
from ._engine import OutboxEngine
from ._entries import CREATES, VICTOR, Entry, EntryState, as_status, write_of
from ._keys_kept import keys_kept
from ._sealing import clear_row
from ._sending import Sending

AnyClient: TypeAlias = Any
"""A client of any system, blocking or awaited."""

_LONGEST_SENDING = 60.0
"""The seconds after which a worker refreshes and handles events, before it sends more."""
_SHORTEST_WAIT = 30.0
"""Seconds between the first two reads of a status."""
_LONGEST_WAIT = 3600.0
"""The maximum seconds between two reads of a status."""


def required_client(client: AnyClient | None) -> Any:
    """This client. Raises `ConfigurationError`: there is none."""
    if client is None:
        raise ConfigurationError(
            "This outbox has no client: pass one here, or write Outbox(engine, client=...)."
        )
    return client


class Rounds:
    """The rounds of passes that send entries, and settle what may have been sent.

    Args:
        engine: Of the outbox.
    """

    def __init__(self, engine: OutboxEngine) -> None:
        self._engine = engine

        self._rest: Claims | None = None
        """The claims of a worker's round that has not ended; None: it has."""

    def is_paused(self) -> bool:
        """Whether a worker sends nothing for now, since the last round failed."""
        return self._engine.backoff.left() > 0

    def has_more(self) -> bool:
        """Whether the round of a worker has not ended, and goes on at once."""
        return self._rest is not None and not self.is_paused()

    def send(self, client: AnyClient) -> Pass[list[Entry]]:
        """Make the passes of a round. Returns what they have settled."""
        done, _ = yield from self._make(client, None, inf)
        return done

    def send_for_a_while(self, client: AnyClient) -> Pass[list[Entry]]:
        """Make the passes of a worker's round until it ends, or the worker has to do what else it
        does. Returns what they have settled.
        """
        rest, self._rest = self._rest, None
        done, self._rest = yield from self._make(client, rest, _LONGEST_SENDING)
        return done

    def _make(
        self, client: AnyClient, claims: Claims | None, seconds: float
    ) -> Pass[tuple[list[Entry], Claims | None]]:
        """Make passes of a new round, or of that of these claims, for so many seconds. Returns what
        they have settled, and the claims if the round has not ended.
        """
        engine = self._engine
        keep = partial(keys_kept, control=engine.tables.control, named=engine.terms.kept)
        kept = yield from engine.transactions.transact(keep)
        sender = within_key_life(client, kept.seconds)
        try:
            # Only the provider's clock shows for certain how old a key is.
            if not sender.provider_time().is_known:
                yield sender.ask_time
        except VictorError as error:
            self._pause_after(error)
            raise
        if claims is None or claims.kept != kept:
            claims = Claims(engine, sender, kept)
        flow = partial(self._deliveries, claims, time.monotonic() + seconds)
        result: tuple[list[Entry], Claims | None]
        result = yield partial(engine.transactions.with_calls, flow)
        return result

    def _deliveries(
        self, claims: Claims, until: float, calls: Calls
    ) -> Pass[tuple[list[Entry], Claims | None]]:
        """Make the passes of `_make`, whose calls are made by `calls`."""
        client = claims.client
        name = (client.provider, client.base_url, client.caller)
        refusals = self._engine.refusals.setdefault(name, RefusalStreak())
        refusals.restart()
        sending = Sending(self._engine, claims, refusals)
        done: list[Entry] = []
        is_over = False
        while not is_over:
            claims.begin_pass()
            deliveries = Deliveries(self._engine, sending, calls, self._pause_after)
            yield from deliveries.run()
            done += deliveries.done
            claims.error = deliveries.fatal or deliveries.error or claims.error
            is_over = not deliveries.is_cut
            if time.monotonic() >= until:
                break
        if is_over and claims.error is not None:
            self._engine.log_done(done)  # no later pass returns them
            raise claims.error
        if done:
            self._engine.backoff.record_success()
        return done, None if is_over else claims

    def _pause_after(self, error: VictorError) -> None:
        """Let the worker send nothing for a while, after an error that concerns all entries."""
        self._engine.backoff.record_failure(pause_asked(error))


class Refreshing:
    """The pass that reads the statuses of what was sent, until they are final.

    Args:
        engine: Of the outbox.
    """

    def __init__(self, engine: OutboxEngine) -> None:
        self._engine = engine
        self._transactions = engine.transactions
        self._table = engine.tables.entries

    def make(self, reader: AnyClient) -> Pass[list[Entry]]:
        """Read statuses with this client. Returns the entries that have changed."""
        require = partial(self._engine.policy.require, client=reader)
        yield from self._transactions.transact(require)
        columns = self._table.c
        is_listed = sa.and_(columns.provider == VICTOR, columns.operation.in_(CREATES))
        is_open = sa.and_(
            columns.provider == reader.provider,
            columns.request_id.is_not(None),
            columns.state == EntryState.SENT,
            OfFewRows(columns.ended.is_(False)),
            self._engine.holding.may_work(),
        )
        listed = yield from self._refresh_listed(reader, sa.and_(is_open, is_listed))
        is_read_by_id = sa.and_(is_open, sa.not_(is_listed))
        take = partial(self._take_open, is_read_by_id)
        read = yield from for_each_row(self._transactions, take, partial(self._refresh_one, reader))
        return [*listed, *read]

    # Statuses that are read one by one

    def _take_open(self, chosen: Condition, last: int, connection: Connection) -> Any:
        """Take up the first entry after the id `last` whose status has to be read now; None: there
        is none.
        """
        columns = self._table.c
        now = database_time(connection)
        due = sa.and_(chosen, columns.due_at <= now, columns.id > last)
        row = take_first(connection, self._table, due, ("due_at",), partial(_next_read_values, now))
        return None if row is None else clear_row(self._engine.vault, row)

    def _refresh_one(self, client: Any, row: Any) -> Pass[Entry | None]:
        """Read the status of one entry by the id of what its write made. Return the entry if it
        changed.
        """
        done = yield partial(client.read_state, write_of(row).call, row.request_id)
        if isinstance(done, str):  # no read shows it, as the text says
            return (yield from self._store_status(row, {"ended": True}))
        status = as_status(done.status) or row.status
        if status == row.status and not done.is_final:
            return None
        values = {"status": status, "ended": done.is_final}
        return (yield from self._store_status(row, values))

    # Statuses that are read from a list

    def _refresh_listed(self, victor: Victor | AsyncVictor, chosen: Condition) -> Pass[list[Entry]]:
        """Read the statuses of the chosen entries in one walk over Victor's list. Returns the
        entries that have changed.
        """
        read = partial(self._read_listed, chosen, Now.of(victor))
        listed, start = yield from self._transactions.transact(read)
        if not listed:
            return []
        pages = victor.payment_requests.list(direction="outbound", start_datetime=start).pages()
        changed: list[Entry] = []
        while not is_ending():
            page = yield partial(following, pages)
            if page is None:
                break
            for request in page.items:
                row = listed.get(canonical_id(request.id))
                status = as_status(request.status)
                if row is None or (status == row.status and not request.is_terminal):
                    continue
                ended = {"ended": request.is_terminal, "error": request.error_message}
                values = {"status": status, **ended}
                entry = yield from self._store_status(row, values)
                if entry is not None:
                    changed.append(entry)
        return changed

    def _read_listed(
        self, chosen: Condition, now: Now, connection: Connection
    ) -> tuple[Mapping[str | None, Any], datetime | None]:
        """The chosen entries by the ids of their requests; and when the first of these may have
        been created (None: that is known of none).
        """
        columns = self._table.c
        times = columns.first_sent_at, columns.by_provider_clock
        query = sa.select(columns.request_id, columns.id, columns.status, *times).where(chosen)
        rows = connection.execute(query).all()
        sent = [
            SentSince(row.first_sent_at, None, known=bool(row.by_provider_clock))
            for row in rows
            if row.first_sent_at is not None
        ]
        earliest = min((each.earliest(now) for each in sent), default=None)
        return {canonical_id(row.request_id): row for row in rows}, earliest

    # For both

    def _store_status(self, row: Any, values: dict[str, Any]) -> Pass[Entry | None]:
        """Store the values of a status that was read, if the entry still has the status that it had
        before the read: another worker may have stored a later one. Return the entry if it changed.
        """
        columns = self._table.c
        chosen = sa.and_(
            columns.id == row.id,
            columns.state == EntryState.SENT,
            columns.ended.is_(False),
            columns.status.is_not_distinct_from(row.status),
        )
        store = self._engine.store
        return (yield from store.store_change(partial(store.change, chosen, values)))


def _next_read_values(now: float, row: Any) -> dict[str, float]:
    """The new `due_at` of an entry, at which its status is read next.

    The older the entry, the longer the wait: a final status may never come, and such entries become
    many.
    """
    age = now - (row.first_sent_at or now)
    wait = min(max(_SHORTEST_WAIT, age / 10), _LONGEST_WAIT)
    return {"due_at": now + wait}
