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
    """The problems in `errors`, each of which has `errorCode`, `errorMessage` and the `location` of
    the mistake. A list without one of these is somebody else's, if the status is that of an error.


    """
    errors: list[object] = [*filter(None, list_or_empty(object_of(response).get("errors")))]
    if not errors or (response.status_code >= 400 and not any(map(_is_error, errors))):
        return ()
    problems: list[Problem] = []
    for error in errors:
        members = object_or_empty(error)
        field = mask_digits(text_or_empty(members.get("location")))
        code = redact_code(members.get("errorCode"))
        message = redact_excerpt(text_or_empty(members.get("errorMessage")))
        problems.append(
            Problem(field, code, message or "Velo gave no message", provider_field=field or None)
        )
    return problems


def _is_error(error: object) -> bool:
    """Whether an item of `errors` is one of Velo's: others have lists of that name, too."""
    members = object_or_empty(error)
    return bool(redact_code(members.get("errorCode")) or text_or_empty(members.get("errorMessage")))


def correlation_id(response: httpx.Response) -> str | None:
    """Velo's id of the exchange, which is in the body of an error."""
    return one_line(text_or_empty(object_of(response).get("correlationId"))) or None
