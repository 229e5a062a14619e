"""What an operator reads of a row that is not simply sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from .columns import differing
from .deciding import Code
from .payments import Stored
from .row_kind import RowKind
from .vault import Vault


def message_of(code: Code, row: Sequence[Any], stored: Stored, vault: Vault, kind: RowKind) -> str:
    """Return the sentence about a row, as it is stored: `stored` is its payment, or the one that it
    looks like.
    """
    values: Mapping[str, Any] = {
        "value": row[1],
        "day": day_text(stored.stored_at),
        "batch": stored.batch,
        "due": stored.due_date,
        "account": stored.account,
    }
    match code:
        case Code.LOOKS_LIKE:
            values = {**values, "other": vault.deserialize(stored.row)[1]}
        case Code.OTHER_VALUES:
            values = {**values, "columns": _differing(row, stored, vault, kind)}
        case Code.REJECTED_BEFORE:
            values = {**values, "reason": _reason(stored, vault)}
        case _:  # what is known of every payment says it
            pass
    return _MESSAGES[code].format(**values)


_MESSAGES = {
    Code.LOOKS_LIKE: (
        "{value} asks what {other} asked ({batch}, {day}). Not sent. If it is meant: ask-again."
    ),
    Code.CREATED_BEFORE: "{value} was created before ({batch}, {day}). Not sent again.",
    Code.DUE_LATER: (
        "{value} was asked for {due}. Not sent. A new month needs another key kind; what is unpaid "
        "needs ask-again."
    ),
    Code.OTHER_VALUES: (
        "{value} was asked on {day} with {columns}. Not sent. An instalment or remainder "
        "needs a key of its own, such as {value}-2."
    ),
    Code.SETTLED_AS_STORED: (
        "{value} may have been asked on {day}. It is settled with the values of then."
    ),
    Code.ONLY_LOOKED_UP: (
        "{value} may have been asked on {day} with another account. It is only looked up. If the "
        "provider lacks it: resolve it as not-created."
    ),
    Code.REJECTED_BEFORE: "the provider rejected {value} on {day}: {reason}",
    Code.CORRECTED: "{value}, rejected on {day}, is asked as corrected.",
    Code.REPLACED: "{value} had not left: its row was replaced.",
    Code.ASKED_SINCE: (
        "{value} may have been asked since the backup of the state. It is only looked up. If the "
        "provider lacks it: resolve it as not-created."
    ),
    Code.OTHER_ACCOUNT: "{value} was asked with the account {account}. Not sent.",
}


def day_text(moment: float) -> str:
    """Return the day of an epoch time, in UTC, such as `4 March 2026`."""
    day = datetime.fromtimestamp(moment, UTC)
    return f"{day.day} {day:%B %Y}"


def _differing(row: Sequence[Any], stored: Stored, vault: Vault, kind: RowKind) -> str:
    # Values are omitted: one may be an account number.
    if row[2] is None:  # it is not valid
        return "other values"
    before: dict[str, Any] = vault.deserialize(stored.row)[2] or {}
    return f"another {' and '.join(differing(kind, before, row[2]))}"


def _reason(stored: Stored, vault: Vault) -> str:
    if stored.result is None:
        return "it did not say why."
    return str(vault.deserialize(stored.result)[2] or "it did not say why.")
