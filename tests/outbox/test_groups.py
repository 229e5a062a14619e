"""A pass has several calls under way at once: what is marked before it is sent, what goes back, and
what waits for nothing else.
"""

import threading
import time
from collections import Counter
from contextlib import nullcontext, suppress
from unittest.mock import Mock

import httpx
import pytest
import sqlalchemy as sa

from tests.outbox.kinds import Box, Provider, dated, page, refused
from tests.outbox.rows import (
    ANOTHER,
    change,
    end_claims,
    execute,
    give_to_another,
    key_of,
    leases_left,
    notes,
    states,
    stored,
    write,
)
from tests.payments import invoice
from victor_ext import (
    NotFound,
    Outcome,
    PermissionDenied,
    RateLimited,
    StatusError,
    VictorError,
)
from victor_ext._event_queue.calls import CallEnd
from victor_ext._event_queue.databases import DatabaseTime
from victor_ext._event_queue.drivers import BlockingDriver
from victor_ext._event_queue.queue import EventQueue
from victor_ext._flows import drive
from victor_ext.outbox import Outbox, _claims, _deliveries, _passes

pytestmark = pytest.mark.slow
PATIENCE = 30.0
"""Seconds after which a test has failed that waits for something."""


class Sending(Box):
    """One pass at a time, of an outbox of one kind."""

    def __init__(self, kind, engine):
        self.provider = Provider()
        super().__init__(kind, engine, self.provider.client)
        self.outbox = Outbox(engine)

    def store(self, *numbers):
        stored(self.outbox, *map(invoice, numbers))

    def send(self, **options):
        self.options = options
        return self._act("send")

    def rows(self):
        """The states, with a `*` behind those that are marked as ones that may have been sent."""
        columns = self.outbox.table.c
        query = sa.select(columns.state, columns.first_sent_at).order_by(columns.id)
        with self.engine.begin() as connection:
            return [state + "*" * bool(sent) for state, sent in connection.execute(query)]


@pytest.fixture
def sending(kind, engine):
    return Sending(kind, engine)


@pytest.fixture
def blocking(outbox, engine):
    return Sending("blocking", engine)


# What is marked


@pytest.mark.parametrize("tells_time", [True, False], ids=["with a Date", "without one"])
def test_only_entries_under_call_are_marked_as_ones_that_may_have_been_sent(sending, tells_time):
    """A worker that is killed costs the others nothing: they are sent as if it had not been."""
    sending.store(*range(5))
    sending.provider.tells_time = tells_time
    both, seen = threading.Barrier(2), []

    def look(_reference):
        at_once = len(sending.provider.references) <= 2
        if at_once:
            both.wait(PATIENCE)
        seen.append(sending.rows())
        if at_once:
            both.wait(PATIENCE)

    sending.provider.meet = look
    assert len(sending.send(workers=2)) == 5
    assert seen[:2] == [["sending*"] * 2 + ["waiting"] * 3] * 2
    assert max(rows.count("sending*") for rows in seen) == 2, "also of those that begin later"


@pytest.mark.parametrize("at_once", [1, 2])
def test_an_entry_that_another_worker_has_taken_up_meanwhile_is_not_sent(blocking, at_once):
    """Whether it is marked alone, or with others."""
    blocking.store(1, 2)
    table = blocking.outbox.table
    late = sa.update(table).where(table.c.reference == "INV-1").values(due_at=DatabaseTime() + 60)

    marks = []

    def before_the_mark(connection, _cursor, statement, *_):
        if statement.startswith("UPDATE victor_outbox SET"):
            marks.append(statement)
            if len(marks) == 1:
                connection.execute(late)

    sa.event.listen(blocking.engine, "before_cursor_execute", before_the_mark)
    blocking.send(workers=at_once)
    assert blocking.provider.references == ["INV-2"]
    assert blocking.rows()[0] == "waiting"


# Whose a refusal is


def refuse(sending, *statuses):
    """The provider responds so to one call after the other; then it takes each."""
    responses = iter(statuses)

    def meet(_reference):
        status = next(responses, 200)
        return None if status == 200 else refused(status)

    sending.provider.meet = meet


