"""A signal handler that raises, or a cancellation, while a call waits: no frame of ours shows what
the call holds.

Celery's soft time limit is such a handler, and reporters of errors show the locals of every frame.
"""

import asyncio
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import pytest

import victor_ext
from tests.faults.certificates import Authority
from tests.faults.raw_provider import CREATE, Act, Exchange, RawProvider, answer, behave
from tests.faults.raw_sockets import Background, deaf, full
from tests.faults.test_damaged_answers import WHOLE, Damage
from tests.security.journeys import Caller, Journeys
from tests.security.recorder import RecordingProxy
from tests.security.secrets import ACCOUNT, Secrets, of_error, of_frames
from victor_ext import AsyncVictor, RetryPolicy, Victor, VictorError, VictorJwt, VictorOAuth

SOON = 0.2
"""Seconds after which a call is interrupted.

Each of the waits below would last for longer than a test may.
"""

TOKEN_PATH = "/v2/auth/token"
TOKEN = "opaque-token-of-the-interrupted-77aa01ff"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="needs timers that signal"),
]


class SoftTimeLimit(TimeoutError):
    """What a handler raises, as Celery's does in the middle of a task.

    It is no time-out of a socket.
    """


class Stage:
    """A provider whose responses can be held back, and the client that is to wait for one."""

    def __init__(self, background: Background, authority: Authority, stack: ExitStack) -> None:
        self.background, self.authority, self.stack = background, authority, stack
        self.provider = RawProvider(background)
        self.provider.state.token["access_token"] = TOKEN
        stack.callback(self.provider.close)
        self.options: dict[str, Any] = {"base_url": self.provider.url(), "timeout": 30.0}
        self.call: dict[str, Any] = {}
        self.calls = 1
        self.soon = SOON

    def hold(self, path: str, act: Act = lambda exchange: None) -> None:
        """Behave, but at this path."""
        self.provider.acts_on_tokens = True
        self.provider.instead = lambda exchange: (act if exchange.request.path == path else behave)(
            exchange
        )


def connecting(stage: Stage) -> None:
    stage.options["base_url"] = (
        f"http://127.0.0.1:{stage.stack.enter_context(full('127.0.0.1', 0))}"
    )


def shaking_hands(stage: Stage) -> None:
    stage.options["base_url"] = (
        f"https://127.0.0.1:{stage.provider.port}"  # which speaks no TLS, and waits for more
    )


def opening_a_tunnel(stage: Stage) -> None:
    proxy = RecordingProxy(stage.background, 1, answer=b"")
    stage.stack.callback(proxy.close)
    address = f"http://user:{Secrets('').password}@127.0.0.1:{proxy.port}"
    stage.options.update(
        base_url="https://pay.example", proxy=address, verify=stage.authority.trusted()
    )


def sending(stage: Stage) -> None:
    stage.options["base_url"] = f"http://127.0.0.1:{stage.stack.enter_context(deaf())}"
    stage.call["extra_body"] = {"more": "x" * 20_000_000}
    stage.soon = 1.5  # so much is checked and copied first


def reading(stage: Stage) -> None:
    stage.hold(CREATE)


def reading_on(stage: Stage) -> None:
    stage.hold(CREATE, lambda exchange: exchange.send(answer(exchange.work())[:-5]))


def waiting_for_the_next_attempt(stage: Stage) -> None:
    stage.hold(CREATE, lambda exchange: exchange.send(answer(b"{}", "503 Busy", "Retry-After: 30")))


def waiting_for_a_connection(stage: Stage) -> None:
    stage.hold(CREATE)
    stage.options.update(limits=httpx.Limits(max_connections=1), retry=RetryPolicy(max_attempts=1))
    stage.calls = 2


def fetching_a_token(stage: Stage) -> None:
    stage.hold(TOKEN_PATH)


def reading_a_token(stage: Stage) -> None:
    stage.hold(TOKEN_PATH, lambda exchange: exchange.send(answer(exchange.work())[:-5]))


WAITS = [
    connecting,
    shaking_hands,
    opening_a_tunnel,
    sending,
    reading,
    reading_on,
    waiting_for_the_next_attempt,
    waiting_for_a_connection,
    fetching_a_token,
    reading_a_token,
]


