"""Reading long lists while they change."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from victor_ext import BadRequest, Victor
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.hours


def fill(sandbox: Sandbox, count: int) -> None:
    """Create `count` inbound requests."""
    for _ in range(count):
        sandbox.create_inbound("1.00")


@pytest.mark.victor_sandbox(max_page_size=7)
def test_every_request_once_though_the_server_cuts_the_pages(victor_sandbox: Sandbox, victor: Victor) -> None:
    fill(victor_sandbox, 30)

    listed = [request.id for request in victor.payment_requests.list(page_size=1000)]

    assert len(listed) == len(set(listed)) == 30
    pages = list(victor.payment_requests.list(page_size=1000).pages())
    assert [page.number for page in pages] == [0, 1, 2, 3, 4]
    assert [len(page.items) for page in pages] == [7, 7, 7, 7, 2]


def lists(sandbox: Sandbox) -> int:
    """How many pages the sandbox was asked for."""
    return sum(exchange.operation == "list" for exchange in sandbox.received())


def test_whoever_accepts_what_is_pending_accepts_all_of_it(victor_sandbox: Sandbox, victor: Victor) -> None:
    """Each accepted request leaves the list, and the rest moves forward, past the reader."""
    fill(victor_sandbox, 120)
    pending = victor.payment_requests.list(direction="inbound", status="pending")
    accepted = [victor.payment_requests.accept(request, notes="Thank you.").id for request in pending]
    assert len(accepted) == len(set(accepted)) == 120
    assert all(request["status"] != "pending" for request in victor_sandbox.requests())


@pytest.mark.victor_sandbox(max_page_size=10)
def test_what_reading_twice_costs_and_when_it_is_done(victor_sandbox: Sandbox, victor: Victor) -> None:
    fill(victor_sandbox, 25)
    now = datetime.now(UTC)
    for filters, times in (
        ({"direction": "inbound", "start_datetime": now - timedelta(days=1)}, 1),
        ({"due_date_start_date": now.date() - timedelta(days=9), "network_type": "RTP"}, 1),
        ({"status": "pending"}, 2),
        ({"approval_end_datetime": now}, 1),  # nobody is approved: an empty list is read once
    ):
        before = lists(victor_sandbox)
        pages = list(victor.payment_requests.list(**filters).pages())
        assert [page.number for page in pages] == [0, 1, 2][: len(pages)]
        assert lists(victor_sandbox) - before == times * (len(pages) + 1)


def test_a_list_is_read_as_it_is_walked(victor_sandbox: Sandbox, victor: Victor) -> None:
    fill(victor_sandbox, 20)
    listing = victor.payment_requests.list(page_size=5)
    assert victor_sandbox.received() == []

    next(iter(listing))

    assert len(victor_sandbox.received()) == 1
    assert sum(1 for _ in listing) == sum(1 for _ in listing) == 20


def refuse(sandbox: Sandbox, page: int, *fields: str) -> None:
    """What lies past the end of a list is not documented: some providers answer 400 there."""
    codes = [[f"typeMismatch.paymentRequestsFilter.{field}", "typeMismatch"] for field in fields]
    errors = [{"objectName": "paymentRequestsFilter", "code": "typeMismatch", "codes": each} for each in codes]
    body = json.dumps({"allErrors": errors})
    sandbox.inject("status", status=400, operation="list", query=f"*page={page}*", times=None, body=body)


@pytest.mark.victor_sandbox(max_page_size=5)
def test_a_refusal_of_the_page_after_a_short_one_is_the_end(victor_sandbox: Sandbox, victor: Victor) -> None:
    fill(victor_sandbox, 12)
    refuse(victor_sandbox, 3, "page")
    assert len(list(victor.payment_requests.list())) == 12
    assert len(list(victor.payment_requests.list(status="pending"))) == 12


@pytest.mark.victor_sandbox(max_page_size=5)
@pytest.mark.parametrize(
    ("page", "fields"),
    [
        *((3, fields) for fields in ((), ("startDatetime",), ("pageSize",), ("page", "startDatetime"))),
        (2, ("page",)),  # the page before is full
        (0, ("page",)),  # it would look like an empty list
    ],
)
def test_any_other_refusal_is_no_end(victor_sandbox: Sandbox, victor: Victor, page: int, fields: Any) -> None:
    """The pages that follow would be missing, and nobody would know."""
    fill(victor_sandbox, 12)
    refuse(victor_sandbox, page, *fields)
    for filters in ({}, {"status": "pending"}):
        seen: list[Any] = []
        with pytest.raises(BadRequest):
            seen.extend(victor.payment_requests.list(**filters))
        assert len(seen) == min(5 * page, 12)
    with pytest.raises(BadRequest):
        victor.payment_requests.find("INV-1", start_datetime=datetime.now(UTC))
