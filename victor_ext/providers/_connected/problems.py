"""The problems in the body of an error of an API whose errors no table describes: in the usual
shapes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from victor_ext._privacy import is_code, mask_digits, redact_code, redact_excerpt
from victor_ext._runtime.core.json_values import (
    is_list,
    is_object,
    list_or_empty,
    object_of,
    object_or_empty,
    text_or_empty,
)
from victor_ext._runtime.loop.operations import Operations
from victor_ext._runtime.loop.refusals import DeclaredErrors
from victor_ext.errors import Problem

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


def read_problems(operations: Operations, response: httpx.Response) -> Sequence[Problem]:
    """The problems in a body of one of the usual shapes. In a response with a good status only
    `error` and `errors` count.

    The shapes: RFC 9457 (`title`, `detail`, `errors`), RFC 6749 (`error`, `error_description`), an
    object or a text in `error`, a list or an object of fields in `errors`, and `message` or `code`
    at the top. With an error status, a body has none that is not the provider's by the document; or
    where the document declares no members of errors, by its shape: a `message` or an `error` in
    words alone is what gateways write, too.
    """
    body = object_of(response)
    if response.status_code >= 400 and not _is_of_provider(operations, response, body):
        return ()
    problems = [*_within(body.get("error")), *_within(body.get("errors"))][:_MOST_PROBLEMS]
    if response.status_code < 400:
        return problems
    if problems and not isinstance(body.get("error"), str):
        return problems
    # A text in `error` is a code, and the message stands beside it (RFC 6749).
    return list(_within(body)) or problems


def _is_of_provider(operations: Operations, response: httpx.Response, body: dict[str, Any]) -> bool:
    """Whether the body of an error is the provider's: by the members of the document's errors, or
    where it declares none, by a shape that gateways do not write.
    """
    errors, declared = operations.document_of(response.request)
    if errors.own_members(declared):
        return errors.has_own_member(response, declared)
    models = [*errors.models()]
    if any(models):
        is_named = errors.is_of_model_at(response, declared)
        is_success = errors.has_success_member(body, declared) or _says_yes(body)
        is_no = any(_says_no(body, members, errors) for members in models)
        return is_no or (is_named and not is_success)
    texts = {name for name in body if text_or_empty(body[name]).strip()}
    is_problem = "title" in texts and not texts.isdisjoint({"detail", "type"})  # RFC 9457
    is_oauth_error = texts >= {"error", "error_description"}  # RFC 6749
    # Frameworks write the name of the status into `error`, and a message beside it.
    has_code = any(redact_code(body.get(name) or "") for name in (*_CODES, "type"))
    is_code_with_words = "message" in texts and has_code
    says_no = any(body.get(name) is False for name in _FLAGS)
    if is_problem or is_oauth_error or is_code_with_words or (says_no and texts):
        return True
    if any(map(is_object, (body.get("error"), *list_or_empty(body.get("errors"))))):
        return True
    sent = object_of(response.request).keys() & body.keys()
    return is_object(body.get("errors")) or any(_is_message(body[name]) for name in sent)


def _says_no(body: dict[str, Any], members: Mapping[str, Any], errors: DeclaredErrors) -> bool:
    """Whether a body has all members of an error that a success has, too, and a flag of it is
    false.
    """
    are_there = (errors.is_of_any(body.get(name), [members[name]]) for name in members)
    return any(body.get(name) is False for name in members) and all(are_there)


def _says_yes(body: dict[str, Any]) -> bool:
    return any(body.get(name) is True for name in _FLAGS)


_FLAGS = ("success", "status", "ok")
"""Members that say no where they are false."""


def _is_message(value: object) -> bool:
    """Whether a value is a sentence, or a list of them, as validators have it by the field."""
    messages = value if is_list(value) else [value]
    return any(" " in text_or_empty(message).strip() for message in messages)


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
