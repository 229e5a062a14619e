"""FlexFactor in the suite over all systems, and a client of it over a script."""

from datetime import UTC, datetime
from functools import partial
from itertools import count
from uuid import NAMESPACE_URL, uuid5

import tests.providers.running as running
from tests.providers.running import GUID, QUICK, Exchange, run
from victor_ext.providers import Money
from victor_ext.providers.flexfactor import (
    Address,
    AsyncFlexFactor,
    Card,
    FlexFactor,
    FlexFactorAuth,
    Payer,
    Transaction,
)
from victor_ext.sandbox.flexfactor import FlexFactorSandbox

SANDBOX = sandbox = FlexFactorSandbox
MID = GUID
PRICE = Money.of("44.23", "USD")
ARGUMENTS = {"auth": FlexFactorAuth("key", "secret"), "mid": MID}
SETTINGS = {"app_key": "key", "app_secret": "secret", "mid": MID}
HOSTS = ("sandbox", "api-sandbox.flex-charge.com", "api.flex-charge.com", "api.flexfactor.io")
VERSIONS = ("v1",)
REFUSAL = {"success": False, "errors": ["no"]}
PING = f"/v1/orders?mid={MID}&pageSize=1"
scripted = partial(running.scripted, FlexFactor, ARGUMENTS)
_numbers = count(1)


def declined(**changes):
    """The arguments of an evaluation."""
    return {
        "order_id": "INV-1042",
        "amount": PRICE,
        "transaction": Transaction(
            id="t-1",
            occurred_at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
            response_code="05",
            avs_result="Y",
        ),
        "payer": Payer(email="ada@example.com"),
        "card": Card(
            token="tok_4242", expiration_month=4, expiration_year=2031, bin="042424", last4="0042"
        ),
        "billing": Address(
            first_name="Ada", last_name="Lovelace", zip_code="01234", country_code="US"
        ),
        **changes,
    }


class Harness(running.Harness):
    """A merchant's client of FlexFactor."""

    kinds = (FlexFactor, AsyncFlexFactor)

    def set_up(self):
        app_key, app_secret, mid = self.sandbox.add_client()
        self.sandbox.add_card(token="tok_4242")
        auth = FlexFactorAuth(app_key, app_secret)
        return {"auth": auth, "mid": mid, "base_url": self.sandbox.url}


def order(**options):
    """What makes an order of its own; the subject is the merchant's id of it."""

    def make(harness):
        name = f"INV-{next(_numbers)}"
        harness.sandbox.add_order(name, provider_id=id_of(name), **options)
        return name

    return make


def id_of(name):
    """The provider's id of an order."""
    return str(uuid5(NAMESPACE_URL, name))


ORDER = id_of("INV-1")


def about_an_order(word, call, *, is_open=True, **options):
    """A write about an order, which is counted as `INV-1/refund`."""
    done = f"/{word.rpartition('_')[2]}"
    return Exchange(
        word=word,
        call=call,
        writes=True,
        subject=order(**{"status": "CAPTUREREQUIRED"} if is_open else {}),
        work=lambda harness, subject: harness.work(subject + done),
        **options,
    )


READ = Exchange(
    word="order", subject=order(), call=lambda client, name: client.orders.get(id_of(name))
)
WRITE = Exchange(
    word="evaluate",
    writes=True,
    keyed=True,
    call=lambda client, name: client.evaluate(**declined(order_id=name)),
    hint="external_cancel",
)
MORE = (
    Exchange(word="orders", call=lambda client, _: client.orders.list()),
    about_an_order("capture", lambda client, name: client.capture(id_of(name), PRICE), keyed=True),
    about_an_order("cancel", lambda client, name: client.orders.cancel(id_of(name)), keyed=True),
    about_an_order(
        "external_cancel", lambda client, name: client.orders.external_cancel(name), keyed=True
    ),
    about_an_order(
        "refund",
        lambda client, name: client.orders.refund(id_of(name), PRICE),
        is_open=False,
        hint="look with orders.get(order_id)",
    ),
    about_an_order("transmit", lambda client, name: client.transmit(**declined(order_id=name))),
)
WITHOUT = {}
EXCHANGES = {exchange.word: exchange for exchange in (READ, WRITE, *MORE)}


def over(script, word, **options):
    """What a call about the order INV-1 comes to over a script."""
    options = {**ARGUMENTS, "retry": QUICK, "transport": script.transport, **options}
    return run(FlexFactor, lambda client: EXCHANGES[word].call(client, "INV-1"), **options)
