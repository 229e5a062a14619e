"""The sentences of notices: why a row is not simply sent, for an operator (`message_of`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from .deciding import Code
from .payments import IN_DOUBT, StoredPayment
from .row_digests import differing_columns
from .row_kind import RowKind
from .rows import Arguments
from .vault import Vault


def message_of(
    code: Code,
    row: Sequence[Any],
    stored: StoredPayment,
    vault: Vault,
    kind: RowKind,
) -> str:
    """Return the sentence of a notice about a row that has a payment.

    Args:
        row: The content of the row, as it is stored: number, value, arguments, extras.
        stored: The payment of the row.
    """
    _, value, arguments, _ = row
    template = _MESSAGES[code]
    if code is Code.DUE_LATER and stored.state in IN_DOUBT:
        template = _DOUBTFUL_DUE_LATER
    columns = reason = ""
    if code is Code.OTHER_VALUES:
        columns = _other_values_text(arguments, stored, vault, kind)
    elif code is Code.REJECTED_BEFORE:
        reason = _rejection_text(arguments, stored, vault)
    return template.format(
        value=value,
        day=day_text(stored.stored_at),
        batch=stored.batch,
        due=stored.due_date,
        account=stored.account,
        columns=columns,
        reason=reason,
    )


_ASK_AGAIN = (
    "What is unpaid needs ask-again. Another key kind would ask for an invoice again: it is only "
    "for the next month of keys that name payers."
)
_MESSAGES = {
    Code.CREATED_BEFORE: "{value} was created before ({batch}, {day}). Not sent again.",
    Code.DUE_LATER: f"{{value}} was asked for {{due}}. Not sent. {_ASK_AGAIN}",
    Code.OTHER_VALUES: (
        "{value} was asked on {day} with {columns}. Not sent. An instalment or remainder "
        "needs a key of its own, such as {value}-2."
    ),
    Code.SETTLED_AS_STORED: (
        "{value} may have been asked on {day}. It is settled with the values of then."
    ),
    Code.ONLY_LOOKED_UP: (
        "{value} may have been asked on {day} with another account. It is only looked up. If the "
        "provider confirms that it has none: resolve it as not-created."
    ),
    Code.REJECTED_BEFORE: "the provider rejected {value} on {day}: {reason}",
    Code.CORRECTED: "{value}, rejected on {day}, is asked as corrected.",
    Code.REPLACED: "{value} had not left: its row was replaced.",
    Code.ASKED_SINCE: (
        "{value} may have been asked since the backup of the state. It is only looked up. If the "
        "provider confirms that it has none: resolve it as not-created."
    ),
    Code.OTHER_ACCOUNT: "{value} was asked with the account {account}. Not sent.",
}


_DOUBTFUL_DUE_LATER = (
    f"{{value}} may have been asked for {{due}}. It is settled as it was asked. {_ASK_AGAIN}"
)


def look_alike_message(
    value: str,
    other: str,
    place: str,
    *,
    is_respelled: bool,
) -> str:
    """Return the sentence of a notice about a row that looks like another payment.

    Args:
        value: The value of the row in the key column.
        other: That of the other payment.
        place: Where the other payment is: its batch and day, or its line in the same file.
        is_respelled: Whether the values differ by their spelling alone.
    """
    if not is_respelled:
        return (
            f"{value} asks what {other} asked ({place}). Not sent. If both are to be paid: "
            "ask-again."
        )
    return (
        f"{value} is {other} ({place}) in another spelling. Not sent. If they are one payment, "
        f"keep {other}. If both are to be paid: ask-again."
    )


def day_text(moment: float) -> str:
    """Return the day of an epoch time, in UTC, such as `4 March 2026`."""
    day = datetime.fromtimestamp(moment, UTC)
    return f"{day.day} {day:%B %Y}"


def _other_values_text(
    arguments: Arguments | None, stored: StoredPayment, vault: Vault, kind: RowKind
) -> str:
    """Return the names of the columns whose values differ, such as `another amount and notes`.

    The values are not named: a value may be an account number.
    """
    if arguments is None or stored.forgotten:  # there is nothing to compare
        return "other values"
    stored_arguments: dict[str, Any] = vault.deserialize(stored.row)[2] or {}
    return f"another {' and '.join(differing_columns(kind, stored_arguments, arguments))}"


def _rejection_text(arguments: Arguments | None, stored: StoredPayment, vault: Vault) -> str:
    """Return why the provider rejected a payment; and what a row with another due date needs.

    A valid row differs by that alone: a row with other values has another notice.
    """
    reason = "it did not say why."
    if stored.forgotten:
        reason = "why is forgotten."
    elif stored.result is not None:
        reason = vault.deserialize(stored.result)[2] or reason
    else:
        reason = vault.opened_error(stored.error) or reason
    if arguments is not None and stored.due_date not in (None, arguments.get("due_date")):
        return f"{reason} Not sent: with another due date alone, it needs ask-again."
    return reason
