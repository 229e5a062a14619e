"""`connect`: any generated package on the runtime."""

import base64
import importlib
import logging
from typing import Any, NamedTuple

import httpx
import pytest

from tests.cases import cases_beside
from tests.providers.connected.till import URL, Caller, client_class, new_payment
from tests.providers.connected.till_sandbox import TillSandbox
from tests.providers.running import TOKEN, Script
from victor_ext import (
    ApiKeyAuth,
    AuthenticationError,
    BadRequest,
    BasicAuth,
    BearerAuth,
    BodyKey,
    ClientCredentialsAuth,
    ConfigurationError,
    CookieKey,
    Event,
    HeaderKey,
    QueryKey,
    SignedAuth,
    StatusError,
    connect,
    connect_async,
)
from victor_ext.providers.connected.declared_keys import key_place

pytestmark = pytest.mark.slow
PAYMENT = {"id": "pay_1", "amount": 4423, "currency": "EUR", "status": "accepted"}
MARK = "marked-and-fake"


class Provider(Script):
    """Answers with each of these in its turn, or with a payment."""

    def __init__(self, *lines: Any, **options: Any) -> None:
        super().__init__(*(lines or (httpx.Response(200, json=PAYMENT),)), **options)


def own_api(client: Any) -> Any:
    """The generated client after each of its changes, which keep the servers."""
    return client.with_options(deadline=5).api.with_headers({"x-a": "b"})


CREATED = httpx.Response(201, json=PAYMENT)
BODY: dict[str, Any] = {"amount": 4423, "reference": "INV-1042"}


def basic(pair: str) -> str:
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


