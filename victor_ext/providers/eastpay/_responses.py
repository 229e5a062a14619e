"""What a response of the gateway says: its result code, its problems (`read_problems`), and, for
the table of operations, whether it is the result of its call (`is_result`, `no_result`,
`undecided`) and about the same payment (`REPEATS`).
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

import httpx

from victor_ext._privacy import HIDDEN, redact_code, redact_excerpt
from victor_ext._runtime.core.comparing import Comparisons, Likeness, as_id, compared
from victor_ext._runtime.core.json_values import (
    is_object,
    list_or_empty,
    no_object_reason,
    object_of,
    object_or_empty,
    text_or_empty,
)
from victor_ext._runtime.loop.evidence import Problems
from victor_ext._runtime.loop.operations import Repeats, id_in_path
from victor_ext._values.ids import is_same_id
from victor_ext.errors import Problem

from ._requests import ID
from ._result_codes import ResultClass, ResultCode


def form_of(request: httpx.Request) -> dict[str, str]:
    """The parameters of a form; empty: the body of the request is no form."""
    media_type = request.headers.get("content-type", "")
    if not media_type.startswith("application/x-www-form-urlencoded"):
        return {}
    return dict(parse_qsl(request.content.decode("ascii", "replace")))


def code_in(body: dict[str, Any]) -> ResultCode:
    """The result code of a body; the empty code, if the body has none."""
    result = object_or_empty(body.get("result"))
    return ResultCode.parse(result.get("code"), result.get("description"))


def _parameter_errors(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The errors of a body about single parameters of the request."""
    places = (body, object_or_empty(body.get("result")))
    listed = [error for place in places for error in list_or_empty(place.get("parameterErrors"))]
    return [error for error in listed if is_object(error) and error]


def read_problems(response: httpx.Response) -> Sequence[Problem]:
    """The problems of a response: each refused parameter, else, with an error status, the result
    code with the gateway's words for it, and with another one, words without a code. A server
    before the gateway has neither.

    No value is repeated, nor data of the card or a person from the request.
    """
    body = object_of(response)
    result = code_in(body)
    code = redact_code(result.code)
    problems: list[Problem] = []
    for error in _parameter_errors(body):
        name = redact_excerpt(text_or_empty(error.get("name")))
        message = _without_card(response, error.get("message"))
        problems.append(Problem(name, code, message, provider_field=name or None))
    description = object_or_empty(body.get("result")).get("description")
    is_problem = result.is_code
    if response.status_code < 400:
        # Words without a code do not show whether the call was done: they make it no success.
        is_problem = not result.code and bool(description)
    if problems or not is_problem:
        return problems
    message = _without_card(response, description)
    if code:
        message += f"; {code}: {result.meaning}" if result.rejected else f" ({code})"
    return [Problem("", code, message)]


def _without_card(response: httpx.Response, words: object) -> str:
    """Words of the gateway's for a message, without what the request had of a card."""
    text = text_or_empty(words)
    for name, value in form_of(response.request).items():
        if name.startswith("card.") and "expiry" not in name and len(value) > 2:
            text = text.replace(value, HIDDEN)
    return redact_excerpt(text) or "the gateway gave no message"


def is_id(value: object) -> bool:
    """Whether a value is an id of the gateway's, which a path can hold."""
    return isinstance(value, str) and ID.pattern.fullmatch(value) is not None


def _names_payment(body: dict[str, Any]) -> bool:
    return body.get("id") not in (None, "")


# The gateway answers 400 for a payment that was declined, and for a request that was wrong: the
# result code decides which of the two it is.

_MADE = (ResultClass.SUCCEEDED, ResultClass.PENDING, ResultClass.REVIEW)
"""What codes of payments say that were made, or may be."""


def is_result(response: httpx.Response) -> bool:
    """Whether a response with an error status says what became of a payment, and refuses neither
    the request nor the inquiry.

    A response that names no payment is such a result only of a write.
    """
    body = object_of(response)
    code = code_in(body)
    if code.kind in _MADE:
        return response.status_code < 500
    if response.status_code != 400 or not code.code or _parameter_errors(body):
        return False
    return _names_payment(body) or response.request.method != "GET"


def no_result(response: httpx.Response, _problems: Problems) -> str | None:
    """Why a response is no result of its call, or None."""
    body = object_of(response)
    code = code_in(body)
    is_inquiry = response.request.method == "GET"
    if response.status_code >= 400 and code.succeeded:
        # The code contradicts the status: the payment may have been made.
        return f"its result code says that it succeeded ({redact_code(code.code)})"
    if code.code and code.kind not in _MADE and is_inquiry and not _names_payment(body):
        return "its code, without the id of a payment, may reject the inquiry itself"
    reason = no_object_reason(response)
    if reason is None and not code.code:
        return "its body has no result code"
    return reason


_EXPLAINED = ((403, "100", "400"), (404, "100", "300"))
"""Statuses that the vendor's table explains, with the groups of codes about the same: the token is
invalid, and an address or a reference is unknown.
"""


def undecided(response: httpx.Response) -> str | None:
    """Why a response does not say whether anything was charged, as a sentence; or None.

    Its code is neither that of a success nor that of a decline, and it is no result with the id of
    a payment, which can be inquired about. One that lists wrong parameters refuses the request; so
    does a 403 or a 404 with a code of its own group, by the vendor's table of statuses: an invalid
    token, and an unknown address or id.
    """
    body = object_of(response)
    code = code_in(body)
    status = response.status_code
    if not code.code or code.succeeded or code.rejected or _parameter_errors(body):
        return None
    if (status, code.family, code.group) in _EXPLAINED or (_names_payment(body) and status <= 400):
        return None
    return f"The result code {redact_code(code.code)} does not say whether anything was charged."


_REPEATED = {
    "merchantTransactionId": "id",
    "entityId": "id",
    "paymentType": "word",
    "amount": "decimal",
    "currency": "word",
}
"""The values of a form that a response may repeat, with the kind of each."""


def _repeated_values(response: httpx.Response) -> Comparisons:
    """The values of a form that a response may repeat.

    A response with another value is about another payment: it came late, or from a cache.
    """
    return compared(_REPEATED, form_of(response.request), object_of(response))


REPEATS = Repeats("payment", _repeated_values)


def names_payment(response: httpx.Response) -> bool:
    """Whether a response shows, under any status, that a payment or a step was made, whatever
    became of it: it has a new id with a code, or an id with a value that was sent. It lists no
    wrong parameter, and does not reject a step under the id that the path has.
    """
    body = object_of(response)
    code = code_in(body)
    if not _names_payment(body) or _parameter_errors(body):
        return False
    id = as_id(body["id"])
    if not is_same_id(id, id_in_path(response.request)) and code.is_code:
        return True
    return Likeness.SAME in _repeated_values(response).values() and not code.rejected


def names_checkout(response: httpx.Response) -> bool:
    """Whether a response proves that a checkout was prepared: it has an id and a code, and refuses
    nothing.
    """
    body = object_of(response)
    code = code_in(body)
    is_refused = code.rejected or bool(_parameter_errors(body))
    return is_id(body.get("id")) and code.is_code and not is_refused
