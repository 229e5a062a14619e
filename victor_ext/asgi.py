"""What a web service needs of its client, for FastAPI and Starlette: an exception handler.

    app.add_exception_handler(VictorError, error_response)

The response is `application/problem+json` (RFC 9457) with the error's `outcome` and
`idempotency_key`. Other errors stay those of the framework.
"""

import math
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from victor_ext import (
    AuthenticationError,
    Conflict,
    InvalidRequest,
    NotFound,
    Outcome,
    Problem,
    RateLimited,
    VictorError,
)

__all__ = ("error_response",)


async def error_response(_request: Request, error: Exception) -> JSONResponse:
    """Answer with what a `VictorError` knows.

    The status is 401 for what a webhook refuses, and 400 for what is no notification; 422 for
    arguments that the check refused (with its `problems`), 404 and 409 for the provider's own, 503
    for a 429, and otherwise by the outcome: 503 not sent, 504 unknown, 502 refused by the provider,
    or accepted and unreadable. If the provider asked to wait, the response has its `Retry-After`.
    """
    if not isinstance(error, VictorError):
        raise error
    status = _status_of(error)
    body: dict[str, Any] = {
        "title": type(error).__name__,
        "status": status,
        "detail": error.message,
        "outcome": error.outcome.value,
        "idempotency_key": error.idempotency_key,
    }
    if isinstance(error, InvalidRequest):
        body["problems"] = [asdict(problem) for problem in error.problems]
    headers: dict[str, str] = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def _status_of(error: VictorError) -> int:
    """The status of the response to an error: that of the first case that fits."""
    match error:
        case AuthenticationError(request=None):  # of a webhook: the provider was not asked
            status = 401
        case Conflict():
            status = 409
        case VictorError(outcome=Outcome.UNKNOWN):  # a repeat is safe only with the same key
            status = 504
        case VictorError(outcome=Outcome.ACCEPTED):
            status = 502
        case InvalidRequest(problems=[Problem(code="notification")]):
            status = 400
        case InvalidRequest():
            status = 422
        case NotFound():
            status = 404
        case RateLimited() | VictorError(outcome=Outcome.NOT_SENT):  # a repeat is safe
            status = 503
        case _:
            status = 502
    return status