FOR_A_TOKEN = (fetching_a_token, reading_a_token)


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """After a while a signal handler raises."""

    def ring(*_: object) -> None:
        raise SoftTimeLimit

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def interrupted(
    stage: Stage, auth: Any, payment: dict[str, Any], secrets: Secrets
) -> BaseException:
    with Victor(auth, **stage.options) as victor:
        if isinstance(auth, VictorJwt):
            secrets.tokens.append(victor.authorization())
        others = [
            threading.Thread(target=refused, args=[victor, payment]) for _ in range(1, stage.calls)
        ]
        for other in others:
            other.start()
            stage.provider.quiet.wait_for(
                lambda: bool(stage.provider.record.sent_to(CREATE)), "the other call"
            )
        before = len(stage.provider.record.requests)
        with pytest.raises(SoftTimeLimit) as raised, alarm(stage.soon):
            victor.payment_requests.create(**payment)
        # a token and a payment, and nothing again
        assert len(stage.provider.record.requests) - before <= 2
        stage.stack.close()
        for other in others:
            other.join()
    return raised.value


def refused(victor: Victor, payment: dict[str, Any]) -> None:
    with pytest.raises(VictorError):
        victor.payment_requests.create(**payment)


async def cancelled(
    stage: Stage, auth: Any, payment: dict[str, Any], secrets: Secrets
) -> BaseException:
    async with AsyncVictor(auth, **stage.options) as victor:
        if isinstance(auth, VictorJwt):
            secrets.tokens.append(await victor.authorization())
        tasks = [
            asyncio.ensure_future(victor.payment_requests.create(**payment))
            for _ in range(stage.calls)
        ]
        await asyncio.sleep(stage.soon)
        for task in tasks:
            task.cancel()
        *_, last = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(last, asyncio.CancelledError)
    return last


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("mode", ["sync", "async"])
def test_no_frame_shows_what_the_call_holds(
    wait: Callable[[Stage], None],
    mode: str,
    background: Background,
    authority: Authority,
    secrets: Secrets,
) -> None:
    secrets.tokens.append(f"Bearer {TOKEN}")
    auth = VictorOAuth(secrets.client_id, secrets.client_secret)
    if mode == "sync" and wait not in FOR_A_TOKEN:
        auth = VictorJwt(secrets.api_key, secrets.private_key, reuse=600)
    with ExitStack() as stack:
        stage = Stage(background, authority, stack)
        wait(stage)
        payment = {**Journeys().payment()(None), **stage.call}  # type: ignore[arg-type] # it needs no sandbox
        if mode == "sync":
            error = interrupted(stage, auth, payment, secrets)
        else:
            error = asyncio.run(cancelled(stage, auth, payment, secrets))
        del payment
        secrets.check(of_error(error))
        secrets.check(of_frames(error, (str(Path(httpx.__file__).parent),)))


PACKAGE = Path(victor_ext.__file__).parent
WIRE = (
    *(str(PACKAGE / "runtime" / name) for name in ("http", "core/response.py")),
    str(Path(httpx.__file__).parent),
)


@contextmanager
def looking_at_each_line(
    credentials: Sequence[str], sent: Sequence[str], found: set[str]
) -> Iterator[None]:
    """Find the locals that show credentials, or on the wire what is sent, at each line at which a
    signal may come.
    """

    def look(frame: FrameType, _event: str, _argument: object) -> Any:
        code = frame.f_code
        on_the_wire = code.co_filename.startswith(WIRE)
        if not on_the_wire and not code.co_filename.startswith(str(PACKAGE)):
            return None
        hidden = (*credentials, *sent) if on_the_wire else credentials
        for name, value in frame.f_locals.items():
            with suppress(AttributeError):  # an object that is being made
                if any(secret in repr(value) for secret in hidden):
                    found.add(f"{name} in {code.co_qualname} ({Path(code.co_filename).name})")
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        yield
    finally:
        sys.settrace(before)


@pytest.mark.parametrize(("mode", "tls"), [("sync", False), ("async", True)])
def test_no_line_has_a_local_that_shows_credentials_or_bytes_on_the_wire(
    mode: str, tls: bool, background: Background, authority: Authority, secrets: Secrets
) -> None:
    provider, found = RawProvider(background, tls=authority.server() if tls else None), set[str]()
    provider.state.token["access_token"] = TOKEN
    auth = VictorOAuth(secrets.client_id, secrets.client_secret)
    options: dict[str, Any] = {
        "base_url": provider.url(),
        "verify": authority.trusted(),
        "deadline": 10.0,
    }

    for damage in WHOLE:

        def act(exchange: Exchange, damage: Damage = damage) -> None:
            exchange.send(
                damage.make(json.dumps({**json.loads(exchange.work()), "to": ACCOUNT}).encode())
            )
            exchange.end(damage.then or "stall")

        provider.instead = act
        caller = Caller(mode, auth, **options)
        with looking_at_each_line((secrets.client_secret, TOKEN), (ACCOUNT,), found):
            made = caller("create", **{**Journeys().payment()(None), "notes": "caf\u00e9"})  # type: ignore[arg-type] # it needs no sandbox
        caller.close()
        assert not isinstance(made, Exception), (damage, made)
    provider.close()
    assert found == set()
