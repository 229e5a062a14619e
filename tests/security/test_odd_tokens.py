"""A token that no header can hold is refused before anything is sent, and shown nowhere."""

import copy
import json
import logging
import pickle

import httpx
import pytest

from tests.frames import assert_hidden
from tests.payments import payment
from tests.providers.connected.till import Caller
from tests.providers.running import MODES, TOKEN, Script
from tests.providers.systems import called, of_every_system
from victor_ext import (
    ClientCredentialsAuth,
    Outcome,
    UnreadableResponse,
    VictorOAuth,
)
from victor_ext.providers.flexfactor import FlexFactorAuth
from victor_ext.providers.velo import VeloAuth

pytestmark = pytest.mark.slow
MARK = "marked-and-fake"
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
SYSTEMS = of_every_system(
    __name__,
    {
        "victor": (
            VictorOAuth("id-1", "not-a-secret"),
            lambda client: client.payment_requests.create(**payment()),
        ),
        "velo": (VeloAuth("key-1", "not-a-secret"), lambda client: client.payouts.get("p-1")),
        "flexfactor": (
            FlexFactorAuth("key-1", "not-a-secret"),
            lambda client: client.orders.cancel("3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"),
        ),
    },
    without=("eastpay",),
)
each_mode = pytest.mark.parametrize("mode", MODES)


@pytest.fixture(autouse=True)
def _debug(caplog):
    caplog.set_level(logging.DEBUG)


def assert_shown_nowhere(error, caplog):
    assert_hidden(error, [MARK])
    assert MARK not in repr(pickle.dumps(error)) + repr(copy.copy(error)) + caplog.text


def call(system, mode, script):
    if system == "connected":
        auth = ClientCredentialsAuth("/oauth/token", "id-1", "not-a-secret")
        return Caller(mode, script, auth=auth).call("payments.get_payment", "pay_1")
    auth, make = SYSTEMS[system]
    return called(system, mode, make, script, auth=auth)


@each_mode
@pytest.mark.parametrize("system", [*SYSTEMS, "connected"])
@pytest.mark.parametrize("odd", ODD)
def test_no_call_is_sent_with_an_issued_token_that_no_header_can_hold(system, odd, mode, caplog):
    token = {**TOKEN, "access_token": ODD[odd], "accessToken": ODD[odd]}
    script = Script(None, token=httpx.Response(200, content=json.dumps(token).encode()))
    with pytest.raises(UnreadableResponse, match="no usable token") as raised:
        call(system, mode, script)
    error = raised.value
    assert (error.outcome, error.attempts, error.body) == (Outcome.NOT_SENT, 0, None)
    assert (len(script.for_tokens), script.requests) == (1, [])
    assert_shown_nowhere(error, caplog)
