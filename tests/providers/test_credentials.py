"""The credentials of all systems: what cannot be one, what one shows, and how it is replaced by a
function while a process runs.
"""

import base64
import copy
import inspect
import math
import pickle
from functools import partial

import anyio
import httpx
import jwt
import pytest
from victor_api.client import Client

from tests.frames import assert_hidden
from tests.providers.running import GUID, ONCE, Script
from tests.providers.systems import CLIENTS
from victor_ext import (
    ApiKeyAuth,
    AsyncApiClient,
    AuthenticationError,
    BasicAuth,
    BearerAuth,
    ClientCredentialsAuth,
    ConfigurationError,
    Victor,
    VictorJwt,
    VictorOAuth,
    connect,
)
from victor_ext._runtime.auth.tokens import issued_for, issued_until
from victor_ext.providers import FlexFactorAuth, VeloAuth
from victor_ext.providers.flexfactor import FlexFactorToken
from victor_ext.sandbox.victor._authentication import new_key_pair

OLD, NEW = "the-first-secret-" + "1" * 32, "the-second-secret-" + "2" * 32
API = "https://api.example"
BANK = {"base_url": "https://bank.example/pay", "entity_id": "EB000001"}
IDS = dict.fromkeys(("id", "victor_payment_request_id", "orderId"), "x")
ANSWER = {**IDS, "status": "ok", "result": {"code": "000.000.000"}}

SECRET_ALONE = {
    "BearerAuth": BearerAuth,
    "BasicAuth": partial(BasicAuth, "u"),
    "ApiKeyAuth": ApiKeyAuth,
    "ClientCredentialsAuth": partial(ClientCredentialsAuth, "/token", "id"),
}
"""The credentials of `connect`, made of a secret."""
KINDS = {
    "VictorOAuth": (CLIENTS["victor"], lambda secret: {"auth": VictorOAuth("id", secret)}),
    "VeloAuth": (CLIENTS["velo"], lambda secret: {"auth": VeloAuth("key", secret)}),
    "FlexFactorAuth": (
        CLIENTS["flexfactor"],
        lambda secret: {"auth": FlexFactorAuth("key", secret), "mid": GUID},
    ),
    "FlexFactorToken": (
        CLIENTS["flexfactor"],
        lambda secret: {"auth": FlexFactorToken(secret), "mid": GUID},
    ),
    "EastPay": (CLIENTS["eastpay"], lambda secret: {"token": secret, **BANK}),
    **{
        name: (
            (connect, AsyncApiClient),
            lambda secret, kind=kind: {"client": Client, "base_url": API, "auth": kind(secret)},
        )
        for name, kind in SECRET_ALONE.items()
    },
}
"""How a client is made of a secret: the blocking and the awaited class, and its arguments."""


NOT_THESE = {"error": "not these", "result": {"code": "100.400.403", "description": "not this"}}
"""A refusal, also in EastPay's format: a 403 of somebody else is not about its token."""


class Provider:
    """Knows one secret at a time, and the tokens that were issued for it."""

    def __init__(self, status=401, *, on_refusal=lambda: None):
        self.status, self.on_refusal = status, on_refusal
        self.secret = OLD
        self.calls = 0

    def __call__(self, request):
        self.calls += 1
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        basic = base64.b64decode(value).decode() if scheme == "Basic" else ""
        shown = f"{dict(request.headers)} {basic} {request.content.decode()}"
        if self.secret not in shown:
            self.on_refusal()
            return httpx.Response(self.status, json=NOT_THESE)
        token = {"access_token": f"t-{self.secret}", "accessToken": f"t-{self.secret}"}
        return httpx.Response(200, json={**ANSWER, "token_type": "Bearer", **token})


each_kind = pytest.mark.parametrize("kind", KINDS)


def call(client):
    """Make one call that needs no operation. Returns its status."""
    if hasattr(client, "__aenter__"):
        return anyio.run(client.api.get_async_httpx_client().get, "/v1/ping").status_code
    return client.api.get_httpx_client().get("/v1/ping").status_code


def made(kind, secret, provider, *, awaited=False):
    classes, arguments_of = KINDS[kind]
    transport = httpx.MockTransport(provider)
    return classes[awaited](**arguments_of(secret), transport=transport, retry=ONCE)


@each_kind
@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
def test_a_changed_secret_is_used_by_the_next_call(tmp_path, kind, awaited):
    file = tmp_path / "secret"
    file.write_text(OLD + "\n")
    provider = Provider()
    client = made(kind, file.read_text, provider, awaited=awaited)
    assert call(client) == 200
    file.write_text(NEW)
    provider.secret = NEW
    assert call(client) == 200


