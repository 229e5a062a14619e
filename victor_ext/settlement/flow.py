"""From a claimed payment to its result: a generator that yields the calls to make, and may end with
a `LookUp`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, StrEnum, auto
from functools import partial
from types import MappingProxyType
from typing import Any, Generic, TypeAlias, TypeVar

from victor_ext import (
    AuthenticationError,
    BadRequest,
    ConfigurationError,
    Conflict,
    Done,
    InvalidRequest,
    NotDone,
    NotFound,
    Outcome,
    PaymentRequest,
    PermissionDenied,
    PreparedCall,
    Promise,
    RateLimited,
    StatusError,
    VictorError,
)
from victor_ext.ids import reference_of

from .key_age import TIME_UNKNOWN, BegunTooLateError, Keys, Moment, NoKey, Now, Sent

C = TypeVar("C")
T = TypeVar("T")

_NOTHING: Mapping[str, str] = MappingProxyType({})

_BEGUN_TOO_LATE = "It was not sent by this call: this process was stopped before the call began."
_ADVICE = "It is not sent again: check it by hand."


class PaymentOutcome(StrEnum):
    """What is known of a payment. The first three are settled; the others can be tried again with
    the same key.

    Attributes:
        CREATED: The provider accepted the request; its id and status are known.
        REJECTED: The provider rejected it. Nothing was created.
        REFUSED: Refused locally and not sent: an invalid value, or a due date that passed while it
            waited.
        WAITING: Not sent yet.
        NOT_SENT: Tried, but nothing was sent from this machine; or it was lost on the way.
        UNKNOWN: It may have been created.
        ACCEPTED: Created, but the response with its id could not be read.
    """

    CREATED = "created"
    REJECTED = "rejected"
    REFUSED = "refused"
    WAITING = "waiting"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"


SETTLED = frozenset({PaymentOutcome.CREATED, PaymentOutcome.REJECTED, PaymentOutcome.REFUSED})
"""Outcomes that another call cannot change."""

MAY_EXIST = frozenset({PaymentOutcome.UNKNOWN, PaymentOutcome.ACCEPTED})
"""Outcomes after which the provider may have a request whose id is unknown here."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a payment, with the error of the last call, if it failed.

    Attributes:
        request: What was created or done: the provider's payment request, or a `Done`.
        reason: Why it is not created, or how its request was identified, in sentences.
        sent: The earliest time at which it may have been sent, unless it is settled.
        looked_up: Whether it was looked up, so that it must not be sent again.
        if_lost: For one that is unknown, and whose state was read: the settlement if nothing of it
            can be under way any more. The driver knows when that is.
        unless_mine: For a request that was looked up: the settlement if the request may be another
            payment's (`Rival`). The driver has to check that before it stores this one.
    """

    outcome: PaymentOutcome
    request: Any = field(default=None, repr=False)
    reason: str | None = None
    error: VictorError | None = None
    sent: Sent | Moment | None = None
    looked_up: bool = False
    if_lost: Settlement | None = None
    unless_mine: Settlement | None = None

    def once_over(self) -> Settlement:
        """Return what is known if nothing of it can be under way any more."""
        return self if self.if_lost is None else self.if_lost


@dataclass(frozen=True, slots=True)
class Write(Generic[C]):
    """A claimed write of any system, and when it may first have been sent.

    Attributes:
        call: What its driver sends. Nothing here looks into it.
        sent: The earliest time at which it may have been sent; None: it was not.
        is_keyed: Whether a key keeps it from being done twice.
        look_up_by: What its look-up needs beside the call.
        why_no_look_up: Why no read can show whether it was done; empty: one can.
    """

    call: C = field(repr=False)
    sent: Sent | None = None
    is_keyed: bool = False
    look_up_by: Mapping[str, str] = field(default_factory=dict[str, str])
    why_no_look_up: str = ""

    @staticmethod
    def of(
        call: PreparedCall, sent: Sent | None, look_up_by: Mapping[str, str] = _NOTHING
    ) -> Write[PreparedCall]:
        """Return the write that a prepared call is."""
        return Write(
            call,
            sent,
            is_keyed=call.promise is Promise.KEYED,
            look_up_by=look_up_by,
            why_no_look_up=_why_no_look_up(call, look_up_by),
        )


def _why_no_look_up(call: PreparedCall, look_up_by: Mapping[str, str]) -> str:
    if call.look_up_needs is None:
        return "No read of the provider's shows whether it was done."
    missing = [name for name in call.look_up_needs if name not in look_up_by]
    if not missing:
        return ""
    return f"It was added without {' and '.join(missing)}, which its look-up needs."


@dataclass(frozen=True, slots=True)
class LookUp:
    """A write that is not sent again: read what the provider has of it since then, and it is
    `shown`.

    `why` it is looked up, in sentences; `sent` is the earliest time at which it may have been sent,
    by whoever used its key, and `began` that of what is looked for. `first` is `began` by the
    provider's clock; None: only a machine's clock has it, which no time of the provider's can be
    compared with.
    """

    write: Write[Any]
    since: datetime
    why: str
    sent: Sent | Moment
    began: Sent | Moment
    first: datetime | None

    @property
    def moments(self) -> Mapping[str, datetime]:
        """The moments that `client.look_up` needs: whatever else it may be is read, too."""
        return {"since": self.since if self.first is None else self.first, "read_from": self.since}

    def shown(self, done: Done | NotDone | str) -> Settlement:
        """Return what reads have shown of it: a text says why they do not show that it was done."""
        if isinstance(done, NotDone) and done.is_over:
            reason = f"{self.why} {done.why}"
            return Settlement(PaymentOutcome.REJECTED, reason=reason, looked_up=True)
        if isinstance(done, NotDone):
            unknown = self.unknown(f"{done.why} What was sent may still be under way.")
            return replace(unknown, if_lost=self._lost(done) if done.can_be_sent else None)
        if isinstance(done, str):
            return self.unknown(f"{done} {_ADVICE}")
        if self.first is None and not done.is_state:
            return self.unknown(
                f"{done.id} has what was sent, but only a machine's clock says when it was sent: "
                f"it may be another's. {_ADVICE}"
            )
        seen = f"{done.id} has what was sent, but another payment has the same reference."
        otherwise = None if done.is_state else self.unknown(f"{seen} {_ADVICE}")
        return Settlement(
            PaymentOutcome.CREATED, done, self.why, looked_up=True, unless_mine=otherwise
        )

    def _lost(self, state: NotDone) -> Settlement:
        reason = f"{self.why} {state.why} So it was lost, and can be sent again."
        return Settlement(PaymentOutcome.NOT_SENT, reason=reason, looked_up=True)

    def refused(self, error: InvalidRequest) -> Settlement:
        """Return what is known of it if the client refuses the values of its look-up."""
        return self.shown(f"The look-up failed: {error.summary}")

    def unknown(self, words: str, *, looked_up: bool = True) -> Settlement:
        """Return what is known of it, for this reason: `looked_up`, or the requests could not be
        read.
        """
        reason = f"{self.why} {words}"
        # what was looked up is not sent again: its key has no age
        sent = self.began if looked_up else self.sent
        return Settlement(PaymentOutcome.UNKNOWN, reason=reason, sent=sent, looked_up=looked_up)


Flow: TypeAlias = Generator[Callable[[], Any], Any, T]
"""It yields a call, and is sent the request that it made; the call's error is thrown into it."""


