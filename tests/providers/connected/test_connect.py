"""`connect`: any generated package on the runtime."""

import httpx
import pytest

from tests.providers.connected.till import (
    URL,
    Caller,
    client_class,
    new_payment,
)
from tests.providers.running import TOKEN, Script
from tests.providers.systems import refusal
from victor_ext import (
    ApiKeyAuth,
    BadRequest,
    BearerAuth,
    BodyKey,
    ClientCredentialsAuth,
    ConfigurationError,
    HeaderKey,
    OperationRow,
    ServerError,
    connect,
)

pytestmark = pytest.mark.slow
PAYMENT = {"id": "pay_1", "amount": 4423, "currency": "EUR", "status": "accepted"}
MARK = "marked-and-fake"
GOOD = httpx.Response(200, json=PAYMENT)


def get(mode, provider, **options):
    """Ask for a payment."""
    return Caller(mode, provider, **options).call("payments.get_payment", "pay_1")


def connected(**options):
    return connect(client_class(), **{"base_url": URL, **options})


async def nobody_awaits(_request):
    """A function that would set credentials later."""


class TestCredentials:
    def test_a_callers_own_signing_function_is_called_with_each_attempt(self, mode):
        signed = []

        def sign(request):
            signed.append((request.method, request.content))
            request.headers["x-count"] = str(len(signed))

        provider = Script(httpx.Response(503), httpx.Response(201, json=PAYMENT))
        caller = Caller(mode, provider, auth=sign, key=HeaderKey())
        caller.call("payments.take_payment", body=new_payment(amount=4423, reference="INV-1042"))
        assert [request.headers["x-count"] for request in provider.requests] == ["1", "2"]
        assert signed == [("POST", provider.requests[0].content)] * 2

    def test_a_signing_function_that_raises_or_changes_the_url_sends_nothing(self, mode):
        def unavailable(_request):
            raise LookupError("no token in the vault")

        def elsewhere(request):
            request.url = httpx.URL("https://elsewhere.example/")

        provider = Script(GOOD)
        with pytest.raises(LookupError, match="vault"):
            get(mode, provider, auth=unavailable)
        with pytest.raises(ConfigurationError, match="changed the URL"):
            get(mode, provider, auth=elsewhere)
        assert provider.requests == []

    @pytest.mark.parametrize(
        ("auth", "said"),
        [
            (MARK, "auth must be BearerAuth"),
            (BearerAuth, "the class itself"),
            (httpx.BasicAuth("a", "b"), "not BasicAuth"),
            (17, "not int"),
            (nobody_awaits, "nothing awaits it"),
        ],
    )
    def test_an_auth_argument_that_is_no_credentials_is_refused(self, auth, said):
        with pytest.raises(ConfigurationError, match=said) as raised:
            connected(auth=auth)
        assert MARK not in str(raised.value)

    @pytest.mark.parametrize(
        ("make", "words"),
        [
            (lambda: ApiKeyAuth("k", header="bad name"), "header must be the name"),
            (
                lambda: ClientCredentialsAuth("http://elsewhere.example/token", "i", "s"),
                "token_url .* unencrypted",
            ),
            (
                lambda: ClientCredentialsAuth("oauth/token", "i", "s"),
                "token_url 'oauth/token' must be absolute",
            ),
        ],
    )
    def test_credentials_that_cannot_work_are_refused_at_once(self, make, words):
        with pytest.raises(ConfigurationError, match=words):
            make()

    def test_authorization_returns_the_header_that_a_call_would_carry(self):
        assert connected(auth=BearerAuth(MARK)).authorization() == f"Bearer {MARK}"
        for auth in (None, ApiKeyAuth(MARK)):
            with pytest.raises(ConfigurationError, match="set no Authorization header"):
                connected(auth=auth).authorization()

    def test_another_package_is_called_with_the_token_of_a_providers_client(self, mode, victor):
        def sign(request):
            request.headers["Authorization"] = victor.authorization()

        provider = Script(GOOD)
        get(mode, provider, auth=sign)
        assert provider.requests[0].headers["authorization"].startswith("Token ey")


class TestClientCredentials:
    @pytest.mark.parametrize("in_body", [False, True])
    @pytest.mark.parametrize("host", ["", "https://tokens.example"])
    def test_a_token_is_asked_for_with_a_form_at_this_host_or_another(self, mode, in_body, host):
        provider = Script(GOOD, token={**TOKEN, "expires_in": "600"})
        options = {"scope": "read write", "more": {"audience": "x"}, "in_body": in_body}
        auth = ClientCredentialsAuth(f"{host}/oauth/token", "me", MARK, **options)
        get(mode, provider, auth=auth)
        [asked] = provider.for_tokens
        assert str(asked.url) == f"{host or URL}/oauth/token"
        form = dict(httpx.QueryParams(asked.content.decode()))
        grant = {"grant_type": "client_credentials", "scope": "read write", "audience": "x"}
        assert form == grant | ({"client_id": "me", "client_secret": MARK} if in_body else {})
        assert ("authorization" in asked.headers) is not in_body
        assert provider.requests[0].headers["authorization"] == "Bearer t"


class TestKeys:
    @pytest.mark.parametrize(
        ("key", "words"),
        [
            (BodyKey("reference"), r"key=BodyKey\('reference'\)"),
            (None, "key=None"),
        ],
    )
    def test_with_key_is_refused_where_the_key_is_in_no_header(self, key, words):
        rows = {} if key is None else {"POST /v1/payments": OperationRow(takes_key=True)}
        refused = pytest.raises(ConfigurationError, match=words)
        with connected(key=key, rows=rows) as client, refused:
            client.with_key("k")

    @pytest.mark.parametrize("bad", ["", "two words", "line\nbreak", None])
    def test_with_key_refuses_a_key_that_is_not_visible_ascii_without_blanks(self, bad):
        refused = pytest.raises(ConfigurationError, match="idempotency_key=")
        with connected(key=HeaderKey()) as client, refused:
            client.with_key(bad)

    @pytest.mark.parametrize(
        ("key", "words"),
        [
            (lambda: HeaderKey("Idempotency-Key:"), "no name of a header"),
            (lambda: BodyKey(""), "no name of a member"),
            (lambda: "Idempotency-Key", "key must be HeaderKey"),
            (lambda: HeaderKey, "key must be HeaderKey"),
        ],
    )
    def test_a_key_argument_that_names_no_place_for_a_key_is_refused(self, key, words):
        with pytest.raises(ConfigurationError, match=words):
            connected(key=key())


def test_the_message_names_the_system_and_the_host_that_was_called(mode):
    auth = ClientCredentialsAuth("https://tokens.example:8443/token", "me", MARK)
    with pytest.raises(ServerError, match=r"at till \(https://tokens\.example:8443\) failed"):
        get(mode, Script(GOOD, token=httpx.Response(503)), auth=auth)
    refusing = Script(refusal("connected"))
    with pytest.raises(BadRequest, match=r"at till \(https://api.till.example\) failed"):
        get(mode, refusing)
    with pytest.raises(BadRequest, match=r"at The Till \("):
        get(mode, refusing, name="The Till")


@pytest.mark.parametrize("bad", [lambda: object, lambda: client_class()(base_url=URL), list])
def test_a_client_argument_that_is_no_generated_client_class_is_refused(bad):
    with pytest.raises(ConfigurationError, match="pass the Client class"):
        connect(bad(), base_url=URL)
