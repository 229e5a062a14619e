"""A provider that takes its key on some operations: on the others no key makes a repeat safe,
whoever gives it.

It does the work of each request, loses the first answer of each path, and knows a key again only
where its document declares one.
"""

import importlib
import json
import re
from collections import Counter
from http.cookies import SimpleCookie
from string import Template

import httpx
import pytest
import sqlalchemy as sa

from tests.providers.connected.till import Caller, client_class, generated, operation, send
from victor_ext import (
    ApiClient,
    AsyncApiClient,
    BodyKey,
    ConfigurationError,
    HeaderKey,
    InvalidRequest,
    OperationRow,
    VictorError,
)
from victor_ext.cli import main
from victor_ext.outbox import Outbox
from victor_ext.providers._connected.declared_keys import declared_place

pytestmark = pytest.mark.slow
KEY = "invoice-1042"
DOCUMENT = Template("""
openapi: 3.1.0
info: {title: Some, version: '1'}
paths:
  /payments:
    post:
      operationId: pay
      parameters: [$taking]
      requestBody: {content: {application/json: {schema: {type: object, properties: $members}}}}
      responses: &done
        '200':
          description: ''
          content: {application/json: {schema: {properties: {id: &text {type: string}}}}}
  /payouts:
    post:
      operationId: pay_out
      parameters: [$others]
      requestBody: &other
        content: {application/json: {schema: {type: object, properties: $rest}}}
      responses: *done
  /payouts/{id}:
    parameters: [{name: id, in: path, required: true, schema: *text}]
    put:
      operationId: edit
      parameters: [$taking]
      requestBody: {content: {application/json: {schema: {type: object, properties: $members}}}}
      responses: *done
    patch: {operationId: note, parameters: [$others], requestBody: *other, responses: *done}
""")
"""Two of its operations may take the key, as a parameter or as a member of the body."""
TRACED = """{
  name: X-Request-ID, in: header, schema: {type: string},
  description: 'An id of the request, to trace requests through the logs.',
}"""
REPEATABLE = """{
  name: X-Idempotent-Request-ID, in: header, schema: {type: string},
}"""
COOKIE = """{
  name: idempotentKey, in: cookie, schema: {type: string},
}"""
PUBLIC_KEY = """{
  clientPublicKey: {type: string, description: 'The public key, returned on the signed retry.'},
}"""
KEYS = {
    "header": {"taking": "{name: idempotency-KEY, in: header, schema: {type: string}}"},
    "both": {
        "taking": f"{{name: Idempotency-Key, in: header, schema: {{type: string}}}}, {TRACED}",
        "others": TRACED,
    },
    "paypal": {"taking": "{name: PayPal-Request-Id, in: header, schema: {type: string}}"},
    "trace": {"taking": TRACED},
    "some": {"taking": REPEATABLE, "others": TRACED},
    "query": {"taking": "{name: idempotency_key, in: query, schema: {type: string}}"},
    "cookie": {"taking": COOKIE},
    "body": {"members": "{request_id: {type: string}}"},
    "member": {"members": "{idempotency_key: {type: string}}"},
    "nested": {
        "members": "{meta: {type: object, properties: {idempotency_key: {type: string}}}}",
        "rest": "{meta: {type: object, properties: {other: {type: string}}}}",
    },
    "public": {"members": PUBLIC_KEY},
    "nowhere": {},
}
"""The parameter or member that is, or is not, the key in each document. The header is declared in
another letter case than it is sent in.
"""
SAID = {
    "header": "HeaderKey('idempotency-KEY')",
    "both": "HeaderKey('Idempotency-Key')",
    "some": "HeaderKey('X-Idempotent-Request-ID')",
    "paypal": "HeaderKey('PayPal-Request-Id')",
    "member": "BodyKey('idempotency_key')",
    "nested": "BodyKey('meta.idempotency_key')",
    "query": "'idempotency_key' in the query",
    "cookie": "'idempotentKey' in the cookie",
}
"""What each document says; another one says nothing."""
TAKING = ("POST /api/payments", "PUT /api/payouts/7")
URL = "https://some.example/api"


