"""The queue of a batch in DBOS, and the chunks in it: add, count, and retry what is unsettled.

What a chunk is named is in `layout`; what a worker does with one is in `chunk_run`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from .layout import ChunkTerms, next_try, workflow_record
from .payments import ENDED, IN_DOUBT, LINES, PAYMENTS, Condition, lock_payments, pages
from .store import Store

_ACTIVE = ["ENQUEUED", "PENDING"]
"""The states of a DBOS workflow that a worker has, or will have."""
_NEVER_REACHED = 1_000_000
"""More chunks than a limiter of DBOS ever lets start in its period: see `open_queue`."""


def enqueue(
    store: Store,
    connection: Connection,
    workflow_id: str,
    data: object,
) -> None:
    """Add a chunk to the queue, within the transaction."""
    record: Any = {
        **workflow_record(store.account, workflow_id),
        "workflow_id_reuse_policy": "reject",
    }
    store.client.enqueue_in_transaction(connection, record, data)


def open_queue(
    store: Store,
    rate: float | None,
    slots: int,
) -> None:
    """Make the batch visible to workers and set its rate in rows per second.

    With a rate, all machines together send one chunk at a time and space its rows evenly. The
    limiter of DBOS only stores the rate, for `worker`; its limit is never reached. DBOS itself
    would count a chunk that started while a clock was ahead until that time has come.
    """
    options: dict[str, Any] = {
        "worker_concurrency": slots,
        "global_concurrency": None,
        "limiter": None,
    }
    if rate is not None:
        options = {
            "worker_concurrency": 1,
            "global_concurrency": 1,
            "limiter": {"limit": _NEVER_REACHED, "period": _NEVER_REACHED / rate},
        }
    store.client.register_queue(store.queue, polling_interval_sec=0.1, **options)


def is_open(store: Store) -> bool:
    """Whether the queue of the batch exists, so that workers see the batch."""
    return store.client.retrieve_queue(store.queue) is not None


def close_queue(store: Store) -> None:
    """Delete the queue of the batch: workers look for its chunks no more."""
    store.client.delete_queue(store.queue)


def is_idle(store: Store) -> bool:
    """Whether no worker has a chunk of the batch, or will have one."""
    active = store.client.list_workflows(
        queue_name=store.queue,
        status=_ACTIVE,
        limit=1,
        load_input=False,
        load_output=False,
    )
    return not active


def active_chunks(store: Store, chunks: list[str]) -> set[str]:
    """Return those of these chunks that a worker has, or will have."""
    active = store.client.list_workflows(
        workflow_ids=chunks,
        status=_ACTIVE,
        load_input=False,
        load_output=False,
    )
    return {workflow.workflow_id for workflow in active}


def retry_unsettled(store: Store, terms: ChunkTerms) -> None:
    """Queue the unsettled payments of each chunk that no worker has, as the next try of the chunk.

    Another process may do the same at this time: DBOS refuses the second chunk with the same id.
    """
    from dbos import error  # noqa: PLC0415 - a check of rows needs no DBOS, and it takes half of the start

    lost_race = error.DBOSWorkflowIDInUseError, error.DBOSConflictingWorkflowError
    for chunk in _unsettled_chunks(store):
        with suppress(*lost_race), store.transaction() as connection:
            _retry(store, connection, chunk, terms)


def _unsettled_chunks(store: Store) -> list[str]:
    """Return the chunks of unsettled payments that no worker has, in order."""
    # Two queries, each by an index: with `or` a database reads the payments of all batches.
    parts = [sa.select(PAYMENTS.c.chunk).where(each) for each in _unsettled(store)]
    query = sa.union(*parts)
    with store.engine.connect() as connection:
        chunks = sorted(connection.execute(query).scalars())
    active = set[str]()
    for page in pages(chunks):
        active |= active_chunks(store, page)
    return [chunk for chunk in chunks if chunk not in active]


def _unsettled(store: Store) -> tuple[Condition, Condition]:
    """The two conditions of which one holds for each payment that a `resume` of this batch
    continues.

    The payment is one of this batch, and has not ended; or a line of the batch has it, and it is in
    doubt, whichever batch has sent it.
    """
    columns = PAYMENTS.c
    is_of_owner = columns.owner == store.owner
    listed_keys = sa.select(LINES.c.key).where(store.is_line())
    is_own = sa.and_(is_of_owner, columns.batch == store.batch, columns.state.not_in(ENDED))
    is_listed = sa.and_(is_of_owner, columns.key.in_(listed_keys), columns.state.in_(IN_DOUBT))
    return is_own, is_listed


def _retry(
    store: Store,
    connection: Connection,
    chunk: str,
    terms: ChunkTerms,
) -> None:
    """Queue the unsettled payments of a chunk in a new one."""
    is_chosen = sa.and_(PAYMENTS.c.chunk == chunk, sa.or_(*_unsettled(store)))
    keys = [payment.key for payment in lock_payments(connection, is_chosen)]
    if not keys:
        return
    new_chunk = next_try(chunk)
    # The chunk is of another batch, or another base URL: its next try would be in another queue.
    if not new_chunk.startswith(f"{store.queue}/"):
        new_chunk = store.chunk(store.count_chunk(connection))
    move(connection, store.has_key(keys), new_chunk)
    enqueue(store, connection, new_chunk, {**terms, "keys": keys})


def move(
    connection: Connection,
    is_chosen: Condition,
    chunk: str,
) -> None:
    """Put payments into another chunk. A worker that has claimed them has them no more."""
    change = sa.update(PAYMENTS).where(is_chosen)
    connection.execute(change.values(chunk=chunk, worker=None))
