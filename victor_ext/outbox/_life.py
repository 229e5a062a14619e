"""Whether the database of an outbox is still the one that its workers have written to: `Life`.

A standby that was promoted, or a backup that was restored, lacks what was stored last: an entry
that was sent may wait there. So each transaction that reads entries to send, or marks some that
have no key, also looks at the row of life: which copy of the database wrote it, and whether it is
as young as this process remembers.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from math import inf
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import OID

from victor_ext._event_queue.databases import DatabaseTime
from victor_ext._event_queue.rows import change_rows, insert_once

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
   AND has_function_privilege('pg_control_system()', 'EXECUTE')
""")
_SERVER = "(SELECT system_identifier FROM pg_control_system())"
_DATABASE = "(SELECT oid FROM pg_database WHERE datname = current_database())"
_TIMELINE = "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
_POSITION = "CAST(pg_current_wal_lsn() - CAST('0/0' AS pg_lsn) AS bigint)"
"""The cluster and the database, of which a dump makes others; the timeline, which a promotion and a
recovery to a point in time change; and the position in the log, which only grows.
"""
_FILES = sa.text("PRAGMA database_list")
_REMEMBERED = 86_400.0
"""Seconds before the last beat in which a worker with other credentials counts as one that may have
sent what was lost.
"""
_SENDS_EACH = 60.0
"""Seconds after which a worker writes again that it sends with its credentials."""


@dataclass(frozen=True, slots=True)
class Beat:
    """What a worker has seen of the life of a database.

    Attributes:
        changes: How often the database was found to be another copy, or was held by a person.
        beats: How often the row of life was written.
        position: The position in the log of a PostgreSQL server; 0: of a file.
        file: The file of an SQLite database, and its inode; None: it has none.
        at: When it was, by the clock of the database, in epoch seconds.
    """

    changes: int
    beats: int
    position: int = 0
    file: tuple[str, int] | None = None
    at: float = inf


@dataclass(frozen=True, slots=True)
class _LifeRow:
    """The row of life.

    Attributes:
        copy: Which server, table and timeline it is of, or the inode of its file.
        callers: When each digest of credentials was last seen to send, by the clock of the
            database.
        is_beside: Whether there was a beat beside its file, too.
        text: As it is stored, perhaps by another release; empty: it is not stored yet.
    """

    copy: str
    beats: int
    changes: int
    callers: Mapping[str, float] = field(default_factory=dict[str, float])
    is_beside: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Loss:
    """A database that is another copy than before.

    Attributes:
        why: How that shows.
        gap: Seconds from the last beat that this copy has until now: what was stored in this time
            may be missing. Infinite: it has none.
        sent_by: The digest of the credentials with which alone was sent before; None: of several.
    """

    why: str
    gap: float
    sent_by: str | None


@dataclass(frozen=True, slots=True)
class _Present:
    """What a database shows of itself.

    Attributes:
        copy: Which server, table and timeline it is, or the inode of its file; empty: the role may
            not read it.
        position: The position in the log of a PostgreSQL server; 0: of a file.
        now: The present time by its clock, in epoch seconds.
        file: The file of an SQLite database, and its inode; None: it has none.
        beside: The beat that is written beside its file; None: there is none.
    """

    copy: str
    position: int
    now: float
    file: tuple[str, int] | None = None
    beside: Beat | None = None


