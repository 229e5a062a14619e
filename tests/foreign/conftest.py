"""localstripe, a server of the Stripe API by other people, as a process of its own."""

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.outbox.conftest import database_url, postgres_server

__all__ = ["database_url", "postgres_server"]
INSTALLED = Path(sys.prefix) / "foreign"
SERVER = """
import asyncio, random, sys
from aiohttp import web
from localstripe.resources import Store
from localstripe.server import app

@web.middleware
async def on_a_way(request, handler):
    await asyncio.sleep(random.uniform(0, 0.01))
    try:
        return await handler(request)
    finally:
        await asyncio.sleep(random.uniform(0, 0.02))

Store.dump_to_disk = lambda store: None  # it would write to one place for all
app.middlewares.insert(0, on_a_way)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""
"""A request and its answer are some time on their way: else nobody is killed meanwhile."""


@pytest.fixture
def localstripe(tmp_path):
    """Its address. It begins with nothing in its state."""
    if not INSTALLED.exists():
        pytest.skip("`make .venv/foreign` installs localstripe")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = probe.getsockname()
    log = tmp_path / "localstripe.log"
    command = [sys.executable, "-c", SERVER, str(address[1])]
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": str(INSTALLED)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        while not _listens(address):
            assert process.poll() is None, log.read_text(encoding="utf-8")
        yield f"http://127.0.0.1:{address[1]}"
    finally:
        process.terminate()
        process.wait()


def _listens(address):
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(address, 1):
        return True
    return False
