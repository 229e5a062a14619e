"""Lists while items leave them, or arrive, or fail: nothing that stays vanishes, in whatever order
it is given.
"""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import httpx
import pytest

from tests.providers.flexfactor import adapter as flexfactor_adapter
from tests.providers.running import Script
from tests.providers.systems import ARGUMENTS, CLIENTS, of_every_system
from tests.providers.velo import adapter as velo_adapter
from victor_ext import RetryPolicy, UnreadableResponse
from victor_ext.providers.velo import Velo

PAYOR = "9ac75325-5dcd-42d5-b992-175d7e0a035e"
PAGE_SIZE = 3


class Provider:
    """Lists items by pages.

    Two leave after the first page was read, and one after the second reading's first.
    """

    def __init__(
        self,
        page: str,
        shape: Callable[[int, int, list[Any]], dict[str, Any]],
        item: Callable[[str], Any],
    ):
        self.items = list("abcdefg")
        self.asked: list[int] = []
        self._page, self._shape, self._item = page, shape, item

    def __call__(self, request: httpx.Request) -> httpx.Response:
        number = int(request.url.params[self._page])
        shown = self.items[(number - 1) * PAGE_SIZE :][:PAGE_SIZE]
        body = self._shape(number, len(self.items), [self._item(name) for name in shown])
        self.asked.append(number)
        if len(self.asked) == 1:
            del self.items[:2]
        return httpx.Response(200, json=body)


