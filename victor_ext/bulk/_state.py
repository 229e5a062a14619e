"""The database of batches (`State`): an SQLite file, or a PostgreSQL server for several machines.

A state is looked for (`exists`), made (`prepare`), opened (`engine`) and watched (`loss`). Below
stand its hold after it was restored from a backup, what its URL may be, and its errors.
"""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import time
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any, ClassVar, Self, cast

import sqlalchemy as sa
from sqlalchemy import Connection, ExceptionContext, event
from sqlalchemy.exc import (
    ArgumentError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from victor_ext import ConfigurationError, Outcome, Problem, VictorError
from victor_ext._event_queue.databases import create_tables, is_of_unusable_server
from victor_ext._event_queue.fitness import prepared_engine
from victor_ext._event_queue.rows import change_rows
from victor_ext._event_queue.vault import Vault
from victor_ext._privacy import Secret, concealed
from victor_ext._tables.interruption import SignalWatch
from victor_ext._user_files import make_user_folder, user_file
from victor_ext._values.exit_status import FOR_NOW, UNKNOWN
from victor_ext.outbox._files import (
    TABLES,
    held_since,
    salt_of,
)

from ._payments import DIGESTS, LINES, METADATA, PAYMENTS, SHEETS

_VARIABLE = "VICTOR_BULK_STATE"
"""Names the state, where an argument does not."""
_CONNECT_SECONDS = 10
SECRETS = "storage_key (VICTOR_BULK_KEY)"
"""What messages call the secrets of a state."""
_FORMS = (
    "write sqlite:///victor-bulk.sqlite (a file in this folder), the whole path of a file, or "
    "postgresql://user@host/database"
)
_LOGIN = re.compile(r"[^/]:[^/]*@")
"""What looks like `user:password@` in a path."""
_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
    }
)
"""Errors of SQLite that say nothing of the file itself."""
NOTICE = {"notice": True}
"""The `extra` of log records that the command line shows."""
_REPORT_EVERY = 30.0
"""Seconds between two reports of one reason."""
_reported_at: dict[str, float] = {}
"""When each reason was reported, by the monotonic clock."""
_logger = logging.getLogger("victor_ext.bulk")


class State:
    """The database that stores batches. It has to be persistent.

    Args:
        name: Its URL, or the whole path of its file; None: that of VICTOR_BULK_STATE, or else the
            file of this user.

    Attributes:
        is_named: Whether somebody has named it.
    """

    def __init__(self, name: str | None) -> None:
        name = concealed(name)
        if name is None:
            name = os.environ.get(_VARIABLE) or None
        self.is_named = name is not None
        self.url = _checked_url(str(user_file("bulk.sqlite")) if name is None else name)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_named and self.is_sqlite:
            _check_folder(self.path)
        self._prepared_file = 0
        """The inode of the file when it was prepared."""
        _reported_at.clear()  # a new database has notices of its own

    def __str__(self) -> str:
        """The URL for messages, without the query, which may contain secrets."""
        bare = self.url.set(drivername=self.url.get_backend_name(), query={})
        return bare.render_as_string(hide_password=True)

    @property
    def path(self) -> Path:
        """The path of an SQLite file."""
        return Path(cast("str", self.url.database))

    def exists(self) -> bool:
        """Whether the database contains the tables. Raises as `errors` does."""
        if self.is_sqlite and not os.path.exists(self.path):
            return False
        with self.errors(), self.engine() as engine:
            return sa.inspect(engine).has_table(SHEETS.name)

    def vault(self, secrets: Sequence[bytes], owner: str) -> Vault:
        """Return the vault that encrypts the rows of a system and environment. Its digests are made
        with the stored salt, so that they stay the same when the secrets are others.

        Raises `ConfigurationError`: none of the secrets decrypts the salt.
        """
        place = f"The state {self}"
        salt = Secret(token_hex(32))
        if self.exists():
            vault = Vault(secrets, place, SECRETS)
            with self.errors(), self.engine() as engine, engine.begin() as connection:
                stored = salt_of(connection, owner, vault.sealed_text(salt))
                salt = Secret(vault.opened_text(stored))
        return Vault(secrets, place, SECRETS, salt)

    def prepare(self) -> None:
        """Create the SQLite file, and the tables, unless they exist. Raises as `errors` does."""
        with self.errors():
            if self.is_sqlite:
                self._prepare_file()
            with self.engine() as engine, engine.begin() as connection:
                create_tables(TABLES.entries.metadata, connection)
                create_tables(METADATA, connection)

    def _prepare_file(self) -> None:
        """Create the SQLite file, unless it exists. Raises `ConfigurationError`."""
        # Only the owner can read the file, although its content is encrypted.
        try:
            if not self.is_named:
                make_user_folder(self.path)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise ConfigurationError(
                f"The state {self} cannot be written: {error.strerror or error}."
            ) from None
        with closing(sqlite3.connect(self.path)) as database:
            # A write-ahead log needs one disk write per transaction instead of three, and readers
            # do not wait for writers.
            database.execute("PRAGMA journal_mode=WAL")
        self._prepared_file = os.stat(self.path).st_ino

    def loss(self) -> StateLost | None:
        """Return the error to end with if the SQLite file was deleted or replaced since it was
        prepared: a process that has it open can still write to it. None: it was not.
        """
        if not self.is_sqlite:
            return None
        try:
            is_lost = os.stat(self.path).st_ino != self._prepared_file
        except FileNotFoundError:
            is_lost = True
        return StateLost.deleted(f"The state {self}") if is_lost else None

    @contextmanager
    def engine(self) -> Generator[sa.Engine]:
        """Open an engine for the block."""
        if self.is_sqlite:
            engine = sa.create_engine(self.url, hide_parameters=True)
            event.listen(engine, "connect", _set_sqlite_options)
            event.listen(engine, "handle_error", _raised_by_signal)
        else:
            options: dict[str, Any] = {
                "connect_timeout": _CONNECT_SECONDS,
                "application_name": "victor bulk",
                "prepare_threshold": None,  # a pooler may stand before the server
            }
            engine = prepared_engine(
                sa.create_engine(
                    self.url,
                    connect_args=options,
                    pool_pre_ping=True,
                    pool_size=5,
                    hide_parameters=True,
                )
            )
        try:
            yield engine
        finally:
            engine.dispose()

    @contextmanager
    def errors(self) -> Generator[None]:
        """Convert database errors in the block: to `StateUnavailable` if they may pass, or else to
        `ConfigurationError`.
        """
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            reason = _reason_of(error)
            if not may_be_temporary(error):
                message = f"The state {self} cannot be used: {reason}."
                raise ConfigurationError(message) from error
            advice = "Run it again later: rows that are stored are kept, and none is sent twice."
            message = f"The state {self} cannot be used now: {reason}. {advice}"
            raise StateUnavailable(message) from error


