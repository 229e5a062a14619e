"""No token, key, secret or whole account number in a message, a repr, a log line, a pickle of the request, or a local
of a frame of ours, whatever fails."""

from __future__ import annotations

import json
import logging
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import victor_ext
from tests.frames import OURS, assert_hidden, found_in
from tests.providers.running import run as use
from tests.providers.victor.adapter import payment
from victor_ext import AsyncVictor, RetryPolicy, Victor, VictorJwt, VictorOAuth

pytestmark = pytest.mark.slow
API_KEY = "1145f601-b8b0-4de7-9210-4ccb74a68ef5"
CLIENT_ID = "client-id-0c1f7e55"
CLIENT_SECRET = "client-secret-9d1c44ab"
ACCESS_TOKEN = "access-token-77aa01ff"
ACCOUNT = "071204958836"
LOOKED_AT = (*OURS, str(Path(httpx.__file__).parent))
"""The HTTP library's frames hold what it was called with: the JSON of the request, and where it connects."""
QUICK = RetryPolicy(base=0.0, max_attempts=2)


def create(victor: Any, **values: Any) -> Any:
    return victor.payment_requests.create(**payment(**{"payee_account_number": ACCOUNT, **values}))


def respond(status: int, body: bytes = b"") -> Callable[[httpx.Request], httpx.Response]:
    return lambda _request: httpx.Response(status, content=body)


