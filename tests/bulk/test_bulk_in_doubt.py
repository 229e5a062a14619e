"""A provider whose answers have no `Date`: after a crash, as many rows are in doubt as there were calls."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest

from tests.bulk.bulk_runs import PATIENCE, Bulk, row, wait_until, write_csv
from tests.bulk.postgres import Postgres
from tests.faults.raw_provider import Exchange, RawProvider, answer
from tests.faults.raw_sockets import background
from tests.histories.provider import Provider, Rules

pytestmark = pytest.mark.slow
WORKERS, ANSWERED, ROWS = 4, 35, 250
SEND = ("send", "march.csv", "--key-column", "invoice_no", "--workers", str(WORKERS))


class Held:
    """Does what it is asked. After so many rows, it answers no further one until it goes on."""

    def __init__(self, server: RawProvider) -> None:
        self.books, self.asked = Provider(Rules(), time.time), Counter[str]()
        self._server, self._held, self._goes_on = server, list[tuple[Exchange, bytes]](), False
        server.instead = self._act

    def _act(self, exchange: Exchange) -> None:
        raw = exchange.request
        request = httpx.Request(raw.method, f"https://victor.test{raw.path}", headers=raw.headers, content=raw.body)
        with self.books.working(request, raw.body, 0) as reply:
            self.asked.update(filter(None, [raw.key]))
            self._held.append((exchange, answer(reply.body)))
        if raw.key is None or len(self.asked) <= ANSWERED or self._goes_on:
            exchange.send(self._held.pop()[1])

    def go_on(self) -> None:
        """Answer, from now on, and to those that still wait."""
        self._goes_on = True
        for exchange, data in self._held:
            self._server.background.do(partial(exchange.send, data))


@pytest.fixture
def provider(bulk: Bulk) -> Iterator[Held]:
    with background() as loop:
        server = RawProvider(loop)
        bulk.environment["VICTOR_BASE_URL"] = server.url()
        yield Held(server)
        server.close()


def no_more_are_in_doubt_than_there_were_calls(bulk: Bulk, provider: Held, status: int, *state: str) -> None:
    outcomes = Counter(line["outcome"] for line in bulk("export", *state).table)
    assert outcomes.keys() <= {"created", "unknown"}
    assert (status, 0 < outcomes["unknown"] <= WORKERS, outcomes.total()) == (3, True, ROWS), outcomes
    assert [*provider.asked.values()] == [1] * ROWS


@pytest.mark.parametrize("has_references", [False, True])
def test_a_killed_sender(bulk: Bulk, provider: Held, has_references: bool) -> None:
    references: Any = ({"client_reference_id": f"ref {number}"} if has_references else {} for number in range(ROWS))
    write_csv(bulk.folder / "march.csv", [row(number, **each) for number, each in enumerate(references)])
    with bulk.started(*SEND) as sending:
        wait_until(lambda: len(provider.asked) == ANSWERED + WORKERS, sending)
    now = bulk("status", "--json")
    assert (now.status, now.json["counts"]["unknown"] <= WORKERS) == (3, True)
    assert now.json["counts"]["waiting"] == ROWS - ANSWERED - WORKERS
    provider.go_on()
    ended = bulk("resume", "--workers", str(WORKERS))
    if has_references:
        assert (ended.status, ended.out, ended.err) == (0, f"march.csv: {ROWS} rows: {ROWS} created\n", "")
        assert [*provider.asked.values()] == [1] * ROWS
    else:
        no_more_are_in_doubt_than_there_were_calls(bulk, provider, ended.status)


def test_a_sender_that_was_stopped_and_taken_over(
    bulk: Bulk, provider: Held, postgres_server: Postgres, postgres: str
) -> None:
    write_csv(bulk.folder / "march.csv", [row(number) for number in range(ROWS)])
    state = ("--state", postgres)
    with bulk.started(*SEND, *state) as sleeping:
        wait_until(lambda: len(provider.asked) == ANSWERED + WORKERS, sleeping)
        sleeping.send_signal(signal.SIGSTOP)
        postgres_server.drop_connections(postgres)
        provider.go_on()
        assert bulk("resume", "--workers", str(WORKERS), *state).status == 3
        sleeping.send_signal(signal.SIGCONT)
        _, err = sleeping.communicate(timeout=PATIENCE)
    assert "Traceback" not in err
    no_more_are_in_doubt_than_there_were_calls(bulk, provider, sleeping.returncode, *state)
