"""`wait` and `watch`: the flows that read a request until it has a status.

Each look at the request (`_look`) reads `list` (by `victor_id`) and `get`, because the status of
`get` may remain Pending. The later of the two statuses counts, and only `get` returns the response
to an inbound request.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from victor_ext import errors
from victor_ext._privacy import one_line, redact_excerpt
from victor_ext._runtime.client import polling
from victor_ext._runtime.client.resources import Shared
from victor_ext._runtime.client.runners import OperationFlow
from victor_ext._runtime.core.validation import MOST_SECONDS, shown, spelled
from victor_ext._runtime.loop.flow import Sleep
from victor_ext._values.words import Word

from ._reading import check_id, get, in_list
from ._records import PaymentRequest
from ._values import DOCUMENTED_STATUSES, Direction, Status, as_response_status, as_status

_WAIT_AGAIN = (
    "Wait again, or look it up with list(victor_id=...), for get() may report Pending indefinitely."
)

_ONE_MORE_READ = 0.001
"""The minimum time limit, in seconds, of the last read of a watch. 0 would mean the client's
deadline.
"""
_WATCH_PAUSE = 5.0
"""The maximum number of seconds between two reads of a watch."""

_WAY_TO_PAID: tuple[str | None, ...] = (
    Status.CREATED,
    Status.PENDING,
    Status.PROCESSING,
    Status.ACCEPTED,
    Status.COMPLETED,
)
"""The statuses of a request that is paid, in order. A later status includes the earlier ones."""


def wait(
    shared: Shared, request_id: str, until: str | Collection[str] | None, timeout: float
) -> OperationFlow[PaymentRequest]:
    """Read a request until it has a status. The arguments are those of `payment_requests.wait`."""
    next_change = watch(shared, request_id, until, timeout, longest_pause=polling.LONGEST_PAUSE)
    last: PaymentRequest | None = None
    while True:
        request = yield from next_change()
        if request is None:
            break
        last = request
    assert last is not None  # a watch ends with a change, or an error
    return last


def watch(
    shared: Shared,
    request_id: str,
    until: str | Collection[str] | None,
    timeout: float,
    *,
    longest_pause: float = _WATCH_PAUSE,
) -> Callable[[], OperationFlow[PaymentRequest | None]]:
    """Return a function whose flow reads the request until its status changes, and returns it.

    The first flow returns what is read first. After the end, a flow returns None. The arguments are
    those of `payment_requests.watch`; `longest_pause` is the maximum between two reads, in seconds.
    """
    check_id(request_id)
    statuses = wanted_statuses(until)
    seconds = polling.checked_seconds(timeout)
    monotonic = shared.clock.monotonic
    goal = f"Payment request {request_id} did not reach "
    goal += "a final status" if statuses is None else " or ".join(statuses)
    ends: float | None = None
    last: PaymentRequest | None = None

    def next_change() -> OperationFlow[PaymentRequest | None]:
        nonlocal ends, last
        if ends is None:  # the time begins with the first flow
            ends = monotonic() + seconds
        left = max(ends - monotonic(), 0.0)
        if last is not None:
            if _is_done(last, request_id, statuses):
                return None
            if not left:
                raise polling.timeout_error(
                    goal, seconds, f"it is {one_line(last.status)}", _WAIT_AGAIN
                )
            yield Sleep(min(polling.FIRST_PAUSE, left), is_between_reads=True)
            left = max(ends - monotonic(), _ONE_MORE_READ)
        last = yield from polling.poll(
            shared,
            lambda seconds_left: _look(shared, request_id, seconds_left, statuses),
            lambda request: last is None or request.status != last.status,
            goal=goal,
            advice=_WAIT_AGAIN,
            timeout=min(left, MOST_SECONDS),  # by rounding, it may be a little more
            within=seconds,
            describe=lambda request: one_line(request.status),
            longest_pause=longest_pause,
        )
        return last

    return next_change


def _is_done(request: PaymentRequest, request_id: str, until: Collection[str] | None) -> bool:
    """Whether the request has reached a wanted status.

    Raises `Conflict` if it ended in another one.
    """
    if _has_reached(request, until):
        return True
    if request.is_terminal:
        reason = f" ({redact_excerpt(request.error_message)})" if request.error_message else ""
        raise errors.Conflict(
            f"Payment request {request_id} ended as {one_line(request.status)}{reason}, so it can "
            f"no longer become {' or '.join(until or ())}.",
            outcome=errors.Outcome.REJECTED,
        )
    return False


def _look(
    shared: Shared, request_id: str, seconds: float | None, until: Collection[str] | None
) -> OperationFlow[PaymentRequest]:
    """Read a request from `list` and by `get`, within `seconds` (None: the client's deadline for
    each), and combine what they say.
    """
    monotonic = shared.clock.monotonic
    began = monotonic()
    from_list: PaymentRequest | None = None
    list_error: errors.VictorError | None = None
    try:
        from_list = yield from in_list(request_id, seconds)
    except errors.VictorError as error:
        list_error = error
    if (
        from_list is not None
        and from_list.direction is Direction.OUTBOUND
        and (from_list.is_terminal or _has_reached(from_list, until))
    ):
        return from_list  # `get` has nothing more: only inbound requests have a response
    left = None if seconds is None else max(seconds - (monotonic() - began), polling.LEAST_READ)
    from_get = yield from get(request_id, left)
    if from_list is not None:
        if _is_further(from_get, from_list):
            return from_get.completed_by(from_list)
        return from_list.completed_by(from_get)
    if list_error is not None and not from_get.is_terminal and not _has_reached(from_get, until):
        raise list_error  # the status of the list, which could not be read, may be a later one
    return from_get


def _is_further(from_get: PaymentRequest, from_list: PaymentRequest) -> bool:
    """Whether `get` has the later status: a terminal one, or a later one in `_WAY_TO_PAID`."""
    if from_list.is_terminal or from_get.is_terminal:
        return not from_list.is_terminal
    return _is_later(from_get.status, from_list.status)


def _is_later(status: str | None, other: str | None) -> bool:
    """Whether both statuses are on the way to being paid, and this one is the later one."""
    if status not in _WAY_TO_PAID or other not in _WAY_TO_PAID:
        return False
    return _WAY_TO_PAID.index(status) > _WAY_TO_PAID.index(other)


def _has_reached(request: PaymentRequest, until: Collection[str] | None) -> bool:
    """Whether a request has a wanted status, or a later one on the way to being paid; None wants
    any terminal status.
    """
    if until is None:
        return request.is_terminal
    status = as_response_status(request.status)  # the provider also says "Rejected" for DECLINED
    if status is not None and status.casefold() in {word.casefold() for word in until}:
        return True
    return any(_is_later(status, wanted) for wanted in until)


def wanted_statuses(until: str | Collection[str] | None) -> Collection[str] | None:
    """Convert the `until` argument to statuses; None stays None. Raises `InvalidRequest`."""
    if until is None:
        return None
    if isinstance(until, Collection) and not isinstance(until, str):
        wanted = list(until)
    else:
        wanted = [until]
    known = list(dict.fromkeys([*map(str, Status), *DOCUMENTED_STATUSES]))
    unknown = [word for word in wanted if spelled(word) not in known and not isinstance(word, Word)]
    if unknown or not wanted:
        message = f"until is {shown(until)} and must be one or more of: {', '.join(known)}."
        raise errors.InvalidRequest.of([errors.Problem("until", "choice", message)])
    return [as_status(spelled(word)) or "" for word in wanted]
