"""Whether the database of an outbox is still the one that its workers have written to: `Life`.

A standby that was promoted, or a backup that was restored, lacks what was stored last: an entry
that was sent may wait there. So each transaction that reads entries to send, or marks some that
have no key, also looks which copy of the database has written the row of life. The transaction of
the first entry writes it: entries without it are another copy's.

Older content may be put back into the same SQLite file. So the row of life has how often entries
were marked, and so has a file beside it, whose length is that number: it only grows, whichever
process writes it. It is written when a mark is committed, before anything is sent.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import Any

import sqlalchemy as sa

from victor_ext._event_queue.databases import DatabaseTime, database_time
from victor_ext._event_queue.rows import change_rows, insert_once

_log = logging.getLogger("victor_ext.outbox")

LIFE = "life"
"""The name of the row of control that says which copy of the database was seen, and when."""
_UNKNOWN = ""
"""The copy, where that cannot be seen."""
_BEAT_SECONDS = 5.0
"""Seconds after which a worker writes again that it sees the same copy."""

_MAY_READ_LOG = sa.text("""
SELECT has_function_privilege('pg_current_wal_lsn()', 'EXECUTE')
   AND has_function_privilege('pg_walfile_name(pg_lsn)', 'EXECUTE')
   AND has_function_privilege('pg_control_system()', 'EXECUTE')
""")
_COPY = sa.text("""
SELECT concat_ws('.',
    (SELECT system_identifier FROM pg_control_system()),
    (SELECT oid FROM pg_database WHERE datname = current_database()),
    CAST(to_regclass(:control) AS oid),
    substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))
""")
"""The cluster, the database and the table of control, of which a dump makes others; and the
timeline, which a promotion and a recovery to a point in time change.
"""
_FILES = sa.text("PRAGMA database_list")
_COUNT = """
UPDATE {} SET marks = marks + 1 WHERE name = 'life' AND marks >= :beside RETURNING marks
"""


@dataclass(frozen=True, slots=True)
class Loss:
    """A database that is another copy than before.

    Attributes:
        why: How that shows.
        gap: Seconds since the former copy was last seen: what was stored in this time may be
            missing. Infinite: that is not known.
    """

    why: str
    gap: float


class Life:
    """What tells the copies of a database apart.

    Args:
        entries: The table of entries.
        control: The table of control.
    """

    def __init__(self, entries: sa.Table, control: sa.Table) -> None:
        self._has_entries = sa.select(sa.exists(sa.select(entries.c.id)))
        self._control = control
        self._file = ""
        """The file beside that of an SQLite database; empty: there is none."""
        self._beside = 0
        """The length to which this process has written it."""

    def begin(self, connection: Any) -> None:
        """Write which copy the database is, in the transaction that is about to store an entry,
        unless that is known.
        """
        if self._row(connection) is None:
            self._write(connection, self._copy(connection))

    def beat(self, connection: Any) -> Loss | None:
        """Look whether the database is the same, and write that it is. Returns what was lost, if it
        is another copy: the caller has to mark the entries in this transaction.
        """
        copy, row = self._copy(connection), self._row(connection)
        has_none = row is None and not connection.execute(self._has_entries).scalar()
        if not copy or has_none:  # the first entry writes it
            return None
        now = database_time(connection)
        loss = self._loss(row, copy, now)
        if loss is not None or row is None or abs(now - row.moment) >= _BEAT_SECONDS:
            self._write(connection, copy, row)
        return loss

    def is_another_copy(self, connection: Any) -> bool:
        """Whether another copy has written the row of life, or none has. The next `beat` says what
        was lost.
        """
        copy, row = self._copy(connection), self._row(connection)
        return bool(copy) and self._loss(row, copy, 0.0) is not None

    def begin_anew(self, connection: Any) -> None:
        """Write that this copy goes on, since a person says so (`hold`)."""
        self._write(connection, self._copy(connection))

    def _loss(self, row: Any, copy: str, now: float) -> Loss | None:
        """What was lost since the row of life was written; None: this copy has written it."""
        if row is None:
            return Loss("nothing says which copy its entries are of", inf)
        if row.text not in (copy, _UNKNOWN):
            return Loss(f"it is {copy}, and was {row.text}", max(0.0, now - row.moment))
        if row.marks < self._marks_beside():
            return Loss(f"it is older than {self._file}", inf)
        return None

    def _write(self, connection: Any, copy: str, row: Any = None) -> None:
        """Write the row of life, in place of `row`."""
        marks = self._marks_beside()
        if row is not None:
            marks = max(marks, row.marks)  # no file is written before its mark is committed
        values = {"moment": DatabaseTime(), "text": copy, "marks": marks}
        if insert_once(connection, self._control, name=LIFE, **values) is None:
            change_rows(connection, self._control, self._control.c.name == LIFE, **values)

    def count_mark(self, connection: Any) -> int | None:
        """Count that entries are marked in this transaction. Returns how often some were; None: the
        content of the file is older than one of these marks.
        """
        if not self._file:
            return 0
        name = connection.dialect.identifier_preparer.format_table(self._control)
        count = sa.text(_COUNT.format(name))
        marks: int | None = connection.execute(count, {"beside": self._marks_beside()}).scalar()
        return marks

    def write_beside(self, marks: int) -> None:
        """Write beside the file how often entries were marked: so it is committed by now."""
        if marks > self._beside:
            # Of a longer file, which another process has written, this changes nothing. The folder
            # may be closed.
            with suppress(OSError):
                descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o666)
                with open(descriptor, "wb") as file:
                    file.seek(marks - 1)
                    file.write(b"0")
                self._beside = marks

    def _row(self, connection: Any) -> Any:
        query = sa.select(self._control).where(self._control.c.name == LIFE)
        return connection.execute(query).first()

    def _marks_beside(self) -> int:
        """How often entries were marked, by the file beside; 0: there is none."""
        with suppress(OSError):
            return os.stat(self._file).st_size
        return 0

    def _copy(self, connection: Any) -> str:
        """Which copy the database is; `_UNKNOWN`: that cannot be seen."""
        if connection.dialect.name == "postgresql":
            if not connection.execute(_MAY_READ_LOG).scalar():
                _warn_of_role()
                return _UNKNOWN
            name = connection.dialect.identifier_preparer.format_table(self._control)
            return str(connection.execute(_COPY.bindparams(control=name)).scalar())
        files = {row.name: str(row.file) for row in connection.execute(_FILES)}
        path = files.get(self._control.schema or "main", "")
        try:
            inode = os.stat(path).st_ino
        except OSError:  # it is in memory
            return _UNKNOWN
        self._file = f"{path}-life"
        return str(inode)


@cache
def _warn_of_role() -> None:
    _log.warning(
        "This role may not call pg_control_system, pg_current_wal_lsn and pg_walfile_name: a "
        "failover is not noticed. Write GRANT EXECUTE ON FUNCTION for each."
    )
