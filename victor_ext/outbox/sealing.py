"""What an outbox encrypts of its entries, if it has a storage key.

An entry says by itself whether it is encrypted: those that were stored before there was a key are
still read. Encrypted are its call, what its look-up needs, and its error. Keys, references, ids,
states and times are not: entries are found, compared and held by them.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from victor_ext import ConfigurationError
from victor_ext.event_queue.databases import DatabaseTime, NeverHeals
from victor_ext.event_queue.rows import inserted
from victor_ext.vault import MARK, Vault, new_key, secret_of, unwrapped

_KEY = "storage key"
"""The name of the wrapped key in the table of what is true of an outbox as a whole."""
_HOW_TO_GIVE = (
    "write a secret of at least 16 characters (openssl rand -base64 32 makes one), the same for "
    "every service and every worker"
)


def is_sealed(text: str) -> bool:
    """Whether a stored call is encrypted."""
    return text.startswith(f"{MARK}.")


class Sealing:
    """Encrypts what is stored of entries, and decrypts what is read.

    Keys are remembered to read with, by the names that texts have of them. What a new entry is
    encrypted with is read in its own transaction: a key that this process knows may have been
    rolled back.
    """

    def __init__(self, control: sa.Table, table: str, storage_key: str | None) -> None:
        self._control = control
        self._table = table
        self._secret: bytes | None = None
        if storage_key is not None:
            self._secret = secret_of(storage_key, "storage_key", _HOW_TO_GIVE)
        self._vaults: dict[str, Vault] = {}

    # The key of the outbox

    def prepare(self, connection: sa.Connection) -> Vault | None:
        """Make ready to read entries; None: the outbox has no key, or none was passed here.

        Raises `ConfigurationError`: its key is wrapped with another one.
        """
        return self._unwrapped(self._wrapped(connection))

    def _unwrapped(self, wrapped: str | None) -> Vault | None:
        if wrapped is None or self._secret is None:
            return None
        key = unwrapped(wrapped, self._secret)
        if key is None:
            raise self._other_key()
        vault = Vault(key)
        return self._vaults.setdefault(vault.key_id, vault)

    def require(self, connection: sa.Connection) -> Vault | None:
        """As `prepare`, to send, handle or store. Raises `ConfigurationError`, too, if the outbox
        has a key and none was passed here.
        """
        wrapped = self._wrapped(connection)
        if self._secret is None and wrapped is not None:
            raise self._no_key()
        return self._unwrapped(wrapped)

    def of_new_entry(self, connection: sa.Connection) -> Vault | None:
        """What a new entry is encrypted with: the key of the outbox, made if it has none yet; None:
        it is stored in clear.
        """
        vault = self.require(connection)
        if vault is not None or self._secret is None:
            return vault
        wrapped = Vault(new_key()).wrapped(self._secret)
        # another transaction may be faster
        inserted(connection, self._control, name=_KEY, moment=DatabaseTime(), wrapped=wrapped)
        return self.require(connection)

    def rewrap(self, connection: sa.Connection, storage_key: str) -> bool:
        """Wrap the key of the outbox with another secret; returns whether it has a key."""
        secret = secret_of(storage_key, "new", _HOW_TO_GIVE)
        vault = self.require(connection)
        if vault is None:
            return False
        chosen = sa.update(self._control).where(self._control.c.name == _KEY)
        connection.execute(chosen.values(wrapped=vault.wrapped(secret)))
        return True

    def _wrapped(self, connection: sa.Connection) -> str | None:
        query = sa.select(self._control.c.wrapped).where(self._control.c.name == _KEY)
        wrapped: str | None = connection.execute(query).scalar()
        return wrapped

    # Entries

    def opened_row(self, row: Any, *, may_stay_sealed: bool = False) -> Any:
        """As `opened`, of a row of the table."""
        return self.opened(row._asdict(), may_stay_sealed=may_stay_sealed)

    def opened(self, values: Mapping[str, Any], *, may_stay_sealed: bool = False) -> Any:
        """An entry as it is read: in clear, whatever is stored.

        Without a key, it may stay encrypted if that is said. Else raises `ConfigurationError`.
        """
        call: str = values["call"]
        if not is_sealed(call):
            return SimpleNamespace(**values)
        vault = self._vault_of(call)
        if vault is None:
            if self._secret is not None:
                raise self._other_key()
            if not may_stay_sealed:
                raise self._no_key()
            return SimpleNamespace(**{**values, "error": _in_clear(values["error"])})
        try:
            clear = {name: vault.opened(values[name]) for name in ("call", "look_up_by")}
            error = values["error"]
            if error is not None and vault.has_sealed(error):
                # What SQL has added to it is in clear, after a blank.
                sealed, blank, added = error.partition(" ")
                clear["error"] = vault.opened(sealed) + blank + added
        except ValueError:
            raise ConfigurationError(
                f"The outbox {self._table} is damaged: the entry {values['key']} cannot be "
                "decrypted. Restore the database from a backup."
            ) from None
        return SimpleNamespace(**{**values, **clear})

    def sealed_as(self, row: Any, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """New values of an entry as they are stored: encrypted if the stored `row` is.

        What somebody says who has no key stays as it is.
        """
        vault = self._vault_of(row.call)
        if vault is None or values.get("error") is None:
            return values
        return {**values, "error": vault.sealed(values["error"])}

    def _vault_of(self, text: str) -> Vault | None:
        for vault in self._vaults.values():
            if vault.has_sealed(text):
                return vault
        return None

    def _no_key(self) -> NeverHeals:
        return NeverHeals(
            f"The outbox {self._table} is encrypted, and no storage_key was passed: pass the one "
            "that it was begun with (VICTOR_OUTBOX_KEY for the command). Without it nothing is "
            "stored or sent."
        )

    def _other_key(self) -> NeverHeals:
        return NeverHeals(
            f"The outbox {self._table} is encrypted with another storage_key: pass the one that it "
            "was begun with (VICTOR_OUTBOX_KEY for the command). Without it nothing is stored or "
            "sent. Another company needs an outbox of its own (table=...)."
        )


def _in_clear(error: str | None) -> str | None:
    """The part of an error that anybody can read."""
    if error is None or not is_sealed(error):
        return error
    return error.partition(" ")[2] or None
