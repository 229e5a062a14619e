"""Which operation a request line asks for: the words for a provider's calls, by method and path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Sequence

OTHER = "other"
"""The word for a call that the provider does not have."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of a provider's API."""

    word: str
    """What it is called in faults and in the record."""
    method: str
    path: str
    """Such as `/v3/payouts/{id}/quote`; a part in braces is one segment, which is not empty."""
    documented: str | None = None
    """The `operationId` of the provider's document, which faults take too."""


class PathTable:
    """The operations of one provider. A path without braces goes before one with them."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.words = (*(operation.word for operation in operations), OTHER)
        self.aliases = {operation.documented: operation.word for operation in operations if operation.documented}
        self._plain: dict[tuple[str, str], str] = {}
        self._patterns: dict[tuple[str, int], list[tuple[list[str], str]]] = {}
        self._methods = sorted({operation.method for operation in operations})
        for operation in sorted(operations, key=lambda operation: operation.path.count("{")):
            self._add(operation)
        if len(set(self.words)) != len(self.words):
            raise ValueError(f"every operation needs a word of its own: {', '.join(self.words)}")

    def _add(self, operation: Operation) -> None:
        at = (operation.method, operation.path)
        if "{" not in operation.path:
            if at in self._plain:
                raise ValueError(f"{operation.method} {operation.path} is there twice")
            self._plain[at] = operation.word
            return
        parts = operation.path.split("/")
        self._patterns.setdefault((operation.method, len(parts)), []).append((parts, operation.word))

    def find(self, method: str, path: str) -> tuple[str, dict[str, str]]:
        """The operation's word and the values of the parts in braces; `path` is decoded already."""
        word = self._plain.get((method, path))
        if word is not None:
            return word, {}
        parts = path.split("/")
        for pattern, found in self._patterns.get((method, len(parts)), ()):
            values = _values(pattern, parts)
            if values is not None:
                return found, values
        return OTHER, {}

    def word(self, method: str, raw_path: str) -> str:
        """The operation's word for a path as it stands in a request line."""
        return self.find(method, unquote(raw_path) if "%" in raw_path else raw_path)[0]

    def methods(self, path: str) -> list[str]:
        """Which methods the provider has for a path."""
        plain = [method for method in self._methods if (method, path) in self._plain]
        return plain or [method for method in self._methods if self.find(method, path)[0] != OTHER]


def _values(pattern: list[str], parts: list[str]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted.startswith("{"):
            if not part:
                return None
            values[wanted[1:-1]] = part
        elif wanted != part:
            return None
    return values
