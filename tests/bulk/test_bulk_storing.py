"""Storing a batch: interrupted at any step, in two places at once, a million rows long, and with
nobody listening.
"""

import sqlite3
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from functools import partial
from itertools import count

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from tests.bulk.bulk_runs import (
    asked_once,
    change_state,
    in_state,
    keys_of,
    nothing_sent,
    outbound,
    respond_to_creates,
    row,
    rows,
)
from victor_ext import RetryPolicy
from victor_ext.bulk import StateLost
from victor_ext.bulk._loading import Loading
from victor_ext.bulk._run import status_of

pytestmark = pytest.mark.pull_request
SHORT, LONG = 5000, 20_000
"""Rows of the batches whose memory is compared."""


class Crash(BaseException):
    """Simulates the end of the process within one process."""


@contextmanager
def crash_before(number):
    """Let the process end before this statement of `Loading.store`. The list has those that were
    begun; the commit is the last one.
    """
    begun, store_all = [], Loading.store

    def note(statement):
        begun.append(statement)
        if len(begun) > number:
            raise Crash

    listeners = {
        "before_cursor_execute": lambda _c, _cursor, statement, *_rest: note(statement),
        "commit": lambda _connection: note("COMMIT"),
    }

    def store_now(self, *arguments):
        for name, listener in listeners.items():
            event.listen(sa.Engine, name, listener)
        try:
            return store_all(self, *arguments)
        finally:
            for name, listener in listeners.items():
                event.remove(sa.Engine, name, listener)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Loading, "store", store_now)
        yield begun


def dump_of(path):
    with closing(sqlite3.connect(path)) as database:
        return list(database.iterdump())


def test_a_source_whose_storing_was_interrupted_is_not_stored(sender, victor_sandbox, tmp_path):
    """At any statement of the one transaction, and at its commit."""
    path = tmp_path / "state.sqlite"
    sender.finish(rows(20))
    dump, numbers, is_stored = dump_of(path), count(), False
    while not is_stored:
        crashing = crash_before(next(numbers))
        with nothing_sent(victor_sandbox), crashing as statements, suppress(Crash):
            sender.store(rows(40))
            is_stored = True
        assert is_stored or dump_of(path) == dump
    # The last one let all of it be stored.
    assert statements[-1] == "COMMIT"
    for table in (
        "victor_bulk",
        "victor_bulk_payments",
        "victor_bulk_lines",
        "victor_bulk_sheets",
    ):
        assert any(f" {table} " in each for each in statements if not each.startswith("SELECT"))
    sender.finish()
    asked_once(victor_sandbox, rows(40))


def test_refused_rows_are_replaced_or_dropped(sender, victor_sandbox):
    sender = sender.of(skip_invalid=True)
    records = [row(1, amount="-1"), row(2, amount="0"), row(3)]
    sender.store(records)
    assert sender().resume().counts == {"refused": 2, "created": 1}
    records[1]["amount"] = "3.00"
    check = sender().send(records).check
    assert (check.new, check.set_aside) == (1, 1)
    assert [sender().drop() for _ in range(2)] == [1, 0]
    status = sender().status()
    assert (status.counts, status.exit_status) == ({"created": 2}, 0)
    # It is new if it comes again, and can be dropped again.
    assert sender().send(records).check.set_aside == 1
    assert sender().drop() == 1
    asked_once(victor_sandbox, records[1:])


OURS = rows(12)
OTHERS = rows(12, start=300)


@pytest.mark.parametrize(("batch", "theirs"), [("march", [*OTHERS, OURS[0]]), ("april", OURS)])
def test_the_second_of_two_senders_that_store_at_once_sees_the_rows_of_the_first(
    sender, victor_sandbox, monkeypatch, any_state, batch, theirs
):
    """Both have looked, and neither has stored: the second one sees what the first one stored.

    Files of one batch are no copies: its latest file counts, and what the other one has is left
    out.
    """
    store_all, both = Loading.store, threading.Barrier(2)

    def storing(self, *arguments):
        both.wait(60)
        return store_all(self, *arguments)

    own = sender.of(state=any_state)
    first = row(5000, invoice_no="first")
    own.store([first], batch="before")  # so that the state has its key
    monkeypatch.setattr(Loading, "store", storing)
    with ThreadPoolExecutor() as pool:
        ours = pool.submit(own.store, OURS, batch="march")
        pool.submit(own.store, theirs, batch=batch).result()
        ours.result()
    for name in {"before", "march", batch}:
        own(batch=name).resume()
    is_ours = keys_of(OURS) <= {*victor_sandbox.work_done_by_key()}
    asked_once(victor_sandbox, [first, *(OURS if is_ours else theirs)])


WAITING = "count(*) FROM victor_bulk WHERE state = 'waiting'"


def test_what_waits_and_the_next_sheet_lacks_or_spoils_is_pulled_back(
    sender, victor_sandbox, tmp_path
):
    sender.store(rows(3))
    sender.store([row(1), row(2, amount="0")], skip_invalid=True)
    assert in_state(tmp_path / "state.sqlite", WAITING) == [1]
    assert sender().resume().counts == {"created": 1, "refused": 1}
    asked_once(victor_sandbox, rows(1))


