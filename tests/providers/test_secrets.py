"""Keys, tokens, cards, accounts and persons: in no message, repr, log line, pickle or local of
ours, whatever fails. Over real sockets, see `tests/security/test_nothing_is_shown.py`.
"""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import httpx
import pytest
from velo_api.typed import arguments as velo_arguments

from tests.frames import assert_hidden, chain, found_in
from tests.providers.connected.till import Caller
from tests.providers.eastpay import adapter as eastpay_adapter
from tests.providers.flexfactor import adapter as flexfactor_adapter
from tests.providers.running import GUID, TOKEN, Script
from tests.providers.systems import called, of_every_system
from tests.providers.velo.adapter import pay
from tests.providers.victor.adapter import payment
from victor_ext import (
    BearerAuth,
    ConfigurationError,
    InvalidRequest,
    Victor,
    VictorError,
    VictorJwt,
    VictorOAuth,
)
from victor_ext.providers import (
    FlexFactorAuth,
    Money,
    VeloAuth,
    eastpay,
    flexfactor,
    velo,
)
from victor_ext.typed import Query

pytestmark = pytest.mark.slow  # a package is generated for `connect`

KEY, SECRET, ACCESS, EMAIL = (
    "app-key-0c1f7e55",
    "app-secret/9d1c44+ab-5aa31-0c1f7e55",
    "access-token-77aa01ff",
    "ada.l@example.com",
)
CREDENTIALS = (KEY, SECRET, ACCESS, f"{KEY}:{SECRET}", EMAIL)
NUMBER, CVV, STORED = "4929123456781234", "7391", "stored-card-5d1e77aa"
NAME, ADDRESS, ADDED = "Lovelace-Byron", "203.0.113.77", 'added "q\u00e4"'
FIELD, SENSE, CARD = "field-8c3b", "sense-5d1e", "411111111111xyzw"
ACCOUNT, NATIONAL, HEADER = "071204958836", "987654321", "Basic bG9uZyBhbmQgcmFuZG9t"


class Call(NamedTuple):
    """A call, with what it sends that is hidden everywhere, and what is hidden in messages."""

    make: Callable[[Any], Any]
    secrets: tuple[str, ...] = ()
    in_messages: tuple[str, ...] = ()


class System(NamedTuple):
    """A system with secrets, and how it says that something is wrong."""

    arguments: dict[str, Any]
    says: Callable[[str], Any]
    calls: Mapping[str, Call]
    credentials: tuple[str, ...] = CREDENTIALS


def charge(card, **more):
    return lambda client: client.payments.debit(
        eastpay_adapter.PRICE, **{"card": card, "merchant_transaction_id": "INV-1", **more}
    )


def create(**changes):
    given = payment(**{"payee_account_number": ACCOUNT, **changes})
    return lambda client: client.payment_requests.create(**given)


def evaluate(**changes):
    given = {
        "payer": flexfactor.Payer(email=EMAIL),
        "card": flexfactor.Card(token=CARD),
        "customer_ip": ADDRESS,
        "billing": flexfactor.Address(last_name=NAME),
        "sense_key": SENSE,
        "fields": {"shop": FIELD},
        "extra_body": {"device": {"owner": NAME, "pins": [ADDED, 90125]}, "CustomerSince": ADDED},
        **changes,
    }
    return lambda client: client.evaluate(**flexfactor_adapter.declined(**given))


