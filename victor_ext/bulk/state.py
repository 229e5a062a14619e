"""The database of batches: an SQLite file, or a PostgreSQL server for several machines; and what
users see of it.
"""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from victor_ext import ConfigurationError, Outcome, Problem, VictorError
from victor_ext._exit_status import FOR_NOW, UNKNOWN
from victor_ext.event_queue.databases import create_tables, renewed
from victor_ext.privacy import Secret, concealed
from victor_ext.vault import new_key, unwrapped

from .layout import VERSION
from .payments import BATCHES, METADATA, STATE_KEY
from .vault import Vault, other_key

if TYPE_CHECKING:
    from dbos import DBOSClient

_FORMS = (
    "write sqlite:///victor-bulk.sqlite (a file in this folder) or postgresql://user@host/database"
)
_LOGIN = re.compile(r"[^/]:[^/]*@")
DEFAULT_STATE = "sqlite:///victor-bulk.sqlite"
"""Where `BulkSender` keeps its state by default."""
_CONNECT_SECONDS = 10
_MIGRATIONS = 4
_RETURNING = (3, 35, 0)
"""The first SQLite with `RETURNING`, which DBOS uses for its queues."""
_SUBSECONDS = (3, 42, 0)
"""The first SQLite with `unixepoch('subsec')`, from which DBOS takes its times on Python 3.12 and
newer. An older one answers NULL, or has no such function, and each write fails at `NOT NULL`: that
of Debian 12 is 3.40."""
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
_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""Errors of SQLite for a file that was overwritten or cut."""
NOTICE = {"notice": True}
"""The `extra` of log records that the command line shows."""
_FULL = ("database or disk is full", "No space left on device")
"""Messages of SQLite and PostgreSQL for a full disk."""
_BROKEN_WORDS = ("database disk image is malformed", "file is not a database")
"""Messages of SQLite for a file that was overwritten or cut."""
_broken_for_dbos = set[str]()
"""Which of them DBOS has logged. Shared by the process, as DBOS is."""
_AGAIN_AFTER = 30.0
_reported_at: dict[str, float] = {}
"""When each reason was logged. Shared by the process, as DBOS is."""
_logger = logging.getLogger("victor_ext.bulk")


class StateUnavailable(VictorError):
    """The database of the state cannot be used now: it restarts, is out of reach, busy or full.

    Run the same again later: rows that are stored are kept, and none is sent twice.
    """

    exit_status: ClassVar = FOR_NOW
    """Exit status of the command."""


class StateMade(ConfigurationError):
    """Another process has made the state, and its key, since it was looked for."""


class StateLost(VictorError):
    """The state, or what it has of the batch, was deleted while rows were sent, and with it what
    became of them.
    """

    exit_status: ClassVar = UNKNOWN
    """Exit status of the command."""

    @classmethod
    def deleted(cls, what: str) -> Self:
        return cls(
            f"{what} was deleted while rows were sent, and with it what became of them. The "
            "provider may have executed what was sent. Put a copy of the state back and resume; "
            "without one, reconcile your rows with the provider before any of them is sent again.",
            outcome=Outcome.UNKNOWN,
        )


class State:
    """The database that stores batches, in the tables of DBOS. It has to be persistent."""

    def __init__(self, url: str) -> None:
        url = concealed(url)
        self.url = _checked_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite and sqlite3.sqlite_version_info < _RETURNING:
            raise _refused(
                "state is an SQLite file, and the SQLite of this Python is "
                f"{sqlite3.sqlite_version}: 3.35 is the oldest that works. Use a Python with a "
                "newer one, or write postgresql://user@host/database.",
                code="sqlite_version",
            )
        self._file: tuple[int, int, bool] | None = None
        begin_notices()

    def __str__(self) -> str:
        """The URL for messages, without the query, which may contain secrets."""
        bare = self.url.set(drivername=self.url.get_backend_name(), query={})
        return bare.render_as_string(hide_password=True)

    @property
    def connection_string(self) -> str:
        """The URL for DBOS, with its password, which is a secret."""
        return self.url.render_as_string(hide_password=False)

    @property
    def path(self) -> Path:
        return Path(cast("str", self.url.database))

    def exists(self) -> bool:
        """Whether the database contains DBOS tables. Raises as `errors` does."""
        if self.is_sqlite and not os.path.exists(self.path):
            return False
        with self.errors(), self.engine() as engine:
            schema = None if self.is_sqlite else "dbos"
            # DBOS has no public question for this.
            return (self.is_sqlite or self._is_on_server()) and sa.inspect(engine).has_table(
                "workflow_status", schema
            )

    def vault(self, secret: bytes, provider: str) -> Vault:
        """Return what encrypts this state: by its own key, or by a new one if it has none yet.

        Raises `ConfigurationError` if its key is wrapped with another secret, or its layout is of
        another release.
        """
        if not self.exists():
            return Vault(new_key(), provider)
        with self.errors(), self.engine() as engine, engine.connect() as connection:
            if not sa.inspect(connection).has_table(STATE_KEY.name):
                return Vault(new_key(), provider)
            key = self._stored_key(connection, secret)
        return Vault(new_key() if key is None else key, provider)

    def keep_key(self, connection: sa.Connection, vault: Vault, secret: bytes) -> None:
        """Store the vault's key, wrapped with the secret, unless the state has it.

        Raises `ConfigurationError` if another process has stored another one meanwhile.
        """
        key = self._stored_key(connection, secret)
        if key is None:
            values = {"id": 1, "layout": VERSION, "wrapped": vault.wrapped(secret)}
            connection.execute(sa.insert(STATE_KEY), values)
        elif not vault.has_key(key):
            raise StateMade(
                f"Another process has made the state {self} meanwhile. Nothing was stored: do this "
                "again."
            )

    def rekey(self, vault: Vault, secret: bytes) -> None:
        """Wrap the key of this state with another secret. Raises `ConfigurationError`."""
        if not self.exists():
            raise ConfigurationError(f"There is no state {self}: nothing was stored there.")
        with self.errors(), self.engine() as engine, engine.begin() as connection:
            connection.execute(sa.update(STATE_KEY).values(wrapped=vault.wrapped(secret)))

    def _stored_key(self, connection: sa.Connection, secret: bytes) -> bytes | None:
        row = connection.execute(sa.select(STATE_KEY)).first()
        if row is None:
            return None
        if row.layout != VERSION:
            raise ConfigurationError(
                f"The state {self} was stored by another release, in the layout {row.layout}: go "
                "on with the release that stored it."
            )
        key = unwrapped(row.wrapped, secret)
        if key is None:
            raise other_key(self._what_it_has(connection))
        return key

    def _what_it_has(self, connection: sa.Connection) -> str:
        stored_at = BATCHES.c.stored_at
        count, last = connection.execute(
            sa.select(sa.func.count(), sa.func.max(stored_at)).select_from(BATCHES)
        ).one()
        if not count:
            return f"What the state {self} has"
        batches = "1 batch" if count == 1 else f"{count} batches, the last"
        day = datetime.fromtimestamp(last, UTC)
        return f"The state {self} has {batches} of {day.day} {day:%B %Y}, which"

    def prepare(self) -> None:
        """Create the database and its tables, or migrate tables of an older DBOS.

        Raises as `errors` does.
        """
        from dbos import DBOS  # noqa: PLC0415 - a check of rows needs no DBOS, and it takes half of the start

        with self.errors():
            if self.is_sqlite:
                self._prepare_file()
            else:
                # DBOS would wait forever for a server that does not respond. It creates a missing
                # database.
                self._is_on_server()
            for tries in range(1, _MIGRATIONS + 1):
                try:
                    # It takes a URL and no engine: the engine that it makes is reached by
                    # SQLAlchemy's events.
                    with _subseconds_in_all_pools():
                        DBOS.migrate(self.connection_string)
                    with self.engine() as engine, engine.begin() as connection:
                        create_tables(METADATA, connection)
                    return
                except SQLAlchemyError:
                    # Another process may be creating the database.
                    if tries == _MIGRATIONS:
                        raise
                    time.sleep(tries)

    def _prepare_file(self) -> None:
        # Only the owner can read the file, although its content is encrypted.
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise ConfigurationError(
                f"The state {self} cannot be written: {error.strerror or error}."
            ) from None
        with closing(sqlite3.connect(self.path)) as database:
            # WAL: one disk write per transaction instead of three, and readers do not wait for
            #     writers.
            database.execute("PRAGMA journal_mode=WAL")
        self._file = self._identity()

    def _identity(self) -> tuple[int, int, bool]:
        found = os.stat(self.path)
        return found.st_dev, found.st_ino, found.st_size == 0

    def loss(self, error: SQLAlchemyError | None = None) -> StateLost | None:
        """Return the error to end with if the database was deleted, emptied or overwritten since it
        was prepared.

        A deleted file can still be written by whoever has it open. Its tables are looked for after
        an `error` only, and what DBOS reads of it fails in its log alone.
        """
        if self.is_sqlite and _broken_for_dbos:
            return StateLost.deleted(f"The state {self}")
        try:
            is_there = not self.is_sqlite or self._identity() == self._file
            if is_there and (
                error is None or (_sqlite_code(error) not in _BROKEN and self.exists())
            ):
                return None
        except FileNotFoundError:
            pass
        except OSError:
            return None  # it cannot be seen now
        except VictorError as unseen:
            if _sqlite_code(unseen.__cause__) not in _BROKEN:
                return None
        return StateLost.deleted(f"The state {self}")

    def journal(self) -> tuple[int, int] | None:
        """Return which file the write-ahead log is; None: there is none.

        SQLite neither deletes nor replaces it while a connection is open. It is not opened here: to
        close a file drops all locks that SQLite has on it.
        """
        if not self.is_sqlite:
            return None
        path = self.path.resolve()
        try:
            log = os.stat(path.with_name(path.name + "-wal"))
        except FileNotFoundError:
            return None
        return log.st_dev, log.st_ino

    def _is_on_server(self) -> bool:
        """Whether the database exists.

        Raises `SQLAlchemyError` if the server does not respond or denies access.
        """
        try:
            with self.engine() as engine, engine.connect():
                return True
        except UnicodeError as error:  # a host that is no name
            raise ConfigurationError(
                f"The state {self} cannot be used: {reason_of(error)}."
            ) from error
        except SQLAlchemyError as error:
            query = sa.text("SELECT 1 FROM pg_database WHERE datname = :name")
            try:
                with self.engine("postgres") as engine, engine.connect() as connection:
                    if connection.execute(query, {"name": self.url.database}).scalar() is None:
                        return False
            except SQLAlchemyError:
                raise error from None
        # another process may have created it meanwhile
        with (
            self.engine() as engine,
            engine.connect(),
        ):
            return True

    @contextmanager
    def engine(self, database: str | None = None) -> Generator[sa.Engine]:
        """Open an engine for the block, of this database or another one of the server."""
        if self.is_sqlite:
            engine = sa.create_engine(self.url)
            event.listen(engine, "connect", _sqlite_options)
        else:
            options = {"connect_timeout": _CONNECT_SECONDS, "application_name": "victor bulk"}
            url = self.url.set(database=database or self.url.database)
            engine = renewed(
                sa.create_engine(url, connect_args=options, pool_pre_ping=True, pool_size=5)
            )
        try:
            yield engine
        finally:
            engine.dispose()

    @contextmanager
    def client(self, vault: Vault, engine: sa.Engine) -> Generator[DBOSClient]:
        """Open a DBOS client for the vault's application.

        It raises if the database does not respond.
        """
        from dbos import DBOSClient  # noqa: PLC0415 - as in `prepare`

        client = DBOSClient(
            system_database_engine=engine,
            serializer=cast("Any", vault),
            application_name=vault.application,
            retry_connection_errors=False,
        )
        try:
            yield client
        finally:
            client.destroy()

    @contextmanager
    def errors(self) -> Generator[None]:
        """Convert database errors to `StateUnavailable`, or to `ConfigurationError` if they will
        not pass.
        """
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            what, code = f"The state {self} cannot be used", _sqlite_code(error)
            # psycopg does not tell a server that restarts from one that refuses this role.
            may_pass = isinstance(error, OperationalError | InterfaceError | PoolTimeout)
            if not (may_pass if code is None else code in _PASSING):
                raise ConfigurationError(f"{what}: {reason_of(error)}.") from error
            advice = "Run it again later: rows that are stored are kept, and none is sent twice."
            raise StateUnavailable(f"{what} now: {reason_of(error)}. {advice}") from error


def reason_of(error: BaseException) -> str:
    """Return the first line of a database driver's message, without the SQL statement."""
    origin = getattr(error, "orig", None) or error
    text = str(origin).strip() or type(origin).__name__
    return text.splitlines()[0].rstrip(".")


