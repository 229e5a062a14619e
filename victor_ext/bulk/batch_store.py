"""Read and write one batch in the database through DBOS, and see whose it is: by key, provider, account and layout."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from victor_ext import ConfigurationError
from victor_ext.settlement import SETTLED, Sent

from .layout import (
    AT_ONCE,
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
    version_for,
)
from .rows import Result, RowOutcome
from .vault import other_key

if TYPE_CHECKING:
    from dbos import DBOSClient, WorkflowStatus

_OVER = frozenset({"SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})
_POLLED_EVERY = 0.1
_NEVER_REACHED = 1_000_000
_NAMED = 10
"""Maximum number of batch names in an error message."""


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt to send a chunk: one DBOS workflow.

    Attributes:
        id: The workflow id.
        over: Whether the workflow has ended.
        taken: Whether a worker ever started it. If so, and it has not ended, any of its rows may have been sent.
        counts: Rows by outcome, if it ended with results.
        chunk: The rows, if they were requested.
    """

    id: str
    over: bool
    taken: bool
    counts: Mapping[RowOutcome, int] | None
    chunk: Chunk | None

    @property
    def unsettled(self) -> int | None:
        """Number of rows that can be retried; None if the workflow ended without results."""
        if self.counts is None:
            return None
        return sum(count for outcome, count in self.counts.items() if outcome not in SETTLED)


