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
    directions: Literal["documented", "upper"] = measured(
        "documented", help="direction in bodies: as in the document's enum, or in upper case"
    )
    times: Literal["seconds", "milliseconds"] = measured(
        "seconds", help="the unit of created_at and approved_at, since the epoch"
    )
    nulls: bool = measured(False, help="send members without a value as null")
    status_words: Literal["documented", "title", "upper"] = measured(
        "documented",
        help="status in bodies: as in the document's enum (needs-review), in its prose (Needs Review), or NEEDS_REVIEW",
    )
    get_status: Literal["documented", "listed"] = measured(
        "documented",
        help="the status of get: documented, which is Pending or Error, or listed, which is that of a list",
    )
    get_lag: float = measured(0.0, at_least=0, help="business time until get knows a new request")
    accepted_amount: Literal["modified", "requested"] = measured(
        "modified",
        help="the amount of a request that was accepted with another: the modified one, or the requested one, beside "
        "a response with the modified one",
    )
    notes_limit: int = measured(150, at_least=1, help="how many characters of notes the provider keeps")
    reference_limit: int = measured(128, at_least=1, help="the same of client_reference_id")
    long_texts: Literal["cut", "refuse"] = measured("cut", help="what becomes of notes and references over that limit")
    notes_characters: Characters = measured(
        "any", help="which characters notes may have; basic: letters, digits, spaces and periods"
    )
    reference_characters: Characters = measured("any", help="which characters client_reference_id may have")
    other_characters: Literal["strip", "replace", "refuse"] = measured(
        "strip", help="what becomes of the others: left out, a question mark, or a refused request"
    )
    trim_texts: bool = measured(False, help="remove spaces at both ends of notes and references")
    twins: bool = measured(True, help="make an inbound twin of a request to an account of the sandbox")
    leeway: float = measured(5.0, at_least=0, help="how far iat and exp of a token may be off")
    token_limit: float | None = measured(
        None,
        at_least=1,
        read=float,
        help="longest exp - iat of a client-signed token; without it that of the environment",
    )
    refused_token: Literal["401", "403"] = measured("401", help="the status for a token that is missing or refused")
    key_repeat: Literal["replay", "current", "409", "new"] = measured(
        "replay",
        help="the answer to a repeated create: the first one again, the request as it is now, a 409, or a new request",
    )
    key_conflict: Literal["409", "400", "422", "replay", "new"] = measured(
        "409", help="the answer to a used key with another body: a status, replay of the first answer, or a new request"
    )
    refused_key: Literal["free", "bound"] = measured(
        "free",
        help="the key of a refused create: free for another body, or bound to the refusal, which a repeat gets again",
    )
    key_life: float | None = measured(
        None, at_least=0, read=float, help="business time after which a key is forgotten; without it never"
    )
    key_in_progress: float = measured(
        0.0, at_least=0, help="business time for which a repeat of a create gets a 409 that says so"
    )
    key_shortest: int = measured(20, at_least=1, help="how many characters a key has at least")
    key_longest: int = measured(128, at_least=1, help="and at most")
    require_key: bool = measured(False, help="refuse a create without Idempotency-Key")
    unknown_id: Literal["400", "404"] = measured("400", help="the status for an id that does not exist")
    invalid_status: Literal["400", "422"] = measured("400", help="the status for what breaks a rule of the document")
    error_shape: ErrorShape = measured(
        "documented",
        help="the body of an error: as documented for the operation, ApiErrorResponse or ValidationErrors for all of "
        "them, or plain, which is that of a 401",
    )
    error_code: int = measured(101, help="the code of ApiErrorResponse for an invalid field")
    second_answer: Literal["refuse", "replay"] = measured(
        "refuse", help="a second answer to an inbound request: refuse it, or replay the first if it says the same"
    )
    max_page_size: int = measured(100, at_least=1, help="the largest page_size")
    large_page: Literal["reduce", "refuse"] = measured(
        "reduce", help="what becomes of a larger page_size: it is reduced silently, or refused"
    )
    first_page: Literal["0", "1"] = measured("0", help="the number of the first page; with 1, page 0 is the same page")
    page_beyond: Literal["empty", "last", "400", "404"] = measured(
        "empty", help="a page after the last one: empty, the last one once more, or a status"
    )
    order: Literal["newest", "oldest"] = measured("newest", help="which requests a list begins with")
    list_lag: float = measured(0.0, at_least=0, help="business time until a new request is listed")
    window_ends: Literal["both", "start", "end", "neither"] = measured(
        "both", help="which ends of a window, start_datetime and end_datetime, belong to it"
    )
    unknown_filter: Literal["ignore", "refuse"] = measured(
        "ignore", help="what becomes of a filter that the document does not name"
    )
    repeated_filter: Literal["refuse", "first", "last"] = measured(
        "refuse", help="a filter that is given twice: refused, or which one counts"
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
