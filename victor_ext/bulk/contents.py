"""What is encrypted of a payment: what was asked for, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from victor_ext.ids import reference_of
from victor_ext.settlement.flow import Rival
from victor_ext.settlement.key_age import Sent

from .payments import IN_DOUBT, LEFT_OUT, NEVER_LEFT, PAYMENTS, UNDER_WAY
from .rows import Result, Row, RowOutcome
from .store import Store
from .vault import Vault

_NO_RESULT = frozenset({UNDER_WAY, LEFT_OUT})
"""States in which a result that is stored counts no more."""


def row_of(vault: Vault, stored: Any) -> Row:
    """Return what a payment asks for, and when it may have been sent."""
    row = Row.of_stored(stored.key, vault.deserialize(stored.row), stored.again)
    result = result_of(vault, stored)
    unit = None if result is None else result.unit
    return replace(
        row,
        sent=sent_of(stored),
        place=stored.place,
        unit=unit,
        kept=stored.kept,
    )


def result_of(vault: Vault, stored: Any) -> Result | None:
    """Return what became of a payment; None: nothing is known of it."""
    if stored.result is None or stored.state in _NO_RESULT:
        return None
    id_, status, error, unit = vault.deserialize(stored.result)
    return Result(RowOutcome(stored.state), id_, status, error, sent_of(stored), unit)


def sent_of(stored: Any) -> Sent | None:
    """Return when a payment may have been sent first; None: it was not."""
    return None if stored.sent is None else Sent.from_json(json.loads(stored.sent))


def values_of(vault: Vault, result: Result) -> dict[str, Any]:
    """Return the values of a payment by which a result is stored."""
    made = result.unit or result.id
    return {
        "state": result.outcome.value,
        "result": vault.serialize([result.id, result.status, result.error, result.unit]),
        "sent": None if result.sent is None else json.dumps(result.sent),
        "made_digest": None if made is None else vault.fingerprint(made),
    }


def rivals(
    store: Store,
    column: str,
    references: Collection[str],
    ids: Collection[str],
) -> list[Rival]:
    """Return the payments with these references or ids that may have made a request.

    Args:
        column: The one that has the reference.
    """
    columns, fingerprint = PAYMENTS.c, store.vault.fingerprint
    has_reference = columns.reference_digest.in_([fingerprint(text) for text in references])
    has_id = columns.made_digest.in_([fingerprint(text) for text in ids])
    may_have_left = sa.or_(columns.state.not_in(NEVER_LEFT), columns.restored)
    query = sa.select(PAYMENTS).where(
        columns.owner == store.owner, sa.or_(has_reference, has_id), may_have_left
    )
    with store.engine.connect() as connection:
        stored = connection.execute(query).all()
    return [_rival(store.vault, payment, column) for payment in stored]


def _rival(
    vault: Vault,
    stored: Any,
    column: str,
) -> Rival:
    row, result = row_of(vault, stored), result_of(vault, stored)
    reference = reference_of((row.arguments or {}).get(column))
    id_ = None if result is None else result.unit or result.id
    may_exist = stored.state in IN_DOUBT or stored.restored
    return Rival(row.key, reference, id_, may_exist)
