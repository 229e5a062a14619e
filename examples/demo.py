"""The life of payment requests, in a sandbox that fails on purpose: `make demo`.

It sends the invoices of `invoices.csv` through injected faults, sends them all again as after a
crash, answers two inbound requests, advances the clock, and compares the result with the sandbox's
record. The exit code is 0 only if every payment was requested once.
"""

import csv
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import timedelta
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any, Literal, cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from victor_ext import (
    Event,
    InvalidRequest,
    PaymentRequest,
    RetryScheduled,
    Victor,
    VictorJwt,
    idempotency_key_for,
    zulu,
)
from victor_ext.sandbox import Sandbox, SandboxSettings

OTHER_SYSTEMS = ("velo_payout", "eastpay_checkout", "flexfactor_rescue")
INVOICES = Path(__file__).with_name("invoices.csv")
OUR_ACCOUNT = "000123456789"
DAY = 86_400

# Who is asked for money, and what they do as time passes. All of them are made up.
PAYERS: dict[str, tuple[str, Literal["accept", "decline", "fail", "ignore"]]] = {
    "harborDental": ("Harbor Dental", "accept"),
    "acmeSupplies": ("Acme Supplies", "accept"),
    "mapleBakery": ("Maple Bakery", "accept"),
    "northClinic": ("North Clinic", "accept"),
    "lakesideRent": ("Lakeside Rentals", "decline"),
    "oldMillPaper": ("Old Mill Paper", "fail"),
    "quietStreet9": ("9 Quiet Street", "ignore"),
}

# What goes wrong, and at which invoice.
FAULTS: dict[str, tuple[str, Callable[[Sandbox], int]]] = {
    "2043": (
        "the sandbox does the work, and its answer gets lost",
        lambda sandbox: sandbox.inject("lose_answer", operation="create"),
    ),
    "2047": (
        "the sandbox answers 503 Service Unavailable",
        lambda sandbox: sandbox.inject("status", operation="create", status=503),
    ),
    "2050": (
        "the sandbox answers 429 Too Many Requests, Retry-After: 1",
        lambda sandbox: sandbox.inject("rate_limit", operation="create", retry_after=1),
    ),
}
FAULTS_EXPECTED = {"lose_answer": 1, "status": 1, "rate_limit": 1}

STYLES = {"completed": "green", "declined": "red", "failed": "red", "expired": "yellow"}


