"""A provider that takes its key on some operations: on the others no key makes a repeat safe,
whoever gives it.

It does the work of each request, loses the first answer of each path, and knows a key again only
where its document declares one.
"""

import importlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from tests.providers.running import MODES, QUICK, run
from victor_ext import (
    ApiClient,
    AsyncApiClient,
    BodyKey,
    ConfigurationError,
    HeaderKey,
    InvalidRequest,
    OperationRow,
    Promise,
    VictorError,
)
from victor_ext.cli import main
from victor_ext.outbox import Outbox
from victor_ext.providers.connected.declared_keys import declared_place
from victor_spec.generate import generate

pytestmark = pytest.mark.slow
KEY, TEXT = "invoice-1042", {"type": "string"}
DONE = {
    "200": {
        "description": "",
        "content": {"application/json": {"schema": {"properties": {"id": TEXT}}}},
    }
}
PATHS = {
    "/payments": {"post": "pay"},
    "/payouts": {"post": "pay_out"},
    "/payouts/{id}": {"put": "edit", "patch": "note"},
}
TRACE = "An id of the request, to trace requests through the logs."
TRACED = {"name": "X-Request-ID", "in": "header", "schema": TEXT, "description": TRACE}
"""On every operation of the document `both`."""
HEADERS = {
    "header": "idempotency-KEY",
    "both": "Idempotency-Key",
    "paypal": "PayPal-Request-Id",
    "trace": "X-Request-ID",
    "some": "X-Request-ID",
}
MEMBERS = {"body": "request_id", "member": "idempotency_key", "nested": "idempotency_key"}
OTHERS = {"query": "idempotency_key", "cookie": "requestKey"}
WORDS = {
    "trace": TRACE,
    "some": "A retry with the same id is not a second payment.",
    "cookie": "A request is done once, however often it is repeated with this.",
}
SAID = {
    "header": "HeaderKey('idempotency-KEY')",
    "both": "HeaderKey('Idempotency-Key')",
    "some": "HeaderKey('X-Request-ID')",
    "paypal": "HeaderKey('PayPal-Request-Id')",
    "member": "BodyKey('idempotency_key')",
    "nested": "BodyKey('meta.idempotency_key')",
    "query": "QueryKey('idempotency_key')",
    "cookie": "CookieKey('requestKey')",
}
"""What each document says; another one says nothing."""
TAKING = ("POST /api/payments", "PUT /api/payouts/7")
URL = "https://some.example/api"
Use = Callable[[Any, str], Any]
"""Makes a call with a client, and the name of its package."""


def operation(name: str, path: str, place: str) -> dict[str, Any]:
    """The header is declared in another letter case than it is sent in."""
    declares = name in ("pay", "edit")
    at = [{"name": "id", "in": "path", "required": True, "schema": TEXT}] if "{" in path else []
    members: dict[str, Any] = {MEMBERS.get(place, "other") if declares else "other": TEXT}
    if place == "nested":
        members = {"meta": {"type": "object", "properties": members}}
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": members}}}}
    parameters = [*at, *parameter(place)] if declares else at
    if place == "both" or (place == "some" and not declares):
        parameters = [*parameters, TRACED]
    return {"operationId": name, "parameters": parameters, "requestBody": body, "responses": DONE}


def parameter(place: str) -> list[dict[str, Any]]:
    """The parameter that is, or is not, the key; none for a member of the body."""
    name = (HEADERS | OTHERS).get(place)
    if name is None:
        return []
    kind = "header" if place in HEADERS else place
    return [{"name": name, "in": kind, "schema": TEXT, "description": WORDS.get(place, "")}]


