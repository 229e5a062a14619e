"""What a Velo sandbox is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass

from victor_ext.sandbox.server import ServerSettings, option


@dataclass(frozen=True, kw_only=True, slots=True)
class VeloSettings(ServerSettings):
    """The options of every sandbox, and those of this one. All times are seconds of the business clock."""

    token_life: float = option(1799.0, help="life of a token, in seconds")
    validation: float = option(0.0, help="after which a submitted payout is accepted or rejected, and can be found")
    settlement: float = option(30.0, help="after which an instructed payout is completed")
    batch_time: float = option(0.0, help="after which a batch of new payees has been worked on")
    funding_time: float = option(10.0, help="after which money that was asked for has come")
    retry_after: int = option(2, help="after which a new funding account can be read, and what Retry-After says")

    def __post_init__(self) -> None:
        """Refuse at the start what would fail later in a stranger place."""
        ServerSettings.__post_init__(self)
        self.check_least(
            {"token_life": 0, "validation": 0, "settlement": 0, "batch_time": 0, "funding_time": 0, "retry_after": 0}
        )
