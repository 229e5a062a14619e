"""The operations of people, who settle entries that the worker cannot settle: `resolve`, `retry`,
`cancel` and `look_again`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import InvalidRequest
from victor_ext._event_queue.transactions import Box, Pass, Work, operation
from victor_ext._privacy import one_line
from victor_ext._values.ids import canonical_id, problem_of_typed_id, reference_of, words_of

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

_MOST_NAMED = 3
"""The maximum number of keys that a message names."""
_UNCLEAR = (EntryState.UNCLEAR, EntryState.SETTLING)
"""The states of entries that a person may settle."""
_ValuesOf: TypeAlias = Callable[[Any, Connection], Mapping[str, Any]]
"""Makes the new column values of an entry from its decrypted row, in a transaction."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a person has found out of a write in doubt: of an entry, or of a row of a file.

    Attributes:
        done: Whether it was done.
        by: Who has found that out.
        why: How.
        id: The provider's id of what was done; None: it is not known, or nothing was done.
    """

    done: bool
    by: str
    why: str
    id: str | None = None

    def check(self, key: str | None = None) -> None:
        """Raise `InvalidRequest` if `by` or `why` is empty, or for an id of what was not done, or
        that nobody can mean.
        """
        for name, text in (("by", self.by), ("why", self.why)):
            if not text.strip():
                message = f"{name} is empty: say it for those who read this later."
                raise refusal(key, name, "required", message)
        if self.id is None:
            return
        message = problem_of_typed_id(self.id)
        if not self.done:
            message = "id says that it was done: leave it out, or write done=True (--as done)."
        if message:
            raise refusal(key, "id", "value", message)

    @property
    def sentence(self) -> str:
        """What is said of the write from now on."""
        what = "Done" if self.done else "Not done"
        return f"{what}, says {words_of(self.by)}: {words_of(self.why)}"

    @property
    def values(self) -> dict[str, Any]:
        """The column values of an entry that it settles."""
        if not self.done:
            return {"state": EntryState.REFUSED, "restored": False}
        return {
            "state": EntryState.SENT,
            "restored": False,
            "request_id": canonical_id(self.id),
            "ended": self.id is None,
        }


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
            done: Whether it was done. An entry of which nothing was done is refused, and can be
                sent again by `retry`.
            by: Who has found that out. It is stored, as is `why`.
            why: How it was found out.
            id: The provider's id of it, if it was done.

        Raises:
            InvalidRequest: There is no such entry in these states; `by`, `why` or `id` is empty;
                `id` has what cannot be seen, is of another entry, or of what was not done.
        """
        finding = Finding(done, by, why, id)
        finding.check(name)
        values = _values_with_person(finding, None if done else finding.sentence)

        def checked_values(row: Any, connection: Connection) -> Mapping[str, Any]:
            other = self._parts.rivals.entry_with_id(row, id, connection) if done else None
            if other is not None:
                message = (
                    f"{id} is the id of the entry {other.reference}: write the id of what {name} "
                    "has made."
                )
                raise refusal(row.key, "id", "used", message)
            return values

        return (yield from self._change(name, _UNCLEAR, checked_values))

    @operation
    def retry(self, name: str) -> Pass[Entry]:
        """Let an entry be sent again that is rejected or refused: nothing of it was done.

        Of a restored one (see `hold`) that is not certain: it is looked up, and not sent.

        Args:
            name: Its key, or its reference if no other entry has that.

        Raises:
            InvalidRequest: There is no such entry in these states.
        """
        return (yield from self._change(name, NOT_DONE, _retry_values))

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
        finding = Finding(done=False, by=by, why=why)
        finding.check(name)
        values = _values_with_person(finding, f"Cancelled by {by}: {why}")
        return (
            yield from self._change(name, [EntryState.WAITING], lambda _row, _connection: values)
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
            yield from self._change(name, [EntryState.UNCLEAR], lambda _row, _connection: values)
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
        """The key of the entry with this name: its key, or its reference if no other entry has
        that. Raises `InvalidRequest`.
        """
        columns = self.table.c
        wanted = reference_of(name)
        references = [wanted, reference_digest(wanted)] if wanted else []
        is_key = columns.key == wanted
        named = sa.select(columns.key).where(sa.or_(is_key, columns.reference.in_(references)))
        query = named.order_by(is_key.desc(), columns.id.desc()).limit(_MOST_NAMED)
        keys = [str(key) for key in connection.execute(query).scalars()]
        if wanted not in keys and len(keys) != 1:
            raise wrong_name(wanted, keys)
        return keys[0]

    def _change(self, name: str, states: Sequence[str], values_of: _ValuesOf) -> Pass[Entry]:
        """Change the entry with this name, if it is in one of these states. Raises
        `InvalidRequest`: no entry is.
        """

        def change(connection: Connection) -> Entry:
            key = self._key_of(name, connection)
            columns = self.table.c
            row = connection.execute(sa.select(self.table).where(columns.key == key)).one()
            as_read = sa.and_(columns.state == row.state, columns.restored == row.restored)
            entry = None
            why_not = f"is {row.state}, not {' or '.join(states)}"
            if is_forgotten(row.call):
                why_not = "was forgotten"
            elif row.state in states:
                clear = clear_row(self._parts.vault, row)
                # A worker that has taken the entry up loses it, and so cannot store a result.
                values = {**free_values(), **values_of(clear, connection)}
                is_named = sa.and_(columns.id == row.id, as_read)
                # This process may have no handlers: the event is stored for the worker.
                tell = self._parts.queue.store
                entry = self._parts.store.change(is_named, values, tell, connection)
            if entry is None:
                message = f"{_excerpt(name)} (key {key}) {why_not}: nothing was changed."
                raise refusal(key, "idempotency_key", "state", message)
            return entry

        return (yield from self._transactions.transact(change))


def _excerpt(name: str) -> str:
    """A name for a message."""
    return one_line(reference_of(name))[:60]


def wrong_name(name: str, keys: Sequence[str]) -> InvalidRequest:
    """The error for a name that nothing has, or several, whose keys these are."""
    excerpt = _excerpt(name)
    if not keys:
        message = f"Nothing has the key or the reference {excerpt}."
        return refusal(None, "name", "unknown", message)
    named = ", ".join(keys[:_MOST_NAMED])
    message = f"Several have the reference {excerpt}: write the key of one, such as {named}."
    return refusal(None, "name", "several", message)


def _values_with_person(finding: Finding, error: str | None) -> dict[str, Any]:
    """The column values of an entry that a person settles, or takes back."""
    person = {"resolved_by": finding.by, "resolved_why": finding.why}
    return {**finding.values, **person, "error": error}


def _retry_values(row: Any, _connection: Connection) -> dict[str, Any]:
    """The column values of an entry that `retry` lets be sent again: those of a new entry; of a
    restored one, those of an entry that may have been sent.
    """
    values: dict[str, Any] = dict.fromkeys(("settle_until", "error", "resolved_by", "resolved_why"))
    if row.restored:
        return {**values, "state": EntryState.SENDING}
    return {**values, "state": EntryState.WAITING, "tries": 0, **sent_values(None)}
