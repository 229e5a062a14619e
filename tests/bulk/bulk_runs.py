"""Run `victor bulk`, and look at the sandbox's record afterwards."""

import csv
import sqlite3
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tests.cli.victor_command import Command, Ran
from victor_ext import idempotency_key_for
from victor_ext.sandbox import SandboxCommands

PATIENCE = 120.0
CLOCK = Path(__file__).parent / "shifted_clock"
KEY = ("--key-column", "invoice_no")
Senders = Callable[..., Any]
COLUMNS = (
    "invoice_no",
    "payee_account_number",
    "payer_counterparty_id",
    "amount",
    "biller_type",
    "due_date",
    "region",
)
ACCOUNT = "917364550218"


def today() -> date:
    """The due date of all rows: the day in UTC."""
    return datetime.now(UTC).date()


def row(number: int, **changes: object) -> dict[str, str]:
    good = {
        "invoice_no": f"INV-{number}",
        "payee_account_number": ACCOUNT,
        "payer_counterparty_id": "aHeq349838",
        "amount": f"{number % 900 + 1}.23",
        "biller_type": "BUSINESS",
        "due_date": today().isoformat(),
        "region": "north",
    }
    return {**good, **{name: str(value) for name, value in changes.items()}}


def rows(count: int, start: int = 1) -> list[dict[str, str]]:
    return [row(number) for number in range(start, start + count)]


def write_csv(path: Path, records: Sequence[dict[str, str]]) -> Path:
    columns = list(dict.fromkeys(name for record in records for name in record))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(records)
    return path


def keys_of(records: Sequence[dict[str, str]], column: str = "invoice_no") -> set[str]:
    return {idempotency_key_for("invoice", record[column]) for record in records}


def store_only(sender: Any, records: Any) -> None:
    def stop(_status: object) -> None:
        raise InterruptedError

    with suppress(InterruptedError):
        sender.send(records, on_progress=stop)


def outbound(sandbox: SandboxCommands) -> list[dict[str, Any]]:
    """The requests that came from us."""
    return [request for request in sandbox.requests() if request["direction"] == "outbound"]


def change_state(path: Path, statement: str) -> None:
    """Change what an SQLite state has, as somebody else may."""
    with closing(sqlite3.connect(path, timeout=30)) as database, database:
        database.execute(statement)


def asked_once(sandbox: SandboxCommands, keys: set[str]) -> None:
    """The sandbox made exactly one request under each of these keys."""
    made = {key: count for key, count in sandbox.work_done_by_key().items() if key in keys}
    assert made == dict.fromkeys(keys, 1)


@dataclass(frozen=True)
class Bulk(Command):
    """`victor bulk`."""

    patience: float = PATIENCE

    def __call__(self, *words: str, **variables: str) -> Ran:
        """Run it to its end, in a process of its own where the machine has another clock."""
        if "SHIFTED_CLOCK" in variables:
            ended = self.in_a_process(*words, **variables)
        else:
            ended = super().__call__("bulk", *words, **variables)
        assert "Traceback" not in ended.err, ended.err
        return ended

    def write(self, records: Sequence[dict[str, str]], name: str = "invoices.csv") -> Path:
        """A file with these rows, in its folder."""
        return write_csv(self.folder / name, records)

    def started(
        self, *words: str, **variables: str
    ) -> AbstractContextManager[subprocess.Popen[str]]:
        return super().started("bulk", *words, **variables)


def shifted(seconds: float | Path) -> dict[str, str]:
    """Variables for a process whose machine clock is `seconds` ahead of the true time, or as many
    as a file says.
    """
    return {"PYTHONPATH": str(CLOCK), "SHIFTED_CLOCK": str(seconds)}


def wait_until(
    come: Callable[[], bool], process: subprocess.Popen[str], at_most: float = PATIENCE
) -> None:
    """Wait for a condition, until the process ends or the time is up."""
    ends = time.monotonic() + at_most
    while not come() and time.monotonic() < ends:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.005)
            return
