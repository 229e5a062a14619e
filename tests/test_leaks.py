"""No token, key, secret or whole account number in a message, a repr, a log line, a pickle of the
request, or a local of a frame of ours, whatever fails."""

import json
import logging
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

import victor_ext
from tests.frames import chain
from tests.providers.victor.adapter import payment
from tests.security.journeys import Caller
from tests.security.secrets import ACCOUNT, Secrets, of_error, of_logs
from victor_ext import AsyncVictor, Victor, VictorJwt, VictorOAuth

pytestmark = pytest.mark.slow
CLIENT_ID = "client-id-0c1f7e55"
CLIENT_SECRET = "client-secret-9d1c44ab"
ACCESS_TOKEN = "access-token-77aa01ff"
KNOWN = Secrets(
    "", client_secret=CLIENT_SECRET, tokens=[f"Bearer {word}" for word in (ACCESS_TOKEN, CLIENT_ID)]
)
API_KEY = KNOWN.api_key
each_mode = pytest.mark.parametrize("mode", ["sync", "async"])


@pytest.fixture
def secrets(victor_key_pair: tuple[str, str]) -> Secrets:
    return replace(KNOWN, private_key=victor_key_pair[0])


def create(victor: Any, **values: Any) -> Any:
    return victor.payment_requests.create(**payment(**{"payee_account_number": ACCOUNT, **values}))


def failure(
    mode: str, answer: Callable[[httpx.Request], httpx.Response], call: Callable[[Any], Any]
) -> Any:
    client = Caller(
        mode, VictorOAuth(CLIENT_ID, CLIENT_SECRET), transport=httpx.MockTransport(answer)
    )
    error = client.run(call, client.client)
    client.close()
    return error


REFUSED_HERE: dict[str, Callable[[Any], Any]] = {
    "an account in an extra body": lambda victor: create(
        victor,
        extra_body={"payee": {"account_number": ACCOUNT, "owner": {"of": [ACCOUNT]}}, "new": 1.5},
    ),
    "an account in the extra body of an answer": lambda victor: victor.payment_requests.accept(
        "in-1", notes="n", extra_body={"notes": ACCOUNT, "new": {"account": ACCOUNT}}
    ),
    "an account in an extra query": lambda victor: victor.payment_requests.get(
        "a1", extra_query={"account": ACCOUNT, "new": [ACCOUNT, 1.5]}
    ),
    "an account in the extra body of all calls": lambda victor: create(
        victor.with_options(
            extra_body={"payee": {"account_number": ACCOUNT}, "new": {"account": ACCOUNT}}
        )
    ),
}


@each_mode
@pytest.mark.parametrize("call", REFUSED_HERE)
def test_a_call_that_is_refused_here(call, mode, secrets):
    error = failure(mode, lambda _request: httpx.Response(200), REFUSED_HERE[call])
    assert type(error) is victor_ext.InvalidRequest
    secrets.check(of_error(error))


REFUSALS = {
    "refused": (401, json.dumps({"error": f"no {CLIENT_SECRET}"})),
    "truncated": (200, f'{{"access_token": "{ACCESS_TOKEN}", "exp'),
    "in a list": (200, json.dumps([{"access_token": ACCESS_TOKEN}])),
    "under another name": (200, json.dumps({"token": ACCESS_TOKEN})),
    "down": (503, f"try later, {CLIENT_ID}"),
    "unreachable": (0, ""),
}


@each_mode
@pytest.mark.parametrize("name", REFUSALS)
def test_a_token_that_is_not_to_be_had(name, mode, secrets, caplog):
    caplog.set_level(logging.DEBUG)
    status, body = REFUSALS[name]

    def answer(_request):
        if not status:
            raise httpx.ConnectError("no")
        return httpx.Response(status, text=body)

    error = failure(mode, answer, create)
    assert isinstance(error, Exception)
    secrets.check([*of_error(error), *of_logs(caplog.records)])
    assert ACCESS_TOKEN.encode() not in pickle.dumps(error)


def set_ups(private: str) -> dict[str, Callable[[], Any]]:
    piece = "".join(private.splitlines()[1:6])
    return {
        "an API key with a line break": lambda: VictorJwt(f"{API_KEY}\n{API_KEY}", private),
        "a key without an API key": lambda: VictorJwt("", private),
        "a truncated PEM": lambda: VictorJwt(API_KEY, private[:500]),
        "a truncated PEM in bytes": lambda: VictorJwt(API_KEY, private[:500].encode()),
        "a truncated PEM in a bytearray": lambda: VictorJwt(
            API_KEY, bytearray(private[:500].encode())
        ),
        "a piece of base64": lambda: VictorJwt(API_KEY, piece[:301]),
        "the two the wrong way round": lambda: VictorJwt("key", API_KEY),
        "a password that is not needed": lambda: VictorJwt(
            API_KEY, private, password=CLIENT_SECRET
        ),
        "a password in bytes": lambda: VictorJwt(API_KEY, private, password=CLIENT_SECRET.encode()),
        "a lifetime that is none": lambda: VictorJwt(API_KEY, private, lifetime=-1),
        "a lifetime too long": lambda: Victor(
            VictorJwt(API_KEY, private, lifetime=3000), environment="production"
        ),
        "an id that is empty": lambda: VictorOAuth("", CLIENT_SECRET),
        "a proxy that is none": lambda: Victor(
            VictorOAuth(CLIENT_ID, CLIENT_SECRET), proxy=f"ftp://u:{CLIENT_SECRET}@h.example"
        ),
    }


@pytest.mark.parametrize("name", set_ups("\n" * 9))
def test_a_set_up_that_fails(name, secrets, victor_key_pair):
    with pytest.raises(victor_ext.ConfigurationError) as raised:
        set_ups(victor_key_pair[0])[name]()
    secrets.check(of_error(raised.value))


@pytest.mark.parametrize(
    "wrong",
    ['secret = "x"', "client_id = 5", 'environment = "prod"', 'api_key = "two kinds"', "no TOML"],
)
def test_a_profile_that_fails(wrong, secrets, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    file = tmp_path / "victor" / "profiles.toml"
    file.parent.mkdir()
    rest = "" if wrong.startswith("client_id") else f'client_id = "{CLIENT_ID}"\n'
    file.write_text(f'[mine]\nclient_secret = "{CLIENT_SECRET}"\n{rest}{wrong}\n')
    file.chmod(0o600)
    for client in (Victor, AsyncVictor):
        with pytest.raises(victor_ext.ConfigurationError) as raised:
            client.from_profile("mine")
        secrets.check(of_error(raised.value))
        assert [*chain(raised.value)] == [raised.value]  # what `tomllib` holds is not shown