def fail(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def handle(_request: httpx.Request) -> httpx.Response:
        raise error

    return handle


REFUSED_HERE: dict[str, Callable[[Any], Any]] = {
    "an account in an extra body": lambda victor: create(
        victor, extra_body={"payee": {"account_number": ACCOUNT, "owner": {"of": [ACCOUNT]}}, "new": 1.5}
    ),
    "an account in the extra body of an answer": lambda victor: victor.payment_requests.accept(
        "in-1", notes="n", extra_body={"notes": ACCOUNT, "new": {"account": ACCOUNT}}
    ),
    "an account in an extra query": lambda victor: victor.payment_requests.get(
        "a1", extra_query={"account": ACCOUNT, "new": [ACCOUNT, 1.5]}
    ),
    "an account in the extra body of all calls": lambda victor: create(
        victor.with_options(extra_body={"payee": {"account_number": ACCOUNT}, "new": {"account": ACCOUNT}})
    ),
}


class Searched:
    """Everything that must not be seen."""

    def __init__(self, *secrets: str) -> None:
        self.secrets = [*secrets, API_KEY, CLIENT_ID, CLIENT_SECRET, ACCESS_TOKEN, ACCOUNT, ACCOUNT.lstrip("0")]

    def check(self, error: BaseException) -> None:
        assert_hidden(error, self.secrets, LOOKED_AT)


@pytest.fixture
def searched(victor_key_pair: tuple[str, str]) -> Searched:
    lines = victor_key_pair[0].splitlines()
    return Searched(lines[1], lines[-3])


def oauth(_private: str) -> Any:
    return VictorOAuth(CLIENT_ID, CLIENT_SECRET)


def run(client: type, auth: Any, transport: httpx.MockTransport, call: Callable[[Any], Any]) -> BaseException | None:
    try:
        use(client, call, auth, transport=transport, retry=QUICK)
    except Exception as error:  # noqa: BLE001 - whatever it is
        return error
    return None


@pytest.mark.parametrize("client", [Victor, AsyncVictor])
@pytest.mark.parametrize("call", REFUSED_HERE)
def test_a_call_that_is_refused_here(call, client, searched):
    error = run(client, oauth(""), httpx.MockTransport(respond(200)), REFUSED_HERE[call])
    assert type(error) is victor_ext.InvalidRequest
    searched.check(error)


REFUSALS = {
    "refused": respond(401, json.dumps({"error": f"no {CLIENT_SECRET}"}).encode()),
    "truncated": respond(200, f'{{"access_token": "{ACCESS_TOKEN}", "exp'.encode()),
    "in a list": respond(200, json.dumps([{"access_token": ACCESS_TOKEN}]).encode()),
    "under another name": respond(200, json.dumps({"token": ACCESS_TOKEN}).encode()),
    "down": respond(503, f"try later, {CLIENT_ID}".encode()),
    "unreachable": fail(httpx.ConnectError("no")),
}


@pytest.mark.parametrize("client", [Victor, AsyncVictor])
@pytest.mark.parametrize("name", REFUSALS)
def test_a_token_that_is_not_to_be_had(name, client, searched, caplog):
    caplog.set_level(logging.DEBUG)
    error = run(client, oauth(""), httpx.MockTransport(REFUSALS[name]), create)
    assert error is not None
    searched.check(error)
    assert found_in(caplog.text, searched.secrets) == []
    assert ACCESS_TOKEN.encode() not in pickle.dumps(error)


def elsewhere(**options: Any) -> Victor:
    return Victor(VictorOAuth(CLIENT_ID, CLIENT_SECRET), **options)


def set_ups(private: str) -> dict[str, Callable[[], Any]]:
    piece = "".join(private.splitlines()[1:6])
    return {
        "an API key with a line break": lambda: VictorJwt(f"{API_KEY}\n{API_KEY}", private),
        "an API key in bytes": lambda: VictorJwt(API_KEY.encode(), private),
        "a key without an API key": lambda: VictorJwt("", private),
        "a truncated PEM": lambda: VictorJwt(API_KEY, private[:500]),
        "a truncated PEM in bytes": lambda: VictorJwt(API_KEY, private[:500].encode()),
        "a truncated PEM in a bytearray": lambda: VictorJwt(API_KEY, bytearray(private[:500].encode())),
        "a piece of base64": lambda: VictorJwt(API_KEY, piece[:301]),
        "the two the wrong way round": lambda: VictorJwt("key", API_KEY),
        "a password that is not needed": lambda: VictorJwt(API_KEY, private, password=CLIENT_SECRET),
        "a password in bytes": lambda: VictorJwt(API_KEY, private, password=CLIENT_SECRET.encode()),
        "a lifetime that is none": lambda: VictorJwt(API_KEY, private, lifetime=-1),
        "a lifetime too long": lambda: Victor(VictorJwt(API_KEY, private, lifetime=3000), environment="production"),
        "a secret with a line break": lambda: VictorOAuth(CLIENT_ID, f"{CLIENT_SECRET}\n{CLIENT_SECRET}"),
        "a secret in bytes": lambda: VictorOAuth(CLIENT_ID, CLIENT_SECRET.encode()),
        "an id that is empty": lambda: VictorOAuth("", CLIENT_SECRET),
        "an unknown environment": lambda: elsewhere(environment="prod"),
        "a base URL with a password": lambda: Victor(
            VictorOAuth(CLIENT_ID, CLIENT_SECRET), base_url=f"https://u:{CLIENT_SECRET}@h.example"
        ),
        "a proxy that is none": lambda: Victor(
            VictorOAuth(CLIENT_ID, CLIENT_SECRET), proxy=f"ftp://u:{CLIENT_SECRET}@h.example"
        ),
    }


@pytest.mark.parametrize("name", set_ups("\n" * 9))
def test_a_set_up_that_fails(name, searched, victor_key_pair):
    with pytest.raises(victor_ext.ConfigurationError) as raised:
        set_ups(victor_key_pair[0])[name]()
    searched.check(raised.value)


@pytest.mark.parametrize(
    "variables",
    [
        {"VICTOR_CLIENT_SECRET": CLIENT_SECRET},
        {"VICTOR_CLIENT_ID": CLIENT_ID, "VICTOR_CLIENT_SECRET": CLIENT_SECRET, "VICTOR_API_KEY": API_KEY},
        {"VICTOR_CLIENT_ID": CLIENT_ID, "VICTOR_CLIENT_SECRET": CLIENT_SECRET, "VICTOR_ENVIRONMENT": "prod"},
        {"VICTOR_CLIENT_ID": CLIENT_ID, "VICTOR_CLIENT_SECRET": CLIENT_SECRET, "VICTOR_BASE_URL": "nowhere"},
        {"VICTOR_CLIENT_ID": CLIENT_ID, "VICTOR_CLIENT_SECRET": f"{CLIENT_SECRET}\n{CLIENT_SECRET}"},
        {"VICTOR_API_KEY": API_KEY},
        {"VICTOR_API_KEY": f"{API_KEY}\n{API_KEY}", "VICTOR_PRIVATE_KEY": "x"},
        {"VICTOR_API_KEY": API_KEY, "VICTOR_PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----\nKEY"},
        {"VICTOR_API_KEY": API_KEY, "VICTOR_PRIVATE_KEY": CLIENT_SECRET},
        {"VICTOR_API_KEY": API_KEY, "VICTOR_PRIVATE_KEY_FILE": "/no/such/file"},
    ],
    ids=lambda variables: "-".join(sorted(variables)),
)
def test_a_process_environment_that_fails(variables, searched, monkeypatch):
    monkeypatch.setenv("SOMEBODY_ELSES_SECRET", API_KEY)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for client in (Victor, AsyncVictor):
        with pytest.raises(victor_ext.ConfigurationError) as raised:
            client.from_env()
        searched.check(raised.value)


@pytest.mark.parametrize(
    "wrong", ['secret = "x"', "client_id = 5", 'environment = "prod"', 'api_key = "two kinds"', "no TOML"]
)
def test_a_profile_that_fails(wrong, searched, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    file = tmp_path / "victor" / "profiles.toml"
    file.parent.mkdir()
    rest = "" if wrong.startswith("client_id") else f'client_id = "{CLIENT_ID}"\n'
    file.write_text(f'[mine]\nclient_secret = "{CLIENT_SECRET}"\n{rest}{wrong}\n')
    file.chmod(0o600)
    for client in (Victor, AsyncVictor):
        with pytest.raises(victor_ext.ConfigurationError) as raised:
            client.from_profile("mine")
        searched.check(raised.value)
        assert raised.value.__context__ is None  # the frames of `tomllib` hold the whole file
