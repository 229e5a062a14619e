"""Reading long lists while they change."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from victor_ext import AsyncVictor, PaginationError, Victor
from victor_ext.sandbox import Sandbox


def fill(sandbox: Sandbox, count: int) -> None:
    """So many inbound requests."""
    for _ in range(count):
        sandbox.create_inbound("1.00")


@pytest.mark.victor_sandbox(demo_data=False, max_page_size=7)
def test_every_request_once_though_the_server_cuts_the_pages(victor_sandbox: Sandbox, victor: Victor) -> None:
    fill(victor_sandbox, 30)

    listed = [request.id for request in victor.payment_requests.list(page_size=1000)]

    assert len(listed) == len(set(listed)) == 30
    pages = list(victor.payment_requests.list(page_size=1000).pages())
    assert [page.number for page in pages] == [0, 1, 2, 3, 4]
    assert [len(page.items) for page in pages] == [7, 7, 7, 7, 2]


@pytest.mark.victor_sandbox(demo_data=False, shift=3, max_page_size=10)
def test_what_moves_to_the_next_page_is_not_read_twice(victor_sandbox: Sandbox, async_victor: AsyncVictor) -> None:
    fill(victor_sandbox, 40)

    async def main() -> list[Any]:
        async with async_victor as victor:
            return [request.id async for request in victor.payment_requests.list()]

    listed = asyncio.run(main())
    assert len(listed) == len(set(listed)) == 40


@pytest.mark.victor_sandbox(demo_data=False)
def test_a_list_is_read_as_it_is_walked(victor_sandbox: Sandbox, victor: Victor) -> None:
    fill(victor_sandbox, 20)
    listing = victor.payment_requests.list(page_size=5)
    assert victor_sandbox.received() == []

    next(iter(listing))

    assert len(victor_sandbox.received()) == 1
    assert sum(1 for _ in listing) == sum(1 for _ in listing) == 20


@pytest.mark.victor_sandbox(demo_data=False)
def test_a_server_that_repeats_a_page_for_ever_is_left(victor_sandbox: Sandbox, victor: Victor) -> None:
    fill(victor_sandbox, 3)
    body = '{"page":0,"results":[{"victor_payment_request_id":"R1"},{"victor_payment_request_id":"R2"}]}'
    victor_sandbox.inject(
        "status", status=200, body=body, headers={"content-type": "application/json"}, operation="list", times=None
    )
    seen = []

    with pytest.raises(PaginationError, match="does not end"):
        seen.extend(request.id for request in victor.payment_requests.list())

    assert len(victor_sandbox.received()) < 10


@pytest.mark.victor_sandbox(demo_data=False)
def test_every_filter_reaches_the_server(victor_sandbox: Sandbox, victor: Victor) -> None:
    fill(victor_sandbox, 3)
    now = datetime.now(UTC)
    nothing = victor.payment_requests.list(
        status="needs-review",
        direction="inbound",
        network_type="FedNow",
        start_datetime=now - timedelta(days=1),
        end_datetime=now + timedelta(days=1),
        approval_start_datetime=now,
        approval_end_datetime=now,
        due_date_start_date=now.date(),
        due_date_end_date="2030-01-01",
        victor_id="R1",
        victor_payment_request_parent_id="P1",
        victor_payment_request_child_id="C1",
        tracking_id="T1",
        instant_payment_rails_id="I1",
        page_size=3,
    )
    assert list(nothing) == []
    everything = victor.payment_requests.list(
        direction="inbound", start_datetime=now - timedelta(days=1), end_datetime=now + timedelta(days=1)
    )
    assert sum(1 for _ in everything) == 3
