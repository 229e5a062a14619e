"""Which account of which environment the entries of an outbox belong to: `Scope`.

A worker with other settings, such as one of a test environment on a copy of the database, would ask
somebody else for the money. So the first client that stores entries of its system makes them those
of its environment, the first one that sends those of its account; any other one leaves them alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import ConfigurationError
from victor_ext._event_queue.databases import DatabaseTime
from victor_ext._event_queue.rows import begin_writing, change_rows, insert_once
from victor_ext._values.places import place_of

_SCOPE_OF = "scope of "
"""The beginning of the name of the row of control that has the scope of a system's entries."""
_SHOWN = 8
"""The characters of a digest that a message shows."""


class AnotherScope(ConfigurationError):
    """The entries belong to another account, or to another environment, than the client."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom the entries of one system belong to.

    Attributes:
        provider: The name of the system.
        environment: The environment of the client, or its place where the system has only one.
        accounts: Digests of the credentials with which they may be sent. Empty: of the credentials
            it is not known whose they are.
    """

    provider: str
    environment: str
    accounts: Sequence[str]

    @classmethod
    def of(cls, client: Any, *, adds: bool = False) -> Owner:
        """The owner whose entries a client sends. One that only `adds` them may have credentials of
        its own for the same account.
        """
        accounts = [] if adds or client.caller is None else [str(client.caller)]
        environment = str(client.environment or place_of(client.base_url))
        return cls(str(client.provider), environment, accounts)

    def __str__(self) -> str:
        accounts = " or ".join(account[:_SHOWN] for account in self.accounts)
        of_account = f", credentials {accounts}" if accounts else ""
        return f"{self.provider} {self.environment}{of_account}"

    def why_not(self, other: Owner) -> str:
        """Why these entries are not those of the `other` owner, in sentences; empty: they are."""
        is_of_account = not (self.accounts and other.accounts) or (
            not set(self.accounts).isdisjoint(other.accounts)
        )
        if self.environment == other.environment and is_of_account:
            return ""
        both = f"The entries belong to {self}, and the client is of {other}."
        if self.environment != other.environment:
            return (
                f"{both} Is it the right database? Or correct environment= (such as in "
                "VICTOR_ENVIRONMENT)."
            )
        return (
            f"{both} Is it the right database? If these are new credentials of the same account, "
            "run 'victor outbox adopt' with them."
        )


class Scope:
    """Keeps the entries of an outbox from clients of another account or environment.

    Args:
        control: The table of control.
    """

    def __init__(self, control: sa.Table) -> None:
        self._control = control

    def require(self, connection: Connection, owner: Owner) -> None:
        """Make the entries of a system this owner's, as far as they are nobody's yet. Raises
        `AnotherScope`: they are somebody else's.
        """
        while True:
            stored = self._owner(connection, owner.provider)
            if stored is not None:
                why = stored.why_not(owner)
                if why:
                    raise AnotherScope(f"{why} Nothing was added, sent or read.")
                if stored.accounts or not owner.accounts:
                    return
            if self._write_owner(connection, stored, owner):
                return
            # Another client has written it meanwhile: see whether it is of the same owner.

    def _owner(self, connection: Connection, provider: str) -> Owner | None:
        columns = self._control.c
        query = sa.select(columns.wrapped).where(columns.name == _SCOPE_OF + provider)
        text = connection.execute(query).scalar()
        return None if text is None else _owner_of(provider, text)

    def _write_owner(self, connection: Connection, stored: Owner | None, new: Owner) -> bool:
        """Write whom the entries belong to, unless another client has done so since it was read."""
        name = _SCOPE_OF + new.provider
        values = {"moment": DatabaseTime(), "wrapped": _text_of(new)}
        if stored is None:
            return insert_once(connection, self._control, name=name, **values) is not None
        columns = self._control.c
        is_as_read = sa.and_(columns.name == name, columns.wrapped == _text_of(stored))
        return bool(change_rows(connection, self._control, is_as_read, **values))

    def owners(self, connection: Connection) -> list[Owner]:
        """Whom the entries belong to, for each system of which entries were stored or sent."""
        columns = self._control.c
        query = sa.select(columns.name, columns.wrapped).where(columns.name.startswith(_SCOPE_OF))
        rows = connection.execute(query.order_by(columns.name)).all()
        return [_owner_of(row.name.removeprefix(_SCOPE_OF), row.wrapped) for row in rows]

    def adopt(self, connection: Connection, client: Any, *, moved: bool) -> Owner:
        """Let a client with other credentials of the same account send the entries, too. Returns
        whom they belong to now.

        Args:
            moved: The environment is the same, and has another address or name now.
        """
        begin_writing(connection, self._control)
        owner = Owner.of(client)
        while True:
            stored = self._owner(connection, owner.provider)
            accounts = owner.accounts
            if stored is not None:
                if stored.environment != owner.environment and not moved:
                    raise AnotherScope(
                        f"{stored.why_not(owner)} Give each environment its own table. If it is "
                        "the same one under another address, pass moved=True (--moved)."
                    )
                accounts = [*dict.fromkeys([*stored.accounts, *owner.accounts])]
            new = Owner(owner.provider, owner.environment, accounts)
            if self._write_owner(connection, stored, new):
                return new


def _text_of(owner: Owner) -> str:
    return json.dumps({"environment": owner.environment, "accounts": [*owner.accounts]})


def _owner_of(provider: str, text: str) -> Owner:
    stored = json.loads(text)
    return Owner(provider, stored["environment"], stored["accounts"])
