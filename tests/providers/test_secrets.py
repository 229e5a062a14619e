"""Keys, tokens, cards, accounts and persons: in no message, repr, log line, pickle or local of
ours, whatever fails. Over real sockets, see `tests/security/test_nothing_is_shown.py`.
"""

import logging
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import httpx
import pytest
from velo_api.typed import arguments as velo_arguments

from tests.frames import assert_hidden, found_in
from tests.payments import payment
from tests.providers.connected.till import Caller, new_payment, send
from tests.providers.eastpay import adapter as eastpay_adapter
from tests.providers.flexfactor import adapter as flexfactor_adapter
from tests.providers.running import QUICK, TOKEN, Script
from tests.providers.systems import called, of_every_system
from victor_ext import (
    BearerAuth,
    ConfigurationError,
    InvalidRequest,
    VictorError,
    VictorJwt,
    VictorOAuth,
)
from victor_ext.providers import (
    FlexFactorAuth,
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
NUMBER, CVV = "4929123456781234", "7391"
NAME, ADDRESS, ADDED = "Lovelace-Byron", "203.0.113.77", 'added "q\u00e4"'
FIELD, SENSE, CARD = "field-8c3b", "sense-5d1e", "411111111111xyzw"
ACCOUNT, ROUTING, NATIONAL = "071204958836", "123456789", "987654321"
SHORT = "071204"
"""A number that nothing shows to be one of an account, but the request that it was sent in."""


class System(NamedTuple):
    """A system with secrets, and how it says that something is wrong."""

    arguments: dict[str, Any]
    says: Callable[[str], Any]


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
        "extra_body": {
            "device": {"owner": NAME, "pins": [ADDED, 90125]},
            "CustomerSince": ADDED,
            "additionalFields": [{"key": "shop", "value": FIELD}],
        },
        **changes,
    }
    return lambda client: client.evaluate(**flexfactor_adapter.declined(**given))


PLASTIC = eastpay.Card(NUMBER, expiry_month=7, expiry_year=2031, cvv=CVV, holder="Zoë")
CHANNEL = velo.PaymentChannel(
    account_name="Bob",
    country_code="US",
    currency="USD",
    account_number=ACCOUNT,
    routing_number=ROUTING,
)
IBAN_CHANNEL = velo.PaymentChannel(
    account_name=NAME, country_code="GB", currency="GBP", iban="GB33BUKB20201555555555"
)


def person(channel):
    return velo.NewPayee(
        remote_id="payee-8",
        email="bob@example.com",
        address=velo.Address(line1="100 Battery Street", city="Springfield", country="US"),
        individual=velo.Individual(
            first_name="Perpetua",
            last_name="Lovelace",
            date_of_birth=date(1970, 5, 20),
            national_identification=NATIONAL,
        ),
        payment_channel=channel,
    )


def make_payee(channel):
    return lambda client: client.payees.create("payor-1", [person(channel)])


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
        ),
        "flexfactor": System(
            {"auth": FlexFactorAuth(KEY, SECRET)},
            lambda words: {"title": "Invalid", "errors": {"Payer.Email": [words]}},
        ),
        "velo": System(
            {"auth": VeloAuth(KEY, SECRET)},
            lambda words: {"errors": [{"errorMessage": words, "location": "payees[0]"}]},
        ),
        "victor": System(
            {"auth": VictorOAuth(KEY, SECRET)},
            lambda words: {"error": {"code": 101, "message": words, "field": f"payee.{words}"}},
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
        "a password that is not needed": lambda: VictorJwt(KEY, private, password=SECRET),
        "a lifetime that is none": lambda: VictorJwt(KEY, private, lifetime=-1),
        "an id that is empty": lambda: VictorOAuth("", SECRET),
    }


@pytest.mark.parametrize("wrong", credentials_of(""))
def test_credentials_that_cannot_be_used_are_not_shown(wrong, victor_key_pair):
    private, _ = victor_key_pair
    with pytest.raises(ConfigurationError) as raised:
        credentials_of(private)[wrong]()
    assert_hidden(raised.value, [KEY, SECRET, *private.splitlines()[2:-2]])


