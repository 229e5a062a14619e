"""How long a provider keeps keys is one fact of an outbox. After a pause, what may have been sent
is looked up, and its key is repeated only if nothing is found.
"""

import logging
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.outbox.kinds import Box, Provider
from tests.outbox.rows import change, give_to_another, key_of, stored
from tests.payments import invoice
from victor_ext import Victor, VictorOAuth
from victor_ext.outbox import Outbox, _keys_kept

pytestmark = pytest.mark.slow
MINUTES = 60.0


def pause(box, minutes, victor):
    """What may have been sent was sent so many minutes ago, by a worker that has ended since."""
    times = {"first_sent_at": time.time() - minutes * MINUTES, "by_provider_clock": True}
    own = {"state": "sending", "sent_by": victor.caller, "due_at": 0.0, "worker": None, "had_by": 1}
    now = {"changed_at": time.time() - minutes * MINUTES}
    change(Outbox(box.engine), **times, **own, **now)


def reads(sandbox):
    """How many pages of the list were read, one of them for the time of the provider."""
    return [request.method for request in sandbox.received()].count("GET")


@pytest.mark.parametrize("minutes", [5, 11])
@pytest.mark.parametrize("was_made", [True, False])
def test_what_may_have_been_sent_more_than_ten_minutes_ago_is_looked_up_first(
    box, victor, victor_sandbox, faults, minutes, was_made
):
    """A provider that keeps keys for less than a pause would make it a second time."""
    box.add(**invoice(1))
    if was_made:
        victor.payment_requests.create(**invoice(1))
    pause(box, minutes, victor)
    before = reads(victor_sandbox)
    assert [entry.state for entry in box.send()] == ["sent"]
    (entry,) = box.entries()
    has_looked = reads(victor_sandbox) > before + 1
    assert has_looked is (minutes > 10)
    sent = victor_sandbox.attempts_by_key()[key_of(1)]
    assert sent == (1 if was_made and has_looked else 1 + was_made)
    is_said = "is assumed: nobody has said it" in (entry.error or "")
    assert is_said is (has_looked and not was_made)


def test_a_look_up_that_fails_after_a_pause_repeats_no_key(box, victor, victor_sandbox, faults):
    box.add(**invoice(1))
    pause(box, 11, victor)
    faults.status(503, operation="list", times=None)
    with pytest.raises(Exception, match="503"):
        box.send()
    assert box.states() == ["sending"]
    faults.clear()
    change(Outbox(box.engine), due_at=0.0)
    assert [entry.state for entry in box.send()] == ["sent"]
    assert victor_sandbox.attempts_by_key() == {key_of(1): 1}


def test_what_another_worker_has_taken_up_during_the_look_up_is_not_repeated(kind, engine):
    box = Box(kind, engine)
    box.add(**invoice(1))
    provider = Provider()
    answer, outbox = provider._answer, Outbox(engine)

    def look(request):
        if "start_datetime" in str(request.url):
            give_to_another(outbox)
        return answer(request)

    provider._answer = look
    box.client = provider.client
    with provider.client() as victor:
        pause(box, 11, victor)
    assert box.send() == []
    assert (provider.references, box.states()) == ([], ["sending"])


def kept_after(engine, *times):
    """How long keys are kept, after outboxes that were told these times have sent."""
    with Victor(VictorOAuth("an-id", "a-secret")) as client:
        for hours in times:
            kept = None if hours is None else timedelta(hours=hours)
            outbox = Outbox(engine, client, keys_kept=kept)
            with engine.begin() as connection:
                last = _keys_kept.keys_kept(connection, outbox.control, outbox._parts.terms.kept)
    return last.seconds / 3600, last.is_assumed


@pytest.mark.parametrize(
    ("times", "kept"),
    [
        ([None], (24.0, True)),
        ([12], (12.0, False)),
        ([2, 48], (2.0, False)),
        ([48, 2, None], (2.0, False)),
        ([36, None], (36.0, False)),
    ],
)
def test_the_shortest_time_that_was_ever_said_of_keys_counts(outbox, engine, times, kept):
    assert kept_after(engine, *times) == kept


def test_a_restart_with_a_longer_time_does_not_lengthen_how_long_keys_are_kept(
    outbox, engine, victor, victor_sandbox
):
    stored(outbox, invoice(1))
    victor.ping()
    Outbox(engine, keys_kept=timedelta(hours=1)).send(victor.with_options())
    stored(outbox, invoice(2))
    victor.payment_requests.create(**invoice(2))
    state = outbox.table.c.state
    with engine.begin() as connection:
        waits = sa.update(outbox.table).where(state == "waiting")
        connection.execute(
            waits.values(
                state="sending",
                first_sent_at=time.time() - 2 * 3600,
                by_provider_clock=True,
                sent_by=victor.caller,
            )
        )
    victor_sandbox.inject("status", operation="list", status=500, times=None)
    with pytest.raises(Exception, match="500"):
        Outbox(engine, keys_kept=timedelta(hours=48)).send(victor)
    assert victor_sandbox.attempts_by_key()[key_of(2)] == 1
    states = [entry.state for entry in outbox.entries()]
    assert states == ["sent", "settling"], "an old key is looked up, and not repeated"


@pytest.mark.parametrize(
    ("environment", "hours", "lines"),
    [("production", None, 1), ("staging", None, 0), ("production", 12, 0)],
)
def test_in_production_the_assumption_is_logged_once_in_a_process(
    outbox, engine, caplog, environment, hours, lines
):
    _keys_kept._warn.cache_clear()
    kept = None if hours is None else hours * 3600.0
    with (
        Victor(VictorOAuth("an-id", "a-secret"), environment=environment) as client,
        engine.begin() as connection,
        caplog.at_level(logging.WARNING, "victor_ext.outbox"),
    ):
        for _ in range(3):
            _keys_kept.keys_kept(connection, outbox.control, kept).warn_if_assumed(client)
    assert caplog.text.count("24 hours are assumed") == lines
