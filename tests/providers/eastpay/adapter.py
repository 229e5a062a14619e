"""EastPay in the suite over all systems: no operation of it takes a key."""

from contextlib import contextmanager
from functools import partial
from itertools import count

import httpx

import tests.providers.running as running
from tests.providers.running import Exchange
from victor_ext import VictorError
from victor_ext.providers import Money
from victor_ext.providers.eastpay import AsyncEastPay, Card, EastPay
from victor_ext.sandbox.eastpay import EastPaySandbox

SANDBOX = EastPaySandbox
TOKEN, ENTITY = "token-of-the-adapter-7f3b1c9e5d2a4860", "EB000001"
PRICE = Money.of("92.00", "EGP")
ARGUMENTS = {
    "token": "t" * 32,
    "base_url": "https://bank.example/pay",
    "entity_id": ENTITY,
}
SETTINGS = {"token": "t" * 32, "entity_id": ENTITY}
WRONG = {"name": "amount", "message": "no"}
REFUSAL = {"result": {"code": "100.300.701", "description": "no", "parameterErrors": [WRONG]}}
scripted = partial(running.scripted, EastPay, ARGUMENTS)
_numbers = count(1)


def card(cvv="123"):
    return Card(
        "4111 1111 1111 1111", expiry_month=12, expiry_year=2030, cvv=cvv, holder="Zoë Çelik"
    )


def pay(client, reference):
    return client.payments.debit(PRICE, card=card(), merchant_transaction_id=reference)


class Harness(running.Harness):
    """A merchant's client of the gateway."""

    kinds = (EastPay, AsyncEastPay)

    def set_up(self):
        self.sandbox.add_merchant(ENTITY, TOKEN)
        return settings(self.sandbox)

    def sent(self, word):
        """As everywhere; `follow_up` are all steps that follow a payment."""
        steps = (word, "capture", "refund", "reverse") if word == "follow_up" else (word,)
        return [seen for seen in self.sandbox.received() if seen.operation in steps]

    def debit(self, reference, kind="debit", **options):
        """Charge the usual price to the usual card, or reserve it."""
        given = {"card": card(), "merchant_transaction_id": reference, **options}
        return self.ask(f"payments.{kind}", PRICE, **given)


def settings(sandbox):
    return {"token": TOKEN, "entity_id": ENTITY, "base_url": f"{sandbox.url}/eastpay"}


def client(sandbox, *, awaited, **options):
    return Harness.kinds[awaited](**settings(sandbox), **options)


@contextmanager
def sandbox():
    """A sandbox that knows the entity."""
    with EastPaySandbox() as started:
        started.add_merchant(ENTITY, TOKEN)
        yield started


def paid(harness, kind="debit"):
    """The reference of the step that is to follow, and a payment."""
    names = [f"{kind}-{next(_numbers)}" for _ in range(2)]
    return names[1], harness.debit(names[0], kind).id


def observe(status, body, call=lambda client: pay(client, "INV-1")):
    """What a call to a gateway comes to that answers everything alike, with JSON or these bytes:
    what it returns, or what it raises.
    """
    written = {"content" if isinstance(body, bytes) else "json": body}
    client, _script = scripted(httpx.Response(status, **written))
    try:
        return call(client)
    except VictorError as error:
        return error


def step(name, before):
    """A step that follows a payment. Its work is counted by the reference of its own."""
    amount = () if name == "reverse" else (PRICE,)
    return Exchange(
        word="follow_up", writes=True, hint="look with payments.inquire('",
        subject=lambda harness: paid(harness, before),
        call=lambda client, subject: getattr(client.payments, name)(
            subject[1], *amount, merchant_transaction_id=subject[0]
        ),
    )  # fmt: skip


def checkout(harness):
    """A checkout that the shopper has paid."""
    checkout_id = harness.ask("checkouts.prepare", PRICE).id
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
        word="checkout_status",
        subject=checkout,
        call=lambda client, checkout_id: client.checkouts.status(checkout_id),
    ),
    step("capture", "preauthorise"),
    step("reverse", "preauthorise"),
    step("refund", "debit"),
)
WITHOUT = {"prepareCheckout": "it moves no money, and the sandbox counts no work of it"}
