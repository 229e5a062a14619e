"""The names that people have for an entry: its key, or the reference of its request."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import sqlalchemy as sa

from victor_ext import InvalidRequest, Problem
from victor_ext.event_queue.transactions import Engine, Work, operation
from victor_ext.ids import reference_of
from victor_ext.privacy import one_line

from .digests import reference_digest
from .storing import EntryStore

_MOST_NAMED = 3
"""The maximum number of keys that a message names."""


def refusal(key: str | None, field: str, code: str, message: str) -> InvalidRequest:
    """The error that refuses an argument: `field` is its name, and `code` says why."""
    return InvalidRequest(message, idempotency_key=key, problems=[Problem(field, code, message)])


class EntryNames(EntryStore[Engine]):
    """Finds the entry that somebody names."""

    @operation
    def key_of(self, name: str) -> Work[str]:
        """The key of the entry with this name: its key, or its reference if no other entry has
        that.

        Args:
            name: A key, or the reference of a request, such as `INV-1042`.

        Raises:
            InvalidRequest: No entry has the name, or several have it as their reference. Then the
                message names their keys.
        """
        return partial(self._key_of, name)

    def _key_of(self, name: str, connection: sa.Connection) -> str:
        """As `key_of`."""
        columns = self.table.c
        wanted = reference_of(name)
        if not wanted:
            message = "name is blank: write the key of an entry, or its reference."
            raise refusal(None, "name", "blank", message)
        exact = sa.select(columns.key).where(columns.key == wanted)
        key = connection.execute(exact).scalar()
        if key is not None:
            return str(key)
        keys = self._keys_with_reference(wanted, connection)
        if len(keys) == 1:
            return keys[0]
        if keys:
            message = _ambiguous_message(wanted, keys)
        else:
            message = f"No entry has the key or the reference {_excerpt(wanted)}."
        raise refusal(None, "name", "unknown", message)

    def _keys_with_reference(self, reference: str, connection: sa.Connection) -> list[str]:
        """The keys of the newest entries with this reference, at most one more than a message
        names.
        """
        columns = self.table.c
        has_reference = columns.reference.in_([reference, reference_digest(reference)])
        query = sa.select(columns.key).where(has_reference).order_by(columns.id.desc())
        return [str(row.key) for row in connection.execute(query.limit(_MOST_NAMED + 1))]


def _ambiguous_message(name: str, keys: Sequence[str]) -> str:
    """The message that several entries have a reference."""
    more = " and more" if len(keys) > _MOST_NAMED else ""
    return (
        f"{_excerpt(name)} is the reference of several entries: write the key of one, "
        f"{', '.join(keys[:_MOST_NAMED])}{more}."
    )


def _excerpt(name: str) -> str:
    return one_line(name)[:60]
