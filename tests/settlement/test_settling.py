"""What becomes of a write by the ends of all its calls, and whose a request is that was found."""

from operator import call

import httpx
import pytest

from tests.settlement.test_key_age import BY_PROVIDER, DAY, HOUR, NOW
from victor_ext import (
    Absent,
    BadRequest,
    Conflict,
    ConnectionFailed,
    DeadlineExceeded,
    Done,
    InvalidRequest,
    NotDone,
    Outcome,
    UnreadableResponse,
    VictorError,
)
from victor_ext._flows import drive
from victor_ext._settlement.flow import LookUp, PaymentOutcome, Settlement, Write, settle
from victor_ext._settlement.key_age import Keyless, Keys, SentSince

KEYS = Keys(DAY, "me")
SENT_BEFORE = SentSince(NOW - 60, "me", known=True)
SENT_LONG_AGO = SentSince(NOW - HOUR, "me", known=True)


def settled(end, *, before=None, is_keyed=True):
    """The settlement of a write whose call ends so, with an error or a result. `before` is when it
    was sent first.
    """

    def create(_decided):
        if isinstance(end, VictorError):
            raise end
        return end

    keys = KEYS if is_keyed else Keyless("me", 60.0, BY_PROVIDER.moment)
    write = Write(object(), before, is_keyed=is_keyed)
    flow = settle(write, keys, lambda: BY_PROVIDER, create, lambda _error: None)
    return drive(flow, call)


LOST = ConnectionFailed("the response was lost", outcome=Outcome.UNKNOWN)
NOT_SENT = ConnectionFailed("nothing was sent", outcome=Outcome.NOT_SENT)
REFUSED = BadRequest("the amount is too high", outcome=Outcome.REJECTED)
INVALID = InvalidRequest("the due date has passed")
UNREAD = UnreadableResponse("the response could not be parsed", outcome=Outcome.ACCEPTED)
USED = Conflict("the key was used", outcome=Outcome.UNKNOWN, response=httpx.Response(409))
USED.names_key = True
BARE = Conflict("status 409", outcome=Outcome.UNKNOWN, response=httpx.Response(409))
OTHERS = Conflict("the response is another's", outcome=Outcome.UNKNOWN)


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        (REFUSED, PaymentOutcome.REJECTED),
        (INVALID, PaymentOutcome.REFUSED),
        (NOT_SENT, PaymentOutcome.NOT_SENT),
        (LOST, PaymentOutcome.UNKNOWN),
        (UNREAD, PaymentOutcome.ACCEPTED),
        (object(), PaymentOutcome.CREATED),
    ],
)
def test_a_payment_that_was_not_sent_before_has_the_outcome_of_its_call(end, outcome):
    result = settled(end)
    assert isinstance(result, Settlement)
    assert result.outcome is outcome


@pytest.mark.parametrize(
    ("cause", "is_told"), [(None, False), (httpx.ReadTimeout("no token came"), True)]
)
def test_the_error_of_a_call_without_an_attempt_is_told_only_if_an_exchange_has_failed(
    cause, is_told
):
    late = DeadlineExceeded("no time was left", outcome=Outcome.NOT_SENT)
    late.__cause__ = cause
    result = settled(late)
    assert (result.outcome, result.error is late) == (PaymentOutcome.NOT_SENT, is_told)


@pytest.mark.parametrize("end", [REFUSED, INVALID, USED])
def test_a_payment_whose_repeated_call_is_refused_is_looked_up(end):
    assert isinstance(settled(end, before=SENT_BEFORE), LookUp)


@pytest.mark.parametrize(("end", "earlier"), [(USED, DAY), (BARE, 0.0), (OTHERS, 0.0)])
def test_what_was_made_before_the_first_call_counts_only_if_the_key_is_refused_as_used(
    end, earlier
):
    """Any other 409 may mean anything, and another program makes equal payments."""
    look_up = settled(end)
    assert isinstance(look_up, LookUp)
    assert look_up.first is not None
    assert look_up.first.timestamp() == BY_PROVIDER.by_provider() - earlier


@pytest.mark.parametrize(
    ("known", "is_state", "outcome"),
    [
        (True, False, PaymentOutcome.CREATED),
        (False, False, PaymentOutcome.UNKNOWN),
        (False, True, PaymentOutcome.CREATED),
    ],
)
def test_a_found_request_is_proof_only_if_the_time_of_sending_is_the_providers(
    known, is_state, outcome
):
    """By a machine's clock alone it may be another's. A state is no question of time."""
    look_up = settled(REFUSED, before=SentSince(NOW - HOUR, "me", known=known))
    assert isinstance(look_up, LookUp)
    assert look_up.settlement_of(Done("R1", is_state=is_state)).outcome is outcome


def test_a_payment_that_may_exist_never_gets_the_outcome_not_sent():
    result = settled(NOT_SENT, before=SENT_BEFORE)
    assert isinstance(result, Settlement)
    assert result.outcome is PaymentOutcome.UNKNOWN


def test_a_write_without_a_key_that_may_have_been_sent_is_looked_up():
    assert isinstance(settled(object(), before=SENT_BEFORE, is_keyed=False), LookUp)
    assert isinstance(settled(LOST, is_keyed=False), LookUp)


@pytest.mark.parametrize("can_be_sent", [True, False])
def test_what_is_not_done_may_be_under_way_and_is_said_to_be_lost_if_it_can_be_sent(can_be_sent):
    look_up = settled(LOST, is_keyed=False)
    assert isinstance(look_up, LookUp)
    settlement = look_up.settlement_of(NotDone("It is ACCEPTED.", can_be_sent=can_be_sent))
    assert settlement.outcome is PaymentOutcome.UNKNOWN
    assert ("can be sent again" in (settlement.reason or "")) is can_be_sent


@pytest.mark.parametrize(
    ("done", "is_repeated"),
    [
        (Absent("No request has its reference."), True),
        (NotDone("It is open."), True),
        (NotDone("It is void.", is_over=True), False),
        ("2 requests have its reference.", False),
        (Done("R1"), False),
    ],
)
def test_after_a_pause_a_key_is_repeated_only_if_a_look_up_finds_nothing(done, is_repeated):
    look_up = settled(object(), before=SENT_LONG_AGO)
    assert isinstance(look_up, LookUp) and look_up.to_be_repeated(done) is is_repeated
    of_refusal = settled(REFUSED, before=SENT_BEFORE)
    assert isinstance(of_refusal, LookUp) and not of_refusal.to_be_repeated(done)


def test_after_a_pause_a_key_is_repeated_where_no_read_shows_the_write():
    unseen = Write(object(), SENT_LONG_AGO, is_keyed=True, why_no_look_up="No read shows it.")
    flow = settle(unseen, KEYS, lambda: BY_PROVIDER, lambda *_: object(), lambda _error: None)
    result = drive(flow, call)
    assert isinstance(result, Settlement) and result.outcome is PaymentOutcome.CREATED
