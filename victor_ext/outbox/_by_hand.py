"""The operations of people, who settle entries that the worker cannot settle: `resolve`, `retry`,
`cancel` and `look_again`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext._event_queue.transactions import Box, Pass, Work, operation
from victor_ext._privacy import one_line
from victor_ext._values.ids import canonical_id, problem_of_typed_id, reference_of

from ._digests import is_forgotten, reference_digest
from ._engine import OutboxEngine
from ._entries import (
    NOT_DONE,
    Entry,
    EntryState,
    free_values,
    refusal,
    sent_values,
)
from ._sealing import clear_row
from ._storing import Tell

_MOST_NAMED = 3
"""The maximum number of keys that a message names."""
_UNCLEAR = (EntryState.UNCLEAR, EntryState.SETTLING)
"""The states of entries that a person may settle."""
_ValuesOf: TypeAlias = Callable[[Any, Connection], Mapping[str, Any]]
"""Makes the new column values of an entry from its decrypted row, in a transaction."""


def _require_words(key: str, **texts: str) -> None:
    """Raise `InvalidRequest` for the first of these texts, by the names of arguments, that is
    empty.
    """
    for name, text in texts.items():
        if not text.strip():
            message = f"{name} is empty: say it for those who read this later."
            raise refusal(key, name, "required", message)


def _check_id(key: str, id: str, *, done: bool) -> None:
    """Raise `InvalidRequest` for an id of what was not done, or that nobody can mean."""
    message = problem_of_typed_id(id)
    if not done:
        message = "id says that it was made: leave it out, or write done=True (--as sent)."
    if message:
        raise refusal(key, "id", "value", message)


class OutboxByHand(Box):
    """The operations of people. Each names an entry by its key, or the reference of its request."""

    _parts: OutboxEngine

    @operation
    def resolve(
        self, name: str, *, done: bool, by: str, why: str, id: str | None = None
    ) -> Pass[Entry]:
        """Settle an entry by hand that is unclear or settling. Its handlers are called by the
        worker.

        Args:
            name: Its key, or its reference if no other entry has that.
            done: Whether it was done. An entry of which nothing was done is rejected, and can be
                sent again by `retry`.
            by: Who has found that out. It is stored, as is `why`.
            why: How it was found out.
            id: The provider's id of it, if it was done.

        Raises:
            InvalidRequest: There is no such entry in these states; `by`, `why` or `id` is empty;
                `id` has what cannot be seen, is of another entry, or of what was not done.
        """
        _require_words(name, by=by, why=why)
        if id is not None:
            _check_id(name, id, done=done)
        values: dict[str, Any] = {"restored": False, "resolved_by": by, "resolved_why": why}
        if done:
            values["state"] = EntryState.SENT
            values["error"] = None
            values["request_id"] = canonical_id(id)
            values["ended"] = id is None
        else:
            values["state"] = EntryState.REJECTED
            values["error"] = f"Not done, says {by}: {why}"

        def checked_values(row: Any, connection: Connection) -> Mapping[str, Any]:
            other = self._parts.rivals.entry_with_id(row, id, connection) if done else None
            if other is not None:
                other_name = other.key if is_forgotten(other.reference) else other.reference
                message = (
                    f"{id} is the id of the entry {other_name}: write the id of what {name} has "
                    "made."
                )
                raise refusal(row.key, "id", "used", message)
            return values

        return (yield from self._change_in_states(name, _UNCLEAR, checked_values))

    @operation
    def retry(self, name: str) -> Pass[Entry]:
        """Let an entry be sent again that is rejected or refused: nothing of it was done.

        Of a restored one (see `hold`) that is not certain: it is looked up, and not sent.

        Args:
            name: Its key, or its reference if no other entry has that.

        Raises:
            InvalidRequest: There is no such entry in these states.
        """
        return (yield from self._change_in_states(name, NOT_DONE, _retry_values))

    @operation
    def cancel(self, name: str, *, by: str, why: str) -> Pass[Entry]:
        """Take back an entry that waits: it is refused, and not sent unless somebody calls `retry`.
        Its handlers are called by the worker.

        Args:
            name: Its key, or its reference if no other entry has that.
            by: Who takes it back. It is stored, as is `why`.
            why: Why it is not to be sent.

        Raises:
            InvalidRequest: There is no such entry that waits: what may have been sent cannot be
                taken back here; or `by` or `why` is empty.
        """
        _require_words(name, by=by, why=why)
        values = {
            "state": EntryState.REFUSED,
            "error": f"Cancelled by {by}: {why}",
            "resolved_by": by,
            "resolved_why": why,
        }
        return (
            yield from self._change_in_states(
                name, [EntryState.WAITING], lambda _row, _connection: values
            )
        )

    @operation
    def look_again(self, name: str) -> Pass[Entry]:
        """Let the worker look up an unclear entry again, until `settle_for` has passed: a list of
        the provider's may show it by now. It is not sent.

        Args:
            name: Its key, or its reference if no other entry has that.

        Raises:
            InvalidRequest: There is no such entry that is unclear.
        """
        values = {"state": EntryState.SETTLING, "settle_until": None, "tries": 0}
        return (
            yield from self._change_in_states(
                name, [EntryState.UNCLEAR], lambda _row, _connection: values
            )
        )

    @operation
    def key_of(self, name: str) -> Work[str]:
        """The key of the entry with this name: its key, or its reference if no other entry has
        that.

        Args:
            name: A key, or the reference of a request, such as `INV-1042`.

        Raises:
            InvalidRequest: No entry has the name (a problem with the code `unknown`), or several
                have it as their reference (`several`). Then the message names their keys.
        """
        return partial(self._key_of, name)

    def _key_of(self, name: str, connection: Connection) -> str:
        """The key of the entry with this name, in a transaction: see `key_of`."""
        columns = self.table.c
        wanted = reference_of(name)
        if not wanted:
            message = "name is blank: write the key of an entry, or its reference."
            raise refusal(None, "name", "blank", message)
        exact = sa.select(columns.key).where(columns.key == wanted)
        key = connection.execute(exact).scalar()
        if key is not None:
            return str(key)
        has_reference = columns.reference.in_([wanted, reference_digest(wanted)])
        newest_first = sa.select(columns.key).where(has_reference).order_by(columns.id.desc())
        query = newest_first.limit(_MOST_NAMED + 1)
        keys = [str(row.key) for row in connection.execute(query)]
        if len(keys) == 1:
            return keys[0]
        excerpt = _excerpt(wanted)
        code = "unknown"
        message = f"No entry has the key or the reference {excerpt}."
        if keys:
            code = "several"
            more = " and more" if len(keys) > _MOST_NAMED else ""
            message = (
                f"{excerpt} is the reference of several entries: write the key of one, "
                f"{', '.join(keys[:_MOST_NAMED])}{more}."
            )
        raise refusal(None, "name", code, message)

    def _change_in_states(
        self, name: str, states: Sequence[str], values_of: _ValuesOf
    ) -> Pass[Entry]:
        """Change the entry with this name, if it is in one of these states. Raises
        `InvalidRequest`: no entry is.
        """
        # This process may have no handlers: the event is stored for the worker.
        tell = self._parts.queue.store
        change = partial(self._change_by_hand, name, states, values_of, tell)
        return (yield from self._transactions.transact(change))

    def _change_by_hand(
        self,
        name: str,
        states: Sequence[str],
        values_of: _ValuesOf,
        tell: Tell,
        connection: Connection,
    ) -> Entry:
        """Change the entry with this name in a transaction, if it is in one of these states. Raises
        `InvalidRequest`: no entry is.
        """
        columns = self.table.c
        key = self._key_of(name, connection)
        is_named = columns.key == key
        named = key if reference_of(name) == key else f"{_excerpt(name)} (key {key})"
        row = connection.execute(sa.select(self.table).where(is_named)).one()
        if is_forgotten(row.call):
            message = f"The data of {named} was forgotten, so nothing was changed."
            raise refusal(key, "idempotency_key", "forgotten", message)
        entry = None
        if row.state in states:
            as_read = sa.and_(columns.state == row.state, columns.restored == row.restored)
            clear = clear_row(self._parts.vault, row)
            # A worker that has taken the entry up loses it, and so cannot store a result.
            values = {**free_values(), **values_of(clear, connection)}
            chosen = sa.and_(is_named, as_read)
            entry = self._parts.store.change(chosen, values, tell, connection)
        if entry is None:
            message = (
                f"{named} is no entry that is {' or '.join(states)}, so nothing was changed: it "
                f"is {row.state}."
            )
            raise refusal(key, "idempotency_key", "state", message)
        return entry


def _excerpt(name: str) -> str:
    """A name for a message."""
    return one_line(reference_of(name))[:60]


def _retry_values(row: Any, _connection: Connection) -> dict[str, Any]:
    """The column values of an entry that `retry` lets be sent again: those of a new entry; of a
    restored one, those of an entry that may have been sent.
    """
    values: dict[str, Any] = dict.fromkeys(("settle_until", "error", "resolved_by", "resolved_why"))
    if row.restored:
        return {**values, "state": EntryState.SENDING}
    return {**values, "state": EntryState.WAITING, "tries": 0, **sent_values(None)}
