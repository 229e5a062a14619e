"""EastPay in the suite over all systems: no operation of it takes a key."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any

import httpx

import tests.providers.running as running
from tests.providers.running import Exchange
from victor_ext import VictorError
from victor_ext.providers import Money
from victor_ext.providers.eastpay import AsyncEastPay, Card, EastPay
from victor_ext.sandbox.eastpay import EastPaySandbox

SANDBOX = EastPaySandbox
TOKEN, ENTITY, KNOWN = (
    "token-of-the-adapter-7f3b1c9e5d2a4860",
    "EB000001",
    "a payment that is there",
)
PRICE = Money.of("92.00", "EGP")
ARGUMENTS: dict[str, Any] = {
    "token": "t" * 32,
    "base_url": "https://bank.example/pay",
    "entity_id": ENTITY,
    "inquiry_by_reference": True,
}
SETTINGS = {"token": "t" * 32, "entity_id": ENTITY}
REFUSAL = {"result": {"code": "800.100.150", "description": "declined"}}
scripted = partial(running.scripted, EastPay, ARGUMENTS)
_numbers = count(1)


def card(cvv: str = "123") -> Card:
    return Card(
        "4111 1111 1111 1111", expiry_month=12, expiry_year=2030, cvv=cvv, holder="Zoë Çelik"
    )


def pay(client: Any, reference: str) -> Any:
    return client.payments.debit(PRICE, card=card(), merchant_transaction_id=reference)


class Harness(running.Harness):
    """A merchant's client of the gateway."""

    kinds = (EastPay, AsyncEastPay)

    def set_up(self) -> dict[str, Any]:
        self.sandbox.add_merchant(ENTITY, TOKEN)
        return settings(self.sandbox)

    def sent(self, word: str) -> list[Any]:
        """As everywhere; `follow_up` are all steps that follow a payment."""
        steps = (word, "capture", "refund", "reverse") if word == "follow_up" else (word,)
        return [seen for seen in self.sandbox.received() if seen.operation in steps]

    def debit(self, reference: str, kind: str = "debit", **options: Any) -> Any:
        """Charge the usual price to the usual card, or reserve it."""
        given = {"card": card(), "merchant_transaction_id": reference, **options}
        return self(lambda eastpay: getattr(eastpay.payments, kind)(PRICE, **given))

    def step(self, kind: str, payment_id: str, *amount: Money, by: str) -> Any:
        """A step that follows a payment, under a reference."""
        return self(
            lambda eastpay: getattr(eastpay.payments, kind)(
                payment_id, *amount, merchant_transaction_id=by
            )
        )

    def prepare(self, **options: Any) -> Any:
        return self.ask("checkouts.prepare", PRICE, **options)

    def status(self, checkout_id: str) -> Any:
        return self.ask("checkouts.status", checkout_id)

    def inquire(self, payment_id: str) -> Any:
        return self.ask("payments.inquire", payment_id)


def settings(sandbox: EastPaySandbox) -> dict[str, Any]:
    return {"token": TOKEN, "entity_id": ENTITY, "base_url": f"{sandbox.url}/eastpay"}


def client(sandbox: EastPaySandbox, *, awaited: bool, **options: Any) -> Any:
    made = Harness.kinds[awaited](**{**settings(sandbox), "inquiry_by_reference": True, **options})
    made.known = next(iter(sandbox.payment_ids()), "")
    return made


@contextmanager
def sandbox() -> Iterator[EastPaySandbox]:
    """A sandbox that knows the entity, and one payment."""
    with EastPaySandbox() as started:
        started.add_merchant(ENTITY, TOKEN)
        with client(started, awaited=False) as eastpay:
            pay(eastpay, KNOWN)
        yield started


def paid(harness: Harness, kind: str = "debit") -> tuple[str, str]:
    """The reference of the step that is to follow, and a payment."""
    names = [f"{kind}-{next(_numbers)}" for _ in range(2)]
    return names[1], harness.debit(names[0], kind).id


def observe(status: int, body: Any, call: Any = lambda client: pay(client, "INV-1")) -> Any:
    """What a call to a gateway comes to that answers everything alike: what it returns, or what it
    raises.
    """
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    client, _script = scripted(httpx.Response(status, content=content))
    try:
        return call(client)
    except VictorError as error:
        return error


def step(name: str, before: str) -> Exchange:
    """A step that follows a payment. Its work is counted by the reference of its own."""
    amount = () if name == "reverse" else (PRICE,)
    return Exchange(
        word="follow_up", writes=True, hint="look with payments.inquire('",
        subject=lambda harness: paid(harness, before),
        call=lambda client, subject: getattr(client.payments, name)(
            subject[1], *amount, merchant_transaction_id=subject[0]
        ),
    )  # fmt: skip


def found(harness: Harness) -> str:
    harness.settings["inquiry_by_reference"] = True
    return KNOWN if harness.work(KNOWN) else str(harness.debit(KNOWN) and KNOWN)


def checkout(harness: Harness) -> str:
    """A checkout that the shopper has paid."""
    checkout_id = str(harness.prepare().id)
    harness.sandbox.pay_checkout(checkout_id)
    return checkout_id


READ = Exchange(
    word="inquire",
    subject=lambda harness: paid(harness)[1],
    call=lambda client, payment_id: client.payments.inquire(payment_id),
)
WRITE = Exchange(
    word="pay", call=pay, writes=True,
    hint="with payments.inquire(id) once its notification names the id, or for "
         "merchantTransactionId 'INV-1042' in",
)  # fmt: skip
MORE = (
    Exchange(
        word="find", subject=found, call=lambda client, reference: client.payments.find(reference)
    ),
    Exchange(
        word="checkout_status",
        subject=checkout,
        call=lambda client, checkout_id: client.checkouts.status(checkout_id),
    ),
    step("capture", "preauthorise"),
    step("reverse", "preauthorise"),
    step("refund", "debit"),
)
WITHOUT = {"prepareCheckout": "it moves no money, and the sandbox counts no work of it"}
