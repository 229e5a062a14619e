"""The provider's behaviour for the runtime: the table of operations, and the format of errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import httpx

from victor_ext.errors import Problem
from victor_ext.privacy import HIDDEN, SHORTEST, mask_digits, one_line, redact_code, redact_excerpt, texts_within
from victor_ext.runtime.core.json_values import json_of, list_or_empty, object_of, object_or_empty, text_or_empty
from victor_ext.runtime.core.response import OPERATION
from victor_ext.runtime.loop.behaviour import Behaviour
from victor_ext.runtime.loop.idempotency_keys import NoKey
from victor_ext.runtime.loop.operations import Operation, Operations, Shown

from .operations import OPERATIONS
from .settings import ENVIRONMENTS


def behaviour_of(environment: str, base_url: httpx.URL) -> Behaviour:
    """Velo's behaviour in one of its environments; messages name the URL where it is not the environment's."""
    elsewhere = "" if base_url == httpx.URL(ENVIRONMENTS[environment]) else f", {base_url}"
    return Behaviour(
        name="Velo",
        environment=f"{environment}{elsewhere}",
        operations=Operations(OPERATIONS, base_url, NoKey()),
        problems=read_problems,
        # `correlationId` is what Velo's support asks for; a header may be that of a proxy.
        request_id_headers=(),
        request_id_in_body=correlation_id,
        authentication_hint=f"Environment {environment!r} was asked: check that key and secret were issued for it.",
    )


def read_problems(response: httpx.Response) -> Sequence[Problem]:
    """Velo's one error shape: `errors`, each with `errorCode`, `errorMessage` and the `location` of the mistake.

    Data of payees and accounts from the request is not repeated.
    """
    errors = list_or_empty(object_of(response).get("errors"))
    if not errors:
        return ()
    hide, problems = _hider(response.request), list[Problem]()
    for error in [object_or_empty(item) for item in errors if item]:
        where, code = mask_digits(text_or_empty(error.get("location"))), hide(redact_code(error.get("errorCode")))
        message = redact_excerpt(hide(text_or_empty(error.get("errorMessage")))) or "Velo gave no message"
        problems.append(Problem(where, code, message, provider_field=where or None))
    return problems


def correlation_id(response: httpx.Response) -> str | None:
    """Velo's id of the exchange, which is in the body of an error."""
    return one_line(text_or_empty(object_of(response).get("correlationId"))) or None


_PUBLIC = frozenset(
    {"type", "payeeType", "categories", "remoteId", "payorId", "country", "countryCode", "currency", "language"}
)
_WORD = re.compile(rf"[^\W_]{{{SHORTEST},}}")


def _hider(request: httpx.Request) -> Callable[[str], str]:
    """Replaces in a text the words of the names, addresses and numbers in a request whose row does not show them."""
    row: Operation | None = request.extensions.get(OPERATION)
    if row is not None and row.shown is Shown.EVERYTHING:
        return lambda text: text
    # Word by word, because a request may name 2,000 payees and the response may complain of each.
    texts = texts_within(json_of(request), lambda place: place.rpartition(".")[2] in _PUBLIC, numbers=False)
    words = {word.casefold() for text in texts for word in _WORD.findall(text)}
    return lambda text: _WORD.sub(lambda match: HIDDEN if match[0].casefold() in words else match[0], text)
