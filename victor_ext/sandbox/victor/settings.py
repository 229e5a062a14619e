"""The options of Victor's sandbox."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from victor_ext.sandbox.server.settings import ServerSettings, option

Environment = Literal["staging", "production"]


def read_zone(name: str) -> ZoneInfo:
    """A zone by its name in the IANA database; `ValueError` for an unknown name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        known = "the name of a time zone such as America/New_York"
        raise ValueError(f"due_date_zone must be {known}, not {name!r}") from None


def _seconds_or_off(text: str) -> float | None:
    try:
        return None if text == "off" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"write a number of seconds such as 0.5, or off, not {text!r}") from None


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxSettings(ServerSettings):
    """Every option of the sandbox. All times are in seconds. A wrong value is a `ValueError` that names it."""

    environment: Environment = option(
        "staging", help="how long a client-signed token may live: staging 3600 s, production 300 s"
    )
    state: str | os.PathLike[str] | None = option(
        None,
        read=str,
        metavar="FILE",
        help="an SQLite file, readable by you alone, that keeps everything but faults and the record of calls",
    )
    quirks: bool = option(
        False, help="answer as the provider's examples do: direction in upper case, times in epoch milliseconds, nulls"
    )
    get_status: Literal["documented", "listed"] = option(
        "documented",
        help="the status of get: documented, which is Pending or Error, or listed, which is that of a list",
    )
    accepted_amount: Literal["modified", "requested"] = option(
        "modified",
        help="the amount of a request that was accepted with another: the modified one, or the requested one, beside "
        "a response with the modified one",
    )
    leeway: float = option(5.0, at_least=0, metavar="SECONDS", help="how far iat and exp of a token may be off")
    key_conflict: Literal["409", "400", "422", "replay"] = option(
        "409", help="the answer to a used key with another body: a status, or replay of the first answer"
    )
    key_life: float | None = option(
        None,
        at_least=0,
        read=float,
        metavar="SECONDS",
        help="business time after which a key is forgotten; without it never",
    )
    key_in_progress: float = option(
        0.0, at_least=0, metavar="SECONDS", help="business time for which a repeat of a create gets a 409 that says so"
    )
    require_key: bool = option(False, help="refuse a create without Idempotency-Key")
    unknown_id: Literal["400", "404"] = option("400", help="the status for an id that does not exist")
    second_answer: Literal["refuse", "replay"] = option(
        "refuse", help="a second answer to an inbound request: refuse it, or replay the first if it says the same"
    )
    max_page_size: int = option(100, at_least=1, metavar="N", help="a larger page_size is reduced to this silently")
    order: Literal["newest", "oldest"] = option("newest", help="which requests a list begins with")
    shift: int = option(
        0, at_least=0, metavar="N", help="pretend that N requests arrive between two pages: each repeats N items"
    )
    strict_accounts: bool = option(False, help="refuse payee accounts and counterparties that were not added")
    due_date_zone: str | None = option(
        None,
        read=str,
        check=read_zone,
        metavar="ZONE",
        help="judge due dates by the days of this time zone, such as America/New_York; without it any date that is "
        "right somewhere on earth is accepted",
    )
    token_life: float = option(3600.0, at_least=1, metavar="SECONDS", help="the life of a token from /v2/auth/token")
    auto: float | None = option(
        None,
        at_least=0,
        read=_seconds_or_off,
        command_line=1.0,
        metavar="SECONDS",
        help="how long each step of a request takes; off (None in Python): requests move by command only",
    )
    demo_data: bool = option(False, help="start with accounts, counterparties and two inbound requests")

    @property
    def token_limit(self) -> int:
        """Longest `exp - iat` of a client-signed token in this environment, in seconds."""
        return 300 if self.environment == "production" else 3600
