"""Tokens that a stand-in gives out, by the wall clock."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from victor_ext.sandbox.server.clock import Clock


class TokenBook:
    """Who was given which token, and until when. Tokens are kept as digests only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._given: dict[str, tuple[str, float]] = {}
        self.issued: dict[str, int] = {}
        """How many tokens each owner was given."""

    def issue(self, owner: str, life: float) -> tuple[str, float]:
        """A new token, and the epoch seconds at which it ends; earlier tokens stay good."""
        token = secrets.token_urlsafe(32)
        expires = self._clock.wall() + life
        self._given[_digest(token)] = (owner, expires)
        self.issued[owner] = self.issued.get(owner, 0) + 1
        return token, expires

    def owner(self, token: str) -> str | None:
        """Whose token it is; None when it was not given out here, was revoked, or has expired."""
        owner, expires = self._given.get(_digest(token), ("", 0.0))
        return owner if expires > self._clock.wall() else None

    def revoke(self, token: str | None = None) -> int:
        """Make one token, or all of them, worthless; returns how many that were."""
        if token is not None:
            return 0 if self._given.pop(_digest(token), None) is None else 1
        count = len(self._given)
        self._given.clear()
        return count

    def clear(self) -> None:
        """Forget everything, the counts too."""
        self._given.clear()
        self.issued.clear()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
