"""Tells the pages that are open that something has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager


class Changes:
    """The watchers of a sandbox. Only the serving thread uses it."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Event] = set()

    def touch(self) -> None:
        """Wake every watcher."""
        for watcher in self._watchers:
            watcher.set()

    @contextmanager
    def watch(self) -> Generator[asyncio.Event]:
        """An event that is set by each change; the watcher clears it."""
        watcher = asyncio.Event()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
