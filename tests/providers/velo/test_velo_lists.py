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


def walked(provider, **options):
    with scripted(provider)[0] as client:
        window = {"submitted_from": DAY.date(), "submitted_to": DAY.date(), **options}
        return [payment.id for payment in client.payments.list("payor", **window)]


@pytest.mark.parametrize(
    "sort", [None, "submittedDateTime:asc", "status:desc,paymentId:desc", "paymentId"]
)
def test_each_payment_of_the_window_comes_once(provider, sort):
    assert sorted(walked(provider, sort=sort, page_size=20)) == NAMES


def test_payments_submitted_during_a_reading_hide_no_other_payment(provider):
    provider.arrives = 7
    result = walked(provider, page_size=25)
    assert sorted(name for name in result if not name.startswith("newer")) == NAMES
    assert len(set(result)) == len(result)


def test_the_search_for_a_reference_reads_payments_by_their_date_and_id(provider):
    with scripted(provider)[0] as client:
        for name in NAMES[:: len(NAMES) // 3]:
            [result] = client.payments.find(f"INV-{name}", payor_id="payor", since=DAY)
            assert result.id == name
    assert set(provider.sorts) == {"submittedDateTime:asc,paymentId:asc"}


def test_a_payment_is_found_by_its_reference_in_another_unicode_form():
    payments = [{"paymentId": each, "payorPaymentId": f"IN\xdc-{each}"} for each in "12"]
    pages = ({"content": content, "links": []} for content in (payments, []))
    client, _ = scripted(*(httpx.Response(200, json=page) for page in pages))
    [result] = client.payments.find("INU\u0308-2", payor_id="payor", since=DAY)
    assert result.id == "2"
