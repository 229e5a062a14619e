"""What a web service needs of its client, for FastAPI and Starlette: an exception handler.

    for kind in (VictorError, RequestValidationError, starlette.exceptions.HTTPException):  #
    FastAPI's own 422, too app.add_exception_handler(kind, error_response)

The answer to an error is `application/problem+json` (RFC 9457) with the error's `outcome` and
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
"""503: a repeat is safe. 504: the provider may have executed it, repeat with the same key. 502: a
fault upstream.
"""


async def error_response(_request: Request, error: Exception) -> JSONResponse:
    """Answer with what the error knows: a `VictorError`, or FastAPI's `RequestValidationError` as
    an `InvalidRequest`.

    An `HTTPException` keeps its status, detail and headers; it knows no outcome. Else the status is
    401 for what a webhook refuses, and 400 for what is no notification; 422 for arguments that the
    check refused (with its `problems`), 404 and 409 for the provider's own, 503 for a 429, and
    otherwise by the outcome: 503 not sent, 504 unknown, 502 refused by the provider, or accepted
    and unreadable. If the provider asked to wait, the answer has its `Retry-After`.
    """
    # Starlette alone has none, so it is not imported
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
    status = _BY_OUTCOME[error.outcome]
    if error.outcome in (Outcome.NOT_SENT, Outcome.REJECTED) or isinstance(error, Conflict):
        own = {InvalidRequest: 422, NotFound: 404, Conflict: 409, RateLimited: 503}
        status = next((code for kind, code in own.items() if isinstance(error, kind)), status)
    # of a webhook: nobody was asked
    if isinstance(error, AuthenticationError) and error.request is None:
        status = 401
    if isinstance(error, InvalidRequest) and any(
        problem.code == "notification" for problem in error.problems
    ):
        status = 400
    body: dict[str, Any] = {
        "title": type(error).__name__,
        "status": status,
        "detail": error.message,
        "outcome": error.outcome.value,
        "idempotency_key": error.idempotency_key,
    }
    if isinstance(error, InvalidRequest):
        names = ("field", "code", "message")
        body["problems"] = [
            {name: getattr(problem, name) for name in names} for problem in error.problems
        ]
    headers = (
        {} if error.retry_after is None else {"Retry-After": f"{math.ceil(error.retry_after)}"}
    )
    return _problem(body, headers)


def _problem(body: Mapping[str, Any], headers: Mapping[str, str] | None) -> JSONResponse:
    return JSONResponse(body, body["status"], headers, media_type="application/problem+json")


def _as_invalid_request(error: Any) -> InvalidRequest:
    """The problems that FastAPI reports.

    The values that it quotes are left out: one may be an account number.
    """
    problems: list[Problem] = []
    for report in error.errors():
        # such as body, payer, name; or body and a position in text that is not JSON
        place, *path = report["loc"]
        field = ".".join(map(str, path)) if any(isinstance(part, str) for part in path) else place
        problems.append(Problem(field, report["type"], f"{field}: {report['msg']}."))
    return InvalidRequest.of(problems)
