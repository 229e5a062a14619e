"""Generated operations, as `paged` takes them: their modules."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, Protocol

from victor_ext.errors import ConfigurationError

P = ParamSpec("P")

_FUNCTIONS = frozenset({"sync", "sync_detailed", "asyncio", "asyncio_detailed"})


class Operation(Protocol[P]):
    """The module of a generated operation, for type checkers: what it takes, without `client`."""

    @property
    def _get_kwargs(self) -> Callable[P, dict[str, Any]]: ...


def module_of(function: Any) -> Any:
    """The module of a generated operation.

    Args:
        function: The module (`list_cards`), or one of its functions (`list_cards.sync`).

    Raises:
        ConfigurationError: It is neither.
    """
    if not hasattr(function, "sync_detailed") and getattr(function, "__name__", "") not in _FUNCTIONS:
        raise ConfigurationError("paged: pass the module of a generated operation, as in bank.paged(list_cards, ...).")
    return sys.modules.get(getattr(function, "__module__", ""), function)


def check_arguments(module: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise `ConfigurationError` for arguments that the operation does not take: now, not while the list is read."""
    signature = inspect.signature(module._get_kwargs)  # noqa: SLF001 - it takes all but the client
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        takes = ", ".join(signature.parameters) or "nothing"
        raise ConfigurationError(
            f"paged: {module.__name__.rpartition('.')[2]} takes {takes} (and the client is this one): {error}."
        ) from None
