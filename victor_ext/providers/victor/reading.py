"""`get`, `list` and `find`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from victor_api.api.payment_requests import get_payment_request, list_payment_requests

from victor_ext import zulu
from victor_ext.errors import BadRequest, InvalidRequest, Outcome, Problem, UnreadableResponse
from victor_ext.ids import is_same_id
from victor_ext.runtime.client.extras import ExtraQuery
from victor_ext.runtime.client.paging import PageReader, RepeatedPageReader
from victor_ext.runtime.client.records import RecordList
from victor_ext.runtime.client.resources import Resource, Walk
from victor_ext.runtime.client.runners import OperationFlow, call_for_json, drop_none
from victor_ext.runtime.core.clock import ServerClock
from victor_ext.runtime.core.json_values import list_or_empty

from .checks import REFERENCE, Validation, check_id
from .profile import names_only
from .records import PaymentRequest
from .requests import FILTERS_TO_LEAVE, ListRequest, generated_arguments

_ARRIVAL_MARGIN = 5.0
"""A request counts as new if it was created this many seconds after the reading began, by the provider's clock."""


def get(
    request_id: str, seconds: float | None = None, extra_query: ExtraQuery | None = None
) -> OperationFlow[PaymentRequest]:
    """Read one payment request. `seconds` is the time limit (None: the client's deadline)."""
    check_id(request_id)
    arguments = drop_none(victor_payment_request_id=request_id, extra_query=extra_query)
    record = PaymentRequest.of_json(
        (yield from call_for_json(get_payment_request, seconds, **arguments)), "GetPaymentRequestResponse"
    )
    if not record.id and record.status is None:
        raise UnreadableResponse(
            f"The answer to get({request_id!r}) is not a payment request: it has neither an id nor a status.",
            outcome=Outcome.ACCEPTED,
        )
    return record


def walk(request: ListRequest, clock: ServerClock) -> Walk[PaymentRequest]:
    """Check the filters and return a lazy list. Raises `InvalidRequest` with all problems."""
    wire, page = request.filters(), request.page

    def begin() -> PageReader[PaymentRequest]:
        what = "list of payment requests"
        # A filter that this package does not know may be one that requests leave.
        if wire.keys().isdisjoint(FILTERS_TO_LEAVE) and not request.extra_query:
            return PageReader(_id_of, content=content_of, first=page, what=what)
        arrived = _arrived_since(clock)
        return RepeatedPageReader(_id_of, content=content_of, first=page, what=what, arrived=arrived)

    def read(reader: PageReader[PaymentRequest]) -> OperationFlow[Sequence[PaymentRequest]]:
        try:
            answer = yield from _read_page(reader.number, request.page_size, wire, extra_query=request.extra_query)
        except BadRequest as error:
            # What follows the last page is not documented: after a short page, a refusal of the page alone is the end.
            if reader.last_was_short and names_only(error.problems, {"page"}):
                return ()
            raise
        return items_of(answer)

    return Walk(begin, read)


def _id_of(request: PaymentRequest) -> str | None:
    return request.id or None


def _arrived_since(clock: ServerClock) -> Callable[[PaymentRequest], bool]:
    """Return a function that checks whether a request was created after now, by the provider's clock."""
    began = clock.monotonic()

    def arrived(request: PaymentRequest) -> bool:
        created = request.created_at
        if created is None:
            return False
        return created.timestamp() > clock.now() - (clock.monotonic() - began) + _ARRIVAL_MARGIN

    return arrived


MOST_PAGES_FOR_ONE = 20
"""The maximum number of pages that `listed` reads if the provider ignores the `victor_id` filter."""

SEARCH_MARGIN = 60.0
"""Seconds that `find` adds at both ends of its window, in addition to the known difference of the clocks."""


class SearchResult(RecordList[PaymentRequest]):
    """The list of requests that `find` returns.

    Attributes:
        start: The start of the searched window; earlier than the caller's `start_datetime`.
        end: The end of the searched window, or None if it is open.
        read: The number of requests in the window.
        response_info: The response with the last page that was read.
    """

    def __init__(self, matches: Iterable[PaymentRequest], *, start: datetime, end: datetime | None, read: int) -> None:
        super().__init__(matches)
        self.start = start
        self.end = end
        self.read = read

    @property
    def caveat(self) -> str:
        """Why an empty result is not a proof. Empty if there are matches."""
        if self:
            return ""
        return (
            f"None of the {self.read} requests from {zulu.format(self.start)} "
            f"{'on' if self.end is None else f'to {zulu.format(self.end)}'} has this reference. This does not prove "
            "that none exists: a request may still be on its way, and the document does not say that the "
            "window is one of creation. Repeating the create with the same idempotency key is safe either way, as long "
            "as the provider keeps the key."
        )


