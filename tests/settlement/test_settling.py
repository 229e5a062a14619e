"""When a write may be sent again and when it is looked up instead, and what its calls say together:
decided without input and output, for all durable senders.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from operator import call
from types import SimpleNamespace
from typing import Any

import pytest

from victor_ext import (
    BadRequest,
    Conflict,
    ConnectionFailed,
    InvalidRequest,
    Outcome,
    ProviderTime,
    UnreadableResponse,
    VictorError,
)
from victor_ext.flows import drive
from victor_ext.settlement.flow import LookUp, PaymentOutcome, Rival, Settlement, Write, settle
from victor_ext.settlement.key_age import (
    BegunTooLateError,
    Keys,
    Moment,
    NoKey,
    Now,
    Sent,
    within_decision,
)

DAY = 86_400.0
NOW = 1_700_000_000.0
CALLER = "a digest of credentials"
KEYS = Keys(DAY, CALLER)


def moment(ago: float = 0.0) -> Moment:
    """A time in this process, so many seconds ago."""
    return Moment(NOW - ago, 5_000.0 - ago)


def now(*, is_known: bool = True) -> Now:
    """The present. `is_known`: by the provider's clock, too."""
    return Now(moment(), ProviderTime(datetime.fromtimestamp(NOW, UTC), is_known))


def sent(ago: float, **facts: Any) -> Sent:
    """A stored time of sending, by the provider's clock and with the same credentials."""
    return Sent(**{"since": NOW - ago, "by": CALLER, "known": True, **facts})


# When it may be sent again


@pytest.mark.parametrize("form", [sent, moment], ids=["stored", "in this process"])
def test_a_key_that_may_expire_during_the_call_is_not_sent(form: Any) -> None:
    assert KEYS.doubt(form(DAY - 301), now()) is None
    doubt = KEYS.doubt(form(DAY - 299), now())
    assert doubt is not None
    assert doubt[1] == "It may have been sent longer ago than the provider keeps its key."


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"looked_up": True}, "already looked up"),
        ({"known": False}, "only by the clock of a machine"),
        ({"by": "other credentials"}, "with other credentials"),
        ({"by": None}, "with other credentials"),
        ({"since": NOW + 11}, "in the future: a clock was changed"),
    ],
)
def test_a_key_whose_age_or_owner_is_not_certain_is_not_sent(
    facts: dict[str, Any], why: str
) -> None:
    assert KEYS.doubt(sent(60), now()) is None
    doubt = KEYS.doubt(sent(60, **facts), now())
    assert doubt is not None
    assert why in doubt[1]


def test_a_key_is_not_sent_again_without_the_time_of_the_provider() -> None:
    doubt = KEYS.doubt(sent(60), now(is_known=False))
    assert doubt is not None
    assert "have no Date" in doubt[1]


def test_a_write_without_a_key_that_may_have_been_sent_is_never_sent_again() -> None:
    assert NoKey(CALLER).doubt(None, now()) is None
    for before in (sent(1), moment(1)):
        assert NoKey(CALLER).doubt(before, now()) == (
            before,
            "It may have been sent, and it takes no key.",
        )


def test_a_write_without_a_key_is_not_sent_once_another_worker_may_have_it() -> None:
    for seconds, may_be_sent in ((59, True), (60, False)):
        keys = NoKey(CALLER, held=60.0, since=partial(moment, seconds))
        assert (keys.doubt(None, now()) is None) is may_be_sent


def test_a_call_that_begins_when_its_time_is_over_is_not_made() -> None:
    def with_options(deadline: float) -> SimpleNamespace:
        return SimpleNamespace(deadline=deadline)

    client = SimpleNamespace(deadline=60.0, with_options=with_options)
    assert within_decision(client, moment(1), now()) is client
    assert within_decision(client, moment(40), now()).deadline == 20.0
    with pytest.raises(BegunTooLateError):
        within_decision(client, moment(60), now())


# What its calls say together


