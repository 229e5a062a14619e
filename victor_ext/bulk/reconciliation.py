"""Look up rows whose keys may have expired. Nothing is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from victor_ext import PaymentRequest, Victor

from .batch_store import BatchStore
from .export import stored_rows
from .rows import Result, Row, RowOutcome, Sent

_DATES_DIFFER = timedelta(minutes=5)
"""Tolerance for a request created before the stored `Date` value."""
_CLOCKS_DIFFER = timedelta(days=1)
"""Tolerance for a time from a worker's local clock."""
_ADVICE = "it is left to you, and it is not sent again"


Shared = Callable[[AbstractSet[str]], AbstractSet[str]]
"""Returns which references several rows of the batch have. It may be slow: it reads the whole batch."""


UncertainRow = tuple[Row, Sent, str]
"""A row that may have been sent, its earliest possible send, and why it is not sent again."""


def look_up(victor: Victor, rows: Sequence[UncertainRow], shared: Shared) -> list[Result]:
    """Look up rows that may have been sent.

    The provider's list has no reference filter, so it is read once for all rows, from the earliest possible send.

    Args:
        victor: The client.
        rows: The rows.
        shared: Returns ambiguous references, which settle nothing.

    Raises:
        VictorError: The list could not be read.
    """
    start = min(_earliest(sent) for _, sent, _ in rows)
    wanted = {_reference(row) for row, _, _ in rows} - {""}
    found: dict[str, list[PaymentRequest]] = defaultdict(list)
    if wanted:
        for request in victor.payment_requests.list(direction="outbound", start_datetime=start):
            reference = (request.client_reference_id or "").strip()
            if reference in wanted:
                found[reference].append(request)
    try:
        # A request with a shared reference may belong to another row.
        several = shared(found.keys()) if found else frozenset[str]()
    except SQLAlchemyError as error:
        return unresolved(rows, f"It could not be looked up now: the state does not answer ({type(error).__name__}).")
    return [
        _settled(row, sent, why, found.get(_reference(row), []), alone=_reference(row) not in several)
        for row, sent, why in rows
    ]


def unresolved(rows: Sequence[UncertainRow], reason: str) -> list[Result]:
    """Return unknown results for the rows, with the reason."""
    return [_unresolved(sent, f"{why} {reason}") for _, sent, why in rows]


def shared_references(store: BatchStore, wanted: AbstractSet[str]) -> AbstractSet[str]:
    """Return which references several rows of the batch have."""
    loads = store.loads()
    if all(load.key_column == "client_reference_id" for load in loads):
        return frozenset()
    keys: dict[str, str] = {}
    found: set[str] = set()
    for _, row, _ in stored_rows(store, loads, results=False):
        reference = _reference(row)
        if reference in wanted and keys.setdefault(reference, row.key) != row.key:
            found.add(reference)
    return found


def _earliest(sent: Sent) -> datetime:
    return datetime.fromtimestamp(sent.since, UTC) - (_DATES_DIFFER if sent.known else _CLOCKS_DIFFER)


def _settled(row: Row, sent: Sent, why: str, found: list[PaymentRequest], *, alone: bool) -> Result:
    reference = _reference(row)
    if not reference:
        return _unresolved(sent, f"{why} It has no client_reference_id to look for: {_ADVICE}.")
    same = [request for request in found if request.may_be(row.arguments or {}, since=_earliest(sent))]
    if len(same) == 1 and len(found) == 1 and alone:
        (request,) = same
        return Result(RowOutcome.CREATED, request.id, request.status, f"{why} It was found by its client_reference_id.")
    if not found:
        return _unresolved(sent, f"{why} No request with its client_reference_id was found: {_ADVICE}.")
    seen = "one" if len(found) == 1 else str(len(found))
    unlike = "with other values" if not same else "and it is not clear whose it is" if len(found) == 1 else ""
    return _unresolved(sent, f"{why} {seen} with its client_reference_id was found {unlike}".rstrip() + f": {_ADVICE}.")


def _unresolved(sent: Sent, reason: str) -> Result:
    return Result(RowOutcome.UNKNOWN, error=reason, sent=sent)


def _reference(row: Row) -> str:
    """Return the row's reference as `PaymentRequest.has_reference` compares it."""
    return str((row.arguments or {}).get("client_reference_id") or "").strip()
