"""What the runtime needs to know of the gateway: its results, its errors, and what to do after a lost response."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import httpx

from victor_ext.errors import Problem
from victor_ext.money import from_wire
from victor_ext.privacy import HIDDEN, one_line, pattern_of, redact_code, redact_excerpt
from victor_ext.runtime.client.documented import is_generated
from victor_ext.runtime.core import comparing
from victor_ext.runtime.core.comparing import Comparer, Likeness
from victor_ext.runtime.core.json_values import (
    is_list,
    is_object,
    list_or_empty,
    no_object_reason,
    object_of,
    object_or_empty,
    text_or_empty,
)
from victor_ext.runtime.loop.conflicts import earlier_use, is_about_earlier
from victor_ext.runtime.loop.evidence import document_complaint
from victor_ext.runtime.loop.idempotency_keys import NoKey
from victor_ext.runtime.loop.profile import Profile

from .result_codes import Rejection, ResultClass, ResultCode

_NO_MESSAGE = "the gateway gave no message"
_NO_PROOF = (
    "this does not prove that the payment does not exist: a gateway without an inquiry by reference responds with 404, "
    "too"
)
_NO_LIST = "its body has no list of payments"
_CONTRADICTION = "its result code says that it succeeded"
_ONE_PAYMENT = re.compile(r"/v3/payments/([^/]+)")
_MOVES_MONEY = re.compile(r"/v3/(?:payments(?:/[^/]+)?|checkouts)\Z")
_WRAPPED = frozenset({
    "create_payment", "follow_up_payment", "inquire_payment", "find_payments", "prepare_checkout",
    "get_checkout_payment",
})  # fmt: skip
"""The operations, by the names of their generated modules, that the rules of this module are for."""
_PUBLIC = frozenset({
    "entityId", "entityType", "amount", "currency", "paymentType", "paymentBrand", "merchantTransactionId",
    "originalTransactionId", "notificationUrl", "shopperResultUrl", "merchant.id", "checkoutType", "checkoutId",
    "card.expiryMonth", "card.expiryYear",
})  # fmt: skip
"""What a form has that names no person. No message repeats the rest, which includes a caller's further parameters."""


_KINDS: dict[str, Comparer] = {
    "merchantTransactionId": comparing.same_id, "entityId": comparing.same_id, "paymentType": comparing.same_word,
    "currency": comparing.same_word,
}  # fmt: skip


def _repeated(response: httpx.Response) -> comparing.Values:
    """What a response may repeat of the form: it is then that of the payment that was asked for."""
    if response.request.method != "POST" or not _is_about_one_payment(response.request):
        return ()
    sent = dict(_form_of(response.request))
    kinds = _KINDS | {"amount": comparing.same_amount(partial(from_wire, currency=sent.get("currency", "")))}
    return comparing.values(kinds, sent.get, object_of(response).get)


def profile_of(base_url: httpx.URL, *, found_by_reference: bool) -> Profile:
    """The gateway's profile at one bank. No operation takes a key, so no write that may have been done is repeated."""

    return Profile(
        name="EastPay",
        environment=str(base_url),
        resent_redirects=frozenset({307}),
        problems=read_problems,
        is_result=is_payment_result,
        unreadable=_unreadable,
        mismatch=_mismatch,
        may_quote_body=lambda response: _private_pattern(response.request) is None,
        recovery_hint=lambda request: _recovery_hint(request, found_by_reference=found_by_reference),
        authentication_hint=(
            "The token is fixed: check it in the bank's back office (account data, merchant or channel), and that it "
            "belongs to this host."
        ),
    )


def is_payment_result(response: httpx.Response) -> bool:
    """Whether a response with an error status says what became of a payment, and does not complain about the request.

    The gateway answers 400 for both. The result code decides: what may have been done, or was declined, is a result.
    Refused parameters are none, unless the code says that the payment is under way; nor is a refusal that names no
    payment, for it may refuse the request or the inquiry, unless its code is that of a declined payment or none of
    EastPay's, and it is no inquiry. (A code of success contradicts the status; see `_unreadable`.)
    """
    if not 400 <= response.status_code < 500 or not _is_about_one_payment(response.request):
        return False
    body = object_of(response)
    code = _code_in(body)
    if code.kind in (ResultClass.SUCCEEDED, ResultClass.PENDING, ResultClass.REVIEW):
        return True
    if response.status_code != 400 or _parameter_errors(body) or not code.code:
        return False
    if code.rejected and is_about_earlier(_description_in(body)):
        # A refusal of the call that says so is open for all systems: the error tells how to look.
        return _names_a_payment(body) or (response.request.method != "GET" and not earlier_use(response, NoKey()))
    if code.is_code and not code.rejected:
        return True
    may_refuse_the_request = code.is_code and code.rejection is not Rejection.DECLINED
    return _names_a_payment(body) or (response.request.method != "GET" and not may_refuse_the_request)


