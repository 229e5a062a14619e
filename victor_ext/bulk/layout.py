"""Layout of a batch in the database: DBOS workflows only.

    <batch>/load/<n>                      a submission of a source, or a drop <batch>/<number>
    one chunk of rows; its output contains their results <batch>/<number>~<n>                  retry
    of a chunk's unsettled rows <application>/copy/<digest>/<n>       names a load whose rows ask
    for what the digest tells <application>/payments/<n>            names a load of rows whose
    payments no other batch may have

A load is stored in one transaction with its mark and all its chunks. An id exists once: of two
processes that compare their rows and store them at the same time, the database lets one win, and
the other one has to compare again. Loads, marks and chunks are numbered without gaps. Nobody runs
loads and marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from victor_ext import ConfigurationError, Problem
from victor_ext.ids import in_one_form
from victor_ext.settlement.flow import SETTLED

from .rows import Result, Row

LOAD = "victor_bulk_load"
MARK = "victor_bulk_mark"
CHUNK = "victor_bulk_chunk"
VERSION = "victor-bulk-2"
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


@dataclass(frozen=True, slots=True)
class Submission:
    """One submission of a source, or a drop: it has no rows.

    Attributes:
        number: Number of the submission in the batch, from 1.
        digest: Digest of all rows of the source and their keys, to know it again.
        columns: Extra columns, for the export.
        settings: The settings `TERMS`, those of the submission before where none were given, and
            `PERSONS`.
        sizes: The number of rows in each chunk.
        first: Number of the first chunk.
        replaced: Number of previously refused rows that stored rows replace, or that are dropped.
        dropped: Chunk number, and place in the chunk, of each dropped row.
    """

    number: int
    digest: str
    key_column: str
    columns: Sequence[str]
    settings: Mapping[str, Any]
    sizes: Sequence[int]
    first: int
    replaced: int
    dropped: Sequence[Sequence[int]] = ()

    @property
    def rows(self) -> int:
        return sum(self.sizes)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that are sent together: their keys are kept for `retention`, and each is retried for
    `patience` seconds.
    """

    retention: float
    patience: float
    rows: Sequence[Row] = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "retention": self.retention,
            "patience": self.patience,
            "rows": [row.to_json() for row in self.rows],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Chunk:
        return cls(
            data["retention"], data["patience"], [Row.from_json(row) for row in data["rows"]]
        )

    def unsettled(self, results: Sequence[Result]) -> Chunk:
        """Return a chunk of the rows that can be retried, with their earliest possible send."""
        pairs = zip(self.rows, results, strict=True)
        left = ((row, one) for row, one in pairs if one.outcome not in SETTLED)
        rows = [replace(row, reason=None, sent=one.sent, unit=one.unit) for row, one in left]
        return Chunk(self.retention, self.patience, rows)


def numbers_of(loads: Sequence[Submission]) -> Iterator[tuple[int, int]]:
    """Yield the number of each chunk, and of its rows."""
    for load in loads:
        yield from enumerate(load.sizes, load.first)


def chunk_id(batch: str, number: int, again: int = 0) -> str:
    """Return the workflow id of a chunk, or of its retry number `again`."""
    return f"{batch}/{number:08d}" + (f"~{again}" if again else "")


def next_try(workflow_id: str) -> str:
    base, _, again = workflow_id.rpartition("/")[2].partition("~")
    return f"{workflow_id.rpartition('/')[0]}/{base}~{int(again or 0) + 1}"


def batch_of(workflow_id: str) -> str:
    return workflow_id.rpartition("/")[0]


def queue_of(application: str, batch: str) -> str:
    """Return the queue name of a batch. The queue is registered when the batch is sent."""
    return f"{application}/{batch}"


def record_of(application: str, account: str, name: str, workflow_id: str) -> dict[str, Any]:
    """Return how DBOS stores a record of a batch. Chunks run in the order of their numbers."""
    record = {
        "workflow_name": name,
        "workflow_id": workflow_id,
        "app_version": f"{VERSION}/{account}",
    }
    if name != CHUNK:  # nobody reads the queue of no batch: only chunks are run
        return {**record, "queue_name": queue_of(application, "")}
    batch, _, number = workflow_id.rpartition("/")
    return {
        **record,
        "queue_name": queue_of(application, batch),
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
