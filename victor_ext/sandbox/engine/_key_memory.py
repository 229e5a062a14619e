"""What was done under each idempotency key."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class KeyMemory(Generic[T]):
    """What was done under the keys of each owner, for as long as a key lives.

    Args:
        now: The business clock, in epoch seconds.
        life: Seconds that a key lives; None: it never ends.
    """

    def __init__(self, now: Callable[[], float], life: float | None = None) -> None:
        self._now = now
        self._life = life
        self._entries: dict[tuple[str, str], tuple[float, str, T]] = {}

    def find(self, owner: str, key: str | None, digest: str) -> tuple[T, bool] | None:
        """What was done under the key, and whether the request is the one that was sent with it at
        first; None: nothing, or its life is over.
        """
        if key is None or (entry := self._entries.get((owner, key))) is None:
            return None
        at, before, what = entry
        if self._life is not None and self._now() - at >= self._life:
            return None
        return what, before == digest

    def keep(self, owner: str, key: str | None, digest: str, what: T) -> None:
        """Remember what was done under the key, if there is one."""
        if key is not None:
            self._entries[owner, key] = self._now(), digest, what