class BatchStore:
    """Store of one batch.

    Args:
        account: The account that sends it; None: it is only read, whoever it belongs to.
    """

    def __init__(
        self, client: DBOSClient, engine: sa.Engine, application: str, batch: str, account: str | None = None
    ) -> None:
        self._client = client
        self.engine = engine
        self.application = application
        self._account = account
        self.batch = batch

    def loads(self) -> list[Submission]:
        """Return all submissions in order; empty if the batch does not exist.

        Raises:
            ConfigurationError: The batch belongs to another key, provider or, unless it is only read, account.
        """
        submissions: list[Submission] = []
        while True:
            numbers = range(len(submissions) + 1, len(submissions) + 1 + AT_ONCE)
            page = self._workflows([load_id(self.batch, number) for number in numbers], rows=True)
            loads = [Submission(**_input_of(info)) for info in page.values()]
            submissions += sorted(loads, key=lambda load: load.number)
            if len(page) < AT_ONCE:
                return submissions

    def digests(self, whole: Collection[int]) -> dict[str, str]:
        """Return the batches of this key and provider by source digest.

        `whole` are the numbers of the submissions of this batch that count: those whose rows are all stored.
        """
        batches: dict[str, str] = {}
        offset = 0
        while page := self._client.list_workflows(name=LOAD, load_output=False, limit=AT_ONCE, offset=offset):
            offset += len(page)
            for info in page:
                _check_owner(info, self.application, "Another batch of this state")
                load = Submission(**_input_of(info))
                batch = info.workflow_id.rpartition("/load/")[0]
                if batch != self.batch or load.number in whole:
                    batches.setdefault(load.digest, batch)
        return batches

    def has_chunk(self, number: int) -> bool:
        """Whether the chunk is stored."""
        return bool(self._workflows([chunk_id(self.batch, number)]))

    def add_load(self, load: Submission, chunks: Iterable[Chunk]) -> None:
        """Store a submission and its chunks. Workers do not see them before `open_queue`.

        The submission and its first chunks are one transaction: of two processes that continue from the same number,
        one stores both and the other stores nothing. A slow process whose place was taken fails at its next chunk.

        Raises:
            ConfigurationError: Another process is submitting this batch.
        """
        source, first = iter(chunks), load.first
        try:
            while batch := list(islice(source, AT_ONCE)):
                opening = load if first == load.first else None
                self._insert({chunk_id(self.batch, first + place): chunk for place, chunk in enumerate(batch)}, opening)
                first += len(batch)
        except _stored_by_another():
            raise ConfigurationError(
                f"Another process is storing the batch {self.batch}. Wait until it is done, then send again: rows that "
                "are stored already are not stored twice."
            ) from None

    def add_try(self, workflow_id: str, chunk: Chunk) -> None:
        """Add an attempt, unless another process has already added it."""
        with suppress(*_stored_by_another()):
            self._insert({workflow_id: chunk})

    def open_queue(self, rate: float | None, slots: int) -> None:
        """Make the batch visible to workers and set its rate in rows per second.

        With a rate, all machines together send one chunk at a time and space its rows evenly. The limit of DBOS holds
        the rate, and is never reached: while a clock was ahead, each chunk would count until that time has come.
        """
        limiter: Any = None if rate is None else {"limit": _NEVER_REACHED, "period": _NEVER_REACHED / rate}
        self._client.register_queue(
            queue_of(self.application, self.batch),
            worker_concurrency=1 if rate is not None else slots,
            global_concurrency=None if rate is None else 1,
            limiter=limiter,
            polling_interval_sec=_POLLED_EVERY,
        )
        self._client.register_queue(loads_queue_of(self.application), worker_concurrency=1, polling_interval_sec=1.0)

    def is_open(self) -> bool:
        """Whether workers can see the batch."""
        return self._client.retrieve_queue(queue_of(self.application, self.batch)) is not None

    def close_queue(self) -> None:
        """Remove the queue of a finished batch."""
        self._client.delete_queue(queue_of(self.application, self.batch))

    def tries(self, numbers: Sequence[int], *, rows: bool = False) -> dict[int, list[Try]]:
        """Return the attempts of the stored chunks among `numbers`."""
        tries: dict[int, list[Try]] = {}
        again = 0
        wanted = list(numbers)
        while wanted:
            ids = {chunk_id(self.batch, number, again): number for number in wanted}
            page = self._workflows(list(ids), rows=rows)
            wanted = [number for workflow_id, number in ids.items() if workflow_id in page]
            for number in wanted:
                tries.setdefault(number, []).append(_try(page[chunk_id(self.batch, number, again)], rows=rows))
            # An attempt that has not ended, or has settled all rows, has no successor.
            wanted = [number for number in wanted if tries[number][-1].over and tries[number][-1].unsettled != 0]
            again += 1
        return tries

    def results(self, attempt: Try) -> tuple[list[Result] | None, Sent | None]:
        """Return an attempt's results and the time it began to send; None for a step that has not run."""
        began: Sent | None = None
        results: list[Result] | None = None
        for step in self._client.list_workflow_steps(attempt.id):
            output: Any = step["output"]
            if output is None:
                continue
            if isinstance(output, str):
                raise other_key("A result in the bulk database")
            if step["function_name"] == BEGIN_STEP:
                began = Sent.from_json(output["sent"])
            if step["function_name"] == SEND_STEP:
                results = [Result.from_json(result) for result in output]
        return results, began

    def _insert(self, chunks: Mapping[str, Chunk], load: Submission | None = None) -> None:
        with self.engine.begin() as connection:
            if load is not None:
                options = self._options(LOAD, loads_queue_of(self.application), load_id(self.batch, load.number))
                self._client.enqueue_in_transaction(connection, options, asdict(load))
            for workflow_id, chunk in chunks.items():
                options = self._options(CHUNK, queue_of(self.application, self.batch), workflow_id)
                options["priority"] = priority_of(workflow_id)
                self._client.enqueue_in_transaction(connection, options, chunk.to_json())

    def _options(self, name: str, queue: str, workflow_id: str) -> Any:
        assert self._account is not None
        return {
            "workflow_name": name,
            "queue_name": queue,
            "workflow_id": workflow_id,
            "workflow_id_reuse_policy": "reject",
            "app_version": version_for(self._account),
        }

    def _workflows(self, ids: Sequence[str], *, rows: bool = False) -> dict[str, WorkflowStatus]:
        page = self._client.list_workflows(workflow_ids=list(ids), load_input=rows, load_output=True)
        for info in page:
            _check_owner(info, self.application, f"The batch {self.batch}", self._account)
        return {info.workflow_id: info for info in page}


