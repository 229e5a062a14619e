"""Whether the database of an outbox is still the one that its workers have written to: `Life`.

A standby that was promoted, or a backup that was restored, lacks what was stored last: an entry
that was sent may wait there. So each transaction that takes entries up also looks at the row of
life: which copy of the database wrote it, and whether it is as young as this process remembers.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from victor_ext.event_queue.databases import CLOCKS, database_time
from victor_ext.event_queue.rows import change_rows, insert_once

_log = logging.getLogger("victor_ext.outbox")

LIFE = "life"
"""The name of the row of life in the table of control."""
_BEAT_SECONDS = 1.0
"""Seconds after which a worker writes the row of life of a PostgreSQL database again: all workers
write the same row.
"""

_MAY_READ_LOG = sa.text("""
SELECT has_function_privilege('pg_current_wal_lsn()', 'EXECUTE')
   AND has_function_privilege('pg_walfile_name(pg_lsn)', 'EXECUTE')
""")
_LOG = """
       substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS copy,
       CAST(pg_current_wal_lsn() - CAST('0/0' AS pg_lsn) AS bigint) AS position
"""
"""The timeline, which a promotion and a recovery to a point in time change; and the position in the
log, which only grows.
"""
_NO_LOG = "'' AS copy, 0 AS position"
_SERVER = f"""
SELECT mod(CAST(CAST(pg_current_xact_id() AS text) AS bigint), 4294967296) AS writer,
       {CLOCKS["postgresql"]} AS now, {{log}}
