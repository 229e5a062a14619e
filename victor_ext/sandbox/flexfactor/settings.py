"""What a FlexFactor sandbox is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass

from victor_ext.sandbox.server import ServerSettings, option


@dataclass(frozen=True, kw_only=True, slots=True)
class FlexFactorSettings(ServerSettings):
    """The options of every sandbox, and those of this one."""

    decision: str = option("APPROVED", help="what evaluate answers unless it is told otherwise")
    token_life: float = option(600.0, help="life of a token, in seconds")
    key_life: float = option(86_400.0, help="how long an idempotency key is kept, in seconds")
    items_name: str = option("items", help="the name of the array in a page of orders; the provider's is not known")
    largest_page: int = option(100, help="orders on a page at most, whatever is asked for")

    def __post_init__(self) -> None:
        """Refuse at the start what would fail later in a stranger place."""
        ServerSettings.__post_init__(self)
        self.check_least({"token_life": 0, "key_life": 0, "largest_page": 1})
