"""Convert a checked row to the form in which rows are stored and compared (`requested_payment`).

They are compared by keyed digests, which reveal nothing of the values.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date
from typing import Any

from victor_ext.ids import loose_skeleton_of, reference_of, skeleton_of

from .columns import canonical_text
from .payments import UNREADABLE, RequestedPayment
from .row_kind import RowKind
from .rows import Arguments, Row
from .vault import Vault


def requested_payment(
    kind: RowKind,
    vault: Vault,
    row: Row,
    *,
    key_kind: str,
    key_column: str,
    is_valid: bool,
) -> RequestedPayment:
    """Return a row of a file in the form in which rows are compared and stored.

    Args:
        key_kind: What the values of the key column name.
        is_valid: Whether the row can be sent. If it cannot, its arguments are not stored.
    """
    arguments = row.arguments or {}
    valid_arguments = None
    reference = ""
    if is_valid:
        valid_arguments = stored_arguments(kind, arguments)
        reference = reference_of(arguments.get(kind.reference))
    compared = _compared_values(arguments, free_spelling=(kind.reference, key_column))
    facts = kind.key_facts(arguments, key_kind, row.value or "") or ()
    return RequestedPayment(
        number=row.number,
        key=row.payment,
        is_valid=is_valid,
        values_digest=vault.fingerprint(canonical_text(kind, compared)),
        skeleton_digest=skeleton_digest(vault, facts),
        reference_digest=vault.fingerprint(reference),
        due_date=_comparable_date(arguments.get("due_date")),
        row=vault.sealed([row.number, row.value, valid_arguments, row.extras]),
    )


def stored_arguments(kind: RowKind, arguments: Arguments) -> dict[str, Any]:
    """Return the arguments of a valid row as JSON data."""
    return {name: kind.json_value(name, value) for name, value in arguments.items()}


def skeleton_digest(vault: Vault, facts: Collection[str]) -> str:
    """Return a digest that is equal for payments whose key facts have equal skeletons."""
    return vault.fingerprint(json.dumps([skeleton_of(fact) for fact in facts]))


def spelling_digest(vault: Vault, asked: RequestedPayment, key_value: str) -> str:
    """Return a digest that is equal for rows of one file that have the same values and due date,
    and whose keys have equal loose skeletons.
    """
    facts = [asked.values_digest, asked.due_date, loose_skeleton_of(key_value)]
    return vault.fingerprint(json.dumps(facts))


def _compared_values(arguments: Arguments, free_spelling: Collection[str]) -> dict[str, Any]:
    """Return the values that are compared: all that are sent, except the due date.

    Args:
        free_spelling: The columns whose spelling does not count: a spreadsheet may write an invoice
            number in another way.
    """
    compared: dict[str, Any] = {}
    for name, value in arguments.items():
        if name in free_spelling and name != "due_date":
            compared[name] = loose_skeleton_of(str(value))
        elif name != "due_date":
            compared[name] = value
    return compared


def _comparable_date(due_date: object) -> str | None:
    """Return a due date as `YYYY-MM-DD`, or `UNREADABLE`; None: there is none."""
    if due_date is None:
        return None
    try:
        return date.fromisoformat(str(due_date)).isoformat()
    except ValueError:
        return UNREADABLE
