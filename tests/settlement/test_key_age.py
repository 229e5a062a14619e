"""At which age a key may still be sent, by whose clock, and how long a call with it may take."""

import itertools
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cases import cases_beside
from victor_ext import ProviderTime, Victor, VictorOAuth
from victor_ext._settlement.key_age import (
    Doubt,
    Keyless,
    Keys,
    Moment,
    Now,
    SentSince,
    send_in_time,
    within_key_life,
)

NOW = 1_800_000_000.0
MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
SENT_AGAIN, TOO_OLD, CALLERS = None, "longer ago than", "credentials"
LOOKED_UP = "before a pause"


def now_at(provider, *, machine=NOW, monotonic=50.0, is_known=True):
    """What both clocks of the machine say, and the time of the provider."""
    time_of_provider = datetime.fromtimestamp(provider, UTC)
    return Now(Moment(machine, monotonic), ProviderTime(time_of_provider, is_known=is_known))


BY_PROVIDER = now_at(NOW)


def moment(ago):
    """A time in this process, so many seconds ago."""
    return Moment(NOW - ago, 50.0 - ago)


def test_the_search_for_an_earlier_request_never_starts_in_the_future():
    for known, now in itertools.product((True, False), (BY_PROVIDER, now_at(NOW, is_known=False))):
        assert SentSince(NOW + 365 * DAY, "me", known=known).earliest(now).timestamp() < NOW


@pytest.mark.parametrize("ahead", [0.0, 3 * DAY, -3 * DAY, 365 * DAY, -365 * DAY])
def test_no_clock_of_a_machine_moves_a_time_of_the_provider(ahead):
    """What was made before is another's, though this machine's clock says that it was later."""
    sent = SentSince(NOW - HOUR, "me", known=True)
    now = now_at(NOW + ahead, machine=NOW + ahead, is_known=False)
    assert sent.first(now) == datetime.fromtimestamp(NOW - HOUR, UTC)
    assert sent._replace(known=False).first(now) is None


def reason(sent, now, kept=DAY, caller="me"):
    doubt = Keys(kept, caller).doubt(sent, now)
    return None if doubt is None else doubt.why


@pytest.mark.parametrize(("age", "kept", "why"), cases_beside(__file__)["ages"])
def test_a_key_is_sent_again_only_by_its_caller_and_within_its_age(age, kept, why):
    doubt = reason(SentSince(NOW - age, "me", known=True), BY_PROVIDER, kept)
    if why is not None:
        assert why in (doubt or "")
        return
    assert doubt is SENT_AGAIN
    assert CALLERS in (reason(SentSince(NOW - age, "another", known=True), BY_PROVIDER, kept) or "")


@given(st.floats(100, 10 * DAY), st.floats(0, 1), st.none() | st.floats(1, 20 * DAY))
def test_a_call_ends_before_the_provider_forgets_its_key(kept, part, deadline):
    with Victor(VictorOAuth("id", "not-a-secret"), deadline=deadline) as victor:
        longest = within_key_life(victor, kept).deadline
    assert longest is not None and longest <= (deadline or longest)
    age = part * kept
    assert reason(None, BY_PROVIDER, kept) is SENT_AGAIN and longest < kept
    assert reason(SentSince(NOW - age, "me", known=True), BY_PROVIDER, kept) or age + longest < kept


@pytest.mark.parametrize(
    ("by_machine", "age", "surely_since"),
    [(600, 600, 600), (600 + HOUR, 600 + HOUR, 600), (600 - HOUR, 600, 0)],
    ids=["its clocks agree", "it slept, or its clock was set ahead", "its clock was set back"],
)
def test_the_age_of_a_key_first_sent_in_this_process_is_the_largest_of_any_clock(
    by_machine, age, surely_since
):
    """Its other clock, which stands still in its sleep, says 600 seconds."""
    there = NOW - 7 * HOUR
    first = now_at(there, is_known=False)
    assert SentSince.at(first, "me") == SentSince(NOW, "me", known=False, local=NOW)
    # By now a response has a `Date`, so the time of sending is known.
    now = now_at(there + age, machine=NOW + by_machine, monotonic=650.0)
    sent = SentSince.at(now, "me", first.moment)
    assert sent == SentSince(there, "me", known=True, spread=sent.spread, local=NOW)
    # What was made before all clocks say that it was sent may be another program's.
    assert sent.first(now) == datetime.fromtimestamp(there + age - surely_since, UTC)
    doubt = Keys(age + 300, "me").doubt(first.moment, now)
    assert doubt is not None and doubt.may_repeat
    assert TOO_OLD in (reason(first.moment, now, age + 60) or "")


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"looked_up": True}, "only looked up"),
        ({"known": False}, "only by the clock of a machine"),
        ({"by": "other credentials"}, "with other credentials"),
        ({"by": None}, "with other credentials"),
        ({"since": NOW + 11}, "in the future: a clock was changed"),
    ],
)
def test_a_key_whose_age_or_owner_is_not_certain_is_not_sent(facts, why):
    before = SentSince(NOW - MINUTE, "me", known=True)
    assert reason(before, BY_PROVIDER) is SENT_AGAIN
    assert why in (reason(before._replace(**facts), BY_PROVIDER) or "")


