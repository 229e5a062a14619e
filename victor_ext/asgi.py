"""What a web service needs of its client, for FastAPI and Starlette: an exception handler.

    # FastAPI's own 422, too
    for kind in (VictorError, RequestValidationError, starlette.exceptions.HTTPException):
        app.add_exception_handler(kind, error_response)

The response to an error is `application/problem+json` (RFC 9457) with the error's `outcome` and
`idempotency_key`.
"""

import math
from collections.abc import Mapping
from http.client import responses
from typing import Any

try:
    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.responses import JSONResponse
except ImportError as error:
    raise ImportError(
        "victor_ext.asgi needs starlette, which FastAPI brings: pip install starlette"
    ) from error

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

_BY_OUTCOME = {
    Outcome.NOT_SENT: 503,
    Outcome.REJECTED: 502,
    Outcome.UNKNOWN: 504,
    Outcome.ACCEPTED: 502,
}
"""Statuses of responses, by outcome. 503: a repeat is safe. 504: the provider may have executed it,
and a repeat is safe only with the same key. 502: a fault upstream.
"""

_BY_CLASS: dict[type[VictorError], int] = {
    InvalidRequest: 422,
    NotFound: 404,
    Conflict: 409,
    RateLimited: 503,
}
"""Statuses of responses to errors after which the provider has done nothing."""


async def error_response(_request: Request, error: Exception) -> JSONResponse:
    """Answer with what the error knows: a `VictorError`, or FastAPI's `RequestValidationError` as
    an `InvalidRequest`.

    An `HTTPException` keeps its status, detail and headers; it knows no outcome. Else the status is
    401 for what a webhook refuses, and 400 for what is no notification; 422 for arguments that the
    check refused (with its `problems`), 404 and 409 for the provider's own, 503 for a 429, and
    otherwise by the outcome: 503 not sent, 504 unknown, 502 refused by the provider, or accepted
    and unreadable. If the provider asked to wait, the response has its `Retry-After`.
    """
    # By its name: the class is FastAPI's, and Starlette alone does not have it.
    if type(error).__name__ == "RequestValidationError":
        error = _as_invalid_request(error)
    if isinstance(error, HTTPException):
        title = responses.get(error.status_code, "Error")
        return _problem(
            {"title": title, "status": error.status_code, "detail": str(error.detail)},
            error.headers,
        )
    if not isinstance(error, VictorError):
        raise error
    body: dict[str, Any] = {
        "title": type(error).__name__,
        "status": _status_of(error),
        "detail": error.message,
        "outcome": error.outcome.value,
        "idempotency_key": error.idempotency_key,
    }
    if isinstance(error, InvalidRequest):
        names = ("field", "code", "message")
        body["problems"] = [
            {name: getattr(problem, name) for name in names} for problem in error.problems
        ]
    headers: dict[str, str] = {}
    if error.retry_after is not None:
        headers["Retry-After"] = f"{math.ceil(error.retry_after)}"
    return _problem(body, headers)


def _status_of(error: VictorError) -> int:
    """The status of the response to an error: see `error_response`."""
    is_invalid = isinstance(error, InvalidRequest)
    if is_invalid and any(problem.code == "notification" for problem in error.problems):
        return 400
    # An error of a webhook has no request: the provider was not asked.
    if isinstance(error, AuthenticationError) and error.request is None:
        return 401
    if error.outcome in (Outcome.NOT_SENT, Outcome.REJECTED) or isinstance(error, Conflict):
        for kind, status in _BY_CLASS.items():
            if isinstance(error, kind):
                return status
    return _BY_OUTCOME[error.outcome]


def _problem(body: Mapping[str, Any], headers: Mapping[str, str] | None) -> JSONResponse:
    """A response of RFC 9457, with the `status` in its body."""
    return JSONResponse(body, body["status"], headers, media_type="application/problem+json")


def _as_invalid_request(error: Any) -> InvalidRequest:
    """FastAPI's error about arguments as one of this package. The values that FastAPI quotes are
    left out: a value may be an account number.
    """
    problems: list[Problem] = []
    for report in error.errors():
        # `loc` is such as body, payer, name; or body and a position in text that is not JSON.
        place, *path = report["loc"]
        has_names = any(isinstance(part, str) for part in path)
        field = ".".join(map(str, path)) if has_names else place
        problems.append(Problem(field, report["type"], f"{field}: {report['msg']}."))
    return InvalidRequest.of(problems)
