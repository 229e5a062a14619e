"""The tables of a state, and the queries for payments.

`ASKED` has what was asked for, and which entry of the outbox asks for it (`ENTRIES` of
`victor_ext.outbox.files`): that has the call, and what became of it. A payment is identified by the
system, the environment and its first key; it is stored once, whichever files have it. Many payments
of a payout are one entry. A payment without an entry was refused, or left out. `LINES` has the rows
of the latest file of each batch, in order: a line names its payment by the key. `BATCHES` has what
is known of each batch.

Keys, states, ids and times of a payment stand in clear, and so do the status words of the provider.
What its row asks for, and why it was rejected, is encrypted; values are compared by keyed digests.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext.event_queue.databases import DatabaseTime
from victor_ext.outbox.files import ENTRIES, is_live, lock_entries
from victor_ext.settlement.flow import MAY_EXIST, SETTLED, PaymentOutcome

T = TypeVar("T")

UNDER_WAY = "under way"
"""The state of a payment whose sending was stored and has no result yet: it may have been sent."""
LEFT_OUT = "left out"
"""The state of a payment that was never sent, and that the latest file of its batch lacks."""

NEVER_LEFT = frozenset(
    {
        PaymentOutcome.WAITING,
        PaymentOutcome.NOT_SENT,
        PaymentOutcome.REFUSED,
        LEFT_OUT,
    }
)
"""States in which nothing was sent: another file replaces the row."""
IN_DOUBT = MAY_EXIST | {UNDER_WAY}
"""States in which the provider may have the payment, under an id that is not known here."""
ENDED = SETTLED | {LEFT_OUT}
"""States that `resume` does not change."""
TO_BE_SENT = frozenset({PaymentOutcome.WAITING, PaymentOutcome.NOT_SENT})
"""States in which nothing was sent, and `resume` sends it."""
EXISTS_OR_MAY = IN_DOUBT | {PaymentOutcome.CREATED}
"""States in which the provider has the payment, or may have it."""

METADATA = sa.MetaData()
ASKED = sa.Table(
    "victor_bulk_asked",
    METADATA,
    sa.Column("owner", sa.Text, primary_key=True),  # the system and the environment
    sa.Column("key", sa.Text, primary_key=True),  # the first idempotency key of the payment
    sa.Column("entry", sa.Text),  # the key of the entry that asks for it; None: none does
    sa.Column("shared", sa.Boolean, nullable=False),  # whether the entry asks for several
    # What is known beside the entry: refused, left out, or what a payout says of this payment.
    sa.Column("state", sa.Text),
    sa.Column("batch", sa.Text, nullable=False),  # whose `resume` sends it
    sa.Column("again", sa.Integer, nullable=False),  # how many keys it had before
    sa.Column("allowed", sa.Boolean, nullable=False),  # though it looks like another payment
    sa.Column("account", sa.Text, nullable=False),  # that it was stored with
    sa.Column("kind", sa.Text, nullable=False),  # what its key is made of: a `KeyOrigin`
    sa.Column("values_digest", sa.Text, nullable=False),
    sa.Column("skeleton_digest", sa.Text, nullable=False),
    sa.Column("reference_digest", sa.Text, nullable=False),
    sa.Column("due_date", sa.Text),
    sa.Column("row", sa.Text, nullable=False),  # encrypted
    sa.Column("result", sa.Text),  # with `state`; encrypted
    sa.Column("made", sa.Text),  # with `state`: the id of the payout that has it
    sa.Column("stored_at", sa.Double, nullable=False),  # epoch seconds
    sa.Column("stored", sa.Text),  # the same time as JSON of a `SentSince`
    sa.Column("forgotten", sa.Boolean, nullable=False),  # whether `row` has lost its values
    sa.Column("restored", sa.Boolean, nullable=False),  # it may have been asked since its backup
    sa.Index("victor_bulk_asked_entry", "owner", "entry"),
    sa.Index("victor_bulk_asked_batch", "owner", "batch", "key"),
    sa.Index("victor_bulk_asked_values", "owner", "values_digest"),
    sa.Index("victor_bulk_asked_skeleton", "owner", "skeleton_digest"),
    sa.Index("victor_bulk_asked_reference", "owner", "reference_digest"),
    sa.Index("victor_bulk_asked_made", "owner", "made"),
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
    sa.Column("details", sa.Text, nullable=False),  # `BatchRecord`, encrypted
    sa.Column("rate", sa.Double),  # rows a second over all machines; None: no limit
    sa.Column("next_turn", sa.Double, nullable=False),  # by the clock of the database
    sa.Column("stored_at", sa.Double, nullable=False),
)
PAGE = 500
"""The most rows that one statement names."""
UNREADABLE = "unreadable"
"""The due date of a row that has one, and whose text is no date."""


def _state() -> sa.ColumnElement[Any]:
    """The state of a payment: a `PaymentOutcome`, UNDER_WAY or LEFT_OUT; NULL: its entry is
    lost.
    """
    asked, entry = ASKED.c, ENTRIES.c
    waiting, not_sent = PaymentOutcome.WAITING.value, PaymentOutcome.NOT_SENT.value
    unknown, accepted = PaymentOutcome.UNKNOWN.value, PaymentOutcome.ACCEPTED.value
    created = sa.case((asked.shared, accepted), else_=PaymentOutcome.CREATED.value)
    was_tried = entry.last.in_([unknown, accepted])
    of_entry = sa.case(
        (sa.and_(entry.state == "waiting", entry.last == not_sent), not_sent),
        (entry.state == "waiting", waiting),
        (sa.and_(entry.state == "sending", was_tried), entry.last),
        (entry.state == "sending", UNDER_WAY),
        (sa.and_(entry.state == "unclear", entry.last == not_sent), not_sent),
        (sa.and_(entry.state.in_(["settling", "unclear"]), entry.last == accepted), accepted),
        (entry.state.in_(["settling", "unclear"]), unknown),
        (entry.state == "sent", created),
        else_=entry.state,
    )
    return sa.func.coalesce(asked.state, of_entry)


STATE = _state()
RESTORED = sa.or_(ASKED.c.restored, sa.func.coalesce(ENTRIES.c.restored, sa.false()))
"""Whether a payment may have been asked for since its backup was made."""
WITH_ENTRIES = ASKED.outerjoin(
    ENTRIES, sa.and_(ENTRIES.c.scope == ASKED.c.owner, ENTRIES.c.key == ASKED.c.entry)
)
"""Payments with their entries. A payment without one stays."""
PAYMENT_COLUMNS = (
    *(column for column in ASKED.c if column.name not in ("state", "restored")),
    STATE.label("state"),
    RESTORED.label("restored"),
    ASKED.c.state.label("own_state"),
    ENTRIES.c.request_id,
    ENTRIES.c.status,
    ENTRIES.c.error,
    ENTRIES.c.first_sent_at,
    ENTRIES.c.by_provider_clock,
    ENTRIES.c.sent_by,
    sa.func.coalesce(is_live(DatabaseTime()), sa.false()).label("is_live"),
)
"""The columns of a payment, for queries on `WITH_ENTRIES`."""


class KeyOrigin(NamedTuple):
    """What keys of payments are made of, beside the value in the key column.

    Attributes:
        kind: What the values of the key column name, such as `invoice`.
        column: The key column, which tells the rows apart.
    """

    kind: str
    column: str

    @property
    def text(self) -> str:
        """The origin as it is stored."""
        return f"{self.kind}\n{self.column}"


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
    """The columns of a payment by which a row is decided about: see `ASKED` and its entry.

    `is_live` says that a worker has its entry now.
    """

    key: str
    entry: str | None
    batch: str
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
    result: str | None
    error: str | None
    forgotten: bool
    stored: str
    restored: bool
    is_live: bool


_STORED_COLUMNS = tuple(
    next(column for column in PAYMENT_COLUMNS if column.name == name)
    for name in StoredPayment._fields
)


def pages(values: Iterable[T], size: int = PAGE) -> Iterator[list[T]]:
    """Yield the values in lists of at most this size."""
    iterator = iter(values)
    while page := list(islice(iterator, size)):
        yield page


def stored_payments(
    connection: Connection, owner: str, keys: Collection[str]
) -> dict[str, StoredPayment]:
    """Return the payments with these keys, by key."""
    query = sa.select(*_STORED_COLUMNS).select_from(WITH_ENTRIES)
    chosen = query.where(ASKED.c.owner == owner, ASKED.c.key.in_(keys))
    return {row.key: StoredPayment(*row) for row in connection.execute(chosen)}


def lock_payments(connection: Connection, owner: str, keys: Collection[str]) -> None:
    """Let nobody else change these payments, or their entries, until the transaction ends.

    They are locked in the order of their keys, and entries in that of their ids: nobody waits in a
    circle, but for workers, which try again.
    """
    chosen = sa.and_(ASKED.c.owner == owner, ASKED.c.key.in_(keys))
    locked = sa.select(ASKED.c.entry).where(chosen).order_by(ASKED.c.key).with_for_update()
    entries = [entry for entry in connection.execute(locked).scalars() if entry is not None]
    lock_entries(connection, sa.and_(ENTRIES.c.scope == owner, ENTRIES.c.key.in_(entries)))


def look_alikes(
    connection: Connection,
    owner: str,
    requested: Collection[RequestedPayment],
) -> dict[str, list[StoredPayment]]:
    """Return the payments with the skeleton or the values of these rows that exist, may exist or
    will be sent, by the digests of both. Older payments come first.
    """
    by_digest: dict[str, list[StoredPayment]] = {}
    for name in ("skeleton_digest", "values_digest"):
        digest = ASKED.c[name]
        query = sa.select(*_STORED_COLUMNS).select_from(WITH_ENTRIES)
        chosen = query.where(
            ASKED.c.owner == owner,
            digest.in_({getattr(row, name) for row in requested}),
            sa.or_(STATE.in_(EXISTS_OR_MAY | TO_BE_SENT), RESTORED),
        )
        for row in connection.execute(chosen.order_by(ASKED.c.stored_at)):
            payment = StoredPayment(*row)
            by_digest.setdefault(getattr(payment, name), []).append(payment)
    return by_digest