@pytest.fixture
def told(sending):
    """The events that a handler is told of."""
    names = []
    sending.handler = lambda _session, event: names.append(event.name)
    return names


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("has_handler", [False, True])
@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (403, PermissionDenied)])
def test_ten_refusals_in_a_row_with_404_or_403_stop_the_pass_and_reject_nothing(
    sending, told, workers, has_handler, status, error
):
    """Ten that are refused in a row stop the pass. Those that were refused before that was seen are
    not to blame either, and no handler is told of them.
    """
    refuse(sending, *[status] * 40)
    if not has_handler:
        sending.handler = None
    sending.store(*range(20))
    for number in (1, 2):
        with pytest.raises(error):
            sending.send(workers=workers)
        assert sending.rows() == ["waiting"] * 20
        assert 10 * number <= len(sending.provider.keys) < (10 + workers) * number
    refuse(sending)
    assert len(sending.send(workers=workers)) == 20
    assert "rejected" not in told


@pytest.mark.parametrize("taken", [200, 400], ids=["taken", "refused for its values"])
def test_fewer_than_ten_refusals_in_a_row_reject_their_entries(sending, told, taken):
    refuse(sending, *[*[404] * 9, taken] * 2, *[404] * 9)
    sending.store(*range(29))
    assert len(sending.send(workers=1)) == 29
    is_taken = "sent" if taken == 200 else "rejected"
    assert sending.states() == [*[*["rejected"] * 9, is_taken] * 2, *["rejected"] * 9]
    assert told.count("rejected") == sending.states().count("rejected")


def test_a_repeat_that_a_wrong_address_refuses_is_sent_again_under_its_key(sending):
    """The refusal says nothing of the first call. Looked up, it would never be sent again."""
    refuse(sending, *[503] * 12)
    sending.store(*range(12))
    assert sending.send() == []
    for statuses in ([404] * 12, []):
        refuse(sending, *statuses)
        change(sending.outbox, due_at=0.0)
        with pytest.raises(NotFound) if statuses else nullcontext():
            assert len(sending.send(workers=1)) == 12
    assert len(sending.provider.keys) == 12 + 10 + 12
    assert len({*sending.provider.keys}) == 12


def test_an_entry_is_not_taken_up_again_before_its_refusal_is_certain(blocking, monkeypatch):
    """Not even if a person has let it be sent again meanwhile."""
    read, left_alone = _claims.Claims.read_next, []

    def noting(claims, busy):
        left_alone.append({*busy})
        return read(claims, busy)

    monkeypatch.setattr(_claims, "GROUP", 1)
    monkeypatch.setattr(_claims.Claims, "read_next", noting)
    refuse(blocking, 404)
    blocking.store(1, 2)
    blocking.send(workers=1)
    assert [key_of(1) in busy for busy in left_alone] == [False, True, True, False]


def test_a_refused_entry_is_its_workers_until_its_refusal_is_certain(sending):
    """While it is not known whose its refusal is, it is this worker's."""
    refuse(sending, 404, 404)
    sending.store(1, 2, 3)
    respond, seen = sending.provider.meet, []

    def look(reference):
        if reference == "INV-2":
            with sending.engine.connect() as connection:
                has_worker = sending.outbox.table.c.worker.is_not(None)
                first = connection.scalars(sa.select(has_worker).order_by("id")).first()
            seen.append((sending.rows()[0], bool(first)))
        return respond(reference)

    sending.provider.meet = look
    sending.send(workers=1)
    assert seen == [("sending*", True)]
    assert sending.states() == ["rejected", "rejected", "sent"]


def test_a_call_that_is_lost_after_an_earlier_one_was_refused_may_have_sent_its_entry(blocking):
    outbox, lost = blocking.outbox, Mock(side_effect=httpx.ReadError("lost"))
    refuse(blocking, 403)
    blocking.store(1)
    with blocking.provider.client() as victor:
        with pytest.raises(PermissionDenied):
            outbox.send(victor)
        assert blocking.rows() == ["waiting"]
        end_claims(outbox)
        blocking.provider.meet = lost
        assert outbox.send(victor) == []
    assert blocking.rows() == ["sending*"]


