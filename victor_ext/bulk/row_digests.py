"""What a checked row asks, as it is stored and compared: by digests that reveal nothing of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from datetime import date
from typing import Any

from victor_ext.ids import reference_of

from .columns import canonical_text
from .payments import UNREADABLE, RequestedPayment
from .row_kind import RowKind
from .rows import Arguments, Row
from .vault import Vault

_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_WHOLE_AS_DECIMAL = re.compile(r"\.0+$")


def requested_payment(
    kind: RowKind,
    vault: Vault,
    row: Row,
    *,
    key_column: str,
    is_valid: bool,
) -> RequestedPayment:
    """Return a row of a file in the form in which it is compared and stored."""
    arguments = row.arguments or {}
    stored = None
    if is_valid:
        stored = {name: kind.json_value(name, value) for name, value in arguments.items()}
    reference = reference_of(arguments.get(kind.reference)) if is_valid else ""
    compared = _compared(arguments, spelled=(kind.reference, key_column))
    return RequestedPayment(
        number=row.number,
        key=row.payment,
        is_valid=is_valid,
        values_digest=vault.fingerprint(canonical_text(compared)),
        spelling_digest=vault.fingerprint(_spelling(row.value or "")),
        reference_digest=vault.fingerprint(reference),
        due_date=_day_of(arguments.get("due_date")),
        row=vault.serialize([row.number, row.value, stored, row.extras]),
    )


def _compared(arguments: Arguments, spelled: Collection[str]) -> dict[str, Any]:
    """Return the values that are compared: all that is sent, but for the due date and the spelling
    of a reference. It often is the key, and a spreadsheet may spell it in another way.
    """
    compared: dict[str, Any] = {}
    for name, value in arguments.items():
        if name != "due_date":
            compared[name] = _spelling(str(value)) if name in spelled else value
    return compared


def _day_of(due_date: object) -> str | None:
    if due_date is None:
        return None
    try:
        return date.fromisoformat(str(due_date)).isoformat()
    except ValueError:
        return UNREADABLE


def _spelling(key_value: str) -> str:
    """Return what is left of a key's value if its spelling does not count."""
    text = unicodedata.normalize("NFKC", key_value).casefold().strip()
    return _LEADING_ZEROS.sub("", _WHOLE_AS_DECIMAL.sub("", text))
