"""One `get` on a kept connection, against raw httpx doing the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from victor_api.api.payment_requests import get_payment_request
from victor_api.client import Client

from benchmarks.measure import Figure, best_in_turn, compared, seconds
from victor_ext import AsyncVictor, Victor, VictorJwt

CALLS = 300
ROUNDS = 12
PATH = "/v2/payment-requests/R00001001"


def figures(url: str) -> list[Figure]:
    """Blocking and awaited calls, and what signing adds."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    header = {"Authorization": f"Token {_signature(key)}", "Accept": "application/json"}
    with (
        httpx.Client(base_url=url, headers=header) as raw,
        Client(base_url=url).set_httpx_client(httpx.Client(base_url=url, headers=header)) as generated,
        Victor(VictorJwt("bench", key, reuse=200), base_url=url) as reusing,
        Victor(VictorJwt("bench", key), base_url=url) as signing,
    ):
        contenders: dict[str, Callable[[], object]] = {
            "raw httpx, get and json()": lambda: raw.get(PATH).json(),
            "generated layer alone": lambda: get_payment_request.sync("R00001001", client=generated),
            "victor_ext, token reused": lambda: reusing.payment_requests.get("R00001001"),
        }
        best = best_in_turn({name: _many(action) for name, action in contenders.items()}, ROUNDS)
        signed = best_in_turn(
            {
                "one RS512 signature, 2048 bits": _many(lambda: _signature(key), 50),
                "victor_ext, token per call": _many(lambda: signing.payment_requests.get("R00001001"), 50),
            },
            6,
        )
    micro = 1e6 / CALLS
    found = compared("one get", best, "us", micro, {"victor_ext, token reused": 1.35})
    base = best["victor_ext, token reused"] * micro + signed["one RS512 signature, 2048 bits"] * 1e6 / 50
    for name, value in signed.items():
        ratio = None if "signature" in name else value * 1e6 / 50 / base
        found.append(Figure("one get, signed afresh", name, value * 1e6 / 50, "us", ratio))
    return found + _awaited(url, key)


def _signature(key: rsa.RSAPrivateKey) -> str:
    now = int(time.time())
    claims = {"sub": "bench", "iss": "victor-api", "iat": now, "exp": now + 240}
    return jwt.encode(claims, key, algorithm="RS512")


def _many(action: Callable[[], object], times: int = CALLS) -> Callable[[], object]:
    def run() -> None:
        for _ in range(times):
            action()

    return run


def _awaited(url: str, key: rsa.RSAPrivateKey) -> list[Figure]:
    async def main() -> dict[str, float]:
        best = {"raw httpx.AsyncClient": float("inf"), "victor_ext, token reused": float("inf")}
        async with (
            httpx.AsyncClient(base_url=url) as raw,
            AsyncVictor(VictorJwt("bench", key, reuse=200), base_url=url) as ours,
        ):
            for _ in range(ROUNDS + 1):
                began = time.perf_counter()
                for _ in range(CALLS):
                    (await raw.get(PATH)).json()
                between = time.perf_counter()
                for _ in range(CALLS):
                    await ours.payment_requests.get("R00001001")
                ended = time.perf_counter()
                best["raw httpx.AsyncClient"] = min(best["raw httpx.AsyncClient"], between - began)
                best["victor_ext, token reused"] = min(best["victor_ext, token reused"], ended - between)
        return best

    found: dict[str, float] = {}
    seconds(lambda: found.update(asyncio.run(main())))
    return compared("one get, awaited", found, "us", 1e6 / CALLS, {})
