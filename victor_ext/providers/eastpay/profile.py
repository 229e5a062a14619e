"""What the runtime is told of this gateway: which answers are results, how errors look, how to look for a payment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeGuard, cast
from urllib.parse import parse_qsl

import httpx

from victor_ext.errors import Problem
from victor_ext.redaction import one_line, redact_excerpt
from victor_ext.runtime.loop.profile import Profile

from .result_codes import ResultClass, ResultCode

_NO_MESSAGE = "the gateway gave no message"
_SUCCESS_ALL_THE_SAME = "its result code says that it succeeded"
_ONE_PAYMENT = re.compile(r"/v3/payments/([^/]+)")
_LIKE_A_CODE = re.compile(r"\s*[0-9]{3}\.[0-9]{3}\.")
"""Three groups of a code that the table does not have: nobody knows that it says no."""
_SHOWN = frozenset(
    {"entityId", "entityType", "amount", "currency", "paymentType", "paymentBrand", "merchantTransactionId",
     "originalTransactionId", "notificationUrl", "shopperResultUrl", "merchant.id", "checkoutType", "checkoutId",
     "card.expiryMonth", "card.expiryYear"}
)  # fmt: skip
"""What a form has that names no person. The rest, a caller's further parameters too, no message repeats."""
_SHORTEST = 3
"""A shorter text is in every sentence."""


def profile_of(base_url: httpx.URL) -> Profile:
    """The gateway's profile at one bank. No operation takes a key, so what may have been done is never repeated."""
    return Profile(
        name="EastPay",
        environment=str(base_url),
        resent_redirects=frozenset({307}),
        problems=read_problems,
        is_result=is_payment_result,
        unreadable=_unreadable,
        mismatch=_mismatch,
        may_quote_body=lambda answer: not _secrets_of(answer.request),
        recovery_hint=_recovery_hint,
        authentication_hint=(
            "The token is fixed: check it in the bank's back office (account data, merchant or channel), and that it "
            "belongs to this host."
        ),
    )


def is_payment_result(answer: httpx.Response) -> bool:
    """Whether an answer with an error status says what became of a payment, and is no complaint about the request.

    The gateway answers 400 for both. A result code decides: whatever may have been done, or was declined, is a result.
    Refused parameters are none, unless the code says that something is under way all the same; nor is a refusal that
    does not name the payment that was asked for, since it may be the inquiry that is refused. With any other status of
    the 400s, too, a payment that is under way is no refusal. (A code of success contradicts them; see `_unreadable`.)
    """
    if not 400 <= answer.status_code < 500 or _is_about_checkouts(answer.request):
        return False
    body = _body(answer)
    code = _code_in(body)
    if code.kind in (ResultClass.SUCCEEDED, ResultClass.PENDING, ResultClass.REVIEW):
        return True
    if answer.status_code != 400 or _parameter_errors(body):
        return False
    if code.rejected and answer.request.method == "GET":
        return _names_a_payment(body)
    return code.is_code or _LIKE_A_CODE.match(code.code) is not None


def read_problems(answer: httpx.Response) -> Sequence[Problem]:
    """What an error answer complains of: each refused parameter, else its code with the gateway's words for it.

    How a refused parameter is written is not documented: read is `parameterErrors`, of the result or beside it, with
    `name` and `message`. A value is never repeated, and nothing that the request said of a card or a person.
    """
    body = _body(answer)
    hidden = _secrets_of(answer.request)
    said_code = _code_in(body)
    # A code repeats nobody, though one of its groups may happen to be somebody's CVV.
    code = str(said_code) if said_code.is_code else _shown(str(said_code), hidden)
    found = [
        Problem(
            field=_shown(_text(error.get("name")), hidden),
            code=code,
            message=_shown(_text(error.get("message")), hidden) or _NO_MESSAGE,
            provider_field=_shown(_text(error.get("name")), hidden) or None,
        )
        for error in _parameter_errors(body)
    ]
    if _code_in(body).succeeded:
        found.append(Problem("", code, f"{_SUCCESS_ALL_THE_SAME} ({code})"))
    said = _text(_object(body.get("result")).get("description"))
    if not found and (code or said):
        words = _shown(said, hidden) or _NO_MESSAGE
        found = [Problem("", code, f"{words} ({code})" if code else words)]
    return found


