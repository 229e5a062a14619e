"""A machine whose clock is wrong, a provider that tells no time: a doubt about the age of a key
sends nothing.
"""

import itertools
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bulk.bulk_runs import (
    PATIENCE,
    Bulk,
    Senders,
    asked_once,
    keys_of,
    row,
    rows,
    shifted,
    wait_until,
)
from tests.bulk.postgres import Postgres
from tests.cases import cases_beside
from tests.faults.raw_provider import Exchange, RawProvider, answer
from tests.faults.raw_sockets import background
from tests.histories.provider import Provider, Rules
from victor_ext import ProviderTime, RetryPolicy, Victor, VictorOAuth
from victor_ext.bulk import RowOutcome, worker
from victor_ext.bulk.delivery import MARKED_AHEAD
from victor_ext.bulk.layout import CHUNK
from victor_ext.sandbox import Sandbox
from victor_ext.settlement.key_age import Keys, Moment, Now, Sent, within_key_life

HOUR, DAY = 3600, 24 * 3600
KEPT = HOUR // 2
"""Seconds for which the provider keeps a key."""
SEND = ("--key-column", "invoice_no", "--workers", "1", "--key-retention", f"{KEPT}s")
pytestmark = [pytest.mark.slow, pytest.mark.victor_sandbox(key_life=KEPT)]


def broken_off(
    bulk: Bulk, victor_sandbox: Sandbox, file: Path, count: int, ahead: float, *state: str
) -> None:
    """Send these rows on a machine whose clock is ahead; kill it when all are made, and no result
    is stored.
    """
    victor_sandbox.inject(
        "delay", operation="create", delay=60, work=True, skip=count - 1, times=None
    )
    with bulk.started("send", file.name, *SEND, *state, **shifted(ahead)) as process:
        wait_until(lambda: sum(victor_sandbox.work_done_by_key().values()) >= count, process)
        assert process.poll() is None, process.communicate()
    victor_sandbox.clear_faults()


@pytest.mark.pull_request
@pytest.mark.parametrize(
    ("when_sending", "when_resuming", "resumes"),
    [
        (HOUR, -HOUR, "resume"),
        pytest.param(-HOUR, -2 * HOUR, "send", marks=pytest.mark.pull_request),
    ],
)
def test_a_key_that_lapsed_is_not_sent_again_whatever_the_machines_clock_says(
    bulk: Bulk, victor_sandbox: Sandbox, when_sending: int, when_resuming: int, resumes: str
) -> None:
    records = [row(number, client_reference_id=f"ref {number}") for number in range(1, 5)]
    file = bulk.write(records, "march.csv")
    broken_off(bulk, victor_sandbox, file, len(records), when_sending)
    passed = KEPT + 600
    victor_sandbox.set_clock_skew(passed)
    words = ("send", file.name) if resumes == "send" else ("resume",)
    ended = bulk(*words, **shifted(passed + when_resuming))
    # They are found by their references, and nobody was asked twice.
    asked_once(victor_sandbox, keys_of(records))
    assert set(victor_sandbox.attempts_by_key().values()) == {1}
    assert ended.status == 0, ended.err
    assert {line["outcome"] for line in bulk("export").table} == {"created"}


@pytest.mark.pull_request
def test_a_key_that_is_kept_is_sent_again_whatever_the_machines_clock_says(
    bulk: Bulk, victor_sandbox: Sandbox
) -> None:
    file = bulk.write(rows(4), "march.csv")
    broken_off(bulk, victor_sandbox, file, 4, -HOUR)
    victor_sandbox.set_clock_skew(60)
    # They have no reference to be found by: the same key alone can settle them.
    ended = bulk("resume", **shifted(60 + HOUR))
    assert (ended.status, ended.err) == (0, "")
    asked_once(victor_sandbox, keys_of(rows(4)))
    assert set(victor_sandbox.attempts_by_key().values()) == {2}