class About(Enum):
    """What a failed call is about."""

    PAYMENT = auto()  # its values, or its key
    CLIENT = auto()  # nothing can be sent with it
    EITHER = auto()  # the client or this payment
    PROVIDER = auto()  # or the way to it, such as its rate or a connection


def about(error: VictorError) -> About:
    if isinstance(error, BadRequest | Conflict | InvalidRequest):
        return About.PAYMENT
    if isinstance(error, AuthenticationError | ConfigurationError):
        return About.CLIENT
    is_rejected = isinstance(error, StatusError) and error.outcome is Outcome.REJECTED
    if is_rejected and not isinstance(error, RateLimited):
        return About.EITHER
    return About.PROVIDER


def is_about_all(error: VictorError) -> bool:
    """Whether a failed call says that others would fail, too."""
    return about(error) in (About.CLIENT, About.PROVIDER) and not isinstance(error, NotFound)


def settle(
    write: Write[Any],
    keys: Keys | NoKey,
    turn: Callable[[Settlement, Sent | Moment | None], Now | None],
    create: Callable[[bool, Moment], Any],
) -> Flow[Settlement | LookUp]:
    """Send a payment until it is settled, has to be looked up, or is left.

    Nothing is sent whose key the provider may have forgotten. What may exist never becomes refused
    or not sent.

    Args:
        turn: Waits until the payment can be tried, and returns the time then, or None: leave it as
            it is. It is given what is known of the payment, and the earliest time at which it may
            have been sent, or None.
        create: Sends the payment under its key. It is given whether the payment may have been sent
            before, and when it was decided to send it (see `within_decision`, whose error it may
            raise). A `Settlement` says why it was not sent.
    """
    sent: Sent | Moment | None = write.sent
    so_far = Settlement(PaymentOutcome.WAITING)
    while True:
        now = turn(so_far, sent)
        if now is None:
            return so_far if sent is None else _may_exist(so_far, sent)
        result = yield from _tried(write, keys, sent, now, create)
        if isinstance(result, LookUp):
            nothing = write.why_no_look_up
            return result.unknown(f"{nothing} {_ADVICE}") if nothing else result
        if sent is None and result.outcome in MAY_EXIST:
            sent = now.moment
        so_far = _joined(so_far, result, sent)
        if so_far.outcome in SETTLED:
            return so_far


