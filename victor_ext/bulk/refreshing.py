"""The status that the created requests of a batch have now. Nothing is sent but reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date

from victor_ext import BadRequest, NotFound, Victor

from .rows import RowOutcome, RowResult

NOT_FOUND = "The provider does not have it any more."
NO_STATUS = "no status"
"""For a request that the provider has, without a status."""


def current_statuses(victor: Victor, results: Iterable[RowResult]) -> dict[str, str | None]:
    """Return the provider's status of each created request, by id; None for one that it does not have.

    The provider's list is read once, for the due dates of the rows: a page for many rows, in place of a call for each.
    What is not in it is read by its id. Ids and statuses are held in memory.

    Raises:
        VictorError: The provider could not be read.
    """
    statuses: dict[str, str | None] = {}
    dates: set[str] = set()
    for result in results:
        if result.outcome is RowOutcome.CREATED and result.id:
            statuses[result.id] = None
            dates.add(result.asked["due_date"])
    if not statuses:
        return statuses
    requests = victor.payment_requests
    found: set[str] = set()
    first, last = (date.fromisoformat(each) for each in (min(dates), max(dates)))
    for request in requests.list(direction="outbound", due_date_start_date=first, due_date_end_date=last):
        if request.id in statuses:
            statuses[request.id] = request.status or NO_STATUS
            found.add(request.id)
    for missing in statuses.keys() - found:
        try:
            # `get` may say "Pending" of what is paid. A watch begins with the status of the list, if it has one.
            statuses[missing] = next(iter(requests.watch(missing, timeout=0))).status or NO_STATUS
        except (BadRequest, NotFound):
            continue
    return statuses


def refreshed(results: Iterable[RowResult], statuses: Mapping[str, str | None]) -> Iterator[RowResult]:
    """Yield the results with these statuses. A row that was created meanwhile keeps the one it has."""
    for result in results:
        if result.id is None or result.id not in statuses:
            yield result
            continue
        status = statuses[result.id]
        yield replace(result, status=status, error=NOT_FOUND if status is None else result.error)


def counted(statuses: Mapping[str, str | None]) -> dict[str, int]:
    """Return how many requests have each status, the most frequent first; `not found` for what is not there."""
    return dict(Counter(str(status or "not found") for status in statuses.values()).most_common())
