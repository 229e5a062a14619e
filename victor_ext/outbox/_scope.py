"""Which account of which environment the entries of an outbox belong to: `Scope`.

A worker with other settings, such as one of a test environment on a copy of the database, would ask
somebody else for the money. So the first client that stores entries of its system makes them those
of its environment, the first one that sends those of its account; any other one leaves them alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import ConfigurationError
from victor_ext._event_queue.databases import DatabaseTime
from victor_ext._event_queue.rows import delete_rows, insert_once
from victor_ext._values.places import place_of

_ENVIRONMENT, _ACCOUNT = "environment of ", "account of "
"""The beginnings of the names of the rows of control that a system has."""
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
        account: A digest of the client id, the API key or the user name; None: it is not known.
    """

    provider: str
    environment: str
    account: str | None

    @classmethod
    def of(cls, client: Any) -> Owner:
        """The owner of the entries that a client sends."""
        environment = str(client.environment or place_of(client.base_url))
        return cls(str(client.provider), environment, client.caller)

    def __str__(self) -> str:
        account = "" if self.account is None else f", credentials {self.account[:_SHOWN]}"
        return f"{self.provider} {self.environment}{account}"


class Scope:
    """Keeps the entries of an outbox from clients of another account or environment.

    Args:
        control: The table of control.
    """

    def __init__(self, control: sa.Table) -> None:
        self._control = control

    def require(self, connection: Connection, client: Any, *, adds: bool = False) -> None:
        """Make the entries of a system this client's, as far as they are nobody's yet. One that
        only `adds` them may have credentials of its own for the same account.

        Raises `AnotherScope`: they are somebody else's.
        """
        own = Owner.of(client)
        control, account = self._control, own.account
        environment = kept_text(connection, control, _ENVIRONMENT + own.provider, own.environment)
        if account is not None and not adds:
            account = kept_text(connection, control, _ACCOUNT + own.provider, account)
        stored = Owner(own.provider, environment, account)
        if stored != own:
            raise AnotherScope(
                f"The entries belong to {stored}, and the client is of {own}: nothing was added, "
                "sent or read. Is it the right database? Is the environment right? For new "
                "credentials of the same account, run 'victor outbox adopt' with them."
            )

    def owners(self, connection: Connection) -> list[Owner]:
        """Whom the entries belong to, for each system of which entries were stored or sent."""
        columns = self._control.c
        rows = connection.execute(sa.select(columns.name, columns.text)).all()
        texts = {row.name: row.text for row in rows}
        owners: list[Owner] = []
        for name in sorted(texts):
            if name.startswith(_ENVIRONMENT):
                provider = name.removeprefix(_ENVIRONMENT)
                owners.append(Owner(provider, texts[name], texts.get(_ACCOUNT + provider)))
        return owners

    def adopt(self, connection: Connection, client: Any) -> Owner:
        """Make the entries of a system this client's, whoever had them. Returns whose they are."""
        owner = Owner.of(client)
        names = [fact + owner.provider for fact in (_ENVIRONMENT, _ACCOUNT)]
        delete_rows(connection, self._control, self._control.c.name.in_(names))
        self.require(connection, client)
        return owner


def kept_text(connection: Connection, control: sa.Table, name: str, text: str) -> str:
    """The text in a row of the table of control: this one, unless the row is there already."""
    query = sa.select(control.c.text).where(control.c.name == name)
    stored: str | None = connection.execute(query).scalar()
    if stored is not None:
        return stored
    insert_once(connection, control, name=name, moment=DatabaseTime(), text=text)
    # Another transaction may have stored its own.
    return str(connection.execute(query).scalar())
