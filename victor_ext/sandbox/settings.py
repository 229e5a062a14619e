"""What a sandbox is told when it starts: where it listens, which habits it has, how it keeps state."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, fields
from typing import Literal, get_args

Environment = Literal["staging", "production"]
KeyConflict = Literal["409", "400", "422", "replay"]
UnknownId = Literal["400", "404"]
SecondAnswer = Literal["refuse", "replay"]
Order = Literal["newest", "oldest"]

TOKEN_LIFE_LIMIT: dict[str, int] = {"staging": 3600, "production": 300}
"""Longest life of a client-signed token (`exp - iat`), in seconds, by environment."""

_CHOICES: dict[str, tuple[str, ...]] = {
    "environment": get_args(Environment),
    "key_conflict": get_args(KeyConflict),
    "unknown_id": get_args(UnknownId),
    "second_answer": get_args(SecondAnswer),
    "order": get_args(Order),
}
_LEAST: dict[str, float] = {
    "leeway": 0,
    "max_page_size": 1,
    "shift": 0,
    "token_life": 1,
    "auto": 0,
    "keep_received": 0,
    "key_life": 0,
    "keep_alive": 0,
    "body_limit": 1,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxSettings:
    """Every option of a sandbox. All times are seconds. `ValueError` names an option that cannot be."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 picks a free port; `Sandbox.url` tells which."""
    control_port: int | None = None
    """A second listener for `/_sandbox/` alone, up even while the API is `down`. 0 picks a free port."""
    environment: Environment = "staging"
    """Decides how long a client-signed token may live: 3600 s in staging, 300 s in production."""
    state: str | os.PathLike[str] | None = None
    """An SQLite file that carries requests, keys, accounts and the clock over a restart; None: memory."""
    quirks: bool = False
    """Speak as the provider was seen to: upper-case direction, `Pending`, epoch milliseconds, `null`s."""
    leeway: float = 5.0
    """How far a token's `iat` and `exp` may be off from the sandbox's clock."""
    key_conflict: KeyConflict = "409"
    """The answer to a known key with another body: a status, or `replay` of the first answer."""
    key_life: float | None = None
    """Seconds of the business clock after which a key is forgotten, so that it would make a second request."""
    require_key: bool = False
    """Refuse a create without `Idempotency-Key`. The document calls the key optional."""
    unknown_id: UnknownId = "400"
    """The status for an id that does not exist. The document of payment requests knows 400 only."""
    second_answer: SecondAnswer = "refuse"
    """A second answer to an inbound request: refused, or replayed when it says the same as the first."""
    max_page_size: int = 100
    """A larger `page_size` is cut down to this without a word."""
    order: Order = "newest"
    """Which requests a list begins with."""
    shift: int = 0
    """Pretend that so many new requests arrive between two pages: each page repeats the last ones before."""
    strict_accounts: bool = False
    """Refuse a payee account or a counterparty that was not made known to the sandbox."""
    token_life: float = 3600.0
    """Life of a token that `/v2/auth/token` gives out."""
    auto: float | None = None
    """Let requests go through their life by themselves, so many seconds a step; None: by command only."""
    clock_skew: float = 0.0
    """How far the sandbox's clock and its `Date` header are ahead of this machine's (negative: behind)."""
    seed: int | None = None
    """Makes ids, and faults that have no seed of their own, the same in every run."""
    check_answers: bool = True
    """Hold every answer against the document (never in quirks, which break it on purpose)."""
    keep_received: int = 100_000
    """How many received exchanges are remembered one by one; counts by key are kept for all."""
    keep_alive: int = 75
    """Seconds after which an idle connection is closed."""
    body_limit: int = 1 << 20
    """Largest request body, in bytes; a larger one is answered 413."""
    demo_data: bool = False
    """Begin with two accounts, three counterparties and two inbound requests (when there is no state yet)."""

    def __post_init__(self) -> None:
        """Refuse at the start what would fail later in a stranger place."""
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {getattr(self, name)!r}")
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is not None and not least <= value < math.inf:
                raise ValueError(f"{name} must be a number of at least {least:g}, not {value!r}")
        for name in ("port", "control_port"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 65535:
                raise ValueError(f"{name} must be between 0 and 65535, not {value!r}")
        if not math.isfinite(self.clock_skew):
            raise ValueError(f"clock_skew must be a finite number of seconds, not {self.clock_skew!r}")

    @property
    def token_limit(self) -> int:
        """Longest `exp - iat` of a client-signed token in this environment, in seconds."""
        return TOKEN_LIFE_LIMIT[self.environment]

    def shown(self) -> dict[str, object]:
        """The options as JSON values, for the control API."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        found["state"] = None if self.state is None else os.fspath(self.state)
        return found
