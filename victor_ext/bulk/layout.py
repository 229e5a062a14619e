"""The names and sizes of batches and chunks. DBOS has one workflow for each chunk of rows. Its id:

    <application>/<batch>/<number>        one chunk of rows: the keys of its payments
    <application>/<batch>/<number>~<n>    a retry of its unsettled rows

`<application>/<batch>` is the queue of the batch. A later step of what a batch has sent is a batch
of its own, which is named `<batch>/<step>`. What the rows are, and what became of them, is in the
table of payments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from victor_ext import ConfigurationError, Problem
from victor_ext.ids import in_one_form

CHUNK = "victor_bulk_chunk"
"""The name of the workflow in DBOS."""
ChunkTerms: TypeAlias = Mapping[str, Any]
"""The input of a workflow: the terms that a chunk is sent with, and the keys of its payments."""
VERSION = "victor-bulk-5"
"""Storage layout. `<layout>/<account>` is the application version of DBOS: a worker gets only the
chunks of its own version.
"""
CHUNK_ROWS = 500
"""Rows that are stored, taken and finished together.

The queue is read ten times a second: with 250 rows, 16 calls at once to a fast provider waited for
it.
"""
PACED_SECONDS = 5.0
"""How long a chunk takes to send that has a rate, in seconds."""
MAX_NAME = 100
"""Maximum characters of the name of a batch."""
_NAME = re.compile(rf"[^/\\]{{1,{MAX_NAME}}}")


def queue_of(application: str, batch: str) -> str:
    """Return the queue name of a batch. The queue exists while the batch is sent."""
    return f"{application}/{batch}"


def chunk_id(queue: str, number: int) -> str:
    """Return the workflow id of a chunk of the batch with this queue."""
    return f"{queue}/{number:08d}"


def next_try(workflow_id: str) -> str:
    """Return the workflow id of the next try of a chunk."""
    queue, _, name = workflow_id.rpartition("/")
    number, _, tries = name.partition("~")
    return f"{queue}/{number}~{int(tries or 0) + 1}"


def batch_of(workflow_id: str) -> str:
    """Return the name of the batch that a chunk belongs to."""
    return workflow_id.partition("/")[2].rpartition("/")[0]


def step_of(workflow_id: str) -> str:
    """Return the later step that a chunk takes; empty: it sends the rows of a file."""
    return batch_of(workflow_id).partition("/")[2]


def workflow_record(account: str, workflow_id: str) -> dict[str, Any]:
    """Return the options by which DBOS enqueues a chunk. Chunks run in the order of their
    numbers.
    """
    queue, _, number = workflow_id.rpartition("/")
    return {
        "workflow_name": CHUNK,
        "workflow_id": workflow_id,
        "app_version": f"{VERSION}/{account}",
        "queue_name": queue,
        "priority": int(number.partition("~")[0]),
    }


def chunk_rows_for(rate: float | None, rows_per_call: int) -> int:
    """Return the number of rows per chunk.

    Rows that are sent in one call are one chunk. With a rate, a chunk has the rows that take
    `PACED_SECONDS` to send.
    """
    if rows_per_call > 1:
        return rows_per_call
    if rate is None:
        return CHUNK_ROWS
    return max(1, min(CHUNK_ROWS, round(rate * PACED_SECONDS)))


def checked_batch(name: object) -> str:
    """Return the name of a batch, in one Unicode form. Raises `ConfigurationError` if it is not
    valid.
    """
    if (
        isinstance(name, str)
        and name.isprintable()
        and name == name.strip()
        and _NAME.fullmatch(name)
    ):
        # macOS writes the umlaut in the file name `März.csv` as two characters.
        return in_one_form(name)
    message = (
        f"batch={name!r:.{MAX_NAME}} is not a valid name of a batch: write at most {MAX_NAME} "
        "visible characters, without a slash, and without a space at either end."
    )
    raise ConfigurationError.of([Problem("batch", "name", message)])