@pytest.fixture(scope="module", autouse=True)
def _packages(tmp_path_factory):
    """A package of each document."""
    folder = tmp_path_factory.mktemp("some")
    other = "{other: {type: string}}"
    usual = {"taking": "", "others": "", "members": other, "rest": other}
    for name, parts in KEYS.items():
        file = folder / f"some_{name}.yaml"
        file.write_text(DOCUMENT.substitute(usual | parts))
        assert generated(file) == package(name)


def package(document):
    return f"some_{document}_api"


def connected(document, key=None, **options):
    return ApiClient(client_class(package(document)), base_url=URL, key=key, **options)


def function(document, name):
    return operation(f"default.{name}", package(document))


def key_of(request, body):
    """The key, in whichever place it is sent; None: in none."""
    cookies = SimpleCookie(request.headers.get("cookie", ""))
    sent = {**request.headers, **request.url.params, **body}
    sent |= {name: cookie.value for name, cookie in cookies.items()}
    names = ("idempotency-key", "idempotency_key", "idempotentKey", "request_id")
    return next((sent[name] for name in names if name in sent), None)


class Provider:
    def __init__(self):
        self.received, self.done, self.keys = Counter(), Counter(), set()

    def __call__(self, request):
        place, body = f"{request.method} {request.url.path}", json.loads(request.content or b"{}")
        key = key_of(request, body)
        self.done[place] += not (key in self.keys and place in TAKING)
        self.received[place] += 1
        self.keys |= {key} - {None}
        if self.received[place] == 1:
            raise httpx.ReadError("lost")
        return httpx.Response(200, json={"id": "p1"})


def by_function(name, *ids, given="", **members):
    """A call of a generated operation; its key is `given` by `with_key`, or as a header of all
    calls.
    """

    def use(client, document):
        models = importlib.import_module(f"{package(document)}.models")
        body = getattr(models, f"{name.title().replace('_', '')}Body").from_dict(members)
        api = client.with_key(KEY) if given == "with_key" else client.api
        api = api.with_headers({"idempotency-key": KEY}) if given == "header" else api
        return send(client, f"default.{name}", *ids, package=package(document), api=api, body=body)

    return use


def by_hand(method, path, **options):
    return lambda client, _: client.http.request(method, path, **{"json": {}, **options})


MINE = {"headers": {"Idempotency-Key": KEY}}
HEADER, BODY = HeaderKey(), BodyKey("request_id")
IN_QUERY = {"params": {"idempotency_key": KEY}}
IN_COOKIE = {"headers": {"Cookie": f"idempotentKey={KEY}"}}
SOME = HeaderKey("X-Idempotent-Request-ID")
WIDE = {"PUT /payouts/{id}": OperationRow(takes_key=True)}
REPEATED = [
    ("header", HEADER, by_function("pay")),
    ("header", HEADER, by_function("pay", given="with_key")),
    ("header", HEADER, by_hand("PUT", "/payouts/7")),
    ("nowhere", HEADER, by_function("pay")),
    ("nowhere", HEADER, by_hand("POST", "/payments")),
    ("public", HEADER, by_function("pay", clientPublicKey=KEY)),
    ("nowhere", HEADER, by_function("edit", "7", given="with_key")),
    ("body", BODY, by_function("pay", request_id=KEY)),
    ("nowhere", BODY, by_function("pay", request_id=KEY)),
]
ONCE = [
    *(
        ("header", HEADER, by_function("pay_out", given=given))
        for given in ("", "with_key", "header")
    ),
    ("header", HEADER, by_hand("PATCH", "/payouts/7", **MINE)),
    ("header", HEADER, by_hand("POST", "/payments/7", **MINE)),
    ("some", SOME, by_hand("POST", "/payouts", headers={"X-Idempotent-Request-ID": KEY})),
    ("trace", None, by_function("pay")),
    ("nowhere", None, by_function("pay")),
    ("nowhere", HEADER, by_function("edit", "7")),
    ("public", None, by_function("pay", clientPublicKey=KEY)),
    ("body", BODY, by_function("pay")),
    ("body", BODY, by_hand("POST", "/payouts", json={"request_id": KEY})),
    ("query", None, by_hand("POST", "/payments", **IN_QUERY)),
    ("cookie", None, by_hand("POST", "/payments", **IN_COOKIE)),
]


