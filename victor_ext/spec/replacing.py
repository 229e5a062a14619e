"""Functions of a pinned library replaced for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

Change = tuple[Any, str, Any]
"""A module or a class, the name of its attribute, and the other value."""


@contextlib.contextmanager
def replaced(*changes: Change) -> Generator[None]:
    """Set attributes of modules and classes, and restore them afterwards."""
    earlier: list[Change] = [(owner, name, vars(owner)[name]) for owner, name, _ in changes]
    try:
        for owner, name, value in changes:
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in earlier:
            setattr(owner, name, value)
