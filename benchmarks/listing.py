"""Iterating over 100,000 receipts, against raw httpx with json.loads on the same pages; and peak memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import httpx
from victor_api.models import ListPaymentRequestsResponse

from benchmarks.measure import Figure, best_in_turn, compared
from benchmarks.server import PAGE_SIZE, canned_server
from victor_ext import Victor
from victor_ext.runtime.auth.tokens import FixedToken


class FixedAuth:
    """No token is worth measuring here."""

    def authenticator(self, *_: object) -> FixedToken:
        return FixedToken("Token benchmark")


def walk(url: str) -> int:
    """Walk the whole list; how many there were."""
    with Victor(FixedAuth(), base_url=url) as victor:
        return sum(1 for _ in victor.payment_requests.list(page_size=PAGE_SIZE))


def figures(pages: int) -> list[Figure]:
    """Time over `pages` pages, and the growth of peak memory from a tenth of them."""
    with canned_server(pages) as url:
        with httpx.Client(base_url=url) as raw:

            def pages_of_raw() -> list[object]:
                number, found = 0, []
                while results := json.loads(
                    raw.get("/v2/payment-requests", params={"page": number, "page_size": PAGE_SIZE}).content
                )["results"]:
                    found = results
                    number += 1
                return found

            def pages_of_models() -> object:
                number, found = 0, None
                while (
                    page := ListPaymentRequestsResponse.from_dict(
                        raw.get("/v2/payment-requests", params={"page": number, "page_size": PAGE_SIZE}).json()
                    )
                ).results:
                    found = page
                    number += 1
                return found

            contenders: dict[str, Callable[[], object]] = {
                "raw httpx and json.loads": pages_of_raw,
                "generated models": pages_of_models,
                "victor_ext": lambda: walk(url),
            }
            best = best_in_turn(contenders, 3)
        found = compared(f"{pages * PAGE_SIZE:,} receipts", best, "s", 1.0, {"victor_ext": 4.0})
    few, many = _peak(pages // 10), _peak(pages)
    found.append(Figure("peak memory of that", f"{pages // 10} pages", few, "MB", 1.0))
    found.append(Figure("peak memory of that", f"{pages} pages", many, "MB", many / few, 1.1))
    return found


def _peak(pages: int) -> float:
    code = (
        "import sys; from pathlib import Path; from benchmarks.listing import walk; walk(sys.argv[1]); "
        "print(int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]) / 1024)"
    )
    with canned_server(pages) as url:
        done = subprocess.run([sys.executable, "-c", code, url], check=True, capture_output=True, text=True)
    return float(done.stdout)