def _tried(
    write: Write[Any],
    keys: Keys | NoKey,
    sent: Sent | Moment | None,
    now: Now,
    create: Callable[[bool, Moment], Any],
) -> Flow[Settlement | LookUp]:
    """Send a payment once, unless its key may be forgotten.

    Return what this call says of itself alone; a `LookUp` if it is not sent, or its result says too
    little.
    """
    doubt = keys.doubt(sent, now)
    if doubt is not None:
        since, why = doubt
        if why is TIME_UNKNOWN:  # it waits, for the provider's time may be known later
            reason = (
                "It may have been sent. It waits until the time of the provider is known: "
                f"{now.error}"
            )
            return Settlement(PaymentOutcome.UNKNOWN, reason=reason, error=now.error)
        return _look_up(write, why, keys, now, since=since, began=since)
    send = partial(create, sent is not None, now.moment)
    result, attempts = yield from _create(send, is_repeat=sent is not None)
    if isinstance(result, Settlement):
        return result
    # A conflict shows that the key was used: by whom and when is not known, if it was not for this
    # payment.
    since = began = sent or keys.first_use(now)
    if sent is None and attempts > 1:  # an earlier attempt may have used it
        began = now.moment
    return _look_up(write, result, keys, now, since=since, began=began)


def _look_up(
    write: Write[Any],
    why: str,
    keys: Keys | NoKey,
    now: Now,
    *,
    since: Sent | Moment,
    began: Sent | Moment,
) -> LookUp:
    earliest = _stored(since, now, keys.caller).earliest(now)
    first = _stored(began, now, keys.caller).first(now)
    return LookUp(write, earliest, why, since, began, first)


def _stored(sent: Sent | Moment, now: Now, caller: str | None) -> Sent:
    return Sent.at(sent, now, caller) if isinstance(sent, Moment) else sent


