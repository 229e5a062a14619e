"""The problems in a body that says no: `read_problems`, and below it the parts of a problem.

The provider's error bodies have several shapes:

- ASP.NET's ProblemDetails: `{status, title, traceId, errors: {"Transaction.Amount": ["..."]}}`;
- business errors: `errors: ["..."]`, or `errors: [{item1: message, item2, item3: code, item4}]`;
- an object of fields with messages, and a `TraceId` among the fields;
- none of these: a sentence in `responseMessage`, `result`, `title`, `detail` or `message`.

At the end stands what no problem repeats: the private data of the request.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import httpx

from victor_ext.errors import Problem, VictorError
from victor_ext.privacy import (
    HIDDEN,
    PrivateTexts,
    is_code,
    mask,
    redact_code,
    redact_excerpt,
    texts_within,
)
from victor_ext.runtime.core.json_values import (
    is_list,
    is_object,
    json_of,
    object_of,
    text_or_empty,
)
from victor_ext.runtime.core.response import OPERATION
from victor_ext.runtime.loop.operations import Operation, Shown

from . import responses
from .evidence import Result
from .responses import (
    CODES,
    SENTENCES,
    Says,
    code_in,
    error_in_words,
    error_status,
    member,
    split_code,
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
    return text_or_empty(member(object_of(response), "traceId")) or None


def read_problems(response: httpx.Response) -> Sequence[Problem]:
    """The problems in the body of a response.

    A JSON object that says no has one or more; a body that says yes has none.
    """
    body = object_of(response)
    row: Operation | None = response.request.extensions.get(OPERATION)
    meaning: Callable[[dict[str, Any]], Says] = responses.says
    if row is not None and isinstance(row.evidence, Result):
        meaning = row.evidence.says
    is_good_status = response.status_code < 400
    if is_good_status and meaning(body) in (Says.YES, Says.NOTHING):
        return ()
    private = _private_texts(response.request)
    if private:
        body = _without_private(body, private)
    status = error_status(body)
    if not status and is_good_status:
        status = error_in_words(body)
    status = status or response.status_code
    listed = problems_in(body, status)
    if listed or not body:
        return listed
    return (_problem("", _code(body), _first_text(body, *SENTENCES), status),)


def problems_in(body: dict[str, Any], status: int = 0) -> tuple[Problem, ...]:
    """The problems that a body lists in `errors` or `error`, or else in fields with messages.

    `status` is the HTTP status of the error, which begins FlexFactor's own codes.
    """
    code = _code(body)
    default_code = code if split_code(code) else ""
    parts = islice(_parts_of_problems(_errors_by_field(body, status), status), _MOST_PROBLEMS)
    return tuple(_problem(*part, status, default_code) for part in parts)


def _errors_by_field(body: dict[str, Any], status: int) -> dict[str, Any]:
    """The errors that a body lists, by the field that each is about (empty: it names no field)."""
    errors = member(body, "errors")
    if errors is None:
        error = member(body, "error")
        errors = [error] if is_object(error) else None
    if is_object(errors):
        return errors
    if is_list(errors):
        return {"": errors}
    fields: dict[str, Any] = {}
    for name, value in body.items():
        if is_list(value) or code_in(name, status):
            fields[name] = [text for text in _as_list(value) if isinstance(text, str)]
    return fields


class _ProblemParts(NamedTuple):
    """What an error says of itself; each part may be empty."""

    field: str
    code: str
    message: str


def _parts_of_problems(errors: dict[str, Any], status: int) -> Iterator[_ProblemParts]:
    for field, value in errors.items():
        for error in _as_list(value):
            parts = _parts_of_problem(error, field, status)
            if parts is not None:
                yield parts


def _as_list(value: Any) -> list[Any]:
    return value if is_list(value) else [value]


def _parts_of_problem(error: object, field: str, status: int) -> _ProblemParts | None:
    """The parts of an error that is a code, a text or an object; None: it is nothing of these."""
    # A code in another field may be an account number.
    if is_code(error) and field.lower() in ("", *CODES):
        return _ProblemParts("", redact_code(error), "")
    if isinstance(error, str) or code_in(error, status):
        return _ProblemParts(field, "", str(error))
    if is_object(error):
        own_field = field or _first_text(error, "field", "key")
        return _ProblemParts(own_field, _code(error), _first_text(error, *_MESSAGES))
    return None


def _first_text(body: dict[str, Any], *names: str) -> str:
    """The first text under one of these names, or the first number that is a code of FlexFactor's
    own; empty: there is neither.
    """
    for name in names:
        value = member(body, name)
        text = str(value) if split_code(value) else text_or_empty(value)
        if text:
            return text
    return ""


def _code(body: dict[str, Any]) -> str:
    """The code in a body or in an object of `errors`; empty: it has none."""
    for name in CODES:
        code = member(body, name)
        if code is not None:
            return redact_code(code)
    status = member(body, "status")
    return redact_code("" if split_code(status) is None else status)


def _problem(field: str, code: str, message: str, status: int, default_code: str = "") -> Problem:
    """A problem with a field as the wire spells it: `transaction.amount` for `Transaction.Amount`
    and `$.transaction.amount`.

    FlexFactor's own code is not masked. Where it stands in place of a field, it is the code.
    `default_code` is the code of the whole body, for a problem without a code.
    """
    own_code = code_in(message, status)
    name = field.strip()
    if name and code_in(field, status) == name:
        code = code or name
        field = ""
    code = code or own_code or default_code
    text = ""
    if message.strip() != own_code:
        # The excerpt has the digits of the code masked, as those of an account number.
        text = redact_excerpt(message).replace(mask(own_code), own_code)
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


_PUBLIC_NAMES = {
    "": "mid siteid orderid idempotencykey isdeclined ismit isrecurring expirydateutc "
    "amounttorefund",
    "transaction.": (
        "id timestamputc timezoneutcoffset transactiontype amount currency responsecode "
        "responsecodesource avsresultcode cvvresultcode cavvresultcode cardnotpresent"
    ),
    "orderitems.": "sku name amount quantity discountamount tax",
}
_PUBLIC = {part + name for part, names in _PUBLIC_NAMES.items() for name in names.split()}
"""Members of a request that say nothing about the payer, by their place in the body.

All others are private.
"""


def _private_texts(request: httpx.Request) -> PrivateTexts:
    """The data of the payer and the card in a request, and the members that the caller added: a
    response may repeat them, and no problem does.
    """
    row: Operation | None = request.extensions.get(OPERATION)
    if row is None or row.shown is not Shown.UNSENT:
        return PrivateTexts(())
    return PrivateTexts(
        texts_within(json_of(request), lambda place: place.lower() in _PUBLIC, numbers=True)
    )


def _without_private(value: Any, private: PrivateTexts) -> Any:
    """A copy of a value of JSON without the private texts, at any depth."""
    if isinstance(value, str):
        return private.hide(value)
    if isinstance(value, int | float):
        digits = str(abs(value))  # a sign is no part of a word
        return HIDDEN if private.hide(digits) == HIDDEN else value
    if is_object(value):
        return {private.hide(name): _without_private(item, private) for name, item in value.items()}
    if is_list(value):
        return [_without_private(item, private) for item in value]
    return value