@pytest.fixture(scope="module", autouse=True)
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Packages whose key is declared as a header, as a member of the body, or not at all."""
    folder = tmp_path_factory.mktemp("some")
    for place in (*HEADERS, *MEMBERS, *OTHERS, "nowhere"):
        paths = {
            path: {m: operation(n, path, place) for m, n in each.items()}
            for path, each in PATHS.items()
        }
        document = {"openapi": "3.1.0", "info": {"title": "Some", "version": "1"}, "paths": paths}
        (folder / f"some_{place}.json").write_text(json.dumps(document))
        assert generate(folder / f"some_{place}.json", folder).left_out == []
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield


def module(declared: str, name: str) -> Any:
    """A module of the package that declares its key there."""
    return importlib.import_module(f"some_{declared}_api.{name}")


class Provider:
    def __init__(self) -> None:
        self.received, self.done, self.keys = Counter[str](), Counter[str](), set[str | None]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        place, body = f"{request.method} {request.url.path}", json.loads(request.content or b"{}")
        key = request.headers.get("idempotency-key") or body.get("request_id")
        self.done[place] += not (key in self.keys and place in TAKING)
        self.received[place] += 1
        self.keys |= {key} - {None}
        if self.received[place] == 1:
            raise httpx.ReadError("lost")
        return httpx.Response(200, json={"id": "p1"})

    def answer(self, declared: str, key: Any, use: Use, mode: str) -> VictorError | None:
        """Answer the call of a client of this package, with this key; how it fails."""
        kind, transport = (ApiClient, AsyncApiClient)[MODES.index(mode)], httpx.MockTransport(self)
        settings: Any = {"base_url": URL, "retry": QUICK, "transport": transport, "key": key}
        try:
            run(
                kind,
                lambda made: use(made, declared),
                module(declared, "client").Client,
                **settings,
            )
        except VictorError as error:
            return error
        return None


def generated(name: str, *ids: str, given: str = "", **members: str) -> Use:
    """A call of a generated operation; its key is `given` by `with_key`, or as a header of all
    calls.
    """

    def use(client: Any, declared: str) -> Any:
        called = module(declared, f"api.default.{name}")
        kind = getattr(module(declared, "models"), f"{name.title().replace('_', '')}Body")
        api = client.with_key(KEY) if given == "with_key" else client.api
        api = api.with_headers({"idempotency-key": KEY}) if given == "header" else api
        function = called.asyncio_detailed if client.is_awaited else called.sync_detailed
        return function(*ids, client=api, body=kind.from_dict(members))

    return use


def by_hand(method: str, path: str, **options: Any) -> Use:
    return lambda client, _: client.http.request(method, path, **{"json": {}, **options})


MINE = {"headers": {"Idempotency-Key": KEY}}
HEADER, BODY = HeaderKey(), BodyKey("request_id")
SOME = HeaderKey("X-Request-ID")
WIDE = HeaderKey(takes_key=lambda request: request.method == "PUT")
REPEATED: list[tuple[str, Any, Use]] = [
    ("header", HEADER, generated("pay")),
    ("header", HEADER, generated("pay", given="with_key")),
    ("header", WIDE, generated("pay")),
    ("header", HEADER, by_hand("PUT", "/payouts/7")),
    ("nowhere", HEADER, generated("pay")),
    ("nowhere", HEADER, by_hand("POST", "/payments")),
    ("nowhere", HEADER, generated("edit", "7", given="with_key")),
    ("nowhere", WIDE, generated("edit", "7")),
    ("body", BODY, generated("pay", request_id=KEY)),
    ("nowhere", BODY, generated("pay", request_id=KEY)),
]
ONCE: list[tuple[str, Any, Use]] = [
    *(
        ("header", HEADER, generated("pay_out", given=given))
        for given in ("", "with_key", "header")
    ),
    ("header", WIDE, generated("pay_out", given="with_key")),
    ("header", HeaderKey(ignores_key=lambda _: True), generated("pay")),
    ("header", HEADER, by_hand("PATCH", "/payouts/7", **MINE)),
    ("header", HEADER, by_hand("POST", "/payments/7", **MINE)),
    ("some", SOME, by_hand("POST", "/payouts", headers={"X-Request-ID": KEY})),
    ("both", HeaderKey("X-Request-ID", takes_key=lambda _: False), generated("pay")),
    ("trace", None, generated("pay")),
    ("nowhere", None, generated("pay")),
    ("nowhere", HEADER, generated("edit", "7")),
    ("nowhere", WIDE, generated("pay", given="with_key")),
    ("body", BODY, generated("pay")),
    ("body", BODY, by_hand("POST", "/payouts", json={"request_id": KEY})),
]


@pytest.mark.parametrize(
    ("declared", "key", "use", "sent"),
    [(*case, 2) for case in REPEATED] + [(*case, 1) for case in ONCE],
)
def test_nothing_is_done_twice(mode: str, declared: str, key: Any, use: Use, sent: int) -> None:
    provider = Provider()
    error = provider.answer(declared, key, use, mode)
    assert ([*provider.received.values()], [*provider.done.values()]) == ([sent], [1])
    assert (error is None) is (sent == 2)
    if error is not None:
        assert (error.outcome.value, error.idempotency_key, error.attempts) == ("unknown", None, 1)


@pytest.mark.parametrize(
    ("key", "function", "is_keyed"),
    [(HEADER, "pay", True), (HEADER, "edit", False), (WIDE, "edit", True), (WIDE, "pay", False)],
)
def test_the_key_of_an_entry_is_sent_only_where_the_client_would_make_one(
    key: Any, function: str, is_keyed: bool
) -> None:
    client = ApiClient(module("nowhere", "client").Client, base_url=URL, key=key)
    called, ids = module("nowhere", f"api.default.{function}"), ["7"] * (function == "edit")
    call = client.prepare(called, *ids, body={}, idempotency_key=KEY)
    assert (call.promise is Promise.KEYED, call.idempotency_key == KEY) == (is_keyed, is_keyed)
    assert ("idempotency-key" in call.headers) is is_keyed


def test_who_names_a_write_that_takes_the_key_says_that_no_other_does() -> None:
    """Where the document declares the key nowhere, each POST would take it else."""
    client, pay = module("nowhere", "client").Client, module("nowhere", "api.default.pay")
    rows = {"POST /payouts": OperationRow(takes_key=True)}
    for options, promise in (({}, Promise.KEYED), ({"rows": rows}, Promise.AT_MOST_ONCE)):
        with ApiClient(client, base_url=URL, key=HEADER, **options) as made:
            assert made.prepare(pay, body={}).promise is promise


@pytest.mark.parametrize("connecting", [ApiClient, AsyncApiClient])
@pytest.mark.parametrize(
    "key",
    [
        HeaderKey("X-Key"),
        HeaderKey("Idempotency_Key"),
        BodyKey("requestKey"),
        HeaderKey(takes_key=lambda _: True),
    ],
    ids=repr,
)
@pytest.mark.parametrize("declared", [*SAID, "trace", "nowhere"])
def test_another_key_than_the_declared_one_is_refused(
    connecting: Any, key: Any, declared: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A provider ignores it, and does a repeat again.

    Where the document says of nothing that it is a key, nothing is advised: the log has a warning.
    """
    client = module(declared, "client").Client
    if declared in SAID and not key.takes_key:
        words = f"declares {key!r}; it declares {SAID[declared]}. Write that, or"
        with pytest.raises(ConfigurationError, match=re.escape(words)):
            connecting(client, base_url=URL, key=key)
        return
    connecting(client, base_url=URL, key=key)
    warnings = [each.getMessage()[:15] for each in caplog.records]
    assert warnings == ["undeclared-key:"] * (key.takes_key is None)


