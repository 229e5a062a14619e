"""The form in which a checked row is stored and compared (`requested_payment`), and the columns by
which two rows differ (`differing_columns`).

Rows are compared by keyed digests, which reveal nothing of the values.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date
from typing import Any

from victor_ext import InvalidRequest, money
from victor_ext._event_queue.vault import Vault
from victor_ext._privacy import Secret
from victor_ext._values.ids import in_one_form, reference_of, skeleton_of

from ._column_types import AMOUNT
from ._payments import UNREADABLE, RequestedPayment
from ._row_kind import RowKind
from ._rows import Arguments, RowContent


def requested_payment(
    kind: RowKind,
    vault: Vault,
    row: RowContent,
    key_column: str,
    *,
    key: str,
    is_valid: bool,
) -> RequestedPayment:
    """Return a row of a file in the form in which rows are compared and stored.

    Args:
        key_column: The column that the key of the row is made of.
        key: Of its payment; empty: it has none.
        is_valid: Whether the row can be sent. If it cannot, its arguments are not stored, but the
            digest of its reference is: another file may correct the row and send it.
    """
    arguments = row.arguments or {}
    valid_arguments = stored_arguments(kind, arguments) if is_valid else None
    compared = _compared_values(kind, arguments, names=(kind.reference, key_column))
    # What rewrites a key may rewrite other cells, too, such as an account with a leading zero.
    others = compared.keys() - {kind.reference, key_column}
    bare = {name: skeleton_of(compared[name]) for name in others}
    facts = kind.key_facts(arguments, row.value or "") or ()
    reference = reference_of(arguments.get(kind.reference))
    return RequestedPayment(
        number=row.number,
        key=key,
        is_valid=is_valid,
        values_digest=vault.fingerprint(_as_text(compared)),
        due_date=_comparable_date(arguments.get("due_date")),
        row=vault.sealed([row.number, row.value, valid_arguments, row.cells]),
        bare_digest=vault.fingerprint(_as_text(bare)),
        skeleton_digest=vault.fingerprint(skeleton_text(facts)),
        reference_digest=vault.fingerprint(reference),
    )


def stored_arguments(kind: RowKind, arguments: Arguments) -> dict[str, Any]:
    """Return the arguments of a valid row as JSON data."""
    return {name: kind.json_value(name, value) for name, value in arguments.items()}


def skeleton_text(facts: Collection[str]) -> str:
    """Return the skeletons of key facts, as one text."""
    return json.dumps([skeleton_of(fact) for fact in facts])


def _as_text(compared: object) -> Secret:
    """Return a text that is equal for equal JSON data."""
    return Secret(json.dumps(compared, sort_keys=True))


def differing_columns(kind: RowKind, stored: Arguments, arguments: Arguments) -> list[str]:
    """Return the columns whose values differ from the stored ones."""
    stored_values = {name: _canonical(kind, name, stored[name]) for name in stored}
    values = {name: _canonical(kind, name, arguments[name]) for name in arguments}
    names = sorted({*stored_values, *values})
    return [name for name in names if stored_values.get(name) != values.get(name)]


def _compared_values(kind: RowKind, arguments: Arguments, names: Collection[str]) -> dict[str, str]:
    """Return the values that are compared: all that are sent, except the due date.

    Args:
        names: The columns that name the payment. Their spelling does not count: a spreadsheet may
            write an invoice number in another way.
    """
    compared: dict[str, str] = {}
    for name, value in arguments.items():
        free = skeleton_of(str(value)) if name in names else value
        compared[name] = _canonical(kind, name, free)
    compared.pop("due_date", None)
    return compared


def _canonical(kind: RowKind, name: str, value: Any) -> str:
    """Return a value as text that is the same for equal values, in every source format and Unicode
    form.
    """
    try:
        if kind.columns.get(name) is AMOUNT:
            text = f"{money.to_decimal(value):.2f}"
        else:
            text = str(kind.json_value(name, value))
    except InvalidRequest:  # the value cannot be sent: its text is compared as it is
        text = repr(value)
    return in_one_form(text)


def _comparable_date(due_date: object) -> str | None:
    """Return a due date as `YYYY-MM-DD`, or `UNREADABLE`; None: there is none."""
    if due_date is None:
        return None
    try:
        return date.fromisoformat(str(due_date)).isoformat()
    except ValueError:
        return UNREADABLE
