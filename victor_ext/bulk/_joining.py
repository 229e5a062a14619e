"""The join of what is wanted and what was asked: each row of a sheet with its payment, and what it
comes to (`joined`). All that is said is said by it, and all that is asked is asked by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from ._deciding import Verdict, decide
from ._payments import (
    RequestedPayment,
    Sheet,
    StoredPayment,
    lock_payments,
    stored_payments,
)


class Joined(NamedTuple):
    """A row of a sheet with its payment.

    Attributes:
        row: The row.
        payment: The payment with its key; None: there is none.
        verdict: What it comes to.
    """

    row: RequestedPayment
    payment: StoredPayment | None
    verdict: Verdict


def joined(
    connection: Connection | None,
    owner: str,
    sheet: Sheet,
    chosen: Iterable[Sequence[RequestedPayment]],
    *,
    lock: bool = False,
) -> Iterator[Joined]:
    """Yield rows of a sheet that have a key, each with its payment.

    Args:
        connection: The transaction that sees the state; None: there is no state.
        chosen: The rows, in pages: in the order of their keys, in which payments are locked
            everywhere, so that nobody waits in a circle.
        lock: Whether the payments stay as they are until the transaction ends.
    """
    for page in chosen:
        stored: dict[str, StoredPayment] = {}
        if connection is not None:
            keys = [row.key for row in page]
            if lock:
                lock_payments(connection, owner, keys)
            stored = stored_payments(connection, owner, keys)
        for row in page:
            payment = stored.get(row.key)
            yield Joined(row, payment, decide(row, payment, sheet))
