"""The options of Victor's sandbox."""

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

from victor_ext.sandbox.server import ServerSettings, option


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxSettings(ServerSettings):
    """Every option of the sandbox. All times are in seconds. A wrong value is a `ValueError` that
    names it.
    """

    environment: Literal["staging", "production"] = option(
        "staging", "the longest life of a client-signed token: 3600 s, in production 300 s"
    )
    key_life: Annotated[float, Meta(ge=0)] | None = option(
        None, "business time until a key is forgotten; without it never"
    )
    get_status: Literal["documented", "listed"] = option(
        "documented", "the status of get: documented, which is Pending or Error, or that of a list"
    )
    accepted_amount: Literal["modified", "requested"] = option(
        "modified",
        "the amount of a request that was accepted with another: that one, or beside a response "
        "the requested one",
    )
    max_page_size: Annotated[int, Meta(ge=1)] = option(100, "the largest page_size")
    auto: Annotated[float, Meta(ge=0)] | None = option(
        None,
        "how long each step of a request takes; None in Python, or a large number: they move by "
        "command only",
        command_line=1.0,
    )
    demo_data: bool = option(False, "start with accounts, counterparties and two inbound requests")

    @property
    def longest_token(self) -> int:
        """Longest `exp - iat` of a client-signed token, in seconds."""
        return 300 if self.environment == "production" else 3600
