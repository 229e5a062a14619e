"""The tables of a state, and the queries for payments.

A sheet is what was wanted, a payment is what was asked. `SHEETS` has each source that was sent, and
`LINES` its rows; nothing changes them but `forget`, which removes what they ask for. `PAYMENTS` has
what was asked: which line it was asked for, and which entry of the outbox asks (`ENTRIES` of
`victor_ext.outbox._files`), which has the call, and what became of it. A payment is identified by
the system, the environment and its first key; it is stored once, whichever sheets have it. Many
payments of a payout are one entry. A payment without an entry was pulled back, or is known to have
an end of its own. A batch is its sheets: what holds for it is stored with the latest one. What is
reported is the join of lines and payments (`_joining.py`).

Keys, states, ids and times stand in clear, and so do the status words of the provider. What a row
asks for, and why it was rejected, is encrypted; values are compared by keyed digests.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext._event_queue.databases import Condition, OfFewRows
from victor_ext._settlement.flow import MAY_EXIST, PaymentOutcome
from victor_ext.outbox._files import ENTRIES, UNDER_WAY, lock_entries, named_entries

T = TypeVar("T")

NEVER_LEFT = frozenset({PaymentOutcome.WAITING, PaymentOutcome.NOT_SENT, PaymentOutcome.REFUSED})
"""States in which nothing was sent: another sheet replaces the row."""
IN_DOUBT = MAY_EXIST | {UNDER_WAY}
"""States in which the provider may have the payment, under an id that is not known here."""
TO_BE_SENT = frozenset({PaymentOutcome.WAITING, PaymentOutcome.NOT_SENT})
"""States in which nothing was sent, and a worker sends it."""
EXISTS_OR_MAY = IN_DOUBT | {PaymentOutcome.CREATED}
"""States in which the provider has the payment, or may have it."""

DIGESTS = (
    "values_digest",
    "bare_digest",
    "skeleton_digest",
    "reference_digest",
)
"""The columns by which lines and payments are compared: as of `RequestedPayment`."""

METADATA = sa.MetaData()
SHEETS = sa.Table(
    "victor_bulk_sheets",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),  # system, environment and account
    sa.Column("batch", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False),  # key column and headings, encrypted
    sa.Column("digest", sa.Text, nullable=False),  # equal for equal sheets
    sa.Column("stored_at", sa.Double, nullable=False),  # epoch seconds
    sa.Column("stored", sa.Text, nullable=False),  # the same time as JSON of a `SentSince`
    sa.Index("victor_bulk_sheets_batch", "owner", "batch"),
    sqlite_autoincrement=True,
)
LINES = sa.Table(
    "victor_bulk_lines",
    METADATA,
    sa.Column("sheet", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # of the record in the source, from 1
    sa.Column("line", sa.Integer),  # where the record begins in its file
    sa.Column("key", sa.Text),  # of its payment; None: the row has no key
    sa.Column("is_valid", sa.Boolean, nullable=False),
    *(sa.Column(name, sa.Text, nullable=False) for name in DIGESTS),
    sa.Column("due_date", sa.Text),
    sa.Column("problems", sa.Text),  # encrypted; None: there are none, or they are forgotten
    sa.Column("row", sa.Text),  # encrypted; None: forgotten
    sa.Index("victor_bulk_lines_key", "key", "sheet"),
    sa.Index("victor_bulk_lines_skeleton", "sheet", "skeleton_digest"),
)
PAYMENTS = sa.Table(
    "victor_bulk_payments",
    METADATA,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),  # the first idempotency key of the payment
    sa.Column("entry", sa.Text),  # the key of the entry that asks for it; None: none does
    sa.Column("shared", sa.Boolean, nullable=False),  # whether the entry asks for several
    sa.Column("state", sa.Text),  # what is known beside the entry, such as from a payout
    sa.Column("batch", sa.Text, nullable=False),  # whose `resume` sends it
    sa.Column("sheet", sa.Integer, nullable=False),  # the line that it was asked for
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("again", sa.Integer, nullable=False),  # how many keys it had before
    *(sa.Column(name, sa.Text, nullable=False) for name in DIGESTS),
    sa.Column("due_date", sa.Text),
    sa.Column("request_id", sa.Text),  # with `state`, as are `status`, `error` and `made`
    sa.Column("status", sa.Text),
    sa.Column("error", sa.Text),  # encrypted
    sa.Column("made", sa.Text),  # the id of the payout that has it; of any other payment, its id
    sa.Column("stored_at", sa.Double, nullable=False),  # epoch seconds
    sa.Column("stored", sa.Text, nullable=False),  # the same time as JSON of a `SentSince`
    sa.Column("restored", sa.Boolean, nullable=False),  # it may have been asked since its backup
    sa.Index("victor_bulk_payments_entry", "owner", "entry"),
    sa.Index("victor_bulk_payments_batch", "owner", "batch", "key"),
    sa.Index("victor_bulk_payments_bare", "owner", "bare_digest"),
    sa.Index("victor_bulk_payments_skeleton", "owner", "skeleton_digest"),
    sa.Index("victor_bulk_payments_reference", "owner", "reference_digest"),
    sa.Index("victor_bulk_payments_made", "owner", "made"),
)
LATEST_SHEETS = sa.select(sa.func.max(SHEETS.c.id)).group_by(SHEETS.c.owner, SHEETS.c.batch)
"""The query for the latest sheet of each batch."""
PAGE = 500
"""The most rows that one statement names."""
UNREADABLE = "unreadable"
"""The due date of a row that has one, and whose text is no date."""


STATE = sa.func.coalesce(PAYMENTS.c.state, ENTRIES.c.word)
"""The state of a payment: a `PaymentOutcome` or UNDER_WAY; NULL: nothing asks for it now."""
RESTORED = sa.or_(PAYMENTS.c.restored, sa.func.coalesce(ENTRIES.c.restored, sa.false()))
"""Whether a payment may have been asked for since its backup was made."""
IS_ITS_ENTRY = sa.and_(ENTRIES.c.scope == PAYMENTS.c.owner, ENTRIES.c.key == PAYMENTS.c.entry)
WITH_ENTRIES = PAYMENTS.outerjoin(ENTRIES, IS_ITS_ENTRY)
"""Payments with their entries. A payment without one stays."""
_ASKED = LINES.alias("asked")
"""The line that a payment was asked for."""
ASKED_ROW = _ASKED.c.row
"""What it asks for, encrypted; NULL: it is forgotten."""
_WAS_ASKED_FOR = sa.and_(_ASKED.c.sheet == PAYMENTS.c.sheet, _ASKED.c.number == PAYMENTS.c.number)
WITH_ROWS = WITH_ENTRIES.outerjoin(_ASKED, _WAS_ASKED_FOR)
"""The same, with what they ask for."""


def is_of_sheet(sheet: Any) -> Condition:
    """Holds for the lines of a sheet, by its number."""
    # SQLite counts the lines of a sheet on average: a large one would have it read all lines for
    # each small one.
    return OfFewRows(LINES.c.sheet == sheet)


def lines_with_payments(owner: str) -> Any:
    """Return the tables of lines, payments and entries, joined: a line without a payment stays.

    They are joined one by one: SQLite would read all payments for a join in parentheses.
    """
    is_its_payment = sa.and_(PAYMENTS.c.owner == owner, PAYMENTS.c.key == LINES.c.key)
    return LINES.outerjoin(PAYMENTS, is_its_payment).outerjoin(ENTRIES, IS_ITS_ENTRY)


class RequestedPayment(NamedTuple):
    """A checked row of a sheet, in the form in which it is compared with stored payments.

    Attributes:
        number: The number of the record in the source, from 1.
        key: The idempotency key of the payment; empty: the row has none.
        is_valid: Whether the row can be sent.
        values_digest: Digest of the values, without the due date.
        due_date: As `YYYY-MM-DD`, also if it is too early or late, or `UNREADABLE`; None: the row
            has none.
        row: The content of the row, encrypted: number, value, arguments, extras; None: forgotten.
        bare_digest: The same without what names the payment: its reference, and the key column.
        skeleton_digest: Digest that is equal for keys whose values have one skeleton.
        reference_digest: Digest of the value that the provider repeats.
    """

    number: int
    key: str = ""
    is_valid: bool = False
    values_digest: str = ""
    due_date: str | None = None
    row: str | None = None
    bare_digest: str = ""
    skeleton_digest: str = ""
    reference_digest: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The sheet that rows are of.

    Attributes:
        id: Its number; None: it is being read, and newer than all others.
        batch: Its batch.
        is_being_sent: Whether rows are asked for. Those of a stored sheet are only reported.
        key_column: The column that tells its rows apart.
        headings: Of its columns, for the export.
    """

    id: int | None
    batch: str
    is_being_sent: bool
    key_column: str = ""
    headings: Sequence[str] = ()


