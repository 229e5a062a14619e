"""`BulkSender`: bulk sending that survives crashes and can use several machines."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar, TextIO

import httpx

from victor_ext import ConfigurationError, Victor, idempotency_key_for
from victor_ext.health import Heartbeat
from victor_ext.privacy import concealed
from victor_ext.tables.sources import Rows, hidden

from .batch_store import BatchStore, no_such_batch
from .layout import Chunk, Submission, checked_batch, queue_of
from .loading import Loading, drop
from .results import refreshed, results_of, stored_rows, write_csv
from .row_kind import RowKind
from .rows import Check, Row, RowOutcome, RowResult, refuse_invalid
from .run import BatchStatus, Progress, StatusReader, run_batch, serve
from .settings import (
    DAY,
    PATIENCE,
    PERSONS,
    Expected,
    Settings,
    WorkerContext,
    day_of,
    provider_of,
    system_of,
)
from .state import DEFAULT_STATE, State
from .vault import Vault, storage_secret


class BulkSender:
    """Sends rows of a file, or of any iterable of mappings, as requests for payment.

    A batch has a name. The key of each row is
    `idempotency_key_for(batch, value of the key column)`, so a rerun, a restart or a second machine
    sends the same keys. Stored data is encrypted; see `storage_key`.

    All methods block. Call them from a thread in async code (`asyncio.to_thread`), one at a time
    per process.

    Args:
        client: Client to send with, of Victor or Velo (default: `Victor.from_env`). It should allow
            at least `workers` connections.
        state: Database URL: `sqlite:///` and a path, or `postgresql://...` for several machines.
        batch: Name of the batch (default: the file name).
        key_column: Column that identifies a row (default: the batch's, or `client_reference_id`).
            It cannot change within a batch.
        rate: Maximum rows of the batch per second over all machines; None for no limit. With None,
            `resume` keeps the batch's rate.
        workers: Maximum concurrent calls in this process, 1 to 100.
        key_retention: How long the provider keeps a key, in seconds or as a timedelta (default: 24
            hours). Rows that may have been sent longer ago are looked up and not sent again.
        due_date: Due date of rows without one: a date, `"today"` or `"tomorrow"` (UTC).
        skip_invalid: Set invalid rows aside instead of refusing the source.
        encoding: File encoding (default: UTF-8).
        patience: Seconds for which one row is retried while the provider fails (default: 120).
        ask_again: Send the rows even if the state has the same ones under other keys. Their
            customers are asked again.
        storage_key: Secret of at least 16 characters that encrypts stored rows (default:
            VICTOR_BULK_KEY, or the credentials in the process environment).
        payor_id: Velo's payor, for rows without one: its payments are read after a lost response.
        by: Who sends, instructs or withdraws. It is stored.
        not_by_sender: Another person than who sent the rows has to instruct or withdraw them. If it
            is set when they are sent, it holds for them.

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
        payor_id: str | None = None,
        by: str | None = None,
        not_by_sender: bool = False,
    ) -> None:
        state, storage_key = concealed(state), concealed(storage_key)
        self._client = client
        kind: type[RowKind] = (Victor.system if client is None else system_of(client)).load("bulk")
        self._state = State(state)
        self._batch = None if batch is None else checked_batch(batch)
        kept = (
            key_retention.total_seconds() if isinstance(key_retention, timedelta) else key_retention
        )
        day = day_of(due_date)
        self._settings = Settings(
            key_column,
            rate,
            workers,
            kept,
            patience,
            day,
            skip_invalid,
            encoding,
            ask_again,
            payor_id,
            by,
            not_by_sender,
        )
        self._settings.check_for(kind)
        self.effect = kind.effect
        """What sending does, in a sentence for a person who confirms it."""
        self._secret = storage_secret(storage_key, kind.secrets)
        self.heartbeat = Heartbeat()
        """How the worker of `work`, `send` or `resume` does: it looks at the state every two
        seconds.
        """
        self._tried = Counter[RowOutcome]()

    def __repr__(self) -> str:
        return f"BulkSender(state={str(self._state)!r}, batch={self._batch!r})"

    def check(
        self,
        source: Rows,
        *,
        expect_rows: int | None = None,
        expect_total: Decimal | str | int | None = None,
    ) -> Check:
        """Check all rows as `send` does, without storing or sending them.

        Args:
            source: Path of a CSV or JSON Lines file, or mappings from column names to values.
            expect_rows: How many rows the source must have, also those that are stored already or
                invalid.
            expect_total: What the amounts of all these rows must be together.
        """
        source = hidden(source)
        expected = Expected.of(expect_rows, expect_total)
        with (
            self._context() as context,
            closing(Loading(source, self._name(source), context, expected)) as loading,
        ):
            return loading.read()

    def send(
        self,
        source: Rows,
        *,
        expect_rows: int | None = None,
        expect_total: Decimal | str | int | None = None,
        on_check: Callable[[Check], None] | None = None,
        on_progress: Progress | None = None,
    ) -> BatchStatus:
        """Check all rows, store the new ones, and send until nothing is left to do.

        Rows that are already in the batch are sent again only if their outcome is not settled. The
        other arguments are those of `check`.

        Args:
            on_check: Called with the result of the check, before anything is stored or sent. If it
                raises, nothing is.
            on_progress: Called regularly with the status. If it raises, sending stops cleanly.

        Raises:
            InvalidRows: Rows are invalid (without `skip_invalid`), repeat a key, cannot be read or
                are not as expected.
            BulkStopped: The provider rejects this client.
            VictorError: Any other failure. Stored rows are kept, and `resume` continues with them.
        """
        source = hidden(source)
        expected = Expected.of(expect_rows, expect_total)
        with (
            self._context() as context,
            closing(Loading(source, self._name(source), context, expected)) as loading,
        ):
            check = loading.read()
            refuse_invalid(loading.batch, check, skip_invalid=self._settings.skip_invalid)
            if on_check is not None:
                on_check(check)
            self._state.prepare()
            with context.open_present(loading.batch) as store:
                loading.store(store)
                loading.close()  # its file may be large, and sending may take long
                return replace(run_batch(context, store, store.loads(), on_progress), check=check)

    def resume(self, *, on_progress: Progress | None = None) -> BatchStatus:
        """Continue an interrupted batch, and retry unsettled rows with the same keys; `on_progress`
        is as for `send`.

        Raises:
            ConfigurationError: The batch does not exist, or it belongs to another account.
            VictorError: See `send`.
        """
        with self._stored(to_read=False) as (context, store, loads):
            return run_batch(context, store, loads, on_progress)

    def take_step(self, name: str, *, on_progress: Progress | None = None) -> BatchStatus:
        """Instruct or withdraw each payout that the provider has accepted, at most once.

        Taken again, it goes on with those that were accepted meanwhile, and looks up those of which
        it is not known.

        Args:
            name: `"instruct"`, which moves money, or `"withdraw"`.
            on_progress: As for `send`.

        Returns:
            The payouts by what became of this step: `created` is done.

        Raises:
            ConfigurationError: Rows of this client have no such step, nothing was accepted, or the
                sender takes it and may not.
            VictorError: See `send`.
        """
        with self._stored() as (context, store, loads):
            kind = context.kind
            if name not in kind.steps:
                steps = (
                    f": write {' or '.join(kind.steps)}" if kind.steps else ", which have no steps"
                )
                raise ConfigurationError(f"{name} is not a step of these rows{steps}.")
            self._settings.check_person(loads)
            step = replace(store, batch=f"{store.batch}/{name}", account=context.account)
            before = step.loads()
            taken = {(row.arguments or {})["id"] for _, row, _ in stored_rows(step, before)}
            new = [unit for unit in _units(kind, store, loads) if unit not in taken]
            if not new and not before:
                raise ConfigurationError(
                    f"{store.batch} has nothing to {name}: the provider has accepted none of it."
                )
            if new:
                first = sum(len(load.sizes) for load in before) + 1
                settings = {
                    **loads[-1].settings,
                    **{term: getattr(self._settings, term) for term in PERSONS},
                }
                load = Submission(
                    len(before) + 1, "", kind.unit, (), settings, [1] * len(new), first, 0
                )
                rows = (
                    Row(1, idempotency_key_for(step.batch, unit), unit, {"id": unit}, {})
                    for unit in new
                )
                chunks = [
                    self._settings.of_chunk(Chunk(DAY, PATIENCE, [row])).to_json() for row in rows
                ]
                step.add_load(load, lambda: chunks)
            return run_batch(context, step, step.loads(), on_progress)

    def drop(self) -> int:
        """Drop from the batch what was never sent: its refused rows.

        They are neither counted nor exported any more. If they are sent again, they are new rows.
        Returns their number.

        Raises:
            ConfigurationError: The batch does not exist, or belongs to another account.
        """
        with self._stored(to_read=False) as (_, store, loads):
            return drop(store, loads)

    def status(self, *, refresh: bool = False) -> BatchStatus:
        """Return the current status of the batch.

        Args:
            refresh: Read what the provider says now of each request, too: `payments` counts it,
                `completed` is paid.

        Raises:
            VictorError: With `refresh`, the provider could not be read.
        """
        with self._stored() as (context, store, loads):
            kind, steps = context.kind, dict[str, dict[str, Any]]()
            for name in kind.steps:
                step = replace(store, batch=f"{store.batch}/{name}")
                if taken := step.loads():
                    by = [load.settings["by"] for load in taken]
                    steps[name] = {"by": by, "counts": StatusReader(step, taken).read().counts}
            status = replace(StatusReader(store, loads).read(), steps=steps)
            if not refresh:
                return status
            now = kind.current(results_of(store, loads, kind)).values()
            payments = dict(Counter(each.status or "not found" for each in now).most_common())
            units = {unit: kind.describe(unit) for unit in _units(kind, store, loads)}
            return replace(status, payments=payments, units=units)

    def export(self, *, refresh: bool = False) -> Iterator[RowResult]:
        """Yield the current result of every row in order, one for each key.

        Args:
            refresh: Read the provider's present `status` of each created request: `completed` is
                paid. Without it, the status is that of the answer to `create`.

        Raises:
            VictorError: With `refresh`, the provider could not be read. Nothing has been yielded
                then.
        """
        with self._stored() as (context, store, loads):
            yield from (refreshed if refresh else results_of)(store, loads, context.kind)

    def export_csv(
        self,
        file: TextIO,
        *,
        escape: bool = True,
        refresh: bool = False,
        on_result: Callable[[RowResult], object] | None = None,
    ) -> int:
        """Write the export as CSV.

        The columns are row, key, id, status, outcome, error, the source's other columns, and the
        requested values.

        Args:
            file: Open text file.
            escape: Put a single quote before text that a spreadsheet would run as a formula.
            refresh: As for `export`.
            on_result: Called with each row before it is written.

        Returns:
            The number of rows written.
        """
        with self._stored() as (context, store, loads):
            kind, read = context.kind, refreshed if refresh else results_of

            def noted() -> Iterator[RowResult]:
                for result in read(store, loads, kind):
                    if on_result is not None:
                        on_result(result)
                    yield result

            columns = list(dict.fromkeys(column for load in loads for column in load.columns))
            return write_csv(file, noted(), columns, asked=kind.asked, escape=escape)

    def batches(self) -> list[str]:
        """Return the names of the batches of this key and provider in the state.

        Raises:
            ConfigurationError: All batches belong to another key or provider. The message names the
                settings to change.
        """
        if not self._state.exists():
            return []
        self._state.prepare()
        with self._context() as context, self._state.errors(), context.open() as store:
            return store.batches(f"What {self._state} holds")

    def work(self, *, stop: threading.Event | None = None) -> None:
        """Work on the batch, or on all present and future batches of the database if the sender has
        none.

        It works until `stop` is set, or KeyboardInterrupt. Batches of other accounts are left
        alone.

        Raises:
            BulkStopped: The provider rejects this client.
            ConfigurationError: The batch belongs to another account.
        """
        self._state.prepare()
        with self._context() as context:
            queues = (
                None if self._batch is None else [queue_of(context.vault.application, self._batch)]
            )
            if self._batch is not None:
                with context.open_present(self._batch) as store:
                    store.loads()
            serve(context, queues, lambda: stop is not None and stop.is_set())

    def tried_counts(self) -> dict[RowOutcome, int]:
        """The number of rows that this sender has tried since it was made, by outcome, such as for
        `/metrics`.
        """
        return {outcome: self._tried[outcome] for outcome in RowOutcome}

    def _name(self, source: object) -> str:
        if self._batch is not None:
            return self._batch
        if not isinstance(source, str | os.PathLike):
            raise ConfigurationError("The batch needs a name: give batch=...")
        name: str = os.path.basename(os.fspath(source))
        return checked_batch(name)

    @contextmanager
    def _context(self) -> Generator[WorkerContext]:
        with (
            Victor.from_env(limits=self.limits)
            if self._client is None
            else nullcontext(self._client) as client
        ):
            vault, kind = (
                Vault(self._secret, provider_of(client)),
                client.system.load("bulk")(client),
            )
            yield WorkerContext(
                client, kind, self._state, vault, self._settings, self.heartbeat, self._tried
            )

    @contextmanager
    def _stored(
        self, *, to_read: bool = True
    ) -> Generator[tuple[WorkerContext, BatchStore, list[Submission]]]:
        with (
            self._context() as context,
            context.open_present(self._name(None), to_read=to_read) as store,
        ):
            loads = store.loads()
            if not loads:
                raise no_such_batch(
                    store.batch, str(self._state), store.batches(f"What {self._state} holds")
                )
            yield context, store, loads


def _units(kind: RowKind, store: BatchStore, loads: list[Submission]) -> list[str]:
    """Return the ids of what was sent together and accepted, in order."""
    created = (one for one in results_of(store, loads, kind) if one.outcome is RowOutcome.CREATED)
    return list(dict.fromkeys(one.asked[kind.unit] for one in created)) if kind.unit else []
