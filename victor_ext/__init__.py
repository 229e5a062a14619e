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
    from ._runtime.client.base import Ping
    from ._runtime.client.prepared_calls import PreparedCall
    from ._runtime.client.transport import expect
    from ._runtime.client.webhooks import Delivery, HmacSignature
    from ._runtime.core.clock import ProviderTime
    from ._runtime.loop.call_events import (
        AttemptEnded,
        AttemptStarted,
        CallEnded,
        CallEvent,
        CallStarted,
        Event,
        RetryScheduled,
    )
    from ._runtime.loop.idempotency_keys import (
        BodyKey,
        HeaderKey,
        idempotency_key_for,
    )
    from ._runtime.loop.operations import Absent, Done, NotDone, Promise, Proof
    from ._runtime.loop.retry import RetryPolicy
    from ._values.response_info import ResponseInfo
    from ._values.words import Word
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
    from .providers._connected.auth import (
        ApiKeyAuth,
        BasicAuth,
        BearerAuth,
        ClientCredentialsAuth,
    )
    from .providers._connected.client import ApiClient, AsyncApiClient, connect, connect_async
    from .providers._connected.operations import OperationRow
    from .providers._connected.paging import CursorPages, LinkedPages, NumberedPages, OffsetPages
    from .providers.victor._auth import VictorJwt, VictorOAuth
    from .providers.victor._client import AsyncVictor, Victor
    from .providers.victor._creating import PaymentRequestArguments, check_payment_request
    from .providers.victor._payment_requests import AsyncPaymentRequests, PaymentRequests
    from .providers.victor._records import PaymentRequest
    from .providers.victor._values import (
        Direction,
        Network,
        Payee,
        Payer,
        PaymentRequestResponse,
        Status,
    )

__all__ = [
    "Absent",
    "ApiClient",
    "ApiKeyAuth",
    "AsyncApiClient",
    "AsyncPaymentRequests",
    "AsyncVictor",
    "AttemptEnded",
    "AttemptStarted",
    "AuthenticationError",
    "BadRequest",
    "BasicAuth",
    "BearerAuth",
    "BodyKey",
    "CallEnded",
    "CallEvent",
    "CallStarted",
    "ClientCredentialsAuth",
    "ConfigurationError",
    "Conflict",
    "ConnectionFailed",
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
    "PaymentRequests",
    "PermissionDenied",
    "Ping",
    "PreparedCall",
    "Problem",
    "Promise",
    "Proof",
    "ProviderTime",
    "RateLimited",
    "ResponseInfo",
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
    "Word",
    "__version__",
    "check_payment_request",
    "connect",
    "connect_async",
    "expect",
    "idempotency_key_for",
]

# A name is loaded when it is first asked for, so that importing the package costs next to nothing,
# and who asks for one loads its module alone. These modules have the names.
_HOMES = {
    ".errors": (
        "AuthenticationError",
        "BadRequest",
        "ConfigurationError",
        "Conflict",
        "ConnectionFailed",
        "DeadlineExceeded",
        "InvalidRequest",
        "NotFound",
        "Outcome",
        "PaginationError",
        "PermissionDenied",
        "Problem",
        "RateLimited",
        "ServerError",
        "StatusError",
        "TimedOut",
        "UnreadableResponse",
        "VictorError",
    ),
    ".providers._connected.auth": (
        "ApiKeyAuth",
        "BasicAuth",
        "BearerAuth",
        "ClientCredentialsAuth",
    ),
    ".providers._connected.client": (
        "ApiClient",
        "AsyncApiClient",
        "connect",
        "connect_async",
    ),
    ".providers._connected.operations": ("OperationRow",),
    ".providers._connected.paging": (
        "CursorPages",
        "LinkedPages",
        "NumberedPages",
        "OffsetPages",
    ),
    ".providers.victor._auth": (
        "VictorJwt",
        "VictorOAuth",
    ),
    ".providers.victor._client": (
        "AsyncVictor",
        "Victor",
    ),
    ".providers.victor._creating": (
        "PaymentRequestArguments",
        "check_payment_request",
    ),
    ".providers.victor._payment_requests": ("AsyncPaymentRequests", "PaymentRequests"),
    ".providers.victor._records": ("PaymentRequest",),
    ".providers.victor._values": (
        "Direction",
        "Network",
        "Payee",
        "Payer",
        "PaymentRequestResponse",
        "Status",
    ),
    "._values.response_info": ("ResponseInfo",),
    "._runtime.client.base": ("Ping",),
    "._runtime.client.prepared_calls": ("PreparedCall",),
    "._runtime.client.transport": ("expect",),
    "._runtime.client.webhooks": (
        "Delivery",
        "HmacSignature",
    ),
    "._runtime.core.clock": ("ProviderTime",),
    "._runtime.loop.call_events": (
        "AttemptEnded",
        "AttemptStarted",
        "CallEnded",
        "CallEvent",
        "CallStarted",
        "Event",
        "RetryScheduled",
    ),
    "._runtime.loop.idempotency_keys": (
        "BodyKey",
        "HeaderKey",
        "idempotency_key_for",
    ),
    "._runtime.loop.operations": (
        "Absent",
        "Done",
        "NotDone",
        "Promise",
        "Proof",
    ),
    "._runtime.loop.retry": ("RetryPolicy",),
    "._values.words": ("Word",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


if os.environ.get("VICTOR_LOG_CONFIG"):
    from ._runtime.core.logs import log_by_file

    log_by_file(os.environ["VICTOR_LOG_CONFIG"])
elif os.environ.get("VICTOR_LOG"):
    from ._runtime.core.logs import log_to_stderr

    log_to_stderr(os.environ["VICTOR_LOG"])


# Type checkers know the names above, and would take any other one from this function.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            module = importlib.import_module(home, __name__)
        except AttributeError as error:  # Python would say that there is no such name
            raise ImportError(
                f"{name} cannot be imported, since a module fails: {error}"
            ) from error
        value = globals()[name] = getattr(module, name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
