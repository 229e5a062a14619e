"""A machine whose clock is wrong, a provider that tells no time: a doubt about the age of a key
sends nothing.
"""

import itertools
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.bulk.bulk_runs import (
    PATIENCE,
    Bulk,
    Clients,
    Senders,
    asked_once,
    change_state,
    keys_of,
    lose_answers,
    made_in,
    nothing_sent,
    referenced,
    row,
    rows,
    shifted,
    wait_for_rows,
    wait_until,
)
from tests.bulk.postgres import Postgres
from tests.faults.raw_provider import Exchange, RawProvider, answer
from tests.faults.raw_sockets import background
from tests.histories.provider import Provider, Rules
from tests.suspends import Machine, machine
from victor_ext import RetryPolicy, idempotency_key_for
from victor_ext.event_queue.databases import CLOCKS
from victor_ext.outbox.claims import GROUP
from victor_ext.sandbox import Sandbox

__all__ = ["machine"]
HOUR, DAY = 3600, 24 * 3600
KEPT = HOUR // 2
"""Seconds for which the provider keeps a key."""
LAPSED = KEPT + 600
SEND = ("--key-column", "invoice_no", "--workers", "1", "--key-retention", f"{KEPT}s")
pytestmark = [pytest.mark.slow, pytest.mark.victor_sandbox(key_life=KEPT)]


def break_off(
    bulk: Bulk, victor_sandbox: Sandbox, records: Any, count: int, *state: str, ahead: float = 0
) -> None:
    """Send these rows on a machine whose clock is ahead; kill it when so many are made, of which
    the last one has no result.
    """
    bulk.write(records, "march")
    before = count - 1
    victor_sandbox.inject("delay", operation="create", delay=60, work=True, skip=before, times=None)
    with bulk.started("send", "march", *SEND, *state, **shifted(ahead)) as process:
        wait_for_rows(victor_sandbox, count, process)
        assert process.poll() is None, process.communicate()
    victor_sandbox.clear_faults()


@pytest.mark.pull_request
@pytest.mark.parametrize(
    ("when_sending", "when_resuming", "words"),
    [(HOUR, -HOUR, ("resume",)), (-HOUR, -2 * HOUR, ("send", "march"))],
)
def test_a_key_that_lapsed_is_not_sent_again_whatever_the_machines_clock_says(
    bulk: Bulk,
    victor_sandbox: Sandbox,
    when_sending: int,
    when_resuming: int,
    words: tuple[str, ...],
) -> None:
    break_off(bulk, victor_sandbox, referenced(4), 4, ahead=when_sending)
    victor_sandbox.set_clock_skew(LAPSED)
    with nothing_sent(victor_sandbox):
        ended = bulk(*words, **shifted(LAPSED + when_resuming))
    # They are found by their references.
    assert ended.status == 0, ended.err
    asked_once(victor_sandbox, referenced(4))
    assert {line["outcome"] for line in bulk("export").table} == {"created"}


@pytest.mark.pull_request
@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_a_key_that_is_kept_is_sent_again_however_wrong_the_machines_clock_is(
    bulk: Bulk, victor_sandbox: Sandbox, ahead: int
) -> None:
    """The rows have no reference to be found by: the same key alone can settle them."""
    break_off(bulk, victor_sandbox, rows(4), 4, ahead=ahead)
    victor_sandbox.set_clock_skew(60)
    ended = bulk("resume", **shifted(60 + ahead))
    assert ended.status == 0
    assert ended.err == ""
    asked_once(victor_sandbox, rows(4))
    assert sorted(victor_sandbox.attempts_by_key().values()) == [1, 1, 1, 2]


class Standing(httpx.HTTPTransport):
    """A way to a provider whose `Date` stands still, so that the provider's clock shows no age."""

    date: str | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        self.date = self.date or response.headers["date"]
        response.headers["date"] = self.date
        return response


