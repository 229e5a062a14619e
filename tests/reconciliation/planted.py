"""A sandbox of Victor with requests, and a book of ours that differs from it in known ways."""

import csv
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.providers.victor.adapter import payment
from victor_ext import Victor, VictorOAuth, zulu
from victor_ext.sandbox import Sandbox, SandboxSettings

COLUMNS = ("client_reference_id", "id", "key", "amount", "currency", "at")
WORKERS, ROWS = 8, 80
SETTINGS = SandboxSettings(demo_data=True, auto=None)


class Planted:
    """The sandbox's requests, our rows, and what has to be found."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        limits = httpx.Limits(max_connections=2 * WORKERS)
        self.victor = Victor(
            VictorOAuth(*sandbox.add_oauth_client()), base_url=sandbox.url, limits=limits
        )
        self.rows: list[dict[str, str]] = []
        self.expected: Counter[str] = Counter()
        self.start = self.now() - timedelta(hours=1)
        self.end = self.now() + timedelta(hours=2)
        self.window = {"start": self.start, "end": self.end}

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.sandbox.clock()["now"], UTC)

    def ask(self, reference: str, payer: str = "ignoresRfp", **options: Any) -> Any:
        more = {"due_date": self.now().date(), "client_reference_id": reference, **options}
        return self.victor.payment_requests.create(**payment(payer_counterparty_id=payer, **more))

    def ours(self, kind: str, reference: str, amount: str = "44.23", **cells: str) -> None:
        self.expected[kind] += 1
        self.rows.append(
            {"client_reference_id": reference, "amount": amount, "currency": "USD", **cells}
        )

    def plant(self, rows: int) -> None:
        """Many that match, and some of each kind of difference."""
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(self.ask, (f"INV-{n}" for n in range(rows))))
        for n in range(rows):
            self.ours("matched", f"INV-{n}")
        self._differing()
        self._asked_twice()
        self._modified()
        self._at_the_edges()

    def _differing(self) -> None:
        for n in range(5):
            self.ours("missing", f"MISSING-{n}", key=f"key-of-a-missing-one-{n}")
            self.ask(f"UNKNOWN-{n}")
            self.expected["unknown"] += 1
            self.ask(f"AMOUNT-{n}")
            self.ours("differs", f"AMOUNT-{n}", "44.24")
            self.ask(f"CURRENCY-{n}")
            self.ours("differs", f"CURRENCY-{n}", currency="EUR")
            request = self.ask(f"REFERENCE-{n}")
            self.ours("differs", f"ANOTHER-{n}", id=request.id)
            by_id = self.ask(f"ID-{n}")
            self.ours("matched", "", id=by_id.id)
        self.ours("unchecked", "", key="key-of-one-without-a-reference")
        self.ask("TWICE-OURS")
        self.ours("matched", "TWICE-OURS")
        self.ours("repeated", "TWICE-OURS")

    def _asked_twice(self) -> None:
        for n in range(3):
            self.ask(f"TWICE-{n}")
            self.ask(f"TWICE-{n}")
            self.ours("matched", f"TWICE-{n}")
            self.expected["duplicate"] += 1

    def _modified(self) -> None:
        request = self.ask("MODIFIED", payer="aHeq349838", amount_modification_allowed=True)
        self.sandbox.advance(60)
        twin = self.victor.payment_requests.wait(request.id, until="pending", timeout=5).child_id
        self.victor.payment_requests.accept(twin, notes="Less.", modified_amount="40.00")
        self.ours("modified", "MODIFIED")

    def _at_the_edges(self) -> None:
        """Two hours later: the end of the window is near, and then it is past."""
        self.sandbox.advance((self.end - self.now()).total_seconds() - 120)
        self.ask("NEAR-THE-END")
        self.expected["at_edge"] += 1
        self.ask("OURS-NEAR-THE-END")
        self.ours("matched", "OURS-NEAR-THE-END")
        self.sandbox.advance(240)
        self.ask("JUST-AFTER")
        self.ours("matched", "JUST-AFTER", at=zulu.format(self.end - timedelta(milliseconds=100)))
        self.ask("OF-THE-NEXT-BOOK")
        self.sandbox.advance(3600)
        late = self.ask("AN-HOUR-LATE")
        self.ours("matched", "AN-HOUR-LATE", id=late.id)
        self.rows.append(
            {
                "client_reference_id": "NEXT-DAY",
                "amount": "1",
                "at": zulu.format(self.end + timedelta(days=1)),
            }
        )

    def write(self, path: Path, rows: Iterable[dict[str, str]] | None = None) -> Path:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(self.rows if rows is None else rows)
        return path
