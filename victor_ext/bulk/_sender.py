"""`BulkSender`: bulk sending that survives crashes and can use several machines.

It is the public class of this package. A method opens the state and the batch, and calls the module
that does the work: `_loading.py` checks and stores a file, and `_run.py` sends what is stored.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any, ClassVar, TextIO

import httpx

from victor_ext import ConfigurationError, Victor
from victor_ext._event_queue.health import Heartbeat
from victor_ext._event_queue.vault import HOW_TO_WRITE, secrets_of
from victor_ext._privacy import concealed
from victor_ext._tables.sources import Rows, hidden_rows
from victor_ext._values.ids import in_one_form
from victor_ext.outbox._files import Finding, hold_entries, release_entries

from ._by_hand import resolve
from ._check import Check, ControlTotals, refuse_invalid
from ._forgetting import forget_settled
from ._lines import lines_of
from ._load_progress import OnLoad
from ._loading import Loading, pull_back_outdated, want_nothing
from ._payments import Sheet
from ._results import current_statuses, results_of, results_of_payments, write_csv
from ._row_kind import RowKind
from ._rows import RowResult
from ._run import BatchStatus, Progress, run_batch, serve, status_of
from ._settings import Settings, checked_batch, day_of, refused_setting
from ._state import SECRETS, State, hold_payments
from ._steps import take_step, units_of
from ._store import Store, owner_of, system_of


class BulkSender:
    """Sends rows of a file, or of any iterable of mappings, as requests for payment.

    A row is a payment: its key is `idempotency_key_for("invoice", value of the key column)`,
    whatever file has it. So a rerun, a restart, a second machine, a renamed file and your own
    service send the same keys. A batch has a name, and is a list: the rows of its latest file.
    Stored data is encrypted; see `storage_key`.

    All methods block. Call them from a thread in async code (`asyncio.to_thread`).

    Args:
        client: Client to send with, of Victor or Velo (default: `Victor.from_env`). It should allow
            at least `workers` connections.
        state: Where rows are kept: the whole path of an SQLite file, `sqlite:///` and a path, or
            `postgresql://...` for several machines (default: VICTOR_BULK_STATE, or the file
            `victor/bulk.sqlite` in XDG_STATE_HOME or `~/.local/state`).
        batch: Name of the batch (default: the file name).
        key_column: Column that identifies a row (default: the batch's, or `client_reference_id`).
            It cannot change within a batch.
        rate: Maximum rows per second in this process; None: no limit.
        workers: Maximum concurrent calls in this process, 1 to 100.
        keys_kept: How long the provider keeps a key, in seconds or as a timedelta. Rows that may
            have been sent longer ago are looked up and not sent again. It is stored with the state,
            and the shortest that was ever said counts (default: what is stored, or 24 hours, an
            assumption).
        due_date: Due date of rows without one: a date, `"today"` or `"tomorrow"` (UTC).
        skip_invalid: Set invalid rows aside instead of refusing the source.
        encoding: File encoding (default: UTF-8).
        patience: Seconds for which sending goes on while nothing is settled (default: 120).
        storage_key: Secret of at least 16 characters that encrypts stored rows (default:
            VICTOR_BULK_KEY). Of several secrets, with commas between them, the first one encrypts,
            and all decrypt. Without one, rows are stored in clear, and none in production.
        payor_id: Velo's payor, for rows without one: its payments are read after a lost response.
        other_payments: So many new rows of the source look like payments of other batches and are
            others: a person has looked at them. Another number is refused.
        new_state: In production, what other credentials have asked from this state is another
            account's: it is not known to these.

    Raises:
        ConfigurationError: An argument is invalid, or the client's system has no rows to send.
    """

    limits: ClassVar = httpx.Limits(max_connections=200)
    """Limits for a client that sends many.

    A connection rests 0.1 s before the next write, so 200 do 2,000 a second.
    """

    def __init__(
        self,
        client: Any = None,
        *,
        state: str | None = None,
        batch: str | None = None,
        key_column: str | None = None,
        rate: float | None = None,
        workers: int = 16,
        keys_kept: float | timedelta | None = None,
        due_date: date | str | None = None,
        skip_invalid: bool = False,
        encoding: str | None = None,
        patience: float = 120.0,
        storage_key: str | None = None,
        payor_id: str | None = None,
        other_payments: int | None = None,
        new_state: bool = False,
    ) -> None:
        storage_key = concealed(storage_key)
        system = Victor.system if client is None else system_of(client)
        kind: type[RowKind] = system.load("bulk")
        self._client = client
        self._state = State(state)
        self._batch = None if batch is None else checked_batch(batch)
        self._settings = Settings(
            key_column=None if key_column is None else in_one_form(key_column),
            rate=rate,
            workers=workers,
            keys_kept=None if keys_kept is None else _seconds(keys_kept),
            patience=patience,
            due_date=day_of(due_date),
            skip_invalid=skip_invalid,
            encoding=encoding,
            payor_id=payor_id,
            other_payments=other_payments,
            new_state=new_state,
        )
        self._settings.check_for(kind)
        self.effect = kind.effect
        """What sending does, in a sentence for a person who confirms it."""
        self.steps = tuple(kind.steps)
        """The names of the steps that follow, the usual one first."""
        if storage_key is None:
            storage_key = concealed(os.environ.get("VICTOR_BULK_KEY") or None)
        self._secrets = secrets_of(storage_key, SECRETS)
        self.heartbeat = Heartbeat()
        """How the worker of `work`, `send` or `resume` does: it looks at the state every two
        seconds.
        """

    @property
    def state(self) -> str:
        """The URL of its state, without a password."""
        return str(self._state)

    @property
    def has_named_state(self) -> bool:
        """Whether somebody has named its state, by the argument or by VICTOR_BULK_STATE."""
        return self._state.is_named

    def __repr__(self) -> str:
        return f"BulkSender(state={str(self._state)!r}, batch={self._batch!r})"

    def check(
        self,
        source: Rows,
        *,
        expect_rows: int | None = None,
        expect_total: Decimal | str | int | None = None,
        on_load: OnLoad | None = None,
    ) -> Check:
        """Check all rows as `send` does, without storing or sending them.

        Args:
            source: Path of a CSV or JSON Lines file, or mappings from column names to values.
            expect_rows: How many rows the source must have, also those that are stored already or
                invalid.
            expect_total: What the amounts of all these rows must be together; text as the source
                writes amounts, or `1234.56`.
            on_load: Called a few times a second with a `LoadProgress`, while the rows are checked
                and compared with what was asked before.
        """
        source = hidden_rows(source)
        expected = ControlTotals.of(source, expect_rows, expect_total)
        with self._loading(source, expected, on_load) as loading:
            return loading.read()

    def send(
        self,
        source: Rows,
        *,
        expect_rows: int | None = None,
        expect_total: Decimal | str | int | None = None,
        on_load: OnLoad | None = None,
        on_check: Callable[[Check], None] | None = None,
        on_progress: Progress | None = None,
    ) -> BatchStatus:
        """Check all rows, store the new ones, and send until nothing is left to do.

        Rows that are already in the batch are sent again only if their outcome is not settled. The
        other arguments are those of `check`.

        Args:
            on_load: Called as by `check`, and while the rows are stored. If it raises, nothing is
                stored.
            on_check: Called with the result of the check, before anything is stored or sent. If it
                raises, nothing is.
            on_progress: Called regularly with the status. If it raises, sending stops cleanly.

        Raises:
            InvalidRows: Rows are invalid (without `skip_invalid`), repeat a key, cannot be read or
                are not as expected.
            BulkStopped: The provider rejects this client.
            VictorError: Any other failure. Stored rows are kept, and `resume` continues with them.
        """
        source = hidden_rows(source)
        expected = ControlTotals.of(source, expect_rows, expect_total)

        with self._loading(source, expected, on_load, begins=True) as loading:
            check = loading.read()
            refuse_invalid(loading.batch, check, skip_invalid=self._settings.skip_invalid)
            if on_check is not None:
                on_check(check)
            with loading.opened() as store:
                loading.store(store)
                loading.close()  # its file may be large, and sending may take long
                status = run_batch(store, on_progress)
                return replace(status, check=loading.check, noticed=dict(loading.check.noticed))

    def resume(self, *, on_progress: Progress | None = None) -> BatchStatus:
        """Send what waits of a batch, and settle what is in doubt; `on_progress` is as for `send`.
        No row of its sheet is asked for anew.

        Raises:
            ConfigurationError: The batch does not exist.
            VictorError: See `send`.
        """
        with self._stored_batch(to_send=True) as store:
            pull_back_outdated(store)
            return run_batch(store, on_progress)

    def take_step(self, name: str) -> dict[str, str]:
        """Instruct or withdraw each payout that this batch has sent and the provider has accepted.

        The state of a payout is read first: a step that it rules out is not sent. `instruct` pays
        no payout with a payment that any newer sheet has with other values.

        Args:
            name: `"instruct"`, which moves money, or `"withdraw"`.

        Returns:
            What the step came to, by the payout: `"done"`, or why it was not taken.

        Raises:
            ConfigurationError: Rows of this client have no such step, or nothing was accepted.
            VictorError: A payout cannot be read, or a step failed. Take it again: what was done is
                seen by the state of the payout.
        """
        with self._stored_batch() as store:
            return take_step(store, name)

    def resolve(self, key: str, *, done: bool, by: str, why: str, id: str | None = None) -> None:
        """Settle a row in doubt by hand, by what a person has found out at the provider; or give a
        row its id that is `created` without one.

        In a restored state, a settled row is in doubt, too: it may have been asked since the
        backup. If nothing was done since then, the row stays as it is stored.

        Args:
            key: The key of the row, as the export has it, or the value of its key column, or its
                reference. If several rows in doubt have it: the key.
            done: Whether it was created. A row that was not becomes `refused`: a file that has it
                sends it.
            by: Who has found it out.
            why: How, such as where this person has looked. Both are stored.
            id: The provider's id of what was created. For a payment of a payout, the id of the
                payout: it is needed there, and the payout is read.

        Raises:
            ConfigurationError: There is no state.
            InvalidRequest: The row is not in doubt, or is being sent now; there is no such row, or
                several; or `by`, `why` or `id` is empty, or of something else.
        """
        with self._present() as store:
            resolve(store, key, Finding(done, by, why, id))

    def hold(self) -> int:
        """Keep everything in the state from being sent, as after it was restored from a backup.

        Each row that is stored now may have been asked for since the backup. A row that was not
        created is looked up after `release`, and not sent, until somebody has called `resolve`. To
        pause a state that was not restored, stop its senders.

        Returns:
            How many rows may have been asked for.

        Raises:
            ConfigurationError: There is no state.
        """
        with self._present() as store, store.transaction() as connection:
            store.lock_storing(connection)
            hold_entries(connection)
            return hold_payments(connection)

    def release(self) -> bool:
        """Let the rows of a held state be sent again.

        A row that waits, or whose outcome is unknown, may have been asked since, under another key
        or with other values: `resume` looks it up, and does not send it. A row that was rejected or
        refused may have been asked since: a file that has it once more lets it be looked up. A row
        that was created is not asked again.

        Returns:
            Whether the state was held.

        Raises:
            ConfigurationError: There is no state.
        """
        with self._present() as store, store.transaction() as connection:
            return release_entries(connection)

    def forget(self, *, older_than: timedelta) -> int:
        """Remove what settled rows of all batches asked for, if they were stored long ago.

        What protects from asking twice stays: keys, states, ids and digests. A row is settled if it
        was created, rejected or refused; one whose outcome is unknown is never forgotten.

        Args:
            older_than: How long ago the file was stored that has them.

        Returns:
            The number of rows.
        """
        with self._present() as store:
            return forget_settled(store, time.time() - older_than.total_seconds())

    def drop(self) -> int:
        """Let the batch want nothing more than what was sent: what was never sent is pulled back.
        What was sent, or may have been, is in no other way changed, and no other batch is.

        Returns how many rows of the latest sheet were not sent.

        Raises:
            ConfigurationError: The batch does not exist, or belongs to another account.
        """
        with self._stored_batch(to_send=True) as store:
            return want_nothing(store)

    def status(self, *, refresh: bool = False) -> BatchStatus:
        """Return the current status of the batch.

        Args:
            refresh: Read what the provider says now of each request, too: `payments` counts it,
                `completed` is paid. Rows that need a decision count as what was created for them.

        Raises:
            VictorError: With `refresh`, the provider could not be read.
        """
        with self._stored_batch() as store:
            status = status_of(store)
            if not refresh:
                return status
            statuses = current_statuses(store.kind, lines_of([store])).values()
            counts = Counter(current.status or "not found" for current in statuses)
            return replace(
                status,
                payments=dict(counts.most_common()),
                units={unit: store.kind.describe_unit(unit) for unit in units_of(store)},
            )

    def export(
        self, *, batches: Collection[str] | None = None, refresh: bool = False
    ) -> Iterator[RowResult]:
        """Yield the current result of every row of the latest sheet in order.

        Of several batches, all rows are read at one moment, one batch after another. A payment that
        several sheets list is yielded for each of them, with the same `key`.

        Args:
            batches: The names of the batches (default: the batch of this sender), such as
                `sorted(sender.batches())`. A repeated name counts once.
            refresh: Read the provider's present `status` of each created request, and what the
                payer has agreed to: `completed` is paid. Without it, the status is that of the
                answer to `create`.

        Raises:
            ConfigurationError: There is no such batch. Nothing has been yielded then.
            VictorError: With `refresh`, the provider could not be read. Nothing has been yielded
                then.
        """
        with self._stored_batches(batches) as stored:
            yield from results_of([*stored], refresh=refresh)

    def export_csv(
        self,
        file: TextIO,
        *,
        batches: Collection[str] | None = None,
        refresh: bool = False,
    ) -> int:
        """Write the export as CSV.

        The columns are number, id, status, outcome, error, asked, agreed, currency and batch, and
        then those of the source, with its own headings and cells; of several batches, those of all
        sources, by their headings. Text that a spreadsheet would run has a single quote before it.

        Args:
            file: Open text file.
            batches: As for `export`.
            refresh: As for `export`.

        Returns:
            The number of rows written.
        """
        with self._stored_batches(batches) as stored:
            headings = chain.from_iterable(sheet.headings for sheet in stored.values())
            results = results_of([*stored], refresh=refresh)
            return write_csv(file, results, list(dict.fromkeys(headings)))

    def book(self) -> Iterator[RowResult]:
        """Yield each payment of the batch once, as `reconcile` reads a book of ours. If the sender
        has no batch: of all batches of this system and environment.

        `export` has the rows of the latest sheet. The book also has the payments that no sheet
        lists any more, and no row that has asked for nothing.

        Raises:
            ConfigurationError: There is no such batch, or no batch at all.
        """
        with self._present(self._batch or "") as store:
            names = store.batches()
            if not names or (store.batch and store.batch not in names):
                raise store.no_such_batch()
            yield from results_of_payments(store)

    def batches(self) -> list[str]:
        """Return the names of the batches of this system, environment and account in the state."""
        if not self._state.exists():
            return []
        with self._present() as store:
            return store.batches()

    def work(self, *, stop: threading.Event | None = None) -> None:
        """Work on the batch, or on all present and future batches of the database if the sender has
        none.

        It works until `stop` is set, or KeyboardInterrupt. Batches of other accounts are left
        alone.

        Raises:
            BulkStopped: The provider rejects this client.
            ConfigurationError: The batch belongs to another account.
        """
        with self._opened(self._batch or "", begins=True) as store, store.state.errors():
            if store.batch:
                store.own_sheet(to_send=True)
            serve(store, lambda _worker: stop is not None and stop.is_set())

    def _batch_name(self, source: object) -> str:
        """Return the name of the batch: the sender's, or that of the file. Raises
        `ConfigurationError` if there is none.
        """
        if self._batch is not None:
            return self._batch
        name = _file_name(source)
        if name is None:
            raise ConfigurationError("The batch needs a name: give batch=...")
        return checked_batch(name)

    @contextmanager
    def _loading(
        self,
        source: Rows,
        expected: ControlTotals,
        on_load: OnLoad | None,
        *,
        begins: bool = False,
    ) -> Generator[Loading]:
        """Open what loads a source, for the block. `begins` is as of `_opened`."""
        with (
            self._opened(self._batch_name(source), begins=begins) as store,
            closing(Loading(source, store, expected, on_load=on_load)) as loading,
        ):
            yield loading

    @contextmanager
    def _opened(self, batch: str = "", *, begins: bool = False) -> Generator[Store]:
        """Open what this sender works with, for the block: its own client, or one of the
        environment.

        Args:
            batch: The name of the batch; empty: the store is only used for the whole state.
            begins: Whether the state is made, unless it is there.

        Raises `ConfigurationError`: in production, there is no secret.
        """
        own: Any = self._client
        client_block = Victor.from_env(limits=self.limits) if own is None else nullcontext(own)
        with client_block as client, self._state.engine() as engine:
            if client.environment == "production" and not self._secrets:
                raise ConfigurationError(
                    "In production, rows are stored encrypted, and there is no secret: set "
                    f"VICTOR_BULK_KEY to one that you keep. As such, {HOW_TO_WRITE}."
                )
            if begins:
                self._state.prepare()
            yield Store(
                engine,
                client=client,
                kind=client.system.load("bulk")(client),
                state=self._state,
                vault=self._state.vault(self._secrets, owner_of(client)),
                settings=self._settings,
                heartbeat=self.heartbeat,
                batch=batch,
            )

    @contextmanager
    def _present(self, batch: str = "") -> Generator[Store]:
        """Open a state that has to be there, for the block: see `Store.open_present`."""
        with self._opened(batch) as store, store.open_present() as present:
            yield present

    @contextmanager
    def _stored_batch(self, *, to_send: bool = False) -> Generator[Store]:
        """Open the batch of this sender, for the block; see `_stored_batches`."""
        with self._stored_batches(to_send=to_send) as stored:
            (store,) = stored
            yield store

    @contextmanager
    def _stored_batches(
        self, names: Collection[str] | None = None, *, to_send: bool = False
    ) -> Generator[dict[Store, Sheet]]:
        """Open batches, for the block. `to_send` is as for `Store.own_sheet`.

        Args:
            names: Their names; None: the batch of this sender.

        Raises:
            ConfigurationError: The state does not have one of them, or none is named.
        """
        if names is None:
            names = [self._batch_name(None)]
        if not names:
            raise refused_setting("batches", "batches must have a name at least.", "value")
        with self._present() as store:
            stored: dict[Store, Sheet] = {}
            for name in dict.fromkeys(map(checked_batch, names)):
                batch = replace(store, batch=name)
                sheet = batch.own_sheet(to_send=to_send)
                if sheet is None:
                    raise batch.no_such_batch()
                stored[batch] = sheet
            yield stored


def _file_name(source: Any) -> str | None:
    """Return the name of a file, without its folder; None: the source is none."""
    if not isinstance(source, str | os.PathLike):
        return None
    name: str = os.path.basename(os.fspath(source))
    return name


def _seconds(duration: timedelta | float) -> float:
    return duration.total_seconds() if isinstance(duration, timedelta) else duration
