"""The options of Victor's sandbox."""

import os
from dataclasses import dataclass
from typing import Literal

from victor_ext.sandbox.server import ServerSettings, option


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxSettings(ServerSettings):
    """Every option of the sandbox.

    All times are in seconds. A wrong value is a `ValueError` that names it.
    """

    environment: Literal["staging", "production"] = option(
        "staging", help="the longest life of a client-signed token: 3600 s, in production 300 s"
    )
    state: str | os.PathLike[str] | None = option(
        None,
        metavar="FILE",
        help="an SQLite file, readable by you alone, that keeps everything but faults and the "
        "record of calls",
    )
    quirks: bool = option(
        False, help="as the provider's examples: upper-case directions, epoch milliseconds, nulls"
    )
    get_status: Literal["documented", "listed"] = option(
        "documented", "the status of get: documented, which is Pending or Error, or that of a list"
    )
    accepted_amount: Literal["modified", "requested"] = option(
        "modified",
        "the amount of a request that was accepted with another: that one, or beside a response "
        "the requested one",
    )
    key_repeat: Literal["replay", "current", "409", "new"] = option(
        "replay",
        "a repeated create: the first answer, the request as it is now, a 409, or a new request",
    )
    key_conflict: Literal["409", "400", "422", "replay", "new"] = option(
        "409",
        "the answer to a used key with another body: a status, replay of the first answer, or a "
        "new request",
    )
    key_life: float | None = option(
        None, "business time until a key is forgotten; without it never", at_least=0
    )
    key_in_progress: float = option(
        0.0, "business time in which a repeat gets a 409 that says so", at_least=0
    )
    unknown_id: Literal["400", "404"] = option("400", "the status for an id that does not exist")
    max_page_size: int = option(100, "the largest page_size", at_least=1)
    first_page: Literal["0", "1"] = option(
        "0", "the number of the first page; with 1, page 0 is the same page"
    )
    page_beyond: Literal["empty", "last", "400", "404"] = option(
        "empty", "after the last: nothing, the last one, a status"
    )
    list_lag: float = option(0.0, "business time until a new request is listed", at_least=0)
    window_ends: Literal["both", "start", "end", "neither"] = option(
        "both", "which ends belong to a window of time"
    )
    auto: float | None = option(
        None,
        at_least=0,
        command_line=1.0,
        metavar="SECONDS",
        help="how long each step of a request takes; None in Python, or a large number: they move "
        "by command only",
    )
    demo_data: bool = option(
        False, help="start with accounts, counterparties and two inbound requests"
    )

    @property
    def longest_token(self) -> int:
        """Longest `exp - iat` of a client-signed token, in seconds."""
        return 300 if self.environment == "production" else 3600
