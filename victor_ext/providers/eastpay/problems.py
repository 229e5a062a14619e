"""The problems in the body of a response."""

from collections.abc import Sequence

import httpx

from victor_ext.errors import Problem
from victor_ext.privacy import redact_code, redact_excerpt
from victor_ext.runtime.core.json_values import object_of, text_or_empty

from .bodies import code_in, description_in, parameter_errors, private_texts

SUCCEEDED_ALL_THE_SAME = "its result code says that it succeeded"
"""Why a response with an error status and the code of a success is no evidence of either."""
_NO_MESSAGE = "the gateway gave no message"


def read_problems(response: httpx.Response) -> Sequence[Problem]:
    """The problems of a response: each refused parameter, else the result code with the gateway's
    words for it.

    With a good status, only refused parameters, the code of a rejection, and words without a code
    are problems. No value is repeated, nor data of the card or a person from the request.
    """
    body = object_of(response)
    private = private_texts(response.request)
    result = code_in(body)
    # A code repeats nothing private, although one of its groups may happen to be the CVV.
    code = redact_code(result.code if result.is_code else private.hide(result.code))
    problems: list[Problem] = []
    for error in parameter_errors(body):
        name = redact_excerpt(private.hide(text_or_empty(error.get("name"))))
        message = redact_excerpt(private.hide(text_or_empty(error.get("message"))))
        problems.append(Problem(name, code, message or _NO_MESSAGE, provider_field=name or None))
    description = description_in(body)
    # Words without a code do not show whether the call was done: they make the body no success.
    if response.status_code < 400 and not result.rejected and (result.code or not description):
        return problems
    if result.succeeded:
        problems.append(Problem("", code, f"{SUCCEEDED_ALL_THE_SAME} ({code})"))
    if not problems and (code or description):
        message = redact_excerpt(private.hide(description)) or _NO_MESSAGE
        if result.rejected:
            message += f"; {code}: {result.meaning}"
        elif code:
            message += f" ({code})"
        problems.append(Problem("", code, message))
    return problems