def velo_page(number: int, count: int, items: list[Any]) -> dict[str, Any]:
    pages = -(-count // PAGE_SIZE)
    return {"content": items, "page": {"page": number, "totalPages": pages, "totalElements": count}}


def velo_item(name: str) -> dict[str, Any]:
    return dict.fromkeys(["paymentId", "payeeId", "payoutId"], f"item-{name}")


def velo(provider: Any) -> Velo:
    return velo_adapter.scripted(provider)[0]


WALKS: dict[str, Callable[[Provider], Any]] = {
    "payments": lambda provider: velo(provider).payments.list(PAYOR, status="ACCEPTED"),
    "payees": lambda provider: velo(provider).payees.list(PAYOR, onboarded_status="INVITED"),
    "disabled payees": lambda provider: velo(provider).payees.list(PAYOR, disabled=False),
    "payments of a payout": lambda provider: velo(provider).payouts.payments(
        PAYOR, status="ACCEPTED"
    ),
    "payments in the audit": lambda provider: velo(provider).payouts.audited_payments(
        PAYOR, status="ACCEPTED"
    ),
    "payouts": lambda provider: velo(provider).payouts.list(PAYOR, status="ACCEPTED"),
    "scheduled payouts": lambda provider: velo(provider).payouts.list(
        PAYOR, schedule_status="SCHEDULED"
    ),
    "invitations": lambda provider: velo(provider).payees.invitations(
        PAYOR, invitation_status="PENDING"
    ),
    "orders": lambda provider: flexfactor_adapter.scripted(provider)[0].orders.list(
        status="PROCESSING"
    ),
}


def provider_of(name: str) -> Provider:
    if name == "orders":
        return Provider(
            "pageNumber",
            lambda number, count, items: {
                "items": items,
                "isLastPage": number * PAGE_SIZE >= count,
            },
            lambda name: {"id": f"order-{name}", "status": 7},
        )
    return Provider("page", velo_page, velo_item)


@pytest.mark.parametrize("name", WALKS)
def test_who_stays_is_in_it_once(name: str) -> None:
    provider = provider_of(name)

    items = [item.payee_id if name == "invitations" else item.id for item in WALKS[name](provider)]

    assert sorted(item_id[-1] for item_id in items) == list("abcdefg")


def test_other_filters_are_read_once() -> None:
    provider = provider_of("payees")

    list(velo(provider).payees.list(PAYOR, payee_type="Individual"))

    assert provider.asked == sorted(set(provider.asked))


DAY = datetime(2026, 3, 4, 12, tzinfo=UTC)
NAMES = [f"{number:04}-payment" for number in range(450)]


class OneMoment:
    """Velo: all payments of one payout have one time of submission.

    Ties come in another order on each page.
    """

    def __init__(self) -> None:
        self.sorts: list[str | None] = []
        self.arrives = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
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
        newer = (
            [f"newer-{count}" for count in range(self.arrives * len(self.sorts))]
            if sort is None
            else []
        )
        listed = [*newer, *ordered]
        content = [
            {
                "paymentId": name,
                "payorPaymentId": f"INV-{name}",
                "submittedDateTime": DAY.isoformat(),
            }
            for name in listed[(number - 1) * size :][:size]
        ]
        page = {"totalElements": len(listed), "totalPages": -(-len(listed) // size), "page": number}
        return httpx.Response(200, json={"content": content, "page": page})


@pytest.fixture
def provider() -> OneMoment:
    return OneMoment()


def walked(provider: OneMoment, **options: Any) -> list[str]:
    with velo(provider) as client:
        window = client.payments.list(
            "payor", submitted_from=DAY.date(), submitted_to=DAY.date(), **options
        )
        return [payment.id for payment in window]


@pytest.mark.parametrize(
    "sort", [None, "submittedDateTime:asc", "status:desc,paymentId:desc", "paymentId"]
)
def test_each_payment_of_the_window_comes_once(provider: OneMoment, sort: str | None) -> None:
    assert sorted(walked(provider, sort=sort, page_size=20)) == NAMES


def test_those_that_are_submitted_meanwhile_hide_none(provider: OneMoment) -> None:
    provider.arrives = 7
    result = walked(provider, page_size=25)
    assert sorted(name for name in result if not name.startswith("newer")) == NAMES
    assert len(set(result)) == len(result)


def test_the_search_for_a_reference_reads_them_in_one_order(provider: OneMoment) -> None:
    with velo(provider) as client:
        for name in NAMES[:: len(NAMES) // 3]:
            [result] = client.payments.find(f"INV-{name}", payor_id="payor", since=DAY)
            assert result.id == name
    assert set(provider.sorts) == {"submittedDateTime:asc,paymentId:asc"}


LISTS: Mapping[str, tuple[str, Callable[[Any], Any]]] = of_every_system(
    __name__,
    {
        "victor": ("results", lambda client: list(client.payment_requests.list())),
        "velo": ("content", lambda client: list(client.payouts.list(PAYOR))),
        "velo, of a payout": (
            "content",
            lambda client: list(client.payouts.audited_payments(PAYOR)),
        ),
        "eastpay": ("payments", lambda client: client.payments.find("INV-1")),
        "flexfactor": ("items", lambda client: list(client.orders.list())),
    },
)


FAILURES = (
    {"error": "x"}, {"errors": ["x"]}, {"Errors": {"a": ["x"]}}, {"error": {"code": 7}},
    {"status": 500}, {"success": "false"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "failure"),
    [  # a page of FlexFactor with `success: false` is a refusal
        (name, failure)
        for name in LISTS
        for failure in FAILURES[: -1 if name == "flexfactor" else None]
    ],
)
def test_a_failure_beside_no_items_is_read_again_and_is_no_end(
    name: str, failure: dict[str, Any]
) -> None:
    (member, read), system = LISTS[name], name.partition(",")[0]
    failed, good = (
        httpx.Response(200, json={member: [], **said}) for said in (failure, {"error": None})
    )
    for second, raises in (
        (good, nullcontext()),
        (failed, pytest.raises(UnreadableResponse, match="reports an error")),
    ):
        script = Script(failed, second)
        options = {
            **ARGUMENTS[system],
            "transport": script.transport,
            "retry": RetryPolicy(base=0.0, max_attempts=2),
        }
        with raises:
            assert len(read(CLIENTS[system][0](**options))) == 0
        assert len(script.requests) == 2
