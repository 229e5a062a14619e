"""Read and write one batch in the database through DBOS, and see whose it is: by key, provider,
account and layout.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from victor_ext import ConfigurationError
from victor_ext.settlement.flow import SETTLED

from .layout import (
    CHUNK,
    LOAD,
    MARK,
    VERSION,
    Chunk,
    Submission,
    chunk_id,
    numbers_of,
    queue_of,
    record_of,
)
from .rows import SEND_STEP, Progress, RowOutcome, Step
from .state import StateLost
from .vault import other_key

if TYPE_CHECKING:
    from dbos import DBOSClient, WorkflowStatus

_OVER = frozenset({"SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})
_AT_ONCE = 10
"""Chunks per read."""
_NEVER_REACHED = 1_000_000
_IDLE_SECONDS = 60
"""A PostgreSQL server ends the transaction of a process that was stopped for longer: others may
wait for it.
"""
_NAMED = 10
"""Maximum number of batch names in an error message."""


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt to send a chunk: one DBOS workflow.

    Attributes:
        taken: Whether a worker ever started it. If so, and it has not ended, any of its rows may
            have been sent.
        counts: Rows by outcome, if it ended with results.
        chunk: The rows, if they were requested; else none.
    """

    id: str
    over: bool
    taken: bool
    counts: Mapping[RowOutcome, int] | None
    chunk: Chunk

    @property
    def unsettled(self) -> int | None:
        """Number of rows that can be retried; None if the workflow ended without results."""
        if self.counts is None:
            return None
        return sum(count for outcome, count in self.counts.items() if outcome not in SETTLED)


