"""A signal handler that raises, or a cancellation, while a call waits: what the frames hold there
hides itself.

Celery's soft time limit is such a handler, and reporters of errors show the locals of every frame.
An interruption between two waits is the documented boundary (docs/evidence.md).
"""

import asyncio
import signal
import sys
from contextlib import contextmanager

import pytest

from tests.faults.adapters import each_mode
from tests.faults.raw_provider import CREATE, RawProvider, answer, behave
from tests.security.callers import new_payment
from tests.security.secrets import of_error
from victor_ext import AsyncVictor, Victor, VictorJwt, VictorOAuth

SOON = 0.2
"""Seconds after which a call is interrupted: each of the waits below would last for longer."""
TOKEN = "opaque-token-of-the-interrupted-77aa01ff"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="needs timers that signal"),
]


class SoftTimeLimit(TimeoutError):
    """What a handler raises, as Celery's does in the middle of a task.

    It is no time-out of a socket.
    """


def say_nothing(_exchange):
    pass


def be_busy(exchange):
    exchange.send(answer(b"{}", "503 Busy", "Retry-After: 30"))


WAITS = {
    "for the response": (CREATE, say_nothing),
    "for the next attempt": (CREATE, be_busy),
    "for a token": ("/v2/auth/token", say_nothing),
}


def held_back(background, path, act):
    """A provider that behaves, but at this path."""
    provider = RawProvider(background)
    provider.state.token["access_token"] = TOKEN
    provider.acts_on_tokens = True
    provider.instead = lambda exchange: (act if exchange.request.path == path else behave)(exchange)
    return provider


@contextmanager
def alarm(seconds):
    """After a while a signal handler raises."""

    def ring(*_):
        raise SoftTimeLimit

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def interrupted(auth, payment, options):
    with Victor(auth, **options) as victor:
        with pytest.raises(SoftTimeLimit) as raised, alarm(SOON):
            victor.payment_requests.create(**payment)
        return raised.value


async def cancelled(auth, payment, options):
    async with AsyncVictor(auth, **options) as victor:
        task = asyncio.ensure_future(victor.payment_requests.create(**payment))
        await asyncio.sleep(SOON)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as raised:
            await task
        return raised.value


@pytest.mark.parametrize("wait", WAITS)
@each_mode
def test_the_frames_of_an_interrupted_call_show_no_secret(wait, mode, background, secrets, closed):
    secrets.tokens.append(f"Bearer {TOKEN}")
    auth = VictorOAuth(secrets.client_id, secrets.client_secret)
    if mode == "sync" and wait != "for a token":
        auth = VictorJwt(secrets.api_key, secrets.private_key, reuse=600)
    provider = closed(held_back(background, *WAITS[wait]))
    options = {"base_url": provider.url(), "timeout": 30.0}
    payment = new_payment()
    if mode == "sync":
        error = interrupted(auth, payment, options)
    else:
        error = asyncio.run(cancelled(auth, payment, options))
    # a token and a payment, and nothing again
    assert len(provider.record.requests) <= 2
    secrets.check(of_error(error))
