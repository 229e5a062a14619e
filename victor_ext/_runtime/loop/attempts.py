"""The attempt loop: one generator that decides everything about a call, and knows neither sockets
nor `await`.
"""

import random
from collections.abc import Callable

import httpx
from msgspec import field
from msgspec.structs import replace

from victor_ext._privacy import quote_response_to
from victor_ext._runtime.core.clock import (
    ALLOW_IMMEDIATE_REUSE,
    MAY_HAVE_BEEN_SENT,
    REUSED_IMMEDIATELY,
    SEND_BEFORE,
    TIMING,
    WAITING_SHARE,
    ServerClock,
    Timeouts,
    Timing,
    monotonic,
)
from victor_ext._runtime.core.response import MAX_RESPONSE_BYTES, OPERATION, Response
from victor_ext._runtime.core.validation import MOST_SECONDS
from victor_ext._values.opaque import Opaque
from victor_ext.errors import DeadlineExceeded, Outcome, VictorError

from .classification import (
    Failure,
    Repeat,
    error_for,
    may_repeat,
    of_exception,
    of_late,
    of_response,
    of_unusable,
    request_id_of,
    what_to_do,
)
from .conflicts import Use
from .events import CallReport, Reporter
from .flow import Flow, Send, Sleep
from .idempotency_keys import LONGEST_WITH_KEY
from .operations import Behaviour, Operation
from .retry import (
    Authenticator,
    RetryPolicy,
    RetryQuota,
    keep_content,
    may_try_another_token,
    parse_retry_after,
    sendable,
)

_ASLEEP = 300.0
"""Seconds of sleep during a call after which a write is not sent, however much of its deadline is
left. No provider is known to forget keys sooner."""

BEST_EFFORT_SECONDS = 5.0
"""Most seconds for a best-effort exchange, on which nothing depends yet; at most half of what is
left.
"""


class AttemptLoop(Opaque, kw_only=True):
    """What the calls of one client share. `call` returns a flow for a driver to run."""

    behaviour: Behaviour
    authenticator: Authenticator
    policy: RetryPolicy
    quota: RetryQuota
    clock: ServerClock
    deadline: float | None
    reporter: Reporter = field(default_factory=Reporter)
    draw: Callable[[], float] = random.random
    max_response_bytes: int = MAX_RESPONSE_BYTES

    def call(self, request: httpx.Request) -> Flow[Response]:
        """One logical call. Returns a good response, or raises a typed error."""
        if type(request.stream) is not httpx.ByteStream:
            keep_content(request)
        row = request.extensions[OPERATION] = self.behaviour.operations.of(request)
        is_write = not row.reads
        key = self.behaviour.key_place.prepare(request) if is_write else None
        return _Call(self, request, key, is_write=is_write).run()

    def sign(self, request: httpx.Request) -> Flow[None]:
        """Put a token on a request that is sent elsewhere."""
        return _Call(self, request, None).authorize(request)


