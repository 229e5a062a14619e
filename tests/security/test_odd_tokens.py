"""A token that no header can hold is refused before anything is sent, and shown nowhere."""

import copy
import json
import logging
import pickle
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from typing import Any

import httpx
import pytest
from victor_api.api.payment_requests import get_payment_request
from victor_api.client import Client

from tests.faults.raw_provider import answer
from tests.faults.raw_sockets import Background
from tests.frames import assert_hidden
from tests.providers.running import Running
from tests.providers.systems import of_every_system
from tests.providers.victor.adapter import payment
from tests.security.recorder import Recorder
from victor_ext import (
    AsyncApiClient,
    AsyncVictor,
    ClientCredentialsAuth,
    ConfigurationError,
    Outcome,
    UnreadableResponse,
    Victor,
    VictorError,
    VictorOAuth,
    connect,
    connect_async,
)
from victor_ext.providers.flexfactor import AsyncFlexFactor, FlexFactor, FlexFactorAuth
from victor_ext.providers.velo import AsyncVelo, Velo, VeloAuth

pytestmark = pytest.mark.slow
MARK = "marked-and-fake"
MID = "3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"
ODD = {
    "a blank at its end": f"{MARK} ",
    "a blank before it": f" {MARK}",
    "a tab at its end": f"{MARK}\t",
    "a blank within it": f"{MARK} {MARK}",
    "a line break": f"{MARK}\r\nX-Injected: 1",
    "a NUL": f"{MARK}\0",
    "a DEL": f"{MARK}\x7f",
    "a no-break space": f"{MARK}\u00a0",
    "beyond ASCII": f"{MARK}\u00e4",
    "half of a character": f"{MARK}\ud800",
    "nothing": "",
    "blanks alone": "  ",
    "too long": MARK * 2000,
}


OF_A_HEADER = [odd for odd in ODD if odd != "a blank within it"]
"""A header may hold a blank: what it means is between the caller and the provider."""


def issuer_of(background: Background, members: dict[str, Any], status: str = "200 OK") -> Recorder:
    """A server that answers everything with the same token."""
    token = {"expires": 4_102_444_800_000, "expires_in": 1799, **members}
    return Recorder(background, answer=answer(json.dumps(token).encode(), status))


@pytest.fixture(autouse=True)
def _debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


class Handed:
    """Credentials of the user's own: they set the header."""

    def __init__(self, header: str) -> None:
        self._header = header

    def __repr__(self) -> str:
        return "Handed()"

    def authenticator(self, *_parts: object) -> Any:
        return self

    def authorize(self, request: httpx.Request, _exchange: object, _seconds: object) -> Any:
        request.headers["Authorization"] = self._header
        yield from ()

    def should_retry_unauthorized(self, _request: object) -> bool:
        return False


def create(client: Any) -> Any:
    return client.payment_requests.create(**payment())


def read_payment_request(client: Any) -> Any:
    return read_with(client.api, awaited=isinstance(client, AsyncApiClient))


def read_with(api: Any, *, awaited: bool) -> Any:
    function = get_payment_request.asyncio if awaited else get_payment_request.sync
    return function("a1", client=api)


SYSTEMS: Mapping[str, tuple[tuple[Any, Any], dict[str, Any], Any]] = of_every_system(
    __name__,
    {
        "victor": ((Victor, AsyncVictor), {"auth": VictorOAuth("id-1", "not-a-secret")}, create),
        "velo": (
            (Velo, AsyncVelo),
            {"auth": VeloAuth("key-1", "not-a-secret")},
            lambda it: it.payouts.get("p-1"),
        ),
        "flexfactor": (
            (FlexFactor, AsyncFlexFactor),
            {"auth": FlexFactorAuth("key-1", "not-a-secret"), "mid": MID},
            lambda it: it.orders.cancel(MID),
        ),
        "connected": (
            (partial(connect, Client), partial(connect_async, Client)),
            {"auth": ClientCredentialsAuth("/oauth/token", "id-1", "not-a-secret")},
            read_payment_request,
        ),
    },
    without=("eastpay",),
)


def observe(system: str, url: str, *, awaited: bool, **changes: Any) -> VictorError:
    """The error that the caller gets."""
    clients, options, call = SYSTEMS[system]
    options = {**options, "base_url": url, "deadline": 5.0, **changes}
    running = Running(lambda: clients[awaited](**options), awaited=awaited)
    with closing(running), pytest.raises(VictorError) as raised:
        running.result(lambda: call(running.client))
    return raised.value


def assert_shown_nowhere(error: VictorError, caplog: pytest.LogCaptureFixture) -> None:
    assert_hidden(error, [MARK])
    assert MARK not in repr(pickle.dumps(error)) + repr(copy.copy(error)) + caplog.text


@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
class TestATokenThatCannotBeSent:
    @pytest.mark.parametrize("system", SYSTEMS)
    @pytest.mark.parametrize("odd", ODD)
    def test_an_odd_token_as_it_was_issued_sends_nothing(
        self, system: str, odd: str, awaited: bool, background: Background, closed: Any, caplog: Any
    ) -> None:
        token = {"access_token": ODD[odd], "accessToken": ODD[odd], "token_type": "Bearer"}
        issuer = closed(issuer_of(background, token))
        error = observe(system, issuer.url(), awaited=awaited)
        assert type(error) is UnreadableResponse
        assert "no usable token" in str(error)
        assert (error.outcome, error.attempts, error.body) == (Outcome.NOT_SENT, 0, None)
        assert len(issuer.heads) == 1
        assert_shown_nowhere(error, caplog)

    @pytest.mark.parametrize("odd", [*OF_A_HEADER, "a blank before its type"])
    def test_of_credentials_of_somebody_s_own(
        self, odd: str, awaited: bool, background: Background, closed: Any, caplog: Any
    ) -> None:
        recorder = closed(Recorder(background))
        headers = {"nothing": "", "blanks alone": "Bearer  ", "a blank before it": f" {MARK}"}
        header = headers.get(odd, f" Bearer {MARK}" if odd not in ODD else f"Bearer {ODD.get(odd)}")
        error = observe("victor", recorder.url(), awaited=awaited, auth=Handed(header))
        assert type(error) is ConfigurationError
        assert "Authorization header that cannot be sent: it " in str(error)
        assert (error.outcome, error.attempts, recorder.heads) == (Outcome.NOT_SENT, 0, [])
        assert error.idempotency_key is not None
        assert_shown_nowhere(error, caplog)


@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
def test_another_header_that_cannot_be_sent_is_not_shown_either(
    awaited: bool, background: Background, closed: Any
) -> None:
    """The HTTP library refuses it before the first byte, with its value in the message."""
    recorder = closed(Recorder(background))

    def call(client: Any) -> Any:
        return read_with(client.api.with_headers({"X-Of-Their-Own": f"{MARK} "}), awaited=awaited)

    SYSTEMS["victor, directly"] = (SYSTEMS["victor"][0], {"auth": Handed("Bearer t")}, call)
    error = observe("victor, directly", recorder.url(), awaited=awaited)
    assert (error.outcome, recorder.heads) == (Outcome.NOT_SENT, [])
    assert "a header of the request cannot be sent" in str(error)
    assert [text for text in (str(error), repr(error), repr(error.__cause__)) if MARK in text] == []
