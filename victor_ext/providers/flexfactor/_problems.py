"""The problems in a body that says no: `read_problems`, and below it the parts of a problem.

The provider's error bodies have several shapes:

- ASP.NET's ProblemDetails: `{status, title, traceId, errors: {"Transaction.Amount": ["..."]}}`;
- business errors: `errors: ["..."]`, or `errors: [{item1: message, item2, item3: code, item4}]`;
- an object of fields with messages, and a `TraceId` among the fields;
- none of these: a sentence in `responseMessage`, `result`, `title`, `detail` or `message`.

A code is one where a member for codes has it: the provider describes a scheme of six digits, and
was seen to write none into a sentence.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import httpx

from victor_ext._privacy import (
    is_code,
    redact_code,
    redact_excerpt,
)
from victor_ext._runtime.core.json_values import (
    is_list,
    is_object,
    list_or_empty,
    object_of,
    object_or_empty,
)
from victor_ext._runtime.core.response import OPERATION
from victor_ext._runtime.loop.operations import Operation
from victor_ext.errors import Problem, VictorError

from ._responses import (
    CODES,
    SENTENCES,
    ResultEvidence,
    Says,
    first_text,
    member,
    says,
    split_code,
    success_of,
)

_NO_MESSAGE = "the provider gave no message"
_MESSAGES = ("item1", *SENTENCES)
"""The members with the message of an object in `errors`; what is most specific comes first."""
_MOST_PROBLEMS = 1000


def trace_id(source: VictorError | httpx.Response) -> str | None:
    """The `traceId` in the body of a response, or of an error's response: the provider's support
    asks for it.
    """
    response = source.response if isinstance(source, VictorError) else source
    if response is None:
        return None
    return first_text(object_of(response), "traceId") or None


def read_problems(response: httpx.Response) -> Sequence[Problem]:
    """The problems in the body of a response.

    A JSON object that says no has one or more; a body that says yes has none. Nor has one whose
    `errors` have another shape; and with an error status, one in none of the provider's shapes:
    somebody else wrote it.
    """
    body = object_of(response)
    errors = [*filter(None, list_or_empty(member(body, "errors")))]
    is_of_others = bool(errors) and not any(map(_is_listed_error, errors))
    if is_of_others or (response.status_code >= 400 and not _is_error(body)):
        return ()
    row: Operation | None = response.request.extensions.get(OPERATION)
    evidence = None if row is None else row.evidence
    read = evidence.says if isinstance(evidence, ResultEvidence) else says
    if response.status_code < 400 and read(body) in (Says.YES, Says.NOTHING):
        return ()
    problems = problems_in(body)
    if body and not problems:
        problems = (_problem("", _code(body), first_text(body, *SENTENCES)),)
    return problems


def _is_error(body: dict[str, Any]) -> bool:
    """Whether a body is in one of the provider's shapes of errors.

    A `message`, an `error` or a number in `status` alone is what gateways write, too; and so are
    `errors` of another shape, and a `title` with neither `errors` nor a `traceId` (RFC 9457).
    """
    errors = member(body, "errors")
    is_details = is_object(errors) or first_text(body, "traceId")
    if success_of(body) is False or (first_text(body, "title") and is_details):
        return True
    if _has_code(body) or _has_code(object_or_empty(member(body, "error"))):
        return True
    if is_object(errors):
        return _are_messages(errors)
    if is_list(errors):
        return bool(errors)
    return _are_messages({name: body[name] for name in body if name.lower() != "traceid"})


def _has_code(body: dict[str, Any]) -> bool:
    """Whether an object has a code of six digits in a member for codes."""
    return any(split_code(member(body, name)) for name in CODES)


def _is_listed_error(error: Any) -> bool:
    """Whether an item of `errors` is the provider's: a text, or an object with `item1` or with a
    code.
    """
    if not is_object(error):
        return isinstance(error, str)
    return first_text(error, "item1") != "" or _has_code(error)


def _are_messages(fields: dict[str, Any]) -> bool:
    """Whether each member of an object is a list of texts, as ASP.NET has them by the field."""
    return bool(fields) and all(
        is_list(texts) and texts and all(isinstance(text, str) for text in texts)
        for texts in fields.values()
    )


def problems_in(body: dict[str, Any]) -> tuple[Problem, ...]:
    """The problems that a body lists in `errors` or `error`, or else in fields with messages."""
    code = _code(body)
    problems = _problems_of_fields(_errors_by_field(body), code if split_code(code) else "")
    return tuple(islice(problems, _MOST_PROBLEMS))


def _errors_by_field(body: dict[str, Any]) -> dict[str, Any]:
    """The errors that a body lists, by the field that each is about (empty: it names no field)."""
    errors = member(body, "errors")
    error = member(body, "error")
    if errors is None and is_object(error):
        errors = [error]
    if is_object(errors):
        return errors
    if is_list(errors):
        return {"": errors}
    fields: dict[str, Any] = {}
    for name, value in body.items():
        if is_list(value):
            fields[name] = [text for text in value if isinstance(text, str)]
    return fields


def _problems_of_fields(errors: dict[str, Any], body_code: str) -> Iterator[Problem]:
    """The problem of each error that is a code, a text or an object. One without a code has that
    of the body.
    """
    for field, value in errors.items():
        for error in value if is_list(value) else [value]:
            # A code in another field may be an account number.
            if is_code(error) and field.lower() in ("", *CODES):
                yield _problem("", redact_code(error), "")
            elif isinstance(error, str):
                yield _problem(field, body_code, error)
            elif is_object(error):
                own_field = field or first_text(error, "field", "key")
                yield _problem(own_field, _code(error) or body_code, first_text(error, *_MESSAGES))


def _code(body: dict[str, Any]) -> str:
    """The code in a body or in an object of `errors`; empty: it has none."""
    codes = (member(body, name) for name in CODES)
    return redact_code(next((code for code in codes if code is not None), ""))


def _problem(field: str, code: str, message: str) -> Problem:
    """A problem with a field as the wire spells it: `transaction.amount` for `Transaction.Amount`
    and `$.transaction.amount`.
    """
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
