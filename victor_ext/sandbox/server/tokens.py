"""The access tokens that a sandbox has issued."""

from __future__ import annotations

import hashlib
import secrets

from victor_ext.sandbox.server.commands import ServerCommands, command
from victor_ext.sandbox.server.context import Clock


class TokenStore:
    """Issued tokens with owner and expiry, by the wall clock. Only digests of tokens are kept."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens: dict[str, tuple[str, float]] = {}
        self.issued: dict[str, int] = {}
        """The number of tokens by owner."""

    def issue(self, owner: str, life: float) -> tuple[str, float]:
        """A new token for `life` seconds, and the epoch seconds of its expiry. Earlier tokens stay valid."""
        token = secrets.token_urlsafe(32)
        expires = self._clock.wall() + life
        self._tokens[digest(token)] = (owner, expires)
        self.issued[owner] = self.issued.get(owner, 0) + 1
        return token, expires

    def owner(self, token: str) -> str | None:
        """The owner of a token; None for one that is unknown, revoked or expired."""
        owner, expires = self._tokens.get(digest(token), ("", 0.0))
        return owner if expires > self._clock.wall() else None

    def revoke(self, token: str | None = None) -> int:
        """Revoke one token (None: all of them); returns how many there were."""
        if token is not None:
            return 0 if self._tokens.pop(digest(token), None) is None else 1
        count = len(self._tokens)
        self._tokens.clear()
        return count

    def clear(self) -> None:
        """Forget everything, counts included."""
        self._tokens.clear()
        self.issued.clear()


class TokenCommands(ServerCommands):
    """The commands of a provider whose `state` has its issued `tokens` in a `TokenStore`."""

    @command("GET", "/tokens")
    def tokens_issued(self) -> dict[str, int]:
        """How many tokens were issued to each client."""
        store: TokenStore = self._state.tokens
        return dict(store.issued)

    @command("POST", "/tokens/revoke")
    def revoke_tokens(self) -> int:
        """Revoke every token; returns their number."""
        store: TokenStore = self._state.tokens
        return store.revoke()


def digest(secret: str) -> str:
    """The digest that is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
