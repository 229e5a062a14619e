"""A row is stored as begun before its request leaves: whoever comes after a crash never takes a row
that may have been sent for one that was not.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.bulk.bulk_runs import Clients, Senders, asked_once, rows
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow
ROWS = 80
"""More than one group of rows is stored ahead."""
BEGUN = "SELECT count(*) FROM victor_bulk WHERE first_sent_at IS NOT NULL OR request_id IS NOT NULL"
"""Payments that may have been sent, and those that have ended."""


class Watched(httpx.HTTPTransport):
    """The way to the provider. Before a create leaves, it notes how many rows of the state are
    begun.

    Attributes:
        tells_time: Whether responses have the header `Date`.
        keys: The keys of the creates that have left, or are about to.
        too_early: The creates that would leave while fewer rows are begun than have left.
    """

    def __init__(self, state: Path, *, tells_time: bool) -> None:
        super().__init__()
        self.tells_time = tells_time
        self.keys = set[str]()
        self.too_early = list[str]()
        self._state = state

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        key = request.headers.get("idempotency-key")
        if key is not None:
            self.keys.add(key)
            left = len(self.keys)
            if self._begun() < left:
                self.too_early.append(key)
        response = super().handle_request(request)
        if not self.tells_time:
            del response.headers["date"]
        return response

    def _begun(self) -> int:
        with closing(sqlite3.connect(self._state)) as database:
            return int(database.execute(BEGUN).fetchone()[0])


@pytest.mark.parametrize("tells_time", [True, False])
def test_no_request_leaves_before_its_row_is_stored_as_begun(
    sender: Senders, clients: Clients, victor_sandbox: Sandbox, tmp_path: Path, tells_time: bool
) -> None:
    way = Watched(tmp_path / "state.sqlite", tells_time=tells_time)
    sender.finish(rows(ROWS), victor=clients(transport=way))
    assert way.too_early == []
    assert len(way.keys) == ROWS
    asked_once(victor_sandbox, rows(ROWS))
