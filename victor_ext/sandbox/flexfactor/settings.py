"""The options of FlexFactor's sandbox."""

from __future__ import annotations

from dataclasses import dataclass

from victor_ext.sandbox.server import ServerSettings, option


@dataclass(frozen=True, kw_only=True, slots=True)
class FlexFactorSettings(ServerSettings):
    """The options of every sandbox, and those of this one."""

    decision: str = option("APPROVED", help="the status that evaluate returns, unless a command has decided otherwise")
    token_life: float = option(600.0, at_least=0, help="life of a token, in seconds")
    key_life: float = option(86_400.0, at_least=0, help="how long an idempotency key is kept, in seconds")
    items_name: str = option("items", help="name of the array in a page of orders; the provider's is not known")
    largest_page: int = option(100, at_least=1, help="number of orders on a page at most")
