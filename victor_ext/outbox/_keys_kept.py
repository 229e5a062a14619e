"""How long the provider keeps idempotency keys: one fact of an outbox, which is stored with it.

The shortest time that was ever said counts, whoever has said it: a process that is started with a
longer one may be wrong, and then it would ask twice.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext._event_queue.rows import change_rows, insert_once
from victor_ext._settlement.key_age import ASSUMED_KEPT

_log = logging.getLogger("victor_ext.outbox")

_NAME = "keys kept"
"""The name of the row of the table of control that has the seconds."""


class KeysKept(NamedTuple):
    """How long the provider keeps keys.

    Attributes:
        seconds: For so many.
        is_assumed: Whether nobody has said it.
    """

    seconds: float
    is_assumed: bool

    @property
    def why_repeated(self) -> str:
        """Why a key was repeated after a pause, in sentences."""
        kept = f"{self.seconds / 3600:.3g} hours"
        source = "is assumed: nobody has said it" if self.is_assumed else "was said (keys_kept)"
        return (
            "It may have been sent before a pause, and no look-up has found it. Its key was "
            f"repeated: that the provider keeps it for {kept} {source}."
        )

    def warn_if_assumed(self, client: Any) -> None:
        """Log once in a process that sends to production that nobody has said it."""
        if self.is_assumed and client.environment == "production":
            _warn(client.provider)


def keys_kept(connection: Connection, control: sa.Table, named: float | None) -> KeysKept:
    """Return how long keys are kept, by the table of control. A shorter time that is `named` now
    is stored, in seconds; None: none is named.
    """
    row = control.c.name == _NAME
    stored: float | None = connection.execute(sa.select(control.c.moment).where(row)).scalar()
    if named is not None and (stored is None or named < stored):
        insert_once(connection, control, name=_NAME, moment=named)
        change_rows(connection, control, sa.and_(row, control.c.moment > named), moment=named)
        stored = named
    if stored is None:
        return KeysKept(ASSUMED_KEPT, is_assumed=True)
    return KeysKept(stored, is_assumed=False)


@cache
def _warn(provider: str) -> None:
    _log.warning(
        "Nobody has said how long %s keeps idempotency keys: 24 hours are assumed. Ask, and write "
        "keys_kept (--keys-kept): a key that is repeated later asks twice.",
        provider,
    )
