"""Other systems, and the APIs of `connect`: every read of their table of operations is sent once, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx

from victor_ext import VictorError

from .reads import connection, shape_of
from .run import Probe, Run

UNKNOWN_ID = "NOSUCHID00"


class Signed(httpx.BaseTransport):
    """Sends what the client signs. A refusal is a response like any other here."""

    def __init__(self, client: Any) -> None:
        self._http: httpx.Client = client.http

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            answer = self._http.get(request.url, headers={"accept": request.headers["accept"]})
        except VictorError as error:
            if error.response is None:
                raise httpx.ReadError(error.message) from error
            answer = error.response
        headers = [(name, value) for name, value in answer.headers.items() if name != "content-encoding"]
        return httpx.Response(answer.status_code, headers=headers, content=answer.content)


def probes_of(client: Any) -> Iterator[Probe]:
    """A probe of each read: lists as they are, and an id that does not exist."""
    for operation in client.reads:
        yield Probe((operation,), partial(_read, operation), 0, 0)
    yield connection


def _read(operation: str, run: Run) -> None:
    answer = run.get(operation.partition(" ")[2].replace("{}", UNKNOWN_ID))
    run.find(operation, answer.status if answer.is_good else f"{answer.status}, {shape_of(answer)}")
