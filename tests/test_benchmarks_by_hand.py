"""The code by hand that outbox and bulk are measured against is as a good team writes it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import sqlalchemy as sa

from benchmarks import by_hand
from benchmarks.outbox import database_engine, invoices

ROWS = 150
"""More than two groups."""
CREATED = {"victor_payment_request_id": "R1", "status": "pending"}


@pytest.fixture
def engine(tmp_path):
    found = database_engine(f"sqlite:///{tmp_path}/by-hand.sqlite")
    by_hand.store(found, invoices(ROWS))
    yield found
    found.dispose()


class Client:
    """Its first call ends only once so many others have; one in ten fails."""

    def __init__(self, others):
        self.others, self.keys, self.can_end = others, [], threading.Event()

    def create(self, key, _body):
        self.keys.append(key)
        number = len(self.keys)
        if number == 1:
            assert self.can_end.wait(10), "no row of the next group was sent meanwhile"
        elif number > self.others:
            self.can_end.set()
        if number % 10 == 0:
            raise TimeoutError(key)
        return CREATED


def test_rows_are_taken_up_while_a_call_of_the_last_group_is_under_way(engine):
    client = Client(others=100)
    by_hand.send(engine, client, 2)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(by_hand.TABLE)).all()
    assert sorted(client.keys) == sorted(row.key for row in rows)
    assert len(rows) == len({*client.keys}) == ROWS
    failed = [row for row in rows if row.error]
    assert {row.state for row in failed} == {"failed"}
    assert len(failed) == ROWS // 10
    others = {(row.state, row.request_id, row.status) for row in rows if not row.error}
    assert others == {("sent", "R1", "pending")}


def test_all_threads_share_one_token(monkeypatch):
    for name in ("VICTOR_CLIENT_ID", "VICTOR_CLIENT_SECRET"):
        monkeypatch.setenv(name, "canned")
    monkeypatch.setenv("VICTOR_BASE_URL", "http://localhost")
    asked = []

    def answer(request):
        asked.append((request.url.path, request.headers.get("Authorization")))
        if request.url.path != "/v2/auth/token":
            return httpx.Response(201, json=CREATED)
        time.sleep(0.05)
        expires = int(1000 * (time.time() + 3600))
        token = {"access_token": "canned", "token_type": "Bearer", "expires": expires}
        return httpx.Response(200, json=token)

    client = by_hand.Client(8)
    client._http = httpx.Client(base_url="http://localhost", transport=httpx.MockTransport(answer))
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(client.create, "abcdefgh", ["{}"] * 8)] == [CREATED] * 8
    assert asked.count(("/v2/auth/token", None)) == 1
    assert asked.count(("/v2/payment-requests", "Bearer canned")) == 8


def test_sqlite_has_the_write_ahead_log_that_the_state_of_bulk_has(engine):
    with engine.connect() as connection:
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
