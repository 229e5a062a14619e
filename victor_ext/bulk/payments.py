"""The tables of a state, and the queries for payments.

`PAYMENTS` has what was asked for, under which key, and what became of it. A payment is identified
by the system, the environment and the key; it is stored once, whichever files have it. `LINES` has
the rows of the latest file of each batch, in order: a line names its payment by the key. `BATCHES`
has what is known of each batch, `EARLIER_IDS` what was made under the earlier keys of payments, and
`STATE_KEY` the key that all of it is encrypted with.

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

from victor_ext.event_queue.databases import FILLFACTOR
from victor_ext.settlement.flow import MAY_EXIST, SETTLED, PaymentOutcome

T = TypeVar("T")
Condition: TypeAlias = sa.ColumnElement[bool]
"""Which rows of a table a statement is about."""

UNDER_WAY = "under way"
"""The state of a payment whose sending was stored and has no result yet: it may have been sent."""
LEFT_OUT = "left out"
"""The state of a payment that was never sent, and that the latest file of its batch lacks."""

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
"""States in which the provider has the payment, or may have it."""

METADATA = sa.MetaData()
PAYMENTS = sa.Table(
    "victor_bulk_payments",
    METADATA,
    sa.Column("owner", sa.Text, primary_key=True),  # the system and the environment
    sa.Column("key", sa.Text, primary_key=True),  # the first idempotency key of the payment
    sa.Column("batch", sa.Text, nullable=False),  # whose `resume` sends it
    sa.Column("chunk", sa.Text),  # the id of the workflow that sends it
    sa.Column("worker", sa.Text),  # the run of a chunk that has claimed it last
    sa.Column("place", sa.Integer, nullable=False),  # in the chunk
    sa.Column("state", sa.Text, nullable=False),  # a `PaymentOutcome`, UNDER_WAY or LEFT_OUT
    sa.Column("again", sa.Integer, nullable=False),  # how many keys it had before
    sa.Column("allowed", sa.Boolean, nullable=False),  # though it looks like another payment
    sa.Column("account", sa.Text, nullable=False),  # that it was stored with
    sa.Column("kind", sa.Text, nullable=False),  # what its key is made of: `deciding.key_origin`
    sa.Column("values_digest", sa.Text, nullable=False),
    sa.Column("skeleton_digest", sa.Text, nullable=False),
    sa.Column("reference_digest", sa.Text, nullable=False),
    sa.Column("made_digest", sa.Text),  # of the provider's id of the request, or of the payout
    sa.Column("due_date", sa.Text),
    sa.Column("row", sa.Text, nullable=False),  # encrypted
    sa.Column("sent", sa.Text),  # the earliest time at which it may have been sent, as JSON
    sa.Column("result", sa.Text),  # encrypted
    sa.Column("kept", sa.Double, nullable=False),  # seconds for which the provider keeps its key
    sa.Column("stored_at", sa.Double, nullable=False),  # epoch seconds
    sa.Column("stored", sa.Text),  # the same time as JSON of a `Sent`
    sa.Column("forgotten", sa.Boolean, nullable=False),  # whether `row` has lost its values
    sa.Column("restored", sa.Boolean, nullable=False),  # it may have been asked since its backup
    sa.Index("victor_bulk_payments_chunk", "chunk"),
    # With the key, by which rows are locked in order: else SQLite would read those of all batches.
    sa.Index("victor_bulk_payments_batch", "owner", "batch", "key"),
    sa.Index("victor_bulk_payments_values", "owner", "values_digest"),
    sa.Index("victor_bulk_payments_skeleton", "owner", "skeleton_digest"),
    sa.Index("victor_bulk_payments_reference", "owner", "reference_digest"),
    sa.Index("victor_bulk_payments_made", "owner", "made_digest"),
    info={FILLFACTOR: 50},
)
LINES = sa.Table(
    "victor_bulk_lines",
    METADATA,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("batch", sa.Text, primary_key=True),
    # The number of the record in the file, from 1. Below 0: the file lacks the payment, which was
    # in doubt when the file was stored.
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text),  # of its payment; None: the row has no key
    sa.Column("code", sa.Text),  # of its notice
    sa.Column("row", sa.Text),  # encrypted; None: the row of the payment is the same
    sa.Column("message", sa.Text),  # of its notice, or its problems; encrypted
    sa.Index("victor_bulk_lines_key", "owner", "key"),
)
BATCHES = sa.Table(
    "victor_bulk_batches",
    METADATA,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("batch", sa.Text, primary_key=True),
    sa.Column("application", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("chunks", sa.Integer, nullable=False),  # how many the batch has had
    sa.Column("details", sa.Text, nullable=False),  # `BatchRecord`, encrypted
    sa.Column("stored_at", sa.Double, nullable=False),
)
EARLIER_IDS = sa.Table(
    "victor_bulk_earlier_ids",
    METADATA,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("made_digest", sa.Text, primary_key=True),  # as that of `PAYMENTS`
    sa.Column("key", sa.Text, nullable=False),  # of the payment, which was asked once more since
)
STATE_KEY = sa.Table(
    "victor_bulk_key",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("layout", sa.Text, nullable=False),
    sa.Column("wrapped", sa.Text, nullable=False),  # the key, encrypted with the secret
    sa.Column("held_at", sa.Double),  # None: it is not held
)
PAGE = 500
"""The most rows that one statement names."""
UNREADABLE = "unreadable"
"""The due date of a row that has one, and whose text is no date."""


class RequestedPayment(NamedTuple):
    """A checked row of a file, in the form in which it is compared with stored payments.

    Attributes:
        number: The number of the record in the file, from 1.
        key: The idempotency key of the payment.
        is_valid: Whether the row can be sent. If it cannot, it is stored as refused.
        values_digest: Digest of the values, without the due date.
        skeleton_digest: Digest that is equal for keys of one kind whose values have one skeleton.
        reference_digest: Digest of the value that the provider repeats.
        due_date: As `YYYY-MM-DD`, also if it is too early or late, or `UNREADABLE`; None: the row
            has none.
        row: The content of the row, encrypted: number, value, arguments, extras.
    """

    number: int
    key: str
    is_valid: bool
    values_digest: str
    skeleton_digest: str
    reference_digest: str
    due_date: str | None
    row: str


class StoredPayment(NamedTuple):
    """The columns of a payment by which a row is decided about: see `PAYMENTS`."""

    key: str
    batch: str
    chunk: str | None
    state: str
    again: int
    allowed: bool
    account: str
    kind: str
    values_digest: str
    skeleton_digest: str
    due_date: str | None
    stored_at: float
    row: str
    sent: str | None
    result: str | None
    forgotten: bool
    stored: str
    restored: bool


_STORED_COLUMNS = tuple(PAYMENTS.c[name] for name in StoredPayment._fields)


def pages(values: Iterable[T], size: int = PAGE) -> Iterator[list[T]]:
    """Yield the values in lists of at most this size."""
    iterator = iter(values)
    while page := list(islice(iterator, size)):
        yield page


def is_in(states: Collection[str]) -> Condition:
    """Whether a payment has one of these states, for a statement with many sets of parameters.

    The states stand in the text of the statement: it takes no list as a parameter.
    """
    return PAYMENTS.c.state.in_([sa.literal_column(f"'{state}'") for state in sorted(states)])


def lock_payments(
    connection: Connection,
    is_chosen: Condition,
    *,
    limit: int | None = None,
    columns: Sequence[sa.Column[Any]] = (*PAYMENTS.c,),
) -> list[Any]:
    """Lock payments, so that nobody else changes them until the transaction ends. Return them in
    the order of their places.

    They are locked in the order of their keys, as everywhere: nobody waits in a circle.
    """
    query = sa.select(*columns).where(is_chosen).order_by(PAYMENTS.c.key).with_for_update()
    payments = connection.execute(query.limit(limit)).all()
    return sorted(payments, key=attrgetter("place"))


def stored_payments(
    connection: Connection,
    owner: str,
    keys: Collection[str],
    *,
    lock: bool = False,
) -> dict[str, StoredPayment]:
    """Return the payments with these keys, by key.

    Args:
        lock: Whether nobody else changes them until the transaction ends.
    """
    columns = PAYMENTS.c
    query = sa.select(*_STORED_COLUMNS).where(columns.owner == owner, columns.key.in_(keys))
    if lock:
        query = query.order_by(columns.key).with_for_update()
    return {row.key: StoredPayment(*row) for row in connection.execute(query)}


def look_alikes(
    connection: Connection,
    owner: str,
    requested: Collection[RequestedPayment],
) -> dict[str, list[StoredPayment]]:
    """Return the payments with the skeleton or the values of these rows that exist, may exist or
    will be sent, by the digests of both. Older payments come first.
    """
    columns = PAYMENTS.c
    by_digest: dict[str, list[StoredPayment]] = {}
    for name in ("skeleton_digest", "values_digest"):
        digest = columns[name]
        query = sa.select(*_STORED_COLUMNS).where(
            columns.owner == owner,
            digest.in_({getattr(row, name) for row in requested}),
            sa.or_(columns.state.in_(EXISTS_OR_MAY | TO_BE_SENT), columns.restored),
        )
        for row in connection.execute(query.order_by(columns.stored_at)):
            payment = StoredPayment(*row)
            by_digest.setdefault(getattr(payment, name), []).append(payment)
    return by_digest


def keep_ids(
    connection: Connection,
    is_chosen: Condition,
) -> None:
    """Keep the ids of what payments have made, which are asked once more or settled otherwise: they
    settle no payment any more.
    """
    columns = PAYMENTS.c
    ids = sa.select(columns.owner, columns.made_digest, columns.key)
    made = ids.where(is_chosen, columns.made_digest.is_not(None))
    # SQLite has the same ON CONFLICT DO NOTHING.
    insertion = postgresql.insert(EARLIER_IDS).from_select(list(EARLIER_IDS.c), made)
    connection.execute(insertion.on_conflict_do_nothing())


def upsert(
    connection: Connection,
    table: sa.Table,
    values: Sequence[dict[str, Any]],
) -> None:
    """Store rows of a table. A row with the primary key of a stored row replaces it."""
    if not values:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table)
    primary_key = [column.name for column in table.primary_key]
    others = {name: statement.excluded[name] for name in values[0] if name not in primary_key}
    upserting = statement.on_conflict_do_update(index_elements=primary_key, set_=others)
    connection.execute(upserting, list(values))