"""
"""The transaction, as `xmin` has it, and what the log shows."""
_FILES = sa.text("PRAGMA database_list")


@dataclass(frozen=True, slots=True)
class Beat:
    """What a worker has seen of the life of a database.

    Attributes:
        changes: How often the database was found to be another copy, or was held by a person.
        beats: How often the row of life was written.
        position: The position in the log of a PostgreSQL server; 0: of a file.
        file: The file of an SQLite database, and its inode; None: it has none.
    """

    changes: int
    beats: int
    position: int = 0
    file: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    """The row of life.

    Attributes:
        copy: The timeline of a server, or the inode of a file.
        writer: The transaction that wrote it, which the server knows, too: a dump is written by
            another one.
        callers: When each digest of credentials was last seen to send, by the clock of the
            database.
    """

    copy: str
    writer: int
    beats: int
    changes: int
    callers: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Loss:
    """A database that is another copy than before.

    Attributes:
        why: How that shows.
        gap: Seconds from the last beat that this copy has until now: what was stored in this time
            may be missing.
        sent_by: The digest of the credentials with which alone was sent before; None: of several.
    """

    why: str
    gap: float
    sent_by: str | None


@dataclass(frozen=True, slots=True)
class _Present:
    """What a database shows of itself.

    Attributes:
        copy: As of `_Row`; empty: the role may not read it.
        position: As of `Beat`.
        writer: The present transaction of a server.
        now: The present time by its clock, in epoch seconds.
        file: As of `Beat`.
    """

    copy: str
    position: int
    writer: int
    now: float
    file: tuple[str, int] | None = None


class Life:
    """What one worker knows of the life of its database."""

    def __init__(self, control: sa.Table) -> None:
        self._control = control
        self._known: Beat | None = None
        self._may_read_log: bool | None = None
        self._lock = threading.Lock()

    def beat(self, connection: Any, caller: str | None) -> tuple[Beat | None, Loss | None]:
        """Look whether the database is the same, and write that it is.

        Call it in a transaction that takes entries up, before it does; call `remember` with the
        beat once the transaction is committed.

        Args:
            connection: Of a transaction that may write.
            caller: The digest of the credentials with which this worker sends.

        Returns:
            The beat; None: the database is in memory. And what was lost, if it is another copy: the
            caller has to mark the entries in this transaction.
        """
        known = self._known  # before the database is asked: the position in its log only grows
        present = self._present(connection)
        if present is None:
            return None, None
        known = _younger(known, _beside(present.file))
        sender = caller or ""
        row, moment, written_by = self._read(connection)
        if row is None:
            first = _Row(present.copy, present.writer, 1, 0, {sender: present.now})
            values = {"moment": present.now, "wrapped": _text(first)}
            insert_once(connection, self._control, name=LIFE, **values)
            return Beat(0, 1, present.position, present.file), None
        why = _why_another(row, known, present, written_by)
        new = _Row(
            present.copy or row.copy,
            present.writer,
            row.beats + 1,
            row.changes + bool(why),
            {**_recent(row.callers, present.now), sender: present.now},
        )
        age = present.now - moment
        if not why and present.file is None and 0 <= age < _BEAT_SECONDS:
            return Beat(row.changes, row.beats, present.position), None
        columns = self._control.c
        is_unchanged = sa.and_(columns.name == LIFE, columns.wrapped == _text(row))
        values = {"moment": present.now, "wrapped": _text(new)}
        if not change_rows(connection, self._control, is_unchanged, **values):
            # Another worker has written it meanwhile, and has marked what was lost.
            return None, None
        loss = None
        if why:
            senders = [*_recent(row.callers, moment)]
            loss = Loss(why, max(0.0, age), caller if senders == [sender] else None)
        return Beat(new.changes, new.beats, present.position, present.file), loss

    def remember(self, beat: Beat | None) -> None:
        """Remember a beat, whose transaction is committed."""
        if beat is None:
            return
        with self._lock:
            self._known = _younger(self._known, beat)
            if beat.file is not None:
                _write_beside(beat)

    def begin_anew(self, connection: Any) -> bool:
        """Write that the database begins a new life, since a person says so (`hold`). Returns
        whether it is another copy than before, as far as this process knows.
        """
        present = self._present(connection)
        row, _, written_by = self._read(connection)
        if present is None or row is None:
            return False
        known = _younger(self._known, _beside(present.file))
        why = _why_another(row, known, present, written_by)
        new = _Row(present.copy or row.copy, present.writer, row.beats + 1, row.changes + 1)
        is_row = self._control.c.name == LIFE
        change_rows(connection, self._control, is_row, moment=present.now, wrapped=_text(new))
        return bool(why)

    def _present(self, connection: Any) -> _Present | None:
        """What the database shows of itself; None: it is in memory."""
        if connection.dialect.name == "postgresql":
            if self._may_read_log is None:
                self._may_read_log = bool(connection.execute(_MAY_READ_LOG).scalar())
                if not self._may_read_log:
                    _log.warning(
                        "This role may not call pg_current_wal_lsn and pg_walfile_name: a failover "
                        "is not noticed. Write GRANT EXECUTE ON FUNCTION ... for both."
                    )
            log = _LOG if self._may_read_log else _NO_LOG
            server = connection.execute(sa.text(_SERVER.format(log=log))).one()
            return _Present(server.copy, server.position, server.writer, server.now)
        files = {row.name: str(row.file) for row in connection.execute(_FILES)}
        try:
            inode = os.stat(files["main"]).st_ino
        except OSError:  # it has no file
            return None
        return _Present(str(inode), 0, 0, database_time(connection), (files["main"], inode))

    def _read(self, connection: Any) -> tuple[_Row | None, float, int | None]:
        """The row of life, when it was written, and by which transaction; None: there is no row."""
        columns = self._control.c
        is_server = connection.dialect.name == "postgresql"
        writer = "CAST(CAST(xmin AS text) AS bigint)" if is_server else "NULL"
        written_by: sa.ColumnElement[int] = sa.literal_column(writer, sa.BigInteger())
        query = sa.select(columns.moment, columns.wrapped, written_by.label("written_by"))
        stored = connection.execute(query.where(columns.name == LIFE)).first()
        if stored is None:
            return None, 0.0, None
        return _Row(**json.loads(stored.wrapped)), stored.moment, stored.written_by


_REMEMBERED = 86_400.0
"""Seconds before the last beat in which a worker with other credentials counts as one that may have
sent what was lost.
"""


def _recent(callers: Mapping[str, float], moment: float) -> Mapping[str, float]:
    """Those who have sent lately before a moment."""
    return {who: at for who, at in callers.items() if at >= moment - _REMEMBERED}


def _text(row: _Row) -> str:
    return json.dumps(asdict(row), sort_keys=True)


def _why_another(row: _Row, known: Beat | None, present: _Present, written_by: int | None) -> str:
    """How it shows that the database is another copy than the one that was written to; empty: it
    does not.
    """
    if present.copy and row.copy and row.copy != present.copy:
        what = "timeline" if present.file is None else "inode"
        return f"its {what} is {present.copy}, and was {row.copy}"
    if written_by not in (None, row.writer):
        return "its row of life was written by a dump"
    if known is None or row.changes > known.changes:  # what is known is of an earlier life
        return ""
    if row.changes < known.changes or row.beats < known.beats:
        return "its row of life is older than the one that was written"
    return "the position in its log went back" if present.position < known.position else ""


def _younger(first: Beat | None, second: Beat | None) -> Beat | None:
    """That of two beats which is of the later life, or was later in one life."""
    beats = [beat for beat in (first, second) if beat is not None]
    return max(beats, key=lambda beat: (beat.changes, beat.beats, beat.position), default=None)


# Beside a file: what the processes that have ended have known


def _beside(file: tuple[str, int] | None) -> Beat | None:
    """The last beat that is written beside an SQLite file; None: there is none of this file."""
    if file is None:
        return None
    path, inode = file
    try:
        stored = json.loads(_place_beside(path).read_text(encoding="ascii"))
        is_of_file = stored["file"] == inode
        return Beat(int(stored["changes"]), int(stored["beats"])) if is_of_file else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_beside(beat: Beat) -> None:
    """Write a beat beside its file. Without it, only a process that lives on would notice that the
    file was put back.
    """
    assert beat.file is not None
    path, inode = beat.file
    place = _place_beside(path)
    content = json.dumps({"file": inode, "changes": beat.changes, "beats": beat.beats})
    temporary = place.with_name(f"{place.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        temporary.write_text(content, encoding="ascii")
        temporary.chmod(0o600)
        temporary.replace(place)
    except OSError as error:
        _log.warning("%s cannot be written: %s", place, error)


def _place_beside(path: str) -> Path:
    return Path(f"{path}-life")
