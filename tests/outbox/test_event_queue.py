"""What outboxes and inboxes have in common, their events: who handles one, how often it is tried,
what becomes of one that cannot be handled, and of one that nobody wants.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from tests.outbox.rows import (
    change,
    change_events,
    end_waits,
    inbox_of,
    key_of,
    notes,
    received_number,
    stored,
    waits_since,
    write,
)
from tests.payments import invoice
from tests.providers.flexfactor.test_flexfactor_webhooks import webhooks
from victor_ext._event_queue.queue import MOST_TRIES
from victor_ext.outbox import Outbox

pytestmark = pytest.mark.slow
# Seconds that the clocks of a database and of Python may differ by.
CLOCK_STEP = 0.1
PATIENCE = 30.0


class Queue:
    """Events in the tables of an outbox or an inbox, and boxes that handle them.

    Attributes:
        name: That of each event.
        source: Whom or what each comes from.
    """

    def __init__(self, kind, engine):
        self.is_outbox, self.engine = kind == "outbox", engine
        self.name, self.source = "payment.accepted", "payor-1"
        if self.is_outbox:
            self.name, self.source = "sent", "payment_requests.create"
        self.box = self.new_box()
        self.box.create_table()

    def new_box(self, engine=None, *, other_system=False):
        """A box as another process has it, which may have an engine of its own."""
        own = engine or self.engine
        if self.is_outbox:
            client = SimpleNamespace(provider="Velo") if other_system else None
            return Outbox(own, client=client)
        return inbox_of(own, webhooks() if other_system else None)

    def put(self, *numbers):
        """Events e-1, e-2 and so on wait, which no handler was told of."""
        if not self.is_outbox:
            for number in numbers:
                received_number(self.box, number)
            return
        stored(self.box, *(invoice(each, client_reference_id=f"e-{each}") for each in numbers))
        change(self.box, state="unclear")
        for number in numbers:
            self.new_box().resolve(key_of(number), done=True, by="Zoë", why="the portal has it")

    def handled(self):
        """One pass; what was handled."""
        return [self.subject_of(event) for event in self.box.handle()]

    def subject_of(self, event):
        return event.entry.client_reference_id if self.is_outbox else event.subject

    def note(self, session, event):
        write(session, f"{event.name} {self.subject_of(event)}")


@pytest.fixture(params=["outbox", "inbox"])
def queue(request, engine):
    return Queue(request.param, engine)


class StoppedPass:
    """A pass, in a thread, that has taken up its first event, and stops before it handles that."""

    def __init__(self, queue):
        self._has_taken, self._is_stopped, self._may_go_on = (threading.Event() for _ in "123")
        self._engine = sa.create_engine(queue.engine.url)
        sa.event.listen(self._engine, "after_cursor_execute", self._see)
        sa.event.listen(self._engine, "checkin", self._stop)
        box = queue.new_box(self._engine)
        box.on()(queue.note)
        self._thread = ThreadPoolExecutor(1)
        self._handled = self._thread.submit(box.handle)
        assert self._is_stopped.wait(PATIENCE)

    def _see(self, _connection, _cursor, statement, *_):
        if statement.startswith("UPDATE") and "tries" in statement:
            self._has_taken.set()

    def _stop(self, *_):
        """Stop once the transaction that has taken the event up has ended."""
        if self._has_taken.is_set() and not self._is_stopped.is_set():
            self._is_stopped.set()
            self._may_go_on.wait(PATIENCE)

    def goes_on(self):
        self._may_go_on.set()
        with self._thread:
            handled = self._handled.result()
        self._engine.dispose()
        return handled


# Who handles it


def test_the_event_of_a_killed_worker_is_handled_by_another_worker_after_its_lease(queue):
    """It was killed; or it slept, and goes on when all is done."""
    queue.put(1)
    queue.box.on(queue.name)(queue.note)
    first = StoppedPass(queue)
    end_waits(queue.box)
    assert [event.tries for event in queue.box.handle()] == [2]
    assert first.goes_on() == []
    assert notes(queue.box) == [f"{queue.name} e-1"]


def test_a_worker_that_slept_handles_nothing_that_another_one_has_taken_up_meanwhile(queue):
    """The event still waits, as before: that it was tried once more shows whose it is."""
    queue.put(1)
    first = StoppedPass(queue)
    end_waits(queue.box)
    second = StoppedPass(queue)
    assert first.goes_on() == []
    assert notes(queue.box) == []
    assert [event.tries for event in second.goes_on()] == [2]
    assert notes(queue.box) == [f"{queue.name} e-1"]


@pytest.mark.parametrize("end", ["rollback", "commit", "close"])
def test_no_work_of_a_handler_is_lost_if_another_one_ends_their_transaction(queue, end):
    ends = [end]

    def end_transaction(session, _event):
        for method in ends:
            getattr(session, method)()

    queue.put(1)
    queue.box.on()(queue.note)
    queue.box.on()(end_transaction)
    assert queue.handled() == []
    ends.clear()
    end_waits(queue.box)
    assert queue.handled() == ["e-1"]
    assert notes(queue.box) == [f"{queue.name} e-1"]


# What cannot be handled


def test_an_event_that_fails_too_often_is_a_dead_letter_with_its_reason(queue):
    queue.put(1, 2)
    fails = True

    def work(session, event):
        queue.note(session, event)
        if fails:
            raise ValueError("no more paper in the printer of 043987673645")

    queue.box.on(queue.name.upper())(work)
    for _ in range(MOST_TRIES):
        assert queue.box.dead_letters() == []
        assert queue.handled() == []
        end_waits(queue.box)
    first, second = queue.box.dead_letters()
    assert (first.name, first.source, first.tries) == (queue.name, queue.source, MOST_TRIES)
    assert first.error == "ValueError: no more paper in the printer of ********3645"
    assert notes(queue.box) == []
    fails = False
    assert queue.handled() == []
    assert [queue.box.retry_dead_letters(first.id) for _ in range(2)] == [1, 0]
    assert queue.handled() == ["e-1"]
    assert queue.box.dead_letters() == [second]
    assert queue.box.retry_dead_letters() == 1


def test_an_event_that_ends_its_process_each_time_is_a_dead_letter(queue):
    """Each try is counted before it is made; none has stored an error."""
    queue.put(1)
    change_events(queue.box, tries=MOST_TRIES)
    queue.box.on()(queue.note)
    assert queue.handled() == []
    (letter,) = queue.box.dead_letters()
    assert "its process was killed" in letter.error
    assert notes(queue.box) == []


def test_each_try_waits_twice_as_long_as_the_one_before(queue):
    queue.put(1)

    def work(_session, _event):
        raise ValueError

    queue.box.on()(work)
    for minutes in (2, 4, 8, 16):
        end_waits(queue.box)
        began = time.time()
        queue.handled()
        took = time.time() - began
        (wait,) = waits_since(queue.box, began)
        assert 60 * minutes - CLOCK_STEP < wait < 60 * minutes + took + CLOCK_STEP


# What nobody wants


def test_no_worker_deletes_an_old_event_that_another_worker_has_taken_up(queue):
    queue.put(1)
    change_events(queue.box, stored_at=time.time() - 8 * 86_400)
    first = StoppedPass(queue)
    queue.box.on("rejected" if queue.is_outbox else "payment.rejected")(queue.note)
    queue.box.handle()
    assert len(first.goes_on()) == 1


def test_an_event_with_a_handler_is_handled_however_long_the_event_has_waited(queue):
    queue.put(1)
    change_events(queue.box, stored_at=time.time() - 8 * 86_400)
    queue.box.on(queue.name)(queue.note)
    assert queue.handled() == ["e-1"]
