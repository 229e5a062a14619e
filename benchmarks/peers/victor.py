"""victor_ext, as its README says: signed tokens, and all features of the loop on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.peers import number
from victor_ext import AsyncVictor, Victor, VictorJwt, VictorOAuth
from victor_ext._runtime.core.clock import ServerClock

KEY = Path(__file__).parents[2] / "build/benchmarks/rsa-2048.pem"
"""What tokens are signed with: made once for a run, as a user's is."""


def key() -> bytes:
    """The key, which is made when there is none."""
    if not KEY.exists():
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        coding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        KEY.parent.mkdir(parents=True, exist_ok=True)
        KEY.write_bytes(made.private_bytes(coding, form, serialization.NoEncryption()))
    return KEY.read_bytes()


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

    def __init__(self, url: str, auth: VictorJwt | VictorOAuth | None = None) -> None:
        self.client = Victor(auth or VictorJwt("benchmark", key()), base_url=f"{url}/victor")

    def get(self) -> object:
        return self.client.payment_requests.get(f"R{number()}")

    def create(self) -> object:
        return self.client.payment_requests.create(
            payee_account_number="043987673645",
            payer_counterparty_id="aHeq349838",
            amount="44.23",
            biller_type="BUSINESS",
            due_date=datetime.now(UTC).date(),
            client_reference_id="INV-00001001",
        )

    def items(self, page_size: int) -> Iterator[Any]:
        return iter(self.client.payment_requests.list(page_size=page_size))

    def read(self, item: Any) -> tuple[Any, ...]:
        return item.id, item.client_reference_id, item.status, item.amount, item.created_at

    def close(self) -> None:
        self.client.close()


class AwaitedOurs:
    """An awaited client of `victor_ext`."""

    def __init__(self, url: str, reuse: float | None = None) -> None:
        auth = VictorJwt("benchmark", key(), reuse=reuse)
        self.client = AsyncVictor(auth, base_url=f"{url}/victor")

    async def get(self) -> object:
        return await self.client.payment_requests.get(f"R{number()}")

    async def close(self) -> None:
        await self.client.aclose()


def connect(url: str) -> Ours:
    """The client as it comes, which is measured against others."""
    return Ours(url)


def connect_oauth(url: str) -> Ours:
    """The client with the provider's other kind of credentials: nothing is signed."""
    return Ours(url, VictorOAuth("benchmark", "canned-secret"))


def connect_alone(url: str) -> Ours:
    """The client as it comes, as if it were used once a second: it signs a token for each call."""
    return Ours(url, Alone("benchmark", key()))


def connect_reused(url: str) -> Ours:
    """A client that uses a token for 200 seconds."""
    return Ours(url, VictorJwt("benchmark", key(), reuse=200))


def connect_awaited(url: str) -> AwaitedOurs:
    """The awaited client as it comes."""
    return AwaitedOurs(url)


def connect_reused_awaited(url: str) -> AwaitedOurs:
    """An awaited client that uses a token for 200 seconds."""
    return AwaitedOurs(url, reuse=200)