class StoredPayment(NamedTuple):
    """A payment: the columns of `PAYMENTS` and of its entry. Those up to `due_date` decide
    about a row.

    `row` is None if what it asks for is forgotten, `state` if nothing asks for it now, `own_state`
    if nothing is known beside its entry.
    """

    key: str
    batch: str
    sheet: int
    state: str | None
    again: int
    values_digest: str
    due_date: str | None
    stored_at: float = 0.0
    number: int = 0
    shared: bool = False
    row: str | None = None
    own_state: str | None = None
    request_id: str | None = None
    status: str | None = None
    made: str | None = None
    error: str | None = None
    first_sent_at: float | None = None
    stored: str = ""
    restored: bool = False
    entry: str | None = None
    bare_digest: str = ""
    skeleton_digest: str = ""
    reference_digest: str = ""


def _own_or_of_entry(name: str) -> sa.ColumnElement[Any]:
    """The column of a payment if something is known of it beside its entry; else that of the
    entry.
    """
    return sa.case((PAYMENTS.c.state.is_not(None), PAYMENTS.c[name]), else_=ENTRIES.c[name])


_COLUMNS: Mapping[str, sa.ColumnElement[Any]] = {
    **PAYMENTS.c,
    **{name: _own_or_of_entry(name) for name in ("request_id", "status", "error")},
    "first_sent_at": ENTRIES.c.first_sent_at,
    "state": STATE,
    "restored": RESTORED,
    "own_state": PAYMENTS.c.state,
    "row": ASKED_ROW,
}
PAYMENT_COLUMNS = [_COLUMNS[name].label(name) for name in StoredPayment._fields]
"""The columns of a `StoredPayment`, for queries on `WITH_ROWS`."""


