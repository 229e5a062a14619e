"""The age of a key, which decides whether a payment can be sent again.

`Moment`, `Now` and `SentSince` are times; `Keys.doubt` (with a key) and `Keyless.doubt` (without
one) decide; `within_key_life` limits the time of a call, and `send_in_time` says until when the
decision to make it holds.

The provider expires its keys by its own clock, so the age is measured by that clock, estimated from
its responses. Local clocks drift, stop during sleep and differ between machines: an age that they
alone bound is uncertain, and the payment is looked up. The provider's clock may stand still: the
larger age counts. Within one process, the age is what the local clock shows that has advanced
further.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from victor_ext import ProviderTime
from victor_ext._values.clocks import READ_EARLIER, TIMES_DIFFER

_MARGIN = 300.0
"""Seconds before a key expires in which no call with the key begins: a call and its retries take
time.
"""
_LEAST_MARGIN = 70.0
"""Minimum margin for short retentions: the default call duration, plus the age of a `Date` header.
"""
_DATES_DIFFER = TIMES_DIFFER.total_seconds()
ASSUMED_KEPT = 86_400.0
"""Seconds for which a provider keeps keys if nobody has said so: the habit of the field."""
LOOK_FIRST_AFTER = 600.0
"""Seconds after which what may have been sent is looked up before its key is repeated."""
LEAST_KEPT = 100.0
"""The minimum seconds for which a provider has to keep keys. With less, a call could outlast its
key; or the time that an entry waits for its call would make each payment doubtful, and none would
be sent.
"""
_CLOCKS_DIFFER = timedelta(days=1)
"""How far before the time of sending look-ups read, if that time is by a machine's clock."""
LAST_CALLS = 300
"""Seconds that a worker waits at its end for the calls under way: none takes longer than 290
(`within_key_life`).
"""


class Moment(NamedTuple):
    """A time in this process, by both local clocks: the wall clock, which may be set, and the
    monotonic one, which stands still while the machine sleeps.
    """

    local: float
    monotonic: float

    @classmethod
    def now(cls) -> Moment:
        """Return the present time."""
        return cls(time.time(), time.monotonic())

    def after(self, seconds: float) -> Moment:
        """Return the moment so many seconds later."""
        return Moment(self.local + seconds, self.monotonic + seconds)


@dataclass(frozen=True, slots=True)
class Now:
    """The present time, by the clocks of this machine and by the provider's. That one is asked for
    before: if it is not known, the provider's responses have none.
    """

    moment: Moment
    provider: ProviderTime

    @classmethod
    def of(cls, client: Any) -> Now:
        """Return the present time, with the provider's as far as this client knows it."""
        return cls(Moment.now(), client.provider_time())

    def by_provider(self) -> float:
        """Return the epoch seconds by the provider's clock; if that is unknown, by this
        machine's.
        """
        if self.provider.is_known:
            return self.provider.moment.timestamp()
        return self.moment.local

    def since(self, moment: Moment) -> float:
        """Return the seconds since `moment`, by whichever local clock shows more."""
        return max(self.moment.local - moment.local, self.moment.monotonic - moment.monotonic)

    def at_least_since(self, moment: Moment) -> float:
        """Return the seconds since `moment`, by whichever local clock shows less; not below 0."""
        shown = (self.moment.local - moment.local, self.moment.monotonic - moment.monotonic)
        return max(0.0, min(shown))