class TestCredentials:
    @pytest.mark.parametrize(
        ("auth", "header", "value"),
        [
            (BearerAuth(MARK), "authorization", f"Bearer {MARK}"),
            (BasicAuth("me", MARK), "authorization", basic(f"me:{MARK}")),
            (BasicAuth(MARK), "authorization", basic(f"{MARK}:")),
            (ApiKeyAuth(MARK), "x-api-key", MARK),
            (ApiKeyAuth(MARK, header="Authorization"), "authorization", MARK),
            (SignedAuth(lambda _now: f"Token {MARK}"), "authorization", f"Token {MARK}"),
            (SignedAuth(lambda _now: MARK, header="X-Signature"), "x-signature", MARK),
            (lambda request: request.headers.update({"x-own": MARK}), "x-own", MARK),
        ],
    )
    def test_each_sets_its_header(self, mode: str, auth: Any, header: str, value: str) -> None:
        provider = Provider()
        Caller(mode, provider, auth=auth).call("payments.get_payment", "pay_1")
        headers = provider.requests[0].headers
        assert headers[header] == value
        assert headers["accept"] == "application/json, */*;q=0.8", "whatever is declared"
        assert MARK not in repr(auth)

    def test_a_token_is_signed_for_each_attempt_by_the_providers_clock(self, mode: str) -> None:
        moments: list[float] = []

        def sign(now: float) -> str:
            moments.append(now)
            return f"Token {len(moments)}"

        date = {"date": "Wed, 04 Mar 2026 05:06:07 GMT"}
        provider = Provider(httpx.Response(503, headers=date), httpx.Response(200, json=PAYMENT))
        Caller(mode, provider, auth=SignedAuth(sign)).call("payments.get_payment", "pay_1")
        assert [each.headers["authorization"][-1] for each in provider.requests] == ["1", "2"]
        assert abs(moments[1] - 1_772_600_767) < 5

    def test_an_own_function_is_called_with_each_attempt(self, mode: str) -> None:
        signed: list[str] = []

        def sign(request: httpx.Request) -> None:
            signed.append(f"{request.method} {len(request.content)}")
            request.headers["x-count"] = str(len(signed))

        provider = Provider(httpx.Response(503), CREATED)
        caller = Caller(mode, provider, auth=sign, key=HeaderKey())
        caller.call("payments.take_payment", body=new_payment(**BODY))
        assert [request.headers["x-count"] for request in provider.requests] == ["1", "2"]
        assert len(set(signed)) == 1

    def test_an_own_function_that_raises_or_changes_the_address_sends_nothing(
        self, mode: str
    ) -> None:
        def unavailable(_request: httpx.Request) -> None:
            raise LookupError("no token in the vault")

        def elsewhere(request: httpx.Request) -> None:
            request.url = httpx.URL("https://elsewhere.example/")

        provider = Provider()
        with pytest.raises(LookupError, match="vault"):
            Caller(mode, provider, auth=unavailable).call("payments.get_payment", "pay_1")
        with pytest.raises(ConfigurationError, match="changed the address"):
            Caller(mode, provider, auth=elsewhere).call("payments.get_payment", "pay_1")
        assert provider.requests == []

    def test_a_key_in_the_query_is_on_the_wire_and_nowhere_else(
        self, mode: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        provider, events = Provider(httpx.Response(503), httpx.Response(404)), list[Event]()
        auth = ApiKeyAuth(MARK, query="api_key")
        caller = Caller(mode, provider, auth=auth, on_event=events.append)
        with caplog.at_level(logging.DEBUG), pytest.raises(StatusError) as raised:
            caller.call("payments.list_payments", limit=5)
        sent = [dict(request.url.params) for request in provider.requests]
        assert sent == [{"limit": "5", "api_key": MARK}] * 2
        shown = [str(raised.value), repr(raised.value.request), repr(events), caplog.text]
        assert MARK not in "".join(shown)

    @pytest.mark.parametrize(
        ("auth", "said"),
        [
            (MARK, "auth must be BearerAuth"),
            (BearerAuth, "the class itself"),
            (httpx.BasicAuth("a", "b"), "not BasicAuth"),
            (17, "not int"),
        ],
    )
    def test_what_is_no_credentials_is_refused(self, auth: Any, said: str) -> None:
        with pytest.raises(ConfigurationError, match=said) as raised:
            connect(client_class(), base_url=URL, auth=auth)
        assert MARK not in str(raised.value)

    @pytest.mark.parametrize(
        "make",
        [
            lambda: ApiKeyAuth("k", header="bad name"),
            lambda: SignedAuth("Token x"),  # type: ignore[arg-type] # what is tested
            lambda: SignedAuth(lambda now: "x", reuse=-1),
            lambda: ClientCredentialsAuth("http://elsewhere.example/token", "i", "s"),
            lambda: ClientCredentialsAuth("oauth/token", "i", "s"),
        ],
    )
    def test_credentials_that_cannot_work_are_refused_at_once(self, make: Any) -> None:
        with pytest.raises(ConfigurationError):
            make()

    def test_a_coroutine_function_is_refused(self) -> None:
        async def sign(_request: httpx.Request) -> None: ...

        with pytest.raises(ConfigurationError, match="nothing awaits it"):
            connect_async(client_class(), base_url=URL, auth=sign)  # type: ignore[arg-type] # what is tested


class TestClientCredentials:
    @pytest.mark.parametrize("in_body", [False, True])
    def test_the_token_request(self, mode: str, in_body: bool) -> None:
        provider = Provider(token={**TOKEN, "expires_in": "600"})
        options: Any = {"scope": ("read", "write"), "more": {"audience": "x"}, "in_body": in_body}
        auth = ClientCredentialsAuth("/oauth/token", "me", MARK, **options)
        Caller(mode, provider, auth=auth).call("payments.get_payment", "pay_1")
        [asked] = provider.for_tokens
        form = dict(httpx.QueryParams(asked.content.decode()))
        grant = {"grant_type": "client_credentials", "scope": "read write", "audience": "x"}
        pair = {"client_id": "me", "client_secret": MARK} if in_body else {}
        assert form == grant | pair
        assert ("authorization" in asked.headers) is not in_body
        assert provider.requests[0].headers["authorization"] == "Bearer t"

    def test_a_token_endpoint_on_another_host(self, mode: str) -> None:
        """Real sockets: the API on one port, the token endpoint on another, whose tokens this API
        does not know.
        """
        with TillSandbox() as tokens, TillSandbox() as api:
            auth = ClientCredentialsAuth(f"{tokens.url}/oauth/token", *tokens.add_client())
            with pytest.raises(AuthenticationError):
                Caller(mode, auth=auth, base_url=api.url).call("payments.get_payment", "pay_1")
            assert {seen.operation: seen.status for seen in tokens.received()} == {"token": 200}
            assert {seen.operation: seen.status for seen in api.received()} == {"get": 401}


class TestKeys:
    def test_with_key_refuses_what_it_cannot_send(self) -> None:
        body_key = BodyKey("request_id", takes_key=lambda _request: True)
        for key, words in (
            (body_key, "in the body, as 'request_id'"),
            (QueryKey("k", takes_key=lambda _request: True), "in the query, as 'k'"),
            (CookieKey("k", takes_key=lambda _request: True), "in a cookie, as 'k'"),
            (None, "nowhere"),
        ):
            client = connect(client_class(), base_url=URL, key=key)
            with client, pytest.raises(ConfigurationError, match=words):
                client.with_key("k")
        with connect(client_class(), base_url=URL, key=HeaderKey()) as client:
            for bad in ("", "two words", "line\nbreak", None):
                with pytest.raises(ConfigurationError, match="idempotency_key="):
                    client.with_key(bad)  # type: ignore[arg-type] # what is tested

    @pytest.mark.parametrize(
        ("key", "words"),
        [
            (lambda: HeaderKey("Idempotency-Key:"), "no name of a header"),
            (lambda: BodyKey(""), "no name of a member"),
            (lambda: QueryKey(""), "no name of a parameter"),
            (lambda: CookieKey(""), "no name of a cookie"),
            (lambda: "Idempotency-Key", "key must be HeaderKey"),
            (lambda: HeaderKey, "key must be HeaderKey"),
        ],
    )
    def test_what_is_no_place_for_a_key_is_refused(self, key: Any, words: str) -> None:
        with pytest.raises(ConfigurationError, match=words):
            connect(client_class(), base_url=URL, key=key())


class TestResponses:
    @pytest.mark.parametrize(("body", "problems"), cases_beside(__file__)["problems"])
    def test_problems_of_the_usual_shapes(
        self, mode: str, body: Any, problems: list[list[str]]
    ) -> None:
        with pytest.raises(BadRequest) as raised:
            Caller(mode, Provider(httpx.Response(422, json=body))).call(
                "payments.get_payment", "pay_1"
            )
        assert [[each.field, each.code, each.message] for each in raised.value.problems] == problems

    def test_the_message_names_the_system_and_the_server_that_was_called(self, mode: str) -> None:
        own = {"https://reports.eu.till.example": "https://mock.example:8443/a"}
        caller = Caller(mode, Provider(httpx.Response(401)), auth=BearerAuth(MARK), servers=own)
        words = r"till \(https://mock\.example:8443\) failed: .* they are for mock\.example\.$"
        with pytest.raises(AuthenticationError, match=words):
            caller.run(
                lambda client: caller.started(client, "balances.list_balances", api=own_api(client))
            )
        with pytest.raises(BadRequest, match=r"at till \(https://api.till.example\) failed"):
            Caller(mode, Provider(httpx.Response(400))).call("payments.get_payment", "pay_1")
        with pytest.raises(BadRequest, match=r"at The Till \("):
            Caller(mode, Provider(httpx.Response(400)), name="The Till").call(
                "payments.get_payment", "pay_1"
            )


class TestTheOrigin:
    def test_an_operation_with_a_server_of_its_own_goes_where_servers_leads(
        self, mode: str
    ) -> None:
        provider = Provider(httpx.Response(200, json=[]))
        eu, own = (
            "https://reports.eu.till.example",
            importlib.import_module("till_api.client").OPERATION_SERVERS,
        )
        in_us = {"region": "us"}
        for options, url in (
            ({}, URL),
            ({"servers": own}, eu),
            ({"servers": own, "server_variables": in_us}, "https://reports.us.till.example"),
            ({"servers": {eu: "https://mock.example/a/"}}, "https://mock.example/a"),
            ({"servers": {eu: "/reports"}}, f"{URL}/reports"),
            ({"base_url": "https://api.{region}.till.example/b"}, None),
            ({"base_url": "https://api.{region}.till.example"}, "https://api.eu.till.example"),
            (
                {"base_url": "https://api.{region}.till.example", "server_variables": in_us},
                "https://api.us.till.example",
            ),
        ):
            caller = Caller(mode, provider, auth=BearerAuth(MARK), **options)
            if url is None:
                with pytest.raises(ConfigurationError, match=r"region .* has no default"):
                    caller.call("balances.list_balances")
                continue
            caller.run(
                lambda client, by=caller: by.started(
                    client, "balances.list_balances", api=own_api(client)
                )
            )
            assert str(provider.requests[-1].url) == f"{url}/v1/balances"
            assert provider.requests[-1].headers["authorization"] == f"Bearer {MARK}"

    def test_what_is_no_server_of_the_document(self) -> None:
        reports = {"https://reports.eu.till.example": "https://reports.eu.till.example"}
        for options, words in (
            (
                {"servers": {"https://reports.till.example": URL}},
                "no server of an operation: those are https://reports.eu",
            ),
            (
                {"servers": dict.fromkeys(reports, "http://reports.eu.till.example")},
                r"servers\[.*https://",
            ),
            ({"servers": 17}, "servers must be a mapping"),
            ({"server_variables": {"region": 7}}, "server_variables must be a mapping"),
            (
                {"server_variables": {"region": "eu"}},
                r"'region' is in no URL .* has region in https://api\.\{region\}",
            ),
            (
                {
                    "base_url": "https://api.{region}.till.example",
                    "server_variables": {"region": "EU"},
                },
                "cannot be 'EU': write eu, us",
            ),
        ):
            with pytest.raises(ConfigurationError, match=words):
                connect(client_class(), **{"base_url": URL, **options})  # type: ignore[arg-type] # what is tested

    def test_what_is_no_client_class(self) -> None:
        for bad in (object, client_class()(base_url=URL), None):
            with pytest.raises(ConfigurationError, match="pass the Client class"):
                connect(bad, base_url=URL)  # type: ignore[arg-type,var-annotated] # what is tested

    def test_a_package_of_an_older_generator_is_to_be_generated_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Older(NamedTuple):
            name: str = "list_balances"
            method: str = "GET"
            path: str = "/v1/balances"
            headers: tuple[str, ...] = ()
            members: tuple[str, ...] = ()

        made = client_class()
        operations = importlib.import_module(made.__module__.replace(".client", ".operations"))
        monkeypatch.setattr(operations, "OPERATIONS", (Older(),))
        client = type("Client", (made,), {"__module__": made.__module__})
        with pytest.raises(ConfigurationError, match="older victor-spec: generate it again"):
            connect(client, base_url=URL)
        with pytest.raises(ConfigurationError, match="older victor-spec: generate it again"):
            key_place(operations.OPERATIONS, None)


class TestTheClient:
    def test_the_header_that_a_call_would_carry(self) -> None:
        assert (
            connect(client_class(), base_url=URL, auth=BearerAuth(MARK)).authorization()
            == f"Bearer {MARK}"
        )
        for auth in (None, ApiKeyAuth(MARK)):
            with pytest.raises(ConfigurationError, match="set no Authorization header"):
                connect(client_class(), base_url=URL, auth=auth).authorization()