_CACHE_KIB = 4_096
_SIGNALS = "victor_ext.signals"
"""In the `info` of an SQLite connection: its `SignalWatch`."""


def _set_sqlite_options(connection: Any, record: ConnectionPoolEntry) -> None:
    """Set the options of a new connection to an SQLite state."""
    record.info[_SIGNALS] = SignalWatch(connection)
    # A transaction waits for other writers when it starts.
    connection.isolation_level = "IMMEDIATE"
    connection.execute("PRAGMA busy_timeout=30000")
    # Each connection has its own cache. With less, a state of 10,000 rows is read from its file
    # again and again: random keys are in all its pages.
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")


def _raised_by_signal(context: ExceptionContext) -> BaseException | None:
    """Return what the handler of a signal has raised during a statement of an SQLite state: it is
    raised in place of the error of the statement. None: there was no signal.
    """
    if context.connection is None:
        return None
    signals: SignalWatch | None = context.connection.info.get(_SIGNALS)
    return None if signals is None else signals.taken()


def may_be_temporary(error: SQLAlchemyError | sqlite3.Error) -> bool:
    """Whether the database may work again after an error without a change by a person."""
    code = _sqlite_code(error)
    if code is not None:
        return code in _PASSING
    if is_of_unusable_server(getattr(error, "orig", None)):
        return True
    # psycopg does not tell a server that restarts from one that refuses this role.
    return isinstance(error, OperationalError | InterfaceError | PoolTimeout)


# A restored state
#
# A backup knows only the past. Every payment in it may have been asked for since, also under a
# later key, under another number or with other values. So each hold marks every payment as
# `restored`. The mark stays until a person has resolved the payment: until then it is looked up and
# not sent, by `resume`, and by a file that has it (`_deciding.decide`). The entries of payments
# that wait are marked by the outbox (`victor_ext.outbox._holding`): they may have been sent.


def hold_payments(connection: Connection) -> int:
    """Mark the payments of a state whose entries are held, also those that were never asked for.
    Returns how many are marked.
    """
    _store_unasked(connection)
    return change_rows(connection, PAYMENTS, sa.true(), restored=True)


def _store_unasked(connection: Connection) -> None:
    """Store the payments of rows for which nothing was asked when the backup was made. Of a key in
    several sheets, it is that of the newest one.
    """
    lines = LINES.c
    for sheet in connection.execute(sa.select(SHEETS).order_by(SHEETS.c.id.desc())).all():
        is_stored = sa.exists().where(PAYMENTS.c.owner == sheet.owner, PAYMENTS.c.key == lines.key)
        of_sheet = {
            "owner": sheet.owner,
            "shared": False,
            "batch": sheet.batch,
            "again": 0,
            "stored_at": sheet.stored_at,
            "stored": sheet.stored,
            "restored": True,
        }
        values = [sa.literal(value) for value in of_sheet.values()]
        unasked = sa.select(*values, *(lines[name] for name in _OF_LINES)).where(
            lines.sheet == sheet.id, lines.key.is_not(None), sa.not_(is_stored)
        )
        names = [*of_sheet, *_OF_LINES]
        connection.execute(sa.insert(PAYMENTS).from_select(names, unasked))