def test_rows_are_looked_up_and_none_is_sent_when_their_key_is_too_old(
    bulk: Bulk, victor_sandbox: Sandbox, sender: Senders
) -> None:
    records = [
        *(row(number, client_reference_id=f"REF-{number}") for number in range(1, 6)),
        row(6),
    ]
    broken_off(bulk, victor_sandbox, bulk.write(records, "march"), 3, 0)
    victor_sandbox.set_clock_skew(KEPT + 600)
    attempts, again = (
        victor_sandbox.attempts_by_key(),
        sender(state=f"sqlite:///{bulk.folder}/victor-bulk.sqlite"),
    )
    status = again.resume()
    assert (dict(status.counts), status.exit_status) == ({"created": 3, "unknown": 3}, 3)
    exported = list(again.export())
    assert [result.outcome for result in exported] == ["created"] * 3 + ["unknown"] * 3
    made = {
        request.get("client_reference_id"): request["id"] for request in victor_sandbox.requests()
    }
    assert [result.id for result in exported[:3]] == [made[f"REF-{number}"] for number in (1, 2, 3)]
    says = {
        1: "identified by its client_reference_id",
        4: "check it by hand",
        6: "no client_reference_id",
    }
    assert [
        number for number, text in says.items() if text not in (exported[number - 1].error or "")
    ] == []
    # Nothing changes when it is tried once more, in either way.
    assert (again.resume().exit_status, again.send(records).exit_status) == (3, 3)
    assert victor_sandbox.attempts_by_key() == attempts


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_rows_that_were_never_sent_are_sent_also_after_the_life_of_a_key(
    bulk: Bulk, victor_sandbox: Sandbox, request: pytest.FixtureRequest, database: str
) -> None:
    state = ("--state", request.getfixturevalue("postgres")) if database == "postgres" else ()
    records = [row(number, client_reference_id=f"ref {number}") for number in range(1, 251)]
    file = bulk.write(records, "march.csv")
    broken_off(bulk, victor_sandbox, file, 40, 0, *state)
    under_way, exported = (
        bulk("status", "--json", *state).json["counts"],
        bulk("export", *state).table,
    )
    assert (
        under_way.keys() == {"unknown", "waiting"}
        and 40 <= under_way["unknown"] <= 2 * MARKED_AHEAD
    )
    assert (
        Counter(line["outcome"] for line in exported),
        "interrupted" in exported[0]["error"],
    ) == (under_way, True)
    victor_sandbox.set_clock_skew(KEPT + 600)
    ended = bulk("resume", *state, **shifted(KEPT + 600))
    outcomes = Counter(line["outcome"] for line in bulk("export", *state).table)
    assert (ended.status, outcomes.keys()) == (3, {"created", "unknown"}), ended
    assert (outcomes["unknown"] <= MARKED_AHEAD, outcomes.total()) == (True, 250), outcomes
    assert [*victor_sandbox.attempts_by_key().values()] == [1] * outcomes["created"]


def test_a_worker_that_slept_longer_than_keys_are_kept_sends_no_row_that_another_one_has_sent(
    bulk: Bulk, victor_sandbox: Sandbox, postgres_server: Postgres, postgres: str
) -> None:
    """A virtual machine that is suspended in the middle of a chunk, so that its connections are
    dropped.
    """
    records = [row(number, client_reference_id=f"ref {number}") for number in range(1, 5)]
    file = bulk.write(records, "march.csv")
    ahead = bulk.folder / "ahead"
    ahead.write_text("0", "ascii")
    victor_sandbox.inject("delay", operation="create", delay=1, work=True, skip=1, times=1)
    with bulk.started("send", file.name, *SEND, "--state", postgres, **shifted(ahead)) as sleeping:
        wait_until(lambda: sum(victor_sandbox.work_done_by_key().values()) >= 2, sleeping)
        sleeping.send_signal(signal.SIGSTOP)
        postgres_server.drop_connections(postgres)
        assert bulk("resume", "--state", postgres).status == 0
        assert sum(victor_sandbox.work_done_by_key().values()) == len(records)
        ahead.write_text(str(KEPT + 600), "ascii")
        victor_sandbox.set_clock_skew(KEPT + 600)
        sleeping.send_signal(signal.SIGCONT)
        _, err = sleeping.communicate(timeout=PATIENCE)
    assert sleeping.returncode == 0, err
    asked_once(victor_sandbox, keys_of(records))


