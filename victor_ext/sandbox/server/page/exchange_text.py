"""A call as text that may be shown: no credentials, and of an account number its last four digits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import cast
from urllib.parse import parse_qsl

from victor_ext.sandbox.server.contents import Header
from victor_ext.sandbox.server.jsontypes import JsonObject, JsonValue

HIDDEN = "…"
_SECRET = re.compile(
    r"authorization|secret|token|passw|pwd|cvv|cvc|private|signature|api.?key|app.?key|cookie", re.IGNORECASE
)
_PUBLIC = ("token_type", "tokentype")
_NUMBER = re.compile(r"(account|routing|card)[._]?(number|no)$|iban$|(^|\.)number$", re.IGNORECASE)
_DIGITS = re.compile(r"\w(?=(?:\W?\w){4})")
LONG_NUMBER = re.compile(r"(?<![\w-])[0-9]{5,}(?=[0-9]{4}(?![\w-]))")
"""All but the last four digits of a number that stands alone: digits in a key, such as a UUID, are no account."""
_LONGEST = 16_000


def header_lines(headers: Iterable[Header]) -> list[tuple[str, str]]:
    """Headers as text; the values of those with credentials are hidden."""
    shown: list[tuple[str, str]] = []
    for name, value in headers:
        label, text = name.decode("latin-1"), value.decode("latin-1")
        if _SECRET.search(label):
            scheme, space, _ = text.partition(" ")
            text = f"{scheme} {HIDDEN}" if space else HIDDEN
        shown.append((label, text))
    return shown


def body_text(body: bytes, headers: Iterable[Header]) -> str:
    """A body for people: JSON with indentation, a form with one field on a line, or the beginning of a text."""
    text = body.decode("utf-8", "replace")
    content_type = dict(headers).get(b"content-type", b"").decode("latin-1")
    if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
        return _cut("\n".join(f"{name}={_member(name, value)}" for name, value in parse_qsl(text, True)))  # noqa: FBT003 (keep_blank_values)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return _cut(masked(text) if not _SECRET.search(text) else f"({len(body)} bytes that are no JSON)")
    return _cut(json.dumps(_redacted(found), indent=2, ensure_ascii=False))


def last_four(number: str) -> str:
    """A number with all but its last four digits hidden."""
    return _DIGITS.sub("•", number)


def masked(text: str) -> str:
    """A text in which of each long number only the last four digits stand."""
    return LONG_NUMBER.sub(lambda found: "•" * len(found[0]), text)


def _redacted(value: object, depth: int = 0) -> JsonValue:
    if depth > 40:
        return HIDDEN
    if isinstance(value, dict):
        members = cast("JsonObject", value)
        return {name: _member(name, each, depth) for name, each in members.items()}
    if isinstance(value, list):
        return [_redacted(each, depth + 1) for each in cast("list[object]", value)]
    return value


def _member(name: str, value: object, depth: int = 0) -> JsonValue:
    if _SECRET.search(name) and name.lower() not in _PUBLIC and isinstance(value, str):
        return HIDDEN
    if _NUMBER.search(name) and isinstance(value, str):
        return last_four(value)
    return _redacted(value, depth + 1)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + f"\n{HIDDEN} ({len(text)} characters)"
