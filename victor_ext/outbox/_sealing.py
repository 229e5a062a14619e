"""The columns of an entry that a `Vault` encrypts: `call`, `look_up_by` and `error`.

Keys, references, ids, states and times are in clear, since entries are found, compared and held by
them.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import PreparedCall
from victor_ext._event_queue.vault import Vault
from victor_ext._privacy import HIDDEN

from ._digests import FORGOTTEN, is_forgotten

UNPREPARED = ""
"""What an entry of a file has as its call before it is taken up: its call is made then."""

_SEALED = ("call", "look_up_by", "error")


class ClearRow(SimpleNamespace):
    """The column values of an entry in clear."""

    call: str
    unstored: Mapping[str, Any] = MappingProxyType({})
    """Columns that are stored when the entry is marked: its call, if it was prepared now."""
    _prepared: PreparedCall | None = None

    @property
    def prepared(self) -> PreparedCall:
        """The call of the entry, read once. Raises `ValueError` if the entry was forgotten."""
        # Before Python 3.12, `cached_property` has a lock, which a fork may leave taken.
        prepared = self._prepared
        if prepared is None:
            prepared = self._prepared = PreparedCall.from_text(self.call)
        return prepared

    def add_call(self, call: PreparedCall, look_up_by: Mapping[str, str], vault: Vault) -> None:
        """Add the call of an entry that has none yet.

        Raises `InvalidRequest`: the call has what must not be stored, such as the number of a card.
        """
        clear = {"call": call.to_text(), "look_up_by": json.dumps(dict(look_up_by))}
        self.unstored = sealed_values(vault, clear)
        self._prepared = call
        vars(self).update(clear)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({HIDDEN})"

    def with_values(self, values: Mapping[str, Any]) -> "ClearRow":
        """The entry of the same call with other column values."""
        assert "call" not in values
        return ClearRow(**{**vars(self), **values})


def sealed_values(vault: Vault, values: Mapping[str, Any]) -> dict[str, Any]:
    """Column values of an entry as they are stored."""
    sealed = dict(values)
    for name in _SEALED:
        if sealed.get(name) is not None:
            sealed[name] = vault.sealed_text(sealed[name])
    return sealed


def clear_row(vault: Vault, row: Any) -> ClearRow:
    """The entry of a row of the table. Raises `ConfigurationError`: it cannot be decrypted."""
    values = row._asdict()
    if is_forgotten(values["call"]):
        return ClearRow(**values)
    for name in _SEALED:
        if values[name]:  # neither NULL nor unprepared
            values[name] = vault.opened_text(values[name], f"the entry {values['key']}")
    return ClearRow(**values)


def require_secret(vault: Vault, connection: Connection, table: sa.Table) -> None:
    """Raise `ConfigurationError` if the last entry cannot be decrypted: whoever stores the next one
    has the same secrets, so that one worker can read all.
    """
    columns = table.c
    query = sa.select(columns.key, columns.look_up_by).where(
        columns.call.not_in([FORGOTTEN, UNPREPARED])
    )
    for last in connection.execute(query.order_by(columns.id.desc()).limit(1)):
        vault.opened_text(last.look_up_by, f"the entry {last.key}")