ROW_COLUMNS = [
    sa.func.coalesce(LINES.c.key, "").label("key") if name == "key" else LINES.c[name]
    for name in RequestedPayment._fields
]
"""The columns of a `RequestedPayment`. The key of a row without one is empty."""


def stored_lines(
    connection: Connection, owner: str, sheet: Any
) -> Iterator[tuple[RequestedPayment, StoredPayment | None, str | None]]:
    """Yield the rows of a sheet, in pages: each with its payment, if there is one, and with its
    problems, encrypted.
    """
    number, of_row = LINES.c.number, len(RequestedPayment._fields)
    query = sa.select(*ROW_COLUMNS, *PAYMENT_COLUMNS, LINES.c.problems)
    with_rows = lines_with_payments(owner).outerjoin(_ASKED, _WAS_ASKED_FOR)
    is_next = sa.and_(is_of_sheet(sheet), number > sa.bindparam("last"))
    next_page = query.select_from(with_rows).where(is_next).order_by(number).limit(PAGE)
    last = 0
    while page := connection.execute(next_page, {"last": last}).all():
        for stored in page:
            row = RequestedPayment._make(stored[:of_row])
            payment = None
            if stored[of_row] is not None:
                payment = StoredPayment._make(stored[of_row:-1])
            last = row.number
            yield row, payment, stored[-1]


def pages(values: Iterable[T]) -> Iterator[list[T]]:
    """Yield the values in lists of at most `PAGE`."""
    iterator = iter(values)
    while page := list(islice(iterator, PAGE)):
        yield page


def stored_payments(
    connection: Connection, owner: str, keys: Collection[str]
) -> dict[str, StoredPayment]:
    """Return the payments with these keys, by key."""
    named = sa.and_(PAYMENTS.c.owner == owner, PAYMENTS.c.key.in_(keys))
    return {payment.key: payment for payment in chosen_payments(connection, named)}


def chosen_payments(connection: Connection, chosen: Condition) -> list[StoredPayment]:
    """Return the payments that are chosen: those of the newest sheet first, in their order."""
    query = sa.select(*PAYMENT_COLUMNS).select_from(WITH_ROWS).where(chosen)
    ordered = query.order_by(PAYMENTS.c.sheet.desc(), PAYMENTS.c.number)
    return [StoredPayment(*row) for row in connection.execute(ordered)]


def lock_payments(connection: Connection, owner: str, keys: Collection[str]) -> None:
    """Let nobody else change these payments, or their entries, until the transaction ends.

    They are locked in the order of their keys, and entries in that of their ids: nobody waits in a
    circle, but for workers, which try again.
    """
    chosen = sa.and_(PAYMENTS.c.owner == owner, PAYMENTS.c.key.in_(keys))
    locked = sa.select(PAYMENTS.c.entry).where(chosen).order_by(PAYMENTS.c.key).with_for_update()
    entries = [entry for entry in connection.execute(locked).scalars() if entry is not None]
    lock_entries(connection, named_entries(owner, entries))
