"""localstripe, a server of the Stripe API by other people, as a process of its own."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.outbox.conftest import database_url, postgres_server

__all__ = ["database_url", "postgres_server"]
INSTALLED = Path(sys.prefix) / "foreign"
SERVER = """
import asyncio, random, socket, sys
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
web.run_app(app, sock=socket.socket(fileno=int(sys.argv[1])), print=None)
"""
"""A request and its answer are some time on their way: else nobody is killed meanwhile."""


@pytest.fixture
def localstripe(tmp_path):
    """Its address. It begins with nothing in its state."""
    if not INSTALLED.exists():
        pytest.skip("`make .venv/foreign` installs localstripe")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(listener.fileno())],
            env={**os.environ, "PYTHONPATH": str(INSTALLED)},
            pass_fds=[listener.fileno()],
        )
    try:
        httpx.get(url, timeout=60)  # it is there when it has answered
        yield url
    finally:
        process.terminate()
        process.wait()