class Life:
    """What one worker knows of the life of its database."""

    def __init__(self, control: sa.Table, entries: sa.Table) -> None:
        self._control = control
        self._entries = entries
        self._known: Beat | None = None
        self._look: sa.Select[Any] | None = None
        """Reads the row of life, and what a server shows of itself."""
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
        sender = caller or ""
        while True:
            present, row, moment = self._look_at(connection)
            if present is None:
                return None, None
            known = _younger(known, present.beside)
            if row is None and known is not None and self._is_made_anew(connection, known):
                known = None
            why = _why_another(row, known, present)
            if row is not None and not why and not _is_due(row, moment, present, sender):
                return Beat(row.changes, row.beats, present.position, at=present.now), None
            new = _next_row(row, known, present, {sender: present.now}, is_another=bool(why))
            if self._write(connection, row, new, present.now):
                break
            # Another worker has written it meanwhile: see what it shows now.
        beat = Beat(new.changes, new.beats, present.position, present.file, present.now)
        if not why:
            return beat, None
        senders = [] if row is None else [*_recent(row.callers, moment)]
        gap = inf if row is None else max(0.0, present.now - moment)
        return beat, Loss(why, gap, caller if senders == [sender] else None)

    def remember(self, beat: Beat | None) -> None:
        """Remember a beat, whose transaction is committed."""
        if beat is None:
            return
        with self._lock:
            is_first = beat.beats == 1 and not beat.changes  # of tables that were made anew
            self._known = beat if is_first else _younger(self._known, beat)
            if beat.file is not None:
                _write_beside(beat)

    def is_another_copy(self, connection: Any) -> bool:
        """Whether the database is another copy than at the last beat, as far as this process knows.

        Nothing is written: the next `beat` writes it, and what may have been lost is marked then.
        """
        known = self._known  # before the database is asked, as in `beat`
        present, row, _ = self._look_at(connection)
        if present is None:
            return False
        return bool(_why_another(row, _younger(known, present.beside), present))

    def begin_anew(self, connection: Any) -> bool:
        """Write that the database begins a new life, since a person says so (`hold`). Returns
        whether it is another copy than before, as far as this process knows.
        """
        present, row, _ = self._look_at(connection)
        if present is None:
            return False
        known = _younger(self._known, present.beside)
        why = _why_another(row, known, present)
        new = _next_row(row, known, present, {}, is_another=True)
        values = {"moment": present.now, "wrapped": _text(new)}
        if insert_once(connection, self._control, name=LIFE, **values) is None:
            change_rows(connection, self._control, self._control.c.name == LIFE, **values)
        return bool(why)

    def _is_made_anew(self, connection: Any, known: Beat) -> bool:
        """Whether the tables were made, or emptied, since a beat, such as by a test: all entries
        are younger. An older copy has an older entry.
        """
        is_older = self._entries.c.stored_at <= known.at
        older = sa.select(self._entries.c.id).where(is_older).limit(1)
        return connection.execute(older).first() is None

    def _look_at(self, connection: Any) -> tuple[_Present | None, _LifeRow | None, float]:
        """What the database shows of itself (None: it is in memory); the row of life (None: there
        is none), and when it was written.
        """
        is_server = connection.dialect.name == "postgresql"
        file = None if is_server else self._file(connection)
        if not is_server and file is None:
            return None, None, 0.0
        if self._look is None:
            self._look = self._looking(self._shown_by(connection) if is_server else {})
        seen = connection.execute(self._look).one()
        if file is None:
            present = _Present(seen.copy, seen.position, seen.now)
        else:
            present = _Present(str(file[1]), 0, seen.now, file, _beside(*file))
        if seen.wrapped is None:
            return present, None, 0.0
        written = json.loads(seen.wrapped)
        known = {each.name: written[each.name] for each in fields(_LifeRow) if each.name in written}
        return present, _LifeRow(**known, text=seen.wrapped), seen.moment

    def _looking(self, shown: Mapping[str, sa.ColumnElement[Any]]) -> sa.Select[Any]:
        """The statement that reads the row of life, if there is one, and what is `shown` beside."""
        columns = self._control.c
        always = sa.select(sa.literal(1).label("one")).subquery()
        read = (DatabaseTime().label("now"), columns.moment, columns.wrapped)
        beside = (value.label(name) for name, value in shown.items())
        source = always.outerjoin(self._control, columns.name == LIFE)
        return sa.select(*read, *beside).select_from(source)

    def _file(self, connection: Any) -> tuple[str, int] | None:
        """The file of an SQLite database, and its inode; None: it is in memory."""
        files = {row.name: str(row.file) for row in connection.execute(_FILES)}
        path = files.get(self._control.schema or "main", "")
        try:
            return path, os.stat(path).st_ino
        except OSError:  # it has no file
            return None

    def _shown_by(self, connection: Any) -> dict[str, sa.ColumnElement[Any]]:
        """Which server, table and timeline a PostgreSQL database is, and the position in its log:
        nothing, if the role may not read them.
        """
        if not connection.execute(_MAY_READ_LOG).scalar():
            _log.warning(
                "This role may not call pg_control_system, pg_current_wal_lsn and "
                "pg_walfile_name: a failover is not noticed. Write GRANT EXECUTE ON FUNCTION "
                "for each."
            )
            return {"copy": sa.literal(""), "position": sa.literal(0)}
        name = connection.dialect.identifier_preparer.format_table(self._control)
        table = sa.cast(sa.func.to_regclass(name), OID)
        server: tuple[sa.ColumnElement[Any], ...]
        server = sa.literal_column(_SERVER), sa.literal_column(_DATABASE)
        copy = sa.func.concat_ws(".", *server, table, sa.literal_column(_TIMELINE))
        return {"copy": copy, "position": sa.literal_column(_POSITION)}

    def _write(self, connection: Any, row: _LifeRow | None, new: _LifeRow, now: float) -> bool:
        """Write the row of life, unless another worker has done so since this one was read."""
        values = {"moment": now, "wrapped": _text(new)}
        if row is None:
            return insert_once(connection, self._control, name=LIFE, **values) is not None
        columns = self._control.c
        is_unchanged = sa.and_(columns.name == LIFE, columns.wrapped == row.text)
        return bool(change_rows(connection, self._control, is_unchanged, **values))