def test_a_client_with_another_address_says_nothing_of_refusals_at_a_wrong_one(blocking):
    wrong = Provider(lambda _reference: refused(404))
    outbox = blocking.outbox
    with (
        blocking.provider.client() as victor,
        wrong.client(base_url="https://elsewhere.example") as lost,
    ):
        blocking.store(*range(9))
        assert states(outbox.send(lost)) == ["rejected"] * 9
        blocking.store(9)
        assert states(outbox.send(victor)) == ["sent"]
        blocking.store(10)
        with pytest.raises(NotFound):
            outbox.send(lost)
    assert blocking.states()[-1] == "waiting"


# Pages that the provider did not write: a gateway responds, after the provider did the work


def go_on(sending):
    """Send once more, after the pauses, by a gateway that is repaired. Returns how many entries
    have come to a result.
    """
    sending.provider.meet = lambda _reference: None
    change(sending.outbox, due_at=0.0)
    return len(sending.send())


@pytest.mark.parametrize("workers", [1, 4])
def test_ten_pages_in_a_row_stop_the_pass_and_nobody_is_asked_twice_afterwards(
    sending, told, workers
):
    """The entries that were tried may have been sent; the others have not begun."""
    sending.provider.meet = lambda _reference: page()
    sending.store(*range(30))
    with pytest.raises(StatusError, match="an HTML page by Apache") as raised:
        sending.send(workers=workers)
    tried = len(sending.provider.keys)
    assert 10 <= tried < 10 + workers
    assert (type(raised.value), raised.value.outcome) == (StatusError, Outcome.UNKNOWN)
    assert Counter(sending.rows()) == {"sending*": tried, "waiting": 30 - tried}
    assert go_on(sending) == 30
    assert sending.states() == ["sent"] * 30
    assert "rejected" not in told
    assert len({*sending.provider.keys}) == 30, "each has one key"


TENTH = {
    "a page with the status of a conflict": (lambda: page(409), 10),
    "a page with the status of a wrong value": (lambda: page(422), 10),
    "a refusal that may be the client's": (lambda: refused(404), 10),
    "a success": (lambda: None, 20),
    "a conflict": (lambda: refused(409), 20),
    "a wrong value": (lambda: refused(400), 20),
    "a page of a server that failed": (lambda: page(503), 11),
}
"""What a call meets after nine pages, before more pages; and how many calls are made in all."""


@pytest.mark.parametrize("tenth", TENTH)
def test_only_what_the_provider_says_ends_a_row_of_pages(sending, tenth):
    respond, tried = TENTH[tenth]
    responses = iter([page() for _ in range(9)])

    def meet(_reference):
        response = next(responses, None)
        if response is not None:
            return response
        return respond() if len(sending.provider.keys) == 10 else page()

    sending.provider.meet = meet
    sending.store(*range(30))
    with pytest.raises(StatusError):
        sending.send(workers=1)
    assert len(sending.provider.keys) == tried


def test_a_gateways_429_lets_no_further_call_begin(sending):
    """Whoever wrote it: other calls would be too many, too. This one may have been done."""
    sending.store(*range(6))
    sending.provider.meet = lambda _reference: page(429, **{"Retry-After": "40"})
    with pytest.raises(RateLimited) as raised:
        sending.send(workers=1)
    assert raised.value.outcome is Outcome.UNKNOWN
    assert sending.rows() == ["sending*"] + ["waiting"] * 5
    assert go_on(sending) == 6
    assert len({*sending.provider.keys}) == 6


# What goes back


# What is tried again later


def pause_after_send(sending):
    """Send, and return the seconds from then on until the only entry may be taken up again, as far
    as they are whole ones: how long the pass took is unknown.
    """
    began = time.monotonic()
    with suppress(PermissionDenied):
        assert sending.send() == []
    (left,) = leases_left(sending.outbox)
    took = time.monotonic() - began
    return next(
        pause for pause in (1, 2, 4, 8, 16, 30, 45, 60, 120) if left <= pause <= left + took + 0.1
    )


def test_the_next_try_comes_after_a_pause_that_grows_with_the_failures(sending):
    """And not when a lease ends: no call is under way any more."""
    sending.store(1)
    sending.provider.meet = lambda _reference: dated(503, json={})
    pauses = []
    for _ in range(7):
        change(sending.outbox, due_at=0.0)
        pauses.append(pause_after_send(sending))
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert sending.send() == [], "it waits"
    assert sending.provider.keys == [key_of(1)] * 7
    assert sending.rows() == ["sending*"]


