"""How the second provider behaves, drawn from a seed: one value of each manner."""

from __future__ import annotations

import random

Manners = dict[str, str]

CHOICES: dict[str, tuple[str, ...]] = {
    "clock-skew": ("0", "40", "-90"),
    "date-header": ("true", "false", "some"),
    "keep-alive": ("kept", "closed"),
    "http-version": ("HTTP/1.1", "HTTP/2"),
    "refused-token": ("401", "403", "400", "200"),
    "token-limit": ("3600", "300"),
    "leeway": ("0", "10", "60", "late only"),
    "unknown-id": ("400", "404", "410", "422", "403", "200"),
    "invalid-status": ("400", "422", "403", "409", "404", "accepted"),
    "error-shape": ("documented", "api", "validation", "plain", "other", "mixed"),
    "error-code": ("101", "7", "error.amount.size", "by field", "account"),
    "max-page-size": ("100", "4", "7", "50", "150", "unlimited"),
    "large-page": ("reduce", "refuse"),
    "first-page": ("0", "1"),
    "page-beyond": ("empty", "last", "first", "400", "404", "416"),
    "order": ("newest", "oldest", "amount", "random", "shuffled"),
    "unknown-filter": ("ignore", "refuse", "empty"),
    "repeated-filter": ("refuse", "first", "last", "both", "union"),
    "window-ends": ("both", "start", "end", "neither"),
    "directions": ("documented", "upper", "other", "absent"),
    "status-words": ("documented", "title", "upper", "other", "number"),
    "get-status": ("documented", "listed", "other"),
    "times": (
        *("seconds", "milliseconds", "zulu", "offset", "naive"),
        *("mixed", "text", "microseconds"),
    ),
    "nulls": ("false", "true", "some"),
    "key-repeat": ("replay", "current", "409", "422", "new"),
    "key-conflict": ("409", "400", "422", "403", "replay", "new"),
    "key-in-progress": ("0", "7", "31"),
    "two-at-once": ("one", "two"),
    "refused-key": ("free", "bound"),
    "key-shortest": ("20", "14", "30", "8"),
    "key-longest": ("128", "90", "140", "64"),
    "require-key": ("false", "true"),
    "key-life": ("not asked", "kept", "3600", "30000"),
    "list-lag": ("0", "7", "31", "never"),
    "get-lag": ("0", "7", "31"),
    "notes-limit": ("150", "40", "149", "100"),
    "reference-limit": ("128", "50", "36"),
    "long-texts": ("cut", "refuse"),
    "notes-characters": ("any", "latin-1", "ascii", "basic"),
    "reference-characters": ("any", "latin-1", "ascii", "basic"),
    "other-characters": ("strip", "replace", "refuse", "translate"),
    "trim-texts": ("false", "true"),
    "unknown-payer": ("accepted", "refused"),
    "twins": ("true", "false"),
    "second-answer": ("refuse", "replay"),
    "accepted-amount": ("modified", "requested"),
}
"""Of an assumption: what the provider may do, first what is assumed."""

ODDITIES: dict[str, tuple[str, ...]] = {
    "create-id": ("plain", "missing", "elsewhere", "object", "number"),
    "create-refusal": ("as lists", "400", "422", "403", "404", "409"),
    "listed-id": ("plain", "object", "number"),
    "amounts": ("plain", "comma", "number", "NaN"),
    "NaN": ("nowhere", "in lists"),
    "echo": ("used", "asked", "25", "absent"),
    "zero-page": ("same", "refuse", "empty"),
    "ignores": ("nothing", "direction", "status", "victor_id", "window"),
    "precision": ("micro", "milli", "whole", "hidden"),
    "window-format": ("any", "milliseconds"),
    "moves": ("1", "5", "40"),
    "links": ("both", "parent", "child"),
    "notes": ("shown", "absent"),
    "reference": ("shown", "absent"),
    "unknown-body": ("another", "nothing", "null"),
    "token-body": ("shape", "plain", "html"),
    "proxy": (
        *("none", "html unknown-id", "html page-beyond", "html key-longest"),
        *("html long-texts", "html other-characters", "html key-conflict", "html unknown-payer"),
        *("json unknown-id", "json invalid-status", "json unknown-filter", "json key-longest"),
    ),
}
"""What a provider should not do, and some provider does: first what is in order."""

COUNTS = (0, 1, 2, 3, 5, 9, 14, 30, 120)
"""How many requests of others there are before."""


def drawn(seed: int) -> Manners:
    choices = random.Random(f"second {seed}")
    manners = {name: _one_of(values, 0.6, choices) for name, values in CHOICES.items()} | {
        name: _one_of(values, 0.88, choices) for name, values in ODDITIES.items()
    }
    manners["proxy"] = _one_of(ODDITIES["proxy"], 0.7, choices)
    manners["count"] = str(choices.choice(COUNTS))
    return manners | _settled(manners)


def _one_of(values: tuple[str, ...], as_first: float, choices: random.Random) -> str:
    return values[0] if choices.random() < as_first else choices.choice(values[1:])


def _settled(manners: Manners) -> Manners:
    """What follows from other manners: no provider does one without the other."""
    settled = {}
    if manners["date-header"] != "true" or manners["refused-token"] != "401":
        settled["clock-skew"] = "0"  # a client that cannot correct its clock gets nowhere
    if manners["key-repeat"] == "new":
        settled |= {"key-conflict": "new", "key-in-progress": "0", "two-at-once": "two"}
    if settled.get("key-conflict", manners["key-conflict"]) == "new":
        settled["refused-key"] = "free"
    if manners["max-page-size"] == "unlimited":
        settled["large-page"] = "reduce"
    return settled
