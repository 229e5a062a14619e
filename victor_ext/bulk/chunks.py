"""What DBOS carries of a batch: its queue, and the chunks in it."""

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

    With a rate, all machines together send one chunk at a time and space its rows evenly. The limit
    of DBOS holds the rate, and is never reached: while a clock was ahead, each chunk would count
    until that time has come.
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
    return store.client.retrieve_queue(store.queue) is not None


def close_queue(store: Store) -> None:
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


def active_of(store: Store, chunks: list[str]) -> set[str]:
    """Return those of these chunks that a worker has, or will have."""
    active = store.client.list_workflows(
        workflow_ids=chunks,
        status=_ACTIVE,
        load_input=False,
        load_output=False,
    )
    return {workflow.workflow_id for workflow in active}


def retry_unsettled(store: Store, terms: ChunkTerms) -> None:
    """Add a chunk for what is unsettled of each chunk that no worker has.

    Another process may do the same: the id of a chunk exists once.
    """
    from dbos import error  # noqa: PLC0415 - a check of rows needs no DBOS, and it takes half of the start

    lost_race = error.DBOSWorkflowIDInUseError, error.DBOSConflictingWorkflowError
    for chunk in _unsettled_chunks(store):
        with suppress(*lost_race), store.transaction() as connection:
            _retry(store, connection, chunk, terms)


def _unsettled_chunks(store: Store) -> list[str]:
    """Return the chunks of what is unsettled that no worker has, in order."""
    query = sa.select(PAYMENTS.c.chunk).where(_is_unsettled(store)).distinct()
    with store.engine.connect() as connection:
        chunks = sorted(connection.execute(query).scalars())
    active = set[str]()
    for page in pages(chunks):
        active |= active_of(store, page)
    return [chunk for chunk in chunks if chunk not in active]


def _is_unsettled(store: Store) -> Condition:
    """Whether a payment is unsettled, and of this batch, or in doubt and in its latest file."""
    columns = PAYMENTS.c
    listed = sa.select(LINES.c.key).where(store.is_line())
    is_own = sa.and_(columns.batch == store.batch, columns.state.not_in(ENDED))
    is_listed = sa.and_(columns.key.in_(listed), columns.state.in_(IN_DOUBT))
    return sa.and_(columns.owner == store.owner, sa.or_(is_own, is_listed))


def _retry(
    store: Store,
    connection: Connection,
    chunk: str,
    terms: ChunkTerms,
) -> None:
    chosen = sa.and_(_is_unsettled(store), PAYMENTS.c.chunk == chunk)
    keys = [row.key for row in lock_payments(connection, chosen)]
    if not keys:
        return
    again = next_try(chunk)
    if not again.startswith(f"{store.queue}/"):  # of another batch, or another base URL
        again = store.chunk(store.count_chunk(connection))
    move(connection, store.has_key(keys), again)
    enqueue(store, connection, again, {**terms, "keys": keys})


def move(
    connection: Connection,
    chosen: Condition,
    chunk: str,
) -> None:
    """Put payments into another chunk: who has taken them up has lost them."""
    change = sa.update(PAYMENTS).where(chosen)
    connection.execute(change.values(chunk=chunk, worker=None))
