"""The passes of an outbox, `send` and `refresh`, and the client that they use.

`send` makes a round of passes, each of which takes up a limited number of entries: so a worker sees
soon what others have left, and does what else it has to do. All of these are generators, which
yield transactions and calls; their driver makes them, blocking or awaited.
"""

import time
from collections.abc import Collection, Mapping
from functools import partial
from math import inf
from typing import Any, TypeAlias

import sqlalchemy as sa

from victor_ext import ConfigurationError, VictorError
from victor_ext.event_queue.calls import Calls
from victor_ext.event_queue.databases import Condition
from victor_ext.event_queue.transactions import Pass, operation
from victor_ext.settlement.backoff import Backoff, pause_asked
from victor_ext.settlement.failures import RefusalStreak
from victor_ext.settlement.key_age import Now, within_key_life

from .claims import Claim, Claims, Group
from .deliveries import Deliveries, DeliveryTerms
from .entries import VICTOR, Entry, EntryState
from .refreshing import Refreshing
from .sending import Sending
from .storing import store_results

AnyClient: TypeAlias = Any
"""A client of any system, blocking or awaited."""

_LONGEST_SENDING = 60.0
"""The seconds after which a worker refreshes and handles events, before it sends more."""


class OutboxPasses(Sending, Refreshing):
    """The passes of a worker of an outbox."""

    _name = "outbox"
    _passes = ("send", "refresh", "handle")
    _warned_of = (EntryState.REJECTED, EntryState.REFUSED, EntryState.UNCLEAR)
    _workers: int
    _backoff: Backoff
    _refusals: dict[str | None, RefusalStreak]
    """The refusals of each client's calls, over all passes, by its credentials."""

    def _provider(self, client: AnyClient | None = None) -> str:
        """As of every queue: the system of this client, else of the outbox's own; without both
        Victor.
        """
        client = self._client_or_own(client)
        return VICTOR if client is None else str(client.provider)

    def _required_client(self, client: AnyClient | None) -> Any:
        """This client, else the outbox's own. Raises `ConfigurationError`: there is none."""
        own = self._client_or_own(client)
        if own is None:
            raise ConfigurationError(
                "This outbox has no client: pass one here, or write Outbox(engine, client=...)."
            )
        return own

    def _worker_client(self, client: AnyClient | None, interval: float = 1.0) -> Any:
        """As of every queue: each of its calls ends before the key of the call can expire. Raises
        `ConfigurationError` also if a call could outlast a lease.
        """
        sender = self._required_client(super()._worker_client(client, interval))
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

        Each entry is tried once, with up to `workers` calls at once; one whose outcome stays
        unknown is left for a later `send`. What others add or leave meanwhile is taken up, too. It
        returns when nothing is left. After an error that is about every call, no other one begins;
        those under way end first.

        Args:
            client: Sends them, in place of the outbox's own client.

        Raises:
            ConfigurationError: The deadline of the client is longer than the lease.
            VictorError: The provider cannot be reached or refuses every call (credentials, rate,
                address). What was not sent waits for the next `send`.
        """
        done, _ = yield from self._send_round(client, None, inf)
        return done

    @operation
    def _send_for_a_while(
        self, client: AnyClient, claims: Claims | None
    ) -> Pass[tuple[list[Entry], Claims | None]]:
        """As `send`, for a worker, which has more to do: returns the claims of the round, too, if
        it has not ended, to go on with.
        """
        return (yield from self._send_round(client, claims, _LONGEST_SENDING))

    def _pass_of_worker(
        self, name: str, client: Any, rest: Any
    ) -> Pass[tuple[Collection[Any], Any]]:
        """As of every queue: `send` may leave a rest of its round."""
        if name != "send":
            return (yield from super()._pass_of_worker(name, client, rest))
        box: Any = self  # only its subclasses are blocking or awaited
        send = partial(box._send_for_a_while, client, rest)  # noqa: SLF001 - its own method
        result: tuple[Collection[Any], Any] = yield send
        return result

    def _send_round(
        self, client: AnyClient | None, claims: Claims | None, seconds: float
    ) -> Pass[tuple[list[Entry], Claims | None]]:
        """Make the passes of a new round, or of that of these claims, until it ends, or for so many
        seconds. Returns what they have settled, and the claims if the round has not ended.
        """
        sender = self._worker_client(client)
        try:
            # Only the provider's clock shows for certain how old a key is.
            if not sender.provider_time().is_known:
                yield sender.ask_time
        except VictorError as error:
            self._pause_after(error)
            raise
        if claims is None:
            claims = Claims(
                self.table,
                sender,
                self._lease,
                self._kept_for,
                self._sealing,
                self._may_work(),
                self._is_chosen(),
                self._marks(),
            )
        flow = partial(self._deliveries, claims, time.monotonic() + seconds)
        result: tuple[list[Entry], Claims | None]
        result = yield partial(self._with_calls, self._workers, flow)
        return result

    def _deliveries(
        self, claims: Claims, until: float, calls: Calls
    ) -> Pass[tuple[list[Entry], Claims | None]]:
        """As `_send_round`; `calls` makes the calls."""
        refusals = self._refusals.setdefault(claims.client.caller, RefusalStreak())
        refusals.restart()
        terms = DeliveryTerms(
            workers=self._workers,
            take_up=partial(self._take_up, claims),
            deliver=partial(self._deliver, claims, refusals),
            give_back=lambda claimed: self._transact(partial(claims.give_back, claimed)),
            is_alone=self._has_handlers_of,
            store=partial(store_results, self.table),
            on_failure=self._pause_after,
            refusals=refusals,
        )
        done: list[Entry] = []
        is_over = False
        while not is_over:
            claims.begin_pass()
            deliveries = Deliveries(terms, calls)
            yield from deliveries.run()
            done += deliveries.done
            claims.error = deliveries.fatal or deliveries.error or claims.error
            is_over = not deliveries.is_cut
            if time.monotonic() >= until:
                break
        if is_over and claims.error is not None:
            self._log_changes("send", done)  # no later pass returns them
            raise claims.error
        if done:
            self._backoff.record_success()
        return done, None if is_over else claims

    def _is_chosen(self) -> Condition:
        """Holds for the entries that a pass of this object may take up at all."""
        return sa.true()

    def _marks(self) -> Mapping[str, Any]:
        """The column values of an entry while a worker has it."""
        return {}

    def _take_up(self, claims: Claims, busy: Collection[str]) -> Pass[Group]:
        """Take up the next group of a pass, in which no entry has a `busy` subject."""
        now = Now.of(claims.client)
        group = yield from self._transact(partial(self._group, claims, now, busy))
        claims.note_progress(group, now)
        return group

    def _group(
        self, claims: Claims, now: Now, busy: Collection[str], connection: sa.Connection
    ) -> Group:
        """Take up a group in a transaction. If none is left, note the provider's time for `hold`:
        all that waits will be sent after it.
        """
        group = claims.take_up(now, busy, connection)
        if not group.claims:
            self._note_time(connection, now, claims.client.provider)
        return group

    def _has_handlers_of(self, claim: Claim) -> bool:
        """Whether handlers of this process may work in the transactions of an entry."""
        sources = {handler.source for handler in self._handlers}
        return None in sources or claim.row.operation in sources

    def _pause_after(self, error: VictorError) -> None:
        """Let the worker send nothing for a while, after an error that concerns all entries."""
        self._backoff.record_failure(pause_asked(error))

    def _is_paused(self, name: str) -> bool:
        """As of every queue: `send` pauses, `refresh` and `handle` do not."""
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
        return (yield from self._refresh_all(self._required_client(client)))
