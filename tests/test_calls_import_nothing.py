"""Making a client loads all that its calls need. A call imports nothing: no lock of Python's import
system is taken.

A Ctrl-C or a fork within an import can leave such a lock taken for ever, in the process or in its
child.
"""

import json
from pathlib import Path

import pytest

from tests.programs import python
from tests.providers.connected.till import till_api
from tests.providers.systems import ADAPTERS, of_every_system

pytestmark = pytest.mark.slow

PROGRAM = """
import asyncio, http.client, inspect, json, sys, urllib.parse
from datetime import UTC, datetime, timedelta

system, auth, awaited, way, url, given = json.loads(sys.argv[1])
place = urllib.parse.urlsplit(url)


def forwarded(request):
    import httpx

    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=20)
    connection.request(
        request.method, request.url.raw_path.decode(), request.content, dict(request.headers)
    )
    response = connection.getresponse()
    headers = {
        name: value for name, value in response.getheaders() if name.lower() != "content-length"
    }
    return httpx.Response(
        response.status, headers=headers, content=b"\\xef\\xbb\\xbf" + response.read()
    )


def provoked(event):
    if type(event).__name__ == "RetryScheduled":
        raise LookupError("a listener that fails")


def signed(data):
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding

    key = serialization.load_pem_private_key(given[1].encode(), None)
    return key.sign(data, padding.PKCS1v15(), hashes.SHA512())


options = {"base_url": url, "on_event": provoked, "deadline": 20.0}
if way == "traced":
    import functools, httpx

    for kind, name in (
        (httpx.HTTPTransport, "handle_request"),
        (httpx.AsyncHTTPTransport, "handle_async_request"),
    ):
        setattr(kind, name, functools.partialmethod(getattr(kind, name)))
if way == "mock transport":
    import httpx

    http.client.HTTPConnection(place.hostname, place.port).request(
        "GET", "/"
    )  # loads what the handler needs
    forwarded(httpx.Request("GET", url))
    options["transport"] = httpx.MockTransport(forwarded)
if auth == "sign":
    signed(b"")

day = datetime.now(UTC).date()
since = datetime.now(UTC) - timedelta(minutes=5)
"""

VICTOR = """
from victor_ext import AsyncVictor, RetryPolicy, Victor, VictorError, VictorJwt, VictorOAuth

kinds, retry = (Victor, AsyncVictor), RetryPolicy(base=0.0)
credentials = (
    VictorOAuth(*given[:2])
    if auth == "oauth"
    else VictorJwt(given[0], given[1])
    if auth == "key"
    else VictorJwt(given[0], sign=signed)
)
client = kinds[awaited](credentials, retry=retry, **options)
all_of = client.payment_requests
calls = [
    lambda: all_of.get("no-such-request"),
    lambda: all_of.create(
        payee_account_number="043987673645",
        payer_counterparty_id="aHeq349838",
        amount="44.23",
        biller_type="BUSINESS",
        due_date=day,
        client_reference_id="INV-1",
        idempotency_key="k" * 20,
    ),
    lambda: all_of.create(
        payee_account_number="043987673645",
        payer_counterparty_id="aHeq349838",
        amount="44.23",
        biller_type="CONSUMER",
        due_date=day,
        extra_body={"purpose": "RENT"},
    ),
    lambda: all_of.list(
        status="pending", direction="outbound", network_type="RTP", start_datetime=since
    ),
    lambda: all_of.list(extra_query={"purpose": "RENT"}).pages(),
    lambda: all_of.find("INV-1", start_datetime=since),
    lambda: all_of.get(given[-1]),
    lambda: all_of.accept(given[-1], notes="Thanks.", modified_amount="1.00"),
    lambda: all_of.decline(given[-1], notes="Thanks."),
    lambda: all_of.wait(given[-1], timeout=0.0),
    lambda: all_of.watch(given[-1], timeout=0.0),
]
"""

VELO = """
from victor_ext import RetryPolicy, VictorError
from victor_ext.providers import Money
from victor_ext.providers.velo import AsyncVelo, PaymentInstruction, Velo, VeloAuth

client = (Velo, AsyncVelo)[awaited](VeloAuth(*given[:2]), retry=RetryPolicy(base=0.0), **options)
payor, payee = given[2:4]
paid = PaymentInstruction(
    remote_id=payee,
    amount=Money.of("44.23", "USD"),
    source_account_name="USD account",
    payor_payment_id="INV-1",
)
calls = [
    lambda: client.payouts.get("3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"),
    lambda: client.payouts.submit([paid]),
    lambda: client.payments.find("INV-1", payor_id=payor, since=since),
    lambda: client.payouts.list(payor),
    lambda: client.payouts.statistics(payor),
    lambda: client.payees.list(payor),
    lambda: client.payees.invitations(payor),
    lambda: client.source_accounts.list(),
    lambda: client.funding_accounts.list(payor_id=payor),
    lambda: client.fundings.list(payor),
    lambda: client.webhooks.list(payor),
    lambda: client.webhooks.create(
        payor, url="https://hooks.example.com/1", authorization_header="x" * 24
    ),
    lambda: client.payments.export(payor),
    lambda: client.payments.changes(payor, since=since),
    lambda: client.logout(),
]
"""