class _Call:
    """The state of one logical call over its attempts."""

    def __init__(
        self,
        loop: AttemptLoop,
        request: httpx.Request,
        key: str | None,
        *,
        is_write: bool = False,
    ) -> None:
        self._loop = loop
        self._request = request
        self._key = key
        self._is_write = is_write
        self._is_for_token = False  # what is sent now, in place of the caller's request
        self._timeouts: dict[str, float | None] = request.extensions.get("timeout") or {}
        self._deadline = loop.deadline
        if key is not None:
            self._deadline = min(loop.deadline or LONGEST_WITH_KEY, LONGEST_WITH_KEY)
        self._started = loop.clock.monotonic()
        self._clocks_apart = loop.clock.local() - self._started
        self._is_decided = False  # whether the end is that of the decision to make the call
        until = SEND_BEFORE.get() if is_write else None
        if until is not None:
            decided = min(until[0] - loop.clock.local(), until[1] - monotonic())
            if self._deadline is None or decided < self._deadline:
                self._deadline = decided
                self._is_decided = True
        self._attempts = 0
        self._sending = False
        self._retries = 0
        self._renewed = False
        self._best_effort_ends: float | None = None
        self._paid = RetryQuota.REFUND
        self._outcome = Outcome.NOT_SENT
        self._report = (
            CallReport(loop.reporter.emit, request, key) if loop.reporter.is_active else None
        )
        self._retry_report: CallReport | None = None

    def run(self) -> Flow[Response]:
        flow = self._attempt_until_definite(self._request)
        response = yield from (flow if self._report is None else self._reported(self._report, flow))
        # Those of an attempt know this call. In a circle, both would wait for the garbage
        # collector.
        self._request.extensions["timeout"] = self._timeouts
        response.unusable = self._unusable
        response.attempts = self._attempts
        response.request_id_headers = self._loop.behaviour.request_id_headers
        response.request_id_in_body = self._loop.behaviour.request_id_in_body
        return response

    def _reported(self, report: CallReport, attempts: Flow[Response]) -> Flow[Response]:
        """The attempts, with the events of the beginning and the end."""
        report.call_started()
        response: httpx.Response | None = None
        error: str | None = None
        outcome: Outcome | None = None
        try:
            good = yield from attempts
            response = good
            return good
        except VictorError as failure:
            response = failure.response
            error = type(failure).__name__
            outcome = failure.outcome
            raise
        except BaseException as failure:
            # of a caller's own transport or credentials, or the call is interrupted
            error = "Interrupted" if isinstance(failure, GeneratorExit) else type(failure).__name__
            outcome = self._outcome
            if self._sending:
                outcome = outcome.combined_with(Outcome.UNKNOWN)
            raise
        finally:
            report.call_ended(
                attempts=self._attempts,
                status_code=None if response is None else response.status_code,
                error=error,
                outcome=outcome,
                seconds=self._loop.clock.monotonic() - self._started,
                request_id=request_id_of(response, self._loop.behaviour),
                quota=self._loop.quota.available,
            )

    def _unusable(self, response: Response, why: str) -> VictorError:
        """The error of this call when the code above the loop cannot read its good response."""
        failure = of_unusable(response, why)
        self._outcome = self._outcome.combined_with(failure.outcome)
        return self._error(response.request, failure)

    def _attempt_until_definite(self, request: httpx.Request) -> Flow[Response]:
        """Attempt the request until the result is definite. One for a token is not signed, and says
        nothing of the outcome.
        """
        is_own = not self._is_for_token
        while True:
            if is_own:
                yield from self.authorize(request)
            result = yield from self._attempt(request)
            if isinstance(result, Response):
                self._loop.quota.give_back(self._paid)
                return result
            if is_own:
                self._outcome = self._outcome.combined_with(result.outcome)
            row: Operation = request.extensions[OPERATION]
            # A refusal with a body that shows work is none: only what may be repeated is.
            harmless = result.outcome is Outcome.REJECTED or row.reads or self._key is not None
            refused = self._loop.behaviour.refused_credentials
            another = is_own and not self._renewed and harmless
            if another and may_try_another_token(
                self._loop.authenticator, request, result.response, refused
            ):
                self._renewed = True
            else:
                yield from self._wait_before_next(request, result)

    def authorize(self, request: httpx.Request) -> Flow[None]:
        """Put a token on the request."""
        try:
            yield from sendable(
                request, self._loop.authenticator.authorize(request, self._exchange, self._left())
            )
        except VictorError as error:
            self._complete_error(error)  # no token could be had
            raise
        except Exception as error:  # a function of the caller's has raised it
            behaviour = self._loop.behaviour
            advice = what_to_do(self._outcome, self._key, self._request, behaviour)
            if self._attempts and advice:
                error.add_note(advice)
            raise

    def _complete_error(
        self, error: VictorError, *, conflict: bool = False, is_blocked: bool = False
    ) -> None:
        """Set outcome, key, attempts and advice of the call, which holds no advice for who asks for
        a token.
        """
        advice = what_to_do(
            self._outcome,
            self._key,
            self._request,
            self._loop.behaviour,
            conflict=conflict,
            is_blocked=is_blocked,
        )
        if not self._is_for_token and advice not in error.message:
            error.message = f"{error.message} {advice}"
            error.hint = advice
            # what Celery's JSON, and others that know no attributes, keep
            error.args = (error.message,)
        error.outcome = self._outcome
        error.idempotency_key = self._key
        error.attempts = self._attempts

    def _exchange(self, request: httpx.Request, *, best_effort: bool) -> Flow[Response]:
        # A request for a token has retries of its own. The call's retries and their cost stay as
        # they were.
        retries = self._retries
        self._retries = self._loop.policy.max_attempts if best_effort else 0
        paid = self._paid
        self._paid = RetryQuota.REFUND
        self._is_for_token = True
        if best_effort:
            left = self._left()
            self._best_effort_ends = self._loop.clock.monotonic() + (
                BEST_EFFORT_SECONDS if left is None else min(BEST_EFFORT_SECONDS, left / 2)
            )
        try:
            return (yield from self._attempt_until_definite(request))
        finally:
            self._retries = retries
            self._paid = paid
            self._is_for_token = False
            self._best_effort_ends = None

    def _attempt(self, request: httpx.Request) -> Flow[Response | Failure]:
        """Send the request once. Returns a good response, or what went wrong."""
        loop = self._loop
        is_own = not self._is_for_token
        left = self._left_to_send()
        if left is not None and left <= 0:
            raise self._out_of_time(request, None)
        latest = self._latest if self._is_write and is_own else None
        request.extensions["timeout"] = Timeouts(self._timeouts, self._left, latest)
        quote_response_to(request)
        # A late second response to a read by id is about its object. What a write's repeats,
        # another payment may have.
        row = loop.behaviour.operations.of_attempt(request)
        request.extensions[ALLOW_IMMEDIATE_REUSE] = (
            is_own and not self._attempts and row.is_read_by_id
        )
        if is_own:
            self._attempts += 1
        timing = None
        if self._report is not None:
            self._report.attempt_started(request, self._attempts, for_token=self._is_for_token)
            timing = request.extensions[TIMING] = Timing()  # a listener's own time is no part of it
        began = loop.clock.monotonic()
        result: Response | httpx.RequestError
        self._sending = is_own
        try:
            result = yield Send(request, left, loop.max_response_bytes)
        except httpx.RequestError as error:
            result = error
        except VictorError as error:
            # The way out has been closed; or a hook of the caller's raised it, maybe after the
            # request had left.
            self._sending = False
            if is_own and request.extensions.get(MAY_HAVE_BEEN_SENT, True):
                self._outcome = self._outcome.combined_with(Outcome.UNKNOWN)
            self._complete_error(error)
            raise
        self._sending = False
        if self._report is not None and timing is not None:
            self._report.attempt_ended(
                request,
                timing,
                attempt=self._attempts,
                status_code=result.status_code if isinstance(result, Response) else None,
                error=None if isinstance(result, Response) else type(result).__name__,
                seconds=loop.clock.monotonic() - began,
                for_token=self._is_for_token,
            )
            quote_response_to(request)  # again: a listener may have made calls of its own
        if isinstance(result, Response):
            return self._checked(result, request, row)
        may_have_been_sent: bool = request.extensions.get(MAY_HAVE_BEEN_SENT, False)
        return of_exception(result, may_have_been_sent=may_have_been_sent)

    def _checked(
        self, response: Response, request: httpx.Request, row: Operation
    ) -> Response | Failure:
        """The response to an attempt, if it is good; else what is wrong with it."""
        # a cached response carries an old time
        if b"date" in response.header_names and b"age" not in response.header_names:
            self._loop.clock.learn(response.headers["date"])
        may_have_begun = self._outcome in (Outcome.UNKNOWN, Outcome.ACCEPTED)
        begun = not self._is_for_token and self._key is not None and may_have_begun
        failure = of_response(response, self._loop.behaviour, begun=begun)
        if failure is not None:
            return failure
        # It may be a late second response to an earlier request on the same connection.
        was_just_used = request.extensions.get(REUSED_IMMEDIATELY, False)
        if was_just_used and not self._is_for_token and not row.names_its_subject(response):
            return of_late(response)
        return response

    def _wait_before_next(self, request: httpx.Request, failure: Failure) -> Flow[None]:
        """Wait for the next attempt, or raise the error of the call."""
        loop = self._loop
        row = loop.behaviour.operations.of_attempt(request)
        is_harmless = self._is_for_token or self._key is not None
        repeatable = may_repeat(failure, row, has_key=is_harmless)
        if not repeatable or self._retries + 1 >= loop.policy.max_attempts:
            raise self._error(request, failure)
        wait = self._seconds_to_wait(request, failure)
        cost = RetryQuota.RETRY_AFTER_TIMEOUT if failure.timed_out else RetryQuota.RETRY
        if not loop.quota.take(cost):
            raise self._error(request, failure, why="the client's retry quota is used up")
        self._paid = cost
        self._retries += 1
        if self._retry_report is None:
            self._retry_report = self._report or CallReport(
                loop.reporter.emit, self._request, self._key
            )
        self._retry_report.retry_scheduled(
            request,
            for_token=self._is_for_token,
            attempt=self._attempts + 1,
            wait=wait,
            reason=failure.what,
            quota=loop.quota.available,
        )
        yield Sleep(wait)

    def _seconds_to_wait(self, request: httpx.Request, failure: Failure) -> float:
        """How long to wait before the next attempt. Raises the error of the call where that does
        not fit the time left.
        """
        wait = self._loop.policy.wait_before(self._retries + 1, self._loop.draw)
        asked = _asked_to_wait(failure, self._loop.clock)
        left = self._left_to_send()
        if asked is None:
            # No connection of the pool became free in the part of the deadline that is for waiting.
            is_full = type(failure.cause) is httpx.PoolTimeout
            reserved = (self._deadline or 0.0) * (1 - WAITING_SHARE)
            if left is not None and (wait >= left or (is_full and left <= reserved)):
                raise self._out_of_time(request, failure)
            return wait
        if asked >= (MOST_SECONDS if left is None else left):
            most = "30 days"
            if left is not None:  # rounded down: it is less than what is asked
                most = f"the {int(max(left, 0) * 100) / 100:g} s that are left of {self._limit()}"
            why = f"the next attempt would have to wait longer than {most}"
            raise self._error(request, failure, retry_after=asked, why=why)
        # The jitter takes at most half of the time left: the next attempt needs the rest.
        return asked + (wait if left is None else min(wait, (left - asked) / 2))

    def _limit(self) -> str:
        """What bounds the call, in words."""
        if self._is_decided:
            return "the time for which it was decided to send this"
        if self._deadline != self._loop.deadline:
            return "the day for which providers keep a key"
        limit = self._deadline or self._left()
        if limit is None:
            return f"the {_ASLEEP:g} s that a machine may sleep during a write"
        return f"the deadline of {limit:g} s"

    def _left(self) -> float | None:
        """Seconds until the deadline (or the end of a best-effort exchange); None without a
        deadline.
        """
        ends = None if self._deadline is None else self._started + self._deadline
        if self._best_effort_ends is not None:
            ends = self._best_effort_ends if ends is None else min(ends, self._best_effort_ends)
        return None if ends is None else ends - self._loop.clock.monotonic()

    def _asleep(self) -> float:
        """Seconds that this machine slept since the call began: the monotonic clock stands still
        then, and the wall clock does not. What that clock was set forward counts, too.
        """
        clock = self._loop.clock
        return clock.local() - clock.monotonic() - self._clocks_apart

    def _left_to_send(self) -> float | None:
        """Seconds until the deadline when an attempt begins; None without one. Of a write, sleep is
        time that has passed: others may have acted on its end, or the provider may have forgotten
        its key.
        """
        left = self._left()
        if not self._is_write or self._is_for_token:
            return left
        asleep = self._asleep()
        if asleep > _ASLEEP:
            return 0.0
        return left if left is None or asleep < 0 else left - asleep

    def _latest(self) -> float:
        """The moment of the wall clock until which a write may be sent."""
        latest = self._loop.clock.monotonic() + _ASLEEP
        if self._deadline is not None:
            latest = min(latest, self._started + self._deadline)
        return latest + self._clocks_apart

    def _error(
        self,
        request: httpx.Request,
        failure: Failure,
        *,
        why: str = "",
        retry_after: float | None = None,
    ) -> VictorError:
        left = self._left_to_send()
        if failure.error_class is not DeadlineExceeded:
            if (
                failure.timed_out
                and left is not None
                and left <= 0
                and self._best_effort_ends is None
            ):
                return self._out_of_time(request, failure)
            if retry_after is None:
                retry_after = _asked_to_wait(failure, self._loop.clock)
        tries = self._retries + 1 if self._is_for_token else self._attempts
        error = error_for(
            failure, self._loop.behaviour, request, tries=tries, retry_after=retry_after, why=why
        )
        use = None if failure.earlier_use is None else failure.earlier_use.use
        self._complete_error(
            error,
            conflict=use not in (None, Use.IN_PROGRESS),
            is_blocked=bool(failure.intermediary) and (error.status_code or 0) >= 400,
        )
        return error

    def _out_of_time(self, request: httpx.Request, failure: Failure | None) -> VictorError:
        """The error of a call whose time is up: it says whether the deadline has passed, or whether
        this machine slept, and how the last attempt failed, if there was one.
        """
        last = failure or Failure(
            DeadlineExceeded, "no time is left for an attempt", Repeat.NEVER, self._outcome
        )
        left = self._left()
        if self._is_write and (left is None or left > 0) and self._asleep() >= 1:
            why = f"this machine slept for {self._asleep():.0f} s, or its clock was set: " + (
                "another process may have taken it for lost"
                if self._key is None
                else "the provider may have forgotten the key meanwhile"
            )
        else:
            why = f"{self._limit()} has passed or would pass before the next attempt"
        return self._error(request, replace(last, error_class=DeadlineExceeded), why=why)


def _asked_to_wait(failure: Failure, clock: ServerClock) -> float | None:
    if failure.response is None:
        return None
    return parse_retry_after(failure.response.headers.get("retry-after"), clock.now())
