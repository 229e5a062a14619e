"""What the provider, and the other batches of the state, have of the requests of rows. Nothing is sent but reads."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from victor_ext import BadRequest, NotFound, PaymentRequest, Status, Victor
from victor_ext.ids import reference_of
from victor_ext.settlement.flow import MAY_EXIST, LookUp, Rival

from .batch_store import BatchStore
from .results import stored_rows
from .rows import RowOutcome, RowResult

NOT_FOUND = "The provider does not have it any more."

Rivals = Callable[[AbstractSet[str], AbstractSet[str]], Sequence[Rival]]
"""Returns the rows with these references or ids, of all batches of the state. It reads all of them."""


def requests_by_reference(victor: Victor, steps: Sequence[LookUp]) -> dict[str, list[PaymentRequest]]:
    """Return the requests with the references of these steps.

    The provider's list has no reference filter, so it is read once for all rows, from the earliest possible send.
    """
    wanted = {step.payment.reference for step in steps}
    requests: dict[str, list[PaymentRequest]] = defaultdict(list)
    for request in victor.payment_requests.list(direction="outbound", start_datetime=min(step.since for step in steps)):
        reference = reference_of(request.client_reference_id)
        if reference in wanted:
            requests[reference].append(request)
    return requests


def rivals_in(stores: Iterable[BatchStore], references: AbstractSet[str], ids: AbstractSet[str]) -> list[Rival]:
    """Return the rows of these batches with these references or ids that may have made a request."""
    rivals: list[Rival] = []
    for store in stores:
        for row, result in stored_rows(store, store.loads()):
            reference = reference_of((row.arguments or {}).get("client_reference_id"))
            if result is not None and (reference in references or result.id in ids):
                rivals.append(Rival(row.key, reference, result.id, result.outcome in MAY_EXIST))
    return rivals


class CurrentStatus(NamedTuple):
    """What the provider says of a request now, and why it failed or was declined. No status: it does not have it."""

    status: str | None = None
    reason: str | None = None


def current_statuses(victor: Victor, results: Iterable[RowResult]) -> dict[str, CurrentStatus]:
    """Return what the provider says of each created request, by id.

    The provider's list is read once, for the due dates of the rows: a page for many rows, in place of a call for each.
    What is not in it is read by its id. Ids and statuses are held in memory.
    """
    statuses: dict[str, CurrentStatus] = {}
    dates: set[str] = set()
    for result in results:
        if result.outcome is RowOutcome.CREATED and result.id:
            statuses[result.id] = CurrentStatus()
            dates.add(result.asked["due_date"])
    if not statuses:
        return statuses
    requests = victor.payment_requests
    listed: set[str] = set()
    first, last = map(date.fromisoformat, (min(dates), max(dates)))
    for request in requests.list(direction="outbound", due_date_start_date=first, due_date_end_date=last):
        if request.id in statuses:
            statuses[request.id] = _current(request)
            listed.add(request.id)
    for missing in statuses.keys() - listed:
        try:
            # `get` may say "Pending" of what is paid. A watch begins with the status of the list, if it has one.
            statuses[missing] = _current(next(iter(requests.watch(missing, timeout=0))))
        except (BadRequest, NotFound):
            continue
    return statuses


def _current(request: PaymentRequest) -> CurrentStatus:
    reason = request.error_message or (request.approval_notes if request.status == Status.DECLINED else None) or ""
    # The export has no account number: of long numbers the last four digits are left.
    masked = re.sub(r"\d(?=\d{4})", "*", " ".join(reason.split()))
    return CurrentStatus(request.status or "no status", masked or None)


def refreshed(results: Iterable[RowResult], statuses: Mapping[str, CurrentStatus]) -> Iterator[RowResult]:
    """Yield the results with these statuses. A row that was created meanwhile keeps the one it has."""
    for result in results:
        now = None if result.id is None else statuses.get(result.id)
        if now is None:
            yield result
        else:
            error = NOT_FOUND if now.status is None else now.reason or result.error
            yield replace(result, status=now.status, error=error)


def counted(statuses: Mapping[str, CurrentStatus]) -> dict[str, int]:
    """Return how many requests have each status, the most frequent first; `not found`: the provider has none."""
    return dict(Counter(str(now.status or "not found") for now in statuses.values()).most_common())
