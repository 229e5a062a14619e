"""The names that people have for an entry: its key, or the reference of its request."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from functools import partial

import sqlalchemy as sa

from victor_ext import InvalidRequest, Problem
from victor_ext.event_queue.transactions import Engine, Work, operation
from victor_ext.ids import reference_of
from victor_ext.privacy import one_line

from .digests import is_forgotten, reference_digest
from .storing import EntryStore

_NEAR = 5_000
"""The newest entries, among which a name that is none is compared with others."""
_NAMED = 3
"""The most keys and references that a message names."""


def refusal(key: str | None, field: str, code: str, message: str) -> InvalidRequest:
    """What is raised of an argument that cannot be used."""
    return InvalidRequest(message, idempotency_key=key, problems=[Problem(field, code, message)])


class EntryNames(EntryStore[Engine]):
    """Finds the entry that somebody names."""

    @operation
    def key_of(self, name: str) -> Work[str]:
        """The key of the entry with this key; or of the one entry with this reference.

        Args:
            name: A key, or the reference of a request, such as `INV-1042`.

        Raises:
            InvalidRequest: There is no such entry, or there are several: `problems` names their
                keys, or those that are near.
        """
        return partial(self._key_of, name)

    def _key_of(self, name: str, connection: sa.Connection) -> str:
        columns, wanted = self.table.c, reference_of(name)
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
        message = _several(wanted, keys) if keys else self._unknown(wanted, connection)
        raise refusal(None, "name", "unknown", message)

    def _keys_with_reference(self, reference: str, connection: sa.Connection) -> list[str]:
        """The keys of the newest entries with this reference, one more than a message names."""
        columns = self.table.c
        has_reference = columns.reference.in_([reference, reference_digest(reference)])
        query = sa.select(columns.key).where(has_reference).order_by(columns.id.desc())
        return [str(row.key) for row in connection.execute(query.limit(_NAMED + 1))]

    def _unknown(self, name: str, connection: sa.Connection) -> str:
        """Why a name is of no entry, with those that are like it."""
        columns = self.table.c
        newest = sa.select(columns.key, columns.reference).order_by(columns.id.desc())
        words: dict[str, str] = {}
        for row in connection.execute(newest.limit(_NEAR)):
            for word in (row.key, row.reference):
                if not is_forgotten(word):
                    words[word.casefold()] = word
        near = get_close_matches(name.casefold(), words, _NAMED)
        hint = "none is like it."
        if near:
            hint = f"did you mean {' or '.join(one_line(words[word]) for word in near)}?"
        return f"No entry has the key or the reference {_shown(name)}: {hint}"


def _several(name: str, keys: Sequence[str]) -> str:
    more = " and more" if len(keys) > _NAMED else ""
    return (
        f"{_shown(name)} is the reference of several entries: write the key of one, "
        f"{', '.join(keys[:_NAMED])}{more}."
    )


def _shown(name: str) -> str:
    return one_line(name)[:60]
