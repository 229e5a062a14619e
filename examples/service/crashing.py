"""For the tests: the service in a process of its own that dies by SIGKILL at a step. The service
knows nothing of it.

The steps, in the order of an invoice's life. "X" is before X; between two steps nothing is written
or sent:

    invoice, intent, commit of intent,                                  by POST /invoices
    claim, commit of claim, create, create answered, result, commit of result,  sent
    list, list answered, status, commit of status                               learned who has paid
"""

import os
import signal
import socket
import sys
from multiprocessing.connection import Connection
from typing import Any

import httpx
import uvicorn
from service import create_app
from sqlalchemy import Engine, event

from victor_ext import AsyncVictor, RetryPolicy

STEPS = (
    *("invoice", "intent", "commit of intent"),
    *("claim", "commit of claim", "create", "create answered", "result", "commit of result"),
    *("list", "list answered", "status", "commit of status"),
)


class Steps(httpx.AsyncBaseTransport):
    """Watches statements, commits and calls, and kills this process before a step."""

    def __init__(self, last: str | None) -> None:
        self._last = last
        self._connections = httpx.AsyncHTTPTransport(verify=False)  # the sandbox speaks plain HTTP
        self._call = ""
        self._written = ""
        event.listen(Engine, "before_cursor_execute", self._statement)
        event.listen(Engine, "commit", self._commit)

    def _at(self, step: str) -> None:
        if sys.platform != "win32" and step == self._last:  # Windows has no SIGKILL
            os.kill(os.getpid(), signal.SIGKILL)

    def _statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT"):
            self._written = "invoice" if "INTO invoices" in statement else "intent"
        elif statement.startswith("UPDATE"):
            called = "result" if self._call == "create" else "status"
            self._written = "claim" if "first_sent_at=" in statement else called
        else:
            return
        self._at(self._written)

    def _commit(self, _connection: Any) -> None:
        written, self._written = self._written, ""
        self._at(f"commit of {written}")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it on."""
        if "Idempotency-Key" in request.headers:
            self._call = "create"
        else:
            self._call = "list" if "direction" in request.url.params else ""
        self._at(self._call)
        response = await self._connections.handle_async_request(request)
        await response.aread()
        self._at(f"{self._call} answered")
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connections.aclose()


def serve(
    port: Connection, environment: dict[str, str], database_url: str, last: str | None
) -> None:
    """Run the service, and send its port; `last` is the step before which this process is
    killed.
    """
    os.environ.update(environment)
    victor = AsyncVictor.from_env(transport=Steps(last), retry=RetryPolicy(base=0.0))
    app = create_app(victor, database_url, interval=0.02)
    listener = socket.create_server(("127.0.0.1", 0))
    port.send(listener.getsockname()[1])
    uvicorn.Server(uvicorn.Config(app, log_level="critical")).run([listener])
