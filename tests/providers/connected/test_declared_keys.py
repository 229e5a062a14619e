"""A provider that takes its key on some operations: on the others no key makes a repeat safe,
whoever gives it.

It does the work of each request, loses the first answer of each path, and knows a key again only
where its document declares one.
"""

import importlib
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
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
from victor_ext.providers.connected.declared_keys import declared_place, key_place
from victor_ext.providers.connected.operations import rows_of
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
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
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
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


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

    def answer(self, package: str, key: Any, use: Use, mode: str = "blocking") -> None:
        """Answer the call of a client of this package, with this key."""
        client, kind = (
            importlib.import_module(f"{package}.client").Client,
            (ApiClient, AsyncApiClient),
        )
        options = {
            "base_url": URL,
            "retry": QUICK,
            "transport": httpx.MockTransport(self),
            "key": key,
        }
        run(kind[MODES.index(mode)], lambda made: use(made, package), client, **options)


def generated(name: str, *ids: str, given: str = "", **members: str) -> Use:
    """A call of a generated operation; its key is `given` by `with_key`, or as a header of all
    calls.
    """

    def use(client: Any, package: str) -> Any:
        module = importlib.import_module(f"{package}.api.default.{name}")
        kind = getattr(
            importlib.import_module(f"{package}.models"), f"{name.title().replace('_', '')}Body"
        )
        api = client.with_key(KEY) if given == "with_key" else client.api
        api = api.with_headers({"idempotency-key": KEY}) if given == "header" else api
        function = (
            module.asyncio_detailed if isinstance(client, AsyncApiClient) else module.sync_detailed
        )
        return function(*ids, client=api, body=kind.from_dict(members))

    return use


def by_hand(method: str, path: str, **options: Any) -> Use:
    def use(client: Any, _package: str) -> Any:
        api, is_awaited = client.api, isinstance(client, AsyncApiClient)
        http = api.get_async_httpx_client() if is_awaited else api.get_httpx_client()
        return http.request(method, path, **{"json": {}, **options})

    return use


MINE = {"headers": {"Idempotency-Key": KEY}}
HEADER, BODY = HeaderKey(), BodyKey("request_id")
SOME = HeaderKey("X-Request-ID")
WIDE = HeaderKey(takes_key=lambda request: request.method == "PUT")
REPEATED: list[tuple[str, Any, Use]] = [
    ("header", HEADER, generated("pay")),
    ("header", HEADER, generated("pay", given="with_key")),
    ("header", HEADER, generated("edit", "7")),
    ("header", WIDE, generated("pay")),
    ("header", HEADER, by_hand("POST", "/payments")),
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
    ("header", HEADER, generated("note", "7", given="with_key")),
    ("header", HeaderKey(ignores_key=lambda _: True), generated("pay")),
    ("header", HEADER, by_hand("POST", "/payouts", **MINE)),
    ("header", HEADER, by_hand("PATCH", "/payouts/7", **MINE)),
    ("header", HEADER, by_hand("POST", "/payments/7", **MINE)),
    ("some", SOME, generated("pay_out")),
    ("some", SOME, by_hand("POST", "/payouts", headers={"X-Request-ID": KEY})),
    ("both", HeaderKey("X-Request-ID", takes_key=lambda _: False), generated("pay")),
    ("nowhere", HEADER, generated("edit", "7")),
    ("nowhere", WIDE, generated("pay")),
    ("nowhere", WIDE, generated("pay", given="with_key")),
    ("body", BODY, generated("pay")),
    ("body", BODY, generated("pay_out", request_id=KEY)),
    ("body", BODY, by_hand("POST", "/payouts", json={"request_id": KEY})),
]


@pytest.mark.parametrize(
    ("declared", "key", "use", "sent"),
    [(*case, 2) for case in REPEATED] + [(*case, 1) for case in ONCE],
)
def test_nothing_is_done_twice(mode: str, declared: str, key: Any, use: Use, sent: int) -> None:
    provider, error = Provider(), None
    try:
        provider.answer(f"some_{declared}_api", key, use, mode)
    except VictorError as raised:
        error = raised
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
    client: Any = importlib.import_module("some_nowhere_api.client").Client
    module: Any = importlib.import_module(f"some_nowhere_api.api.default.{function}")
    ids = ["7"] * (function == "edit")
    call = ApiClient(client, base_url=URL, key=key).prepare(
        module, *ids, body={}, idempotency_key=KEY
    )
    assert (call.promise is Promise.KEYED, call.idempotency_key) == (
        is_keyed,
        KEY if is_keyed else None,
    )
    assert ("idempotency-key" in call.headers) is is_keyed