@dataclass(eq=False, repr=False)
class BatchStore:
    """Store of one batch, which `account` sends; None: it is only read, whoever it belongs to."""

    client: DBOSClient
    engine: sa.Engine
    application: str
    batch: str
    account: str | None = None

    def loads(self) -> list[Submission]:
        """Return all stored submissions in order.

        Raises `ConfigurationError` if they belong to another key, provider or, unless they are only
        read, account.
        """
        return [Submission(**data) for data in self._numbered(f"{self.batch}/load")]

    def marks(self, kind: str) -> list[tuple[str, str]]:
        """Return the batch and the digest of each submission with a mark of this kind, in order."""
        return [
            (batch, digest)
            for batch, digest in self._numbered(f"{self.application}/{kind}", of_others=True)
        ]

    def add_load(
        self, load: Submission, chunks: Callable[[], Iterable[object]], mark: str = ""
    ) -> bool:
        """Store a submission, its mark and all its chunks at once, unless another process has
        stored the same source.

        Return whether it is stored: not, if another batch has the `mark` (kind and number; "" is
        none) meanwhile. Raises `ConfigurationError` if another process has stored other rows of
        this batch, or dropped some, meanwhile.
        """
        with self._transaction() as connection:
            self._insert(connection, LOAD, f"{self.batch}/load/{load.number}", asdict(load))
            for number, chunk in enumerate(chunks(), load.first):
                self._insert(connection, CHUNK, chunk_id(self.batch, number), chunk)
            if mark:  # at the end: other batches wait for the transaction that has it
                self._insert(
                    connection, MARK, f"{self.application}/{mark}", [self.batch, load.digest]
                )
        stored = self.loads()[load.number - 1 :]
        if stored and (stored[0].digest, [*stored[0].dropped]) != (load.digest, [*load.dropped]):
            raise ConfigurationError(
                f"Another process has stored other rows of the batch {self.batch} meanwhile, or "
                "dropped some, and "
                "nothing else was done. Look at its status, and do this again if it is still meant."
            )
        return bool(stored)

    def add_try(self, workflow_id: str, chunk: Chunk) -> None:
        """Add an attempt, unless another process has already added it."""
        with self._transaction() as connection:
            self._insert(connection, CHUNK, workflow_id, chunk.to_json())

    def open_queue(self, rate: float | None, slots: int) -> None:
        """Make the batch visible to workers and set its rate in rows per second.

        With a rate, all machines together send one chunk at a time and space its rows evenly. The
        limit of DBOS holds the rate, and is never reached: while a clock was ahead, each chunk
        would count until that time has come.
        """
        limiter: Any = (
            None if rate is None else {"limit": _NEVER_REACHED, "period": _NEVER_REACHED / rate}
        )
        self.client.register_queue(
            queue_of(self.application, self.batch),
            worker_concurrency=1 if rate is not None else slots,
            global_concurrency=None if rate is None else 1,
            limiter=limiter,
            polling_interval_sec=0.1,
        )

    def is_open(self) -> bool:
        return self.client.retrieve_queue(queue_of(self.application, self.batch)) is not None

    def close_queue(self) -> None:
        self.client.delete_queue(queue_of(self.application, self.batch))

    def check_load(self, load: Submission) -> None:
        """Check that a load is still stored. Raises `StateLost`."""
        if not self._workflows([f"{self.batch}/load/{load.number}"]):
            raise StateLost.deleted(f"The batch {self.batch}")

    def tries(self, numbers: Sequence[int], *, rows: bool = False) -> dict[int, list[Try]]:
        """Return the attempts of chunks.

        Raises `StateLost` if one is not there: it was stored with its load.
        """
        tries: dict[int, list[Try]] = {}
        again = 0
        wanted = list(numbers)
        while wanted:
            ids = {chunk_id(self.batch, number, again): number for number in wanted}
            page = self._workflows(list(ids), rows=rows)
            if again == 0 and (gone := len(wanted) - len(page)):
                raise StateLost.deleted(
                    f"What the state has of {gone} chunks of the batch {self.batch}"
                )
            wanted = [number for workflow_id, number in ids.items() if workflow_id in page]
            for number in wanted:
                tries.setdefault(number, []).append(
                    _try(page[chunk_id(self.batch, number, again)], rows=rows)
                )
            # An attempt that has not ended, or has settled all rows, has no successor.
            wanted = [
                number
                for number in wanted
                if tries[number][-1].over and tries[number][-1].unsettled != 0
            ]
            again += 1
        return tries

    def chunks(
        self, loads: Sequence[Submission], *, rows: bool = False
    ) -> Iterator[tuple[int, list[Try]]]:
        """Yield the number and the attempts of each chunk, in order.

        Only a page of them is held in memory.
        """
        numbers = numbers_of(loads)
        while page := [number for number, _ in islice(numbers, _AT_ONCE)]:
            yield from sorted(self.tries(page, rows=rows).items())

    def progress(self, attempt: Try) -> Progress:
        progress = Progress()
        for step in self.client.list_workflow_steps(attempt.id):
            output = _opened(step["output"], "A result in the bulk database")
            if output is not None and step["function_name"] == SEND_STEP:
                progress.add(Step.from_json(output))
        return progress

    def batches(self, what: str) -> list[str]:
        """Return the names of all batches of this key and provider, oldest first.

        Raises `ConfigurationError`, about `what`, if there are only batches of other owners: they
        may have been sent.
        """
        from dbos import DBOSClient  # noqa: PLC0415 - as in `_transaction`

        # A client without an application lists the workflows of all of them.
        client = DBOSClient(system_database_engine=self.engine, retry_connection_errors=False)
        try:
            infos = client.list_workflows(name=LOAD, load_input=False, load_output=False)
        finally:
            client.destroy()
        owned = (info.workflow_id for info in infos if info.application_name == self.application)
        batches = [
            batch
            for workflow_id in owned
            if "/" not in (batch := workflow_id.rpartition("/load/")[0])
        ]
        if infos and not batches:
            # Prefer an owner of the same key: the message can then name the settings to change.
            owners, same_key = (
                {str(info.application_name) for info in infos},
                self.application.rpartition("-")[0],
            )
            owner = max(owners, key=lambda owner: owner.rpartition("-")[0] == same_key)
            raise _other_owner(owner, self.application, what)
        return list(dict.fromkeys(batches))

    @contextmanager
    def _transaction(self) -> Generator[sa.Connection]:
        """Store all of a block, or nothing, and skip its rest, if another process has stored one of
        its ids.
        """
        from dbos import error  # noqa: PLC0415 - a check of rows needs no DBOS, and it takes half of the start

        taken = error.DBOSWorkflowIDInUseError, error.DBOSConflictingWorkflowError
        with suppress(*taken), self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(
                    sa.text(f"SET LOCAL idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s'")
                )
            yield connection

    def _insert(self, connection: sa.Connection, name: str, workflow_id: str, data: object) -> None:
        assert self.account is not None
        record = record_of(self.application, self.account, name, workflow_id)
        options: Any = {**record, "workflow_id_reuse_policy": "reject"}
        self.client.enqueue_in_transaction(connection, options, data)

    def _numbered(self, prefix: str, *, of_others: bool = False) -> list[Any]:
        inputs: list[Any] = []
        while True:
            ids = [
                f"{prefix}/{number}"
                for number in range(len(inputs) + 1, len(inputs) + 1 + _AT_ONCE)
            ]
            page = self._workflows(ids, rows=True, of_others=of_others)
            inputs += [
                _opened(page[each].input, "The batch")["args"][0] for each in ids if each in page
            ]
            if len(page) < _AT_ONCE:
                return inputs

    def _workflows(
        self, ids: Sequence[str], *, rows: bool = False, of_others: bool = False
    ) -> dict[str, WorkflowStatus]:
        page = self.client.list_workflows(workflow_ids=list(ids), load_input=rows, load_output=True)
        what = "Another batch of this state" if of_others else f"The batch {self.batch}"
        for info in page:
            _check_owner(info, self.application, what, None if of_others else self.account)
        return {info.workflow_id: info for info in page}