@pytest.mark.parametrize(("hours", "attempts"), [(0, 2), (1, 1)])
def test_the_larger_age_counts_where_the_clock_of_the_provider_stands_still(
    clients: Clients,
    victor_sandbox: Sandbox,
    sender: Senders,
    machine: Machine,
    hours: int,
    attempts: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lose_answers(victor_sandbox, 1)
    way, once, kept = Standing(), RetryPolicy(max_attempts=1), timedelta(seconds=KEPT)
    first = sender(victor=clients(transport=way, retry=once), key_retention=kept)
    assert first.send(rows(1)).counts == {"unknown": 1}
    machine.asleep = hours * HOUR
    monkeypatch.setitem(CLOCKS, "sqlite", f"({CLOCKS['sqlite']} + {machine.asleep})")
    sender(victor=clients(transport=way, retry=once), key_retention=kept).resume()
    assert [*victor_sandbox.attempts_by_key().values()] == [attempts]


@pytest.mark.pull_request
def test_the_age_of_a_key_counts_from_its_first_sending_though_it_was_sent_again(
    bulk: Bulk, victor_sandbox: Sandbox
) -> None:
    """Two senders are killed before they have a result; the second one sends within the key's
    life.
    """
    break_off(bulk, victor_sandbox, rows(1), 1)
    victor_sandbox.set_clock_skew(KEPT // 2)
    victor_sandbox.inject("delay", operation="create", delay=60, times=None)
    with bulk.started("resume", **shifted(KEPT // 2)) as process:
        wait_until(lambda: [*victor_sandbox.attempts_by_key().values()] == [2], process)
    victor_sandbox.clear_faults()
    victor_sandbox.set_clock_skew(LAPSED)
    with nothing_sent(victor_sandbox):
        assert bulk("resume", **shifted(LAPSED)).status == 3
    asked_once(victor_sandbox, rows(1))


def test_rows_are_looked_up_and_none_is_sent_when_their_key_is_too_old(
    bulk: Bulk, victor_sandbox: Sandbox, sender: Senders
) -> None:
    records = [*referenced(5), row(6)]
    break_off(bulk, victor_sandbox, records, 3)
    victor_sandbox.set_clock_skew(LAPSED)
    again = sender(state=bulk.state)
    with nothing_sent(victor_sandbox):
        status = again.resume()
        assert status.counts == {"created": 3, "unknown": 3}
        assert status.exit_status == 3
        results = list(again.export())
        # Nothing changes when it is tried once more, in either way.
        assert again.resume().exit_status == 3
        assert again.send(records).exit_status == 3
    assert [result.outcome for result in results] == ["created"] * 3 + ["unknown"] * 3
    ids = {request["client_reference_id"]: request["id"] for request in victor_sandbox.requests()}
    assert {f"REF-{result.row}": result.id for result in results[:3]} == ids
    assert "keeps its key. A look-up shows that it was done." in results[2].error
    assert "check it by hand" in results[3].error
    assert "no client_reference_id" in results[5].error


def test_rows_that_were_never_sent_are_sent_also_after_the_life_of_a_key(
    bulk: Bulk, victor_sandbox: Sandbox, any_state: str
) -> None:
    state = ("--state", any_state)
    break_off(bulk, victor_sandbox, referenced(120), 8, *state)
    counts = bulk("status", "--json", *state).json["counts"]
    # Each result is stored before the next call begins; a group of rows is marked in advance.
    assert counts == {"created": 7, "unknown": GROUP - 7, "waiting": 120 - GROUP}
    before = bulk("export", *state).table
    assert Counter(line["outcome"] for line in before) == counts
    assert "interrupted" in before[7]["error"]
    victor_sandbox.set_clock_skew(LAPSED)
    ended = bulk("resume", "--patience", "1", *state)
    after = Counter(line["outcome"] for line in bulk("export", *state).table)
    assert ended.status == 3, ended
    assert after.keys() == {"created", "unknown"}, ended
    assert after.total() == 120
    assert after["unknown"] == GROUP - 8
    assert [*victor_sandbox.attempts_by_key().values()] == [1] * after["created"]


def test_a_worker_that_slept_longer_than_keys_are_kept_sends_no_row_that_another_one_has_sent(
    bulk: Bulk, victor_sandbox: Sandbox, postgres_server: Postgres, postgres: str
) -> None:
    """A virtual machine that is suspended in the middle of a batch, so that its connections are
    dropped.
    """
    bulk.write(referenced(4), "march")
    ahead = bulk.folder / "ahead"
    ahead.write_text("0", "ascii")
    victor_sandbox.inject("delay", operation="create", delay=1, work=True, skip=1, times=1)
    send = ("send", "march", *SEND, "--state", postgres)
    with bulk.started(*send, **shifted(ahead)) as sleeping:
        wait_for_rows(victor_sandbox, 2, sleeping)
        sleeping.send_signal(signal.SIGSTOP)
        postgres_server.drop_connections(postgres)
        assert bulk("resume", "--state", postgres).status == 0
        assert made_in(victor_sandbox) == 4
        ahead.write_text(str(LAPSED), "ascii")
        victor_sandbox.set_clock_skew(LAPSED)
        sleeping.send_signal(signal.SIGCONT)
        _, err = sleeping.communicate(timeout=PATIENCE)
    assert sleeping.returncode == 0, err
    asked_once(victor_sandbox, referenced(4))


class AnswersLate(httpx.HTTPTransport):
    """The answer to the first create comes after `meanwhile`."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self._meanwhile = meanwhile
        self._creates = itertools.count(1)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if "idempotency-key" in request.headers and next(self._creates) == 1:
            response.read()
            self._meanwhile()
        return response


def test_a_late_answer_is_one_to_the_key_that_it_was_sent_with(
    sender: Senders, clients: Clients, victor_sandbox: Sandbox, postgres: str
) -> None:
    """The first answer comes after another worker has settled the row, and a person has asked for
    it once more.
    """
    own = sender(state=postgres)

    def ask_again() -> None:
        with psycopg.connect(postgres) as connection:
            connection.execute("UPDATE victor_bulk SET leased_until = 0, worker = NULL")
        own.resume()
        victor_sandbox.move(sender.result(state=postgres).id, "declined")
        assert own.ask_again(["INV-1"], by="Ann", why="asked once more") == 1

    victor = clients(transport=AnswersLate(ask_again))
    sender(victor=victor, state=postgres).send(referenced(1))
    sender.finish(victor=victor, state=postgres)
    (first,) = keys_of(referenced(1))
    again = idempotency_key_for("again", first, 1)
    assert sender.result(state=postgres).key == again
    asked_once(victor_sandbox, referenced(1), again)


@pytest.mark.pull_request
def test_a_batch_with_a_rate_goes_on_after_a_clock_that_was_ahead(
    sender: Senders, tmp_path: Path
) -> None:
    """The next turn that it has reserved is in a year."""
    sender.finish(rows(1), rate=1)
    change_state(
        tmp_path / "state.sqlite",
        f"UPDATE victor_bulk_batches SET next_turn = next_turn + {365 * DAY}",
    )
    ends = time.monotonic() + PATIENCE / 4

    def watch(_status: object) -> None:
        assert time.monotonic() < ends, "It is held back."

    assert sender().send(rows(2), on_progress=watch).exit_status == 0


def test_the_time_is_asked_for_once_before_the_first_row_is_sent(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    sender.finish(rows(250), rate=1000)
    operations = [exchange.operation for exchange in victor_sandbox.received()]
    assert operations.count("list") == 1
    assert operations.index("list") < operations.index("create")


WORKERS, ANSWERED, ROWS = 4, 36, 250
WITH_WORKERS = ("--workers", str(WORKERS))
HELD = ANSWERED + WORKERS


class Held:
    """Does what it is asked. After so many rows, it answers no further one until it goes on."""

    def __init__(self, server: RawProvider) -> None:
        self.books, self.asked = Provider(Rules(), time.time), Counter[str]()
        self._server, self._held, self._goes_on = server, list[tuple[Exchange, bytes]](), False
        server.instead = self._act

    def _act(self, exchange: Exchange) -> None:
        key = exchange.request.key
        self.asked.update(filter(None, [key]))
        self._held.append((exchange, answer(self.books.answer_at_once(exchange.request).body)))
        if key is None or len(self.asked) <= ANSWERED or self._goes_on:
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


def no_more_are_in_doubt_than_there_were_calls(bulk: Bulk, provider: Held, *state: str) -> None:
    outcomes = Counter(line["outcome"] for line in bulk("export", *state).table)
    assert outcomes.keys() <= {"created", "unknown"}
    assert outcomes.total() == ROWS
    assert outcomes["unknown"] <= WORKERS
    assert [*provider.asked.values()] == [1] * ROWS


@pytest.mark.pull_request
@pytest.mark.parametrize("records", [rows(ROWS), referenced(ROWS)], ids=["plain", "referenced"])
def test_a_killed_sender(bulk: Bulk, provider: Held, records: list[dict[str, str]]) -> None:
    bulk.write(records)
    with bulk.sending("invoices.csv", *WITH_WORKERS) as sending:
        wait_until(lambda: len(provider.asked) == HELD, sending)
    now = bulk("status", "--json")
    counts = now.json["counts"]
    assert now.status == 3
    assert counts["waiting"] == ROWS - HELD
    assert counts["unknown"] <= WORKERS
    provider.go_on()
    assert bulk("resume", *WITH_WORKERS, "--patience", "1").status == 3
    no_more_are_in_doubt_than_there_were_calls(bulk, provider)
    errors = [line["error"] for line in bulk("export").table if line["outcome"] == "unknown"]
    assert errors
    if "client_reference_id" in records[0]:
        # What was found is named: no response has a time to compare its time with.
        why = "but only a machine's clock says when it was sent"
        assert all(why in error for error in errors)


def test_a_sender_that_was_stopped_and_taken_over(
    bulk: Bulk, provider: Held, postgres_server: Postgres, postgres: str
) -> None:
    bulk.write(rows(ROWS))
    state = ("--state", postgres)
    with bulk.sending("invoices.csv", *WITH_WORKERS, *state) as sleeping:
        wait_until(lambda: len(provider.asked) == HELD, sleeping)
        sleeping.send_signal(signal.SIGSTOP)
        postgres_server.drop_connections(postgres)
        provider.go_on()
        assert bulk("resume", *WITH_WORKERS, *state).status == 3
        ended = bulk.stopped(sleeping, signal.SIGCONT)
    assert ended.status in (0, 3)
    assert "Traceback" not in ended.err
    # What it was answered when it went on is certain, whoever has its rows by now.
    no_more_are_in_doubt_than_there_were_calls(bulk, provider, *state)
