"""The moves of a request as time passes, and the due dates.

The counterparty decides: its behaviour moves an outbound request. A request to an account of the
sandbox waits for the answer to its inbound twin. A request without an answer expires after its due
date.
"""

from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache, partial

from victor_ext.sandbox.engine import Timeline
from victor_ext.sandbox.server import JsonObject
from victor_ext.sandbox.victor._state import (
    NOT_CONFIGURED,
    Counterparty,
    Request,
    Status,
    Store,
)


@lru_cache
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


class Lifecycle:
    def __init__(self, store: Store, *, step: float) -> None:
        self.store, self._step = store, step
        self.timeline = Timeline()

    def enter(self, request: Request, to: Status, at: float, error: str | None = None) -> None:
        """Put a request into a status, and plan the next one that it enters by itself."""
        request.status, request.changed_at, request.error_message = to, at, error
        if to not in ("accepted", "completed"):
            request.approved_at = None
        elif request.approved_at is None:
            request.approved_at = round(at, 3)
        # One that has a twin waits for its answer.
        behaviour = self.counterparty(request.body).behaviour if request.twin is None else _ANY
        after, due = _STEPS.get((to, behaviour)) or _STEPS.get((to, _ANY)), at + self._step
        if after is None and to in _EXPIRING:
            # When the day of its due date is over everywhere.
            over = date.fromisoformat(request.details["due_date"]) + timedelta(days=1)
            after, due = "expired", datetime.combine(over, time(), _WEST).timestamp()
        if after is not None:
            self.timeline.plan(due, partial(self._make, request, to, after, due))

    def _make(self, request: Request, leaves: Status, to: Status, due: float) -> bool:
        if request.status != leaves:  # it has left that before
            return False
        routing = self.counterparty(request.body).routing_number
        error = NOT_CONFIGURED.format(routing=routing) if to == "failed" else None
        self.enter(request, to, due, error)
        return True

    def counterparty(self, body: JsonObject) -> Counterparty:
        """Who is asked by a body: who is not known here ignores it."""
        # None where a newer document lets a caller name nobody.
        counterparty_id = body.get("payer", {}).get("victor_counterparty_id")
        return self.store.counterparties.get(counterparty_id, Counterparty(id=""))
