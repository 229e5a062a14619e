"""Filters and pages of the list operation."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter, eq, ge, le
from typing import Any
from urllib.parse import parse_qsl

from victor_ext.sandbox.victor.document import Problem
from victor_ext.sandbox.victor.lifecycle import read_date
from victor_ext.sandbox.victor.model import PaymentRequest
from victor_ext.sandbox.victor.settings import SandboxSettings
from victor_ext.sandbox.victor.state import Store

Filters = dict[str, Any]
_ZULU = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?Z\Z")
_INTEGER = re.compile(r"-?[0-9]{1,20}\Z")
_TIMES = ("start_datetime", "end_datetime", "approval_start_datetime", "approval_end_datetime")
_DATES = ("due_date_start_date", "due_date_end_date")
DEFAULT_PAGE_SIZE = 50
"""The document's default for a request."""

_TESTS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "victor_id": ("id", eq),
    "status": ("status", eq),
    "direction": ("direction", eq),
    "victor_payment_request_parent_id": ("parent_id", eq),
    "victor_payment_request_child_id": ("child_id", eq),
    "network_type": ("network", eq),
    "tracking_id": ("tracking_id", eq),
    "instant_payment_rails_id": ("rails_id", eq),
    "due_date_start_date": ("due_date", ge),
    "due_date_end_date": ("due_date", le),
    "approval_start_datetime": ("approved_at", ge),
    "approval_end_datetime": ("approved_at", le),
}
"""What each filter compares with an attribute of a request. A request without the value does not pass."""


def read_query(text: bytes, integers: frozenset[str]) -> Filters:
    """The parameters of a query string. One that is given twice becomes a list, which no schema accepts."""
    filters: Filters = {}
    for name, value in parse_qsl(text.decode("latin-1"), keep_blank_values=True):
        read: Any = int(value) if name in integers and _INTEGER.match(value) else value
        filters[name] = [filters[name], read] if name in filters else read
    return filters


def check_times(filters: Filters) -> list[Problem]:
    """Times that are not Zulu and dates that are not dates, which the document forbids in prose only."""
    time = "must be an ISO 8601 date and time in the Zulu zone, ending in Z"
    day = "must be an ISO 8601 date, YYYY-MM-DD"
    wrong = {name: time for name in _TIMES if name in filters and zulu(filters[name]) is None}
    wrong |= {name: day for name in _DATES if name in filters and read_date(filters[name]) is None}
    return [Problem((name,), "invalid", message, "pattern") for name, message in wrong.items()]


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


class Listing:
    """Pages of the store. A time range is bisected; other filters cost one scan for each state of the store."""

    def __init__(self, settings: SandboxSettings, store: Store) -> None:
        self._settings, self._store = settings, store
        self._cached: tuple[tuple[object, ...], list[str]] | None = None

    def page(self, filters: Filters) -> tuple[int, int, list[PaymentRequest]]:
        """The number and the size of the page, and its requests. A page past the end is empty."""
        number: int = filters.get("page", 0)
        size: int = min(filters.get("page_size", DEFAULT_PAGE_SIZE), self._settings.max_page_size)
        begin = max(0, number * size - number * self._settings.shift)
        low, high = self._range(filters)
        tests = {name: filters[name] for name in filters if name in _TESTS}
        if tests:
            ids = self._matching(low, high, tests)
            low, high = 0, len(ids)
        else:
            ids = self._store.order
        if self._settings.order == "newest":
            ids = ids[max(low, high - begin - size) : max(low, high - begin)][::-1]
        else:
            ids = ids[min(high, low + begin) : min(high, low + begin + size)]
        return number, size, [self._store.requests[request_id] for request_id in ids]

    def _range(self, filters: Filters) -> tuple[int, int]:
        created = self._store.created
        start = zulu(filters["start_datetime"]) if "start_datetime" in filters else None
        end = zulu(filters["end_datetime"]) if "end_datetime" in filters else None
        low = 0 if start is None else bisect_left(created, start)
        high = len(created) if end is None else bisect_right(created, end)
        return low, max(low, high)

    def _matching(self, low: int, high: int, tests: Filters) -> list[str]:
        # One scan serves all pages that are read from an unchanged store.
        asked = (self._store.version, low, high, tuple(sorted(tests.items())))
        if self._cached is None or self._cached[0] != asked:
            matches, requests = _predicate(tests), self._store.requests
            self._cached = (asked, [i for i in self._store.order[low:high] if matches(requests[i])])
        return self._cached[1]


def _predicate(tests: Filters) -> Callable[[PaymentRequest], bool]:
    checks = [
        (attrgetter(_TESTS[name][0]), _TESTS[name][1], zulu(value) if name in _TIMES else value)
        for name, value in tests.items()
    ]
    return lambda request: all(
        (value := read(request)) is not None and compare(value, wanted) for read, compare, wanted in checks
    )