@pytest.mark.parametrize("declared", ["header", "body", "nowhere"])
@pytest.mark.parametrize("name", [None, "request_id", "Idempotency-Key"])
def test_the_printed_table_says_what_is_repeated(declared: str, name: str | None) -> None:
    package = f"some_{declared}_api"
    document = importlib.import_module(f"{package}.operations").OPERATIONS
    place = key_place(document, name)
    given = "with_key" if isinstance(place, HeaderKey) else ""
    for row in rows_of(document, place):
        provider, ids = Provider(), ["7"] * row.operation.endswith("{}")
        with suppress(VictorError):
            provider.answer(
                package, place, generated(row.function, *ids, given=given, request_id=KEY)
            )
        assert (max(provider.received.values(), default=0) > 1) is row.repeated


def test_who_names_a_write_that_takes_the_key_says_that_no_other_does() -> None:
    """Where the document declares the key nowhere, each POST would take it else."""
    client: Any = importlib.import_module("some_nowhere_api.client").Client
    pay = importlib.import_module("some_nowhere_api.api.default.pay")
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
    client: Any = importlib.import_module(f"some_{declared}_api.client").Client
    if declared not in SAID or key.takes_key:
        connecting(client, base_url=URL, key=key)
        assert [each.getMessage()[:15] for each in caplog.records] == ["undeclared-key:"] * (
            key.takes_key is None
        )
    else:
        it = SAID[declared]
        with pytest.raises(
            ConfigurationError,
            match=re.escape(f"declares {key!r}; it declares {it}. Write that, or"),
        ):
            connecting(client, base_url=URL, key=key)


def test_a_tracing_header_is_refused_where_the_document_has_a_key() -> None:
    client: Any = importlib.import_module("some_both_api.client").Client
    words = (
        "the document does not say that HeaderKey('X-Request-ID') is a key; it says so of "
        "HeaderKey('Idempotency-Key'). Write that"
    )
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        ApiClient(client, base_url=URL, key=HeaderKey("X-Request-ID"))


def test_a_tracing_header_is_a_key_only_if_the_caller_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client: Any = importlib.import_module("some_trace_api.client").Client
    ApiClient(client, base_url=URL, key=HeaderKey("X-Request-ID"))
    (warning,) = caplog.records
    assert "does not say that it is a key" in warning.getMessage()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("declared", ["trace", "nowhere"])
def test_what_the_document_does_not_call_a_key_makes_no_repeat(mode: str, declared: str) -> None:
    provider = Provider()
    with suppress(VictorError):
        provider.answer(f"some_{declared}_api", None, generated("pay"), mode)
    assert ([*provider.received.values()], [*provider.done.values()]) == ([1], [1])


@pytest.mark.parametrize("declared", [*SAID, "trace", "nowhere"])
def test_the_command_and_the_client_name_the_same_key(
    declared: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The package, `connect`, `victor operations` and the outbox ask one place."""
    document = importlib.import_module(f"some_{declared}_api.operations").OPERATIONS
    assert main(["operations", f"some_{declared}_api", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    by_name = {each["function"]: each["key"] for each in shown["operations"]}
    said = SAID.get(declared)
    assert (shown["key"], by_name["pay"], by_name["pay_out"]) == (said, said, None)
    place = declared_place(document, HeaderKey("Another-Key"))
    assert getattr(place, "name", None) == (None if said is None else said.split("'")[1])
    client: Any = importlib.import_module(f"some_{declared}_api.client").Client
    module: Any = importlib.import_module(f"some_{declared}_api.api.default.pay")
    engine = sa.create_engine("sqlite://")
    outbox = Outbox(engine, ApiClient(client, base_url=URL))
    with pytest.raises(InvalidRequest) as refused, engine.begin() as connection:
        outbox.add_call(connection, module, body={}, idempotency_key=KEY)
    assert (f"pass key={said} to connect" in str(refused.value)) is (said is not None)


@pytest.mark.parametrize("name", ["takes_key", "ignores_key"])
def test_a_read_is_not_asked_whether_it_takes_a_key(name: str) -> None:
    """These functions look at writes: one that reads the body would break each read."""
    client: Any = importlib.import_module("some_header_api.client").Client
    key: Any = HeaderKey(**{name: lambda request: json.loads(request.content)["kind"] == "payout"})
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={}))
    with ApiClient(client, base_url=URL, key=key, transport=transport) as api:
        assert api.api.get_httpx_client().get("/payments/7").status_code == 200