def _try(info: WorkflowStatus, *, rows: bool) -> Try:
    counts = None
    if info.status == "SUCCESS":
        output = _opened(info.output, "A result in the bulk database")
        counts = {RowOutcome(outcome): int(count) for outcome, count in output.items()}
    # DBOS keeps the last executor id while the workflow waits for another worker.
    taken = info.executor_id is not None
    chunk = (
        Chunk.from_json(_opened(info.input, "The batch")["args"][0]) if rows else Chunk(0, 0, ())
    )
    return Try(info.workflow_id, info.status in _OVER, taken, counts, chunk)


def _opened(stored: Any, what: str) -> Any:
    # DBOS returns a value as stored text if it cannot be decrypted.
    if isinstance(stored, str):
        raise other_key(what)
    return stored


def _check_owner(info: WorkflowStatus, application: str, what: str, account: str | None) -> None:
    """Raise `ConfigurationError`, about `what`, if a workflow has another owner or layout.

    No account only reads it.
    """
    if info.application_name != application:
        raise _other_owner(str(info.application_name), application, what)
    layout, _, owner = (info.app_version or "").partition("/")
    if layout != VERSION:
        raise ConfigurationError(
            f"{what} was stored by another release, in the layout {layout}: go on with the "
            "release that stored it."
        )
    if account not in (None, owner):
        raise ConfigurationError(
            f"{what} belongs to the account {owner}, these credentials to the account {account}. "
            "Nothing was sent: the provider may keep the keys of each account apart. Use the "
            "credentials that the batch was started with."
        )


def _other_owner(owner: str, application: str, what: str) -> ConfigurationError:
    if owner.rpartition("-")[0] != application.rpartition("-")[0]:
        return other_key(what)
    return ConfigurationError(
        f"{what} was begun for another system, environment or base URL: set VICTOR_ENVIRONMENT and "
        "VICTOR_BASE_URL as they were then."
    )


def no_such_batch(batch: str, state: str, others: Sequence[str] = ()) -> ConfigurationError:
    """Return the error for a batch that the state does not have, with the names of those that it
    has.
    """
    what = f"There is no batch {batch} in {state}: nothing of it was stored"
    if not others:
        return ConfigurationError(f"{what}, and nothing was sent. Send it first.")
    return ConfigurationError(
        f"{what}. It has: {', '.join(others[:_NAMED])}{', ...' if others[_NAMED:] else ''}."
    )
