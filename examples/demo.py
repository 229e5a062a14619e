"""Invoices through a sandbox that fails on purpose: `make demo`.

It sends those of `invoices.csv` through a lost response, a 503 and a 429, and all of them once
more, as a program that starts over after a crash. Then the examples of other systems run. The exit
status is 0 only if each payer was asked once.
"""

import csv
import sys
from contextlib import redirect_stdout
from datetime import timedelta
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

from victor_ext import (
    Event,
    InvalidRequest,
    RetryScheduled,
    Victor,
    VictorJwt,
    idempotency_key_for,
    zulu,
)
from victor_ext.sandbox import Sandbox

INVOICES = Path(__file__).with_name("invoices.csv")
DAYS = {"today": timedelta(days=0), "tomorrow": timedelta(days=1)}
OTHER_SYSTEMS = ("velo_payout", "eastpay_checkout", "flexfactor_rescue")


def inject_fault(sandbox: Sandbox, invoice: str) -> None:
    """What goes wrong, and at which invoice."""
    if invoice == "2043":
        print("        fault: the sandbox does the work, and its answer gets lost")
        sandbox.inject("lose_answer", operation="create")
    elif invoice == "2047":
        print("        fault: the sandbox answers 503 Service Unavailable")
        sandbox.inject("status", operation="create", status=503)
    elif invoice == "2050":
        print("        fault: the sandbox answers 429 Too Many Requests, Retry-After: 1")
        sandbox.inject("rate_limit", operation="create", retry_after=1)


def show_retry(event: Event) -> None:
    """Say what the client does about a failure: it is the client's `on_event`."""
    if isinstance(event, RetryScheduled):
        reason = event.reason.partition(":")[0].partition(" (")[0]
        print(f"       client: {reason}; again in {event.wait:.1f} s, with the same key")


def ask(victor: Victor, row: dict[str, str]) -> str:
    """Ask for one invoice; returns the id. However often it is called, the payer is asked once."""
    arguments: dict[str, Any] = {name: cell for name, cell in row.items() if cell}
    key = idempotency_key_for("invoice", int(arguments.pop("invoice_no")))
    arguments["due_date"] = zulu.now().date() + DAYS[row["due_date"]]
    return victor.payment_requests.create(**arguments, idempotency_key=key).id


def send_invoices(sandbox: Sandbox, victor: Victor) -> bool:
    """Send the file, and send it again. Whether each payer was asked once."""
    with INVOICES.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    ids: dict[str, str] = {}
    for row in rows:
        invoice = row["invoice_no"]
        inject_fault(sandbox, invoice)
        try:
            ids[invoice] = ask(victor, row)
            print(f"INV-{invoice}  {row['amount']:>9}  asked: {ids[invoice]}")
        except InvalidRequest as error:
            print(f"INV-{invoice}  {row['amount']:>9}  not sent: {error.problems[0].message}")
    again = {row["invoice_no"]: ask(victor, row) for row in rows if row["invoice_no"] in ids}
    work = sandbox.work_done_by_key()
    print(f"The same file once more: {len(again)} sent, the same requests: {again == ids}.")
    print(f"The sandbox had {sum(sandbox.attempts_by_key().values())} attempts, and made")
    print(f"  payment requests: {sum(work.values()):>2}")
    print(f"  duplicates:       {sum(work.values()) - len(ids):>2}")
    return again == ids and set(work.values()) == {1}


def main() -> int:
    """Run it all; returns the exit status."""
    with Sandbox() as sandbox:
        auth = VictorJwt(*sandbox.new_api_key())
        with Victor(auth, base_url=sandbox.url, on_event=show_retry) as victor:
            is_asked_once = send_invoices(sandbox, victor)
    for example in OTHER_SYSTEMS:
        with redirect_stdout(StringIO()):
            line = import_module(example).main()
        print(line)
    return 0 if is_asked_once else 1


if __name__ == "__main__":
    sys.exit(main())
