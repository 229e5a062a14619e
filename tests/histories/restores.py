"""Workers of an outbox, and what people do with it: they restore a backup, hold, release, cancel,
retry, resolve and forget.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any

import sqlalchemy as sa

from tests.histories.settling import OPEN, Outboxes, _invoice, expected
from victor_ext import VictorError
from victor_ext.outbox import EntryState
from victor_ext.outbox.holding import RESTORED

_OVER = (EntryState.REJECTED, EntryState.REFUSED)
_PERSON = {"by": "zoe", "why": "a test"}
MOVES = (
    "hide",
    "back up",
    "take back and back up",
    "restore",
    "restore",
    "release",
    "release",
    "cancel",
    "retry",
    "retry",
    "resolve",
    "forget",
)


class RestoredOutboxes(Outboxes):
    """Two workers of one outbox, and those who follow its page after a restore."""

    settled = frozenset({"sent"})

    def __init__(self, **setup: Any) -> None:
        super().__init__(**setup)
        self.by_hand: set[str] = set()
        """The keys of entries that a person has ended."""
        self.wrong: list[str] = []
        self.number_of_holds = 0
        self.held = 0
        """The number of the hold; 0: it is not held."""
        with self.outbox._engine.begin() as connection:
            connection.execute(sa.delete(self.outbox.control))
            self.backup = self._rows(connection)

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        return {**super().draw(dice), "forms": (0, 0, 0)}

    def _rows(self, connection: Any) -> list[tuple[sa.Table, list[dict[str, Any]]]]:
        tables = (self.outbox.table, self.outbox.events, self.outbox.control)
        return [
            (table, [dict(row._mapping) for row in connection.execute(sa.select(table))])
            for table in tables
        ]

    def _pass(self, number: int, *, is_refresh: bool = False) -> None:
        work, held = self.outbox.refresh if is_refresh else self.outbox.send, self.held
        with suppress(VictorError):
            changed = work(self.clients[number])
            if changed and held and held == self.held:
                self.wrong.append(f"told wrong: {changed} changed while the outbox was held")

    def meanwhile(self, choice: int) -> None:
        move, key = MOVES[choice % len(MOVES)], [*self.entries][choice // len(MOVES) % 3]
        getattr(self, f"_{move.replace(' ', '_')}")(key)

    def _hide(self, key: str) -> None:
        self.world.provider.hidden.update(work.id for work in self.world.provider.of(key))

    def _back_up(self, _key: str) -> None:
        with self.outbox._engine.begin() as connection:
            self.backup = self._rows(connection)

    def _take_back_and_back_up(self, key: str) -> None:
        self._cancel(key)
        self._back_up(key)
        self._retry(key)

    def _restore(self, _key: str) -> None:
        """The page's order: all workers are stopped, and it is held before they are started."""
        for number, process in enumerate(self.processes):
            if not process.is_idle:
                process.resume(None)
            self.kill(number)
        with self.outbox._engine.begin() as connection:
            for table, rows in self.backup:
                connection.execute(sa.delete(table))
                if rows:
                    connection.execute(sa.insert(table), rows)
        self.outbox.hold()
        self.number_of_holds += 1
        self.held = self.number_of_holds

    def _release(self, _key: str = "") -> None:
        self.outbox.release()
        self.held = 0

    def _cancel(self, key: str) -> None:
        with suppress(VictorError):
            self.outbox.cancel(key, **_PERSON)
            self.by_hand.add(key)

    def _retry(self, key: str) -> None:
        with suppress(VictorError):
            self.outbox.retry(key)

    def _resolve(self, key: str) -> None:
        """Somebody looks at the provider, once no worker is at work."""
        works = self.world.provider.of(key)
        if all(process.is_idle for process in self.processes):
            with suppress(VictorError):
                id = works[0].id if works else None
                self.outbox.resolve(key, done=bool(works), id=id, **_PERSON)
                self.by_hand.add(key)

    def _forget(self, key: str) -> None:
        """Also what somebody has just cancelled."""
        self._cancel(key)
        self.world.now += 1.0  # what has changed at this very moment is not old
        with self.outbox._engine.begin() as connection:  # its events were handled
            connection.execute(sa.delete(self.outbox.events))
        self.outbox.forget(older_than=timedelta(0))
        entry = self.outbox.entry(key)
        if entry is None:
            return
        with self.outbox._engine.begin() as connection:  # as a program does that was killed
            try:
                self.outbox.add(connection, **_invoice(*self.entries[key], key))
            except VictorError as error:
                self.wrong.append(f"told wrong: {entry} is refused with its own values: {error}")

    def end(self) -> None:
        """At last somebody tries again what was refused, and the data of what is settled goes."""
        self._release()
        super().end()
        for key in self.entries:
            self._retry(key)
        super().end()
        self._forget(next(iter(self.entries)))

    def judge(self) -> Iterator[str]:
        yield from self.wrong
        for entry in self.outbox.entries():
            key = entry.idempotency_key
            works = self.world.provider.of(key)
            if len(works) > 1:
                yield f"asked twice: {entry}, and there is {[work.id for work in works]}"
            if entry.forgotten and entry.state not in (EntryState.SENT, *_OVER):
                yield f"lost: {entry} is not settled"
            if entry.state is EntryState.SENT and [work.id for work in works[:1]] != [
                entry.request_id
            ]:
                yield f"told wrong: {entry}, and under its key is {[work.id for work in works]}"
            is_over = entry.state in _OVER
            is_doubted = is_over and RESTORED in (entry.error or "")
            if (is_over or entry.state is EntryState.WAITING) and works and not is_doubted:
                yield f"told wrong: {entry}, and there is {works[0].id}"
            if is_over and key not in self.world.refused | self.by_hand:
                yield f"lost: {entry} was accepted by add, and the provider did not reject it"
            if entry.state in OPEN and self.world.rules.past_end == "empty":
                yield f"lost: {entry} is never settled"
            asked = expected(*self.entries[key], key)
            if works and works[0].values != asked:
                yield f"told wrong: {entry} was sent as {works[0].values}"
