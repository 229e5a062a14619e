from __future__ import annotations

from contextlib import ExitStack

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sandbox_callers import Caller

from victor_ext.sandbox import Sandbox, SandboxSettings

API_KEY = "7d2c6a3e-3a64-4a0b-8f0e-5f0f4ad1b4c1"


def make_pair(size=2048) -> tuple[str, str]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=size)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return pem, public


@pytest.fixture(scope="session")
def key_pair() -> tuple[str, str]:
    """Private and public key, as PEM."""
    return make_pair()


@pytest.fixture(scope="session")
def other_pair() -> tuple[str, str]:
    return make_pair()


@pytest.fixture
def start(key_pair):
    """Start a sandbox with options: returns it and a caller who is known to it."""
    with ExitStack() as stack:

        def started(**options) -> tuple[Sandbox, Caller]:
            sandbox = stack.enter_context(Sandbox(SandboxSettings(**options)))
            sandbox.add_api_key(key_pair[1], API_KEY)
            caller = Caller(sandbox.url, API_KEY, key_pair[0])
            stack.callback(caller.http.close)
            return sandbox, caller

        yield started


@pytest.fixture
def both(start):
    return start()


@pytest.fixture
def sandbox(both) -> Sandbox:
    return both[0]


@pytest.fixture
def caller(both) -> Caller:
    return both[1]