def report(error: BaseException | str) -> None:
    """Log why the database cannot be used, each reason at most twice a minute: it is tried
    again.
    """
    reason, now = error if isinstance(error, str) else reason_of(error), time.monotonic()
    if now - _reported_at.get(reason, -_AGAIN_AFTER) >= _AGAIN_AFTER:
        _reported_at[reason] = now
        message = (
            "The state cannot be used (%s). It is tried again, and the rows that wait for "
            "it are sent then."
        )
        _logger.warning(message, reason, extra=NOTICE)


class _ToOurLog(logging.Handler):
    """Forwards DBOS log records to `victor_ext.bulk`."""

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        _logger.log(
            logging.INFO if record.levelno >= logging.WARNING else logging.DEBUG,
            "DBOS: %s",
            message,
        )
        # DBOS tries again when the disk is full or the file is broken, and reports this only in
        # its log.
        text = f"{message} {record.exc_info[1] if record.exc_info else ''}"
        _broken_for_dbos.update(words for words in _BROKEN_WORDS if words in text)
        for words in _FULL:
            if words in text:
                report(words)


def begin_notices() -> None:
    """Forget logged reasons, for a new database, and redirect the DBOS log from the terminal to
    `victor_ext.bulk`.
    """
    _reported_at.clear()
    _broken_for_dbos.clear()
    log = logging.getLogger("dbos")
    # Existing handlers belong to a program that uses DBOS itself.
    if not log.handlers:
        log.addHandler(_ToOurLog())
        log.propagate = False
        log.setLevel(logging.WARNING)