TRACING = {**WIDE, "POST /payments": OperationRow(takes_key=False)}
"""Of the writes that take the key of the document `both`."""
BY_ROWS = [
    ("header", HEADER, by_function("pay"), 2, WIDE),
    ("header", HEADER, by_function("pay_out", given="with_key"), 1, WIDE),
    ("nowhere", HEADER, by_function("edit", "7"), 2, WIDE),
    ("nowhere", HEADER, by_function("pay", given="with_key"), 1, WIDE),
    ("both", HeaderKey("X-Request-ID"), by_function("pay"), 1, TRACING),
    ("both", HeaderKey("X-Request-ID"), by_function("pay_out"), 1, TRACING),
]


@pytest.mark.parametrize(
    ("document", "key", "use", "sent", "rows"),
    [(*case, 2, {}) for case in REPEATED] + [(*case, 1, {}) for case in ONCE] + BY_ROWS,
)
def test_no_write_is_done_twice_after_a_lost_response_wherever_the_key_is_declared(
    mode, document, key, use, sent, rows
):
    provider, error = Provider(), None
    caller = Caller(mode, provider, package(document), base_url=URL, key=key, rows=rows)
    try:
        caller.run(lambda client: use(client, document))
    except VictorError as raised:
        error = (raised.outcome.value, raised.idempotency_key, raised.attempts)
    assert error == (None if sent == 2 else ("unknown", None, 1))
    assert ([*provider.received.values()], [*provider.done.values()]) == ([sent], [1])


def test_a_declared_header_that_the_document_does_not_call_a_key_makes_no_repeat(mode):
    rows = {"POST /payments": False, "PUT /payouts/{}": True}
    rows = {name: OperationRow(takes_key=takes) for name, takes in rows.items()}
    options = {"base_url": URL, "key": HeaderKey("X-Request-ID"), "rows": rows}
    provider = Provider()
    caller = Caller(mode, provider, package("both"), **options)
    with pytest.raises(VictorError):
        caller.run(lambda client: by_function("pay_out")(client, "both"))
    assert [*provider.received.values()] == [1]


@pytest.mark.parametrize("connecting", [ApiClient, AsyncApiClient])
@pytest.mark.parametrize(
    "key",
    [
        HeaderKey("X-Key"),
        HeaderKey("X-Request-ID"),
        HeaderKey("Idempotency_Key"),
        BodyKey("idempotentKey"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("document", SAID)
def test_another_key_than_the_declared_one_is_refused(connecting, key, document):
    """A provider ignores it, and does a repeat again."""
    instead = "Leave key out" if " in the " in SAID[document] else "Write that"
    words = f"that {key!r} is a key; it says so of {SAID[document]}. {instead}, or"
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        connecting(client_class(package(document)), base_url=URL, key=key)


@pytest.mark.parametrize("document", ["trace", "public", "nowhere"])
def test_an_undeclared_key_is_accepted_with_a_warning_unless_a_row_vouches_for_it(document, caplog):
    """Where the document says of nothing that it is a key, nothing is advised: it is warned of."""
    connected(document, HeaderKey("X-Key"))
    assert [each.getMessage()[:14] for each in caplog.records] == ["undeclared-key"]
    rows = {"POST /payments": OperationRow(takes_key=True)}
    connected(document, HeaderKey("X-Key"), rows=rows)
    assert len(caplog.records) == 1


@pytest.mark.parametrize("document", [*SAID, "trace", "public", "nowhere"])
def test_the_operations_command_connect_and_the_outbox_name_the_same_declared_key(document, capsys):
    """The package, `connect`, `victor operations` and the outbox ask one place."""
    said = SAID.get(document)
    assert main(["operations", package(document), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    by_name = {each["function"]: each["key"] for each in shown["operations"]}
    assert (shown["key"], by_name["pay"], by_name["pay_out"]) == (said, said, None)
    operations = importlib.import_module(f"{package(document)}.operations").OPERATIONS
    place = declared_place(operations, HeaderKey("Another-Key"))
    assert getattr(place, "name", None) == (said and said.split("'")[1])
    engine, pay = sa.create_engine("sqlite://"), function(document, "pay")
    with pytest.raises(InvalidRequest) as refused, engine.begin() as connection:
        Outbox(engine, connected(document)).add_call(connection, pay, body={}, idempotency_key=KEY)
    engine.dispose()
    is_sent = said is not None and " in the " not in said
    assert (f"pass key={said} to connect" in str(refused.value)) is is_sent