class SentSince(NamedTuple):
    """The earliest time at which a payment may have been sent, and the digest of its sender's
    credentials.

    Attributes:
        since: Lower bound of the send time, in epoch seconds: by the provider's clock if `known`,
            else by the sender's.
        by: The digest of the sender's credentials; None: there is none.
        known: Whether `since` is by the provider's clock.
        looked_up: Whether the payment was looked up since then. Then it is never sent again: a
            person may have acted on the result.
        spread: Seconds by which the first sending may have been later than `since`: the clocks of a
            machine that slept, or whose clock was changed, show different times.
        local: The send time by the clock of this machine, in epoch seconds; None: it is not known.
    """

    since: float
    by: str | None
    known: bool
    looked_up: bool = False
    spread: float = 0.0
    local: float | None = None

    @classmethod
    def at(cls, now: Now, by: str | None, moment: Moment | None = None) -> SentSince:
        """Return the time of a sending in this process, in the form that is stored: by the
        provider's clock, if that is known. It was at `moment`; None: it is now.
        """
        moment = moment or now.moment
        if now.provider.is_known:
            age = now.since(moment)
            spread = max(0.0, age - now.at_least_since(moment))
            since = now.provider.moment.timestamp() - age
            return cls(since, by, known=True, spread=spread, local=moment.local)
        return cls(moment.local, by, known=False, local=moment.local)

    def earliest(self, now: Now) -> datetime:
        """Return the earliest time that the provider can give for the request."""
        # `since` is at most now. If it is later, a clock was ahead.
        since = datetime.fromtimestamp(min(self.since, now.by_provider()), UTC)
        return since - (READ_EARLIER if self.known else _CLOCKS_DIFFER)

    def age(self, now: Now) -> float:
        """Return the seconds since then, by the provider's clock, which is known at both times; or
        by this machine's, if that shows more: the provider's may stand still.
        """
        age = now.provider.moment.timestamp() - self.since
        if self.local is None or age < -_DATES_DIFFER:
            return age
        return max(age, now.moment.local - self.local)

    def first(self, now: Now) -> datetime | None:
        """Return the latest time that the first sending may have had, by the provider's clock. A
        request that was made before then may be another payment's. None: the time is known only by
        a machine's clock.
        """
        if not self.known:
            return None
        latest = self.since + self.spread
        if now.provider.is_known:  # the first sending was not later than now
            latest = min(latest, now.provider.moment.timestamp())
        return datetime.fromtimestamp(latest, UTC)


_IN_FUTURE = "It may have been sent at a time in the future: a clock was changed."
_TOO_OLD = "It may have been sent longer ago than the provider keeps its key."
_AFTER_PAUSE = "It may have been sent before a pause."


class Doubt(NamedTuple):
    """Why a payment must not be sent now.

    Attributes:
        since: The earliest time at which it may have been sent.
        why: The reason, as a sentence.
        may_repeat: Whether its key is repeated if a look-up finds nothing.
    """

    since: SentSince | Moment
    why: str
    may_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Keys:
    """How long the provider keeps keys, and whose keys they are.

    Attributes:
        kept: Seconds for which the provider keeps a key, at least `LEAST_KEPT`.
        caller: Digest of the client's credentials: the provider may keep the keys of each caller
            apart. None: the credentials cannot be told from others, so that a payment may have been
            sent with others.
        alone_since: When this worker was last known to be the only one with the payment. A worker
            that was stopped (a suspended machine) does not know that another one has taken the
            payment over. It therefore treats the payment as possibly sent since then. None: no
            other worker can take the payment over.
        absent_at: When a look-up has last found nothing of the payment; None: there was none.
        why_repeated: What is said of a payment whose key was repeated after a pause.
    """

    kept: float
    caller: str | None
    alone_since: Moment | None = None
    absent_at: Moment | None = None
    why_repeated: str | None = None

    def first_use(self, now: Now) -> SentSince:
        """Return the earliest time at which a key that the provider still keeps may have been
        used.
        """
        sent = SentSince.at(now, self.caller)
        return SentSince(sent.since - self.kept, sent.by, sent.known)

    def doubt(self, sent: SentSince | Moment | None, now: Now) -> Doubt | None:
        """Return the doubt for which a payment must not be sent now; None: it can be sent.

        `sent` is the earliest time at which the payment may have been sent, as stored or as a time
        in this process; None: it was not sent.
        """
        sent = sent or self.alone_since
        if sent is None:
            return None
        why = None
        if isinstance(sent, SentSince):
            why = self._why_uncertain(sent, now)
        if why is not None:
            return Doubt(sent, why)
        age = now.since(sent) if isinstance(sent, Moment) else sent.age(now)
        if age < -_DATES_DIFFER:
            return Doubt(sent, _IN_FUTURE)
        if _is_over(age, self.kept):
            return Doubt(sent, _TOO_OLD)
        unseen_for = age if self.absent_at is None else now.since(self.absent_at)
        if _is_over(unseen_for, LOOK_FIRST_AFTER):
            return Doubt(sent, _AFTER_PAUSE, may_repeat=True)
        return None

    def _why_uncertain(self, sent: SentSince, now: Now) -> str | None:
        """Return why no age of a stored time of sending lets its key be repeated; None: one may."""
        if sent.looked_up:
            return "It may have been sent, and is only looked up."
        if not sent.known:
            return "It may have been sent at a time that is known only by the clock of a machine."
        if not now.provider.is_known:
            return (
                "It may have been sent, and its age is uncertain, because the responses of the "
                "provider have no Date."
            )
        if sent.by is None or sent.by != self.caller:
            return (
                "It may have been sent with other credentials, and the provider may keep their "
                "keys separately."
            )
        return None


