"""The problems in the body of an error of an API whose errors no table describes: in the usual
shapes.
"""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from itertools import chain
from typing import Any

import httpx

from victor_ext._privacy import mask_digits, redact_code, redact_excerpt
from victor_ext._runtime.core.json_values import is_list, is_object, object_of
from victor_ext._runtime.loop.operations import Operations
from victor_ext._values.ids import says_nothing
from victor_ext.errors import Problem

_MESSAGES = ("message", "detail", "description", "error_description", "reason", "title")
_CODES = ("code", "error_code", "errorCode", "type", "error")
_FIELDS = ("field", "param", "parameter", "path", "pointer", "location")
_STATUSES = {text.lower() for status in HTTPStatus for text in (str(status.value), status.phrase)}


def read_problems(operations: Operations, response: httpx.Response) -> Sequence[Problem]:
    """The problems in `error` and `errors`. In an error of the provider's (see `_is_error`) without
    objects or lists there, a code and a message at the top are one: RFC 6749, RFC 9457.
    """
    body = object_of(response)
    holders: list[Any] = [body.get("error"), body.get("errors")]
    if response.status_code >= 400:
        if not _is_error(operations, response, body):
            return ()
        if not any(holder and not isinstance(holder, str) for holder in holders):
            holders = [body]
    return [*chain.from_iterable(map(_within, holders))]


def _is_error(operations: Operations, response: httpx.Response, body: dict[str, Any]) -> bool:
    """Whether a body is an error by the document: it has a member of an error that a success of the
    operation lacks, and says more there than a status. Where the document declares no members of
    errors, the shape decides.
    """
    kinds = operations.errors.kinds
    if not kinds:
        return _has_shape(body)
    declared = operations.declared_of(response.request)
    if declared is None:
        return False
    own = kinds.keys() - set(declared.result_members)
    values = [body[name] for name in own & body.keys()]
    return any(not says_nothing(value) and str(value).lower() not in _STATUSES for value in values)


def _has_shape(body: dict[str, Any]) -> bool:
    """Whether a body has an object in `error`, or a code or a flag beside a message: words alone
    are what gateways write, too.
    """
    if is_object(body.get("error")):
        return True
    says_no = body.get("success") is False or body.get("status") is False
    return bool(_first(body, "message") and (says_no or _first(body, "code", "type")))


def _within(value: object, field: str = "") -> Iterator[Problem]:
    """The problems in a text, a list or an object; `field` is the member that has it."""
    if is_list(value):
        for item in value:
            yield from _within(item, field)
    elif is_object(value):
        code, message = _first(value, *_CODES), _first(value, *_MESSAGES)
        if code or message:
            yield _problem(_first(value, *_FIELDS) or field, code, message)
            return
        for name, item in value.items():
            yield from _within(item, name)
    elif isinstance(value, str) and value.strip():
        yield _problem(field, "", value)


def _first(body: dict[str, Any], *names: str) -> str:
    """The first text or number under one of these names; empty: there is none."""
    texts = (redact_code(body.get(name)) for name in names)
    return next(filter(None, texts), "")


def _problem(field: str, code: str, message: str) -> Problem:
    masked_field = mask_digits(field)
    text = redact_excerpt(message) or code
    return Problem(masked_field, code, text, provider_field=masked_field or None)
