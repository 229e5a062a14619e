"""The options of Velo's sandbox."""

from __future__ import annotations

from dataclasses import dataclass

from victor_ext.sandbox.server import ServerSettings, option


@dataclass(frozen=True, kw_only=True, slots=True)
class VeloSettings(ServerSettings):
    """The options of every sandbox, and those of this one. All times are seconds of the business clock."""

    token_life: int = option(1799, at_least=0, metavar="SECONDS", help="life of a token, in seconds")
    validation: float = option(0.0, at_least=0, help="seconds until a submitted payout is accepted or rejected")
    settlement: float = option(30.0, at_least=0, help="seconds until an instructed payout is completed")
    batch_time: float = option(0.0, at_least=0, help="seconds until a batch of new payees is processed")
    funding_time: float = option(10.0, at_least=0, help="seconds until requested money has arrived")
    retry_after: int = option(
        2, at_least=0, help="seconds until a new funding account can be read, and the value of Retry-After"
    )
