"""The database of batches: an SQLite file, or a PostgreSQL server for several machines."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from victor_ext import ConfigurationError, Problem
from victor_ext.privacy import Secret, concealed, kind_of

from .notices import database_notices, reason_of, route_dbos_log
from .pacing import pause_after
from .vault import Vault

if TYPE_CHECKING:
    from dbos import DBOSClient

_FORMS = "write sqlite:///victor-bulk.sqlite (a file in this folder) or postgresql://user@host/database"
_RENAMED = re.compile(r"\Apostgres://")
_LOGIN = re.compile(r"[^/]:[^/]*@")
_LAST_PORT = 65_535
DEFAULT_STATE = "sqlite:///victor-bulk.sqlite"
"""Where `BulkSender` keeps its state by default."""
_PASSWORDS = re.compile(r"(?i)([?&][^=&]*password=)[^&]*")
_LEAST_FREE = 64 * 1024
"""Minimum free bytes: the size of one SQLite write."""
_CONNECT_SECONDS = 10
_MIGRATIONS = 4
_RETURNING = (3, 35, 0)
"""The first SQLite with `RETURNING`, which DBOS uses for its queues."""
_MIGRATING = threading.Lock()
_SUBSECONDS = (3, 42, 0)
"""The first SQLite with `unixepoch('subsec')`, from which DBOS takes its times on Python 3.12 and newer. An older one
answers NULL, or has no such function, and each write fails at `NOT NULL`: that of Debian 12 is 3.40."""


class State:
    """The database that stores batches, in the tables of DBOS.

    Args:
        url: `sqlite:///` and a path, or `postgresql://`.

    Raises:
        ConfigurationError: The database is unsupported, or is not persistent.
    """

    def __init__(self, url: str) -> None:
        url = concealed(url)
        self.url = _checked_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            _check_version()
        database_notices.reset()
        route_dbos_log()

    def __str__(self) -> str:
        shown = self.url.set(drivername=self.url.get_backend_name()).render_as_string(hide_password=True)
        return _PASSWORDS.sub(r"\1***", shown)

    @property
    def _place(self) -> str:
        """The URL for messages, without the query, which may contain secrets."""
        bare = self.url.set(drivername=self.url.get_backend_name(), query={})
        return bare.render_as_string(hide_password=True)

    @property
    def connection_string(self) -> str:
        """The URL for DBOS, with its password, which is a secret."""
        return self.url.render_as_string(hide_password=False)

    @property
    def path(self) -> Path:
        """Path of the SQLite file."""
        return Path(cast("str", self.url.database))

    def exists(self) -> bool:
        """Whether the database contains DBOS tables.

        Raises:
            ConfigurationError: The server does not respond, or the file is not a database.
        """
        if self.is_sqlite and not self.path.exists():
            return False
        with self.engine() as engine, self.errors():
            if not self.is_sqlite and not self._is_on_server():
                return False
            # DBOS has no public question for this.
            return sa.inspect(engine).has_table("workflow_status", schema=None if self.is_sqlite else "dbos")

    def prepare(self) -> None:
        """Create the database and its tables, or migrate tables of an older DBOS.

        Raises:
            ConfigurationError: The server does not respond, or the file cannot be written.
        """
        with self.errors():
            if self.is_sqlite:
                self._prepare_file()
            else:
                # DBOS would wait forever for a server that does not respond. It creates a missing database.
                self._is_on_server()
            self._migrate()

    def _migrate(self) -> None:
        from dbos import DBOS  # noqa: PLC0415 - a check of rows needs no DBOS, and it takes half of the start

        for left in range(_MIGRATIONS, 0, -1):
            try:
                # It takes a URL and no engine: the engine that it makes is reached by SQLAlchemy's events.
                with _subseconds_in_all_pools() if self.is_sqlite else nullcontext():
                    DBOS.migrate(self.connection_string)
            except SQLAlchemyError as error:
                # Another process may be creating the database.
                if left == 1:
                    raise
                database_notices.report_if_full(reason_of(error))
                time.sleep(pause_after(_MIGRATIONS + 1 - left))
            else:
                return

    def _prepare_file(self) -> None:
        # Only the owner can read the file, although its content is encrypted.
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise ConfigurationError(f"The state {self} cannot be written: {error.strerror or error}.") from None
        database = sqlite3.connect(self.path)
        try:
            # WAL: one disk write per transaction instead of three, and readers do not wait for writers.
            database.execute("PRAGMA journal_mode=WAL")
        finally:
            database.close()

    def _is_on_server(self) -> bool:
        """Whether the database exists. Raises `SQLAlchemyError` if the server does not respond or denies access."""
        with self.engine() as engine:
            try:
                engine.connect().close()
            except SQLAlchemyError as error:
                elsewhere = sa.create_engine(self.url.set(database="postgres"), connect_args=_postgres_options())
                try:
                    with elsewhere.connect() as connection:
                        query = sa.text("SELECT 1 FROM pg_database WHERE datname = :name")
                        if connection.execute(query, {"name": self.url.database}).scalar() is None:
                            return False
                except SQLAlchemyError:
                    raise error from None
                finally:
                    elsewhere.dispose()
                # Retry: the database may have been created meanwhile.
                engine.connect().close()
            return True

    @contextmanager
    def engine(self) -> Generator[sa.Engine]:
        """Open an engine for the block."""
        if self.is_sqlite:
            engine = sa.create_engine(self.url)
            event.listen(engine, "connect", _sqlite_options)
        else:
            engine = sa.create_engine(self.url, connect_args=_postgres_options(), pool_pre_ping=True, pool_size=5)
        try:
            yield engine
        finally:
            engine.dispose()

    @contextmanager
    def client(self, vault: Vault, engine: sa.Engine) -> Generator[DBOSClient]:
        """Open a DBOS client for the vault's application. It raises if the database does not respond."""
        from dbos import DBOSClient  # noqa: PLC0415 - as in `_migrate`

        client = DBOSClient(
            system_database_engine=engine,
            serializer=vault.serializer,
            application_name=vault.application,
            retry_connection_errors=False,
        )
        try:
            yield client
        finally:
            client.destroy()

    @contextmanager
    def errors(self) -> Generator[None]:
        """Convert database errors to `ConfigurationError`."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            full = " The disk is full." if self.is_sqlite and _is_full(self.path) else ""
            raise ConfigurationError(f"The state {self._place} cannot be used: {reason_of(error)}.{full}") from error


def _is_full(file: Path) -> bool:
    """Whether the file's disk is full. SQLite may report this as an I/O error, even on reads."""
    try:
        return shutil.disk_usage(file.resolve().parent).free < _LEAST_FREE
    except OSError:
        return False


