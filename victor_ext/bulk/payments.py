"""The table of payments: what was asked for, under which key, and what became of it.

A payment is the system, the environment and the key. It is stored once, whichever files have it. A
batch is a list of keys: those of its latest file, in order.

The key, the state, the times and the due date of a payment stand in clear. What its row asks for,
and what the provider said of it, are encrypted; values are compared by keyed digests.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from victor_ext.settlement.flow import MAY_EXIST, SETTLED, PaymentOutcome

T = TypeVar("T")
Condition: TypeAlias = sa.ColumnElement[bool]
"""What a statement chooses."""

UNDER_WAY = "under way"
"""The state of a payment whose sending was stored and has no result yet: it may have been sent."""
LEFT_OUT = "left out"
"""The state of a payment that never left, and that the latest file of its batch lacks."""

NEVER_LEFT = frozenset(
    {
        PaymentOutcome.WAITING.value,
        PaymentOutcome.NOT_SENT.value,
        PaymentOutcome.REFUSED.value,
        LEFT_OUT,
    }
)
"""States in which nothing was sent: another file replaces the row."""
IN_DOUBT = frozenset({UNDER_WAY, *(outcome.value for outcome in MAY_EXIST)})
"""States in which the provider may have the payment, under an id that is not known here."""
SETTLED_STATES = frozenset(outcome.value for outcome in SETTLED)
ENDED = SETTLED_STATES | {LEFT_OUT}
"""States that `resume` does not change."""
TO_BE_SENT = frozenset({PaymentOutcome.WAITING.value, PaymentOutcome.NOT_SENT.value})
"""States in which nothing was sent, and `resume` sends it."""
EXISTS_OR_MAY = IN_DOUBT | {PaymentOutcome.CREATED.value}

METADATA = sa.MetaData()
_KEY = (
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
)
PAYMENTS = sa.Table(
    "victor_bulk_payments",
    METADATA,
    *_KEY,
    sa.Column("batch", sa.Text, nullable=False),  # whose `resume` sends it
    sa.Column("chunk", sa.Text),  # the workflow that sends it
    sa.Column("worker", sa.Text),  # which has taken the chunk up last
    sa.Column("place", sa.Integer, nullable=False),  # in the chunk
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("again", sa.Integer, nullable=False),  # how many keys it had before
    sa.Column("allowed", sa.Boolean, nullable=False),  # though it looks like another payment
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # of its key
    sa.Column("values_digest", sa.Text, nullable=False),
    sa.Column("spelling_digest", sa.Text, nullable=False),
    sa.Column("reference_digest", sa.Text, nullable=False),
    sa.Column("made_digest", sa.Text),  # of the id of what was made
    sa.Column("due_date", sa.Text),
    sa.Column("row", sa.Text, nullable=False),  # encrypted
    sa.Column("sent", sa.Text),  # the earliest time at which it may have been sent, as JSON
    sa.Column("result", sa.Text),  # encrypted
    sa.Column("kept", sa.Double, nullable=False),  # seconds that its key lives, as was said then
    sa.Column("stored_at", sa.Double, nullable=False),
    sa.Column("stored", sa.Text),  # the same as a time of sending, as JSON
    sa.Column("forgotten", sa.Boolean, nullable=False),  # what it asked for
    sa.Column("restored", sa.Boolean, nullable=False),  # it may have been asked since its backup
    sa.Index("victor_bulk_payments_chunk", "chunk"),
    sa.Index("victor_bulk_payments_batch", "owner", "batch"),
    sa.Index("victor_bulk_payments_values", "owner", "values_digest"),
    sa.Index("victor_bulk_payments_reference", "owner", "reference_digest"),
    sa.Index("victor_bulk_payments_made", "owner", "made_digest"),
    postgresql_with={"fillfactor": 50},
)
LINES = sa.Table(
    "victor_bulk_lines",
    METADATA,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("batch", sa.Text, primary_key=True),
    # Of the record in the file, from 1. Below 0: the file lacks it, and it was in doubt.
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text),  # None: the row has none
    sa.Column("code", sa.Text),  # of its notice
    sa.Column("row", sa.Text),  # encrypted, of a row whose payment has another one
    sa.Column("message", sa.Text),  # encrypted
    sa.Index("victor_bulk_lines_key", "owner", "key"),
)
BATCHES = sa.Table(
    "victor_bulk_batches",
    METADATA,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("batch", sa.Text, primary_key=True),
    sa.Column("application", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("chunks", sa.Integer, nullable=False),  # how many there were
    sa.Column("details", sa.Text, nullable=False),  # `BatchRecord`, encrypted
    sa.Column("stored_at", sa.Double, nullable=False),
)
STATE_KEY = sa.Table(
    "victor_bulk_key",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("layout", sa.Text, nullable=False),
    sa.Column("wrapped", sa.Text, nullable=False),
    sa.Column("held_at", sa.Double),  # None: it is not held
)
PAGE = 500
"""Rows that one statement names."""


UNREADABLE = "unreadable"
"""The due date of a row whose text is no date."""


class RequestedPayment(NamedTuple):
    """A checked row of a file, as it is compared with what is stored.

    Attributes:
        number: Of the record in the file, from 1.
        key: The idempotency key of the payment.
        is_valid: Whether it can be sent; if not, it is stored as refused.
        due_date: Also one that cannot be sent, and `UNREADABLE`; None: the row has none.
        row: Its content, encrypted.
    """

    number: int
    key: str
    is_valid: bool
    values_digest: str
    spelling_digest: str
    reference_digest: str
    due_date: str | None
    row: str


class StoredPayment(NamedTuple):
    """A payment, as far as it decides about a row.

    Attributes:
        stored: When it was stored, as a time of sending.
        restored: Whether it may have been asked under another key since its backup was made.
    """

    key: str
    batch: str
    chunk: str | None
    state: str
    again: int
    allowed: bool
    account: str
    kind: str
    values_digest: str
    spelling_digest: str
    due_date: str | None
    stored_at: float
    row: str
    sent: str | None
    result: str | None
    forgotten: bool
    stored: str
    restored: bool


_STORED = tuple(PAYMENTS.c[name] for name in StoredPayment._fields)


def pages(values: Iterable[T], size: int = PAGE) -> Iterator[list[T]]:
    """Yield the values in lists of at most this size."""
    iterator = iter(values)
    while page := list(islice(iterator, size)):
        yield page


def is_in(states: Collection[str]) -> Condition:
    """Whether a payment has one of these states, in a statement that is run for many rows.

    The states stand in its text: such a statement takes no list as a parameter.
    """
    return PAYMENTS.c.state.in_([sa.literal_column(f"'{state}'") for state in sorted(states)])


def lock_payments(
    connection: Connection,
    chosen: Condition,
    *,
    limit: int | None = None,
    columns: Sequence[sa.Column[Any]] = (*PAYMENTS.c,),
) -> list[Any]:
    """Return payments that nobody else changes until the transaction ends, by their places.

    They are locked in the order of their keys, as everywhere: nobody waits in a circle.
    """
    query = sa.select(*columns).where(chosen).order_by(PAYMENTS.c.key).with_for_update()
    rows = connection.execute(query.limit(limit)).all()
    return sorted(rows, key=attrgetter("place"))


def stored_payments(
    connection: Connection,
    owner: str,
    keys: Collection[str],
    *,
    lock: bool = False,
) -> dict[str, StoredPayment]:
    """Return the payments with these keys, by key. `lock`: until the transaction ends."""
    columns = PAYMENTS.c
    query = sa.select(*_STORED).where(columns.owner == owner, columns.key.in_(keys))
    if lock:
        query = query.order_by(columns.key).with_for_update()
    return {row.key: StoredPayment(*row) for row in connection.execute(query)}


def look_alikes(
    connection: Connection,
    owner: str,
    digests: Collection[str],
) -> dict[str, list[StoredPayment]]:
    """Return the payments that exist, may or will be sent, by the digest of their values."""
    columns = PAYMENTS.c
    query = sa.select(*_STORED).where(
        columns.owner == owner,
        columns.values_digest.in_(digests),
        columns.state.in_(EXISTS_OR_MAY | TO_BE_SENT),
    )
    found: dict[str, list[StoredPayment]] = {}
    for row in connection.execute(query.order_by(columns.stored_at)):
        payment = StoredPayment(*row)
        found.setdefault(payment.values_digest, []).append(payment)
    return found


def upsert(
    connection: Connection,
    table: sa.Table,
    values: Sequence[dict[str, Any]],
) -> None:
    """Store rows of a table, in the place of those with their primary keys."""
    if not values:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table)
    own = [column.name for column in table.primary_key]
    others = {name: statement.excluded[name] for name in values[0] if name not in own}
    connection.execute(
        statement.on_conflict_do_update(index_elements=own, set_=others), list(values)
    )
