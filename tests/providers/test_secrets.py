"""Keys, tokens, cards, accounts and persons: in no message, repr, log line, pickle or local of
ours, whatever fails. Over real sockets, see `tests/security/test_nothing_is_shown.py`.
"""

import json
import logging
import pickle
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import httpx
import pytest
from velo_api.typed import arguments as velo_arguments

from tests.frames import assert_hidden, chain, found_in
from tests.providers.connected.till import Caller, operation
from tests.providers.eastpay import adapter as eastpay_adapter
from tests.providers.flexfactor import adapter as flexfactor_adapter
from tests.providers.running import GUID, TOKEN, Script
from tests.providers.systems import called, of_every_system
from tests.providers.velo.adapter import pay
from tests.providers.victor.adapter import payment
from victor_ext import (
    ApiKeyAuth,
    BasicAuth,
    BearerAuth,
    ClientCredentialsAuth,
    ConfigurationError,
    InvalidRequest,
    OffsetPages,
    SignedAuth,
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


def anothers(words):
    """A good response of Victor about another payment, which was answered otherwise."""
    details = {
        "payee": {"account_number": ACCOUNT, "name": words},
        "payment_details": {"amount": "99.00", "notes": words},
        "payment_request_response": {"status": "Rejected", "notes": words},
    }
    return {"victor_payment_request_id": "a7ffd43c37c1", "payment_request": details}


def bad_answers(system, words):
    """What a call fails with, by its name; where it can, it says these words."""
    return {
        **{
            f"{status} in its own shape": httpx.Response(status, json=system.says(words))
            for status in (200, 401, 409, 500)
        },
        "400 of another shape": httpx.Response(
            400, json={"Email": [words], EMAIL: [words.upper()]}
        ),
        "400 with the request in it": lambda request: httpx.Response(
            400, json=system.says(request.content.decode())
        ),
        "409 with the request": lambda request: httpx.Response(409, content=request.content),
        "200 that says no": httpx.Response(
            200, json={"success": False, "result": "x" * 190 + words}
        ),
        "200 about another payment": httpx.Response(200, json=anothers(words)),
        "200 that is cut": httpx.Response(200, text=f'{{"id": "{words}'),
        "200 with HTML": httpx.Response(200, text=f"<html>{words}"),
        "a redirect": httpx.Response(
            302, headers={"Location": f"https://elsewhere.example/{EMAIL}"}
        ),
        "no answer": httpx.ReadTimeout("no"),
    }


each_call = pytest.mark.parametrize(
    ("name", "call"), [(name, call) for name, system in SYSTEMS.items() for call in system.calls]
)


@each_call
@pytest.mark.parametrize("handler", bad_answers(SYSTEMS["victor"], ""))
def test_a_call_that_fails_shows_no_secret(mode, handler, name, call, caplog):
    caplog.set_level(logging.DEBUG)
    system = SYSTEMS[name]
    make, secrets, in_messages = system.calls[call]
    hidden = (*system.credentials, *secrets)
    # The provider repeats all that it was sent and that has to be hidden.
    line = bad_answers(system, " ".join((*hidden, *in_messages)))[handler]
    events = []
    shown = stored = ""
    try:
        shown = repr(ask(name, make, line, mode, on_event=events.append))
    except VictorError as error:
        assert_hidden(error, hidden)
        shown = f"{error}{error!r}{error.problems!r}"
        error.response = None  # what a provider wrote stays in the raw body, for the caller alone
        stored = pickle.dumps(error).decode("latin-1")
    # A pickle has the arguments of the call, and never the key or the secret.
    assert found_in(stored, system.credentials[:2]) == []
    assert found_in(shown + caplog.text + repr(events), (*hidden, *in_messages)) == []


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


def signed(request):
    request.headers["X-Signature"] = f"v1 {SECRET}"
    request.url = request.url.copy_merge_params({"signature": KEY})


AUTHS = {
    "a bearer token": (BearerAuth(SECRET), (SECRET,)),
    "a key in a header": (ApiKeyAuth(SECRET, header="X-Key"), (SECRET,)),
    "a key in the query": (ApiKeyAuth(KEY, query="key"), (KEY,)),
    "a key that is encoded in the query": (ApiKeyAuth(SECRET, query="key"), (SECRET,)),
    "user and password": (BasicAuth(KEY, SECRET), (KEY, SECRET)),
    "signed": (SignedAuth(lambda _: f"Signed {SECRET}"), (SECRET,)),
    "signed, and no header can hold it": (SignedAuth(lambda _: f"{SECRET}\n"), (SECRET,)),
    "issued": (
        ClientCredentialsAuth("/token", KEY, lambda: SECRET, in_body=True),
        (KEY, SECRET, ACCESS),
    ),
    "a function": (signed, (KEY, SECRET)),
}


@pytest.mark.parametrize("name", AUTHS)
def test_credentials_that_a_provider_repeats_are_hidden(mode, name, caplog):
    caplog.set_level(logging.DEBUG)
    auth, secrets = AUTHS[name]
    events = []
    words = ", ".join(secrets)
    body = {"error": {"message": words, "code": secrets[0], "details": {words: [words]}}}
    headers = {"X-Request-Id": secrets[0], "Location": f"https://{words}"}
    for status in (200, 302, 400, 401, 500):
        answer = httpx.Response(status, headers=headers, json=body)
        script = Script(answer, token={**TOKEN, "access_token": ACCESS})
        with pytest.raises(VictorError) as raised:
            Caller(mode, script, auth=auth, on_event=events.append).call(
                "payments.get_payment", "pay_1"
            )
        assert_hidden(raised.value, secrets)
        shown = f"{raised.value.request_id}{raised.value.response_info!r}{events!r}{caplog.text}"
        assert found_in(shown, secrets) == []


def test_a_wait_that_ends_in_vain_masks_credentials_in_what_the_record_says(mode):
    record = {"victor_payment_request_id": "b34783af0", "status": "declined"}
    answer = httpx.Response(200, json={**record, "error_message": f"no {ACCESS}"})
    script = Script(answer, token={**TOKEN, "access_token": ACCESS})

    def wait(client):
        return client.payment_requests.wait("b34783af0", until="accepted", timeout=0)

    with pytest.raises(VictorError, match=r"\(no \[secret\]\)"):
        called("victor", mode, wait, script)


def test_credentials_in_the_request_id_of_a_good_response_are_masked_in_an_error(mode):
    """The error is about the page, which has no items."""
    page = httpx.Response(200, headers={"X-Request-Id": SECRET}, json={"data": "pay_1"})
    with pytest.raises(VictorError, match="has no list") as raised:
        Caller(mode, lambda _: page, auth=BearerAuth(SECRET)).read(
            operation("payments.list_payments"), OffsetPages(items="data", undeclared=("offset",))
        )
    assert raised.value.request_id == "[secret]"


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