@each_kind
def test_a_value_that_cannot_be_a_secret_is_refused_with_the_reason(tmp_path, kind):
    async def awaited():
        return OLD

    for value, words in (
        (
            tmp_path,
            r"must be text, or a function .* such as Path\(...\).read_text, not Pos",
        ),
        (awaited, "plain function"),
        (7, "text"),
        (lambda: 7, "text"),
        (lambda: "two\nlines" + "x" * 40, "a line break or a character beyond ASCII"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            call(made(kind, value, Provider()))


@each_kind
def test_a_secret_that_was_not_replaced_is_refused_once(kind):
    provider = Provider()
    client = made(kind, lambda: OLD, provider)
    assert call(client) == 200
    of_one_call = provider.calls
    provider.secret = NEW
    with pytest.raises(AuthenticationError):
        call(client)
    assert provider.calls == 2 * of_one_call, "it was tried again and again"


REFUSALS = [*((kind, 401) for kind in KINDS), ("EastPay", 403)]
"""The statuses by which a system says that it does not accept the credentials."""


@pytest.mark.parametrize(("kind", "status"), REFUSALS)
def test_a_secret_that_was_replaced_meanwhile_is_tried_once(kind, status):
    current = [OLD]
    provider = Provider(status, on_refusal=lambda: current.__setitem__(0, NEW))
    client = made(kind, lambda: current[0], provider)
    assert call(client) == 200
    of_one_call = provider.calls
    provider.secret = NEW
    assert call(client) == 200, "another secret was there, and was not tried"
    assert provider.calls == 2 * of_one_call + 1


@pytest.mark.parametrize("returns_a_path", [False, True])
def test_a_private_key_of_a_function_signs_the_next_call(tmp_path, returns_a_path):
    (first, first_public), (second, second_public) = new_key_pair(), new_key_pair()
    file = tmp_path / "key.pem"
    file.write_text(first)
    key = (lambda: file) if returns_a_path else file.read_text
    script = Script(httpx.Response(200, json=ANSWER))
    client = Victor(VictorJwt("a-key", key), transport=script.transport)
    call(client)
    file.write_text(second)
    call(client)
    for request, public in zip(script.requests, (first_public, second_public), strict=True):
        token = request.headers["authorization"].partition(" ")[2]
        assert jwt.decode(token, public, algorithms=["RS512"])["sub"] == "a-key"


AUTHS = {
    kind.__name__: kind
    for kind in (
        VictorOAuth,
        VeloAuth,
        FlexFactorAuth,
        FlexFactorToken,
        BearerAuth,
        BasicAuth,
        ApiKeyAuth,
    )
} | {"VictorJwt": partial(VictorJwt, sign=lambda _: b"signature")}
"""Credentials of secrets alone. Their positional arguments are the secrets."""
OTHER_WORDS = [
    ("VeloAuth", ("a:b", "s"), "api_key .*colon"),
    ("BasicAuth", ("a:b", "s"), "username .*colon"),
    ("FlexFactorToken", ("Bearer s",), "token .*scheme"),
]


def needed(kind):
    return [
        each.name
        for each in inspect.signature(kind).parameters.values()
        if each.default is each.empty
    ]


def assert_copied_and_not_pickled(auth):
    assert copy.copy(auth) is copy.deepcopy(auth) is auth
    assert "PRIVATE KEY" not in repr(vars(auth))
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(
            TypeError, match="holds a secret and is not pickled: make it in each process"
        ) as raised:
            pickle.dumps(auth, protocol)
        assert_hidden(raised.value, ["s3cret", "PRIVATE KEY"])


@pytest.mark.parametrize("name", AUTHS)
class TestEachKind:
    @pytest.mark.parametrize(
        "wrong", ["", " ", 7, None, b"s3cr", "s3cr\nb", "s3cr\u00e9t", "s3cr\r\nlines"]
    )
    def test_a_credential_that_cannot_be_sent_is_refused_by_the_name_of_its_argument(
        self, name, wrong
    ):
        for argument in needed(AUTHS[name]):
            if argument == "username" and wrong in ("", " "):
                continue
            with pytest.raises(ConfigurationError) as raised:
                AUTHS[name](**{**dict.fromkeys(needed(AUTHS[name]), "a-good-one"), argument: wrong})
            assert argument in str(raised.value)
            assert_hidden(raised.value, ["s3cr"])


@pytest.mark.parametrize(("name", "given", "words"), OTHER_WORDS)
def test_a_name_with_a_colon_and_a_token_with_its_scheme_are_refused(name, given, words):
    """The server would take what follows for the beginning of the secret, or for no token."""
    with pytest.raises(ConfigurationError, match=words):
        AUTHS[name](*given)


@pytest.mark.parametrize("name", ["VictorOAuth", "VeloAuth", "FlexFactorAuth"])
def test_two_callers_are_told_apart_without_showing_a_secret(name):
    (kind, _), arguments_of = KINDS[name]
    given = arguments_of("a-secret")
    first, other = (
        kind(**{**given, "auth": AUTHS[name](f"s3cret-{one}", "a-secret")}).caller for one in "12"
    )
    assert first != other
    assert "s3cret" not in f"{first} {other}"


NO_TIMES = (None, True, "soon", "", [], {}, math.nan, math.inf, 10**400)


def test_the_life_of_a_token_is_in_seconds():
    for lives in (600, "600", 600.0, *NO_TIMES, 0, -1, 1e9):
        token = issued_for({"access_token": "t", "expires_in": lives}, 1000.0)
        at = 1600 if str(lives).startswith("600") else None
        assert token and (token.expires_at, token.header) == (at, "Bearer t"), lives


@pytest.mark.parametrize("name", ["access_token", "accessToken"])
def test_the_end_of_a_token_is_an_absolute_time_in_milliseconds(name):
    end = 1_683_308_669
    ends = [*((each, end) for each in (end, end * 1000, end * 1000.0, f"{end}000")), (600, 600)]
    for expires, at in (*ends, *((each, None) for each in (*NO_TIMES, -(10**400)))):
        token = issued_until({name: "t", "expires": expires}, end - 669.0, member=name)
        assert token and (token.expires_at, token.header) == (at, "Bearer t"), expires
        assert token.seconds_left(end - 669.0) == (math.inf if at is None else at - end + 669)
