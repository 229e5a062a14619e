"""The lines of a batch: the rows of its latest file, each with its payment, and how many there are
of what kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from .contents import result_of, row_of, sent_of
from .payments import LEFT_OUT, LINES, PAGE, PAYMENTS, UNDER_WAY
from .rows import Result, Row, RowOutcome
from .state_errors import StateLost
from .store import Store


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a batch: a row of its latest file, or a payment that was in doubt and that the file
    lacks.

    Attributes:
        number: Of the record in the file, from 1; 0: the file lacks it.
        batch: The one that sends, or has sent, its payment; None: it has no payment.
        code: Of the notice about it; None: there is none.
        row: What was asked; None: nothing is known of it any more.
        latest: The same by the latest file, which may have other values.
        outcome: What became of it.
        message: The notice about it; None: there is none.
        restored: Whether it may have been asked since the backup of the state.
    """

    number: int
    key: str
    batch: str | None
    code: str | None
    row: Row | None = field(repr=False)
    latest: Row | None = field(repr=False)
    outcome: RowOutcome
    result: Result
    message: str | None
    restored: bool = False


class LineCounts(NamedTuple):
    """How many lines a batch has.

    Attributes:
        outcomes: By outcome.
        codes: By the code of their notice.
        under_way: Of those that are unknown: a worker has begun with them.
        left_out: Of those that are refused: the latest file of another batch lacks them.
    """

    outcomes: Counter[RowOutcome]
    codes: Counter[str]
    under_way: int
    left_out: int


def counts_of(store: Store) -> LineCounts:
    """Count the lines of the batch.

    Raises `StateLost` if the batch, or what became of its rows, was deleted.
    """
    with store.engine.connect() as connection:
        if not store.is_stored(connection):
            raise StateLost.deleted(f"The batch {store.batch}")
        groups = connection.execute(_query_of_counts(store)).all()
    outcomes = Counter[RowOutcome]()
    codes = Counter[str]()
    states = Counter[str | None]()
    for group in groups:
        if group.state is None and group.has_key:
            raise _lost_payments(store)
        outcomes[_outcome_of(group.state)] += group.lines
        states[group.state] += group.lines
        if group.code is not None:
            codes[group.code] += group.lines
    return LineCounts(outcomes, codes, states[UNDER_WAY], states[LEFT_OUT])


def _query_of_counts(store: Store) -> sa.Executable:
    lines = LINES.c
    groups = (lines.code, PAYMENTS.c.state, lines.key.is_not(None).label("has_key"))
    query = sa.select(*groups, sa.func.count().label("lines"))
    return query.select_from(_with_payments()).where(store.is_line()).group_by(*groups)


def refuse_lost(store: Store, connection: Connection) -> None:
    """Raise `StateLost` if a line of the batch has a key whose payment was deleted."""
    is_lost = sa.and_(store.is_line(), LINES.c.key.is_not(None), PAYMENTS.c.key.is_(None))
    query = sa.select(LINES.c.key).select_from(_with_payments()).where(is_lost)
    if connection.execute(query.limit(1)).first() is not None:
        raise _lost_payments(store)


def _lost_payments(store: Store) -> StateLost:
    return StateLost.deleted(f"What {store.batch} has of its payments")


def lines_of(store: Store) -> Iterator[Line]:
    """Yield the lines of the batch in the order of its latest file, then what was in doubt and is
    not in it.
    """
    number = LINES.c.number
    query = _query_of(store)
    last = 0
    with store.engine.connect() as connection:
        refuse_lost(store, connection)
        while True:
            following = query.where(number > last).order_by(number).limit(PAGE)
            page = connection.execute(following).all()
            for stored in page:
                yield _line(store, stored)
            if not page:
                break
            last = page[-1].number
        unlisted = query.where(number < 0).order_by(number.desc())
        for stored in connection.execute(unlisted).all():
            yield _line(store, stored)


def present_lines(
    store: Store,
    connection: Connection,
    keys: Sequence[str],
) -> dict[str, Line]:
    """Return the lines with these keys, by key, as the transaction sees them."""
    query = _query_of(store).where(LINES.c.key.in_(keys))
    lines = [_line(store, stored) for stored in connection.execute(query)]
    return {line.key: line for line in lines}


def _with_payments() -> Any:
    lines, columns = LINES.c, PAYMENTS.c
    is_its = sa.and_(columns.owner == lines.owner, columns.key == lines.key)
    return LINES.outerjoin(PAYMENTS, is_its)


def _query_of(store: Store) -> sa.Select[Any]:
    lines = LINES.c
    return (
        sa.select(lines.number, lines.key.label("own_key"), lines.code, lines.message)
        .add_columns(lines.row.label("own_row"), *PAYMENTS.c)
        .select_from(_with_payments())
        .where(store.is_line())
    )


def _line(store: Store, stored: Any) -> Line:
    vault, key = store.vault, stored.own_key or ""
    own = None
    if stored.own_row is not None:
        own = Row.of_stored(key, vault.deserialize(stored.own_row))
    row, result = None, Result(RowOutcome.REFUSED)
    if stored.state is not None:
        row = row_of(vault, stored)
        result = result_of(vault, stored) or _open_result(stored)
    message = None if stored.message is None else str(vault.deserialize(stored.message))
    return Line(
        number=max(0, stored.number),
        key=key,
        batch=stored.batch,
        code=stored.code,
        row=row or own,
        latest=own or row,
        outcome=_outcome_of(stored.state),
        result=result,
        message=message,
        restored=bool(stored.restored),
    )


def _outcome_of(state: str | None) -> RowOutcome:
    """Return what a line counts as: what became of its payment."""
    if state == UNDER_WAY:
        return RowOutcome.UNKNOWN
    if state is None or state == LEFT_OUT:
        return RowOutcome.REFUSED
    return RowOutcome(state)


def _open_result(stored: Any) -> Result:
    """Return the result of a payment that has none stored."""
    if stored.state == UNDER_WAY:
        error = "It is being sent, or its sender was interrupted."
        return Result(RowOutcome.UNKNOWN, error=error, sent=sent_of(stored))
    if stored.state == LEFT_OUT:
        lacking = f"the latest file of {stored.batch} lacks it"
        error = f"It is left out: {lacking}. A file that has it sends it."
        return Result(RowOutcome.REFUSED, error=error)
    if stored.state == RowOutcome.REFUSED:
        return Result(RowOutcome.REFUSED)
    return Result(RowOutcome.WAITING)
