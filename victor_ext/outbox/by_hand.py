"""What people do with an outbox: they settle what its worker cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import partial
from typing import Any

import sqlalchemy as sa

from victor_ext import InvalidRequest, Problem
from victor_ext.event_queue.transactions import Engine, Pass, Work, operation
from victor_ext.ids import reference_of
from victor_ext.privacy import one_line

from .digests import is_forgotten, reference_digest
from .entries import Entry, EntryState, sent_values
from .passes import Change, OutboxPasses

_NEAR = 5_000
"""The newest entries, among which a name that is none is compared with others."""
_NAMED = 3
"""The most keys and references that a message names."""


def refusal(key: str | None, field: str, code: str, message: str) -> InvalidRequest:
    """What is raised of an argument that cannot be used."""
    return InvalidRequest(message, idempotency_key=key, problems=[Problem(field, code, message)])


def _require_words(key: str, **texts: str) -> None:
    """Refuse what says nothing to those who read it later. Raises `InvalidRequest`."""
    for name, text in texts.items():
        if not text.strip():
            message = f"{name} is empty: say it for those who read this later."
            raise refusal(key, name, "required", message)


class OutboxByHand(OutboxPasses[Engine]):
    """The operations of people. Each names an entry by its key or its reference."""

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
            InvalidRequest: There is no such entry in these states; or `by` or `why` is empty.
        """
        _require_words(name, by=by, why=why, id=id or "-")
        if done:
            known = {"request_id": id, "ended": id is None, "error": None}
            values: dict[str, Any] = {"state": EntryState.SENT.value, **known}
        else:
            values = {"state": EntryState.REJECTED.value, "error": f"Not done, says {by}: {why}"}
        values |= {"resolved_by": by, "resolved_why": why, "restored": False}
        states = EntryState.UNCLEAR, EntryState.SETTLING
        return (yield from self._by_hand(name, lambda _: values, *states))

    @operation
    def retry(self, name: str) -> Pass[Entry]:
        """Let an entry be sent again that is rejected or refused: nothing of it was done.

        Of a restored one (see `hold`) that is not certain: it is looked up, and not sent.

        Args:
            name: Its key, or its reference if no other entry has that.

        Raises:
            InvalidRequest: There is no such entry in these states.
        """
        unknown = dict.fromkeys(("settle_until", "error", "resolved_by", "resolved_why"))
        never = {**unknown, **sent_values(None), "state": EntryState.WAITING.value}
        maybe = {**unknown, "state": EntryState.SENDING.value}

        def values(row: Any) -> dict[str, Any]:
            return maybe if row.restored else never

        return (yield from self._by_hand(name, values, EntryState.REJECTED, EntryState.REFUSED))

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
            "state": EntryState.REFUSED.value,
            "error": f"Cancelled by {by}: {why}",
            "resolved_by": by,
            "resolved_why": why,
        }
        return (yield from self._by_hand(name, lambda _: values, EntryState.WAITING))

    def _by_hand(
        self, name: str, values: Callable[[Any], dict[str, Any]], *states: EntryState
    ) -> Pass[Entry]:
        work = partial(self._change_by_hand, name, values, states)
        # The worker has the handlers: here the event is stored, whoever wants it.
        entry = yield from self._transact(partial(self._told, work, self._put))
        assert entry is not None
        return entry

    def _change_by_hand(
        self,
        name: str,
        values: Callable[[Any], dict[str, Any]],
        states: Sequence[EntryState],
        connection: sa.Connection,
    ) -> Change:
        columns, key = self.table.c, self._key_of(name, connection)
        self._sealing.prepare(connection)
        is_named = columns.key == key
        row = connection.execute(sa.select(self.table).where(is_named)).one()
        as_read = sa.and_(columns.state == row.state, columns.restored == row.restored)
        change = Change(None)
        if is_forgotten(row.call):
            message = f"The data of {key} was forgotten, so nothing was changed."
            raise refusal(key, "idempotency_key", "forgotten", message)
        if row.state in states:
            # Whoever has taken it up before has lost it.
            changed = {"leased_until": 0.0, **values(row)}
            change = self._change(sa.and_(is_named, as_read), changed, connection)
        if change.entry is None:
            message = (
                f"{key} is no entry that is {' or '.join(states)}, so nothing was changed: it is "
                f"{row.state}."
            )
            raise refusal(key, "idempotency_key", "state", message)
        return change

    def _key_of(self, name: str, connection: sa.Connection) -> str:
        columns, reference = self.table.c, reference_of(name)
        if not reference:
            message = "name is blank: write the key of an entry, or its reference."
            raise refusal(None, "name", "blank", message)
        keys = sa.select(columns.key).order_by(columns.id.desc())
        exact = connection.execute(keys.where(columns.key == reference)).scalar()
        if exact is not None:
            return str(exact)
        has_reference = columns.reference.in_([reference, reference_digest(reference)])
        same = connection.execute(keys.where(has_reference).limit(_NAMED + 1))
        of_reference = [str(row.key) for row in same]
        if len(of_reference) == 1:
            return of_reference[0]
        raise refusal(None, "name", "unknown", self._why_none(reference, of_reference, connection))

    def _why_none(self, name: str, keys: Sequence[str], connection: sa.Connection) -> str:
        """Why a name is of no entry; or of several, which have these keys."""
        shown = one_line(name)[:60]
        if keys:
            more = " and more" if len(keys) > _NAMED else ""
            return (
                f"{shown} is the reference of several entries: write the key of one, "
                f"{', '.join(keys[:_NAMED])}{more}."
            )
        columns = self.table.c
        newest = sa.select(columns.key, columns.reference).order_by(columns.id.desc())
        words = {
            word.casefold(): word
            for row in connection.execute(newest.limit(_NEAR))
            for word in (row.key, row.reference)
            if not is_forgotten(word)
        }
        near = [words[word] for word in get_close_matches(name.casefold(), words, _NAMED)]
        hint = f"did you mean {' or '.join(map(one_line, near))}?" if near else "none is like it."
        return f"No entry has the key or the reference {shown}: {hint}"
