"""EastPay, as one row of the table over all systems: no operation of it takes a key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple

from victor_ext.providers import Money
from victor_ext.providers.eastpay import AsyncEastPay, Card, EastPay
from victor_ext.sandbox.eastpay import EastPaySandbox

TOKEN = "token-of-the-adapter-7f3b1c9e5d2a4860"
ENTITY = "EB000001"
KEYED = False
KNOWN = "a payment that is there"


class Exchange(NamedTuple):
    """An operation of the sandbox, and the call that makes it."""

    word: str
    call: Callable[..., Any]


@contextmanager
def sandbox() -> Iterator[EastPaySandbox]:
    """A sandbox that knows the entity, and one payment."""
    with EastPaySandbox() as started:
        started.add_merchant(ENTITY, TOKEN)
        with client(started, awaited=False) as eastpay:
            pay(eastpay, KNOWN)
        yield started


def client(sandbox: EastPaySandbox, *, awaited: bool, **options: Any) -> Any:
    kind: Any = AsyncEastPay if awaited else EastPay
    settings = {"base_url": f"{sandbox.url}/eastpay", "entity_id": ENTITY, "inquiry_by_reference": True}
    made = kind(TOKEN, **settings, **options)
    made.known = next(iter(sandbox.payment_ids()), "")
    return made


def pay(client: Any, reference: str) -> Any:
    card = Card("4111111111111111", expiry_month=12, expiry_year=2030, cvv="123")
    return client.payments.debit(Money.of("92.00", "EGP"), card=card, merchant_transaction_id=reference)


def inquire(client: Any) -> Any:
    return client.payments.inquire(client.known)


READ = Exchange("inquire", inquire)
MORE = [
    SimpleNamespace(
        word="find",
        call=lambda client, reference: client.payments.find(reference),
        subject=lambda _sandbox: KNOWN,
        writes=False,
        settles=False,
    )
]
WRITE = Exchange("pay", pay)


def work_done(sandbox: EastPaySandbox, reference: str) -> int:
    """How often the reference was charged, from the sandbox's own record."""
    return sandbox.work_done_by_reference().get(reference, 0)
