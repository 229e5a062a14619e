"""What people do with an outbox: they settle what its worker cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import sqlalchemy as sa

from victor_ext.event_queue.transactions import Engine, Pass, operation

from .digests import is_forgotten
from .entries import Entry, EntryState, sent_values
from .naming import EntryNames, refusal
from .storing import Change

_NOT_SENT = (EntryState.WAITING,)
_NOT_DONE = (EntryState.REJECTED, EntryState.REFUSED)
_IN_DOUBT = (EntryState.UNCLEAR, EntryState.SETTLING)
_States: TypeAlias = tuple[EntryState, ...]
_ValuesOf: TypeAlias = Callable[[Any], Mapping[str, Any]]
"""The new values of an entry, from its row."""


def _require_words(key: str, **texts: str) -> None:
    """Refuse what says nothing to those who read it later. Raises `InvalidRequest`."""
    for name, text in texts.items():
        if not text.strip():
            message = f"{name} is empty: say it for those who read this later."
            raise refusal(key, name, "required", message)


class OutboxByHand(EntryNames[Engine]):
    """The operations of people. Each names an entry by its key or its reference."""

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
        _require_words(name, by=by, why=why)
        if id:
            _require_words(name, id=id)
        values: dict[str, Any] = {"restored": False, "resolved_by": by, "resolved_why": why}
        if done:
            values["state"] = EntryState.SENT.value
            values["error"] = None
            values["request_id"] = id
            values["ended"] = id is None
        else:
            values["state"] = EntryState.REJECTED.value
            values["error"] = f"Not done, says {by}: {why}"
        return (yield from self._by_hand(name, _IN_DOUBT, lambda _: values))

    @operation
    def retry(self, name: str) -> Pass[Entry]:
        """Let an entry be sent again that is rejected or refused: nothing of it was done.

        Of a restored one (see `hold`) that is not certain: it is looked up, and not sent.

        Args:
            name: Its key, or its reference if no other entry has that.

        Raises:
            InvalidRequest: There is no such entry in these states.
        """
        return (yield from self._by_hand(name, _NOT_DONE, _again))

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
        return (yield from self._by_hand(name, _NOT_SENT, lambda _: values))

    def _by_hand(self, name: str, states: _States, values_of: _ValuesOf) -> Pass[Entry]:
        """Change an entry that is in one of these states. Raises `InvalidRequest`: none is."""
        work = partial(self._change_by_hand, name, states, values_of)
        # The worker has the handlers: here the event is stored, whoever wants it.
        entry = yield from self._transact(partial(self._with_events, work, self._put))
        assert entry is not None
        return entry

    def _change_by_hand(
        self, name: str, states: _States, values_of: _ValuesOf, connection: sa.Connection
    ) -> Change:
        columns = self.table.c
        key = self._key_of(name, connection)
        self._sealing.prepare(connection)
        is_named = columns.key == key
        row = connection.execute(sa.select(self.table).where(is_named)).one()
        if is_forgotten(row.call):
            message = f"The data of {key} was forgotten, so nothing was changed."
            raise refusal(key, "idempotency_key", "forgotten", message)
        change = Change(None)
        if row.state in states:
            as_read = sa.and_(columns.state == row.state, columns.restored == row.restored)
            # Whoever has taken it up before has lost it.
            values = {"leased_until": 0.0, **values_of(row)}
            change = self._change(sa.and_(is_named, as_read), values, connection)
        if change.entry is None:
            message = (
                f"{key} is no entry that is {' or '.join(states)}, so nothing was changed: it is "
                f"{row.state}."
            )
            raise refusal(key, "idempotency_key", "state", message)
        return change


def _again(row: Any) -> dict[str, Any]:
    """The values of an entry that is to be sent again: as if it were new; or if it is restored, as
    one that may have been sent.
    """
    values: dict[str, Any] = dict.fromkeys(("settle_until", "error", "resolved_by", "resolved_why"))
    if row.restored:
        return {**values, "state": EntryState.SENDING.value}
    return {**values, "state": EntryState.WAITING.value, **sent_values(None)}
