"""`get`, `list` and `find`: the flows that read payment requests.

First `get`, then `walk`, which makes the lazy list of `list`, then `find`, which searches such a
list; `in_list` reads one request from a list, for `wait` and `watch`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeGuard

from victor_api.api.payment_requests import get_payment_request, list_payment_requests
from victor_api.typed.arguments import PACKAGE

from victor_ext import zulu
from victor_ext._privacy import redact_excerpt
from victor_ext._runtime.client.paging import PageReader
from victor_ext._runtime.client.records import RecordList
from victor_ext._runtime.client.requests import ExtraQuery
from victor_ext._runtime.client.resources import Shared, Walk
from victor_ext._runtime.client.runners import OperationFlow, step_for_json
from victor_ext._runtime.core.json_values import list_or_empty
from victor_ext._runtime.core.validation import Validation, shown
from victor_ext._runtime.loop.evidence import says_that_others_follow
from victor_ext._runtime.loop.operations import names_only
from victor_ext._values.ids import is_same_id, reference_of
from victor_ext.errors import BadRequest, InvalidRequest, Outcome, Problem, UnreadableResponse
from victor_ext.typed import ListQuery

from ._records import PaymentRequest

_NOT_IN_ID = re.compile(r"[\x00-\x20\x7f-\x9f/\\?#%\s]|\A\.{1,2}\Z")


def id_problem(request_id: object) -> Problem | None:
    """What is wrong with an id for a URL path, whose rest it must not change; or None."""
    if not isinstance(request_id, str):
        return Problem("id", "type", f"id must be text, not {type(request_id).__name__}.")
    if not request_id:
        return Problem("id", "required", "id is empty: give the id of a payment request.")
    if _NOT_IN_ID.search(request_id) or not request_id.isprintable():
        message = (
            f"id is {shown(request_id)}: an id has no slash, space, line break, '?', '#' or '%', "
            "nor dots alone."
        )
        return Problem("id", "format", message)
    return None


def check_id(request_id: object) -> None:
    """Check the id of a call that has no other argument to check. Raises `InvalidRequest`."""
    with Validation("The call was not sent") as validation:
        validation.add(id_problem(request_id))


def get(
    request_id: str,
    seconds: float | None = None,
    extra_query: ExtraQuery | None = None,
    **filters: Any,
) -> OperationFlow[PaymentRequest]:
    """Read one payment request. `seconds` is the time limit (None: the client's deadline)."""
    check_id(request_id)
    step = step_for_json(
        get_payment_request,
        seconds,
        victor_payment_request_id=request_id,
        extra_query=extra_query,
        **filters,
    )
    yield step
    record = PaymentRequest.of_json(step.parsed, "GetPaymentRequestResponse")
    if not record.id and record.status is None:
        raise UnreadableResponse(
            f"The answer to get({request_id!r}) is not a payment request: it has neither an id "
            "nor a status.",
            outcome=Outcome.ACCEPTED,
        )
    return record


@dataclass(eq=False)
class _Reader(PageReader[PaymentRequest]):
    """Reads a list of payment requests.

    Attributes:
        ahead: How far the provider's numbers are ahead of the numbers that were asked for: at page
            0 (True), and at the pages after it (False).
        longest: The most items of a page.
        last_was_short: Whether the last page had items, and fewer than another one.
    """

    ahead: dict[bool, int] = field(default_factory=dict[bool, int])
    longest = 0
    last_was_short = False


def walk(query: ListQuery) -> Walk[PaymentRequest]:
    """A list that is read page by page, from the page of the query on."""
    filters = {**query.arguments}
    first: int = filters.pop("page")

    def begin() -> _Reader:
        return _Reader(_id_of, first, "list of payment requests", query.may_be_left)

    def read(reader: _Reader) -> OperationFlow[Sequence[PaymentRequest]]:
        """The requests of the reader's page; none past the last page."""
        try:
            page = yield from _page_of(reader, filters)
            reader.more = says_that_others_follow(page, reader.number + 1) or None
            requests = _requests_in(page)
            reader.last_was_short = 0 < len(requests) < reader.longest
            reader.longest = max(reader.longest, len(requests))
            return requests
        except BadRequest as error:
            # What follows the last page is not documented: after a short page, a refusal of the
            # page alone is the end.
            if reader.last_was_short and names_only(error.problems, {"page"}):
                return ()
            raise

    return Walk(begin, read)


def _id_of(request: PaymentRequest) -> str | None:
    """The id of a request; None: the provider sent none."""
    return request.id or None


def _page(
    number: int, seconds: float | None = None, **filters: Any
) -> OperationFlow[dict[str, Any]]:
    """One page of the list. The attempt loop has checked that the body is a page."""
    step = step_for_json(list_payment_requests, seconds, page=number, **filters)
    yield step
    page: dict[str, Any] = step.parsed
    return page


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a number of JSON."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def another_page(number: object, asked: object) -> str:
    """How a page with this number differs from the one that was asked for."""
    return (
        f"its body is page {redact_excerpt(str(number))} of a list, and page {asked} was asked for"
    )


_READINGS = 3
"""Times that a page is read whose number may be that of another one."""


def _page_of(reader: _Reader, filters: dict[str, Any]) -> OperationFlow[dict[str, Any]]:
    """The page that a reader asks for.

    The provider may number its pages from 1, or give page 0 the number 1. But a response whose
    number does not follow from the numbers of the pages before may be that of another page, and
    would hide items: the page is read again. A first page with the number 1 is read again, too: if
    it has the number each time, the provider numbers its pages from 1.
    """
    is_page_0 = reader.number == 0
    known = reader.ahead.get(is_page_0)
    expected = {known or 0}
    if known is None and reader.ahead.get(True) == 1:
        # After page 0 with the number 1, the next number shows how the provider goes on.
        expected = {0, 1}
    number: Any = None
    for reading in range(1, _READINGS + 1):
        page = yield from _page(reader.number, **filters)
        number = page.get("page")
        if not is_number(number) or (number == 0 and reader.number > 0):
            return page  # the provider does not use the field
        # The table of operations refuses any number but that of the page and the next one.
        ahead = int(number) - reader.number
        is_numbered_from_1 = reading == _READINGS and not reader.ahead
        if ahead in expected or is_numbered_from_1:
            reader.ahead[is_page_0] = ahead
            return page
    raise UnreadableResponse(
        f"The {reader.what}: {another_page(number, reader.number)}.", outcome=Outcome.ACCEPTED
    )


def _requests_in(page: dict[str, Any]) -> Sequence[PaymentRequest]:
    return [PaymentRequest.of_json(sent) for sent in list_or_empty(page.get("results"))]


SEARCH_MARGIN = 300.0
"""Seconds that `find` adds at both ends of its window, in addition to the known difference of the
clocks.
"""


class SearchResult(RecordList[PaymentRequest]):
    """The list of requests that `find` returns.

    Attributes:
        start: The start of the searched window; earlier than the caller's `start_datetime`.
        end: The end of the searched window, or None if it is open.
        read: The number of requests in the window.
        response_info: The response with the last page that was read.
    """

    def __init__(
        self, matches: Iterable[PaymentRequest], *, start: datetime, end: datetime | None, read: int
    ) -> None:
        super().__init__(matches)
        self.start, self.end, self.read = start, end, read

    def of_search(self, client_reference_id: str, later: timedelta) -> SearchResult:
        """What a search for one of the references would have found, in a window that begins so much
        later.
        """
        start = self.start + later
        own: list[PaymentRequest] = []
        for request in self:
            is_in_window = request.created_at is None or request.created_at >= start
            if is_in_window and request.has_reference(client_reference_id):
                own.append(request)
        return SearchResult(own, start=self.start, end=self.end, read=self.read)

    @property
    def caveat(self) -> str:
        """Why an empty result is not a proof. Empty if there are matches."""
        if self:
            return ""
        until = "on" if self.end is None else f"to {zulu.format(self.end)}"
        window = f"{zulu.format(self.start)} {until}"
        return (
            f"None of the {self.read} requests from {window} has this reference. This does not "
            "prove that none exists: a request may still be on its way, and the document does not "
            "say that the window is one of creation. A repeat of the create with the same key is "
            "safe either way, as long as the provider keeps the key."
        )


def find(
    shared: Shared,
    client_reference_id: str | Collection[str],
    start: datetime,
    end: datetime | None,
    extra_query: Any,
) -> OperationFlow[SearchResult]:
    """Read the requests between two moments, and keep those with a reference, or with one of
    several.

    The moments are of this machine's clock, and the list is by the provider's: the window is wider
    by the difference of the clocks, as far as it is known, and by `SEARCH_MARGIN`. If a response
    shows a difference that is not well within the window, the search begins again.
    """
    is_several = isinstance(client_reference_id, list | tuple | set | frozenset)
    references = [*client_reference_id] if is_several else [client_reference_id]
    _check_search(references, start, end, extra_query)
    wanted = {*map(reference_of, references)}
    # the provider's time minus this machine's: the least and the largest that a response showed
    least = most = shared.clock.skew
    while True:
        first = _shifted(start, min(least, 0.0) - SEARCH_MARGIN)
        last = None if end is None else _shifted(end, max(most, 0.0) + SEARCH_MARGIN)
        window = PACKAGE.list(
            list_payment_requests,
            page=0,
            start_datetime=first,
            end_datetime=last,
            extra_query=extra_query,
        )
        requests = walk(window)
        reader = requests.begin()
        matches: list[PaymentRequest] = []
        read = 0
        while (page := (yield from requests.next_page(reader))) is not None:
            read += len(page.items)
            matches += [it for it in page.items if reference_of(it.client_reference_id) in wanted]
        skew = shared.clock.skew
        doubt = SEARCH_MARGIN / 2  # the skew is known to a second or so
        if least - doubt < skew < most + doubt:
            return SearchResult(matches, start=first, end=last, read=read)
        least, most = min(least, skew), max(most, skew)


def _shifted(moment: datetime, seconds: float) -> datetime:
    """A moment that is later by these seconds; the moment itself, if no datetime can hold that."""
    try:
        return moment + timedelta(seconds=seconds)
    except OverflowError:  # outside the years 1 to 9999
        return moment


def _check_search(
    references: Sequence[object], start_datetime: Any, end_datetime: Any, extra_query: Any
) -> None:
    """Check the arguments of `find`. Raises `InvalidRequest` with all problems."""
    with Validation("The search was not sent") as validation:
        for reference in references or [None]:
            validation.text("client_reference_id", reference, 128)
        if start_datetime is None:
            message = "start_datetime is missing: write datetime(2026, 3, 4, tzinfo=UTC)."
            validation.add(Problem("start_datetime", "required", message))
        # The filters of the list are called for their problems only: `find` makes its own window.
        try:
            PACKAGE.list(
                list_payment_requests,
                page=0,
                start_datetime=start_datetime,
                end_datetime=end_datetime,
                extra_query=extra_query,
            )
        except InvalidRequest as error:
            validation.problems += error.problems


def in_list(request_id: str, seconds: float | None) -> OperationFlow[PaymentRequest | None]:
    """Read one request from the list, within `seconds` (None: the client's deadline). Returns None
    if the list does not have it.
    """
    page = yield from _page(0, seconds, victor_id=request_id)
    for request in _requests_in(page):
        # The provider's filter may ignore letter case, and so list another request.
        if is_same_id(request.id, request_id):
            return request
    return None
