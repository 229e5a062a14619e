"""Names of what DBOS carries: one workflow for each chunk of rows.

    <application>/<batch>/<number>        one chunk of rows: the keys of its payments
    <application>/<batch>/<number>~<n>    a retry of its unsettled rows

What the rows are, and what became of them, is in the table of payments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from victor_ext import ConfigurationError, Problem
from victor_ext.ids import in_one_form

CHUNK = "victor_bulk_chunk"
ChunkTerms: TypeAlias = Mapping[str, Any]
"""What DBOS carries of a chunk: the terms that it is sent with, and the keys of its payments."""
VERSION = "victor-bulk-4"
"""Storage layout. With the account it is the application version of DBOS: a worker gets the chunks
of its own one.
"""
CHUNK_ROWS = 500
"""Rows that are stored, taken and finished together.

A `kill -9` leaves at most `Settings.slots` times as many unknown, which are sent again with the
same keys. Where that is not safe, fewer are in doubt: see `Delivery.deliver`. The queue is read ten
times a second: with 250 rows, 16 calls at once to a fast provider waited for it.
"""
PACED_SECONDS = 5.0
MAX_NAME = 100
_NAME = re.compile(rf"[^/\\]{{1,{MAX_NAME}}}")


def queue_of(application: str, batch: str) -> str:
    """Return the queue name of a batch. The queue is registered when the batch is sent."""
    return f"{application}/{batch}"


def chunk_id(queue: str, number: int) -> str:
    """Return the workflow id of a chunk of the batch with this queue."""
    return f"{queue}/{number:08d}"


def next_try(workflow_id: str) -> str:
    """Return the workflow id of the next try of a chunk."""
    queue, _, number = workflow_id.rpartition("/")
    first, _, again = number.partition("~")
    return f"{queue}/{first}~{int(again or 0) + 1}"


def batch_of(workflow_id: str) -> str:
    """Return the batch of a chunk: that of a step has its name after a slash."""
    return workflow_id.partition("/")[2].rpartition("/")[0]


def step_of(workflow_id: str) -> str:
    """Return the name of the step that a chunk is of; empty: its rows are sent."""
    return batch_of(workflow_id).partition("/")[2]


def workflow_record(account: str, workflow_id: str) -> dict[str, Any]:
    """Return how DBOS stores a chunk. Chunks run in the order of their numbers."""
    queue, _, number = workflow_id.rpartition("/")
    return {
        "workflow_name": CHUNK,
        "workflow_id": workflow_id,
        "app_version": f"{VERSION}/{account}",
        "queue_name": queue,
        "priority": int(number.partition("~")[0]),
    }


def chunk_rows_for(rate: float | None, together: int) -> int:
    """Return the rows per chunk: those that are sent together; with a rate, as many as take a few
    seconds to send.
    """
    if together > 1:
        return together
    return CHUNK_ROWS if rate is None else max(1, min(CHUNK_ROWS, round(rate * PACED_SECONDS)))


def checked_batch(name: object) -> str:
    """Return a batch name, in one Unicode form: macOS names a file `März.csv` with a mark of its
    own.

    Raises `ConfigurationError` if it is not valid.
    """
    if (
        isinstance(name, str)
        and name.isprintable()
        and name == name.strip()
        and _NAME.fullmatch(name)
    ):
        return in_one_form(name)
    message = (
        f"batch={name!r:.{MAX_NAME}} is not a valid name of a batch: write at most {MAX_NAME} "
        "visible characters, without a slash, and without a space at either end."
    )
    raise ConfigurationError.of([Problem("batch", "name", message)])
