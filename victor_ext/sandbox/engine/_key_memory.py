"""What was done under each idempotency key."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any, Generic, TypeAlias, TypeVar

T = TypeVar("T")
Entry: TypeAlias = tuple[float, str, Any]
"""When something was done, the digest of the request that asked for it, and what is remembered of
it.
"""


class KeyMemory(Generic[T]):
    """What was done under the keys of each owner, for as long as a key lives.

    Args:
        now: The business clock, in epoch seconds.
        life: Seconds that a key lives; None: it never ends.
        entries: Where it is kept, by the place of a key (None: in memory alone).
    """

    def __init__(
        self,
        now: Callable[[], float],
        life: float | None = None,
        entries: MutableMapping[str, Entry] | None = None,
    ) -> None:
        self._now = now
        self._life = life
        self._entries: MutableMapping[str, Entry] = {} if entries is None else entries

    def find(self, owner: str, key: str | None, digest: str) -> tuple[T, bool] | None:
        """What was done under the key, and whether the request is the one that was sent with it at
        first; None: nothing, or its life is over.
        """
        if key is None or (entry := self._entries.get(place_of(owner, key))) is None:
            return None
        at, before, what = entry
        if self._life is not None and self._now() - at >= self._life:
            return None
        return what, before == digest

    def entry(self, digest: str, what: T, at: float | None = None) -> Entry:
        """What is kept of a request that did something at a time, in epoch seconds; None: now."""
        return self._now() if at is None else at, digest, what

    def keep(self, owner: str, key: str | None, digest: str, what: T) -> None:
        """Remember what was done under the key, if there is one."""
        if key is not None:
            self._entries[place_of(owner, key)] = self.entry(digest, what)


def place_of(owner: str, key: str) -> str:
    """The place of a key: two owners may have the same one."""
    return f"{owner}\n{key}"
