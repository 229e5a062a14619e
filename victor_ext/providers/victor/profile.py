"""The provider's profile for the runtime: the key header, the format of errors, and the checks of responses."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

import httpx

from victor_ext.errors import Problem
from victor_ext.privacy import mask_digits, redact_code, redact_excerpt
from victor_ext.runtime.client.documented import declares_header, document_complaint, is_generated
from victor_ext.runtime.core.comparing import about_another, as_id, is_about_one_of
from victor_ext.runtime.core.json_values import (
    is_list,
    is_object,
    list_or_empty,
    no_object_reason,
    object_of,
    object_or_empty,
    text_or_empty,
)
from victor_ext.runtime.loop.idempotency_keys import HeaderKey, key_problem
from victor_ext.runtime.loop.profile import READER, Profile, Reader

from .auth import Environment
from .settings import CREATE_PATH
from .statuses import CHILD_ID, ID, PARENT_ID, Direction, as_direction

_LIST_PATH = "/v2/payment-requests"
_KEY = "Idempotency-Key"
_ID_NAMES = {ID, "victor_id", "id"}
_NO_MESSAGE = "the provider gave no message"


def profile_of(environment: Environment, base_url: httpx.URL) -> Profile:
    """Return the profile for an environment. Messages contain the URL if it is not the environment's own."""
    elsewhere = "" if base_url == httpx.URL(environment.base_url) else f", {base_url}"
    return Profile(
        name="Victor",
        environment=f"{environment.name}{elsewhere}",
        key_place=HeaderKey(_KEY, _takes_key, lambda request: not _takes_key(request), _key_problem),
        problems=read_problems,
        unreadable=_unreadable,
        is_unknown_id=_is_unknown_id,
        mismatch=_mismatch,
        is_read_by_id=_is_get,
        names_its_subject=_names_its_subject,
        recovery_hint=_recovery_hint,
        authentication_hint=(
            f"Environment {environment.name!r} was asked: check that the credentials belong to it (keys of one "
            "environment are not valid in the other), that the private key belongs to the API key, and this "
            "machine's clock."
        ),
    )


def _key_problem(request: httpx.Request, key: str) -> Problem | None:
    # The document has a shortest length for this operation; those of newer documents are known to have the longest one.
    return key_problem(key) if _is_create(request) else key_problem(key, shortest=1)


def _takes_key(request: httpx.Request) -> bool:
    reader: Reader | None = request.extensions.get(READER)
    declares = reader is not None and declares_header(reader.declared, _KEY)
    return _is_create(request) or (declares and not _is_respond(request))


def _is_create(request: httpx.Request) -> bool:
    return request.method == "POST" and request.url.path.endswith(CREATE_PATH)


def _is_respond(request: httpx.Request) -> bool:
    return request.method == "POST" and "/respond-to-request/" in request.url.path


def _is_get(request: httpx.Request) -> bool:
    if is_generated(request, "get_payment_request"):
        return False  # a newer document's /v2/payment-requests/summary is not an id
    return request.method == "GET" and request.url.path.rpartition("/")[0].endswith(_LIST_PATH)


def _is_list(request: httpx.Request) -> bool:
    return request.method == "GET" and request.url.path.endswith(_LIST_PATH)


def _is_unknown_id(answer: httpx.Response) -> bool:
    """Whether a 400 to `get` is about the id alone: the document has no 404. To a write it may be about the state."""
    return _is_get(answer.request) and names_only(read_problems(answer), _ID_NAMES)


def names_only(problems: Sequence[Problem], names: Collection[str]) -> bool:
    """Whether there are problems, and all of them are about a field with one of these names."""
    return bool(problems) and all(problem.field.rpartition(".")[2] in names for problem in problems)


def _recovery_hint(request: httpx.Request) -> str:
    if _is_create(request):
        return "with payment_requests.find(client_reference_id, start_datetime=...)"
    return "with payment_requests.get(id)" if _is_respond(request) else ""


def _unreadable(answer: httpx.Response) -> str | None:
    """Why a successful response cannot be used. The document alone says it of operations that are not wrapped."""
    request = answer.request
    if is_generated(request) and not any(known(request) for known in (_is_create, _is_respond, _is_get, _is_list)):
        return document_complaint(answer, read_problems)
    return no_object_reason(answer) or _missing(answer, object_of(answer))


_RECORD_MEMBERS = (ID, "status", "payment_request")
"""A single payment request has at least one of these fields."""


def _missing(answer: httpx.Response, body: dict[str, Any]) -> str | None:
    """Return which required part the body of a successful response lacks, or None."""
    request = answer.request
    if ID not in body and read_problems(answer):
        return "its body reports an error"
    if _is_create(request) and not (as_id(body.get(ID)) or "").strip():
        return "its body has no victor_payment_request_id"
    if _is_respond(request) and not text_or_empty(body.get("status")):
        return "its body does not say which response was recorded"
    # What follows would otherwise be read as the end of a list, or as a request without a response.
    if _is_list(request) and not is_list(body.get("results")):
        return "its body has no list of results"
    if _is_get(request) and all(body.get(name) is None for name in _RECORD_MEMBERS):
        return "its body has none of the expected members"
    return None


def _mismatch(answer: httpx.Response) -> str | None:
    """How a successful response differs from the request (its id or page): caches and proxies can mix them up."""
    request = answer.request
    body = object_of(answer)
    if _is_list(request):
        return _another_page(body.get("page"), request.url.params.get("page", ""))
    if not (_is_respond(request) or _is_get(request)):
        return None
    asked = request.url.path.rpartition("/")[2]
    whole = about_another(asked, body.get(ID), "payment request")
    response = object_or_empty(object_or_empty(body.get("payment_request")).get("payment_request_response"))
    child, parent = (body.get(name) for name in (CHILD_ID, PARENT_ID)) if _is_get(request) else (None, None)
    # An outbound request may have its child's response. The document has no child_id in `get`: then nothing is read.
    is_childs = body.get(ID) and not child and as_direction(body.get("direction")) is Direction.OUTBOUND
    if whole or is_about_one_of((asked, child, parent), response.get(ID)) or (_is_get(request) and is_childs):
        return whole
    return about_another(asked, response.get(ID), "payment request", "payment_request_response")


def _names_its_subject(answer: httpx.Response) -> bool:
    """Return whether a response to a read by id, which no check refused, has an id: the one in the path."""
    return object_of(answer).get(ID) not in (None, "")


def _another_page(number: object, asked: str) -> str | None:
    """Return how a page differs from the requested one, or None. Page 0 is accepted: the field may be unused."""
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    if not is_number or not asked.isdecimal() or number in {0, int(asked)}:
        return None
    return f"its body is page {redact_excerpt(str(number))} of a list, and page {asked} was asked for"


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
    return Problem(field=wire_path(theirs), code=code, message=text, provider_field=theirs or None)


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


def wire_path(camel: str) -> str:
    """Convert `paymentDetails.amount` to the names of the JSON body: `payment_details.amount`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match.group().lower(), camel)
