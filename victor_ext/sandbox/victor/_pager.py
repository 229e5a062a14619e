"""Pages of the list: which requests pass the filters, and which of them a page has."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from operator import ge, le
from typing import Any, NamedTuple

from victor_ext.sandbox.engine import Listing
from victor_ext.sandbox.engine._pages import Test, member
from victor_ext.sandbox.server import JsonObject, Problem
from victor_ext.sandbox.victor._lifecycle import read_date
from victor_ext.sandbox.victor._settings import SandboxSettings
from victor_ext.sandbox.victor._state import PaymentRequest, Store, declared, wrong

Filters = dict[str, Any]
_ZULU = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?Z\Z")

_ATTRIBUTES = {
    "victor_id": "id",
    "victor_payment_request_parent_id": "parent_id",
    "victor_payment_request_child_id": "child_id",
    "network_type": "network",
    "instant_payment_rails_id": "rails_id",
    "approval": "approved_at",
}
"""What a filter compares with, if not with what has its name: an attribute of a request, or else a
member, shown or kept. A request without the value does not pass.
"""


@lru_cache
def zulu(text: str) -> float | None:
    """Epoch seconds of a Zulu time, or None when the text is not one."""
    match = _ZULU.match(text)
    if match is None:
        return None
    try:
        whole = datetime.fromisoformat(match[1]).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return whole + float(match[2] or 0)


class _End(NamedTuple):
    """What the name of a filter says that is an end of a range, and the document in prose only.

    Attributes:
        read: Reads a text of the query; None: it cannot be read.
        wanted: What the text must be.
        compare: Whether a value of a request is within the range.
    """

    read: Callable[[str], Any]
    wanted: str
    compare: Callable[[Any, Any], bool]


_TIME = zulu, "must be an ISO 8601 date and time in the Zulu zone, ending in Z"
_DATE = lru_cache(read_date), "must be an ISO 8601 date, YYYY-MM-DD"
_ENDS = {
    "start_datetime": _End(*_TIME, ge),
    "end_datetime": _End(*_TIME, le),
    "start_date": _End(*_DATE, ge),
    "end_date": _End(*_DATE, le),
}
"""The ends of ranges, by how the names of their filters end: `due_date_end_date`."""


def _end_of(name: str) -> tuple[str, _End | None]:
    """What a filter compares with, by its name, and which end of a range it is."""
    for words, end in _ENDS.items():
        if name.endswith(words):
            return name.removesuffix(words).removesuffix("_"), end
    return name, None


class Pager:
    """Pages of the store. A time range is bisected; other filters cost one scan for each page.

    Args:
        members: Those of a request that a filter may name.
    """

    def __init__(
        self,
        settings: SandboxSettings,
        store: Store,
        members: Callable[[PaymentRequest], JsonObject],
    ) -> None:
        self._store, self._members = store, members
        self._listing = Listing(
            size=50,  # the document's default
            largest=settings.max_page_size,
            controls=("start_datetime", "end_datetime"),
            members_of=lambda place: members(self._request_at(place)),
            test_of=self._test_of,
            asked_size="page_size",
            sort="",
        )

    def check(self, filters: Filters) -> None:
        """Refuse a wrong query."""
        problems = declared("list").query.problems(filters) or [*_misread(filters)]
        if problems:
            raise wrong(*problems)

    def page(self, filters: Filters) -> tuple[int, int, list[PaymentRequest]]:
        """The number and the size of a page, and its requests. `filters` are declared ones."""
        low, high = self._range(filters)
        newest_first = range(high - 1, low - 1, -1)  # places in the store: nothing is copied
        number = max(0, filters.get("page", 0))
        page = self._listing.page(newest_first, {**filters, "page": number + 1})
        return number, page.size, [self._request_at(place) for place in page.items]

    def _request_at(self, place: int) -> PaymentRequest:
        """The request of a place, in the order in which they were created."""
        return self._store.requests[self._store.order[place]]

    def _range(self, filters: Filters) -> tuple[int, int]:
        """The places of the requests of a window of time, to which both ends belong."""
        created = self._store.created
        start, end = (zulu(filters.get(name, "")) for name in ("start_datetime", "end_datetime"))
        low = 0 if start is None else bisect_left(created, start)
        high = len(created) if end is None else bisect_right(created, end)
        return low, max(low, high)

    def _test_of(self, name: str) -> Test | None:
        of, end = _end_of(name)
        attribute = _ATTRIBUTES.get(of, of)
        if end is None and not hasattr(PaymentRequest, attribute):
            return None

        def test(place: int, wanted: Any) -> bool:
            request = self._request_at(place)
            if hasattr(request, attribute):
                value = getattr(request, attribute)
            else:
                value = member(attribute, self._members(request))
            if value is None or end is None:
                return value is not None and bool(value == wanted)
            if not isinstance(value, float):
                value = end.read(str(value))
            limit = end.read(wanted)
            return type(value) is type(limit) and end.compare(value, limit)

        return test


def _misread(filters: Filters) -> Iterator[Problem]:
    """Times that are not Zulu and dates that are not dates."""
    for name, text in filters.items():
        _, end = _end_of(name)
        if end is not None and end.read(text) is None:
            yield Problem((name,), "invalid", end.wanted, "pattern")