def _postgres_options() -> dict[str, Any]:
    return {"connect_timeout": _CONNECT_SECONDS, "application_name": "victor bulk"}


def _sqlite_options(connection: Any, _record: object) -> None:
    # As in DBOS: a transaction waits for other writers when it starts.
    connection.isolation_level = "IMMEDIATE"
    connection.execute("PRAGMA busy_timeout=30000")
    connection.execute("PRAGMA foreign_keys=ON")
    # Each connection has its own cache; the system caches the file anyway.
    connection.execute("PRAGMA cache_size=-512")
    _add_subseconds(connection)


def _check_version() -> None:
    """Raise `ConfigurationError` if DBOS cannot work with the SQLite of this Python."""
    if sqlite3.sqlite_version_info < _RETURNING:
        raise _refused(
            f"state is an SQLite file, and the SQLite of this Python is {sqlite3.sqlite_version}: 3.35 is the oldest "
            "that works. Use a Python with a newer one, or write postgresql://user@host/database.",
            code="sqlite_version",
        )


@contextmanager
def _subseconds_in_all_pools() -> Generator[None]:
    """Call `_add_subseconds` for each connection of this process that is opened in the block."""
    if sqlite3.sqlite_version_info >= _SUBSECONDS:
        yield
        return
    with _MIGRATING:
        event.listen(sa.Pool, "connect", _add_subseconds)
        try:
            yield
        finally:
            event.remove(sa.Pool, "connect", _add_subseconds)


