"""Reading and writing one batch in the database, by way of DBOS."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sqlalchemy as sa
from dbos import DBOSClient, WorkflowStatus
from dbos import error as dbos_error
from sqlalchemy.exc import DBAPIError

from victor_ext import ConfigurationError

from .layout import (
    BEGIN_STEP,
    CHUNK,
    LOAD,
    SEND_STEP,
    VERSION,
    Chunk,
    Submission,
    chunk_id,
    load_id,
    loads_queue_of,
    priority_of,
    queue_of,
    sent_since,
)
from .notices import database_notices
from .ownership import batches_of, check_owner
from .pacing import pause_after
from .rows import SETTLED, Result, RowOutcome, Sent
from .vault import other_key

_AT_ONCE = 50
"""Chunks that are read or written in one go."""
_PATIENCE = 60.0
"""Seconds for which a database that went away is waited for."""
_OVER = frozenset({"SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})
_POLLED_EVERY = 0.1


@dataclass(frozen=True, slots=True)
class Try:
    """One workflow of a chunk.

    Attributes:
        id: Its workflow.
        again: Which further try it is; 0 is the first.
        over: Whether it has ended.
        taken: Whether a worker has ever taken it up. Until it is over, any of its rows may have been sent then.
        counts: Rows by outcome, when it ended with results.
        chunk: Its rows, when they were asked for.
    """

    id: str
    again: int
    over: bool
    taken: bool
    counts: Mapping[RowOutcome, int] | None
    chunk: Chunk | None

    @property
    def unsettled(self) -> int | None:
        """How many rows can be tried once more; None when it ended without saying."""
        if self.counts is None:
            return None
        return sum(count for outcome, count in self.counts.items() if outcome not in SETTLED)


class BatchStore:
    """One batch.

    Args:
        client: Reads and writes.
        engine: The client's connections.
        application: Whose batches these are.
        batch: Its name.
    """

    def __init__(self, client: DBOSClient, engine: sa.Engine, application: str, batch: str) -> None:
        self._client = client
        self._engine = engine
        self._application = application
        self.batch = batch

    def all_batches(self, what: str) -> list[str]:
        """See `batches_of`."""
        return batches_of(self._client, self._engine, self._application, what)

    def loads(self) -> list[Submission]:
        """Every submission, in order. None: there is no such batch.

        Raises:
            ConfigurationError: The batch belongs to another key or provider.
        """
        found: list[Submission] = []
        while True:
            numbers = range(len(found) + 1, len(found) + 1 + _AT_ONCE)
            page = self._workflows([load_id(self.batch, number) for number in numbers], rows=True)
            loads = [Submission(**_input_of(info)) for info in page.values()]
            found += sorted(loads, key=lambda load: load.number)
            if len(page) < _AT_ONCE:
                return found

    def digests_of_others(self) -> dict[str, dict[str, str]]:
        """The other batches of this key and provider by the digests of what was handed over, by key column."""
        found: dict[str, dict[str, str]] = {}
        offset = 0
        while page := self._client.list_workflows(name=LOAD, load_output=False, limit=_AT_ONCE, offset=offset):
            offset += len(page)
            for info in page:
                check_owner(info, self._application, "Another batch of this state")
                load = Submission(**_input_of(info))
                batch = info.workflow_id.rpartition("/load/")[0]
                if load.digest is not None and batch != self.batch:
                    found.setdefault(load.key_column, {}).setdefault(load.digest, batch)
        return found

    def has_chunk(self, number: int) -> bool:
        """Whether a chunk is there."""
        return bool(self._workflows([chunk_id(self.batch, number)]))

    def add_load(self, load: Submission, chunks: Iterable[Chunk]) -> None:
        """Store a submission and its chunks. No worker sees them before `open_queue`.

        The load and its first chunks are one transaction: of two processes that go on from the same number, one
        has that number and its load, and the other one has neither. The one whose numbers end there (it was slow, and
        taken for dead) sees a chunk of another load at its next one.

        Raises:
            ConfigurationError: Another process submits this batch right now.
        """
        source, first = iter(chunks), load.first
        while batch := list(islice(source, _AT_ONCE)):
            opening = load if first == load.first else None
            self._add({chunk_id(self.batch, first + place): chunk for place, chunk in enumerate(batch)}, opening)
            first += len(batch)

    def add_try(self, workflow_id: str, chunk: Chunk) -> None:
        """Have rows tried once more, unless somebody else has arranged that already."""
        with suppress(dbos_error.DBOSWorkflowIDInUseError, dbos_error.DBOSConflictingWorkflowError):
            self._stored(lambda: self._insert({workflow_id: chunk}), lambda: bool(self._workflows([workflow_id])))

    def open_queue(self, rate: float | None, slots: int) -> None:
        """Let workers see the batch, and set its pace.

        A chunk has at least one row, so that DBOS's limit of chunks is one of rows too; with a pace, one chunk
        is sent at a time on all machines, and spreads its rows evenly.
        """
        limiter: Any = None
        if rate is not None:
            limiter = {"limit": 1, "period": 1 / rate} if rate < 1 else {"limit": int(rate), "period": int(rate) / rate}
        self._client.register_queue(
            queue_of(self._application, self.batch),
            worker_concurrency=1 if rate is not None else slots,
            global_concurrency=None if rate is None else 1,
            limiter=limiter,
            polling_interval_sec=_POLLED_EVERY,
        )
        self._client.register_queue(loads_queue_of(self._application), worker_concurrency=1, polling_interval_sec=1.0)

    def is_open(self) -> bool:
        """Whether workers see the batch."""
        return self._client.retrieve_queue(queue_of(self._application, self.batch)) is not None

    def close_queue(self) -> None:
        """Let workers forget the batch: there is nothing left to do in it."""
        self._client.delete_queue(queue_of(self._application, self.batch))

    def tries(self, numbers: Sequence[int], *, rows: bool = False) -> dict[int, list[Try]]:
        """The chunks of these numbers that are there, each with its further tries."""
        found: dict[int, list[Try]] = {}
        again = 0
        wanted = list(numbers)
        while wanted:
            ids = {chunk_id(self.batch, number, again): number for number in wanted}
            page = self._workflows(list(ids), rows=rows)
            wanted = [number for workflow_id, number in ids.items() if workflow_id in page]
            for number in wanted:
                found.setdefault(number, []).append(_try(page[chunk_id(self.batch, number, again)], again, rows=rows))
            # A try that is not over, or that settled all of its rows, has no successor.
            wanted = [number for number in wanted if found[number][-1].over and found[number][-1].unsettled != 0]
            again += 1
        return found

    def results(self, attempt: Try) -> tuple[list[Result] | None, Sent | None]:
        """What a try found, and when it began to send; None for what it did not get to, or not yet."""
        began: Sent | None = None
        results: list[Result] | None = None
        for step in self._client.list_workflow_steps(attempt.id):
            output: Any = step["output"]
            if output is None:
                continue
            if isinstance(output, str):
                raise other_key("A result in the bulk database")
            if step["function_name"] == BEGIN_STEP:
                began = sent_since(output)
            if step["function_name"] == SEND_STEP:
                results = [Result.from_json(result) for result in output]
        return results, began

    def _add(self, chunks: Mapping[str, Chunk], load: Submission | None) -> None:
        """Store chunks, and the load before its first ones. Those of another load are not mixed in."""
        try:
            self._stored(lambda: self._insert(chunks, load), lambda: self._are_ours(chunks))
        except (dbos_error.DBOSWorkflowIDInUseError, dbos_error.DBOSConflictingWorkflowError):
            raise _submitted_elsewhere(self.batch) from None

    def _stored(self, store: Callable[[], None], is_stored: Callable[[], bool]) -> None:
        """Store something, and wait for a database that goes away over it."""
        ends = time.monotonic() + _PATIENCE
        failures = 0
        while True:
            try:
                # Whether it was written before the database went away is seen by looking, once it is back.
                if not (failures and is_stored()):
                    store()
                return
            except DBAPIError as error:
                failures += 1
                if time.monotonic() > ends:
                    raise
                database_notices.report(error)
                time.sleep(pause_after(failures))

    def _insert(self, chunks: Mapping[str, Chunk], load: Submission | None = None) -> None:
        with self._engine.begin() as connection:
            if load is not None:
                options = self._options(LOAD, loads_queue_of(self._application), load_id(self.batch, load.number))
                self._client.enqueue_in_transaction(connection, options, load.to_json())
            for workflow_id, chunk in chunks.items():
                options = self._options(CHUNK, queue_of(self._application, self.batch), workflow_id)
                options["priority"] = priority_of(workflow_id)
                self._client.enqueue_in_transaction(connection, options, chunk.to_json())

    def _are_ours(self, chunks: Mapping[str, Chunk]) -> bool:
        """Whether these very chunks are stored: those of another process have its token."""
        present = self._workflows(list(chunks), rows=True)
        return present.keys() == chunks.keys() and all(
            Chunk.from_json(_input_of(info)).token == chunks[workflow_id].token for workflow_id, info in present.items()
        )

    def _options(self, name: str, queue: str, workflow_id: str) -> Any:
        return {
            "workflow_name": name,
            "queue_name": queue,
            "workflow_id": workflow_id,
            "workflow_id_reuse_policy": "reject",
            "app_version": VERSION,
        }

    def _workflows(self, ids: Sequence[str], *, rows: bool = False) -> dict[str, WorkflowStatus]:
        page = self._client.list_workflows(workflow_ids=list(ids), load_input=rows, load_output=True)
        for info in page:
            check_owner(info, self._application, f"The batch {self.batch}")
        return {info.workflow_id: info for info in page}


def _try(info: WorkflowStatus, again: int, *, rows: bool) -> Try:
    over = info.status in _OVER
    counts = None
    if info.status == "SUCCESS":
        output: Any = info.output
        if isinstance(output, str):
            raise other_key("A result in the bulk database")
        counts = {RowOutcome(outcome): int(count) for outcome, count in output.items()}
    # It keeps the name of the worker that took it up last, also while it waits for another one.
    taken = info.executor_id is not None
    return Try(info.workflow_id, again, over, taken, counts, Chunk.from_json(_input_of(info)) if rows else None)


def _input_of(info: WorkflowStatus) -> Mapping[str, Any]:
    found: Any = info.input
    # What does not open, DBOS hands out as it is stored.
    if isinstance(found, str):
        raise other_key("The batch")
    data: Mapping[str, Any] = found["args"][0]
    return data


def _submitted_elsewhere(batch: str) -> ConfigurationError:
    return ConfigurationError(
        f"Another process hands the batch {batch} over at this moment. Wait until it has, then send again: rows that "
        "are there already are not stored twice."
    )


def numbers_of(loads: Sequence[Submission]) -> Iterator[tuple[Submission, int]]:
    """Every chunk number with its load, as they lie. A load that was cut short has fewer than it wanted."""
    for place, load in enumerate(loads):
        end = loads[place + 1].first if place + 1 < len(loads) else load.last + 1
        for number in range(load.first, min(end, load.last + 1)):
            yield load, number


def rows_of(load: Submission, number: int) -> int:
    """How many rows a chunk has."""
    return load.chunk_rows if number < load.last else load.rows - (load.chunks - 1) * load.chunk_rows