_OF_LINES = ("key", "sheet", "number", *DIGESTS, "due_date")
"""The columns of a payment that its line has, too."""


def refuse_held(connection: Connection) -> None:
    """Raise `ConfigurationError` if the state is held."""
    if held_since(connection) is not None:
        raise ConfigurationError(
            "The state is held, because it was restored: nothing is sent. Compare its batches with "
            "the provider ('victor reconcile') and stop all other copies of it; then release it "
            "('victor bulk release')."
        )


# The URL


def _checked_url(url: object) -> sa.URL:
    """Return the URL of a state with the driver that is used. Raises `ConfigurationError`."""
    if not isinstance(url, str) or not url.isprintable():
        raise _refused_state(f"state must be text without invisible characters: {_FORMS}.")
    if os.path.isabs(url):
        url = f"sqlite:///{url}"
    try:
        parsed = _with_hidden_password(sa.make_url(url))
        (parsed.host or "").encode("idna")  # else no driver can look it up
    except (ArgumentError, ValueError):
        # Not chained: the text of these errors has the URL.
        raise _refused_state(f"state is not the URL of a database: {_FORMS}.") from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        _check_file(parsed)
        return parsed.set(drivername="sqlite")
    if backend != "postgresql":
        raise _refused_state(
            f"state names the database {backend}, which is not supported: {_FORMS}."
        )
    if "autocommit" in parsed.query:
        raise _refused_state(
            "state has the option autocommit: each row would be stored alone, and half of a source "
            "could be sent. Leave it out."
        )
    return parsed.set(drivername="postgresql+psycopg", database=parsed.database or "victor_bulk")


def _with_hidden_password(url: sa.URL) -> sa.URL:
    """Return a URL whose password is a `Secret`, which no repr shows, and is not in the query."""
    # As in drivers, a password in the query takes precedence.
    password = url.normalized_query.get("password", (str(url.password or ""),))[-1]
    bare = url.difference_update_query(["password"])
    return bare.set(password=Secret(password) if password else None)


def _check_file(url: sa.URL) -> None:
    """Check that a URL names a file. Raises `ConfigurationError`."""
    path = url.database or ""
    has_more = url.username or url.password or url.host or url.port or url.query
    is_no_file = path in ("", ":memory:") or path.startswith("file:")
    if is_no_file or has_more or _LOGIN.search(path):
        raise _refused_state(
            "state is not a file that survives a crash, without user, password and options: "
            f"{_FORMS}."
        )


def _check_folder(file: Path) -> None:
    """Check that the folder of a state exists. Raises `ConfigurationError`."""
    folder = file.resolve().parent
    if not os.path.isdir(folder):
        raise _refused_state(f"state is in the folder {folder}, which does not exist.")


def _refused_state(message: str) -> ConfigurationError:
    """Return the error for a `state` that cannot be used."""
    return ConfigurationError.of([Problem("state", "url", message)])


# Errors


class StateUnavailable(VictorError):
    """The database of the state cannot be used now: it restarts, is out of reach, busy or full.

    Run the same again later: rows that are stored are kept, and none is sent twice.
    """

    exit_status: ClassVar = FOR_NOW
    """Exit status of the command."""


class StateLost(VictorError):
    """The state, or what it has of the batch, was deleted while rows were sent, and with it what
    became of them.
    """

    exit_status: ClassVar = UNKNOWN
    """Exit status of the command."""

    @classmethod
    def deleted(cls, what: str) -> Self:
        """Return the error if this was deleted; `what` is the subject of a sentence."""
        return cls(
            f"{what} was deleted while rows were sent, and with it what became of them. The "
            "provider may have executed what was sent. If you have a copy of the state, restore it "
            "as a backup: `hold`, reconcile, `release`. Without one, reconcile your rows with the "
            "provider before any of them is sent again.",
            outcome=Outcome.UNKNOWN,
        )


def _reason_of(error: BaseException) -> str:
    """Return the first line of a database driver's message, without the SQL statement."""
    origin = getattr(error, "orig", None) or error
    text = str(origin).strip() or type(origin).__name__
    return text.splitlines()[0].rstrip(".")


def report(error: BaseException | str) -> None:
    """Log why the database cannot be used and is tried again: each reason at most twice a minute.

    Args:
        error: The error of the database, or its reason.
    """
    reason = error if isinstance(error, str) else _reason_of(error)
    now = time.monotonic()
    if now - _reported_at.get(reason, -_REPORT_EVERY) < _REPORT_EVERY:
        return
    _reported_at[reason] = now
    message = (
        "The state cannot be used (%s). It is tried again, and the rows that wait for "
        "it are sent then."
    )
    _logger.warning(message, reason, extra=NOTICE)


def _sqlite_code(error: BaseException | None) -> int | None:
    """Return the primary code of an error of SQLite; 0: the error has no code; None: the error is
    not SQLite's.
    """
    origin = getattr(error, "orig", None) or error
    if not isinstance(origin, sqlite3.Error):
        return None
    # The low byte is the primary code; the others say more about the error.
    return int(getattr(origin, "sqlite_errorcode", 0)) & 0xFF