def test_a_tracing_header_is_refused_where_the_document_has_a_key() -> None:
    words = (
        "the document does not say that HeaderKey('X-Request-ID') is a key; it says so of "
        "HeaderKey('Idempotency-Key'). Write that"
    )
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        ApiClient(module("both", "client").Client, base_url=URL, key=HeaderKey("X-Request-ID"))


@pytest.mark.parametrize("declared", [*SAID, "trace", "nowhere"])
def test_the_command_and_the_client_name_the_same_key(
    declared: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The package, `connect`, `victor operations` and the outbox ask one place."""
    said = SAID.get(declared)
    assert main(["operations", f"some_{declared}_api", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    by_name = {each["function"]: each["key"] for each in shown["operations"]}
    assert (shown["key"], by_name["pay"], by_name["pay_out"]) == (said, said, None)
    place = declared_place(module(declared, "operations").OPERATIONS, HeaderKey("Another-Key"))
    assert getattr(place, "name", None) == (said and said.split("'")[1])
    engine = sa.create_engine("sqlite://")
    outbox = Outbox(engine, ApiClient(module(declared, "client").Client, base_url=URL))
    pay = module(declared, "api.default.pay")
    with pytest.raises(InvalidRequest) as refused, engine.begin() as connection:
        outbox.add_call(connection, pay, body={}, idempotency_key=KEY)
    assert (f"pass key={said} to connect" in str(refused.value)) is (said is not None)


@pytest.mark.parametrize("name", ["takes_key", "ignores_key"])
def test_a_read_is_not_asked_whether_it_takes_a_key(name: str) -> None:
    """These functions look at writes: one that reads the body would break each read."""
    key: Any = HeaderKey(**{name: lambda request: json.loads(request.content)["kind"] == "payout"})
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={}))
    client = module("header", "client").Client
    with ApiClient(client, base_url=URL, key=key, transport=transport) as api:
        assert api.http.get("/payments/7").status_code == 200