PLASTIC = eastpay.Card(NUMBER, expiry_month=7, expiry_year=2031, cvv=CVV, holder="Zoë")
PERSON = velo.NewPayee(
    remote_id="payee-8",
    email="bob@example.com",
    address=velo.Address(line1="100 Battery Street", city="Springfield", country="US"),
    individual=velo.Individual(
        first_name="Perpetua",
        last_name="Lovelace",
        date_of_birth=date(1970, 5, 20),
        national_identification=NATIONAL,
    ),
    payment_channel=velo.PaymentChannel(
        account_name="Bob",
        country_code="US",
        currency="USD",
        account_number=ACCOUNT,
        routing_number="123456789",
    ),
)
SHOPPER = {"customer.givenName": "Perpetua", "customer.phone": "+20 2 1234"}
OF_EASTPAY = {
    "a card": Call(charge(PLASTIC), (NUMBER, NUMBER[:8], CVV)),
    "a stored card": Call(charge(eastpay.CardToken(STORED)), (STORED,)),
    "a shopper": Call(charge(PLASTIC, parameters=SHOPPER), (NUMBER,), ("Zoë", *SHOPPER.values())),
}
OF_FLEXFACTOR = {
    "evaluate": Call(
        evaluate(), (CARD, NAME, ADDRESS, SENSE, ADDED, FIELD), ("90125", json.dumps(ADDED)[1:-1])
    ),
    "refund": Call(
        lambda client: client.orders.refund(GUID, Money(1, "USD"), message=FIELD), (), (FIELD,)
    ),
    "get": Call(lambda client: client.orders.get(GUID)),
}
OF_VELO = {
    "submit": Call(lambda client: client.payouts.submit([pay()])),
    "get": Call(lambda client: client.payees.get("p-1")),
    "payees": Call(
        lambda client: client.payees.create("payor-1", [PERSON]),
        (ACCOUNT, NATIONAL),
        ("Perpetua", "Lovelace", "Battery", "1970-05-20", "Springfield"),
    ),
    "a webhook": Call(
        lambda client: client.webhooks.update("w-1", authorization_header=HEADER), (HEADER,)
    ),
}
OF_VICTOR = {
    "create": Call(create(), (ACCOUNT,)),
    "get": Call(lambda client: client.payment_requests.get("b34783af0"), (ACCOUNT,)),
    "accept": Call(
        lambda client: client.payment_requests.accept("b34783af0", notes="Thanks."), (ACCOUNT,)
    ),
    "list": Call(lambda client: client.payment_requests.list(), (ACCOUNT,)),
}
SYSTEMS = of_every_system(
    __name__,
    {
        "eastpay": System(
            {"token": SECRET},
            lambda words: {
                "result": {
                    "code": "100.300.001",
                    "description": words,
                    "parameterErrors": [{"name": "card.cvv", "value": words, "message": words}],
                }
            },
            OF_EASTPAY,
            (SECRET,),
        ),
        "flexfactor": System(
            {"auth": FlexFactorAuth(KEY, SECRET)},
            lambda words: {
                "email": EMAIL,
                "errors": {"Payer.Email": [f"{words} is not known"], ADDED: [90125]},
            },
            OF_FLEXFACTOR,
        ),
        "velo": System(
            {"auth": VeloAuth(KEY, SECRET)},
            lambda words: {"errors": [{"errorMessage": words, "location": "payees[0]"}]},
            OF_VELO,
        ),
        "victor": System(
            {"auth": VictorOAuth(KEY, SECRET)},
            lambda words: {"error": {"code": 101, "message": words, "field": f"payee.{words}"}},
            OF_VICTOR,
            (KEY, SECRET, ACCESS),
        ),
    },
)


def ask(name, call, line, mode="blocking", **options):
    """What a call of a system comes to over a script with this line."""
    script = Script(line, token={**TOKEN, "access_token": ACCESS, "accessToken": ACCESS})
    return called(name, mode, call, script, **{**SYSTEMS[name].arguments, **options})


ACCOUNTS = (ACCOUNT, ACCOUNT[1:])
MORE_OF_ACCOUNTS = {"payee": {"account_number": ACCOUNT}, "new": {"of": [ACCOUNT, 1.5]}}
REFUSED_HERE = {
    **{
        f"{type(account).__name__} for an account": (
            "victor",
            create(payee_account_number=account),
            ACCOUNTS,
        )
        for account in (int(ACCOUNT), f"{ACCOUNT}-", ACCOUNT.encode(), Decimal(ACCOUNT), [ACCOUNT])
    },
    "an extra body": ("victor", create(extra_body=MORE_OF_ACCOUNTS), ACCOUNTS),
    "the extra body of all calls": (
        "victor",
        lambda client: create()(client.with_options(extra_body=MORE_OF_ACCOUNTS)),
        ACCOUNTS,
    ),
    "the extra body of a response": (
        "victor",
        lambda client: client.payment_requests.accept(
            "in-1", notes="n", extra_body={"notes": ACCOUNT, **MORE_OF_ACCOUNTS}
        ),
        ACCOUNTS,
    ),
    "an extra query": (
        "victor",
        lambda client: client.payment_requests.get("a1", extra_query={"new": [ACCOUNT, 1.5]}),
        ACCOUNTS,
    ),
    "a charge without its id": (
        "eastpay",
        charge(PLASTIC, merchant_transaction_id=""),
        (NUMBER, CVV),
    ),
    "a number for a card": ("eastpay", charge(int(NUMBER)), (NUMBER,)),
    "an object for a card": ("eastpay", charge({"number": NUMBER}), (NUMBER,)),
    "an order without its id": (
        "flexfactor",
        evaluate(order_id="", card=flexfactor.Card(token=CARD, bin=CARD)),
        (CARD, NAME, ADDRESS, SENSE, FIELD),
    ),
}


