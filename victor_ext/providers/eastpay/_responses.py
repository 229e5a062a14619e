"""What a response of the gateway says: its result code, its problems, and what it proves.

First the forms of requests and the bodies of responses, then the problems in a body
(`read_problems`). For the table of operations there follow: whether a response has a result of its
call (`no_result`, `is_result`), which values of the request it repeats (`REPEATS`), and whether it
proves that something was made (`names_payment`, `names_checkout`).
"""

import re
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
from victor_ext._runtime.loop.conflicts import is_about_earlier
from victor_ext._runtime.loop.evidence import Problems, reports_error
from victor_ext._runtime.loop.operations import Repeats, id_in_path
from victor_ext._values.ids import is_same_id, reference_of
from victor_ext.errors import Problem

from ._requests import ID
from ._result_codes import ResultClass, ResultCode


def form_of(request: httpx.Request) -> list[tuple[str, str]]:
    """The parameters of a form, by name; empty: the body of the request is no form."""
    media_type = request.headers.get("content-type", "")
    if not media_type.startswith("application/x-www-form-urlencoded"):
        return []
    return parse_qsl(request.content.decode("ascii", "replace"))


def reference_in(request: httpx.Request) -> str:
    """The merchant's own reference of a payment or a step; empty without one."""
    return reference_of(dict(form_of(request)).get("merchantTransactionId"))


def code_in(body: dict[str, Any]) -> ResultCode:
    """The result code of a body; the empty code, if the body has none."""
    return ResultCode.parse(object_or_empty(body.get("result")).get("code"))


def description_in(body: dict[str, Any]) -> str:
    """The gateway's words for the result code of a body; empty: there are none."""
    return text_or_empty(object_or_empty(body.get("result")).get("description"))