@pytest.mark.parametrize("again", [None, [row(1), row(3)]], ids=["resume", "send"])
def test_a_batch_does_not_override_a_newer_sheet_of_another_one(sender, victor_sandbox, again):
    newer = [row(1, amount="9.00"), row(2)]
    sender.store([row(1), row(3)])
    sender.store(newer, batch="april")
    status = sender().send(again) if again else sender().resume()
    assert status.counts == {"created": 1, "to_decide": 1}
    assert status.noticed == {"not_asked": 1}
    sender.finish(batch="april")
    asked_once(victor_sandbox, [*newer, row(3)])


def test_resume_asks_for_nothing_that_a_newer_sheet_has_corrected(sender, victor_sandbox):
    """Both sheets were rejected, and the payers are enrolled since."""
    respond_to_creates(victor_sandbox, 400, 4)
    sender().send([row(11), row(12, amount="2400.00")])
    sender(batch="april").send([row(12, amount="240.00"), row(13)])
    with nothing_sent(victor_sandbox):
        status = sender().resume()
        assert status.counts == {"rejected": 1, "to_decide": 1}
        assert (status.noticed, status.exit_status) == ({"not_asked": 1}, 1)
        assert sender(batch="april").resume().counts == {"rejected": 2}


def test_resume_sends_no_earlier_values_of_what_was_under_way_when_its_correction_was_stored(
    sender, victor_sandbox, tmp_path
):
    state = tmp_path / "state.sqlite"
    sender.store(rows(1))
    change_state(state, "UPDATE victor_bulk SET state = 'sending'")
    sender.store([row(1, amount="9.00")])
    change_state(state, "UPDATE victor_bulk SET state = 'waiting'")
    with nothing_sent(victor_sandbox):
        assert sender().resume().counts == {"to_decide": 1}
    sender.finish([row(1, amount="9.00")])


class Refusing(httpx.HTTPTransport):
    """The way to the provider. Something happens before the first create, which finds no way."""

    def __init__(self, happens):
        super().__init__()
        self._happens = [happens]

    def handle_request(self, request):
        if self._happens and request.url.path.endswith("/request-payment"):
            self._happens.pop()()
            raise httpx.ConnectError("refused")
        return super().handle_request(request)


def test_what_was_corrected_while_its_call_was_under_way_is_not_sent_once_that_has_ended(
    sender, clients, victor_sandbox
):
    """The first run goes on, and nobody has called `resume`."""
    corrected = [row(1, amount="100.00"), row(2)]
    transport = Refusing(partial(sender.store, corrected))
    retry = RetryPolicy(base=0.0, max_attempts=1)
    victor = clients(transport=transport, retry=retry)
    sender(victor=victor, patience=10).send([row(1, amount="1000.00"), row(2)])
    assert sender().status().counts == {"created": 1, "to_decide": 1}
    sender.finish(corrected)
    asked_once(victor_sandbox, corrected)
    assert {float(request["amount"]) for request in outbound(victor_sandbox)} == {100.00, 3.23}


def test_dropping_a_batch_pulls_back_what_it_alone_asks_for(sender, victor_sandbox, tmp_path):
    sender.store(rows(2))
    sender.store([row(2), row(3)], batch="april")
    sender().drop()
    assert in_state(tmp_path / "state.sqlite", WAITING) == [2]
    sender.finish(batch="april")
    asked_once(victor_sandbox, [row(2), row(3)])


def test_a_sheet_whose_rows_were_forgotten_is_stored_anew_when_it_comes_again(sender, tmp_path):
    sheets = "count(*) FROM victor_bulk_sheets"
    for _ in range(2):
        sender.finish(rows(2))
    assert in_state(tmp_path / "state.sqlite", sheets) == [1]
    sender().forget(older_than=timedelta(0))
    sender.finish(rows(2))
    assert {*sender.results()} == {"INV-1", "INV-2"}


@pytest.mark.parametrize("part", ["victor_bulk", "victor_bulk_payments"])
def test_a_batch_of_which_a_part_was_deleted_is_refused_with_its_name(
    sender, victor_sandbox, tmp_path, part
):
    sender.finish(rows(2))
    (first,) = keys_of(rows(1))
    change_state(tmp_path / "state.sqlite", f"DELETE FROM {part} WHERE key = '{first}'")
    own = sender()
    sends = (partial(own.send, rows(2)), partial(own.check, rows(2)))
    with nothing_sent(victor_sandbox):
        for act in (*sends, own.status, sender.results, own.resume):
            with pytest.raises(StateLost, match="march"):
                act()


@pytest.mark.nightly
def test_memory_does_not_grow_with_the_number_of_rows(sender, monkeypatch, tmp_path):
    """All of it but the sending: that takes as long as the provider does, and its rows are gone
    when they are sent.
    """

    monkeypatch.setattr("victor_ext.bulk._sender.run_batch", lambda store, _: status_of(store))
    peaks = []
    for number in (SHORT, SHORT, LONG, LONG):  # the first time, modules are loaded
        tracemalloc.start()
        state = f"sqlite:///{tmp_path}/{len(peaks)}.sqlite"
        assert sender(state=state).send(map(row, range(number))).rows == number
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # What other threads of this process allocate meanwhile is in one of the two peaks alone.
    assert min(peaks[2:]) - peaks[1] < 36 * (LONG - SHORT), "a key alone has 36 characters"
