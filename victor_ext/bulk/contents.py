"""Convert a stored payment to the `Row` that it asks for and the `Result` that it has, which are
encrypted; and find the payments that may have made the same request (`rivals`).
"""

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
"""States in which a stored result does not count: it is of an earlier try."""


def row_of(vault: Vault, stored: Any) -> Row:
    """Return what a stored payment asks for, and when the payment may have been sent.

    Args:
        stored: A row of the table, with all columns of `PAYMENTS`.
    """
    row = Row.of_stored(stored.key, vault.deserialize(stored.row), stored.again)
    result = result_of(vault, stored)
    unit = None if result is None else result.unit
    return replace(
        row,
        sent=sent_of(stored),
        place=stored.place,
        unit=unit,
        key_retention=stored.kept,
    )


def result_of(vault: Vault, stored: Any) -> Result | None:
    """Return what became of a stored payment; None: it has no result that counts."""
    if stored.result is None or stored.state in _NO_RESULT:
        return None
    id_, status, error, unit = vault.deserialize(stored.result)
    return Result(RowOutcome(stored.state), id_, status, error, sent_of(stored), unit)


def sent_of(stored: Any) -> Sent | None:
    """Return when a stored payment may have been sent first; None: it was not sent."""
    return None if stored.sent is None else Sent.from_json(json.loads(stored.sent))


def result_values(vault: Vault, result: Result) -> dict[str, Any]:
    """Return the columns of a payment, with their values, that store its result."""
    request_id = result.unit or result.id
    return {
        "state": result.outcome.value,
        "result": vault.serialize([result.id, result.status, result.error, result.unit]),
        "sent": None if result.sent is None else json.dumps(result.sent),
        "made_digest": None if request_id is None else vault.fingerprint(request_id),
    }


def rivals(
    store: Store,
    column: str,
    references: Collection[str],
    ids: Collection[str],
) -> list[Rival]:
    """Return the payments that may have made a request with one of these references or ids.

    Args:
        column: The column of a row that has the reference.
    """
    columns = PAYMENTS.c
    fingerprint = store.vault.fingerprint
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
    """Return a stored payment as a rival. `column` is as for `rivals`."""
    row = row_of(vault, stored)
    result = result_of(vault, stored)
    reference = reference_of((row.arguments or {}).get(column))
    id_ = None if result is None else result.unit or result.id
    may_exist = stored.state in IN_DOUBT or stored.restored
    return Rival(row.key, reference, id_, may_exist)
