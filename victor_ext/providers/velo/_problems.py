"""The problems in the body of a response: Velo has one shape of errors.

At the end stands what no problem repeats: the private data of the request.
"""

from collections.abc import Sequence

import httpx

from victor_ext._privacy import (
    mask_digits,
    one_line,
    redact_code,
    redact_excerpt,
)
from victor_ext._runtime.core.json_values import (
    list_or_empty,
    object_of,
    object_or_empty,
    text_or_empty,
)
from victor_ext.errors import Problem


def read_problems(response: httpx.Response) -> Sequence[Problem]:
    """The problems in `errors`: its items with an `errorCode` or an `errorMessage`, and perhaps the
    `location` of the mistake. Others have lists of that name, too.
    """
    problems: list[Problem] = []
    for error in map(object_or_empty, list_or_empty(object_of(response).get("errors"))):
        field = mask_digits(text_or_empty(error.get("location")))
        code = redact_code(error.get("errorCode"))
        message = redact_excerpt(text_or_empty(error.get("errorMessage")))
        if code or message:
            message = message or "Velo gave no message"
            problems.append(Problem(field, code, message, provider_field=field or None))
    return problems


def correlation_id(response: httpx.Response) -> str | None:
    """Velo's id of the exchange, which is in the body of an error."""
    return one_line(text_or_empty(object_of(response).get("correlationId"))) or None