def _add_subseconds(connection: Any, _record: object = None) -> None:
    """Add `unixepoch('subsec')` to a connection whose SQLite lacks it."""
    if isinstance(connection, sqlite3.Connection) and sqlite3.sqlite_version_info < _SUBSECONDS:
        connection.create_function("unixepoch", 1, _unixepoch)


def _unixepoch(modifier: object) -> float | None:
    # As in SQLite, milliseconds: DBOS multiplies by 1000 and stores an integer. NULL: not what DBOS asks for.
    return time.time_ns() // 1_000_000 / 1000 if modifier == "subsec" else None


def _checked_url(url: object) -> sa.URL:
    """Return a validated URL. Messages never quote it: a password may be anywhere in it."""
    if not isinstance(url, str):
        raise _refused(f"state must be text, not {kind_of(url)}: {_FORMS}.")
    if not url.isprintable():
        raise _refused(f"state contains an invisible character: {_FORMS}.")
    parsed = _parsed(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        _check_file(parsed)
        return parsed.set(drivername="sqlite")
    if backend != "postgresql":
        raise _refused(f"state names the database {backend}, which is not supported: {_FORMS}.")
    if parsed.port is not None and not 1 <= parsed.port <= _LAST_PORT:
        raise _refused(f"state has the port {parsed.port}: write one from 1 to {_LAST_PORT}, or none.")
    if not _can_be_called(parsed):
        raise _refused("state has an invalid host or port: write postgresql://user@host/database.")
    return parsed.set(drivername="postgresql+psycopg", database=parsed.database or "victor_bulk")


def _parsed(url: str) -> sa.URL:
    wrong = f"state is not the URL of a database: {_FORMS}."
    try:
        return _with_hidden_password(sa.make_url(_RENAMED.sub("postgresql://", url)))
    except ArgumentError:
        pass
    except ValueError:
        wrong = "state has a port that is not a number: write postgresql://user@host:5432/database."
    # Raised outside the handler: the original traceback has frames that contain the URL.
    raise _refused(wrong)


def _with_hidden_password(url: sa.URL) -> sa.URL:
    # As in drivers, a password in the query takes precedence.
    given = url.normalized_query.get("password", (str(url.password or ""),))[-1]
    return url.difference_update_query(["password"]).set(password=Secret(given) if given else None)


def _can_be_called(url: sa.URL) -> bool:
    """Whether the driver accepts the hosts and ports, including those in the query."""
    query = url.normalized_query
    try:
        for host in (url.host or "", *query.get("host", ())):
            if not host.startswith("/"):  # a folder with a socket
                host.encode("idna")
        return all(int(port) > 0 for port in query.get("port", ()))
    except ValueError:
        return False


def _check_file(url: sa.URL) -> None:
    path = url.database
    if url.username or url.password or url.host or url.port or (path and _LOGIN.search(path)):
        raise _refused(f"state is a file, which has no user, password, host or port: {_FORMS}.")
    if url.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise _refused(f"state names the driver {url.drivername}, which is not supported: {_FORMS}.")
    if not path or path == ":memory:" or path.startswith("file:") or url.query:
        raise _refused(f"state is not a file that survives a crash: {_FORMS}.")
    try:
        os.fsencode(path)
        Path(path).exists()
        folder = Path(path).resolve().parent
        exists = folder.is_dir()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the name contains an invalid character"
        raise _refused(f"state is not a valid file: {reason}.") from None
    if not exists:
        raise _refused(f"state is in the folder {folder}, which does not exist.")


def _refused(message: str, code: str = "url") -> ConfigurationError:
    """Return the error for a state that cannot be used."""
    return ConfigurationError.of([Problem("state", code, message)])
