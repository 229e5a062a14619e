"""What Victor's sandbox is told beside what every sandbox is told: which habits it has, how it keeps state."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal, get_args

from victor_ext.sandbox.server.settings import ServerSettings
from victor_ext.sandbox.victor.due_dates import read_zone

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
    "depart": 0,
    "token_life": 1,
    "auto": 0,
    "key_life": 0,
    "key_in_progress": 0,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxSettings(ServerSettings):
    """Every option of a sandbox. All times are seconds. `ValueError` names an option that cannot be."""

    environment: Environment = "staging"
    """Decides how long a client-signed token may live: 3600 s in staging, 300 s in production."""
    state: str | os.PathLike[str] | None = None
    """An SQLite file that carries requests, keys, accounts and the clock over a restart; None: memory."""
    quirks: bool = False
    """Speak as the provider's prose and examples do: direction in upper case, `get` that knows no status but `Pending`
    and `Error`, epoch milliseconds, `null`s."""
    leeway: float = 5.0
    """How far a token's `iat` and `exp` may be off from the sandbox's clock."""
    key_conflict: KeyConflict = "409"
    """The answer to a known key with another body: a status, or `replay` of the first answer."""
    key_life: float | None = None
    """Seconds of the business clock after which a key is forgotten, so that it would make a second request."""
    key_in_progress: float = 0.0
    """Seconds of the business clock for which a create is still being worked on: a repeat gets a 409 that says so."""
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
    depart: int = 0
    """Let so many requests of each page that was read by `status` leave that status, before the next page is read."""
    strict_accounts: bool = False
    """Refuse a payee account or a counterparty that was not made known to the sandbox."""
    due_date_zone: str | None = None
    """Judge due dates by the days of this zone, such as `America/New_York`; None: take what is right anywhere."""
    token_life: float = 3600.0
    """Life of a token that `/v2/auth/token` gives out."""
    auto: float | None = None
    """Let requests go through their life by themselves, so many seconds a step; None: by command only."""
    check_answers: bool = True
    """Hold every answer against the document (never in quirks, which break it on purpose)."""
    demo_data: bool = False
    """Begin with two accounts, three counterparties and two inbound requests (when there is no state yet)."""

    def __post_init__(self) -> None:
        """Refuse at the start what would fail later in a stranger place."""
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {getattr(self, name)!r}")
        self.check_least(_LEAST)
        if self.due_date_zone is not None:
            read_zone(self.due_date_zone)
        # Not by `super()`: with slots, the class that it would look for is not this one.
        ServerSettings.__post_init__(self)

    @property
    def token_limit(self) -> int:
        """Longest `exp - iat` of a client-signed token in this environment, in seconds."""
        return TOKEN_LIFE_LIMIT[self.environment]

    def shown(self) -> dict[str, object]:
        """The options as JSON values, for the control API."""
        return {**ServerSettings.shown(self), "state": None if self.state is None else os.fspath(self.state)}
