"""Walking the list of payment requests, and finding some of them by the caller's reference."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from . import rules
from .operations import call_operation
from .records import PaymentRequest
from .runtime.calls import Flow, only_given
from .runtime.errors import BadRequest, InvalidRequest, Problem
from .runtime.paging import PageReader
from .runtime.resources import Walk

if TYPE_CHECKING:
    from victor_api.models import ListPaymentRequestsResponse


def walk(page: int = 0, page_size: int | None = None, **filters: object) -> Walk[PaymentRequest]:
    """A list with its filters, checked now, and read as it is walked.

    Raises:
        InvalidRequest: With all that is wrong.
    """
    wire = rules.list_filters(filters, page=page, page_size=page_size)

    def begin() -> PageReader[PaymentRequest]:
        return PageReader(
            lambda request: request.id or None, content=content_of, first=page, what="list of payment requests"
        )

    def read(reader: PageReader[PaymentRequest]) -> Flow[Sequence[PaymentRequest]]:
        try:
            answer = yield from _read_page(reader.number, page_size, wire)
        except BadRequest:
            # What the provider answers past the end is not documented. A short page alone is no end, and a
            # refusal alone is none: both together are.
            if reader.last_was_short:
                return ()
            raise
        return items_of(answer)

    return Walk(begin, read)


def find(client_reference_id: str, start: datetime, end: datetime | None) -> Flow[list[PaymentRequest]]:
    """The requests with this reference, in a window of time. One page at a time is held."""
    _check_search(client_reference_id, start, end)
    listed = walk(start_datetime=start, end_datetime=end)
    reader = listed.begin()
    found: list[PaymentRequest] = []
    while not reader.done:
        page = reader.accept((yield from listed.read(reader)))
        found += [request for request in page.items if request.client_reference_id == client_reference_id]
    return found


def _check_search(client_reference_id: object, start_datetime: object, end_datetime: object) -> None:
    """Raises `InvalidRequest` for a reference that no request can have, and for a window that is none."""
    found = rules.Findings()
    found.required(rules.REFERENCE, client_reference_id)
    if start_datetime is None:
        message = "start_datetime is missing: write datetime(2026, 3, 4, tzinfo=UTC)."
        found.add(Problem("start_datetime", "required", message))
    try:
        rules.list_filters({"start_datetime": start_datetime, "end_datetime": end_datetime})
    except InvalidRequest as error:
        found.problems += error.problems
    found.finish("The search")


def _read_page(page: int, page_size: int | None, wire: dict[str, str]) -> Flow[ListPaymentRequestsResponse]:
    from victor_api import models  # noqa: PLC0415 - loaded by the first call, and not by importing this

    read: ListPaymentRequestsResponse = yield from call_operation(
        "list_payment_requests",
        models.ListPaymentRequestsResponse,
        page=page,
        **only_given(page_size=page_size),
        **_arguments(wire),
    )
    return read


def _arguments(wire: dict[str, str]) -> dict[str, Any]:
    """Checked filters as the generated function takes them: enumerated ones as its own enum members."""
    from victor_api import models  # noqa: PLC0415 - loaded by the first call

    members: dict[str, Any] = {
        "status": models.ListPaymentRequestsStatus,
        "direction": models.ListPaymentRequestsDirection,
        "network_type": models.ListPaymentRequestsNetworkType,
    }
    return {name: members[name](value) if name in members else value for name, value in wire.items()}


def items_of(page: ListPaymentRequestsResponse) -> Sequence[PaymentRequest]:
    """The records of one page. A page without `results` is empty; what is no page was refused before it came here."""
    results = page.results
    return [PaymentRequest(raw) for raw in results] if isinstance(results, list) else ()


def content_of(request: PaymentRequest) -> str:
    """Everything that was sent of a request, as text; the same text for all that is nested too deeply to write."""
    try:
        return json.dumps(request.raw.to_dict())
    except RecursionError:
        return ""
