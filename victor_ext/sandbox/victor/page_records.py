"""Payment requests as the page shows them, and their life as a test with the fixtures of `victor_ext.testing`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from victor_ext.sandbox.server.operations import CONTROL
from victor_ext.sandbox.server.privacy import last_four, masked
from victor_ext.sandbox.server.provider import Action, AnyProvider, Details, Field, Record, Records
from victor_ext.sandbox.server.received import Received
from victor_ext.sandbox.victor.core import Core
from victor_ext.sandbox.victor.model import BUILT_IN, DEMO_ACCOUNTS, OPEN, PaymentRequest
from victor_ext.sandbox.victor.state import TONES, Directory

_WITHOUT_WAIT = {False: "cut_request", True: "lose_answer"}
"""What stands for a `stall`, without its wait: to the client it is the same."""
_NEVER_TRIED_AGAIN = {*range(400, 500)} - {408, 425, 429}
_FIXTURES = ("victor_sandbox", "victor", "faults", "sent_once")
_KNOWN = {account.account_number for account in DEMO_ACCOUNTS}
_ANSWERED = {"Accepted": "accepted", "Rejected": "declined"}


class PaymentRequestRecords(Records):
    title = "Requests"

    def __init__(self, provider: AnyProvider) -> None:
        self._provider = provider
        self._clock = provider.context.clock

    @property
    def _core(self) -> Core:
        core: Core = self._provider.state
        return core

    def count(self) -> int:
        """All requests, each with its twin."""
        return self._core.store.families

    def latest(self, count: int) -> Sequence[Record]:
        requests = self._core.store.requests
        return [self._record(requests[request_id]) for request_id in reversed(self._core.store.order[-count:])]

    def details(self, record_id: str) -> Details:
        """One request with its moves, and with buttons while it waits for its payer."""
        request = self._core.ledger.get(record_id)
        family = [name for name in (request.id, request.parent_id, request.child_id) if name is not None]
        moves = self._core.store.history.of(request, self._clock.advanced)
        related: list[tuple[str, str]] = []
        if request.parent_id is not None:
            related.append(("The outbound request", request.parent_id))
        if request.child_id is not None:
            related.append(("The inbound twin", request.child_id))
        waits = request.status in OPEN
        return Details(
            record=self._record(request),
            facts=self._facts(request),
            moves=moves,
            related=related,
            fields=_fields(request) if waits else (),
            actions=_actions(request) if waits else (),
            ids=frozenset(family),
        )

    def as_test(self, record_id: str, calls: Sequence[Received]) -> str:
        request = self._core.ledger.get(record_id)
        parent = self._core.store.requests.get(request.parent_id or "")
        twin = self._core.store.requests.get((parent or request).child_id or "")
        return _as_test(parent or request, twin, self._core.directory, calls)

    def _record(self, request: PaymentRequest) -> Record:
        parent = self._core.store.requests.get(request.parent_id or "")
        return Record(
            id=request.id,
            group=request.parent_id or request.id,
            at=self._core.store.history.of(request, self._clock.advanced)[0].at,
            status=request.status,
            tone=TONES[request.status],
            amount=_dollars(request.amount),
            incoming=request.direction == "inbound",
            who=self._who(request),
            key=(parent or request).idempotency_key,
            reference=request.client_reference_id,
            notes=request.notes,
        )

    def _who(self, request: PaymentRequest) -> str:
        if request.direction == "inbound":
            payee = self._core.directory.accounts.get(request.payee_account)
            return request.ultimate_creditor or (payee.name if payee else last_four(request.payee_account))
        counterparty = self._core.directory.counterparties.get(request.counterparty_id or "")
        return counterparty.name if counterparty else str(request.counterparty_id)

    def _facts(self, request: PaymentRequest) -> list[tuple[str, str]]:
        changeable = "may be changed by the payer" if request.amount_modification_allowed else None
        facts = [
            ("Id", request.id),
            ("Direction", request.direction),
            ("Notes", request.notes),
            ("Reference", request.client_reference_id),
            ("Key", request.idempotency_key),
            ("Due", request.due_date),
            ("Amount", changeable),
            ("Asked for", None if request.original_amount is None else _dollars(request.original_amount)),
            ("Payer's notes", request.approval_notes),
            ("Error", request.error_message),
            ("Payee", last_four(request.payee_account)),
            ("Creditor", request.ultimate_creditor),
            ("Counterparty", request.counterparty_id),
            ("Payer", None if request.payer_account is None else last_four(request.payer_account)),
            ("Network", request.network),
        ]
        return [(name, value) for name, value in facts if value]


def _dollars(amount: str) -> str:
    """An amount with two decimals, so that amounts stand below each other. The exchange shows what was sent."""
    return f"{Decimal(amount):.2f}"


def _fields(request: PaymentRequest) -> tuple[Field, ...]:
    notes = Field(name="notes", label="Notes to the payee")
    if not request.amount_modification_allowed:
        return (notes,)
    return notes, Field(name="modified_amount", label=f"Another amount than {_dollars(request.amount)}", longest=20)


def _actions(request: PaymentRequest) -> tuple[Action, ...]:
    path = f"{CONTROL}/payment-requests/{request.id}"
    accept = Action(
        label="Accept",
        path=path + "/respond",
        parameters={"status": "Accepted"},
        shortcut="a",
        fields=("notes", "modified_amount"),
    )
    decline = Action(
        label="Decline", path=path + "/respond", parameters={"status": "Declined"}, shortcut="d", fields=("notes",)
    )
    return accept, decline, Action(label="Expire", path=path + "/expire", parameters={}, shortcut="e")


# A life as a test


def _as_test(
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
        arguments = [("notes", _text(masked(answered.approval_notes or ".", "0")))]
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
    return [(name, None if value is None else _text(masked(value, "0"))) for name, value in values]


def _account(number: str) -> str:
    return number if number in _KNOWN else "0" * (len(number) - 4) + number[-4:]


def _text(value: str) -> str:
    """A literal of Python, in double quotes where that needs no escapes. What cannot be printed is escaped."""
    literal = repr(value)
    return f'"{literal[1:-1]}"' if literal.startswith("'") and '"' not in literal else literal
