"""victor_ext, as its README says: signed tokens, and all features of the loop on."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from benchmarks.peers import number
from victor_ext import AsyncVictor, RetryPolicy, Victor, VictorJwt, VictorOAuth
from victor_ext.runtime.core.clock import ServerClock
from victor_ext.runtime.http import connection_pool

KEYS = Path(__file__).parents[2] / "build/benchmarks"
"""Where the keys are that tokens are signed with: made once for a run, as a user's are."""


def key(bits: int) -> bytes:
    """A key of this size; made when there is none."""
    path = KEYS / f"rsa-{bits}.pem"
    if not path.exists():
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        made = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        coding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        path.parent.mkdir(parents=True, exist_ok=True)
        partial_file = path.with_suffix(f".{os.getpid()}")
        partial_file.write_bytes(made.private_bytes(coding, form, serialization.NoEncryption()))
        partial_file.replace(path)  # another process may make one at the same time
    return path.read_bytes()


def payment() -> Any:
    """The arguments of `create`."""
    return {
        "payee_account_number": "043987673645",
        "payer_counterparty_id": "aHeq349838",
        "amount": "44.23",
        "biller_type": "BUSINESS",
        "due_date": datetime.now(UTC).date(),
        "client_reference_id": "INV-00001001",
    }


def read(item: Any) -> tuple[Any, ...]:
    """Five fields of a payment request."""
    return item.id, item.client_reference_id, item.status, item.amount, item.created_at


class LaterEachTime(ServerClock):
    """A clock by which each call is made a second after the one before."""

    def __init__(self) -> None:
        super().__init__()
        self._seconds = itertools.count()

    def now(self) -> float:
        return super().now() + next(self._seconds)


class Alone(VictorJwt):
    """Credentials of a client that calls once a second, without the wait: each call signs a
    token.
    """

    def authenticator(self, environment: str, base_url: Any, clock: Any, lock: Any) -> Any:  # noqa: ARG002 - another clock
        return super().authenticator(environment, base_url, LaterEachTime(), lock)


class Ours:
    """A client of `victor_ext`."""

    def __init__(
        self, url: str, *, auth: VictorJwt | VictorOAuth | None = None, **options: Any
    ) -> None:
        self.client = Victor(
            auth or VictorJwt("benchmark", key(2048)), base_url=f"{url}/victor", **options
        )
        self.read = read

    def get(self) -> object:
        return self.client.payment_requests.get(f"R{number()}")

    def create(self) -> object:
        return self.client.payment_requests.create(**payment())

    def items(self, page_size: int) -> Iterator[Any]:
        return iter(self.client.payment_requests.list(page_size=page_size))

    def close(self) -> None:
        self.client.close()


class AwaitedOurs:
    """An awaited client of `victor_ext`."""

    def __init__(self, url: str, *, reuse: float | None = None, **options: Any) -> None:
        self.client = AsyncVictor(
            VictorJwt("benchmark", key(2048), reuse=reuse), base_url=f"{url}/victor", **options
        )

    async def get(self) -> object:
        return await self.client.payment_requests.get(f"R{number()}")

    async def create(self) -> object:
        return await self.client.payment_requests.create(**payment())

    def items(self, page_size: int) -> AsyncIterator[Any]:
        return aiter(self.client.payment_requests.list(page_size=page_size))

    async def close(self) -> None:
        await self.client.aclose()


class Signature:
    """One signed token, and no call."""

    def __init__(self, bits: int) -> None:
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        self.key: Any = load_pem_private_key(key(bits), None)

    def get(self) -> object:
        from victor_ext.runtime.auth.signed_tokens import signed_token

        return signed_token(
            {"sub": "benchmark", "iss": "victor-api", "iat": 1, "exp": 240}, self.key
        )

    create = get

    def items(self, page_size: int) -> Any:
        raise NotImplementedError

    def read(self, item: Any) -> tuple[Any, ...]:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""


def connect(url: str) -> Ours:
    """The client as it comes, which is measured against others."""
    return Ours(url)


def connect_oauth(url: str) -> Ours:
    """The client with the provider's other kind of credentials: nothing is signed."""
    return Ours(url, auth=VictorOAuth("benchmark", "canned-secret"))


def connect_alone(url: str, bits: int = 2048) -> Ours:
    """The client as it comes, as if it were used once a second: it signs a token for each call."""
    return Ours(url, auth=Alone("benchmark", key(bits)))


def connect_reused(url: str, bits: int = 2048) -> Ours:
    """A client that uses a token for 200 seconds."""
    return Ours(url, auth=VictorJwt("benchmark", key(bits), reuse=200))


def connect_awaited(url: str) -> AwaitedOurs:
    """The awaited client as it comes."""
    return AwaitedOurs(url)


def connect_reused_awaited(url: str) -> AwaitedOurs:
    """An awaited client that uses a token for 200 seconds."""
    return AwaitedOurs(url, reuse=200)


def connect_unrested(url: str) -> Ours:
    """A client whose writes use a connection at once, which is not safe.

    It has a process of its own.
    """
    connection_pool.REUSE_DELAY = 0.0
    return Ours(url)


MANY = httpx.Limits(max_connections=300)


def _ignored(_: object) -> None:
    """Take an event."""


VARIANTS: dict[str, Any] = {
    "signature_2048": lambda _: Signature(2048),
    "signature_4096": lambda _: Signature(4096),
    "reused_2048": connect_reused,
    "signed_2048": connect_alone,
    "reused_4096": partial(connect_reused, bits=4096),
    "signed_4096": partial(connect_alone, bits=4096),
    "rest_none": connect_unrested,
    "rest_default": Ours,
    "rest_many": partial(Ours, limits=MANY),
    "rest_none_tls": connect_unrested,
    "rest_default_tls": Ours,
    "rest_many_tls": partial(Ours, limits=MANY),
    "features_default": Ours,
    "features_none": partial(Ours, deadline=None, retry=RetryPolicy(max_attempts=1)),
    "features_all": partial(Ours, max_concurrency=64, on_event=_ignored),
}
"""Clients with other settings, measured beside each other."""
