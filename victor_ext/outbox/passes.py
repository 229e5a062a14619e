"""What all outboxes do: passes as generators, which yield transactions and calls, blocking or
awaited.
"""

from collections.abc import Collection
from functools import partial
from typing import Any, TypeAlias, cast

import sqlalchemy as sa

from victor_ext import ConfigurationError, VictorError
from victor_ext.event_queue.calls import Calls
from victor_ext.event_queue.transactions import Engine, Pass, operation
from victor_ext.settlement.backoff import Backoff, pause_asked
from victor_ext.settlement.key_age import Now, within_key_life

from .claims import Claim, Claims, Group
from .clock import present
from .deliveries import Deliveries, Terms
from .entries import VICTOR, Entry
from .refreshing import Refreshing
from .results import store_results
from .sending import Sending

AnyClient: TypeAlias = Any
"""A client of any system, blocking or awaited."""


class OutboxPasses(Sending[Engine], Refreshing[Engine]):
    """What the worker of an outbox does, and the people who settle what it cannot."""

    _name, _passes = "outbox", ("send", "refresh", "handle")
    _workers: int
    _backoff: Backoff

    def _provider(self, client: AnyClient | None = None) -> str:
        client = self._reader(client)
        return VICTOR if client is None else str(client.provider)

    def _own(self, client: AnyClient | None) -> Any:
        """The client that is given, or that of the outbox."""
        own = self._reader(client)
        if own is None:
            raise ConfigurationError(
                "This outbox has no client: pass one here, or write Outbox(engine, client=...)."
            )
        return own

    def _worker_client(self, client: AnyClient | None, interval: float = 1.0) -> Any:
        """As of every queue. Raises `ConfigurationError`: calls outlast a lease."""
        sender = self._own(super()._worker_client(client, interval))
        deadline = sender.deadline
        if deadline is not None and deadline <= self._lease:
            return within_key_life(sender, self._kept)
        what = "no deadline" if deadline is None else f"a deadline of {deadline:g} s"
        raise ConfigurationError(
            f"The client has {what}, and the lease of the outbox is {self._lease:g} s: another "
            "worker would send an entry during its call. Write Victor(..., deadline=60.0), or "
            "lease=timedelta(...) of at least as long."
        )

    # Passes

    @operation
    def send(self, client: AnyClient | None = None) -> Pass[list[Entry]]:
        """Send what waits, and settle what may have been sent; returns the entries that have come
        to a result.

        One pass, with up to `workers` calls at once. An entry whose outcome stays unknown is left
        for a later pass. After an error that is about every call, no other one begins; those under
        way end first.

        Args:
            client: Sends them, in place of the outbox's own client.

        Raises:
            ConfigurationError: The deadline of the client is longer than the lease.
            VictorError: The provider cannot be reached or refuses every call (credentials, rate).
                What was not sent waits for the next pass.
        """
        sender = self._worker_client(client)

        try:
            # An age is certain by the provider's clock alone.
            if not sender.provider_time().is_known:
                yield sender.ask_time
        except VictorError as error:
            self._pause_after(error)
            raise
        flow = partial(self._deliveries, sender)
        return cast("list[Entry]", (yield partial(self._with_calls, self._workers, flow)))

    def _deliveries(self, sender: AnyClient, calls: Calls) -> Pass[list[Entry]]:
        claims = Claims(
            self.table, sender, self._lease, self._kept, self._sealing, self._may_work()
        )
        terms = Terms(
            workers=self._workers,
            take_up=partial(self._take_up, claims),
            deliver=partial(self._deliver, claims),
            give_back=lambda claimed: self._transact(partial(claims.give_back, claimed)),
            is_alone=self._has_handlers_of,
            store=partial(store_results, self.table),
            failed=self._pause_after,
        )
        done = yield from Deliveries(terms, calls).all()
        if done:
            self._backoff.record_success()
        return done

    def _take_up(self, claims: Claims, busy: Collection[str]) -> Pass[Group]:
        """Take up the next group of a pass, without these subjects."""
        now = present(claims.client)
        group = yield from self._transact(partial(self._group, claims, now, busy))
        claims.accept(group, now)
        return group

    def _group(
        self, claims: Claims, now: Now, busy: Collection[str], connection: sa.Connection
    ) -> Group:
        group = claims.take_up(now, busy, connection)
        if not group.claims:
            self._note_time(connection, now, claims.client.provider)
        return group

    def _has_handlers_of(self, claim: Claim) -> bool:
        """Whether handlers of this process may work in the transactions of an entry."""
        sources = {handler.source for handler in self._handlers}
        return None in sources or claim.row.operation in sources

    def _pause_after(self, error: VictorError) -> None:
        """Let the worker send nothing for a while, after an error that is about all."""
        self._backoff.record_failure(pause_asked(error))

    def _is_paused(self, name: str) -> bool:
        return name == "send" and self._backoff.left() > 0

    @operation
    def refresh(self, client: AnyClient | None = None) -> Pass[list[Entry]]:
        """Read the statuses of what was sent and has not ended; returns the entries that changed.

        Victor's requests take one walk over its list, from the oldest of them on. What another
        write made or changed is read by its id, each half a minute at first and each hour at last,
        where the system has such a read. No webhook is needed.

        Args:
            client: Reads them, in place of the outbox's own client.

        Raises:
            VictorError: A status could not be read.
        """
        return (yield from self._refresh_all(self._own(client)))
