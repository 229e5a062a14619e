"""Send the rows of a chunk and determine their results: the driver of `settle` with threads."""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, count
from operator import call
from typing import Any, TypeAlias, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from victor_ext import (
    AuthenticationError,
    ConfigurationError,
    Done,
    InvalidRequest,
    Outcome,
    VictorError,
)
from victor_ext.flows import drive
from victor_ext.ids import reference_of
from victor_ext.settlement.backoff import Backoff, pause_after, pause_asked
from victor_ext.settlement.flow import (
    MAY_EXIST,
    SETTLED,
    About,
    LookUp,
    Rival,
    Settlement,
    about,
    settle,
)
from victor_ext.settlement.key_age import Keys, Moment, NoKey, Now, Sent, within_key_life

from .pacing import ProviderClock, RateLimiter
from .row_kind import Sendable
from .rows import Result, Row, RowOutcome, Step

T = TypeVar("T")

MARKED_AHEAD = 64
"""Rows that are stored as maybe sent before they are: after a crash, those are not told from rows
that were sent.

Each half of them is one write to the database: one for each row would cost more than the call.
"""
SETTLE_FOR = 600.0
"""Seconds for which what takes no key is looked up: a list of the provider's may lack what was made
shorter ago.
"""
_MOST_REFUSALS = 10
"""Consecutive rejections, not caused by the row's data, after which sending stops."""
_Unit: TypeAlias = tuple[int, ...]
"""The indexes of rows that are sent in one call, ascending."""
_Send: TypeAlias = Callable[[_Unit], None]
_Doubtful: TypeAlias = Sequence[tuple[Sequence[Row], LookUp]]
"""What is looked up, with its rows."""
Rivals: TypeAlias = Callable[[Collection[str], Collection[str]], Sequence[Rival]]
"""Returns the rows with these references or ids, of all batches of the state.

It reads all of them.
"""


@dataclass(frozen=True, slots=True)
class SendTerms:
    """Terms for sending the rows of a chunk: as in `Chunk`, with the rate in rows per second.

    `rivals` returns the rows, also of other batches, whose request may be taken for one of these
    rows'. For `alone_since`, see `Keys`.
    """

    retention: float
    patience: float
    rate: float | None
    rivals: Rivals
    alone_since: Callable[[], Moment] | None = None