@pytest.mark.parametrize("call", REFUSED_HERE)
def test_a_call_that_is_refused_here_shows_no_secret_argument(mode, call):
    name, make, hidden = REFUSED_HERE[call]
    with pytest.raises((InvalidRequest, ConfigurationError)) as raised:
        ask(name, make, httpx.Response(200), mode)
    assert_hidden(raised.value, hidden)


def credentials_of(private):
    """Credentials that cannot be used."""
    return {
        "an API key with a line break": lambda: VictorJwt(f"{KEY}\n{KEY}", private),
        "a private key without an API key": lambda: VictorJwt("", private),
        "half of a private key": lambda: VictorJwt(KEY, private[:500]),
        "half of one in bytes": lambda: VictorJwt(KEY, private[:500].encode()),
        "half of one in a bytearray": lambda: VictorJwt(KEY, bytearray(private[:500].encode())),
        "the two the wrong way round": lambda: VictorJwt("key", KEY),
        "a password that is not needed": lambda: VictorJwt(KEY, private, password=SECRET.encode()),
        "a lifetime that is none": lambda: VictorJwt(KEY, private, lifetime=-1),
        "an id that is empty": lambda: VictorOAuth("", SECRET),
    }


@pytest.mark.parametrize("wrong", credentials_of(""))
def test_credentials_that_cannot_be_used_are_not_shown(wrong, victor_key_pair):
    private, _ = victor_key_pair
    with pytest.raises(ConfigurationError) as raised:
        credentials_of(private)[wrong]()
    assert_hidden(raised.value, [KEY, SECRET, *private.splitlines()[2:-2]])


@pytest.mark.parametrize("wrong", ['secret = "x"', 'environment = "prod"', "no TOML"])
def test_a_profile_that_cannot_be_read_shows_no_secret(wrong, write_profiles):
    write_profiles(f'[mine]\nclient_id = "{KEY}"\nclient_secret = "{SECRET}"\n{wrong}\n')
    with pytest.raises(ConfigurationError) as raised:
        Victor.from_profile("mine")
    assert_hidden(raised.value, [SECRET])
    assert [*chain(raised.value)] == [raised.value]  # what `tomllib` holds is not shown


def test_a_call_that_succeeds_shows_no_secret_in_reprs_and_logs(caplog):
    caplog.set_level(logging.DEBUG)
    good = httpx.Response(200, json={"id": GUID, "status": "APPROVED", "email": EMAIL})
    decision = ask("flexfactor", evaluate(), good)
    channel = velo.PaymentChannel(
        account_name=NAME, country_code="GB", currency="GBP", iban="GB33BUKB20201555555555"
    )
    company = velo.Company(name=NAME, tax_id="223344556")
    shown = [decision, PERSON, PERSON.individual, channel, channel.iban, company, company.tax_id]
    shown += [
        velo_arguments.PACKAGE.parts["NewPayee"](Query(), "", PERSON),
        FlexFactorAuth(KEY, SECRET),
    ]
    hidden = [*CREDENTIALS, CARD, NAME, ADDRESS, ACCOUNT, NATIONAL, channel.iban, company.tax_id]
    assert found_in(repr(shown) + caplog.text, hidden) == []
    assert decision.raw.additional_properties["email"] == EMAIL  # it is there for whoever asks


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_the_authorization_of_a_request_is_masked_where_a_provider_repeats_it(mode, status):
    error = {"message": f"no {SECRET}, nor Bearer {SECRET}", "code": SECRET}
    answer = httpx.Response(status, json={"error": error})
    with pytest.raises(VictorError) as raised:
        Caller(mode, lambda _: answer, auth=BearerAuth(SECRET)).call(
            "payments.get_payment", "pay_1"
        )
    assert_hidden(raised.value, [SECRET])
    said = f"{raised.value}{raised.value!r}{raised.value.problems!r}"
    assert SECRET not in said
    assert "no [secret], nor Bearer [secret]" in said or status == 200