EASTPAY = """
from victor_ext import RetryPolicy, VictorError
from victor_ext.providers import Money
from victor_ext.providers.eastpay import AsyncEastPay, Card, EastPay

settings = {"entity_id": given[1], "inquiry_by_reference": True, "retry": RetryPolicy(base=0.0)}
client = (EastPay, AsyncEastPay)[awaited](
    given[0], **settings, **{**options, "base_url": f"{url}/eastpay"}
)
card, amount = (
    Card("4111111111111111", expiry_month=12, expiry_year=2030, cvv="123"),
    Money.of("92.00", "EGP"),
)
calls = [
    lambda: client.payments.inquire("no-such-payment"),
    lambda: client.payments.debit(amount, card=card, merchant_transaction_id="INV-1"),
    lambda: client.payments.find("INV-1"),
    lambda: client.payments.inquire(given[-1]),
    lambda: client.payments.refund(given[-1], amount, merchant_transaction_id="INV-2"),
    lambda: client.payments.wait(given[-1], timeout=0.0),
    lambda: client.checkouts.prepare(amount),
    lambda: client.checkouts.status("no-such-checkout"),
]
"""

FLEXFACTOR = """
from victor_ext import RetryPolicy, VictorError
from victor_ext.providers import Money
from victor_ext.providers.flexfactor import (
    AsyncFlexFactor,
    Card,
    FlexFactor,
    FlexFactorAuth,
    Payer,
    Transaction,
)

kind = (FlexFactor, AsyncFlexFactor)[awaited]
client = kind(FlexFactorAuth(*given[:2]), mid=given[2], retry=RetryPolicy(base=0.0), **options)
order, amount = given[3], Money.of("44.23", "USD")
calls = [
    lambda: client.orders.get("3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"),
    lambda: client.evaluate(
        order_id="INV-1",
        amount=amount,
        transaction=Transaction(id="t", occurred_at=since),
        payer=Payer(email="ada@example.com"),
        card=Card(token="tok_4242"),
    ),
    lambda: client.orders.get(order),
    lambda: client.orders.list(status="captured"),
    lambda: client.orders.refund(order, amount),
    lambda: client.orders.cancel(order),
    lambda: client.orders.external_cancel("INV-1"),
    lambda: client.orders.wait(order, until="captured", timeout=0.0),
]
"""

CONNECTED = """
sys.path.insert(0, given[0])
from till_api.api.payments import get_payment, list_payments, take_payment
from till_api.client import Client
from till_api.models import NewPayment
from victor_ext import *

credentials = {
    "oauth": ClientCredentialsAuth("/oauth/token", *given[1:3], scope="payments"),
    "bearer": BearerAuth(given[-1]),
    "basic": BasicAuth("a", "b"),
    "api key": ApiKeyAuth("k"),
    "signed": SignedAuth(lambda request: None),
}
connected = connect_async if awaited else connect
client = connected(
    Client, auth=credentials[auth], key=HeaderKey(), retry=RetryPolicy(base=0.0), **options
)
run = lambda module, *args, **named: (module.asyncio if awaited else module.sync)(
    *args, client=client.api, **named
)
calls = [
    lambda: run(get_payment, "no-such-payment"),
    lambda: run(take_payment, body=NewPayment.from_dict({"currency": "EUR", "amount": 4423})),
    lambda: run(get_payment, "pay_known"),
    lambda: client.paged(
        list_payments,
        CursorPages("starting_after", last="id", more="has_more", items="data"),
    ),
]
"""

CALLING = """
before, failures, done = set(sys.modules), [], 0

async def outcome_of(started):
    if inspect.isawaitable(started):
        return await started
    return [each async for each in started] if hasattr(started, "__aiter__") else started

async def call_all():
    global done
    for call in [*calls, *([client.ping] if hasattr(client, "ping") else [])]:
        try:
            started = call()
            if awaited:
                await outcome_of(started)
            elif hasattr(started, "__iter__") and not isinstance(started, (str, list)):
                list(started)
            done += 1
        except VictorError as error:
            failures.append(f"{type(error).__name__}: {error}")
    closed = client.close()
    if awaited:
        await closed

if awaited:
    asyncio.run(call_all())
else:
    try:
        call_all().send(None)
    except StopIteration:
        pass
print(json.dumps([sorted(set(sys.modules) - before), done, failures]))
"""

WAYS = of_every_system(
    __name__,
    {
        "victor": (VICTOR, ["oauth", "key", "sign"]),
        "velo": (VELO, ["oauth"]),
        "eastpay": (EASTPAY, ["token"]),
        "flexfactor": (FLEXFACTOR, ["oauth"]),
        "connected": (CONNECTED, ["oauth", "bearer", "basic", "api key", "signed"]),
    },
)
"""How a client of a system is made and called, and the ways of authentication."""


