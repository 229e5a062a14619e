"""Telling a copy: a file that has another name, and the rows of another batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .vault import Vault

_SIZE = 1 << 256


class Digests:
    """A digest over all rows of a source, for each column by which another batch may tell the same rows apart.

    It is a sum over the rows, so that their order is of no matter, and nothing is kept of them. Only the vault's key
    makes it.
    """

    def __init__(self, vault: Vault, columns: Iterable[str]) -> None:
        self._vault = vault
        self._sums = dict.fromkeys(columns, 0)
        self._rows = 0

    def add(self, fields: Mapping[str, object], fingerprint: str) -> None:
        """Take a row in: its fields as they were read, and what it asks for."""
        self._rows += 1
        for column, before in self._sums.items():
            value = fields.get(column)
            text = f"{fingerprint} {column} {'' if value is None else value}"
            self._sums[column] = (before + self._vault.number(text)) % _SIZE

    def of(self, column: str) -> str:
        """The digest of the rows as this column tells them apart."""
        return f"{self._rows}:{self._sums[column]:x}"

    def batch_among(self, others: Mapping[str, Mapping[str, str]]) -> str | None:
        """The batch that these very rows were handed over to, among batches by digest, by key column."""
        found = (digests.get(self.of(column)) for column, digests in others.items())
        return next((batch for batch in found if batch is not None), None)
