"""What a checked row asks, as it is stored and compared: by digests that reveal nothing of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date

from victor_ext.ids import reference_of

from .columns import canonical_text
from .payments import UNREADABLE, Asked
from .row_kind import RowKind
from .rows import Arguments
from .vault import Vault

_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_WHOLE_AS_DECIMAL = re.compile(r"\.0+$")


def asked_of(
    kind: RowKind,
    vault: Vault,
    *,
    number: int,
    key: str,
    key_column: str,
    key_value: str | None,
    arguments: Arguments,
    extras: Mapping[str, str],
    is_valid: bool,
) -> Asked:
    """Return a row of a file in the form in which it is compared and stored.

    The values that are compared are all that is sent, but for the due date and the spelling of a
    reference: it often is the key, and a spreadsheet may spell it in another way.
    """
    spelled = (kind.reference, key_column)
    compared = {
        name: _spelling(str(value)) if name in spelled else value
        for name, value in arguments.items()
        if name != "due_date"
    }
    stored = None
    if is_valid:
        stored = {name: kind.stored(name, value) for name, value in arguments.items()}
    reference = arguments.get(kind.reference)
    return Asked(
        number=number,
        key=key,
        is_valid=is_valid,
        values_digest=vault.fingerprint(canonical_text(compared)),
        spelling_digest=vault.fingerprint(_spelling(key_value or "")),
        reference_digest=vault.fingerprint(reference_of(reference) if is_valid else ""),
        due_date=_day_of(arguments.get("due_date")),
        row=vault.serialize([number, key_value, stored, extras]),
    )


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