def _is_due(row: _LifeRow, moment: float, present: _Present, sender: str) -> bool:
    """Whether the row of life is to be written again."""
    if present.file is not None or not 0 <= present.now - moment < _BEAT_SECONDS:
        return True
    return present.now - row.callers.get(sender, 0.0) >= _SENDS_EACH


def _next_row(
    row: _LifeRow | None,
    known: Beat | None,
    present: _Present,
    senders: Mapping[str, float],
    *,
    is_another: bool,
) -> _LifeRow:
    """The next row of life, with those who send now beside those who have sent lately."""
    before = row or _LifeRow("", beats=0, changes=0)
    changes = before.changes
    if is_another:  # later than each life that this process knows
        changes = max(changes, 0 if known is None else known.changes) + 1
    return _LifeRow(
        present.copy or before.copy,
        before.beats + 1,
        changes,
        {**_recent(before.callers, present.now), **senders},
        is_beside=present.beside is not None,
    )


def _recent(callers: Mapping[str, float], moment: float) -> Mapping[str, float]:
    """Those who have sent lately before a moment."""
    return {who: at for who, at in callers.items() if at >= moment - _REMEMBERED}


def _text(row: _LifeRow) -> str:
    written = asdict(row)
    del written["text"]
    return json.dumps(written, sort_keys=True)


def _why_another(row: _LifeRow | None, known: Beat | None, present: _Present) -> str:
    """How it shows that the database is another copy than the one that was written to; empty: it
    does not.
    """
    if row is None:
        return "" if known is None else "its row of life, which was written, is missing"
    if present.copy and row.copy and row.copy != present.copy:
        what = "server, table and timeline" if present.file is None else "inode"
        return f"its {what} is {present.copy}, and was {row.copy}"
    if row.is_beside and present.beside is None:
        return "the file beside it is missing"
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


def _beside(path: str, inode: int) -> Beat | None:
    """The last beat that is written beside an SQLite file; None: there is none of this file."""
    try:
        stored = json.loads(_place_beside(path).read_text(encoding="ascii"))
        is_of_file = stored["file"] == inode
        beat = Beat(int(stored["changes"]), int(stored["beats"]), at=float(stored["at"]))
        return beat if is_of_file else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_beside(beat: Beat) -> None:
    """Write a beat beside its file. Without it, only a process that lives on would notice that the
    file was put back.
    """
    assert beat.file is not None
    path, inode = beat.file
    place = _place_beside(path)
    numbers = {"changes": beat.changes, "beats": beat.beats, "at": beat.at}
    content = json.dumps({"file": inode, **numbers})
    temporary = place.with_name(f"{place.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        temporary.write_text(content, encoding="ascii")
        temporary.chmod(0o600)
        temporary.replace(place)
    except OSError as error:
        _log.warning("%s cannot be written: %s", place, error)


def _place_beside(path: str) -> Path:
    return Path(f"{path}-life")
