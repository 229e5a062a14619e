"""Hosts of models: the client of the official SDK, with real processes of `victor mcp`."""

import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from subprocess import DEVNULL, PIPE
from typing import Any

import psutil
import sqlalchemy as sa
from anyio.from_thread import start_blocking_portal
from mcp import Client, StdioServerParameters

from tests.cli.victor_command import Command
from victor_ext import idempotency_key_for
from victor_ext.outbox import Outbox

PROGRAM = (sys.executable, "-m", "victor_ext.cli")
REVISIONS = ["2026-07-28", "legacy"]
"""The revision that the SDK speaks by itself, and the one before, with a handshake."""
META = {
    "io.modelcontextprotocol/protocolVersion": REVISIONS[0],
    "io.modelcontextprotocol/clientInfo": {"name": "a host", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
"""What each call of that revision says of its host."""
PAYEE = "043987673645"
PAYER = "acceptsRfp"


@dataclass(frozen=True)
class Said:
    """What a tool has said."""

    is_error: bool
    sentence: str
    data: dict[str, Any]

    @property
    def state(self):
        return self.data["state"]


class Host:
    """A host with one connection to a server."""

    def __init__(self, portal, client, process):
        self._portal, self._client, self.process = portal, client, process

    def call(self, tool, **arguments):
        """Call a tool, and return what it says."""
        result = self._portal.call(self._client.call_tool, tool, arguments)
        (content,) = result.content
        data = result.structured_content or {}
        return Said(result.is_error, content.text, data)

    def ask(self, invoice="INV-1042", **other):
        """Ask for the payment of an invoice."""
        return self.call("request_payment", **{**asked(invoice), **other})

    def until(self, invoice, *states):
        """Ask what became of a payment until it is in one of these states."""
        while (said := self.call("payment", invoice=invoice)).state not in states:
            pass
        return said

    def tools(self):
        return self._portal.call(self._client.list_tools).tools


@dataclass(frozen=True)
class Desk:
    """A database, and the settings with which servers and commands use it."""

    settings: dict[str, str]
    database: str

    @property
    def command(self):
        return Command(self.settings, program=PROGRAM)

    @property
    def words(self):
        """How a host starts the server."""
        return ("mcp", "--database", self.database, "--interval", "0.05")

    @property
    def outbox(self):
        return Outbox(sa.create_engine(self.database, poolclass=sa.NullPool))

    def allow(self, *words, **limits):
        """Permit requests, as an operator does."""
        limits = {"payer": PAYER, "payment_limit": "500", "day_limit": "2000", **limits}
        options = [f"--{name.replace('_', '-')}={value}" for name, value in limits.items()]
        fixed = (f"--payee-account-number={PAYEE}", "--biller-type=BUSINESS")
        place = ("--database", self.database) if self.database else ()
        return self.command("mcp", "allow", *place, *fixed, *options, *words)

    @contextmanager
    def host(self, *words, revision="2026-07-28", **variables):
        """A host that has started a server."""
        parameters = StdioServerParameters(
            command=PROGRAM[0],
            args=[*PROGRAM[1:], *self.words, *words],
            env={**self.settings, **variables},
        )
        with ExitStack() as stack:
            portal = stack.enter_context(start_blocking_portal())
            before = {*psutil.Process().children()}
            client = Client(parameters, mode=revision)
            client = stack.enter_context(portal.wrap_async_context_manager(client))
            started = {*psutil.Process().children()} - before
            yield Host(portal, client, started.pop() if len(started) == 1 else None)

    @contextmanager
    def host_without_sdk(self, **options):
        """A server as a process, and a function that writes a call of a tool, whose id is 1, 2, 3.
        A call may be the first line of the later revision.
        """
        words = [*PROGRAM, *self.words]
        pipes = {"stdin": PIPE, "stdout": PIPE, "stderr": DEVNULL, "text": True, **options}
        ids = count(1)

        def ask(tool, **arguments):
            params = {"name": tool, "arguments": arguments, "_meta": META}
            call = {"jsonrpc": "2.0", "id": next(ids), "method": "tools/call", "params": params}
            process.stdin.write(json.dumps(call) + "\n")
            process.stdin.flush()

        with subprocess.Popen(words, env=self.settings, **pipes) as process:
            try:
                yield process, ask
            finally:
                process.kill()


def asked(invoice="INV-1042"):
    """The arguments of a good request."""
    today = datetime.now(UTC).date()
    return {"invoice": invoice, "payer": PAYER, "amount": "44.23", "due_date": f"{today}"}


def past_day():
    return f"{datetime.now(UTC).date() - timedelta(days=2)}"


def key_of(invoice):
    return idempotency_key_for("invoice", invoice)
