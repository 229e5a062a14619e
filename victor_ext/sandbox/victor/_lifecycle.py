"""The moves of a request as time passes, and the due dates.

The counterparty decides: its behaviour moves an outbound request. A request to an account of the
sandbox waits for the answer to its inbound twin. A request without an answer expires after its due
date.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from typing import Literal

from victor_ext.sandbox.engine import Refused, Timeline
from victor_ext.sandbox.server import Problem
from victor_ext.sandbox.victor._state import (
    NOT_CONFIGURED,
    OPEN,
    Behaviour,
    Direction,
    PaymentRequest,
    Status,
    Store,
    wrong,
)


def read_date(text: str) -> date | None:
    """The date in `YYYY-MM-DD`, or None."""
    try:
        read = date.fromisoformat(text)
    except ValueError:
        return None
    return read if read.isoformat() == text else None


_WEST, _EAST = timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))


def due_dates(now: float) -> tuple[date, date]:
    """The first and the last due date that is accepted: from today until 24 hours from now. The
    provider does not say in which zone: a date that is right anywhere on earth is accepted.
    """
    first = datetime.fromtimestamp(now, _WEST)
    last = datetime.fromtimestamp(now + 86_400, _EAST)
    return first.date(), last.date()


# The moves: from which statuses, and where to

_ANY = ""
_STEPS: dict[tuple[Status, str], Status] = {
    ("created", "fail"): "failed",
    ("created", "review"): "needs-review",
    ("created", _ANY): "pending",
    ("pending", "accept"): "processing",
    ("pending", "decline"): "processing",
    ("processing", "accept"): "accepted",
    ("processing", "decline"): "declined",
    ("accepted", _ANY): "completed",
}
"""The next status after a step of time, by the status and the behaviour of the counterparty."""
_EXPIRING: tuple[Status, ...] = ("pending", "processing", "needs-review")
"""The statuses that are `expired` after the due date, where no step comes next."""

_ENDINGS: dict[str, tuple[dict[Direction, tuple[Status, ...]], str]] = {
    "answer": ({"inbound": ("pending",), "outbound": OPEN}, "only a pending one can be answered"),
    "expire": ({"inbound": OPEN, "outbound": OPEN}, "only one without an answer can expire"),
}
"""In which statuses a request can be answered or expire at once, and why not in others."""


def check_ending(ending: Literal["answer", "expire"], request: PaymentRequest) -> None:
    """Raise `Refused` if the request has no status that can end so."""
    statuses, rule = _ENDINGS[ending]
    if request.status not in statuses[request.direction]:
        raise cannot("status", f"This request is {request.status}; {rule}.")


def cannot(field: str, message: str) -> Refused:
    """Why a request cannot be answered, and the wrong field (empty: the request itself)."""
    return wrong(Problem((field,) if field else (), "invalid", message))


class Lifecycle:
    def __init__(self, store: Store, *, step: float) -> None:
        self.store, self._step = store, step
        self._timeline: Timeline[tuple[str, Status, Status]] = Timeline(self._make)
        """Each move has the request, the status that it leaves, and the next one."""

    def schedule(self, requests: Iterable[PaymentRequest]) -> None:
        for request in requests:
            if (planned := self._next(request)) is not None:
                due, to = planned
                self._timeline.plan(due, (request.id, request.status, to))

    def _commit(self, requests: Sequence[PaymentRequest]) -> None:
        self.store.commit(requests)
        self.schedule(requests)

    def pass_time(self, now: float) -> int:
        """Make every move that is due by `now`, in order of time; returns their number."""
        return self._timeline.pass_time(now)

    def _make(self, move: tuple[str, Status, Status], due: float) -> bool:
        request_id, leaves, to = move
        request = self.store.requests[request_id]
        if request.status != leaves:  # it has left that before
            return False
        self._commit([self._moved(request, to, due)])
        return True

    def _moved(self, request: PaymentRequest, to: Status, at: float) -> PaymentRequest:
        moved = replace(request, status=to, changed_at=at)
        if to == "failed":
            counterparty = self.store.counterparties.get(request.counterparty_id or "")
            routing = counterparty.routing_number if counterparty else "800000219"
            return replace(moved, error_message=NOT_CONFIGURED.format(routing=routing))
        if to == "accepted":
            return replace(moved, approved_at=at, original_amount=request.amount)
        return moved

    def _next(self, request: PaymentRequest) -> tuple[float, Status] | None:
        """When a request moves by itself, and where to."""
        status, behaviour = request.status, self._behaviour(request)
        to = _STEPS.get((status, behaviour)) or _STEPS.get((status, _ANY))
        if to is not None:
            return request.changed_at + self._step, to
        if status not in _EXPIRING:
            return None
        # When the day of its due date is over everywhere.
        over = date.fromisoformat(request.due_date) + timedelta(days=1)
        return datetime.combine(over, time(), _WEST).timestamp(), "expired"

    def _behaviour(self, request: PaymentRequest) -> Behaviour:
        if request.direction == "inbound" or request.child_id is not None:
            return "ignore"
        counterparty = self.store.counterparties.get(request.counterparty_id or "")
        return counterparty.behaviour if counterparty else "ignore"