class TakenOver(httpx.HTTPTransport):
    """The way to the provider. Another worker takes the chunk over during the first and the second
    call for its row.

    The first call is refused after the second one has done the work, and the answer to the second
    one is lost.
    """

    def __init__(self) -> None:
        super().__init__()
        self._calls, self._done, self._repeated = (
            itertools.count(),
            threading.Event(),
            threading.Event(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        call = (
            next(self._calls)
            if request.method == "POST" and "token" not in request.url.path
            else None
        )
        if call == 0:
            self._take_over()
            assert self._done.wait(PATIENCE)
            return httpx.Response(400, json={})
        response = super().handle_request(request)
        if call == 1:
            self._done.set()
            # the first worker cannot store its result, and ends
            while len(self._worker().take_over.running) > 1:
                time.sleep(0.01)
            self._take_over()
            self._repeated.wait(5)
            raise httpx.ReadError("it is lost")
        if call == 2:
            self._repeated.set()
        return response

    @staticmethod
    def _worker() -> Any:
        return worker._current

    def _take_over(self) -> None:
        here = self._worker()
        with here._context.open() as store:
            for info in store.client.list_workflows(status="PENDING", name=CHUNK):
                store.client.resume_workflow(info.workflow_id, queue_name=info.queue_name)


def test_a_worker_whose_chunk_was_taken_over_stores_nothing(
    sender: Senders, oauth_client: tuple[str, str], victor_sandbox: Sandbox, postgres: str
) -> None:
    records, options = (
        [row(1, client_reference_id="ref 1")],
        {"retry": RetryPolicy(base=0.0, max_attempts=1)},
    )
    auth = VictorOAuth(*oauth_client)
    with Victor(auth, base_url=victor_sandbox.url, transport=TakenOver(), **options) as victor:
        assert dict(sender(victor=victor, state=postgres).send(records).counts) == {"created": 1}
    asked_once(victor_sandbox, keys_of(records))


class AnswersLate(TakenOver):
    """The way to the provider. Its first answer comes after another worker has settled the row, and
    a person has asked for it once more.
    """

    def __init__(self, ask_again: Callable[[], None]) -> None:
        super().__init__()
        self._ask_again = ask_again

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        is_create = request.method == "POST" and "token" not in request.url.path
        response = httpx.HTTPTransport.handle_request(self, request)
        if is_create and next(self._calls) == 0:
            response.read()
            self._take_over()
            self._ask_again()
        return response


def test_a_late_answer_is_one_to_the_key_that_it_was_sent_with(
    sender: Senders, oauth_client: tuple[str, str], victor_sandbox: Sandbox, postgres: str
) -> None:
    """The worker that was taken over stores nothing of a payment that has its next key by then."""
    records, asked = [row(1, client_reference_id="ref 1")], list[int]()

    def ask_again() -> None:
        while not sender(state=postgres).status().counts[RowOutcome.CREATED]:
            time.sleep(0.01)
        (first,) = sender(state=postgres).export()
        victor_sandbox.move(first.id, "declined")
        person = {"by": "Ann", "why": "asked once more"}
        asked.append(sender(state=postgres).ask_again(["INV-1"], **person))

    auth = VictorOAuth(*oauth_client)
    transport = AnswersLate(ask_again)
    with Victor(auth, base_url=victor_sandbox.url, transport=transport) as victor:
        sender(victor=victor, state=postgres).send(records)
        sender(victor=victor, state=postgres).resume()
    (again,) = sender(state=postgres).export()
    assert asked == [1]
    asked_once(victor_sandbox, keys_of(records) | {again.key})
    assert again.key not in keys_of(records)


@pytest.mark.pull_request
def test_a_batch_with_a_rate_goes_on_after_a_clock_that_was_ahead(
    sender: Senders, tmp_path: Path
) -> None:
    """DBOS counts the chunks that began within a period: those of next year would be in each period
    until then.
    """
    sender(rate=1).send(rows(1))
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as database, database:
        database.execute(
            "UPDATE workflow_status SET started_at_epoch_ms = started_at_epoch_ms + ?",
            (365 * DAY * 1000,),
        )
    ends = time.monotonic() + PATIENCE / 4

    def watch(_status: object) -> None:
        assert time.monotonic() < ends, "It is held back."

    assert sender(rate=1).send(rows(2), on_progress=watch).exit_status == 0


def test_nothing_is_looked_for_in_the_future() -> None:
    without_date = replace(BY_PROVIDER, provider=replace(BY_PROVIDER.provider, is_known=False))
    for known, now in itertools.product((True, False), (BY_PROVIDER, without_date)):
        assert Sent(NOW + 365 * DAY, "me", known=known).earliest(now).timestamp() < NOW


@pytest.mark.parametrize("machine_ahead", [0.0, 3 * DAY, -3 * DAY, 365 * DAY, -365 * DAY])
def test_no_clock_of_a_machine_moves_a_time_of_the_provider(machine_ahead: float) -> None:
    """What was made before is another's, though this machine's clock says that it was later."""
    sent = Sent(NOW - HOUR, "me", known=True)
    present = datetime.fromtimestamp(NOW + machine_ahead, UTC)
    now = Now(Moment(NOW + machine_ahead, 50.0), ProviderTime(present, is_known=False))
    assert sent.first(now) == datetime.fromtimestamp(NOW - HOUR, UTC)
    assert sent._replace(known=False).first(now) is None


NOW = 1_800_000_000.0
SENT_AGAIN, TOO_OLD, CALLERS = None, "longer ago than", "credentials"


def reason(
    sent: Sent | Moment | None, now: Now, kept: float = DAY, caller: str = "me"
) -> str | None:
    doubt = Keys(kept, caller).doubt(sent, now)
    return None if doubt is None else doubt[1]


BY_PROVIDER = Now(Moment(NOW, 50.0), ProviderTime(datetime.fromtimestamp(NOW, UTC), is_known=True))


@pytest.mark.parametrize(("age", "kept", "why"), cases_beside(__file__)["ages"])
def test_what_is_sent_again_at_which_age(age: float, kept: float, why: str | None) -> None:
    found = reason(Sent(NOW - age, "me", known=True), BY_PROVIDER, kept)
    assert found is None if why is None else why in (found or "")
    if why is SENT_AGAIN:
        assert CALLERS in (reason(Sent(NOW - age, "another", known=True), BY_PROVIDER, kept) or "")


@given(st.floats(100, 10 * DAY), st.floats(0, 1), st.none() | st.floats(1, 20 * DAY))
def test_a_call_that_is_made_ends_before_its_key(
    kept: float, part: float, deadline: float | None
) -> None:
    with Victor(VictorOAuth("id", "not-a-secret"), deadline=deadline) as victor:
        longest = within_key_life(victor, kept).deadline
    assert longest is not None and longest <= (deadline or longest)
    age = part * kept
    assert reason(None, BY_PROVIDER, kept) is SENT_AGAIN and longest < kept
    assert reason(Sent(NOW - age, "me", known=True), BY_PROVIDER, kept) or age + longest < kept


@pytest.mark.parametrize(
    ("set_by", "slept"), [(0, 0), (HOUR, 0), (-HOUR, 0), (0, HOUR), (-HOUR, HOUR)]
)
def test_a_row_that_was_first_sent_in_this_process_is_as_old_as_any_clock_says(
    set_by: float, slept: float
) -> None:
    there = NOW - 7 * HOUR
    first = Now(Moment(NOW, 50.0), ProviderTime(datetime.fromtimestamp(there, UTC), is_known=False))
    assert Sent.at(first.moment, first, "me") == Sent(NOW, "me", known=False)
    passed = max(600, 600 + slept + set_by)
    # By now a response has a `Date`, so the time of sending is known.
    provider = ProviderTime(datetime.fromtimestamp(there + passed, UTC), is_known=True)
    now = Now(Moment(NOW + 600 + slept + set_by, 650.0), provider)
    sent = Sent.at(first.moment, now, "me")
    assert sent == Sent(there, "me", known=True, spread=sent.spread)
    # What was made before all clocks say that it was sent may be another program's.
    no_less = max(0, min(600, 600 + slept + set_by))
    assert sent.first(now) == datetime.fromtimestamp(there + passed - no_less, UTC)
    assert reason(first.moment, now, passed + 300) is None
    assert TOO_OLD in (reason(first.moment, now, passed + 60) or "")


def test_the_time_is_asked_for_once_before_the_first_row_is_sent(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    assert sender(rate=1000).send(rows(700)).exit_status == 0
    asked = [exchange.operation for exchange in victor_sandbox.received()]
    assert asked.count("list") == 1
    assert asked.index("list") < asked.index("create")


WORKERS, ANSWERED, ROWS = 4, 36, 250
SEND_MARCH = ("send", "march.csv", "--key-column", "invoice_no", "--workers", str(WORKERS))


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


def no_more_are_in_doubt_than_there_were_calls(
    bulk: Bulk, provider: Held, status: int, *state: str
) -> None:
    outcomes = Counter(line["outcome"] for line in bulk("export", *state).table)
    assert outcomes.keys() <= {"created", "unknown"}
    is_bounded = 0 < outcomes["unknown"] <= WORKERS
    assert (status, is_bounded, outcomes.total()) == (3, True, ROWS), outcomes
    assert [*provider.asked.values()] == [1] * ROWS


@pytest.mark.pull_request
@pytest.mark.parametrize("has_references", [False, True])
def test_a_killed_sender(bulk: Bulk, provider: Held, has_references: bool) -> None:
    references: Any = (
        {"client_reference_id": f"ref {number}"} if has_references else {} for number in range(ROWS)
    )
    bulk.write([row(number, **each) for number, each in enumerate(references)], "march.csv")
    with bulk.started(*SEND_MARCH) as sending:
        wait_until(lambda: len(provider.asked) == ANSWERED + WORKERS, sending)
    now = bulk("status", "--json")
    assert (now.status, now.json["counts"]["unknown"] <= WORKERS) == (3, True)
    assert now.json["counts"]["waiting"] == ROWS - ANSWERED - WORKERS
    provider.go_on()
    ended = bulk("resume", "--workers", str(WORKERS))
    no_more_are_in_doubt_than_there_were_calls(bulk, provider, ended.status)
    if has_references:  # what was found is named: no response has a time to compare its time with
        errors = [line["error"] for line in bulk("export").table if line["outcome"] == "unknown"]
        assert all("but only a machine's clock says when it was sent" in text for text in errors)


def test_a_sender_that_was_stopped_and_taken_over(
    bulk: Bulk, provider: Held, postgres_server: Postgres, postgres: str
) -> None:
    bulk.write([row(number) for number in range(ROWS)], "march.csv")
    state = ("--state", postgres)
    with bulk.started(*SEND_MARCH, *state) as sleeping:
        wait_until(lambda: len(provider.asked) == ANSWERED + WORKERS, sleeping)
        sleeping.send_signal(signal.SIGSTOP)
        postgres_server.drop_connections(postgres)
        provider.go_on()
        assert bulk("resume", "--workers", str(WORKERS), *state).status == 3
        sleeping.send_signal(signal.SIGCONT)
        _, err = sleeping.communicate(timeout=PATIENCE)
    assert "Traceback" not in err
    # What it was answered when it went on is certain, whoever has its rows by now.
    outcomes = Counter(line["outcome"] for line in bulk("export", *state).table)
    assert outcomes.keys() <= {"created", "unknown"}
    assert (outcomes["unknown"] <= WORKERS, outcomes.total()) == (True, ROWS)
    assert sleeping.returncode in (0, 3)
    assert [*provider.asked.values()] == [1] * ROWS