def _sqlite_code(error: BaseException | None) -> int | None:
    """Return the primary code of an error of SQLite; 0: it has none; None: it is another error."""
    origin = getattr(error, "orig", None) or error
    return (
        getattr(origin, "sqlite_errorcode", 0) & 0xFF if isinstance(origin, sqlite3.Error) else None
    )


def _sqlite_options(connection: Any, _record: object) -> None:
    # As in DBOS: a transaction waits for other writers when it starts.
    connection.isolation_level = "IMMEDIATE"
    connection.execute("PRAGMA busy_timeout=30000")
    connection.execute("PRAGMA foreign_keys=ON")
    # Each connection has its own cache; the system caches the file anyway.
    connection.execute("PRAGMA cache_size=-512")
    _add_subseconds(connection)


@contextmanager
def _subseconds_in_all_pools() -> Generator[None]:
    """Call `_add_subseconds` for each connection of this process that is opened in the block."""

    # its own: another thread may be in such a block, too
    def add(connection: Any, _record: object) -> None:
        _add_subseconds(connection)

    event.listen(sa.Pool, "connect", add)
    try:
        yield
    finally:
        event.remove(sa.Pool, "connect", add)


def _add_subseconds(connection: Any) -> None:
    """Add `unixepoch('subsec')` to a connection whose SQLite lacks it."""
    if isinstance(connection, sqlite3.Connection) and sqlite3.sqlite_version_info < _SUBSECONDS:
        # As in SQLite, milliseconds: DBOS multiplies by 1000 and stores an integer. NULL: not what
        # DBOS asks for.
        def now(modifier: object) -> float | None:
            return time.time_ns() // 1_000_000 / 1000 if modifier == "subsec" else None

        connection.create_function("unixepoch", 1, now)