def find(
    resource: Resource[Any], client_reference_id: str, start: datetime, end: datetime | None, extra_query: Any
) -> OperationFlow[SearchResult]:
    """Read the list of a time window and keep the requests with this reference."""
    clock = resource.clock
    _check_search(client_reference_id, start, end, extra_query)
    window = _Window(start, end).widened(clock.skew)
    while True:
        request = ListRequest(start_datetime=window.start, end_datetime=window.end, extra_query=extra_query)
        listed = walk(request, clock)
        reader, matches, read = resource.begin(listed), list[PaymentRequest](), 0
        while not reader.done:
            page = reader.accept((yield from listed.read(reader)))
            # This response may be the first one that shows the provider's time.
            wider = window.covering(_Window(start, end).widened(clock.skew))
            if wider != window:
                window = wider
                break
            read += len(page.items)
            matches += [request for request in page.items if request.has_reference(client_reference_id)]
        else:
            return SearchResult(matches, start=window.start, end=window.end, read=read)


class _Window(NamedTuple):
    """A time window; with `end` None, an open one."""

    start: datetime
    end: datetime | None

    def widened(self, skew: float) -> _Window:
        """The window with the margin, and with `skew`: the provider's time minus this machine's."""
        before, after = SEARCH_MARGIN - min(skew, 0.0), SEARCH_MARGIN + max(skew, 0.0)
        return _Window(_moved(self.start, -before), None if self.end is None else _moved(self.end, after))

    def covering(self, other: _Window) -> _Window:
        """This window, extended to each end of `other` that lies more than half the margin outside."""
        slack = timedelta(seconds=SEARCH_MARGIN / 2)
        start = other.start if self.start - other.start > slack else self.start
        if self.end is None or other.end is None or other.end - self.end <= slack:
            return _Window(start, self.end)
        return _Window(start, other.end)


def _moved(moment: datetime, seconds: float) -> datetime:
    try:
        return moment + timedelta(seconds=seconds)
    except OverflowError:  # outside the years 1 to 9999
        return moment


def _check_search(client_reference_id: object, start_datetime: Any, end_datetime: Any, extra_query: Any) -> None:
    validation = Validation()
    validation.required(REFERENCE, client_reference_id)
    if start_datetime is None:
        message = "start_datetime is missing: write datetime(2026, 3, 4, tzinfo=UTC)."
        validation.add(Problem("start_datetime", "required", message))
    try:
        ListRequest(start_datetime=start_datetime, end_datetime=end_datetime, extra_query=extra_query).filters()
    except InvalidRequest as error:
        validation.problems += error.problems
    validation.finish("The search")


def listed(
    request_id: str, seconds: float | None, monotonic: Callable[[], float]
) -> OperationFlow[PaymentRequest | None]:
    """Return one request from the list, or None if the list does not have it. Reads at most `MOST_PAGES_FOR_ONE` pages.

    `seconds` is the time limit for all pages (None: the client's deadline for each page).
    """
    began, left = monotonic(), seconds
    before: frozenset[str] = frozenset()
    for page in range(MOST_PAGES_FOR_ONE):
        if left is not None and left <= 0:
            return None
        answer = yield from _read_page(page, None, {"victor_id": request_id}, left)
        left = None if seconds is None else seconds - (monotonic() - began)
        listed = {request.id: request for request in items_of(answer)}
        # The provider's filter may ignore letter case, and so list another one.
        own = next((request for id_, request in listed.items() if is_same_id(id_, request_id)), None)
        if own is not None:
            return own
        if listed.keys() <= before:  # no new requests: the end, or a repeated page
            return None
        before |= listed.keys()
    return None


def _read_page(
    page: int,
    page_size: int | None,
    wire: dict[str, str],
    seconds: float | None = None,
    extra_query: ExtraQuery | None = None,
) -> OperationFlow[dict[str, Any]]:
    read: dict[str, Any] = yield from call_for_json(
        list_payment_requests,
        seconds,
        page=page,
        **drop_none(page_size=page_size, extra_query=extra_query),
        **generated_arguments(wire),
    )
    return read


def items_of(page: dict[str, Any]) -> Sequence[PaymentRequest]:
    """Return the records of one page. A page without `results` is empty."""
    return [PaymentRequest.of_json(sent) for sent in list_or_empty(page.get("results"))]


def content_of(request: PaymentRequest) -> str:
    """Return a request as JSON text, or an empty text if it is nested too deeply."""
    try:
        return json.dumps(request.raw.to_dict())
    except RecursionError:
        return ""
