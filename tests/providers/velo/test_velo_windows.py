"""A walk over the payments of a window: nothing is lost, whatever order Velo gives what was submitted in one moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import httpx
import pytest

from tests.providers.velo.harness import QUICK
from victor_ext.providers.velo import Velo, VeloAuth

DAY = datetime(2026, 3, 4, 12, tzinfo=UTC)
NAMES = [f"{number:04}-payment" for number in range(450)]


class OneMoment:
    """All payments of one payout have one time of submission. Ties come in another order on each page."""

    def __init__(self) -> None:
        self.sorts: list[str | None] = []
        self.arrives = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/authenticate":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 1799})
        asked = request.url.params
        number, size, sort = int(asked["page"]), int(asked.get("pageSize", 25)), asked.get("sort")
        self.sorts.append(sort)
        # Without a sort Velo's own order has the id after the time.
        ordered = (
            NAMES
            if sort is None or "paymentId" in sort
            else sorted(NAMES, key=lambda name: crc32(f"{name} {number}".encode()))
        )
        # Newer ones arrive at the top meanwhile, and move all others to later pages.
        newer = [f"newer-{count}" for count in range(self.arrives * len(self.sorts))] if sort is None else []
        listed = [*newer, *ordered]
        content = [
            {"paymentId": name, "payorPaymentId": f"INV-{name}", "submittedDateTime": DAY.isoformat()}
            for name in listed[(number - 1) * size :][:size]
        ]
        page = {"totalElements": len(listed), "totalPages": -(-len(listed) // size), "page": number}
        return httpx.Response(200, json={"content": content, "page": page})


@pytest.fixture
def provider() -> OneMoment:
    return OneMoment()


def walked(provider: OneMoment, **options: Any) -> list[str]:
    with Velo(VeloAuth("k", "not-a-secret"), transport=httpx.MockTransport(provider), retry=QUICK) as velo:
        window = velo.payments.list("payor", submitted_from=DAY.date(), submitted_to=DAY.date(), **options)
        return [payment.id for payment in window]


@pytest.mark.parametrize("sort", [None, "submittedDateTime:asc", "status:desc,paymentId:desc", "paymentId"])
def test_each_payment_of_the_window_comes_once(provider: OneMoment, sort: str | None) -> None:
    assert sorted(walked(provider, sort=sort, page_size=20)) == NAMES


def test_those_that_are_submitted_meanwhile_hide_none(provider: OneMoment) -> None:
    provider.arrives = 7
    result = walked(provider, page_size=25)
    assert sorted(name for name in result if not name.startswith("newer")) == NAMES
    assert len(set(result)) == len(result)


def test_the_search_for_a_reference_reads_them_in_one_order(provider: OneMoment) -> None:
    with Velo(VeloAuth("k", "not-a-secret"), transport=httpx.MockTransport(provider), retry=QUICK) as velo:
        for name in NAMES[:: len(NAMES) // 3]:
            [result] = velo.payments.find(f"INV-{name}", payor_id="payor", since=DAY)
            assert result.id == name
    assert set(provider.sorts) == {"submittedDateTime:asc,paymentId:asc"}