def test_a_call_that_succeeds_shows_no_secret_in_reprs_and_logs(caplog):
    caplog.set_level(logging.DEBUG)
    good = httpx.Response(200, json={"success": True, "status": "APPROVED", "email": EMAIL})
    decision = ask("flexfactor", evaluate(), good)
    payee, channel = person(CHANNEL), IBAN_CHANNEL
    company = velo.Company(name=NAME, tax_id="223344556")
    shown = [decision, payee, payee.individual, channel, channel.iban, company, company.tax_id]
    shown += [
        velo_arguments.PACKAGE.parts["NewPayee"](Query(), "", payee),
        FlexFactorAuth(KEY, SECRET),
    ]
    hidden = [*CREDENTIALS, CARD, NAME, ADDRESS, ACCOUNT, NATIONAL, channel.iban, company.tax_id]
    assert found_in(repr(shown) + caplog.text, hidden) == []
    assert decision.raw.additional_properties["email"] == EMAIL  # it is there for whoever asks


def take(**fields):
    return lambda client: send(client, "payments.take_payment", body=new_payment(**fields))


SENT = of_every_system(
    __name__,
    {
        "victor": (create(payee_account_number=SHORT), [SHORT]),
        "velo": (make_payee(CHANNEL), [ACCOUNT, ROUTING]),
        "velo, an IBAN": (make_payee(IBAN_CHANNEL), [IBAN_CHANNEL.iban]),
        "eastpay": (charge(PLASTIC, parameters={"bankAccount.number": SHORT}), [NUMBER, SHORT]),
        "flexfactor": (evaluate(extra_body={"bank": {"routingNumber": SHORT}}), [SHORT]),
        "till": (take(account={"kind": "UK", "number": SHORT}, sort_code="20-00-00"), [SHORT]),
        "till, a number in JSON": (take(routing_number=int(SHORT[1:])), [SHORT[1:]]),
    },
)
"""Calls that send numbers of accounts and cards, and these."""


def fail(system, mode, call, provider, **options):
    """The error of a call of a system."""

    def make():
        if system == "till":
            return Caller(mode, provider, auth=BearerAuth(ACCESS), **options).run(call)
        return ask(system, call, provider, mode, **options)

    with pytest.raises(VictorError) as raised:
        make()
    return raised.value


@pytest.mark.parametrize(
    ("status", "is_own"), [(400, True), (409, True), (503, True), (200, False), (500, False)]
)
@pytest.mark.parametrize("name", SENT)
def test_what_a_request_sent_of_accounts_and_its_authorization_is_masked_where_it_comes_back(
    mode, name, status, is_own, caplog
):
    caplog.set_level(logging.DEBUG)
    call, numbers = SENT[name]
    system = name.partition(",")[0]
    grouped = [f"{number[:2]} {number[2:4]} {number[4:]}" for number in numbers]
    events, tokens = [], []

    def repeat(request):
        tokens.append(request.headers["authorization"].partition(" ")[2])
        words = "; ".join((*numbers, *grouped, tokens[-1], f"Bearer {tokens[-1]}"))
        if is_own:
            says = SYSTEMS[system].says if system in SYSTEMS else lambda text: {"message": text}
            return httpx.Response(status, json=says(words))
        text = f"<p>{words}; {request.content.decode()}"
        return httpx.Response(status, text=text.replace("/", r"\/"))  # as JSON may have it

    error = fail(system, mode, call, repeat, on_event=events.append, retry=QUICK)
    hidden = [*numbers, *grouped, *tokens]
    assert_hidden(error, hidden)
    assert found_in(f"{error.problems!r}{caplog.text}{events!r}", hidden) == []
    if status == 400:
        assert f"*{numbers[0][-4:]}; " in str(error)
        assert "[secret]; Bearer [secret]" in str(error)


def test_a_call_that_a_listener_makes_unmasks_nothing():
    def listen(_event):
        read = httpx.Response(200, json={"victor_payment_request_id": "b34783af0"})
        ask("victor", lambda client: client.payment_requests.get("b34783af0"), read)

    refusal = httpx.Response(400, json=SYSTEMS["victor"].says(SHORT))
    assert_hidden(fail("victor", "blocking", SENT["victor"][0], refusal, on_event=listen), [SHORT])


def test_what_a_good_response_repeats_is_as_it_came(mode):
    details = {"payee": {"account_number": SHORT}, "payment_details": {"notes": ACCESS}}
    answer = {"victor_payment_request_id": "b34783af0", "payment_request": details}
    call = create(payee_account_number=SHORT, notes=ACCESS)
    record = ask("victor", call, httpx.Response(200, json=answer), mode)
    assert (record.payee.account_number, record.notes) == (SHORT, ACCESS)
    assert SHORT not in repr(record)
