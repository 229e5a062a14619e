"""The problems in the body of an error of an API whose errors no table describes: in the usual
shapes.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from victor_ext.errors import Problem
from victor_ext.privacy import is_code, mask_digits, redact_code, redact_excerpt
from victor_ext.runtime.core.json_values import (
    is_list,
    is_object,
    object_of,
    object_or_empty,
    text_or_empty,
)

_MOST_PROBLEMS = 100
_MESSAGES = (
    "message",
    "detail",
    "description",
    "error_description",
    "error_message",
    "reason",
    "title",
)
_CODES = ("code", "error_code", "errorCode")
_KINDS = ("type", "error")
"""Members whose text is the code where no member of `_CODES` is there."""
_FIELDS = ("field", "param", "parameter", "path", "pointer", "location")


def read_problems(response: httpx.Response) -> Sequence[Problem]:
    """The problems in a body of one of the usual shapes. In a response with a good status only
    `error` and `errors` count.

    The shapes: RFC 9457 (`title`, `detail`, `errors`), RFC 6749 (`error`, `error_description`), an
    object or a text in `error`, a list or an object of fields in `errors`, and `message` or `code`
    at the top.
    """
    body = object_of(response)
    problems = [*_within(body.get("error")), *_within(body.get("errors"))][:_MOST_PROBLEMS]
    if response.status_code < 400:
        return problems
    if problems and not isinstance(body.get("error"), str):
        return problems
    # A text in `error` is a code, and the message stands beside it (RFC 6749).
    return list(_within(body)) or problems


def _within(value: object, field: str = "") -> Iterator[Problem]:
    """The problems in a code, a text, a list or an object; `field` is the member that has it."""
    if is_code(value) and field in ("", *_CODES):
        yield _problem("", redact_code(value), "")
    elif isinstance(value, str) and value.strip():
        yield _problem(field, "", value)
    elif is_list(value):
        for item in value[:_MOST_PROBLEMS]:
            yield from _within(item, field)
    elif is_object(value):
        yield from _in_object(value, field)


def _in_object(value: dict[str, Any], field: str) -> Iterator[Problem]:
    """The problem that an object is, or without a message the problems in its members."""
    message = _first(value, _MESSAGES)
    code = _code_in(value)
    if message or code:
        source = object_or_empty(value.get("source"))  # JSON:API
        own_field = _first(value, _FIELDS) or _first(source, _FIELDS)
        yield _problem(own_field or field, code, message)
    if message:
        return
    for name, item in list(value.items())[:_MOST_PROBLEMS]:
        is_list_of_problems = is_list(item) and name not in _CODES
        if is_list_of_problems or (isinstance(item, str) and not code):
            yield from _within(item, name)


def _code_in(value: dict[str, Any]) -> str:
    """The code of a problem; empty: it has none."""
    for name in _CODES:
        code = redact_code(value.get(name) or "")
        if code:
            return code
    return redact_code(_first(value, _KINDS))


def _first(body: dict[str, Any], names: Sequence[str]) -> str:
    """The first text under one of these names; empty: there is none."""
    for name in names:
        text = text_or_empty(body.get(name)).strip()
        if text:
            return text
    return ""


def _problem(field: str, code: str, message: str) -> Problem:
    masked_field = mask_digits(field)
    text = redact_excerpt(message) or code
    return Problem(masked_field, code, text, provider_field=masked_field or None)
