"""The serializer with which DBOS stores what it is given, encrypted."""

from __future__ import annotations

from typing import Any, cast

from dbos import Serializer

from .vault import MARK, Vault


class SealedValues(Serializer):
    """DBOS serializer that encrypts all workflow data."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def name(self) -> str:
        """Return the serializer name that DBOS stores with a value."""
        return MARK

    def serialize(self, data: Any) -> str:
        """Encrypt JSON data, workflow arguments or an exception."""
        if isinstance(data, BaseException):
            data = {"!error": type(data).__name__, "text": str(data)}
        return self._vault.seal(data)

    def deserialize(self, serialized_data: str) -> Any:
        """Decrypt data. Arguments become a tuple, as DBOS requires; an exception becomes a `StoredError`."""
        data = self._vault.open(serialized_data)
        if isinstance(data, dict):
            fields = cast("dict[str, Any]", data)
            if "!error" in fields:
                return StoredError(fields["!error"], fields["text"])
            if fields.keys() == {"args", "kwargs"}:
                return {"args": tuple(fields["args"]), "kwargs": fields["kwargs"]}
            return fields
        return data


class StoredError(Exception):
    """An exception of a workflow, restored from its stored type name and text."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind
