"""Whoever replaces a function that httpx connects or sends with stands on our way, too."""

import gc
import warnings
from pkgutil import resolve_name
from unittest import mock

import anyio
import pytest

from tests.cases import cases_beside
from tests.faults.raw_sockets import serving
from tests.security.recorder import ANSWER
from victor_ext import AsyncVictor, RetryPolicy, Victor, VictorJwt

PLACES = cases_beside(__file__, "originals")
"""Functions that send, and those that connect, by who calls them."""

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
CREDENTIALS = VictorJwt("key-1", sign=lambda _content: b"not a signature")
OPTIONS = {"deadline": 5.0, "retry": RetryPolicy(max_attempts=1)}


def cases(what):
    for mode in ("sync", "asyncio", "trio"):
        for place in PLACES[what][mode] + ([] if mode == "sync" else PLACES[what]["awaited"]):
            yield pytest.param(mode, place, id=f"{mode}-{place}")


class Provider:
    """Answers everything, in a thread that asyncio does not run."""

    url: str
    requests = 0

    def __call__(self, accepted):
        while accepted.recv(65536):
            self.requests += 1
            accepted.sendall(ANSWER)


@pytest.fixture(scope="module")
def listening():
    made = Provider()
    with serving(made) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made
    # what is stopped on httpx's way leaves its socket open
    with warnings.catch_warnings(action="ignore"):
        gc.collect()


@pytest.fixture
def provider(listening):
    listening.requests = 0
    return listening


def call(mode, provider, *replaced):
    """A call; with the replaced, a second one of the same client."""
    if mode != "sync":
        return anyio.run(awaited, provider, *replaced, backend=mode)
    with Victor(CREDENTIALS, base_url=provider.url, **OPTIONS) as victor:
        victor.payment_requests.get("b34783af0")
        for place in replaced:
            with replacing(place):
                victor.payment_requests.get("b34783af0")
    return None


async def awaited(provider, *replaced):
    async with AsyncVictor(CREDENTIALS, base_url=provider.url, **OPTIONS) as victor:
        await victor.payment_requests.get("b34783af0")
        for place in replaced:
            with replacing(place):
                await victor.payment_requests.get("b34783af0")


class Stopped(Exception):
    pass


def stop(*_, **__):
    raise Stopped


def replacing(place):
    owner, _, name = place.replace(":", ".").rpartition(".")
    return mock.patch.object(resolve_name(owner), name, stop)


@pytest.mark.parametrize(("mode", "place"), [*cases("send"), *cases("connect")])
def test_a_replaced_httpx_function_stops_a_call_on_a_new_connection(provider, mode, place):
    with pytest.raises((Stopped, ExceptionGroup)), replacing(place):
        call(mode, provider)
    assert provider.requests == 0
    call(mode, provider)
    assert provider.requests == 1


@pytest.mark.parametrize(("mode", "place"), [*cases("send")])
def test_a_replaced_httpx_function_stops_a_call_on_a_kept_connection(provider, mode, place):
    with pytest.raises((Stopped, ExceptionGroup)):
        call(mode, provider, place)
    assert provider.requests == 1