def _checked_url(url: object) -> sa.URL:
    """Return a validated URL. Messages never quote it: a password may be anywhere in it."""
    if not isinstance(url, str) or not url.isprintable():
        raise _refused(f"state must be text without invisible characters: {_FORMS}.")
    try:
        parsed = _with_hidden_password(sa.make_url(url))
    except (ArgumentError, ValueError):  # their text has the URL
        raise _refused(f"state is not the URL of a database: {_FORMS}.") from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        _check_file(parsed)
        return parsed.set(drivername="sqlite")
    if backend != "postgresql":
        raise _refused(f"state names the database {backend}, which is not supported: {_FORMS}.")
    if "autocommit" in parsed.query:
        raise _refused(
            "state has the option autocommit: each row would be stored alone, and half of a source "
            "could be sent. Leave it out."
        )
    return parsed.set(drivername="postgresql+psycopg", database=parsed.database or "victor_bulk")


def _with_hidden_password(url: sa.URL) -> sa.URL:
    # As in drivers, a password in the query takes precedence.
    given = url.normalized_query.get("password", (str(url.password or ""),))[-1]
    return url.difference_update_query(["password"]).set(password=Secret(given) if given else None)


def _check_file(url: sa.URL) -> None:
    path = url.database
    remote = url.username or url.password or url.host or url.port or url.query
    if not path or path == ":memory:" or path.startswith("file:") or remote or _LOGIN.search(path):
        raise _refused(
            "state is not a file that survives a crash, without user, password and options: "
            f"{_FORMS}."
        )
    folder = Path(path).resolve().parent
    if not os.path.isdir(folder):
        raise _refused(f"state is in the folder {folder}, which does not exist.")


def _refused(message: str, code: str = "url") -> ConfigurationError:
    return ConfigurationError.of([Problem("state", code, message)])
