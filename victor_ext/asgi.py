"""How a web service answers when a call of its client failed: an exception handler for FastAPI and Starlette.

    app.add_exception_handler(VictorError, error_response)

The answer is `application/problem+json` (RFC 9457) with the error's `outcome` and `idempotency_key`.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from victor_ext import Conflict, InvalidRequest, NotFound, Outcome, RateLimited, VictorError

__all__ = ("error_response",)

_BY_OUTCOME = {Outcome.NOT_SENT: 503, Outcome.REJECTED: 502, Outcome.UNKNOWN: 504, Outcome.ACCEPTED: 502}
"""503: repeat as you like. 504: it may have happened, repeat under the same key. 502: not the caller's fault."""


async def error_response(_request: Request, error: Exception) -> JSONResponse:
    """Answer with what the error knows.

    The status is 422 for arguments that the check refused (with its `problems`), 404 and 409 for the provider's own,
    503 for a 429, and otherwise by the outcome: 503 not sent, 504 unknown, 502 refused by the provider, or accepted and
    unreadable. If the provider asked to wait, the answer has its `Retry-After`.
    """
    if not isinstance(error, VictorError):
        raise error
    status = _BY_OUTCOME[error.outcome]
    if error.outcome in (Outcome.NOT_SENT, Outcome.REJECTED):
        own = {InvalidRequest: 422, NotFound: 404, Conflict: 409, RateLimited: 503}
        status = next((code for kind, code in own.items() if isinstance(error, kind)), status)
    body: dict[str, Any] = {
        "title": type(error).__name__,
        "status": status,
        "detail": error.message,
        "outcome": error.outcome.value,
        "idempotency_key": error.idempotency_key,
    }
    if isinstance(error, InvalidRequest):
        body["problems"] = [
            {"field": each.field, "code": each.code, "message": each.message} for each in error.problems
        ]
    headers = {} if error.retry_after is None else {"Retry-After": f"{error.retry_after:.0f}"}
    return JSONResponse(body, status, headers, media_type="application/problem+json")