def test_an_entry_to_be_looked_up_does_not_wait_for_a_lease_when_another_call_fails(sending):
    """Its call was not made: no lease has to end before it is."""
    sending.store(1)
    change(sending.outbox, state="sending", sent_by="others", first_sent_at=time.time())
    sending.store(2)

    def fail(_reference):
        raise httpx.ConnectError("it happened")

    sending.provider.meet = fail
    with pytest.raises(VictorError):
        sending.send()
    assert sending.states() == ["settling", "waiting"]
    assert max(leases_left(sending.outbox)) <= 1.0


@pytest.mark.parametrize("status", [503, 403])
@pytest.mark.parametrize(("asked", "pause"), [("45", 45), ("3600", 120)])
def test_the_next_try_comes_when_the_provider_wants_it_but_no_later_than_in_two_minutes(
    blocking, asked, pause, status
):
    """A longer pause would count as that of a wrong clock, and be none."""
    blocking.store(1)
    blocking.provider.meet = lambda _reference: refused(status, retry_after=asked)
    assert pause_after_send(blocking) == pause


@pytest.mark.parametrize("response", [dated(503, json={}), refused(400)], ids=["503", "400"])
def test_a_failed_call_changes_nothing_of_an_entry_that_another_worker_has_by_now(
    sending, response
):
    """The first one counted as dead during the call."""
    sending.store(1)

    def take(_reference):
        give_to_another(sending.outbox)
        return response

    sending.provider.meet = take
    assert sending.send() == []
    columns = sending.outbox.table.c
    with sending.engine.connect() as connection:
        row = connection.execute(sa.select(columns.worker, columns.tries)).one()
    assert (row.worker, row.tries) == (ANOTHER, 0)


def test_a_worker_with_a_short_deadline_leaves_an_entry_alone_in_the_long_call_of_another(
    blocking,
):
    """While a deadline is changed, workers with the old and with the new one run."""
    blocking.store(1)
    beside = Outbox(blocking.engine)
    during = []

    def meanwhile(_reference):
        if not during:
            during.append(None)
            with blocking.provider.client(deadline=60.0) as short:
                during[0] = beside.send(short)

    blocking.provider.meet = meanwhile
    with blocking.provider.client(deadline=280.0) as long:
        assert len(blocking.outbox.send(long)) == 1
    assert blocking.provider.references == ["INV-1"]


def test_what_a_long_look_up_finds_counts_though_another_worker_looks_it_up_too(blocking):
    """Else two workers would look it up in turn, and settle nothing, for ever."""
    blocking.store(1)
    values = {"state": "sending", "sent_by": "others", "by_provider_clock": True}
    change(blocking.outbox, first_sent_at=time.time() - 60, settle_until=1.0, **values)
    answer = blocking.provider._answer

    def slow(request):
        if blocking.states() == ["settling"]:
            give_to_another(blocking.outbox)
        return answer(request)

    blocking.provider._answer = slow
    with blocking.provider.client() as victor:
        blocking.outbox.send(victor)
    assert blocking.states() == ["unclear"]


# Passes of limited length


@pytest.fixture
def _short_passes(monkeypatch):
    monkeypatch.setattr(_claims, "GROUP", 2)
    monkeypatch.setattr(_deliveries, "_MOST_READ", 2)
    monkeypatch.setattr("victor_ext.outbox._sending.pause_after", lambda _tries: 0.0)


@pytest.mark.usefixtures("_short_passes")
def test_send_ends_when_each_was_tried_once_however_many_passes_it_takes(sending):
    sending.store(*range(7))
    sending.provider.meet = lambda name: dated(503, json={}) if name == "INV-0" else None
    assert len(sending.send()) == 6
    assert sorted(sending.provider.references) == [f"INV-{number}" for number in range(7)]