class Delivery:
    """Sends the rows of all chunks of a process, until `stop`: then only calls in progress
    finish.
    """

    def __init__(
        self,
        kind: Sendable,
        workers: int,
        stop: threading.Event,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kind, self._caller = kind, kind.client.caller
        self._stop = stop
        self._monotonic = monotonic
        self._backoff = Backoff(stop, monotonic)
        self._clock = ProviderClock(kind.client, monotonic)
        self._workers = workers
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="victor-bulk")
        self._few = threading.Lock()
        """Of the chunk that is sent while the provider's time is not known."""
        self._refused_keys: set[str] = set()
        self.given_up: str | None = None
        """Why no row can be sent with this client, or None. Sending has stopped if it is set."""

    def now(self) -> tuple[Moment, Sent]:
        """Return the present time, and as what is stored of a row that is sent now."""
        now = self._clock.now()
        return now.moment, Sent.at(now.moment, now, self._caller)

    def deliver(
        self, rows: Mapping[int, Row], terms: SendTerms, results: dict[int, Result]
    ) -> Generator[Step, Collection[int] | None, None]:
        """Send rows, and look up those that must not be sent again.

        Each step has to be stored before the next one is asked for. Whoever stores it sends back
        the indexes of those rows that are not this worker's any more: they are left alone. If
        nobody asks, the calls in progress end.

        Args:
            rows: The rows without a result, by index, in the order of the indexes.
            results: Results that are not stored yet. Those of the rows are added, also if nobody
                asks for more.
        """
        rate_limiter = RateLimiter(terms.rate, self._stop, self._monotonic)
        step = Step((), None, dict(results))
        indexes, size = [index for index in rows if index not in results], self._kind.together
        to_send = [tuple(indexes[start : start + size]) for start in range(0, len(indexes), size)]
        taken = list[_Unit]()
        """What is sent, without what was lost to others."""
        settled: dict[_Unit, Settlement | LookUp] = {}

        def send(unit: _Unit) -> None:
            settled[unit] = self._send([rows[index] for index in unit], terms, rate_limiter)

        def known(units: Iterable[_Unit], *, is_final: bool = False) -> dict[int, Result]:
            sure = (
                (unit, one) for unit in units if isinstance(one := settled.get(unit), Settlement)
            )
            told = (
                (unit, self._result(one, rows[unit[0]].key, is_final=is_final))
                for unit, one in sure
            )
            return {index: result for unit, result in told for index in unit}

        try:
            self._backoff.wait()
            self._ask()
            yield from self._send_all(deque(to_send), taken, send, known, step)
        except BaseException:
            results |= known(taken)
            raise
        # All of them before the first is judged: the last ones may explain why the first ones were
        # rejected.
        doubtful = {unit: each for unit in taken if isinstance(each := settled[unit], LookUp)}
        if doubtful:
            sent = [([rows[index] for index in unit], each) for unit, each in doubtful.items()]
            settled |= zip(doubtful, self._look_up(sent, terms), strict=True)
        results |= known(taken, is_final=True)
        made = {unit: one for unit in taken if (one := results[unit[0]]).unit is not None}
        if made:  # stored before its parts are read: after a crash it need not be searched for
            yield Step((), None, {index: results[index] for unit in made for index in unit})
        for unit, result in made.items():
            results |= zip(
                unit, self._parts(result, [rows[index] for index in unit], terms), strict=True
            )

    def _send_all(
        self,
        left: deque[_Unit],
        taken: list[_Unit],
        send: _Send,
        known: Callable[[Iterable[_Unit]], dict[int, Result]],
        step: Step,
    ) -> Generator[Step, Collection[int] | None, None]:
        """Send rows in groups, each of which is stored as begun before it is sent.

        While the provider's time is known, the next group is stored while threads send. Without it,
        what is in doubt after a crash is not sent again: then a group has as many rows as there are
        threads, it ends before the next one, and one chunk of this process has all of them.
        """
        threads: list[list[Future[None]]] = []
        with ExitStack() as alone:
            alone.enter_context(self._few)
            try:
                while left:
                    sent = self.now()[1]
                    if sent.known:
                        alone.close()
                    while left and self._stop.is_set():  # nothing is sent any more
                        taken.append(left.popleft())
                        send(taken[-1])
                    size = MARKED_AHEAD // 2 if sent.known else self._workers
                    group = [left.popleft() for _ in range(min(len(left), size))]
                    begun = [index for unit in group for index in unit]
                    step = step._replace(begun=begun, sent=sent if group else None)
                    if group or step.results:
                        lost = yield step
                        group = _without(group, lost or ())
                    taken += group
                    threads.append(self._send_group(group, send))
                    step = Step((), None, {})
                    if not sent.known:
                        wait(threads[-1])
                        step = step._replace(results=known(group))
                    elif len(threads) > 1:
                        # A thread that has ended found no more rows of the group before this one.
                        wait(threads[-2], return_when=FIRST_COMPLETED)
            finally:
                wait(chain.from_iterable(threads))
        for each in chain.from_iterable(threads):
            each.result()
        if step.results:
            yield step

    def _send_group(self, group: Collection[_Unit], send: _Send) -> list[Future[None]]:
        units = iter(group)

        def send_rows() -> None:
            # A thread takes row after row: a future for each one costs as much as a fifth of its
            # call.
            for unit in units:
                send(unit)

        return [self._threads.submit(send_rows) for _ in range(min(self._workers, len(group)))]

    def close(self) -> None:
        """Start no more threads.

        After a stop, each row that is left returns that it was not sent.
        """
        self._threads.shutdown(wait=False)

    def _result(self, settlement: Settlement, key: str, *, is_final: bool = False) -> Result:
        is_of_client = self.given_up is not None or not is_final
        if settlement.outcome is RowOutcome.REJECTED and is_of_client and key in self._refused_keys:
            # The client was rejected, not the row, and nothing was created: the row waits for
            # `resume`.
            return Result(RowOutcome.WAITING, error=settlement.reason)
        outcome, request, sent = settlement.outcome, settlement.request, settlement.sent
        if request is not None and self._kind.together > 1:
            why = "It was sent, and the provider has not said yet whether it accepts this row."
            return Result(RowOutcome.ACCEPTED, error=why, sent=self.now()[1], unit=request.id)
        if isinstance(sent, Moment):
            sent = Sent.at(sent, self._clock.now(), self._caller)
        if sent is not None and settlement.looked_up:
            sent = sent._replace(looked_up=True)
        id_, status = (None, None) if request is None else (request.id or None, request.status)
        return Result(
            outcome, id_, status, settlement.reason, sent if outcome in MAY_EXIST else None
        )

    def _send(
        self, rows: Sequence[Row], terms: SendTerms, rate_limiter: RateLimiter
    ) -> Settlement | LookUp:
        """Send rows in one call until they are settled, patience ends, sending stops, or they have
        to be looked up.
        """
        if rows[0].unit is not None:
            return Settlement(RowOutcome.CREATED, Done(rows[0].unit))
        life = min(terms.retention, *(row.kept for row in rows))
        keys: Keys | NoKey = Keys(life, self._caller, terms.alone_since)
        try:
            payment, key = self._kind.payment(rows), rows[0].key
        except InvalidRequest as error:
            outcome = RowOutcome.REFUSED if rows[0].sent is None else RowOutcome.UNKNOWN
            return Settlement(outcome, reason=error.summary, sent=rows[0].sent)
        if not payment.is_keyed:
            # Whoever takes it over gives it up no sooner than this worker has sent it, and its call
            # has ended.
            life = SETTLE_FOR
            keys = NoKey(self._caller, life / 4, terms.alone_since)
        turns, ends = count(), self._monotonic() + terms.patience

        def turn(so_far: Settlement, sent: Sent | Moment | None) -> Now | None:
            tries = next(turns)
            if sent is not None and isinstance(keys, NoKey):
                return self._clock.now()  # nothing is sent: it is looked up
            if tries:
                if self._monotonic() >= ends:
                    return None
                # All rows share the backoff, and successes of other rows reset it; this wait grows
                # for each row.
                self._stop.wait(max(pause_after(tries), pause_asked(so_far.error)))
            elif isinstance(keys, Keys) and keys.is_over(sent, now := self._clock.now()):
                return now  # nothing is sent: it is looked up
            self._backoff.wait()
            rate_limiter.wait()
            if isinstance(sent, Sent):
                self._ask()
            # The time is read after the waits: a key can expire during them.
            return None if self._stop.is_set() else self._clock.now()

        client = within_key_life(self._kind.client, life)
        flow = settle(
            payment,
            keys,
            turn,
            lambda is_repeat: self._call(client, payment, key, is_repeat=is_repeat),
        )
        return drive(flow, call)

    def _call(self, client: Any, payment: Any, key: str, *, is_repeat: bool) -> Any:
        """Make one call, and note what its result says of the client and the provider."""
        try:
            made = self._kind.send(client, payment, key, is_repeat=is_repeat)
        except VictorError as error:
            self._note(error, key)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, one row must not take the others with it
            self._backoff.record_failure()
            # The exception's text may contain account numbers; its type does not.
            what = f"An unexpected {type(error).__name__} while it was sent."
        else:
            if isinstance(made, Settlement) and made.error is not None:
                self._note(made.error, key)
            else:
                self._answered()
            return made
        raise VictorError(what, outcome=Outcome.UNKNOWN)

    def _note(self, error: VictorError, key: str) -> None:
        what = about(error)
        if what is About.CLIENT:
            self._give_up(error)
        elif what is About.EITHER:
            self._refused_keys.add(key)
            if len(self._refused_keys) >= _MOST_REFUSALS:
                self._give_up(error)
        elif what is About.PROVIDER:
            self._backoff.record_failure(pause_asked(error))
        elif not isinstance(error, InvalidRequest):
            self._answered()

    def _look_up(self, doubtful: _Doubtful, terms: SendTerms) -> list[Settlement]:
        """Look up rows until this succeeds, the patience ends, or sending stops; without a key also
        while lists lag.
        """
        steps, latest = [each for _, each in doubtful], list[Settlement]()
        without_key = [each.sent for each in steps if not each.write.is_keyed]

        def read() -> bool | None:
            # The time is read first: what is shown after it counts.
            is_time_over = all(self._age(sent) >= SETTLE_FOR for sent in without_key)
            are_over = [self._is_over(step.sent) for step in steps]
            settlements = zip(self._kind.look_up(steps), are_over, strict=True)
            latest[:] = [one.once_over() if is_over else one for one, is_over in settlements]
            is_known = all(one.outcome in SETTLED for one in latest)
            return is_known or is_time_over or None

        _, why = self._read(
            read, max(terms.patience, SETTLE_FOR) if without_key else terms.patience
        )
        if not latest:
            return _unresolved(doubtful, why)
        return list(_matched(doubtful, latest, terms.rivals, self._kind.reference))

    def _is_over(self, sent: Sent | Moment) -> bool:
        """Whether nothing of what was sent then can be under way any more, by any clock."""
        now = self._clock.now()
        if isinstance(sent, Moment):
            return now.at_least_since(sent) >= SETTLE_FOR
        return sent.known and now.provider.is_known and self._age(sent) >= SETTLE_FOR

    def _age(self, sent: Sent | Moment) -> float:
        """Return the seconds since something was sent, by the clock that says when."""
        now = self._clock.now()
        if isinstance(sent, Moment):
            return now.since(sent)
        return (now.by_provider() if sent.known else now.moment.local) - sent.since

    def _parts(self, sent: Result, rows: Sequence[Row], terms: SendTerms) -> list[Result]:
        """Read what became of each row of what was sent together, as `_look_up` does."""
        parts, why = self._read(lambda: self._kind.parts(sent.unit or "", rows), terms.patience)
        reason = f"{sent.error} {why}".rstrip()
        return parts or [sent._replace(error=reason)] * len(rows)

    def _read(self, read: Callable[[], T | None], seconds: float) -> tuple[T | None, str]:
        """Read until there is something, the time is over, or sending stops.

        Return it, or why there is nothing.
        """
        ends = self._monotonic() + seconds
        for tries in count(1):
            self._backoff.wait()
            if self._stop.is_set():
                break
            reason, at_least = "", 0.0
            try:
                found = read()
            except VictorError as error:
                reason, at_least = str(error), pause_asked(error)
                if isinstance(error, AuthenticationError | ConfigurationError):
                    self._give_up(error)
            except Exception as error:  # noqa: BLE001 - whatever it was, what is known of the other rows must be kept
                reason = f"An unexpected {type(error).__name__}."
            else:
                self._backoff.record_success()
                if found is not None:
                    return found, ""
            if reason:
                self._backoff.record_failure(at_least)
            if self._stop.is_set() or self._monotonic() >= ends:
                return None, reason and f"It could not be looked up now: {reason}"
            self._stop.wait(max(pause_after(tries), at_least))
        return None, "It has not been looked up: the sender was stopped."

    def _ask(self) -> None:
        if not self._stop.is_set() and (error := self._clock.ask()) is not None:
            self._backoff.record_failure(pause_asked(error))

    def _answered(self) -> None:
        if self._refused_keys:
            # Replace the set instead of clearing it: another thread may be reading it.
            self._refused_keys = set()
        self._backoff.record_success()

    def _give_up(self, error: VictorError) -> None:
        self.given_up = self.given_up or error.summary
        self._stop.set()


