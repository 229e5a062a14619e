"""Lists of the other systems by status: what leaves the list while it is read makes nothing else vanish from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from victor_ext.providers.flexfactor import FlexFactor, FlexFactorAuth
from victor_ext.providers.velo import Velo, VeloAuth

PAYOR = "9ac75325-5dcd-42d5-b992-175d7e0a035e"
PAGE_SIZE = 3


class Provider:
    """Lists items by pages. Two leave after the first page was read, and one after the second reading's first."""

    def __init__(self, page: str, shape: Callable[[int, int, list[Any]], dict[str, Any]], item: Callable[[str], Any]):
        self.items = list("abcdefg")
        self.asked: list[int] = []
        self._page, self._shape, self._item = page, shape, item

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self._page not in request.url.params:
            return httpx.Response(200, json=TOKEN)
        number = int(request.url.params[self._page])
        shown = self.items[(number - 1) * PAGE_SIZE :][:PAGE_SIZE]
        body = self._shape(number, len(self.items), [self._item(name) for name in shown])
        self.asked.append(number)
        if len(self.asked) == 1:
            del self.items[:2]
        return httpx.Response(200, json=body)


TOKEN = {"access_token": "t", "token_type": "bearer", "expires_in": 3600, "accessToken": "t", "expiresIn": 3600}


def velo_page(number: int, count: int, items: list[Any]) -> dict[str, Any]:
    pages = -(-count // PAGE_SIZE)
    return {"content": items, "page": {"page": number, "totalPages": pages, "totalElements": count}}


def velo_item(name: str) -> dict[str, Any]:
    return dict.fromkeys(["paymentId", "payeeId", "payoutId"], f"0000000{name}-5dcd-42d5-b992-175d7e0a035e")


def last_letter(item_id: str) -> str:
    return item_id.partition("-")[0][-1]


def velo(provider: Provider) -> Velo:
    return Velo(VeloAuth("key", "not-a-secret"), transport=httpx.MockTransport(provider))


def flexfactor(provider: Provider) -> FlexFactor:
    auth = FlexFactorAuth("key", "not-a-secret")
    return FlexFactor(auth, mid="3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71", transport=httpx.MockTransport(provider))


WALKS: dict[str, Callable[[Provider], Any]] = {
    "payments": lambda provider: velo(provider).payments.list(PAYOR, status="ACCEPTED"),
    "payees": lambda provider: velo(provider).payees.list(PAYOR, onboarded_status="INVITED"),
    "disabled payees": lambda provider: velo(provider).payees.list(PAYOR, disabled=False),
    "payments of a payout": lambda provider: velo(provider).payouts.payments(PAYOR, status="ACCEPTED"),
    "payments in the audit": lambda provider: velo(provider).payouts.audited_payments(PAYOR, status="ACCEPTED"),
    "payouts": lambda provider: velo(provider).payouts.list(PAYOR, status="ACCEPTED"),
    "scheduled payouts": lambda provider: velo(provider).payouts.list(PAYOR, schedule_status="SCHEDULED"),
    "invitations": lambda provider: velo(provider).payees.invitations(PAYOR, invitation_status="PENDING"),
    "orders": lambda provider: flexfactor(provider).orders.list(status="PROCESSING"),
}
SINGLE: dict[str, Callable[[Provider], Any]] = {
    "payments": lambda provider: velo(provider).payments.list(PAYOR, payee_id=PAYOR),
    "payees": lambda provider: velo(provider).payees.list(PAYOR, payee_type="Individual"),
    "payments of a payout": lambda provider: velo(provider).payouts.payments(PAYOR),
    "payouts": lambda provider: velo(provider).payouts.list(PAYOR, memo="March"),
    "invitations": lambda provider: velo(provider).payees.invitations(PAYOR, payee_id=PAYOR),
    "orders": lambda provider: flexfactor(provider).orders.list(query="ada"),
}


def provider_of(name: str) -> Provider:
    if name == "orders":
        return Provider(
            "pageNumber", lambda number, count, items: {"items": items, "isLastPage": number * PAGE_SIZE >= count},
            lambda name: {"id": f"order-{name}"},
        )  # fmt: skip
    return Provider("page", velo_page, velo_item)


@pytest.mark.parametrize("name", WALKS)
def test_who_stays_is_in_it_once(name: str) -> None:
    provider = provider_of(name)

    items = [item.payee_id if name == "invitations" else item.id for item in WALKS[name](provider)]

    letters = sorted(item_id[-1] if name == "orders" else last_letter(item_id) for item_id in items)
    assert letters == list("abcdefg")


@pytest.mark.parametrize("name", SINGLE)
def test_other_filters_are_read_once(name: str) -> None:
    provider = provider_of(name)

    list(SINGLE[name](provider))

    assert provider.asked == sorted(set(provider.asked))
