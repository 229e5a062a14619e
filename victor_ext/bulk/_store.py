"""What one sender works with, and one batch in the database of its state (`Store`): its record, and
its transactions.

The sheets of a batch are read by `_lines.py` and written by `_storing.py`; its payments are in
`_payments.py`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from operator import call
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import ConfigurationError, VictorError
from victor_ext._event_queue.databases import (
    Condition,
    OfFewRows,
    hidden_parameters,
)
from victor_ext._event_queue.health import Heartbeat
from victor_ext._event_queue.transactions import Work, transacted
from victor_ext._event_queue.vault import Vault
from victor_ext._flows import drive
from victor_ext._settlement.key_age import Now, SentSince
from victor_ext._systems import System
from victor_ext._values.places import place_of
from victor_ext.outbox._files import ENTRIES

from ._payments import LATEST_SHEETS, LINES, PAYMENTS, SHEETS, Sheet, is_of_sheet
from ._row_kind import RowKind
from ._settings import Settings
from ._state import State, StateLost, refuse_held

T = TypeVar("T")

_STORING_LOCK = 7_421_133_019_540_188
"""The number of an advisory lock of PostgreSQL."""
_IDLE_SECONDS = 60
"""Seconds after which a PostgreSQL server ends an idle transaction: its process was stopped, and
others may wait for it.
"""
_CACHE_KIB = 8_192
"""The cache of an SQLite connection that stores a sheet: its keys and digests are in no order."""
_ACCOUNT = 12
"""Characters of the digest that tells accounts apart."""
_MAX_NAMES = 10
"""Maximum number of batch names in an error message."""


@dataclass(eq=False, repr=False)
class Store:
    """What one sender works with, and one batch in the database of its state.

    Attributes:
        state: The state, which `engine` is of.
        client: A client of the system, with blocking calls.
        kind: What a row is for the system.
        vault: Encrypts what is stored.
        settings: Of the sender.
        heartbeat: The heartbeat of the sender, which the worker keeps.
        batch: The name of the batch; empty: the store is only used for the whole state.
    """

    engine: sa.Engine
    state: State
    client: Any
    kind: RowKind
    vault: Vault
    settings: Settings
    heartbeat: Heartbeat
    batch: str = ""

    @property
    def address(self) -> str:
        """The provider of the client, as a keyed digest: workers for another environment or address
        do not send a batch.
        """
        return self.vault.fingerprint(f"address {_provider_of(self.client)}")

    @property
    def owner(self) -> str:
        """The system, the environment and the account. With a key, they identify a payment."""
        return owner_of(self.client)

    def sent_now(self) -> SentSince:
        """Ask for the provider's time, unless it is known, and return the present time in a form
        that can be stored. If no response comes, that is the time of this machine.
        """
        if not self.client.provider_time().is_known:
            with suppress(VictorError):
                self.client.ask_time()
        now = Now.of(self.client)
        return SentSince.at(now, self.client.caller)

    @contextmanager
    def open_present(self) -> Generator[Store]:
        """Open the batch in a state that has to be there, for the block.

        Raises `ConfigurationError` if there is no state, and as `State.errors` does, also in the
        block.
        """
        if not self.state.exists():
            raise ConfigurationError(
                f"There is no state {self.state}: nothing was stored there, and nothing was sent."
            )
        # The tables may be incomplete: a process may have been killed while it made them.
        self.state.prepare()
        # Its connections are new ones: the database may be another one since the last look.
        with self.state.errors(), self.state.engine() as engine:
            yield replace(self, engine=engine)

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        """Open a transaction for the block: all of it is stored, or nothing."""
        with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(
                    sa.text(f"SET LOCAL idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s'")
                )
            else:
                # Without this, it would begin with the first write: what was read before that may
                # have changed.
                connection.exec_driver_sql(f"PRAGMA cache_size=-{_CACHE_KIB}")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def snapshot(self) -> Generator[Connection]:
        """Open a connection for the block that reads all at one moment, whatever is stored
        meanwhile.
        """
        with self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            elif not getattr(connection.connection.driver_connection, "in_transaction", False):
                # An engine of a single connection may be in a transaction, which is one moment.
                connection.exec_driver_sql("BEGIN")
            yield connection

    def lock_storing(self, connection: Connection) -> None:
        """Let nobody else store a file, a step or a hold until the transaction ends: two of them
        could wait for each other's keys.
        """
        if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_STORING_LOCK)))

    def transact(self, work: Work[T]) -> T:
        """Do work in a transaction, and again if a worker and it waited for each other."""
        return drive(transacted(self._make, work), call)

    def _make(self, work: Work[T], pause: float) -> T:
        """Do work in a transaction, after a pause in seconds."""
        if pause:
            time.sleep(pause)
        with hidden_parameters(), self.transaction() as connection:
            return work(connection)

    # Conditions of statements

    def has_key(self, keys: Collection[str]) -> Condition:
        """Whether a payment has one of these keys."""
        return sa.and_(PAYMENTS.c.owner == self.owner, PAYMENTS.c.key.in_(keys))

    def is_of_batch(self) -> Condition:
        """Whether a payment is one that this batch sends."""
        return sa.and_(PAYMENTS.c.owner == self.owner, OfFewRows(PAYMENTS.c.batch == self.batch))

    def is_entry(self) -> Condition:
        """Whether an entry is one that this batch sends."""
        return sa.and_(ENTRIES.c.scope == self.owner, ENTRIES.c.batch == self.batch)

    def is_listed(self) -> Condition:
        """Whether a line is of the latest sheet of this batch."""
        return is_of_sheet(LATEST_SHEETS.where(self._is_own_sheet()).scalar_subquery())

    def is_lacking(self, sheet: int | None) -> Condition:
        """Whether a payment is one that this batch sends, and a sheet of the batch lacks it."""
        # PostgreSQL would search the whole sheet for each payment with NOT IN.
        is_listed = sa.exists().where(LINES.c.key == PAYMENTS.c.key, LINES.c.sheet == sheet)
        return sa.and_(self.is_of_batch(), sa.not_(is_listed.correlate(PAYMENTS)))

    def _is_own_sheet(self) -> Condition:
        """Whether a sheet is of this batch."""
        return sa.and_(SHEETS.c.owner == self.owner, SHEETS.c.batch == self.batch)

    # The sheets of the batch

    def own_sheet(self, *, to_send: bool = False) -> Sheet | None:
        """Return the latest sheet of the batch; None: the batch is not stored.

        Args:
            to_send: Whether the batch is to be sent.

        Raises:
            ConfigurationError: The batch is of another base URL. With `to_send`, also: the state
                is held.
        """
        with self.engine.connect() as connection:
            row = self._latest_row(connection)
            if row is None:
                return None
            if row.address != self.address:
                raise ConfigurationError(
                    f"The batch {self.batch} was begun for another base URL: set VICTOR_BASE_URL "
                    "as it was then."
                )
            if to_send:
                refuse_held(connection)
        return self._sheet_of(row)

    def refuse_new_account(self) -> None:
        """Raise `ConfigurationError` in production for the first batch of an account where others
        have some: new credentials of one account would ask again for what it has asked.
        """
        client = self.client
        if client.environment != "production" or self.settings.new_state:
            return
        title = f"{client.system.name} {client.environment} "
        is_of_others = SHEETS.c.owner.startswith(title, autoescape=True)
        with self.engine.connect() as connection:
            owners = set(
                connection.execute(sa.select(SHEETS.c.owner).where(is_of_others)).scalars()
            )
        if owners and self.owner not in owners:
            raise ConfigurationError(
                f"{self.state} has batches of other credentials, and none of these. Are they new "
                "ones of the same account? Then send with the old ones: what those have asked is "
                "not known to these. Is it another account? Then say so: new_state=True "
                "(--new-state)."
            )

    def latest_sheet(self, connection: Connection) -> Sheet:
        """Return the latest sheet of the batch.

        Raises `StateLost` if the batch was deleted.
        """
        row = self._latest_row(connection)
        if row is None:
            raise StateLost.deleted(f"The batch {self.batch}")
        return self._sheet_of(row)

    def batches(self) -> list[str]:
        """Return the names of the batches of this system and environment, oldest first."""
        columns = SHEETS.c
        is_own = sa.and_(columns.owner == self.owner, columns.address == self.address)
        query = sa.select(columns.batch).where(is_own, columns.id.in_(LATEST_SHEETS))
        with self.engine.connect() as connection:
            return list(connection.execute(query.order_by(columns.id)).scalars())

    def no_such_batch(self) -> ConfigurationError:
        """Return the error for a batch that the state does not have."""
        names = ", ".join(self.batches()[-_MAX_NAMES:])
        return ConfigurationError(
            f"There is no batch {self.batch} of {self.owner} in {self.state}: nothing of it was "
            f"stored, and nothing was sent. What this system and environment have: {names or '-'}."
        )

    def is_stored(self, connection: Connection) -> bool:
        """Whether the batch has a sheet."""
        return self._latest_row(connection) is not None

    def _latest_row(self, connection: Connection) -> Any:
        """Return the row of the latest sheet of this batch, or None."""
        query = sa.select(SHEETS).where(self._is_own_sheet()).order_by(SHEETS.c.id.desc())
        return connection.execute(query.limit(1)).first()

    def _sheet_of(self, row: Any) -> Sheet:
        return Sheet(row.id, self.batch, False, *self.vault.opened(row.details))  # noqa: FBT003 - it is stored


def owner_of(client: Any) -> str:
    """The system, the environment and the account of a client, such as "victor sandbox 3f2a9c01".
    The account is a digest of the client id, the API key or the user name.
    """
    account = (client.caller or "")[:_ACCOUNT]
    return f"{client.system.name} {client.environment} {account}".rstrip()


def system_of(client: Any) -> System:
    """Return the system of a client.

    Raises `ConfigurationError` if the system has no rows to send, or the client is awaited.
    """
    system: object = getattr(client, "system", None)
    if isinstance(system, System) and system.why_not_bulk:
        raise ConfigurationError(system.why_not_bulk)
    if isinstance(system, System) and not client.is_awaited:
        return system
    raise ConfigurationError(
        f"client must be one with blocking calls, not {type(client).__name__}: bulk sending uses "
        "threads, and is faster so."
    )


def _provider_of(client: Any) -> str:
    """Return a text that identifies the provider of a client: the system, environment and place."""
    return f"{client.system.name} {client.environment} {place_of(client.base_url)}"
