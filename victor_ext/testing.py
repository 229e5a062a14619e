"""A pytest plugin with fixtures: a sandbox of the provider, and clients of it.

pytest loads it by itself when the package is installed with the extra `sandbox`:

    def test_an_invoice_is_asked_for_once(victor_sandbox, victor):
        victor_sandbox.inject("lost_answer", operation="create")
        request = victor.payment_requests.create(...)
        assert victor_sandbox.work_done_by_key() == {request.idempotency_key: 1}

Retries of these clients do not wait. A mark sets options of the sandbox:
`@pytest.mark.victor_sandbox(quirks=True, environment="production")`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

import victor_ext

if TYPE_CHECKING:
    from . import AsyncVictor, RetryPolicy, Victor, VictorJwt
    from .sandbox import Sandbox

__all__ = (
    "async_victor",
    "pytest_configure",
    "victor",
    "victor_auth",
    "victor_key_pair",
    "victor_retry",
    "victor_sandbox",
)

_MARK = "victor_sandbox"


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark, and have clients raise what a listener (`on_event`) raises: in production it is logged."""
    os.environ.setdefault("VICTOR_LISTENER_ERRORS", "raise")
    config.addinivalue_line("markers", f"{_MARK}(**settings): settings of the `{_MARK}` fixture (SandboxSettings)")


@pytest.fixture
def victor_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A sandbox for one test, on a free port of this machine, with the demo accounts and counterparties."""
    from .sandbox import Sandbox, SandboxSettings  # noqa: PLC0415 - only tests that use the fixture import it

    mark = request.node.get_closest_marker(_MARK)
    settings: dict[str, Any] = {"demo_data": True, **(mark.kwargs if mark else {})}
    with Sandbox(SandboxSettings(**settings)) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def victor_key_pair() -> tuple[str, str]:
    """An RSA key pair, made once for a run: the private key and the public key, as PEM."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - see above

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


@pytest.fixture
def victor_auth(victor_sandbox: Sandbox, victor_key_pair: tuple[str, str]) -> VictorJwt:
    """Credentials that the sandbox accepts."""
    private, public = victor_key_pair
    return victor_ext.VictorJwt(victor_sandbox.add_api_key(public), private)


@pytest.fixture
def victor_retry() -> RetryPolicy:
    """The retry policy of the clients: the default without waiting. Override it to test another policy."""
    return victor_ext.RetryPolicy(base=0.0)


@pytest.fixture
def victor(victor_sandbox: Sandbox, victor_auth: VictorJwt, victor_retry: RetryPolicy) -> Iterator[Victor]:
    """A client of the sandbox with blocking calls."""
    environment, url = victor_sandbox.settings.environment, victor_sandbox.url
    with victor_ext.Victor(victor_auth, environment=environment, base_url=url, retry=victor_retry) as client:
        yield client


@pytest.fixture
def async_victor(victor_sandbox: Sandbox, victor_auth: VictorJwt, victor_retry: RetryPolicy) -> AsyncVictor:
    """A client of the sandbox with awaited calls. Open it in the test: `async with async_victor: ...`."""
    environment, url = victor_sandbox.settings.environment, victor_sandbox.url
    return victor_ext.AsyncVictor(victor_auth, environment=environment, base_url=url, retry=victor_retry)