@pytest.mark.usefixtures("_short_passes")
def test_an_entry_that_another_worker_gives_up_is_taken_up_before_the_last_of_those_after_it(
    sending,
):
    """It would else wait for the end of a long pass, with thousands of entries."""
    sending.store(*range(7))
    outbox = sending.outbox
    is_first = outbox.table.c.reference == "INV-0"
    give_to_another(outbox, "INV-0")

    def leave(reference):
        if reference == "INV-3":
            execute(outbox, sa.update(outbox.table).where(is_first).values(due_at=0.0))

    sending.provider.meet = leave
    assert len(sending.send(workers=1)) == 7
    assert sending.provider.references.index("INV-0") < 6, "it is not the last of seven"


@pytest.mark.usefixtures("_short_passes")
def test_the_end_of_a_pass_is_no_proof_that_a_refusal_is_that_of_its_entry(sending, told):
    refuse(sending, *[404] * 40)
    sending.store(*range(20))
    with pytest.raises(NotFound):
        sending.send(workers=1)
    assert sending.rows() == ["waiting"] * 20
    assert told == []


@pytest.mark.usefixtures("_short_passes")
def test_a_worker_with_many_entries_handles_events_in_between(blocking, monkeypatch):
    """It waits for no interval, and tries no entry twice before it has come to all."""
    blocking.store(*range(7))
    stop, handled, references = threading.Event(), [], blocking.provider.references

    def meet(reference):
        if reference == "INV-6" or len(references) > 20:
            stop.set()
        return None if reference == "INV-6" else dated(503, json={})

    def handle(*_):
        handled.append(len(references))
        yield from ()
        return []

    blocking.provider.meet = meet
    monkeypatch.setattr(EventQueue, "handle", handle)
    monkeypatch.setattr(_passes, "_LONGEST_SENDING", 0.0)
    with blocking.provider.client() as victor:
        Outbox(blocking.engine, workers=1).run(victor, interval=3600.0, stop=stop)
    assert references == [f"INV-{number}" for number in range(7)]
    assert handled == [2, 4, 6]


# What holds nothing else


def test_two_entries_with_one_reference_are_not_sent_at_the_same_time(sending):
    """After a lost response, nobody could tell which of them was done."""
    again = invoice(2, client_reference_id="INV-1")
    stored(sending.outbox, invoice(1), again, invoice(3), invoice(4))
    ended, references = threading.Event(), sending.provider.references

    def look(_reference):
        if len(references) == 3:
            ended.set()
        assert ended.wait(PATIENCE)

    sending.provider.meet = look
    assert len(sending.send(workers=4)) == 4, "one pass sends all of them"
    assert (sorted(references[:3]), references[3]) == (["INV-1", "INV-3", "INV-4"], "INV-1")


# What begins nothing more


# What is stored together


class AllAtOnce:
    """Calls that end together."""

    def __init__(self):
        self.begun = []

    def start(self, number, call):
        self.begun.append((number, call))

    def wait(self, _seconds):
        begun, self.begun = self.begun, []
        return [CallEnd(number, call()) for number, call in begun]


class TogetherDriver(BlockingDriver):
    """Makes passes whose calls end together."""

    def with_calls(self, flow, step):
        return drive(flow(AllAtOnce()), step)


class Together(Outbox):
    """An outbox whose calls end together."""

    _driver = TogetherDriver


@pytest.mark.parametrize("has_handler", [False, True])
def test_an_entry_with_a_handler_has_its_own_transaction(blocking, has_handler):
    """So what a handler raises costs no other entry its handler's work. Without handlers, one
    transaction has the results of all.
    """
    blocking.store(*range(4))
    outbox = Together(blocking.engine)

    def note(session, event):
        write(session, event.entry.client_reference_id)
        if event.entry.client_reference_id == "INV-2":
            raise ValueError("of the handler")

    wanted = "payment_requests.create" if has_handler else "payment_requests.decline"
    outbox.on("sent", operation=wanted)(note)
    commits = []
    with blocking.provider.client() as victor:
        victor.ping()
        sa.event.listen(blocking.engine, "commit", lambda _connection: commits.append(None))
        assert states(outbox.send(victor)) == ["sent"] * 4
    of_terms, of_claims, of_marks, of_results = 1, 2, 1, 4 if has_handler else 1
    assert len(commits) == of_terms + of_claims + of_marks + of_results
    assert sorted(notes(outbox)) == (["INV-0", "INV-1", "INV-3"] if has_handler else [])


# Which come first
