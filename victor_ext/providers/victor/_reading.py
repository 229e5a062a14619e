"""`get`, `list` and `find`: the flows that read payment requests.

First `get`, then `walk`, which makes the lazy list of `list`, then `find`, which searches such a
list; `in_list` reads one request from a list, for `wait` and `watch`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from victor_api.api.payment_requests import get_payment_request, list_payment_requests
from victor_api.typed.arguments import PACKAGE

from victor_ext import zulu
from victor_ext._runtime.client.paging import PageReader
from victor_ext._runtime.client.records import RecordList
from victor_ext._runtime.client.resources import Shared, Walk
from victor_ext._runtime.client.runners import OperationFlow, step_for_json
from victor_ext._runtime.core.json_values import is_mapping, list_or_empty, object_or_empty
from victor_ext._runtime.core.validation import Validation
from victor_ext._runtime.loop.evidence import says_that_others_follow
from victor_ext._values.ids import is_same_id, reference_of
from victor_ext.errors import InvalidRequest, Outcome, Problem, UnreadableResponse
from victor_ext.typed import ListQuery

from ._records import PaymentRequest


def check_id(request_id: str) -> None:
    """Check the id of a call that is made of several. Raises `InvalidRequest`."""
    PACKAGE.call(get_payment_request, id=request_id)


def get(
    victor_payment_request_id: str, seconds: float | None = None, **filters: Any
) -> OperationFlow[PaymentRequest]:
    """Read one payment request. `seconds` is the time limit (None: the client's deadline)."""
    id = victor_payment_request_id
    step = step_for_json(get_payment_request, seconds, victor_payment_request_id=id, **filters)
    yield step
    record = PaymentRequest(step.parsed, "GetPaymentRequestResponse")
    if not record.id and record.status is None:
        raise UnreadableResponse(
            f"The answer to get({id!r}) is not a payment request: it has neither an id "
            "nor a status.",
            outcome=Outcome.ACCEPTED,
        )
    return record


def walk(query: ListQuery) -> Walk[PaymentRequest]:
    """A list that is read page by page, from the page of the query on, to the first empty page."""
    filters = {**query.arguments}
    first: int = filters.pop("page")

    def begin() -> PageReader[PaymentRequest]:
        return PageReader(_id_of, first, "list of payment requests", query.may_be_left)

    def read(reader: PageReader[PaymentRequest]) -> OperationFlow[Sequence[PaymentRequest]]:
        page = yield from _page(reader.number, **filters)
        reader.more = says_that_others_follow(page, reader.number + 1) or None
        return _requests_in(page)

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


def _requests_in(page: dict[str, Any]) -> Sequence[PaymentRequest]:
    return [
        PaymentRequest(item) for item in map(object_or_empty, list_or_empty(page.get("results")))
    ]


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
    by the difference of the clocks, and by `SEARCH_MARGIN`. A new client learns the difference from
    its first response, and searches again.
    """
    is_several = isinstance(client_reference_id, list | tuple | set | frozenset)
    references = [*client_reference_id] if is_several else [client_reference_id]
    _check_search(references, start, end, extra_query)
    wanted = {*map(reference_of, references)}

    def search(skew: float) -> OperationFlow[SearchResult]:
        first = _shifted(start, min(skew, 0.0) - SEARCH_MARGIN)
        last = None if end is None else _shifted(end, max(skew, 0.0) + SEARCH_MARGIN)
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
        return SearchResult(matches, start=first, end=last, read=read)

    skew = shared.clock.skew
    result = yield from search(skew)
    if abs(shared.clock.skew - skew) > SEARCH_MARGIN / 2:
        result = yield from search(shared.clock.skew)
    return result


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
        if is_mapping(extra_query) and "client_reference_id" in extra_query:
            message = "extra_query.client_reference_id is what is searched for: leave it out here."
            validation.note("extra_query.client_reference_id", "duplicate", message)
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