@dataclass(frozen=True, slots=True)
class Keyless:
    """Takes the place of `Keys` for writes without a key: a write that may have been sent is never
    sent again.

    Attributes:
        caller: As of `Keys`.
        held: Seconds for which this worker alone has the write, from `since` on. No call of it
            begins later.
        since: When this worker was last known to be the only one with the write: while the machine
            slept, another worker may have looked the write up.
        why: Why a write that may have been sent is not sent again, as a sentence.
    """

    caller: str | None
    held: float
    since: Moment
    why: str = "It may have been sent, and it takes no key."

    def first_use(self, now: Now) -> SentSince:
        """Return the earliest time at which a write that was not sent before may have been sent:
        now. Whatever was done earlier was another write.
        """
        return SentSince.at(now, self.caller)

    def doubt(self, sent: SentSince | Moment | None, now: Now) -> Doubt | None:
        """Return the doubt for which a payment must not be sent now: see `Keys.doubt`."""
        if sent is not None:
            return Doubt(sent, self.why)
        if now.since(self.since) < self.held:
            return None
        why = "It waited, or this machine slept, until another worker may have taken it up."
        return Doubt(self.since, why)


def within_key_life(client: Any, kept: float) -> Any:
    """Return a client whose calls end, all of their attempts included, before their keys can
    expire.

    `kept` are the seconds for which the provider keeps keys.
    """
    deadline = client.deadline
    longest = _margin(kept) - _DATES_DIFFER
    if deadline is not None and deadline <= longest:
        return client
    return client.with_options(deadline=longest)


def send_in_time(
    client: Any, decided: Moment, send: Callable[[], Any], *ends: Moment | None
) -> Any:
    """Send by calling `send`; what is late is not sent, by whichever local clock shows more.

    A process may be stopped anywhere between the decision and the first byte. What the decision
    relies on (the life of a key, that nobody else has the payment) may have ended meanwhile. So it
    holds for as long as a call takes, and the client looks at both clocks before it writes.

    Args:
        client: A client with a deadline.
        decided: When it was decided to make the call.
        ends: Moments at which the decision ends in any case; None: there is none.
    """
    known = [decided.after(client.deadline), *filter(None, ends)]
    until = Moment(min(end.local for end in known), min(end.monotonic for end in known))
    return client.send_before(until, send)


def _margin(kept: float) -> float:
    """Seconds before a key expires in which no call with it begins: a tenth of the seconds for
    which the provider keeps keys, within limits.
    """
    return min(_MARGIN, max(_LEAST_MARGIN, kept / 10))


def _is_over(age: float, limit: float) -> bool:
    """Whether a call may end later than a limit after the first sending, at this age."""
    return age > limit - _margin(limit)
