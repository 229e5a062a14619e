"""From a claimed payment to its result: `settle`, a generator that yields the call to make, and may
end with a `LookUp`.

First come the types: `PaymentOutcome` and `Settlement` (results), `Write` (what is sent) and
`LookUp` (what is read in its place). Then comes `settle` with its steps.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, TypeVar

from victor_ext import (
    Absent,
    Conflict,
    DeadlineExceeded,
    Done,
    InvalidRequest,
    NotDone,
    Outcome,
    PaymentRequest,
    PreparedCall,
    Promise,
    VictorError,
)

from .failures import FailureScope, failure_scope, is_refusal
from .key_age import Keyless, Keys, Moment, Now, SentSince

T = TypeVar("T")

_NOTHING: Mapping[str, str] = MappingProxyType({})

_ADVICE = "It is not sent again: check it by hand."


class PaymentOutcome(StrEnum):
    """What is known of a payment. The first four are settled; the others can be tried again with
    the same key.

    Attributes:
        CREATED: The provider accepted the request; its id and status are known.
        REJECTED: The provider rejected it. Nothing was created.
        REFUSED: Refused locally and not sent: an invalid value, or a due date that passed while it
            waited.
        TO_DECIDE: Only of a row of a file: its payment was created before, and the row asks for
            something else. It was not sent, and a person has to decide.
        WAITING: Not sent yet.
        NOT_SENT: Tried, but nothing was sent from this machine; or it was lost on the way.
        UNKNOWN: It may have been created.
        ACCEPTED: Created, but the response with its id could not be read.
    """

    CREATED = "created"
    REJECTED = "rejected"
    REFUSED = "refused"
    TO_DECIDE = "to_decide"
    WAITING = "waiting"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"


SETTLED = frozenset(
    {
        PaymentOutcome.CREATED,
        PaymentOutcome.REJECTED,
        PaymentOutcome.REFUSED,
        PaymentOutcome.TO_DECIDE,
    }
)
"""Outcomes that another call cannot change."""

MAY_EXIST = frozenset({PaymentOutcome.UNKNOWN, PaymentOutcome.ACCEPTED})
"""Outcomes after which the provider may have a request whose id is unknown here."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is known of a payment after calls or reads.

    Attributes:
        request: What was created or done: the provider's payment request, or a `Done`.
        reason: Why the payment was not created, or how its request was identified, in sentences.
        error: The error of the last call; None: that did not fail.
        looked_up: Whether the payment was looked up, so that it must not be sent again.
        unless_mine: For a request that was found by a look-up: the settlement to store if another
            payment with the same reference may exist. The driver has to check that first. Of every
            request it checks, when it stores the settlement, that no other payment has its id.
    """

    outcome: PaymentOutcome
    request: Any = field(default=None, repr=False)
    reason: str | None = None
    error: VictorError | None = None
    looked_up: bool = False
    unless_mine: Settlement | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """A claimed write of any system, and when it may first have been sent.

    Attributes:
        call: The call that the driver sends. This module does not look into it.
        sent: The earliest time at which the write may have been sent; None: it was not.
        is_keyed: Whether a key keeps the write from being done twice.
        look_up_by: Values that a look-up needs beside the call.
        why_no_look_up: Why no read can show whether the write was done; empty: a read can.
    """

    call: Any = field(repr=False)
    sent: SentSince | None = None
    is_keyed: bool = False
    look_up_by: Mapping[str, str] = field(default_factory=dict[str, str])
    why_no_look_up: str = ""

    @staticmethod
    def of(
        call: PreparedCall, sent: SentSince | None, look_up_by: Mapping[str, str] = _NOTHING
    ) -> Write:
        """Return the write of a prepared call. The arguments are the attributes of `Write`."""
        return Write(
            call,
            sent,
            is_keyed=call.promise is Promise.KEYED,
            look_up_by=look_up_by,
            why_no_look_up=_why_no_look_up(call, look_up_by),
        )


def _why_no_look_up(call: PreparedCall, look_up_by: Mapping[str, str]) -> str:
    """The reason for `Write.why_no_look_up`."""
    if call.look_up_needs is None:
        return "No read of the provider's shows whether it was done."
    missing = [name for name in call.look_up_needs if name not in look_up_by]
    if not missing:
        return ""
    return f"It was added without {' and '.join(missing)}, which its look-up needs."


@dataclass(frozen=True, slots=True)
class LookUp:
    """A write that is not sent (again), or not yet: the driver reads what the provider has of it.
    It passes the result to `settlement_of`, unless the write is then `to_be_repeated`.

    Attributes:
        since: The time from which reads show all that the write may have made.
        why: Why the write is looked up, in sentences.
        first: The earliest time at which what is looked for may have been sent, by the provider's
            clock, with which times of the provider can be compared; None: it is known only by the
            clock of a machine.
        may_repeat: Whether its key is repeated if the reads find nothing.
    """

    write: Write
    since: datetime
    why: str
    first: datetime | None
    may_repeat: bool = False

    @property
    def moments(self) -> Mapping[str, datetime]:
        """The moments that `client.look_up` takes: `since`, before which the write cannot have made
        a request; and `read_from`, which may be earlier, so that other requests with which its own
        could be confused are read, too.
        """
        since = self.since if self.first is None else self.first
        return {"since": since, "read_from": self.since}

    def to_be_repeated(self, done: Done | NotDone | str) -> bool:
        """Whether the key is repeated, since the reads have found nothing of the write."""
        is_absent = isinstance(done, Absent) or (isinstance(done, NotDone) and not done.is_over)
        return self.may_repeat and is_absent

    def settlement_of(self, done: Done | NotDone | str) -> Settlement:
        """Return the settlement after the reads. `done` is their result; a text says why they do
        not show whether the write was done.
        """
        if isinstance(done, NotDone) and done.is_over:
            reason = f"{self.why} {done.why}"
            return Settlement(PaymentOutcome.REJECTED, reason=reason, looked_up=True)
        if isinstance(done, NotDone):
            under_way = "What was sent may still be under way"
            advice = "; else it was lost, and can be sent again" if done.can_be_sent else ""
            return self.unknown_settlement(f"{done.why} {under_way}{advice}.")
        if isinstance(done, str):
            return self.unknown_settlement(f"{done} {_ADVICE}")
        if self.first is None and not done.is_state:
            return self.unknown_settlement(
                f"{done.id} has what was sent, but it may be another's: only a machine's clock "
                "says when it was sent, since no Date of an earlier response of the provider is "
                f"stored. {_ADVICE}"
            )
        otherwise = None
        if not done.is_state:
            doubt = f"{done.id} has what was sent, but another payment has the same reference."
            otherwise = self.unknown_settlement(f"{doubt} {_ADVICE}")
        return Settlement(
            PaymentOutcome.CREATED, done, self.why, looked_up=True, unless_mine=otherwise
        )

    def unknown_settlement(self, words: str) -> Settlement:
        """Return the settlement that it is unknown whether the write was done, for a reason in
        `words`.
        """
        reason = f"{self.why} {words}"
        return Settlement(PaymentOutcome.UNKNOWN, reason=reason, looked_up=True)


Flow: TypeAlias = Generator[Callable[[], Any], Any, T]
"""A generator that yields calls. The driver sends the result of a call into it, or throws the error
of the call in.
"""


def settle(
    write: Write,
    keys: Keys | Keyless,
    clock: Callable[[], Now],
    create: Callable[[Moment], Any],
    note: Callable[[VictorError | None], object],
) -> Flow[Settlement | LookUp]:
    """Send a payment once, or return what has to be looked up in its place, or before.

    A payment is not sent if the provider may have forgotten its key; and after a pause only if a
    look-up, where there is one, finds nothing. A payment that may exist at the provider never
    becomes refused or not sent.

    Args:
        clock: Returns the present time.
        create: Sends the payment under its key. Its argument is when it was decided to send it: see
            `send_in_time`.
        note: Told of the end of the call: its error, or None.
    """
    now = clock()
    doubt = keys.doubt(write.sent, now)
    if doubt is not None and not (doubt.may_repeat and write.why_no_look_up):
        since, why, may_repeat = doubt
        return _look_up_of(write, why, keys, now, since=since, began=since, may_repeat=may_repeat)
    is_repeat = write.sent is not None
    end = yield from _call_once(partial(create, now.moment), note, is_repeat=is_repeat)
    result = end.result
    if isinstance(result, str):
        # If the key was used, and this payment was not sent before, nobody knows by whom and when:
        # it may be as long ago as the provider keeps keys.
        since = write.sent or keys.first_use(now)
        began: SentSince | Moment = since
        # What was made before this call is this payment only if the refusal says that its key was
        # used, and no earlier attempt of this call may have used it.
        if not is_repeat and (end.attempts > 1 or not end.names_key):
            began = now.moment
        return _look_up_of(write, result, keys, now, since=since, began=began)
    if is_repeat and result.outcome is not PaymentOutcome.CREATED:
        return _as_possibly_sent(result)
    if result.outcome in MAY_EXIST and isinstance(keys, Keyless):
        return _look_up_of(write, keys.why, keys, clock(), since=now.moment, began=now.moment)
    if isinstance(keys, Keys) and result.outcome is PaymentOutcome.CREATED:
        is_after_pause = doubt is not None or keys.absent_at is not None
        return replace(result, reason=keys.why_repeated) if is_after_pause else result
    return result


def _look_up_of(
    write: Write,
    why: str,
    keys: Keys | Keyless,
    now: Now,
    *,
    since: SentSince | Moment,
    began: SentSince | Moment,
    may_repeat: bool = False,
) -> Settlement | LookUp:
    """Return the look-up of a write, with its times by the provider's clock; if no read can show
    the write, the settlement that says so.
    """
    earliest = _as_sent(since, now, keys.caller).earliest(now)
    first = _as_sent(began, now, keys.caller).first(now)
    look_up = LookUp(write, earliest, why, first, may_repeat)
    if write.why_no_look_up:
        return look_up.unknown_settlement(f"{write.why_no_look_up} {_ADVICE}")
    return look_up


def _as_sent(sent: SentSince | Moment, now: Now, caller: str | None) -> SentSince:
    """Return a time of this process in the form that is stored; a stored one as it is."""
    return SentSince.at(now, caller, sent) if isinstance(sent, Moment) else sent


class _CallEnd(NamedTuple):
    """The end of a call.

    Attributes:
        result: The settlement, or why the payment is looked up.
        attempts: How often it was sent.
        names_key: Whether the provider says that its key was used.
    """

    result: Settlement | str
    attempts: int
    names_key: bool = False


def _call_once(
    send: Callable[[], Any], note: Callable[[VictorError | None], object], *, is_repeat: bool
) -> Flow[_CallEnd]:
    """Make one call, and return how it ended. `note` is called with its error, or with None.

    `is_repeat`: an earlier call may have sent the payment.
    """
    try:
        created = yield send
    except VictorError as error:
        note(error)
        if isinstance(error, DeadlineExceeded) and not error.attempts and not _was_tried(error):
            # It came too late for the decision. That says nothing of the provider.
            return _CallEnd(Settlement(PaymentOutcome.NOT_SENT, reason=error.summary), 0)
        reason = _reason_to_look(error, is_repeat=is_repeat)
        result = reason or _settlement_of_error(error)
        names_key = isinstance(error, Conflict) and error.names_key
        return _CallEnd(result, error.attempts, names_key=names_key)
    note(None)
    if isinstance(created, Done) and created.undecided:
        return _CallEnd(created.undecided, 1)
    if isinstance(created, PaymentRequest) and not created.id:
        accepted = Settlement(PaymentOutcome.ACCEPTED, created, "The response has no id.")
        return _CallEnd(accepted, 1)
    return _CallEnd(Settlement(PaymentOutcome.CREATED, created), 1)


def _was_tried(error: VictorError) -> bool:
    """Whether an exchange that failed is behind an error, such as one for a token."""
    return error.__cause__ is not None or error.response is not None


def _reason_to_look(error: VictorError, *, is_repeat: bool) -> str | None:
    """Return why a payment is looked up after an error; None: the error says enough, or a repeat
    will.

    A 409 never proves that nothing exists under the key; a refusal says nothing of an earlier call.
    """
    if isinstance(error, Conflict):
        return error.message
    if is_repeat and is_refusal(error):
        return f"It may have been sent before; now: {error.summary}"
    return None


def _settlement_of_error(error: VictorError) -> Settlement:
    """Return the settlement of a call that failed, of this call alone."""
    if error.outcome is Outcome.ACCEPTED:
        outcome = PaymentOutcome.ACCEPTED
    elif error.outcome is Outcome.UNKNOWN:
        outcome = PaymentOutcome.UNKNOWN
    elif failure_scope(error) is FailureScope.CLIENT:
        return Settlement(PaymentOutcome.WAITING, error=error)
    elif isinstance(error, InvalidRequest):
        outcome = PaymentOutcome.REFUSED
    elif is_refusal(error) or failure_scope(error) is FailureScope.EITHER:
        outcome = PaymentOutcome.REJECTED
    else:
        outcome = PaymentOutcome.NOT_SENT
    return Settlement(outcome, reason=error.summary, error=error)


def _as_possibly_sent(settlement: Settlement) -> Settlement:
    """Return the settlement of a payment that may have been sent: it is at least unknown."""
    if settlement.outcome in MAY_EXIST:
        return settlement
    why = "It may have been sent before this program was interrupted. It has not been tried since."
    reason = settlement.reason or why
    return replace(settlement, outcome=PaymentOutcome.UNKNOWN, reason=reason)


def why_not_its_own(id: str, own: str, other: str) -> str:
    """Return why an id that a response or a look-up names for one payment does not settle it, as
    sentences: it is that of another one. `own` and `other` are what people call the two.
    """
    return f"{id} was named for {own}, and is the id of {other}: it settles one of them. {_ADVICE}"
