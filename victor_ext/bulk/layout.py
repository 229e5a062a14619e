"""How a batch lies in the database: as workflows of DBOS, and nothing else.

    <batch>/load/<n>        one submission of a source: what it was, how many rows of it were new
    <batch>/<number>        a chunk of rows; its result says what became of them
    <batch>/<number>~<n>    the rows of a chunk that are tried once more

The numbers of chunks have no gaps. Each submission takes the numbers after those that are there, so that two
processes that submit the same batch at once meet at one number, where DBOS lets one of them win.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from victor_ext import ConfigurationError, Problem

from .rows import SETTLED, Result, Row, Sent

LOAD = "victor_bulk_load"
CHUNK = "victor_bulk_chunk"
BEGIN_STEP = "begin"
SEND_STEP = "send"
VERSION = "victor-bulk-2"
"""The layout of what is stored, and the application version that DBOS sees: workers take chunks of their own only."""
OLDER_VERSIONS = ("victor-bulk-1",)
"""Layouts that this release reads, too, and whose chunks its workers take over (see `ownership`)."""

CHUNK_ROWS = 100
MAX_PACED_ROWS = 500
PACED_SECONDS = 5.0
MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Submission:
    """One submission of a source.

    Attributes:
        number: Which one of the batch, from 1.
        source: The file, to be read again when this was interrupted; None for rows from Python.
        key_column: The column that tells the rows apart.
        columns: The columns that are carried through to the export.
        encoding, skip_invalid, due_date: How it was read.
        retention: Seconds for which the provider keeps a key.
        patience: Seconds for which a row is tried.
        rate: Rows a second, or None.
        chunk_rows: Rows of each chunk but the last.
        first: Number of the first chunk.
        rows: How many of them were new to the batch.
        replaced: How many of those take the place of a row that was refused before.
        digest: Of all rows of the source, to tell a copy; None when an older release stored it.
    """

    number: int
    source: str | None
    key_column: str
    columns: Sequence[str]
    encoding: str | None
    skip_invalid: bool
    due_date: str | None
    retention: float
    patience: float
    rate: float | None
    chunk_rows: int
    first: int
    rows: int
    replaced: int
    digest: str | None = None

    @property
    def chunks(self) -> int:
        """How many chunks it has when it is complete."""
        return -(-self.rows // self.chunk_rows)

    @property
    def last(self) -> int:
        """Number of its last chunk."""
        return self.first + self.chunks - 1

    def to_json(self) -> dict[str, Any]:
        """The same as JSON data."""
        return {**asdict(self), "columns": list(self.columns)}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that are sent together, and how.

    Attributes:
        retention, patience: As in its load.
        token: Whose work it was to store it, so that two processes can tell their chunks apart.
        rows: The rows.
    """

    retention: float
    patience: float
    token: str
    rows: Sequence[Row] = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """The chunk as JSON data."""
        return {
            "retention": self.retention,
            "patience": self.patience,
            "token": self.token,
            "rows": [row.to_json() for row in self.rows],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Chunk:
        """The chunk from its JSON data. Those of `victor-bulk-1` had no token at first."""
        rows = [Row.from_json(row) for row in data["rows"]]
        return cls(data["retention"], data["patience"], data.get("token", ""), rows)

    def unsettled(self, results: Sequence[Result]) -> Chunk:
        """The rows that can be tried once more, with what is known of them."""
        return self.with_rows(
            Row(row.number, row.key, row.fingerprint, row.arguments, row.extras, None, result.sent, row.place)
            for row, result in zip(self.rows, results, strict=True)
            if result.outcome not in SETTLED
        )

    def with_rows(self, rows: Any) -> Chunk:
        """The same terms for other rows."""
        return Chunk(self.retention, self.patience, self.token, list(rows))


def sent_since(begun: Mapping[str, Any]) -> Sent | None:
    """What the first step of a chunk stored of when its rows may have been sent first."""
    return Sent.from_json(begun["sent"] if "sent" in begun else begun["at"])


def load_id(batch: str, number: int) -> str:
    """The workflow of a submission."""
    return f"{batch}/load/{number}"


def chunk_id(batch: str, number: int, again: int = 0) -> str:
    """The workflow of a chunk, or of its nth further try."""
    return f"{batch}/{number:08d}" + (f"~{again}" if again else "")


def next_try(workflow_id: str) -> str:
    """The workflow of the try after this one."""
    base, _, again = workflow_id.rpartition("/")[2].partition("~")
    return f"{workflow_id.rpartition('/')[0]}/{base}~{int(again or 0) + 1}"


def batch_of(workflow_id: str) -> str:
    """The batch of a chunk."""
    return workflow_id.rpartition("/")[0]


def priority_of(workflow_id: str) -> int:
    """Chunks are taken in the order of their numbers."""
    return int(workflow_id.rpartition("/")[2].partition("~")[0])


def queue_of(application: str, batch: str) -> str:
    """The queue of a batch. No worker sees it before the batch is complete."""
    return f"{application}/{batch}"


def loads_queue_of(application: str) -> str:
    """The queue of the submissions of all batches."""
    return f"{application}/"


def chunk_rows_for(rate: float | None) -> int:
    """How many rows go into a chunk: with a pace, what it takes some seconds to send."""
    if rate is None:
        return CHUNK_ROWS
    return max(1, min(MAX_PACED_ROWS, round(rate * PACED_SECONDS)))


def checked_batch(name: object) -> str:
    """A name that a batch can have.

    Raises:
        ConfigurationError: It is no text, too long, or holds a slash or a character that cannot be seen.
    """
    if not isinstance(name, str) or not name:
        message = "batch has no name: give it one, such as the name of its file."
        raise ConfigurationError.of([Problem("batch", "required", message)])
    if len(name) > MAX_NAME or name != name.strip() or not name.isprintable() or "/" in name or "\\" in name:
        message = (
            f"batch={name[:MAX_NAME]!r} is no name of a batch: write at most {MAX_NAME} visible characters, without a "
            "slash, and without a space at either end."
        )
        raise ConfigurationError.of([Problem("batch", "name", message)])
    return name
