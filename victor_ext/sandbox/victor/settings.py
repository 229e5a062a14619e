"""The options of Victor's sandbox."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from victor_ext.sandbox.server.measured import read_measurements
from victor_ext.sandbox.server.settings import ServerSettings, measured, option

Environment = Literal["staging", "production"]
Characters = Literal["any", "latin-1", "ascii", "basic"]
ErrorShape = Literal["documented", "api", "validation", "plain"]


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
        "staging", help="the longest life of a client-signed token: 3600 s, in production 300 s"
    )
    state: str | os.PathLike[str] | None = option(
        None,
        read=str,
        metavar="FILE",
        help="an SQLite file, readable by you alone, that keeps everything but faults and the record of calls",
    )
    quirks: bool = option(
        False, help="answer as the provider's examples do: upper-case directions, epoch milliseconds, nulls"
    )
    directions: Literal["documented", "upper"] = measured(
        "documented", help="direction: as in the enum, or in upper case"
    )
    times: Literal["seconds", "milliseconds"] = measured("seconds", help="the unit of created_at and approved_at")
    nulls: bool = measured(False, help="send members without a value as null")
    status_words: Literal["documented", "title", "upper"] = measured(
        "documented", help="status: as in the enum (needs-review), as in prose (Needs Review), or NEEDS_REVIEW"
    )
    get_status: Literal["documented", "listed"] = measured(
        "documented", help="the status of get: documented, which is Pending or Error, or that of a list"
    )
    get_lag: float = measured(0.0, at_least=0, help="business time until get knows a new request")
    accepted_amount: Literal["modified", "requested"] = measured(
        "modified",
        help="the amount of a request that was accepted with another: that one, or beside a response the requested one",
    )
    notes_limit: int = measured(150, at_least=1, help="how many characters of notes the provider keeps")
    reference_limit: int = measured(128, at_least=1, help="the same of client_reference_id")
    long_texts: Literal["cut", "refuse"] = measured("cut", help="what becomes of notes and references over that limit")
    notes_characters: Characters = measured("any", help="what notes may have; basic: letters, digits, spaces, periods")
    reference_characters: Characters = measured("any", help="what client_reference_id may have")
    other_characters: Literal["strip", "replace", "refuse"] = measured(
        "strip", help="of other characters: left out, ?, or refused"
    )
    trim_texts: bool = measured(False, help="remove spaces at both ends of notes and references")
    twins: bool = measured(True, help="make an inbound twin of a request to an account of the sandbox")
    leeway: float = measured(5.0, at_least=0, help="how far iat and exp of a token may be off")
    token_limit: float | None = measured(
        None, at_least=1, read=float, help="longest exp - iat of a client-signed token, if not the environment's"
    )
    refused_token: Literal["401", "403"] = measured("401", help="the status for a token that is missing or refused")
    key_repeat: Literal["replay", "current", "409", "new"] = measured(
        "replay", help="a repeated create: the first answer, the request as it is now, a 409, or a new request"
    )
    key_conflict: Literal["409", "400", "422", "replay", "new"] = measured(
        "409", help="the answer to a used key with another body: a status, replay of the first answer, or a new request"
    )
    refused_key: Literal["free", "bound"] = measured(
        "free", help="the key of a refused create: free for another body, or bound to the refusal"
    )
    key_life: float | None = measured(None, at_least=0, read=float, help="business time until a key is forgotten")
    key_in_progress: float = measured(
        0.0, at_least=0, help="business time in which a repeated create gets a 409 that says so"
    )
    key_shortest: int = measured(20, at_least=1, help="how many characters a key has at least")
    key_longest: int = measured(128, at_least=1, help="and at most")
    require_key: bool = measured(False, help="refuse a create without Idempotency-Key")
    unknown_id: Literal["400", "404"] = measured("400", help="the status for an id that does not exist")
    invalid_status: Literal["400", "422"] = measured("400", help="the status for what breaks a rule of the document")
    error_shape: ErrorShape = measured(
        "documented", help="errors: as documented, all ApiErrorResponse, all ValidationErrors, or plain as a 401"
    )
    error_code: int = measured(101, help="the code of ApiErrorResponse for an invalid field")
    second_answer: Literal["refuse", "replay"] = measured(
        "refuse", help="a second answer to an inbound request: refuse it, or replay the first if it says the same"
    )
    max_page_size: int = measured(100, at_least=1, help="the largest page_size")
    large_page: Literal["reduce", "refuse"] = measured(
        "reduce", help="of a larger page_size: reduced silently, or refused"
    )
    first_page: Literal["0", "1"] = measured("0", help="the number of the first page; with 1, page 0 is the same page")
    page_beyond: Literal["empty", "last", "400", "404"] = measured(
        "empty", help="after the last page: an empty one, the last one, or a status"
    )
    order: Literal["newest", "oldest"] = measured("newest", help="which requests a list begins with")
    list_lag: float = measured(0.0, at_least=0, help="business time until a new request is listed")
    window_ends: Literal["both", "start", "end", "neither"] = measured(
        "both", help="which ends belong to a window of time"
    )
    unknown_filter: Literal["ignore", "refuse"] = measured("ignore", help="a filter that the document does not name")
    repeated_filter: Literal["refuse", "first", "last"] = measured(
        "refuse", help="a filter that is given twice: which counts"
    )
    shift: int = option(0, at_least=0, help="pretend that N requests arrive between two pages: each repeats N items")
    strict_accounts: bool = option(False, help="refuse payee accounts and counterparties that were not added")
    due_date_zone: str | None = option(
        None,
        read=str,
        check=read_zone,
        metavar="ZONE",
        help="judge due dates by the days of this time zone, such as America/New_York; without it any date that is "
        "right somewhere on earth is accepted",
    )
    token_life: float = measured(3600.0, at_least=1, help="the life of a token from /v2/auth/token")
    auto: float | None = option(
        None,
        at_least=0,
        read=_seconds_or_off,
        command_line=1.0,
        metavar="SECONDS",
        help="how long each step of a request takes; off (None in Python): requests move by command only",
    )
    demo_data: bool = option(False, help="start with accounts, counterparties and two inbound requests")

    @classmethod
    def like(cls, path: str | os.PathLike[str], **options: Any) -> Self:
        """The settings that play what `victor conform` measured: `path` is its file. `options` go before it.

        What was not measured keeps its default. A file of another system or format, or one with an unknown option, is
        a `ValueError`.
        """
        return cls(**(read_measurements(path, "victor", cls).values | options))

    @property
    def longest_token(self) -> float:
        """Longest `exp - iat` of a client-signed token, in seconds."""
        return self.token_limit or (300 if self.environment == "production" else 3600)
