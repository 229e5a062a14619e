"""Payments of a window, in whatever order Velo gives those of one moment."""

from datetime import UTC, datetime
from zlib import crc32

import httpx
import pytest

from tests.providers.velo.adapter import scripted

DAY = datetime(2026, 3, 4, 12, tzinfo=UTC)
NAMES = [f"{number:04}-payment" for number in range(450)]


class OneMoment:
    """Velo: all payments of one payout have one time of submission.

    Ties come in another order on each page.
    """

    def __init__(self):
        self.sorts = []
        self.arrives = 0

    def __call__(self, request):
        asked = request.url.params
        number, size, sort = int(asked["page"]), int(asked.get("pageSize", 25)), asked.get("sort")
        self.sorts.append(sort)
        listed = [*NAMES]
        if sort is None:  # Velo's own order has the id after the time
            # Newer ones arrive at the top meanwhile, and move all others to later pages.
            newer = range(self.arrives * len(self.sorts))
            listed = [*(f"newer-{count}" for count in newer), *NAMES]
        elif "paymentId" not in sort:
            listed.sort(key=lambda name: crc32(f"{name} {number}".encode()))
        page = {"totalElements": len(listed), "totalPages": -(-len(listed) // size), "page": number}
        shown = listed[(number - 1) * size :][:size]
        at = DAY.isoformat()
        content = [
            {"paymentId": name, "payorPaymentId": f"INV-{name}", "submittedDateTime": at}
            for name in shown
        ]
        return httpx.Response(200, json={"content": content, "page": page})


@pytest.fixture
def provider():
    return OneMoment()


def test_the_search_for_a_reference_reads_payments_by_their_date_and_id(provider):
    with scripted(provider)[0] as client:
        for name in NAMES[:: len(NAMES) // 3]:
            [result] = client.payments.find(f"INV-{name}", payor_id="payor", since=DAY)
            assert result.id == name
    assert set(provider.sorts) == {"submittedDateTime:asc,paymentId:asc"}