def _try(info: WorkflowStatus, *, rows: bool) -> Try:
    over = info.status in _OVER
    counts = None
    if info.status == "SUCCESS":
        output: Any = info.output
        if isinstance(output, str):
            raise other_key("A result in the bulk database")
        counts = {RowOutcome(outcome): int(count) for outcome, count in output.items()}
    # DBOS keeps the last executor id while the workflow waits for another worker.
    taken = info.executor_id is not None
    return Try(info.workflow_id, over, taken, counts, Chunk.from_json(_input_of(info)) if rows else None)


def _input_of(info: WorkflowStatus) -> Mapping[str, Any]:
    stored: Any = info.input
    # DBOS returns a value as stored text if it cannot be decrypted.
    if isinstance(stored, str):
        raise other_key("The batch")
    data: Mapping[str, Any] = stored["args"][0]
    return data


def _stored_by_another() -> tuple[type[Exception], ...]:
    """Return the errors of DBOS for an id that is there already."""
    from dbos import error  # noqa: PLC0415 - a check of rows needs no DBOS, and it takes half of the start

    return error.DBOSWorkflowIDInUseError, error.DBOSConflictingWorkflowError


def batches_of(engine: sa.Engine, application: str, what: str) -> list[str]:
    """Return the names of all batches of this key and provider, oldest first.

    Raises:
        ConfigurationError: The database contains only batches of other owners: they may have been sent. The message
            names `what`.
    """
    from dbos import DBOSClient  # noqa: PLC0415 - as in `_stored_by_another`

    # A client without an application lists the workflows of all of them.
    client = DBOSClient(system_database_engine=engine, retry_connection_errors=False)
    try:
        infos = client.list_workflows(name=LOAD, load_input=False, load_output=False)
    finally:
        client.destroy()
    batches = [info.workflow_id.rpartition("/load/")[0] for info in infos if info.application_name == application]
    if infos and not batches:
        # Prefer batches of the same key: the message can then name the settings to change.
        same_key = application.rpartition("-")[0]
        owners = {str(info.application_name) for info in infos}
        raise _other_owner(max(owners, key=lambda owner: owner.rpartition("-")[0] == same_key), application, what)
    return list(dict.fromkeys(batches))


def _check_owner(info: WorkflowStatus, application: str, what: str, account: str | None = None) -> None:
    """Raise `ConfigurationError` if a workflow has another owner or an unsupported layout.

    Args:
        what: What it belongs to, for the message.
        account: The account that is about to send it; None: it is only read.
    """
    if info.application_name != application:
        raise _other_owner(str(info.application_name), application, what)
    layout, _, owner = (info.app_version or "").partition("/")
    if layout != VERSION:
        raise ConfigurationError(
            f"{what} was stored by another release, in the layout {layout}: go on with the release that stored it."
        )
    if account not in (None, owner):
        raise ConfigurationError(
            f"{what} belongs to the account {owner}, these credentials to the account {account}. Nothing was sent: "
            "the provider may keep the keys of each account apart. Use the credentials that the batch was started with."
        )


def _other_owner(owner: str, application: str, what: str) -> ConfigurationError:
    if owner.rpartition("-")[0] != application.rpartition("-")[0]:
        return other_key(what)
    return ConfigurationError(
        f"{what} was begun for another environment or base URL: set VICTOR_ENVIRONMENT and VICTOR_BASE_URL as they "
        "were then."
    )


def no_such_batch(batch: str, state: str, others: Sequence[str] = ()) -> ConfigurationError:
    """Return the error for a batch that the state does not have, with the names of those that it has."""
    what = f"There is no batch {batch} in {state}: nothing of it was stored"
    if not others:
        return ConfigurationError(f"{what}, and nothing was sent. Send it first.")
    return ConfigurationError(f"{what}. It has: {', '.join(others[:_NAMED])}{', ...' if others[_NAMED:] else ''}.")