def _create(send: Callable[[], Any], *, is_repeat: bool) -> Flow[tuple[Settlement | str, int]]:
    """Make one call.

    Return what it says of itself alone, or why it is looked up; and how often it was sent.
    """
    try:
        created = yield send
    except BegunTooLateError:
        return Settlement(PaymentOutcome.NOT_SENT, reason=_BEGUN_TOO_LATE), 0
    except VictorError as error:
        return _reason_to_look(error, is_repeat=is_repeat) or _of_error(error), error.attempts
    if isinstance(created, Settlement):
        return created, 0
    if isinstance(created, PaymentRequest) and not created.id:
        return Settlement(PaymentOutcome.ACCEPTED, created, "The response has no id."), 1
    return Settlement(PaymentOutcome.CREATED, created), 1


def _reason_to_look(error: VictorError, *, is_repeat: bool) -> str | None:
    """Return why a payment is looked up after an error; None: the error says enough, or a repeat
    can.

    A 409 never proves that nothing exists under the key; a refusal says nothing of an earlier call.
    """
    if isinstance(error, Conflict):
        return error.message
    if is_repeat and is_refusal(error):
        return f"It may have been sent before; now: {error.summary}"
    return None


def unread(error: VictorError) -> Settlement:
    """Return what is known of a payment that was not sent, since the read before it failed."""
    if about(error) is About.CLIENT:
        return Settlement(PaymentOutcome.WAITING, error=error)
    return Settlement(PaymentOutcome.NOT_SENT, reason=error.summary, error=error)


def is_refusal(error: VictorError) -> bool:
    """Whether a call was refused for good: the same call later would be, too.

    After a 401, 403 or 429 it may not be.
    """
    if isinstance(error, PermissionDenied) or about(error) not in (About.PAYMENT, About.EITHER):
        return False
    return error.outcome in (Outcome.REJECTED, Outcome.NOT_SENT)


def _of_error(error: VictorError) -> Settlement:
    """Return what the error of a call says of this call alone."""
    if error.outcome is Outcome.ACCEPTED:
        outcome = PaymentOutcome.ACCEPTED
    elif error.outcome is Outcome.UNKNOWN:
        outcome = PaymentOutcome.UNKNOWN
    elif about(error) is About.CLIENT:
        return Settlement(PaymentOutcome.WAITING, error=error)
    elif isinstance(error, InvalidRequest):
        outcome = PaymentOutcome.REFUSED
    elif is_refusal(error) or about(error) is About.EITHER:
        outcome = PaymentOutcome.REJECTED
    else:
        outcome = PaymentOutcome.NOT_SENT
    return Settlement(outcome, reason=error.summary, error=error)


def _joined(before: Settlement, after: Settlement, sent: Sent | Moment | None) -> Settlement:
    """Join the results of two calls: what may exist after one of them may exist after both."""
    if sent is None or after.outcome is PaymentOutcome.CREATED:
        return after
    if before.outcome in MAY_EXIST and after.outcome is not PaymentOutcome.ACCEPTED:
        reason = after.reason or before.reason
        return replace(after, outcome=before.outcome, reason=reason, sent=sent)
    return _may_exist(after, sent)


def _may_exist(settlement: Settlement, sent: Sent | Moment) -> Settlement:
    if settlement.outcome in MAY_EXIST:
        return replace(settlement, sent=sent)
    why = "It may have been sent before this program was interrupted. It has not been tried since."
    reason = settlement.reason or why
    return replace(settlement, outcome=PaymentOutcome.UNKNOWN, reason=reason, sent=sent)


@dataclass(frozen=True, slots=True)
class Rival:
    """Another payment, whose request may be taken for this one's: one request settles one payment.

    A payment is stored as one that may have been sent before it is sent. So whichever has made a
    request is seen, whatever its worker does meanwhile: it has the request's id (the one that it is
    settled with, or None), or the same reference and may have been sent and is not settled
    (`may_exist`).
    """

    key: str
    reference: str
    id: str | None
    may_exist: bool

    def may_have_made(self, request_id: str, reference: object, key: str) -> bool:
        """Whether the request with this id, of the payment with this reference and key, may be the
        other payment's.
        """
        if key == self.key:
            return False
        return self.id == request_id or (
            self.may_exist and reference_of(self.reference) == reference_of(reference)
        )
