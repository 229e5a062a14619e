"""The operations of a provider, and which one a request line calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

OTHER = "other"
"""The name of a call that is no operation of the provider."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a provider's API."""

    name: str
    """What faults and the record of calls call it."""
    method: str
    path: str
    """Such as `/v3/payouts/{id}/quote`. A name in braces stands for one segment that is not empty."""
    operation_id: str | None = None
    """The `operationId` in the provider's document, which faults accept too."""


class OperationTable:
    """The operations of one provider. A path without braces goes before one with them."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.names = (*(operation.name for operation in operations), OTHER)
        self.aliases = {operation.operation_id: operation.name for operation in operations if operation.operation_id}
        self._plain: dict[tuple[str, str], str] = {}
        self._patterns: dict[tuple[str, int], list[tuple[list[str], str]]] = {}
        self._methods = sorted({operation.method for operation in operations})
        for operation in sorted(operations, key=lambda operation: operation.path.count("{")):
            self._add(operation)
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"every operation needs a name of its own: {', '.join(self.names)}")

    def _add(self, operation: Operation) -> None:
        route = (operation.method, operation.path)
        if "{" not in operation.path:
            if route in self._plain:
                raise ValueError(f"{operation.method} {operation.path} is there twice")
            self._plain[route] = operation.name
            return
        parts = operation.path.split("/")
        self._patterns.setdefault((operation.method, len(parts)), []).append((parts, operation.name))

    def find(self, method: str, path: str) -> tuple[str, dict[str, str]]:
        """The name of the operation and the values of the names in braces; `path` is decoded already."""
        name = self._plain.get((method, path))
        if name is not None:
            return name, {}
        parts = path.split("/")
        for pattern, found in self._patterns.get((method, len(parts)), ()):
            values = _match(pattern, parts)
            if values is not None:
                return found, values
        return OTHER, {}

    def name(self, method: str, raw_path: str) -> str:
        """The name of the operation for a path as it stands in a request line."""
        return self.find(method, unquote(raw_path) if "%" in raw_path else raw_path)[0]

    def methods(self, path: str) -> list[str]:
        """The methods that the provider has for a path."""
        plain = [method for method in self._methods if (method, path) in self._plain]
        return plain or [method for method in self._methods if self.find(method, path)[0] != OTHER]


def _match(pattern: list[str], parts: list[str]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for expected, part in zip(pattern, parts, strict=True):
        if expected.startswith("{") and part:
            values[expected[1:-1]] = part
        elif expected != part:
            return None
    return values
