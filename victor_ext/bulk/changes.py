"""Saying what has changed in rows that ask for something else than what is stored under their keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from .batch_store import BatchStore
from .columns import differing
from .validating import Changed, Check


def name_changes(store: BatchStore, check: Check, changed: Sequence[Changed], due_date: str | None) -> None:
    """Name the columns in the problems of the check. Their values are not said: one may be an account number."""
    for chunk, rows in groupby(sorted(changed, key=lambda row: row.chunk), key=lambda row: row.chunk):
        attempts = store.tries([chunk], rows=True).get(chunk, [])
        stored = attempts[0].chunk if attempts else None
        arguments = {} if stored is None else {row.key: row.arguments for row in stored.rows}
        for row in rows:
            before = arguments.get(row.key)
            if before is not None:
                columns = differing(before, row.arguments, due_date)
                check.problems[row.place] = replace(check.problems[row.place], message=_message(columns))


def _message(columns: Sequence[str]) -> str:
    verb, values = ("is", "value") if len(columns) == 1 else ("are", "values")
    return (
        f"{', '.join(columns)} {verb} not what is stored, and may have been sent, under this key: the row is refused. "
        f"Put the old {values} back, or ask for another payment under another key."
    )
