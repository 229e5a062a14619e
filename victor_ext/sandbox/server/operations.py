"""Which operation of a provider a request line calls, or that the path is the sandbox's own; and types of JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import unquote

from starlette.routing import compile_path

JsonValue: TypeAlias = Any
"""Any JSON value. Schemas describe its members, not annotations."""
JsonObject: TypeAlias = dict[str, Any]
"""A JSON object."""

CONTROL = "/_sandbox"
PAGE = "/"
DOCS = "/docs"
OTHER = "other"
"""The name of a call that is not an operation of the provider."""


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
        self._plain = {(op.method, op.path): op.name for op in operations if "{" not in op.path}
        patterns = sorted((op for op in operations if "{" in op.path), key=lambda op: op.path.count("{"))
        self._patterns = [(op.method, compile_path(op.path)[0], op.name) for op in patterns]
        self._methods = sorted({op.method for op in operations})

    def find(self, method: str, path: str) -> tuple[str, dict[str, str]]:
        """The name of the operation and the values of the names in braces; `path` is decoded already."""
        if (method, path) in self._plain:
            return self._plain[method, path], {}
        for known, pattern, name in self._patterns:
            match = pattern.fullmatch(path) if known == method else None
            if match is not None:
                return name, match.groupdict()
        return OTHER, {}

    def name(self, method: str, raw_path: str) -> str:
        """The name of the operation for a path as it stands in a request line."""
        return self.find(method, unquote(raw_path))[0]

    def methods(self, path: str) -> list[str]:
        plain = [method for method in self._methods if (method, path) in self._plain]
        return plain or [method for method in self._methods if self.find(method, path)[0] != OTHER]

    def is_own(self, method: str, path: str) -> bool:
        """Whether a call is for the control API, or for a page where the provider has no operation."""
        if path == CONTROL or path.startswith(CONTROL + "/"):
            return True
        return method in ("GET", "HEAD") and path in (PAGE, DOCS) and self.name(method, path) == OTHER
