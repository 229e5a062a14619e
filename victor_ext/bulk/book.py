"""A state of bulk sending as a book (`results_of_payments`): its payments, whatever sheets list
them, for a comparison with the provider's.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import PreparedCall
from victor_ext.outbox.files import ENTRIES, named_entries

from .lines import Line, line_of_payment
from .payments import BATCHES, PAGE, PAYMENT_COLUMNS, PAYMENTS, SHEETS, WITH_ROWS
from .results import result_of_line
from .rows import FileRow, RowOutcome, RowResult, times_of
from .settings import Person
from .state import StateLost
from .store import Store


def results_of_payments(store: Store) -> Iterator[RowResult]:
    """Yield the result of each payment of the batch, or of all batches that were sent to this
    address if the store has no batch; before it, what was asked for it under earlier keys.

    Raises `StateLost` if what asks for a payment was deleted.
    """
    last_key = ""
    with store.engine.connect() as connection:
        while page := _page_after(store, connection, last_key):
            for stored in page:
                result = result_of_line(_line_of(store, stored), store.kind)
                if stored.again:
                    yield from _earlier_results(store, connection, stored, result)
                yield result
            last_key = page[-1].key


def _earlier_results(
    store: Store, connection: Connection, stored: Any, result: RowResult
) -> Iterator[RowResult]:
    """Yield the requests that a payment had before a person let it be asked for once more, as far
    as they were made: under its earlier keys.

    Args:
        result: That of the payment.
    """
    entries = ENTRIES.c
    keys = [FileRow.key_after(stored.key, again) for again in range(stored.again)]
    made = sa.select(
        entries.key,
        entries.call,
        entries.request_id,
        entries.status,
        entries.first_sent_at,
        entries.by_provider_clock,
    ).where(
        named_entries(store.owner, keys),
        entries.state == "sent",
        entries.request_id.is_not(None),
    )
    for entry in connection.execute(made):
        asked = dict(result.asked)
        if store.vault.has_sealed(entry.call):
            (payment, *_) = PreparedCall.from_text(store.vault.opened(entry.call)).payments
            asked["amount"] = str(payment.amount)
        yield replace(
            result,
            key=entry.key,
            id=entry.request_id,
            status=entry.status,
            outcome=RowOutcome.CREATED,
            error=None,
            asked=asked,
            **times_of(entry),
        )


def _page_after(store: Store, connection: Connection, key: str) -> list[Any]:
    """Return the next payments after the one with this key."""
    columns, batches = PAYMENTS.c, BATCHES.c
    of_address = sa.and_(batches.owner == store.owner, batches.address == store.address)
    of_batches = sa.select(batches.batch).where(of_address)
    if store.batch:
        of_batches = of_batches.where(batches.batch == store.batch)
    query = sa.select(*PAYMENT_COLUMNS, SHEETS.c.person)
    query = query.select_from(WITH_ROWS.outerjoin(SHEETS, SHEETS.c.id == columns.sheet))
    query = query.where(
        columns.owner == store.owner, columns.batch.in_(of_batches), columns.key > key
    )
    return [*connection.execute(query.order_by(columns.key).limit(PAGE))]


def _line_of(store: Store, stored: Any) -> Line:
    """Return a payment as the line of the sheet that it was asked for."""
    if stored.entry is not None and stored.state is None:
        raise StateLost.deleted(f"What {stored.batch} has of its payments")
    person: Person = {} if stored.person is None else store.vault.opened(stored.person)
    return line_of_payment(store, stored, person.get("by"))
