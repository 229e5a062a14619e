"""The encryption of the entries of an outbox that has a storage key.

The columns `call`, `look_up_by` and `error` are encrypted. Keys, references, ids, states and times
are not, since entries are found, compared and held by them.

The outbox has one random key, which encrypts. The table of control has that key, wrapped
(encrypted) with the caller's secret, the `storage_key`. So a new secret rewraps one key, and no
entry changes. Each stored text begins with a mark if it is encrypted, so that entries from the time
before the first key are still read.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import PreparedCall
from victor_ext._event_queue.databases import DatabaseTime, NeverHeals
from victor_ext._event_queue.rows import change_rows, insert_once
from victor_ext._event_queue.vault import MARK, Vault, new_key, secret_of, unwrapped
from victor_ext._privacy import HIDDEN

STORAGE_KEY = "storage key"
"""The name of the row of the table of control that has the wrapped key."""
UNPREPARED = ""
"""What an entry of a file has in these columns before it is taken up first: its call is made then.
"""
_SEALED = ("call", "look_up_by")
"""The columns that are encrypted in each entry."""
HOW_TO_GIVE = (
    "write a secret of at least 16 characters (openssl rand -base64 32 makes one), the same for "
    "every service and every worker"
)


def is_sealed(text: str) -> bool:
    """Whether a stored text is encrypted."""
    return text.startswith(f"{MARK}.")


class ClearRow(SimpleNamespace):
    """The column values of an entry, as they were before they were encrypted.

    Only an entry that was read without its key is still encrypted: `is_sealed(row.call)`.
    """

    call: str
    unstored: Mapping[str, str] = MappingProxyType({})
    """Columns that are stored when the entry is marked: its call, if it was prepared now."""
    _prepared: PreparedCall | None = None

    @property
    def prepared(self) -> PreparedCall:
        """The call of the entry, read once. Raises `ValueError` if the entry is still encrypted, or
        was forgotten.
        """
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
        self.unstored = {name: vault.sealed(text) for name, text in clear.items()}
        self._prepared = call
        vars(self).update(clear)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({HIDDEN})"

    def stored_values(self, vault: Vault | None) -> dict[str, Any]:
        """The column values as they are stored: encrypted with the vault, if there is one."""
        if vault is None:
            return vars(self)
        sealed = {name: vault.sealed(vars(self)[name]) for name in _SEALED}
        return {**vars(self), **sealed}

    def with_values(self, values: Mapping[str, Any]) -> "ClearRow":
        """The entry of the same call with other column values."""
        assert "call" not in values
        return ClearRow(**{**vars(self), **values})


def opened_call(values: Mapping[str, Any], vault: Vault) -> ClearRow:
    """The entry with these encrypted column values, with its call in clear; its error stays as it
    is.

    Raises `ConfigurationError`: the call was encrypted with another key, or is damaged.
    """
    clear = {name: vault.opened(values[name], _named(values)) for name in _SEALED}
    return ClearRow(**{**values, **clear})


def _named(values: Mapping[str, Any]) -> str:
    return f"the entry {values['key']}"


def checked_secret(storage_key: str | None) -> bytes | None:
    """The secret of the caller. Raises `ConfigurationError`: it is too short."""
    if storage_key is None:
        return None
    return secret_of(storage_key, "storage_key", HOW_TO_GIVE)


class Sealing:
    """Encrypts entries that are stored, and decrypts entries that are read.

    A `Vault` is a key of an outbox in use. Vaults are remembered for reading, by the id of their
    key, which each encrypted text names. For a new entry the key is read in the transaction that
    stores the entry: a key that this process remembers may have been rolled back.

    Args:
        control: The table of control, which has the wrapped key.
        table: The name of the outbox.
        secret: That of the caller; None: none was passed.
        other_key: What is said where the key is wrapped with another secret; None: the words of an
            outbox.
    """

    def __init__(
        self, control: sa.Table, table: str, secret: bytes | None, other_key: str | None = None
    ) -> None:
        self._control = control
        self._table = table
        self._secret = secret
        self._vaults: dict[str, Vault] = {}
        self._other_key = other_key or (
            f"The outbox {table} is encrypted with another storage_key: pass the one that it was "
            "begun with (VICTOR_OUTBOX_KEY for the command). Without it nothing is stored or sent. "
            "Another company needs an outbox of its own (table=...)."
        )

    # The key of the outbox

    def load_vault(self, connection: Connection, *, may_stay_sealed: bool = False) -> Vault | None:
        """Read the key of the outbox, so that entries can be decrypted, and return its vault.

        None: the outbox has no key; or the caller has passed no secret, and entries
        `may_stay_sealed`, since nothing is sent, handled or stored. Else `ConfigurationError` is
        raised, and also if the key is wrapped with another secret.
        """
        query = sa.select(self._control.c.wrapped).where(self._control.c.name == STORAGE_KEY)
        wrapped: str | None = connection.execute(query).scalar()
        if wrapped is None or (self._secret is None and may_stay_sealed):
            return None
        if self._secret is None:
            raise NeverHeals(
                f"The outbox {self._table} is encrypted, and no storage_key was passed: pass the "
                "one that it was begun with (VICTOR_OUTBOX_KEY for the command). Without it "
                "nothing is stored or sent."
            )
        key = unwrapped(wrapped, self._secret)
        if key is None:
            raise NeverHeals(self._other_key)
        vault = self._vault_with(key)
        return self._vaults.setdefault(vault.key_id, vault)

    def _vault_with(self, key: bytes) -> Vault:
        return Vault(key, f"The outbox {self._table}", self._other_key)

    def vault_for_new_entry(self, connection: Connection) -> Vault | None:
        """The vault that encrypts a new entry. The first one makes the key of the outbox.

        None: the caller has passed no secret, and the entry is stored in clear.
        """
        vault = self.load_vault(connection)
        if vault is not None or self._secret is None:
            return vault
        wrapped = self._vault_with(new_key()).wrapped(self._secret)
        # Another transaction may store its key first. Then that is the key, and is read below.
        insert_once(
            connection, self._control, name=STORAGE_KEY, moment=DatabaseTime(), wrapped=wrapped
        )
        return self.load_vault(connection)

    def rewrap(self, connection: Connection, secret: bytes) -> bool:
        """Wrap the key of the outbox with another secret. Return whether the outbox has a key."""
        vault = self.load_vault(connection)
        if vault is None:
            return False
        chosen = self._control.c.name == STORAGE_KEY
        change_rows(connection, self._control, chosen, wrapped=vault.wrapped(secret))
        return True

    # Entries

    def decrypted_row(self, row: Any) -> Any:
        """The entry of a row of the table in clear, whether it is stored encrypted or not; after
        `load_vault`. Without the secret an encrypted entry is returned as it is.
        """
        values: Mapping[str, Any] = row._asdict()
        call: str = values["call"]
        if not is_sealed(call):
            return ClearRow(**values)
        vault = self._vault_of(call)
        if vault is None:
            if self._secret is not None:
                raise NeverHeals(self._other_key)
            error: str | None = values["error"]
            if error is not None and is_sealed(error):
                # What SQL has added to it after a blank is in clear.
                error = error.partition(" ")[2] or None
            return ClearRow(**{**values, "error": error})
        # `Holding` adds a sentence in SQL, in clear.
        error = vault.opened_error(values["error"], _named(values))
        return opened_call(values, vault).with_values({"error": error})

    def encrypted_like(self, row: Any, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """New values of the entry in `row`, as they are stored: with an encrypted `error` if the
        call of that entry is encrypted.

        Without the vault (a person settles the entry by hand, without the secret) the error is
        stored in clear.
        """
        vault = self._vault_of(row.call)
        if vault is None or values.get("error") is None:
            return values
        return {**values, "error": vault.sealed(values["error"])}

    def _vault_of(self, text: str) -> Vault | None:
        """The remembered vault that has encrypted a text."""
        for vault in self._vaults.values():
            if vault.has_sealed(text):
                return vault
        return None
