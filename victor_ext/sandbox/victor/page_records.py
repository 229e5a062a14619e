"""Payment requests as the page shows them, and their life as a test with the fixtures of `victor_ext.testing`."""

import re
from collections.abc import Sequence
from decimal import Decimal

from victor_ext.sandbox.server.context import Received
from victor_ext.sandbox.server.exchange import CONTROL
from victor_ext.sandbox.server.privacy import last_four, masked
from victor_ext.sandbox.server.provider import Action, Details, Record, Records
from victor_ext.sandbox.victor.ledger import Ledger
from victor_ext.sandbox.victor.state import DEMO_ACCOUNTS, OPEN, TONES, PaymentRequest

_ELSEWHERE = {"status", "amount", "created_at", "changed_at", "parent_id", "child_id", "answer"}
"""The fields of a request that the page shows in another place than among its facts."""
_NEVER_TRIED_AGAIN = {*range(400, 500)} - {408, 425, 429}
_FIXTURES = ("victor_sandbox", "victor", "faults", "sent_once")
_KNOWN = {account.account_number for account in DEMO_ACCOUNTS}
_IMPORTS = {"datetime.now(": "from datetime import UTC, datetime", "Decimal(": "from decimal import Decimal"}


class PaymentRequestRecords(Records):
    title = "Requests"

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def latest(self, count: int) -> Sequence[Record]:
        requests = self._ledger.store.requests
        return [self._record(requests[request_id]) for request_id in reversed(self._ledger.store.order[-count:])]

    def details(self, record_id: str) -> Details:
        """One request with its moves, and with buttons while it waits for its payer."""
        request = self._ledger.get(record_id)
        twins = {"The outbound request": request.parent_id, "The inbound twin": request.child_id}
        waits = request.status in OPEN
        path = f"{CONTROL}/payment-requests/{request.id}"
        actions = (
            Action("Accept", path + "/respond", "a", {"status": "Accepted"}, ("notes", "modified_amount")),
            Action("Decline", path + "/respond", "d", {"status": "Declined"}, ("notes",)),
            Action("Expire", path + "/expire", "e"),
        )
        fields = {"notes": "Notes to the payee"}
        if request.amount_modification_allowed:
            fields["modified_amount"] = f"Another amount than {_dollars(request.amount)}"
        return Details(
            record=self._record(request),
            facts=_facts(request),
            moves=self._ledger.store.moves(request),
            related={label: name for label, name in twins.items() if name is not None},
            fields=fields if waits else {},
            actions=actions if waits else (),
        )

    def as_test(self, record_id: str, calls: Sequence[Received]) -> str:
        request = self._ledger.get(record_id)
        parent = self._ledger.store.requests.get(request.parent_id or "")
        return _as_test(parent or request, calls)

    def _record(self, request: PaymentRequest) -> Record:
        parent = self._ledger.store.requests.get(request.parent_id or "")
        return Record(
            id=request.id,
            group=request.parent_id or request.id,
            at=self._ledger.store.moves(request)[0].at,
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
            payee = self._ledger.store.accounts.get(request.payee_account)
            return request.ultimate_creditor or (payee.name if payee else last_four(request.payee_account))
        counterparty = self._ledger.store.counterparties.get(request.counterparty_id or "")
        return counterparty.name if counterparty else str(request.counterparty_id)


def _facts(request: PaymentRequest) -> list[tuple[str, str]]:
    fields = {name: str(value) for name, value in request.to_dict().items() if name not in _ELSEWHERE}
    numbers = {name: last_four(fields[name]) for name in fields if name.endswith("_account")}
    return [(name.replace("_", " ").capitalize(), value) for name, value in {**fields, **numbers}.items()]


def _dollars(amount: str) -> str:
    """An amount with two decimals, so that amounts stand below each other. The exchange shows what was sent."""
    return f"{Decimal(amount):.2f}"


# A life as a test


def _as_test(request: PaymentRequest, calls: Sequence[Received]) -> str:
    """A test that makes the request again, has the same faults, and ends in the same status.

    `request` is the outbound one, if it has a twin; `calls` are those about it, oldest first. The due date is the day
    of the test. An account number that is not one of the demo data is written with zeros: it may be a person's.
    """
    inbound, amount = request.direction == "inbound", request.original_amount or request.amount
    made = "request_id" if inbound else "request.id"
    same = {
        "biller_type": _text(request.biller_type),
        "amount_modification_allowed": "True" if request.amount_modification_allowed else None,
        "ultimate_creditor": _masked(request.ultimate_creditor),
        "notes": _masked(request.notes),
    }
    if inbound:
        accounts = {"payee_account": _account(request.payee_account), "payer_account": _account(request.payer_account)}
        lines = _call("request_id = victor_sandbox.create_inbound", amount=_text(amount), **accounts, **same)
    else:
        lines = _faults("create", calls)
        lines += _call(
            "request = victor.payment_requests.create",
            payee_account_number=_account(request.payee_account),
            payer_counterparty_id=_text(str(request.counterparty_id)),
            amount=f'Decimal("{amount}")',
            due_date="datetime.now(UTC).date()",
            **same,
            client_reference_id=_masked(request.client_reference_id),
            idempotency_key=_masked(request.idempotency_key),
        )
        lines.append("sent_once(request.idempotency_key)")
    lines += _end(request, made, calls)
    body = "\n".join("    " + line for line in lines)
    imports = "".join(f"{line}\n" for word, line in _IMPORTS.items() if word in body)
    fixtures = ", ".join(fixture for fixture in _FIXTURES if re.search(rf"\b{fixture}[.(]", body))
    name = f"test_a_request_that_is_{request.status.replace('-', '_')}"
    return f"{imports and imports + chr(10) * 2}def {name}({fixtures}):\n{body}\n"


def _end(request: PaymentRequest, made: str, calls: Sequence[Received]) -> list[str]:
    """How the request is answered and moved; `made` is the expression of its id."""
    lines: list[str] = []
    reached = "pending" if request.direction == "inbound" else "created"
    if request.answer is not None:
        reached = "accepted" if request.answer == "Accepted" else "declined"
        amount, notes = request.modified_amount, _masked(request.approval_notes)
        if request.direction == "inbound" and any(call.operation == "respond" and call.work_done for call in calls):
            lines += _faults("respond", calls)
            method = "accept" if reached == "accepted" else "decline"
            modified = amount and f'Decimal("{amount}")'
            lines += _call(f"victor.payment_requests.{method}", made, notes=notes, modified_amount=modified)
        else:
            modified = amount and _text(amount)
            word = _text(reached.capitalize())
            lines += _call("victor_sandbox.respond", made, word, notes=notes, modified_amount=modified)
    if request.status == "completed" and reached == "accepted":
        lines.append("victor_sandbox.advance(1)")
    elif request.status != reached:
        lines += _call("victor_sandbox.move", made, _text(request.status), error_message=_masked(request.error_message))
    # From the list: the document says of the status that `get` returns that it is Pending or Error.
    lines.append(f"(listed,) = victor.payment_requests.list(victor_id={made})")
    return [*lines, f"assert listed.status == {_text(request.status)}"]


def _faults(operation: str, calls: Sequence[Received]) -> list[str]:
    """The lines that inject the faults of an operation, with the fixture `faults`."""
    lines: list[str] = []
    for call in calls:
        if call.operation != operation or call.fault in (None, "delay"):
            continue
        kind, after = str(call.fault), call.work_done or call.replayed
        if kind == "stall":
            kind = "lose_answer" if after else "cut_request"  # to the client it is the same, without the wait
        replaced = kind in ("status", "html", "rate_limit")
        if replaced and call.status in _NEVER_TRIED_AGAIN:
            continue  # it ended a call of its own, and what is copied is the one that succeeded
        lines += _call(
            f"faults.{kind}",
            *([str(call.status)] if kind == "status" else []),
            operation=_text(operation),
            status=str(call.status) if kind == "html" else None,
            retry_after="0" if kind == "rate_limit" else None,
            work="True" if after and replaced else None,
        )
    return lines


def _call(name: str, *given: str, **named: str | None) -> list[str]:
    arguments = [*given, *(f"{argument}={value}" for argument, value in named.items() if value is not None)]
    line = f"{name}({', '.join(arguments)})"
    return [line] if len(line) < 100 else [f"{name}(", *(f"    {argument}," for argument in arguments), ")"]


def _account(number: str | None) -> str:
    text = str(number)
    return _text(text if text in _KNOWN else "0" * (len(text) - 4) + text[-4:])


def _masked(text: str | None) -> str | None:
    return None if text is None else _text(masked(text, "0"))


def _text(value: str) -> str:
    """A literal of Python, in double quotes where that needs no escapes. What cannot be printed is escaped."""
    literal = repr(value)
    return f'"{literal[1:-1]}"' if literal.startswith("'") and '"' not in literal else literal
