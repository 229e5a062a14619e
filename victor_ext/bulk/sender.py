"""`BulkSender`: bulk sending that survives crashes and can use several machines."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import TextIO

import httpx

from victor_ext import ConfigurationError, Victor
from victor_ext.privacy import HiddenRows, concealed

from .batch_store import BatchStore
from .export import columns_of, results_of, write_csv
from .layout import Submission, checked_batch, queue_of
from .loading import (
    BatchSnapshot,
    LoadRequest,
    SourceReport,
    check_source,
    name_changed_columns,
    store_rows,
    take_snapshot,
)
from .ownership import batches_of, no_such_batch
from .refreshing import counted, current_statuses, refreshed
from .rows import Check, RowResult, refuse_invalid
from .run import Progress, run_batch, serve
from .settings import Settings, WorkerContext, checked_client, day_of, provider_of, seconds_of
from .spool import Spool
from .state import DEFAULT_STATE, State
from .status import BatchStatus, StatusReader
from .vault import Vault, storage_secret

Rows = str | os.PathLike[str] | Iterable[Mapping[str, object]]


class BulkSender:
    """Sends rows of a file, or of any iterable of mappings, as requests for payment.

    A batch has a name. The key of each row is `idempotency_key_for(batch, value of the key column)`, so a rerun, a
    restart or a second machine sends the same keys. Stored data is encrypted; see `storage_key`.

    All methods block. Call them from a thread in async code (`asyncio.to_thread`), one at a time per process.

    Args:
        victor: Client to send with (default: `Victor.from_env`). It should allow at least `workers` connections.
        state: Database URL: `sqlite:///` and a path, or `postgresql://...` for several machines.
        batch: Name of the batch (default: the file name).
        key_column: Column that identifies a row (default: the batch's, or `client_reference_id`). It cannot change
            within a batch.
        rate: Maximum rows of the batch per second over all machines; None for no limit. With None, `resume` keeps the
            batch's rate.
        workers: Maximum concurrent calls in this process, 1 to 100.
        key_retention: How long the provider keeps a key, in seconds or as a timedelta (default: 24 hours). Rows that
            may have been sent longer ago are looked up and not sent again.
        due_date: Due date of rows without one: a date, `"today"` or `"tomorrow"` (UTC).
        skip_invalid: Set invalid rows aside instead of refusing the source.
        encoding: File encoding (default: UTF-8).
        patience: Seconds for which one row is retried while the provider fails (default: 120).
        ask_again: Send the rows even if the state has the same ones under other keys. Their customers are asked again.
        storage_key: Secret of at least 16 characters that encrypts stored rows (default: VICTOR_BULK_KEY, or the
            credentials in the process environment).

    Raises:
        ConfigurationError: An argument is invalid.
    """

    def __init__(
        self,
        victor: Victor | None = None,
        *,
        state: str = DEFAULT_STATE,
        batch: str | None = None,
        key_column: str | None = None,
        rate: float | None = None,
        workers: int = 16,
        key_retention: float | timedelta | None = None,
        due_date: date | str | None = None,
        skip_invalid: bool = False,
        encoding: str | None = None,
        patience: float | None = None,
        ask_again: bool = False,
        storage_key: str | None = None,
    ) -> None:
        state, storage_key = concealed(state), concealed(storage_key)
        self._victor = checked_client(victor)
        self._state = State(state)
        self._batch = None if batch is None else checked_batch(batch)
        self._settings = Settings(
            key_column,
            rate,
            workers,
            seconds_of(key_retention),
            patience,
            day_of(due_date),
            skip_invalid,
            encoding,
            ask_again,
        )
        self._secret = storage_secret(storage_key)

    def __repr__(self) -> str:
        return f"BulkSender(state={str(self._state)!r}, batch={self._batch!r})"

    def check(self, source: Rows, *, on_row: Callable[[int], None] | None = None) -> Check:
        """Check all rows as `send` does, without storing or sending them.

        Args:
            source: Path of a CSV or JSON Lines file, or mappings from column names to values.
            on_row: Called after each row with the number of rows checked.
        """
        source = source if isinstance(source, str | os.PathLike) else HiddenRows(source)
        batch = self._name(source)
        with self._vault() as (victor, vault), Spool() as spool:
            context = self._context(victor, vault)
            return self._checked(LoadRequest(source, batch, self._settings), spool, context, on_row)[1].check

    def send(
        self, source: Rows, *, on_progress: Progress | None = None, on_row: Callable[[int], None] | None = None
    ) -> BatchStatus:
        """Check all rows, store the new ones, and send until nothing is left to do.

        Rows that are already in the batch are sent again only if their outcome is not settled.

        Args:
            source: See `check`.
            on_progress: Called regularly with the status. If it raises, sending stops cleanly.
            on_row: See `check`.

        Raises:
            InvalidRows: Rows are invalid (without `skip_invalid`), repeat a key, or cannot be read.
            BulkStopped: The provider rejects this client.
            VictorError: Any other failure. Stored rows are kept, and `resume` continues with them.
        """
        source = source if isinstance(source, str | os.PathLike) else HiddenRows(source)
        batch = self._name(source)
        with self._vault() as (victor, vault):
            with Spool() as spool:
                context = self._context(victor, vault)
                check = self._submit(LoadRequest(source, batch, self._settings), spool, context, on_row)
            with self._store(vault, batch, victor) as store:
                status = run_batch(context, store, self._loads(store), on_progress)
        return replace(status, check=check)

    def resume(self, *, on_progress: Progress | None = None) -> BatchStatus:
        """Continue an interrupted batch, and retry unsettled rows with the same keys.

        Args:
            on_progress: As for `send`.

        Raises:
            ConfigurationError: The batch does not exist, it belongs to another account, or its storage was interrupted
                and its rows came from Python.
            VictorError: See `send`.
        """
        batch = self._name(None)
        with self._vault() as (victor, vault):
            with self._store(vault, batch, victor) as store:
                loads = self._loads(store)
                complete = store.has_chunk(loads[-1].last)
            if not complete:
                return self._submit_again(loads[-1], on_progress)
            with self._store(vault, batch, victor) as store:
                return run_batch(self._context(victor, vault), store, self._loads(store), on_progress)

    def status(self, *, refresh: bool = False) -> BatchStatus:
        """Return the current status of the batch.

        Args:
            refresh: Read what the provider says now of each request, too: `payments` counts it, `completed` is paid.

        Raises:
            VictorError: With `refresh`, the provider could not be read.
        """
        with self._stored() as (victor, store, loads):
            status = StatusReader(store, loads, by_others=True).read()
            if not refresh:
                return status
            return replace(status, payments=counted(current_statuses(victor, results_of(store, loads))))

    def export(self, *, refresh: bool = False) -> Iterator[RowResult]:
        """Yield the current result of every row in order, one for each key.

        If the batch is not `complete` (see `status`), rows that were not stored are missing.

        Args:
            refresh: Read the provider's present `status` of each created request: `completed` is paid. Without it,
                the status is that of the answer to `create`.

        Raises:
            VictorError: With `refresh`, the provider could not be read. Nothing has been yielded then.
        """
        with self._stored() as (victor, store, loads):
            yield from _results(victor, store, loads, refresh=refresh)

    def export_csv(
        self,
        file: TextIO,
        *,
        escape: bool = True,
        refresh: bool = False,
        on_result: Callable[[RowResult], object] | None = None,
    ) -> int:
        """Write the export as CSV.

        The columns are row, key, id, status, outcome, error, the source's other columns, and the requested values.

        Args:
            file: Open text file.
            escape: Put a single quote before text that a spreadsheet would run as a formula.
            refresh: As for `export`.
            on_result: Called with each row before it is written.

        Returns:
            The number of rows written.
        """
        with self._stored() as (victor, store, loads):
            results = _results(victor, store, loads, refresh=refresh)
            if on_result is not None:
                results = _noted(results, on_result)
            return write_csv(file, results, columns_of(loads), escape=escape)

    def batches(self) -> list[str]:
        """Return the names of the batches of this key and provider in the state.

        Raises:
            ConfigurationError: All batches belong to another key or provider. The message names the settings to change.
        """
        if not self._state.exists():
            return []
        self._state.prepare()
        with (
            self._vault() as (_, vault),
            self._state.engine() as engine,
            self._state.errors(),
            self._state.client(vault, engine) as client,
        ):
            return batches_of(client, engine, vault.application, f"What {self._state} holds")

    def work(self, *, stop: threading.Event | None = None) -> None:
        """Work on the batch, or on all present and future batches of the database if the sender has none.

        It works until `stop` is set, or KeyboardInterrupt. Batches of other accounts are left alone.

        Raises:
            BulkStopped: The provider rejects this client.
            ConfigurationError: The batch belongs to another account.
        """
        self._state.prepare()
        with self._vault() as (victor, vault):
            queues = None if self._batch is None else [queue_of(vault.application, self._batch)]
            if self._batch is not None:
                with self._store(vault, self._batch, victor) as store:
                    store.loads()
            serve(self._context(victor, vault), queues, lambda: stop is not None and stop.is_set())

    def _name(self, source: object) -> str:
        if self._batch is not None:
            return self._batch
        if not isinstance(source, str | os.PathLike):
            raise ConfigurationError("The batch needs a name: give batch=...")
        name: str = os.path.basename(os.fspath(source))
        return checked_batch(name)

    @contextmanager
    def _vault(self) -> Generator[tuple[Victor, Vault]]:
        with ExitStack() as stack:
            victor = self._victor
            if victor is None:
                limits = httpx.Limits(max_connections=2 * self._settings.workers + 4)
                victor = stack.enter_context(Victor.from_env(limits=limits))
            yield victor, Vault(self._secret, provider_of(victor))

    @contextmanager
    def _store(self, vault: Vault, batch: str, victor: Victor | None = None) -> Generator[BatchStore]:
        """Open a batch; with the client that is going to send it, only if it belongs to the client's account."""
        with ExitStack() as stack:
            engine = stack.enter_context(self._state.engine())
            if not self._state.exists():
                raise no_such_batch(batch, str(self._state))
            # An older release, or a process that was killed meanwhile, may have created it.
            self._state.prepare()
            stack.enter_context(self._state.errors())
            client = stack.enter_context(self._state.client(vault, engine))
            account = None if victor is None else vault.account(victor.caller)
            yield BatchStore(client, engine, vault.application, batch, account)

    @contextmanager
    def _stored(self) -> Generator[tuple[Victor, BatchStore, list[Submission]]]:
        with self._vault() as (victor, vault), self._store(vault, self._name(None)) as store:
            yield victor, store, self._loads(store)

    def _context(self, victor: Victor, vault: Vault) -> WorkerContext:
        return WorkerContext(victor, self._state, vault, self._settings)

    def _loads(self, store: BatchStore) -> list[Submission]:
        loads = store.loads()
        if not loads:
            raise no_such_batch(store.batch, str(self._state), store.all_batches(f"What {self._state} holds"))
        return loads

    def _submit(
        self, source: LoadRequest, spool: Spool, context: WorkerContext, on_row: Callable[[int], None] | None
    ) -> Check:
        snapshot, report = self._checked(source, spool, context, on_row)
        refuse_invalid(source.batch, report.check, skip_invalid=self._settings.skip_invalid)
        self._state.prepare()
        with self._store(context.vault, source.batch, context.victor) as store:
            store_rows(source, spool, context.vault, store, snapshot, report)
        return report.check

    def _checked(
        self, source: LoadRequest, spool: Spool, context: WorkerContext, on_row: Callable[[int], None] | None
    ) -> tuple[BatchSnapshot, SourceReport]:
        vault = context.vault
        if self._state.exists():
            with self._store(vault, source.batch, context.victor) as store:
                snapshot = take_snapshot(store, self._settings, spool)
        else:
            snapshot = take_snapshot(None, self._settings, spool)
        report = check_source(source, spool, vault, snapshot, on_row)
        if report.changed:
            with self._store(vault, source.batch) as store:
                name_changed_columns(store, report.check, report.changed, self._settings.due_date)
        return snapshot, report

    def _submit_again(self, load: Submission, on_progress: Progress | None) -> BatchStatus:
        """Submit the file again after storing its rows was interrupted."""
        if load.source is None or not os.path.exists(load.source):
            where = "came from Python" if load.source is None else f"are not in {load.source} any more"
            raise ConfigurationError(
                f"Storing the batch {self._batch} was interrupted, and its rows {where}: send it again, with the "
                "same rows."
            )
        before, self._settings = self._settings, self._settings.continuing(load)
        try:
            return self.send(load.source, on_progress=on_progress)
        finally:
            self._settings = before


def _results(victor: Victor, store: BatchStore, loads: list[Submission], *, refresh: bool) -> Iterator[RowResult]:
    if not refresh:
        return results_of(store, loads)
    # Before anything is written: a provider that cannot be read must not cut an export off.
    statuses = current_statuses(victor, results_of(store, loads))
    return refreshed(results_of(store, loads), statuses)


def _noted(results: Iterator[RowResult], on_result: Callable[[RowResult], object]) -> Iterator[RowResult]:
    for result in results:
        on_result(result)
        yield result