def _unreadable(answer: httpx.Response) -> str | None:
    """A good status alone is no yes: a payment has to have a result code, and a checkout an id.

    Nor is a good code: with status 400 it leaves open which of them holds.
    """
    try:
        body: object = answer.json()
    except ValueError:
        return "its body is empty" if not answer.content else "its body is not JSON"
    if not isinstance(body, dict):
        return "its body is JSON, but no object"
    fields = cast("dict[str, Any]", body)
    if _is_about_checkouts(answer.request):
        return None if _text(fields.get("id")) else "its body has no checkout id"
    code = _code_in(fields)
    if answer.status_code >= 400 and code.succeeded:
        return _SUCCESS_ALL_THE_SAME
    if code.rejected and answer.request.method == "GET" and not _names_a_payment(fields):
        return "its code says no and not to which payment: it may be the inquiry that is refused"
    return None if code.code else "its body has no result code"


def _mismatch(answer: httpx.Response) -> str | None:
    """An inquiry's answer about another payment, such as a cache that mixes answers up would give, proves nothing."""
    asked = _ONE_PAYMENT.search(answer.request.url.path)
    named = _text(_body(answer).get("id"))
    if answer.request.method != "GET" or asked is None or not named or named.casefold() == asked.group(1).casefold():
        return None
    return f"its body is about another payment, {one_line(named)}"


def _recovery_hint(request: httpx.Request) -> str:
    reference = _form_of(request).get("merchantTransactionId")
    named = f" for merchantTransactionId {one_line(reference)!r}" if reference else ""
    asked = _ONE_PAYMENT.search(request.url.path)
    if asked is not None:
        return f"with payments.inquire({one_line(asked.group(1))!r}), or{named} in the bank's back office,"
    if _is_about_checkouts(request):
        return (
            f"{named} in the bank's back office (a checkout that no shopper was shown lapses after 15 minutes)".strip()
        )
    known = "with payments.inquire(id) once its notification names the id, or"
    return f"{known}{named} in the bank's back office,"


def _names_a_payment(body: dict[str, Any]) -> bool:
    return body.get("id") not in (None, "")


def _is_about_checkouts(request: httpx.Request) -> bool:
    return request.method == "POST" and request.url.path.endswith("/checkouts")


def _secrets_of(request: httpx.Request) -> tuple[str, ...]:
    form = _form_of(request)
    said = {value for name, value in form.items() if name not in _SHOWN and len(value) >= _SHORTEST}
    return tuple(sorted(said, key=len, reverse=True))  # the longest first, so that no part of one is left


def _form_of(request: httpx.Request) -> dict[str, str]:
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    return dict(parse_qsl(request.content.decode("ascii", "replace")))


def _shown(text: str, hidden: tuple[str, ...]) -> str:
    for secret in hidden:
        text = re.sub(rf"(?<![0-9A-Za-z]){re.escape(secret)}(?![0-9A-Za-z])", "[hidden]", text)
    return redact_excerpt(text)


def _code_in(body: dict[str, Any]) -> ResultCode:
    return ResultCode.parse(_object(body.get("result")).get("code"))


def _parameter_errors(body: dict[str, Any]) -> list[dict[str, Any]]:
    places = (_object(body.get("result")).get("parameterErrors"), body.get("parameterErrors"))
    return [error for place in places for error in _objects(place)]


def _objects(value: object) -> list[dict[str, Any]]:
    return [found for found in map(_object, value) if found] if _is_list(value) else []


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _body(answer: httpx.Response) -> dict[str, Any]:
    try:
        return _object(answer.json())
    except ValueError:
        return {}


def _object(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
