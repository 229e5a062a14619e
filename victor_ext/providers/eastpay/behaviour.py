"""The gateway's behaviour for the runtime: its table of operations, and the format of its errors."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from victor_ext.errors import Problem
from victor_ext.privacy import HIDDEN, redact_code, redact_excerpt
from victor_ext.runtime.core.json_values import object_of, text_or_empty
from victor_ext.runtime.loop.behaviour import Behaviour
from victor_ext.runtime.loop.idempotency_keys import NoKey
from victor_ext.runtime.loop.operations import Operations

from .operations import (
    CONTRADICTION,
    code_in,
    description_in,
    may_be_result,
    operations_of,
    parameter_errors,
    private_pattern,
)

_NO_MESSAGE = "the gateway gave no message"


def behaviour_of(base_url: httpx.URL, *, found_by_reference: bool) -> Behaviour:
    """The gateway's behaviour at one bank. No operation takes a key: no write that may have been done is repeated."""
    rows = operations_of(found_by_reference=found_by_reference)
    return Behaviour(
        name="EastPay",
        environment=str(base_url),
        operations=Operations(rows, base_url, NoKey(), results=may_be_result),
        resent_redirects=frozenset({307}),
        problems=read_problems,
        authentication_hint=(
            "The token is fixed: check it in the bank's back office (account data, merchant or channel), and that it "
            "belongs to this host."
        ),
    )


def read_problems(response: httpx.Response) -> Sequence[Problem]:
    """The problems of a response: each refused parameter, else the result code with the gateway's words for it.

    With a good status, only refused parameters, the code of a rejection, and words without a code are problems. No
    value is repeated, nor data of the card or a person from the request.
    """
    body, private = object_of(response), private_pattern(response.request)

    def hidden(text: object) -> str:
        return text_or_empty(text) if private is None else private.sub(HIDDEN, text_or_empty(text))

    found = code_in(body)
    # A code repeats nothing private, although one of its groups may happen to be the CVV.
    code = redact_code(found.code if found.is_code else hidden(found.code))
    problems: list[Problem] = []
    for error in parameter_errors(body):
        name, message = (redact_excerpt(hidden(error.get(member))) for member in ("name", "message"))
        problems.append(Problem(name, code, message or _NO_MESSAGE, provider_field=name or None))
    description = description_in(body)
    # Words without a code say that it was not done as well as that it was: they are no evidence.
    if response.status_code < 400 and not found.rejected and (found.code or not description):
        return problems
    if found.succeeded:
        problems.append(Problem("", code, f"{CONTRADICTION} ({code})"))
    if not problems and (code or description):
        known = f"; {code}: {found.meaning}" if found.rejected else f" ({code})" if code else ""
        problems = [Problem("", code, f"{redact_excerpt(hidden(description)) or _NO_MESSAGE}{known}")]
    return problems
