"""What the form of a request and the body of a response have, for the table, the evidence and the
problems.
"""

from typing import Any
from urllib.parse import parse_qsl

import httpx

from victor_ext.ids import reference_of
from victor_ext.privacy import PrivateTexts
from victor_ext.runtime.core.json_values import (
    is_object,
    list_or_empty,
    object_or_empty,
    text_or_empty,
)

from .result_codes import ResultCode

_PUBLIC = frozenset(
    {
        "entityId",
        "entityType",
        "amount",
        "currency",
        "paymentType",
        "paymentBrand",
        "merchantTransactionId",
        "originalTransactionId",
        "notificationUrl",
        "shopperResultUrl",
        "merchant.id",
        "checkoutType",
        "checkoutId",
        "card.expiryMonth",
        "card.expiryYear",
    }
)
"""The parameters of a form that say nothing of a person.

No message repeats the others, which include a caller's further parameters.
"""


def private_texts(request: httpx.Request) -> PrivateTexts:
    """What the form of a request says of the card and of persons."""
    return PrivateTexts(value for name, value in form_of(request) if name not in _PUBLIC)


def form_of(request: httpx.Request) -> list[tuple[str, str]]:
    """The parameters of a form, by name; empty: the body of the request is no form."""
    media_type = request.headers.get("content-type", "")
    if not media_type.startswith("application/x-www-form-urlencoded"):
        return []
    return parameters_in(request.content)


def parameters_in(form: bytes) -> list[tuple[str, str]]:
    """The parameters of a form, as it is sent."""
    return parse_qsl(form.decode("ascii", "replace"))


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
