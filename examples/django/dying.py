"""For the tests: a process with the project that dies by SIGKILL before a step. The project knows
nothing of it.

The steps are those of `examples/service`: in the order of an invoice's life, between two of which
nothing is written or sent. For a worker of Celery, `DYING_STEP` names one in the environment: the
first process that reaches it dies, and makes the file `DYING_NOTE`. The worker sends itself the
task when it is ready: its broker is its own memory.
"""

import os
import signal
import sys
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import patch

import django
import httpx
from celery.signals import task_prerun, worker_ready
from django.core.management import call_command
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.test import Client
from django.utils.timezone import now
from invoicing.tasks import app, send

from victor_ext import RetryPolicy, Victor

STEPS = (
    *("invoice", "intent", "commit of intent"),
    *("claim", "commit of claim", "create", "create answered", "result", "commit of result"),
    *("list", "list answered", "status", "commit of status"),
)
NUMBERS = {1042: "acceptsRfp", 1043: "declinesRfp"}


class Steps(httpx.BaseTransport):
    """Watches statements, commits and calls, and kills this process before a step; with a file
    `once`, one process.
    """

    def __init__(self, last: str | None, once: Path | None = None) -> None:
        self._last, self._once = last, once
        self._connections = httpx.HTTPTransport()
        self._call = self._written = ""
        commit = BaseDatabaseWrapper.commit

        def watched(database: Any) -> None:
            written, self._written = self._written, ""
            self._at(f"commit of {written}")
            commit(database)

        patch.object(BaseDatabaseWrapper, "commit", watched).start()
        patch.object(
            Victor,
            "from_env",
            partial(Victor.from_env, transport=self, retry=RetryPolicy(base=0.0)),
        ).start()
        connection_created.connect(self._watch)

    def _watch(self, connection: Any, **_: Any) -> None:
        if self._statement not in connection.execute_wrappers:
            connection.execute_wrappers.append(self._statement)

    def _at(self, step: str) -> None:
        if (
            sys.platform != "win32"
            and step == self._last
            and not (self._once and self._once.exists())
        ):
            if self._once:
                self._once.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def _statement(self, execute: Any, statement: str, *arguments: Any) -> Any:
        if statement.startswith("INSERT"):
            self._written = "invoice" if "invoicing_invoice" in statement else "intent"
            self._at(self._written)
        elif statement.startswith("UPDATE victor_outbox"):
            called = "result" if self._call == "create" else "status"
            self._written = "claim" if "first_sent_at=" in statement else called
            self._at(self._written)
        return execute(statement, *arguments)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it on."""
        if "Idempotency-Key" in request.headers:
            self._call = "create"
        else:
            self._call = "list" if "direction" in request.url.params else ""
        self._at(self._call)
        response = self._connections.handle_request(request)
        response.read()
        self._at(f"{self._call} answered")
        return response


def end_claims(**_: Any) -> None:
    """Let the leases of earlier processes be over."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE victor_outbox SET due_at = 0, worker = NULL")
    connection.close()


def live(answers: Connection, environment: dict[str, str], last: str | None) -> None:
    """Post two invoices, make one pass of the worker, and send what is known of them then."""
    os.environ.update(environment, DJANGO_SETTINGS_MODULE="invoicing.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    end_claims()
    Steps(last)
    client = Client(SERVER_NAME="localhost")
    for number, counterparty in NUMBERS.items():
        new = {
            "number": number,
            "amount": "44.23",
            "counterparty": counterparty,
            "due_date": now().date().isoformat(),
        }
        assert client.post("/invoices", new, content_type="application/json").status_code == 201
    send()
    answers.send(
        {number: client.get(f"/invoices/{number}").json()["payment"] for number in NUMBERS}
    )


def begin(**_: Any) -> None:
    """Send the task."""
    app.send_task("send_payment_requests")


if note := os.environ.get("DYING_NOTE"):  # `celery -A dying worker`
    task_prerun.connect(end_claims)
    Steps(os.environ["DYING_STEP"], once=Path(note))
    app.conf.worker_lost_wait = (
        0.1  # seconds, in place of ten, until the task of a dead process counts as lost
    )
    worker_ready.connect(begin)
