"""Pages of the list: which requests pass the filters, and which of them a page has."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter, eq, ge, le
from typing import Any

from victor_ext.sandbox.engine import Listing
from victor_ext.sandbox.engine._pages import Test, values_of
from victor_ext.sandbox.server import JsonObject, Problem
from victor_ext.sandbox.victor._lifecycle import read_date
from victor_ext.sandbox.victor._state import Request

_ATTRIBUTES = {
    "victor_id": "id",
    "victor_payment_request_parent_id": "parent_id",
    "victor_payment_request_child_id": "child_id",
    "network_type": "network",
    "instant_payment_rails_id": "rails_id",
    "approval": "approved_at",
}
"""What a filter compares with, if not with what has its name: an attribute of a request, or else a
member of its view. A request without the value does not pass.
"""


@lru_cache
def zulu(text: str) -> float | None:
    """Epoch seconds of a Zulu time, or None when the text is not one."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.timestamp() if "T" in text and text.endswith("Z") else None


_End = tuple[Callable[[str], Any], Callable[[Any, Any], bool]]
"""How a text of the query is read (None: it cannot be), and what a value within the range is to it:
what the name of a filter says, and the document in prose only.
"""
_ENDS: dict[str, _End] = {
    "start_datetime": (zulu, ge),
    "end_datetime": (zulu, le),
    "start_date": (read_date, ge),
    "end_date": (read_date, le),
}
"""The ends of ranges, by how the names of their filters end: `due_date_end_date`."""


def _end_of(name: str) -> tuple[str, _End | None]:
    """What a filter compares with, by its name, and which end of a range it is."""
    for words, end in _ENDS.items():
        if name.endswith(words):
            return name.removesuffix(words).removesuffix("_"), end
    return name, None


def _test_of(name: str) -> Test | None:
    of, end = _end_of(name)
    attribute = _ATTRIBUTES.get(of, of)
    is_attribute = hasattr(Request, attribute)
    if end is None and not is_attribute:
        return None
    read, compare = end or (str, eq)

    def test(request: Request, wanted: str) -> bool:
        known = {attribute: getattr(request, attribute)} if is_attribute else request.view()
        values = values_of(attribute, known)
        as_read = (value if isinstance(value, float) else read(str(value)) for value in values)
        limit = read(wanted)
        return any(type(value) is type(limit) and compare(value, limit) for value in as_read)

    return test


LISTING = Listing(
    controls=("start_datetime", "end_datetime"),
    members_of=Request.view,
    test_of=_test_of,
    asked_size="page_size",
    sort="",
)
"""How a list is filtered, but for its window of time."""


def newest_first(requests: Sequence[Request], query: JsonObject) -> Sequence[Request]:
    """The requests of a window of time, to which both ends belong. It is bisected."""
    when = attrgetter("created_at")
    start, end = (zulu(query.get(name, "")) for name in ("start_datetime", "end_datetime"))
    low = 0 if start is None else bisect_left(requests, start, key=when)
    high = len(requests) if end is None else bisect_right(requests, end, key=when)
    return requests[low:high][::-1]


def misread(query: JsonObject) -> Iterator[Problem]:
    """Times that are not Zulu and dates that are not dates."""
    for name, text in query.items():
        _, end = _end_of(name)
        if end is not None and end[0](text) is None:
            why = "must be an ISO 8601 date, or date and time that ends in Z"
            yield Problem((name,), "invalid", why, "pattern")
