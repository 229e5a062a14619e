"""The life of a payment request as a test, with the fixtures that `victor_ext.testing` brings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from victor_ext.sandbox.server.privacy import LONG_NUMBER
from victor_ext.sandbox.server.received import Received
from victor_ext.sandbox.victor.model import BUILT_IN, DEMO_ACCOUNTS, PaymentRequest
from victor_ext.sandbox.victor.state import Directory

_WITHOUT_WAIT = {False: "cut_request", True: "lose_answer"}
"""What stands for a `stall`, without its wait: to the client it is the same."""
_NEVER_TRIED_AGAIN = {*range(400, 500)} - {408, 425, 429}
_FIXTURES = ("victor_sandbox", "victor", "faults", "sent_once")
_KNOWN = {account.account_number for account in DEMO_ACCOUNTS}
_ANSWERED = {"Accepted": "accepted", "Rejected": "declined"}


def as_test(
    request: PaymentRequest,
    twin: PaymentRequest | None,
    directory: Directory,
    calls: Sequence[Received],
) -> str:
    """A test that makes the request again, meets the same faults, and ends in the same status.

    `request` is the outbound one, if it has a twin; `calls` are those about it, oldest first. The due date is the day
    of the test. An account number that is not one of the demo data is written with zeros: it may be a person's.
    """
    writer = _Writer(directory, calls)
    if request.direction == "inbound":
        writer.receive(request)
    else:
        writer.create(request, twin)
    writer.answer(request, twin)
    writer.end(request)
    return writer.text(request)


class _Writer:
    def __init__(self, directory: Directory, calls: Sequence[Received]) -> None:
        self._directory = directory
        self._calls = calls
        self._lines: list[str] = []
        self._imports: set[str] = set()
        self._id = "request.id"

    def text(self, request: PaymentRequest) -> str:
        status = request.status.replace("-", "_")
        imports = "\n".join(sorted(self._imports)) + "\n\n\n" if self._imports else ""
        body = "\n".join("    " + line for line in self._lines)
        fixtures = [fixture for fixture in _FIXTURES if re.search(rf"\b{fixture}[.(]", body)]
        return f"{imports}def test_a_request_that_is_{status}({', '.join(fixtures)}):\n{body}\n"

    def create(self, request: PaymentRequest, twin: PaymentRequest | None) -> None:
        self._add_counterparty(request, twin)
        self._faults("create")
        self._imports |= {"from datetime import UTC, datetime", "from decimal import Decimal"}
        arguments = [
            ("payee_account_number", _text(_account(request.payee_account))),
            ("payer_counterparty_id", _text(str(request.counterparty_id))),
            ("amount", f'Decimal("{request.original_amount or request.amount}")'),
            ("biller_type", _text(request.biller_type)),
            ("due_date", "datetime.now(UTC).date()"),
            ("amount_modification_allowed", "True" if request.amount_modification_allowed else None),
            *_texts(request, "ultimate_creditor", "notes", "client_reference_id", "idempotency_key"),
        ]
        self._call("request = victor.payment_requests.create", arguments)
        self._lines.append("sent_once(request.idempotency_key)")

    def receive(self, request: PaymentRequest) -> None:
        self._id = "request_id"
        arguments = [
            ("amount", _text(request.original_amount or request.amount)),
            ("payee_account", _text(_account(request.payee_account))),
            ("payer_account", _text(_account(str(request.payer_account)))),
            ("biller_type", _text(request.biller_type)),
            ("amount_modification_allowed", "True" if request.amount_modification_allowed else None),
            *_texts(request, "ultimate_creditor", "notes"),
        ]
        self._call("request_id = victor_sandbox.create_inbound", arguments)

    def answer(self, request: PaymentRequest, twin: PaymentRequest | None) -> None:
        inbound = request if request.direction == "inbound" else twin
        answered = inbound or request
        if answered.answer is None:
            return
        accepted = answered.answer == "Accepted"
        arguments = [("notes", _text(_without_numbers(answered.approval_notes or ".")))]
        amount = answered.modified_amount
        by_client = any(call.operation == "respond" and call.work_done for call in self._calls)
        if inbound is not None and by_client:
            self._faults("respond")
            if amount is not None:
                arguments.append(("modified_amount", f'Decimal("{amount}")'))
                self._imports.add("from decimal import Decimal")
            target = "request_id" if inbound is request else "request.child_id"
            self._call(f"victor.payment_requests.{'accept' if accepted else 'decline'}", arguments, target)
            return
        if amount is not None:
            arguments.append(("modified_amount", _text(amount)))
        word = "Accepted" if accepted else "Declined"
        self._call("victor_sandbox.respond", arguments, f"{self._id}, {_text(word)}")

    def end(self, request: PaymentRequest) -> None:
        reached = _ANSWERED.get(request.answer or "", "pending" if request.direction == "inbound" else "created")
        if request.status == "completed" and reached == "accepted":
            self._lines.append("victor_sandbox.advance(1)")
        elif request.status != reached:
            message = "" if request.error_message is None else f", {_text(request.error_message)}"
            self._lines.append(f"victor_sandbox.move({self._id}, {_text(request.status)}{message})")
        # From the list: the document says of the status that `get` returns that it is Pending or Error.
        self._lines.append(f"(listed,) = victor.payment_requests.list(victor_id={self._id})")
        self._lines.append(f"assert listed.status == {_text(request.status)}")

    def _add_counterparty(self, request: PaymentRequest, twin: PaymentRequest | None) -> None:
        counterparty = self._directory.counterparties.get(request.counterparty_id or "")
        if counterparty is None or counterparty in BUILT_IN:
            return
        arguments = [("name", _text(counterparty.name))]
        if twin is not None and counterparty.account_number is not None:
            account = _text(_account(counterparty.account_number))
            self._lines.append(f"victor_sandbox.add_account({account}, name={_text(counterparty.name)})")
            arguments.append(("account_number", account))
        else:
            arguments.append(("behaviour", _text(counterparty.behaviour)))
        self._lines.append(
            f"victor_sandbox.add_counterparty({_text(counterparty.id)}, {', '.join(f'{n}={v}' for n, v in arguments)})"
        )

    def _faults(self, operation: str) -> None:
        for call in self._calls:
            if call.operation != operation or call.fault in (None, "delay"):
                continue
            kind, after = str(call.fault), call.work_done or call.replayed
            if kind == "stall":
                kind = _WITHOUT_WAIT[after]
            if kind in ("status", "html") and call.status in _NEVER_TRIED_AGAIN:
                continue  # it ended a call of its own, and what is copied is the one that succeeded
            self._lines.append(_fault(kind, call, work=after))

    def _call(self, name: str, arguments: Iterable[tuple[str, str | None]], first: str | None = None) -> None:
        given = [
            *([first] if first else []),
            *(f"{argument}={value}" for argument, value in arguments if value is not None),
        ]
        line = f"{name}({', '.join(given)})"
        self._lines += [line] if len(line) < 100 else [f"{name}(", *(f"    {argument}," for argument in given), ")"]


def _fault(kind: str, call: Received, *, work: bool) -> str:
    """The line that injects a fault, with the fixture `faults`."""
    options = [f'operation="{call.operation}"']
    if kind == "html":
        options.append(f"status={call.status}")
    if kind == "rate_limit":
        options.append("retry_after=0")
    if work and kind in ("status", "html", "rate_limit"):
        options.append("work=True")
    if kind == "status":
        options.insert(0, str(call.status))
    return f"faults.{kind}({', '.join(options)})"


def _texts(request: PaymentRequest, *names: str) -> list[tuple[str, str | None]]:
    values = ((name, getattr(request, name)) for name in names)
    return [(name, None if value is None else _text(_without_numbers(value))) for name, value in values]


def _account(number: str) -> str:
    return number if number in _KNOWN else "0" * (len(number) - 4) + number[-4:]


def _without_numbers(text: str) -> str:
    """A text whose long numbers, which may be those of accounts, are written with zeros."""
    return LONG_NUMBER.sub(lambda match: "0" * len(match[0]), text)


def _text(value: str) -> str:
    """A literal of Python, in double quotes where that needs no escapes. What cannot be printed is escaped."""
    literal = repr(value)
    return f'"{literal[1:-1]}"' if literal.startswith("'") and '"' not in literal else literal