def _without(units: Iterable[_Unit], lost: Collection[int]) -> list[_Unit]:
    """Return the units without these rows, and without units that have no other."""
    left = (tuple(index for index in unit if index not in lost) for unit in units)
    return [unit for unit in left if unit]


def _matched(
    doubtful: _Doubtful, settlements: Sequence[Settlement], rivals: Rivals, column: str
) -> Iterator[Settlement]:
    """Yield what became of rows.

    What the provider has made once settles its rows in one batch of the state.
    """
    theirs: list[set[str]] = [
        {reference_of((row.arguments or {}).get(column)) for row in rows} - {""}
        for rows, _ in doubtful
    ]
    ids = {one.request.id for one in settlements if one.unless_mine is not None}
    try:
        others = rivals(set[str]().union(*theirs), ids) if ids else ()
    except (SQLAlchemyError, ConfigurationError) as error:
        why = f"It could not be looked up now: the state cannot be read ({type(error).__name__})."
        yield from _unresolved(doubtful, why)
        return
    for (rows, _), references, settlement in zip(doubtful, theirs, settlements, strict=True):
        keys, otherwise = {row.key for row in rows}, settlement.unless_mine
        made = (
            one.may_have_made(settlement.request.id, reference, one.key if one.key in keys else "")
            for one in others
            for reference in references
        )
        yield otherwise if otherwise is not None and any(made) else settlement


def _unresolved(doubtful: _Doubtful, reason: str) -> list[Settlement]:
    return [each.unknown(reason, looked_up=False) for _, each in doubtful]
