"""What a header can hold, and the headers that a caller adds to each call."""

import re
from collections.abc import Mapping

from victor_ext._privacy import kind_of, one_line
from victor_ext._runtime.core.json_values import is_mapping
from victor_ext._runtime.core.validation import shown
from victor_ext.errors import ConfigurationError, Problem

LONGEST = 16_384
"""The most characters of a token: no server takes a longer header."""

_FIELD_VALUE = re.compile(rb"[!-~\x80-\xff]+(?:[ \t]+[!-~\x80-\xff]+)*")
"""A field value (RFC 9110, 5.5): visible characters, and blanks between them."""
_TOKEN = re.compile("[!-~]+")


def is_token(value: object) -> bool:
    """Whether a value is text that can be sent as a token: visible ASCII without blanks."""
    return isinstance(value, str) and len(value) <= LONGEST and _TOKEN.fullmatch(value) is not None


def is_scheme(value: str) -> bool:
    """Whether a text is a token of RFC 9110 (5.6.2): a name of a header, or an authentication
    scheme (11.1) such as `Bearer`.
    """
    return _NAME.fullmatch(value) is not None


def header_complaint(value: bytes) -> str | None:
    """Why a value cannot be sent in a header, or None. It does not show the value."""
    if _FIELD_VALUE.fullmatch(value):
        return None if len(value) <= LONGEST else f"has {len(value)} characters"
    if not value:
        return "is empty"
    if value.strip(b" \t") != value:
        return "has a blank at one of its ends"
    return "holds a line break or another control character"


ExtraHeaders = Mapping[str, str]
"""Headers that a caller adds to each call, by their names."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
"""A token (RFC 9110, 5.6.2), such as the name of a field."""

_CLIENT_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "user-agent",
        "content-type",
        "accept-encoding",
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "te",
        "upgrade",
        "expect",
        "trailer",
    }
)
"""Headers that are not the caller's: the client sets them, or they belong to the connection (RFC
9110, 7.6.1, 10.1).
"""


def checked_headers(headers: object, key_header: str | None) -> dict[str, str]:
    """Headers that can be sent with each call. `key_header` is the name of the provider's
    idempotency key.

    Raises `ConfigurationError` with all problems. No message shows a value: it may be a secret.
    """
    if headers is None:
        return {}
    if not is_mapping(headers):
        raise ConfigurationError(
            f"headers must be a dict of names and values, not {kind_of(headers)}."
        )
    ours = _CLIENT_HEADERS | {(key_header or "host").lower()}
    problems: list[Problem] = []
    for name, value in headers.items():
        problem = _problem(name, value, ours)
        if problem is not None:
            problems.append(problem)
    if problems:
        raise ConfigurationError.of(problems)
    return dict(headers)


def _problem(name: object, value: object, ours: frozenset[str]) -> Problem | None:
    """What is wrong with a header of the caller's, or None. `ours` are the client's own, in lower
    case.
    """
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        return Problem(
            "headers",
            "name",
            f"headers: {shown(name)} is not a name of a header: write it as in X-Tenant.",
        )
    place = f"headers.{one_line(name)}"
    if name.lower() in ours:
        hint = " (its arguments: auth, proxy, user_agent; of a call: idempotency_key)"
        return Problem(place, "duplicate", f"{place} cannot be set here: the client sets it{hint}.")
    if not isinstance(value, str):
        return Problem(place, "type", f"{place} must be text, not {kind_of(value)}.")
    complaint = _text_complaint(value)
    if complaint is None:
        return None
    return Problem(place, "value", f"{place} cannot be sent: it {complaint}.")


def _text_complaint(text: str) -> str | None:
    """Why a text, which has to be ASCII, cannot be sent in a header, or None."""
    if not text.isascii():
        return "holds a character beyond ASCII"
    return header_complaint(text.encode())


def checked_user_agent(text: object) -> str:
    """The text to add to the `User-Agent`, with a blank in front; empty for None.

    Raises `ConfigurationError`.
    """
    if text is None:
        return ""
    if not isinstance(text, str):
        raise ConfigurationError(
            f"user_agent must be text, as in user_agent='billing/2.3', not {kind_of(text)}."
        )
    complaint = _text_complaint(text)
    if complaint is not None:
        raise ConfigurationError(
            f"user_agent {complaint}: write a name and a version, as in user_agent='billing/2.3'."
        )
    return f" {text}"
