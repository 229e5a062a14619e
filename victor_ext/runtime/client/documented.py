"""A generated operation, as the code above the attempt loop calls it."""

from __future__ import annotations

from typing import Any, Protocol


class Operation(Protocol):
    """The module of a generated operation."""

    @property
    def OPERATION(self) -> Any:  # noqa: N802 - a constant of the module
        """What the document says of it: an object of the generated class `Operation`."""
        ...

    def sync_detailed(self, *args: Any, **kwargs: Any) -> Any:
        """Make the call. Returns the generated `Response`."""
        ...

    def asyncio_detailed(self, *args: Any, **kwargs: Any) -> Any: ...