class Demo:
    """What the steps share: the two sides, and what is known so far."""

    def __init__(self, console: Console, sandbox: Sandbox) -> None:
        self.console = console
        self.sandbox = sandbox
        self.today = zulu.now().date()
        self.victor = Victor(self.new_credentials(), base_url=sandbox.url, on_event=self.tell)
        self.asked: dict[str, PaymentRequest] = {}
        """By number of the invoice."""
        self.refused: list[int] = []
        """Lines of the file that were not sent."""
        self.ids_again: list[str] = []
        self.answered: dict[str, str] = {}
        """Ids of inbound requests, and how they are to end."""
        self.ended: dict[str, str] = {}
        """Every id that was waited for, and how it ended."""

    def new_credentials(self) -> VictorJwt:
        """Make an API key pair, as the client portal does for a customer."""
        self.step(
            "An API key",
            "Its private half never leaves this program; the sandbox gets the public one.",
        )
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        api_key = self.sandbox.add_api_key(public.decode())
        self.say(
            f"API key {api_key[:8]}..., with a 2048-bit RSA key. It signs one token for all calls "
            "of a second."
        )
        return VictorJwt(api_key, key)

    def send_invoices(self) -> None:
        """Ask for every invoice of the file, with a key that follows from the invoice's number."""
        self.step(
            "Invoices, three faults, and one bad row",
            f"From {INVOICES.name}. The key follows from the number.",
        )
        for line, row in invoices():
            number = row["invoice_no"]
            if number in FAULTS:
                what, inject = FAULTS[number]
                inject(self.sandbox)
                self.say(f"           fault: {what}", "yellow")
            try:
                request = self.ask(row)
            except InvalidRequest as error:
                self.refused.append(line)
                self.say(
                    f"line {line:>2}   {number}  {row['amount']:>9}  not sent: "
                    f"{error.problems[0].message}",
                    "red",
                )
                continue
            self.asked[number] = request
            payer = PAYERS[row["payer_counterparty_id"]][0]
            if number in FAULTS:
                self.tell_how_it_ended()
            self.say(f"line {line:>2}   {number}  {row['amount']:>9}  asked {payer}: {request.id}")

    def ask(self, row: dict[str, str]) -> PaymentRequest:
        """Ask for one invoice. However often this is called, the payer is asked once."""
        days = {"today": 0, "tomorrow": 1}[row["due_date"]]
        return self.victor.payment_requests.create(
            payee_account_number=row["payee_account_number"],
            payer_counterparty_id=row["payer_counterparty_id"],
            amount=row["amount"],
            biller_type=cast("Any", row["biller_type"]),  # any text of the file: `create` checks it
            due_date=self.today + timedelta(days=days),
            ultimate_creditor=row["ultimate_creditor"] or None,
            notes=row["notes"],
            client_reference_id=row["client_reference_id"],
            idempotency_key=idempotency_key_for("invoice", int(row["invoice_no"])),
        )

    def tell(self, event: Event) -> None:
        """Say what the client does about a failure. It is the client's `on_event`."""
        if isinstance(event, RetryScheduled):
            reason = event.reason.partition(":")[0].partition(" (")[0]
            self.say(
                f"          client: {reason}; again in {event.wait:.1f} s, with the same key",
                "cyan",
            )

    def tell_how_it_ended(self) -> None:
        """Say what the sandbox made of the last attempt."""
        if self.sandbox.received()[-1].replayed:
            self.say(
                "         sandbox: knows the key, so it makes no second request and answers as "
                "before",
                "green",
            )
        else:
            self.say("         sandbox: had done nothing yet, and makes the request now", "green")

    def read_list(self) -> None:
        """Read what the provider has, page by page."""
        self.step(
            "What the provider has now", "The list, in pages of five. It ends at an empty page."
        )
        table = Table("id", "status", "amount", "due", "payer", "account", "reference", box=None)
        table.columns[2].justify = "right"
        for page in self.victor.payment_requests.list(direction="outbound", page_size=5).pages():
            for request in page.items:
                payer = request.payer.counterparty_id if request.payer else None
                account = request.payee.account_number if request.payee else None
                table.add_row(
                    request.id, request.status, f"{request.amount}", f"{request.due_date}", payer,
                    f"****{account[-4:]}" if account else None, request.client_reference_id,
                )  # fmt: skip
            table.add_row(f"page {page.number}: {len(page.items)}", style="dim")
        self.console.print(table)

    def send_again(self) -> None:
        """Send the same file once more: what a program does that starts over after a crash."""
        self.step(
            "The same file once more",
            "As if the program had crashed, and did not know how far it had come.",
        )
        for _, row in invoices():
            if row["invoice_no"] in self.asked:
                self.ids_again.append(self.ask(row).id)
        known = [request.id for request in self.asked.values()]
        same = sum(again == before for again, before in zip(self.ids_again, known, strict=True))
        self.say(
            f"{len(known)} sent again, {same} of them answered with the request that was there "
            "already."
        )

    def answer_others(self) -> None:
        """Answer two requests that others have sent to us: one yes, one no."""
        self.step(
            "Two requests of others", "We are asked for money: one is accepted, one declined."
        )
        for amount, creditor, notes in (
            ("129.95", "Example City Power", "Electricity in October"),
            ("4999.00", "Sample Prize Office", "Fee for your lottery prize"),
        ):
            self.sandbox.create_inbound(
                amount,
                payer_account=OUR_ACCOUNT,
                payee_account="000999888777",
                ultimate_creditor=creditor,
                notes=notes,
            )
        requests = self.victor.payment_requests
        for request in list(requests.list(direction="inbound", status="pending")):
            name = request.payee.ultimate_creditor if request.payee else None
            if name == "Example City Power":
                answer = requests.accept(request.id, notes="Thank you for the light")
            else:
                answer = requests.decline(request.id, notes="We never entered a lottery")
            self.answered[request.id] = "completed" if answer.status == "accepted" else "declined"
            self.say(f"{name} asks for {request.amount} ({request.notes}): {answer.status}")

    def let_time_pass(self) -> None:
        """Move the sandbox's clock, and wait for every request until its status is final."""
        self.step(
            "Time passes",
            "On the sandbox's own clock: four days in no time. Payers answer, or do not.",
        )
        moved = self.sandbox.advance(4 * DAY)
        names = {request.id: f"INV-{number}" for number, request in self.asked.items()}
        table = Table(
            Column("request", no_wrap=True), Column("ended as", no_wrap=True), "because", box=None
        )
        for request_id in [*names, *self.answered]:
            request = self.victor.payment_requests.wait(request_id, timeout=5)
            self.ended[request_id] = f"{request.status}"
            style = STYLES.get(f"{request.status}", "")
            reason = request.error_message or request.approval_notes or ""
            table.add_row(
                names.get(request_id, "inbound"), f"[{style}]{request.status}[/]", Text(reason)
            )
        self.console.print(table)
        self.say(f"{moved} changes of status in all.")

    def ask_the_sandbox(self) -> list[str]:
        """Show the sandbox's own record, and return what is wrong with it."""
        self.step(
            "What the sandbox saw",
            "From its own record. A duplicate is a second payment request of one key.",
        )
        attempts, made = self.sandbox.attempts_by_key(), self.sandbox.work_done_by_key()
        table = Table("invoice", "key", "attempts", "payment requests made", box=None)
        for number in self.asked:
            key = idempotency_key_for("invoice", int(number))
            table.add_row(number, f"{key[:8]}...", f"{attempts.get(key, 0)}", f"{made.get(key, 0)}")
        self.console.print(table)
        self.say("Each invoice was sent in two passes.")
        creates = [
            exchange for exchange in self.sandbox.received() if exchange.operation == "create"
        ]
        kept = [
            request for request in self.sandbox.requests() if request["direction"] == "outbound"
        ]
        faults = Counter(exchange.fault for exchange in creates if exchange.fault)
        duplicates = len(kept) - len({request["idempotency_key"] for request in kept})
        self.console.print()
        for label, count in (
            ("attempts", len(creates)),
            ("idempotency keys", len(attempts)),
            ("payment requests", len(kept)),
            ("duplicates", duplicates),
        ):
            self.say(f"{label + ':':<18}{count:>3}", "bold")
        self.say(
            "faults applied:     "
            f"{', '.join(f'{kind} {count}' for kind, count in sorted(faults.items()))}"
        )
        checks = {
            "duplicates are 0": duplicates == 0 and all(count == 1 for count in made.values()),
            "every key was sent twice or more, and made one request": len(kept)
            == len(self.asked)
            == len(attempts)
            and min(attempts.values(), default=0) >= 2,
            "twelve invoices were asked for, and line 7 was refused": (
                len(self.asked),
                self.refused,
            )
            == (12, [7]),
            "each fault was applied once": faults == FAULTS_EXPECTED,
            "the second run got the same requests": self.ids_again
            == [found.id for found in self.asked.values()],
            "one request was accepted and paid, one declined": sorted(self.answered.values())
            == ["completed", "declined"]
            and all(self.ended.get(request_id) == end for request_id, end in self.answered.items()),
            "everything has ended": len(self.ended) == len(kept) + len(self.answered)
            and set(self.ended.values()) <= set(STYLES),
        }
        return [what for what, holds in checks.items() if not holds]

    def visit_other_systems(self) -> None:
        """Three more payment systems on the same runtime, each against a sandbox of its own; one
        line for each.
        """
        self.step(
            "Other payment systems",
            "The same runtime; each line is the end of an example in this folder.",
        )
        for example in OTHER_SYSTEMS:
            with redirect_stdout(StringIO()):
                line = import_module(example).main()
            self.say(line)

    def step(self, title: str, explanation: str) -> None:
        """Begin a step."""
        self.console.print()
        self.console.rule(f"[bold]{title}", align="left")
        self.say(explanation, "dim")

    def say(self, text: str, style: str = "") -> None:
        """A line of the story."""
        self.console.print(f"  {text}", style=style, markup=False, highlight=False, soft_wrap=True)


def invoices() -> list[tuple[int, dict[str, str]]]:
    """The rows of the file with their line numbers.

    Every value is text: account numbers keep their zeros.
    """
    with INVOICES.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        return [(reader.line_num, row) for row in reader]


def main() -> int:
    """Run all steps and return the exit status."""
    began = time.perf_counter()
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=110)
    with Sandbox(SandboxSettings(auto=None)) as sandbox:
        console.print(
            f"[bold]A sandbox of the provider listens on {sandbox.url}[/], with a clock of its own."
        )
        sandbox.add_account(OUR_ACCOUNT, name="Our account")
        for payer, (name, behaviour) in PAYERS.items():
            sandbox.add_counterparty(payer, name=name, behaviour=behaviour)
        demo = Demo(console, sandbox)
        with demo.victor:
            demo.send_invoices()
            demo.read_list()
            demo.send_again()
            demo.answer_others()
            demo.let_time_pass()
        wrong = demo.ask_the_sandbox()
    demo.visit_other_systems()
    for what in wrong:
        console.print(f"  This should hold, and does not: {what}.", style="bold red")
    console.print(
        f"\nThe sandbox has stopped. All of this took {time.perf_counter() - began:.1f} s."
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
