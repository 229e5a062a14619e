"""The problems in a body that says no: `read_problems`.

The provider's error bodies have several shapes:

- ASP.NET's ProblemDetails: `{status, title, traceId, errors: {"Transaction.Amount": ["..."]}}`;
- business errors: `errors: ["..."]`, or `errors: [{item1: message, item2, item3: code, item4}]`;
- an object of fields with messages, and a `TraceId` among the fields;
- none of these, and `success: false`: a sentence in `responseMessage`, `result`, `title`, `detail`
  or `message`.

A code is one where a member for codes has it: the provider describes a scheme of six digits, and
was seen to write none into a sentence.
"""

from collections.abc import Sequence
from typing import Any

import httpx

from victor_ext._privacy import redact_code, redact_excerpt
from victor_ext._runtime.core.json_values import (
    is_list,
    object_of,
    object_or_empty,
    text_or_empty,
)
from victor_ext._runtime.core.response import OPERATION
from victor_ext._runtime.loop.operations import Operation
from victor_ext.errors import Problem, VictorError

from ._responses import (
    CODES,
    ResultEvidence,
    error_codes,
    first_text,
    member,
    success_of,
)

_SENTENCES = ("responseMessage", "result", "detail", "message", "title")
"""The members that hold sentences. What is most specific comes first."""
_NO_MESSAGE = "the provider gave no message"


def trace_id(source: VictorError | httpx.Response) -> str | None:
    """The `traceId` in the body of a response, or of an error's response: the provider's support
    asks for it.
    """
    response = source.response if isinstance(source, VictorError) else source
    if response is None:
        return None
    value = member(object_of(response), "traceId")
    if is_list(value) and value:  # as a field beside others
        value = value[0]
    return text_or_empty(value) or None


def read_problems(response: httpx.Response) -> Sequence[Problem]:
    """The problems in the body of a response.

    A JSON object that does not say yes has one or more. Somebody else wrote one whose `errors` have
    another shape, and with an error status, one in none of the provider's shapes, such as a `title`
    without a `traceId` (RFC 9457): it has none.
    """
    body = object_of(response)
    problems = problems_in(body)
    has_code = any(error_codes(body))
    if member(body, "errors") and not (problems or has_code):
        return ()
    is_error = success_of(body) is False
    if response.status_code >= 400:
        is_details = first_text(body, "title") != "" and bool(trace_id(response))
        is_error = is_error or is_details or has_code
    else:
        # Of a write, the problems are asked for only if its response does not say yes.
        row: Operation | None = response.request.extensions.get(OPERATION)
        is_error = is_error or (row is not None and isinstance(row.evidence, ResultEvidence))
        problems = problems if is_error else ()
    if body and is_error and not problems:
        return (_problem("", first_text(body, *_SENTENCES), body),)
    return problems


def problems_in(body: dict[str, Any]) -> tuple[Problem, ...]:
    """The problems that a body lists in `errors`, or as fields with messages.

    One without a code has that of the body.
    """
    errors = member(body, "errors")
    if errors is None:
        errors = body
    elif is_list(errors):
        errors = {"": errors}
    fields = {
        name: value for name, value in object_or_empty(errors).items() if name.lower() != "traceid"
    }
    if not all(map(is_list, fields.values())):
        return ()
    problems: list[Problem] = []
    for field, messages in fields.items():
        for message in messages:
            error = object_or_empty(message)
            text = text_or_empty(message) or first_text(error, "item1")
            if text:
                problems.append(_problem(field, text, error, body))
    return tuple(problems)


def _problem(field: str, message: str, *holders: dict[str, Any]) -> Problem:
    """A problem with a field as the wire spells it: `transaction.amount` for `Transaction.Amount`
    and `$.transaction.amount`. Its code is the first that the `holders` have.
    """
    codes = (member(holder, name) for holder in holders for name in CODES)
    code = redact_code(next((code for code in codes if code is not None), ""))
    text = redact_excerpt(message)
    if not text:
        text = f"{_NO_MESSAGE} ({code})" if code else _NO_MESSAGE
    provider_field = redact_excerpt(field)
    parts = provider_field.removeprefix("$").removeprefix(".").split(".")
    return Problem(
        field=".".join(part[:1].lower() + part[1:] for part in parts),
        code=code,
        message=text,
        provider_field=provider_field or None,
    )
