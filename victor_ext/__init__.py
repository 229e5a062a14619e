"""A safe client for the Victor instant-payments API.

from victor_ext import Victor, VictorJwt, idempotency_key_for

with Victor(VictorJwt(api_key, private_key), environment="staging") as victor:
    request = victor.payment_requests.create(..., idempotency_key=idempotency_key_for("invoice", 1042))
"""

import importlib
from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from .checking import check_payment_request
    from .client import AsyncVictor, Victor
    from .credentials import VictorJwt, VictorOAuth
    from .records import Direction, Network, Payee, Payer, PaymentRequest, PaymentRequestResponse, Status
    from .runtime.clock import ProviderTime
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
    "ProviderTime",
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
    "check_payment_request",
    "idempotency_key_for",
]

# Where each name lives. A name is loaded when it is first asked for, so that importing the package (as its
# sandbox, its command and its pytest plugin do) costs next to nothing.
_HOMES = {
    ".checking": ("check_payment_request",),
    ".client": (
        "AsyncVictor",
        "Victor",
    ),
    ".credentials": (
        "VictorJwt",
        "VictorOAuth",
    ),
    ".records": (
        "Direction",
        "Network",
        "Payee",
        "Payer",
        "PaymentRequest",
        "PaymentRequestResponse",
        "Status",
    ),
    ".runtime.clock": ("ProviderTime",),
    ".runtime.errors": (
        "AuthenticationError",
        "BadRequest",
        "ConfigurationError",
        "Conflict",
        "ConnectionFailed",
        "DeadlineExceeded",
        "InvalidRequest",
        "NotFound",
        "PaginationError",
        "PermissionDenied",
        "Problem",
        "RateLimited",
        "ServerError",
        "StatusError",
        "TimedOut",
        "UnreadableResponse",
    ),
    ".runtime.events": (
        "AttemptEnded",
        "AttemptStarted",
        "CallEnded",
        "Event",
        "RetryScheduled",
    ),
    ".runtime.keys": ("idempotency_key_for",),
    ".runtime.outcome": ("Outcome",),
    ".runtime.retry": ("RetryPolicy",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name == "VictorError":
        value: object = importlib.import_module(".runtime.errors", __name__).PaymentApiError
    elif name in _HOME_OF:
        value = getattr(importlib.import_module(_HOME_OF[name], __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
