"""A safe client for the Victor instant-payments API.

from victor_ext import Victor, VictorJwt, idempotency_key_for

with Victor(VictorJwt(api_key, private_key), environment="staging") as victor:
    request = victor.payment_requests.create(..., idempotency_key=idempotency_key_for("invoice", 1042))
"""

from ._version import __version__
from .client import AsyncVictor, Victor
from .credentials import VictorJwt, VictorOAuth
from .records import Direction, Network, Payee, Payer, PaymentRequest, PaymentRequestResponse, Status
from .runtime.errors import (
    AuthenticationError,
    BadRequest,
    ConfigurationError,
    Conflict,
    ConnectionFailed,
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    PaginationError,
    PermissionDenied,
    Problem,
    RateLimited,
    ServerError,
    StatusError,
    TimedOut,
    UnreadableResponse,
)
from .runtime.errors import PaymentApiError as VictorError
from .runtime.events import AttemptEnded, AttemptStarted, CallEnded, Event, RetryScheduled
from .runtime.keys import idempotency_key_for
from .runtime.outcome import Outcome
from .runtime.retry import RetryPolicy

__all__ = [
    "AsyncVictor",
    "AttemptEnded",
    "AttemptStarted",
    "AuthenticationError",
    "BadRequest",
    "CallEnded",
    "ConfigurationError",
    "Conflict",
    "ConnectionFailed",
    "DeadlineExceeded",
    "Direction",
    "Event",
    "InvalidRequest",
    "Network",
    "NotFound",
    "Outcome",
    "PaginationError",
    "Payee",
    "Payer",
    "PaymentRequest",
    "PaymentRequestResponse",
    "PermissionDenied",
    "Problem",
    "RateLimited",
    "RetryPolicy",
    "RetryScheduled",
    "ServerError",
    "Status",
    "StatusError",
    "TimedOut",
    "UnreadableResponse",
    "Victor",
    "VictorError",
    "VictorJwt",
    "VictorOAuth",
    "__version__",
    "idempotency_key_for",
]
