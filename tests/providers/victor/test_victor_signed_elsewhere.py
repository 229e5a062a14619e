"""A key that never leaves its KMS: a function signs, blocking and awaited, within the deadline of
the call.
"""

import subprocess
import sys
from functools import partial
from pathlib import Path

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.runtime.fakes import BOTH, OK, Harness
from victor_ext import ConfigurationError, VictorJwt


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
def test_a_renewal_that_fails_with_anything_costs_nothing_while_the_token_is_good(mode, kms):
    harness = harness_of(mode, kms)
    harness.call()
    kms.acts.append(lambda: 1 / 0)
    harness.clock.passed += 200.0
    harness.call()
    assert (kms.asked, len({*issued(harness, kms)})) == (2, 1)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((), {}, "Pass private_key, or sign"),
        (("pem",), {"sign": len}, "Pass private_key, or sign"),
        ((), {"sign": "pem"}, "sign must be a function"),
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