@pytest.mark.parametrize("wrong", [0.0, 30 * DAY, -30 * DAY])
def test_a_key_has_the_larger_of_its_ages_by_the_providers_and_the_machines_clock(wrong):
    """That of the provider's clock, or that of the machine's, however wrong the machine's is."""
    first = now_at(NOW, machine=NOW + wrong, monotonic=50.0)
    sent = SentSince.at(first, "me")
    for by_provider, by_machine in ((0, 25 * HOUR), (25 * HOUR, 0)):
        now = now_at(NOW + by_provider, machine=NOW + wrong + by_machine)
        assert TOO_OLD in (reason(sent, now) or "")
    assert reason(sent, now_at(NOW + MINUTE, machine=NOW + wrong + MINUTE)) is SENT_AGAIN
    assert LOOKED_UP in (reason(sent, now_at(NOW + HOUR, machine=NOW + wrong + HOUR)) or "")
    assert "in the future" in (reason(sent, now_at(NOW - 60, machine=NOW + wrong)) or "")


def test_a_key_is_not_sent_again_without_the_time_of_the_provider():
    now = now_at(NOW, is_known=False)
    assert "have no Date" in (reason(SentSince(NOW - HOUR, "me", known=True), now) or "")


def test_a_key_is_repeated_for_ten_minutes_after_a_look_up_that_has_found_nothing():
    sent = SentSince(NOW - HOUR, "me", known=True)
    for minutes, may_be_sent in ((1, True), (8, True), (9, False)):
        keys = Keys(DAY, "me", absent_at=moment(minutes * MINUTE))
        assert (keys.doubt(sent, BY_PROVIDER) is SENT_AGAIN) is may_be_sent
    too_old = Keys(HOUR, "me", absent_at=moment(MINUTE)).doubt(sent, BY_PROVIDER)
    assert too_old is not None and TOO_OLD in too_old.why


def test_a_write_without_a_key_that_may_have_been_sent_is_never_sent_again():
    keys = Keyless("me", 60.0, BY_PROVIDER.moment)
    assert keys.doubt(None, BY_PROVIDER) is SENT_AGAIN
    for before in (SentSince(NOW, "me", known=True), BY_PROVIDER.moment):
        assert keys.doubt(before, BY_PROVIDER) == Doubt(before, keys.why)


def test_a_write_without_a_key_is_not_sent_once_another_worker_may_have_it():
    for seconds, may_be_sent in ((59, True), (60, False)):
        keys = Keyless("me", held=60.0, since=moment(seconds))
        assert (keys.doubt(None, BY_PROVIDER) is SENT_AGAIN) is may_be_sent


def test_a_decision_to_send_ends_with_one_deadline_or_with_the_lease_of_the_worker():
    """By each clock for itself: one stands still while the machine sleeps, the other may be set."""

    def end_of_decision(*ends):
        """Until when a call may be sent that was decided five seconds ago."""
        client = SimpleNamespace(deadline=60.0, send_before=lambda until, send: (until, send()))
        until, result = send_in_time(client, moment(5), lambda: "sent", *ends)
        assert result == "sent"
        return until

    assert end_of_decision() == moment(5 - 60), "at the deadline"
    ends = Moment(NOW + 7, 90.0), Moment(NOW + 70, 80.0)
    assert end_of_decision(None, *ends) == Moment(NOW + 7, 80.0), "the earlier end by each clock"
    held = Keyless("me", held=40.0, since=moment(30))
    assert end_of_decision(held.since.after(held.held)) == moment(30 - 40), "with the lease"