def settled(*ends: Any, before: Sent | None = None, is_keyed: bool = True) -> Settlement | LookUp:
    """The settlement of a write whose calls end so, each with an error or a result; then it is
    left. `before` is when it was sent first.
    """
    remaining: Iterator[Any] = iter(ends)
    turns: Iterator[Now | None] = iter([*[now()] * len(ends), None])

    def create(_is_repeat: bool, _decided: Moment) -> Any:
        end = next(remaining)
        if isinstance(end, VictorError):
            raise end
        return end

    keys = KEYS if is_keyed else NoKey(CALLER)
    write = Write(object(), before, is_keyed=is_keyed)
    return drive(settle(write, keys, lambda _so_far, _sent: next(turns), create), call)


LOST = ConnectionFailed("the response was lost", outcome=Outcome.UNKNOWN)
NOT_SENT = ConnectionFailed("nothing was sent", outcome=Outcome.NOT_SENT)
REFUSED = BadRequest("the amount is too high", outcome=Outcome.REJECTED)
INVALID = InvalidRequest("the due date has passed")
UNREAD = UnreadableResponse("the response could not be parsed", outcome=Outcome.ACCEPTED)
USED = Conflict("the key was used", outcome=Outcome.UNKNOWN)


@pytest.mark.parametrize(
    ("ends", "outcome"),
    [
        ([REFUSED], PaymentOutcome.REJECTED),
        ([INVALID], PaymentOutcome.REFUSED),
        ([NOT_SENT], PaymentOutcome.NOT_SENT),
        ([LOST], PaymentOutcome.UNKNOWN),
        ([UNREAD], PaymentOutcome.ACCEPTED),
        ([NOT_SENT, object()], PaymentOutcome.CREATED),
        ([LOST, object()], PaymentOutcome.CREATED),
    ],
)
def test_what_becomes_of_a_payment_that_was_not_sent_before(
    ends: list[Any], outcome: PaymentOutcome
) -> None:
    result = settled(*ends)
    assert isinstance(result, Settlement)
    assert result.outcome is outcome


@pytest.mark.parametrize("ends", [[REFUSED], [INVALID], [USED]])
def test_a_refusal_of_a_repeat_says_nothing_of_the_first_call_so_it_is_looked_up(
    ends: list[VictorError],
) -> None:
    assert isinstance(settled(*ends, before=sent(60)), LookUp)
    assert isinstance(settled(LOST, *ends), LookUp)


def test_a_conflict_of_a_first_call_is_looked_up_too() -> None:
    """The key was used, and nobody knows by whom."""
    assert isinstance(settled(USED), LookUp)


@pytest.mark.parametrize("ends", [[], [NOT_SENT], [NOT_SENT, NOT_SENT]])
def test_a_payment_that_may_exist_never_becomes_one_that_was_not_sent(
    ends: list[VictorError],
) -> None:
    for result in (settled(*ends, before=sent(60)), settled(LOST, *ends)):
        assert isinstance(result, Settlement)
        assert result.outcome is PaymentOutcome.UNKNOWN


@pytest.mark.parametrize("later", [NOT_SENT, LOST])
def test_a_payment_that_was_accepted_stays_accepted_whatever_a_later_call_says(
    later: VictorError,
) -> None:
    result = settled(UNREAD, later)
    assert isinstance(result, Settlement)
    assert result.outcome is PaymentOutcome.ACCEPTED


def test_what_takes_no_key_and_may_have_been_sent_is_looked_up_and_not_sent() -> None:
    unsent = object()
    assert isinstance(settled(unsent, before=sent(60), is_keyed=False), LookUp)
    assert isinstance(settled(LOST, unsent, is_keyed=False), LookUp)


# Whose a request is that was found


@pytest.mark.parametrize(
    ("rival", "is_doubtful"),
    [
        (Rival("other", "INV-1", None, may_exist=True), True),
        (Rival("other", " INV-1 ", None, may_exist=True), True),
        (Rival("other", "INV-2", None, may_exist=True), False),
        (Rival("other", "INV-1", None, may_exist=False), False),
        (Rival("other", "INV-2", "rfp-1", may_exist=False), True),
        (Rival("own", "INV-1", "rfp-1", may_exist=True), False),
    ],
)
def test_a_request_may_be_that_of_another_payment_with_its_id_or_its_reference(
    rival: Rival, is_doubtful: bool
) -> None:
    assert rival.may_have_made("rfp-1", "INV-1", "own") is is_doubtful
