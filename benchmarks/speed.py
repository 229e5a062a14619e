"""Is a call of the client as fast as one of raw httpx? `make bench` prints the times side by side.

Both ask one server in a process of its own, in turns, over a kept connection.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from functools import cache

import httpx

from benchmarks.server import canned_server
from victor_ext import Victor, VictorJwt

ROUNDS, CALLS = 15, 200
_numbers = itertools.count(1)


def number() -> str:
    """The number of a payment that nobody has asked for, with eight digits."""
    return f"{next(_numbers):05d}001"


@cache
def key() -> bytes:
    """A key that tokens are signed with: made once for a run, as a user's is."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    coding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return made.private_bytes(coding, form, serialization.NoEncryption())


def microseconds(call: Callable[[], object], calls: int) -> float:
    """The time of a call."""
    began = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - began) / calls * 1e6


def main() -> None:
    """Print the median time of each call, and that of the same bytes by raw httpx with `json()`."""
    with (
        canned_server() as server,
        httpx.Client(base_url=f"{server}/victor/v2") as raw,
        Victor(VictorJwt("benchmark", key()), base_url=f"{server}/victor") as victor,
    ):
        requests = victor.payment_requests
        page = "payment-requests?page=1&page_size=100"
        pairs = {
            "get": (
                lambda: requests.get(f"R{number()}"),
                lambda: raw.get(f"payment-requests/R{number()}").json(),
                CALLS,
            ),
            "a page of 100": (
                lambda: [
                    each.id for each in next(iter(requests.list(page_size=100).pages())).items
                ],
                lambda: raw.get(page).json(),
                CALLS // 10,
            ),
        }
        for name, (ours, theirs, calls) in pairs.items():
            times = [
                (microseconds(ours, calls), microseconds(theirs, calls)) for _ in range(ROUNDS)
            ]
            own, other = (statistics.median(each) for each in zip(*times, strict=True))
            print(f"{name:14} {own:8.0f} us, raw httpx {other:8.0f} us: {own / other:.2f} times")


if __name__ == "__main__":
    main()
