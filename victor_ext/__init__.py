"""A safe client for the Victor instant-payments API.

from victor_ext import Victor, VictorJwt, idempotency_key_for

with Victor(VictorJwt(api_key, private_key), environment="staging") as victor:
    request = victor.payment_requests.create(..., idempotency_key=idempotency_key_for("invoice",
    1042))
"""

import importlib
import os
from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from .errors import (
        AuthenticationError,
        BadRequest,
        ConfigurationError,
        Conflict,
        ConnectionFailed,
        DeadlineExceeded,
        InvalidRequest,
        NotFound,
        Outcome,
        PaginationError,
        PermissionDenied,
        Problem,
        RateLimited,
        ServerError,
        StatusError,
        TimedOut,
        UnreadableResponse,
        VictorError,
    )
    from .providers.connected.auth import (
        ApiKeyAuth,
        BasicAuth,
        BearerAuth,
        ClientCredentialsAuth,
        SignedAuth,
    )
    from .providers.connected.client import ApiClient, AsyncApiClient, connect, connect_async
    from .providers.connected.operations import OperationRow
    from .providers.connected.paging import CursorPages, LinkedPages, NumberedPages, OffsetPages
    from .providers.victor.auth import VictorJwt, VictorOAuth
    from .providers.victor.client import AsyncVictor, Victor
    from .providers.victor.creating import PaymentRequestArguments, check_payment_request
    from .providers.victor.records import PaymentRequest
    from .providers.victor.statuses import (
        Direction,
        Network,
        Payee,
        Payer,
        PaymentRequestResponse,
        Status,
    )
    from .response_info import ResponseInfo
    from .runtime.client.generated import expect
    from .runtime.client.hmac_signature import HmacSignature
    from .runtime.client.ping import Ping
    from .runtime.client.prepared_calls import PreparedCall
    from .runtime.client.webhooks import Delivery
    from .runtime.core.clock import ProviderTime
    from .runtime.loop.events import (
        AttemptEnded,
        AttemptStarted,
        CallEnded,
        CallStarted,
        Event,
        RetryScheduled,
    )
    from .runtime.loop.idempotency_keys import (
        BodyKey,
        CookieKey,
        HeaderKey,
        QueryKey,
        idempotency_key_for,
    )
    from .runtime.loop.operations import Done, NotDone, Promise, Proof
    from .runtime.loop.retry import RetryPolicy
    from .words import Word

__all__ = [
    "ApiClient",
    "ApiKeyAuth",
    "AsyncApiClient",
    "AsyncVictor",
    "AttemptEnded",
    "AttemptStarted",
    "AuthenticationError",
    "BadRequest",
    "BasicAuth",
    "BearerAuth",
    "BodyKey",
    "CallEnded",
    "CallStarted",
    "ClientCredentialsAuth",
    "ConfigurationError",
    "Conflict",
    "ConnectionFailed",
    "CookieKey",
    "CursorPages",
    "DeadlineExceeded",
    "Delivery",
    "Direction",
    "Done",
    "Event",
    "HeaderKey",
    "HmacSignature",
    "InvalidRequest",
    "LinkedPages",
    "Network",
    "NotDone",
    "NotFound",
    "NumberedPages",
    "OffsetPages",
    "OperationRow",
    "Outcome",
    "PaginationError",
    "Payee",
    "Payer",
    "PaymentRequest",
    "PaymentRequestArguments",
    "PaymentRequestResponse",
    "PermissionDenied",
    "Ping",
    "PreparedCall",
    "Problem",
    "Promise",
    "Proof",
    "ProviderTime",
    "QueryKey",
    "RateLimited",
    "ResponseInfo",
    "RetryPolicy",
    "RetryScheduled",
    "ServerError",
    "SignedAuth",
    "Status",
    "StatusError",
    "TimedOut",
    "UnreadableResponse",
    "Victor",
    "VictorError",
    "VictorJwt",
    "VictorOAuth",
    "Word",
    "__version__",
    "check_payment_request",
    "connect",
    "connect_async",
    "expect",
    "idempotency_key_for",
]

# A name is loaded when it is first asked for, so that importing the package costs next to nothing.
# These modules have the names, and are asked in this order: who wants an error loads no client.
_HOMES = (
    ".errors",
    ".response_info",
    ".words",
    ".runtime.core.clock",
    ".runtime.loop.idempotency_keys",
    ".runtime.loop.events",
    ".runtime.client.generated",
    ".runtime.client.prepared_calls",
    ".runtime.loop.operations",
    ".providers.victor.statuses",
    ".runtime.loop.retry",
    ".runtime.client.ping",
    ".providers.victor.auth",
    ".providers.victor.records",
    ".providers.victor.creating",
    ".providers.victor.client",
    ".providers.connected.auth",
    ".providers.connected.operations",
    ".providers.connected.paging",
    ".providers.connected.client",
    ".runtime.client.webhooks",
    ".runtime.client.hmac_signature",
)


if os.environ.get("VICTOR_LOG"):
    from .logs import log_to_stderr

    log_to_stderr(os.environ["VICTOR_LOG"])


# Type checkers know the names above, and would take any other one from this function.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name in __all__:
            for home in _HOMES:
                names = vars(importlib.import_module(home, __name__))
                if name in names:
                    globals()[name] = names[name]
                    return names[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