def read_problems(response: httpx.Response) -> Sequence[Problem]:
    """The problems of an error response: each refused parameter, else the result code with the gateway's words for it.

    How a refused parameter is written is not documented: `parameterErrors` is read, in the result or beside it, with
    `name` and `message`. No value is repeated, nor data of the card or a person from the request.
    """
    body = object_of(response)
    private = _private_pattern(response.request)
    result_code = _code_in(body)
    # A code repeats nothing private, although one of its groups may happen to be the CVV.
    code = redact_code(result_code.code if result_code.is_code else _without(result_code.code, private))
    problems: list[Problem] = []
    for error in _parameter_errors(body):
        name = _redacted(text_or_empty(error.get("name")), private)
        message = _redacted(text_or_empty(error.get("message")), private) or _NO_MESSAGE
        problems.append(Problem(field=name, code=code, message=message, provider_field=name or None))
    if result_code.succeeded:
        problems.append(Problem("", code, f"{_CONTRADICTION} ({code})"))
    description = _description_in(body)
    if not problems and (code or description):
        message = _redacted(description, private) or _NO_MESSAGE
        known = f"; {code}: {result_code.meaning}" if result_code.rejected else f" ({code})" if code else ""
        problems = [Problem("", code, f"{message}{known}")]
    if _is_by_reference(response.request) and response.status_code == 404:
        problems.append(Problem("", code, _NO_PROOF))
    return problems


def _unreadable(response: httpx.Response) -> str | None:
    """A payment needs a result code, and a checkout an id. Success with status 400 is a contradiction."""
    if _is_unknown(response.request):
        is_rejected = _code_in(object_of(response)).rejected
        return document_complaint(response, read_problems if is_rejected else lambda _: ())
    reason = no_object_reason(response) or comparing.cannot_be_read(_repeated(response))
    if reason is not None:
        return reason
    body = object_of(response)
    if not _is_about_one_payment(response.request):
        return _missing(response.request, body)
    code = _code_in(body)
    if response.status_code >= 400 and code.succeeded:
        return _CONTRADICTION
    if code.rejected and response.request.method == "GET" and not _names_a_payment(body):
        return "its code is a rejection without the id of a payment: it may reject the inquiry itself"
    return None if code.code else "its body has no result code"


def _missing(request: httpx.Request, body: dict[str, Any]) -> str | None:
    if _is_about_checkouts(request):
        return None if text_or_empty(body.get("id")) else "its body has no checkout id"
    return None if any(is_list(body.get(name)) for name in ("payments", "records")) else _NO_LIST


def _is_unknown(request: httpx.Request) -> bool:
    moves_money = request.method == "POST" and _MOVES_MONEY.search(request.url.path) is not None
    return not moves_money and is_generated(request, *_WRAPPED)


def _mismatch(response: httpx.Response) -> str | None:
    """Which other payment a response is about, such as one that came late, or from a cache that mixes them up."""
    if _is_unknown(response.request):
        return None
    other = comparing.first_that_is(Likeness.OTHER, _repeated(response))
    if other is not None:
        return f"its body is about another payment: its {other} is not the one that was sent"
    asked = _ONE_PAYMENT.search(response.request.url.path)
    if response.request.method != "GET" or asked is None:
        return None
    return comparing.about_another(asked.group(1), object_of(response).get("id"), "payment")


def _recovery_hint(request: httpx.Request, *, found_by_reference: bool) -> str:
    reference = one_line(dict(_form_of(request)).get("merchantTransactionId", ""))
    office = f"{f'for merchantTransactionId {reference!r} ' if reference else ''}in the bank's back office"
    asked = _ONE_PAYMENT.search(request.url.path)
    if asked is not None:
        return f"with payments.inquire({one_line(asked.group(1))!r}), or {office},"
    if _is_about_checkouts(request):
        return f"{office} (a checkout that no shopper was shown lapses after 15 minutes)"
    if found_by_reference and reference:
        return f"with payments.find({reference!r}), or {office},"
    return f"with payments.inquire(id) once its notification names the id, or {office},"


def _names_a_payment(body: dict[str, Any]) -> bool:
    return body.get("id") not in (None, "")


def _is_about_checkouts(request: httpx.Request) -> bool:
    return request.method == "POST" and request.url.path.endswith("/checkouts")


def _is_about_one_payment(request: httpx.Request) -> bool:
    return not (_is_about_checkouts(request) or _is_by_reference(request))


def _is_by_reference(request: httpx.Request) -> bool:
    return request.method == "GET" and request.url.path.endswith("/v3/query")


def _private_pattern(request: httpx.Request) -> re.Pattern[str] | None:
    return pattern_of((value for name, value in _form_of(request) if name not in _PUBLIC), whole_words=True)


def _form_of(request: httpx.Request) -> list[tuple[str, str]]:
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return []
    return parse_qsl(request.content.decode("ascii", "replace"))


def _without(text: str, private: re.Pattern[str] | None) -> str:
    return text if private is None else private.sub(HIDDEN, text)


def _redacted(text: str, private: re.Pattern[str] | None) -> str:
    return redact_excerpt(_without(text, private))


def _code_in(body: dict[str, Any]) -> ResultCode:
    return ResultCode.parse(object_or_empty(body.get("result")).get("code"))


def _description_in(body: dict[str, Any]) -> str:
    return text_or_empty(object_or_empty(body.get("result")).get("description"))


def _parameter_errors(body: dict[str, Any]) -> list[dict[str, Any]]:
    places = (object_or_empty(body.get("result")).get("parameterErrors"), body.get("parameterErrors"))
    return [error for place in places for error in list_or_empty(place) if is_object(error) and error]