def given_for(system, auth, sandbox, key_pair):
    """The credentials, and what the calls are about."""
    if system == "velo":
        return [*sandbox.add_key(), sandbox.payor_id, "payee-7"]
    if system == "eastpay":
        adapter = ADAPTERS[system]
        with adapter.client(sandbox, awaited=False) as eastpay:
            payment = adapter.pay(eastpay, "known")
        return [adapter.TOKEN, adapter.ENTITY, payment.id]
    if system == "flexfactor":
        sandbox.add_order("known", provider_id=ADAPTERS[system].ORDER)
        sandbox.add_card(token="tok_4242")
        return [*sandbox.add_client(), ADAPTERS[system].ORDER]
    if system == "connected":
        sandbox.add_payment("pay_known")
        folder = str(Path(str(till_api().__file__)).parents[1])
        return [folder, *sandbox.add_client(), sandbox.issue_token()]
    inbound = str(sandbox.create_inbound())
    if auth == "oauth":
        return [*sandbox.add_oauth_client(), inbound]
    private, public = key_pair
    return [sandbox.add_api_key(public), private, inbound]


ALL = [
    (system, auth, way)
    for system, (_, auths) in WAYS.items()
    for auth in auths
    for way in ("own", "mock transport")
]


def case(system, auth, way, awaited):
    """`make test` has each system once, and the workflow each way of authentication, both modes and
    each other transport.
    """
    is_first = auth == WAYS[system][1][0] and way == "own" and awaited
    marks = [] if is_first else [pytest.mark.pull_request]
    return pytest.param(
        system, auth, way, awaited, id=f"{system}-{auth}-{way}-{awaited=}", marks=marks
    )


@pytest.mark.parametrize(
    ("system", "auth", "way", "awaited"),
    [
        case(*each, awaited)
        for each in [
            *ALL,
            ("victor", "oauth", "traced"),
        ]
        for awaited in (False, True)
    ],
)
def test_a_call_imports_nothing(system, auth, way, awaited, victor_key_pair):
    with ADAPTERS[system].sandbox() as sandbox:
        given = given_for(system, auth, sandbox, victor_key_pair)
        # is repeated, and told to a listener
        sandbox.inject("status", status=503, body="<html>Busy</html>", skip=1)
        url = sandbox.url.replace("127.0.0.1", "localhost")
        asked = json.dumps([system, auth, awaited, way, url, given])
        ran = python("-c", PROGRAM + WAYS[system][0] + CALLING, asked)
    assert ran.returncode == 0, ran.stderr
    loaded, done, failures = json.loads(ran.stdout)
    assert loaded == [], failures
    assert done > 1 or auth in ("basic", "api key", "signed"), failures
    assert failures, "not even the object that does not exist?"


ODD = """
import json, sys
from datetime import date
import httpx
from victor_ext import RetryPolicy, Victor, VictorError, VictorOAuth

BODIES = [
    "{}", "[]", "7", "null", "<html>", '{"error": "no"}', '{"status": 7, "error": {"code": 1}}',
    '{"direction": "OUTBOUND"}', '{"payment_request": {}}', '{"payment_request": {"payer": null}}',
    '{"results": [7, null, {}, {"payment_request": {"payee": []}}]}', '{"page": 1}', '{"victor',
    '{"victor_payment_request_id": "r1", "status": "Pending", "payment_request": {'
    '"payment_request_response": {"status": "ACCEPTED", "modified_amount": 7}}}',
]
STATUSES = [200, 201, 202, 400, 404, 409, 500]
answer = None

def answered(request):
    if "token" in request.url.path:
        return httpx.Response(200, json={"access_token": "t", "expires": 32503680000000})
    status, body = answer
    return httpx.Response(status, content=body, headers={"content-type": "application/json"})

answer = 200, "{}"
answered(httpx.Request("GET", "https://pay.example/token"))
victor = Victor(
    VictorOAuth("a", "b"),
    base_url="https://pay.example",
    transport=httpx.MockTransport(answered),
    retry=RetryPolicy(max_attempts=1),
)
requests = victor.payment_requests
payment = {
    "payee_account_number": "043987673645",
    "payer_counterparty_id": "aHeq349838",
    "amount": "44.23",
    "biller_type": "BUSINESS",
    "due_date": date.today(),
}
calls = [
    lambda: repr(requests.get("r1")),
    lambda: requests.create(**payment).to_dict(),
    lambda: with_extras.payment_requests.create(**payment),
    lambda: [each.to_dict() for each in requests.list()],
    lambda: requests.accept("r1", notes="Thanks.").response,
    lambda: requests.wait("r1", timeout=0.0),
]
with_extras = victor.with_options(extra_body={"purpose": "RENT"})
before, ended = set(sys.modules), 0
for status in STATUSES:
    for body in BODIES:
        answer = status, body
        for call in calls:
            try:
                call()
            except VictorError:
                ended += 1
print(json.dumps([ended, sorted(set(sys.modules) - before)]))
"""


def test_an_odd_answer_imports_nothing():
    ran = python("-c", ODD)
    assert ran.returncode == 0, ran.stderr
    ended, loaded = json.loads(ran.stdout)
    assert ended > 400
    assert loaded == []
