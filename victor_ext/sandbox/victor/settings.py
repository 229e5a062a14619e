"""The options of Victor's sandbox."""

import os
import re
from dataclasses import dataclass
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from victor_ext.sandbox.server.settings import ServerSettings, measured, option, read_measurements

Characters = Literal["any", "latin-1", "ascii", "basic"]
_OTHERS = {
    "any": r"(?!)",
    "latin-1": r"[^\x00-\xff]",
    "ascii": r"[^\x00-\x7f]",
    "basic": r"[^A-Za-z0-9. ]",
}
"""What matches a character that is not of a kind."""
_INSTEAD = {"replace": "?"}
"""`other_characters`: what stands for a character that is not allowed; else nothing."""


def read_zone(name: str | None) -> ZoneInfo | None:
    """A zone by its name in the IANA database; `ValueError` for an unknown name."""
    try:
        return None if name is None else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        known = "the name of a time zone such as America/New_York"
        raise ValueError(f"due_date_zone must be {known}, not {name!r}") from None


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
    directions: Literal["documented", "upper"] = measured(
        "documented", "direction: as in the enum, or in upper case"
    )
    times: Literal["seconds", "milliseconds"] = measured(
        "seconds", "the unit of created_at and approved_at"
    )
    nulls: bool = measured(False, "send members without a value as null")
    status_words: Literal["documented", "title", "upper"] = measured(
        "documented",
        "status: as in the enum (needs-review), as in prose (Needs Review), or NEEDS_REVIEW",
    )
    get_status: Literal["documented", "listed"] = measured(
        "documented", "the status of get: documented, which is Pending or Error, or that of a list"
    )
    get_lag: float = measured(0.0, "business time until get knows a new request", at_least=0)
    accepted_amount: Literal["modified", "requested"] = measured(
        "modified",
        "the amount of a request that was accepted with another: that one, or beside a response "
        "the requested one",
    )
    notes_limit: int = measured(150, "how many characters of notes the provider keeps", at_least=0)
    reference_limit: int = measured(128, "the same of client_reference_id", at_least=0)
    long_texts: Literal["cut", "refuse"] = measured(
        "cut", "what becomes of notes and references over that limit"
    )
    notes_characters: Characters = measured(
        "any", "what notes may have; basic: letters, digits, spaces, periods"
    )
    reference_characters: Characters = measured("any", "what client_reference_id may have")
    other_characters: Literal["strip", "replace", "refuse"] = measured(
        "strip", "others are left out, a ?, or refused"
    )
    trim_texts: bool = measured(False, "remove spaces at both ends of notes and references")
    twins: bool = measured(True, "make an inbound twin of a request to an account of the sandbox")
    leeway: float = measured(5.0, "how far iat and exp of a token may be off", at_least=0)
    token_limit: float | None = measured(
        None, "longest exp - iat of a token, if not the environment's", at_least=1
    )
    refused_token: Literal["401", "403"] = measured(
        "401", "the status for a token that is missing or refused"
    )
    key_repeat: Literal["replay", "current", "409", "new"] = measured(
        "replay",
        "a repeated create: the first answer, the request as it is now, a 409, or a new request",
    )
    key_conflict: Literal["409", "400", "422", "replay", "new"] = measured(
        "409",
        "the answer to a used key with another body: a status, replay of the first answer, or a "
        "new request",
    )
    refused_key: Literal["free", "bound"] = measured(
        "free", "key of a refused create: free, or bound to the refusal"
    )
    key_life: float | None = measured(
        None, "business time until a key is forgotten; without it never", at_least=0
    )
    key_in_progress: float = measured(
        0.0, "business time in which a repeat gets a 409 that says so", at_least=0
    )
    key_shortest: int = measured(20, "how many characters a key has at least", at_least=1)
    key_longest: int = measured(128, "and at most", at_least=1)
    require_key: bool = measured(False, "refuse a create without Idempotency-Key")
    unknown_id: Literal["400", "404"] = measured("400", "the status for an id that does not exist")
    invalid_status: Literal["400", "422"] = measured(
        "400", "the status for what breaks a rule of the document"
    )
    error_shape: Literal["documented", "api", "validation", "plain"] = measured(
        "documented",
        "errors: as documented, all ApiErrorResponse, all ValidationErrors, or plain as a 401",
    )
    error_code: int = measured(101, "the code of ApiErrorResponse for an invalid field")
    second_answer: Literal["refuse", "replay"] = measured(
        "refuse",
        "a second answer to an inbound request: refuse it, or replay the first if it says the same",
    )
    max_page_size: int = measured(100, "the largest page_size", at_least=1)
    large_page: Literal["reduce", "refuse"] = measured(
        "reduce", "of a larger page_size: reduced silently, or refused"
    )
    first_page: Literal["0", "1"] = measured(
        "0", "the number of the first page; with 1, page 0 is the same page"
    )
    page_beyond: Literal["empty", "last", "400", "404"] = measured(
        "empty", "after the last: nothing, the last one, a status"
    )
    order: Literal["newest", "oldest"] = measured("newest", "which requests a list begins with")
    list_lag: float = measured(0.0, "business time until a new request is listed", at_least=0)
    window_ends: Literal["both", "start", "end", "neither"] = measured(
        "both", "which ends belong to a window of time"
    )
    unknown_filter: Literal["ignore", "refuse"] = measured(
        "ignore", "a filter that the document does not name"
    )
    repeated_filter: Literal["refuse", "first", "last"] = measured(
        "refuse", "a filter that is given twice: which counts"
    )
    strict_accounts: bool = option(
        False, help="refuse payee accounts and counterparties that were not added"
    )
    due_date_zone: str | None = option(
        None,
        metavar="ZONE",
        help="judge due dates by the days of this time zone, such as America/New_York; without it "
        "any date that is "
        "right somewhere on earth is accepted",
    )
    token_life: float = measured(3600.0, "the life of a token from /v2/auth/token", at_least=1)
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

    def __post_init__(self) -> None:
        ServerSettings.__post_init__(self)
        read_zone(self.due_date_zone)
        if self.key_shortest > self.key_longest:
            raise ValueError(
                f"key_shortest is {self.key_shortest} and key_longest {self.key_longest}: no key "
                "would be valid. Write a key_longest that is not below key_shortest"
            )

    @classmethod
    def like(cls, path: str | os.PathLike[str], **options: Any) -> Self:
        """The settings that play what `victor conform` measured: `path` is its file. `options` go
        before it.

        What was not measured keeps its default. A file of another system or format, or one with an
        unknown option, is a `ValueError`.
        """
        return cls(**(read_measurements(path, "victor", cls)[0] | options))

    @property
    def longest_token(self) -> float:
        """Longest `exp - iat` of a client-signed token, in seconds."""
        return self.token_limit or (300 if self.environment == "production" else 3600)

    def kept(self, name: str, text: str) -> tuple[str, str | None]:
        """What is kept of a `text` that is a member `name`, and why it is refused, if it is.

        No document says so.
        """
        limits = {
            "notes": (self.notes_limit, self.notes_characters),
            "client_reference_id": (self.reference_limit, self.reference_characters),
        }
        limit, characters = limits[name]
        refused, others = None, re.compile(_OTHERS[characters])
        if self.long_texts == "refuse" and len(text) > limit:
            refused = f"has more than {limit} characters"
        if self.other_characters == "refuse" and others.search(text):
            refused = "has characters that are not allowed"
        text = others.sub(_INSTEAD.get(self.other_characters, ""), text)
        return (text.strip(" ") if self.trim_texts else text)[:limit], refused
