"""A key that never leaves its KMS: a function signs, blocking and awaited, within the deadline of
the call.
"""

import asyncio
import base64
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.providers.running import Script, run
from tests.runtime.fakes import BOTH, OK, Harness
from victor_ext import AsyncVictor, ConfigurationError, DeadlineExceeded, Outcome, Victor, VictorJwt


class Kms:
    """Has the key, and counts what it is asked. `acts` are what it does first, in turn."""

    def __init__(self, private_key):
        self._key = load_pem_private_key(private_key.encode(), None)
        self.public_key = self._key.public_key()
        self.acts = []
        self.asked = 0

    def sign(self, content):
        self.asked += 1
        if self.acts:
            self.acts.pop(0)()
        return self._key.sign(content, PKCS1v15(), SHA512())

    async def sign_awaited(self, content):
        await asyncio.sleep(0)
        return self.sign(content)


@pytest.fixture
def kms(victor_key_pair):
    return Kms(victor_key_pair[0])


def harness_of(mode, kms):
    auth = VictorJwt("key-1", sign=kms.sign)
    url = httpx.URL("https://pay.example")
    return Harness([OK], mode, auth=partial(auth.authenticator, "production", url))


def issued(harness, kms):
    """When the tokens were issued that reached the provider, each verified."""
    options = {"verify_exp": False, "verify_iat": False}
    tokens = [(one.token or "").removeprefix("Token ") for one in harness.received]
    verify = partial(jwt.decode, key=kms.public_key, algorithms=["RS512"], options=options)
    return [verify(token)["iat"] for token in tokens]


@pytest.mark.parametrize("mode", BOTH)
def test_one_token_serves_all_calls_until_shortly_before_its_end(mode, kms):
    """Also those of many threads: see tests/runtime/auth/test_oauth_token.py."""
    harness = harness_of(mode, kms)
    pauses = (0.0, 100.0, 79.0, 10.0)
    for seconds in pauses:
        harness.clock.passed += seconds
        harness.call()
    assert kms.asked == 2
    first, *_, last = issued(harness, kms)
    assert last - first == sum(pauses)


@pytest.mark.parametrize("mode", BOTH)
def test_a_renewal_that_fails_with_anything_costs_nothing_while_the_token_is_good(mode, kms):
    harness = harness_of(mode, kms)
    harness.call()
    kms.acts.append(lambda: 1 / 0)
    harness.clock.passed += 200.0
    harness.call()
    assert (kms.asked, len({*issued(harness, kms)})) == (2, 1)


@pytest.fixture
def sandbox_with(victor_sandbox):
    api_key, private_key = victor_sandbox.new_api_key()
    return api_key, Kms(private_key), victor_sandbox.url


def test_the_sandbox_accepts_what_a_function_signs(sandbox_with):
    api_key, kms, url = sandbox_with
    with Victor(VictorJwt(api_key, sign=kms.sign), base_url=url) as victor:
        assert victor.ping()


@pytest.mark.parametrize("sign", [Kms.sign, Kms.sign_awaited])
def test_fifty_tasks_have_the_kms_sign_once(sign, sandbox_with):
    api_key, kms, url = sandbox_with

    async def calls():
        auth = VictorJwt(api_key, sign=partial(sign, kms))
        async with AsyncVictor(auth, base_url=url) as victor:
            await asyncio.gather(*(victor.ping() for _ in range(50)))

    asyncio.run(calls())
    assert kms.asked == 1


@pytest.mark.parametrize("kind", ["blocking", "awaited plain", "awaited"])
def test_a_function_that_hangs_is_left_behind_at_the_deadline(kind, kms):
    async def forever(_content):
        await asyncio.sleep(30)

    never, script, began = threading.Event(), Script(OK), time.monotonic()
    kms.acts.append(lambda: never.wait(30))
    auth = VictorJwt("key-1", sign=forever if kind == "awaited" else kms.sign)
    words = r"sign did not return within the 0\.(3|2\d+) s"
    with pytest.raises(DeadlineExceeded, match=words) as raised:
        run(
            Victor if kind == "blocking" else AsyncVictor,
            lambda victor: victor.payment_requests.get("R1"),
            auth,
            transport=script.transport,
            deadline=0.3,
        )
    never.set()
    assert time.monotonic() - began < 5
    assert (raised.value.outcome, script.requests) == (Outcome.NOT_SENT, [])


async def sign_awaited(content):
    return content


NOT_AWAITED = "is a coroutine function, but the calls of this client block"
NO_SIGNATURE = "must return the bytes of an RS512 signature"


@pytest.mark.parametrize(
    ("sign", "words"),
    [
        (sign_awaited, NOT_AWAITED),
        (lambda content: sign_awaited(content + b""), NOT_AWAITED),
        (lambda content: None, f"{NO_SIGNATURE}, not NoneType"),
        (lambda content: "c2ln", f"{NO_SIGNATURE}, not str"),
        (lambda content: b"", NO_SIGNATURE),
        (lambda content: base64.b64encode(bytes(range(256))), "in base64 or hex: decode it"),
        (lambda content: bytes(range(256)).hex().encode(), "in base64 or hex: decode it"),
    ],
)
def test_a_function_that_does_not_sign_is_refused_with_the_reason(sign, words):
    victor = Victor(VictorJwt("key-1", sign=sign), transport=Script(OK).transport)
    with pytest.raises(ConfigurationError, match=words):
        victor.ping()


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((), {}, "Pass private_key, or sign"),
        (("pem",), {"sign": len}, "Pass private_key, or sign"),
        ((), {"sign": "pem"}, "sign must be a function"),
        ((), {"sign": len, "password": "x"}, "without a password"),
    ],
)
def test_a_private_key_or_a_function_is_needed_and_never_both(arguments, options, words):
    with pytest.raises(ConfigurationError, match=words):
        VictorJwt("key-1", *arguments, **options)


@pytest.mark.slow
def test_the_example_of_a_kms_signs_one_token_for_five_calls():
    example = Path(__file__).resolve().parents[3] / "examples" / "kms_signing.py"
    ran = subprocess.run(
        [sys.executable, "-W", "error", example], capture_output=True, text=True, check=True
    )
    assert ran.stderr == ""
    assert "has signed 1 token for 5 calls" in ran.stdout
