"""The provider's error bodies, in all the shapes that were seen of them.

- ASP.NET's ProblemDetails: `{status, title, traceId, errors: {"Transaction.Amount": ["..."]}}`;
- business answers: `errors: ["..."]`, or `errors: [{item1: message, item2, item3: code, item4}]`;
- a bare object of field to messages, with a `TraceId` among the fields;
- none of these: a sentence in `responseMessage`, `result`, `title`, `detail` or `message`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import httpx

from victor_ext.errors import Problem, VictorError
from victor_ext.redaction import redact_excerpt

from .answers import Says, is_list, is_object, member, object_of, operation_of, says
from .privacy import without_private

_NO_MESSAGE = "the provider gave no message"
_SENTENCES = ("responseMessage", "result", "detail", "message", "title", "error")
_MOST = 1000
"""Problems that are read of one answer."""

_SIX_DIGITS = re.compile(r"[1-5][0-9]{5}")


class ErrorCode(NamedTuple):
    """A six-digit code in its two parts: an HTTP status, and the error's own number.

    The provider's pages describe the scheme and list no code, so nothing in this package decides by one.
    """

    http_status: int
    error: int


def split_code(code: object) -> ErrorCode | None:
    """`ErrorCode(400, 12)` of 400012 or "400012"; None of anything that is no six-digit code."""
    if isinstance(code, bool) or not isinstance(code, int | str):
        return None
    text = str(code).strip() if isinstance(code, str) or 0 <= code < 10**6 else ""
    if not (text.isascii() and _SIX_DIGITS.fullmatch(text)):
        return None
    return ErrorCode(int(text) // 1000, int(text) % 1000)


def trace_id(source: VictorError | httpx.Response) -> str | None:
    """The `traceId` of an error's body (or of an answer's), which the provider's support asks for."""
    answer = source.response if isinstance(source, VictorError) else source
    found = None if answer is None else member(object_of(answer), "traceId")
    return found if isinstance(found, str) and found else None


def read_problems(answer: httpx.Response) -> Sequence[Problem]:
    """The problems of an error body; at least one of any JSON object that says no, none of one that says yes."""
    body = object_of(answer)
    if answer.status_code < 400 and says(operation_of(answer.request), body) in (Says.YES, Says.NOTHING):
        return ()
    body = without_private(body, answer.request)
    return problems_in(body)[:_MOST] or _fallback(body)


def problems_in(body: dict[str, Any]) -> tuple[Problem, ...]:
    """What `errors` lists, or the fields of a bare object do."""
    errors = member(body, "errors")
    if is_object(errors):
        return tuple(_of_fields(errors))
    if is_list(errors):
        return tuple(problem for item in errors[:_MOST] for problem in _of_item(item))
    return tuple(_of_fields({name: value for name, value in body.items() if _are_messages(value)}))


def _of_fields(fields: dict[str, Any]) -> Iterator[Problem]:
    for name, value in fields.items():
        for message in value if is_list(value) else [value]:
            if isinstance(message, str):
                yield _problem(name, "", message)
            elif is_object(message):
                yield from (_problem(name, each.code, each.message) for each in _of_item(message))


def _of_item(item: object) -> Iterator[Problem]:
    if isinstance(item, str):
        yield _problem("", "", item)
    elif is_object(item):
        message = _text(member(item, "item1")) or next(filter(None, (_text(member(item, n)) for n in _SENTENCES)), "")
        code = member(item, "item3") if member(item, "item3") is not None else member(item, "code")
        field = _text(member(item, "field")) or _text(member(item, "key"))
        yield _problem(field, code if isinstance(code, str | int) else "", message)


def _fallback(body: dict[str, Any]) -> tuple[Problem, ...]:
    if not body:
        return ()
    sentence = next(filter(None, (_text(member(body, name)) for name in _SENTENCES)), "")
    code = member(body, "responseCode") if member(body, "responseCode") is not None else member(body, "statusCode")
    return (_problem("", code if isinstance(code, str | int) else "", sentence),)


def _problem(field: str, code: str | int, message: str) -> Problem:
    theirs = redact_excerpt(field)
    return Problem(
        field=wire_path(theirs),
        code=redact_excerpt(str(code)) if not isinstance(code, bool) else "",
        message=redact_excerpt(message) or _NO_MESSAGE,
        provider_field=theirs or None,
    )


def wire_path(field: str) -> str:
    """`Transaction.Amount` and `$.transaction.amount` as the wire spells it: `transaction.amount`."""
    parts = field.removeprefix("$").removeprefix(".").split(".")
    return ".".join(part[:1].lower() + part[1:] for part in parts)


def _are_messages(value: object) -> bool:
    return is_list(value) and bool(value) and all(isinstance(item, str) for item in value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