def parameter_errors(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The errors of a body about single parameters of the request.

    Whether they stand in the result or beside it is not documented.
    """
    errors: list[dict[str, Any]] = []
    for holder in (object_or_empty(body.get("result")), body):
        listed = filter(is_object, list_or_empty(holder.get("parameterErrors")))
        errors += filter(None, listed)
    return errors


_COMPLAINTS = ("message", "error", "errors", "detail", "title", "description", "reason")


def complains(body: dict[str, Any]) -> bool:
    """Whether a body has words beside its result.

    The gateway puts its words into the result: others come from something before the gateway.
    """
    return any(body.get(name) not in (None, "", [], {}) for name in _COMPLAINTS)


SUCCEEDED_ALL_THE_SAME = "its result code says that it succeeded"
"""Why a response with an error status and the code of a success is no evidence of either."""
_NO_MESSAGE = "the gateway gave no message"


def read_problems(response: httpx.Response) -> Sequence[Problem]:
    """The problems of a response: each refused parameter, else the result code with the gateway's
    words for it.

    With a good status, only refused parameters, the code of a rejection, and words without a code
    are problems; with another one, only refused parameters and codes of the gateway's form. No
    value is repeated, nor data of the card or a person from the request.
    """
    body = object_of(response)
    if response.status_code >= 400 and not _is_of_gateway(body):
        return ()
    result = code_in(body)
    code = redact_code(result.code)
    problems: list[Problem] = []
    for error in parameter_errors(body):
        name = redact_excerpt(text_or_empty(error.get("name")))
        message = _without_card(response, text_or_empty(error.get("message")))
        problems.append(Problem(name, code, message or _NO_MESSAGE, provider_field=name or None))
    description = description_in(body)
    # Words without a code do not show whether the call was done: they make the body no success.
    if response.status_code < 400 and not result.rejected and (result.code or not description):
        return problems
    if result.succeeded:
        problems.append(Problem("", code, f"{SUCCEEDED_ALL_THE_SAME} ({code})"))
    if not problems and (code or description):
        message = _without_card(response, description) or _NO_MESSAGE
        if result.rejected:
            message += f"; {code}: {result.meaning}"
        elif code:
            message += f" ({code})"
        problems.append(Problem("", code, message))
    return problems


def _without_card(response: httpx.Response, text: str) -> str:
    """Words of the gateway's for a message, without what the request had of a card."""
    for name, value in form_of(response.request):
        if name.startswith("card.") and "expiry" not in name and len(value) > 2:
            text = text.replace(value, HIDDEN)
    return redact_excerpt(text)


_FORM_OF_CODES = re.compile(r"[0-9]{3}\.[0-9]{3}\.[0-9A-Za-z]{2,4}")
"""The vendor's introduction has three digits at the end; its table of codes two to four."""


def _is_of_gateway(body: dict[str, Any]) -> bool:
    """Whether an error has a result code, or lists parameters: a server before the gateway has
    neither.
    """
    is_listed = any(text_or_empty(error.get("name")) for error in parameter_errors(body))
    return is_listed or _FORM_OF_CODES.fullmatch(code_in(body).code) is not None


def is_id(value: object) -> bool:
    """Whether a value is an id of the gateway's, which a path can hold."""
    return isinstance(value, str) and ID.pattern.fullmatch(value) is not None


# The gateway answers 400 for a payment that was declined, and for a request that was wrong: the
# result code decides which of the two it is.


def is_under_way(response: httpx.Response) -> bool:
    """Whether a response with status 4xx has the code of a payment that was made, or may be.

    The code of a success contradicts the status: the payment may have been made.
    """
    is_open = code_in(object_of(response)).kind in (
        ResultClass.SUCCEEDED,
        ResultClass.PENDING,
        ResultClass.REVIEW,
    )
    return is_open and 400 <= response.status_code < 500


def may_be_result(response: httpx.Response) -> bool:
    """Whether a response with an error status, to an operation without a row in the table, may be
    the result of its call: it has a code that rejects nothing.

    A code that is not in EastPay's own table is of class `UNKNOWN`: it does not say that the call
    was not done.
    """
    body = object_of(response)
    code = code_in(body)
    is_open = (
        response.status_code == 400
        and code.is_code
        and not code.rejected
        and not parameter_errors(body)
    )
    return is_open or is_under_way(response)


def is_result(response: httpx.Response) -> bool:
    """Whether a response with an error status says what became of a payment, and refuses neither
    the request nor the inquiry.

    A response that names no payment is such a result only of a write.
    """
    body = object_of(response)
    code = code_in(body)
    if is_under_way(response):
        return True
    if response.status_code != 400 or not code.code or parameter_errors(body):
        return False
    if body.get("id") not in (None, ""):
        return True
    # Words about an earlier payment prove nothing, as in all systems: the error says how to look.
    is_repeat = is_about_earlier(description_in(body))
    return response.request.method != "GET" and not is_repeat


def no_result(response: httpx.Response, _problems: Problems) -> str | None:
    """Why a response is no result of its call, or None."""
    body = object_of(response)
    code = code_in(body)
    is_inquiry = response.request.method == "GET"
    if response.status_code >= 400 and code.succeeded:
        return SUCCEEDED_ALL_THE_SAME
    may_refuse = code.kind in (ResultClass.REJECTED, ResultClass.UNKNOWN)
    if code.code and may_refuse and is_inquiry and body.get("id") in (None, ""):
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
    if not code.code or code.succeeded or code.rejected or parameter_errors(body):
        return None
    names_a_payment = body.get("id") not in (None, "")
    is_explained = (status, code.family, code.group) in _EXPLAINED
    if is_explained or (names_a_payment and status <= 400):
        return None
    return f"The result code {redact_code(code.code)} does not say whether anything was charged."


REPEATED = {
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
    return compared(REPEATED, dict(form_of(response.request)), object_of(response))


REPEATS = Repeats("payment", _repeated_values)


def names_payment(response: httpx.Response) -> bool:
    """Whether a response proves that a payment or a step was made, whatever became of it.

    It must have an id, and refuse nothing: list no wrong parameter, complain nowhere beside the
    result, and have no rejection code outside of EastPay's table, as those about credentials or too
    many requests are. A new id also needs a code of the table, or a value that was sent. An id that
    the path has already proves nothing, as a refused step repeats it: there a value that was sent
    is needed, and a code that rejects nothing.
    """
    body = object_of(response)
    code = code_in(body)
    payment_id = as_id(body.get("id")) or ""
    is_refused = code.rejected and not code.is_in_table
    if not payment_id.strip() or is_refused or parameter_errors(body) or complains(body):
        return False
    repeats_value = Likeness.SAME in _repeated_values(response).values()
    if is_same_id(payment_id, id_in_path(response.request)):
        return repeats_value and not code.rejected
    return code.is_in_table or repeats_value


def names_checkout(response: httpx.Response) -> bool:
    """Whether a response proves that a checkout was prepared: it has an id, and refuses nothing."""
    body = object_of(response)
    is_refused = code_in(body).rejected or bool(parameter_errors(body))
    has_error = reports_error(response) or complains(body)
    return is_id(body.get("id")) and not is_refused and not has_error
