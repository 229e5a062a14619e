"""The provider's behaviour for the runtime: the key header, the table of operations, and the format of errors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import httpx

from victor_ext.errors import Problem
from victor_ext.privacy import mask_digits, redact_code, redact_excerpt
from victor_ext.runtime.core.json_values import is_object, list_or_empty, object_of, text_or_empty
from victor_ext.runtime.loop.behaviour import Behaviour
from victor_ext.runtime.loop.idempotency_keys import HeaderKey, key_problem
from victor_ext.runtime.loop.operations import Operations

from .auth import Environment
from .operations import OPERATIONS

_NO_MESSAGE = "the provider gave no message"


def behaviour_of(environment: Environment, base_url: httpx.URL) -> Behaviour:
    """Return the behaviour for an environment. Messages contain the URL if it is not the environment's own."""
    # The document has a shortest length for `create`. Those of newer documents are known to have the longest one.
    place = HeaderKey(problem=lambda _request, key: key_problem(key, shortest=1))
    is_own = base_url == httpx.URL(environment.base_url)
    return Behaviour(
        name="Victor",
        environment=environment.name if is_own else f"{environment.name}, {base_url}",
        key_place=place,
        operations=Operations(OPERATIONS, base_url, place),
        problems=read_problems,
        authentication_hint=(
            f"Environment {environment.name!r} was asked: check that the credentials belong to it (keys of one "
            "environment are not valid in the other), that the private key belongs to the API key, and this "
            "machine's clock."
        ),
    )


def read_problems(answer: httpx.Response) -> Sequence[Problem]:
    """Return the problems of the documented schemas `ApiErrorResponse` and `ValidationErrors`; none of others."""
    body = object_of(answer)
    error = body.get("error")
    if is_object(error):
        message = text_or_empty(error.get("message")) or _NO_MESSAGE
        return (_problem(error, text_or_empty(error.get("field")), message),)
    errors = filter(is_object, list_or_empty(body.get("allErrors")))
    return tuple(_problem(item, _field_of(item), item.get("defaultMessage")) for item in errors)


def _problem(error: dict[str, Any], field: str, message: object) -> Problem:
    code, theirs = redact_code(error.get("code")), mask_digits(field)
    text = redact_excerpt(text_or_empty(message)) or code or _NO_MESSAGE
    # `paymentDetails.amount` is `payment_details.amount` in the JSON body.
    wire = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match.group().lower(), theirs)
    return Problem(field=wire, code=code, message=text, provider_field=theirs or None)


def _field_of(error: dict[str, Any]) -> str:
    """Return the field of a Spring error: its `field`, or the end of a code such as `NotNull.request.notes`."""
    stated = text_or_empty(error.get("field"))
    if stated:
        return stated
    name = text_or_empty(error.get("objectName"))
    for code in map(text_or_empty, list_or_empty(error.get("codes"))):
        kind, _, rest = code.partition(".")
        if kind and name and rest.startswith(f"{name}."):
            return rest.removeprefix(f"{name}.")
    return ""
