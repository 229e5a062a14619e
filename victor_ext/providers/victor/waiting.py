"""`wait` and `watch`: `list` (by `victor_id`) and `get` are read, because the status of `get` may
remain Pending.

The later of their statuses counts, and only `get` returns the response to an inbound request.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

from victor_ext import errors
from victor_ext.privacy import one_line, redact_excerpt
from victor_ext.runtime.client import polling
from victor_ext.runtime.client.resources import Shared
from victor_ext.runtime.client.runners import OperationFlow
from victor_ext.runtime.core.validation import MOST_SECONDS, shown, spelled
from victor_ext.runtime.loop.flow import Sleep
from victor_ext.words import Word

from .checks import check_id
from .reading import get, listed
from .records import PaymentRequest
from .statuses import Direction, Status, as_status

_WAIT_AGAIN = (
    "Wait again, or look it up with list(victor_id=...), for get() may report Pending indefinitely."
)

_ONE_MORE_READ = 0.001
"""The minimum time limit, in seconds, of the last read of a watch. 0 would mean the client's
deadline.
"""
_WATCH_PAUSE = 5.0
"""The maximum number of seconds between two reads of a watch."""

# The statuses of a request that is paid, in order. A later status includes the earlier ones.
_WAY = (Status.CREATED, Status.PENDING, Status.PROCESSING, Status.ACCEPTED, Status.COMPLETED)


def wait(
    shared: Shared, request_id: str, until: str | Collection[str] | None, timeout: float
) -> OperationFlow[PaymentRequest]:
    following = watch(shared, request_id, until, timeout, longest_pause=polling.LONGEST_PAUSE)
    last: PaymentRequest | None = None
    while (request := (yield from following())) is not None:
        last = request
    assert last is not None
    return last


def watch(
    shared: Shared,
    request_id: str,
    until: str | Collection[str] | None,
    timeout: float,
    *,
    longest_pause: float = _WATCH_PAUSE,
) -> Callable[[], OperationFlow[PaymentRequest | None]]:
    """Return a function that creates a flow to the next change of status.

    The flow returns None at the end.
    """
    check_id(request_id)
    statuses, seconds, monotonic = (
        wanted_statuses(until),
        polling.checked_seconds(timeout),
        shared.clock.monotonic,
    )
    goal = f"Payment request {request_id} did not reach "
    goal += "a final status" if statuses is None else " or ".join(statuses)
    ends: float | None = None
    last: PaymentRequest | None = None

    def following() -> OperationFlow[PaymentRequest | None]:
        nonlocal ends, last
        ends = monotonic() + seconds if ends is None else ends
        left = max(ends - monotonic(), 0.0)
        if last is not None:
            if _is_done(last, request_id, statuses):
                return None
            if not left:
                raise polling.timeout_error(
                    goal, seconds, f"it is {one_line(last.status)}", _WAIT_AGAIN
                )
            yield Sleep(min(polling.FIRST_PAUSE, left))
            left = max(ends - monotonic(), _ONE_MORE_READ)
        last, _ = yield from polling.poll(
            shared,
            lambda left: _look(shared, request_id, left, statuses),
            lambda seen: (
                seen.lacks is None and (last is None or seen.request.status != last.status)
            ),
            goal=goal,
            advice=_WAIT_AGAIN,
            timeout=min(left, MOST_SECONDS),  # by rounding, it may be a little more
            within=seconds,
            describe=lambda seen: one_line(seen.request.status) + (seen.lacks or ""),
            longest_pause=longest_pause,
        )
        return last

    return following


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


class _Seen(NamedTuple):
    """What was read of a request, and in words what it lacks to be a result."""

    request: PaymentRequest
    lacks: str | None = None


def _look(
    shared: Shared, request_id: str, seconds: float | None, until: Collection[str] | None
) -> OperationFlow[_Seen]:
    """Read a request from `list` and `get` within `seconds` (None: the client's deadline for each);
    combine them.
    """
    monotonic = shared.clock.monotonic
    began = monotonic()
    in_list: PaymentRequest | None = None
    list_error: errors.VictorError | None = None
    try:
        in_list = yield from listed(request_id, seconds)
    except (errors.BadRequest, errors.NotFound, errors.PermissionDenied, errors.UnreadableResponse):
        pass  # the list has no such id or cannot be read; `get` is used alone
    except polling.PASSING as error:
        list_error = error
    if in_list is not None and in_list.is_terminal and in_list.direction is Direction.OUTBOUND:
        # `get` has nothing more: no response exists, and the list has the error
        return _Seen(in_list)
    left = None if seconds is None else max(seconds - (monotonic() - began), polling.LEAST_READ)
    try:
        by_itself = yield from get(request_id, left)
    except polling.PASSING as error:
        if in_list is None:
            raise
        # The list has no response, and may have the requested amount of a request that was accepted
        # with another one.
        if in_list.direction is Direction.OUTBOUND or in_list.status not in (
            Status.ACCEPTED,
            Status.COMPLETED,
        ):
            return _Seen(in_list)
        why = error.summary.rstrip(".")
        return _Seen(
            in_list,
            f" in the list, but the amount, which only get() has, could not be read ({why})",
        )
    if list_error is not None and not by_itself.is_terminal and not _has_reached(by_itself, until):
        raise list_error  # what `get` says on the way may be less than the list would
    if in_list is None:
        return _Seen(by_itself)
    first, other = (by_itself, in_list) if _is_further(by_itself, in_list) else (in_list, by_itself)
    return _Seen(PaymentRequest(first.raw, completed_by=other))


def _is_further(by_itself: PaymentRequest, in_list: PaymentRequest) -> bool:
    """Whether `get` has the later status: a terminal one, or a later one in `_WAY`."""
    if in_list.is_terminal or by_itself.is_terminal:
        return not in_list.is_terminal
    if by_itself.status not in _WAY or in_list.status not in _WAY:
        return False
    return _WAY.index(Status(by_itself.status)) > _WAY.index(Status(in_list.status))


def _has_reached(request: PaymentRequest, until: Collection[str] | None) -> bool:
    status = request.status
    if until is None:
        return request.is_terminal
    if status is not None and status.strip().lower() == "rejected":
        status = Status.DECLINED  # the provider uses both words
    if status is not None and status.casefold() in {word.casefold() for word in until}:
        return True
    if status not in _WAY:
        return False
    return any(
        wanted in _WAY and _WAY.index(Status(status)) > _WAY.index(Status(wanted))
        for wanted in until
    )


def wanted_statuses(until: str | Collection[str] | None) -> Collection[str] | None:
    """Convert the `until` argument to statuses; None stays None. Raises `InvalidRequest`."""
    if until is None:
        return None
    wanted = (
        list(until) if isinstance(until, Collection) and not isinstance(until, str) else [until]
    )
    known = [status.value for status in Status]
    unknown = [word for word in wanted if spelled(word) not in known and not isinstance(word, Word)]
    if unknown or not wanted:
        message = f"until is {shown(until)} and must be one or more of: {', '.join(known)}."
        raise errors.InvalidRequest.of([errors.Problem("until", "choice", message)])
    return [as_status(spelled(word)) or "" for word in wanted]
