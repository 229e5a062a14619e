"""A provider whose answers have no `Date`: after a crash, as many rows are in doubt as there were calls."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.bulk.bulk_runs import PATIENCE, Bulk, row, wait_until, write_csv
from tests.bulk.postgres import Postgres

WORKERS, ANSWERED, ROWS = 4, 35, 250
SEND = ("send", "march.csv", "--key-column", "invoice_no", "--workers", str(WORKERS))
TOKEN = {"access_token": "a-token", "token_type": "Bearer", "expires": 4_102_444_800_000}


class Provider(ThreadingHTTPServer):
    """Makes once what it is asked for under a key. After so many answers, the others wait until it goes on."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.made = Counter[str](), dict[str, dict[str, Any]]()
        self.goes_on, self.lock = threading.Event(), threading.Lock()

    def make(self, key: str, body: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            self.asked[key] += 1
            receipt = {"status": "created", "direction": "outbound", "payment_request": body}
            receipt |= {"client_reference_id": body.get("client_reference_id")}
            made = self.made.setdefault(key, {"victor_payment_request_id": f"R{len(self.made):09}", **receipt})
            is_held = len(self.asked) > ANSWERED
        if is_held:
            self.goes_on.wait(PATIENCE)
        return made

    def handle_error(self, *_: Any) -> None:
        """Nobody reads what a killed process was told."""


class Handler(BaseHTTPRequestHandler):
    server: Provider
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self._say(TOKEN if "token" in self.path else self.server.make(self.headers["idempotency-key"], body))

    def do_GET(self) -> None:
        shown = [] if "page=" in self.path and "page=0" not in self.path else [*self.server.made.values()]
        self._say({"page": 0, "page_size": ROWS, "results": shown})

    def _say(self, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response_only(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def provider(bulk: Bulk) -> Iterator[Provider]:
    with Provider() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        bulk.environment["VICTOR_BASE_URL"] = f"http://127.0.0.1:{server.server_port}"
        yield server
        server.goes_on.set()
        server.shutdown()


def no_more_are_in_doubt_than_there_were_calls(bulk: Bulk, provider: Provider, status: int, *state: str) -> None:
    outcomes = Counter(line["outcome"] for line in bulk("export", *state).table)
    assert outcomes.keys() <= {"created", "unknown"}
    assert (status, 0 < outcomes["unknown"] <= WORKERS, outcomes.total()) == (3, True, ROWS), outcomes
    assert [*provider.asked.values()] == [1] * ROWS


@pytest.mark.parametrize("has_references", [False, True])
def test_a_killed_sender(bulk: Bulk, provider: Provider, has_references: bool) -> None:
    references: Any = ({"client_reference_id": f"ref {number}"} if has_references else {} for number in range(ROWS))
    write_csv(bulk.folder / "march.csv", [row(number, **each) for number, each in enumerate(references)])
    with bulk.started(*SEND) as sending:
        wait_until(lambda: len(provider.asked) == ANSWERED + WORKERS, sending)
    now = bulk("status", "--json")
    assert (now.status, now.json["counts"]["unknown"] <= WORKERS) == (3, True)
    assert now.json["counts"]["waiting"] == ROWS - ANSWERED - WORKERS
    provider.goes_on.set()
    ended = bulk("resume", "--workers", str(WORKERS))
    if has_references:
        assert (ended.status, ended.out, ended.err) == (0, f"march.csv: {ROWS} rows: {ROWS} created\n", "")
        assert [*provider.asked.values()] == [1] * ROWS
    else:
        no_more_are_in_doubt_than_there_were_calls(bulk, provider, ended.status)


def test_a_sender_that_was_stopped_and_taken_over(
    bulk: Bulk, provider: Provider, postgres_server: Postgres, postgres: str
) -> None:
    write_csv(bulk.folder / "march.csv", [row(number) for number in range(ROWS)])
    state = ("--state", postgres)
    with bulk.started(*SEND, *state) as sleeping:
        wait_until(lambda: len(provider.asked) == ANSWERED + WORKERS, sleeping)
        sleeping.send_signal(signal.SIGSTOP)
        postgres_server.drop_connections(postgres)
        provider.goes_on.set()
        assert bulk("resume", "--workers", str(WORKERS), *state).status == 3
        sleeping.send_signal(signal.SIGCONT)
        _, err = sleeping.communicate(timeout=PATIENCE)
    assert "Traceback" not in err
    no_more_are_in_doubt_than_there_were_calls(bulk, provider, sleeping.returncode, *state)
