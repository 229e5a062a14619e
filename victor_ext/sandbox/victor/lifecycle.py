"""What becomes of a request when time passes.

    created -> pending -> (processing ->) accepted -> completed
                                          declined
            -> needs-review               expired
            -> failed                     failed

Who is asked decides: a counterparty's behaviour moves an outbound request on; a request towards an account of
the sandbox waits for its inbound twin to be answered; one that nobody answers expires after its due date.
"""

from __future__ import annotations

import heapq
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from victor_ext.sandbox.victor.model import NOT_CONFIGURED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from victor_ext.sandbox.victor.directory import Directory
    from victor_ext.sandbox.victor.due_dates import DueDates
    from victor_ext.sandbox.victor.model import Behaviour, PaymentRequest, Status
    from victor_ext.sandbox.victor.store import Store


class Step(NamedTuple):
    """One move that time will make, unless the request has moved otherwise before."""

    due: float
    number: int
    request_id: str
    leaves: Status
    to: Status


class Lifecycle:
    """The agenda of coming moves, ordered by time."""

    def __init__(self, store: Store, directory: Directory, due_dates: DueDates, *, step: float) -> None:
        self._store = store
        self._directory = directory
        self._due_dates = due_dates
        self._step = step
        self._agenda: list[Step] = []
        self._number = 0

    def clear(self) -> None:
        """Forget all coming moves."""
        self._agenda.clear()

    def expect(self, requests: Iterable[PaymentRequest]) -> None:
        """Put the next move of each request on the agenda."""
        for request in requests:
            planned = self._next(request)
            if planned is not None:
                self._number += 1
                heapq.heappush(self._agenda, Step(planned[0], self._number, request.id, request.status, planned[1]))

    def pass_time(self, now: float) -> int:
        """Make every move that is due by `now`, in order of time; returns how many were made."""
        moved = 0
        while self._agenda and self._agenda[0].due <= now:
            due = self._agenda[0].due
            changed: dict[str, PaymentRequest] = {}
            while self._agenda and self._agenda[0].due == due and len(changed) < 1000:
                step = heapq.heappop(self._agenda)
                request = changed.get(step.request_id) or self._store.requests[step.request_id]
                if request.status == step.leaves:
                    changed[step.request_id] = self._moved(request, step.to, due)
            if changed:
                self._store.commit(tuple(changed.values()))
                self.expect(changed.values())
            moved += len(changed)
        return moved

    def _moved(self, request: PaymentRequest, to: Status, at: float) -> PaymentRequest:
        found = replace(request, status=to, changed_at=at)
        if to == "failed":
            counterparty = self._directory.counterparties.get(request.counterparty_id or "")
            routing = counterparty.routing_number if counterparty else "800000219"
            return replace(found, error_message=NOT_CONFIGURED.format(routing=routing))
        if to == "accepted":
            return replace(found, approved_at=at, original_amount=request.amount)
        return found

    def _next(self, request: PaymentRequest) -> tuple[float, Status] | None:
        soon = request.changed_at + self._step
        behaviour = self._behaviour(request)
        match request.status:
            case "created":
                first: dict[Behaviour, Status] = {"fail": "failed", "review": "needs-review"}
                return soon, first.get(behaviour, "pending")
            case "pending" if behaviour in ("accept", "decline"):
                return soon, "processing"
            case "processing" if behaviour in ("accept", "decline"):
                return soon, "accepted" if behaviour == "accept" else "declined"
            case "pending" | "processing" | "needs-review":
                return self._due_dates.over(date.fromisoformat(request.due_date)), "expired"
            case "accepted":
                return soon, "completed"
            case _:
                return None

    def _behaviour(self, request: PaymentRequest) -> Behaviour:
        if request.direction == "inbound" or request.child_id is not None:
            return "ignore"
        counterparty = self._directory.counterparties.get(request.counterparty_id or "")
        return counterparty.behaviour if counterparty else "ignore"
