"""The life of a payment request as a test, with the fixtures of `victor_ext.testing`."""

import re
from collections.abc import Sequence

from victor_ext.sandbox.server.context import Received
from victor_ext.sandbox.server.exchange import JsonObject
from victor_ext.sandbox.server.privacy import masked, redacted
from victor_ext.sandbox.victor.state import PaymentRequest

_FIXTURES = ("victor_sandbox", "victor", "faults", "sent_once")
_ASKED = (
    "amount",
    "biller_type",
    "amount_modification_allowed",
    "ultimate_creditor",
    "notes",
    "client_reference_id",
    "idempotency_key",
)
"""What of a request is repeated under the same name, if it has it."""
_TEST = """from datetime import UTC, datetime


def test_a_request_that_is_{status}({fixtures}):
{body}
"""


def as_test(request: PaymentRequest, calls: Sequence[Received]) -> str:
    """A test that makes the request again, has the same faults without the refusals, and ends in
    the same status.

    `request` is the outbound one, if it has a twin; `calls` are those about it, oldest first. The
    due date is the day of the test. Of an account number the last four digits are kept: it may be a
    person's.
    """
    outbound, today = request.direction == "outbound", "due_date=datetime.now(UTC).date()"
    asked = {name: getattr(request, name) or None for name in _ASKED}
    asked["amount"] = request.original_amount or request.amount
    # They are arguments under their own names.
    others: JsonObject = redacted(request.other_members)
    asked |= {name: others[name] for name in others if not isinstance(others[name], dict | list)}
    if outbound:
        made, reached = "request.id", "created"
        asked |= {
            "payee_account_number": request.payee_account,
            "payer_counterparty_id": request.counterparty_id,
        }
        lines = [
            *_faults("create", calls),
            *_call("request = victor.payment_requests.create", today, **asked),
        ]
        lines.append("sent_once(request.idempotency_key)")
    else:
        made, reached = "request_id", "pending"
        asked |= {"payee_account": request.payee_account, "payer_account": request.payer_account}
        lines = _call("request_id = victor_sandbox.create_inbound", today, **asked)
    if request.answer is not None:
        word, reached = (
            ("accept", "accepted") if request.answer == "Accepted" else ("decline", "declined")
        )
        said = {"notes": request.approval_notes, "modified_amount": request.modified_amount}
        if outbound:
            lines += _call("victor_sandbox.respond", made, f'"{reached.capitalize()}"', **said)
        else:
            lines += [
                *_faults("respond", calls),
                *_call(f"victor.payment_requests.{word}", made, **said),
            ]
    if request.status != reached:
        lines += _call(
            "victor_sandbox.move", made, f'"{request.status}"', error_message=request.error_message
        )
    # From the list: the document says of the status that `get` returns that it is Pending or Error.
    lines.append(f"(listed,) = victor.payment_requests.list(victor_id={made})")
    lines.append(f'assert listed.status == "{request.status}"')
    body = "\n".join("    " + line for line in lines)
    fixtures = ", ".join(fixture for fixture in _FIXTURES if re.search(rf"\b{fixture}[.(]", body))
    return _TEST.format(status=request.status.replace("-", "_"), fixtures=fixtures, body=body)


def _faults(operation: str, calls: Sequence[Received]) -> list[str]:
    """The lines that inject the faults of an operation, with the fixture `faults`."""
    lines: list[str] = []
    for call in calls:
        kind, after = call.fault, call.work_done or call.replayed
        replaced = kind in ("status", "html", "rate_limit")
        # A refusal may have ended a call of its own, and what is copied is the one that succeeded.
        refused = kind in ("status", "html") and 400 <= (call.status or 0) < 500
        if call.operation != operation or kind in (None, "delay") or refused:
            continue
        if kind == "stall":
            # to the client it is the same, without the wait
            kind = "lose_answer" if after else "cut_request"
        lines += _call(
            f"faults.{kind}",
            *([str(call.status)] if kind == "status" else []),
            operation=operation,
            status=call.status if kind == "html" else None,
            retry_after=0 if kind == "rate_limit" else None,
            work=True if after and replaced else None,
        )
    return lines


def _call(name: str, *given: str, **named: object) -> list[str]:
    """The lines of a call: of what is `given` as it is written, and of what is `named` and not
    None.
    """
    arguments = [
        *given,
        *(f"{name}={_literal(name, value)}" for name, value in named.items() if value is not None),
    ]
    line = f"{name}({', '.join(arguments)})"
    return (
        [line]
        if len(line) < 100
        else [f"{name}(", *(f"    {argument}," for argument in arguments), ")"]
    )


def _literal(name: str, value: object) -> str:
    """A value as it is written in Python, without a whole account number.

    What cannot be printed is escaped.
    """
    if "account" in name:
        value = str(value)[-4:].zfill(len(str(value)))
    elif isinstance(value, str) and not name.endswith(("amount", "counterparty_id")):
        value = masked(value, "0")
    literal = repr(value)
    return f'"{literal[1:-1]}"' if literal.startswith("'") and '"' not in literal else literal
